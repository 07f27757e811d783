"""All members of a cluster, by every source that this host can ask."""
