"""What every check has: a kind, values of its section, a result, a report."""
