#!/usr/bin/env bash
# Runs a command where it may start Milvus servers: with_milvus.sh COMMAND [ARGUMENT...]
#
# The server (the PyPI package milvus, 400 MB) goes into an environment of its own, a throwaway one unless
# LANDFALL_MILVUS_VENV names a folder for it. It listens on every interface and asks for no password, so the
# command runs in a network of its own that has nothing but loopback.
set -euo pipefail

if [ -n "${LANDFALL_MILVUS_VENV:-}" ]; then
  venv=$LANDFALL_MILVUS_VENV
else
  venv=$(mktemp -d)
  trap 'rm -rf "$venv"' EXIT
fi
if ! "$venv/bin/python" -c 'import milvus' 2>/dev/null; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check milvus==2.3.5
fi
export LANDFALL_MILVUS_SERVER="$venv/bin/python"
unshare --map-root-user --net sh -c 'ip link set lo up && exec "$@"' - "$@"
