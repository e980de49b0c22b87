#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Secrets of build configs: a canary in every login and every input of a source-to-image, a Dockerfile and a custom build. It is
# in no plan, log, state, event, error, argument or environment of a process, cache or temporary folder, and no core is left.
set -euo pipefail
. "$(dirname "$0")/../lib/world.sh" "$(cd "$1" && pwd)"
git_servers_need git nginx fcgiwrap htpasswd python3 skopeo crun buildah busybox docker-registry || skip "a server is missing"
cleanup() {
	stop_servers
	git_servers_stop "$work/git" || true
	rm -rf "$work" 2>/dev/null || buildah unshare rm -rf "$work"
}
trap cleanup EXIT
unset CONTAINERS_CONF

note "servers, a builder image, an application"
start_registry "$work/registry-data" auth
registry=$SERVER_ADDR
mkdir -p "$work/repos" "$work/tree"/{bin,etc,tmp,opt/app,usr/libexec/s2i}
git_repo_new "$work/repos/app.git"
git_url=$(git_http_start "$work/repos" "$work/git" auth)
git clone -q "$work/repos/app.git" "$work/app" 2>/dev/null
printf 'FROM base\nUSER 0\nRUN wc -c </etc/keys/key && cat /etc/keys/key && sleep 1\n' >"$work/app/Dockerfile"
app_commit "$work/app" index.txt "Hello" "first page"
cp "$(command -v busybox)" "$work/tree/bin/busybox"
for applet in sh cat cp rm wc sleep ls kill touch; do ln -s busybox "$work/tree/bin/$applet"; done
printf 'root:x:0:0::/:/bin/sh\ndefault:x:1001:0::/opt/app:/bin/sh\n' >"$work/tree/etc/passwd"
cat >"$work/tree/usr/libexec/s2i/assemble" <<'SH'
#!/bin/sh
cat keys/key
echo "the key has $(wc -c <keys/key) bytes"
echo "the volume has $(wc -c </etc/volume/key) bytes"
# A program that dies with what it read must not leave its memory.
sh -c 'secret=$(cat keys/key); kill -SEGV $$'
ls /core* /opt/app/core* 2>/dev/null && echo "a core was written"
cp /tmp/src/index.txt /opt/app/
sleep 1
SH
printf '#!/bin/sh\n' >"$work/tree/usr/libexec/s2i/run"
chmod 755 "$work/tree" "$work/tree/usr/libexec/s2i"/*
chmod 1777 "$work/tree/tmp" "$work/tree/opt/app"
"$oci_image" "$work/layouts/base" 1 "$work/tree" --user 1001 --env PATH=/bin \
	--label io.openshift.s2i.scripts-url=image:///usr/libexec/s2i >/dev/null
skopeo copy -q --dest-tls-verify=false --dest-creds "$SERVER_USER:$SERVER_PASSWORD" "oci:$work/layouts/base:1" "docker://$registry/base:1"

note "manifests"
git_password='s3cret pass' c_key=canary-key-4f1c8e90 c_volume=canary-volume-9b27d1 c_hook=canary-hook-c07a53 c_mount=canary-mount-81e6b4 c_token=canary-token-d25f90
login=$(printf '{"auths":{"%s":{"auth":"%s"}}}' "$registry" "$(printf %s "$SERVER_USER:$SERVER_PASSWORD" | base64 -w0)")
export RECONCILE_SECRET_LOGIN=$login RECONCILE_SECRET_KEY=$c_key RECONCILE_SECRET_TOKEN=$c_token
mkdir -p "$work/config"
cd "$work/config"
git init -q
source_of() { printf '    git: {uri: %s/app.git, ref: main}\n    sourceSecret: {name: git}\n' "$git_url"; }
output_of() {
	printf '  output: {to: {kind: DockerImage, name: "%s/out/%s:1"}, pushSecret: {name: login}}\n' "$registry" "$1"
	printf '  triggers: [{type: ConfigChange}, {type: Generic, generic: {secretReference: {name: hook}}}]\n'
}
cat >all.yaml <<YAML
apiVersion: v1
kind: Secret
metadata: {name: login, annotations: {reconcile.dev/from-env: .dockerconfigjson=RECONCILE_SECRET_LOGIN}}
type: kubernetes.io/dockerconfigjson
---
apiVersion: v1
kind: Secret
metadata: {name: git}
type: kubernetes.io/basic-auth
stringData: {username: me, password: "$git_password"}
---
apiVersion: v1
kind: Secret
metadata: {name: key, annotations: {reconcile.dev/from-env: key=RECONCILE_SECRET_KEY}}
---
apiVersion: v1
kind: Secret
metadata: {name: volume}
stringData: {key: $c_volume}
---
apiVersion: v1
kind: Secret
metadata: {name: hook}
stringData: {WebHookSecretKey: $c_hook}
---
apiVersion: v1
kind: Secret
metadata: {name: variable, annotations: {reconcile.dev/from-env: token=RECONCILE_SECRET_TOKEN}}
---
apiVersion: v1
kind: Secret
metadata: {name: mount}
stringData: {key: $c_mount}
---
apiVersion: build.openshift.io/v1
kind: BuildConfig
metadata: {name: script}
spec:
  source:
$(source_of)
    secrets: [{secret: {name: key}, destinationDir: keys}]
  strategy:
    sourceStrategy:
      from: {kind: DockerImage, name: "$registry/base:1"}
      pullSecret: {name: login}
      volumes: [{name: v, mounts: [{destinationPath: /etc/volume}], source: {type: Secret, secret: {secretName: volume}}}]
$(output_of script)
---
apiVersion: build.openshift.io/v1
kind: BuildConfig
metadata: {name: file}
spec:
  source:
$(source_of)
  strategy:
    dockerStrategy:
      from: {kind: DockerImage, name: "$registry/base:1"}
      pullSecret: {name: login}
      volumes: [{name: v, mounts: [{destinationPath: /etc/keys}], source: {type: Secret, secret: {secretName: key}}}]
$(output_of file)
---
apiVersion: build.openshift.io/v1
kind: BuildConfig
metadata: {name: own}
spec:
  source: {dockerfile: FROM scratch}
  strategy:
    customStrategy:
      from: {kind: DockerImage, name: "$registry/custom:1"}
      pullSecret: {name: login}
      secrets: [{secretSource: {name: mount}, mountPath: /etc/mount}]
      env: [{name: TOKEN, valueFrom: {secretKeyRef: {name: variable, key: token}}}]
  triggers: [{type: ConfigChange}]
YAML
cat >"$work/tree/build.sh" <<'SH'
#!/bin/sh
cat /etc/mount/key
echo "the mount has $(wc -c </etc/mount/key) bytes"
echo "the variable has ${#TOKEN} bytes: <$TOKEN>"
sleep 1
SH
chmod 755 "$work/tree/build.sh"
"$oci_image" "$work/layouts/custom" 1 "$work/tree" --user 1001 --env PATH=/bin >/dev/null
python3 - "$work/layouts/custom" <<'PYTHON'
import hashlib, json, os, sys
root = sys.argv[1]
def path(digest): return root + "/blobs/sha256/" + digest[7:]
def put(value):
    data = json.dumps(value).encode()
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    open(path(digest), "wb").write(data)
    return {"digest": digest, "size": len(data)}
index = json.load(open(root + "/index.json"))
manifest = json.load(open(path(index["manifests"][0]["digest"])))
config = json.load(open(path(manifest["config"]["digest"])))
config["config"]["Entrypoint"] = ["/build.sh"]
manifest["config"].update(put(config))
index["manifests"][0].update(put(manifest))
json.dump(index, open(root + "/index.json", "w"))
PYTHON
skopeo copy -q --dest-tls-verify=false --dest-creds "$SERVER_USER:$SERVER_PASSWORD" "oci:$work/layouts/custom:1" "docker://$registry/custom:1"
cat >"$work/trusted.yaml" <<YAML
apiVersion: reconcile.dev/v1
kind: Settings
metadata: {name: settings}
registries: [{prefix: "$registry", insecure: true}]
builds: {custom: true, engine: buildah}
YAML
export TMPDIR=$work/tmp
mkdir "$TMPDIR"
canaries=("$c_key" "$c_volume" "$c_hook" "$c_mount" "$git_password" "$SERVER_PASSWORD" "$(printf %s "$SERVER_USER:$SERVER_PASSWORD" | base64 -w0)")
# That one is asked for as a variable of the build.
elsewhere=("${canaries[@]}" "$c_token")
: >"$work/said"
keep() { cat "$work/out" "$work/err" >>"$work/said"; }
watched() {
	local pid watcher got=0
	(ulimit -c unlimited 2>/dev/null; exec "$@" >"$work/out" 2>"$work/err") &
	pid=$!
	python3 "$top/tests/lib/watch.py" "$work/seen" "$pid" "${canaries[@]}" &
	watcher=$!
	wait "$pid" || got=$?
	wait "$watcher"
	keep
	[ "$got" = 0 ] || { tail -n 30 "$work/out" "$work/err"; return 1; }
}
run=("$reconcile" --settings "$work/trusted.yaml")

note "runs"
check "a plan" expect_exit 0 "${run[@]}" --dry-run -o json .
keep
check "a run at debug level builds" watched "${run[@]}" --log-level debug .
check "children were watched" bash -c "[ \$(sed -n 's/ processes//p' '$work/seen') -ge 4 ]"
check "no argument or environment of a child has a secret" bash -c "! grep found '$work/seen'"
for name in script file own; do
	"$reconcile" build logs "$name-1" >"$work/log-$name" 2>&1 || true
	cat "$work/log-$name" >>"$work/said"
done
check "the script had its key" grep -q "the key has ${#c_key} bytes" "$work/log-script"
check "and its volume" grep -q "the volume has ${#c_volume} bytes" "$work/log-script"
check "the Dockerfile had its key" grep -qw "${#c_key}" "$work/log-file"
check "the custom builder had its secret" grep -q "the mount has ${#c_mount} bytes" "$work/log-own"
check "and its variable, masked in the log" grep -qF "the variable has ${#c_token} bytes: <*****>" "$work/log-own"
for name in script file own; do
	check "what it prints of it is masked: $name" grep -qF '*****' "$work/log-$name"
done
check "nobody dumped memory" bash -c "! grep -q 'a core was written' '$work/log-script'"

note "errors"
cp all.yaml "$work/all.yaml"
sed -i "s/password: \"$git_password\"/password: \"canary-wrong-11ab22\"/; s|out/script|out/script2|" all.yaml
"${run[@]}" --log-level debug . >"$work/out" 2>"$work/err" && echo "a wrong password worked" >>"$work/said"
keep
check "a login that fails is an error" bash -c "grep -qi 'FetchSourceFailed\|denied\|401\|credential' '$work/out' '$work/err'"
cp "$work/all.yaml" all.yaml

note "plans in every form, and manifests with mistakes"
mkdir -p "$work/plans" "$HOME/.docker"
git init -q --bare "$work/plans/state.git"
cat >"$HOME/.docker/config.json" <<JSON
{"auths": {"a.test.invalid": {"identitytoken": "canary-identity-1"}, "b.test.invalid": {"registrytoken": "canary-registry-2"}}}
JSON
# Nobody answers at port 1.
cat >"$work/plans/all.yaml" <<YAML
apiVersion: v1
kind: Secret
metadata: {name: tokens}
type: kubernetes.io/dockerconfigjson
stringData: {.dockerconfigjson: '{"auths":{"127.0.0.1:1":{"identitytoken":"canary-identity-3"},"x.test.invalid":{"registrytoken":"canary-registry-4"}}}'}
---
apiVersion: v1
kind: Secret
metadata: {name: ssh, annotations: {kpack.io/git: "git@127.0.0.1"}}
type: kubernetes.io/ssh-auth
stringData: {ssh-privatekey: "-----BEGIN OPENSSH PRIVATE KEY-----\ncanary-ssh-5\n-----END OPENSSH PRIVATE KEY-----\n"}
---
apiVersion: v1
kind: Secret
metadata: {name: cosign}
stringData: {cosign.key: canary-cosign-6, cosign.password: canary-cosign-7}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: default}
secrets: [{name: tokens}, {name: ssh}, {name: cosign}]
---
apiVersion: build.openshift.io/v1
kind: BuildConfig
metadata: {name: user, annotations: {reconcile.dev/follow: commits}}
spec:
  source: {git: {uri: "http://me:canary-uri-8@127.0.0.1:1/app.git", ref: main, httpProxy: "http://p:canary-proxy-9@127.0.0.1:1", httpsProxy: "http://p:canary-proxy-10@127.0.0.1:1"}}
  strategy: {dockerStrategy: {env: [{name: HTTP_PROXY, value: "http://q:canary-proxy-11@127.0.0.1:1"}]}}
  output: {to: {kind: DockerImage, name: "127.0.0.1:1/x:1"}, pushSecret: {name: tokens}}
  triggers: [{type: ConfigChange}, {type: GitHub, github: {secret: canary-hook-12}}, {type: Generic, generic: {secret: canary-hook-13}}]
YAML
# How a line is cut says nothing of what is hidden in it.
cat >"$work/plans/mistakes.txt" <<YAML
---
apiVersion: build.openshift.io/v1
kind: BuildConfig
metadata: {name: odd}
spec:
  source: {git: {uri: "http://me:canary-uri-14@[::bad/app.git", ref: main, httpProxy: "http://p:canary-proxy-15-which-is-long@127.0.0.1:1"}}
  strategy: {dockerStrategy: {}}
  output: {to: {kind: DockerImage, name: "127.0.0.1:1/x:1"}}
---
apiVersion: v1
kind: Secret
metadata: {name: none}
data: {key: "canary-base64-16-!!"}
---
apiVersion: v1
kind: Secret
metadata: {name: text}
type: kubernetes.io/dockerconfigjson
stringData: {.dockerconfigjson: '{"auths": canary-json-17'}
YAML
planned() { # CODE ARGUMENTS…
	local want=$1 got=0
	shift
	http_proxy=http://u:canary-proxy-18@127.0.0.1:1 RECONCILE_HASH_KEY=canary-hash-19-of-twenty-bytes JENKINS_TOKEN=canary-jenkins-20 \
		"$reconcile" --log-level debug --state "$work/plans/state.git" "$@" "$work/plans" >"$work/out" 2>"$work/err" || got=$?
	keep
	[ "$got" = "$want" ] || { echo "exit $got, not $want"; cat "$work/out" "$work/err"; return 1; }
}
for form in text json yaml; do
	check "offline, as $form" planned 0 --dry-run=offline -o $form
	check "with questions that nobody answers, as $form" planned 4 --dry-run -o $form
done
check "a run that cannot" planned 4
git -C "$work/plans/state.git" rev-list --objects --all | cut -d' ' -f1 | git -C "$work/plans/state.git" cat-file --batch >>"$work/said"
check "its state was looked into" grep -aq 'kind: BuildConfig' "$work/said"
cat "$work/plans/mistakes.txt" >>"$work/plans/all.yaml"
check "mistakes" planned 3 --dry-run=offline
check "nor is a part of a password shown" bash -c "! grep -E 'http://(p|me):?c' '$work/err'"
check "four of them" bash -c "[ \$(grep -c 'error:' '$work/err') -ge 4 ]"
rm -r "$HOME/.docker"

note "killed in the middle"
sed -i 's|out/script|out/script3|' all.yaml
(ulimit -c unlimited 2>/dev/null; exec "${run[@]}" --log-level debug --only BuildConfig/default/script . >"$work/out" 2>"$work/err") &
pid=$!
for _ in $(seq 600); do
	! grep -q '===> ASSEMBLE' "$work/err" 2>/dev/null || break
	kill -0 $pid 2>/dev/null || break
	sleep 0.1
done
kill -ABRT $pid 2>/dev/null || true
wait $pid 2>/dev/null && got=0 || got=$?
keep
check "a run that dies" [ "$got" = 134 ]
# What it could not remove is for the next one; until then it is for nobody else.
left=$(grep -rlF canary- "$TMPDIR" "$XDG_CACHE_HOME" || true)
private() {
	local file at is_private
	while read -r file; do
		is_private=
		for ((at = 1; at; )); do
			[ $((0$(stat -c %a "$file") & 077)) != 0 ] || is_private=1
			file=${file%/*}
			[ "$file" != "$work" ] || at=0
		done
		[ "$is_private" ] || { echo "others can read what is below $work: $left"; return 1; }
	done <<<"$left"
}
check "it left the inputs of its build" [ "$left" ]
check "for nobody else to read" private
cp "$work/all.yaml" all.yaml
check "the next run cleans up" expect_exit 0 "${run[@]}" .
keep
check "no core is left" bash -c "! find '$work' \\( -name core -o -name 'core.*' \\) -type f -size +0 | grep ."

note "where no canary is"
git rev-list --objects --all | cut -d' ' -f1 | git cat-file --batch >"$work/dump-state"
for name in script file; do
	skopeo copy -q --src-tls-verify=false --src-creds "$SERVER_USER:$SERVER_PASSWORD" "docker://$registry/out/$name:1" "dir:$work/dump-image"
	for blob in "$work/dump-image"/*; do zcat -f "$blob"; done >"$work/dump-$name"
	rm -rf "$work/dump-image"
done
check "state is read" [ -s "$work/dump-state" ]
check "it has the builds" bash -c "grep -aq 'kind: Build' '$work/dump-state'"
absent() {
	local word form
	for word in canary- "${elsewhere[@]}"; do
		for form in "$word" "$(printf %s "$word" | base64 -w0 | sed 's/..$//; s/=*$//')"; do
			! grep -raqF -- "$form" "$@" || { echo "'$form' in:"; grep -ralF -- "$form" "$@"; return 1; }
		done
	done
}
check "state, logs and events" absent "$work/dump-state"
check "plans, output and errors, at debug level" absent "$work/said"
check "images" absent "$work/dump-script" "$work/dump-file"
check "caches" absent "$XDG_CACHE_HOME"
check "both servers logged requests" [ -s "$work/git/access.log" -a -s "$work/registry-data/log" ]
check "addresses of requests, as the servers log them" absent "$work/git/access.log" "$work/registry-data/log"
check "what is left where temporary files go" absent "$TMPDIR"
exit $failed
