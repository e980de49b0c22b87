#!/usr/bin/env bash
# The main job against real servers: application and state on a git server over https with a password, images in a registry
# over TLS with a password, everything by Secrets and a private CA; then state over ssh. skopeo, umoci and podman take the result.
set -euo pipefail
. "$(dirname "$0")/../lib/world.sh" "$1"
git_servers_need git nginx fcgiwrap htpasswd openssl python3 skopeo umoci ssh || skip "a server is missing"
cleanup() { stop_servers; git_servers_stop "$work/git" || true; git_servers_stop "$work/ssh" || true; rm -rf "$work"; }
trap cleanup EXIT

note "servers"
start_registry "$work/registry" tls auth
registry=$SERVER_ADDR
mkdir -p "$work/repos"
git_repo_new "$work/repos/app.git"
git_repo_new "$work/repos/state.git"
git_url=$(git_http_start "$work/repos" "$work/git" auth tls)
git_host=${git_url#https://}
cat "$work/registry/ca.pem" >"$work/registry-ca.pem" 2>/dev/null || find "$work/registry" -name ca.pem -exec cp {} "$work/registry-ca.pem" \;

note "an application, a stack, two buildpackages"
git clone -q "$work/repos/app.git" "$work/app" 2>/dev/null
app_commit "$work/app" index.txt "Hello from a server" "first page"
for image in stacks/base:build stacks/base:run; do
	make_stack "$work/layouts/base" "${image#*:}" one >/dev/null
done
make_buildpackage "$work/layouts/site" "$example/buildpacks/site" quickstart/site 1.0.0 >/dev/null
make_buildpackage "$work/layouts/httpd" "$example/buildpacks/httpd" quickstart/httpd 1.0.0 >/dev/null
mkdir -p "$work/certs"
cp "$work/registry-ca.pem" "$work/certs/ca.crt"
push() { skopeo copy -q --dest-cert-dir "$work/certs" --dest-creds "$SERVER_USER:$SERVER_PASSWORD" "oci:$work/layouts/$1" "docker://$registry/$2"; }
push base:build stacks/base:build
push base:run stacks/base:run
push site:1.0.0 buildpacks/site:1.0.0
push httpd:1.0.0 buildpacks/httpd:1.0.0

note "manifests"
mkdir -p "$work/config"
sed -e "s|registry.local|$registry|" -e "s|url: ../app.git|url: $git_url/app.git|" "$example/manifests/image.yaml" >"$work/config/image.yaml"
sed -e "s|registry.local|$registry|" -e 's|^  id: dev|  serviceAccountRef: {name: default, namespace: default}\n  id: dev|' \
	-e 's|^  sources:|  serviceAccountRef: {name: default, namespace: default}\n  sources:|' "$example/manifests/builder.yaml" >"$work/config/builder.yaml"
cat >"$work/config/secrets.yaml" <<YAML
apiVersion: v1
kind: ServiceAccount
metadata: {name: default}
secrets: [{name: registry}, {name: git}]
---
apiVersion: v1
kind: Secret
metadata:
  name: registry
  annotations: {kpack.io/docker: "https://$registry"}
type: kubernetes.io/basic-auth
stringData: {username: $SERVER_USER, password: $SERVER_PASSWORD}
---
apiVersion: v1
kind: Secret
metadata:
  name: git
  annotations: {kpack.io/git: "$git_url"}
type: kubernetes.io/basic-auth
stringData: {username: me, password: "s3cret pass"}
YAML
cat >"$work/config/reconcile.yaml" <<YAML
apiVersion: reconcile.dev/v1
kind: Settings
metadata: {name: settings}
state: {repository: $git_url/state.git}
registries:
- {prefix: $registry, caFile: $work/registry-ca.pem}
git:
- {host: $git_host, caFile: $work/git/ca.pem}
YAML
cd "$work/config"

note "runs"
check "without the password of the state repository: exit 5" expect_exit 5 "$reconcile" .
export RECONCILE_GIT_USERNAME=me RECONCILE_GIT_PASSWORD='s3cret pass'
check "nor does it go where only the manifests point: exit 5" expect_exit 5 "$reconcile" .
check "which is said" says "only the manifests name it"
export RECONCILE_STATE=$git_url/state.git
check "the first run builds" expect_exit 0 "$reconcile" .
check "it says so" says "build #1 succeeded"
check "the second run has nothing to do" expect_exit 0 "$reconcile" --expect-no-changes .
before=$(git -C "$work/repos/state.git" rev-parse reconcile/state)
check "and says so" expect_exit 0 "$reconcile" .
check "it makes no commit" [ "$before" = "$(git -C "$work/repos/state.git" rev-parse reconcile/state)" ]
app_commit "$work/app" news.txt "More" "second page"
check "a dry run finds the commit" expect_exit 2 "$reconcile" --dry-run --detailed-exitcode .
check "with its reason" says "COMMIT"
check "the commit is built" expect_exit 0 "$reconcile" .
check "as a table says" expect_exit 0 "$reconcile" build list hello
check "for COMMIT" says "COMMIT"
check "the log is kept" expect_exit 0 "$reconcile" build logs hello
check "with its phases" says "===> EXPORT"

note "what others make of the image"
check "skopeo copies it" skopeo copy -q --src-cert-dir "$work/certs" --src-creds "$SERVER_USER:$SERVER_PASSWORD" "docker://$registry/apps/hello" "oci:$work/copy:latest"
check "umoci unpacks it" umoci unpack --rootless --image "$work/copy:latest" "$work/bundle"
check "with the page in it" grep -q "Hello from a server" "$work/bundle/rootfs/workspace/index.txt"
if command -v podman >/dev/null && podman --root "$work/podman" --runroot "$work/podman-run" --storage-driver vfs info >/dev/null 2>&1; then
	check "podman pulls it" podman --root "$work/podman" --runroot "$work/podman-run" --storage-driver vfs pull -q \
		--cert-dir "$work/certs" --creds "$SERVER_USER:$SERVER_PASSWORD" "$registry/apps/hello"
else
	note "podman does not work here"
fi

note "secrets"
check "no secret is in state" bash -c "! git -C '$work/repos/state.git' grep -qF -e '$SERVER_PASSWORD' -e 's3cret pass' reconcile/state"
check "no secret is in logs" bash -c "! git -C '$work/repos/state.git' grep -qF -e '$SERVER_PASSWORD' -e 's3cret pass' reconcile/logs"

note "what cannot be resolved"
sed -i 's/revision: main/revision: gone/' image.yaml
check "an absent branch: exit 4" expect_exit 4 "$reconcile" .
check "says which" says "cannot resolve 'gone'"
sed -i 's/revision: gone/revision: main/' image.yaml
check "and heals" expect_exit 0 "$reconcile" .

note "logins that the person or the CI system has set, not the manifests"
cp secrets.yaml "$work/secrets.yaml"
python3 - "$registry" "$work/secrets.yaml" secrets.yaml <<'PY'
import sys
parts = open(sys.argv[2]).read().split("---\n")
with open(sys.argv[3], "w") as out:
    out.write("---\n".join(part.replace("{name: registry}, ", "") for part in parts if sys.argv[1] not in part))
PY
mkdir -p "$work/person"
auth=$(printf %s "$SERVER_USER:$SERVER_PASSWORD" | base64 -w 0)
printf '{"auths": {"%s": {"auth": "%s"}}}' "$registry" "$auth" >"$work/person/config.json"
# with HOW VARIABLE=VALUE: a build pulls and pushes with it.
with() {
	app_commit "$work/app" news.txt "$1" "$1"
	check "a build with $1" expect_exit 0 env "$2" "$reconcile" .
	check "is made" says "succeeded"
}
app_commit "$work/app" news.txt "without" "without"
check "without one: exit 4" expect_exit 4 "$reconcile" .
with DOCKER_CONFIG "DOCKER_CONFIG=$work/person"
with REGISTRY_AUTH_FILE "REGISTRY_AUTH_FILE=$work/person/config.json"
with DOCKER_AUTH_CONFIG "DOCKER_AUTH_CONFIG=$(cat "$work/person/config.json")"
with CNB_REGISTRY_AUTH "CNB_REGISTRY_AUTH={\"$registry\": \"Basic $auth\"}"
mkdir -p "$work/person/xdg/containers"
cp "$work/person/config.json" "$work/person/xdg/containers/auth.json"
with XDG_CONFIG_HOME "XDG_CONFIG_HOME=$work/person/xdg"
check "none of it is in state" bash -c "! git -C '$work/repos/state.git' grep -qF -e '$SERVER_PASSWORD' -e '$auth' reconcile/state reconcile/logs"
cp "$work/secrets.yaml" secrets.yaml

note "state over ssh"
git_repo_new "$work/repos/ssh-state.git"
ssh_url=$(git_ssh_start "$work/repos" "$work/ssh")
mkdir -p "$HOME/.ssh"
export GIT_SSH_COMMAND="ssh -i $work/ssh/id -o UserKnownHostsFile=$work/ssh/known_hosts"
check "a run with state over ssh adopts what the registry has" expect_exit 0 "$reconcile" --state "$ssh_url/ssh-state.git" .
check "and records it" git -C "$work/repos/ssh-state.git" rev-parse -q --verify reconcile/state
check "a second one has nothing to do" expect_exit 0 "$reconcile" --state "$ssh_url/ssh-state.git" --expect-no-changes .

note "a source over ssh, with the person's key"
sed -i "s|url: $git_url/app.git|url: $ssh_url/app.git|" image.yaml
check "is built" expect_exit 0 "$reconcile" --state "$ssh_url/ssh-state.git" .
check "for CONFIG" says "CONFIG"
if command -v ssh-agent >/dev/null; then
	eval "$(ssh-agent -s)" >/dev/null
	ssh-add -q "$work/ssh/id"
	export GIT_SSH_COMMAND="ssh -F none -o UserKnownHostsFile=$work/ssh/known_hosts"
	app_commit "$work/app" news.txt "agent" "with an agent"
	check "and with an agent" expect_exit 0 "$reconcile" --state "$ssh_url/ssh-state.git" .
	check "the new commit" says "COMMIT"
	ssh-agent -k >/dev/null
fi
exit $failed
