#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every folder of examples is read without a word of complaint, and can be planned; what stands in them beside manifests works.
set -euo pipefail
. "$(dirname "$0")/../lib/world.sh" "$(cd "$1" && pwd)"
trap 'stop_servers; rm -rf "$work" 2>/dev/null || buildah unshare rm -rf "$work"' EXIT

folders=$(cd "$top/examples/manifests" && find . -name '*.yaml' ! -name trusted.yaml -printf '%h\n' | sort -u)
for folder in $folders; do
	note "$folder"
	mkdir -p "$work/$folder"
	cp "$top/examples/manifests/$folder"/*.yaml "$work/$folder"
	cd "$work/$folder"
	git init -q
	git add -A
	git commit -qm "what we want"
	check "is valid" expect_exit 0 "$reconcile" validate --strict .
	check "without a warning" bash -c '! grep -E "warning:|error:" "$1/err"' - "$work"
	check "can be planned" expect_exit 0 "$reconcile" --dry-run=offline .
done

note "what stands outside of the manifests"
cd "$work/custom-builder/manifests"
trusted=$top/examples/manifests/custom-builder/trusted.yaml
check "trusted settings" expect_exit 0 "$reconcile" validate --strict --settings "$trusted" .
check "without a warning" bash -c '! grep -E "warning:|error:" "$1/err"' - "$work"

note "the scripts of builder images"
for script in "$top"/examples/manifests/*/builder/*.sh "$top"/examples/manifests/*/builder/s2i/*; do
	check "${script#"$top"/examples/manifests/} can be parsed" busybox sh -n "$script"
done

if command -v docker-registry >/dev/null && command -v htpasswd >/dev/null && command -v curl >/dev/null; then
	note "the Custom builder's script against a real registry"
	start_registry "$work/registry" auth
	git init -q "$work/catalog"
	mkdir "$work/catalog/pages"
	echo page >"$work/catalog/pages/index.html"
	git -C "$work/catalog" add -A
	git -C "$work/catalog" commit -qm first
	mkdir "$work/push"
	printf '{"auths": {"%s": {"auth": "%s"}}}' "$SERVER_ADDR" "$(printf '%s:%s' "$SERVER_USER" "$SERVER_PASSWORD" | base64)" \
		>"$work/push/.dockerconfigjson"
	sed 's|https://|http://|' "$top/examples/manifests/custom-builder/builder/build.sh" >"$work/build.sh"
	check "it pushes" env TMPDIR="$work" SOURCE_URI="$work/catalog" SOURCE_REF=main SOURCE_CONTEXT_DIR=pages OUTPUT_REGISTRY="$SERVER_ADDR" \
		OUTPUT_IMAGE=shop/catalog:latest PUSH_DOCKERCFG_PATH="$work/push" sh "$work/build.sh"
	pull() { curl -fsS -u "$SERVER_USER:$SERVER_PASSWORD" -H 'Accept: application/vnd.oci.image.manifest.v1+json' "http://$SERVER_ADDR/v2/shop/catalog/$1"; }
	layer() { pull manifests/latest | python3 -c 'import json, sys; print(json.load(sys.stdin)["layers"][0]["digest"])'; }
	check "an image with the page" bash -c '[ "$(tar -xO srv/index.html)" = page ]' < <(pull "blobs/$(layer)")
fi

command -v buildah >/dev/null && command -v crun >/dev/null || exit "$failed"
note "a source-to-image application, with the builder image of its Dockerfile"
. "$top/examples/manifests/chain/images.sh"
layouts=$work/run/registry/registry.local
engine() { buildah --root "$work/engine" --runroot "$work/engine-run" --storage-driver vfs "$@"; }
repository() { # FOLDER: $work/run/app.git
	rm -rf "$work/run/app" "$work/run/app.git"
	git init -q --bare "$work/run/app.git"
	git clone -q "$work/run/app.git" "$work/run/app" 2>/dev/null
	cp -R "$1/." "$work/run/app/"
	git -C "$work/run/app" add -A
	git -C "$work/run/app" commit -qm "first"
	git -C "$work/run/app" push -q origin HEAD:main
}
config() { # FOLDER: the manifests, in a repository of their own; we are there afterwards
	rm -rf "$work/run/config"
	mkdir -p "$work/run/config"
	cp "$1"/*.yaml "$work/run/config"
	cd "$work/run/config"
	git init -q
	git add -A
	git commit -qm "what we want"
}
files() { # REPOSITORY: all files of its one image's layers, as an archive's listing
	local layer
	for layer in $(python3 -c '
import json, os, sys
index = json.load(open(sys.argv[1] + "/index.json"))
manifest = index["manifests"][-1]["digest"][7:]
print(*[one["digest"][7:] for one in json.load(open(f"{sys.argv[1]}/blobs/sha256/{manifest}"))["layers"]])' "$layouts/$1"); do
		tar -tzf "$layouts/$1/blobs/sha256/$layer"
	done | sed 's|^\./||; s|^/||'
}
has() { files "$1" | grep -qx "$2" || { files "$1"; return 1; }; }
mkdir -p "$work/run"
make_base "$layouts/upstream/base" 1 one >/dev/null
example=$top/examples/manifests/s2i-app
cd "$layouts/upstream" # an engine takes a layout's path for a name, which has no capitals
check "the builder image" engine bud --isolation chroot --from oci:base:1 -t web "$example/builder"
mkdir -p "$layouts/builders"
check "is published" engine push web "oci:$layouts/builders/web:1"
repository "$example/app"
config "$example/manifests"
check "builds" expect_exit 0 "$reconcile" .
check "an image with the page" has streams/shop/hello opt/app/index.html
check "and nothing more the next time" expect_exit 0 "$reconcile" --expect-no-changes .

note "a Dockerfile, and one in a manifest that takes files out of the first's image"
example=$top/examples/manifests/dockerfile-app
repository "$example/app"
config "$example/manifests"
check "builds" expect_exit 0 "$reconcile" .
check "an image with the page" has streams/shop/page srv/index.html
check "and a copy of it" has apps/page-copy srv/index.html
check "and nothing more the next time" expect_exit 0 "$reconcile" --expect-no-changes .
exit "$failed"
