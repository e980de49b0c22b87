#!/usr/bin/env bash
# What a run acts on: --only, -l, --trigger, the trigger annotation, --no-prune; what counts as a change: additional tags, an
# immutable tag, sub paths, local sources, a ready-made builder; what is kept: history limits, logs in a folder, or none.
set -euo pipefail
. "$(dirname "$0")/../lib/world.sh" "$1"
trap 'rm -rf "$work"' EXIT
build_world
for name in a b; do add_image "$name"; done
counts() { state_is "$2" buildCounter "$1"; }
started() { grep -c 'build #.* started (' "$work/err" || true; }
tags_of() { python3 -c 'import json,sys; print(" ".join(sorted(m["annotations"]["org.opencontainers.image.ref.name"] for m in json.load(open(sys.argv[1]))["manifests"] if "annotations" in m)))' "$work/registry/registry.local/apps/$1/index.json"; }
has_tag() { tags_of "$1" | tr ' ' '\n' | grep -qx -- "$2" || { tags_of "$1"; return 1; }; }

note "--only and -l"
check "--only one image" expect_exit 0 "$reconcile" --only Image/shop/a .
check "a is built" counts a 1
check "b is not recorded" bash -c "! git cat-file -e reconcile/state:shop/images/b.yaml"
check "-l the other" expect_exit 0 "$reconcile" -l app=b .
check "b is built" counts b 1
check "a misspelt one is refused" expect_exit 64 "$reconcile" --only Image/shop/aa .
check "with a suggestion or a reason" says "no manifest declares 'Image/shop/aa'"
check "everything is there now" expect_exit 0 "$reconcile" --expect-no-changes .

note "--trigger and the annotation"
check "--trigger" expect_exit 0 "$reconcile" --trigger shop/a .
check "a is built again" counts a 2
check "reason TRIGGER" state_is TRIGGER lastAttempt.reason a
check "b is left alone" counts b 1
put_image a '' '  annotations: {reconcile.dev/trigger: one}'
check "an annotation" expect_exit 0 "$reconcile" .
check "a is built once more" counts a 3
check "only once" expect_exit 0 "$reconcile" --expect-no-changes .
put_image a '' '  annotations: {reconcile.dev/trigger: two}'
check "another value" expect_exit 0 "$reconcile" .
check "builds again" counts a 4

note "tags"
put_image a '  additionalTags: ["registry.local/apps/a:extra"]' '  annotations: {reconcile.dev/trigger: two}'
check "an additional tag" expect_exit 0 "$reconcile" .
check "no build" counts a 4
check "it is there" has_tag a extra
check "the dated tag too" bash -c "[[ ' $(tags_of a) ' == *' b4.'* ]]"
cp b.yaml "$work/b.yaml"
sed -i 's|tag: registry.local/apps/b|tag: registry.local/apps/other|' b.yaml
check "another tag is refused" expect_exit 4 "$reconcile" .
check "as immutable" says "Immutable field changed: spec.tag"
check "no build" counts b 1
cp "$work/b.yaml" b.yaml
check "taken back" expect_exit 0 "$reconcile" .

note "sub paths"
app_commit "$work/b" sub/index.txt "a page below" "below"
put_image b '' && sed -i 's|revision: main}|revision: main}, subPath: sub|; s|source: {git: \(.*\)|source: {git: \1|' b.yaml
python3 - <<'PYTHON'
import re
text = open("b.yaml").read()
text = re.sub(r"  source: .*", "  source: {git: {url: ../b.git, revision: main}, subPath: sub}", text)
open("b.yaml", "w").write(text)
PYTHON
check "a sub path" expect_exit 0 "$reconcile" .
check "is a change" counts b 2
app_commit "$work/b" README "elsewhere" "elsewhere"
check "a commit elsewhere" expect_exit 0 "$reconcile" .
check "builds nothing" counts b 2
app_commit "$work/b" sub/index.txt "another page below" "below again"
check "a commit below" expect_exit 0 "$reconcile" .
check "builds" counts b 3
check "reason COMMIT" state_is COMMIT lastAttempt.reason b

note "a local folder as source"
mkdir -p "$work/local"
echo "local page" >"$work/local/index.txt"
cat >c.yaml <<YAML
apiVersion: kpack.io/v1alpha2
kind: Image
metadata: {name: c, namespace: shop}
spec:
  tag: registry.local/apps/c
  builder: {kind: Builder, name: ready}
  source: {local: {path: ../local}}
---
apiVersion: kpack.io/v1alpha2
kind: Builder
metadata: {name: ready, namespace: shop}
spec: {image: "registry.local/builders/default:clusterbuilder-default"}
YAML
check "with a ready-made builder" expect_exit 0 "$reconcile" .
check "is built" counts c 1
check "and then not" expect_exit 0 "$reconcile" --expect-no-changes .
touch "$work/local/index.txt"
check "a touch is no change" expect_exit 0 "$reconcile" --expect-no-changes .
echo "another" >"$work/local/index.txt"
check "other bytes are" expect_exit 6 "$reconcile" --expect-no-changes .
check "and build" expect_exit 0 "$reconcile" .
check "reason COMMIT" state_is COMMIT lastAttempt.reason c
rm c.yaml

note "prune"
check "with --no-prune records stay" expect_exit 0 "$reconcile" --no-prune .
check "c is still there" counts c 2
check "without it" expect_exit 0 "$reconcile" .
check "it is said as kp says it" grep -qx '"c" deleted' "$work/out"
check "they go" bash -c "! git ls-tree -r --name-only reconcile/state | grep -E 'shop/(images/c|builders/ready)'"
check "and the logs" bash -c "! git ls-tree -r --name-only reconcile/logs | grep images/c/"
mkdir "$work/away"
mv a.yaml b.yaml builder.yaml "$work/away/"
check "more than half" expect_exit 0 "$reconcile" .
check "is guarded" says "--prune=all deletes them"
check "a is still there" counts a 4
mv "$work/away/"* .
check "all is well" expect_exit 0 "$reconcile" --expect-no-changes .

note "history limits"
put_image a '  successBuildHistoryLimit: 2' '  annotations: {reconcile.dev/trigger: two}'
for n in 5 6 7; do check "build $n" expect_exit 0 "$reconcile" --trigger shop/a .; done
check "the counter goes on" counts a 7
check "two records are left" [ "$(git ls-tree --name-only reconcile/state shop/images/a/builds/ | tr '\n' ' ')" = "shop/images/a/builds/6.yaml shop/images/a/builds/7.yaml " ]
check "two logs are left" [ "$(git ls-tree --name-only reconcile/logs shop/images/a/ | tr '\n' ' ')" = "shop/images/a/6.log shop/images/a/7.log " ]
check "the logs branch has no history" [ "$(git rev-list --count reconcile/logs)" = 1 ]
check "build list knows two" [ "$("$reconcile" build list a -n shop | grep -c SUCCESS)" = 2 ]

note "logs in a folder, and none"
sed -i 's|^registries|logs: ../logs\nregistries|' reconcile.yaml
for n in 8 9 10; do check "build $n" expect_exit 0 "$reconcile" --trigger shop/a .; done
check "two files are kept" [ "$(ls "$work/logs/shop/images/a" | tr '\n' ' ')" = "10.log 9.log " ]
check "build logs reads them" expect_exit 0 "$reconcile" build logs a -n shop
check "… to the phases" grep -q '===> EXPORT' "$work/out"
sed -i 's|^logs: .*|logs: none|' reconcile.yaml
check "a build without a log" expect_exit 0 "$reconcile" --trigger shop/a .
check "has none" expect_exit 1 "$reconcile" build logs a -n shop
check "and says so" says 'no log is kept of build 11'
exit $failed
