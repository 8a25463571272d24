# make demo       the main job on the embedded emulator          make check    all that CI runs
# make test       the tests                                      make matrix   the tests on every Python found
# make test-fast  those for the inner loop                       make bench    the benchmarks, onto docs/benchmarks.md
# make thorough   the tests, with five times the random examples, others each time
# make coverage   the tests, and the gate of branch coverage
# make house      circles, private access, the longest function and file
# make docs       the documentation, into docs/_build/html       make simulate the retry policies in a made-up outage
# make fuzz       the validator on broken documents, 10 minutes  make interop  others' clients on the emulator, our caller on others' endpoints
# make generate   client.py from aio.py, the builder's classes from the tables, the tables of docs/errors.md and docs/client-behaviour.md
#
# Each target sets up what it needs in .venv; a second run finds it there. With SET=dev all are content with one
# installation of everything.

SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
VERSIONS := 3.14 3.13 3.12 3.11 3.10

# The newest Python that is new enough, and can make a virtual environment.
USABLE := -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' >/dev/null 2>&1
PYTHON ?= $(shell for python in python3 $(addprefix python,$(VERSIONS)); do \
	if $$python $(USABLE); then echo $$python; break; fi; done)

# As many processes as there are cores, but no more than that helps where a container sees all of its host's.
WORKERS := -n auto --maxprocesses 4 --dist loadgroup

# Compiled modules are kept, whatever the environment says: the tests start some hundred processes.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test test-fast thorough coverage house check format lint generate types docs bench simulate fuzz interop matrix clean

demo: $(VENV)/.$(or $(SET),demo)
	@$(BIN)/whatsapp-flows demo --flows examples/flows

test: $(VENV)/.$(or $(SET),test)
	@$(BIN)/python -m pytest $(WORKERS)

coverage: $(VENV)/.$(or $(SET),test)
	@rm -f .coverage .coverage.*
	@$(BIN)/coverage run -m pytest $(WORKERS)
	@$(BIN)/coverage combine -q
	@$(BIN)/coverage report

test-fast: $(VENV)/.$(or $(SET),test)
	@$(BIN)/python -m pytest $(WORKERS) -m "not slow and not hypothesis" --ignore=tests/contrib --ignore=tests/live

thorough: $(VENV)/.$(or $(SET),test)
	@THOROUGH=1 $(BIN)/python -m pytest $(WORKERS)

check: lint types docs coverage

format: $(VENV)/.dev
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

lint: $(VENV)/.dev
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/python -m tools.generate_client --check
	@$(BIN)/python -m tools.make_builder --check
	@$(BIN)/python -m tools.error_table --check
	@$(BIN)/python -m tools.behaviour_table --check

generate: $(VENV)/.dev
	@$(BIN)/python -m tools.generate_client
	@$(BIN)/python -m tools.make_builder
	@$(BIN)/python -m tools.error_table
	@$(BIN)/python -m tools.behaviour_table

house: $(VENV)/bin/python
	@$(BIN)/python -m tools.house

types: $(VENV)/.dev
	@$(BIN)/mypy

docs: $(VENV)/.dev
	@$(BIN)/sphinx-build -q -W --keep-going -b html docs docs/_build/html
	@echo "docs: docs/_build/html/index.html"

bench: $(VENV)/.dev
	@$(BIN)/python benchmarks/suite.py --write docs/benchmarks.md
	@echo "bench: docs/benchmarks.md"

simulate: $(VENV)/.dev
	@$(BIN)/python benchmarks/retry_simulation.py --plots docs/_static

fuzz: $(VENV)/.dev
	@$(BIN)/python -m tests.flow_json.fuzz --seconds 600 --keep .cache/fuzz

interop: $(VENV)/.$(or $(SET),interop)
	@$(BIN)/python tests/interop/run.py
	@$(BIN)/python tests/interop/endpoints.py

matrix:
	@set -e; for version in $(VERSIONS); do \
		python=; for candidate in python$$version $${PYENV_ROOT:-$$HOME/.pyenv}/versions/$$version.*/bin/python; do \
			if $$candidate $(USABLE); then python=$$candidate; break; fi; \
		done; \
		if [ -z "$$python" ]; then echo "Python $$version: not found"; continue; fi; \
		test -d .venv-$$version || $$python -m venv .venv-$$version; \
		.venv-$$version/bin/python -m pip install -q --disable-pip-version-check -e '.[test]'; \
		echo "Python $$version:"; .venv-$$version/bin/python -m pytest $(WORKERS); \
	done

clean:
	rm -rf $(VENV) .venv-* .cache .coverage .coverage.* docs/_build dist build

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.10 or newer with the venv module is needed (Debian: apt install python3-venv)." >&2; exit 1; }
	@echo "Setting up $(VENV) with $(PYTHON) ($$($(PYTHON) --version))"
	@$(PYTHON) -m venv $(VENV)

# One stamp for each set of extras; pyproject.toml being newer installs again.
$(VENV)/.demo: EXTRAS = cli,emulator
$(VENV)/.interop: EXTRAS = cli,emulator,endpoint
$(VENV)/.test: EXTRAS = test
$(VENV)/.dev: EXTRAS = dev
$(VENV)/.demo $(VENV)/.interop $(VENV)/.test $(VENV)/.dev: pyproject.toml | $(VENV)/bin/python
	@echo "Installing the project with its extras [$(EXTRAS)]"
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[$(EXTRAS)]'
	@touch $@
