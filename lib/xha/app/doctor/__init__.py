"""Gathers the facts of xha-check doctor, without changing anything."""
