#!/usr/bin/env bash
# Builds that fail: what the status, the record and stderr say of it, that the others go on, when it is tried again.
set -euo pipefail
. "$(dirname "$0")/../lib/world.sh" "$1"
trap 'rm -rf "$work"' EXIT
build_world
for name in good bad; do add_image "$name"; done
app_commit "$work/bad" fail "syntax error near line 3" "break it"

note "one of two fails"
check "exit 4" expect_exit 4 "$reconcile" .
check "stderr names the exit code" grep -q 'Image shop/bad: build #1 failed: .*exit status 7' "$work/err"
check "stderr has the last lines" grep -q '| syntax error near line 3' "$work/err"
check "the other is built" state_is Succeeded lastAttempt.result good
check "the status says Failed" state_is Failed lastAttempt.result bad
check "the condition says why" bash -c "git show reconcile/state:shop/images/bad.yaml | grep -q 'BuildFailed'"
check "the message has the exit code" bash -c "git show reconcile/state:shop/images/bad.yaml | tr '\n' ' ' | grep -Eq 'exit( status| code)? 7'"
check "the record keeps the last lines" bash -c "git show reconcile/state:shop/images/bad/builds/1.yaml | grep -q 'syntax error near line 3'"
check "build status shows it" expect_exit 0 "$reconcile" build status bad -n shop
check "… as a failure" grep -q FAILURE "$work/out"
check "build logs shows it" expect_exit 0 "$reconcile" build logs bad -n shop
check "… to the last line" grep -q 'syntax error near line 3' "$work/out"
check "image status tells of the failed build" bash -c "'$reconcile' image status bad -n shop | grep -A1 'Last Failed Build' | grep -q 'Id: *1'"

note "a log says once why the build failed"
# once_in NAME: the last line is the one that says it, and there is no other.
once_in() {
	"$reconcile" build logs "$1" -n shop >"$work/log"
	tail -n 1 "$work/log" | grep -q "^ERROR: failed to $2" && [ "$(grep -c "failed to $2" "$work/log")" = 1 ] || { tail -n 5 "$work/log"; return 1; }
}
check "of a failed build" once_in bad build
add_image refused
app_commit "$work/refused" refuse "" "nothing for these buildpacks"
check "nobody takes part" expect_exit 4 "$reconcile" .
check "of a failed detection" once_in refused detect
rm refused.yaml
check "it goes" expect_exit 0 "$reconcile" --prune .

note "a failed build with the same inputs is not tried again"
before=$(commits)
check "there is nothing to do" expect_exit 0 "$reconcile" .
check "but it is not forgotten" grep -q 'Image/shop/bad: build #1 failed and nothing has changed since' "$work/err"
check "no second build" state_is 1 buildCounter bad
check "no commit" [ "$(commits)" = "$before" ]

note "--retry-failed tries it again"
check "exit 4" expect_exit 4 "$reconcile" --retry-failed .
check "build #2" state_is 2 buildCounter bad
check "the good one is left alone" state_is 1 buildCounter good

note "a new commit heals it"
git -C "$work/bad" rm -q fail
app_commit "$work/bad" index.txt "all is well" "fix it"
check "exit 0" expect_exit 0 "$reconcile" .
check "build #3 succeeded" state_is Succeeded lastAttempt.result bad
check "its reason is COMMIT" state_is COMMIT lastAttempt.reason bad
check "nothing to do then" expect_exit 0 "$reconcile" --expect-no-changes .

note "a source that cannot be resolved blocks its own image only"
sed -i 's|../bad.git|../none.git|' bad.yaml
app_commit "$work/good" index.txt "second page" "second"
check "exit 4" expect_exit 4 "$reconcile" .
check "stdout says what and why" grep -q "Image shop/bad *blocked *cannot resolve 'main'" "$work/out"
check "the other goes on" state_is 2 buildCounter good
check "the status says why" bash -c "git show reconcile/state:shop/images/bad.yaml | grep -q 'cannot resolve'"
check "no build was started" state_is 3 buildCounter bad
sed -i 's|../none.git|../bad.git|' bad.yaml
check "and it is well again" expect_exit 0 "$reconcile" .

note "a worker that dies is a failed build, never a failed run"
mkdir -p "$HOME/.config/reconcile"
printf '#!/bin/sh\nkill -9 $$\n' >"$work/worker"
chmod +x "$work/worker"
sed "s|^registries|executor: [$work/worker]\nretries: 1\nregistries|; s|\.\./registry|$work/registry|" reconcile.yaml >"$work/settings.yaml"
app_commit "$work/good" index.txt "third page" "third"
app_commit "$work/bad" index.txt "third page" "third"
check "exit 4" expect_exit 4 "$reconcile" --settings "$work/settings.yaml" .
check "both say so" [ "$(grep -c 'killed by signal 9' "$work/err")" -ge 2 ]
check "tried once more, as the settings say" expect_exit 4 "$reconcile" --settings "$work/settings.yaml" .
counter=$(state buildCounter good)
check "and then not again" expect_exit 0 "$reconcile" --settings "$work/settings.yaml" .
check "the counter stands" state_is "$counter" buildCounter good
check "a worker that works heals it" expect_exit 0 "$reconcile" --retry-failed .
check "the folder's own settings may not name a worker" bash -c "
	sed -i 's|^registries|executor: [$work/worker]\nregistries|' reconcile.yaml
	'$reconcile' . 2>&1 | grep -q 'does not count: executor'"
exit $failed
