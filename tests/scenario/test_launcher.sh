#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# test_launcher.sh BUILD — the launcher on small hand-made layers: what the parity suite's images do not show.
set -u
build=$1
kind=
grep -q '^SAN:STRING=.' "$build/CMakeCache.txt" && kind=-checked
launcher=$build/cnb-launcher$kind
top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT
n=0 bad=0

# launch NAME [VAR=VALUE...] -- ARGV0 [ARGS...]: starts it in a clean environment; output and code into $out and $code.
launch() {
	local vars=()
	while [ "$1" != -- ]; do vars+=("$1"); shift; done
	shift
	local self=$1
	shift
	out=$(env -i CNB_PLATFORM_API=0.14 CNB_LAYERS_DIR="$top/layers" CNB_APP_DIR="$top/app" \
		PATH=/cnb/process:/usr/bin:/bin "${vars[@]}" bash -c 'exec -a "$0" "$@"' "$self" "$launcher" "$@" 2>"$top/err")
	code=$?
}
is() {
	n=$((n + 1))
	if [ "$code" != "$2" ] || [ "$out" != "$3" ]; then
		printf 'FAILED %s\n  wanted %s: %s\n  got %s: %s\n' "$1" "$2" "$3" "$code" "$out"
		sed 's/^/  /' "$top/err"
		bad=1
	fi
}

mkdir -p "$top/app" "$top/layers/config" "$top/layers/a_old/l/exec.d/bad" "$top/layers/a_new"
cat >"$top/layers/config/metadata.toml" <<'TOML'
buildpack-default-process-type = "old"
[[buildpacks]]
  id = "a/old"
  version = "1"
  api = "0.8"
[[buildpacks]]
  id = "a/new"
  version = "1"
  api = "0.9"
[[processes]]
  type = "old"
  command = ["echo"]
  args = ["one"]
  direct = true
  buildpack-id = "a/old"
[[processes]]
  type = "new"
  command = ["echo"]
  args = ["one"]
  direct = true
  buildpack-id = "a/new"
[[processes]]
  type = "always"
  command = ["echo", "always"]
  args = ["one"]
  direct = true
  buildpack-id = "a/new"
[[processes]]
  type = "where"
  command = ["pwd"]
  direct = true
  buildpack-id = "a/new"
  working-dir = "/usr"
[[processes]]
  type = "gone"
  command = ["pwd"]
  direct = true
  buildpack-id = "a/new"
  working-dir = "/no/such/folder"
[[processes]]
  type = "tested"
  command = ["echo", "tested"]
  direct = true
  buildpack-id = "a/new"
  exec-env = ["test"]
[[processes]]
  type = "empty"
  command = []
  direct = true
  buildpack-id = "a/new"
[[processes]]
  type = "orphan"
  command = ["echo"]
  direct = true
  buildpack-id = "a/unknown"
[[processes]]
  type = "bad"
  command = ["echo", "never"]
  direct = true
  buildpack-id = "a/old"
[[processes]]
  type = "path"
  command = ["printenv", "PATH"]
  direct = true
  buildpack-id = "a/old"
TOML
printf '#!/bin/sh\nexit 3\n' >"$top/layers/a_old/l/exec.d/bad/fails"
chmod +x "$top/layers/a_old/l/exec.d/bad/fails"
printf '#!/bin/sh\necho mine\n' >"$top/app/mine"
chmod +x "$top/app/mine"
echo text >"$top/app/text"

launch -- /cnb/process/old;               is "arguments of the process" 0 "one"
launch -- /cnb/process/old two;           is "the user's are appended before Buildpack API 0.9" 0 "one two"
launch -- /cnb/process/new two;           is "the user's replace those of the process from 0.9 on" 0 "two"
launch -- always two;                     is "a command of several words keeps them" 0 "always two"
launch CNB_PLATFORM_API=0.9 -- new two;   is "the user's are appended before Platform API 0.10" 0 "one two"
launch -- where;                          is "working-dir" 0 "/usr"
launch -- gone;                           is "a working-dir that is not there" 82 "ERROR: failed to launch: change directory: chdir /no/such/folder: no such file or directory"
launch -- tested;                         is "exec-env counts from Platform API 0.15 on only" 0 "tested"
launch CNB_PLATFORM_API=0.15 -- tested;   is "another exec-env" 82 "ERROR: failed to launch: determine start command: process type tested was not found"
launch CNB_PLATFORM_API=0.15 CNB_EXEC_ENV=test -- tested; is "its own exec-env" 0 "tested"
launch -- empty;                          is "no command" 82 'ERROR: failed to launch: no command provided for process type "empty"'
launch -- orphan x;                       is "a process of no buildpack" 82 "ERROR: failed to launch: determine start command: failed to find buildpack for process orphan with buildpack ID a/unknown"
launch -- bad;                            is "an exec.d program that fails" 82 "ERROR: failed to launch: exec.d: failed to execute exec.d file at path '$top/layers/a_old/l/exec.d/bad/fails': exit status 3"
launch -- path;                           is "PATH without the launcher's folders" 0 "/usr/bin:/bin"
launch -- launcher -- ./mine;             is "a path is taken from the application's folder" 0 "mine"
launch PATH=.:/usr/bin -- launcher -- mine; is "a program found beside the application" 82 'ERROR: failed to launch: path lookup: exec: "mine": cannot run executable found relative to current directory'
launch -- launcher -- ./text;             is "a file that is no program" 82 'ERROR: failed to launch: path lookup: exec: "./text": permission denied'
launch -- launcher -- /no/such/file;      is "a file that is not there" 82 'ERROR: failed to launch: path lookup: exec: "/no/such/file": stat /no/such/file: no such file or directory'
launch -- launcher 'echo $((1 + 1))';     is "a script for the shell" 0 "2"
launch X='a b' -- launcher echo '$X' 'c d'; is "words evaluated by the shell" 0 "a b c d"
launch CNB_APP_DIR=/no/such/app -- old;   is "no application" 82 "ERROR: failed to launch: change to app directory: chdir /no/such/app: no such file or directory"
launch CNB_PLATFORM_API=9.9 -- old;       is "an unknown Platform API" 11 "ERROR: failed to set platform API: platform API version '9.9' is incompatible with the lifecycle"
launch CNB_LAYERS_DIR="$top/app" -- old;  is "no metadata.toml" 1 "ERROR: failed to read metadata: open $top/app/config/metadata.toml: no such file or directory"
sed -i 's/api = "0.9"/api = "0.99"/' "$top/layers/config/metadata.toml"
launch -- old;                            is "an unknown Buildpack API" 12 "ERROR: failed to set API for buildpack 'a/new': buildpack API version '0.99' is incompatible with the lifecycle"

# What images without any file need: no interpreter, no shared library.
for program in cnb-launcher cnb-guest; do
	n=$((n + 1))
	if readelf -l "$build/$program" | grep -q INTERP; then
		echo "FAILED $program is not static"
		bad=1
	fi
done
n=$((n + 1))
"$build/cnb-guest" detect >"$top/out" 2>&1
[ $? = 11 ] || { echo "FAILED the guest takes no Platform API"; bad=1; }
if [ "$(id -u)" = 0 ]; then
	n=$((n + 1))
	CNB_PLATFORM_API=0.14 "$build/cnb-guest" build >"$top/out" 2>&1
	[ $? = 1 ] && grep -q 'refusing to run as root' "$top/out" || { echo "FAILED the guest runs as root"; bad=1; }
fi
echo "$n checks"
exit $bad
