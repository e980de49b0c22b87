#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# test_guest_parity.sh BUILD — detection, build and launch steps of the lifecycle parity suite.
set -eu
build=$1
here=$(cd "$(dirname "$0")" && pwd)
suite=${RECONCILE_SHARED:-$here/../../../shared}/suites/lifecycle-parity
guest=$build/cnb-guest-checked
launcher=$build/cnb-launcher-checked
if [ ! -d "$suite" ]; then
	echo "skipped: no lifecycle parity suite at $suite"
	exit 77
fi
if [ ! -x "$guest" ] || [ "$(id -u)" != 0 ] || ! unshare -m true 2>/dev/null; then
	echo "skipped: needs root, mount namespaces and $guest"
	exit 77
fi
exec unshare -m --propagation private python3 "$here/guest_parity.py" "$suite" "$guest" "$launcher"
