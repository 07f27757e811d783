"""Terminals, pipes and the standard streams."""
