#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# bench_noop.sh BUILD [--smoke] [--images=N] [--repos=N] [--rounds=N] [--keep=FOLDER] — a run with nothing to do over N images in R git
# repositories behind git http-backend on loopback (git daemon where there is no nginx), split by --timings. What the servers
# themselves take is measured by asking them the same with curl, and taken off.
set -euo pipefail
build=$(cd "$1" && pwd)
cd "$(dirname "$0")/../.."
rounds=9 images=1000 repos=20 keep=
for option in "${@:2}"; do
	case $option in
	--smoke) rounds=1 images=4 repos=2 ;;
	--rounds=*) rounds=${option#*=} ;;
	--images=*) images=${option#*=} ;;
	--repos=*) repos=${option#*=} ;;
	--keep=*) keep=${option#*=} ;;
	esac
done
. tests/bench/world.sh
bench_need busybox git nginx fcgiwrap curl
work=${keep:-$(mktemp -d "${TMPDIR:-/tmp}/reconcile-bench-XXXXXX")}
mkdir -p "$work/git"
url=$(git_http_start "$work/git" "$work/run")
trap 'git_servers_stop "$work/run"; [ -n "$keep" ] || rm -rf "$work"' EXIT
reconcile=$build/reconcile
bench_world "$work" "$images" "$repos" "$url"
start=$EPOCHREALTIME
(cd "$work/config" && "$reconcile" . >/dev/null 2>"$work/first.log") || { tail -5 "$work/first.log" >&2; exit 1; }
awk -v a="$start" -v b="$EPOCHREALTIME" -v n="$images" 'BEGIN { printf "\nfirst run: %d builds in %.1f s\n", n, b - a }'
before=$(git -C "$work/config" rev-parse reconcile/state)
ask=
for ((i = 0; i < repos; i++)); do
	ask+=" -o /dev/null $url/repo-$(printf %02d "$i").git/info/refs?service=git-upload-pack"
done
"$build/bench/bench_commands" --title="nothing to do: $images images in $repos repositories" --rounds="$rounds" \
	"the servers: curl -Z, one request per repository" "exec curl -sfZ 2>/dev/null --parallel-max 16 $ask" \
	"a run with nothing to do" "cd $work/config && exec $reconcile --timings . 2>>$work/timings" \
	"the same, --offline" "cd $work/config && exec $reconcile --offline . 2>/dev/null" \
	"reconcile --version" "exec $reconcile --version"
[ "$before" = "$(git -C "$work/config" rev-parse reconcile/state)" ] || { echo "a run with nothing to do made a commit" >&2; exit 1; }
echo "  goal: without the servers' time <= 150 ms, 50 MiB; split:"
awk '/timing:/ { sum[$3] += $4; n[$3]++ } END { for (k in sum) printf "    %-10s %8.1f ms\n", k, sum[k] / n[k] }' "$work/timings" | sort
