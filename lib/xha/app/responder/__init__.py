"""The resident responder: requests in, answers from readings out."""
