# The fleet's page in a real browser: too heavy for `make test`, which reads it by a parser.
.PHONY: test-page deps-page
deps-page:
	@PYTHON='$(PYTHON)' tools/deps page

test-page: deps-page .venv/.made ## the page of xha-check fleet --html in a real Chromium; pictures in build/page (1 minute)
	@XHA_PAGE=1 .venv/bin/python -m pytest -q tests/page
