#!/usr/bin/env bash
# Image fields of workloads and marked fields follow image streams and policies: shown, written in place, committed to the
# manifests' repository on a real git server (same branch, another one, one that moves meanwhile), signed with ssh and gpg.
# Of files of every style only the intended bytes change.
set -euo pipefail
. "$(dirname "$0")/../lib/world.sh" "$1"
trap 'git_servers_stop "$work/run"; stop_servers; gpgconf --kill all 2>/dev/null || true; rm -rf "$work"' EXIT
mkdir -p "$work/repos"
git_repo_new "$work/repos/config.git"
url=$(git_http_start "$work/repos" "$work/run") || exit $?
start_registry "$work/registry-data"
export GNUPGHOME=$work/gnupg
sum() { printf '%s' "$1" | sha256sum | cut -d' ' -f1; }
one=sha256:$(sum one) two=sha256:$(sum two) three=sha256:$(sum three)
bare() { git -C "$work/repos/config.git" "$@"; }

# point DIGEST: the stream's tag refers to it.
point() {
	cat >"$1/stream.yaml" <<-YAML
		apiVersion: image.openshift.io/v1
		kind: ImageStream
		metadata: {name: base, namespace: shop}
		spec:
		  lookupPolicy: {local: true}
		  tags:
		  - {name: "1", reference: true, from: {kind: DockerImage, name: "reg.example.com/base@$2"}}
	YAML
}
trigger='[{"from":{"kind":"ImageStreamTag","name":"base:1"},"fieldPath":"spec.template.spec.containers[?(@.name==\"web\")].image"}]'
git clone -q "$url/config.git" "$work/clone" 2>/dev/null
cd "$work/clone"
mkdir m
point m "$one"

# A corpus of styles; @@ is what changes.
corpus() {
	printf '# comments\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: comments\n  namespace: shop\n  annotations:\n    %s: >-\n      %s\nspec:\n  template:\n    spec:\n\n      containers:   # all\n      -   name:   web\n          image:   @@    # the image\n      # the end\n' image.openshift.io/triggers "$trigger" >"$1/comments.yaml"
	printf '\xef\xbb\xbfapiVersion: apps/v1\r\nkind: StatefulSet\r\nmetadata: {name: crlf, namespace: shop, annotations: {image.openshift.io/triggers: '"'%s'"'}}\r\nspec:\r\n  template:\r\n    spec:\r\n      containers:\r\n      - {name: web, image: "@@"} # \xc3\xa9\r\n' "$trigger" >"$1/crlf-bom.yaml"
	printf 'apiVersion: v1\nkind: List\nitems:\n- apiVersion: apps/v1\n  kind: DaemonSet\n  metadata: &m\n    name: listed\n    namespace: shop\n    annotations:\n      image.openshift.io/triggers: |\n        %s\n  spec: {template: {spec: {containers: [{name: x, image: keep/me:1}, {name: web, image: &i '"'@@'"'}]}}}\n- {apiVersion: v1, kind: Service, metadata: {name: s}}\n---\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: short, namespace: shop}\nspec:\n  containers:\n  - command: ["image: base:1"]\n    image: @@\n' "$trigger" >"$1/list.yml"
	printf '{"apiVersion": "apps/v1", "kind": "ReplicaSet",\n "metadata": {"name": "json", "namespace": "shop", "annotations": {"image.openshift.io/triggers": "%s"}},\n "spec": {"template": {"spec": {"containers": [{"name":"web","image":"@@"}]}}}}\n' "$(printf %s "$trigger" | sed 's/\\/\\\\/g; s/"/\\"/g')" >"$1/json.json"
	printf 'image: @@ # {"$imagepolicy": "shop:pol"}\nother: |\n  image: base:1 # {"$imagepolicy": "shop:pol"}\n' >"$1/values.yaml"
}
policy() {
	printf 'apiVersion: image.toolkit.fluxcd.io/v1beta2\nkind: ImagePolicy\nmetadata: {name: pol, namespace: shop}\nspec: {imageRepositoryRef: {name: base}, policy: {numerical: {}}}\n' >m/policy.yaml
}
files='comments.yaml crlf-bom.yaml list.yml json.json values.yaml'
mkdir "$work/plain"
corpus "$work/plain"
fill() { # VALUE FOLDER: the corpus with this value
	local file
	for file in $files; do sed "s|@@|$1|g" "$work/plain/$file" >"$2/$file"; done
}
same() { # VALUE FOLDER
	local file
	mkdir -p "$work/want"
	fill "$1" "$work/want"
	for file in $files; do cmp "$work/want/$file" "$2/$file" || return 1; done
}
fill base:1 m
policy
git add -A
git commit -qm "manifests"
git push -q origin main

cp -r m "$work/before"
check "a dry run shows the edits" expect_exit 0 "$reconcile" --dry-run m
check "where they are" says "Deployment shop/comments (m/comments.yaml:16:20)"
check "as a diff" says "+          image:   reg.example.com/base@$one    # the image"
check "of the JSON file too" says "ReplicaSet shop/json (m/json.json:3:"
check "and counts" says "6 edits"
check "and writes nothing" diff -r m "$work/before"
check "JSON has them" bash -c "'$reconcile' --dry-run -o json m 2>/dev/null | python3 -c '
import json, sys
edits = [e for s in json.load(sys.stdin)[\"steps\"] for e in s.get(\"edits\", [])]
assert len(edits) == 6, edits
assert any(e[\"file\"] == \"m/values.yaml\" and e[\"line\"] == 1 and e[\"old\"] == \"base:1\" for e in edits), edits'"
check "a run records, and says that nothing is written" expect_exit 0 "$reconcile" m
check "how it could be" says "6 edits are not written: --write=files"
check "the files are as they were" diff -r m "$work/before"
check "in place" expect_exit 0 "$reconcile" --write m
check "of every style only the value changed" same "reg.example.com/base@$one" m
check "then there is nothing to do" expect_exit 0 "$reconcile" --expect-no-changes m
git add -A
git commit -qm "by hand"
git push -q origin main

# The tag moves; the same branch on a server.
point m "$two"
git commit -qam "the tag moves"
git push -q origin main
n=$(bare rev-list --count main)
check "committed to the branch" expect_exit 0 "$reconcile" --write=commit m
check "and said" says "6 edits committed to 'main'"
[ "$(bare rev-list --count main)" = $((n + 1)) ] || { echo "not ok - one commit"; failed=1; }
check "with our words" bash -c "git -C '$work/repos/config.git' log -1 --format=%B main | grep -qF 'Update images: 6 edits in 5 files'"
check "and where it comes from" bash -c "git -C '$work/repos/config.git' log -1 --format=%B main | grep -q '^Reconcile-Source-Commit: [0-9a-f]\{40\}$'"
check "again: it is there already" expect_exit 0 "$reconcile" --write=commit m
check "nothing is committed" says "on the branch 'main' already"
[ "$(bare rev-list --count main)" = $((n + 1)) ] || { echo "not ok - no second commit"; failed=1; }
git pull -q --ff-only origin main
check "only the values changed" same "reg.example.com/base@$two" m
check "no loop: after a pull nothing is to do" expect_exit 0 "$reconcile" --expect-no-changes --write=commit m

# Another branch, begun at the commit that is checked out, and continued.
cat >m/reconcile.yaml <<-YAML
	apiVersion: reconcile.dev/v1
	kind: Settings
	metadata: {name: settings}
	registries: [{prefix: "$SERVER_ADDR", insecure: true}]
	updates:
	  write: commit
	  branch: images/update
	  message: "chore: {{summary}}\n\n{{changes}}\nrun {{ run }}"
	  author: {name: Robot, email: robot@example.com}
YAML
point m "$three"
git add -A
git commit -qm "another branch"
git push -q origin main
check "to another branch" expect_exit 0 "$reconcile" m
[ "$(bare rev-parse images/update~)" = "$(git rev-parse HEAD)" ] || { echo "not ok - it begins at HEAD"; failed=1; }
check "by that author, with that message" bash -c "git -C '$work/repos/config.git' log -1 --format='%an %ae %s' images/update | grep -qx 'Robot robot@example.com chore: 6 edits in 5 files'"
check "again: nothing" expect_exit 0 "$reconcile" m
check "it says so" says "on the branch 'images/update' already"
point m "$one"
git commit -qam "back" && git push -q origin main
check "a branch with our edits takes the next ones" expect_exit 0 "$reconcile" m
[ "$(bare rev-list --count main..images/update)" -ge 2 ] || { echo "not ok - two commits"; failed=1; }
bare archive images/update m | tar -xC "$work"
check "with the values of now" same "reg.example.com/base@$one" "$work/m"

# The branch moves between reading and writing: other files do not matter, an edited one does.
sed -i 's|branch: .*|branch: main|; /message/d' m/reconcile.yaml
git commit -qam "main" && git push -q origin main
git clone -q "$url/config.git" "$work/other" 2>/dev/null
( cd "$work/other" && echo hello >README.md && git add -A && git commit -qm "meanwhile" && git push -q origin main )
check "on top of a commit that touched something else" expect_exit 0 "$reconcile" m
check "nothing of it is lost" bash -c "git -C '$work/repos/config.git' show main:README.md | grep -qx hello"
git pull -q --ff-only origin main
point m "$two"
git commit -qam "again" && git push -q origin main
( cd "$work/other" && git pull -q --ff-only && sed -i 's/# the end/# THE END/' m/comments.yaml && git commit -qam "same file" && git push -q origin main )
tip=$(bare rev-parse main)
check "a file that others changed is not overwritten" expect_exit 4 "$reconcile" m
check "it is named" says "'m/comments.yaml' on the branch 'main' is not the file that was loaded"
[ "$(bare rev-parse main)" = "$tip" ] || { echo "not ok - nothing was pushed"; failed=1; }
git pull -q --ff-only origin main
cat >"$work/repos/config.git/hooks/update" <<-'SH'
	#!/bin/sh
	# once: somebody else is faster
	[ "$1" = refs/heads/main ] && [ ! -e moved ] || exit 0
	touch moved
	git update-ref refs/heads/main "$(git commit-tree -p "$2" -m raced "$2^{tree}")"
SH
chmod +x "$work/repos/config.git/hooks/update"
check "a race is tried again" expect_exit 0 "$reconcile" m
check "on top of the other" bash -c "git -C '$work/repos/config.git' log -2 --format=%s main | tail -1 | grep -qx raced"
rm "$work/repos/config.git/hooks/update"
git pull -q --ff-only origin main
check "the file of others has both" grep -q "THE END" m/comments.yaml

# Signatures: only from a trusted place.
ssh-keygen -q -t ed25519 -N '' -f "$work/key" -C robot
printf 'robot@example.com namespaces="git" %s\n' "$(cut -d' ' -f1,2 "$work/key.pub")" >"$work/signers"
trusted() { # METHOD KEY
	sed "/^  sign:/d; /^updates:/a\\  sign: {method: $1, key: \"$2\"}" m/reconcile.yaml >"$work/settings.yaml"
}
trusted ssh "$work/key"
point m "$three"
cp "$work/settings.yaml" m/reconcile.yaml
git commit -qam "signed?" && git push -q origin main
check "settings of the manifests' folder sign nothing" expect_exit 0 "$reconcile" --dry-run m
check "and it is said" says "updates.sign.method, updates.sign.key"
check "a trusted file does" expect_exit 0 "$reconcile" --settings "$work/settings.yaml" m
bare config gpg.ssh.allowedSignersFile "$work/signers"
check "git verifies the ssh signature" bare verify-commit main
git pull -q --ff-only origin main
mkdir -m 700 "$GNUPGHOME"
gpg --batch --quiet --passphrase '' --quick-generate-key 'Robot <robot@example.com>' ed25519 sign never 2>/dev/null
trusted gpg robot@example.com
point m "$one"
git commit -qam "signed by gpg" && git push -q origin main
check "with gpg" expect_exit 0 "$reconcile" --settings "$work/settings.yaml" m
check "git verifies the gpg signature" bare verify-commit main
git pull -q --ff-only origin main
trusted ssh "$work/nosuch"
point m "$two"
git commit -qam "no key" && git push -q origin main
check "without the key nothing is committed" expect_exit 4 "$reconcile" --settings "$work/settings.yaml" m
check "it says why" says "cannot sign the commit: ssh-keygen"
check "the next run makes it good" expect_exit 0 "$reconcile" m
git pull -q --ff-only origin main
check "only the values changed, through all of it" cmp <(sed "s|@@|reg.example.com/base@$two|; s/the end/THE END/" "$work/plain/comments.yaml") m/comments.yaml

# A policy over the tags of a real registry.
mkdir "$work/p"
git init -q "$work/p" && cd "$work/p"
make_stack "$work/layout" one one >/dev/null
for tag in 1.0.0 1.2.0 1.10.0 2.0.0 latest; do
	skopeo copy -q --dest-tls-verify=false "oci:$work/layout:one" "docker://$SERVER_ADDR/acme/app:$tag"
done
cat >all.yaml <<-YAML
	apiVersion: image.toolkit.fluxcd.io/v1beta2
	kind: ImageRepository
	metadata: {name: app, namespace: shop}
	spec: {image: $SERVER_ADDR/acme/app, insecure: true}
	---
	apiVersion: image.toolkit.fluxcd.io/v1beta2
	kind: ImagePolicy
	metadata: {name: app, namespace: shop}
	spec:
	  imageRepositoryRef: {name: app}
	  policy: {semver: {range: ^1.0}}
	  digestReflectionPolicy: IfNotPresent
	---
	apiVersion: reconcile.dev/v1
	kind: Settings
	metadata: {name: settings}
	registries: [{prefix: "$SERVER_ADDR", insecure: true}]
YAML
printf 'images:\n- name: app\n  newTag: "0" # {"$imagepolicy": "shop:app:tag"}\n  digest: x # {"$imagepolicy": "shop:app:digest"}\n' >Kustomization
git add -A && git commit -qm "policy"
digest=$(skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$SERVER_ADDR/acme/app:1.10.0")
check "the highest of the range" expect_exit 0 "$reconcile" --write .
check "in a file without an extension" grep -qF 'newTag: "1.10.0" # {' Kustomization
check "with its digest" grep -qF "digest: $digest # {" Kustomization
check "recorded" bash -c "git show reconcile/state:shop/imagepolicies/app.yaml | grep -qF 'latestImage: $SERVER_ADDR/acme/app:1.10.0@$digest'"
check "the checked out branch of a local repository is refused" expect_exit 0 "$reconcile" --write=commit .
sed -i 's|range: ^1.0|range: ">=2"|' all.yaml
git commit -qam two
check "when there is something to commit" expect_exit 4 "$reconcile" --write=commit .
check "it says what to do" says "is checked out in"
exit $failed
