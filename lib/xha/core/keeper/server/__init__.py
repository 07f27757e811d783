"""The keeper's own server: what is seen of it, and what follows from its end."""
