#!/bin/sh
# status.sh: a table of the local cluster's nodes, with their ports, health and, of gateways, applied positions.
set -eu
# shellcheck source=conf/cluster/nodes.sh
. "$(dirname "$0")/nodes.sh"

row() { printf '%-19s %-16s %-10s %-24s %-9s %s\n' "$@"; }

row NODE PROFILE MANAGEMENT 'OTHER PORTS' HEALTH APPLIED
for node in $NODES; do
    health=$(health_of "$node")
    case $health in
    '{"status":"UP"'*) word=ready ;;
    '{'*) word='not ready' ;;
    *) if is_running "$node"; then word='no answer'; else word=stopped; fi ;;
    esac
    applied=$(echo "$health" |
        sed -n 's/.*serves control \([0-9]*\) and revocation \([0-9]*\);.*; \([0-9]*\) entries behind.*/control \1, revocation \2, \3 behind/p')
    row "$node" "$(profile_of "$node")" "$(management_port_of "$node")" "$(other_ports_of "$node")" "$word" "${applied:--}"
done
