#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The commands of image streams in the order in which the requirement document gives them, against a real registry: describe,
# tag, update, delete, schedule; then import, rollback, lookup and prune. skopeo pushes and says what is true.
set -euo pipefail
. "$(dirname "$0")/../lib/world.sh" "$1"
trap 'stop_servers; rm -rf "$work"' EXIT
for program in docker-registry skopeo; do command -v $program >/dev/null || skip "there is no $program"; done
start_registry "$work/server"

# push NAME TAG TEXT: an image of two layers; prints its digest.
push() {
	mkdir -p "$work/tree/opt/app-root/src"
	echo "$3" >"$work/tree/opt/app-root/src/version"
	python3 "$oci" image "$work/layout" "$2" --layer "$work/tree" --layer "$top/tests/lib" --user 1001 --label build-date=20170801 >/dev/null
	skopeo copy -q --dest-tls-verify=false "oci:$work/layout:$2" "docker://$SERVER_ADDR/$1:$2"
	skopeo inspect --raw --tls-verify=false "docker://$SERVER_ADDR/$1:$2" | sha256sum | sed 's/^\(.*\)  -$/sha256:\1/'
}
# printed TEXT: stdout is exactly this, %b escapes.
printed() { printf '%b' "$1" | diff - "$work/out"; }
commits() { git rev-list --count reconcile/state; }
# is_item TAG N ID: the N-th image of the tag's recorded history.
is_item() {
	local got
	got=$(git show "reconcile/state:default/imagestreams/python.yaml" | python3 -c '
import sys, yaml
tags = {t["tag"]: t["items"] for t in yaml.safe_load(sys.stdin)["status"]["tags"]}
print(tags[sys.argv[1]][int(sys.argv[2])]["image"])' "$1" "$2")
	[ "$got" = "$3" ] || { echo "$1[$2] is $got, not $3"; return 1; }
}
first=$(push centos/python-35-centos7 latest 3.5)
second=$(push library/python 3.6.0 3.6)
mkdir "$work/config"
cd "$work/config"
git init -q
cat >reconcile.yaml <<YAML
apiVersion: reconcile.dev/v1
kind: Settings
registries:
  - {prefix: docker.io, location: $SERVER_ADDR, insecure: true}
streams: {registry: docker-registry.default.svc:5000}
YAML
cat >python.yaml <<YAML
# Pythons that the teams use.
apiVersion: v1   # as of old
kind: ImageStream
metadata:
  name: python
spec:
  tags:
  - name: "3.5"   # quoted
    from: {kind: DockerImage, name: centos/python-35-centos7}
YAML
cp python.yaml "$work/before.yaml"
run() { "$reconcile" --now "$1" "${@:2}" . >"$work/out" 2>"$work/err"; }
t0=2017-10-02T17:05:11Z t1=2017-10-02T17:09:00Z t2=2017-10-02T17:10:15Z

note "describe"
check "the plan shows a line per tag" expect_exit 0 "$reconcile" --dry-run --now $t0 .
check "in the design's form" printed "ImageStreamTag default/python:3.5  import  (none) → ${first:0:19}…\n\n1 import; 0 unchanged.\n"
check "the first run imports" run $t0
check "describe is/python" expect_exit 0 "$reconcile" describe is/python --now 2017-10-02T17:06:15Z
check "describe reads like oc's" printed "Name:\t\t\tpython\nNamespace:\t\tdefault\nCreated:\t\tAbout a minute ago\nLabels:\t\t\t<none>\nAnnotations:\t\topenshift.io/image.dockerRepositoryCheck=2017-10-02T17:05:11Z\nDocker Pull Spec:\tdocker-registry.default.svc:5000/default/python\nImage Lookup:\t\tlocal=false\nUnique Images:\t\t1\nTags:\t\t\t1\n\n3.5\n  tagged from centos/python-35-centos7\n\n  * centos/python-35-centos7@$first\n      About a minute ago\n"
check "stream describe is the same" bash -c "'$reconcile' stream describe python --now 2017-10-02T17:06:15Z | diff - '$work/out'"
check "KIND and NAME as two words" bash -c "'$reconcile' describe imagestream python --now 2017-10-02T17:06:15Z | diff - '$work/out'"
check "describe needs no server" bash -c "'$reconcile' describe is/python --state-branch reconcile/state --now 2017-10-02T17:06:15Z | diff - '$work/out'"

note "tag a tag"
check "tag python:3.5 python:latest" expect_exit 0 "$reconcile" tag python:3.5 python:latest
check "it says which image" printed "Tag python:latest set to python@$first.\n"
check "comments and bytes are kept" bash -c "diff '$work/before.yaml' python.yaml | grep -c '^<' | grep -qx 0"
check "the run takes it" run $t1
check "a tag's tag is shown by its image" expect_exit 0 "$reconcile" describe is/python --now $t2
check "one image" says $'Unique Images:\t\t1'
check "two tags, latest first" bash -c "tr '\n' ' ' <'$work/out' | grep -q 'Tags:[[:blank:]]*2  latest   tagged from python@$first .*3.5   tagged from centos'"
check "describe istag/python:latest" expect_exit 0 "$reconcile" describe istag/python:latest --now $t2
for line in "Image Name:	$first" "Name:		$first" "Created:	About a minute ago" "Author:		<none>" "Arch:		amd64" "User:		1001" "Docker Labels:	build-date=20170801"; do
	check "it says $line" grep -qxF "$line" "$work/out"
done
check "with sizes" grep -qE '^Image Size:	[0-9.]+ k?B \(first layer [0-9.]+ B, last binary layer [0-9.]+ kB\)$' "$work/out"
check "an image by its short id" expect_exit 0 "$reconcile" describe "isimage/python@${first:0:15}" --now $t2
check "is the same image" grep -qxF "Image Name:	$first" "$work/out"
check "as JSON it is an ImageStreamTag" bash -c "'$reconcile' stream describe python:latest -o json | python3 -c 'import json, sys; d = json.load(sys.stdin); assert d[\"kind\"] == \"ImageStreamTag\" and d[\"image\"][\"metadata\"][\"name\"] == \"$first\"'"

note "external images"
check "tag docker.io/python:3.6.0 python:3.6" expect_exit 0 "$reconcile" tag docker.io/python:3.6.0 python:3.6
check "says so" printed "Tag python:3.6 set to docker.io/python:3.6.0.\n"
check "it is imported" run 2017-10-02T17:11:00Z
check "its image" is_item 3.6 0 "$second"
check "update: tag python:3.6 python:latest" expect_exit 0 "$reconcile" tag python:3.6 python:latest
check "says which" printed "Tag python:latest set to python@$second.\n"
check "the run takes the update" run 2017-10-02T17:12:00Z
check "the new one on top" is_item latest 0 "$second"
check "the old one below" is_item latest 1 "$first"
check "delete: tag -d python:3.5" expect_exit 0 "$reconcile" tag -d python:3.5
check "says so" printed "Deleted tag default/python:3.5.\n"
check "the run takes it away" run 2017-10-02T17:13:00Z
check "describe has no 3.5" bash -c "! '$reconcile' describe is/python | grep -qx 3.5"
check "deleting it again fails" expect_exit 1 "$reconcile" tag -d python:3.5
check "with oc's text" says "destination tag default/python:3.5 does not exist."
check "schedule" expect_exit 0 "$reconcile" tag docker.io/python:3.6.0 python:3.6 --scheduled
check "says so" printed "Tag python:3.6 set to import docker.io/python:3.6.0 periodically.\n"
check "the run imports" run 2017-10-02T17:14:00Z
check "the description says it" bash -c "'$reconcile' describe is/python | grep -qxF '  updates automatically from registry docker.io/python:3.6.0'"
check "with -v when" bash -c "'$reconcile' describe is/python -v --now 2017-10-02T17:14:00Z | grep -qF '    next check due 2017-10-02T17:29:00Z (in 15 minutes)'"
check "a run with -v says when" expect_exit 0 "$reconcile" -v --now 2017-10-02T17:14:30Z .
check "and only then" says "ImageStreamTag default/python:3.6: the next import is due 2017-10-02T17:29:00Z"
check "reset" expect_exit 0 "$reconcile" tag docker.io/python:3.6.0 python:3.6
check "nothing of the schedule is left" bash -c "! grep -q scheduled python.yaml"

note "alias, rollback, errors"
check "alias" expect_exit 0 "$reconcile" tag --alias python:3.6 python:newest
check "says so" printed "Tag python:newest set up to track python:3.6.\n"
check "roll back" expect_exit 0 "$reconcile" tag "python@$first" python:latest
check "says so" printed "Tag python:latest set to python@$first.\n"
check "the run takes both" run 2017-10-02T17:15:00Z
check "the old image is on top again" is_item latest 0 "$first"
check "nothing was lost" is_item latest 1 "$second"
check "the alias is folded" bash -c "'$reconcile' describe is/python | grep -qx '3.6 (newest)'"
n=$(commits)
check "again: nothing to do" run 2017-10-02T17:16:00Z
check "no commit" [ "$(commits)" = "$n" ]
check "a tag that is nowhere" expect_exit 1 "$reconcile" tag python:nowhere python:x
check "oc's text" says '"python:nowhere" is not currently pointing to an image, cannot use it as the source of a tag'
check "too few words" expect_exit 64 "$reconcile" tag python:3.6
check "oc's text" says "you must specify a source and at least one destination or one or more tags to delete"
check "a destination that is no tag" expect_exit 64 "$reconcile" tag docker.io/python:3.6.0 python
check "oc's text" says '"python" must be of the form <stream_name>:<tag>'
cp python.yaml "$work/python.yaml"
check "dry run" expect_exit 0 "$reconcile" tag docker.io/python:3.6.0 other:1 python:x --dry-run
check "shows both files" bash -c "grep -q '^+++ imagestream-other.yaml' '$work/out' && grep -q '^+++ python.yaml' '$work/out'"
check "writes none" bash -c "diff python.yaml '$work/python.yaml' && [ ! -e imagestream-other.yaml ]"
check "another namespace" expect_exit 0 "$reconcile" tag docker.io/python:3.6.0 shop/web:1
check "is said" printed "Tag shop/web:1 set to docker.io/python:3.6.0.\n"
check "in a file of its own" grep -qxF "  namespace: shop" imagestream-shop-web.yaml
rm imagestream-shop-web.yaml

note "list, why, graph, dashboard"
check "get is" expect_exit 0 "$reconcile" get is --now 2017-10-02T17:16:00Z
check "has oc's columns" printed "NAME      IMAGE REPOSITORY                                  TAGS                UPDATED\npython    docker-registry.default.svc:5000/default/python   latest,3.6,newest   About a minute ago\n"
check "names" bash -c "'$reconcile' stream list -A -o name | grep -qx imagestream.image.openshift.io/python"
check "why" expect_exit 0 "$reconcile" why ImageStream/python
check "says so" says "ImageStream default/python: as recorded"
check "graph" bash -c "'$reconcile' graph . | grep -qx 'ImageStream default/python'"
check "the dashboard has a row per tag" bash -c "git show reconcile/state:README.md | grep -cF '| [default/python](default/imagestreams/python.yaml) |' | grep -qx 3"

note "import"
third=$(push library/python 3.6.0 3.6-again)
check "import" expect_exit 0 "$reconcile" import python:3.6
check "says what the next run does" printed "imagestream.image.openshift.io/python: the next run imports tag 3.6\n"
check "import --wait" expect_exit 0 "$reconcile" import python:newest --wait --now 2017-10-02T17:20:00Z
check "oc's line" bash -c "head -1 '$work/out' | grep -qx 'imagestream.image.openshift.io/python imported'"
check "the moved image is there" is_item 3.6 0 "$third"
check "the alias moved too" is_item newest 0 "$third"
check "and is described" grep -qxF "Image Name:	python:3.6" "$work/out"
check "a tag that is not there" expect_exit 1 "$reconcile" import python:9
check "oc's text" says 'the tag "9" does not exist on the image stream - choose an existing tag to import or use the '"'tag'"' command to create a new tag'
check "another source" expect_exit 1 "$reconcile" import python:newest --from docker.io/x:1
check "oc's text" says 'the tag "newest" points to the tag "3.6" which points to "docker.io/python:3.6.0" - use the '"'tag'"' command if you want to change the source to "docker.io/x:1"'
check "an image of the stream" expect_exit 1 "$reconcile" import python:latest
check "oc's text" says "tag \"latest\" points to existing ImageStreamImage \"python@$first\", it cannot be re-imported"
check "a stream that is not there" expect_exit 1 "$reconcile" import ruby --from docker.io/ruby
check "oc's text" says 'no image stream named "ruby" exists, pass --confirm to create and import'
check "an image that is not there" expect_exit 4 "$reconcile" import-image ruby --from docker.io/ruby --confirm --wait
check "is an error of that tag" says "tag latest failed: "
check "oc's last words" says "imported completed with errors"
check "the plan shows the tag that failed" expect_exit 4 "$reconcile" --dry-run .
check "with the reason" grep -qE '^ImageStreamTag default/ruby:latest +import failed +.*not found' "$work/out"
rm imagestream-ruby.yaml
check "all tags" expect_exit 0 "$reconcile" import python --all
check "only those of registries" printed "imagestream.image.openshift.io/python: the next run imports tag 3.6\n"

note "lookup, prune"
check "lookup" expect_exit 0 "$reconcile" stream lookup python
check "is written" grep -qxF "  lookupPolicy:" python.yaml
check "the run takes it" run 2017-10-02T17:21:00Z --prune
check "the description says it" bash -c "'$reconcile' describe is/python | grep -qxF 'Image Lookup:		local=true'"
check "prune is dry" expect_exit 0 "$reconcile" prune images . --keep-tag-revisions 1 --keep-younger-than 0s --now 2017-10-03T17:00:00Z
check "and says so" says "Dry run enabled - no modifications will be made. Add --confirm to remove images"
check "what would go" says "items from image stream default/python"
check "nothing went" is_item 3.6 1 "$second"
check "prune" expect_exit 0 "$reconcile" prune images . --keep-tag-revisions 1 --keep-younger-than 0s --now 2017-10-03T17:00:00Z --confirm
check "the old image is gone" bash -c "! git show reconcile/state:default/imagestreams/python.yaml | grep -q $second"
check "its record too" bash -c "! git ls-tree -r --name-only reconcile/state | grep -q ${second#sha256:}"
check "what is used stays" is_item latest 0 "$first"
check "with its record" bash -c "git ls-tree -r --name-only reconcile/state | grep -q ${first#sha256:}"
check "prune again" expect_exit 0 "$reconcile" prune images . --keep-tag-revisions 1 --keep-younger-than 0s --now 2017-10-03T17:00:00Z --confirm
check "finds nothing" printed "Summary: deleted 0 objects\n"
n=$(commits)
check "the next run has nothing to do" run 2017-10-02T17:22:00Z
check "no commit" [ "$(commits)" = "$n" ]
exit $failed
