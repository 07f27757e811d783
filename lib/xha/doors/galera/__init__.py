"""ocf:xha:galera: what Pacemaker calls (start, stop, monitor), and the keeper that stays between the calls."""
