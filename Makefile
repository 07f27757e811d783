# xha: see README.md. `make help` lists what can be made. Non-trivial steps are scripts in tools/;
# .ci/run is what continuous integration runs.
#
# Variables as in the GNU coding standards; DESTDIR stages an installation for a package.

PYTHON ?= python3
# The interpreter of what is installed: the distribution's own, so that it lives as long as the system does.
SYSPYTHON ?= /usr/bin/python3
# Where fetched packages are kept: those for the hosts may come from elsewhere. SYSTEM_PACKAGES=1: take no wheels, but
# what the distribution has for SYSPYTHON.
WHEELS ?= build/wheels
SYSTEM_PACKAGES ?=
# PACKAGE=1: stage what a distribution's package holds (packaging/), below DESTDIR.
PACKAGE ?=

prefix ?= /usr/local
exec_prefix ?= $(prefix)
bindir ?= $(exec_prefix)/bin
libexecdir ?= $(exec_prefix)/libexec
datadir ?= $(prefix)/share
docdir ?= $(datadir)/doc/xha
mandir ?= $(datadir)/man
bashdir ?= $(datadir)/bash-completion/completions
zshdir ?= $(datadir)/zsh/site-functions
# The versions, each with the packages that it needs.
pkglibdir ?= $(prefix)/lib/xha
# These are read where xha and the system look for them, whatever the prefix is.
confdir ?= /etc/xha
unitdir ?= /usr/lib/systemd/system
sysusersdir ?= /usr/lib/sysusers.d
sysctldir ?= /usr/lib/sysctl.d
tmpfilesdir ?= /usr/lib/tmpfiles.d
xinetddir ?= /etc/xinetd.d
ocfdir ?= /usr/lib/ocf/resource.d

doors = checks/xha-check checks/clustercheck checks/xha-services xinetd/xha-responder
venv_doors = $(addprefix .venv/bin/,$(notdir $(doors)))

.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: help deps deps-debian deps-wheels deps-demo deps-bench deps-root deps-packages venv check test test-all test-installations fuzz docs demo bench wheels lock
.PHONY: install uninstall deb rpm dist clean

help: ## list the targets
	@sed -n 's/^#: \(.*\)/\n\1/p; s/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r target text; do \
		case $$text in '') echo "$$target" ;; *) printf '  make %-14s %s\n' "$$target" "$$text" ;; esac; done

deps: deps-debian $(if $(NO_INSTALL),,venv build/debs deps-wheels deps-root) ## install and fetch all that the tests need: no network from then on (NO_INSTALL=1: only say what is missing)

deps-debian:
	@PYTHON='$(PYTHON)' tools/deps test lab roots

# Where it cannot be built, the laboratory's tests on Debian 13 are left out, and nothing else.
deps-root:
	@tools/root debian13 || echo 'deps: the tests in a laboratory on Debian 13 are left out' >&2

build/debs:
	@tools/debs $@

deps-wheels:
	@'$(SYSPYTHON)' -IB tools/install/install --wheels '$(WHEELS)' --fetch-only >/dev/null

deps-demo:
	@PYTHON='$(PYTHON)' tools/deps demo $(if $(OS),lab roots)

deps-bench:
	@PYTHON='$(PYTHON)' tools/deps bench

venv: .venv/.made .venv/versions/.made $(venv_doors) ## make .venv, with xha's commands on .venv/bin

.venv/.made: tools/lock/dev.lock tools/venv
	@PYTHON='$(PYTHON)' tools/venv main .venv
	@touch $@

.venv/versions/.made: tools/lock/pure.lock tools/venv tools/pythons | .venv/.made
	@tools/venv versions .venv/versions
	@touch $@

vpath xha-check checks
vpath clustercheck checks
vpath xha-services checks
vpath xha-responder xinetd
$(venv_doors): .venv/bin/%: % tools/install/launcher .venv/.made
	@tools/install/launcher '$<' '$(CURDIR)/.venv/bin/python -IS' '$(CURDIR)/lib' \
		"$$(.venv/bin/python -Ic 'import sysconfig; print(sysconfig.get_path("purelib"))')" >$@
	@chmod 755 $@

check: venv ## lint, types and the pure tests on every Python found: fast, no network, no root, no database
	@tools/check

test: deps venv check ## everything, with real daemons; installs what it needs
	@tools/test

docs: .venv/.made ## write the rows of docs/ that repeat a table of the code
	@PYTHONPATH=lib:tests .venv/bin/python -m house.pages

demo: deps-demo .venv/.made $(venv_doors) ## three Galera nodes behind HAProxy, disturbed before your eyes (OS=debian13: on that system)
	@PYTHONPATH=tests .venv/bin/python -m demo $(if $(OS),--os '$(OS)')

# Fetches as an ordinary user what root installs: `make wheels && sudo make install`.
wheels: ## fetch the packages of requirements.lock for SYSPYTHON into $(WHEELS), where install finds them
	@'$(SYSPYTHON)' -IB tools/install/install --wheels '$(WHEELS)' --fetch-only

lock: .venv/.made ## resolve setup.cfg's requirements anew, and write the lock files with the hashes of all wheels
	@tools/venv lock .venv/lock
	@for file in 'requirements.lock' 'tools/lock/pure.lock pure' 'tools/lock/dev.lock dev pure' 'tools/lock/oslo.lock oslo' \
		'tools/lock/ansible.lock ansible'; do \
		.venv/bin/python tools/lock/write .venv/lock/bin/uv $$file && echo "lock: $$file"; done

install: ## install below $(DESTDIR)$(prefix), over a running xha too; enables and starts nothing
	@'$(SYSPYTHON)' -IB tools/install/install --destdir '$(DESTDIR)' --home '$(pkglibdir)' --wheels '$(WHEELS)' \
		$(if $(filter-out 0 no,$(SYSTEM_PACKAGES)),--system-packages) \
		$(if $(filter-out 0 no,$(PACKAGE)),--package '$(datadir)/xha') \
		--fill 'libexecdir=$(libexecdir)' --fill 'docdir=$(docdir)' --fill 'bindir=$(bindir)' \
		'door:checks/xha-check=$(DESTDIR)$(bindir)/xha-check' \
		'door:checks/clustercheck=$(DESTDIR)$(bindir)/clustercheck' \
		'door:xinetd/xha-responder=$(DESTDIR)$(libexecdir)/xha/xha-responder' \
		'door:checks/xha-services=$(DESTDIR)$(libexecdir)/xha/xha-services' \
		'door:agents/galera=$(DESTDIR)$(ocfdir)/xha/galera' \
		'door:agents/service=$(DESTDIR)$(ocfdir)/xha/service' \
		'man:galera=$(DESTDIR)$(mandir)/man7/ocf_xha_galera.7' \
		'man:service=$(DESTDIR)$(mandir)/man7/ocf_xha_service.7' \
		$(foreach name,xha-check xha-responder xha-services clustercheck,\
			'man:$(name)=$(DESTDIR)$(mandir)/man8/$(name).8') \
		'man:xha.conf=$(DESTDIR)$(mandir)/man5/xha.conf.5' \
		'completion:bash=$(DESTDIR)$(bashdir)/xha-check' \
		'completion:zsh=$(DESTDIR)$(zshdir)/_xha-check' \
		'unit:xinetd/xha-responder.socket=$(DESTDIR)$(unitdir)/xha-responder.socket' \
		'unit:xinetd/xha-responder.service=$(DESTDIR)$(unitdir)/xha-responder.service' \
		'unit:xinetd/xha-services.service=$(DESTDIR)$(unitdir)/xha-services.service' \
		'unit:xinetd/xha-fleet.service=$(DESTDIR)$(unitdir)/xha-fleet.service' \
		'unit:xinetd/xha-fleet.timer=$(DESTDIR)$(unitdir)/xha-fleet.timer' \
		'stanza:xinetd/xha.xinetd=$(DESTDIR)$(xinetddir)/xha' \
		'unit:xinetd/galeracheck.xinetd=$(DESTDIR)$(docdir)/galeracheck.xinetd' \
		'file:xinetd/xha.sysusers=$(DESTDIR)$(sysusersdir)/xha.conf' \
		'file:xinetd/xha.tmpfiles=$(DESTDIR)$(tmpfilesdir)/xha.conf' \
		'file:xinetd/xha.sysctl=$(DESTDIR)$(sysctldir)/60-xha.conf' \
		$(foreach name,LICENSE README.md CHANGELOG.md docs/installation.md docs/configuration.md docs/commands.md docs/services.md \
			docs/haproxy.cfg docs/haproxy-openstack.cfg docs/galera.cnf,\
			'file:$(name)=$(DESTDIR)$(docdir)/$(notdir $(name))')
	@tools/install/configure '$(confdir)' '$(DESTDIR)' '$(sysusersdir)/xha.conf' '$(tmpfilesdir)/xha.conf'

uninstall: ## remove what install put there; changed files in /etc/xha, and the users xha and xha-services, stay
	rm -f '$(DESTDIR)$(bindir)/xha-check' '$(DESTDIR)$(bindir)/clustercheck'
	rm -f '$(DESTDIR)$(unitdir)/xha-responder.socket' '$(DESTDIR)$(unitdir)/xha-responder.service'
	rm -f '$(DESTDIR)$(unitdir)/xha-services.service'
	rm -f '$(DESTDIR)$(unitdir)/xha-fleet.service' '$(DESTDIR)$(unitdir)/xha-fleet.timer'
	rm -f '$(DESTDIR)$(sysusersdir)/xha.conf' '$(DESTDIR)$(sysctldir)/60-xha.conf' '$(DESTDIR)$(xinetddir)/xha'
	rm -f '$(DESTDIR)$(tmpfilesdir)/xha.conf'
	rm -f '$(DESTDIR)$(ocfdir)/xha/galera' '$(DESTDIR)$(mandir)/man7/ocf_xha_galera.7'
	rm -f '$(DESTDIR)$(ocfdir)/xha/service' '$(DESTDIR)$(mandir)/man7/ocf_xha_service.7'
	rm -f $(foreach name,xha-check xha-responder xha-services clustercheck,'$(DESTDIR)$(mandir)/man8/$(name).8')
	rm -f '$(DESTDIR)$(mandir)/man5/xha.conf.5' '$(DESTDIR)$(bashdir)/xha-check' '$(DESTDIR)$(zshdir)/_xha-check'
	rm -rf '$(DESTDIR)$(pkglibdir)/versions' '$(DESTDIR)$(pkglibdir)/current' '$(DESTDIR)$(pkglibdir)/python'
	rm -rf '$(DESTDIR)$(libexecdir)/xha' '$(DESTDIR)$(docdir)'
	-@rmdir '$(DESTDIR)$(pkglibdir)' '$(DESTDIR)$(ocfdir)/xha' 2>/dev/null
	@tools/install/configure --remove '$(confdir)' '$(DESTDIR)'

deps-packages:
	@PYTHON='$(PYTHON)' tools/deps packages

deb: deps-packages ## build the Debian packages and their source into dist/deb, from this directory (DEBEMAIL=: who answers for them)
	@tools/package/deb

rpm: deps-packages ## build the RPM packages into dist/rpm, on Debian too
	@tools/package/rpm

dist: ## the archive of a release, dist/xha-VERSION.tar.gz
	@tools/package/dist

clean: ## remove what the other targets made in this directory
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist lib/*.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

#: What is too long for `make test`:
test-all: deps ## all of these, one after the other, whatever fails; the logs in build/test-all (PARTS="fuzz bench" for some)
	@tools/test-all $(PARTS)

test-installations: deps ## twenty installations over a running xha, in which no monitor may fail (3 minutes; INSTALLATIONS=)
	@INSTALLATIONS='$(or $(INSTALLATIONS),20)' .venv/bin/python -m pytest -q tests/install/test_upgrade.py -k many_installations

fuzz: .venv/.made $(venv_doors) ## odd input for every parser and for the responder's socket (10 minutes; FUZZ_SECONDS=, FUZZ_SEED=)
	@PYTHONPATH=lib:tests .venv/bin/python -m fuzz

bench: deps-bench .venv/.made $(venv_doors) ## measure what xha costs against yardsticks, and say what became worse (PARTS=, PAGE=write: docs/performance.md)
	@PYTHONPATH=lib:tests .venv/bin/python -m bench $(PARTS) $(if $(PAGE),--write)

-include tests/openstack/openstack.mk
-include tests/roots/roots.mk
-include tests/packages/packages.mk
-include tests/playbooks/playbooks.mk
-include tests/load/load.mk
-include tests/lab/lab.mk
-include tests/page/page.mk
-include tests/screens/screens.mk
