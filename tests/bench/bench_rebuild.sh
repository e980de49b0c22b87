#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# bench_rebuild.sh BUILD [--smoke] [--rounds=N] — a build from a new commit whose buildpack keeps a layer of 600 MB (2,000 files, for
# the image and for the cache) as it was, against the same build with a layer of one file: the difference is ours alone.
set -euo pipefail
build=$(cd "$1" && pwd)
cd "$(dirname "$0")/../.."
rounds=5 files=2000
for option in "${@:2}"; do
	case $option in --smoke) rounds=1 files=2 ;; --rounds=*) rounds=${option#*=} ;; esac
done
. tests/bench/world.sh
bench_need busybox git crun
work=$(mktemp -d "${TMPDIR:-/tmp}/reconcile-bench-XXXXXX")
trap 'rm -rf "$work"' EXIT
bench_buildpack() # FOLDER: a layer that is made once
{
	mkdir -p "$1/bin"
	printf 'api = "0.10"\n\n[buildpack]\nid = "bench/nothing"\nversion = "1.0.0"\n\n[[targets]]\nos = "linux"\n' >"$1/buildpack.toml"
	printf '#!/bin/sh\nexit 0\n' >"$1/bin/detect"
	cat >"$1/bin/build" <<-SCRIPT
		#!/bin/sh
		set -e
		layer=\$CNB_LAYERS_DIR/kept
		printf '[types]\nlaunch = true\ncache = true\n' >"\$layer.toml"
		[ ! -e "\$layer/made" ] || exit 0
		mkdir -p "\$layer"
		i=0
		while [ \$i -lt $bench_files ]; do
			[ \$((i % 100)) -ne 0 ] || mkdir "\$layer/d\$((i / 100))"
			head -c 150000 /dev/urandom >"\$layer/d\$((i / 100))/f\$i"
			head -c 150000 /dev/zero | tr '\\0' x >>"\$layer/d\$((i / 100))/f\$i"
			i=\$((i + 1))
		done
		echo made >"\$layer/made"
	SCRIPT
	chmod 755 "$1/bin/detect" "$1/bin/build"
}
reconcile=$build/reconcile
for kind in large small; do
	bench_files=$files
	[ $kind = large ] || bench_files=1
	mkdir "$work/$kind"
	(
		bench_world "$work/$kind" 1 1 "$work/$kind/git"
		cd "$work/$kind/config" && "$reconcile" . >/dev/null 2>"$work/first.log"
	) || { cat "$work/first.log" >&2; exit 1; }
	cat >"$work/$kind/change" <<SCRIPT
set -e
repo=$work/$kind/git/repo-00.git
blob=\$(date +%s%N | git -C "\$repo" hash-object -w --stdin)
tree=\$(printf '100644 blob %s\tapp.txt\n' "\$blob" | git -C "\$repo" mktree)
git -C "\$repo" update-ref refs/heads/main "\$(git -C "\$repo" -c user.name=b -c user.email=b@b commit-tree -p main -m change "\$tree")"
SCRIPT
	cat >"$work/$kind/run" <<SCRIPT
export XDG_CACHE_HOME=$work/$kind/cache HOME=$work/$kind GIT_CONFIG_NOSYSTEM=1
cd $work/$kind/config && exec $reconcile . 2>$work/$kind/log
SCRIPT
done
"$build/bench/bench_commands" --title="a new commit, and a layer that its buildpack keeps" --rounds="$rounds" --goal=2:500 --memory=45 \
	"a layer of one file" "sh $work/small/change;; exec sh $work/small/run" \
	"a layer of $((files * 3 / 10)) MB in $files files" "sh $work/large/change;; exec sh $work/large/run"
for kind in large small; do
	built=$(cd "$work/$kind/config" && HOME=$work/$kind XDG_CACHE_HOME=$work/$kind/cache "$reconcile" build list app-0000 -n team-00 | grep -c SUCCESS)
	[ "$built" -ge "$rounds" ] || { echo "only $built builds of $rounds" >&2; exit 1; }
done
