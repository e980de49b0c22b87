#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Image extensions run after run, with a builder as `pack` lays it out, in a private registry: a second run has nothing to do, and a
# new run image gives a rebase only where the extension allows it.
set -euo pipefail
. "$(dirname "$0")/../lib/world.sh" "$1"
for tool in docker-registry htpasswd skopeo python3 buildah crun; do
	command -v $tool >/dev/null || skip "$tool is missing"
done
trap 'stop_servers; rm -rf "$work" 2>/dev/null || buildah unshare rm -rf "$work"' EXIT

start_registry "$work/registry" auth
registry=$SERVER_ADDR
images=$work/images
push() { skopeo copy -q --dest-tls-verify=false --dest-creds "$SERVER_USER:$SERVER_PASSWORD" "oci:$images:$1" "docker://$registry/$2"; }
for name in build run other; do
	make_stack "$images" $name "$name one" >/dev/null
	push $name stacks/$name
done

# The extension writes what lies in the application; the buildpack keeps what the tool says.
mkdir -p "$work/extension/bin" "$work/page/bin"
printf 'api = "0.10"\n[extension]\nid = "test/files"\nversion = "1"\n' >"$work/extension/extension.toml"
printf '#!/bin/sh\nset -eu\nfor file in *.Dockerfile; do [ ! -f "$file" ] || cp "$file" "$CNB_OUTPUT_DIR/"; done\n' >"$work/extension/bin/generate"
printf 'api = "0.10"\n[buildpack]\nid = "test/page"\nversion = "1"\n[[targets]]\nos = "linux"\n' >"$work/page/buildpack.toml"
printf '#!/bin/sh\n' >"$work/page/bin/detect"
cat >"$work/page/bin/build" <<'SH'
#!/bin/sh
set -eu
mkdir "$1/page"
if [ -x /usr/bin/tool ]; then tool; fi >"$1/page/said"
printf '[types]\nlaunch = true\n' >"$1/page.toml"
SH
chmod +x "$work"/extension/bin/* "$work"/page/bin/*
"$oci" builder "$images" builder --base build --run-image "$registry/stacks/run" --order '[{"group":[{"id":"test/page","version":"1"}]}]' \
	--extension "$work/extension" "$work/page" >/dev/null
push builder builders/extended

mkdir -p "$work/config"
cat >"$work/config/all.yaml" <<YAML
apiVersion: reconcile.dev/v1
kind: Settings
metadata: {name: settings}
registries: [{prefix: $registry, insecure: true}]
network: none
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: default, namespace: default}
secrets: [{name: registry}]
---
apiVersion: v1
kind: Secret
metadata: {name: registry, annotations: {kpack.io/docker: "$registry"}}
type: kubernetes.io/basic-auth
stringData: {username: $SERVER_USER, password: $SERVER_PASSWORD}
---
apiVersion: kpack.io/v1alpha2
kind: Builder
metadata: {name: extended}
spec: {image: "$registry/builders/extended"}
YAML
# app NAME FILE [LINE…]: an Image of an application with that Dockerfile.
app() {
	mkdir "$work/$1"
	printf '%s\n' "${@:3}" >"$work/$1/$2"
	printf -- '---\napiVersion: kpack.io/v1alpha2\nkind: Image\nmetadata: {name: %s}\nspec:\n  tag: %s/apps/%s\n' "$1" "$registry" "$1"
	printf '  builder: {kind: Builder, name: extended}\n  source: {local: {path: ../%s}}\n' "$1"
} >>"$work/config/all.yaml"
begin=('ARG base_image' 'FROM ${base_image}' 'ARG user_id' 'USER root')
app tool build.Dockerfile "${begin[@]}" 'RUN printf "#!/bin/sh\necho hello\n" >/usr/bin/tool && chmod +x /usr/bin/tool' 'USER ${user_id}'
app fixed run.Dockerfile "${begin[@]}" 'RUN cat /etc/motd >/etc/copy' 'USER ${user_id}'
app loose run.Dockerfile "${begin[@]}" 'RUN echo added >/etc/added' 'LABEL io.buildpacks.rebasable=true' 'USER ${user_id}'
app switched run.Dockerfile "FROM $registry/stacks/other"
cd "$work/config"
git init -q
git add -A
git commit -qm "what we want"

# The files of an image, one layer over the other, in $work/unpacked.
unpack() {
	local layer
	rm -rf "$work/pulled" "$work/unpacked"
	mkdir -p "$work/unpacked"
	skopeo copy -q --src-tls-verify=false --src-creds "$SERVER_USER:$SERVER_PASSWORD" "docker://$registry/apps/$1" "dir:$work/pulled"
	for layer in $(python3 -c 'import json, sys; print(*[one["digest"][7:] for one in json.load(open(sys.argv[1]))["layers"]])' "$work/pulled/manifest.json"); do
		tar -C "$work/unpacked" -xzf "$work/pulled/$layer" --no-same-owner 2>/dev/null
	done
}
holds() { # IMAGE FILE TEXT
	unpack "$1"
	[ "$(cat "$work/unpacked/$2")" = "$3" ] || { echo "$1: $2 is '$(cat "$work/unpacked/$2")'"; return 1; }
}
plan_is() { grep -E "^Image +$1 +$2 .* $3" <(sed 's/default\///' "$work/out") || { cat "$work/out"; return 1; }; }

check "all are built" expect_exit 0 "$reconcile" .
check "… with a tool in the builder image" holds tool layers/test_page/page/said hello
check "… which is not in the application" test ! -e "$work/unpacked/usr/bin/tool"
check "… with a file in the run image" holds fixed etc/copy "run one"
check "… on another run image" holds switched etc/motd "other one"
check "a second run has nothing to do" expect_exit 0 "$reconcile" --expect-no-changes .

make_stack "$images" run "run two" >/dev/null
push run stacks/run
check "a new run image" expect_exit 0 "$reconcile" --dry-run .
check "… is a rebase where there is no extension of it" plan_is tool "rebase #2" STACK
check "… and where the extension allows it" plan_is loose "rebase #2" STACK
check "… and a build where it does not" plan_is fixed "build #2" STACK
check "… and where it chose another" plan_is switched "build #2" STACK
check "they are made" expect_exit 0 "$reconcile" .
check "… with what the extension put there, on the new one" holds loose etc/added added
check "… which is the new one" test "$(cat "$work/unpacked/etc/motd")" = "run two"
check "… with the Dockerfile applied to it" holds fixed etc/copy "run two"
check "… or on the other one still" holds switched etc/motd "other one"
check "nothing more the next time" expect_exit 0 "$reconcile" --expect-no-changes .

make_stack "$images" other "other two" >/dev/null
push other stacks/other
check "the run image that an extension chose moved" expect_exit 0 "$reconcile" --dry-run .
check "… which is a build" plan_is switched "build #3" STACK
check "… and nothing else" says "1 build; "
check "it is made" expect_exit 0 "$reconcile" .
check "… on the new one" holds switched etc/motd "other two"
check "and nothing more the next time" expect_exit 0 "$reconcile" --expect-no-changes .
exit "$failed"
