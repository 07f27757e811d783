"""What core/config promises."""
