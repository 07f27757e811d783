"""What core/cluster promises."""
