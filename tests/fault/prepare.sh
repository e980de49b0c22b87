#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# prepare.sh BUILD FOLDER [WORLD]: a world in FOLDER. Nothing in it names FOLDER, so that it can be copied; git's folders are
# config, app.git, web.git.
#   layouts   one run has been made; the next has to rebase an image, build another because of a commit and of what it watches,
#             import a tag, build from source with the image behind that tag, and edit a workload
#   first     the same before its first run
#   commands  the same after its second run, and a build that was killed
#   servers   as layouts; images are in a registry, one is cached there, repositories come over http (serve.sh)
#   ssh       as servers; repositories come over ssh
#   custom    one build has been made by a custom builder that pushes to a registry; the next has another text to push
#   pipeline  nothing has been made; there is a pipeline on a Jenkins server
#   dockerfile  one build has been made by buildah, the next has another Dockerfile
set -euo pipefail
world=${3:-layouts}
case $world in servers | ssh | custom | pipeline) [ -n "${FAULT_NET:-}" ] || FAULT_NET=1 exec unshare --net --mount bash "$0" "$@" ;; esac
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
	if [ -n "${server_PID:-}" ]; then
		exec {server[1]}>&-
		wait "$server_PID" || true
	fi
	mv "$work" "$to"
	exit
}

build_world
# run NAME HOUR: what it says is shown when it fails.
run() { "$reconcile" --write=commit --now "2030-01-01T0$2:00:00Z" . >"$work/$1.log" 2>&1 || { cat "$work/$1.log"; exit 1; }; }
# trust TEXT: settings of this user's own file, and that of the world's images in layouts.
trust() {
	mkdir -p "$HOME/.config/reconcile"
	printf 'apiVersion: reconcile.dev/v1\nkind: Settings\nmetadata: {name: settings}\n%s\n' "$1" >"$HOME/.config/reconcile/settings.yaml"
}
if [ "$world" = custom ]; then
	command -v curl >/dev/null || skip "curl is missing"
	root=$work/root
	mkdir -p "$root"/{bin,etc,tmp}
	cp "$(command -v busybox)" "$root/bin/busybox"
	for applet in sh cat cut mkdir sed sha256sum tar touch tr wc; do ln -s busybox "$root/bin/$applet"; done
	for file in "$(command -v curl)" $(ldd "$(command -v curl)" | grep -o '/[^ ]*'); do
		mkdir -p "$root$(dirname "$file")"
		cp "$file" "$root$file"
	done
	cat >"$root/push" <<-'SH'
		#!/bin/sh
		set -eu
		cd /tmp
		place=http://$OUTPUT_REGISTRY/v2/${OUTPUT_IMAGE%:*} type=application/vnd.oci.image
		blob() { # FILE: pushed; says what it is
			sum=sha256:$(sha256sum "$1" | cut -d ' ' -f 1)
			to=$(curl -fsS -X POST -D - -o /dev/null "$place/blobs/uploads/" | tr -d '\r' | sed -n 's/^[Ll]ocation: //p')
			curl -fsS -X PUT -H 'Content-Type: application/octet-stream' --data-binary "@$1" "$to&digest=$sum" >/dev/null
			echo "\"digest\":\"$sum\",\"size\":$(wc -c <"$1" | tr -d ' ')"
		}
		echo "$TEXT" >text
		touch -d "1980-01-01 00:00:00" text
		tar -cf layer text
		layer=$(blob layer)
		diff_id=$(sha256sum layer | cut -d ' ' -f 1)
		echo "{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:$diff_id\"]}}" >config
		config=$(blob config)
		echo "{\"schemaVersion\":2,\"mediaType\":\"$type.manifest.v1+json\",\"config\":{\"mediaType\":\"$type.config.v1+json\",$config},\"layers\":[{\"mediaType\":\"$type.layer.v1.tar\",$layer}]}" >manifest
		curl -fsS -X PUT -H "Content-Type: $type.manifest.v1+json" --data-binary @manifest "$place/manifests/${OUTPUT_IMAGE##*:}"
	SH
	chmod -R a+rX,u+w "$root"
	chmod 755 "$root/push"
	chmod 1777 "$root/tmp"
	"$oci_image" "$work/registry/registry.local/upstream/pusher" latest "$root" --user 0 --env PATH=/bin:/usr/bin --entrypoint /push >/dev/null
	rm -rf "$root" builder.yaml
	cat >custom.yaml <<-'YAML'
		apiVersion: build.openshift.io/v1
		kind: BuildConfig
		metadata: {name: custom, namespace: shop}
		spec:
		  source: {dockerfile: FROM scratch}
		  strategy: {customStrategy: {from: {kind: DockerImage, name: "127.0.0.1:5000/upstream/pusher:latest"}, env: [{name: TEXT, value: one}]}}
		  output: {to: {kind: DockerImage, name: "127.0.0.1:5000/apps/custom:1"}}
		  triggers: [{type: ConfigChange}]
	YAML
	trust $'builds: {custom: true}\nregistries: [{prefix: "127.0.0.1:5000", insecure: true}]'
	serve "$work"
	publish
	git add -A && git commit -qm manifests
	run first 0
	sed -i 's/value: one/value: two/' custom.yaml
	git commit -qam "another text"
	done_with
fi
if [ "$world" = pipeline ]; then
	rm builder.yaml
	cat >pipeline.yaml <<-'YAML'
		apiVersion: v1
		kind: Secret
		metadata: {name: jenkins, namespace: shop}
		type: kubernetes.io/basic-auth
		stringData: {username: builder, password: 11correct-horse-token}
		---
		apiVersion: build.openshift.io/v1
		kind: BuildConfig
		metadata: {name: pipeline, namespace: shop}
		spec:
		  strategy: {jenkinsPipelineStrategy: {jenkinsfile: "node { sh 'make' }"}}
		  triggers: [{type: ConfigChange}]
	YAML
	trust 'jenkins: {url: "http://127.0.0.1:8070", credentials: shop/jenkins}'
	mkdir "$work/jenkins"
	git add -A && git commit -qm manifests
	done_with
fi
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
is_served=
case $world in servers | ssh) is_served=1 ;; esac
if [ "$is_served" ]; then
	repositories=http://127.0.0.1:8080
	if [ "$world" = ssh ]; then
		repositories=ssh://$(id -un)@127.0.0.1:2222/mnt
		git_ssh_keys "$work/ssh"
		echo "[127.0.0.1]:2222 $(cut -d' ' -f1,2 "$work/ssh/host_key.pub")" >"$work/ssh/known_hosts"
		export GIT_SSH_COMMAND="ssh -F none -i $work/ssh/id -o UserKnownHostsFile=$work/ssh/known_hosts"
	fi
	sed -i "s|registry.local|127.0.0.1:5000|; s|\.\./\(app\|base\|web\)\.git|$repositories/\1.git|" ./*.yaml
	sed -i 's|^- prefix:.*|- prefix: "127.0.0.1:5000"|; s|^  layout:.*|  insecure: true|' reconcile.yaml
	printf '  cache: {registry: {tag: "127.0.0.1:5000/cache/app"}}\n' >>app.yaml
	for repository in app base web; do git -C "$work/$repository.git" config http.receivepack true; done
	git_repo_new "$work/config.git"
	git remote add origin $repositories/config.git
	serve "$work"
	publish
fi
git add -A && git commit -qm manifests
[ ! "$is_served" ] || git push -q origin HEAD:main
[ "$world" != first ] || done_with
run first 0

make_stack "$work/registry/registry.local/stacks/base" run two >/dev/null
s2i_builder two
[ ! "$is_served" ] || publish
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
