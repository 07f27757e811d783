"""Connections, addresses and ports."""
