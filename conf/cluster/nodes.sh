# To be sourced: which nodes the local cluster has, on which ports, and how its processes are kept.
#
# Every port is the product's default plus an offset: the balancer has CLUSTER_OFFSET, the nodes follow 20 apart.
# shellcheck shell=sh disable=SC2034

NODES="traffic-manager-1 traffic-manager-2 key-manager-1 publisher-1 publisher-2 devportal-1 gateway-1 gateway-2"

OFFSET=${CLUSTER_OFFSET:-10000}
MANAGEMENT=$((9443 + OFFSET))
GATEWAY_HTTPS=$((8243 + OFFSET))
GATEWAY_HTTP=$((8280 + OFFSET))
STATISTICS=$((8404 + OFFSET))

root=$(cd "$(dirname "$0")/../.." && pwd)
folder=${CLUSTER_DIR:-$root/gatewright-cluster}

# The profile is the name without its number.
profile_of() { echo "${1%-*}"; }

home_of() { echo "$folder/homes/$1"; }

offset_of() {
    step=0
    for known in $NODES; do
        step=$((step + 20))
        [ "$known" != "$1" ] || echo $((OFFSET + step))
    done
}

management_port_of() { echo $((9443 + $(offset_of "$1"))); }

# What the node serves beside its management port, in words.
other_ports_of() {
    offset=$(offset_of "$1")
    case $(profile_of "$1") in
    traffic-manager) echo "leases $((9711 + offset)), $((9611 + offset))" ;;
    gateway) echo "https $((8243 + offset)), http $((8280 + offset))" ;;
    devportal) echo "demo $((8290 + offset))" ;;
    *) echo "-" ;;
    esac
}

# The demo back end runs beside the developer portal, so that either gateway may be stopped.
demo_port() { echo $((8290 + $(offset_of devportal-1))); }

pid_file_of() { echo "$folder/run/$1.pid"; }

# Whether the process that the pid file names runs and is still the one that was started: its command line names the folder.
is_running() {
    file=$(pid_file_of "$1")
    [ -s "$file" ] || return 1
    tr '\0' ' ' 2>/dev/null <"/proc/$(cat "$file")/cmdline" | grep -qF "$folder/"
}

# launch NAME COMMAND..: in a session of its own, so that it outlives the terminal; its output goes to a log.
launch() {
    name=$1
    shift
    # Descriptor 9 is the caller's lock.
    setsid "$@" </dev/null >>"$folder/log/$name.log" 2>&1 9>&- &
    echo $! >"$(pid_file_of "$name")"
    # Until the new process is the program, it is not known as running.
    until is_running "$name" || ! kill -0 $! 2>/dev/null; do sleep 0.02; done
}

# curl against one of our own listeners, under our own certificate.
ask() { curl -sS --max-time 5 --cacert "$folder/tls/tls.crt" "$@"; }

# The answer of a node to "are you ready", whatever its status; empty when it does not answer.
health_of() { ask "https://localhost:$(management_port_of "$1")/health/ready" 2>/dev/null || true; }

is_ready() { case $(health_of "$1") in '{"status":"UP"'*) return 0 ;; *) return 1 ;; esac }

complain() { echo "cluster: $*" >&2; }
