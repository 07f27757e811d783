"""xha-check: its command line, a table of subcommands, and a file for each of them."""
