"""Processes: the kernel's tables, running a program, and which rights a child gives up first."""
