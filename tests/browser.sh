#!/bin/sh
# The browser tests need Chromium and fonts for Chinese, Thai and Vietnamese. As root they are installed; else one command is named.
set -eu
for name in chromium chromium-browser google-chrome; do
    if command -v "$name" >/dev/null 2>&1; then exit 0; fi
done
packages="chromium fonts-noto-cjk fonts-noto-core fonts-thai-tlwg"
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages >/dev/null
    exit 0
fi
echo "The browser tests need Chromium. Install it with this one command, then run make test again:"
echo "    sudo apt-get install -y $packages"
exit 1
