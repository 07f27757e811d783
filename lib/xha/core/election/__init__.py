"""Who may form the cluster, and why."""
