#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Build caches and rebases against real registries, whose logs tell what was sent and fetched. $1 is the build directory; what
# follows are names of single tests.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
skip() { echo "skipped: $1"; exit 77; }
for program in crun busybox python3 docker-registry; do
	command -v $program >/dev/null || skip "$program is not installed"
done
[ -x "$1/reconcile" ] || skip "there is no program $1/reconcile"
. "$here/../lib/servers.sh"
work=$(mktemp -d)
chmod 755 "$work"
trap 'stop_servers; rm -rf "$work"' EXIT
start_registry "$work/one" && one=$SERVER_ADDR
start_registry "$work/two" && two=$SERVER_ADDR
mkdir "$work/tests"
python3 "$here/reuse.py" "$1/reconcile" "$work/tests" "$one" "$work/one/log" "$two" "$work/two/log" "${@:2}"
