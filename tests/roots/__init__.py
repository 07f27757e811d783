"""Servers of other systems than this one, each in a root of its own (tools/root): `make test-versions`."""
