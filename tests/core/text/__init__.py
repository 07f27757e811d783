"""What core/text promises."""
