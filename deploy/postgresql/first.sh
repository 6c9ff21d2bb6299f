#!/bin/sh
# Run once by the image of PostgreSQL, when its folder is still empty.
(
    set -eu
    psql -X -q -v ON_ERROR_STOP=1 -U postgres -d postgres \
        -v owner_password="$(cat /run/secrets/owner.password)" -v program_password="$(cat /run/secrets/program.password)" \
        -f /docker-entrypoint-initdb.d/labor-bot/roles.sql
) || exit 1
