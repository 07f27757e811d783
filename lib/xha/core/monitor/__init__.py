"""The answer of a monitor of ocf:xha:galera, and the files that the keeper writes for it."""
