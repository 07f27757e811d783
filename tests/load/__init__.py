"""`make test-load`: an hour of ordinary work on three real nodes, in which no answer may be a false red."""
