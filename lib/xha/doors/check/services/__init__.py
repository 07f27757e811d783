"""xha-check about the services of this host."""
