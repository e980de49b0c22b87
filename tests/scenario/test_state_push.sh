#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A state branch that does not take what a run did: retries, exit 5, a file, `state push`. And manifests of an older commit.
set -euo pipefail
. "$(dirname "$0")/../lib/world.sh" "$1"
git_servers_need git nginx fcgiwrap htpasswd openssl python3 crun || skip "a server is missing"
cleanup() { git_servers_stop "$work/http" || true; rm -rf "$work"; }
trap cleanup EXIT

build_world
mkdir -p "$work/repos"
git_repo_new "$work/repos/config.git"
url=$(git_http_start "$work/repos" "$work/http")
add_image app
add_image other
echo 'state: {pushRetries: 4}' >>reconcile.yaml
sed -i 's|\.\./registry|../registry|' reconcile.yaml
git remote add origin "$url/config.git"
commit() { git add -A && git commit -qm "$1" && git push -q origin HEAD:main; }
commit manifests
bare=$work/repos/config.git
tip() { git -C "$bare" rev-parse -q --verify reconcile/state || true; }
file_of() { sed -n "s/.*is in '\(.*\)'; this records.*/\1/p" "$work/err"; }
# refuse AFTER WORDS: the server refuses what comes after that many updates of the state branch; it counts in $work/pushes.
refuse() {
	rm -f "$work/pushes"
	cat >"$bare/hooks/update" <<-SH
		#!/bin/sh
		[ "\$1" = refs/heads/reconcile/state ] || exit 0
		echo "\$3" >>"$work/pushes"
		[ \$(wc -l <"$work/pushes") -le $1 ] || { echo "$2" >&2; exit 1; }
	SH
	chmod +x "$bare/hooks/update"
}
accept() { rm -f "$bare/hooks/update"; }

note "a branch that takes nothing"
refuse 0 "closed for a while"
check "the run ends with 5" expect_exit 5 "$reconcile" .
check "it says what the server said" says "closed for a while"
check "after one try and four more" [ "$(wc -l <"$work/pushes")" = 5 ]
check "nothing is on the branch" [ -z "$(tip)" ]
accept
rm -f reconcile-*.state

note "a branch that takes the claims and not the results"
refuse 1 "closed for a while"
check "the run ends with 5" expect_exit 5 "$reconcile" .
check "it says which file has the results" says "reconcile state push"
file=$(file_of)
check "which is there" [ -s "$file" ]
check "with the logs' text and without claims" bash -c "grep -q 'latestImage' '$file' && ! grep -q 'phase: Building' '$file'"
claims=$(tip)
check "only the claims are on the branch" [ "$(git -C "$bare" rev-list --count reconcile/state)" = 1 ]
accept

note "a damaged file"
sed 's/succeeded/succeedee/' "$file" >"$work/damaged.json"
check "is refused" expect_exit 3 "$reconcile" state push "$work/damaged.json"
check "for its checksum" says "its checksum is another"
head -c 500 "$file" >"$work/damaged.json"
check "half a file is refused" expect_exit 3 "$reconcile" state push "$work/damaged.json"
echo '{"apiVersion": "v1", "kind": "List"}' >"$work/damaged.json"
check "another document is refused" expect_exit 3 "$reconcile" state push "$work/damaged.json"
check "says what it is not" says "it is no UnrecordedState"
check "there is no such file: exit 3" expect_exit 3 "$reconcile" state push "$work/nothing.json"
check "another branch: exit 3" expect_exit 3 "$reconcile" state push --state-branch reconcile/staging "$file"
check "nothing changed" [ "$(tip)" = "$claims" ]

note "the branch moves on, then the results are pushed"
git clone -q -b reconcile/state "$bare" "$work/moved"
sed 's/name: app/name: elsewhere/; s/app-build/elsewhere-build/' "$work/moved/cluster/builders/default.yaml" >/dev/null
mkdir -p "$work/moved/shop/notes"
echo 'not of ours' >"$work/moved/shop/notes/README.txt"
git -C "$work/moved" add -A
git -C "$work/moved" commit -qm 'another commit'
git -C "$work/moved" push -q
moved=$(tip)
check "state push records them" expect_exit 0 "$reconcile" state push "$file"
check "on top of what came" git -C "$bare" merge-base --is-ancestor "$moved" reconcile/state
check "in one commit" [ "$(git -C "$bare" rev-list --count "$moved..reconcile/state")" = 1 ]
check "of the run that made them" bash -c "git -C '$bare' log -1 --format=%B reconcile/state | grep -q \"Reconcile-Run: \$(sed -n 's/.*reconcile-\\(.*\\).state/\\1/p' <<<'$file')\""
check "the other file is still there" git -C "$bare" cat-file -e reconcile/state:shop/notes/README.txt
git fetch -q origin reconcile/state:refs/heads/reconcile/state
check "the image is recorded" state_is Succeeded lastAttempt.result app
check "the next run has nothing to do" expect_exit 0 "$reconcile" --expect-no-changes .
pushed=$(tip)
check "twice: exit 0" expect_exit 0 "$reconcile" state push "$file"
check "and no commit" [ "$(tip)" = "$pushed" ]

note "another run goes on from there"
app_commit "$work/app" index.txt "second page of app" "second page"
check "it builds" expect_exit 0 "$reconcile" .
later=$(tip)
check "the old results change nothing: exit 0" expect_exit 0 "$reconcile" state push "$file"
check "which is said" says "recorded already"
check "and no commit" [ "$(tip)" = "$later" ]

note "another run is faster than state push"
app_commit "$work/app" index.txt "third page of app" "third page"
refuse 1 "closed for a while"
check "results that are not recorded" expect_exit 5 "$reconcile" .
file=$(file_of)
accept
check "the next run adopts the image" expect_exit 0 "$reconcile" .
later=$(tip)
check "state push leaves that: exit 4" expect_exit 4 "$reconcile" state push "$file"
check "and says so" says "another run has changed it since"
check "no commit" [ "$(tip)" = "$later" ]

# pending TEXT IMAGE…: runs that build these images' new pages and cannot record them; $files is what they leave.
pending() {
	local image
	files=()
	for image in "${@:2}"; do
		app_commit "$work/$image" index.txt "$1 of $image" "$1"
		refuse 1 "closed for a while"
		check "a run that cannot record $image" expect_exit 5 "$reconcile" --only "Image/shop/$image" .
		files+=("$(file_of)")
		accept
	done
}
both_recorded() { state_is Succeeded lastAttempt.result app && state_is Succeeded lastAttempt.result other; }
fetch() { git fetch -q origin +reconcile/state:refs/heads/reconcile/state; }
note "two files, the later one first"
pending "page of two files" app other
check "the later file" expect_exit 0 "$reconcile" state push "${files[1]}"
check "the earlier one" expect_exit 0 "$reconcile" state push "${files[0]}"
fetch
check "both are recorded" both_recorded
landed=$(tip)
for i in 0 1; do
	check "the file $i again: exit 0" expect_exit 0 "$reconcile" state push "${files[i]}"
done
check "and no commit" [ "$(tip)" = "$landed" ]
check "the next run has nothing to do" expect_exit 0 "$reconcile" --expect-no-changes .

note "results of one image from two runs, the newer ones first"
pending "first try" app
older=${files[0]}
app_commit "$work/app" index.txt "second try" "second try"
refuse 1 "closed for a while"
check "another run that cannot record" expect_exit 5 "$reconcile" --only Image/shop/app .
newest=$(file_of)
accept
check "the newer results" expect_exit 0 "$reconcile" state push "$newest"
landed=$(tip)
check "the older ones do not go over them: exit 4" expect_exit 4 "$reconcile" state push "$older"
check "which is said" says "another run has changed it since"
check "no commit" [ "$(tip)" = "$landed" ]
check "the next run has nothing to do" expect_exit 0 "$reconcile" --expect-no-changes .

note "files that land while runs go on"
pending "page beside runs" app other
app_commit "$work/app" index.txt "page after that" "page after that"
for i in 0 1; do "$reconcile" state push "${files[i]}" >"$work/push-$i" 2>&1 & done
for i in 0 1 2; do "$reconcile" --cache-dir "$work/cache-$i" . >"$work/run-$i" 2>&1 & done
wait
check "no push failed" bash -c "! grep -q 'error:' '$work/push-0' '$work/push-1'"
check "no run failed" bash -c "! grep -q 'error:' '$work'/run-?"
check "one more run converges" expect_exit 0 "$reconcile" .
check "then there is nothing to do" expect_exit 0 "$reconcile" --expect-no-changes .
fetch
check "both are recorded" both_recorded
check "the history only goes on" git -C "$bare" merge-base --is-ancestor "$landed" reconcile/state

note "others who are always faster, with the same object"
app_commit "$work/app" index.txt "page that comes too late" "page that comes too late"
cat >"$bare/hooks/pre-receive" <<-'SH'
	#!/bin/sh
	read -r _ _ ref
	[ "$ref" = refs/heads/reconcile/state ] || exit 0
	unset GIT_QUARANTINE_PATH GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES
	export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b GIT_INDEX_FILE=$PWD/faster.index
	echo x >>faster
	git read-tree "$ref"
	blob=$({ git show "$ref:shop/images/app.yaml"; echo "# $(wc -l <faster)"; } | git hash-object -w --stdin)
	git update-index --cacheinfo "100644,$blob,shop/images/app.yaml"
	git update-ref "$ref" "$(git commit-tree -m faster -p "$ref" "$(git write-tree)")"
SH
chmod +x "$bare/hooks/pre-receive"
check "the run gives up" expect_exit 5 "$reconcile" .
check "after one try and four more" [ "$(wc -l <"$bare/faster")" = 5 ]
rm -f "$bare/hooks/pre-receive"
check "the next run builds it" expect_exit 0 "$reconcile" .
check "then there is nothing to do" expect_exit 0 "$reconcile" --expect-no-changes .

note "a server that cannot lock the ref, a while"
app_commit "$work/app" index.txt "fourth page of app" "fourth page"
printf '#!/bin/sh\n[ "$1" = refs/heads/reconcile/state ] || exit 0\n[ -e "%s/locked" ] && exit 0\ntouch "%s/locked" "%s.lock"\n(sleep 1; rm -f "%s.lock") >/dev/null 2>&1 &\n' \
	"$work" "$work" "$bare/refs/heads/reconcile/state" "$bare/refs/heads/reconcile/state" >"$bare/hooks/update"
chmod +x "$bare/hooks/update"
check "the run waits for it" expect_exit 0 "$reconcile" .
check "once" [ -e "$work/locked" ]
accept
check "and is recorded" expect_exit 0 "$reconcile" --expect-no-changes .

note "manifests of an older commit"
old=$(git rev-parse HEAD)
put_image app "  additionalTags: [registry.local/apps/app:newer]"
put_image added
git init -q --bare "$work/added.git"
git clone -q "$work/added.git" "$work/added" 2>/dev/null
app_commit "$work/added" index.txt "page of added" "first page"
rm other.yaml
commit newer
check "newer manifests are recorded" expect_exit 0 "$reconcile" .
newer=$(tip)
check "with their commit" git -C "$bare" grep -q "reconcile.dev/manifest-commit: $(git rev-parse HEAD)" reconcile/state -- shop/images/app.yaml
git checkout -q --detach "$old"
check "a run of the older commit ends with 0" expect_exit 0 "$reconcile" .
check "says that it is late" says "left to newer manifests"
check "and changes nothing" [ "$(tip)" = "$newer" ]
check "nor does it prune" expect_exit 0 "$reconcile" --prune=all .
check "anything" [ "$(tip)" = "$newer" ]
# As CI clones: nothing but the older commit.
git clone -q --depth 1 "file://$bare" "$work/shallow" 2>/dev/null
git -C "$work/shallow" fetch -q --depth 1 origin "$old"
git -C "$work/shallow" checkout -q --detach FETCH_HEAD
git -C "$work/shallow" reflog expire --expire=now --all
git -C "$work/shallow" branch -q -D main
git -C "$work/shallow" update-ref -d refs/remotes/origin/main
git -C "$work/shallow" update-ref -d refs/remotes/origin/HEAD 2>/dev/null || true
git -C "$work/shallow" prune
git -C "$work/shallow" remote set-url origin "$url/config.git"
ln -sfn "$work/registry" "$work/shallow/../registry" 2>/dev/null || true
check "a shallow clone knows it by the time" expect_exit 0 "$reconcile" "$work/shallow"
check "too" says "left to newer manifests"
check "and changes nothing" [ "$(tip)" = "$newer" ]
check "a dry run of such a clone shows what a merge would do" expect_exit 0 "$reconcile" --dry-run "$work/shallow"

note "a commit and its revert, whose run has nothing to do"
git checkout -q main
put_image app "  additionalTags: [registry.local/apps/app:newer, registry.local/apps/app:wrong]"
commit wrong
wrong=$(git rev-parse HEAD)
git revert --no-edit HEAD >/dev/null
git push -q origin HEAD:main
right=$(git rev-parse HEAD)
check "leaves no mark" expect_exit 0 "$reconcile" .
check "nor a commit" [ "$(tip)" = "$newer" ]
git checkout -q --detach "$wrong"
check "a late run of the reverted commit builds it" expect_exit 0 "$reconcile" .
check "which is seen" [ "$(tip)" != "$newer" ]
git checkout -q --detach "$right"
check "the next run of the newest undoes that" expect_exit 0 "$reconcile" .
check "with its mark" git -C "$bare" grep -q "reconcile.dev/manifest-commit: $right" reconcile/state -- shop/images/app.yaml
newer=$(tip)
git checkout -q --detach "$wrong"
check "which holds" expect_exit 0 "$reconcile" .
check "from then on" [ "$(tip)" = "$newer" ]
git checkout -q --detach "$old"

check "going back is a wish" expect_exit 0 "$reconcile" --allow-rollback .
check "and is done" [ "$(tip)" != "$newer" ]
exit $failed
