#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Pipelines on a Jenkins server, by the worker's protocol: jobs, parameters, logs, results, every way to fail, taking back,
# and finding again what a run that died began. $1 is the build directory.
# Debian 12 has no Jenkins, so the server is a stand-in that is built from documented responses (tests/lib/jenkins.py).
set -eu
here=$(cd "$(dirname "$0")" && pwd)

[ -x "$1/reconcile" ] || { echo "skipped: there is no program $1/reconcile"; exit 77; }
. "$here/../lib/servers.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$1/reconcile" validate "$here/../../examples/manifests/pipeline" || { echo "the example is not valid"; exit 1; }
make_ca "$work/tls"
python3 "$here/pipeline.py" "$1/reconcile" "$work/tls"
