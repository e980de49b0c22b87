# SPDX-License-Identifier: Apache-2.0
# world.sh — what scenario tests stand on: the program, a stack and buildpacks made on the spot, an application in git, a
# folder of manifests in a repository of its own. Source it with the build folder: . tests/lib/world.sh "$1"
# shellcheck shell=bash

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
reconcile=$1/reconcile
oci_image=$top/ci/oci-image
oci=$top/tests/lib/oci.py
example=$top/examples/manifests/quickstart
work=$(mktemp -d)
chmod 755 "$work"
export HOME=$work/home XDG_CACHE_HOME=$work/cache GIT_CONFIG_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0
unset CI XDG_RUNTIME_DIR DOCKER_CONFIG
mkdir -p "$HOME"
git config --global user.name Tester
git config --global user.email tester@example.com
git config --global init.defaultBranch main
. "$example/images.sh"
. "$top/tests/lib/servers.sh"
. "$top/tests/lib/git_servers.sh"

failed=0
note() { printf '# %s\n' "$*"; }
# check WHAT COMMAND…: prints ok or not ok, goes on.
check() {
	local what=$1
	shift
	if "$@" >"$work/check.log" 2>&1; then
		printf 'ok - %s\n' "$what"
	else
		printf 'not ok - %s\n' "$what"
		sed 's/^/    /' "$work/check.log"
		failed=1
	fi
}
# expect_exit CODE COMMAND…: output goes to $work/out and $work/err.
expect_exit() {
	local want=$1 got=0
	shift
	"$@" >"$work/out" 2>"$work/err" || got=$?
	[ "$got" = "$want" ] && return 0
	echo "exit $got, expected $want: $*"
	tail -n 30 "$work/out" "$work/err"
	return 1
}
says() { grep -qF -- "$1" "$work/out" "$work/err" || { echo "no '$1' in:"; cat "$work/out" "$work/err"; return 1; }; }
skip() { echo "skipped: $*"; exit 77; }

# app_commit DIR FILE TEXT MESSAGE: a commit on main, pushed.
app_commit() {
	mkdir -p "$(dirname "$1/$2")"
	echo "$3" >"$1/$2"
	git -C "$1" add -A
	git -C "$1" commit -qm "$4"
	git -C "$1" push -q origin HEAD:main
}

# build_world: stack, store and builder "default" in layouts; a buildpack that builds what the application's files say:
#   fail   its text is printed, and the build ends with exit code 7
#   slow   the build takes that many seconds
#   refuse the buildpack does not take part
#   do     it is run as a script
# and $work/config, a repository of manifests, which is where we are afterwards.
build_world() {
	local bp=$work/buildpacks/page tag
	for tag in build run; do make_stack "$work/registry/registry.local/stacks/base" "$tag" one >/dev/null; done
	mkdir -p "$bp/bin"
	cat >"$bp/buildpack.toml" <<-TOML
		api = "0.10"
		[buildpack]
		id = "test/page"
		version = "1.0.0"
		[[targets]]
		os = "linux"
	TOML
	printf '#!/bin/sh\n[ ! -f refuse ] || exit 100\n' >"$bp/bin/detect"
	cat >"$bp/bin/build" <<-'SH'
		#!/bin/sh
		echo "building in $(pwd)"
		[ ! -f slow ] || sleep "$(cat slow)"
		[ ! -f fail ] || { cat fail; exit 7; }
		[ ! -f do ] || sh ./do || exit 8
		mkdir -p "$CNB_LAYERS_DIR/page"
		cat index.txt >"$CNB_LAYERS_DIR/page/index.txt"
		printf '[types]\nlaunch = true\n' >"$CNB_LAYERS_DIR/page.toml"
	SH
	chmod +x "$bp/bin/detect" "$bp/bin/build"
	make_buildpackage "$work/registry/registry.local/buildpacks/page" "$bp" test/page 1.0.0 >/dev/null
	mkdir -p "$work/config"
	sed -e '/buildpacks\/httpd/d' -e '/quickstart\/httpd/d' -e 's|buildpacks/site|buildpacks/page|; s|quickstart/site|test/page|' \
		"$example/manifests/builder.yaml" >"$work/config/builder.yaml"
	cp "$example/manifests/reconcile.yaml" "$work/config/"
	git -C "$work/config" init -q
	cd "$work/config"
}

# add_image NAME [SPEC-LINES] [METADATA-LINES]: an Image shop/NAME of an application of its own, in $work/NAME.
add_image() {
	git init -q --bare "$work/$1.git"
	git clone -q "$work/$1.git" "$work/$1" 2>/dev/null
	app_commit "$work/$1" index.txt "page of $1" "first page"
	put_image "$@"
}
put_image() {
	cat >"$work/config/$1.yaml" <<-YAML
		apiVersion: kpack.io/v1alpha2
		kind: Image
		metadata:
		  name: $1
		  namespace: shop
		${3:-  labels: {app: $1\}}
		spec:
		  tag: registry.local/apps/$1
		  builder: {kind: ClusterBuilder, name: default}
		  source: {git: {url: ../$1.git, revision: main}}
		${2:-}
	YAML
}
# state FIELD-PATH NAME: of the recorded status of an Image, as JSON.
state() {
	git show "reconcile/state:shop/images/$2.yaml" | python3 -c '
import json, sys, yaml
value = yaml.safe_load(sys.stdin)["status"]
for part in sys.argv[1].split("."):
    value = value.get(part) if isinstance(value, dict) else value[int(part)] if value else None
print(value if isinstance(value, str) else json.dumps(value))' "$1"
}
# state_is WANT FIELD-PATH NAME
state_is() {
	local got
	got=$(state "$2" "$3")
	[ "$got" = "$1" ] || { echo "$3: $2 is $got, not $1"; return 1; }
}
commits() { git rev-list --count reconcile/state; }
