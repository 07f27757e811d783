"""One node: what its reading comes to, and how it is told."""
