#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# bench_build.sh BUILD [--smoke] [--rounds=N] — one whole run that builds: a new commit is found, fetched, detected, built by a
# buildpack that does nothing, exported to an OCI layout and recorded. Compared with what its two sandboxed steps cost when a
# namespace, a chroot and a shell script are all there is. The reference lifecycle needs 0.28 s, without a sandbox.
set -euo pipefail
build=$(cd "$1" && pwd)
cd "$(dirname "$0")/../.."
rounds=9
for option in "${@:2}"; do
	case $option in --smoke) rounds=1 ;; --rounds=*) rounds=${option#*=} ;; esac
done
. tests/bench/world.sh
bench_need busybox git unshare
work=$(mktemp -d "${TMPDIR:-/tmp}/reconcile-bench-XXXXXX")
trap 'rm -rf "$work"' EXIT
bench_world "$work" 1 1 "$work/git"
reconcile=$build/reconcile
(cd "$work/config" && "$reconcile" . >/dev/null 2>"$work/first.log") || { cat "$work/first.log" >&2; exit 1; }
cat >"$work/change" <<SCRIPT
set -e
repo=$work/git/repo-00.git
blob=\$(date +%s%N | git -C "\$repo" hash-object -w --stdin)
tree=\$(printf '100644 blob %s\tapp.txt\n' "\$blob" | git -C "\$repo" mktree)
git -C "\$repo" update-ref refs/heads/main "\$(git -C "\$repo" commit-tree -p main -m change "\$tree")"
SCRIPT
root=$work/root
mkdir -p "$root/bin"
cp "$(command -v busybox)" "$root/bin/busybox"
ln -s busybox "$root/bin/sh"
step="unshare --map-root-user --mount --pid --net --fork chroot $root /bin/sh -c true"
"$build/bench/bench_commands" --title="one build whose buildpacks do nothing, from a new commit to the record" --rounds="$rounds" \
	"two empty sandboxes (unshare, chroot, sh)" "$step && $step" \
	"a run with nothing to do" "cd $work/config && exec $reconcile . 2>/dev/null" \
	"a run with one build" "sh $work/change ;; cd $work/config && exec $reconcile --timings . 2>>$work/timings"
built=$(cd "$work/config" && "$reconcile" build list app-0000 -n team-00 | grep -c SUCCESS)
[ "$built" -ge "$rounds" ] || { echo "only $built builds of $rounds" >&2; exit 1; }
echo "  goal: a run with one build <= 150 ms, of which:"
awk '/timing:/ { sum[$3] += $4; n[$3]++ } END { for (k in sum) printf "    %-10s %8.1f ms\n", k, sum[k] / n[k] }' "$work/timings" | sort
