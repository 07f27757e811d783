# The database servers and the services of other systems, each in a root of its own (tools/root). Included by the
# Makefile.
.PHONY: test-versions roots

build/roots/%: tools/root
	@tools/root $*

roots: deps-roots build/roots/debian13 build/roots/debian13-services build/roots/debian13-bundles build/roots/unstable ## build the roots of other systems' servers, below build/roots (5 minutes, 3 GB)

deps-roots:
	@PYTHON='$(PYTHON)' tools/deps roots

test-versions: deps roots ## MariaDB 11.8, Pacemaker 3.0, RabbitMQ 4.0, HAProxy 3.0, memcached 1.6.38 (Debian 13), MySQL 9 (20 minutes)
	@tools/in-root build/roots/debian13 .venv/bin/python -m pytest -q -n $$(($$(nproc) * 2)) -m 'not alone' \
		tests/responder tests/shell
	@tools/in-root build/roots/debian13 .venv/bin/python -m pytest -q tests/services/test_pacemaker.py \
		tests/services/test_crm_mon.py
	@tools/in-root build/roots/debian13-bundles .venv/bin/python -m pytest -q tests/services/test_bundle.py
	@tools/in-root build/roots/unstable .venv/bin/python -m pytest -q tests/roots
	@tools/in-root build/roots/debian13-services .venv/bin/python -m pytest -q tests/services/test_rabbitmq.py \
		tests/services/test_rabbitmq_cluster.py tests/services/test_haproxy.py tests/services/test_memcached.py
	@tools/in-root build/roots/debian13-services .venv/bin/python -m pytest -q tests/services/test_matrix.py \
		-k 'memcached or haproxy'
