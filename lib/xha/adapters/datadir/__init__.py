"""The data directory of a server: what it holds, who uses it, and who may."""
