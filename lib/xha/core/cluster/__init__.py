"""All members side by side: where they disagree, and what each would do next."""
