#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# bench_rebase.sh BUILD [--smoke] [--rounds=N] — an application image of 1 GB in a docker-registry set on another run image by the
# worker: how long, and how many requests the registry's own log has. The peer, where it is installed, is skopeo copying
# the image to another name of the same registry: it moves no layer either.
set -euo pipefail
build=$(cd "$1" && pwd)
cd "$(dirname "$0")/../.."
rounds=9 megabytes=250
for option in "${@:2}"; do
	case $option in --smoke) rounds=1 megabytes=1 ;; --rounds=*) rounds=${option#*=} ;; esac
done
for program in docker-registry skopeo python3; do
	command -v $program >/dev/null || { echo "skipped: there is no $program here"; exit 77; }
done
. tests/lib/servers.sh
work=$(mktemp -d "${TMPDIR:-/tmp}/reconcile-bench-XXXXXX")
trap 'stop_servers; rm -rf "$work"' EXIT
layout=$work/layout
oci() { python3 tests/lib/oci.py image "$layout" "$@" --compress none >/dev/null; }
stack=(--label io.buildpacks.stack.id=bench)
mkdir -p "$work/base/etc" "$work"/layer-{1,2,3,4}
for ((i = 0; i <= rounds + 1; i++)); do
	echo "version $i" >"$work/base/etc/version"
	oci "run-$i" --layer "$work/base" "${stack[@]}"
done
layers=()
for i in 1 2 3 4; do
	head -c ${megabytes}000000 /dev/urandom >"$work/layer-$i/data"
	layers+=(--layer "$work/layer-$i")
done
top=$(python3 tests/lib/oci.py config "$layout" run-0 | python3 -c 'import json, sys; print(json.load(sys.stdin)["rootfs"]["diff_ids"][-1])')
oci app --base run-0 "${layers[@]}" "${stack[@]}" --env CNB_PLATFORM_API=0.14 --label "io.buildpacks.lifecycle.metadata={\"app\":[],\"buildpacks\":[],\"config\":{\"sha\":\"\"},\"launcher\":{\"sha\":\"\"},\"runImage\":{\"topLayer\":\"$top\",\"reference\":\"\",\"image\":\"run\"},\"stack\":{\"runImage\":{\"image\":\"run\"}}}"
start_registry "$work/server"
push() { skopeo copy -q --preserve-digests --dest-tls-verify=false "oci:$layout:$1" "docker://$SERVER_ADDR/$2" >/dev/null; }
push app bench/app:latest
for ((i = 1; i <= rounds + 1; i++)); do push "run-$i" "bench/run:$i"; done

# The next request: another run image, and what the last run gave as the image before.
cat >"$work/next.py" <<'PYTHON'
import json, os, sys
work, address, layout = sys.argv[1:]
state = work + "/state"
n = int(open(state).read()) + 1 if os.path.exists(state) else 1
open(state, "w").write(str(n))
tags = {one["annotations"]["org.opencontainers.image.ref.name"]: one["digest"]
        for one in json.load(open(layout + "/index.json"))["manifests"]}
previous = f"{address}/bench/app@{tags['app']}"
if os.path.exists(work + "/events"):
    previous = json.loads(open(work + "/events").read().splitlines()[-1])["image"]
json.dump({"format": 1, "action": "rebase", "id": "Image/bench/app#1", "manifestDir": work, "cacheDir": work + "/cache",
           "tempDir": work + "/temp", "buildKey": "sha256:" + format(n, "064x"), "tags": [address + "/bench/app:latest"],
           "previousImage": previous, "runImage": f"{address}/bench/run@{tags[f'run-{n}']}", "runImageName": "run"},
          open(work + "/request.json", "w"))
PYTHON
next="python3 $work/next.py $work $SERVER_ADDR $layout"
rebase="$build/reconcile worker <$work/request.json >$work/events 2>$work/log"
requests() { grep -cE '"(GET|HEAD|PUT|POST|PATCH|DELETE) ' "$work/server/log"; }
$next
before=$(requests)
sh -c "$rebase" || { cat "$work/log" >&2; exit 1; }
sleep 0.2
grep -E '"(GET|HEAD|PUT|POST|PATCH|DELETE) ' "$work/server/log" | tail -n +$((before + 1)) | sed -E 's/.*"([A-Z]+) ([^ ?]*).*" ([0-9]{3}) .*/    \3 \1 \2/; s/(sha256[:%3A]*[0-9a-f]{8})[0-9a-f]*/\1/; s/uploads\/[-0-9a-f]{36}/uploads\/…/' >"$work/requests"
"$build/bench/bench_commands" --title="an image of $((4 * megabytes)) MB on another run image" --rounds="$rounds" --goal=2:50 --memory=45 \
	"skopeo copy within the registry" "exec skopeo copy -q --src-tls-verify=false --dest-tls-verify=false docker://$SERVER_ADDR/bench/app:latest docker://$SERVER_ADDR/bench/copy:latest >/dev/null" \
	"rebase by the worker" "$next;; exec $rebase"
grep -q '"type":"result"' "$work/events" || { cat "$work/log" >&2; exit 1; }
n=$(wc -l <"$work/requests")
echo "  goal: requests <= 10: $n, $([ "$n" -le 10 ] && echo kept || echo MISSED)"
cat "$work/requests"
