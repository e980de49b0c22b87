#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# examples/manifests/chain: a base image, a builder image made from it by a Dockerfile, an application made with that by
# source-to-image, a Deployment. Each change goes as far as it must, in one run, and no further.
set -euo pipefail
. "$(dirname "$0")/../lib/world.sh" "$(cd "$1" && pwd)"
trap 'rm -rf "$work" 2>/dev/null || buildah unshare rm -rf "$work"' EXIT
command -v buildah >/dev/null || skip "buildah is not installed"
command -v crun >/dev/null || skip "crun is not installed"
chain=$top/examples/manifests/chain
. "$chain/images.sh"

base() { make_base "$work/registry/registry.local/upstream/base" latest "$1"; }
# repository NAME FOLDER: main of $work/NAME.git is the folder's content; the clone is $work/NAME.
repository() {
	git init -q --bare "$work/$1.git"
	git clone -q "$work/$1.git" "$work/$1" 2>/dev/null
	cp -R "$2/." "$work/$1/"
	git -C "$work/$1" add -A
	git -C "$work/$1" commit -qm "first of $1"
	git -C "$work/$1" push -q origin HEAD:main
}
base one >"$work/base.1"
repository builder "$chain/builder"
repository app "$chain/app"
mkdir -p "$work/config"
cp "$chain/manifests/"* "$work/config/"
cd "$work/config"
git init -q
git add -A
git commit -qm "what we want"

# recorded KIND NAME FIELD-PATH: of the recorded file, as JSON or text.
recorded() {
	git show "reconcile/state:shop/$1/$2.yaml" | python3 -c '
import json, sys, yaml
value = yaml.safe_load(sys.stdin)["status"]
for part in sys.argv[1].split("."):
    value = value.get(part) if isinstance(value, dict) else value[int(part)] if value else None
print(value if isinstance(value, str) else json.dumps(value))' "$3"
}
# tag STREAM: what <stream>:latest is.
tag() {
	git show "reconcile/state:shop/imagestreams/$1.yaml" | python3 -c '
import sys, yaml
for tag in yaml.safe_load(sys.stdin)["status"]["tags"]:
    if tag["tag"] == "latest":
        print(tag["items"][0]["image"])'
}
is() { [ "$1" = "$2" ] || { echo "'$2', not '$1'"; return 1; }; }
# image_file STREAM PATH: a file of its image, from the topmost layer that has it.
image_file() {
	local layout=$work/registry/registry.local/streams/shop/$1 layer
	for layer in $(python3 -c '
import json, sys
print(*reversed([one["digest"][7:] for one in json.load(open(sys.argv[1]))["layers"]]))' "$layout/blobs/sha256/$(tag "$1" | cut -d: -f2)"); do
		tar -xzOf "$layout/blobs/sha256/$layer" "$2" 2>/dev/null && return 0
		tar -xzOf "$layout/blobs/sha256/$layer" "./$2" 2>/dev/null && return 0
	done
	echo "no $2 in $1"
	return 1
}
# cause CONFIG NUMBER MESSAGE: why that build was made.
cause() {
	git show "reconcile/state:shop/buildconfigs/$1/builds/$2.yaml" >"$work/build.yaml"
	grep -qF "message: $3" "$work/build.yaml" || { cat "$work/build.yaml"; return 1; }
}
file_is() { is "$1" "$(image_file "$2" "$3")"; }
builds() { is "$2" "$(recorded buildconfigs "$1" lastVersion)"; }
deployed() { grep -qF "image: registry.local/streams/shop/app@$(tag app)" deployment.yaml || { cat deployment.yaml; return 1; }; }
# Scheduled tags are looked at when a minute has gone by; a run's time is given, so that no test waits.
now=$(date +%s)
later() {
	now=$((now + 120))
	expect_exit 0 "$reconcile" --write=files --now "$(date -u -d "@$now" +%Y-%m-%dT%H:%M:%SZ)" "$@" .
}

note "one run builds everything there is"
check "first run" later
check "the base image is in its stream" is "$(cat "$work/base.1")" "$(tag base)"
check "one build of the builder" builds builder 1
check "one of the application" builds app 1
check "the base's file is in the application" file_is one app opt/app/deps/motd
check "and its page" file_is "Hello from the end of a chain." app opt/app/index.html
check "the Deployment follows" deployed
git add -A
git commit -qm "images"

note "the second run does nothing"
before=$(commits)
check "second run" later
check "without a commit" is "$before" "$(commits)"
check "nor an edit" git diff --quiet

note "another base image goes through everything in one run"
base two >"$work/base.2"
old_builder=$(tag builder) old_app=$(tag app)
check "third run" later
check "the base moved" is "$(cat "$work/base.2")" "$(tag base)"
check "the builder was built" builds builder 2
check "because of its base" says "STACK     shop/base:latest"
check "which is recorded" cause builder 2 "Image change"
check "the application was built" builds app 2
check "because of its builder" says "BUILDER   shop/builder:latest"
check "which is recorded" cause app 2 "Image change"
check "with another builder" test "$old_builder" != "$(tag builder)"
check "to another image" test "$old_app" != "$(tag app)"
check "dependencies of the last build were used" file_is one app opt/app/deps/motd
check "on the new base" file_is two app etc/motd
check "the Deployment follows" deployed
git add -A
git commit -qm "images"

note "a commit to the application builds the application"
echo "Hello again." >"$work/app/index.html"
git -C "$work/app" commit -qam "another page"
git -C "$work/app" push -q origin HEAD:main
old_builder=$(tag builder)
check "fourth run" later
check "the application was built" builds app 3
check "because of the commit" says "COMMIT    main of"
check "which is recorded" cause app 3 "Generic WebHook"
check "the builder was not" builds builder 2
check "it is the same" is "$old_builder" "$(tag builder)"
check "the new page is there" file_is "Hello again." app opt/app/index.html
check "the Deployment follows" deployed
git add -A
git commit -qm "images"

note "and then nothing"
before=$(commits)
check "fifth run" later
check "without a commit" is "$before" "$(commits)"
check "nor an edit" git diff --quiet
exit "$failed"
