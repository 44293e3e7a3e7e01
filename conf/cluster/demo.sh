#!/bin/sh
# demo.sh: README's first call against the local cluster, through its balancer, and then what only several nodes can do wrong:
# both gateways serve the call, both refuse a revoked token. Exit status 0 when all of it is as it should be.
set -eu
# shellcheck source=conf/cluster/nodes.sh
. "$(dirname "$0")/nodes.sh"
# Longest time in seconds that a change may take to every gateway.
WAIT=${CLUSTER_WAIT:-20}

for node in $NODES; do
    is_ready "$node" || { complain "$node is not ready: 'make cluster' starts it"; exit 1; }
done

M=https://localhost:$MANAGEMENT G=https://localhost:$GATEWAY_HTTPS B=http://localhost:$(demo_port)
U=admin:$(cat "$folder/administrator-password")

fail() { complain "$*"; exit 1; }

# What an earlier run made: the id that stands before the name in a list.
id_before_name() { grep -o "\"$1\": *\"[^\"]*\", *\"name\": *\"$2\"" | head -n 1 | cut -d '"' -f 4; }

manage() { ask -u "$U" "$@"; }
application=$(manage "$M/api/am/devportal/v3/applications?query=Phone" | id_before_name applicationId Phone || true)
[ -z "$application" ] || manage -X DELETE "$M/api/am/devportal/v3/applications/$application" >/dev/null
api=$(manage "$M/api/am/publisher/v4/apis?query=name:Pizza" | id_before_name id Pizza || true)
[ -z "$api" ] || manage -X DELETE "$M/api/am/publisher/v4/apis/$api" >/dev/null

echo "From a definition to a governed call, through $M and $G:"
# README's lines end with two calls: a menu and a refusal, or two refusals while gateways do not know the subscription yet.
# shellcheck source=src/welcome/first_call.sh
. "$root/src/welcome/first_call.sh" >"$folder/log/first-call.log"
for word in "API:$API" "REVISION:$REVISION" "APP:$APP" "TOKEN:$TOKEN"; do
    [ -n "${word#*:}" ] || { cat "$folder/log/first-call.log" >&2; fail "${word%%:*} is empty"; }
done
echo "  API $API, revision $REVISION"
echo "  application $APP, a token of ${#TOKEN} characters"

# The answer of a gateway: status, then body.
answer() {
    ask -w '\n%{http_code}' "$1/pizza/1.0.0/menu" ${2:+-H "Authorization: Bearer $2"} |
        awk '{ line[NR] = $0 } END { printf "%s", line[NR]; for (i = 1; i < NR; i++) printf " %s", line[i] }'
}

# expect WHAT URL TOKEN PATTERN: within $WAIT seconds the answer matches.
expect() {
    until=$(($(date +%s) + WAIT))
    while :; do
        got=$(answer "$2" "$3" || true)
        # shellcheck disable=SC2254
        case $got in
        $4) printf '  %-44s %.100s\n' "$1" "$got"; return ;;
        esac
        [ "$(date +%s)" -lt "$until" ] || fail "$1: expected $4, got: $got"
        sleep 0.1
    done
}

one=https://localhost:$((8243 + $(offset_of gateway-1)))
two=https://localhost:$((8243 + $(offset_of gateway-2)))
expect "through the balancer, with the token" "$G" "$TOKEN" '200 *Margherita*'
expect "gateway-1, with the token" "$one" "$TOKEN" '200 *Margherita*'
expect "gateway-2, with the token" "$two" "$TOKEN" '200 *Margherita*'
expect "through the balancer, without" "$G" '' '401 *900902*'
ask -u "$CLIENT" -d "token=$TOKEN" "$M/oauth2/revoke" >/dev/null
expect "gateway-1, after the token was revoked" "$one" "$TOKEN" '401 *90090*'
expect "gateway-2, after the token was revoked" "$two" "$TOKEN" '401 *90090*'
echo
"$(dirname "$0")/status.sh"
