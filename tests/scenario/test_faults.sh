#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A small sample of the points and conditions of tests/fault: runs killed, calls failed, clocks moved, disks full; the next run
# makes it good. More of them: FAULT_WORLD, FAULT_SAMPLE, FAULT_SECONDS, FAULT_SEED, FAULT_CONDITIONS; all: tests/fault/README.md.
set -euo pipefail
build=$(cd "$1" && pwd)
skip() { echo "skipped: $*"; exit 77; }
for need in crun busybox git python3; do command -v $need >/dev/null || skip "$need is missing"; done
python3 -c 'import yaml' 2>/dev/null || skip "python3 has no yaml"
[ -x "$build/fault-tracer" ] || skip "there is no program $build/fault-tracer"
# Its leak check wants to trace the process itself, and workers do not hand on ASAN_OPTIONS. ci/test runs this without.
! grep -qa __asan_init "$build/reconcile" || skip "a program with the address sanitizer cannot be traced"
report=$(mktemp)
trap 'rm -f "$report"' EXIT
"$build/fault-tracer" --report "$report" true || skip "processes cannot be traced here"
grep -q '^exit 0' "$report" || skip "processes cannot be traced here"
fault=$(dirname "$0")/../fault
code=0
python3 "$fault/faults.py" "$build/reconcile" "$build/fault-tracer" --verbose --world "${FAULT_WORLD:-layouts|first}" \
	--sample "${FAULT_SAMPLE:-34}" --seconds "${FAULT_SECONDS:-20}" ${FAULT_SEED:+--seed "$FAULT_SEED"} || code=$?
[ "$(id -u)" != 0 ] || python3 "$fault/conditions.py" "$build/reconcile" "$build/fault-tracer" --verbose \
	--sample "${FAULT_CONDITIONS:-3}" --seconds 8 ${FAULT_SEED:+--seed "$FAULT_SEED"} || code=1
exit "$code"
