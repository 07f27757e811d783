"""The demonstration behind `make demo`: real nodes, a real HAProxy, and what both report while nodes fail.

scene.py has what runs, script.py what happens to it and what must follow, screens.py how it is shown.
"""
