"""Rules about the source: its layers, its sizes, and that its documents say what its code does."""
