#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Secrets and bindings: each secret's value is a canary that may be found nowhere but in the files of the binding inside the
# build's container: not in state, logs, output, images, caches, what is left on disk, or any process's arguments and environment.
set -euo pipefail
. "$(dirname "$0")/../lib/world.sh" "$(cd "$1" && pwd)"
git_servers_need git nginx fcgiwrap htpasswd python3 skopeo crun || skip "a server is missing"
cleanup() { stop_servers; git_servers_stop "$work/git" || true; rm -rf "$work"; }
trap cleanup EXIT

note "servers, a stack, a buildpack that looks at its bindings"
start_registry "$work/registry-data" auth
registry=$SERVER_ADDR
mkdir -p "$work/repos"
git_repo_new "$work/repos/app.git"
git_url=$(git_http_start "$work/repos" "$work/git" auth)
git clone -q "$work/repos/app.git" "$work/app" 2>/dev/null
app_commit "$work/app" index.txt "Hello" "first page"
git init -q --bare "$work/state.git"
make_stack "$work/layouts/base" build one >/dev/null
make_stack "$work/layouts/base" run one >/dev/null
probe=$work/probe
mkdir -p "$probe/bin"
cat >"$probe/buildpack.toml" <<'TOML'
api = "0.10"
[buildpack]
id = "test/probe"
version = "1.0.0"
[[targets]]
os = "linux"
TOML
printf '#!/bin/sh\nexit 0\n' >"$probe/bin/detect"
cat >"$probe/bin/build" <<'SH'
#!/bin/sh
set -e
echo "root $SERVICE_BINDING_ROOT platform $CNB_PLATFORM_DIR"
for file in $(cd "$CNB_PLATFORM_DIR/bindings" && ls -d */* */*/* 2>/dev/null); do
	[ -f "$CNB_PLATFORM_DIR/bindings/$file" ] || continue
	echo "binding $file $(wc -c <"$CNB_PLATFORM_DIR/bindings/$file")"
done
for file in "$SERVICE_BINDING_ROOT"/*/password; do
	[ ! -f "$file" ] || echo "it is <$(cat "$file")>"
done
cat "$SERVICE_BINDING_ROOT"/*/type 2>/dev/null && echo
# The logins by which its images came and go: in halves, since this file is in the container too, and not in arguments, which are looked at.
for half in correct-horse 's3cret '; do
	case $half in c*) word=$half-battery ;; *) word=${half}pass ;; esac
	echo "looked at $(find / -xdev -type f 2>/dev/null | wc -l) files and $(ls -d /proc/[0-9]* | wc -l) processes"
	{ echo "$word"; printf %s "builder:$word" | base64; } >/tmp/word
	find / -xdev -type f ! -path /tmp/word -exec grep -lF -f /tmp/word {} + 2>/dev/null | sed 's/^/a login is in /'
	cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null | grep -qaF -f /tmp/word && echo "a login is in a process"
	rm /tmp/word
done
sleep 1
SH
chmod 755 "$probe"/bin/*
make_buildpackage "$work/layouts/probe" "$probe" test/probe 1.0.0 >/dev/null
push() { skopeo copy -q --dest-tls-verify=false --dest-creds "$SERVER_USER:$SERVER_PASSWORD" "oci:$work/layouts/$1" "docker://$registry/$2"; }
push base:build stacks/base:build
push base:run stacks/base:run
push probe:1.0.0 buildpacks/probe:1.0.0

note "manifests: a secret of every kind"
# The passwords of the two servers are canaries too.
git_password='s3cret pass'
c_data=canary-data-4f1c8e c_string=canary-string-9b27d1 c_env=canary-env-c07a53 c_file=canary-file-81e6b4 c_legacy=canary-legacy-d25f90
c_dcfg=canary-dockercfg-77a1 c_ssh=canary-ssh-e1b2c3
export RECONCILE_SECRET_TOKEN=$c_env RECONCILE_SECRET_REGISTRY=$SERVER_PASSWORD
mkdir -p "$work/config/private"
printf %s "$c_file" >"$work/config/private/value"
cat >"$work/config/all.yaml" <<YAML
apiVersion: kpack.io/v1alpha2
kind: ClusterStack
metadata: {name: base}
spec:
  id: dev.reconcile.stacks.quickstart
  serviceAccountRef: {name: default, namespace: default}
  buildImage: {image: $registry/stacks/base:build}
  runImage: {image: $registry/stacks/base:run}
---
apiVersion: kpack.io/v1alpha2
kind: ClusterStore
metadata: {name: store}
spec:
  serviceAccountRef: {name: default, namespace: default}
  sources: [{image: $registry/buildpacks/probe:1.0.0}]
---
apiVersion: kpack.io/v1alpha2
kind: ClusterBuilder
metadata: {name: default}
spec:
  tag: $registry/builders/default
  serviceAccountRef: {name: default, namespace: default}
  stack: {name: base, kind: ClusterStack}
  store: {name: store, kind: ClusterStore}
  order: [{group: [{id: test/probe}]}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: default}
secrets: [{name: a-other}, {name: git}, {name: registry}, {name: ssh}]
imagePullSecrets: [{name: pull}]
---
apiVersion: v1
kind: Secret
metadata: {name: registry, annotations: {kpack.io/docker: "http://$registry/v2/", reconcile.dev/from-env: password=RECONCILE_SECRET_REGISTRY}}
type: kubernetes.io/basic-auth
stringData: {username: $SERVER_USER}
---
apiVersion: v1
kind: Secret
metadata: {name: a-other, annotations: {kpack.io/git: "https://elsewhere.example.com"}}
type: kubernetes.io/basic-auth
stringData: {username: me, password: $c_string-other}
---
apiVersion: v1
kind: Secret
metadata: {name: git, annotations: {kpack.io/git: "${git_url#http://}"}}
type: kubernetes.io/basic-auth
stringData: {username: me, password: "$git_password"}
---
apiVersion: v1
kind: Secret
metadata: {name: ssh, annotations: {kpack.io/git: "git@elsewhere.example.com"}}
type: kubernetes.io/ssh-auth
stringData: {ssh-privatekey: "$c_ssh"}
---
apiVersion: v1
kind: Secret
metadata: {name: pull}
type: kubernetes.io/dockercfg
data: {.dockercfg: $(printf '{"https://other.example.com":{"username":"u","password":"%s"}}' "$c_dcfg" | base64 -w0)}
---
apiVersion: v1
kind: Secret
metadata: {name: db, annotations: {reconcile.dev/from-env: token=RECONCILE_SECRET_TOKEN, reconcile.dev/from-file: file=private/value}}
stringData: {type: postgresql, password: $c_string}
data: {encoded: $(printf %s "$c_data" | base64)}
---
apiVersion: v1
kind: Secret
metadata: {name: old}
stringData: {password: $c_legacy}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: old-meta}
data: {kind: redis, provider: acme}
---
apiVersion: kpack.io/v1alpha2
kind: Image
metadata: {name: new}
spec:
  tag: $registry/apps/new
  builder: {name: default, kind: ClusterBuilder}
  source: {git: {url: $git_url/app.git, revision: main}}
  build: {services: [{name: db, kind: Secret}]}
---
apiVersion: kpack.io/v1alpha1
kind: Image
metadata: {name: old}
spec:
  tag: $registry/apps/old
  builder: {name: default, kind: ClusterBuilder}
  source: {git: {url: $git_url/app.git, revision: main}}
  build: {bindings: [{name: cache, metadataRef: {name: old-meta}, secretRef: {name: old}}]}
YAML
cat >"$work/config/reconcile.yaml" <<YAML
apiVersion: reconcile.dev/v1
kind: Settings
metadata: {name: settings}
state: {repository: $work/state.git}
registries: [{prefix: $registry, insecure: true}]
YAML
cd "$work/config"
export TMPDIR=$work/tmp
mkdir "$TMPDIR"

canaries=("$c_data" "$c_string" "$c_env" "$c_file" "$c_legacy" "$c_dcfg" "$c_ssh" "$git_password" "$SERVER_PASSWORD")
watched() {
	"$@" >"$work/out" 2>"$work/err" &
	local pid=$! got=0
	python3 "$top/tests/lib/watch.py" "$work/seen" "$pid" "${canaries[@]}" &
	local watcher=$!
	wait "$pid" || got=$?
	wait "$watcher"
	cat "$work/out" "$work/err" >>"$work/said"
	[ "$got" = 0 ] || { tail -n 30 "$work/out" "$work/err"; return 1; }
}

note "runs"
check "a dry run" expect_exit 4 "$reconcile" --dry-run .
check "it sends no login that nobody trusted allows" grep -q "'RECONCILE_SECRET_REGISTRY' is not sent to 'http://$registry/v2/'" "$work/err"
mkdir -p "$HOME/.config/reconcile"
printf 'apiVersion: reconcile.dev/v1\nkind: Settings\nsecrets: [{from: RECONCILE_SECRET_REGISTRY, servers: ["http://%s"]}]\n' "$registry" >"$HOME/.config/reconcile/settings.yaml"
check "a dry run that may" expect_exit 0 "$reconcile" --dry-run .
check "plans with the login" bash -c "! grep -q 'not sent\|denied\|401' '$work/out' '$work/err'"
: >"$work/said"
check "a run at debug level builds" watched "$reconcile" --log-level debug .
check "children were watched" bash -c "[ \$(sed -n 's/ processes//p' '$work/seen') -ge 4 ]"
check "no argument or environment of a child has a secret" bash -c "! grep found '$work/seen'"
"$reconcile" build logs new >"$work/log-new" 2>&1 || true
"$reconcile" build logs old >"$work/log-old" 2>&1 || true
check "the service binding's files are there" grep -q "binding db/password ${#c_string}\$" "$work/log-new"
check "a value from the environment" grep -q "binding db/token ${#c_env}\$" "$work/log-new"
check "a value from a file" grep -q "binding db/file ${#c_file}\$" "$work/log-new"
check "a value in base64" grep -q "binding db/encoded ${#c_data}\$" "$work/log-new"
check "SERVICE_BINDING_ROOT" grep -q "root /platform/bindings platform /platform" "$work/log-new"
check "what a buildpack prints of it is masked" grep -qF 'it is <*****>' "$work/log-new"
check "the type is not" grep -qx ' *postgresql' "$work/log-new"
check "a buildpack looks for logins of registries and repositories" bash -c "[ \$(grep -cE 'looked at [1-9][0-9]* files and [1-9][0-9]* processes' '$work/log-new') -ge 2 ]"
check "and finds none" bash -c "! grep 'a login is in' '$work/log-new' '$work/log-old'"
check "the legacy binding's metadata" grep -q "binding cache/metadata/kind 5" "$work/log-old"
check "and its secret" grep -q "binding cache/secret/password ${#c_legacy}\$" "$work/log-old"
check "the second run has nothing to do" expect_exit 0 "$reconcile" --expect-no-changes .

note "values that change"
sed -i "s/$c_string}/${c_string}x}/" all.yaml
check "a bound value that changed is built for CONFIG" expect_exit 0 "$reconcile" --only Image/default/new .
check "it says so" says "contents of bindings"
check "not what" bash -c "! grep -F canary '$work/out' '$work/err'"
check "the first is untouched" expect_exit 0 "$reconcile" --expect-no-changes .
sed -i "s/provider: acme/provider: other/" all.yaml
check "so is one of a ConfigMap" expect_exit 0 "$reconcile" .
check "only that" bash -c "grep -q 'Image default/old' '$work/out' && ! grep -q 'Image default/new' '$work/out'"
mv "$work/cache/reconcile/secret.key" "$work/secret.key"
check "a machine with another key sees no change" expect_exit 0 "$reconcile" --expect-no-changes .
mv "$work/secret.key" "$work/cache/reconcile/secret.key"

note "one key for many machines"
export RECONCILE_HASH_KEY=canary-hash-of-more-than-16-bytes
app_commit "$work/app" index.txt "Hello again" "second page"
check "builds remember values by the key of the environment" expect_exit 0 "$reconcile" .
sed -i "s/${c_string}x}/${c_string}y}/" all.yaml
check "another machine with that key" expect_exit 0 env XDG_CACHE_HOME="$work/cache-2" "$reconcile" --only Image/default/new .
check "notices the change" says "contents of bindings"
check "and wrote no key of its own" [ ! -e "$work/cache-2/reconcile/secret.key" ]
cat "$work/out" "$work/err" >>"$work/said"
check "a short key is not used" expect_exit 0 env RECONCILE_HASH_KEY=short "$reconcile" --dry-run=offline .
check "and is said to be" says "RECONCILE_HASH_KEY has less than 16 bytes"
unset RECONCILE_HASH_KEY

note "what is refused"
cp all.yaml "$work/all.yaml"
sed -i 's/services: \[{name: db, kind: Secret}\]/services: [{name: git, kind: Secret}]/' all.yaml
check "a secret of a service account cannot be bound" expect_exit 4 "$reconcile" .
check "says which" says 'build rejected: service "git" uses forbidden secret "git"'
sed 's/secretRef: {name: old}/secretRef: {name: git}/' "$work/all.yaml" >all.yaml
check "nor as a legacy binding" expect_exit 4 "$reconcile" .
check "says which too" says 'build rejected: binding "cache" uses forbidden secret "git"'
sed 's/services: \[{name: db, kind: Secret}\]/services: [{name: db, kind: Postgres, apiVersion: example.com\/v1}]/' "$work/all.yaml" >all.yaml
check "a provisioned service" expect_exit 4 "$reconcile" .
check "is named" says 'service "db" is a Postgres; only services of kind Secret'
cp "$work/all.yaml" all.yaml
check "a variable that is not set" expect_exit 4 env -u RECONCILE_SECRET_TOKEN "$reconcile" .
check "is named too" says "variable 'RECONCILE_SECRET_TOKEN' is not set"
check "and all is well again" expect_exit 0 "$reconcile" .
check "without a build" bash -c "! grep -E 'build|rebase' '$work/out'"
check "for good" expect_exit 0 "$reconcile" --expect-no-changes .

note "where no canary is"
everything() {
	for repo in "$work/state.git"; do
		git -C "$repo" rev-list --objects --all | cut -d' ' -f1 | git -C "$repo" cat-file --batch
	done >"$work/dump-state"
	for image in apps/new apps/old builders/default:clusterbuilder-default; do
		skopeo copy -q --src-tls-verify=false --src-creds "$SERVER_USER:$SERVER_PASSWORD" "docker://$registry/$image" "dir:$work/dump-image" || return 1
		for blob in "$work/dump-image"/*; do zcat -f "$blob"; done
		rm -rf "$work/dump-image"
	done >"$work/dump-images"
	[ -s "$work/dump-images" ] && [ -s "$work/dump-state" ]
}
check "state, logs and images are read" everything
absent() {
	local word form
	for word in canary- "$git_password" "$SERVER_PASSWORD"; do
		for form in "$word" "$(printf %s "$word" | base64 -w0 | sed 's/..$//; s/=*$//')"; do
			! grep -raqF -- "$form" "$@" || { echo "'$form' in:"; grep -ralF -- "$form" "$@"; return 1; }
		done
	done
}
check "state and logs" absent "$work/dump-state"
check "images and builder" absent "$work/dump-images"
check "output, at debug level" absent "$work/said"
check "caches and temporary folders" absent "$work/cache" "$work/cache-2"
check "what is left where temporary files go" absent "$TMPDIR"
check "the key of hashes is nobody else's" bash -c "[ \$(stat -c %a '$work/cache/reconcile/secret.key') = 600 ]"
exit $failed
