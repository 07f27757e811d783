"""What the responders recorded of their nodes, and how available node and cluster were."""
