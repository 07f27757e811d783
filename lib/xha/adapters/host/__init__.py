"""This host: its log, its mounts, its accounts, its service manager."""
