"""HTTP: the event loop of the responder, and the client of the checks."""
