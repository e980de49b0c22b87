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
