"""`make screens`: what xha-check shows on a terminal, of real daemons, as drawings in docs/screens.

scene.py has what runs, drawing.py how a terminal becomes a drawing.
"""
