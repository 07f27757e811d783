"""memcached: its text and its binary protocol."""
