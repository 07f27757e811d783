"""What core/election promises."""
