#!/usr/bin/env bash
# The command line around the main job: an offline dry run asks nobody, mistakes are all listed with their places, what looks
# at state, formats that programs read, completion and man page, settings by trust, where state and its login go.
set -euo pipefail
. "$(dirname "$0")/../lib/world.sh" "$1"
cleanup() { git_servers_stop "$work/git" 2>/dev/null || true; rm -rf "$work"; }
trap cleanup EXIT
build_world
for name in a b; do add_image "$name"; done
check "the first run" expect_exit 0 "$reconcile" .
json() { python3 -c "import json,sys; value=json.load(open('$work/out')); assert ($1), value"; }
yaml() { python3 -c "import yaml,sys; value=yaml.safe_load(open('$work/out')); assert ($1), value"; }

note "an offline dry run"
app_commit "$work/a" index.txt "changed" "changed"
if command -v strace >/dev/null; then
	# The leak checker cannot work where strace already traces.
	check "runs" expect_exit 0 env ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0" \
		strace -f -o "$work/trace" "$reconcile" --dry-run=offline .
	check "connects to nobody" bash -c "! grep -E 'connect\(|socket\(AF_INET' '$work/trace'"
	check "starts no program" [ "$(grep -c 'execve(' "$work/trace")" = 1 ]
	check "writes no file" bash -c "! grep -E 'O_WRONLY|O_RDWR|O_CREAT|mkdir|rename|unlink|[^d]link' '$work/trace' | grep -v '/dev/null\|readlink'"
else
	note "no strace here: the trace is left out"
fi
check "offline, nothing is known to have changed" expect_exit 0 "$reconcile" --dry-run=offline --expect-no-changes .
check "a lookup sees the commit" expect_exit 2 "$reconcile" --dry-run --detailed-exitcode .
check "and changes nothing" state_is 1 buildCounter a
sed -i 's|^spec:|spec:\n  additionalTags: ["registry.local/apps/b:more"]|' b.yaml
check "offline sees what manifests say" expect_exit 2 "$reconcile" --dry-run=offline --detailed-exitcode .
check "the run" expect_exit 0 "$reconcile" .

note "formats"
check "a plan in JSON" expect_exit 0 "$reconcile" --dry-run -o json --trigger shop/a .
check "… is one document" json 'value["formatVersion"] == 1 and value["steps"][0]["object"] == "Image/shop/a" and value["steps"][0]["changes"][0]["reason"] == "TRIGGER"'
check "a plan in YAML" expect_exit 0 "$reconcile" --dry-run -o yaml --trigger shop/a .
check "… is the same" yaml 'value["formatVersion"] == 1 and value["summary"]["build"] == 1'
check "a format that a command has not" expect_exit 64 "$reconcile" --dry-run -o dot .
check "is named with those it has" says "takes -o text|json|yaml, not 'dot'"
for command in "image list" "clusterbuilder list" "stack list" "store list"; do
	check "$command -o json" expect_exit 0 "$reconcile" $command -A -o json
	check "… is a List" json 'value["kind"] == "List" and value["items"][0]["metadata"]["name"]'
done
check "image status -o yaml" expect_exit 0 "$reconcile" image status a -n shop -o yaml
check "… is the recorded file" yaml 'value["status"]["lastAttempt"]["result"] == "Succeeded"'
check "build status -o json" expect_exit 0 "$reconcile" build status a -n shop -b 1 -o json
check "… names the manifests' commit or none" json 'value["kind"] == "Build" and value["status"]["run"]["id"]'
check "a builder that is not there" expect_exit 1 "$reconcile" clusterbuilder status defualt
check "has a suggestion" says 'did you mean "default"?'

note "why and graph"
app_commit "$work/a" index.txt "again" "again"
check "why" expect_exit 0 "$reconcile" why shop/a
check "tells of the last attempt" grep -q 'Last attempt' "$work/out"
check "and of what it is made of" grep -q '    ClusterStack base: as recorded' "$work/out"
check "why in JSON" expect_exit 0 "$reconcile" why shop/a -o json
check "… has last and steps" json 'value["last"]["number"] == 2 and [s["object"] for s in value["steps"]][:2] == ["Image/shop/a", "ClusterBuilder/default"]'
check "why of another folder" expect_exit 0 bash -c "cd / && '$reconcile' why shop/a '$work/config' --state '$work/config'"
check "why of nothing" expect_exit 64 "$reconcile" why shop/none
check "graph as text" expect_exit 0 "$reconcile" graph .
check "… shows edges" grep -q '└─ ClusterBuilder default' "$work/out"
check "graph -o dot" expect_exit 0 "$reconcile" graph -o dot .
check "… has edges" grep -q '"ClusterBuilder/default" -> "Image/shop/a"' "$work/out"
if command -v dot >/dev/null; then check "… is read by dot" dot -Tsvg -o "$work/graph.svg" "$work/out"; fi
check "graph -o mermaid" expect_exit 0 "$reconcile" graph -o mermaid .
check "… has nodes and edges" bash -c "grep -q '^graph LR' '$work/out' && grep -Eq '^  n[0-9]+ --> n[0-9]+$' '$work/out'"
check "graph -o json" expect_exit 0 "$reconcile" graph -o json .
check "… lists objects" json 'len(value["objects"]) == 5'

note "mistakes"
mkdir "$work/bad"
printf 'apiVersion: kpack.io/v1alpha2\nkind: Image\nmetadata:\n  name: x\nspec:\n  tag: registry.local/x\n  bulid: {}\n  builder: {kind: ClusterBuilder, name: gone}\n  source: {git: {url: https://example.com/x.git, revision: main}}\n' >"$work/bad/b.yaml"
printf 'apiVersion: kpack.io/v1alpha2\nkind: ClusterStore\nmetadata: {name: s}\nspec: {}\n---\na: [\n' >"$work/bad/a.yaml"
check "exit 3" expect_exit 3 "$reconcile" validate "$work/bad"
cp "$work/err" "$work/mistakes"
check "every file's" bash -c "grep -Eq 'bad/a.yaml:[0-9]+:[0-9]+: error: ' '$work/mistakes' && grep -Eq 'bad/b.yaml:[0-9]+:[0-9]+: error: ' '$work/mistakes'"
check "with a suggestion" grep -Fq "bad/b.yaml:7:3: warning: unknown field 'bulid'" "$work/mistakes"
check "the line and a caret" bash -c "grep -A2 'bulid' '$work/mistakes' | grep -q '   7 |   bulid: {}' && grep -A2 \"unknown field 'bulid'\" '$work/mistakes' | grep -q '|   ^~~~~'"
check "the reference that leads nowhere" grep -q "b.yaml:8:.*gone" "$work/mistakes"
check "in order of file and line" bash -c "grep -Eo '^[^ ]*bad/[ab].yaml:[0-9]+' '$work/mistakes' | sort -t: -k1,1 -k2,2n -c"
check "the main job too" expect_exit 3 "$reconcile" --dry-run "$work/bad"
check "from standard input" expect_exit 3 bash -c "'$reconcile' validate - <'$work/bad/a.yaml'"
check "with a name for it" says '<stdin>:'
check "no such folder" expect_exit 3 "$reconcile" validate "$work/none"
# Builds that a cluster made load and are left alone: a run says so.
mkdir -p "$work/configs"
for name in a b; do
	printf 'apiVersion: build.openshift.io/v1\nkind: Build\nmetadata: {name: %s}\nspec: {source: {dockerfile: FROM a}, strategy: {dockerStrategy: {}}}\nstatus: {phase: Complete}\n' "$name" >"$work/configs/$name.yaml"
done
check "builds are named" bash -c "'$reconcile' validate '$work/configs' 2>&1 | grep -q '2 builds were made by a cluster and left alone'"
check "good ones are counted" expect_exit 0 "$reconcile" validate .
check "… in words" says 'objects in 4 files are valid'
check "a wrong option" expect_exit 64 "$reconcile" --dryrun
check "a wrong time" expect_exit 64 "$reconcile" --now yesterday .
check "no state" expect_exit 5 "$reconcile" --dry-run --state "$work/nowhere.git" .

note "words for shells and readers"
for shell in bash zsh fish; do check "completion $shell" expect_exit 0 "$reconcile" completion $shell; done
check "bash" expect_exit 0 "$reconcile" completion bash
check "… reads its own" bash -n "$work/out"
check "… completes" bash -c ". '$work/out'; COMP_WORDS=(reconcile image ''); COMP_CWORD=2; _reconcile; [[ \${COMPREPLY[*]} == *list*status* ]]"
check "man" expect_exit 0 "$reconcile" man
if command -v groff >/dev/null; then check "… without warnings" bash -c "[ -z \"\$(groff -man -ww -z '$work/out' 2>&1)\" ]"; fi
check "help of every command" bash -c "
	for words in '' validate schema graph why 'image list' 'image status' 'build list' 'build status' 'build logs' 'builder list' 'stack list' 'store status'; do
		'$reconcile' \$words --help | grep -q '^Usage: reconcile' || exit 1
	done"

note "where state is, and who is told the password"
git_servers_need nginx fcgiwrap htpasswd python3 || exit $failed
mkdir -p "$work/repos"
git_repo_new "$work/repos/state.git"
url=$(git_http_start "$work/repos" "$work/git")
mkdir -p "$work/pr/sub"
cp -r "$work/config/"*.yaml "$work/pr/"
sed -i 's|\.\./\([ab]\)\.git|'"$work"'/\1.git|' "$work/pr/"*.yaml
git -C "$work/pr" init -q
sed "s|^registries|state: {repository: $url/state.git}\nregistries|" reconcile.yaml >"$work/pr/reconcile.yaml"
cd "$work"
check "a run with state on a server" expect_exit 0 "$reconcile" pr
check "it went there" git -C "$work/repos/state.git" cat-file -e reconcile/state:shop/images/a.yaml
check "nothing to do" expect_exit 0 "$reconcile" --expect-no-changes pr
git_servers_stop "$work/git"
check "without the server" expect_exit 5 "$reconcile" --dry-run pr
check "offline it is read from its mirror" expect_exit 0 "$reconcile" --dry-run=offline --expect-no-changes pr
check "a machine without a mirror says so" expect_exit 5 "$reconcile" --dry-run=offline --cache-dir "$work/empty" pr
check "… in words" says 'was never read on this machine'
check "… and made no folder" [ ! -e "$work/empty" ]
python3 - "$work" <<'PYTHON' &
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        with open(sys.argv[1] + "/asked", "a") as log:
            log.write(f"{self.path} {self.headers.get('Authorization')}\n")
        self.send_response(401)
        self.send_header("WWW-Authenticate", "Basic realm=x")
        self.end_headers()
    def log_message(self, *arguments):
        pass
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
open(sys.argv[1] + "/port", "w").write(str(server.server_port))
server.serve_forever()
PYTHON
spy=$!
for _ in $(seq 100); do [ -s "$work/port" ] && break; sleep 0.05; done
sed -i "s|repository: .*}|repository: http://127.0.0.1:$(cat "$work/port")/evil.git}|" pr/reconcile.yaml
export RECONCILE_GIT_TOKEN=sesame-open-please
check "state that a pull request moved elsewhere" expect_exit 5 "$reconcile" --dry-run pr
check "was asked for" grep -q '/evil.git' "$work/asked"
check "without our login" bash -c "! grep -q 'Basic' '$work/asked'"
check "named on the command line it gets it" expect_exit 5 "$reconcile" --dry-run --state "http://127.0.0.1:$(cat "$work/port")/mine.git" pr
check "… indeed" grep -q '/mine.git.*Basic' "$work/asked"
check "and no output shows it" bash -c "! grep -r sesame-open '$work/out' '$work/err'"
kill $spy
exit $failed
