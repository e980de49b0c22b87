#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# kp's way with local sources: uploaded as a source image of one layer, the same bytes for the same files, named by digest in
# the manifest; and --wait: the build comes at once, its log is shown, the exit code is its own.
set -euo pipefail
. "$(dirname "$0")/../lib/world.sh" "$1"
for need in python3 skopeo zip docker-registry crun; do command -v $need >/dev/null || skip "$need is missing"; done
cleanup() { stop_servers; rm -rf "$work"; }
trap cleanup EXIT
build_world
start_registry "$work/registry-data" auth
r=$SERVER_ADDR
cat >accounts.yaml <<YAML
apiVersion: v1
kind: ServiceAccount
metadata: {name: pusher}
secrets: [{name: registry}]
---
apiVersion: v1
kind: Secret
metadata: {name: registry, annotations: {kpack.io/docker: "$r", reconcile.dev/from-env: password=RECONCILE_SECRET_REGISTRY}}
type: kubernetes.io/basic-auth
stringData: {username: $SERVER_USER}
YAML
export RECONCILE_SECRET_REGISTRY=$SERVER_PASSWORD
login=(--tls-verify=false --creds "$SERVER_USER:$SERVER_PASSWORD")
tags_of() { skopeo list-tags "${login[@]}" "docker://$r/$1" 2>/dev/null | python3 -c 'import json,sys; print(" ".join(sorted(json.load(sys.stdin)["Tags"])))'; }
printed() { printf '%b' "$1" | diff - "$work/out"; }
uploaded() { sed -n "s/^\t[A-Z][a-z]* '.*@\(sha256:[0-9a-f]*\)'$/\1/p" "$work/out"; }
mkdir -p "$work/src/bin" "$work/src/.git"
echo "hello" >"$work/src/index.txt"
printf '#!/bin/sh\n' >"$work/src/bin/run"
chmod 750 "$work/src/bin/run"
ln -s index.txt "$work/src/link"
echo "no content" >"$work/src/.git/config"

note "what is uploaded"
up=(image create up "$r/apps/up" --service-account pusher --local-path "$work/src")
check "without it the manifest names the path" bash -c "'$reconcile' image create plain '$r/apps/plain' --local-path '$work/src' --dry-run | grep -q '^+      path: '"
check "a dry run" expect_exit 0 "$reconcile" "${up[@]}" --upload --dry-run
digest=$(uploaded)
check "says what would be uploaded" bash -c "head -n 3 '$work/out' | diff - <(printf 'Creating Image Resource... (dry run)\nUploading to %s... (dry run)\n\tSkipping %s\n' \"'$r/apps/up-source'\" \"'$r/apps/up-source@$digest'\")"
check "and uploads nothing" bash -c "! curl -sf -u '$SERVER_USER:$SERVER_PASSWORD' 'http://$r/v2/apps/up-source/tags/list'"
check "create" expect_exit 0 "$reconcile" "${up[@]}" --upload --now 2026-01-02T03:04:05Z
check "kp's lines" printed "Creating Image Resource...\nUploading to '$r/apps/up-source'...\n\tUploading '$r/apps/up-source@$digest'\nImage Resource \"up\" created\n"
check "the manifest names the digest that was said" grep -qx "      image: $r/apps/up-source@$digest" up.yaml
check "it is there under latest and the time" [ "$(tags_of apps/up-source)" = "20260102030405 latest" ]
check "one layer with the files" bash -c "skopeo copy -q --src-tls-verify=false --src-creds '$SERVER_USER:$SERVER_PASSWORD' 'docker://$r/apps/up-source@$digest' 'oci:$work/got:x' &&
	tar tvzf \"\$(find '$work/got/blobs' -type f -exec gzip -tq {} \\; -print 2>/dev/null)\" >'$work/list'"
check "… modes, owners and times fixed, no .git" diff <(printf '%s\n' 'drwxr-xr-x 0/0 1980-01-01 /bin' '-rwxr-xr-x 0/0 1980-01-01 /bin/run' '-rw-r--r-- 0/0 1980-01-01 /index.txt' 'lrwxrwxrwx 0/0 1980-01-01 /link -> index.txt') \
	<(awk '{ print $1, $2, $4, $6, $7, $8 }' "$work/list" | sed 's/ *$//; s|/$||')
(cd "$work/src" && tar czf "$work/src.tar.gz" --exclude=.git . && tar cf "$work/src.tar" --exclude=.git . && zip -qry "$work/src.zip" . -x '.git/*' && cp "$work/src.zip" "$work/src.jar")
touch -d 2001-01-01 "$work/src/index.txt"
for one in src src.tar.gz src.tar src.zip src.jar; do
	check "the same files are the same bytes: $one" bash -c "'$reconcile' image patch up --local-path '$work/$one' --upload | grep -qF '$digest'"
	check "… and no change" bash -c "'$reconcile' image patch up --local-path '$work/$one' --upload | tail -n 1 | grep -qx 'Image Resource \"up\" patched (no change)'"
done
check "what is there already is not tagged again" [ "$(tags_of apps/up-source)" = "20260102030405 latest" ]
check "a run builds from it" expect_exit 0 "$reconcile" .
check "… without the folder" bash -c "'$reconcile' build logs up | grep -qF 'Successfully pulled $r/apps/up-source@$digest in path \"/workspace\"'"
echo "hello again" >"$work/src/index.txt"
check "another place" expect_exit 0 "$reconcile" image patch up --local-path "$work/src" --local-path-destination-image "$r/sources/up:v2" --now 2026-01-02T03:04:06Z
check "… has its tag" [ "$(tags_of sources/up)" = "20260102030406 v2" ]
check "save" expect_exit 0 "$reconcile" image save up --local-path "$work/src" --upload
check "… back to the place by default" grep -q "image: $r/apps/up-source@sha256:" up.yaml
check "-o json: the document on stdout, the rest on stderr" expect_exit 0 "$reconcile" image patch up --local-path "$work/src.zip" --upload -o json
check "… is one document" python3 -c "import json; v=json.load(open('$work/out')); assert v['spec']['source']['registry']['image'].endswith('$digest'), v"
check "… the progress" grep -q "Uploading '$r/apps/up-source@" "$work/err"
check "the local way again" expect_exit 0 "$reconcile" image patch up --local-path "$work/src"
check "… leaves nothing of the other" bash -c "grep -q '    local:' up.yaml && ! grep -q registry: up.yaml"

note "what cannot be uploaded"
cp up.yaml "$work/up.yaml"
check "nothing there" expect_exit 1 "$reconcile" image patch up --local-path "$work/none" --upload
check "is said" says "cannot find local path '$work/none'"
echo "no archive" >"$work/text"
check "no archive" expect_exit 1 "$reconcile" image patch up --local-path "$work/text" --upload
check "is said" says "cannot upload '$work/text'"
check "no right to push" expect_exit 1 env RECONCILE_SECRET_REGISTRY=wrong "$reconcile" image patch up --local-path "$work/src.zip" --upload
check "is said" says "cannot upload '$work/src.zip' to '$r/apps/up-source'"
check "a destination with a digest" expect_exit 1 "$reconcile" image patch up --local-path "$work/src.zip" --local-path-destination-image "$r/x@$digest"
check "a destination alone" expect_exit 64 "$reconcile" image patch up --local-path-destination-image "$r/x"
echo "never sent" >"$work/src/index.txt"
check "an edit that makes the manifest invalid" expect_exit 3 "$reconcile" image patch up --local-path "$work/src" --local-path-destination-image "$r/never/up" --additional-tag 'No Tag'
check "an edit that cannot be made" expect_exit 1 "$reconcile" image patch up --local-path "$work/src" --local-path-destination-image "$r/never/up" -d NONE
check "is sent nowhere" bash -c "! curl -sf -u '$SERVER_USER:$SERVER_PASSWORD' 'http://$r/v2/never/up/tags/list'"
check "nothing was written" cmp up.yaml "$work/up.yaml"
check "the password is nowhere" bash -c "! grep -rqF '$SERVER_PASSWORD' '$work/config' '$work/out' '$work/err'"

note "other ways"
export KP_REGISTRY_HOSTNAME="$r" KP_REGISTRY_USERNAME="$SERVER_USER" KP_REGISTRY_PASSWORD="$SERVER_PASSWORD"
check "kp's variables" expect_exit 0 env RECONCILE_SECRET_REGISTRY=wrong "$reconcile" image patch up --local-path "$work/src" --local-path-destination-image "$r/env/up" --dry-run-with-image-upload
unset KP_REGISTRY_HOSTNAME KP_REGISTRY_USERNAME KP_REGISTRY_PASSWORD
check "a dry run with image upload says so" bash -c "head -n 1 '$work/out' | grep -qx 'Patching Image Resource... (dry run with image upload)' && grep -q \"^	Uploading '$r/env/up@\" '$work/out'"
check "uploads" bash -c "curl -sf -u '$SERVER_USER:$SERVER_PASSWORD' 'http://$r/v2/env/up/tags/list' | grep -q latest"
check "and writes nothing" cmp up.yaml "$work/up.yaml"
echo "hello" >"$work/src/index.txt"

note "--wait"
check "patch --wait" expect_exit 0 "$reconcile" image patch up -e WAIT=1 --local-path "$work/src.zip" --upload --wait
check "first what was changed" bash -c "head -n 1 '$work/out' | grep -qx 'Patching Image Resource...'"
check "then the log" bash -c "sed -n '/patched$/,\$p' '$work/out' | sed 1d | grep -v '^ *$r' >'$work/log.1'; '$reconcile' build logs up | grep -v '^ *$r' | diff - '$work/log.1'"
check "it is recorded" bash -c "'$reconcile' image list | grep -q '^up *True'"
mkdir -p "$HOME/.config/reconcile"
printf 'apiVersion: reconcile.dev/v1\nkind: Settings\nsecrets: [{from: RECONCILE_SECRET_REGISTRY, servers: ["%s"]}]\n' "$r" >"$HOME/.config/reconcile/settings.yaml"
check "nothing is left to do" expect_exit 0 "$reconcile" --expect-no-changes .
check "no change, and it is ready" expect_exit 0 "$reconcile" image patch up -e WAIT=1 -w
add_image other
check "create -w" expect_exit 0 "$reconcile" image create made registry.local/apps/made --local-path "$work/src" -w
check "for this image alone" bash -c "! '$reconcile' image list -n shop | grep -q other"
check "with the builder that it needs" bash -c "rm -rf '$work/fresh.git' && git init -q --bare '$work/fresh.git' && '$reconcile' image trigger made --wait --state '$work/fresh.git' 2>&1 | grep -q 'ClusterBuilder default: compose .*registry.local/builders/default@'"
check "trigger --wait" expect_exit 0 "$reconcile" image trigger made --wait
check "says the number, then the log" bash -c "head -n 2 '$work/out' | tr '\n' '|' | grep -qx 'Triggered build for Image Resource \"made\" with Build Number 2|===> PREPARE|' && tail -n 1 '$work/out' | grep -qx 'Build successful'"
check "-o yaml: the document alone on stdout" expect_exit 0 "$reconcile" image patch made -e A=1 -w -o yaml
check "… is YAML" python3 -c "import yaml; assert yaml.safe_load(open('$work/out'))['spec']['build']['env'][0]['name'] == 'A'"
check "… the log is on stderr" grep -qx 'Build successful' "$work/err"
check "a dry run waits for nothing" expect_exit 0 "$reconcile" image patch made -e A=2 -w --dry-run
check "… and shows no log" bash -c "! grep -q '===>' '$work/out'"
echo "boom" >"$work/src/fail"
check "a build that fails" expect_exit 4 "$reconcile" image patch made -e A=3 -w
check "shows why" grep -qx boom "$work/out"
check "once" [ "$(cat "$work/out" "$work/err" | grep -c boom)" = 1 ]
check "it has no bill of materials" expect_exit 1 "$reconcile" build status made --bom
check "which is said" says 'build 4 of "made" made no image'
check "one whose buildpacks wrote none" bash -c "'$reconcile' build status made -b 1 --bom | grep -q '^no components found'"
check "a failed one without change is not ready" expect_exit 4 "$reconcile" image patch made -e A=3 -w
check "and says so" says "build #4 failed and nothing has changed since"
rm "$work/src/fail"
check "the source cannot be resolved" expect_exit 4 "$reconcile" image create bad registry.local/apps/bad --git "$work/none.git" --git-revision main -w
check "is said" says "cannot resolve"
rm bad.yaml
echo 3 >"$work/src/slow"
"$reconcile" image patch made -e A=4 -w >"$work/first" 2>&1 &
first=$!
for _ in $(seq 100); do grep -q '===> BUILD' "$work/first" && break; sleep 0.1; done
check "the log comes while it is made" bash -c "grep -q '===> BUILD' '$work/first' && ! grep -q 'Build successful' '$work/first'"
check "somebody else builds it" expect_exit 4 "$reconcile" image patch made -w
check "is said" says "another run builds it"
check "the first one ends well" wait $first
exit $failed
