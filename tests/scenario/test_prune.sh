#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Deleting a manifest deletes the records of what it declared, with the next run that loads the place where it stood, and
# nothing else: two folders that share a state branch, manifests that move, runs that see too little, several repositories.
set -euo pipefail
. "$(dirname "$0")/../lib/world.sh" "$1"
trap 'rm -rf "$work"' EXIT
build_world
git init -q --bare "$work/app.git"
git clone -q "$work/app.git" "$work/app" 2>/dev/null
app_commit "$work/app" index.txt "a page" "first page"

# Builders that are there already, so that an image is one object and needs nothing from another folder.
check "builders" expect_exit 0 "$reconcile" .
rm builder.yaml reconcile.yaml
git update-ref -d refs/heads/reconcile/state
sed 's|layout: .*|layout: ./registry|' "$example/manifests/reconcile.yaml" >"$work/reconcile.yaml"
export RECONCILE_SETTINGS=$work/reconcile.yaml
git init -q --bare "$work/origin.git"
git remote add origin "$work/origin.git"
# image FILE NAME
image() {
	mkdir -p "$(dirname "$1")"
	cat >"$1" <<-YAML
		apiVersion: kpack.io/v1alpha2
		kind: Image
		metadata: {name: $2, namespace: shop}
		spec:
		  tag: registry.local/apps/$2
		  builder: {kind: Builder, name: ready-$2}
		  source: {git: {url: $work/app.git, revision: main}}
	YAML
}
builder() {
	mkdir -p "$(dirname "$1")"
	cat >"$1" <<-YAML
		apiVersion: kpack.io/v1alpha2
		kind: Builder
		metadata: {name: ready-$2, namespace: shop}
		spec: {image: "registry.local/builders/default:clusterbuilder-default"}
	YAML
}
pair() { image "$1/$2.yaml" "$2" && builder "$1/builders/$2.yaml" "$2"; }
config() { git add -A && git commit -qm config && git push -q origin HEAD:main; }
# record NAME: its file on the state branch.
record() { git -C "${STATE:-$work/origin.git}" show "reconcile/state:shop/images/$1.yaml"; }
has() { record "$1" >/dev/null; }
has_not() { ! record "$1" >/dev/null 2>&1; }
declared() { record "$1" | grep -qF "reconcile.dev/manifest: $2" || { record "$1" | head; return 1; }; }
count() { git -C "${STATE:-$work/origin.git}" rev-list --count reconcile/state; }
unchanged() { local before; before=$(count); "$@" >"$work/out" 2>"$work/err" || return 1; [ "$(count)" = "$before" ] || { git -C "$work/origin.git" log -1 reconcile/state; return 1; }; }

note "two folders, one state branch"
for name in a b c; do pair one "$name"; done
for name in d e; do pair two "$name"; done
config
check "the first job" expect_exit 0 "$reconcile" one
check "the second job" expect_exit 0 "$reconcile" two
check "all are built" has e
check "an image says where it is declared" declared a one/a.yaml
check "a builder too" bash -c "git -C '$work/origin.git' show reconcile/state:shop/builders/ready-d.yaml | grep -q 'reconcile.dev/manifest: two/builders/d.yaml'"
check "no repository: it is the one of the state" bash -c "! git -C '$work/origin.git' show reconcile/state:shop/images/a.yaml | grep reconcile.dev/origin"
check "nothing to do for the first" unchanged "$reconcile" one
check "not a word about the other's" bash -c "! grep -q 'no manifest' '$work/err'"
check "from within" unchanged "$reconcile" --settings "$RECONCILE_SETTINGS" "$work/config/one/"
check "both at once" unchanged "$reconcile" .
git clone -q "$work/origin.git" "$work/elsewhere"
check "a clone elsewhere" unchanged bash -c "cd '$work/elsewhere/two' && '$reconcile' ."

note "deleting"
rm one/a.yaml one/builders/a.yaml
check "the other job leaves it" unchanged "$reconcile" two
check "a dry run shows it" expect_exit 0 "$reconcile" --dry-run one
check "… the image" bash -c "grep -Eq '^Image shop/a +delete' '$work/out'"
check "… and its builder" says "2 deletions; 4 unchanged."
check "… and deletes nothing" has a
check "it is a change" expect_exit 6 "$reconcile" --expect-no-changes one
check "not with --only" unchanged "$reconcile" --only Image/shop/b one
check "not with -l" unchanged "$reconcile" -l '!x' one
check "not with --no-prune" unchanged "$reconcile" --no-prune one
sed '$aprune: false' "$RECONCILE_SETTINGS" >"$work/keep.yaml"
check "not with prune: false" unchanged "$reconcile" --settings "$work/keep.yaml" one
check "--prune and --no-prune exclude each other" expect_exit 64 "$reconcile" --prune --no-prune one
check "a run deletes it" expect_exit 0 "$reconcile" one
check "and says so as kp does" grep -qx '"a" deleted' "$work/out"
check "the record is gone" has_not a
check "its builds too" bash -c "! git -C '$work/origin.git' ls-tree -r --name-only reconcile/state | grep -q shop/images/a/"
check "its logs too" bash -c "! git -C '$work/origin.git' ls-tree -r --name-only reconcile/logs | grep -q images/a/"
check "the image stays" test -f "$work/registry/registry.local/apps/a/index.json"
check "the others' records too" has d
check "then nothing to do" expect_exit 0 "$reconcile" --expect-no-changes one

note "image delete"
check "the command" expect_exit 0 "$reconcile" image delete e -n shop --manifests two
check "says what comes next" says "the records of its builds go with the next run of 'two'"
check "one of four goes" expect_exit 0 "$reconcile" two
check "said" grep -qx '"e" deleted' "$work/out"
check "it is gone" has_not e

note "what is declared where nothing is loaded"
check "a mistake in a manifest" bash -c "echo 'kind: [' >one/broken.yaml; mv one/b.yaml '$work/b.yaml'"
check "ends the run" expect_exit 3 "$reconcile" one
check "b is still there" has b
rm one/broken.yaml
ln -s nowhere.yaml one/link.yaml
check "a link that leads nowhere" expect_exit 0 "$reconcile" one
check "may hide manifests" says "nothing is deleted: 1 recorded object has no manifest, but not all manifests are here to be read"
check "b is still there" has b
rm one/link.yaml
mv "$work/b.yaml" one/b.yaml
check "all is well" expect_exit 0 "$reconcile" --expect-no-changes one
config

note "a sparse checkout"
git clone -q "$work/origin.git" "$work/sparse"
git -C "$work/sparse" sparse-checkout set one 2>/dev/null
check "of a part" bash -c "[ ! -e '$work/sparse/two' ]"
check "says nothing about the rest" bash -c "cd '$work/sparse' && '$reconcile' . >'$work/out' 2>'$work/err'"
check "d is still there" has d

note "moved"
git mv one/c.yaml one/moved.yaml
check "a file with another name" expect_exit 0 "$reconcile" --expect-no-changes one
check "is no change" expect_exit 0 "$reconcile" one
check "but known" declared c one/moved.yaml
check "no build" bash -c "git -C '$work/origin.git' show reconcile/state:shop/images/c.yaml | grep -q 'buildCounter: 1'"
check "then nothing to do" unchanged "$reconcile" one
mkdir -p two/builders
git mv one/moved.yaml two/c.yaml
git mv one/builders/c.yaml two/builders/c.yaml
check "to the other folder: the first job" unchanged "$reconcile" one
check "sees it there" says "Image/shop/c is declared in two/c.yaml now: its record stays"
check "the second job takes it" expect_exit 0 "$reconcile" two
check "as its own" declared c two/c.yaml
check "with its builds" bash -c "git -C '$work/origin.git' show reconcile/state:shop/images/c.yaml | grep -q 'buildCounter: 1'"
check "the first one has nothing to do with it" unchanged "$reconcile" one
check "not a word" bash -c "! grep -q 'shop/c' '$work/err'"
builder one/builders/d.yaml d
check "declared twice: nothing moves" unchanged "$reconcile" one
check "… either way" unchanged "$reconcile" two
rm one/builders/d.yaml
config

note "more than half"
mkdir "$work/away"
mv two "$work/away/two"
mkdir two
check "an empty folder" unchanged "$reconcile" two
check "is more likely a mistake" says "nothing is deleted: 5 of 5 objects recorded from here have no manifest, which is more than half; --prune=all deletes them"
check "d is still there" has d
cp "$work/away/two/d.yaml" two/
mkdir two/builders
cp "$work/away/two/builders/"{c,d}.yaml two/builders/
check "two of five" expect_exit 0 "$reconcile" two
check "go" has_not c
check "the rest stays" has d
rm -r two/builders/c.yaml two/d.yaml
check "two of three do not" unchanged "$reconcile" two
check "--prune counts all records" expect_exit 0 "$reconcile" --prune .
check "of which they are less than half" has_not d
rm -r two
mkdir two
pair two d
check "a builder and an image, once more" expect_exit 0 "$reconcile" two
rm two/d.yaml
check "one of two goes" expect_exit 0 "$reconcile" two
check "d is gone" has_not d
rm two/builders/d.yaml
check "the last one goes" expect_exit 0 "$reconcile" two
check "the folder has none" bash -c "! git -C '$work/origin.git' grep -q 'manifest: two/' reconcile/state"
config

note "records of before"
git -C "$work/elsewhere" fetch -q origin reconcile/state
git -C "$work/elsewhere" checkout -q -B old FETCH_HEAD
sed -i '/annotations:/d; /reconcile.dev\/manifest/d' "$work/elsewhere"/shop/*/*.yaml
git -C "$work/elsewhere" commit -qam "as an older version left it"
git -C "$work/elsewhere" push -q origin HEAD:reconcile/state
check "what is missing is no change" expect_exit 0 "$reconcile" --expect-no-changes one
mv one/b.yaml "$work/b.yaml"
check "nobody knows where b was declared" expect_exit 0 "$reconcile" one
check "said" says "1 recorded object has no manifest; --prune deletes its record"
check "it stays" has b
mv "$work/b.yaml" one/b.yaml
check "a run adds what is missing" expect_exit 0 "$reconcile" one
check "once" declared b one/b.yaml
check "and then nothing" unchanged "$reconcile" one

note "manifests on standard input"
check "are from nowhere" unchanged bash -c "cat one/*.yaml one/builders/*.yaml | sed 's/^apiVersion/---\\n&/' | '$reconcile' -"
check "b is where it was" declared b one/b.yaml

note "several repositories, state in a third"
git init -q --bare "$work/state.git"
export RECONCILE_STATE=$work/state.git STATE=$work/state.git
for repo in left right; do
	git init -q --bare "$work/$repo.git"
	git clone -q "$work/$repo.git" "$work/$repo" 2>/dev/null
	cd "$work/$repo"
	pair images "$repo"
	pair images "$repo-too"
	config
	check "$repo" expect_exit 0 "$reconcile" images
	check "says where it is from" bash -c "git -C '$STATE' show reconcile/state:shop/images/$repo.yaml | grep -q 'reconcile.dev/origin: file://.*/$repo.git'"
done
cd "$work/left"
check "the other's are not missed" unchanged "$reconcile" .
rm images/left-too.yaml
git -C "$work/right" rm -q images/right.yaml
check "each deletes" expect_exit 0 "$reconcile" .
check "its own" has_not left-too
check "not the other's" has right
git clone -q "$work/left.git" "$work/left-again"
(cd "$work/left-again" && rm images/left-too.yaml images/builders/left-too.yaml)
check "a clone is the same repository" expect_exit 0 bash -c "cd '$work/left-again' && '$reconcile' ."
check "… its builder is gone" bash -c "! git -C '$STATE' cat-file -e reconcile/state:shop/builders/ready-left-too.yaml 2>/dev/null"
cd "$work/right"
check "the other one" expect_exit 0 "$reconcile" .
check "deletes its own" has_not right
check "no more than that" has left

note "no repository at all"
mkdir "$work/plain"
cd "$work/plain"
pair . plain
pair . other
check "a folder" expect_exit 0 "$reconcile" .
check "is an origin" bash -c "git -C '$STATE' show reconcile/state:shop/images/plain.yaml | grep -q 'reconcile.dev/origin: file://.*/plain'"
cp -r "$work/plain" "$work/copy"
check "a copy is another" unchanged bash -c "rm '$work/copy/plain.yaml' && cd '$work/copy' && '$reconcile' ."
check "plain stays" has plain
rm plain.yaml
check "the same folder" expect_exit 0 "$reconcile" .
check "deletes its own" has_not plain
check "and leaves the rest" has left
exit $failed
