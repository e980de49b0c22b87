#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Image extensions that write Dockerfiles, with buildah as root and without root. $1 is the build directory.
# With a Docker daemon: test_docker_build.sh, which has one.
set -eu
here=$(cd "$(dirname "$0")" && pwd)

skip() { echo "skipped: $*"; exit 77; }
command -v busybox >/dev/null || skip "busybox-static is not installed"
command -v buildah >/dev/null && command -v crun >/dev/null || skip "buildah or crun is not installed"
[ -x "$1/reconcile" ] || skip "there is no program $1/reconcile"
export PYTHONDONTWRITEBYTECODE=1
unset DOCKER_HOST DOCKER_TLS_VERIFY DOCKER_CERT_PATH CONTAINERS_CONF
python3 "$here/extend.py" "$1/reconcile" buildah

# The same without root, where user namespaces can be had.
[ "$(id -u)" = 0 ] && command -v setpriv >/dev/null || exit 0
nobody="setpriv --reuid 65534 --regid 65534 --clear-groups"
$nobody unshare --user true 2>/dev/null || exit 0
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
chmod 755 "$copy"
cp "$1/reconcile" "$here/extend.py" "$here/worker.py" "$here/../lib/layouts.py" "$copy"
chown -R 65534:65534 "$copy"
echo "# without root"
(cd "$copy" && $nobody env -i PATH="$PATH" HOME="$copy" TMPDIR="$copy" python3 extend.py ./reconcile buildah \
	ExtendTest.test_a_tool_for_the_build ExtendTest.test_a_file_for_the_run_image)
