"""The page of the fleet in a real browser (make test-page)."""
