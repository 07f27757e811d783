"""What `make bench` measures; `python -m bench --help` lists the parts."""
