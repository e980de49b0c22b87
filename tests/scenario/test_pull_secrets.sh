#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A private registry whose credentials stand only in the imagePullSecrets of service accounts: stack, buildpacks, the source
# image and the cache of a build come from there; what is built goes to another registry. And the bill of materials of what
# was built, read back through the same secrets.
set -euo pipefail
. "$(dirname "$0")/../lib/world.sh" "$1"
for need in python3 skopeo docker-registry htpasswd crun; do command -v $need >/dev/null || skip "$need is missing"; done
cleanup() { stop_servers; rm -rf "$work"; }
trap cleanup EXIT
start_registry "$work/private" auth
private=$SERVER_ADDR private_pid=${SERVER_PIDS[-1]}
start_registry "$work/open"
open=$SERVER_ADDR

note "images in the private registry, and a buildpack that writes a bill of materials"
bp=$work/bp
mkdir -p "$bp/bin" "$work/layouts" "$work/src"
printf 'api = "0.10"\n[buildpack]\nid = "test/bom"\nversion = "1.0.0"\nsbom-formats = ["application/vnd.cyclonedx+json", "application/vnd.syft+json", "application/spdx+json"]\n[[targets]]\nos = "linux"\n' >"$bp/buildpack.toml"
printf '#!/bin/sh\nexit 0\n' >"$bp/bin/detect"
cat >"$bp/bin/build" <<'SH'
#!/bin/sh
set -e
mkdir -p "$CNB_LAYERS_DIR/lib" "$CNB_LAYERS_DIR/tools"
cat index.txt >"$CNB_LAYERS_DIR/lib/index.txt"
printf '[types]\nlaunch = true\n' >"$CNB_LAYERS_DIR/lib.toml"
printf '[types]\nlaunch = true\n' >"$CNB_LAYERS_DIR/tools.toml"
echo '{"bomFormat":"CycloneDX","components":[{"name":"left-pad","version":"1.3.0","purl":"pkg:npm/left-pad@1.3.0","licenses":[{"license":{"id":"WTFPL"}}]}]}' >"$CNB_LAYERS_DIR/lib.sbom.cdx.json"
echo '{"artifacts":[{"name":"left-pad in syft"}]}' >"$CNB_LAYERS_DIR/lib.sbom.syft.json"
echo '{"spdxVersion":"SPDX-2.3","packages":[{"name":"busybox","versionInfo":"1.36","licenseConcluded":"GPL-2.0"}]}' >"$CNB_LAYERS_DIR/tools.sbom.spdx.json"
SH
chmod 755 "$bp"/bin/*
make_stack "$work/layouts/base" build one >/dev/null
make_stack "$work/layouts/base" run one >/dev/null
make_buildpackage "$work/layouts/bom" "$bp" test/bom 1.0.0 >/dev/null
echo "source" >"$work/src/index.txt"
push() { skopeo copy -q --dest-tls-verify=false --dest-creds "$SERVER_USER:$SERVER_PASSWORD" "oci:$work/layouts/$1" "docker://$private/$2"; }
push base:build stacks/base:build
push base:run stacks/base:run
push bom:1.0.0 buildpacks/bom:1.0.0

note "manifests"
mkdir -p "$work/config"
cd "$work/config"
git init -q
config=$(printf '{"auths":{"%s":{"auth":"%s"}}}' "$private" "$(printf %s "$SERVER_USER:$SERVER_PASSWORD" | base64 -w0)" | base64 -w0)
cat >all.yaml <<YAML
apiVersion: kpack.io/v1alpha2
kind: ClusterStack
metadata: {name: base}
spec:
  id: dev.reconcile.stacks.quickstart
  serviceAccountRef: {name: puller, namespace: shop}
  buildImage: {image: $private/stacks/base:build}
  runImage: {image: $private/stacks/base:run}
---
apiVersion: kpack.io/v1alpha2
kind: ClusterStore
metadata: {name: store}
spec:
  serviceAccountRef: {name: puller, namespace: shop}
  sources: [{image: $private/buildpacks/bom:1.0.0}]
---
apiVersion: kpack.io/v1alpha2
kind: ClusterBuilder
metadata: {name: default}
spec:
  tag: $open/builders/default
  serviceAccountRef: {name: puller, namespace: shop}
  stack: {name: base, kind: ClusterStack}
  store: {name: store, kind: ClusterStore}
  order: [{group: [{id: test/bom}]}]
---
apiVersion: v1
kind: Secret
metadata: {name: pull, namespace: shop}
type: kubernetes.io/dockerconfigjson
data: {.dockerconfigjson: $config}
YAML
account() { printf 'apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: puller, namespace: shop}\n%s\n' "$1" >account.yaml; }
account "imagePullSecrets: [{name: pull}]"
upload() { "$reconcile" image "$@" -n shop --service-account puller --local-path "$work/src" --local-path-destination-image "$private/sources/app"; }
check "a source image in the private registry" expect_exit 0 upload create app "$open/apps/app"

note "without and with them"
account "secrets: []"
check "without the secret nothing can be read" expect_exit 4 "$reconcile" .
check "it says who was asked" says "$private"
check "and that there were no credentials" bash -c "grep -q '401\|credentials' '$work/out' '$work/err'"
account "imagePullSecrets: [{name: pull}]"
check "with it all is built" expect_exit 0 "$reconcile" .
check "out of the private source image" bash -c "'$reconcile' build logs app -n shop | grep -q 'Successfully pulled $private/sources/app@sha256:'"
check "nothing is left to do" expect_exit 0 "$reconcile" --expect-no-changes .
check "a fresh machine builds it too" bash -c "'$reconcile' --trigger shop/app --cache-dir '$work/cache-2' . && '$reconcile' build list app -n shop | grep -q '^2 *SUCCESS.*TRIGGER'"
check "no credential is in state or logs" bash -c "! git grep -qF -e '$SERVER_PASSWORD' -e '$config' reconcile/state && ! '$reconcile' build logs app -n shop | grep -F '$SERVER_PASSWORD'"

note "the bill of materials"
check "build status --bom" expect_exit 0 "$reconcile" build status app -n shop --bom
check "one table; of three formats one per layer" bash -c "sed -E 's/ +/ /g; s/ $//; /^$/d' '$work/out' | diff - <(printf '%s\n' 'COMPONENT VERSION LICENSE BUILDPACK' 'left-pad 1.3.0 WTFPL test/bom' 'busybox 1.36 GPL-2.0 test/bom')"
check "-o json" expect_exit 0 "$reconcile" build status app -n shop -b 1 --bom -o json
cat >"$work/look.py" <<'PYTHON'
import json, sys
value = json.load(open(sys.argv[1]))
assert value["formatVersion"] == 1 and "@sha256:" in value["image"]
assert value["components"][0] == {"name": "left-pad", "version": "1.3.0", "license": "WTFPL", "purl": "pkg:npm/left-pad@1.3.0", "buildpack": "test/bom", "layer": "lib"}, value["components"]
files = {f["path"]: f for f in value["files"]}
cdx = files["/layers/sbom/launch/test_bom/lib/sbom.cdx.json"]
assert cdx["mediaType"] == "application/vnd.cyclonedx+json" and cdx["document"]["bomFormat"] == "CycloneDX", cdx
assert files["/layers/sbom/launch/test_bom/tools/sbom.spdx.json"]["document"]["spdxVersion"] == "SPDX-2.3"
assert "/layers/sbom/launch/test_bom/lib/sbom.syft.json" in files
PYTHON
check "has the files as they are" python3 "$work/look.py" "$work/out"
check "from elsewhere with --manifests" bash -c "cd / && '$reconcile' build status app -n shop --bom --manifests '$work/config' --state '$work/config' | grep -q left-pad"
check "an image in the private registry itself" expect_exit 0 upload create inside "$private/apps/inside"
check "is built" expect_exit 0 "$reconcile" .
rm -rf "$XDG_CACHE_HOME"
check "is read by the service account" bash -c "'$reconcile' build status inside -n shop --bom | grep -q left-pad"
account "secrets: []"
rm -rf "$XDG_CACHE_HOME"
check "and not without" expect_exit 1 "$reconcile" build status inside -n shop --bom
account "imagePullSecrets: [{name: pull}]"
rm -rf "$work/open/data/docker/registry/v2/repositories/apps/app"
check "an image that is not there" expect_exit 1 "$reconcile" build status app -n shop -b 1 --bom
check "is said to be gone" grep -Eq "the image '$open/apps/app@sha256:[0-9a-f]{64}' of build 1 of \"app\" is gone from its registry" "$work/err"
kill "$private_pid"
check "a registry that does not answer" expect_exit 1 "$reconcile" build status inside -n shop --bom
check "is another matter" bash -c "grep -q '$private' '$work/err' && ! grep -q 'is gone' '$work/err'"
exit $failed
