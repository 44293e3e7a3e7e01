#!/bin/sh
# check.sh GATEWRIGHT: what this folder shows to operators is taken by the programs that it is meant for.
#
# systemd-analyze is installed when this runs as root on Debian, and told when missing.
set -eu
cd "$(dirname "$0")"
gatewright=$(realpath "$1")
folder=$(mktemp -d "${TMPDIR:-/tmp}/gatewright-check.XXXXXX")
trap 'rm -rf "$folder"' EXIT

say() { echo "check-deploy: $*"; }

# need PROGRAM PACKAGE..: whether the program is there in the end.
need() {
    program=$1
    shift
    command -v "$program" >/dev/null && return
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        # What the policy forbids, the packages do not start.
        policy=/usr/sbin/policy-rc.d
        if [ ! -e "$policy" ]; then
            printf '#!/bin/sh\nexit 101\n' >"$policy"
            chmod 755 "$policy"
            trap 'rm -rf "$folder" "$policy"' EXIT
        fi
        { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "$@"; } >&2
    fi
    command -v "$program" >/dev/null || { say "missing: $program (on Debian: sudo apt-get install $*)" >&2; return 1; }
}

# --- systemd

need systemd-analyze systemd
# The program is looked for at its place.
sed "s|/usr/local/bin/gatewright|$gatewright|" systemd/gatewright@.service >"$folder/gatewright@.service"
systemd-analyze verify "$folder/gatewright@.service"
# Exposure from 0 to 100 (10.0); what is more than the threshold fails.
systemd-analyze security --offline=true --threshold=15 --no-pager "$folder/gatewright@.service" >"$folder/security" ||
    { cat "$folder/security"; exit 1; }
say "systemd/gatewright@.service: $(tail -n 1 "$folder/security")"
