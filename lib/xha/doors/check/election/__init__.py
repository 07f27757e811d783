"""What xha-check asks Pacemaker: why nothing forms, a grant, a report."""
