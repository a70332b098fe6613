# Everything runs in .venv, which `make setup` builds from requirements.lock. `make help` lists the targets.
PYTHON ?= python3
PROJECT ?= .
PORT ?= 5000
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
export PYTHONPATH := $(CURDIR)/src
export PATH := $(BIN):$(PATH)
export MLFLOW_DISABLE_TELEMETRY := true
export DO_NOT_TRACK := true

.PHONY: help setup repository demo repro architecture test test-system test-peers bench lint verify accept readme docs notebooks ui lock

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

setup: $(VENV)/.synced ## build .venv from the lock; nothing to do when nothing changed

# uv comes first, from its own hashed line, and installs exactly the lock. Where Python may write no
# bytecode, each start would compile all of torch and Lightning anew.
$(VENV)/.synced: COMPILED = $(if $(PYTHONDONTWRITEBYTECODE),--compile-bytecode)
$(VENV)/.synced: requirements.lock requirements-uv.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; (3, 11) <= v <= (3, 13) or sys.exit(f"Python {v[0]}.{v[1]} is not supported, 3.11 to 3.13 are: make PYTHON=python3.12")'
	@test -x "$(BIN)/uv" || "$(BIN)/python" -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@test -x "$(BIN)/uv" || "$(BIN)/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.lock
	@"$(BIN)/uv" pip sync --quiet $(COMPILED) --python "$(BIN)/python" --require-hashes requirements.lock
	@"$(BIN)/uv" pip install --quiet --python "$(BIN)/python" --no-deps --no-build-isolation --editable .
	@"$(BIN)/python" -c 'import pathlib, vl_convert; pathlib.Path(".dvc/plots/vega.js").write_text(vl_convert.javascript_bundle())'
	@touch $@

# glibc keeps memory that is freed: each batch of a training would fault it in anew.
demo repro architecture: export MALLOC_TRIM_THRESHOLD_ := 4294967296
demo repro architecture: export MALLOC_MMAP_THRESHOLD_ := 4294967296

demo: setup ## the whole pipeline on digits, from nothing, in demo/
	@python -m ann2snn.commands.demo demo

# a downloaded ZIP has no repository, and DVC then says little
repository:
	@git rev-parse --git-dir >/dev/null 2>&1 || { echo "error: $(CURDIR) is no git repository, which DVC needs: clone the project instead of downloading it, or run 'git init' here" >&2; exit 1; }

repro: setup repository ## dvc repro of the default studies of params.yaml, then every result into MLflow
	dvc repro
	python -m ann2snn.tracking

architecture: setup repository ## the studies on request, of architectures and seeds: 16 trainings, two and a half hours; goes on where it stopped
	dvc repro on-request/dvc.yaml
	dvc repro report
	python -m ann2snn.tracking

test: setup ## the tests (README: Check)
	python -m pytest -m "not system and not timed" --numprocesses logical --maxprocesses 4 --dist worksteal
	python -m pytest -m "timed and not system"

test-system: setup ## real processes, kills and a browser; minutes
	python -m pytest -m system

bench: setup bench/.venv/.synced ## time, memory and accuracy beside the peers; 25 minutes
	OPENBLAS_NUM_THREADS=1 PYTHONPATH="$(CURDIR)/src:$(CURDIR)" bench/.venv/bin/python -W ignore -m bench $(BENCH)

bench/.venv/.synced: bench/requirements.lock
	@test -x bench/.venv/bin/python || uv venv --quiet --python "$(BIN)/python" bench/.venv
	@uv pip sync --quiet --python bench/.venv/bin/python --require-hashes bench/requirements.lock
	@touch $@

test-peers: setup bench/.venv/.synced ## the tests of what other libraries are handed, where they are installed
	PYTHONPATH="$(CURDIR)/src:$(CURDIR)" bench/.venv/bin/python -m pytest tests/exchange

lint: setup ## format, lint and types
	ruff format --check .
	ruff check .
	mypy

verify: setup ## whether a fresh clone computes digits, a point per network and the report again, byte for byte
	python -m ann2snn.commands.verify

accept: setup ## keep results after a change of code that changes no bit of them
	python -m ann2snn.commands.accept

readme: setup ## fill the generated parts of README and docs/
	python -m ann2snn.commands.readme

notebooks: setup ## run the notebooks and keep their outputs in them
	cd notebooks && jupyter-execute --inplace *.ipynb

docs: setup ## the documentation as a site, in site/; needs no network
	NO_MKDOCS_2_WARNING=1 mkdocs build --strict --quiet --site-dir site

ui: setup ## MLflow on 127.0.0.1, of PROJECT (default: this folder)
	@cd "$(PROJECT)" && python -m ann2snn.tracking ui --port $(PORT)

lock: setup ## renew requirements.lock: packages, versions and hashes for all platforms, and no index
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-header --quiet --output-file requirements.lock
	echo uv | uv pip compile - --constraint requirements.lock --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-header --no-annotate --quiet --output-file requirements-uv.lock
