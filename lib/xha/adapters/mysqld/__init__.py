"""The server program of this host: its options, which processes are trusted as the server, and its messages."""
