"""Daemons that each have a protocol of their own."""
