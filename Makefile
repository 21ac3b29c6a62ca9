# Everything a newcomer needs: `make up` starts Jobstead, `make test` proves it, `make help` lists the rest.
.DEFAULT_GOAL := help
.PHONY: help install install-dev up test check format bench clean

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?=

help: ## list the targets
	@awk -F ":.*## " '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

install: ## install into .venv (PYTHON=... chooses the interpreter)
	@PYTHON="$(PYTHON)" sh deploy/install.sh

install-dev: ## install with everything the tests need
	@PYTHON="$(PYTHON)" sh deploy/install.sh dev

up: install ## start everything: database, Redis, web and worker
	@$(BIN)/python -m core.cli up

test: install-dev ## all tests, on the embedded default and on PostgreSQL and Redis where installed
	@$(BIN)/python -m tests.support.passes $(ARGS)

check: install-dev ## lint, format, types, floors
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: install-dev ## let ruff put the code in order
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: install-dev ## requests/s and events/s, as ratios (docs/figures.md)
	@$(BIN)/python -m bench

clean: ## remove what was installed and built; data in ./var stays
	@rm -rf $(VENV) plugins/sso/tests/provider/node_modules build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .coverage .coverage.* htmlcov
	@find core plugins tests -name __pycache__ -type d -prune -exec rm -rf {} +
