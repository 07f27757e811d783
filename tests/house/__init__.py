"""What the house looks like: its layers, its sizes, and that its documents say what its code does."""
