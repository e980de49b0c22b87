#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The requirement document "Managing Images and Builds", example by example, with `reconcile` for `kp`: private git over http,
# files over http, a private registry. Each check quotes the sentence that it is about. Where kp only configures and a cluster
# acts, `reconcile .` acts.
set -euo pipefail
. "$(dirname "$0")/../lib/world.sh" "$1"
git_servers_need git nginx fcgiwrap htpasswd python3 docker-registry skopeo zip crun || skip "a server is missing"
cleanup() { stop_servers; git_servers_stop "$work/git" 2>/dev/null || true; rm -rf "$work"; }
trap cleanup EXIT
build_world

note "prerequisites: \"Configured write secrets for your docker registry\", \"you must configure the git credentials\""
start_registry "$work/registry-data" auth
registry=$SERVER_ADDR
mkdir -p "$work/repos" "$work/web"
git_repo_new "$work/repos/app.git"
git_url=$(git_http_start "$work/repos" "$work/git" auth)
git clone -q "$work/repos/app.git" "$work/app" 2>/dev/null
app_commit "$work/app" index.txt "first" "first"
web_port=$(free_port)
python3 -m http.server --bind 127.0.0.1 --directory "$work/web" "$web_port" >/dev/null 2>&1 &
SERVER_PIDS+=($!)
wait_for_port "$web_port" $!
cat >accounts.yaml <<YAML
apiVersion: v1
kind: ServiceAccount
metadata: {name: default, namespace: shop}
secrets: [{name: registry}, {name: git}]
---
apiVersion: v1
kind: Secret
metadata: {name: registry, namespace: shop, annotations: {kpack.io/docker: "$registry"}}
type: kubernetes.io/basic-auth
stringData: {username: $SERVER_USER, password: $SERVER_PASSWORD}
---
apiVersion: v1
kind: Secret
metadata: {name: git, namespace: shop, annotations: {kpack.io/git: "$git_url"}}
type: kubernetes.io/basic-auth
stringData: {username: me, password: s3cret pass}
YAML
cat >project.yaml <<'YAML'
apiVersion: kpack.io/v1alpha2
kind: Builder
metadata: {name: project, namespace: shop}
spec:
  tag: registry.local/builders/project
  stack: {name: base, kind: ClusterStack}
  store: {name: default, kind: ClusterStore}
  order: [{group: [{id: test/page}]}]
YAML
git add -A
git commit -qm config
skopeo=(skopeo inspect --tls-verify=false --creds "$SERVER_USER:$SERVER_PASSWORD")
# table WANT: the words of stdout's lines, blanks made one, hashes and times made short.
table() {
	diff <(printf '%s\n' "$@") <(sed -E 's/ +/ /g; s/ $//; s/sha256:[0-9a-f]{64}/SHA/g; s/[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}/TIME/g; /^$/d' "$work/out")
}
word() { sed -n "s/^$1: *//p" "$work/out" | head -1; }
in_registry() { "${skopeo[@]}" "docker://$registry/apps/$1" >/dev/null; }
run() { expect_exit 0 "$reconcile" .; }
reason_of() { [ "$("$reconcile" build status "$1" -n shop | sed -n 's/^Reasons: *//p')" = "$2" ] || { "$reconcile" build status "$1" -n shop; return 1; }; }

note "Creating an Image With Source Code in a Git Repository"
check "\"kp image create <name> <tag> --custom-builder … --namespace … --env … --git … --git-revision …\"" \
	expect_exit 0 "$reconcile" image create from-git "$registry/apps/from-git" --custom-builder project --namespace shop --env A=1 --env B=two \
	--git "$git_url/app.git" --git-revision main
check "\"--env … can be specified multiple times\"" bash -c "grep -A1 'name: A' shop-from-git.yaml | grep -q 'value: \"1\"' && grep -q 'name: B' shop-from-git.yaml"
check "\"custom-builder: Custom Builder name to be used\"" bash -c "grep -A1 'kind: Builder' shop-from-git.yaml | grep -q 'name: project'"
check "\"or --custom-cluster-builder <custom-cluster-builder>\"" expect_exit 0 "$reconcile" image create by-cluster "$registry/apps/by-cluster" \
	--custom-cluster-builder default --namespace shop --git "$git_url/app.git"
check "\"You can specify only one location for app source code\"" expect_exit 64 "$reconcile" image create both "$registry/apps/both" --git "$git_url/app.git" --blob http://127.0.0.1/x.zip
check "it is built" run
check "\"tag: The registry location where the image will be created\"" in_registry from-git
check "\"Git revision … Defaults to master\" (main where there is no master)" in_registry by-cluster
check "\"namespace: Defaults to the … current-context namespace\": default" bash -c "'$reconcile' image create nowhere '$registry/apps/nowhere' --git '$git_url/app.git' --dry-run | grep -q 'name: nowhere' && ! '$reconcile' image status from-git"

note "Creating an Image With Local Source Code"
mkdir "$work/local"
echo "local" >"$work/local/index.txt"
(cd "$work/local" && zip -q "$work/app.zip" index.txt && tar czf "$work/app.tar.gz" . && tar cf "$work/app.tar" . && cp "$work/app.zip" "$work/app.jar")
for kind in local app.zip app.tar.gz app.tar app.jar; do
	name=l-${kind//./-}
	check "\"from a directory, compressed source code (zip, tar.gz, .tar), or a .jar file\": $kind" expect_exit 0 "$reconcile" image create "$name" "$registry/apps/$name" \
		--custom-cluster-builder default --namespace shop --env X=y --local-path "$work/$kind"
done
check "uploaded, as kp does" expect_exit 0 "$reconcile" image create uploaded "$registry/apps/uploaded" --namespace shop --local-path "$work/local" --upload
check "\"Defaults to \`default\` when custom-builder is not set\"" bash -c "grep -A1 'kind: ClusterBuilder' shop-uploaded.yaml | grep -q 'name: default'"

note "Create an Image With Source Code In A Blob Store"
for kind in app.zip app.tar.gz app.tar app.jar; do
	cp "$work/$kind" "$work/web/"
	name=b-${kind//./-}
	check "\"a compressed file (zip, tar.gz, .tar) or a .jar file\": $kind" expect_exit 0 "$reconcile" image create "$name" "$registry/apps/$name" \
		--custom-builder project --namespace shop --env X=y --blob "http://127.0.0.1:$web_port/$kind"
done
check "they are all built" run
for name in l-local l-app-zip l-app-tar-gz l-app-tar l-app-jar uploaded b-app-zip b-app-tar-gz b-app-tar b-app-jar; do
	check "… $name" in_registry $name
done

note "Patching Images"
check "\"kp image patch <name> --namespace … --env … --git … --git-revision …\"" expect_exit 0 "$reconcile" image patch from-git --namespace shop --env A=3 \
	--git "$git_url/app.git" --git-revision main
check "\"will trigger a new build … if any of the build inputs are changed\"" run
check "\"CONFIG: … a change is made to … build fields\"" reason_of from-git CONFIG
check "the same again" expect_exit 0 "$reconcile" image patch from-git --namespace shop --env A=3
check "… does not" expect_exit 0 "$reconcile" --expect-no-changes .
git -C "$work/app" push -q origin HEAD:refs/heads/other
check "another branch with the same commit" expect_exit 0 "$reconcile" image patch from-git --namespace shop --git-revision other
check "… is no other input" expect_exit 0 "$reconcile" --expect-no-changes .
check "\"kp image patch <name> --namespace … --env … --local-path …\"" expect_exit 0 "$reconcile" image patch l-local --namespace shop --env X=z --local-path "$work/app.zip"
check "\"kp image patch <name> --namespace … --env … --blob …\"" expect_exit 0 "$reconcile" image patch b-app-zip --namespace shop --env X=z --blob "http://127.0.0.1:$web_port/app.tar"
check "from one source to another" expect_exit 0 "$reconcile" image patch l-app-tar --namespace shop --git "$git_url/app.git" --git-revision main
check "they are built" run
for name in l-local b-app-zip; do check "… $name: another configuration with other content" reason_of $name COMMIT,CONFIG; done
check "… l-app-tar: another kind of source" reason_of l-app-tar CONFIG
check "\"The tag of an image cannot be modified\"" expect_exit 1 "$reconcile" image patch from-git --namespace shop --tag "$registry/apps/other"
check "\"To push builds to a new tag you must create a new image\"" says "create a new image"
check "nothing was written" git diff --quiet accounts.yaml builder.yaml

note "Image Rebuilds"
echo "another" >"$work/local/index.txt"
check "\"You upload a new copy of the local source code by running kp image patch --local-path\"" expect_exit 0 "$reconcile" image patch uploaded --namespace shop --local-path "$work/local" --upload
check "… \"an imperative rebuild will be initiated\"" run
check "… of what was uploaded" reason_of uploaded COMMIT
app_commit "$work/app" index.txt "second" "second"
check "\"There is a new commit on a branch … Tanzu Build Service is tracking\"" run
check "\"COMMIT: … new source code is committed to a branch\"" reason_of by-cluster COMMIT
git -C "$work/app" tag v1
git -C "$work/app" push -q origin v1
check "an image of a tag" expect_exit 0 "$reconcile" image create by-tag "$registry/apps/by-tag" --namespace shop --git "$git_url/app.git" --git-revision v1
check "… is built" run
app_commit "$work/app" index.txt "third" "third"
git -C "$work/app" tag -f v1 >/dev/null
git -C "$work/app" push -qf origin v1
check "\"… or tag\"" run
check "… for COMMIT" reason_of by-tag COMMIT
sed -i 's/1.0.0/1.0.1/' "$work/buildpacks/page/buildpack.toml"
make_buildpackage "$work/registry/registry.local/buildpacks/page" "$work/buildpacks/page" test/page 1.0.1 >/dev/null
make_buildpackage "$work/registry/registry.local/buildpacks/page" "$work/buildpacks/page" test/page 1.0.0 >/dev/null
sed -i 's|buildpacks/page:1.0.0|buildpacks/page:1.0.1|; s|version: 1.0.0|version: 1.0.1|' builder.yaml
check "\"New buildpack versions are made available through an updated builder image\"" run
check "\"BUILDER: Occurs when new buildpack versions are made available\"" reason_of by-cluster BUILDER
make_stack "$work/registry/registry.local/stacks/base" run two >/dev/null
check "\"There is a new Stack (ie. base OS image) available\"" run
check "\"STACK: Occurs when a new base OS image, called a run image, is available\"" reason_of by-tag STACK
check "\"kp image trigger <image-name>\"" expect_exit 0 "$reconcile" image trigger by-tag --namespace shop
check "\"You can initiate a manual rebuild\"" run
check "\"TRIGGER: Occurs when a new build is manually triggered\"" reason_of by-tag TRIGGER

note "the examples: an image of its own, in a namespace of its own"
sed 's/namespace: shop/namespace: demo/' accounts.yaml >demo.yaml
app_commit "$work/app" index.txt "demo" "demo"
check "created" expect_exit 0 "$reconcile" image create myapp "$registry/myapp" -n demo --git "$git_url/app.git" --git-revision main
check "built" run
check "a second image" expect_exit 0 "$reconcile" image create second-image "$registry/second" -n demo --local-path "$work/local"
echo broken >"$work/local/fail"
check "which fails" expect_exit 4 "$reconcile" .
check "\"kp image list --namespace <namespace>\"" expect_exit 0 "$reconcile" image list --namespace demo
check "\"NAME READY LATEST IMAGE\"" table "NAME READY LATEST IMAGE" "myapp True $registry/myapp@SHA" "second-image False"
app_commit "$work/app" fail "broken" "break it"
check "\"If a particular build associated with an image fails\"" expect_exit 4 "$reconcile" .
check "\"kp image status <image-name>\"" expect_exit 0 "$reconcile" image status myapp -n demo
check "\"Status: Not Ready\"" [ "$(word Status)" = "Not Ready" ]
check "\"Message: …\"" grep -q '^Message: .*exit' "$work/out"
check "\"LatestImage: gcr.io/myapp@sha256:…\"" grep -Eq "^LatestImage: +$registry/myapp@sha256:[0-9a-f]{64}$" "$work/out"
check "\"Last Successful Build / Id: 1 / Reason: CONFIG\"" bash -c "sed -E 's/ +/ /g' '$work/out' | grep -A2 '^Last Successful Build$' | tr '\n' '|' | grep -qx 'Last Successful Build|Id: 1|Reason: CONFIG|'"
check "\"Last Failed Build / Id: 2 / Reason: COMMIT\"" bash -c "sed -E 's/ +/ /g' '$work/out' | grep -A2 '^Last Failed Build$' | tr '\n' '|' | grep -qx 'Last Failed Build|Id: 2|Reason: COMMIT|'"

note "Listing Builds for an Image"
git -C "$work/app" rm -q fail
echo 4 >"$work/app/slow"
app_commit "$work/app" index.txt "slow" "slow"
"$reconcile" image patch myapp -n demo -e NEW=1 >/dev/null
"$reconcile" . >"$work/slow.out" 2>&1 &
slow=$!
for _ in $(seq 100); do "$reconcile" build list myapp -n demo 2>/dev/null | grep -q BUILDING && break; sleep 0.1; done
check "\"kp build list <image-name>\"" expect_exit 0 "$reconcile" build list myapp -n demo
check "\"BUILD STATUS IMAGE STARTED FINISHED REASON\", SUCCESS, FAILURE, BUILDING, \"appends a + sign\"" table "BUILD STATUS IMAGE STARTED FINISHED REASON" \
	"1 SUCCESS $registry/myapp@SHA TIME TIME CONFIG" "2 FAILURE TIME TIME COMMIT" "3 BUILDING TIME -- CONFIG+"
check "\"If you get logs of a build in progress, the logs will be tailed\"" expect_exit 0 timeout 60 "$reconcile" build logs myapp -n demo
check "… \"and will terminate when the build completes\"" bash -c "tail -n 1 '$work/out' | grep -qx 'Build successful'"
wait $slow
check "the latest build is the one of the logs" bash -c "'$reconcile' build logs myapp -n demo | diff - '$work/out'"
check "of -o json a List of Builds" bash -c "'$reconcile' build list myapp -n demo -o json | python3 -c 'import json,sys; v=json.load(sys.stdin); assert v[\"kind\"] == \"List\" and [i[\"kind\"] for i in v[\"items\"]] == [\"Build\"] * 3 and v[\"items\"][1][\"status\"][\"conditions\"][0][\"status\"] == \"False\", v'"
check "of image list a List of Images" bash -c "'$reconcile' image list -n demo -o yaml | python3 -c 'import yaml,sys; v=yaml.safe_load(sys.stdin); assert v[\"kind\"] == \"List\" and [i[\"kind\"] for i in v[\"items\"]] == [\"Image\"] * 2 and v[\"items\"][0][\"status\"][\"latestImage\"], v'"

note "Viewing Build Details for an Image"
check "\"kp build status <image> -b <build-number>\"" expect_exit 0 "$reconcile" build status myapp -n demo -b 1
check "\"Image: The full image reference for the app image\"" grep -Eq "^Image: +$registry/myapp@sha256:[0-9a-f]{64}$" "$work/out"
check "\"Status: SUCCESS\"" [ "$(word Status)" = SUCCESS ]
check "\"Reasons: CONFIG\"" [ "$(word Reasons)" = CONFIG ]
check "\"Builder: The full image tag for the builder image\"" grep -Eq '^Builder: +registry.local/builders/default@sha256:[0-9a-f]{64}$' "$work/out"
check "\"Run Image: The full image tag for the run image\"" grep -Eq '^Run Image: +registry.local/.*@sha256:[0-9a-f]{64}$' "$work/out"
check "\"Source: Git\"" [ "$(word Source)" = Git ]
check "\"Url: The Git repository URL\"" [ "$(word Url)" = "$git_url/app.git" ]
check "\"Revision: The Git commit sha\"" grep -Eq '^Revision: +[0-9a-f]{40}$' "$work/out"
check "\"BUILDPACK ID BUILDPACK VERSION\"" bash -c "sed -E 's/ +/ /g' '$work/out' | grep -A1 '^BUILDPACK' | tr '\n' '|' | grep -qx 'BUILDPACK ID BUILDPACK VERSION|test/page 1.0.1|'"
check "\"Defaults to latest build\"" bash -c "'$reconcile' build status myapp -n demo | grep -q '^Reasons: *COMMIT,CONFIG$'"
check "\"Source: … Blob\", \"the Blob file URL\"" bash -c "'$reconcile' build status b-app-jar -n shop | sed -E 's/ +/ /g' | grep -A1 '^Source: Blob$' | grep -qx 'Url: http://127.0.0.1:$web_port/app.jar'"
for name in l-app-zip uploaded; do
	check "\"Source: … Local Source\", \"Url: … Unset for Local Source\": $name" bash -c "'$reconcile' build status $name -n shop >'$work/out' && grep -q '^Source: *Local Source$' '$work/out' && ! grep -q '^Url' '$work/out'"
done
check "a build that is not there" expect_exit 1 "$reconcile" build status myapp -n demo -b 123
check "kp's text for it" says 'build "123" not found'

note "Getting Build Logs"
check "\"kp build logs <image> --build <build-number>\"" expect_exit 0 "$reconcile" build logs myapp -n demo --build 1
phases=$(grep -o '^===> .*' "$work/out" | tr '\n' ' ')
check "the phases of the example" [ "$phases" = "===> PREPARE ===> ANALYZE ===> DETECT ===> RESTORE ===> BUILD ===> EXPORT ===> COMPLETION " ]
check "\"Successfully …\" got the source" grep -Eq "^Successfully cloned \"$git_url/app.git\" @ \"[0-9a-f]{40}\" in path \"/workspace\"$" "$work/out"
check "of an uploaded one \"Successfully pulled … in path \"/workspace\"\"" bash -c "'$reconcile' build logs uploaded -n shop --build 1 | grep -Eq '^Successfully pulled $registry/apps/uploaded-source@sha256:[0-9a-f]{64} in path \"/workspace\"$'"
check "\"Previous image with name … not found\"" grep -q "mage with name \"$registry/myapp\" not found" "$work/out"
check "\"Adding layer\"" grep -q "^Adding layer 'test/page:page'$" "$work/out"
check "\"*** Images (sha256:…)\" and the tags" bash -c "grep -A2 '^\*\*\* Images (sha256:[0-9a-f]*):$' '$work/out' | sed -E 's/b1\.[0-9]{8}\.[0-9]{6}/DATED/; s/^ +//' | tail -n 2 | tr '\n' ' ' | grep -qx '$registry/myapp $registry/myapp:DATED '"
check "\"Build successful\"" [ "$(tail -n 1 "$work/out")" = "Build successful" ]
check "no credential is in a log" bash -c "! '$reconcile' build logs myapp -n demo | grep -e '$SERVER_PASSWORD' -e 's3cret'"

note "\"stores the ten most recent successful builds and the ten most recent failed builds\""
rm "$work/local/fail"
check "the second image is mended" expect_exit 0 "$reconcile" image patch second-image -n demo --local-path "$work/local" --wait
for _ in $(seq 11); do "$reconcile" --trigger demo/second-image --only Image/demo/second-image . >/dev/null 2>&1; done
echo broken >"$work/local/fail"
for _ in $(seq 11); do "$reconcile" --trigger demo/second-image --only Image/demo/second-image . >/dev/null 2>&1 || true; done
"$reconcile" build list second-image -n demo >"$work/out"
check "ten successes" [ "$(grep -c SUCCESS "$work/out")" = 10 ]
check "ten failures" [ "$(grep -c FAILURE "$work/out")" = 10 ]
check "the most recent ones" [ "$(awk '/SUCCESS|FAILURE/ { print $1 }' "$work/out" | tr '\n' ' ')" = "$(seq -s " " 4 13) $(seq -s " " 15 24) " ]
check "\"the index of builds in the order that they were built\"" bash -c "awk '/^[0-9]/ { print \$1 }' '$work/out' | sort -nc"

note "Deleting an Image"
digest=$("$reconcile" image status second-image -n demo | sed -n 's/^LatestImage: *.*@//p')
check "\"kp image delete <image>\"" expect_exit 0 "$reconcile" image delete second-image -n demo
check "\"<image>\" deleted" [ "$(cat "$work/out")" = '"second-image" deleted' ]
check "the next run" expect_exit 0 "$reconcile" --prune .
check "\"Deleting an image also deletes all the builds that the image owns\"" bash -c "! git ls-tree -r --name-only reconcile/state | grep -q second-image"
check "\"It does not delete the images generated by those builds\"" "${skopeo[@]}" "docker://$registry/second@$digest"

note "Managing Images with kubectl"
image() {
	printf 'apiVersion: kpack.io/v1alpha1\nkind: Image\nmetadata: {name: %s, namespace: shop}\nspec:\n  tag: %s/apps/%s\n  builder: {name: %s, kind: %s}\n  source: {git: {url: %s/app.git, revision: v1}}\n' \
		"$1" "$registry" "$1" "$2" "$3" "$git_url" >"$1.yaml"
}
image k-custom project CustomBuilder
image k-cluster default CustomClusterBuilder
image k-sample default ClusterClusterBuilder
check "\"kind: CustomBuilder\", \"CustomClusterBuilder\", the sample's \"ClusterClusterBuilder\"" run
for name in k-custom k-cluster k-sample; do check "… $name, by the \`default\` service account" in_registry $name; done
check "\"its status will report the up to date fully qualified built image reference\"" bash -c "'$reconcile' image status k-custom -n shop -o yaml |
	python3 -c 'import yaml,sys; s=yaml.safe_load(sys.stdin)[\"status\"]; assert s[\"latestImage\"].startswith(\"$registry/apps/k-custom@sha256:\") and s[\"conditions\"][0][\"status\"] == \"True\", s'"
check "\"type: Succeeded\" of the build" bash -c "'$reconcile' build status k-custom -n shop -o yaml |
	python3 -c 'import yaml,sys; c=yaml.safe_load(sys.stdin)[\"status\"][\"conditions\"][0]; assert c[\"type\"] == \"Succeeded\" and c[\"status\"] == \"True\", c'"
sed -i '/builder:/d' k-sample.yaml
check "\"it will not default to the \`default\` builder\"" expect_exit 3 "$reconcile" --dry-run .
exit $failed
