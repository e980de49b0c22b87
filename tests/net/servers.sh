#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# servers.sh FOLDER: a registry, git over http and a git daemon for the world in FOLDER; prints the port of each, ends when
# standard input does.
set -euo pipefail
cd "$(dirname "$0")/../lib"
. ./servers.sh
. ./git_servers.sh
world=$1
run=$(mktemp -d)
trap 'stop_servers; git_servers_stop "$run/git"; git_servers_stop "$run/daemon"; rm -rf "$run"' EXIT
mkdir -p "$world/storage" "$world/repos" "$run/registry"
ln -s "$world/storage" "$run/registry/data"
start_registry "$run/registry"
echo "${SERVER_ADDR#*:}"
url=$(git_http_start "$world/repos" "$run/git")
echo "${url##*:}"
url=$(git_daemon_start "$world/repos" "$run/daemon")
echo "${url##*:}"
cat >/dev/null
