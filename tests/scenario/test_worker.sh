#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The worker by its protocol: composing a builder, building, adopting, reusing, rebasing, failing. $1 is the build directory.
set -eu
here=$(cd "$(dirname "$0")" && pwd)

skip() {
	echo "skipped: $1"
	exit 77
}

command -v crun >/dev/null || skip "crun is not installed"
command -v busybox >/dev/null || skip "busybox-static is not installed"
[ -x "$1/reconcile" ] || skip "there is no program $1/reconcile"
python3 "$here/worker.py" "$1/reconcile"

# The same without root, where user namespaces can be had.
[ "$(id -u)" = 0 ] && command -v setpriv >/dev/null || exit 0
nobody="setpriv --reuid 65534 --regid 65534 --clear-groups"
$nobody unshare --user true 2>/dev/null || exit 0
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
chmod 755 "$copy"
cp "$1/reconcile" "$here/worker.py" "$here/../lib/layouts.py" "$copy"
$nobody env -i PATH="$PATH" HOME="$copy" python3 "$copy/worker.py" "$copy/reconcile"
