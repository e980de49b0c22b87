#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# bench_s2i.sh BUILD [--smoke] [--rounds=N] — a small source-to-image build, from a folder to an image in a layout, against
# `buildah bud` and push of the Dockerfile that does the same with the same builder image; and the same by the worker, from
# a request of a build config: the commit fetched, a config map added, a hook run in the result.
set -euo pipefail
build=$(cd "$1" && pwd)
cd "$(dirname "$0")/../.."
rounds=9
for option in "${@:2}"; do
	case $option in --smoke) rounds=1 ;; --rounds=*) rounds=${option#*=} ;; esac
done
need() { command -v "$1" >/dev/null || { echo "skipped: there is no $1 here"; exit 77; }; }
for program in busybox crun python3 buildah skopeo git; do need $program; done
[ "$(id -u)" = 0 ] || { echo "skipped: buildah is measured as root"; exit 77; }
work=$(mktemp -d "${TMPDIR:-/tmp}/reconcile-bench-XXXXXX")
chmod 755 "$work"
storage="--root $work/storage --runroot $work/runroot --storage-driver overlay"
trap 'buildah $storage rm -a >/dev/null 2>&1 || true; umount "$work/storage/overlay" 2>/dev/null || true; rm -rf "$work"' EXIT

root=$work/root
mkdir -p "$root"/{bin,etc,tmp,usr/libexec/s2i,opt/app} "$work"/{tmp,src,registry/registry.local}
chmod 1777 "$root/tmp"
chown 1001:0 "$root/opt/app"
cp "$(command -v busybox)" "$root/bin/busybox"
for name in sh cp; do ln -s busybox "$root/bin/$name"; done
printf 'root:x:0:0::/root:/bin/sh\ndefault:x:1001:0::/opt/app:/bin/sh\n' >"$root/etc/passwd"
printf '#!/bin/sh\nexec cp -R /tmp/src/. /opt/app\n' >"$root/usr/libexec/s2i/assemble"
printf '#!/bin/sh\nexec true\n' >"$root/usr/libexec/s2i/run"
chmod 755 "$root"/usr/libexec/s2i/*
for i in 0 1 2 3 4 5 6 7 8 9; do head -c 2000 /dev/urandom >"$work/src/file-$i"; done
layout=$work/registry/registry.local/builder
python3 tests/lib/oci.py image "$layout" latest --layer "$root" --user 1001 --env PATH=/bin \
	--label io.openshift.s2i.scripts-url=image:///usr/libexec/s2i >/dev/null

cat >"$work/spec.json" <<JSON
{"registry": "$work/registry", "store": "$work/store", "work": "$work/tmp", "source": "$work/src",
 "builder": "registry.local/builder", "tags": ["registry.local/out/app"]}
JSON
"$build/s2i-driver" "$work/spec.json" >"$work/first" 2>&1 || { cat "$work/first" >&2; exit 1; }
skopeo copy -q "oci:$layout:latest" "containers-storage:[overlay@$work/storage+$work/runroot]localhost/bench-builder:latest" \
	>"$work/copy.log" 2>&1 || { echo "skipped: buildah cannot store images here: $(tail -n 1 "$work/copy.log")"; exit 77; }
mkdir "$work/context"
cp -R "$work/src" "$work/context/src"
cat >"$work/context/Dockerfile" <<DOCKERFILE
FROM localhost/bench-builder:latest
COPY --chown=1001:0 src /tmp/src
RUN /usr/libexec/s2i/assemble
CMD ["/usr/libexec/s2i/run"]
DOCKERFILE
bud="buildah $storage bud --isolation chroot --squash -q -t bench-app $work/context >/dev/null"
push="buildah $storage push -q bench-app oci:$work/pushed:latest"
sh -c "$bud && $push" >"$work/first" 2>&1 || { echo "skipped: buildah cannot build here: $(tail -n 1 "$work/first")"; exit 77; }
git init -q -b main "$work/repo"
cp "$work/src/"* "$work/repo"
git -C "$work/repo" add .
git -C "$work/repo" -c user.name=bench -c user.email=bench@localhost commit -qm bench
cat >"$work/request.json" <<JSON
{"format": 1, "action": "s2i", "id": "BuildConfig/shop/app#1", "manifestDir": "$work", "cacheDir": "$work/cache",
 "tempDir": "$work/temp", "network": "none", "tags": ["registry.local/out/worker:latest"],
 "registries": [{"prefix": "registry.local", "layout": "$work/registry"}],
 "source": {"git": {"url": "file://$work/repo", "revision": "$(git -C "$work/repo" rev-parse HEAD)"}},
 "buildConfig": {"config": "app", "build": "app-1", "namespace": "shop", "number": 1,
  "files": [{"purpose": "input", "name": "conf", "destination": "/opt/app/conf", "files": {"app.conf": "YT1iCg=="}}],
  "spec": {"source": {"git": {"uri": "file://$work/repo"}},
   "strategy": {"sourceStrategy": {"from": {"kind": "DockerImage", "name": "registry.local/builder:latest"}}}}}}
JSON
sed 's/"spec": {/"spec": {"postCommit": {"script": "true"}, /; s/worker:latest/hook:latest/' "$work/request.json" >"$work/hook.json"
for request in request hook; do
	"$build/reconcile" worker <"$work/$request.json" >"$work/first" 2>&1 || { cat "$work/first" >&2; exit 1; }
done
"$build/bench/bench_commands" --title="a small source-to-image build: 10 files, assemble copies them, image in a layout" --rounds="$rounds" \
	"buildah bud (chroot) and push" "$bud && $push 2>/dev/null" \
	"source-to-image, native" "exec $build/s2i-driver $work/spec.json >/dev/null 2>&1" \
	"by the worker, from a commit" "exec $build/reconcile worker <$work/request.json >/dev/null 2>&1" \
	"the same with a post commit hook" "exec $build/reconcile worker <$work/hook.json >/dev/null 2>&1"
echo "  goal: <= 0.3x of the fastest peer, <= 45 MiB"
