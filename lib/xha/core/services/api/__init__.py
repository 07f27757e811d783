"""APIs that use HTTP: their rows of the catalogue, and how their answers are judged."""
