# The real OpenStack of Debian 12 under faults (tests/openstack). Included by the Makefile; no part of `make test`.
.PHONY: test-openstack deps-openstack

deps-openstack:
	@PYTHON='$(PYTHON)' tools/deps openstack

test-openstack: deps-openstack .venv/.made $(venv_doors) ## the checks on the real OpenStack (15 minutes; fetches 350 packages; FAULTS="a b" for some)
	@PYTHONPATH=tests:lib .venv/bin/python -m openstack $(FAULTS)
