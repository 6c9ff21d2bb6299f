# Every target sets up what it needs. Python 3.11 to 3.13; choose one with PYTHON=python3.12.
PYTHON ?= $(shell for v in python3.13 python3.12 python3.11 python3; do command -v $$v >/dev/null 2>&1 && $$v -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null && echo $$v && break; done)
BIN := .venv/bin
# Compiled files are kept, whatever the environment says: without them each of the many processes compiles all anew.
export PYTHONDONTWRITEBYTECODE :=
# The databases of the short tests lie in memory where there is room; what must survive a kill is tested on the disk.
MEMORY := $(shell df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 && $$4 > 2000000 {print "/dev/shm"}')
QUICK := PYTEST_DEBUG_TEMPROOT=$(MEMORY) $(BIN)/python -m pytest -m "not slow" -n 2 --dist worksteal

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev run pictures sandbox test quick conformance check check-types check-imports check-knowledge check-intents sbom bench endurance train format clean

help:            ## this list
	@grep -E '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed 's/:[^#]*##/\t/'

setup: .venv/.run  ## install what running needs into .venv

setup-dev: .venv/.dev  ## install what developing and testing needs

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed; say which with make PYTHON=/path/to/python"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/.run: .venv/bin/python requirements.lock pyproject.toml
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv/.dev: .venv/.run requirements-dev.lock
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

run: setup       ## serve the chat at http://127.0.0.1:8000/ and the desk at /desk
	$(BIN)/labor-bot serve

pictures: setup-dev ## draw the pictures of the desk in docs/images anew; needs Chromium
	PYTHONPATH=tests $(BIN)/python -m looks.pictures

sandbox: setup-dev ## try the bot as somebody on LINE or Telegram at http://127.0.0.1:8810/, without either
	PYTHONPATH=tests $(BIN)/python -m standins.sandbox

check: setup-dev ## style, types, imports, knowledge, spelling
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@$(MAKE) --no-print-directory -j 2 check-types check-intents check-knowledge check-imports
	$(BIN)/codespell --skip "docs/style/*" README.md CHANGELOG.md docs bot bench deploy
	$(BIN)/python tests/advisories.py

sbom: setup-dev  ## write the list of parts, CycloneDX, from the lock: sbom.cdx.json
	$(BIN)/python tests/sbom.py sbom.cdx.json

check-types:
	$(BIN)/mypy

check-imports:
	$(BIN)/lint-imports --no-logo --quiet 2>/dev/null || $(BIN)/lint-imports

check-knowledge:
	$(BIN)/labor-bot knowledge check

check-intents:
	$(BIN)/labor-bot intents check

quick: setup-dev ## the short tests: one or two minutes
	$(QUICK)

# What the store promises, once more on a PostgreSQL that the run starts for itself.
CONFORMANCE := store fence fence_races storm servers load deliveries taking_back pipeline resume_links conversations

conformance: setup-dev ## the store's tests on PostgreSQL
	PYTEST_DEBUG_TEMPROOT=$(MEMORY) $(BIN)/python -m pytest --engine postgresql -m "not slow" -k "not desk_lists" \
		-n 2 --dist loadfile $(CONFORMANCE:%=tests/test_%.py)

test: check      ## everything CI runs
	sh tests/browser.sh
	sh tests/proxy.sh
	sh tests/oidc/setup.sh
	$(QUICK)
	@$(MAKE) --no-print-directory conformance
	$(BIN)/python -m pytest -m "slow and not alone" -n 2 --dist loadfile
	$(BIN)/python -m pytest -m alone

bench: setup-dev ## print the measured comparisons
	$(BIN)/python -m bench

endurance: setup-dev ## the long runs: kills under load, hostile input, soak, backups, full disk; hours
	LABOR_BOT_FUZZ_BYTES=50000000 $(BIN)/python -m pytest -s -m slow --timeout 3000 tests/test_encoder.py
	LABOR_BOT_KILLS=500 $(BIN)/python -m pytest -s -m slow --timeout 9000 tests/test_kill.py
	LABOR_BOT_FUZZ_SECONDS=3600 $(BIN)/python -m pytest -s -m slow tests/test_fuzz.py
	LABOR_BOT_SOAK_SECONDS=1800 $(BIN)/python -m pytest -s -m slow tests/test_soak.py
	LABOR_BOT_BACKUPS=10 $(BIN)/python -m pytest -s -m slow tests/test_live_backup.py
	$(BIN)/python -m pytest -s -m slow tests/test_unwritable.py tests/test_hard_times.py
	LABOR_BOT_LOAD_SECONDS=60 $(BIN)/python -m pytest -s -m slow --timeout 3000 tests/test_platform_load.py

train: setup-dev ## rebuild the model from the authored utterances
	$(BIN)/labor-bot intents train

format: setup-dev ## put every file into the house's form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:           ## remove the environment and caches
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
