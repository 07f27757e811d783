"""The actions of ocf:xha:galera."""
