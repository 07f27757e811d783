"""The keeper's step by scripts: an event a line, and under it the effects."""
