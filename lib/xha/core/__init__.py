"""The pure layer of xha: it takes facts as arguments and returns decisions and text.

Nothing here imports socket, subprocess, time, os or logging, nor any other layer of xha. tests/house/test_imports.py
reads the source and enforces this.
"""
