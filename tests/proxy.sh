#!/bin/sh
# The tests of deploy/ need nginx. As root it is installed; else one command is named, and those tests are left out.
set -eu
if command -v nginx >/dev/null 2>&1 || [ -x /usr/sbin/nginx ]; then exit 0; fi
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    apt-get update -qq
    # Of that level nothing is started by itself: no server of the system's own.
    RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nginx >/dev/null
    exit 0
fi
echo "The tests of deploy/ need nginx and are left out without it. It is installed with this one command:"
echo "    sudo apt-get install -y nginx"
