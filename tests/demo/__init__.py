"""The demonstration behind `make demo`: real nodes, a real HAProxy, and what both say while nodes fail.

scene.py is what runs, script.py what happens to it and what must come true, screens.py how a person sees it.
"""
