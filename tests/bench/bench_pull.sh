#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# bench_pull.sh BUILD [--smoke] [--rounds=N] — an image of 200 MB (four layers, gzip in one member each) in a docker-registry:
# its blobs fetched and verified against skopeo; its layers unpacked against tar and umoci; both at once.
set -euo pipefail
build=$(cd "$1" && pwd)
cd "$(dirname "$0")/../.."
rounds=3 megabytes=150
for option in "${@:2}"; do
	case $option in --smoke) rounds=1 megabytes=1 ;; --rounds=*) rounds=${option#*=} ;; esac
done
for program in docker-registry skopeo umoci python3 tar; do
	command -v $program >/dev/null || { echo "skipped: there is no $program here"; exit 77; }
done
. tests/lib/servers.sh
work=$(mktemp -d "${TMPDIR:-/tmp}/reconcile-bench-XXXXXX")
trap 'stop_servers; rm -rf "$work"' EXIT
image=$build/bench/bench_image
layers=()
for i in 1 2 3 4; do
	mkdir -p "$work/tree-$i/opt"
	"$image" tree "$work/tree-$i/opt/data-$i" $megabytes $i
	layers+=(--layer "$work/tree-$i")
done
layout=$work/layout
python3 tests/lib/oci.py image "$layout" latest "${layers[@]}" >/dev/null
start_registry "$work/server"
name=$SERVER_ADDR/bench/app:latest
skopeo copy -q --dest-tls-verify=false "oci:$layout:latest" "docker://$name" >/dev/null

# Every run has a folder of its own and nothing is removed meanwhile: ext4 makes files slowly for a minute after many went.
# Removing all of it at the end takes minutes.
new="n=\$(date +%s%N) && mkdir $work/run-\$n && echo $work/run-\$n >$work/now"
skopeo="exec skopeo copy -q --src-tls-verify=false docker://$name oci:\$(cat $work/now)/layout:latest >/dev/null"
"$build/bench/bench_commands" --title="pull of an image: all blobs, verified" --rounds="$rounds" --goal=2/1:0.6 --goal=3/1:0.6 --memory=45 \
	"skopeo copy docker:// oci:" "$new;; $skopeo" \
	"blobs into the layer store" "$new;; exec $image blobs $name \$(cat $work/now)" \
	"the image into a layout (as mirrors are filled)" "$new;; exec $image copy $name \$(cat $work/now)"
"$image" blobs "$name" "$work/fetched"
blobs=$(echo "$work"/fetched/blobs/sha256/*)
have="$new && mkdir -p \$(cat $work/now)/blobs && cp -rl $work/fetched/blobs/sha256 \$(cat $work/now)/blobs/sha256"
"$build/bench/bench_commands" --title="its layers unpacked and verified" --rounds="$rounds" --goal=3/1:0.65 --goal=3/2:0.4 --memory=45 \
	"tar -xzp, one layer after the other" "$new;; cd \$(cat $work/now) && for blob in $blobs; do tar -xzpf \$blob; done" \
	"umoci unpack" "$new;; exec umoci unpack --image $layout:latest \$(cat $work/now)/bundle >/dev/null 2>&1" \
	"unpacked into the layer store" "$have;; exec $image unpack $name \$(cat $work/now)" \
	"fetched and unpacked" "$new;; exec $image unpack $name \$(cat $work/now)" \
	"skopeo copy and umoci unpack" "$new;; d=\$(cat $work/now) && (${skopeo#exec }) && umoci unpack --image \$d/layout:latest \$d/bundle >/dev/null 2>&1"
