#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What buildpacks, scripts, images and sources leave for us to read: links out, pipes, devices, files without end. As root and without.
# $1 is the build directory.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
skip() { echo "skipped: $1"; exit 77; }
for program in crun busybox git python3; do
	command -v $program >/dev/null || skip "$program is not installed"
done
[ -x "$build/reconcile" ] || skip "there is no program $build/reconcile"
unset CONTAINERS_CONF
python3 "$here/hostile_builds.py" "$build/reconcile"

# The same without root, where user namespaces can be had.
[ "$(id -u)" = 0 ] && command -v setpriv >/dev/null || exit 0
nobody="setpriv --reuid 65534 --regid 65534 --clear-groups"
$nobody unshare --user true 2>/dev/null || exit 0
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
chmod 755 "$copy"
cp "$build/reconcile" "$here/worker.py" "$here/../lib/layouts.py" "$here/hostile_builds.py" "$copy"
chown -R 65534:65534 "$copy"
cd "$copy"
# What depends on who we are.
$nobody env -i PATH="$PATH" HOME="$copy" TMPDIR="$copy" python3 hostile_builds.py ./reconcile -k layer -k links -k scripts -k contexts -k addresses
