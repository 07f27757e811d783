"""What core/ocf promises."""
