#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Build configs and their builds as oc shows them: list, describe, logs, cancel, the dashboard; from a state branch whose files
# are written by hand. What is printed is pinned byte by byte; @ stands for the end of a line that ends in a blank.
set -euo pipefail
. "$(dirname "$0")/../lib/world.sh" "$1"
trap 'rm -rf "$work"' EXIT
export NO_COLOR=1
d1=sha256:$(printf '1%.0s' {1..64})
d2=sha256:$(printf '2%.0s' {1..64})
commit=4e5f6a7b8c9d0e1f2a3b4c5d6e7f8a9b0c1d2e3f
now=2026-11-22T03:20:00Z
mkdir -p "$work/config" "$work/state"
cd "$work/config"
git init -q
json() { python3 -c "import json,sys; value=json.load(open('$work/out')); assert $1, value"; }
# printed: standard input is what came out.
printed() { sed 's/@$//' | diff - "$work/out"; }
look() { expect_exit 0 "$reconcile" "$@" --now "$now"; }
refused() { expect_exit 1 "$reconcile" "$@" --now "$now"; }

cat >cart.yaml <<YAML
apiVersion: build.openshift.io/v1
kind: BuildConfig
metadata:
  name: cart
  namespace: shop
  labels: {team: shop}
  annotations: {description: the cart}
spec:
  source:
    git: {uri: https://git.example.com/shop/cart.git, ref: main}
    contextDir: app
    sourceSecret: {name: git}
    secrets: [{secret: {name: npm}, destinationDir: etc}, {secret: {name: pip}}]
    configMaps: [{configMap: {name: mirrors}, destinationDir: conf}]
    images:
    - from: {kind: ImageStreamTag, name: "assets:1"}
      paths: [{sourcePath: /assets/., destinationDir: static}]
  strategy:
    dockerStrategy:
      from: {kind: ImageStreamTag, name: "base:1", namespace: images}
      dockerfilePath: docker/Dockerfile
      noCache: true
      env:
      - {name: MODE, value: fast}
      - {name: TOKEN, valueFrom: {secretKeyRef: {name: npm, key: token}}}
      volumes:
      - name: settings
        source: {type: Secret, secret: {secretName: npm}}
        mounts: [{destinationPath: /etc/npm}, {destinationPath: /etc/yarn}]
  output:
    to: {kind: ImageStreamTag, name: "cart:latest"}
    pushSecret: {name: push}
    imageLabels: [{name: vendor, value: shop}, {name: tier, value: web}]
  postCommit: {script: "make \"check\"", args: [all]}
  completionDeadlineSeconds: 3600
  runPolicy: SerialLatestOnly
  successfulBuildsHistoryLimit: 2
  failedBuildsHistoryLimit: 1
  triggers:
  - {type: ConfigChange}
  - {type: ImageChange, imageChange: {}}
  - {type: ImageChange, imageChange: {from: {kind: ImageStreamTag, name: "assets:1"}}}
  - {type: GitHub, github: {secretReference: {name: hook}}}
  - {type: Generic, generic: {secretReference: {name: hook}, allowEnv: true}}
---
apiVersion: build.openshift.io/v1
kind: BuildConfig
metadata: {name: tool, namespace: shop}
spec:
  source: {binary: {asFile: tool.sh}}
  strategy: {customStrategy: {from: {kind: DockerImage, name: registry.example.com/builders/custom}}}
YAML

# entry NUMBER PHASE [LINES]: a line of a build config's history.
entry() { printf '  - {number: %s, phase: %s, strategy: Docker, runPolicy: Serial%s}\n' "$1" "$2" "${3:-}"; }
# build NUMBER PHASE LINES: the record of a build of cart.
build() {
	cat >"$work/state/shop/buildconfigs/cart/builds/$1.yaml" <<-YAML
		apiVersion: build.openshift.io/v1
		kind: Build
		metadata:
		  name: cart-$1
		  namespace: shop
		  creationTimestamp: "2026-11-22T03:14:00Z"
		  annotations:
		    openshift.io/build-config.name: cart
		    openshift.io/build.number: "$1"
		  labels: {team: shop, buildconfig: cart, openshift.io/build-config.name: cart, openshift.io/build.start-policy: Serial}
		spec:
		  serviceAccount: builder
		  source:
		    git: {uri: https://git.example.com/shop/cart.git, ref: main}
		    contextDir: app
		  revision:
		    type: Git
		    git:
		      commit: $commit
		      message: "a better\e[31m cart"
		      author: {name: Ann}
		      committer: {name: Carl}
		  strategy:
		    type: Docker
		    dockerStrategy:
		      from: {kind: DockerImage, name: "registry.example.com/images/base@$d1"}
		      env: [{name: MODE, value: fast}]
		  output:
		    to: {kind: DockerImage, name: "registry.example.com/shop/cart:latest"}
		    pushSecret: {name: push}
		  postCommit: {command: [rake], args: [test, --verbose]}
		  triggeredBy:
		  - message: Image change
		    imageChangeBuild:
		      imageID: registry.example.com/images/base@$d1
		      fromRef: {kind: ImageStreamTag, name: "base:1", namespace: images}
		status:
		  phase: $2
		$3
		  config: {kind: BuildConfig, name: cart, namespace: shop}
	YAML
}
# Claimed until after now by a run that nobody here knows, and claimed by one that is gone.
live='2026-11-22T04:00:00Z'
dead='2026-11-22T03:19:00Z'
write_state() {
	rm -rf "$work/state"
	mkdir -p "$work/state/shop/buildconfigs/cart/builds" "$work/state/shop/images/cart/builds" "$work/state/other/buildconfigs"
	{
		cat <<-YAML
			apiVersion: build.openshift.io/v1
			kind: BuildConfig
			metadata: {name: cart, namespace: shop}
			status:
			  lastVersion: 14
			  lastBuild:
			    number: 14
			    reason: IMAGE
			  builds:
		YAML
		for i in 1 2 3 4 5 6 7 8; do entry $i Cancelled ', reason: CancelledBuild, createdAt: "2026-11-21T03:14:00Z", finishedAt: "2026-11-21T03:16:00Z"'; done
		entry 9 Failed ', reason: PushImageToRegistryFailed, cause: Manually triggered, createdAt: "2026-11-22T02:14:00Z", startedAt: "2026-11-22T02:14:58Z", finishedAt: "2026-11-22T02:16:00Z"'
		entry 10 Complete ", cause: Image change, commit: $commit, image: \"registry.example.com/shop/cart@$d2\", createdAt: \"2026-11-22T03:14:00Z\", startedAt: \"2026-11-22T03:14:55Z\", finishedAt: \"2026-11-22T03:15:20Z\""
		entry 11 Running ', cause: Image change, createdAt: "2026-11-22T03:14:00Z", startedAt: "2026-11-22T03:19:00Z"'
		entry 12 Running ', cause: Image change, createdAt: "2026-11-22T03:14:00Z", startedAt: "2026-11-22T03:18:00Z"'
		entry 13 New ', reason: InvalidOutputReference, cause: Image change, createdAt: "2026-11-22T03:14:00Z"'
		entry 14 Pending ', cause: "Image \x1b[31mchange", createdAt: "2026-11-22T03:19:00Z"' | sed 's/: "Image .x1b/: "Image \\e/'
	} >"$work/state/shop/buildconfigs/cart.yaml"
	build 9 Failed '  reason: PushImageToRegistryFailed
  message: Failed to push the image to the registry.
  startTimestamp: "2026-11-22T02:14:58Z"
  completionTimestamp: "2026-11-22T02:16:00Z"
  logSnippet: "pushing\ndenied: no"'
	build 10 Complete "  startTimestamp: \"2026-11-22T03:14:55Z\"
  completionTimestamp: \"2026-11-22T03:15:20Z\"
  outputDockerImageReference: registry.example.com/shop/cart:latest
  output: {to: {imageDigest: \"$d2\"}}
  stages:
  - {name: FetchInputs, startTime: \"2026-11-22T03:14:55Z\", durationMilliseconds: 1499}
  - {name: Build, startTime: \"2026-11-22T03:14:57Z\", durationMilliseconds: 62500}
  buildKey: $d1
  run: {id: 01JD, source: 9d0e1f2}
  engine: buildah 1.28.2
  buildReason: IMAGE
  log: shop/buildconfigs/cart/10.log
  baseImages: {\"base:1\": \"registry.example.com/images/base@$d1\"}"
	build 11 Running "  startTimestamp: \"2026-11-22T03:19:00Z\"
  run: {id: 01JE, lease: \"$live\"}"
	build 12 Running "  startTimestamp: \"2026-11-22T03:18:00Z\"
  run: {id: 01JF, lease: \"$dead\"}"
	build 13 New '  reason: InvalidOutputReference
  message: Output image could not be resolved.'
	build 14 Pending ''
	cat >"$work/state/other/buildconfigs/site.yaml" <<-YAML
		apiVersion: build.openshift.io/v1
		kind: BuildConfig
		metadata: {name: site, namespace: other}
		status:
		  lastVersion: 0
	YAML
	cat >"$work/state/shop/images/cart.yaml" <<-YAML
		apiVersion: kpack.io/v1alpha2
		kind: Image
		metadata: {name: cart, namespace: shop}
		status:
		  buildCounter: 3
		  builds:
		  - {number: 3, result: Succeeded, reason: "COMMIT,STACK", image: "registry.example.com/shop/kcart@$d1", startedAt: "2026-11-22T03:10:00Z", finishedAt: "2026-11-22T03:12:05Z"}
	YAML
}
# commit_state: what is in $work/state becomes the branch's one commit.
commit_state() {
	local index=$work/index
	rm -f "$index"
	GIT_INDEX_FILE=$index git --work-tree="$work/state" add -A .
	git update-ref refs/heads/reconcile/state "$(git commit-tree "$(GIT_INDEX_FILE=$index git write-tree)" -m state </dev/null)"
}
recorded() { git show "reconcile/state:shop/buildconfigs/$1"; }

note "nothing is recorded"
check "build configs are those of the manifests" look bc list -n shop
check "as oc lists them" printed <<'TEXT'
NAME      TYPE      FROM                                   LATEST
cart      Docker    Git@main                               0
tool      Custom    registry.example.com/builders/custom   0
TEXT
check "elsewhere" look buildconfig list -n other
check "there are none" printed <<<'no build configs found'
check "no builds" look build list -A
check "is said" printed <<<'no builds found'
write_state
commit_state

note "build configs"
check "list" look buildconfig list -A
check "all of them" printed <<'TEXT'
NAMESPACE   NAME      TYPE      FROM                                   LATEST
other       site                                                       0
shop        cart      Docker    Git@main                               14
shop        tool      Custom    registry.example.com/builders/custom   0
TEXT
check "get bc" look get bc cart -n shop
check "is the same" printed <<'TEXT'
NAME      TYPE      FROM       LATEST
cart      Docker    Git@main   14
TEXT
check "-o name" look bc list -A -o name
check "has ids" printed <<'TEXT'
BuildConfig/other/site
BuildConfig/shop/cart
BuildConfig/shop/tool
TEXT
check "-o json" look bc list -A -o json
check "is a List of what is recorded" json '[i["status"]["lastVersion"] for i in value["items"]] == [0, 14, 0]'
check "describe" look buildconfig describe cart -n shop
check "has everything" printed <<'TEXT'
Name:		cart
Namespace:	shop
Labels:		team=shop
Annotations:	<none>
Description:	the cart
Latest Version:	14

Strategy:		Docker
URL:			https://git.example.com/shop/cart.git
Ref:			main
ContextDir:		app
Source Secret:		git
From Image:		ImageStreamTag images/base:1
Dockerfile Path:	docker/Dockerfile
No Cache:		true
Environment:		MODE=fast
			TOKEN=<secret npm, key token>
Volumes:		 @
			Name		Source Type	Source	Mounts
			settings	Secret		npm	/etc/npm
								/etc/yarn
Output to:		ImageStreamTag cart:latest
Image Label:		vendor=shop
			tier=web
Build Secrets:		npm->etc,pip->.
Build ConfigMaps:	mirrors->conf
Image Source:		copies /assets/. from assets:1 to static
Post Commit Hook:	["/bin/sh", "-ic", "make \"check\"", "/bin/sh", "all"]
Push Secret:		push
Fail Build After:	1h0m0s

Build Run Policy:	SerialLatestOnly
Triggered by:		Config, ImageChange, Image(ImageStreamTag assets:1)
Webhook GitHub:
	URL:	<none>, served by CI
Webhook Generic:
	URL:		<none>, served by CI
	AllowEnv:	true
Builds History Limit:
	Successful:	2
	Failed:		1

Build		Status		Duration		Creation Time
cart-14 	pending 	waiting for 1m0s 	2026-11-22 03:19:00 +0000 UTC
cart-13 	new 		waiting for 6m0s 	2026-11-22 03:14:00 +0000 UTC
cart-12 	running 	running for 2m0s 	2026-11-22 03:14:00 +0000 UTC
cart-11 	running 	running for 1m0s 	2026-11-22 03:14:00 +0000 UTC
cart-10 	complete 	25s 			2026-11-22 03:14:00 +0000 UTC
cart-9 		failed 		1m2s 			2026-11-22 02:14:00 +0000 UTC
cart-8 		cancelled 	waited for 2m0s 	2026-11-21 03:14:00 +0000 UTC
cart-7 		cancelled 	waited for 2m0s 	2026-11-21 03:14:00 +0000 UTC
cart-6 		cancelled 	waited for 2m0s 	2026-11-21 03:14:00 +0000 UTC
cart-5 		cancelled 	waited for 2m0s 	2026-11-21 03:14:00 +0000 UTC
... and 4 more
TEXT
cp "$work/out" "$work/cart"
check "oc's way" look describe bc/cart -n shop
check "is the same" diff "$work/cart" "$work/out"
check "one that was never built" look bc describe tool -n shop
check "is from its manifest" printed <<'TEXT'
Name:		tool
Namespace:	shop
Labels:		<none>
Annotations:	<none>
Latest Version:	Never built

Strategy:		Custom
Image Reference:	DockerImage registry.example.com/builders/custom
Binary:			provided as file "tool.sh" on build

Build Run Policy:	Serial
Triggered by:		<none>
Builds History Limit:
	Successful:	5
	Failed:		5
TEXT
mv cart.yaml "$work/cart.yaml"
check "without its manifest" look bc describe cart -n shop
check "it is what its newest build was made of" bash -c "sed -n '1,/^\$/d; /^Strategy/,/^\$/p' '$work/out' | grep -qx 'From Image:		DockerImage registry.example.com/images/base@$d1' && ! grep -q '^Commit\|^Triggered' '$work/out'"
check "list too" look get bc -n shop
check "without a commit" printed <<'TEXT'
NAME      TYPE      FROM       LATEST
cart      Docker    Git@main   14
TEXT
mv "$work/cart.yaml" .
check "one that is not there" refused bc describe crat -n shop
check "has a suggestion" says 'no BuildConfig "crat" is declared or recorded; did you mean "cart"?'

note "builds"
check "all builds" look build list -A
check "of both kinds" printed <<'TEXT'
NAMESPACE   NAME           TYPE         STATUS                               STARTED              DURATION   REASON
shop        cart-build-3   Buildpacks   SUCCESS                              10 minutes ago       2m5s       COMMIT+
shop        cart-1         Docker       Cancelled (CancelledBuild)                                           @
shop        cart-2         Docker       Cancelled (CancelledBuild)                                           @
shop        cart-3         Docker       Cancelled (CancelledBuild)                                           @
shop        cart-4         Docker       Cancelled (CancelledBuild)                                           @
shop        cart-5         Docker       Cancelled (CancelledBuild)                                           @
shop        cart-6         Docker       Cancelled (CancelledBuild)                                           @
shop        cart-7         Docker       Cancelled (CancelledBuild)                                           @
shop        cart-8         Docker       Cancelled (CancelledBuild)                                           @
shop        cart-9         Docker       Failed (PushImageToRegistryFailed)   About an hour ago    1m2s       Manually triggered
shop        cart-10        Docker       Complete                             5 minutes ago        25s        Image change
shop        cart-11        Docker       Running                              About a minute ago              Image change
shop        cart-12        Docker       Running                              2 minutes ago                   Image change
shop        cart-13        Docker       New (InvalidOutputReference)                                         Image change
shop        cart-14        Docker       Pending                                                              Image \x1b[31mchange
TEXT
check "-o wide" bash -c "'$reconcile' build list -n shop -o wide | grep -q '^cart-10 .* BuildConfig/cart  *registry.example.com/shop/cart@$d2\$'"
check "-o name" bash -c "[ \$('$reconcile' build list -n shop -o name | grep -cE '^Build/shop/cart-(build-)?[0-9]+\$') = 15 ]"
check "-o json" look build list -n shop -o json
check "has those whose records are there" json '[i["metadata"]["name"] for i in value["items"]] == ["cart-9", "cart-10", "cart-11", "cart-12", "cart-13", "cart-14"]'
check "of the image" look build list image/cart -n shop
check "in kp's columns" printed <<TEXT
BUILD    STATUS     IMAGE                                                                                                      STARTED                FINISHED               REASON
3        SUCCESS    registry.example.com/shop/kcart@$d1    2026-11-22 03:10:00    2026-11-22 03:12:05    COMMIT+

TEXT
check "of the build config" look build list --build-config cart -n shop
check "in oc's columns" printed <<'TEXT'
NAME      TYPE      FROM          STATUS                               STARTED              DURATION
cart-1    Docker                  Cancelled (CancelledBuild)                                @
cart-2    Docker                  Cancelled (CancelledBuild)                                @
cart-3    Docker                  Cancelled (CancelledBuild)                                @
cart-4    Docker                  Cancelled (CancelledBuild)                                @
cart-5    Docker                  Cancelled (CancelledBuild)                                @
cart-6    Docker                  Cancelled (CancelledBuild)                                @
cart-7    Docker                  Cancelled (CancelledBuild)                                @
cart-8    Docker                  Cancelled (CancelledBuild)                                @
cart-9    Docker    Git@4e5f6a7   Failed (PushImageToRegistryFailed)   About an hour ago    1m2s
cart-10   Docker    Git@4e5f6a7   Complete                             5 minutes ago        25s
cart-11   Docker    Git@4e5f6a7   Running                              About a minute ago   @
cart-12   Docker    Git@4e5f6a7   Running                              2 minutes ago        @
cart-13   Docker    Git@4e5f6a7   New (InvalidOutputReference)                              @
cart-14   Docker    Git@4e5f6a7   Pending                                                   @
TEXT
cp "$work/out" "$work/builds"
for words in 'build list bc/cart' 'build list BuildConfig/shop/cart' 'get builds'; do
	check "$words" look $words -n shop
	check "is the same" diff "$work/builds" "$work/out"
done
check "a name of two" refused build list cart -n shop
check "says which" says '"cart" may be any of: image/cart, bc/cart; say which one is meant'
check "of all namespaces" refused build describe cart -A
check "says where" says '"cart" may be any of: image/cart -n shop, bc/cart -n shop; say which one is meant'
check "another kind has no builds" expect_exit 64 "$reconcile" build list is/cart
check "is said" says "'is/cart' is no build: NAME, bc/NAME, image/NAME or build/NAME is needed"

note "one build"
check "describe" look build describe cart-10 -n shop -v
check "has everything" printed <<TEXT
Name:		cart-10
Namespace:	shop
Created:	6 minutes ago
Labels:		buildconfig=cart
		openshift.io/build-config.name=cart
		openshift.io/build.start-policy=Serial
		team=shop
Annotations:	openshift.io/build-config.name=cart
		openshift.io/build.number=10

Status:		Complete
Started:	Sun, 22 Nov 2026 03:14:55 UTC
Duration:	25s
  FetchInputs:	  1s
  Build:	  1m3s

Build Config:	cart
Build Pod:	<none>
Image Digest:	$d2

Strategy:		Docker
URL:			https://git.example.com/shop/cart.git
Ref:			main
ContextDir:		app
Commit:			4e5f6a7 (a better\x1b[31m cart)
Author/Committer:	Ann / Carl
From Image:		DockerImage registry.example.com/images/base@$d1
Environment:		MODE=fast
Volumes:		<none>
Output to:		DockerImage registry.example.com/shop/cart:latest
Post Commit Hook:	["rake", "test", "--verbose"]
Push Secret:		push

Build trigger cause:	Image change
Image ID:		registry.example.com/images/base@$d1
Image Name/Kind:	base:1 / ImageStreamTag

Reasons:	IMAGE
Build Key:	$d1
Run:		01JD
Engine:		buildah 1.28.2
Pushed:		registry.example.com/shop/cart:latest
Log:		shop/buildconfigs/cart/10.log
Base Images:	base:1=registry.example.com/images/base@$d1
TEXT
check "a failed one" look build status cart-9 -n shop
check "says why" bash -c "grep -qx 'Status:		Failed (Failed to push the image to the registry.)' '$work/out' && tail -n 2 '$work/out' | diff - <(printf 'Log Tail:\tpushing\n\t\tdenied: no\n')"
cp "$work/out" "$work/nine"
for words in 'build describe build/cart-9' 'build describe Build/shop/cart-9' 'build describe bc/cart -b 9' 'describe build cart-9' 'build status build.build.openshift.io/cart-9'; do
	check "$words" look $words -n shop
	check "is the same" diff "$work/nine" "$work/out"
done
check "bc/NAME" look build describe bc/cart -n shop -o name
check "is the newest" printed <<<Build/shop/cart-14
check "in colour" bash -c "env -u NO_COLOR '$reconcile' build describe bc/cart -n shop --color=always | grep -q '^Status:.*.\[1mPending.\[0m\$'"
check "-o yaml" look build describe cart-13 -n shop -o yaml
check "is the record" bash -c "diff <(git show reconcile/state:shop/buildconfigs/cart/builds/13.yaml | python3 -c 'import sys, yaml; print(yaml.safe_load(sys.stdin))') <(python3 -c 'import sys, yaml; print(yaml.safe_load(sys.stdin))' <'$work/out')"
check "without a record" refused build describe cart-1 -n shop
check "it is not found" says 'build "cart-1" not found'
check "a build that is not there" refused build describe cart-15 -n shop
check "has a suggestion" says 'no build, Image or BuildConfig "cart-15" is recorded; did you mean "cart-1"?'
check "no bill of materials" refused build status cart-10 -n shop --bom
check "is said" says 'only images of buildpacks have a bill of materials'

note "logs"
check "none is kept" refused build logs cart-9 -n shop
check "is said" says 'no log is kept of build 9 of "cart"'
check "none is kept of one that runs elsewhere" refused build logs cart-11 -n shop
check "is said" says 'no log is kept of build 11 of "cart": it has not ended, and does not run on this machine'
check "one that is gone" refused build logs cart-10 -n shop
check "is said" says 'the log of build 10 of "cart" is gone'
log_blob=$(printf '===> BUILD\ndone\n' | git hash-object -w --stdin)
tree=$(printf '100644 blob %s\t10.log\n' "$log_blob" | git mktree)
for folder in cart buildconfigs shop; do tree=$(printf '040000 tree %s\t%s\n' "$tree" $folder | git mktree); done
git update-ref refs/heads/reconcile/logs "$(git commit-tree "$tree" -m logs </dev/null)"
for name in cart-10 'bc/cart -b 10'; do
	check "of $name" look build logs $name -n shop
	check "as it is kept" printed <<<$'===> BUILD\ndone'
done
mkdir -p "$XDG_CACHE_HOME/reconcile/logs"
growing=$XDG_CACHE_HOME/reconcile/logs/BuildConfig_shop_cart-11.log
echo one >"$growing"
timeout 60 "$reconcile" build logs cart-11 -n shop >"$work/followed" &
follower=$!
for _ in $(seq 200); do grep -q one "$work/followed" && break; sleep 0.05; done
echo two >>"$growing"
for _ in $(seq 200); do grep -q two "$work/followed" && break; sleep 0.05; done
rm "$growing"
check "a growing one is followed" wait $follower
check "to its end" diff "$work/followed" <(printf 'one\ntwo\n')

note "cancel"
cancelled() { printf 'build.build.openshift.io/%s marked for cancellation, waiting to be cancelled\nbuild.build.openshift.io/%s cancelled\n' "$1" "$1"; }
# phase_is NUMBER PHASE: in the record, and in the history.
phase_is() {
	recorded "cart/builds/$1.yaml" | python3 -c 'import sys, yaml; got = yaml.safe_load(sys.stdin)["status"]["phase"]; assert got == sys.argv[1], got' "$2"
	recorded cart.yaml | python3 -c 'import sys, yaml; got = {b["number"]: b["phase"] for b in yaml.safe_load(sys.stdin)["status"]["builds"]}; assert got[int(sys.argv[1])] == sys.argv[2], got' "$1" "$2"
}
n=$(commits)
check "named ones" refused build cancel cart-10 cart-13 cart-12 cart-build-3 cart-99 -n shop
check "that nobody runs end" diff "$work/out" <(cancelled cart-13; cancelled cart-12)
check "the others are said" diff - <(grep -v dashboard "$work/err") <<'TEXT'
reconcile: build shop/cart-10 has ended: Complete
reconcile: error: build shop/cart-build-3 is of an Image: it ends with the run that makes it, which SIGINT stops
reconcile: error: no Build "cart-99" is recorded; did you mean "cart-9"?
TEXT
for number in 12 13; do check "$number is cancelled" phase_is $number Cancelled; done
check "10 is not" phase_is 10 Complete
check "one commit" [ "$(commits)" = $((n + 1)) ]
check "says so" diff - <(git log -1 --format=%B reconcile/state | sed -n '1,3p') <<'TEXT'
reconcile: 2 builds cancelled

BuildConfig/shop/cart: build #13 cancelled, build #12 cancelled
TEXT
check "describe says it" look build describe cart-13 -n shop
check "with its reason" says 'Status:		Cancelled (The build was cancelled by the user.)'
check "how long it waited" says 'Duration:	waited for 6m0s'
check "only new ones" look build cancel bc/cart -n shop --state=new
check "there are none" printed </dev/null
check "new and pending ones" look cancel-build bc/cart -n shop --state new,pending
check "one was" diff "$work/out" <(cancelled cart-14)
check "the dashboard has it" bash -c "git show reconcile/state:README.md | grep -qxF '| [shop/cart](shop/buildconfigs/cart.yaml) | Docker | 14 Image change | Cancelled (CancelledBuild) | \`registry.example.com/shop/cart@$d2\` | $now |'"
check "the one that runs, not waited for" look build cancel bc/cart -n shop --no-wait
check "is marked" printed <<<'build.build.openshift.io/cart-11 marked for cancellation, waiting to be cancelled'
check "in its record" bash -c "git show reconcile/state:shop/buildconfigs/cart/builds/11.yaml | grep -qx '  cancelled: true'"
check "and goes on" phase_is 11 Running
n=$(commits)
check "once is enough" look build cancel cart-11 -n shop --no-wait
check "no commit" [ "$(commits)" = "$n" ]

# The run that builds it sees the mark, and ends it.
timeout 60 "$reconcile" build cancel cart-11 -n shop --now "$now" >"$work/waited" &
waiter=$!
for _ in $(seq 200); do grep -q marked "$work/waited" && break; sleep 0.05; done
check "it waits" kill -0 $waiter
rm -rf "$work/state"
mkdir "$work/state"
git archive reconcile/state | tar -x -C "$work/state"
sed -i '/number: 11/,/number: 12/s/phase: Running/phase: Cancelled/' "$work/state/shop/buildconfigs/cart.yaml"
sed -i 's/phase: Running/phase: Cancelled/' "$work/state/shop/buildconfigs/cart/builds/11.yaml"
commit_state
check "until it has ended" wait $waiter
check "and says so" diff "$work/waited" <(cancelled cart-11)

write_state
build 11 Running '  startTimestamp: "2026-11-22T03:19:00Z"
  run: {id: 01JE, lease: "2026-11-22T03:20:02Z"}'
commit_state
check "a run that is gone is not waited for longer than its claim" look build cancel cart-11 -n shop
check "then it ends here" diff "$work/out" <(cancelled cart-11)
check "in state" phase_is 11 Cancelled
write_state
commit_state
timeout 60 "$reconcile" build cancel cart-11 -n shop --now "$now" >"$work/waited" 2>"$work/waited.err" &
waiter=$!
for _ in $(seq 200); do grep -q marked "$work/waited" && break; sleep 0.05; done
sed -i '/number: 11/s/phase: Running/phase: Complete/' "$work/state/shop/buildconfigs/cart.yaml"
sed -i 's/phase: Running/phase: Complete/' "$work/state/shop/buildconfigs/cart/builds/11.yaml"
commit_state
ended=0
wait $waiter || ended=$?
check "one that was done before it could end fails" [ $ended = 1 ]
check "and says so" grep -qx 'reconcile: error: build shop/cart-11 failed to cancel: it has ended as Complete' "$work/waited.err"

# Two at once, and a third who has more to do: nothing is lost, whoever is first.
write_state
commit_state
for name in cart-12 cart-13 bc/cart; do timeout 60 "$reconcile" build cancel $name -n shop --state=new,pending,running --no-wait --now "$now" >>"$work/racing" 2>&1 & done
wait
for number in 12 13 14; do check "$number is cancelled by one of three" phase_is $number Cancelled; done
check "11 is marked" bash -c "git show reconcile/state:shop/buildconfigs/cart/builds/11.yaml | grep -qx '  cancelled: true'"
check "state is well" look build list -A -o json

note "damaged records"
sed -i 's/phase: Failed/phase: Odd/' "$work/state/shop/buildconfigs/cart/builds/9.yaml"
commit_state
check "are named" refused build describe cart-9 -n shop
check "with their file" says "state file 'shop/buildconfigs/cart/builds/9.yaml'"
check "a word that is no phase is a repository" expect_exit 5 "$reconcile" build cancel cart-13 -n shop --state=odd
exit $failed
