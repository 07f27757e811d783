"""One node: the verdict on its reading, and the forms in which it is shown."""
