#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builders composed of everything that offers buildpacks: packages of one and of several, in layers of their own and in one; a
# builder image; Buildpack and ClusterBuildpack. What comes out is read by others, is the same wherever and whenever it is
# composed, and builds.
set -euo pipefail
. "$(dirname "$0")/../lib/world.sh" "$1"
for need in python3 skopeo umoci docker-registry crun; do command -v $need >/dev/null || skip "$need is missing"; done
cleanup() { stop_servers; rm -rf "$work"; }
trap cleanup EXIT
oci="python3 $top/tests/lib/oci.py"
images=$work/registry/registry.local

# buildpack FOLDER ID VERSION [ORDER…]: one that prints its name; with an order a composite.
buildpack() {
	local dir=$work/bp/$1 member
	mkdir -p "$dir/bin"
	printf 'api = "0.10"\n[buildpack]\nid = "%s"\nversion = "%s"\nhomepage = "https://example.com/%s"\n' "$2" "$3" "$2" >"$dir/buildpack.toml"
	if [ $# -gt 3 ]; then
		rm -r "$dir/bin"
		printf '[[order]]\n' >>"$dir/buildpack.toml"
		for member in "${@:4}"; do
			printf '[[order.group]]\nid = "%s"\nversion = "%s"\n' "${member%@*}" "${member#*@}" >>"$dir/buildpack.toml"
		done
		return
	fi
	printf '[[targets]]\nos = "linux"\n' >>"$dir/buildpack.toml"
	printf '#!/bin/sh\nexit 0\n' >"$dir/bin/detect"
	printf '#!/bin/sh\necho "%s@%s builds"\n' "$2" "$3" >"$dir/bin/build"
	head -c "${#1}000" /dev/urandom >"$dir/size"
	chmod 755 "$dir"/bin/*
}
note "images"
{
make_stack "$images/stacks/base" build one >/dev/null
make_stack "$images/stacks/base" run one >/dev/null
$oci image "$images/stacks/base" build --base build --label 'io.buildpacks.stack.mixins=["git","build:make"]'
$oci image "$images/stacks/base" run --base run --label 'io.buildpacks.stack.mixins=["git","run:tz"]'
buildpack low acme/tool 1.9.0
buildpack high acme/tool 1.10.0
buildpack pre acme/tool 1.10.0-rc.1
buildpack leaf acme/leaf 0.1.0
buildpack other acme/other 0.2.0
buildpack inner acme/inner 1.0.0 acme/leaf@0.1.0
buildpack outer acme/outer 2.0.0 acme/inner@1.0.0 acme/other@0.2.0
buildpack own acme/own 3.0.0
buildpack shared acme/shared 4.0.0
buildpack in-builder acme/inbuilder 5.0.0
for one in low high pre; do $oci buildpackage "$images/bp/tool" "$one" "$work/bp/$one"; done
$oci buildpackage "$images/bp/outer" 1 "$work/bp/outer" "$work/bp/inner" "$work/bp/leaf" "$work/bp/other" --flatten
$oci buildpackage "$images/bp/own" 1 "$work/bp/own"
$oci buildpackage "$images/bp/shared" 1 "$work/bp/shared"
cp -r "$images/stacks/base" "$work/registry/registry.local/foreign"
$oci builder "$images/foreign" 1 --base build --run-image registry.local/stacks/base:run --order '[{"group":[{"id":"acme/inbuilder","version":"5.0.0"}]}]' \
	"$work/bp/in-builder"
mkdir -p "$work/lc/cnb/lifecycle" "$work/lc0/tmp"
printf '#!/bin/sh\n' >"$work/lc/cnb/lifecycle/detector"
chmod 755 "$work/lc/cnb/lifecycle/detector"
$oci image "$images/lifecycle" 1 --layer "$work/lc0" --layer "$work/lc" --label io.buildpacks.lifecycle.version=0.20.5 \
	--label 'io.buildpacks.lifecycle.apis={"buildpack":{"deprecated":["0.7"],"supported":["0.8","0.9","0.10"]},"platform":{"deprecated":[],"supported":["0.7","0.8","0.12"]}}'

} >/dev/null

note "manifests"
mkdir -p "$work/src" "$work/config"
echo text >"$work/src/index.txt"
cp "$example/manifests/reconcile.yaml" "$work/config"
cat >"$work/config/all.yaml" <<'YAML'
apiVersion: kpack.io/v1alpha2
kind: ClusterStack
metadata: {name: base}
spec:
  id: dev.reconcile.stacks.quickstart
  buildImage: {image: registry.local/stacks/base:build}
  runImage: {image: registry.local/stacks/base:run}
---
apiVersion: kpack.io/v1alpha2
kind: ClusterStore
metadata: {name: store}
spec:
  sources:
  - image: registry.local/bp/tool:low
  - image: registry.local/bp/tool:high
  - image: registry.local/bp/tool:pre
  - image: registry.local/bp/outer:1
  - image: registry.local/foreign:1
---
apiVersion: kpack.io/v1alpha2
kind: Buildpack
metadata: {name: own}
spec: {image: registry.local/bp/own:1}
---
apiVersion: kpack.io/v1alpha2
kind: ClusterBuildpack
metadata: {name: shared}
spec: {image: registry.local/bp/shared:1}
---
apiVersion: kpack.io/v1alpha2
kind: ClusterLifecycle
metadata: {name: upstream}
spec: {image: registry.local/lifecycle:1}
---
apiVersion: kpack.io/v1alpha2
kind: Builder
metadata: {name: all}
spec:
  tag: registry.local/builders/all
  stack: {name: base, kind: ClusterStack}
  store: {name: store, kind: ClusterStore}
  lifecycle: {name: upstream, kind: ClusterLifecycle}
  additionalLabels: {com.example.team: platform, "com.example.quote": 'a "b"'}
  order:
  - group:
    - id: acme/outer
    - id: acme/tool
    - id: acme/inbuilder
      optional: true
    - {name: own, kind: Buildpack}
    - {name: shared, kind: ClusterBuildpack}
---
apiVersion: kpack.io/v1alpha2
kind: Image
metadata: {name: app}
spec:
  tag: registry.local/apps/app
  builder: {name: all, kind: Builder}
  source: {local: {path: ../src}}
YAML
git init -q "$work/config"
git -C "$work/config" add -A
git -C "$work/config" commit -qm config
cp -r "$work/registry" "$work/registry-0"
cd "$work/config"
builder=registry.local/builders/all:builder-default-all
latest() { git show reconcile/state:default/builders/all.yaml | sed -n 's/^  latestImage: .*@//p'; }

note "a layout"
check "the builder is composed and builds" expect_exit 0 "$reconcile" .
digest=$(latest)
note "$builder@$digest"
check "all buildpacks of the order took part" bash -c "'$reconcile' build logs app >'$work/log' &&
	for one in acme/leaf@0.1.0 acme/other@0.2.0 acme/tool@1.10.0 acme/inbuilder@5.0.0 acme/own@3.0.0 acme/shared@4.0.0; do grep -q \"\$one builds\" '$work/log' || exit 1; done"
check "nothing is left to do" expect_exit 0 "$reconcile" --expect-no-changes .

cat >"$work/look.py" <<'PYTHON'
import gzip, hashlib, io, json, subprocess, sys, tarfile, tomllib
layout, tag = sys.argv[1:3]
def blob(d):
    with open(f"{layout}/blobs/sha256/{d[7:]}", "rb") as f:
        data = f.read()
    assert hashlib.sha256(data).hexdigest() == d[7:]
    return data
index = json.load(open(f"{layout}/index.json"))
names = {m["annotations"]["org.opencontainers.image.ref.name"]: m["digest"] for m in index["manifests"]}
manifest = json.loads(blob(names[tag]))
config = json.loads(blob(manifest["config"]["digest"]))
labels = config["config"]["Labels"]
assert config["config"]["WorkingDir"] == "/layers", config["config"]
assert "CNB_USER_ID=1000" in config["config"]["Env"] and config["config"]["User"] == "1000:1000"
assert len(manifest["layers"]) == len(config["rootfs"]["diff_ids"]) == len([h for h in config["history"] if not h.get("empty_layer")])
assert config["created"] == "1980-01-01T00:00:01Z"
metadata = json.loads(labels["io.buildpacks.builder.metadata"])
run = metadata["stack"]["runImage"]
assert set(run) == {"image", "mirrors"} and run["mirrors"] is None
assert run["image"] == "registry.local/builders/all@" + names[tag + "-run-image"], run
assert metadata["lifecycle"] == {
    "version": "0.20.5", "api": metadata["lifecycle"]["api"],
    "apis": {"buildpack": {"deprecated": ["0.7"], "supported": ["0.8", "0.9", "0.10"]}, "platform": {"deprecated": [], "supported": ["0.7", "0.8", "0.12"]}}}
assert set(metadata["lifecycle"]["api"]) == {"buildpack", "platform"}
assert set(metadata["createdBy"]) == {"name", "version"} and metadata["description"]
order = json.loads(labels["io.buildpacks.buildpack.order"])
assert order == [{"group": [
    {"id": "acme/outer", "version": "2.0.0"}, {"id": "acme/tool", "version": "1.10.0"}, {"id": "acme/inbuilder", "version": "5.0.0", "optional": True},
    {"id": "acme/own", "version": "3.0.0"}, {"id": "acme/shared", "version": "4.0.0"}]}], order
layers = json.loads(labels["io.buildpacks.buildpack.layers"])
assert set(layers) == {"acme/outer", "acme/inner", "acme/leaf", "acme/other", "acme/tool", "acme/inbuilder", "acme/own", "acme/shared"}, set(layers)
assert set(layers["acme/tool"]) == {"1.10.0"}
assert layers["acme/outer"]["2.0.0"]["order"] == [{"group": [{"id": "acme/inner", "version": "1.0.0"}, {"id": "acme/other", "version": "0.2.0"}]}]
assert layers["acme/leaf"]["0.1.0"]["homepage"] == "https://example.com/acme/leaf" and layers["acme/leaf"]["0.1.0"]["api"] == "0.10"
flat = {layers[i][v]["layerDiffID"] for i, v in (("acme/outer", "2.0.0"), ("acme/inner", "1.0.0"), ("acme/leaf", "0.1.0"), ("acme/other", "0.2.0"))}
assert len(flat) == 1, flat
diff_ids = config["rootfs"]["diff_ids"]
assert len(set(diff_ids)) == len(diff_ids)
at = {d: i for i, d in enumerate(diff_ids)}
sizes = {d: manifest["layers"][i]["size"] for d, i in at.items()}
listed = [(b["id"], b["version"]) for b in metadata["buildpacks"]]
assert len(listed) == 8
keys = [(sizes[layers[i][v]["layerDiffID"]], f"{i}@{v}") for i, v in listed]
assert keys == sorted(keys, reverse=True), keys
places = [at[layers[i][v]["layerDiffID"]] for i, v in listed]
assert places == sorted(places), "layers are in the same order"
assert labels["io.buildpacks.lifecycle.version"] == "0.20.5" and json.loads(labels["io.buildpacks.lifecycle.apis"]) == metadata["lifecycle"]["apis"]
assert labels["io.buildpacks.stack.id"] == "dev.reconcile.stacks.quickstart" and json.loads(labels["io.buildpacks.stack.mixins"]) == ["git", "build:make"]
assert labels["com.example.team"] == "platform" and labels["com.example.quote"] == 'a "b"'
files = {}
for i, layer in enumerate(manifest["layers"]):
    assert layer["mediaType"].startswith("application/vnd.oci.image.layer.v1.tar"), layer
    data = gzip.decompress(blob(layer["digest"]))
    assert "sha256:" + hashlib.sha256(data).hexdigest() == diff_ids[i]
    for info in (tar := tarfile.open(fileobj=io.BytesIO(data))):
        # Folders are ours, the first time: other layers name theirs too.
        if info.isdir() and "/" + info.name.lstrip("./") in files:
            continue
        files["/" + info.name.lstrip("./")] = (info, tar.extractfile(info).read() if info.isfile() else None, i)
for folder, uid in (("/workspace", 1000), ("/layers", 1000), ("/cnb", 0), ("/cnb/buildpacks", 0), ("/platform", 0), ("/platform/env", 0)):
    info = files[folder][0]
    assert info.isdir() and info.uid == uid and info.mode == 0o755 and info.mtime == 315532801, (folder, info.uid, info.mtime)
assert tomllib.loads(files["/cnb/stack.toml"][1].decode()) == {"run-image": {"image": run["image"]}}
assert tomllib.loads(files["/cnb/run.toml"][1].decode()) == {"images": [{"image": run["image"]}]}
assert tomllib.loads(files["/cnb/order.toml"][1].decode()) == {"order": order}
for name in ("/cnb/stack.toml", "/cnb/run.toml", "/cnb/order.toml"):
    assert files[name][0].mode == 0o644 and files[name][0].uid == 0 and files[name][0].mtime == 315532801
assert files["/cnb/lifecycle/detector"][2] < min(places), "the lifecycle lies below the buildpacks"
for i, v in listed:
    assert f"/cnb/buildpacks/{i.replace('/', '_')}/{v}/buildpack.toml" in files
PYTHON
check "labels, files, layers and config are as kpack's" python3 "$work/look.py" "$images/builders/all" builder-default-all
check "skopeo reads it" bash -c "skopeo inspect 'oci:$images/builders/all:builder-default-all' | python3 -c 'import json,sys; assert json.load(sys.stdin)[\"Digest\"] == \"$digest\"'"
check "umoci unpacks it" umoci unpack --rootless --image "$images/builders/all:builder-default-all" "$work/bundle"
check "with what a lifecycle looks for" bash -c "cd '$work/bundle/rootfs/cnb' && ls order.toml stack.toml run.toml lifecycle/detector buildpacks/acme_tool/1.10.0/bin/build buildpacks/acme_leaf/0.1.0/bin/build"

note "tags"
tags_of() { python3 -c 'import json,sys; print(" ".join(sorted(m["annotations"]["org.opencontainers.image.ref.name"] + "=" + m["digest"] for m in json.load(open(sys.argv[1]))["manifests"])))' "$images/builders/all/index.json"; }
check "a builder that was pushed has a tag of the time too" bash -c "[[ '$(tags_of)' =~ ^20[0-9]{12}=$digest\ builder-default-all-run-image=sha256:[0-9a-f]*\ builder-default-all=$digest$ ]] || { echo '$(tags_of)'; exit 1; }"
tags_before=$(tags_of)
git update-ref -d refs/heads/reconcile/state
check "one that is there already is not tagged again" expect_exit 0 "$reconcile" --only Builder/default/all --only ClusterStack/base --only ClusterStore/store \
	--only Buildpack/default/own --only ClusterBuildpack/shared --only ClusterLifecycle/upstream --now 2030-01-02T03:04:05Z .
check "… as its tags say" [ "$(tags_of)" = "$tags_before" ]

note "another place, another day: the same digest"
again() {
	rm -rf "$work/registry" "$work/cache/reconcile"
	cp -r "$work/registry-0" "$work/registry"
	git update-ref -d refs/heads/reconcile/state
	"$reconcile" "$@" --only Builder/default/all . >"$work/out" 2>&1 || { cat "$work/out"; return 1; }
	[ "$(latest)" = "$digest" ] || { echo "$(latest) is not $digest"; return 1; }
}
# What is selected alone still needs its parts.
parts="--only ClusterStack/base --only ClusterStore/store --only Buildpack/default/own --only ClusterBuildpack/shared --only ClusterLifecycle/upstream"
# shellcheck disable=SC2086
check "fresh caches" again $parts
# shellcheck disable=SC2086
check "years later" again $parts --now 2031-05-06T07:08:09Z
check "with the tag of that time" bash -c "[[ '$(tags_of)' == 20310506070809=$digest\ * ]]"
start_registry "$work/server"
address=$SERVER_ADDR
(cd "$work/registry-0/registry.local" && find . -name index.json -printf '%h\n') | while read -r name; do
	name=${name#./}
	python3 -c 'import json,sys; [print(m["annotations"]["org.opencontainers.image.ref.name"]) for m in json.load(open(sys.argv[1]))["manifests"]]' \
		"$work/registry-0/registry.local/$name/index.json" | while read -r tag; do
		skopeo copy -q --dest-tls-verify=false "oci:$work/registry-0/registry.local/$name:$tag" "docker://$address/$name:$tag"
	done
done
sed -i "s|layout: ../registry|location: $address|" reconcile.yaml
printf -- '- prefix: %s\n  insecure: true\n' "$address" >>reconcile.yaml
# shellcheck disable=SC2086
check "a registry server instead of folders" again $parts
check "skopeo reads it there" bash -c "skopeo inspect --tls-verify=false 'docker://$address/builders/all:builder-default-all' | grep -q '$digest'"
check "a build with it" expect_exit 0 "$reconcile" .
check "and a second run has nothing to do" expect_exit 0 "$reconcile" --expect-no-changes .

note "versions that come and go"
buildpack higher acme/tool 1.11.0
$oci buildpackage "$work/more" 1 "$work/bp/higher" >/dev/null
skopeo copy -q --dest-tls-verify=false "oci:$work/more:1" "docker://$address/bp/tool:higher"
sed -i 's|  - image: registry.local/bp/tool:pre|  - image: registry.local/bp/tool:higher|' all.yaml
check "a higher version" expect_exit 0 "$reconcile" .
check "is what the builder has then, and a reason to build" says "acme/tool 1.10.0 → 1.11.0"
check "that is the log's too" bash -c "'$reconcile' build logs app | grep -q 'acme/tool@1.11.0 builds'"
sed -i '/bp\/tool:h/d' all.yaml
check "a version that was taken back" expect_exit 0 "$reconcile" .
check "goes down" says "acme/tool 1.11.0 → 1.9.0"
sed -i '/bp\/tool:/d' all.yaml
check "one that is gone: the builder fails" expect_exit 4 "$reconcile" .
check "with kpack's text" says "could not find buildpack with id 'acme/tool'"
check "it stays ready, and says that it is not up to date" bash -c "git show reconcile/state:default/builders/all.yaml | grep -q ReconcileFailed && '$reconcile' builder list | grep -q -i 'all.*true'"
exit $failed
