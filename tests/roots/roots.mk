# The database servers of other systems, each in a root of its own (tools/root). Included by the Makefile.
.PHONY: test-versions roots

build/roots/%: tools/root
	@tools/root $*

roots: deps-roots build/roots/debian13 build/roots/unstable ## build the roots of other systems' servers, below build/roots (2 minutes, 1.2 GB)

deps-roots:
	@PYTHON='$(PYTHON)' tools/deps roots

test-versions: deps roots ## the responder and xha-check on MariaDB 11.8 (Debian 13) and MySQL 9 (7 minutes)
	@tools/in-root build/roots/debian13 .venv/bin/python -m pytest -q -n $$(($$(nproc) * 2)) -m 'not alone' \
		tests/responder tests/shell
	@tools/in-root build/roots/unstable .venv/bin/python -m pytest -q tests/roots
