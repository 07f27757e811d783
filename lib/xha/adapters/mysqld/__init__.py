"""The server program of this host: what it is, whom it is trusted as, and what it says."""
