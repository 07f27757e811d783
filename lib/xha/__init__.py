"""xha: the truth about a Galera node, for Pacemaker, HAProxy and the operator."""

__version__ = "0.1.0"
