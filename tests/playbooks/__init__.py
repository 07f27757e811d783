"""ansible/ run by the real ansible-core on the hosts of a laboratory."""
