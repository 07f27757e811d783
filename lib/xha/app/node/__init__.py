"""The reading of this node, taken now or in the background, and whether this host is ready for a server."""
