#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# test_guest.sh BUILD — cnb-guest against buildpacks that behave badly, in folders of its own.
set -u
build=$1
kind=
grep -q '^SAN:STRING=.' "$build/CMakeCache.txt" && kind=-checked
top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT
as=()
if [ "$(id -u)" = 0 ]; then
	if ! command -v setpriv >/dev/null; then
		echo "skipped: needs setpriv to become another user"
		exit 77
	fi
	as=(setpriv --reuid 65534 --regid 65534 --clear-groups)
	chmod 0755 "$top"
fi
# The build folder may be closed to others.
install -m 0755 "$build/cnb-guest$kind" "$top/guest"
n=0 bad=0

# buildpack ID DETECT [BUILD] [MORE-TOML]
buildpack() {
	local dir=$top/cnb/$1/1
	mkdir -p "$dir/bin"
	printf 'api = "0.10"\n[buildpack]\nid = "%s"\nversion = "1"\n%s' "$1" "${4-}" >"$dir/buildpack.toml"
	[ -z "$2" ] || printf '#!/bin/sh\n%s\n' "$2" >"$dir/bin/detect"
	[ -z "${3-}" ] || printf '#!/bin/sh\n%s\n' "$3" >"$dir/bin/build"
	chmod -R a+rX "$dir"
	chmod a+x "$dir"/bin/* 2>/dev/null
}
# order GROUP...: each a list of ids, '?' behind optional ones
order() {
	local group id
	for group; do
		printf '[[order]]\n'
		for id in $group; do
			printf '[[order.group]]\nid = "%s"\nversion = "1"\noptional = %s\n' "${id%\?}" \
				"$([ "$id" != "${id%\?}" ] && echo true || echo false)"
		done
	done >"$top/order.toml"
}
guest() {
	"${as[@]}" timeout 60 env -i PATH=/usr/bin:/bin HOME="$top" TMPDIR="$top/tmp" CNB_PLATFORM_API=0.14 "$top/guest" "$1" \
		-app "$top/app" -layers "$top/layers" -platform "$top/platform" -buildpacks="$top/cnb" --order "$top/order.toml" \
		-build-config "$top/config" "${@:2}" >"$top/out" 2>&1
	code=$?
}
fresh() {
	rm -rf "$top/layers" "$top/app" "$top/tmp"
	mkdir -p -m 0777 "$top/layers" "$top/app" "$top/tmp"
	chmod 0777 "$top/layers" "$top/app" "$top/tmp"
}
is() {
	n=$((n + 1))
	if [ "$code" != "$2" ] || { [ -n "${3-}" ] && ! grep -qF -- "$3" "$top/out"; }; then
		printf 'FAILED %s: exit code %s instead of %s, or no "%s" in:\n' "$1" "$code" "$2" "${3-}"
		head -c 2000 "$top/out" | sed 's/^/  /'
		bad=1
	fi
}
holds() {
	n=$((n + 1))
	if ! grep -qF -- "$3" "$2" 2>/dev/null; then
		printf 'FAILED %s: no "%s" in %s\n' "$1" "$3" "$2"
		bad=1
	fi
}

fresh
buildpack quick 'exit 0' 'exit 0'
buildpack leaves 'sleep 50 & exit 0' 'exit 0'
order "leaves quick"
start=$SECONDS
guest detect
is "a program left in the background" 0 "quick  1"
n=$((n + 1))
[ $((SECONDS - start)) -lt 20 ] || { echo "FAILED detection waited for a program in the background"; bad=1; }
n=$((n + 1))
[ -z "$(ls "$top/tmp")" ] || { echo "FAILED temporary folders stay: $(ls "$top/tmp")"; bad=1; }

fresh
buildpack chatty 'yes | head -c 20000000; exit 100'
order "chatty? quick"
guest detect
is "20 MB of output of an optional buildpack" 0 "1 of 2 buildpacks participating"

fresh
order "chatty"
guest detect
is "no group passes" 20 "No buildpack groups passed detection."
n=$((n + 1))
[ "$(wc -c <"$top/out")" -lt 2000000 ] || { echo "FAILED all of the output was kept"; bad=1; }

fresh
buildpack dies 'kill -9 $$'
buildpack noexec ''
buildpack nul 'printf "[[provides]]\nname = \"a\\\\u0000b\"\n" >"$2"'
buildpack huge 'head -c 3000000 /dev/zero | tr "\\0" "#" >"$2"'
for id in dies noexec nul huge; do
	order "$id"
	guest detect
	is "a detect that breaks: $id" 21 "err:  $id@1"
done

fresh
buildpack again '' '' '[[order]]
[[order.group]]
id = "quick"
version = "1"
[[order.group]]
id = "again"
version = "1"
'
order "again"
guest detect
is "a composite inside itself" 22 "nested more than 32 deep"

fresh
order "absent"
guest detect
is "a buildpack that is not there" 1 "absent"
order "../quick"
guest detect
is "an id that leads elsewhere" 1
guest detect -nonsense x
is "an unknown option" 3 "unknown option '-nonsense'"
guest detect -app
is "an option without value" 3

fresh
buildpack full 'exit 0' 'mkdir -p "$1/l/bin" "$1/l/env" "$1/none"
printf "[types]\nbuild = true\n" >"$1/l.toml"
: >"$1/none.toml"
printf value >"$1/l/env/FROM_FULL"
printf "[[processes]]\ntype = \"web\"\ncommand = [\"x\"]\ndefault = true\n" >"$1/launch.toml"'
buildpack reads 'exit 0' 'echo "saw $FROM_FULL in $PATH"; test -d "$(dirname "$1")/full/none.ignore"'
order "full reads"
guest detect
is "two that pass" 0 "full  1"
guest build
is "a build layer of the first reaches the second" 0 "saw value in $top/layers/full/l/bin:"
holds "the process is in metadata.toml" "$top/layers/config/metadata.toml" 'buildpack-default-process-type = "web"'
holds "an empty old bill of materials" "$top/layers/sbom/launch/sbom.legacy.json" null

fresh
buildpack fails 'exit 0' 'exit 9'
order "fails"
guest detect
guest build
is "a build that fails" 51 "exit status 9"
buildpack fails 'exit 0' 'kill -9 $$'
guest build
is "a build that is killed" 51 "signal: Killed (9)"
buildpack fails 'exit 0' 'ln -s /etc/passwd "$1/x.toml"'
guest build
is "a layer's metadata that is something else" 52 "x.toml"
echo "$n checks"
exit $bad
