#!/bin/sh
# check.sh GATEWRIGHT: what this folder shows to operators is taken by the programs that it is meant for.
#
# systemd-analyze, haproxy, nginx and docker compose are installed when this runs as root on Debian, and told when missing.
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

need openssl openssl
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=gatewright.example \
    -keyout "$folder/tls.key" -out "$folder/tls.crt" 2>/dev/null
cat "$folder/tls.crt" "$folder/tls.key" >"$folder/gatewright.pem"

# --- configuration: no profile finds an error in the example

for profile in all-in-one publisher devportal key-manager traffic-manager gateway; do
    "$gatewright" --profile "$profile" --home "$folder/home" --config production.example.toml check >"$folder/out" ||
        { say "production.example.toml is not good for $profile"; exit 1; }
done
say "production.example.toml is good for every profile"

# --- systemd

need systemd-analyze systemd
# The program is looked for at its place.
sed "s|/usr/local/bin/gatewright|$gatewright|" systemd/gatewright@.service >"$folder/gatewright@.service"
systemd-analyze verify "$folder/gatewright@.service"
# Exposure from 0 to 100 (10.0); what is more than the threshold fails.
systemd-analyze security --offline=true --threshold=15 --no-pager "$folder/gatewright@.service" >"$folder/security" ||
    { cat "$folder/security"; exit 1; }
say "systemd/gatewright@.service: $(tail -n 1 "$folder/security")"

# --- balancers: the host names do not exist here, and the files lie elsewhere

need haproxy haproxy
sed -e "s|/etc/haproxy/gatewright-ca.crt|$folder/tls.crt|" -e "s|/etc/haproxy/|$folder/|" \
    -e 's/^defaults$/&\n    default-server init-addr none/' lb/haproxy.cfg >"$folder/haproxy.cfg"
haproxy -c -q -f "$folder/haproxy.cfg"
say "lb/haproxy.cfg is taken by $(haproxy -v | head -n 1 | cut -d ' ' -f 1-3)"

need nginx nginx-light
[ -e /usr/lib/nginx/modules/ngx_stream_module.so ] || [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null ||
    DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends libnginx-mod-stream >&2
sed -e "s|/etc/nginx/gatewright-ca.crt|$folder/tls.crt|" -e "s|/etc/nginx/gatewright\.|$folder/tls.|" \
    -e "s|/var/log/nginx|$folder|" -e "s|/run/nginx.pid|$folder/nginx.pid|" \
    -e 's|modules/ngx_stream|/usr/lib/nginx/modules/ngx_stream|' \
    -e 's|[a-z0-9]*\.gatewright\.example:|127.0.0.1:|' lb/nginx.conf >"$folder/nginx.conf"
nginx -t -q -c "$folder/nginx.conf"
say "lb/nginx.conf is taken by $(nginx -v 2>&1)"

# --- compose, with secrets that are made for it

cp -R compose "$folder/compose"
"$folder/compose/secrets.sh" >/dev/null
if docker compose version >/dev/null 2>&1; then
    docker compose -f "$folder/compose/compose.yaml" config -q
    say "compose/compose.yaml is taken by $(docker compose version)"
elif need docker-compose docker-compose; then
    # The old program, which Debian has, does not know a project's name in the file.
    sed -i '/^name:/d' "$folder/compose/compose.yaml"
    docker-compose -f "$folder/compose/compose.yaml" config -q
    say "compose/compose.yaml is taken by docker-compose $(docker-compose version --short)"
fi
sed -e "s|/run/secrets/|$folder/compose/secrets/|" compose/haproxy.cfg >"$folder/compose.cfg"
haproxy -c -q -f "$folder/compose.cfg"
say "compose/haproxy.cfg is taken"

# Each node's configuration as the file gives it, with the secrets where they are here.
if docker compose version >/dev/null 2>&1; then
    resolved=$(docker compose -f "$folder/compose/compose.yaml" config --format json)
else
    resolved=$(docker-compose -f "$folder/compose/compose.yaml" config |
        /usr/bin/python3 -c 'import json, sys, yaml; print(json.dumps(yaml.safe_load(sys.stdin)))')
fi
for node in traffic-manager key-manager publisher devportal gateway-1 gateway-2; do
    echo token >"$folder/token"
    variables=$(printf '%s' "$resolved" | python3 -c '
import json, shlex, sys
for name, value in json.load(sys.stdin)["services"][sys.argv[1]]["environment"].items():
    value = value.replace("/run/secrets/", sys.argv[2] + "/compose/secrets/")
    print("export %s=%s" % (name, shlex.quote(sys.argv[2] + "/token" if name.endswith("TOKEN_FILE") else value)))
' "$node" "$folder")
    (eval "$variables" && "$gatewright" --profile "${node%-[0-9]}" --home "$folder/home" check >"$folder/out") ||
        { say "the configuration of $node in compose/compose.yaml is not good"; exit 1; }
done
say "compose/compose.yaml configures every node well"
