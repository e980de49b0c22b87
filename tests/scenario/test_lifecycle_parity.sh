#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The lifecycle parity suite: the images that the reference lifecycle made, made by ours. $1 is the build directory.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
suite=${RECONCILE_SHARED:-$here/../../shared}/suites/lifecycle-parity

skip() {
	echo "skipped: $1"
	exit 77
}

[ -x "$suite/materialize" ] || skip "the suite is not at $suite"
[ "$(id -u)" = 0 ] || skip "files of other owners need root"
command -v crun >/dev/null || skip "crun is not installed"
command -v dpkg >/dev/null || skip "the build container is made from this machine's Debian packages"
exec python3 "$here/parity/parity.py" "$suite" "$1"
