#!/usr/bin/env bash
# What a program inherits from whoever starts it, and CI systems, cron and wrappers start programs in odd ways: closed standard
# streams, streams that do not block, ignored and blocked signals, open files, a umask, no environment. A run builds and
# records in all of them, and nothing of it reaches a build.
set -euo pipefail
. "$(dirname "$0")/../lib/world.sh" "$1"
trap 'rm -rf "$work"' EXIT
build_world
add_image app
app_commit "$work/app" do 'ls -l /proc/self/fd >&2; grep -E "^Sig(Blk|Ign)" /proc/self/status; umask; env | cut -d= -f1 | sort | tr "\n" " "' "it tells what it inherited"
echo "a file that is not for builds" >"$work/private"

# as HOW COMMAND…: starts it like that; what it says is in $work/out and $work/err where it can be.
cat >"$work/as.py" <<'PY'
import fcntl, os, signal, sys
how, argv = sys.argv[1], sys.argv[2:]
everything = set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}
if how == "stdin closed": os.close(0)
if how == "stdout closed": os.close(1)
if how == "stderr closed": os.close(2)
if how == "all closed": os.closerange(0, 3)
if how == "children ignored": signal.signal(signal.SIGCHLD, signal.SIG_IGN)
if how == "signals ignored": [signal.signal(one, signal.SIG_IGN) for one in everything]
if how == "signals blocked": signal.pthread_sigmask(signal.SIG_BLOCK, everything)
if how == "umask 0777": os.umask(0o777)
if how == "umask 0": os.umask(0)
if how == "files open":
    for path in (os.environ["PRIVATE"], os.environ["PRIVATE"], "/"):
        os.set_inheritable(os.open(path, os.O_RDONLY), True)
if how == "streams do not block":
    for fd in (0, 1, 2):
        fcntl.fcntl(fd, fcntl.F_SETFL, fcntl.fcntl(fd, fcntl.F_GETFL) | os.O_NONBLOCK)
env = {} if how == "no environment" else os.environ
os.execve(argv[0], argv, {**env, "HOME": os.environ["HOME"], "XDG_CACHE_HOME": os.environ["XDG_CACHE_HOME"]})
PY
as() {
	local how=$1
	shift
	PRIVATE=$work/private python3 "$work/as.py" "$how" "$@"
}

check "the first run" expect_exit 0 "$reconcile" .
number=1
for how in "stdin closed" "stdout closed" "stderr closed" "all closed" "children ignored" "signals ignored" "signals blocked" \
	"umask 0777" "umask 0" "files open" "no environment" "streams do not block"; do
	note "$how"
	number=$((number + 1))
	app_commit "$work/app" index.txt "$how" "$how"
	want=0
	# Its report cannot be written, which is an error, though all is recorded.
	case $how in "stdout closed" | "all closed") want=1 ;; esac
	check "the run ends with $want" expect_exit $want as "$how" "$reconcile" .
	check "build $number is recorded" state_is "$number" buildCounter app
	check "as a success" state_is Succeeded lastAttempt.result app
	"$reconcile" build logs app -n shop -b "$number" >"$work/log" 2>&1 || true
	check "its log is whole" grep -q 'building in' "$work/log"
	check "its build was given three streams" bash -c "! grep -E ' ([4-9]|[1-9][0-9]) -> ' '$work/log'"
	check "no signal ignored or blocked" [ "$(grep -c 'Sig.*0000000000000000' "$work/log")" = 2 ]
	check "the usual umask" grep -qx '.*0022' "$work/log"
done
check "the state repository is sound" git fsck --strict --no-dangling
check "nothing was written into it that is none of its" bash -c "! grep -rl 'reconcile: ' .git/objects .git/refs"
check "nothing is left to do" expect_exit 0 "$reconcile" --expect-no-changes .

note "a long result, to a stream that does not block and is read late"
"$reconcile" schema >"$work/schema"
check "is whole" python3 - "$reconcile" "$work/schema" <<'PY'
import fcntl, os, subprocess, sys, time
end, out = os.pipe()
fcntl.fcntl(out, fcntl.F_SETFL, os.O_NONBLOCK)
run = subprocess.Popen([sys.argv[1], "schema"], stdout=out)
os.close(out)
time.sleep(0.3)
with os.fdopen(end, "rb") as file, open(sys.argv[2], "rb") as want:
    same = file.read() == want.read()
sys.exit(run.wait() or not same)
PY
note "manifests from a stream that does not block and comes late"
check "are waited for" python3 - "$reconcile" <<'PY'
import fcntl, os, subprocess, sys, time
end, put = os.pipe()
fcntl.fcntl(end, fcntl.F_SETFL, os.O_NONBLOCK)
run = subprocess.Popen([sys.argv[1], "validate", "-"], stdin=end)
os.close(end)
time.sleep(0.3)
with os.fdopen(put, "wb") as file:
    for name in ("builder", "app"):
        file.write(b"---\n" + open(name + ".yaml", "rb").read())
sys.exit(run.wait())
PY
exit $failed
