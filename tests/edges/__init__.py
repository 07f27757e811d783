"""Where xha meets other programs: its parsers held to the programs whose files they read."""
