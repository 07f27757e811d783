"""The pure middle of xha: facts in, decisions and text out.

Nothing here imports socket, subprocess, time, os or logging, nor any other package of xha;
tests/house/test_imports.py reads the source and enforces it.
"""
