#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# prepare.sh BUILD FOLDER LISTENER IMAGES CONFIGS: a registry, git servers over http and ssh, and a repository of manifests with
# that many Images and BuildConfigs in FOLDER. What is built tells LISTENER (host:port) that it really ran: object, mark of its
# manifest, text of its source. Writes FOLDER/world.env, prints "ready", serves until stdin closes.
set -euo pipefail
. "$(dirname "$0")/../lib/world.sh" "$(cd "$1" && pwd)"
to=$2 listener=$3 images=$4 configs=$5
rm -rf "$work"
work=$to
mkdir -p "$work/home" "$work/repos"
chmod 755 "$work"
export HOME=$work/home
git config --global user.name Tester
git config --global user.email tester@example.com
git config --global init.defaultBranch main
git config --global uploadpack.allowAnySHA1InWant true
stop() { stop_servers; git_servers_stop "$work/http"; git_servers_stop "$work/ssh"; }
trap stop EXIT
trap 'exit 143' TERM INT
for need in crun busybox skopeo docker-registry; do command -v $need >/dev/null || skip "$need is missing"; done

start_registry "$work/registry" >&2
registry=$SERVER_ADDR
git_repo_new "$work/repos/config.git"
git -C "$work/repos/config.git" config core.logAllRefUpdates always
http=$(git_http_start "$work/repos" "$work/http") || exit
ssh=$(git_ssh_start "$work/repos" "$work/ssh") || exit

# tell FOLDER OF SOURCE: shell that asks the listener, and fails or waits as the source says
tell() {
	cat <<-SH
		#!/bin/sh
		cd $1
		/bin/busybox wget -q -O /dev/null "http://$listener/\$OBJECT/\$MARK/\$(cat index.txt)/\$(cat /etc/motd)" || exit 9
		[ ! -f slow ] || sleep "\$(cat slow)"
		[ ! -f fail ] || { cat fail; exit 7; }
	SH
}
image() { skopeo copy -q --dest-tls-verify=false "oci:$work/layouts/$1" "docker://$registry/$2"; }

for tag in build run; do make_stack "$work/layouts/base" "$tag" "$tag" >/dev/null; done
bp=$work/bp
mkdir -p "$bp/bin"
printf 'api = "0.10"\n[buildpack]\nid = "test/page"\nversion = "1.0.0"\n[[targets]]\nos = "linux"\n' >"$bp/buildpack.toml"
printf '#!/bin/sh\nexit 0\n' >"$bp/bin/detect"
{
	tell .
	cat <<-'SH'
		mkdir -p "$CNB_LAYERS_DIR/page"
		cat index.txt >"$CNB_LAYERS_DIR/page/index.txt"
		printf '[types]\nlaunch = true\n' >"$CNB_LAYERS_DIR/page.toml"
	SH
} >"$bp/bin/build"
chmod +x "$bp/bin/detect" "$bp/bin/build"
make_buildpackage "$work/layouts/page" "$bp" test/page 1.0.0 >/dev/null
s2i=$work/s2i
mkdir -p "$s2i"/{bin,etc,tmp,opt/app,usr/libexec/s2i}
cp "$(command -v busybox)" "$s2i/bin/busybox"
for applet in sh cat cp env ls mkdir mv rm tar sleep; do ln -s busybox "$s2i/bin/$applet"; done
printf 'root:x:0:0::/root:/bin/sh\napp:x:1001:0::/opt/app:/bin/sh\n' >"$s2i/etc/passwd"
{ tell /tmp/src; echo 'cp -R /tmp/src/. /opt/app'; } >"$s2i/usr/libexec/s2i/assemble"
printf '#!/bin/sh\nexec cat /opt/app/index.txt\n' >"$s2i/usr/libexec/s2i/run"
chmod 755 "$s2i" "$s2i"/usr/libexec/s2i/*
chmod 777 "$s2i/opt/app"
chmod 1777 "$s2i/tmp"
echo s2i >"$s2i/etc/motd"
"$oci_image" "$work/layouts/s2i" 0 "$s2i" --user 1001 --env PATH=/bin --label io.openshift.s2i.scripts-url=image:///usr/libexec/s2i >/dev/null
image s2i:0 upstream/s2i:0
for tag in build run; do image base:$tag stacks/base:$tag; done
image page:1.0.0 buildpacks/page:1.0.0

git clone -q "$work/repos/config.git" "$work/config" 2>/dev/null
cd "$work/config"
sed -e '/buildpacks\/httpd/d' -e '/quickstart\/httpd/d' -e 's|buildpacks/site|buildpacks/page|; s|quickstart/site|test/page|' \
	-e "s|registry.local|$registry|" "$example/manifests/builder.yaml" >builder.yaml
cat >reconcile.yaml <<-YAML
	apiVersion: reconcile.dev/v1
	kind: Settings
	metadata: {name: settings}
	state: {lease: 120s, pushRetries: 25}
	streams: {registry: $registry/streams}
	updates: {branch: images}
	registries:
	- {prefix: $registry, insecure: true}
YAML
source_of() {
	git init -q --bare "$work/repos/$1.git"
	git clone -q "$work/repos/$1.git" "$work/sources/$1" 2>/dev/null
	app_commit "$work/sources/$1" index.txt 0 "first page"
}
mkdir -p "$work/sources"
for i in $(seq 0 $((images - 1))); do
	source_of "app$i"
	cat >"app$i.yaml" <<-YAML
		apiVersion: kpack.io/v1alpha2
		kind: Image
		metadata: {name: app$i, namespace: shop}
		spec:
		  tag: $registry/$([ "$i" = 0 ] && echo streams/shop/base:1 || echo "apps/app$i")
		  builder: {kind: ClusterBuilder, name: default}
		  source: {git: {url: "$http/app$i.git", revision: main}}
		  build:
		    env:
		    - {name: OBJECT, value: app$i}
		    - {name: MARK, value: "0"}
	YAML
done
cat >streams.yaml <<-YAML
	apiVersion: image.openshift.io/v1
	kind: ImageStream
	metadata: {name: s2i, namespace: shop}
	spec:
	  tags:
	  - name: latest
	    from: {kind: DockerImage, name: "$registry/upstream/s2i:0"}
	---
	apiVersion: image.openshift.io/v1
	kind: ImageStream
	metadata: {name: base, namespace: shop}
	spec:
	  tags:
	  - name: latest
	    from: {kind: ImageStreamTag, name: "1"}
YAML
for i in $(seq 0 $((configs - 1))); do
	source_of "web$i"
	cat >"web$i.yaml" <<-YAML
		apiVersion: image.openshift.io/v1
		kind: ImageStream
		metadata: {name: web$i, namespace: shop}
		---
		apiVersion: build.openshift.io/v1
		kind: BuildConfig
		metadata:
		  name: web$i
		  namespace: shop
		  annotations: {reconcile.dev/follow: commits}
		spec:
		  source: {git: {uri: "$http/web$i.git", ref: main}}
		  strategy:
		    sourceStrategy:
		      from: {kind: ImageStreamTag, name: "s2i:latest"}
		      env:
		      - {name: OBJECT, value: web$i}
		      - {name: MARK, value: "0"}
		  output:
		    to: {kind: ImageStreamTag, name: "web$i:latest"}
		  triggers:
		  - type: ConfigChange
		  - type: ImageChange
	YAML
done
cat >deployment.yaml <<-YAML
	apiVersion: apps/v1
	kind: Deployment
	metadata:
	  name: front
	  namespace: shop
	  annotations:
	    image.openshift.io/triggers: |
	      [{"from": {"kind": "ImageStreamTag", "name": "base:latest"}, "fieldPath": "spec.template.spec.containers[?(@.name==\"a\")].image"}]
	spec:
	  template:
	    spec:
	      containers:
	      - {name: a, image: none}
YAML
git add -A
git commit -qm manifests
git push -q origin HEAD:main
printf 'registry=%s\nhttp=%s\nssh=%s\n' "$registry" "$http" "$ssh" >"$work/world.env"
echo ready
cat >/dev/null
