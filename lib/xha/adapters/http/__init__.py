"""HTTP: the event loop that answers, and the client that asks."""
