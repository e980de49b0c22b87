#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A few of the races of tests/race, the same every time. More of them: RACE_RUNS, RACE_ROUNDS, RACE_SEED; tests/race/README.md.
set -euo pipefail
build=$(cd "$1" && pwd)
skip() { echo "skipped: $*"; exit 77; }
export PATH=$PATH:/usr/sbin
for need in crun busybox git python3 skopeo docker-registry nginx fcgiwrap ssh sshd; do command -v $need >/dev/null || skip "$need is missing"; done
python3 -c 'import yaml' 2>/dev/null || skip "python3 has no yaml"
python3 "$(dirname "$0")/../race/race.py" "$build/reconcile" --images 1 --configs 1 --runs "${RACE_RUNS:-4}" \
	--rounds "${RACE_ROUNDS:-2}" --seed "${RACE_SEED:-7}"
