#!/bin/sh
# haproxy.sh: prints the configuration of the local cluster's balancer. For a site of your own see conf/lb/haproxy.cfg.
set -eu
# shellcheck source=conf/cluster/nodes.sh
. "$(dirname "$0")/nodes.sh"

TRUST="verify required ca-file $folder/tls/tls.crt verifyhost localhost"

# Nodes of a profile behind their management ports, with the certificate that they all have.
management_backend() {
    echo
    echo "backend $1"
    echo "    mode http"
    echo "    balance roundrobin"
    echo "    option httpchk GET /health/ready"
    for node in $NODES; do
        [ "$(profile_of "$node")" != "$1" ] ||
            echo "    server $node 127.0.0.1:$(management_port_of "$node") ssl sni str(localhost) $TRUST check check-sni localhost"
    done
}

# A port of the gateways as it comes, TLS included; their management port says whether they are ready.
gateway_proxy() {
    echo
    echo "listen gateways-$1"
    echo "    mode tcp"
    echo "    option tcplog"
    echo "    bind 127.0.0.1:$2"
    echo "    balance leastconn"
    echo "    timeout client 5m"
    echo "    timeout server 5m"
    echo "    option httpchk GET /health/ready"
    for node in $NODES; do
        [ "$(profile_of "$node")" != gateway ] ||
            echo "    server $node 127.0.0.1:$(($3 + $(offset_of "$node"))) $TRUST" \
                "check port $(management_port_of "$node") check-ssl check-sni localhost"
    done
}

cat <<CONFIGURATION
global
    log stdout format raw local0
    maxconn 2000

defaults
    log global
    mode http
    option dontlognull
    timeout connect 2s
    timeout client 1m
    timeout server 1m
    timeout check 3s
    http-check expect status 200
    default-server inter 1s fall 2 rise 1
    # A node that went away between two checks: the next one is asked, unless the call may have arrived.
    option redispatch
    retries 2
    retry-on conn-failure empty-response

frontend management
    bind 127.0.0.1:$MANAGEMENT ssl crt $folder/tls/tls.pem alpn h2,http/1.1
    option httplog
    # Each path belongs to the node that plays its role, also in its form for a tenant.
    http-request set-var(txn.path) "path,regsub('^/t/[^/]+/','/')"
    use_backend publisher if { var(txn.path) -m beg /api/am/publisher/ /api/am/admin/ }
    use_backend devportal if { var(txn.path) -m beg /api/am/devportal/ }
    use_backend gateway if { var(txn.path) -m beg /api/am/gateway/ }
    use_backend traffic-manager if { var(txn.path) -m beg /internal/data/ }
    use_backend key-manager if { var(txn.path) -m beg /oauth2/ /client-registration/ /.well-known/ }
    default_backend no-role

backend no-role
    http-request return status 404 content-type text/plain string "no role serves this path"

listen statistics
    bind 127.0.0.1:$STATISTICS
    stats enable
    stats uri /
    no log
CONFIGURATION
for profile in publisher devportal key-manager traffic-manager gateway; do
    management_backend "$profile"
done
gateway_proxy https "$GATEWAY_HTTPS" 8243
gateway_proxy http "$GATEWAY_HTTP" 8280
