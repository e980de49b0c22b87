#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Hostile builds of every kind: a source-to-image script, a buildpack, an image extension, a Dockerfile, a post-commit hook, a custom
# builder, as root and without. None reaches anything of the host. $1 is the build directory.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
skip() { echo "skipped: $1"; exit 77; }
for program in crun busybox git python3; do
	command -v $program >/dev/null || skip "$program is not installed"
done
[ -x "$build/reconcile" ] && [ -x "$build/escape" ] || skip "reconcile and escape are not built in $build"
unset CONTAINERS_CONF
python3 "$here/isolation.py" "$build/reconcile" "$build/escape"

# Where version 1 of cgroups limits devices, version 2 can as well.
if [ "$(id -u)" = 0 ] && command -v buildah >/dev/null && mountpoint -q /sys/fs/cgroup/devices 2>/dev/null &&
	grep -q ' - cgroup2 ' /proc/self/mountinfo; then
	echo "# devices by version 2"
	unshare --mount sh -c 'umount /sys/fs/cgroup/devices && exec "$@"' sh \
		python3 "$here/isolation.py" "$build/reconcile" "$build/escape" IsolationTest.test_dockerfile
fi

# A Docker daemon isolates by its own rules: what we ask of it, and what it keeps closed.
if [ "$(id -u)" = 0 ] && command -v dockerd >/dev/null && command -v curl >/dev/null; then
	. "$here/../lib/dockerd.sh"
	daemon=$(mktemp -d)
	trap 'stop_dockerd; rm -rf "$daemon"' EXIT
	chmod 755 "$daemon"
	if start_dockerd "$daemon"; then
		echo "# $(dockerd --version)"
		python3 "$here/isolation.py" "$build/reconcile" "$build/escape" IsolationTest.test_dockerfile_by_a_daemon
	else
		echo "# dockerd does not run here: not tried: $(tail -n 1 "$daemon/docker.log")"
	fi
	stop_dockerd
	unset DOCKER_HOST
	rm -rf "$daemon"
fi

# The same without root, where user namespaces can be had.
[ "$(id -u)" = 0 ] && command -v setpriv >/dev/null || exit 0
nobody="setpriv --reuid 65534 --regid 65534 --clear-groups"
$nobody unshare --user true 2>/dev/null || { echo "there are no user namespaces here"; exit 0; }
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp "$build/reconcile" "$build/escape" "$here/worker.py" "$here/../lib/layouts.py" "$here/isolation.py" "$copy"
chown -R 65534:65534 "$copy"
chmod 755 "$copy"
cd "$copy"
$nobody env -i PATH="$PATH" HOME="$copy" TMPDIR="$copy" python3 isolation.py ./reconcile ./escape
