"""What core/services promises."""
