"""The responder as a real process, before real databases, proxies and clients: a specification by example."""
