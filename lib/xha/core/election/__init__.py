"""The election: which node may form the cluster, and why."""
