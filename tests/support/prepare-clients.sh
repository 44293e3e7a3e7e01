#!/bin/sh
# prepare-clients.sh FOLDER: installs the OAuth clients that the tests run (`authlib` into a Python environment,
# `openid-client` into node_modules), in fixed versions, under FOLDER. What is there already is kept.
set -eu

folder=${1:?usage: prepare-clients.sh FOLDER}
authlib=authlib==1.9.9
requests=requests==2.34.2
openid_client=openid-client@6.8.9
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)

install() {
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "$@"; } >&2 || true
    fi
}

missing() {
    echo "prepare-clients: $1" >&2
    exit 1
}

if [ "$(cat "$folder/.python" 2>/dev/null)" != "$authlib $requests" ]; then
    rm -rf "$folder/venv"
    python3 -m venv "$folder/venv" >/dev/null 2>&1 || {
        install python3 python3-venv
        python3 -m venv "$folder/venv" || missing "Python with venv is missing (on Debian: sudo apt-get install python3-venv)"
    }
    "$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "$authlib" "$requests" >&2 ||
        missing "pip cannot get $authlib and $requests: is its package index in reach?"
    echo "$authlib $requests" >"$folder/.python"
fi

if [ "$(cat "$folder/.node" 2>/dev/null)" != "$openid_client" ]; then
    rm -rf "$folder/node_modules"
    command -v npm >/dev/null 2>&1 || install npm
    command -v npm >/dev/null 2>&1 || missing "npm is missing: install Node.js (on Debian: sudo apt-get install npm)"
    npm install --silent --prefix "$folder" --ignore-scripts --no-audit --no-fund --no-save "$openid_client" >&2 ||
        missing "npm cannot get $openid_client: is its registry in reach?"
    echo "$openid_client" >"$folder/.node"
fi
