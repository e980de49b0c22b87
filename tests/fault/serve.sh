#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# serve.sh FOLDER: the servers of a world, in a network namespace of its own (unshare --net), so that every world has the same
# addresses: a registry on 127.0.0.1:5000 with its files in FOLDER/data, and FOLDER's git repositories on http://127.0.0.1:8080.
# Says "ready"; ends when its input ends.
set -euo pipefail
lib=$(dirname "$0")/../lib
. "$lib/servers.sh"
. "$lib/git_servers.sh"
for need in docker-registry nginx fcgiwrap; do command -v $need >/dev/null || { echo "skipped: $need is missing"; exit 77; }; done
folder=$1
run=$(mktemp -d)
chmod 755 "$run"
trap 'git_servers_stop "$run"; stop_servers; wait; rm -rf "$run"' EXIT
ip link set lo up
free_port() { echo 5000; }
git_servers_port() { echo 8080; }
ln -s "$folder/data" "$run/data"
mkdir -p "$folder/data"
start_registry "$run"
git_http_start "$folder" "$run" >/dev/null
echo ready
cat >/dev/null
