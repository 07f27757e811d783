"""xha-check: its command line, and a file for each thing that it can be asked."""
