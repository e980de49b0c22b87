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
exec python3 "$here/worker.py" "$1/reconcile"
