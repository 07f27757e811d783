# The role and the playbooks of ansible/, run by ansible-core on a laboratory's hosts. Included by the Makefile.
.PHONY: test-ansible

build/ansible/.made: tools/lock/ansible.lock tools/venv | .venv/.made
	@tools/venv ansible build/ansible
	@touch $@

test-ansible: deps-lab deps-packages build/ansible/.made .venv/.made ## ansible/ on three hosts: the role twice, a rolling update under load (7 minutes; OS=debian13)
	@XHA_ANSIBLE=1 XHA_ANSIBLE_OS='$(OS)' .venv/bin/python -m pytest -q tests/playbooks
