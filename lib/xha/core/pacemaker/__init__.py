"""Pacemaker's configuration, and the records that xha keeps in it."""
