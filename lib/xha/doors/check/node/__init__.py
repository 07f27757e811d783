"""xha-check about one node: what it is, and whether it is meant to be in service."""
