#!/bin/sh
# prepare-fault-tools.sh: installs what tests of faults need: HAProxy, in front of which every node is restarted, and
# libfaketime, which lets a node's clock jump.
set -eu

missing=""
if ! command -v haproxy >/dev/null 2>&1 && [ ! -x /usr/sbin/haproxy ]; then
    missing=" haproxy"
fi
if ! ls /usr/lib/*/faketime/libfaketime.so.1 >/dev/null 2>&1; then
    missing="$missing libfaketime"
fi
if [ -z "$missing" ]; then
    exit 0
fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "prepare-fault-tools: installing$missing" >&2
    # shellcheck disable=SC2086 # one word for each package
    apt-get update -q >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends $missing >/dev/null
    exit 0
fi
echo "prepare-fault-tools: tests of faults need$missing (on Debian: sudo apt-get install$missing)" >&2
exit 1
