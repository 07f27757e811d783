"""Processes: the kernel's tables, running a program, and what it gives up first."""
