# What docs/ shows of a terminal, of real runs. Included by the Makefile.
.PHONY: screens

screens: deps-demo .venv/.made $(venv_doors) ## docs/screens/*.svg: what xha-check shows of real daemons (a minute)
	@PYTHONPATH=lib:tests .venv/bin/python -m screens
