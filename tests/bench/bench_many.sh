#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# bench_many.sh BUILD [--smoke] [--rounds=N] — many tiny images in one run: every one of 20 has a new commit and is built, two at
# a time. Compared with what their sandboxed steps cost when a namespace, a chroot and a shell script are all there is.
set -euo pipefail
build=$(cd "$1" && pwd)
cd "$(dirname "$0")/../.."
rounds=5 images=20
for option in "${@:2}"; do
	case $option in --smoke) rounds=1 images=3 ;; --rounds=*) rounds=${option#*=} ;; esac
done
. tests/bench/world.sh
bench_need busybox git unshare
work=$(mktemp -d "${TMPDIR:-/tmp}/reconcile-bench-XXXXXX")
trap 'rm -rf "$work"' EXIT
bench_world "$work" $images $images "$work/git"
reconcile=$build/reconcile
(cd "$work/config" && "$reconcile" . >/dev/null 2>"$work/first.log") || { cat "$work/first.log" >&2; exit 1; }
cat >"$work/change" <<SCRIPT
set -e
for repo in $work/git/repo-*.git; do
	blob=\$(date +%s%N | git -C "\$repo" hash-object -w --stdin)
	tree=\$(printf '100644 blob %s\tapp.txt\n' "\$blob" | git -C "\$repo" mktree)
	git -C "\$repo" update-ref refs/heads/main "\$(git -C "\$repo" commit-tree -p main -m change "\$tree")"
done
SCRIPT
root=$work/root
mkdir -p "$root/bin"
cp "$(command -v busybox)" "$root/bin/busybox"
ln -s busybox "$root/bin/sh"
cat >"$work/floor" <<SCRIPT
for n in \$(seq $images); do
	for step in detect build; do
		unshare --map-root-user --mount --pid --net --fork chroot $root /bin/sh -c true || exit 1
	done
done
SCRIPT
"$build/bench/bench_commands" --title="$images tiny images, each with a new commit, in one run with -j 2" --rounds="$rounds" \
	"$((2 * images)) empty sandboxes, one after the other" "sh $work/floor" \
	"a run that builds all of them" "sh $work/change ;; cd $work/config && exec $reconcile -j 2 . 2>/dev/null"
built=$(cd "$work/config" && "$reconcile" build list app-0000 -n team-00 | grep -c SUCCESS)
[ "$built" -ge "$rounds" ] || { echo "only $built builds of $rounds" >&2; exit 1; }
echo "  goal: at least 10 builds a second: $images images in $((images * 100)) ms or less, 64 MiB"
