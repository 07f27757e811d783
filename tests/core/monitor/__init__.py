"""What core/monitor promises."""
