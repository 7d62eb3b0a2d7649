# Two commands matter: `make demo` and `make test`. Both do all set-up themselves, in `.venv` and `web/node_modules`.
# A stamp per stage makes the second run start in seconds.
.DEFAULT_GOAL := help
.PHONY: help setup demo up test check portal lint types arch openapi released schema golden fuzz bench crash engines web docs lock clean
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
SEED ?= 1
# Byte code is kept: a server starts in half the time, and tests start hundreds of processes.
export PYTHONDONTWRITEBYTECODE :=

help:  ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | expand -t 12

$(VENV)/run.stamp: requirements.txt pyproject.toml tools/bootstrap.sh
	@tools/bootstrap.sh $(PYTHON) $(VENV) requirements.txt
	@touch $@

$(VENV)/dev.stamp: requirements-dev.txt $(VENV)/run.stamp
	@tools/bootstrap.sh $(PYTHON) $(VENV) requirements-dev.txt
	@touch $@

WEB_SOURCES := $(shell find web/src web/public web/index.html web/package.json web/package-lock.json web/vite.config.ts web/tsconfig.json -type f 2>/dev/null)

web/dist/index.html: $(WEB_SOURCES) tools/web.sh | $(VENV)/run.stamp
	@tools/web.sh $(VENV) build

web/node_modules/.dev.stamp: web/package-lock.json tools/web.sh | $(VENV)/run.stamp
	@tools/web.sh $(VENV) install-dev
	@touch $@

setup: $(VENV)/dev.stamp web/node_modules/.dev.stamp  ## install everything that development needs
	@echo "ready: make demo, make test"

web: web/dist/index.html  ## build the portal

demo: $(VENV)/run.stamp web/dist/index.html  ## run the main job with the demo organisation (ONCE=1: check and stop)
	@$(BIN)/taxiway demo $(if $(ONCE),--once) $(ARGS)

up: $(VENV)/run.stamp web/dist/index.html  ## start the server
	@$(BIN)/taxiway up $(ARGS)

test: setup web  ## everything that must be green
	@$(MAKE) --no-print-directory -j 2 check
	@$(BIN)/pytest -n 4 --dist loadfile --no-loadscope-reorder $(ARGS)

check: lint types arch portal  ## what needs no test run: style, types, contracts

portal: setup web
	@tools/web.sh $(VENV) check

lint: $(VENV)/dev.stamp  ## ruff
	@$(BIN)/ruff check src tests tools benchmarks
	@$(BIN)/ruff format --check src tests tools benchmarks

types: $(VENV)/dev.stamp  ## mypy strict
	@$(BIN)/mypy

arch: $(VENV)/dev.stamp  ## import contracts
	@$(BIN)/lint-imports

openapi: $(VENV)/dev.stamp  ## write openapi.json and the typed client of the portal
	@$(BIN)/python -m taxiway.api.openapi
	@tools/web.sh $(VENV) client

released: $(VENV)/dev.stamp  ## at a release: from now on clients count on the API as it is
	@$(BIN)/python -c 'import json; print(json.dumps(json.load(open("openapi.json")), separators=(",", ":")))' > tests/golden/api.json

schema: $(VENV)/dev.stamp  ## write the tables of an empty SQLite database, after a new revision
	@$(BIN)/python tools/schema.py

golden: schema openapi docs  ## rewrite every generated file that tests compare; review the diff

fuzz: $(VENV)/dev.stamp  ## schemathesis over our API description and Backstage's: make fuzz ARGS="--examples 200"
	@$(BIN)/uv venv -q --allow-existing $(VENV)/fuzz && $(BIN)/uv pip install -q --python $(VENV)/fuzz/bin/python schemathesis==4.32.5
	@$(BIN)/python tools/fuzz.py --st $(abspath $(VENV))/fuzz/bin/st $(ARGS)

bench: $(VENV)/dev.stamp  ## make bench NAME=spine
	@$(BIN)/python -m benchmarks.$(subst -,_,$(NAME)) $(ARGS)

crash: $(VENV)/dev.stamp web/dist/index.html  ## kill -9 at every step of the main job: make crash SEED=n
	@$(BIN)/python tests/crash/main.py --seed $(SEED) $(ARGS)

engines: $(VENV)/run.stamp  ## get the outside engines that tests use (NAME=gitea: one of them), and print what is there
	@$(BIN)/python tools/engines.py $(NAME) $(ARGS)

docs: $(VENV)/dev.stamp  ## write the generated reference
	@$(BIN)/python tools/docs.py

lock: $(VENV)/dev.stamp  ## renew the lock files
	@tools/lock.sh $(BIN)

clean:  ## remove what was built
	rm -rf $(VENV) web/node_modules web/dist .mypy_cache .ruff_cache .pytest_cache
