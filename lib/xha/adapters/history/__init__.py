"""The file in which a responder records what it told of its node."""
