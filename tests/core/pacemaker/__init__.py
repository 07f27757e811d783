"""What core/pacemaker promises."""
