# The packages in the bare roots of Debian 12 and 13 (tools/root). Included by the Makefile.
.PHONY: test-packages

test-packages: deps deps-roots build/roots/bare-debian12 build/roots/bare-debian13 ## the packages' life in bare Debian 12 and 13 (6 minutes)
	@XHA_PACKAGE_ROOTS='bare-debian12 bare-debian13' .venv/bin/python -m pytest -q tests/packages
