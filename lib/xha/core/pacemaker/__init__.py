"""Pacemaker's configuration, and what xha records in it."""
