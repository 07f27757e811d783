"""What xha-check doctor examines: rules over facts that others have gathered, one table of them, and its report."""
