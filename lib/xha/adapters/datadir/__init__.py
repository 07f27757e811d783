"""The data directory of a server: what it contains, which processes use it, and which may."""
