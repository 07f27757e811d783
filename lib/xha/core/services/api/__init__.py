"""APIs that speak HTTP: the rows of the catalogue, and what an answer comes to."""
