# SPDX-License-Identifier: Apache-2.0
# world.sh — N images over R git repositories whose only buildpack does nothing, everything in one folder: a registry of OCI
# layouts, bare repositories, manifests in a repository of their own, which also holds the state. Source it.

. tests/lib/git_servers.sh
. examples/manifests/quickstart/images.sh

bench_need() # PROGRAM…: 77 when one is missing
{
	local program
	for program in "$@"; do
		command -v "$program" >/dev/null || { echo "skipped: there is no $program here"; exit 77; }
	done
}

bench_buildpack() # FOLDER: always takes part, makes nothing
{
	mkdir -p "$1/bin"
	printf 'api = "0.10"\n\n[buildpack]\nid = "bench/nothing"\nversion = "1.0.0"\n\n[[targets]]\nos = "linux"\n' >"$1/buildpack.toml"
	printf '#!/bin/sh\nexit 0\n' >"$1/bin/detect"
	printf '#!/bin/sh\nexit 0\n' >"$1/bin/build"
	chmod 755 "$1/bin/detect" "$1/bin/build"
}

bench_repos() # FOLDER COUNT
{
	local i repo
	for ((i = 0; i < $2; i++)); do
		repo=$(printf '%s/git/repo-%02d.git' "$1" "$i")
		git_repo_new "$repo"
		bench_commit "$repo" "app $i"
	done
}

bench_commit() # REPO TEXT: a commit on main that holds one file
{
	local blob tree commit parent
	blob=$(git -C "$1" hash-object -w --stdin <<<"$2")
	tree=$(printf '100644 blob %s\tapp.txt\n' "$blob" | git -C "$1" mktree)
	parent=$(git -C "$1" rev-parse -q --verify refs/heads/main || true)
	commit=$(git -C "$1" commit-tree ${parent:+-p "$parent"} -m "$2" "$tree")
	git -C "$1" update-ref refs/heads/main "$commit"
}

bench_manifests() # FOLDER IMAGES REPOS GIT_URL
{
	local i ns
	sed -e 's/^  - image: .*httpd.*//' -e 's,buildpacks/site,buildpacks/nothing,' -e '/id: quickstart\/httpd/d' -e 's,quickstart/site,bench/nothing,' \
		examples/manifests/quickstart/manifests/builder.yaml >"$1/config/builder.yaml"
	cp examples/manifests/quickstart/manifests/reconcile.yaml "$1/config/"
	for ((i = 0; i < $2; i++)); do
		ns=$(printf 'team-%02d' $((i % 100)))
		mkdir -p "$1/config/$ns"
		printf 'apiVersion: kpack.io/v1alpha2\nkind: Image\nmetadata:\n  name: app-%04d\n  namespace: %s\n  labels:\n    team: %s\nspec:\n  tag: registry.local/%s/app-%04d\n  builder:\n    name: default\n    kind: ClusterBuilder\n  imageTaggingStrategy: None\n  source:\n    git:\n      url: %s/repo-%02d.git\n      revision: main\n  build:\n    env:\n    - name: BP_EXAMPLE\n      value: "%d"\n' \
			"$i" "$ns" "$ns" "$ns" "$i" "$4" $((i % $3)) "$i" >"$1/config/$ns/app-$(printf %04d "$i").yaml"
	done
}

bench_world() # FOLDER IMAGES REPOS GIT_URL
{
	oci_image=$PWD/ci/oci-image
	mkdir -p "$1/config" "$1/git"
	export XDG_CACHE_HOME=$1/cache HOME=$1 GIT_CONFIG_NOSYSTEM=1
	git config --global user.name Bench
	git config --global user.email bench@example.com
	git config --global init.defaultBranch main
	make_stack "$1/registry/registry.local/stacks/base" build bench >/dev/null
	make_stack "$1/registry/registry.local/stacks/base" run bench >/dev/null
	bench_buildpack "$1/nothing"
	make_buildpackage "$1/registry/registry.local/buildpacks/nothing" "$1/nothing" bench/nothing 1.0.0 >/dev/null
	bench_repos "$1" "$3"
	bench_manifests "$@"
	git -C "$1/config" init -q
	git -C "$1/config" add -A
	git -C "$1/config" commit -qm "what we want"
}
