"""xha-check about all members of a cluster, side by side."""
