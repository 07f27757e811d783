"""What core/http promises."""
