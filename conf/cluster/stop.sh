#!/bin/sh
# stop.sh: stops the local cluster, nodes with all their calls in flight first, the database last. What it holds stays.
set -eu
# shellcheck source=conf/cluster/nodes.sh
. "$(dirname "$0")/nodes.sh"
# Nodes drain for up to 30 s and take 5 s more to end.
WAIT=40

if [ ! -d "$folder/run" ]; then
    echo "there is no cluster in $folder"
    exit 0
fi
exec 9>"$folder/run/lock"
flock -n 9 || { complain "another 'make cluster' or 'make cluster-stop' is at work"; exit 1; }

stopping=
for name in haproxy $NODES; do
    if is_running "$name"; then
        kill -TERM "$(cat "$(pid_file_of "$name")")" 2>/dev/null || true
        stopping="$stopping $name"
    else
        rm -f "$(pid_file_of "$name")"
    fi
done

status=0
deadline=$(($(date +%s) + WAIT))
for name in $stopping; do
    while is_running "$name"; do
        if [ "$(date +%s)" -ge "$deadline" ]; then
            complain "$name does not end: it is killed"
            kill -KILL "$(cat "$(pid_file_of "$name")")" 2>/dev/null || true
            status=1
            break
        fi
        sleep 0.1
    done
    rm -f "$(pid_file_of "$name")"
    echo "$name stopped"
done

if [ -d "$folder/postgres/" ]; then
    # shellcheck source=tests/support/postgres-programs.sh
    . "$root/tests/support/postgres-programs.sh"
    postgres=$(cd "$folder/postgres" && pwd -P)
    cd "$postgres"
    if as_server "$bin/pg_ctl" -D "$postgres/data" -s status >/dev/null 2>&1; then
        as_server "$bin/pg_ctl" -D "$postgres/data" -m fast -w -t 60 -s stop || status=1
        echo "postgresql stopped"
    fi
fi
exit "$status"
