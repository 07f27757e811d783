"""What a monitor of ocf:xha:galera answers, and what the keeper leaves for it."""
