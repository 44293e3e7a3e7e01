#!/bin/sh
# fetch-definitions.sh FOLDER: puts OpenAPI definitions that nobody here wrote into FOLDER, from the package registry that
# npm is set up with. What is there already in the wanted version is kept; nothing of the packages is run.
set -eu

folder=${1:?usage: fetch-definitions.sh FOLDER}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)

if ! command -v npm >/dev/null 2>&1; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends npm; } >&2 || true
    fi
    if ! command -v npm >/dev/null 2>&1; then
        echo "fetch-definitions: npm is missing: install Node.js (on Debian: sudo apt-get install npm)" >&2
        exit 1
    fi
fi

# fetch NAME PACKAGE VERSION MEMBER..: the members of the package's archive, into FOLDER/NAME
fetch() {
    name=$1 package=$2 version=$3
    shift 3
    if [ "$(cat "$folder/$name/.version" 2>/dev/null)" = "$package@$version" ]; then
        return
    fi
    # Beside its place, so that a fetch that breaks off leaves nothing that looks whole.
    part="$folder/.$name.part"
    rm -rf "$part" "${folder:?}/$name"
    mkdir -p "$part/tree"
    if ! npm pack --silent --ignore-scripts --pack-destination "$part" "$package@$version" >"$part/archive" 2>"$part/log"; then
        cat "$part/log" >&2
        echo "fetch-definitions: npm cannot get $package@$version: is its registry in reach?" >&2
        exit 1
    fi
    tar -xzf "$part/$(tail -n 1 "$part/archive")" -C "$part/tree" --strip-components=1 "$@"
    echo "$package@$version" >"$part/tree/.version"
    mv "$part/tree" "$folder/$name"
    rm -rf "$part"
}

fetch oas-examples @readme/oas-examples 8.2.2 package/2.0 package/3.0 package/3.1
# The archive holds the same API in other releases and forms, some 400 MB: one file is enough.
fetch octokit @octokit/openapi 23.0.2 package/generated/api.github.com.json
