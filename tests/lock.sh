#!/bin/sh
# Rebuild the locks from pyproject.toml and tests/oidc/requirements.in; run by a maintainer after changing dependencies. Needs uv in the environment.
set -eu
common="--universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet --extra encoder --extra postgres"
.venv/bin/uv pip compile $common pyproject.toml --group build -o requirements.lock
.venv/bin/uv pip compile $common pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock
.venv/bin/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet \
    tests/oidc/requirements.in -o tests/oidc/requirements.lock
