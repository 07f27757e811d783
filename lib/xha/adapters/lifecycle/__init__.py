"""Starting a server, creating its data, terminating it."""
