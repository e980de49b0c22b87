#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Source-to-image builds by their results: one layer more, files, modes, owners, config, labels; scripts from everywhere;
# incremental and runtime builds; failures, limits, kills. $1 is the build directory.
set -u
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
skip() { echo "skipped: $1"; exit 77; }
for program in crun busybox skopeo umoci python3; do
	command -v $program >/dev/null || skip "$program is not installed"
done
[ "$(id -u)" = 0 ] || skip "owners can only be looked at as root"
[ -x "$build/s2i-driver" ] || skip "there is no program $build/s2i-driver"
work=$(mktemp -d)
chmod 755 "$work"
trap 'rm -rf "$work"' EXIT
python3 "$here/s2i.py" "$build/s2i-driver" "$work" "$here/../lib/oci.py"
