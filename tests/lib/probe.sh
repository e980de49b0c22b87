# SPDX-License-Identifier: Apache-2.0
# probe.sh — a buildpack that says which files it was given, and a world built on it. Source it after world.sh.
# shellcheck shell=bash

# make_probe FOLDER: its build prints "PROBE path=content" (and mode, when it may be executed) for every file of the app.
make_probe() {
	mkdir -p "$1/bin"
	cat >"$1/buildpack.toml" <<-'TOML'
		api = "0.10"

		[buildpack]
		id = "test/probe"
		version = "1.0.0"
		name = "Probe"

		[[targets]]
		os = "linux"
	TOML
	printf '#!/bin/sh\nexit 0\n' >"$1/bin/detect"
	cat >"$1/bin/build" <<-'SH'
		#!/bin/sh
		walk() {
			for f in "$1"*; do
				if [ -L "$f" ]; then echo "PROBE $f -> link"
				elif [ -d "$f" ]; then walk "$f/"
				elif [ -f "$f" ]; then echo "PROBE $f=$(head -n 1 "$f")$([ -x "$f" ] && echo ' (x)')"
				fi
			done
		}
		walk ""
		sed 's/^/METADATA /' "$CNB_PLATFORM_DIR/../project-metadata.toml" 2>/dev/null || true
	SH
	chmod 755 "$1/bin/detect" "$1/bin/build"
}

# probe_world: stack, probe and builder in layouts; $work/config as the folder of manifests, in a repository.
probe_world() {
	make_stack "$work/registry/registry.local/stacks/base" build one >/dev/null
	make_stack "$work/registry/registry.local/stacks/base" run one >/dev/null
	make_probe "$work/probe"
	make_buildpackage "$work/registry/registry.local/buildpacks/probe" "$work/probe" test/probe 1.0.0 >/dev/null
	mkdir -p "$work/config"
	sed -e '/buildpacks\/httpd/d; s|buildpacks/site|buildpacks/probe|; /quickstart\/httpd/d; s|quickstart/site|test/probe|' \
		"$example/manifests/builder.yaml" >"$work/config/builder.yaml"
	cp "$example/manifests/reconcile.yaml" "$work/config/reconcile.yaml"
	git -C "$work/config" init -q
}

# probe_image NAME SOURCE [MORE]: a manifest; SOURCE is YAML in one line, MORE a further field of the spec.
probe_image() {
	cat >"$work/config/image-$1.yaml" <<-YAML
		apiVersion: kpack.io/v1alpha2
		kind: Image
		metadata: {name: $1, namespace: default}
		spec:
		  tag: registry.local/apps/$1
		  builder: {name: default, kind: ClusterBuilder}
		  source: $2
		  ${3:-}
	YAML
}

# gave NAME LINE…: the last build of the image was given these files, in these words.
gave() {
	local name=$1 line
	shift
	"$reconcile" build logs "$name" >"$work/log" 2>&1 || { cat "$work/log"; return 1; }
	for line in "$@"; do
		grep -qF -- "PROBE $line" "$work/log" || { echo "no '$line' in:"; cat "$work/log"; return 1; }
	done
}
# builds NAME N: that many builds are recorded.
builds() {
	local n
	n=$(git show "reconcile/state:default/images/$1.yaml" | sed -n 's/^  buildCounter: //p')
	[ "$n" = "$2" ] || { echo "$1 has $n builds, not $2"; return 1; }
}
