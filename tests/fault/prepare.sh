#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# prepare.sh BUILD FOLDER [WORLD]: a world in FOLDER. Nothing in it names FOLDER, so that it can be copied; git's folders are
# config, app.git, web.git.
#   layouts   one run has been made; the next has to rebase an image, build another because of a commit and of what it watches,
#             import a tag, build from source with the image behind that tag, and edit a workload
#   first     the same before its first run
#   commands  the same after its second run, and a build that was killed
#   servers   as layouts; images are in a registry, one is cached there, repositories come over http (serve.sh)
#   dockerfile  one build has been made by buildah, the next has another Dockerfile
set -euo pipefail
world=${3:-layouts}
[ "$world" != servers ] || [ -n "${FAULT_NET:-}" ] || FAULT_NET=1 exec unshare --net bash "$0" "$@"
. "$(dirname "$0")/../lib/world.sh" "$(cd "$1" && pwd)"
fault=$top/tests/fault
trap 'rm -rf "$work"' EXIT
for need in crun busybox; do command -v $need >/dev/null || skip "$need is missing"; done
to=$2
# serve FOLDER: from here on; publish: the images of $work/registry get into the registry.
serve() {
	coproc server { bash "$fault/serve.sh" "$1"; }
	read -r said <&"${server[0]}" && [ "$said" = ready ] || skip "${said:-no servers}"
}
publish() {
	local image folder
	for folder in "$work"/registry/registry.local/*/*; do
		for image in $(python3 -c '
import json, sys
for one in json.load(open(sys.argv[1] + "/index.json"))["manifests"]:
    print(one["annotations"]["org.opencontainers.image.ref.name"])' "$folder"); do
			skopeo copy -q --dest-tls-verify=false "oci:$folder:$image" "docker://127.0.0.1:5000/${folder#*/registry.local/}:$image"
		done
	done
}
done_with() {
	rm -rf "$work/check.log" "$work/first.log" "$work/second.log"
	cd /
	if [ -n "${FAULT_NET:-}" ]; then
		exec {server[1]}>&-
		wait "$server_PID" || true
	fi
	mv "$work" "$to"
	exit
}

build_world
# run NAME HOUR: what it says is shown when it fails.
run() { "$reconcile" --write=commit --now "2030-01-01T0$2:00:00Z" . >"$work/$1.log" 2>&1 || { cat "$work/$1.log"; exit 1; }; }
if [ "$world" = dockerfile ]; then
	command -v buildah >/dev/null || skip "buildah is missing"
	rm builder.yaml
	cat >docker.yaml <<-'YAML'
		apiVersion: build.openshift.io/v1
		kind: BuildConfig
		metadata: {name: docker, namespace: shop}
		spec:
		  source: {dockerfile: "FROM registry.local/stacks/base:run\nUSER 0\nRUN echo text >/made\nRUN cat /made >/again\n"}
		  strategy: {dockerStrategy: {}}
		  output: {to: {kind: DockerImage, name: "registry.local/apps/docker:1"}}
		  triggers: [{type: ConfigChange}]
	YAML
	git add -A && git commit -qm manifests
	run first 0
	sed -i 's/text/other/' docker.yaml
	git commit -qam "another text"
	done_with
fi
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
	for applet in sh cat cp env ls mkdir mv rm sleep tar; do ln -s busybox "$root/bin/$applet"; done
	printf 'root:x:0:0::/root:/bin/sh\napp:x:1001:0::/opt/app:/bin/sh\n' >"$root/etc/passwd"
	echo "$1" >"$root/etc/motd"
	printf '#!/bin/sh\n[ ! -f /tmp/src/slow ] || sleep $(cat /tmp/src/slow)\ncd /opt/app && cp -R /tmp/src/. . && cp /etc/motd motd\n' >"$root/usr/libexec/s2i/assemble"
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
if [ "$world" = commands ]; then
	git init -q --bare "$work/late.git"
	git clone -q "$work/late.git" "$work/late" 2>/dev/null
	app_commit "$work/late" slow 3 "it takes its time"
	cat >late.yaml <<-'YAML'
		apiVersion: build.openshift.io/v1
		kind: BuildConfig
		metadata: {name: late, namespace: shop}
		spec:
		  source: {git: {uri: ../late.git, ref: main}}
		  strategy: {sourceStrategy: {from: {kind: ImageStreamTag, name: "s2i:latest"}}}
		  output: {to: {kind: DockerImage, name: "registry.local/apps/late:1"}}
	YAML
fi
if [ "$world" = servers ]; then
	sed -i 's|registry.local|127.0.0.1:5000|; s|\.\./\(app\|base\|web\)\.git|http://127.0.0.1:8080/\1.git|' ./*.yaml
	sed -i 's|^- prefix:.*|- prefix: "127.0.0.1:5000"|; s|^  layout:.*|  insecure: true|' reconcile.yaml
	printf '  cache: {registry: {tag: "127.0.0.1:5000/cache/app"}}\n' >>app.yaml
	for repository in app base web; do git -C "$work/$repository.git" config http.receivepack true; done
	git_repo_new "$work/config.git"
	git remote add origin http://127.0.0.1:8080/config.git
	serve "$work"
	publish
fi
git add -A && git commit -qm manifests
[ "$world" != servers ] || git push -q origin HEAD:main
[ "$world" != first ] || done_with
run first 0

make_stack "$work/registry/registry.local/stacks/base" run two >/dev/null
s2i_builder two
[ "$world" != servers ] || publish
app_commit "$work/app" index.txt "second page of app" "second page"
if [ "$world" = commands ]; then
	run second 1
	"$reconcile" start-build late -n shop --now 2030-01-01T02:00:00Z >"$work/first.log" 2>&1 &
	for _ in $(seq 200); do
		! grep -q started "$work/first.log" || break
		sleep 0.1
	done
	kill -9 $!
	wait $! || true
fi
done_with
