# Every target sets up what it needs: a virtual environment in .venv/, Azurite in sandbox/azurite/node_modules/.
PYTHON ?= python3
PY := .venv/bin/python
WIRE ?= ../shared/wire
SHELL := /bin/bash

.PHONY: setup demo retention-plan sandbox test test-long lint conform bench requirements schema

.venv/ready: requirements.txt requirements-dev.txt
	$(PYTHON) -m venv .venv
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements-dev.txt
	touch $@

sandbox/azurite/node_modules/.package-lock.json: sandbox/azurite/package-lock.json
	npm ci --prefix sandbox/azurite --no-audit --no-fund --loglevel=error
	touch $@

setup: .venv/ready sandbox/azurite/node_modules/.package-lock.json

demo: setup
	$(PY) -m sandbox demo

retention-plan: setup
	$(PY) -m sandbox retention-plan

sandbox: setup
	$(PY) -m sandbox up

test: setup
	$(PY) -m pytest -n 2 -q -m "not long"

test-long: setup
	$(PY) -m pytest -n 2 -q

lint: setup
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	.venv/bin/lint-imports

conform: setup
	$(PY) -m sandbox conform $(WIRE)

bench: setup
	$(PY) -m bench

requirements: # after a change of the ranges in pyproject.toml; needs uv
	uv pip compile pyproject.toml --generate-hashes --no-header --universal --python-version 3.11 -q -o requirements.txt
	uv pip compile pyproject.toml --group dev -c requirements.txt --generate-hashes --no-header --universal --python-version 3.11 -q -o requirements-dev.txt

schema: setup # after a change of the configuration's types
	$(PY) -m shared.contracts.schema config/factory.schema.json
