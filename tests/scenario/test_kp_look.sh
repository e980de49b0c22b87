#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# kp's looking commands for builders and what they are made of: every kind's list and status in every format, builds of all
# images; and --wait of the commands that write them.
set -euo pipefail
. "$(dirname "$0")/../lib/world.sh" "$1"
for need in python3 crun; do command -v $need >/dev/null || skip "$need is missing"; done
trap 'rm -rf "$work"' EXIT
build_world
images=$work/registry/registry.local
oci="python3 $top/tests/lib/oci.py"
mkdir -p "$work/lc/cnb/lifecycle"
printf '#!/bin/sh\n' >"$work/lc/cnb/lifecycle/detector"
chmod 755 "$work/lc/cnb/lifecycle/detector"
$oci image "$images/lifecycle" 1 --layer "$work/lc" --label io.buildpacks.lifecycle.version=0.20.5 \
	--label 'io.buildpacks.lifecycle.apis={"buildpack":{"deprecated":["0.9"],"supported":["0.10","0.11"]},"platform":{"deprecated":[],"supported":["0.8"]}}' >/dev/null
json() { python3 -c "import json,sys; value=json.load(open('$work/out')); assert $1, value"; }
yaml() { python3 -c "import yaml,sys; value=yaml.safe_load(open('$work/out')); assert $1, value"; }
# printed TEXT: what came out, digests shortened
printed() { printf '%b' "$1" | diff - <(sed -E 's/sha256:[0-9a-f]{64}/sha256/' "$work/out"); }

note "nothing is recorded"
for kind in image builder clusterbuilder clusterstack clusterstore clusterlifecycle buildpack clusterbuildpack build; do
	check "no $kind" expect_exit 0 "$reconcile" $kind list
	check "is said" printed "no ${kind}s found\n"
done

note "written, and made at once"
check "a lifecycle" expect_exit 0 "$reconcile" clusterlifecycle create default-lifecycle --image registry.local/lifecycle:1 --wait
check "is recorded" bash -c "'$reconcile' clusterlifecycle list -o name | grep -qx ClusterLifecycle/default-lifecycle"
check "lifecycle patch, of the one by default" expect_exit 0 "$reconcile" lifecycle patch --image registry.local/lifecycle:1
check "has no change" says 'ClusterLifecycle "default-lifecycle" updated (no change)'
check "create takes a name" expect_exit 64 "$reconcile" clusterlifecycle create --image registry.local/lifecycle:1
check "a buildpack" expect_exit 0 "$reconcile" buildpack create page -n shop --image registry.local/buildpacks/page:1.0.0 -w
check "a cluster buildpack, not waited for" expect_exit 0 "$reconcile" clusterbuildpack create page --image registry.local/buildpacks/page:1.0.0
check "is not recorded yet" expect_exit 1 "$reconcile" clusterbuildpack status page
check "a builder" expect_exit 0 "$reconcile" builder create mine -n shop --tag registry.local/builders/mine --stack base -b test/page -w
check "its log is shown" bash -c "sed -n '/created\$/,\$p' '$work/out' | sed -n 2p | grep -qx -- '===> PREPARE' && tail -n 1 '$work/out' | grep -q '^Builder composed: registry.local/builders/mine'"
check "nothing else was made" bash -c "'$reconcile' clusterbuilder list | grep -qx 'no clusterbuilders found'"
check "a builder of what is not there" expect_exit 4 "$reconcile" builder create none -n shop --tag registry.local/builders/none --stack base -b test/none -w
check "says why" says "Builder/shop/none: could not find buildpack with id 'test/none'"
check "in JSON" expect_exit 0 "$reconcile" builder patch mine -n shop -b test/page@1.0.0 -w -o json
check "… the document alone on stdout" json 'value["spec"]["order"][0]["group"][0]["version"] == "1.0.0"'
check "gone again" expect_exit 0 "$reconcile" builder delete none -n shop
add_image a
add_image b
check "the run" expect_exit 0 "$reconcile" .

note "lists"
list() { check "$1 list" expect_exit 0 "$reconcile" $1 list -A; check "… as kp's" printed "$2"; }
list clusterlifecycle 'NAME                 READY    VERSION    IMAGE\ndefault-lifecycle    true     0.20.5     registry.local/lifecycle@sha256\n\n'
list lifecycle 'NAME                 READY    VERSION    IMAGE\ndefault-lifecycle    true     0.20.5     registry.local/lifecycle@sha256\n\n'
list clusterbuildpack 'NAME    READY    IMAGE\npage    true     registry.local/buildpacks/page@sha256\n\n'
check "buildpack list" expect_exit 0 "$reconcile" buildpack list -n shop
check "… as kp's" printed 'NAME    READY    IMAGE\npage    true     registry.local/buildpacks/page@sha256\n\n'
check "of another namespace" expect_exit 0 "$reconcile" buildpack list
check "there is none" printed 'no buildpacks found\n'
check "buildpack list -o wide" expect_exit 0 "$reconcile" buildpack list -n shop -o wide
check "has what it is" bash -c "sed -n 1p '$work/out' | grep -q '  BUILDPACK *NAMESPACE\$' && sed -n 2p '$work/out' | grep -q '  test/page@1.0.0  *shop\$'"
list clusterstack 'NAME    READY    ID\nbase    true     dev.reconcile.stacks.quickstart\n\n'
for kind in image builder clusterbuilder clusterstack clusterstore clusterlifecycle buildpack clusterbuildpack build; do
	check "$kind list -o json" expect_exit 0 "$reconcile" $kind list -A -o json
	check "… is a List" json 'value["kind"] == "List" and value["items"][0]["metadata"]["name"]'
	check "$kind list -o yaml" expect_exit 0 "$reconcile" $kind list -A -o yaml
	check "… is a List" yaml 'value["kind"] == "List" and value["items"][0]["kind"]'
	check "$kind list -o wide" expect_exit 0 "$reconcile" $kind list -A -o wide
	check "$kind list -o name" expect_exit 0 "$reconcile" $kind list -A -o name
	check "… has names" bash -c "[ -s '$work/out' ] && ! grep -qvE '^[A-Z][A-Za-z]+/([a-z]+/)?[a-z0-9-]+\$' '$work/out'"
done
for id in $("$reconcile" builder list -A -o name; "$reconcile" clusterlifecycle list -o name; "$reconcile" image list -A -o name); do
	check "--only takes $id" expect_exit 0 "$reconcile" --dry-run --only "$id" .
done
check "builds of all images" expect_exit 0 "$reconcile" build list -n shop
check "… in columns that builds of build configs have too" bash -c "sed -n 1p '$work/out' | grep -qE '^NAME +TYPE +STATUS +STARTED +DURATION +REASON\$' && sed -n 2p '$work/out' | grep -q '^a-build-1  *Buildpacks  *SUCCESS' && sed -n 3p '$work/out' | grep -q '^b-build-1 '"
check "-o wide" bash -c "'$reconcile' build list -n shop -o wide | sed -n 2p | grep -q ' Image/a  *registry.local/apps/a@sha256:[0-9a-f]*\$'"
check "of one, the columns of the requirement" bash -c "'$reconcile' build list a -n shop | sed -n 1p | grep -qE '^BUILD +STATUS +IMAGE +STARTED +FINISHED +REASON\$'"
check "by name" bash -c "'$reconcile' build list b -n shop -o name | grep -qx Build/shop/b-build-1"
check "one by name" bash -c "'$reconcile' build status b -n shop -o name | grep -qx Build/shop/b-build-1"

note "status"
check "clusterlifecycle status" expect_exit 0 "$reconcile" clusterlifecycle status default-lifecycle
check "tells its APIs" printed 'Status:            Ready\nImage:             registry.local/lifecycle@sha256\nVersion:           0.20.5\nBuildpack APIs:    0.10, 0.11\nPlatform APIs:     0.8\n\n'
check "-o wide" bash -c "'$reconcile' clusterlifecycle status default-lifecycle -o wide | grep -q '^Deprecated Buildpack APIs:  *0.9\$'"
check "buildpack status" expect_exit 0 "$reconcile" buildpack status page -n shop
check "tells what it is" printed 'Status:          Ready\nBuildpackage:    test/page@1.0.0\nImage:           registry.local/buildpacks/page@sha256\nHomepage:        --\n\n'
check "clusterstore status" expect_exit 0 "$reconcile" clusterstore status default
check "lists packages" printed 'Status:    Ready\n\nBUILDPACKAGE ID    VERSION    HOMEPAGE\ntest/page          1.0.0      \n\n'
check "clusterstore status -v" expect_exit 0 "$reconcile" clusterstore status default -v
check "shows each" printed 'Status:    Ready\n\nBuildpackage:    test/page@1.0.0\nImage:           registry.local/buildpacks/page@sha256\nHomepage:        --\n\n'
for one in "clusterbuilder default" "clusterstack base" "clusterlifecycle default-lifecycle" "clusterbuildpack page"; do
	read -r kind name <<<"$one"
	check "$kind status -o yaml" expect_exit 0 "$reconcile" $kind status $name -o yaml
	check "… is the recorded file" yaml 'value["status"]["conditions"][0]["type"]'
	check "$kind status -o name" expect_exit 0 "$reconcile" $kind status $name -o name
done
check "an image that is no buildpack" expect_exit 4 "$reconcile" clusterbuildpack create broken --image registry.local/lifecycle:1 --wait
check "clusterbuildpack status" expect_exit 0 "$reconcile" clusterbuildpack status broken
check "says why it is not ready" bash -c "grep -qx 'Status:    Not Ready' '$work/out' && grep -q '^Reason:    ..*' '$work/out'"
check "clusterbuildpack list" bash -c "'$reconcile' clusterbuildpack list | grep -q '^broken *false'"
check "one that is not there" expect_exit 1 "$reconcile" clusterlifecycle status default-lifecycel
check "has a suggestion" says 'did you mean "default-lifecycle"?'
exit $failed
