# The laboratory (tests/lab): three hosts, a real cluster, and faults. Included by the Makefile.
.PHONY: lab lab-down lab-shell lab-operations lab-remote lab-arrangements lab-report lab-matrix lab-soak lab-timeline
.PHONY: lab-plot deps-lab

# The hosts' system: this machine's own, or one whose root tools/root builds below build/roots (OS=debian13).
OS ?=
LAB = PYTHONPATH=tests .venv/bin/python -m lab $(if $(OS),--os '$(OS)')
AGENT ?= ocf:xha:galera
WORLD ?= seed
RUNS ?= 3
HOST ?= h1
N ?= 50
NODES ?= 3

deps-lab:
	@tools/deps lab $(if $(filter debian13,$(OS)),roots)

lab-operations: deps-lab .venv/.made ## carry out every procedure of docs/operations.md (30 minutes; needs nothing standing)
	@$(LAB) rehearse

lab-remote: deps-lab .venv/.made ## a database host outside of corosync (pacemaker-remote), and four faults there (6 minutes)
	@$(LAB) remote

lab-arrangements: deps-lab .venv/.made ## other clusters: five nodes, two clusters and garbd, settings from the field (20 minutes; ARRANGEMENTS="a b")
	@$(LAB) arrange $(ARRANGEMENTS)

lab-matrix: deps-lab .venv/.made ## every fault once in each world: 1 unless it comes out as docs/lab says (110 minutes; resumes, FAULTS=)
	@$(LAB) matrix $(FAULTS)

lab-soak: deps-lab .venv/.made ## N= random sequences of five faults (6 minutes each; resumes; SEED= repeats one, AGENT=, WORLD=)
	@$(LAB) soak --agent '$(AGENT)' --world '$(WORLD)' --sequences '$(N)' $(if $(SEED),--seed '$(SEED)')

lab-timeline: deps-lab .venv/.made ## where the seconds of four faults go, in the fast world: writes docs/lab/timeline.md (15 minutes)
	@$(LAB) timeline

lab-plot: .venv/.made ## draw docs/lab/outages.svg from the reports there
	@mkdir -p build && $(LAB) plot >build/outages.svg && mv build/outages.svg docs/lab/outages.svg

#: The laboratory by hand:
lab: deps-lab .venv/.made ## build the laboratory: three hosts with the whole cluster (AGENT=xha|heartbeat, WORLD=seed|sound|fast, OS=debian13, NODES=5)
	@$(LAB) up --agent '$(AGENT)' --world '$(WORLD)' --nodes '$(NODES)'

lab-down: ## take the laboratory down, whatever state it is in
	@$(LAB) down

lab-shell: ## a root shell on a host of the laboratory (HOST=h1|...|client)
	@$(LAB) shell '$(HOST)'

lab-report: deps-lab .venv/.made ## try every fault on AGENT= and write docs/lab/ (hours; WORLD=, RUNS=3, FAULTS="a b")
	@$(LAB) report --agent '$(AGENT)' --world '$(WORLD)' --runs '$(RUNS)' $(FAULTS)
