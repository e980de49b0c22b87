#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# prepare.sh BUILD FOLDER: a world in FOLDER where one run has been made, and where the next has to rebase an image, build
# another because of a commit and of what it watches, import a tag, build from source with the image behind that tag, and
# edit a workload. Nothing in it names FOLDER, so that it can be copied; git's folders are config, app.git, web.git.
set -euo pipefail
. "$(dirname "$0")/../lib/world.sh" "$(cd "$1" && pwd)"
trap 'rm -rf "$work"' EXIT
for need in crun busybox; do command -v $need >/dev/null || skip "$need is missing"; done
to=$2

build_world
add_image base
add_image app
sed -i 's|tag: registry.local/apps/base|tag: registry.local/streams/shop/base:1|' base.yaml
sed -i 's|^  labels: {app: app}|  annotations:\n    image.openshift.io/triggers: '"'"'[{"from":{"kind":"ImageStreamTag","name":"base:latest"}}]'"'"'|' app.yaml
printf 'streams: {registry: registry.local/streams}\nupdates: {branch: images}\n' >>reconcile.yaml

# s2i_builder TEXT: an image with the scripts of source-to-image, which somebody else publishes.
s2i_builder() {
	local root=$work/s2i-root applet
	rm -rf "$root"
	mkdir -p "$root"/{bin,etc,tmp,opt/app,usr/libexec/s2i}
	cp "$(command -v busybox)" "$root/bin/busybox"
	for applet in sh cat cp env ls mkdir mv rm tar; do ln -s busybox "$root/bin/$applet"; done
	printf 'root:x:0:0::/root:/bin/sh\napp:x:1001:0::/opt/app:/bin/sh\n' >"$root/etc/passwd"
	echo "$1" >"$root/etc/motd"
	printf '#!/bin/sh\ncd /opt/app && cp -R /tmp/src/. . && cp /etc/motd motd\n' >"$root/usr/libexec/s2i/assemble"
	printf '#!/bin/sh\ncd /opt/app && exec cat index.html motd\n' >"$root/usr/libexec/s2i/run"
	chmod 755 "$root" "$root"/usr/libexec/s2i/*
	chmod 777 "$root/opt/app"
	chmod 1777 "$root/tmp"

	"$oci_image" "$work/registry/registry.local/upstream/s2i" latest "$root" --user 1001 --env PATH=/bin \
		--label io.openshift.s2i.scripts-url=image:///usr/libexec/s2i >/dev/null
	rm -rf "$root"
}
s2i_builder one
git init -q --bare "$work/web.git"
git clone -q "$work/web.git" "$work/web" 2>/dev/null
app_commit "$work/web" index.html "page of web" "first page"
cat >web.yaml <<'YAML'
apiVersion: image.openshift.io/v1
kind: ImageStream
metadata: {name: s2i, namespace: shop}
spec:
  tags:
  - name: latest
    annotations: {reconcile.dev/import-interval: 1m}
    from: {kind: DockerImage, name: "registry.local/upstream/s2i:latest"}
    importPolicy: {scheduled: true}
---
apiVersion: image.openshift.io/v1
kind: ImageStream
metadata: {name: web, namespace: shop}
---
apiVersion: image.openshift.io/v1
kind: ImageStream
metadata: {name: base, namespace: shop}
spec:
  tags:
  - name: latest
    from: {kind: ImageStreamTag, name: "1"}
---
apiVersion: build.openshift.io/v1
kind: BuildConfig
metadata:
  name: web
  namespace: shop
  annotations: {reconcile.dev/follow: commits}
spec:
  source: {git: {uri: ../web.git, ref: main}}
  strategy:
    sourceStrategy:
      from: {kind: ImageStreamTag, name: "s2i:latest"}
  output:
    to: {kind: ImageStreamTag, name: "web:latest"}
  triggers:
  - type: ConfigChange
  - type: ImageChange
YAML
cat >deployment.yaml <<'YAML'
apiVersion: apps/v1
kind: Deployment
metadata:
  name: front
  namespace: shop
  annotations:
    image.openshift.io/triggers: |
      [{"from": {"kind": "ImageStreamTag", "name": "base:latest"}, "fieldPath": "spec.template.spec.containers[?(@.name==\"a\")].image"},
       {"from": {"kind": "ImageStreamTag", "name": "web:latest"}, "fieldPath": "spec.template.spec.containers[?(@.name==\"b\")].image"}]
spec:
  template:
    spec:
      containers:
      - name: a
        image: none # kept up to date
      - name: b
        image: none # this one too
YAML
git add -A && git commit -qm manifests
"$reconcile" --write=commit --now 2030-01-01T00:00:00Z . >"$work/first.log" 2>&1 || { cat "$work/first.log"; exit 1; }

make_stack "$work/registry/registry.local/stacks/base" run two >/dev/null
s2i_builder two
app_commit "$work/app" index.txt "second page of app" "second page"
rm -rf "$work/check.log" "$work/first.log"
cd /
mv "$work" "$to"
