#!/usr/bin/env bash
# State that somebody damaged: a file that is not what was written is an error that names it, and nothing is changed; where a
# status was deleted or is an older one, the records of builds stay what they are, and no number is used again.
set -euo pipefail
. "$(dirname "$0")/../lib/world.sh" "$1"
trap 'rm -rf "$work"' EXIT
build_world
add_image app
check "a first build" expect_exit 0 "$reconcile" .
app_commit "$work/app" index.txt two two
check "a second one" expect_exit 0 "$reconcile" .
good=$(git rev-parse reconcile/state)
file=shop/images/app.yaml
status() { git show "$good:$file"; }

# put PATH MODE: a commit on the good state with what stdin has there; MODE "delete" takes the path away.
put() {
	local id=${3:-}
	export GIT_INDEX_FILE=$work/index
	git read-tree "$good"
	if [ "$2" = delete ]; then
		git rm -rq --cached "$1"
	else
		[ -n "$id" ] || id=$(git hash-object -w --stdin)
		git update-index --add --cacheinfo "$2,$id,$1"
	fi
	git update-ref refs/heads/reconcile/state "$(git commit-tree -p "$good" -m "by hand" "$(git write-tree)")"
	unset GIT_INDEX_FILE
}
is_untouched() { [ "$(git rev-parse reconcile/state)" = "$bad" ] || { git log --oneline reconcile/state; return 1; }; }

# refused WHAT WORDS: of what lies there now.
refused() {
	bad=$(git rev-parse reconcile/state)
	check "$1 is refused" expect_exit 5 "$reconcile" .
	check "by its name" says "$file"
	check "and the reason" says "$2"
	check "and nothing is changed" is_untouched
}
note "what is no status"
: | put $file 100644; refused "an empty file" "it is not one document"
printf '\0\377{{' | put $file 100644; refused "garbage" "control character"
{ echo '<<<<<<< ours'; status; } | put $file 100644; refused "a merge that was not ended" "is damaged: line 2"
status | sed '/lastTransitionTime/{s/"$//;q}' | put $file 100644; refused "half a file" "is damaged"
status | sed 's/buildCounter: 2/buildCounter: 99999999999999999999/' | put $file 100644; refused "a number without end" "buildCounter"
status | sed 's/^kind: Image/kind: Builder/' | put $file 100644; refused "another kind" "'kind' is 'Builder'"
{ status; head -c 5000000 /dev/zero | tr '\0' '#'; } | put $file 100644; refused "a file of 5 MB" "more than 4 MiB"
printf /etc/passwd | put $file 120000; refused "a link" "is a link or a submodule"
put $file 160000 "$good" </dev/null; refused "a submodule" "is a link or a submodule"

note "a status that is gone, records that are not"
put $file delete
check "the plan goes on after them" expect_exit 0 "$reconcile" --dry-run .
check "with number 3" says "build #3"
check "the run, too" expect_exit 0 "$reconcile" .
check "its image is adopted" says "build #3 was found in the registry"
check "the old records are what they were" git diff --exit-code "$good" reconcile/state -- shop/images/app/builds/1.yaml shop/images/app/builds/2.yaml
check "the status goes on with it" state_is 3 buildCounter app
good=$(git rev-parse reconcile/state)

note "a status that was taken back"
app_commit "$work/app" index.txt four four
status | sed 's/buildCounter: 3/buildCounter: 1/; s/^    number: 3/    number: 1/' | put $file 100644
check "the next build" expect_exit 0 "$reconcile" .
check "has number 4" state_is 4 buildCounter app
check "the old records are what they were" git diff --exit-code "$good" reconcile/state -- shop/images/app/builds/2.yaml shop/images/app/builds/3.yaml

note "files that are none of ours among the records"
good=$(git rev-parse reconcile/state)
for name in 0 -1 077 9x 99999999999999999999 "a b"; do
	app_commit "$work/app" index.txt "$name" "$name"
	number=$(state buildCounter app)
	echo "mine" | put "shop/images/app/builds/$name.yaml" 100644
	check "'$name' is no number" expect_exit 0 "$reconcile" .
	check "the next one follows" state_is $((number + 1)) buildCounter app
	good=$(git rev-parse reconcile/state)
done
check "all of it is one history" git fsck --strict --no-dangling

note "the same of a build config"
. "$top/examples/manifests/chain/images.sh"
as_user() { "$top/ci/oci-image" "$@" --user 1001:0; }
oci_image=as_user make_base "$work/registry/registry.local/builder" 1 one >/dev/null
mkdir -p "$work/app/.s2i/bin"
printf '#!/bin/sh\ncp -R /tmp/src/index.txt /tmp/index.txt\n' >"$work/app/.s2i/bin/assemble"
printf '#!/bin/sh\nexec sleep 1\n' >"$work/app/.s2i/bin/run"
chmod 755 "$work/app/.s2i/bin"/*
app_commit "$work/app" index.txt s2i "scripts"
cat >config.yaml <<-YAML
	apiVersion: build.openshift.io/v1
	kind: BuildConfig
	metadata: {name: site, namespace: shop, annotations: {reconcile.dev/follow: commits}}
	spec:
	  source: {git: {uri: ../app.git, ref: main}}
	  strategy: {sourceStrategy: {from: {kind: DockerImage, name: "registry.local/builder:1"}}}
	  output: {to: {kind: DockerImage, name: "registry.local/apps/site:1"}}
	  triggers: [{type: ConfigChange}]
YAML
check "its first build" expect_exit 0 "$reconcile" --only BuildConfig/shop/site .
good=$(git rev-parse reconcile/state)
file=shop/buildconfigs/site.yaml
check "is recorded" git cat-file -e "$good:shop/buildconfigs/site/builds/1.yaml"
put $file delete
check "without its status" expect_exit 0 "$reconcile" --only BuildConfig/shop/site .
check "the second one follows" git cat-file -e reconcile/state:shop/buildconfigs/site/builds/2.yaml
check "the first one's record is what it was" git diff --exit-code "$good" reconcile/state -- shop/buildconfigs/site/builds/1.yaml
check "the counter follows" grep -q 'lastVersion: 2' <(git show reconcile/state:$file)

note "an object whose status would be too large to be read back"
add_image large "  build: {env: [$(for i in $(seq 45); do printf '{name: V%s, value: %s}, ' "$i" "$(head -c 100000 /dev/zero | tr '\0' x)"; done)]}"
add_image small
check "is an error" expect_exit 5 "$reconcile" .
check "that names its file" says "cannot record 'shop/images/large/builds/1.yaml': it would be larger than 4 MiB"
check "it is not built" says "Image/shop/large: it is not built, since that could not be recorded"
check "all others are, and recorded" state_is 1 buildCounter small
check "so they are not built again" expect_exit 5 "$reconcile" .
check "nor is anything" bash -c "! grep -q started '$work/err'"
rm large.yaml

if [ "$(id -u)" = 0 ]; then
	note "a repository of another user's, as a job in a container is given it"
	git init -q --bare "$work/other.git"
	git push -q "$work/other.git" reconcile/state
	app_commit "$work/app" index.txt other "of another user"
	chown -R 12345 "$work/other.git" "$work/app.git"
	check "is not read" expect_exit 5 "$reconcile" --state "$work/other.git" .
	check "and what to do is said" says "belongs to another user; if you trust it, use --trust-repositories"
	check "with that it is, also by who builds" expect_exit 0 "$reconcile" --trust-repositories --state "$work/other.git" .
	check "a build was made of it" says "Image shop/app: build #"
fi
exit $failed
