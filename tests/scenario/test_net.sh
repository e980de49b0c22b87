#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A small sample of the faults of tests/net: answers that are late, cut, wrong, missing or lies, at requests of a run with
# builds, a rebase, an import and a copy; the next run makes it good. More of them: NET_SAMPLE, NET_SECONDS, NET_SEED; all of
# them: tests/net/README.md.
set -euo pipefail
build=$(cd "$1" && pwd)
skip() { echo "skipped: $*"; exit 77; }
for need in crun busybox git nginx fcgiwrap docker-registry skopeo openssl unshare python3; do
	command -v $need >/dev/null || skip "$need is missing"
done
python3 -c 'import yaml' 2>/dev/null || skip "python3 has no yaml"
# What once went wrong, each time; then some by chance.
python3 "$(dirname "$0")/../net/net.py" "$build/reconcile" --verbose --jobs 2 --seconds "${NET_SECONDS:-10}" \
	--pick 'portal:registry GET /v2/builders/default/manifests/sha256:#3' \
	--pick 'redirect-host:registry GET /v2/apps/app/blobs/' \
	--pick 'endless-line:registry HEAD' \
	--pick 'upload-lost:registry PUT /v2/apps/app/' \
	--pick 'accepted-only:registry PUT /v2/apps/app/manifests/' \
	--pick 'twice:git POST /state.git/git-receive-pack' \
	--pick 'corrupt-body:files GET' \
	--pick 'archive-416:files GET' \
	--pick 'redirect-expired:upstream GET' \
	--sample "${NET_SAMPLE:-4}" --seed "${NET_SEED:-7}"
