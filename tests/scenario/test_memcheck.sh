#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A sample of tests/memcheck: a first run with its builds and one with nothing to do, under valgrind: no error, no leak, no
# descriptor left open, in the program and its workers.
set -euo pipefail
build=$(cd "$1" && pwd)
skip() { echo "skipped: $*"; exit 77; }
for program in valgrind crun busybox git python3; do command -v $program >/dev/null || skip "$program is not installed"; done
[ -x "$build/reconcile" ] || skip "reconcile is not built in $build"
! grep -qaE "__(asan|tsan|ubsan)_" "$build/reconcile" || skip "a sanitizer looks at this build already"
exec python3 "$(dirname "$0")/../memcheck/memcheck" "$build" --part short
