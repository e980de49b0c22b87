#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds of build configs from manifest to record: runs, start-build and its options, what is missing, cancelled and pruned ones.
# The worker is a script that keeps the request it got and answers as the protocol says, since requests are what is looked at;
# at the end builds by the real one.
set -euo pipefail
. "$(dirname "$0")/../lib/world.sh" "$1"
trap 'rm -rf "$work"' EXIT
export RECONCILE_SETTINGS=$work/settings.yaml
mkdir -p "$work/config" "$work/app"
digest=sha256:1111111111111111111111111111111111111111111111111111111111111111
cat >"$work/worker" <<-SH
	#!/usr/bin/env bash
	cat >"$work/request.json"
	path=\$(python3 -c 'import json, sys; b = json.load(open(sys.argv[1]))["buildConfig"].get("binary"); print(b["path"] if b else "")' "$work/request.json")
	rm -rf "$work/sent"
	[ -z "\$path" ] || cp -r "\$path" "$work/sent"
	echo "the builder speaks" >&2
	trap 'echo "it was told to stop" >&2; exit 1' TERM
	if [ -e "$work/slow" ]; then touch "$work/runs"; for i in \$(seq 600); do sleep 0.1; done; fi
	if [ -e "$work/fail" ]; then
		echo '{"type":"failure","failure":"build","reason":"DockerBuildFailed","text":"it does not build"}'
		exit 1
	fi
	echo '{"type":"result","image":"registry.local/shop/cart@$digest"}'
SH
chmod +x "$work/worker"
cat >"$work/settings.yaml" <<-YAML
	apiVersion: reconcile.dev/v1
	kind: Settings
	metadata: {name: settings}
	registries: [{prefix: registry.local, layout: ./registry}]
	executor: ["$work/worker"]
YAML
git init -q "$work/app"
echo one >"$work/app/file"
git -C "$work/app" add -A
git -C "$work/app" commit -qm one
one=$(git -C "$work/app" rev-parse HEAD)
echo two >"$work/app/file"
git -C "$work/app" commit -qam two
cd "$work/config"
git init -q .
cat >cart.yaml <<-YAML
	apiVersion: build.openshift.io/v1
	kind: BuildConfig
	metadata: {name: cart, namespace: shop}
	spec:
	  source: {git: {uri: "$work/app"}}
	  strategy:
	    dockerStrategy:
	      env: [{name: TOKEN, valueFrom: {secretKeyRef: {name: token, key: t}}}]
	  output: {to: {kind: DockerImage, name: "registry.local/shop/cart:latest"}}
	  triggers:
	  - {type: ConfigChange}
	  - {type: Generic, generic: {secretReference: {name: hook}}}
	  successfulBuildsHistoryLimit: 10
	  failedBuildsHistoryLimit: 10
	---
	apiVersion: v1
	kind: Secret
	metadata: {name: token, namespace: shop}
	stringData: {t: tok-4f1e8a90}
YAML
git add -A
git commit -qm manifests

# request EXPRESSION: a value of the last request; r is the request, b what is of the build config.
request() { python3 -c 'import json, sys; r = json.load(open(sys.argv[1])); b = r["buildConfig"]; print(eval(sys.argv[2]))' "$work/request.json" "$1"; }
asked() { [ "$(request "$2")" = "$1" ] || { echo "$2 is '$(request "$2")', not '$1'"; return 1; }; }
record() { git show "reconcile/state:shop/buildconfigs/cart/builds/$1.yaml"; }
recorded() { record "$1" | grep -qxF -- "$2" || { record "$1"; return 1; }; }
status() { git show reconcile/state:shop/buildconfigs/cart.yaml; }
start() { "$reconcile" start-build "$@"; }

check "the first run builds" expect_exit 0 "$reconcile" .
check "as a Docker build" asked docker 'r["action"]'
check "of the commit" asked "$(git -C "$work/app" rev-parse HEAD)" 'r["source"]["git"]["revision"]'
check "with the secret's value" asked tok-4f1e8a90 'b["spec"]["strategy"]["dockerStrategy"]["env"][0]["value"]'
check "which is to be hidden" asked "['tok-4f1e8a90']" 'b["hidden"]'
check "it is complete" recorded 1 "  phase: Complete"
check "its image is recorded" recorded 1 "      imageDigest: $digest"
check "nothing of the secret is" bash -c '! git grep -q tok-4f1e8a90 reconcile/state'
check "its log is kept" bash -c 'git show reconcile/logs:shop/buildconfigs/cart/1.log | grep -q "the builder speaks"'
check "the next run has nothing to do" expect_exit 0 "$reconcile" --expect-no-changes .

check "start-build builds all the same" expect_exit 0 start cart -n shop
check "it says its name on stdout" bash -c "grep -qx 'build.build.openshift.io/cart-2 started' '$work/out'"
check "and nothing else there" [ "$(wc -l <"$work/out")" = 1 ]
check "by hand" recorded 2 "  - message: Manually triggered"
check "the run after it has nothing to do" expect_exit 0 "$reconcile" --expect-no-changes .
check "with its log and its name" expect_exit 0 start bc/cart -n shop --follow -o name
check "the name alone" bash -c "head -1 '$work/out' | grep -qx 'build.build.openshift.io/cart-3'"
check "the log" bash -c "grep -qx 'the builder speaks' '$work/out'"
check "variables and options" expect_exit 0 start cart -n shop -e A=1 -e B=x=y --build-arg V=2 --no-cache --commit "$one"
check "a variable" asked x=y '[v["value"] for v in b["spec"]["strategy"]["dockerStrategy"]["env"] if v["name"] == "B"][0]'
check "a build argument" asked 2 'b["spec"]["strategy"]["dockerStrategy"]["buildArgs"][0]["value"]'
check "no cache" asked True 'b["spec"]["strategy"]["dockerStrategy"]["noCache"]'
check "another commit" asked "$one" 'r["source"]["git"]["revision"]'
check "once more, as it was" expect_exit 0 start --from-build cart-4 -n shop
check "the same commit" asked "$one" 'r["source"]["git"]["revision"]'
check "the same variable" asked x=y '[v["value"] for v in b["spec"]["strategy"]["dockerStrategy"]["env"] if v["name"] == "B"][0]'
check "whose copy it is" recorded 5 "    openshift.io/build.clone-of: cart-4"

mkdir -p "$work/src/.git" "$work/src/dir"
echo hello >"$work/src/dir/file"
touch "$work/src/.git/config"
tar -C "$work/src/dir" -czf "$work/src.tgz" .
check "a folder that is sent" expect_exit 0 start cart -n shop --from-dir "$work/src" .
check "it is the source" asked "$work/src" 'b["binary"]["path"]'
check "by its content" bash -c "[[ $(request 'b["binary"]["content"]') == sha256:* ]]"
check "instead of git" asked False '"git" in r.get("source", {})'
check "an archive" expect_exit 0 start cart -n shop --from-archive "$work/src.tgz"
check "as it is" asked None 'b["binary"].get("asFile")'
check "a file" expect_exit 0 start cart -n shop --from-file "$work/src/dir/file"
check "by its name" asked file 'b["binary"]["asFile"]'
check "a commit of a repository" expect_exit 0 start cart -n shop --from-repo "$work/app" --commit "$one"
check "its files" bash -c "[ \"\$(cat '$work/sent/file')\" = one ] && [ ! -e '$work/sent/.git' ]"
check "its HEAD" expect_exit 0 start cart -n shop --from-repo "$work/app"
check "the newest file" [ "$(cat "$work/sent/file")" = two ]
check "nothing of it stays" bash -c "! ls '$XDG_CACHE_HOME/reconcile/tmp' | grep -q reconcile-start"

check "list of webhooks" expect_exit 0 start cart -n shop --list-webhooks
check "with its secret's name" bash -c "grep -qP '^generic\tsecret \"hook\"$' '$work/out'"
check "nobody listens" says "CI serves webhooks"
refuse() { # CODE TEXT OPTION…
	check "refused: $2" expect_exit "$1" start "${@:3}"
	check "in these words" says "$2"
}
refuse 1 'buildconfigs.build.openshift.io "crat" not found; did you mean "cart"?' crat -n shop
refuse 1 'builds.build.openshift.io "cart-99" not found' --from-build cart-99 -n shop
refuse 1 'cannot specify Source build specific options on shop/cart, not a Source build' cart -n shop --incremental
refuse 1 "it has no branch, tag or commit 'v9'" cart -n shop --from-repo "$work/app" --commit v9
refuse 1 "'$work/src.tgz' is no folder" cart -n shop --from-dir "$work/src.tgz"
refuse 1 "--env takes NAME=VALUE, not 'A'" cart -n shop -e A
refuse 64 "only one of --from-file" cart --from-dir . --from-file x
refuse 64 "cannot use '--from-build' flag with binary builds" --from-build cart-1 --from-dir .
refuse 64 "must pass a name of a build config"
refuse 64 "use --from-build to rerun your builds" build/cart-1
check "nothing of that was recorded" bash -c "git show reconcile/state:shop/buildconfigs/cart.yaml | grep -qx '  lastVersion: 10'"

touch "$work/fail"
check "a build that fails" expect_exit 4 start cart -n shop --wait
check "it says so" says 'the build shop/cart-11 status is "Failed"'
check "with the worker's reason" recorded 11 "  reason: DockerBuildFailed"
check "the next run says so" expect_exit 0 "$reconcile" .
check "and does not build" says "BuildConfig/shop/cart: build #$(status | sed -n 's/^  lastVersion: //p') failed and nothing has changed since"
check "why tells how it ended" expect_exit 0 "$reconcile" why BuildConfig/shop/cart .
check "with the reason" says "Failed (DockerBuildFailed)"
check "as JSON" bash -c "'$reconcile' why BuildConfig/shop/cart -o json . | grep -q '\"failure\": *{'"
check "the dashboard has its number" bash -c "git show reconcile/state:README.md | grep -qF '| [shop/cart](shop/buildconfigs/cart.yaml) | Docker | 11 Manually triggered | Failed'"
rm "$work/fail"
check "--trigger takes build configs" expect_exit 0 "$reconcile" --dry-run --trigger cart .
check "as it takes images" says "asked for on the command line"
check "by kind too" expect_exit 0 "$reconcile" --dry-run --trigger BuildConfig/shop/cart .
check "and nothing else" expect_exit 64 "$reconcile" --dry-run --trigger Secret/shop/token .
sed -i 's/name: token, namespace/name: other, namespace/' cart.yaml
check "a variable that is not there" expect_exit 4 start cart -n shop
check "no worker was asked" recorded 12 "  reason: UnresolvableEnvironmentVariable"
check "a warning with its place" says "cart.yaml:8:"
git checkout -q cart.yaml

# Another command marks the record of a build that runs.
cancel() {
	git clone -q -b reconcile/state . "$work/state"
	sed -i 's/^  phase: Running$/  phase: Running\n  cancelled: true/' "$work/state/shop/buildconfigs/cart/builds/$1.yaml"
	git -C "$work/state" commit -qam cancel
	git -C "$work/state" push -q origin HEAD:reconcile/state
}
touch "$work/slow"
start cart -n shop >"$work/cancel.out" 2>"$work/cancel.err" &
pid=$!
for _ in $(seq 100); do [ -e "$work/runs" ] && break; sleep 0.1; done
check "its record is marked" cancel 13
code=0
wait $pid || code=$?
check "the build did not complete" [ "$code" = 4 ]
check "it is said" grep -q "was cancelled by the user" "$work/cancel.err"
check "it is cancelled" recorded 13 "  phase: Cancelled"
check "by the user" recorded 13 "  reason: CancelledBuild"
check "and stays marked" recorded 13 "  cancelled: true"
check "the worker was asked to stop" bash -c 'git show reconcile/logs:shop/buildconfigs/cart/13.log | grep -q "it was told to stop"'
rm "$work/slow"
check "it is not tried again" expect_exit 0 "$reconcile" --expect-no-changes .

sed -i 's/^metadata: {name: cart, namespace: shop}/metadata: {name: cart, namespace: shop, annotations: {openshift.io\/build-config.paused: "true"}}/' cart.yaml
refuse 1 "can't instantiate from BuildConfig shop/cart: BuildConfig is paused" cart -n shop
git checkout -q cart.yaml

# What takes the image in the same run, what does not, and a build that waits.
sed -i '/^registries/i streams: {registry: registry.local/streams}' "$work/settings.yaml"
sed -i "s#registry.local/shop/cart@#registry.local/streams/shop/app@#" "$work/worker"
cat >app.yaml <<-YAML
	apiVersion: image.openshift.io/v1
	kind: ImageStream
	metadata: {name: app, namespace: shop}
	---
	apiVersion: build.openshift.io/v1
	kind: BuildConfig
	metadata: {name: app, namespace: shop}
	spec:
	  source: {dockerfile: FROM scratch}
	  strategy: {dockerStrategy: {}}
	  output: {to: {kind: ImageStreamTag, name: "app:latest"}}
	---
	apiVersion: build.openshift.io/v1
	kind: BuildConfig
	metadata: {name: next, namespace: shop}
	spec:
	  source: {dockerfile: FROM scratch}
	  strategy: {dockerStrategy: {from: {kind: ImageStreamTag, name: "app:latest"}}}
	  output: {to: {kind: ImageStreamTag, name: "gone:latest"}}
	  triggers: [{type: ImageChange, imageChange: {}}]
YAML
cat >web.yaml <<-'YAML'
	apiVersion: apps/v1
	kind: Deployment
	metadata:
	  name: web
	  namespace: shop
	  annotations:
	    image.openshift.io/triggers: '[{"from":{"kind":"ImageStreamTag","name":"app:latest"},"fieldPath":"spec.template.spec.containers[?(@.name==\"c\")].image"}]'
	spec: {template: {spec: {containers: [{name: c, image: x}]}}}
YAML
check "a build that pushes to a stream" expect_exit 0 start app -n shop --write .
check "the stream takes it" bash -c "git show reconcile/state:shop/imagestreams/app.yaml | grep -q 'image: $digest'"
check "the workload has it" grep -q "registry.local/streams/shop/app@$digest" web.yaml
check "no other build was made" bash -c "! git cat-file -e reconcile/state:shop/buildconfigs/next.yaml"
check "a stream that is not declared is a warning" says "cannot find ImageStream/shop/gone, which BuildConfig/shop/next names"
check "a run makes the build that follows" expect_exit 0 "$reconcile" .
check "which waits" bash -c "git show reconcile/state:shop/buildconfigs/next/builds/1.yaml | grep -qx '  reason: InvalidOutputReference'"
check "as New" bash -c "git show reconcile/state:shop/buildconfigs/next/builds/1.yaml | grep -qx '  phase: New'"
rm app.yaml web.yaml

note "names as long as they may be"
long=$(printf 'n%.0s' {1..253})
sed "/^---/,\$d; s/name: cart/name: $long/" cart.yaml >long.yaml
sed "s/name: $long/name: ${long%n}x/" long.yaml >longer.yaml
check "are built" expect_exit 0 "$reconcile" --prune=all .
check "and known again" expect_exit 0 "$reconcile" --expect-no-changes .
check "each for itself" bash -c "git ls-tree -r --name-only reconcile/state | grep -c '/${long:0:200}_.*/builds/1.yaml' | grep -qx 2"
rm longer.yaml
check "one goes" expect_exit 0 "$reconcile" --prune=all .
check "the other stays" expect_exit 0 "$reconcile" --expect-no-changes .
rm long.yaml

rm cart.yaml
check "without its manifest" expect_exit 0 "$reconcile" --prune=all .
check "its records go" bash -c "! git ls-tree -r --name-only reconcile/state | grep -q buildconfigs"
check "and its logs" bash -c "! git ls-tree -r --name-only reconcile/logs | grep -q buildconfigs"

command -v buildah >/dev/null || { note "without buildah: no build by the real worker"; exit $failed; }
sed -i /executor/d "$work/settings.yaml"
cat >bin.yaml <<-YAML
	apiVersion: build.openshift.io/v1
	kind: BuildConfig
	metadata: {name: bin, namespace: shop}
	spec:
	  source: {binary: {}, secrets: [{secret: {name: token}, destinationDir: keys}]}
	  strategy: {dockerStrategy: {env: [{name: TOKEN, valueFrom: {secretKeyRef: {name: token, key: t}}}]}}
	  output: {to: {kind: DockerImage, name: "registry.local/shop/bin:1"}}
	---
	apiVersion: v1
	kind: Secret
	metadata: {name: token, namespace: shop}
	stringData: {t: tok-4f1e8a90}
YAML
printf 'FROM scratch\nCOPY file keys/t /\n' >"$work/app/Dockerfile"
git -C "$work/app" add -A
git -C "$work/app" commit -qm three
tar -C "$work/app" -czf "$work/app.tgz" Dockerfile file
check "nothing was sent" expect_exit 1 start bin -n shop
check "it says what to do" says "you must specify one of '--from-dir', '--from-archive', '--from-repo', or '--from-file'"
check "a folder" expect_exit 0 start bin -n shop --follow --from-dir "$work/app"
check "the secret is hidden in the log" bash -c "grep -q 'TOKEN' '$work/out' && ! grep -q tok-4f1e8a90 '$work/out' '$work/err'"
check "a commit" expect_exit 0 start bin -n shop --from-repo "$work/app"
check "an archive" expect_exit 0 start bin -n shop --from-archive "$work/app.tgz"
check "three are complete" [ "$(git show reconcile/state:shop/buildconfigs/bin.yaml | grep -c '    phase: Complete')" = 3 ]
check "the image is there" bash -c "ls '$work/registry/registry.local/shop/bin/index.json'"
exit $failed
