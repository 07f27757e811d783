"""Pacemaker's tools, and a node without Pacemaker."""
