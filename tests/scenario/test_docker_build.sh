#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Dockerfiles: built by buildah as root and without root, and by a Docker daemon started here. $1 is the build directory.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lib/servers.sh"
. "$here/../lib/dockerd.sh"

skip() { echo "skipped: $*"; exit 77; }
command -v busybox >/dev/null || skip "busybox-static is not installed"
[ -x "$1/reconcile" ] || skip "there is no program $1/reconcile"
work=$(mktemp -d)
chmod 755 "$work"
finish() {
	stop_servers
	stop_dockerd
	rm -rf "$work"
}
trap finish EXIT
unset DOCKER_HOST DOCKER_TLS_VERIFY DOCKER_CERT_PATH CONTAINERS_CONF
ran=

if command -v docker-registry >/dev/null && command -v htpasswd >/dev/null && command -v skopeo >/dev/null; then
	start_registry "$work/registry" auth
	export REGISTRY_AUTH=$SERVER_USER:$SERVER_PASSWORD@$SERVER_ADDR
fi

if command -v buildah >/dev/null && command -v crun >/dev/null; then
	echo "# buildah as $(id -un)"
	python3 "$here/docker_build.py" "$1/reconcile" buildah
	ran=1
	# The same without root, where user namespaces can be had. Images then belong to one user id.
	nobody="setpriv --reuid 65534 --regid 65534 --clear-groups"
	if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null && $nobody unshare --user true 2>/dev/null; then
		mkdir "$work/nobody"
		cp "$1/reconcile" "$here/docker_build.py" "$here/../lib/layouts.py" "$work/nobody"
		chown -R 65534:65534 "$work/nobody"
		echo "# buildah without root"
		(cd "$work/nobody" && $nobody env -i PATH="$PATH" HOME="$work/nobody" TMPDIR="$work/nobody" SINGLE_ID=1 \
			python3 docker_build.py ./reconcile buildah)
	fi
else
	echo "# buildah and crun are not installed: not tried"
fi

if [ "$(id -u)" != 0 ] || ! command -v dockerd >/dev/null || ! command -v curl >/dev/null; then
	echo "# a Docker daemon needs root, dockerd and curl: not tried"
elif start_dockerd "$work"; then
	echo "# $(dockerd --version)"
	python3 "$here/docker_build.py" "$1/reconcile" docker
	echo "# image extensions with it"
	PYTHONDONTWRITEBYTECODE=1 python3 "$here/extend.py" "$1/reconcile" docker ExtendTest.test_a_file_for_the_run_image \
		ExtendTest.test_one_after_the_other
	ran=1
else
	echo "# dockerd does not run here: not tried: $(tail -n 1 "$work/docker.log")"
fi
[ "$ran" ] || skip "neither buildah nor dockerd can be used"
