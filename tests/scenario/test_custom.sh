#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Custom builds by the worker's protocol: a builder image that fetches and pushes by itself. $1 is the build directory.
set -eu
here=$(cd "$(dirname "$0")" && pwd)

skip() {
	echo "skipped: $1"
	exit 77
}

for program in crun busybox docker-registry htpasswd curl python3; do
	command -v $program >/dev/null || skip "there is no $program here"
done
[ -x "$1/reconcile" ] || skip "there is no program $1/reconcile"
. "$here/../lib/servers.sh"
copy=$(mktemp -d)
trap 'stop_servers; rm -rf "$copy"' EXIT
chmod 755 "$copy"
start_registry "$copy/registry" auth
python3 "$here/custom.py" "$1/reconcile" "$SERVER_ADDR" "$SERVER_USER" "$SERVER_PASSWORD"

# The same without root, where user namespaces can be had.
[ "$(id -u)" = 0 ] && command -v setpriv >/dev/null || exit 0
nobody="setpriv --reuid 65534 --regid 65534 --clear-groups"
$nobody unshare --user true 2>/dev/null || exit 0
cp "$1/reconcile" "$here/worker.py" "$here/../lib/layouts.py" "$here/custom.py" "$copy"
$nobody env -i PATH="$PATH" HOME="$copy" python3 "$copy/custom.py" "$copy/reconcile" "$SERVER_ADDR" "$SERVER_USER" "$SERVER_PASSWORD"
