#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# kp's commands on files: what create, patch, save, delete and trigger write, print and refuse, and what the next run makes of it.
set -euo pipefail
. "$(dirname "$0")/../lib/world.sh" "$1"
trap 'rm -rf "$work"' EXIT

make_stack "$work/registry/registry.local/stacks/base" build one >/dev/null
make_stack "$work/registry/registry.local/stacks/base" run one >/dev/null
for name in site httpd; do
	make_buildpackage "$work/registry/registry.local/buildpacks/$name" "$example/buildpacks/$name" "quickstart/$name" 1.0.0 >/dev/null
done
git init -q --bare "$work/app.git"
git clone -q "$work/app.git" "$work/app" 2>/dev/null
app_commit "$work/app" index.txt "0" "first"
cp -r "$example/manifests" "$work/config"
cd "$work/config"
git init -q
builder=$(sed -n '/builder:/,/name:/s/.*name: *//p' image.yaml)
note "the builder is $builder"

# same FILE TEXT: the file holds exactly this.
same() { printf '%b' "$2" | diff - "$1"; }
# printed TEXT: stdout is exactly this.
printed() { printf '%b' "$1" | diff - "$work/out"; }
tree() { find "$work/config" -path '*/.git' -prune -o -type f -print0 | sort -z | xargs -0 sha256sum; }

tag=registry.local/apps/made
check "create" expect_exit 0 "$reconcile" image create made $tag -c "$builder" --git "$work/app.git" --git-revision main
check "create prints kp's lines" printed 'Creating Image Resource...\nImage Resource "made" created\n'
check "create writes a file" same made.yaml "apiVersion: kpack.io/v1alpha2\nkind: Image\nmetadata:\n  name: made\nspec:\n  tag: $tag\n  builder:\n    kind: ClusterBuilder\n    name: $builder\n  source:\n    git:\n      url: $work/app.git\n      revision: main\n"
tree >"$work/tree"
check "create does not write over an image" expect_exit 1 "$reconcile" image create made $tag --git "$work/app.git"
check "it says where the image is" says 'image "made" already exists: made.yaml:1:1'
check "one source is needed" expect_exit 64 "$reconcile" image create other $tag
check "kp's text for it" says "image source must be one of git, blob, or local-path"
check "two sources are too many" expect_exit 64 "$reconcile" image create other $tag --git x --blob y
check "a tag is needed" expect_exit 64 "$reconcile" image create other --git x
check "kp's text for a missing tag" says "--tag is required to create the resource"
check "a revision needs git" expect_exit 64 "$reconcile" image create other $tag --blob https://example.com/x.zip --git-revision main
check "kp's text for the revision" says "git-revision is incompatible with blob and local path image sources"
check "a builder that is nowhere is refused" expect_exit 3 "$reconcile" image create other $tag-2 -b absent --git "$work/app.git"
check "the refusal names it" says "cannot find Builder/default/absent"
check "a name that is a path" expect_exit 1 "$reconcile" image create ../other $tag-2 --git "$work/app.git"
check "a namespace that is a path" expect_exit 1 "$reconcile" image create other $tag-2 -n ../.. --git "$work/app.git"
check "one of the builders" expect_exit 64 "$reconcile" image create other $tag-2 -b a -c b --git x
check "dry run of create" expect_exit 0 "$reconcile" image create other $tag-2 -c "$builder" --local-path "$work/app" --dry-run
check "a dry run says so" says 'Image Resource "other" created (dry run)'
check "a dry run shows the file" says '+  tag: registry.local/apps/made-2'
check "nothing of this was written" diff "$work/tree" <(tree)

cat >made.yaml <<YAML
# The made image.
apiVersion: kpack.io/v1alpha2   # group
kind: Image
metadata:
    name: made
spec:
    tag: '$tag'
    builder: {kind: ClusterBuilder, name: $builder}
    source:
        # where it comes from
        git:
            url: $work/app.git
            revision: "main"   # followed
    build:
        env:
          - name: A   # first
            value: '1'
          # about B
          - name: B
            value: two
---
# untouched
kind: Other
apiVersion: example.com/v1
metadata: {name: made}
YAML
sed -i 's/$/\r/' made.yaml
cp made.yaml "$work/before.yaml"
check "patch" expect_exit 0 "$reconcile" image patch made -e A=2 -d B -e C='x: y' --git-revision v1.10 --success-build-history-limit 3
check "patch prints kp's lines" printed 'Patching Image Resource...\nImage Resource "made" patched\n'
sed -e "s/'1'/'2'/" -e 's/"main"/"v1.10"/' -e '/- name: B/,/value: two/d' "$work/before.yaml" |
	sed -e "/value: '2'/a\\          - name: C\r\n            value: \"x: y\"\r" -e '/about B/{n;s/^---/    successBuildHistoryLimit: 3\r\n---/}' >"$work/after.yaml"
check "only what was asked has changed" diff "$work/after.yaml" <(awk '/about B/ { held = $0; next } /successBuild/ && held { print held; held = "" } { print }' made.yaml)
check "the mode stays" [ "$(stat -c %a made.yaml)" = "$(stat -c %a "$work/before.yaml")" ]
check "the same again" expect_exit 0 "$reconcile" image patch made -e A=2
check "no change is said" printed 'Patching Image Resource...\nImage Resource "made" patched (no change)\n'
tree >"$work/tree"
check "the tag is immutable" expect_exit 1 "$reconcile" image patch made --tag registry.local/apps/moved
check "both tags are named" says "got: registry.local/apps/moved, want: $tag"
check "an absent variable" expect_exit 1 "$reconcile" image patch made -d Z
check "kp's text for it" says "delete-env parameter 'Z' not found in existing image configuration"
check "set and deleted" expect_exit 1 "$reconcile" image patch made -d A -e A=3
check "kp's text for both" says "duplicate delete-env and env-var parameter 'A'"
check "patch of nothing" expect_exit 1 "$reconcile" image patch nothing -e A=3
check "a badly formed variable" expect_exit 1 "$reconcile" image patch made -e A
check "-o yaml of a dry run" expect_exit 0 "$reconcile" image patch made --blob https://example.com/a.zip --dry-run -o yaml
check "the document is the result" grep -q '^    blob:' "$work/out"
check "nothing of this was written either" diff "$work/tree" <(tree)
cp "$work/before.yaml" made.yaml

check "save changes an image that is there" expect_exit 0 "$reconcile" image save made --service-account default -n default
check "save says patched" says 'Image Resource "made" patched'
check "save creates one that is not" expect_exit 0 "$reconcile" image save kept $tag-kept -c "$builder" --local-path ../app --sub-path .
check "a local path is relative to the manifest" grep -q 'path: ../app$' kept.yaml
rm kept.yaml
mkdir -p elsewhere
check "--manifests from elsewhere" bash -c "cd elsewhere && '$reconcile' image save kept $tag-kept -c '$builder' --local-path ../../app --manifests .."
check "the path is relative to the manifest still" grep -q 'path: ../app$' kept.yaml
check "the flag names of 2020" expect_exit 0 "$reconcile" image patch kept --custom-cluster-builder "$builder" --additional-tag registry.local/apps/kept:1
check "an additional tag" grep -q '  - registry.local/apps/kept:1$' kept.yaml
check "deleted with its list" bash -c "'$reconcile' image patch kept --delete-additional-tag registry.local/apps/kept:1 && ! grep -q additionalTags kept.yaml"
check "a git revision needs a git source" expect_exit 1 "$reconcile" image patch kept --git-revision main
check "kp's text on patch" says "git-revision is incompatible with existing image source"
check "the source changes its kind" expect_exit 0 "$reconcile" image patch kept --git "$work/app.git" --git-revision main
check "the old source is gone" bash -c "! grep -q 'local:' kept.yaml"

cp "$work/before.yaml" made.yaml
sed -i 's/\r$//; /^---/,$d' made.yaml
git add -A && git commit -qm config
check "the images are built" expect_exit 0 "$reconcile" .
check "filter by cluster builder" bash -c "'$reconcile' image list --filter 'clusterbuilder=$builder,x' --filter ready=true | grep -q ^made"
check "filter by reason" bash -c "'$reconcile' image list --filter latest-reason=COMMIT,TRIGGER | grep -q 'no images found'"
check "a bad filter" expect_exit 64 "$reconcile" image list --filter name=x
check "kp's text for a bad filter" says 'invalid filter argument "name=x"'
check "trigger" expect_exit 0 "$reconcile" image trigger made
check "trigger says which build it will be" printed 'Triggered build for Image Resource "made" with Build Number 2\n'
check "trigger adds an annotation and nothing else" [ "$(git diff --numstat made.yaml)" = "2	0	made.yaml" ]
check "the run builds" expect_exit 0 "$reconcile" .
check "for reason TRIGGER" bash -c "'$reconcile' build list made | grep -q '^2 .*TRIGGER'"
check "once" expect_exit 0 "$reconcile" --expect-no-changes .
check "trigger at a time" expect_exit 0 "$reconcile" image trigger made --now 2026-01-01T00:00:00Z
check "the time is the value" grep -q 'reconcile.dev/trigger: "2026-01-01T00:00:00Z"$' made.yaml
check "trigger again at the same time" expect_exit 0 "$reconcile" image trigger made --now 2026-01-01T00:00:00Z
check "has another value" grep -q 'reconcile.dev/trigger: "2026-01-01T00:00:00Z-2"$' made.yaml

check "dry run of delete" expect_exit 0 "$reconcile" image delete made --dry-run
check "a dry run deletes nothing" test -e made.yaml
check "delete" expect_exit 0 "$reconcile" image delete made
check "delete prints the requirement's line" printed '"made" deleted\n'
check "it says when the records go" says "go with the next run of '.'"
check "a file that held nothing else is gone" bash -c "! test -e made.yaml"
check "delete again" expect_exit 1 "$reconcile" image delete made
check "the run takes the records away" expect_exit 0 "$reconcile" .
check "the run says so" says '"made" deleted'
check "no builds are recorded any more" bash -c "! git ls-tree -r --name-only reconcile/state | grep -q images/made"
check "the image that was built stays" test -e "$work/registry/registry.local/apps/made/index.json"
exit $failed
