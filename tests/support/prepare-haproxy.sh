#!/bin/sh
# prepare-haproxy.sh: installs HAProxy, in front of which a test restarts every node.
set -eu

if command -v haproxy >/dev/null 2>&1 || [ -x /usr/sbin/haproxy ]; then
    exit 0
fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "prepare-haproxy: installing HAProxy" >&2
    apt-get update -q >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends haproxy >/dev/null
    exit 0
fi
echo "prepare-haproxy: HAProxy is needed for the rolling restart (on Debian: sudo apt-get install haproxy)" >&2
exit 1
