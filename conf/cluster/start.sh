#!/bin/sh
# start.sh GATEWRIGHT: starts the local cluster in the background and returns when every node is ready.
#
# Two publishers, a developer portal, a key manager, two traffic managers and two gateways behind HAProxy, on PostgreSQL; all
# on 127.0.0.1 and under ./gatewright-cluster. What runs already is left alone, what was stopped goes on where it was.
set -eu
# shellcheck source=conf/cluster/nodes.sh
. "$(dirname "$0")/nodes.sh"
gatewright=$(realpath "$1")
WAIT=${CLUSTER_WAIT:-180}

# Everything below holds secrets.
umask 077
mkdir -p "$folder/run" "$folder/log" "$folder/tls" "$folder/homes"
exec 9>"$folder/run/lock"
flock -n 9 || { complain "another 'make cluster' or 'make cluster-stop' is at work"; exit 1; }

# --- programs

missing=
command -v haproxy >/dev/null || missing="$missing haproxy"
command -v curl >/dev/null || missing="$missing curl"
command -v openssl >/dev/null || missing="$missing openssl"
if [ -n "$missing" ]; then
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        complain "missing:$missing (on Debian: sudo apt-get install$missing)"
        exit 1
    fi
    # Debian would start a service of its own: what the policy forbids, it leaves.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
        trap 'rm -f "$policy"' EXIT
    fi
    # shellcheck disable=SC2086
    { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends $missing; } >&2
fi
# shellcheck source=tests/support/postgres-programs.sh
. "$root/tests/support/postgres-programs.sh"
if [ -z "$bin" ]; then
    complain "missing: PostgreSQL's server (on Debian: sudo apt-get install postgresql)"
    exit 1
fi

random() { head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n'; }

[ -s "$folder/administrator-password" ] || random >"$folder/administrator-password"
[ -s "$folder/database-password" ] || random >"$folder/database-password"

# --- one certificate for the balancer and all nodes, as a site has one for its host name

if [ ! -s "$folder/tls/tls.pem" ]; then
    cat >"$folder/tls/request.cnf" <<REQUEST
[req]
distinguished_name = name
x509_extensions = extensions
prompt = no
[name]
CN = localhost
[extensions]
subjectAltName = DNS:localhost, IP:127.0.0.1
basicConstraints = critical, CA:FALSE
REQUEST
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -config "$folder/tls/request.cnf" \
        -keyout "$folder/tls/tls.key" -out "$folder/tls/tls.crt" 2>"$folder/log/openssl.log"
    cat "$folder/tls/tls.crt" "$folder/tls/tls.key" >"$folder/tls/tls.pem"
fi

# --- PostgreSQL

# Prints the folder of the data. The user postgres, who runs the server for root, may not be able to come here.
data_folder() {
    if [ -L "$folder/postgres" ] && [ ! -d "$folder/postgres/" ]; then
        complain "the database in $(readlink "$folder/postgres") is gone: remove $folder to start afresh"
        exit 1
    fi
    if [ ! -e "$folder/postgres" ]; then
        mkdir "$folder/postgres"
        if [ "$(id -u)" = 0 ]; then
            chmod 711 "$folder"
            chown postgres "$folder/postgres"
            if ! as_server test -w "$folder/postgres"; then
                rmdir "$folder/postgres"
                elsewhere=$(mktemp -d "${TMPDIR:-/tmp}/gatewright-cluster.XXXXXX")
                chown postgres "$elsewhere"
                ln -s "$elsewhere" "$folder/postgres"
            fi
        fi
    fi
    (cd "$folder/postgres" && pwd -P)
}

postgres=$(data_folder)
database_port=$(cat "$folder/run/postgres.port" 2>/dev/null || true)
server() {
    program=$bin/$1
    shift
    (cd "$postgres" && as_server "$program" "$@" 9>&-)
}

if [ ! -s "$postgres/data/PG_VERSION" ]; then
    cp "$folder/database-password" "$postgres/password"
    [ "$(id -u)" != 0 ] || chown postgres "$postgres/password"
    server initdb -D "$postgres/data" -U gatewright --auth=scram-sha-256 --pwfile="$postgres/password" \
        --encoding=UTF8 --locale=C >"$folder/log/initdb.log" 2>&1 ||
        { complain "PostgreSQL's data cannot be made"; cat "$folder/log/initdb.log" >&2; exit 1; }
    rm -f "$postgres/password"
    cat >>"$postgres/data/postgresql.conf" <<SETTINGS
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 300
SETTINGS
fi

if ! server pg_ctl -D "$postgres/data" -s status >/dev/null 2>&1; then
    # A free port cannot be reserved for another process, so several are tried.
    for candidate in $database_port $(shuf -i 20000-32000 -n 20); do
        if server pg_ctl -D "$postgres/data" -o "-p $candidate" -l "$postgres/server.log" -w -t 60 -s start \
            >/dev/null 2>&1; then
            database_port=$candidate
            break
        fi
        database_port=
    done
    [ -n "$database_port" ] || { complain "PostgreSQL does not start"; tail "$postgres/server.log" >&2; exit 1; }
    echo "$database_port" >"$folder/run/postgres.port"
fi
for database in apim shared; do
    PGPASSWORD=$(cat "$folder/database-password") server createdb -h 127.0.0.1 -p "$database_port" -U gatewright \
        "$database" >>"$folder/log/initdb.log" 2>&1 || grep -q "\"$database\" already exists" "$folder/log/initdb.log" ||
        { complain "database $database cannot be made"; tail "$folder/log/initdb.log" >&2; exit 1; }
done

# --- the nodes' homes

url_of() { echo "\"https://localhost:$(management_port_of "$1")\""; }
traffic_managers="$(url_of traffic-manager-1), $(url_of traffic-manager-2)"
for node in $NODES; do
    home=$(home_of "$node")
    mkdir -p "$home/conf"
    database() { echo "postgres://gatewright:$(cat "$folder/database-password")@127.0.0.1:$database_port/$1"; }
    cat >"$home/conf/deployment.toml" <<CONFIGURATION
# Written by 'make cluster'.
[server]
port_offset = $(offset_of "$node")

# The balancer asks every second for the node's health.
[log]
format = "json"
level = "info,http::server::observe=warn"

[tls]
certificate = "$folder/tls/tls.crt"
key = "$folder/tls/tls.key"

[cluster]
node_id = "$node"
traffic_managers = [$traffic_managers]
key_managers = [$(url_of key-manager-1)]

[oauth]
issuer = "https://localhost:$MANAGEMENT/oauth2/token"
public_url = "https://localhost:$MANAGEMENT"
CONFIGURATION
    [ "$(profile_of "$node")" = gateway ] || cat >>"$home/conf/deployment.toml" <<CONFIGURATION

[database.apim_db]
url = "$(database apim)"

[database.shared_db]
url = "$(database shared)"

[super_admin]
password_file = "$folder/administrator-password"

[[control_plane.environments]]
name = "Default"

[[control_plane.environments.vhosts]]
host = "localhost"
http_port = $GATEWAY_HTTP
https_port = $GATEWAY_HTTPS

# The demo back end is on this machine.
[fetch]
allow_loopback = true
CONFIGURATION
done

# --- the cluster's keys: one traffic manager makes them, the other gets a copy

on_first_manager() {
    "$gatewright" --profile traffic-manager --home "$(home_of traffic-manager-1)" "$@"
}

first=$(home_of traffic-manager-1)/security
if [ ! -d "$first/cluster" ]; then
    on_first_manager cluster init >"$folder/log/cluster-init.log"
fi
second=$(home_of traffic-manager-2)/security
if [ ! -d "$second/cluster" ]; then
    mkdir -p "$second"
    cp -R "$first/cluster" "$second/cluster"
fi

# --- the balancer

"$(dirname "$0")/haproxy.sh" >"$folder/haproxy.cfg"
haproxy -c -q -f "$folder/haproxy.cfg" || { complain "HAProxy does not take $folder/haproxy.cfg"; exit 1; }
if is_running haproxy; then
    echo "haproxy runs already"
else
    launch haproxy haproxy -db -f "$folder/haproxy.cfg"
fi

# --- the nodes, all at once: each waits for the others

for node in $NODES; do
    if is_running "$node"; then
        echo "$node runs already"
        continue
    fi
    profile=$(profile_of "$node")
    home=$(home_of "$node")
    if [ "$profile" != traffic-manager ]; then
        on_first_manager token mint --role "$profile" --node-id "$node" >"$home/token"
        export GATEWRIGHT__CLUSTER__TOKEN_FILE="$home/token"
    else
        unset GATEWRIGHT__CLUSTER__TOKEN_FILE
    fi
    demo=
    [ "$node" != devportal-1 ] || demo=--demo
    launch "$node" "$gatewright" --profile "$profile" --home "$home" $demo
done

# --- until all are ready

fail() {
    complain "$2; the end of $folder/log/$1.log:"
    tail -n 20 "$folder/log/$1.log" >&2
    complain "what runs goes on: look at it, then 'make cluster-stop'"
    exit 1
}

is_served() { # by the balancer: no server of it is down
    state=$(curl -sS --max-time 5 "http://127.0.0.1:$STATISTICS/;csv" 2>/dev/null) || return 1
    ! echo "$state" | cut -d , -f 2,18 | grep -v -e '^FRONTEND' -e '^BACKEND' -e '^svname' | grep -qv ',UP$'
}

deadline=$(($(date +%s) + WAIT))
for node in $NODES haproxy; do
    while :; do
        if [ "$node" = haproxy ]; then
            is_served && break
        else
            is_ready "$node" && break
        fi
        is_running "$node" || fail "$node" "$node has ended"
        [ "$(date +%s)" -lt "$deadline" ] || fail "$node" "$node is not ready after $WAIT s"
        sleep 0.3
    done
done

"$(dirname "$0")/status.sh"
cat <<PLACES

  Publisher, portal, admin APIs, token service   https://localhost:$MANAGEMENT
  Gateways                                       https://localhost:$GATEWAY_HTTPS  http://localhost:$GATEWAY_HTTP
  Balancer's statistics                          http://localhost:$STATISTICS
  Demo back end                                  http://localhost:$(demo_port)
  PostgreSQL                                     127.0.0.1:$database_port, databases apim and shared, in $postgres
  Administrator                                  admin, password $(cat "$folder/administrator-password")
  Certificate of all of them                     $folder/tls/tls.crt
  Homes, logs                                    $folder/homes, $folder/log

'make cluster-demo' makes a governed call through it, 'make cluster-stop' stops it, and what it holds stays; remove
the folder gatewright-cluster (and that of PostgreSQL, if it is another one) to start afresh.
PLACES
