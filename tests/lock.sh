#!/bin/sh
# Rebuild both locks from pyproject.toml; run by a maintainer after changing dependencies. Needs uv in the environment.
set -eu
common="--universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet --extra encoder"
.venv/bin/uv pip compile $common pyproject.toml --group build -o requirements.lock
.venv/bin/uv pip compile $common pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock
