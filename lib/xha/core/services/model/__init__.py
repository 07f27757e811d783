"""What every check has: a kind, the values of its section, a result, and a report."""
