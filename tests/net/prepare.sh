#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# prepare.sh BUILD WORLD REGISTRY-PORT SOURCES: fills the world, whose servers run, with one run that was made and with what the next one
# has to do: rebase an image, build two (from git and from an archive), compose a builder, import a tag and copy another.
set -euo pipefail
build=$1 world=$2 registry=127.0.0.1:$3 sources=$4
. "$(dirname "$0")/../lib/world.sh" "$build"
trap 'rm -rf "$work"' EXIT
mkdir -p "$world/home"
cp "$HOME/.gitconfig" "$world/home/"
export HOME=$world/home XDG_CACHE_HOME=$world/cache
push() { skopeo copy -q --dest-tls-verify=false "oci:$work/layouts/$1" "docker://$registry/$2"; }

for repo in app base state; do git_repo_new "$world/repos/$repo.git"; done
for repo in app base; do
	git clone -q "$world/repos/$repo.git" "$work/$repo" 2>/dev/null
	app_commit "$work/$repo" index.txt "page of $repo" "first page"
done
archive() { mkdir -p "$work/blob" "$world/files"; echo "$1" >"$work/blob/index.txt"; tar -C "$work/blob" --mtime=@0 --sort=name -czf "$world/files/blob.tar.gz" .; }
archive "page of blob"

bp=$work/buildpacks/page
mkdir -p "$bp/bin"
printf 'api = "0.10"\n[buildpack]\nid = "test/page"\nversion = "1.0.0"\n[[targets]]\nos = "linux"\n' >"$bp/buildpack.toml"
printf '#!/bin/sh\nexit 0\n' >"$bp/bin/detect"
cat >"$bp/bin/build" <<-'SH'
	#!/bin/sh
	mkdir -p "$CNB_LAYERS_DIR/page"
	cat index.txt >"$CNB_LAYERS_DIR/page/index.txt"
	printf '[types]\nlaunch = true\n' >"$CNB_LAYERS_DIR/page.toml"
SH
chmod +x "$bp/bin/detect" "$bp/bin/build"
make_buildpackage "$work/layouts/page" "$bp" test/page 1.0.0 >/dev/null
push page:1.0.0 buildpacks/page:1.0.0
for tag in build run; do
	make_stack "$work/layouts/base" $tag one >/dev/null
	push base:$tag stacks/base:$tag
done
thing() {
	mkdir -p "$work/thing"
	echo "$1" >"$work/thing/file"
	python3 "$oci" image "$work/layouts/thing" latest --layer "$work/thing" >/dev/null
	push thing:latest lib/thing:latest
}
thing one

mkdir -p "$HOME/.docker" "$world/config"
basic() { printf '%s' "$1" | base64; }
cat >"$HOME/.docker/config.json" <<-JSON
	{"auths": {"registry.test:5000": {"auth": "$(basic builder:registry-secret-1)"},
	           "upstream.test:5443": {"auth": "$(basic reader:upstream-secret-2)"}}}
JSON
cd "$world/config"
git init -q
image() { # NAME SOURCE
	cat >"$1.yaml" <<-YAML
		apiVersion: kpack.io/v1alpha2
		kind: Image
		metadata: {name: $1, namespace: shop}
		spec:
		  tag: registry.test:5000/apps/$1
		  builder: {kind: ClusterBuilder, name: default}
		  serviceAccountName: default
		  source: $2
	YAML
}
image app "{git: {url: \"$sources/app.git\", revision: main}}"
image base '{git: {url: "http://git.test:8080/base.git", revision: main}}'
image blob '{blob: {url: "http://files.test:8081/blob.tar.gz"}}'
cat >world.yaml <<-YAML
	apiVersion: v1
	kind: Secret
	metadata: {name: git, namespace: shop, annotations: {kpack.io/git: "http://git.test:8080"}}
	type: kubernetes.io/basic-auth
	stringData: {username: me, password: git-secret-3}
	---
	apiVersion: v1
	kind: Secret
	metadata: {name: gittls, namespace: shop, annotations: {kpack.io/git: "https://git.test:8443"}}
	type: kubernetes.io/basic-auth
	stringData: {username: me, password: git-secret-3}
	---
	apiVersion: v1
	kind: ServiceAccount
	metadata: {name: default, namespace: shop}
	secrets: [{name: git}, {name: gittls}$([ -e "$world/ssh/id" ] && echo ', {name: ssh}')]
	---
	apiVersion: kpack.io/v1alpha2
	kind: ClusterStack
	metadata: {name: base}
	spec:
	  id: dev.reconcile.stacks.quickstart
	  buildImage: {image: "registry.test:5000/stacks/base:build"}
	  runImage: {image: "registry.test:5000/stacks/base:run"}
	---
	apiVersion: kpack.io/v1alpha2
	kind: ClusterStore
	metadata: {name: default}
	spec: {sources: [{image: "registry.test:5000/buildpacks/page:1.0.0"}]}
	---
	apiVersion: kpack.io/v1alpha2
	kind: ClusterBuilder
	metadata: {name: default}
	spec:
	  tag: registry.test:5000/builders/default
	  serviceAccountRef: {name: default, namespace: shop}
	  stack: {name: base, kind: ClusterStack}
	  store: {name: default, kind: ClusterStore}
	  order: [{group: [{id: test/page}]}]
	---
	apiVersion: image.openshift.io/v1
	kind: ImageStream
	metadata: {name: thing, namespace: shop}
	spec:
	  tags:
	  - name: latest
	    annotations: {reconcile.dev/import-interval: 1m}
	    from: {kind: DockerImage, name: "upstream.test:5443/lib/thing:latest"}
	    importPolicy: {scheduled: true}
	  - name: kept
	    annotations: {reconcile.dev/import-interval: 1m}
	    from: {kind: DockerImage, name: "upstream.test:5443/lib/thing:latest"}
	    importPolicy: {scheduled: true}
	    referencePolicy: {type: Local}
YAML
[ ! -e "$world/ssh/id" ] || cat >ssh.yaml <<-YAML
	apiVersion: v1
	kind: Secret
	metadata: {name: ssh, namespace: shop, annotations: {kpack.io/git: "root@ssh.test:2222"}}
	type: kubernetes.io/ssh-auth
	stringData:
	  known_hosts: "$(cat "$world/ssh/known_hosts")"
	  ssh-privatekey: |
	$(sed 's/^/    /' "$world/ssh/id")
YAML
cat >reconcile.yaml <<-YAML
	apiVersion: reconcile.dev/v1
	kind: Settings
	registries:
	- {prefix: "registry.test:5000", insecure: true}
	- {prefix: "upstream.test:5443", caFile: "$world/tls/ca.pem"}
	git:
	- {host: "git.test:8443", caFile: "$world/tls/ca.pem"}
	streams: {registry: "registry.test:5000/streams"}
	retries: 20
YAML
git add -A && git commit -qm manifests
"$reconcile" --now 2030-01-01T00:00:00Z . || exit 1
# what no machine remembers: runners of CI come without
rm -rf "$world/cache"

app_commit "$work/app" index.txt "second page of app" "second page"
archive "second page of blob"
make_stack "$work/layouts/base" run two >/dev/null
push base:run stacks/base:run
thing two
