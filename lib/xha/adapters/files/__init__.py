"""Files of the operator, files of xha, and files in directories that belong to another account."""
