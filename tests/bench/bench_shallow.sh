#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# bench_shallow.sh BUILD [--smoke] [--commits=N] [--files=N] [--rounds=N] — a commit of a repository with a long history, behind git
# http-backend on loopback: what a build takes to get its files, beside `git clone --depth 1`. The history is made by fast-import.
set -euo pipefail
build=$(cd "$1" && pwd)
cd "$(dirname "$0")/../.."
rounds=11 commits=100000 files=1000
for option in "${@:2}"; do
	case $option in
	--smoke) rounds=1 commits=100 files=10 ;;
	--rounds=*) rounds=${option#*=} ;;
	--commits=*) commits=${option#*=} ;;
	--files=*) files=${option#*=} ;;
	esac
done
. tests/bench/world.sh
bench_need git nginx fcgiwrap python3
work=$(mktemp -d "${TMPDIR:-/tmp}/reconcile-bench-XXXXXX")
trap 'git_servers_stop "$work/run"; rm -rf "$work"' EXIT
export HOME=$work GIT_CONFIG_NOSYSTEM=1
mkdir -p "$work/git"
git_repo_new "$work/git/app.git"
python3 - "$commits" "$files" <<'PYTHON' | git -C "$work/git/app.git" fast-import --quiet
import random, sys
commits, files = int(sys.argv[1]), int(sys.argv[2])
random.seed(1)
words = [("%x" % random.getrandbits(40)) for _ in range(4000)]
out = sys.stdout
def put(i, n):
    text = "".join(" ".join(random.choices(words, k=8)) + "\n" for _ in range(n))
    out.write("M 644 inline d%d/f%d.txt\ndata %d\n%s\n" % (i % 40, i, len(text), text))
for c in range(commits):
    message = "commit %d" % c
    out.write("commit refs/heads/main\ncommitter b <b@c> %d +0000\ndata %d\n%s\n" % (1600000000 + c, len(message), message))
    if c == 0:
        for i in range(files):
            put(i, 40)
    else:
        put(c % files, 3)
PYTHON
url=$(git_http_start "$work/git" "$work/run")
shallow=$build/bench/bench_shallow
# Files put back to their first length count as everywhere: both write the same folder.
"$shallow" "$url/app.git" main "$work/c" "$work/ours"
git clone -q --depth 1 "$url/app.git" "$work/theirs"
rm -rf "$work/theirs/.git"
diff -r "$work/ours" "$work/theirs" >/dev/null || { echo "not the same files as git's" >&2; exit 1; }
"$build/bench/bench_commands" --title="one commit of $commits, $files files" --rounds="$rounds" \
	"git clone --depth 1" "exec git clone -q --depth 1 $url/app.git $work/clone-\$\$" \
	"a source, empty cache" "exec $shallow $url/app.git main $work/cache-\$\$ $work/dest-\$\$" \
	"a source, commit in the cache" "exec $shallow $url/app.git main $work/c $work/again-\$\$"
echo "  goal: empty cache <= 1x git clone --depth 1"
