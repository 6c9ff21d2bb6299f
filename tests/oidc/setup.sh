#!/bin/sh
# The environment of the identity provider that tests log in with: made once, and again when its lock changes.
set -eu
lock=tests/oidc/requirements.lock
if [ -x .venv/oidc/bin/python ] && cmp -s "$lock" .venv/oidc/requirements.lock; then exit 0; fi
rm -rf .venv/oidc
.venv/bin/python -m venv .venv/oidc
.venv/oidc/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r "$lock"
cp "$lock" .venv/oidc/requirements.lock
