#!/usr/bin/env bash
# The story that a newcomer is told must be true: ci/quickstart with the program of this build.
set -euo pipefail
build=$1
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
RECONCILE=$build/reconcile QUICKSTART_DIR=$work/story ci/quickstart
