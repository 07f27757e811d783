"""This host: its log, its mounts, its service manager."""
