"""What core/galera promises."""
