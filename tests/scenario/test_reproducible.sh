#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The same inputs give the same digests, whatever the day, the folders, the user, the machine and its CPU. $1 is the build
# directory; --each behind it makes one thing differ at a time. Other days need faketime, other CPU models qemu-user: without them those are left out.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
skip() { echo "skipped: $1"; exit 77; }
for program in crun busybox python3; do
	command -v $program >/dev/null || skip "$program is not installed"
done
[ -x "$1/reconcile" ] || skip "there is no program $1/reconcile"
work=$(mktemp -d)
chmod 755 "$work"
trap 'rm -rf "$work" "/dev/shm/${work##*/}"' EXIT
# Where every user may run it.
cp "$1/reconcile" "$1/layer-digest" "$work"
python3 "$here/reproducible.py" "$work/reconcile" "$work/layer-digest" "$work" "${@:2}"
