"""What Pacemaker calls: the two agents."""
