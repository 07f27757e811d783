"""Files: those of the operator and of xha itself, and those in directories that belong to another account."""
