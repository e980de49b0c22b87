#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds that misbehave, each as a buildpack, a source-to-image script, a RUN of a Dockerfile and a custom builder: they ignore
# signals, print for ever, bomb, eat memory, stop themselves, kill what they can. Each ends in a recorded failure that says why,
# in its time; the others of the same run are built, and nothing stays. Then machines without cgroups. MISBEHAVIOURS names those to try,
# or "all".
set -euo pipefail
. "$(dirname "$0")/../lib/world.sh" "$(cd "$1" && pwd)"
for need in crun buildah busybox; do command -v $need >/dev/null || skip "$need is missing"; done
trap 'rm -rf "$work" 2>/dev/null || buildah unshare rm -rf "$work"' EXIT
# For those that have to end late; others have time enough on a busy machine.
short_s=4 long_s=300
limits='{limits: {memory: 128Mi, pids: "100"}}'
# A time that nobody else on this machine sleeps.
nap=8$$
late="DeadlineExceeded: it took longer than its"
# What a build does → what its status says.
declare -A does=(
	[deaf]="trap : TERM INT HUP; while :; do sleep $nap; done" [chatty]="while :; do echo never ending; done"
	[line]="exec cat /dev/zero" [silent]="exec sleep $nap >/dev/null 2>&1" [stopped]="kill -STOP \$\$; sleep $nap"
	[bomb]="bomb() { while :; do bomb & sleep $nap & done; }; bomb" [hungry]="exec tail /dev/zero" [killer]="kill -9 -1; exit 3"
	[victim]="sleep $nap & kill -9 \$!; wait \$!; exit 4" [orphans]="for i in 1 2 3; do sleep $nap & done; exit 3"
)
declare -A says_of=(
	[deaf]=$late [chatty]=$late [line]=$late [silent]=$late [stopped]=$late [bomb]="$late|failed" [hungry]=OOMKilled [killer]=failed
	[victim]=failed [orphans]=failed
)
chosen=${MISBEHAVIOURS:-deaf}
[ "$chosen" != all ] || chosen=${!does[*]}
strategies=(pack s2i docker custom)

build_world
cat >"$work/buildpacks/page/bin/build" <<'SH'
#!/bin/sh
[ -z "$DO" ] || eval "$DO"
mkdir -p "$CNB_LAYERS_DIR/page"
printf '[types]\nlaunch = true\n' >"$CNB_LAYERS_DIR/page.toml"
SH
make_buildpackage "$work/registry/registry.local/buildpacks/page" "$work/buildpacks/page" test/page 1.0.0 >/dev/null
root=$work/root
mkdir -p "$root"/{bin,etc,tmp,opt/app}
cp "$(command -v busybox)" "$root/bin/busybox"
for applet in sh cat sleep tail; do ln -s busybox "$root/bin/$applet"; done
printf 'root:x:0:0::/root:/bin/sh\napp:x:1001:0::/opt/app:/bin/sh\n' >"$root/etc/passwd"
printf '#!/bin/sh\neval "$DO"\n' | tee "$root/assemble" >"$root/run"
chmod 755 "$root" "$root/assemble" "$root/run"
chmod 1777 "$root/opt/app" "$root/tmp"
"$oci_image" "$work/registry/registry.local/upstream/builder" latest "$root" --user 1001 --env PATH=/bin --entrypoint /assemble \
	--label io.openshift.s2i.scripts-url=image:/// >/dev/null
rm -rf "$root"
git init -q --bare "$work/app.git"
git clone -q "$work/app.git" "$work/app" 2>/dev/null
app_commit "$work/app" index.txt "a page" "first page"
{ printf 'apiVersion: reconcile.dev/v1\nkind: Settings\nmetadata: {name: settings}\nretries: 0\nbuilds: {custom: true}\n'; sed -n '/^registries:/,$p' reconcile.yaml; } >"$work/settings.yaml"
sed -i "s|layout: .*|layout: $work/registry|" "$work/settings.yaml"

# put NAME SCRIPT [LIMITS]: a build of every strategy that runs it.
put() {
	local limit_s=$long_s
	[[ ${says_of[$1]:-} != $late* ]] || limit_s=$short_s
	python3 - "$1" "$2" "$limit_s" "${3:-$limits}" <<'PY'
import json
import sys

name, script, limit_s, limits = sys.argv[1:]
env = "[{name: DO, value: " + json.dumps(script) + "}]"
dockerfile = "FROM registry.local/stacks/base:run\nUSER 0\nRUN " + json.dumps(["/bin/sh", "-c", script])
builder = 'from: {kind: DockerImage, name: "registry.local/upstream/builder:latest"}, env: ' + env
git = "{git: {uri: ../app.git, ref: main}}"
with open("all.yaml", "a", encoding="utf-8") as file:
    file.write(f"""---
apiVersion: kpack.io/v1alpha2
kind: Image
metadata: {{name: pack-{name}, namespace: shop}}
spec:
  tag: registry.local/apps/pack-{name}
  builder: {{kind: ClusterBuilder, name: default}}
  source: {{git: {{url: ../app.git, revision: main}}}}
  build: {{buildTimeout: {limit_s}, resources: {limits}, env: {env}}}
""")
    for kind, source, strategy in (("s2i", git, f"sourceStrategy: {{{builder}}}"), ("custom", git, f"customStrategy: {{{builder}}}"),
                                   ("docker", "{dockerfile: " + json.dumps(dockerfile) + "}", "dockerStrategy: {}")):
        to = f'output: {{to: {{kind: DockerImage, name: "registry.local/apps/{kind}-{name}:1"}}}}' if kind != "custom" else "output: {}"
        file.write(f"""---
apiVersion: build.openshift.io/v1
kind: BuildConfig
metadata: {{name: {kind}-{name}, namespace: shop}}
spec:
  completionDeadlineSeconds: {limit_s}
  resources: {limits}
  source: {source}
  strategy: {{{strategy}}}
  {to}
  triggers: [{{type: ConfigChange}}]
""")
PY
}
# said STRATEGY NAME: how its build ended, as it is recorded.
said() {
	if [ "$1" = pack ]; then
		state conditions.0.message "$1-$2"
		state lastAttempt.result "$1-$2"
	else
		git show "reconcile/state:shop/buildconfigs/$1-$2/builds/1.yaml"
	fi
}
says_why() { grep -qE "${says_of[$2]}" <<<"$(said "$1" "$2")" || { said "$1" "$2" | tail -n 45; return 1; }; }
# is_good STRATEGY [NAME]
is_good() { grep -qE "Succeeded|phase: Complete" <<<"$(said "$1" "${2:-good}")" || { said "$1" "${2:-good}" | tail -n 40; return 1; }; }
nothing_stays() {
	local try left
	for try in $(seq 50); do
		left=$(
			pgrep -af "[s]leep $nap" || true
			grep -F "$work" /proc/self/mounts || true
			ls -A "$work/cache/reconcile/tmp"
			for file in "$work"/cache/reconcile/docker/*/storage/*-containers/containers.json; do
				[ ! -e "$file" ] || [ "$(cat "$file")" = "[]" ] || echo "$file: $(cat "$file")"
			done
		)
		[ -n "$left" ] || return 0
		sleep 0.1
	done
	echo "after $try tries: $left"
	return 1
}

for name in $chosen; do put "$name" "${does[$name]}"; done
put good true
git add -A && git commit -qm builds
start=$(date +%s)
check "builds that misbehave fail" expect_exit 4 timeout 600 "$reconcile" --settings "$work/settings.yaml" -j 4 .
took=$(($(date +%s) - start))
check "in their time ($took s)" [ "$took" -lt $long_s ]
for name in $chosen; do
	for strategy in "${strategies[@]}"; do check "$strategy: $name" says_why "$strategy" "$name"; done
done
for strategy in "${strategies[@]}"; do check "$strategy: the one that behaves is built" is_good "$strategy"; done
check "nothing stays" nothing_stays
check "nothing is tried again by itself" expect_exit 0 timeout 600 "$reconcile" --settings "$work/settings.yaml" .

[ "$(id -u)" = 0 ] && unshare --mount umount -R /sys/fs/cgroup 2>/dev/null || exit $failed
# on NAME MOUNT: what needs no limits is built on such a machine, what names some is told that it cannot be limited; buildah
# leaves nothing where other programs look.
on() {
	local strategy
	put "free-$1" true "{}"
	put "held-$1" true
	says_of[held-$1]="cannot limit a (container|build)'s memory"
	expect_exit 4 timeout 600 unshare --mount sh -c "umount -R /sys/fs/cgroup && $2 && mkdir -p /var/lib/containers &&
		mount -t tmpfs none /var/lib/containers || exit 9
		\"\$@\" || code=\$?
		[ -z \"\$(find /var/lib/containers -type f)\" ] || exit 8
		exit \$code" sh \
		"$reconcile" --settings "$work/settings.yaml" -j 4 . || return 1
	for strategy in "${strategies[@]}"; do
		is_good "$strategy" "free-$1" && says_why "$strategy" "held-$1" || return 1
	done
}
git rm -q --cached all.yaml && rm all.yaml
check "on a machine without cgroups" on none true
v2="mount -t cgroup2 none /sys/fs/cgroup"
if [ -n "${MISBEHAVIOURS:-}" ] && unshare --mount sh -c "umount -R /sys/fs/cgroup && $v2 && ! grep -q memory /sys/fs/cgroup/cgroup.controllers"; then
	check "on one that has version 2 alone, without controllers" on v2 "$v2"
fi
check "nothing stays" nothing_stays
exit $failed
