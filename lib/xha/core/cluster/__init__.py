"""All members side by side: where they disagree, and what each of them would do next."""
