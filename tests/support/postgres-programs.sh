# To be sourced: sets `bin` to the folder of PostgreSQL's server programs, which it installs as root on Debian, and defines
# `as_server COMMAND..`, which runs a command as a user that PostgreSQL accepts: it refuses to run as root.
# shellcheck shell=sh

find_postgres_programs() {
    if command -v initdb >/dev/null 2>&1; then
        dirname "$(readlink -f "$(command -v initdb)")"
        return
    fi
    # Debian keeps the server's programs out of PATH; the newest version wins.
    find /usr/lib/postgresql /usr/pgsql-* -name initdb -type f 2>/dev/null | sort -V | tail -n 1 | xargs -r dirname
}

bin=$(find_postgres_programs)
if [ -z "$bin" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing PostgreSQL" >&2
    # The package's own cluster is not wanted.
    mkdir -p /etc/postgresql-common
    [ -e /etc/postgresql-common/createcluster.conf ] ||
        echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
    { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends postgresql; } >&2
    bin=$(find_postgres_programs)
fi

if [ "$(id -u)" = 0 ]; then
    as_server() { runuser -u postgres -- "$@"; }
else
    as_server() { "$@"; }
fi
