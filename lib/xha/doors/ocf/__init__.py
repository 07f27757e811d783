"""The programs that Pacemaker calls: the two agents."""
