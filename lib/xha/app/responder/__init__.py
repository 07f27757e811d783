"""The resident responder: answers requests from readings."""
