#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Builds of build configs with a Source strategy, by the worker's protocol: a commit from a git server, binary sources, inputs,
# volumes, hooks, failures, limits. $1 is the build directory.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
skip() { echo "skipped: $1"; exit 77; }
for program in crun busybox git python3; do
	command -v $program >/dev/null || skip "$program is not installed"
done
[ -x "$build/reconcile" ] || skip "there is no program $build/reconcile"
[ "$(id -u)" = 0 ] || skip "owners can only be looked at as root"
. "$here/../lib/git_servers.sh"
work=$(mktemp -d)
chmod 755 "$work"
trap 'git_servers_stop "$work/git-run"; rm -rf "$work"' EXIT
mkdir -p "$work/git"
url=$(git_http_start "$work/git" "$work/git-run" auth) || exit 77
python3 "$here/s2i_build.py" "$build/reconcile" "$work" "$url"
