#!/bin/sh
# build.sh program FOLDER: builds the release binary in this tree and puts it, checked, into FOLDER.
# build.sh runtime:        makes the system that it is run on ready to run the binary: libraries, user, folders. As root.
#
# The Dockerfile's two stages, and what to do on a plain Debian (bookworm or newer) machine. A variable CARGO_PROFILE builds
# another profile than release, for trying the script out.
set -eu

install_packages() {
    apt-get update -q
    DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "$@"
}

program() {
    target=$1
    cd "$(dirname "$0")/../.."
    if ! { command -v cc && command -v pkg-config && pkg-config --exists openssl; } >/dev/null; then
        install_packages build-essential pkg-config libssl-dev
    fi
    profile=${CARGO_PROFILE:-release}
    # shellcheck disable=SC2086
    ${CARGO:-cargo} build --locked --bin gatewright --profile "$profile"
    folder=$profile
    # Cargo's own name of the folder.
    [ "$profile" != dev ] || folder=debug
    mkdir -p "$target"
    install -m 755 "${CARGO_TARGET_DIR:-target}/$folder/gatewright" "$target/gatewright"
    # What the runtime stage installs must be all that it needs.
    others=$(ldd "$target/gatewright" | grep -vE 'linux-vdso|ld-linux|lib(ssl|crypto|c|m|gcc_s)\.so' || true)
    [ -z "$others" ] || { echo "libraries that the runtime stage does not install: $others" >&2; exit 1; }
    "$target/gatewright" --version
}

runtime() {
    install_packages ca-certificates libssl3 libgcc-s1
    # Of an image, which need not carry the lists of packages.
    [ ! -e /.dockerenv ] || rm -rf /var/lib/apt/lists/*
    getent group gatewright >/dev/null || groupadd --gid 10001 gatewright
    id gatewright >/dev/null 2>&1 ||
        useradd --uid 10001 --gid gatewright --home-dir /var/lib/gatewright --no-create-home --shell /usr/sbin/nologin gatewright
    # The home, and where conf/compose hands over joining tokens. Volumes take owner and mode from here.
    install -d -m 700 -o gatewright -g gatewright /var/lib/gatewright /run/gatewright
}

case ${1:-} in
program) program "${2:?a folder for the binary}" ;;
runtime) runtime ;;
*) sed -n '2,3s/^# //p' "$0" >&2; exit 2 ;;
esac
