"""xha.conf: text in, a configuration out."""
