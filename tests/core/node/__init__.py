"""What core/node promises."""
