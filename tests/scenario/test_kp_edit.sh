#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# kp's commands on files for everything but images: builders, stacks, stores, buildpacks, lifecycles, secrets, configuration
# and import; against a real registry, and then a run that composes and builds with what they wrote.
set -euo pipefail
. "$(dirname "$0")/../lib/world.sh" "$1"
for need in python3 skopeo docker-registry crun; do command -v $need >/dev/null || skip "$need is missing"; done
cleanup() { stop_servers; rm -rf "$work"; }
trap cleanup EXIT
oci="python3 $top/tests/lib/oci.py"
images=$work/registry/registry.local

note "images in a real registry"
start_registry "$work/server"
addr=$SERVER_ADDR
{
	make_stack "$images/stacks/base" build one
	make_stack "$images/stacks/base" run one
	make_stack "$images/stacks/next" build two
	make_stack "$images/stacks/next" run two
	for name in site httpd; do
		make_buildpackage "$images/buildpacks/$name" "$example/buildpacks/$name" "quickstart/$name" 1.0.0
	done
	mkdir -p "$images/other"
	cp -r "$images/stacks/base" "$images/other/run"
	$oci image "$images/other/run" 1 --base run --label io.buildpacks.stack.id=other
	mkdir -p "$work/lc/cnb/lifecycle"
	printf '#!/bin/sh\n' >"$work/lc/cnb/lifecycle/detector"
	chmod 755 "$work/lc/cnb/lifecycle/detector"
	$oci image "$images/lifecycle" 1 --layer "$work/lc" --label io.buildpacks.lifecycle.version=0.20.5 \
		--label 'io.buildpacks.lifecycle.apis={"buildpack":{"deprecated":[],"supported":["0.10"]},"platform":{"deprecated":[],"supported":["0.8"]}}'
	for one in stacks/base:build stacks/base:run stacks/next:build stacks/next:run buildpacks/site:1.0.0 buildpacks/httpd:1.0.0 lifecycle:1; do
		skopeo --insecure-policy copy -q --dest-tls-verify=false "oci:$images/${one%:*}:${one#*:}" "docker://$addr/upstream/$one"
	done
} >/dev/null
up=$addr/upstream
digest() { skopeo --insecure-policy inspect --raw --tls-verify=false "docker://$up/$1" | sha256sum | cut -d' ' -f1; }
repos() { curl -fsS "http://$addr/v2/_catalog"; }
tags() { curl -fsS "http://$addr/v2/$1/tags/list"; }

git init -q --bare "$work/app.git"
git clone -q "$work/app.git" "$work/app" 2>/dev/null
app_commit "$work/app" index.txt "page" "first"
mkdir "$work/config"
cd "$work/config"
git init -q
cat >reconcile.yaml <<YAML
apiVersion: reconcile.dev/v1
kind: Settings
metadata: {name: settings}
registries:
- prefix: registry.local
  layout: ../registry
- prefix: $addr
  insecure: true
YAML
same() { printf '%b' "$2" | diff - "$1"; }
printed() { printf '%b' "$1" | diff - "$work/out"; }
tree() { find "$work/config" -path '*/.git' -prune -o -type f -print0 | sort -z | xargs -0 sha256sum; }
unchanged() { diff "$work/tree" <(tree); }

note "without a default repository images are named as given"
check "stack create" expect_exit 0 "$reconcile" clusterstack create base --build-image "$up/stacks/base:build" --run-image "$up/stacks/base:run"
check "stack create says kp's lines" printed 'Creating ClusterStack...\nClusterStack "base" created\n'
check "the stack's id comes from the images" same clusterstack-base.yaml "apiVersion: kpack.io/v1alpha2\nkind: ClusterStack\nmetadata:\n  name: base\nspec:\n  id: dev.reconcile.stacks.quickstart\n  buildImage:\n    image: $up/stacks/base:build\n  runImage:\n    image: $up/stacks/base:run\n"
tree >"$work/tree"
check "stack create again" expect_exit 1 "$reconcile" stack create base -b "$up/stacks/base:build" -r "$up/stacks/base:run"
check "it says where it is" says 'clusterstack "base" already exists: clusterstack-base.yaml:1:1'
check "both images are needed" expect_exit 64 "$reconcile" clusterstack create x -b "$up/stacks/base:build"
check "of one stack" expect_exit 1 "$reconcile" clusterstack create x -b "$up/stacks/base:build" -r registry.local/other/run:1
check "kp's text for two" says "build stack 'dev.reconcile.stacks.quickstart' does not match run stack 'other'"
check "an image that is not there" expect_exit 1 "$reconcile" clusterstack create x -b "$up/stacks/base:none" -r "$up/stacks/base:run"
check "an image of no stack" expect_exit 1 "$reconcile" clusterstack create x -b "$up/lifecycle:1" -r "$up/stacks/base:run"
check "it says what is missing" says "it has no label io.buildpacks.stack.id"
check "patch of none" expect_exit 1 "$reconcile" clusterstack patch x -b "$up/stacks/base:build"
check "it is not found" says 'clusterstack "x" not found'
check "update without a network" expect_exit 1 "$reconcile" clusterstack update base -b "$up/stacks/next:build" --dry-run=offline
check "dry run of update" expect_exit 0 "$reconcile" clusterstack update base -b "$up/stacks/next:build" --dry-run
check "a dry run shows the line" says "+    image: $up/stacks/next:build"
check "nothing of this was written" unchanged
cp clusterstack-base.yaml "$work/stack.yaml"
check "patch" expect_exit 0 "$reconcile" clusterstack patch base --run-image "$up/stacks/next:run"
check "patch says kp's lines" printed 'Updating ClusterStack...\nClusterStack "base" updated\n'
check "patch changed one line" diff <(sed 's|stacks/base:run|stacks/next:run|' "$work/stack.yaml") clusterstack-base.yaml
check "the same again" expect_exit 0 "$reconcile" clusterstack save base --run-image "$up/stacks/next:run"
check "no change is said" printed 'Updating ClusterStack...\nClusterStack "base" updated (no change)\n'
check "-o yaml gives the document" bash -c "'$reconcile' clusterstack save base -r '$up/stacks/base:run' -o yaml | python3 -c 'import sys, yaml; d = yaml.safe_load(sys.stdin); assert d[\"spec\"][\"runImage\"][\"image\"].endswith(\"base:run\"), d'"

check "store create" expect_exit 0 "$reconcile" clusterstore create default -b "$up/buildpacks/site:1.0.0"
check "store create needs an image" expect_exit 64 "$reconcile" clusterstore create other
check "kp's text for none" says "At least one buildpackage must be provided"
check "store add" expect_exit 0 "$reconcile" store add default -b "$up/buildpacks/httpd:1.0.0" -b "$up/buildpacks/site:1.0.0"
check "store add says kp's lines" printed 'Adding to ClusterStore...\n\tAdded Buildpackage\n\tBuildpackage already exists in the store\nClusterStore "default" updated\n'
check "both are there" same clusterstore-default.yaml "apiVersion: kpack.io/v1alpha2\nkind: ClusterStore\nmetadata:\n  name: default\nspec:\n  sources:\n  - image: $up/buildpacks/site:1.0.0\n  - image: $up/buildpacks/httpd:1.0.0\n"
check "add to none" expect_exit 1 "$reconcile" store add other -b "$up/buildpacks/site:1.0.0"

note "builders"
cat >"$work/order.yaml" <<'YAML'
- group:
  - id: quickstart/site
    version: 1.0.0
- group:
  - id: quickstart/site
  - {id: quickstart/httpd, optional: true}
YAML
check "builder create" expect_exit 0 "$reconcile" clusterbuilder create first --tag "$addr/builders/first" --stack base -o "$work/order.yaml"
check "builder create says kp's line" printed 'ClusterBuilder "first" created\n'
check "what it wrote" same clusterbuilder-first.yaml "apiVersion: kpack.io/v1alpha2\nkind: ClusterBuilder\nmetadata:\n  name: first\nspec:\n  tag: $addr/builders/first\n  serviceAccountRef:\n    name: default\n    namespace: kpack\n  stack:\n    name: base\n    kind: ClusterStack\n  store:\n    name: default\n    kind: ClusterStore\n  order:\n  - group:\n    - id: quickstart/site\n      version: 1.0.0\n  - group:\n    - id: quickstart/site\n    - id: quickstart/httpd\n      optional: true\n"
tree >"$work/tree"
check "order and buildpack" expect_exit 64 "$reconcile" clusterbuilder create x --tag "$addr/x" -s base --order "$work/order.yaml" -b a
check "kp's text for both" says "cannot use --order and --buildpack together"
for word in '@1' 'a@' ',' 'a,,b'; do check "no buildpack: $word" expect_exit 64 "$reconcile" clusterbuilder create x --tag "$addr/x" -s base -b "$word"; done
check "neither" expect_exit 64 "$reconcile" clusterbuilder create x --tag "$addr/x" -s base
check "no tag and no default repository" expect_exit 1 "$reconcile" clusterbuilder create x -s base -b a
check "it says what to do" says "reconcile config default-repository"
check "a stack that is nowhere" expect_exit 3 "$reconcile" clusterbuilder create x --tag "$addr/x" -s bse -b a
check "the near one is named" says "did you mean 'base'?"
printf -- '- group:\n  - ids: a\n' >"$work/bad.yaml"
check "a bad order" expect_exit 1 "$reconcile" clusterbuilder patch first --order "$work/bad.yaml" --strict
check "is said at its place" says "bad.yaml:2:5"
echo 'group: []' >"$work/bad.yaml"
check "an order that is no list" expect_exit 1 "$reconcile" clusterbuilder patch first --order "$work/bad.yaml"
check "an order that is not there" expect_exit 1 "$reconcile" clusterbuilder patch first --order "$work/none.yaml"
check "a stack in use is not deleted" expect_exit 3 "$reconcile" clusterstack delete base
check "nothing of this was written" unchanged

cat >builder.yaml <<YAML
# Ours.
apiVersion: kpack.io/v1alpha1   # old
kind: CustomBuilder
metadata: {name: small, namespace: &ns shop}
spec:
    tag: "$addr/builders/small"   # where it goes
    additionalLabels: {team: *ns}
    serviceAccount: default
    stack: {name: base, kind: ClusterStack}
    store:
        # which one
        name: 'default'
    order:
    - group:   # only one
      - id: quickstart/site
        version: "1.0.0"
---
# other
kind: Other
apiVersion: example.com/v1
metadata: {name: small}
YAML
sed -i 's/$/\r/' builder.yaml
cp builder.yaml "$work/before.yaml"
check "patch of an old kind" expect_exit 0 "$reconcile" builder patch small -n shop --tag "$addr/builders/smaller" --service-account default
check "builder patch says kp's line" printed 'Builder "small" patched\n'
check "only the tag has changed" diff <(sed 's|builders/small"|builders/smaller"|' "$work/before.yaml") builder.yaml
check "the same order changes nothing" expect_exit 0 "$reconcile" builder patch small -n shop -b quickstart/site@1.0.0
check "no change is said" printed 'Builder "small" patched (no change)\n'
check "another order" expect_exit 0 "$reconcile" builder patch small -n shop -b quickstart/site,quickstart/httpd@1.0.0
check "the rest stays" bash -c "diff <(sed 's|builders/small\"|builders/smaller\"|' '$work/before.yaml' | grep -v 'group:\|id:\|version: .1') <(grep -v 'group:\|id:\|version: .*1' builder.yaml)"
check "line ends stay" bash -c "! grep -v $'\r\$' builder.yaml"
check "builder delete" expect_exit 0 "$reconcile" builder delete small -n shop
check "builder delete says kp's line" printed 'Builder "small" deleted\n'
check "the other document stays" grep -q 'kind: Other' builder.yaml
rm builder.yaml
check "builder save creates" expect_exit 0 "$reconcile" builder save small -n shop -t "$addr/builders/small" -s base -b quickstart/site
check "a namespaced one says whose" grep -q 'namespace: shop' builder-shop-small.yaml
check "builder save changes" expect_exit 0 "$reconcile" builder save small -n shop --store default -b quickstart/site,quickstart/httpd

note "configuration"
check "no default repository" expect_exit 1 "$reconcile" config default-repository
check "the default account" expect_exit 0 "$reconcile" config default-service-account
check "is kp's" printed 'Name: default\nNamespace: kpack\n'
check "a tag is no repository" expect_exit 64 "$reconcile" config default-repository "$addr/build:x"
check "a bad account" expect_exit 64 "$reconcile" config default-service-account 'a b'
check "set the default repository" expect_exit 0 "$reconcile" config default-repository "$addr/build"
check "kp's line" printed 'kp-config set\n'
check "the ConfigMap" same configmap-kpack-kp-config.yaml "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: kp-config\n  namespace: kpack\ndata:\n  default.repository: $addr/build\n  default.repository.serviceaccount: default\n  default.repository.serviceaccount.namespace: kpack\n"
check "set the account" expect_exit 0 "$reconcile" config default-service-account default --service-account-namespace default
check "it is shown" bash -c "'$reconcile' config default-repository | grep -qx '$addr/build' && '$reconcile' config default-service-account | grep -qx 'Namespace: default'"

note "with a default repository images are copied there"
site=$(digest buildpacks/site:1.0.0)
httpd=$(digest buildpacks/httpd:1.0.0)
tree >"$work/tree"
check "dry run of store add" expect_exit 0 "$reconcile" clusterstore add default -b "$up/buildpacks/httpd:1.0.0" --dry-run
check "nothing is uploaded" says "	Skipping '$addr/build@sha256:$httpd'"
check "nothing was" bash -c "! curl -fsS 'http://$addr/v2/_catalog' | grep -q '\"build\"'"
check "nothing was written" unchanged
check "buildpack create" expect_exit 0 "$reconcile" buildpack create site -n shop --image "$up/buildpacks/site:1.0.0"
check "it is uploaded" printed "\tUploading '$addr/build@sha256:$site'\nBuildpack \"site\" created\n"
check "the manifest names the copy" grep -q "image: $addr/build@sha256:$site$" buildpack-shop-site.yaml
check "the copy is there, with a tag that keeps it" bash -c "curl -fsS 'http://$addr/v2/build/tags/list' | grep -q $site"
check "it can be read by others" bash -c "[ \$(skopeo --insecure-policy inspect --raw --tls-verify=false docker://$addr/build@sha256:$site | sha256sum | cut -d' ' -f1) = $site ]"
check "buildpack patch" expect_exit 0 "$reconcile" buildpack patch site -n shop -i "$up/buildpacks/httpd:1.0.0"
check "what is in the default repository is not copied" expect_exit 0 "$reconcile" buildpack save site -n shop -i "$addr/build@sha256:$httpd"
check "nothing is said of copies" printed 'Buildpack "site" patched (no change)\n'
check "cluster buildpack" expect_exit 0 "$reconcile" clusterbuildpack create httpd -i registry.local/buildpacks/httpd:1.0.0
check "from a layout too" grep -q "image: $addr/build@sha256:" clusterbuildpack-httpd.yaml
check "cluster buildpack delete" expect_exit 0 "$reconcile" clusterbuildpack delete httpd
check "lifecycle create" expect_exit 0 "$reconcile" clusterlifecycle create one --image "$up/lifecycle:1"
check "with the default account" bash -c "grep -A2 serviceAccountRef clusterlifecycle-one.yaml | grep -q 'namespace: default'"
check "an image is needed" expect_exit 64 "$reconcile" clusterlifecycle create two
check "stack save relocates" expect_exit 0 "$reconcile" clusterstack save base -b "$up/stacks/next:build" -r "$up/stacks/next:run"
check "by digest" grep -q "image: $addr/build@sha256:$(digest stacks/next:run)$" clusterstack-base.yaml
check "store add relocates" expect_exit 0 "$reconcile" clusterstore add default -b "$up/buildpacks/httpd:1.0.0"
check "said in kp's order" printed "Adding to ClusterStore...\n\tUploading '$addr/build@sha256:$httpd'\n\tAdded Buildpackage\nClusterStore \"default\" updated\n"
check "the one by tag goes, by its name" expect_exit 0 "$reconcile" clusterstore remove default -b "$up/buildpacks/httpd:1.0.0"
check "remove says kp's lines" printed "Removing Buildpackages...\nRemoving buildpackage $up/buildpacks/httpd:1.0.0\nClusterStore \"default\" updated\n"
check "a builder without a tag" expect_exit 0 "$reconcile" clusterbuilder create second -s base -b quickstart/site -b quickstart/httpd
check "gets one of the default repository" grep -q "tag: $addr/build:clusterbuilder-second$" clusterbuilder-second.yaml
check "and a namespaced one" expect_exit 0 "$reconcile" builder create third -n shop -s base -b quickstart/site
check "has its namespace in it" grep -q "tag: $addr/build:builder-shop-third$" builder-shop-third.yaml
echo nonsense >"$work/wrong.yaml"
check "unknown commands suggest" expect_exit 64 "$reconcile" clusterstack creat x
check "the near one" says "did you mean 'create'?"

note "secrets"
value=canary-8d1f03
export DOCKER_PASSWORD=$value REGISTRY_PASSWORD=$value GIT_PASSWORD=$value RECONCILE_SECRET_HUB=$value
check "secret create" expect_exit 0 "$reconcile" secret create hub --dockerhub jane
check "it says what has to be there" printed 'Secret "hub" created\nWhen reconcile runs, the variable RECONCILE_SECRET_HUB has to hold the password\n'
check "the Secret" same secret-hub.yaml 'apiVersion: v1\nkind: Secret\nmetadata:\n  name: hub\n  annotations:\n    kpack.io/docker: https://index.docker.io/v1/\n    reconcile.dev/from-env: password=RECONCILE_SECRET_HUB\ntype: kubernetes.io/basic-auth\nstringData:\n  username: jane\n'
check "the account" same serviceaccount-default.yaml 'apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: default\nsecrets:\n- name: hub\nimagePullSecrets:\n- name: hub\n'
check "of another registry" expect_exit 0 "$reconcile" secret create my-reg -n shop --registry "$addr" --registry-user ci
check "the namespace is in the variable" says "RECONCILE_SECRET_SHOP_MY_REG"
check "of git, with a password" expect_exit 0 "$reconcile" secret create git --git-url https://git.example.com/a/b.git --git-user ci --from-env RECONCILE_SECRET_OTHER
check "the server alone" grep -q 'kpack.io/git: https://git.example.com$' secret-git.yaml
check "the variable that was said" grep -q 'password=RECONCILE_SECRET_OTHER$' secret-git.yaml
echo "$value" >"$work/key"
check "of git, with a key elsewhere" expect_exit 0 "$reconcile" secret create key --git git@git.example.com --git-ssh-key "$work/key"
check "a file elsewhere may not be named, so a variable" says "the variable RECONCILE_SECRET_KEY has to hold the contents of '$work/key'"
check "its type" grep -q 'type: kubernetes.io/ssh-auth' secret-key.yaml
mkdir secrets
echo "{\"private_key\": \"$value\"}" >secrets/gcr.key
check "gcr from a file" expect_exit 0 "$reconcile" secret create gcr --gcr secrets/gcr.key
check "the file is named" grep -q 'reconcile.dev/from-file: password=secrets/gcr.key$' secret-gcr.yaml
check "with a warning" says "keep it out of git"
check "the values are in no file that was written" bash -c "! grep -rl $value . --include=*.yaml"
check "nor was it said" bash -c "! grep -q $value '$work/out' '$work/err'"
tree >"$work/tree"
check "create again" expect_exit 1 "$reconcile" secret create hub --dockerhub jane
check "it is there" says 'secret "hub" already exists'
check "two kinds at once" expect_exit 64 "$reconcile" secret create x --dockerhub jane --gcr f
check "none" expect_exit 64 "$reconcile" secret create x
check "a user without a registry" expect_exit 64 "$reconcile" secret create x --registry-user ci
check "git without login" expect_exit 64 "$reconcile" secret create x --git-url https://git.example.com
check "a key over https" expect_exit 64 "$reconcile" secret create x --git-url https://git.example.com --git-ssh-key "$work/key"
check "a password in the url" expect_exit 64 "$reconcile" secret create x --git-url "https://ci:$value@git.example.com" --git-user ci
check "another variable" expect_exit 64 "$reconcile" secret create x --dockerhub jane --from-env HOME
check "another file" expect_exit 64 "$reconcile" secret create x --dockerhub jane --from-file /etc/hostname
check "nothing of this was written" unchanged
check "secret list" expect_exit 0 "$reconcile" secret list
check "names and targets" printed 'NAME    TARGET\nhub     https://index.docker.io/v1/\ngit     https://git.example.com\nkey     git@git.example.com\ngcr     gcr.io\n\n'
check "of another namespace" bash -c "'$reconcile' secret list -n shop | grep -q '^my-reg  *$addr$'"
check "of nobody" bash -c "'$reconcile' secret list -n nobody | grep -qx 'no secrets found'"
for name in git key gcr hub; do check "secret delete $name" expect_exit 0 "$reconcile" secret delete $name; done
check "delete says kp's line" printed 'Secret "hub" deleted\n'
check "it is gone" bash -c "! test -e secret-hub.yaml"
check "the account does not name it" bash -c "! grep -q hub serviceaccount-default.yaml"
check "delete again" expect_exit 1 "$reconcile" secret delete hub
rm -r secrets

note "what was written composes and builds"
check "validate" expect_exit 0 "$reconcile" validate .
check "an image" expect_exit 0 "$reconcile" image create made "$addr/apps/made" -c second --git "$work/app.git" --git-revision main
check "the run" expect_exit 0 env RECONCILE_SECRET_SHOP_MY_REG=x "$reconcile" --only Image/default/made .
check "it is built" bash -c "'$reconcile' image list | grep -q '^made  *True'"
check "by others' reading" skopeo --insecure-policy inspect --tls-verify=false "docker://$addr/apps/made"
check "the builder is where its tag says" bash -c "curl -fsS 'http://$addr/v2/build/tags/list' | grep -q clusterbuilder-second"
cp clusterstore-default.yaml "$work/store.yaml"
check "store remove by id and version" expect_exit 0 "$reconcile" clusterstore remove default -b quickstart/httpd@1.0.0
check "it says what goes" says "Removing buildpackage quickstart/httpd@1.0.0"
check "the one source is gone" diff <(grep -v "$httpd" "$work/store.yaml") clusterstore-default.yaml
check "a version that is not there" expect_exit 1 "$reconcile" clusterstore remove default -b quickstart/site@9.9.9
check "kp's text for it" says "Buildpackage 'quickstart/site@9.9.9' does not exist in the ClusterStore"
cp "$work/store.yaml" clusterstore-default.yaml

note "import"
cat >"$work/descriptor.yaml" <<YAML
apiVersion: kp.kpack.io/v1
kind: DependencyDescriptor
defaultClusterStack: next
defaultClusterBuilder: page
clusterLifecycles:
- name: default-lifecycle
  image: $up/lifecycle:1
clusterBuildpacks:
- name: site
  image: $up/buildpacks/site:1.0.0
clusterStores:
- name: default
  sources:
  - image: $up/buildpacks/site:1.0.0
  - image: $up/buildpacks/httpd:1.0.0
- name: release
  sources:
  - image: $up/buildpacks/site:1.0.0
  - image: $up/buildpacks/httpd:1.0.0
clusterStacks:
- name: next
  buildImage: {image: $up/stacks/next:build}
  runImage: {image: $up/stacks/next:run}
clusterBuilders:
- name: page
  clusterStack: next
  clusterStore: release
  order:
  - group:
    - id: quickstart/site
      version: 1.0.0
    - id: quickstart/httpd
YAML
tree >"$work/tree"
check "dry run of import" expect_exit 0 "$reconcile" import -f "$work/descriptor.yaml" --dry-run
check "nothing is uploaded" says "	Skipping '$addr/build@sha256:$site'"
check "it says so" says 'Imported resources (dry run)'
check "nothing was written" unchanged
check "import" expect_exit 0 "$reconcile" import -f "$work/descriptor.yaml" --show-changes
check "changes are shown" bash -c "head -3 '$work/out' | grep -qx 'Changes' && grep -qx 'ClusterStacks' '$work/out' && grep -q '^+  name: page' '$work/out'"
check "kp's lines" bash -c "grep -qx \"Importing ClusterStore 'default'...\" '$work/out' && grep -q 'Buildpackage already exists in the store' '$work/out' && grep -qx 'Imported resources' '$work/out'"
check "the default stack" grep -q "image: $addr/build@sha256:$(digest stacks/next:run)$" clusterstack-default.yaml
check "the default builder" grep -q "tag: $addr/build:clusterbuilder-default$" clusterbuilder-default.yaml
check "with a time" grep -q 'kpack.io/import-timestamp: ' clusterbuilder-page.yaml
check "the store that was there" bash -c "[ \$(grep -c 'image:' clusterstore-default.yaml) = 3 ]"
check "valid" expect_exit 0 "$reconcile" validate .
tree >"$work/tree"
check "import again, from standard input" bash -c "'$reconcile' import -f - --show-changes <'$work/descriptor.yaml' >'$work/out' 2>'$work/err'"
check "nothing has changed" bash -c "[ \$(grep -c '^No Changes' '$work/out') = 5 ]"
check "nothing is written" unchanged
sed -i "s|$up/stacks/next|$up/stacks/base|" "$work/descriptor.yaml"
check "an update" expect_exit 0 "$reconcile" import -f "$work/descriptor.yaml" --show-changes --force
check "shows the line" says "+    image: $addr/build@sha256:$(digest stacks/base:run)"
check "and changes stacks alone" [ "$(diff "$work/tree" <(tree) | grep -c '^>')" = 2 ]
check "an image of the imported builder" expect_exit 0 "$reconcile" image create page "$addr/apps/page" -c page --git "$work/app.git" --git-revision main
check "is built" expect_exit 0 env RECONCILE_SECRET_SHOP_MY_REG=x "$reconcile" --only Image/default/page .

# at_terminal ANSWER COMMAND…: with a terminal, on which ANSWER is typed.
at_terminal() {
	python3 - "$@" <<'PY' >"$work/out"
import os, pty, sys
answer = sys.argv[1].encode() + b"\n"
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
seen, typed = b"", False
while True:
    try:
        chunk = os.read(fd, 65536)
    except OSError:
        break
    if not chunk:
        break
    seen += chunk
    if b"with y: " in seen and not typed:
        typed = True
        os.write(fd, answer)
sys.stdout.write(seen.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
PY
}
sed -i "s|$up/stacks/base|$up/stacks/next|" "$work/descriptor.yaml"
tree >"$work/tree"
check "no at a terminal" at_terminal n "$reconcile" import -f "$work/descriptor.yaml" --show-changes
check "it was asked" grep -q 'Confirm with y: ' "$work/out"
check "and nothing was done" bash -c "grep -q 'Skipping import' '$work/out' && ! grep -q 'Imported resources' '$work/out'"
check "nothing is written at no" unchanged
check "yes at a terminal" at_terminal y "$reconcile" import -f "$work/descriptor.yaml" --show-changes
check "it was imported" grep -q 'Imported resources' "$work/out"
check "a question about nothing new" at_terminal y "$reconcile" import -f "$work/descriptor.yaml" --show-changes
check "is another one" grep -q 'Re-upload images with y: ' "$work/out"
check "--force does not ask" at_terminal y "$reconcile" import -f "$work/descriptor.yaml" --show-changes --force
check "it did not" bash -c "! grep -q 'with y: ' '$work/out'"

cat >"$work/old.yaml" <<YAML
apiVersion: kp.kpack.io/v1alpha1
kind: DependencyDescriptor
defaultStack: old
defaultClusterBuilder: old
stores:
- name: old
  sources: [{image: "$up/buildpacks/site:1.0.0"}]
stacks:
- name: old
  buildImage: {image: "$up/stacks/base:build"}
  runImage: {image: "$up/stacks/base:run"}
clusterBuilders:
- {name: old, stack: old, store: old, order: [{group: [{id: quickstart/site}]}]}
YAML
check "v1alpha1" expect_exit 0 "$reconcile" import -f "$work/old.yaml"
check "its builder" grep -q 'name: old' clusterbuilder-old.yaml
sed 's/v1alpha1/v1alpha3/; s/defaultStack/defaultClusterStack/; s/^stores/clusterStores/; s/^stacks/clusterStacks/; s/ stack:/ clusterStack:/; s/ store:/ clusterStore:/; s/old/three/g' \
	"$work/old.yaml" >"$work/three.yaml"
echo "lifecycle: {image: '$up/lifecycle:1'}" >>"$work/three.yaml"
check "v1alpha3" expect_exit 0 "$reconcile" import -f "$work/three.yaml"
check "its stack" test -e clusterstack-three.yaml
tree >"$work/tree"
sed 's/v1alpha1/v2/' "$work/old.yaml" >"$work/bad.yaml"
check "an unknown version" expect_exit 3 "$reconcile" import -f "$work/bad.yaml"
check "kp's text for it" says "did not find expected apiVersion, must be one of"
sed 's/defaultStack: old/defaultStack: none/' "$work/old.yaml" >"$work/bad.yaml"
check "a default that is nowhere" expect_exit 3 "$reconcile" import -f "$work/bad.yaml"
sed 's/name: old$/name: ..\/..\/old/' "$work/old.yaml" >"$work/bad.yaml"
check "a name that leads out" expect_exit 3 "$reconcile" import -f "$work/bad.yaml"
sed "s|site:1.0.0|site:none|" "$work/old.yaml" >"$work/bad.yaml"
check "an image that is nowhere" expect_exit 1 "$reconcile" import -f "$work/bad.yaml"
check "nothing of this was written" unchanged

note "everything in one file"
cat >"$work/one.yaml" <<YAML
# ours
apiVersion: v1
kind: ServiceAccount
metadata: {name: default}
secrets: [{name: other}]   # flow
YAML
cp "$work/one.yaml" "$work/before.yaml"
check "a secret in the file" expect_exit 0 "$reconcile" secret create hub --dockerhub jane --manifests "$work/one.yaml"
check "the account is edited in place" bash -c "grep -q '^secrets: \[{name: other}, {name: hub}\] *# flow' '$work/one.yaml'"
check "the secret is behind it" bash -c "grep -c '^kind:' '$work/one.yaml' | grep -qx 2"
check "and goes again" expect_exit 0 "$reconcile" secret delete hub --manifests "$work/one.yaml"
check "the file is as it was" diff "$work/before.yaml" "$work/one.yaml"
cp reconcile.yaml configmap-kpack-kp-config.yaml "$work/"
cat "$work/reconcile.yaml" <(echo ---) "$work/configmap-kpack-kp-config.yaml" >"$work/one.yaml"
check "import into the file" expect_exit 0 "$reconcile" import -f "$work/descriptor.yaml" --manifests "$work/one.yaml"
check "all objects are there" bash -c "grep -c '^kind: Cluster' '$work/one.yaml' | grep -qx 8"
cp "$work/one.yaml" "$work/before.yaml"
check "again" expect_exit 0 "$reconcile" import -f "$work/descriptor.yaml" --manifests "$work/one.yaml"
check "nothing has changed in it" diff "$work/before.yaml" "$work/one.yaml"
check "it is valid" expect_exit 0 "$reconcile" validate "$work/one.yaml"
rm "$work/reconcile.yaml" "$work/configmap-kpack-kp-config.yaml"

note "a registry that wants a login"
start_registry "$work/auth" auth
closed=$SERVER_ADDR
mkdir "$work/closed"
cd "$work/closed"
printf 'apiVersion: reconcile.dev/v1\nkind: Settings\nmetadata: {name: settings}\nregistries:\n- {prefix: "%s", insecure: true}\n- {prefix: "%s", insecure: true}\n' \
	"$addr" "$closed" >reconcile.yaml
check "the default repository is there" expect_exit 0 "$reconcile" config default-repository "$closed/build"
check "without a login" expect_exit 1 "$reconcile" clusterbuildpack create site -i "$up/buildpacks/site:1.0.0"
check "nothing is written" bash -c "! test -e clusterbuildpack-site.yaml"
check "with kp's variables" expect_exit 0 env KP_REGISTRY_HOSTNAME_0="$closed" KP_REGISTRY_USERNAME_0="$SERVER_USER" KP_REGISTRY_PASSWORD_0="$SERVER_PASSWORD" \
	"$reconcile" clusterbuildpack create site -i "$up/buildpacks/site:1.0.0"
check "the copy is there" grep -q "image: $closed/build@sha256:$site$" clusterbuildpack-site.yaml
check "the password is in no file" bash -c "! grep -rq '$SERVER_PASSWORD' ."
cd "$work/config"

check "old names of commands" expect_exit 0 "$reconcile" lifecycle update one --image "$up/lifecycle:1"
check "are the same commands" says 'ClusterLifecycle "one" updated (no change)'
check "all of it is valid" expect_exit 0 "$reconcile" validate .
check "no secret value anywhere" bash -c "! grep -rl $value '$work/config'"
exit $failed
