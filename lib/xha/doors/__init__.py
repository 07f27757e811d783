"""What a caller starts: argv and environment in, bytes and an exit code out. Only doors print and exit."""
