"""OCF 1.1: exit codes, actions, parameters and meta-data of both agents."""
