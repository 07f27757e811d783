"""The responder as a real process, with real databases, proxies and clients: a specification by example."""
