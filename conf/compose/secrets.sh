#!/bin/sh
# secrets.sh: makes the files that compose.yaml hands to its containers, under conf/compose/secrets/. What is there stays.
#
# The folder is for its owner alone. The files in it can be read by anybody who can come there: containers run as other users.
set -eu
cd "$(dirname "$0")"
command -v openssl >/dev/null || { echo "missing: openssl" >&2; exit 1; }
umask 077
mkdir -p secrets
cd secrets
umask 022

[ -s administrator-password ] || openssl rand -hex 24 >administrator-password
[ -s database-password ] || openssl rand -hex 24 >database-password
[ -s key-encryption-key ] || openssl rand -hex 32 >key-encryption-key
for database in apim shared; do
    [ -s "$database-db-url" ] ||
        echo "postgres://gatewright:$(cat database-password)@database:5432/$database" >"$database-db-url"
done
if [ ! -s tls.pem ]; then
    # One certificate for all: for a site of your own, put yours here.
    names=DNS:localhost,IP:127.0.0.1
    for host in traffic-manager key-manager publisher devportal gateway-1 gateway-2; do
        names=$names,DNS:$host
    done
    printf '%s\n' '[req]' 'distinguished_name = name' 'x509_extensions = extensions' 'prompt = no' '[name]' 'CN = localhost' \
        '[extensions]' "subjectAltName = $names" 'basicConstraints = critical, CA:FALSE' >request.cnf
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -config request.cnf \
        -keyout tls.key -out tls.crt 2>/dev/null
    rm request.cnf
    # openssl makes keys for their owner alone.
    chmod 644 tls.key
    cat tls.crt tls.key >tls.pem
fi
echo "the secrets are in $(pwd)"
