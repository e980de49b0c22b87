#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# bench_import.sh BUILD [--smoke] [--tags=N] [--streams=N] [--rounds=N] — image streams and one docker-registry on loopback: N tags
# resolved, beside the same requests by bare libcurl and beside skopeo (a sample of 20, extrapolated); then runs with nothing
# to do over N streams of five tags, when no tag is due and when all of them are.
set -euo pipefail
build=$(cd "$1" && pwd)
cd "$(dirname "$0")/../.."
rounds=9 tags=1000 streams=1000 each=5 sample=20
for option in "${@:2}"; do
	case $option in
	--smoke) rounds=1 tags=20 streams=4 sample=2 ;;
	--rounds=*) rounds=${option#*=} ;;
	--tags=*) tags=${option#*=} ;;
	--streams=*) streams=${option#*=} ;;
	esac
done
. tests/bench/world.sh
. tests/lib/servers.sh
bench_need git docker-registry skopeo python3
work=$(mktemp -d "${TMPDIR:-/tmp}/reconcile-bench-XXXXXX")
trap 'stop_servers; rm -rf "$work"' EXIT
export XDG_CACHE_HOME=$work/cache HOME=$work GIT_CONFIG_NOSYSTEM=1
mkdir -p "$work/files"
echo bench >"$work/files/bench"
python3 tests/lib/oci.py image "$work/layout" bench --layer "$work/files" --env A=1 --label l=v >/dev/null
start_registry "$work/registry"
repo=$SERVER_ADDR/bench/app
skopeo copy -q --dest-tls-verify=false "oci:$work/layout:bench" "docker://$repo:bench"
total=$((streams * each > tags ? streams * each : tags))
python3 tests/lib/retag.py "$repo" bench t "$total"

"$build/bench/bench_import" --repo="$repo" --tags="$tags" --rounds="$rounds"
start=$EPOCHREALTIME
for ((i = 0; i < sample; i++)); do skopeo inspect --tls-verify=false "docker://$repo:t$i" >/dev/null; done
awk -v a="$start" -v b="$EPOCHREALTIME" -v n="$sample" -v all="$tags" \
	'BEGIN { printf "  skopeo inspect, one after the other: %.0f ms each in a sample of %d; extrapolated to %d tags: %.1f s\n", (b - a) * 1000 / n, n, all, (b - a) * all / n }'

mkdir -p "$work/config"
git config --global user.name Bench
git config --global user.email bench@example.com
git config --global init.defaultBranch main
for ((i = 0; i < streams; i++)); do
	ns=$(printf 'team-%02d' $((i % 100)))
	mkdir -p "$work/config/$ns"
	{
		printf 'apiVersion: image.openshift.io/v1\nkind: ImageStream\nmetadata:\n  name: app-%04d\n  namespace: %s\nspec:\n  tags:\n' "$i" "$ns"
		for ((k = 0; k < each; k++)); do
			printf '  - name: v%d\n    from:\n      kind: DockerImage\n      name: %s:t%d\n    importPolicy:\n      scheduled: true\n' "$k" "$repo" $((i * each + k))
		done
	} >"$work/config/$ns/app-$(printf %04d "$i").yaml"
done
git -C "$work/config" init -q
git -C "$work/config" add -A
git -C "$work/config" commit -qm "what we want"
reconcile=$build/reconcile
start=$EPOCHREALTIME
(cd "$work/config" && "$reconcile" --now 2026-11-22T00:00:00Z . >/dev/null 2>"$work/first.log") || { tail -5 "$work/first.log" >&2; exit 1; }
awk -v a="$start" -v b="$EPOCHREALTIME" -v n=$((streams * each)) 'BEGIN { printf "\nfirst run: %d tags imported and recorded in %.1f s\n", n, b - a }'
before=$(git -C "$work/config" rev-parse reconcile/state)
# Every run is a day later than the one before, so that all tags are due.
cat >"$work/due" <<SCRIPT
n=\$(cat $work/day 2>/dev/null || echo 0)
echo \$((n + 1)) >$work/day
SCRIPT
"$build/bench/bench_commands" --title="nothing to do: $streams streams of $each scheduled tags" --rounds="$rounds" \
	"no tag is due: nothing is asked" "cd $work/config && exec $reconcile --timings --now 2026-11-22T00:01:00Z . 2>>$work/timings" \
	"all are due, none moved" "sh $work/due ;; cd $work/config && exec $reconcile --timings --now \$(date -u -d \"2026-11-23 + \$(cat $work/day) days\" +%FT%TZ) . 2>>$work/timings-due"
[ "$before" = "$(git -C "$work/config" rev-parse reconcile/state)" ] || { echo "a run with nothing to do made a commit" >&2; exit 1; }
echo "  goal: beside the network <= 200 ms, 60 MiB; split, nothing due and all due:"
for file in timings timings-due; do
	awk '/timing:/ { sum[$3] += $4; n[$3]++ } END { for (k in sum) printf "    %-10s %8.1f ms\n", k, sum[k] / n[k] }' "$work/$file" | sort
	echo
done
