#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every folder of examples is read without a word of complaint, and can be planned; what stands in them beside manifests works.
set -euo pipefail
. "$(dirname "$0")/../lib/world.sh" "$1"
trap 'stop_servers; rm -rf "$work"' EXIT

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

command -v docker-registry >/dev/null && command -v htpasswd >/dev/null && command -v curl >/dev/null || exit "$failed"
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
check "it pushes" env SOURCE_URI="$work/catalog" SOURCE_REF=main SOURCE_CONTEXT_DIR=pages OUTPUT_REGISTRY="$SERVER_ADDR" \
	OUTPUT_IMAGE=shop/catalog:latest PUSH_DOCKERCFG_PATH="$work/push" sh "$work/build.sh"
pull() { curl -fsS -u "$SERVER_USER:$SERVER_PASSWORD" -H 'Accept: application/vnd.oci.image.manifest.v1+json' "http://$SERVER_ADDR/v2/shop/catalog/$1"; }
layer() { pull manifests/latest | python3 -c 'import json, sys; print(json.load(sys.stdin)["layers"][0]["digest"])'; }
check "an image with the page" bash -c '[ "$(tar -xO srv/index.html)" = page ]' < <(pull "blobs/$(layer)")
exit "$failed"
