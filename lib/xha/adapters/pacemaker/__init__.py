"""Pacemaker's tools, and a replacement for a node without Pacemaker."""
