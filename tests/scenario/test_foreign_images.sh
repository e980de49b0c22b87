#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Images as others make them: stacks as indexes of platforms, with zstd layers, whiteouts, hard links, empty layers and odd
# tar entries; packages of composite buildpacks in many layers or in one; builders as `pack` lays them out, as sources of a
# store and used as they are, with and without image extensions. Everything is made on the spot; skopeo, umoci and podman
# judge the results.
set -euo pipefail
. "$(dirname "$0")/../lib/world.sh" "$1"
for tool in docker-registry skopeo umoci python3 zstd; do
	command -v $tool >/dev/null || skip "$tool is missing"
done
trap 'stop_servers; rm -rf "$work"' EXIT

note "a registry, a stack of several layers"
start_registry "$work/registry"
registry=$SERVER_ADDR
images=$work/images
make_stack "$images" plain one >/dev/null
python3 - "$work" <<'PY'
import io, sys, tarfile

def tar(name, form, entries):
    with tarfile.open(f"{sys.argv[1]}/{name}.tar", "w", format=form) as out:
        for path, kind, rest in entries:
            info = tarfile.TarInfo(path)
            data = rest.pop("data", "").encode()
            info.type, info.size, info.mode = kind, len(data), rest.pop("mode", 0o755)
            info.pax_headers = rest.pop("pax", {})
            for key, value in rest.items():
                setattr(info, key, value)
            out.addfile(info, io.BytesIO(data))

F, D, L, S = tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.LNKTYPE, tarfile.SYMTYPE
tar("first", tarfile.GNU_FORMAT, [
    ("./opt/gone/", D, {}), ("opt/gone/file", F, {"data": "x"}),
    ("opt/kept/old", F, {"data": "x"}), ("etc/removed", F, {"data": "x"}),
    ("opt/suid", F, {"data": "#!/bin/sh\n", "mode": 0o4755}), ("opt/hard", L, {"linkname": "opt/suid", "mode": 0o4755}),
    ("opt/" + "d" * 120 + "/" + "n" * 180, F, {"data": "long"}),
    ("opt/null", tarfile.CHRTYPE, {"devmajor": 1, "devminor": 3, "mode": 0o666}), ("opt/fifo", tarfile.FIFOTYPE, {"mode": 0o600}),
    ("opt/abs", S, {"linkname": "/etc/passwd"}), ("opt/up", S, {"linkname": "../../../../etc/passwd"}),
    ("/opt/absolute", F, {"data": "x"}), ("./opt/.//slashes", F, {"data": "x"}),
    ("opt/big", F, {"data": "x", "uid": 3000000000, "gid": 3000000000}), ("opt/no/parents", F, {"data": "x"})])
tar("second", tarfile.PAX_FORMAT, [
    ("opt/.wh.gone", F, {}), ("opt/gone/again", F, {"data": "again"}),
    ("opt/kept/.wh..wh..opq", F, {}), ("opt/kept/new", F, {"data": "new"}),
    ("etc/.wh.removed", F, {}), ("opt/xattr", F, {"data": "x", "pax": {"SCHILY.xattr.user.hello": "world"}})])
tar("empty", tarfile.PAX_FORMAT, [])
PY
layers=(--layer "$work/first.tar" --layer "$work/second.tar" --layer "$work/empty.tar" --layer "$work/empty.tar")
# stack NAME MOTD: another build and run image under the same tags; the arm64 one must not be taken.
stack() {
	make_stack "$images" plain "$1" >/dev/null
	"$oci" image "$images" build-amd --base plain "${layers[@]}" --compress zstd
	"$oci" image "$images" run-amd --base plain "${layers[@]}"
	"$oci" image "$images" arm --layer "$work/empty.tar" --arch other
	for kind in build run; do
		"$oci" index "$images" $kind linux/other=arm "linux/$arch=$kind-amd"
		push $kind stacks/base:$kind
	done
} >/dev/null
arch=$("$oci" config "$images" plain | sed -n 's/.*"architecture": "\(.*\)".*/\1/p')
push() { skopeo copy -q --all --dest-tls-verify=false "oci:$images:$1" "docker://$registry/$2"; }
stack one

note "buildpacks: a composite in a composite, one that is read from a builder, one that asks for an extension"
# buildpack NAME DETECT BUILD: a folder as an author publishes it.
buildpack() {
	mkdir -p "$work/$1/bin"
	printf 'api = "0.10"\n[buildpack]\nid = "test/%s"\nversion = "1"\n[[targets]]\nos = "linux"\n' "$1" >"$work/$1/buildpack.toml"
	printf '#!/bin/sh\nset -eu\n%s\n' "$2" >"$work/$1/bin/detect"
	printf '#!/bin/sh\nset -eu\n%s\n' "$3" >"$work/$1/bin/build"
	chmod +x "$work/$1/bin/"*
}
# composite NAME MEMBER…
composite() {
	mkdir -p "$work/$1"
	printf 'api = "0.10"\n[buildpack]\nid = "test/%s"\nversion = "1"\n[[order]]\n' "$1" >"$work/$1/buildpack.toml"
	for member in "${@:2}"; do
		printf '[[order.group]]\nid = "test/%s"\nversion = "1"\n' "$member" >>"$work/$1/buildpack.toml"
	done
}
buildpack world 'printf "[[provides]]\nname = \"world\"\n" >"$2"' 'cat "$3"'
buildpack moon 'printf "[[requires]]\nname = \"world\"\n" >"$2"' \
	'{ ls -A /opt/gone /opt/kept; ls /etc/removed 2>&1 || true; cat /opt/no/parents; } >seen.txt
mkdir "$1/tool"; printf "[types]\nlaunch = true\n" >"$1/tool.toml"; printf "#!/bin/sh\ncat /workspace/seen.txt\n" >"$1/tool/run"; chmod +x "$1/tool/run"
printf "[[processes]]\ntype = \"web\"\ncommand = [\"$1/tool/run\"]\ndefault = true\n" >"$1/launch.toml"'
buildpack never 'exit 100' 'exit 1'
buildpack wants '[ -f wants-extension ] || exit 100
printf "[[requires]]\nname = \"tool\"\n" >"$2"' 'exit 0'
composite universe world moon
composite multiverse universe
mkdir -p "$work/extension/bin"
printf 'api = "0.10"\n[extension]\nid = "test/extension"\nversion = "1"\n' >"$work/extension/extension.toml"
printf '#!/bin/sh\nprintf "[[provides]]\\nname = \\"tool\\"\\n" >"$2"\n' >"$work/extension/bin/detect"
printf '#!/bin/sh\n[ ! -f wants-dockerfile ] || printf "FROM one\\nFROM two\\n" >"$CNB_OUTPUT_DIR/run.Dockerfile"\n' >"$work/extension/bin/generate"
chmod +x "$work"/extension/bin/*
"$oci" buildpackage "$images" multiverse "$work/multiverse" "$work/universe" "$work/world" "$work/moon" --compress zstd >/dev/null
"$oci" buildpackage "$images" flat "$work/multiverse" "$work/universe" "$work/world" "$work/moon" --flatten >/dev/null
"$oci" buildpackage "$images" docker "$work/never" --docker >/dev/null
"$oci" builder "$images" ready --base build-amd --run-image "$registry/stacks/base:run" \
	--order '[{"group":[{"id":"test/wants","version":"1"}]},{"group":[{"id":"test/never","version":"1","optional":true},{"id":"test/multiverse","version":"1"}]}]' \
	--extension "$work/extension" "$work/wants" "$work/never" "$work/multiverse" "$work/universe" "$work/world" "$work/moon" >/dev/null
push multiverse packages/multiverse
push flat packages/flat
push ready builders/ready

note "manifests"
mkdir -p "$work/config" "$work/app" "$work/app-extension" "$work/app-dockerfile"
echo hello >"$work/app/index.txt"
touch "$work/app-extension/wants-extension" "$work/app-dockerfile/wants-extension" "$work/app-dockerfile/wants-dockerfile"
builder() { # builder NAME STORE
	cat <<YAML
---
apiVersion: kpack.io/v1alpha2
kind: ClusterBuilder
metadata: {name: $1}
spec:
  tag: $registry/builders/$1
  serviceAccountRef: {name: default, namespace: default}
  stack: {name: base, kind: ClusterStack}
  store: {name: $2, kind: ClusterStore}
  order:
  - group: [{id: test/never, version: "1"}]
  - group: [{id: test/never, version: "1", optional: true}, {id: test/multiverse, version: "1"}]
YAML
}
image() { # image NAME BUILDER-KIND BUILDER FOLDER
	printf -- '---\napiVersion: kpack.io/v1alpha2\nkind: Image\nmetadata: {name: %s}\nspec:\n  tag: %s/apps/%s\n' "$1" "$registry" "$1"
	printf '  builder: {kind: %s, name: %s}\n  source: {local: {path: ../%s}}\n' "$2" "$3" "$4"
}
cat >"$work/config/parts.yaml" <<YAML
apiVersion: reconcile.dev/v1
kind: Settings
metadata: {name: settings}
registries:
- {prefix: $registry, insecure: true}
- {prefix: folder.local, layout: ./registry}
---
apiVersion: kpack.io/v1alpha2
kind: ClusterStack
metadata: {name: base}
spec:
  id: dev.reconcile.stacks.quickstart
  buildImage: {image: "$registry/stacks/base:build"}
  runImage: {image: "$registry/stacks/base:run"}
---
apiVersion: kpack.io/v1alpha2
kind: ClusterStore
metadata: {name: packages}
spec: {sources: [{image: "$registry/packages/multiverse"}, {image: "folder.local/never:docker"}]}
---
apiVersion: kpack.io/v1alpha2
kind: ClusterStore
metadata: {name: flat}
spec: {sources: [{image: "$registry/packages/flat"}, {image: "folder.local/never:docker"}]}
---
apiVersion: kpack.io/v1alpha2
kind: ClusterStore
metadata: {name: builders}
spec: {sources: [{image: "$registry/builders/ready"}]}
---
apiVersion: kpack.io/v1alpha2
kind: Builder
metadata: {name: ready}
spec: {image: "$registry/builders/ready"}
YAML
mkdir -p "$work/config/registry/folder.local"
cp -r "$images" "$work/config/registry/folder.local/never"
{
	builder packages packages
	builder flat flat
	builder from-builder builders
	image packages ClusterBuilder packages app
	image flat ClusterBuilder flat app
	image from-builder ClusterBuilder from-builder app
	image ready Builder ready app
} >"$work/config/images.yaml"
cd "$work/config"
git init -q
git add -A
git commit -qm "what we want"

note "runs"
check "everything is composed and built" expect_exit 0 "$reconcile" .
check "a second run has nothing to do" expect_exit 0 "$reconcile" --expect-no-changes .
image extension Builder ready app-extension >"$work/config/extension.yaml"
check "an image extension that only provides is followed" expect_exit 0 "$reconcile" .
image dockerfile Builder ready app-dockerfile >"$work/config/dockerfile.yaml"
check "one whose Dockerfile has two stages is refused" expect_exit 4 "$reconcile" .
check "by name" says "image extension 'test/extension@1': run.Dockerfile is not permitted to use multistage build"
rm "$work/config/extension.yaml" "$work/config/dockerfile.yaml"

note "what is in the images"
manifest() { skopeo inspect --raw --tls-verify=false "docker://$registry/apps/$1"; }
n_layers() { manifest "$1" | python3 -c 'import json, sys; print(len(json.load(sys.stdin)["layers"]))'; }
printf 'again\nnew\n' >"$work/want"
sees() { # the build saw the stack as it is meant: whiteouts applied, parents made
	rm -rf "$work/copy" "$work/bundle"
	skopeo copy -q --src-tls-verify=false "docker://$registry/apps/$1" "oci:$work/copy:latest" &&
		umoci unpack ${rootless:-} --image "$work/copy:latest" "$work/bundle" &&
		grep -qx again "$work/bundle/rootfs/workspace/seen.txt" && grep -qx new "$work/bundle/rootfs/workspace/seen.txt" &&
		! grep -qE '^(file|old|/etc/removed)$' "$work/bundle/rootfs/workspace/seen.txt" &&
		[ "$(stat -c '%h %a' "$work/bundle/rootfs/opt/hard")" = '2 4755' ] &&
		[ ! -e "$work/bundle/rootfs/etc/removed" ]
}
[ "$(id -u)" = 0 ] || rootless=--rootless
for name in packages flat from-builder ready; do
	check "umoci unpacks '$name'" sees $name
done
if [ "$(id -u)" = 0 ] && command -v podman >/dev/null && podman --root "$work/podman" --runroot "$work/podman-run" --storage-driver vfs info >/dev/null 2>&1; then
	check "podman pulls it" podman --root "$work/podman" --runroot "$work/podman-run" --storage-driver vfs pull -q \
		--tls-verify=false "$registry/apps/packages"
fi

note "another stack"
before=$(n_layers packages)
for motd in two three; do
	stack $motd
	check "the applications are put on stack $motd" expect_exit 0 "$reconcile" .
	check "by a rebase" says "rebase"
	check "that leaves nothing of the old one" [ "$(n_layers packages)" = "$before" ]
done
exit $failed
