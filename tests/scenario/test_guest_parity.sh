#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# test_guest_parity.sh BUILD — detection, build and launch steps of the lifecycle parity suite.
set -eu
build=$1
here=$(cd "$(dirname "$0")" && pwd)
suite=${RECONCILE_SHARED:-$here/../../../shared}/suites/lifecycle-parity
# As shipped; under sanitizers the same sources with them.
kind=
grep -q '^SAN:STRING=.' "$build/CMakeCache.txt" && kind=-checked
guest=$build/cnb-guest$kind
launcher=$build/cnb-launcher$kind
if [ ! -d "$suite" ]; then
	echo "skipped: no lifecycle parity suite at $suite"
	exit 77
fi
if [ ! -x "$guest" ] || [ "$(id -u)" != 0 ] || ! unshare -m true 2>/dev/null; then
	echo "skipped: needs root, mount namespaces and $guest"
	exit 77
fi
exec unshare -m --propagation private python3 "$here/guest_parity.py" "$suite" "$guest" "$launcher"
