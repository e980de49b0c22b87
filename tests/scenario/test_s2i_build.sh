#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Builds of build configs with a Source strategy, by the worker's protocol: a commit from a git server, binary sources, inputs,
# volumes, hooks, failures, limits. $1 is the build directory.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
skip() { echo "skipped: $1"; exit 77; }
for program in crun busybox git python3; do
	command -v $program >/dev/null || skip "$program is not installed"
done
[ -x "$build/reconcile" ] || skip "there is no program $build/reconcile"
. "$here/../lib/git_servers.sh"
. "$here/../lib/servers.sh"
work=$(mktemp -d)
chmod 755 "$work"
trap 'stop_servers; git_servers_stop "$work/git-run"; rm -rf "$work"' EXIT
mkdir -p "$work/git"
url=$(git_http_start "$work/git" "$work/git-run" auth) || exit 77
start_fake "$work/proxy" "$here/../lib/proxy.py" "git.test.invalid=${url#http://}"
python3 "$here/s2i_build.py" "$build/reconcile" "$work" "$url" "http://$SERVER_ADDR"

# The same without root, where user namespaces can be had; the repositories would be another's to the server.
[ "$(id -u)" = 0 ] && command -v setpriv >/dev/null || exit 0
nobody="setpriv --reuid 65534 --regid 65534 --clear-groups"
$nobody unshare --user true 2>/dev/null || { echo "there are no user namespaces here"; exit 0; }
mkdir "$work/nobody"
cp "$build/reconcile" "$here/worker.py" "$here/../lib/layouts.py" "$here/s2i_build.py" "$work/nobody"
chown 65534 "$work/nobody"
$nobody env -i PATH="$PATH" HOME="$work/nobody" python3 "$work/nobody/s2i_build.py" "$work/nobody/reconcile" "$work/nobody" "" ""
