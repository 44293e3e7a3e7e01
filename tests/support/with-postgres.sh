#!/bin/sh
# with-postgres.sh COMMAND..: runs COMMAND with GATEWRIGHT_TEST_POSTGRES set to the URL of a throw-away PostgreSQL server.
#
# The server lives in a temporary folder on a free port of 127.0.0.1 and is stopped and deleted when COMMAND ends, also
# when it fails. When the variable is set already, that server is used. PostgreSQL refuses to run as root: then the
# server (not COMMAND) runs as the user postgres.
set -eu

if [ -n "${GATEWRIGHT_TEST_POSTGRES:-}" ]; then
    exec "$@"
fi

# shellcheck source=tests/support/postgres-programs.sh
. "$(dirname "$0")/postgres-programs.sh"
if [ -z "$bin" ]; then
    echo "with-postgres: PostgreSQL's server is needed for the tests (on Debian: sudo apt-get install postgresql)," >&2
    echo "with-postgres: or set GATEWRIGHT_TEST_POSTGRES=postgres://user:password@host:port/postgres" >&2
    exit 1
fi

folder=$(mktemp -d "${TMPDIR:-/tmp}/gatewright-postgres.XXXXXX")
if [ "$(id -u)" = 0 ]; then
    chown postgres "$folder"
fi

cleanup() {
    as_server "$bin/pg_ctl" -D "$folder/data" -m immediate -s stop >/dev/null 2>&1 || true
    rm -rf "$folder"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

cd "$folder"
as_server "$bin/initdb" -D "$folder/data" -U gatewright --auth=trust --encoding=UTF8 --locale=C >"$folder/initdb.log" 2>&1 || {
    cat "$folder/initdb.log" >&2
    exit 1
}
# Nothing here must survive a crash; many tests run at a time, each with pools of its own.
cat >>"$folder/data/postgresql.conf" <<SETTINGS
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
fsync = off
synchronous_commit = off
full_page_writes = off
max_connections = 500
SETTINGS

# A free port cannot be reserved for another process, so several are tried.
port=
for candidate in $(shuf -i 20000-32000 -n 20); do
    if as_server "$bin/pg_ctl" -D "$folder/data" -o "-p $candidate" -l "$folder/server.log" -w -t 60 -s start >/dev/null 2>&1; then
        port=$candidate
        break
    fi
done
if [ -z "$port" ]; then
    cat "$folder/server.log" >&2
    exit 1
fi
cd "$OLDPWD"

GATEWRIGHT_TEST_POSTGRES="postgres://gatewright@127.0.0.1:$port/postgres"
export GATEWRIGHT_TEST_POSTGRES
status=0
"$@" || status=$?
exit "$status"
