"""xha together with other programs: its parsers are compared with the programs whose files they read."""
