#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What is decided about an image in odd moments: its registry dies during the build and comes back, a tag is added or changed,
# options that no upstream compares change, signing is asked for.
set -euo pipefail
. "$(dirname "$0")/../lib/world.sh" "$1"
for need in skopeo docker-registry crun; do command -v $need >/dev/null || skip "$need is missing"; done
cleanup() { stop_servers; [ -z "${registry_pid-}" ] || kill "$registry_pid" 2>/dev/null || true; rm -rf "$work"; }
trap cleanup EXIT

# A registry of its own that can be stopped and started at the same address.
port=$(free_port)
registry=127.0.0.1:$port
mkdir "$work/server"
printf 'version: 0.1\nlog: {level: warn}\nstorage: {filesystem: {rootdirectory: "%s/data"}, delete: {enabled: true}}\nhttp: {addr: %s, secret: test}\n' \
	"$work/server" "$registry" >"$work/server/config.yml"
registry_up() {
	docker-registry serve "$work/server/config.yml" >"$work/server/log" 2>&1 </dev/null &
	registry_pid=$!
	wait_for_port "$port" "$registry_pid"
}
registry_down() {
	kill -9 "$registry_pid" 2>/dev/null || true
	wait "$registry_pid" 2>/dev/null || true
	registry_pid=
}
registry_up
make_stack "$work/layouts/base" build one >/dev/null
make_stack "$work/layouts/base" run one >/dev/null
bp=$work/waits
mkdir -p "$bp/bin"
printf 'api = "0.10"\n[buildpack]\nid = "test/waits"\nversion = "1.0.0"\n[[targets]]\nos = "linux"\n' >"$bp/buildpack.toml"
printf '#!/bin/sh\nexit 0\n' >"$bp/bin/detect"
cat >"$bp/bin/build" <<'SH'
#!/bin/sh
echo "waits here"
sh -c 'sleep 3; :' waits-PORT
cat >"$CNB_LAYERS_DIR/launch.toml" <<TOML
[[processes]]
type = "web"
command = ["sh"]
[[processes]]
type = "worker"
command = ["true"]
TOML
SH
sed -i "s/PORT/$port/" "$bp/bin/build"
chmod 755 "$bp"/bin/*
make_buildpackage "$work/layouts/waits" "$bp" test/waits 1.0.0 >/dev/null
push() { skopeo copy -q --dest-tls-verify=false "oci:$work/layouts/$1" "docker://$registry/$2"; }
push base:build stacks/base:build
push base:run stacks/base:run
push waits:1.0.0 buildpacks/waits:1.0.0
mkdir -p "$work/src" "$work/config"
echo text >"$work/src/index.txt"
cd "$work/config"
git init -q --bare "$work/state.git"
cat >reconcile.yaml <<YAML
apiVersion: reconcile.dev/v1
kind: Settings
metadata: {name: settings}
state: {repository: $work/state.git}
retries: 2
registries: [{prefix: $registry, insecure: true}]
YAML
cat >builder.yaml <<YAML
apiVersion: kpack.io/v1alpha2
kind: ClusterStack
metadata: {name: base}
spec:
  id: dev.reconcile.stacks.quickstart
  buildImage: {image: $registry/stacks/base:build}
  runImage: {image: $registry/stacks/base:run}
---
apiVersion: kpack.io/v1alpha2
kind: ClusterStore
metadata: {name: store}
spec: {sources: [{image: $registry/buildpacks/waits:1.0.0}]}
---
apiVersion: kpack.io/v1alpha2
kind: ClusterBuilder
metadata: {name: default}
spec:
  tag: $registry/builders/default
  serviceAccountRef: {name: default, namespace: default}
  stack: {name: base, kind: ClusterStack}
  store: {name: store, kind: ClusterStore}
  order: [{group: [{id: test/waits}]}]
YAML
cat >image.yaml <<YAML
apiVersion: kpack.io/v1alpha2
kind: Image
metadata: {name: app}
spec:
  tag: $registry/apps/app
  builder: {name: default, kind: ClusterBuilder}
  source: {local: {path: ../src}}
YAML
digest_of() { skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$registry/$1"; }
status() { git -C "$work/state.git" show reconcile/state:default/images/app.yaml; }
result() { status | grep -q "$1" || { status; return 1; }; }

note "the registry dies during the build"
"$reconcile" . >"$work/out" 2>"$work/err" &
pid=$!
for _ in $(seq 600); do pgrep -f "[w]aits-$port" >/dev/null && break; sleep 0.05; done
registry_down
code=0
wait "$pid" || code=$?
check "the run ends with exit 4" [ "$code" = 4 ]
check "the failure is not the build's own" result "kind: transient"
check "another run with the registry down" expect_exit 4 "$reconcile" .
check "says what it cannot reach" says "cannot resolve"
registry_up
check "with the registry back it is built" expect_exit 0 "$reconcile" .
check "it is built" says "build #3 succeeded"
check "and then there is nothing to do" expect_exit 0 "$reconcile" --expect-no-changes .
first=$(digest_of apps/app)

note "a failure that stays is tried a bounded number of times"
echo more >"$work/src/more.txt"
for _ in 1 2 3 4; do
	"$reconcile" . >"$work/out" 2>"$work/err" &
	pid=$!
	for _ in $(seq 600); do kill -0 "$pid" 2>/dev/null || break; pgrep -f "[w]aits-$port" >/dev/null && break; sleep 0.05; done
	if kill -0 "$pid" 2>/dev/null; then registry_down; fi
	wait "$pid" || true
	[ -n "$registry_pid" ] || registry_up
done
check "three attempts for two retries" result "buildCounter: 6"
check "more are only made when asked for" expect_exit 0 "$reconcile" --retry-failed .
check "then it is built" result "buildCounter: 7"

note "tags"
second=$(digest_of apps/app)
check "it is another image" [ "$first" != "$second" ]
sed -i "s|^  builder|  additionalTags: [$registry/apps/app:stable, $registry/other/name:1]\n  builder|" image.yaml
check "a new additional tag" expect_exit 0 "$reconcile" .
check "is a tag, not a build" bash -c "grep -q 'tag' '$work/out' && ! grep -q 'build #' '$work/out'"
check "that points at the image" [ "$(digest_of apps/app:stable)" = "$second" ]
check "in another repository too" [ "$(digest_of other/name:1)" = "$second" ]
check "nothing is left to do" expect_exit 0 "$reconcile" --expect-no-changes .
sed -i "s|  tag: $registry/apps/app|  tag: $registry/apps/renamed|" image.yaml
check "another tag is refused" expect_exit 4 "$reconcile" .
check "with both values" bash -c "grep -q 'Immutable field changed: spec.tag' '$work/out' && grep -qF 'got: $registry/apps/renamed, want: $registry/apps/app' '$work/out'"
sed -i "s|apps/renamed|apps/app|" image.yaml
check "back again" expect_exit 0 "$reconcile" .

note "options"
printf '  defaultProcess: worker\n' >>image.yaml
check "a default process" expect_exit 2 "$reconcile" --dry-run --detailed-exitcode .
check "is CONFIG, with old and new" says "defaultProcess (none) → worker"
check "why says it too" expect_exit 0 "$reconcile" why image/app
check "in the same words" says "defaultProcess (none) → worker"
check "it is built" expect_exit 0 "$reconcile" .
check "and starts" bash -c "skopeo inspect --tls-verify=false --config --raw 'docker://$registry/apps/app' | grep -q /cnb/process/worker"
sed -i 's/defaultProcess: worker/defaultProcess: web/' image.yaml
printf '  build: {creationTime: "1600000000"}\n' >>image.yaml
check "a change of one and another" expect_exit 0 "$reconcile" .
check "is told for both" bash -c "grep -q 'defaultProcess worker → web, creationTime (none) → 1600000000' '$work/out'"
check "the image is of that time" bash -c "skopeo inspect --tls-verify=false --config --raw 'docker://$registry/apps/app' | grep -q '2020-09-13T12:26:40Z'"
check "the record has it" bash -c "git -C '$work/state.git' show reconcile/state:default/images/app/builds/9.yaml | grep -q 'creationTime: .1600000000'"
printf '  cosign: {annotations: [{name: a, value: b}]}\n' >>image.yaml
check "signing is accepted" expect_exit 0 "$reconcile" --expect-no-changes .
check "and said not to be acted on, once" bash -c "[ \$(grep -c 'cosign of Image/default/app is not acted on yet' '$work/err') = 1 ]"

note "a namespace with the name of the folder of the cluster's kinds"
sed -e 's/name: app}/name: app, namespace: cluster}/' -e 's|/apps/app|/apps/other|' image.yaml >other.yaml
check "is built in" expect_exit 0 "$reconcile" .
check "as one of its own" says "Image cluster/app  build #1"
check "and known again" expect_exit 0 "$reconcile" --expect-no-changes .
note "a name that ends like a file's"
sed -e 's/name: app}/name: app.yaml}/' -e 's|/apps/app|/apps/third|' image.yaml >third.yaml
check "is built beside the one without" expect_exit 0 "$reconcile" .
check "as one of its own" says "Image default/app.yaml  build #1"
check "and known again" expect_exit 0 "$reconcile" --expect-no-changes .
exit $failed
