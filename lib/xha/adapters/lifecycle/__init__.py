"""Starting a server, creating its data, ending it."""
