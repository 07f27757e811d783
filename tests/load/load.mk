# An hour of ordinary load without a false red (tests/load). Included by the Makefile; no part of `make test`.
.PHONY: test-load

test-load: deps .venv/.made $(venv_doors) ## three nodes under load, ALTER, DELETE, backups, SST: no false red (1 hour; LOAD_SECONDS=)
	@PYTHONPATH=tests:lib .venv/bin/python -m load $(if $(LOAD_SECONDS),--seconds '$(LOAD_SECONDS)')
