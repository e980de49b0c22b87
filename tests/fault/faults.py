#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""faults.py: breaks a run at points that a trace of an undisturbed run found, runs again, and checks what is left. README.md
says what a point is and what is checked."""
import argparse
import collections
import concurrent.futures
import glob
import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
LIMIT_S = 120
LAYOUTS = {  # where the images are, and what makes them
    "builders/default": ("latest", "ClusterBuilder default"),
    "streams/shop/base": ("1", "Image shop/base"),
    "streams/shop/web": ("latest", "BuildConfig shop/web"),
    "apps/app": ("latest", "Image shop/app"),
}
FAILURES = [  # error, group of calls, does it go on?
    ("ENOSPC", "space", True), ("ENOSPC", "space", False), ("EROFS", "change", True), ("EMFILE", "fd", False),
    ("EMFILE", "fd", True), ("EIO", "sync", False), ("EIO", "sync", True), ("EIO", "space", False),
]
TEMPORARY = re.compile(r"\.tmp-|/tmp_|reconcile-ref-|/\.git/.*\.lock$|\.tmp$")
LOCKS = ("/config/.git/reconcile.lock",)  # files that are locked, and stay

Point = collections.namedtuple("Point", "kind at options")


class World:
    """One copy of the prepared world."""

    def __init__(self, args, template, root):
        self.args, self.root, self.config = args, root, root + "/config"
        self.place = ""  # where the fault was
        self.pids = set()  # of all processes of its runs
        if template:
            subprocess.run(["cp", "-a", template, root], check=True)
        os.makedirs(root + "/temp", exist_ok=True)
        self.env = {key: value for key, value in os.environ.items()
                    if key not in ("CI", "XDG_RUNTIME_DIR", "DOCKER_CONFIG")}
        self.env.update(HOME=root + "/home", XDG_CACHE_HOME=root + "/cache", TMPDIR=root + "/temp", GIT_CONFIG_NOSYSTEM="1",
                        GIT_TERMINAL_PROMPT="0")

    def run(self, name, hour, tracer=()):
        """One run at 2030-01-01, that hour. Returns its exit code and the tracer's report."""
        report = self.root + "/report"
        command = [self.args.program, "--write=commit", "--now", f"2030-01-01T{hour:02}:00:00Z", "."]
        if tracer is not None:
            command = [self.args.tracer, "--report", report, *tracer] + command
        with open(f"{self.root}/{name}.out", "wb") as out, open(f"{self.root}/{name}.err", "wb") as err:
            process = subprocess.Popen(command, cwd=self.config, env=self.env, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
            try:
                code = process.wait(LIMIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                return None, {}
        found = {"stayed": []}
        if tracer is not None:
            if code == 77:
                print(self.text(name + ".out"), end="")
                sys.exit(77)
            with open(report, encoding="utf-8", errors="replace") as file:
                for line in file:
                    key, _, value = line.strip().partition(" ")
                    if key == "stayed":
                        found["stayed"].append(value)
                    elif key == "pid":
                        self.pids.add(value)
                    elif key == "place":
                        self.place = value.replace(self.root, "")
                    else:
                        found[key] = int(value)
        return code, found

    def text(self, name):
        with open(f"{self.root}/{name}", encoding="utf-8", errors="replace") as file:
            return file.read()

    def git(self, *args):
        done = subprocess.run(["git", *args], cwd=self.config, env=self.env, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Violation(f"git {' '.join(args)}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def heads(self):
        return dict(reversed(line.split()) for line in
                    self.git("for-each-ref", "--format=%(objectname) %(refname)", "refs/heads").splitlines())

    def image(self, layout):
        """Digest, build key and diff ids of what a layout's tag is; nothing where there is none."""
        folder = f"{self.root}/registry/registry.local/{layout}"
        with open(folder + "/index.json", encoding="utf-8") as file:
            for entry in json.load(file)["manifests"]:
                if entry.get("annotations", {}).get("org.opencontainers.image.ref.name") == LAYOUTS[layout][0]:
                    break
            else:
                return None, None, None
        with open(f"{folder}/blobs/sha256/{entry['digest'][7:]}", encoding="utf-8") as file:
            manifest = json.load(file)
        with open(f"{folder}/blobs/sha256/{manifest['config']['digest'][7:]}", encoding="utf-8") as file:
            config = json.load(file)
        return entry["digest"], manifest.get("annotations", {}).get("reconcile.dev/build-key"), config["rootfs"]["diff_ids"]

    def images(self):
        return {layout: self.image(layout) for layout in LAYOUTS}

    def layers(self):
        """What each unpacked layer in the cache holds, as one hash."""
        found = {}
        for layer in glob.glob(self.root + "/cache/reconcile/store/layers/*"):
            state = hashlib.sha1()
            for folder, folders, files in os.walk(layer):
                folders.sort()
                for name in sorted(files) + [one for one in folders if os.path.islink(folder + "/" + one)] + [""]:
                    path = os.path.join(folder, name)
                    info = os.lstat(path)
                    state.update(f"{path[len(layer):]} {info.st_mode} {info.st_uid} {info.st_gid}\n".encode())
                    if os.path.islink(path):
                        state.update(os.readlink(path).encode())
                    elif os.path.isfile(path):
                        with open(path, "rb") as file:
                            state.update(hashlib.sha1(file.read()).digest())
            found[os.path.basename(layer)] = state.hexdigest()
        return found


class Violation(Exception):
    pass


def cgroups_of(pids):
    """Groups are called after the worker that made them; other runs on this machine have theirs."""
    folders = glob.glob("/sys/fs/cgroup/reconcile-*") + glob.glob("/sys/fs/cgroup/*/reconcile-*") + \
        glob.glob("/sys/fs/cgroup/*/*/reconcile-*")
    return [folder for folder in folders if os.path.basename(folder).split("-")[1] in pids]


def processes_of(root):
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                environ = file.read()
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                line = file.read()
        except OSError:
            continue
        if (root + "/").encode() in environ + line:
            found.append(pid + " " + line.replace(b"\0", b" ").decode(errors="replace"))
    return found


def patiently(what, look):
    """Other processes end in their own time: what is still there after five seconds stays."""
    for _ in range(50):
        found = look()
        if not found:
            return
        time.sleep(0.1)
    raise Violation(f"{what}: {sorted(found)[:5]}")


def check_history(world, before):
    """Nothing recorded is ever taken back: not a commit, not a number, not the result of a build."""
    world.git("fsck", "--strict", "--no-dangling")
    heads = world.heads()
    for name, old in before.items():
        if name not in heads:
            raise Violation(f"branch {name} is gone")
        if name in ("refs/heads/main", "refs/heads/reconcile/state"):  # the others are one commit, made anew
            world.git("merge-base", "--is-ancestor", old, heads[name])
        if name == "refs/heads/reconcile/logs":
            lost = set(world.git("ls-tree", "-r", old).splitlines()) - set(world.git("ls-tree", "-r", heads[name]).splitlines())
            if lost:
                raise Violation(f"logs are gone: {sorted(lost)}")
    counters, results = {}, {}
    for commit in world.git("rev-list", "--reverse", "refs/heads/reconcile/state").split():
        for line in world.git("grep", "-E", "^ *(buildCounter|lastVersion|phase|imageDigest|- number|result|image):", commit, "--",
                              "shop/images", "shop/buildconfigs").splitlines():
            _, path, text = line.split(":", 2)
            key, _, value = text.strip().lstrip("- ").partition(": ")
            if key in ("buildCounter", "lastVersion"):
                if int(value) < counters.get(path, 0):
                    raise Violation(f"{path}: {key} fell from {counters[path]} to {value}")
                counters[path] = int(value)
            if key == "imageDigest" and results.setdefault(path, value) != value:
                raise Violation(f"{path}: its image was {results[path]} and is {value}")
    for line in world.git("ls-tree", "-r", "--name-only", "reconcile/state").splitlines():
        if not re.search(r"/builds/|/images/|buildconfigs/", line):
            continue
        document = yaml.load(world.git("show", "reconcile/state:" + line), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        status = document.get("status", {})
        if "/builds/" in line and "buildconfigs" in line and status.get("phase") in (None, "New", "Pending", "Running"):
            raise Violation(f"{line}: phase {status.get('phase')}")
        numbers = [build["number"] for build in status.get("builds", [])] if line.startswith("shop/images/") else []
        if numbers != sorted(set(numbers)):
            raise Violation(f"{line}: builds {numbers}")
        if any(build["result"] == "Building" for build in status.get("builds", []) if isinstance(build, dict) and "result" in build):
            raise Violation(f"{line}: a build is said to run")


def check_converged(world, wanted):
    """The same images as an undisturbed run makes, recorded, tagged, and named by the workload."""
    images = world.images()
    for layout, (digest, _, diff_ids) in images.items():
        if diff_ids != wanted[layout][2]:
            raise Violation(f"{layout} has layers {diff_ids}, not {wanted[layout][2]}")
    deployment = world.git("show", "images:deployment.yaml")
    for stream in ("base", "web"):
        digest = images["streams/shop/" + stream][0]
        if f"shop/{stream}@{digest}" not in deployment:
            raise Violation(f"the workload does not name shop/{stream}@{digest}: {deployment}")
        status = yaml.safe_load(world.git("show", f"reconcile/state:shop/imagestreams/{stream}.yaml"))["status"]
        for tag in status["tags"]:
            if tag["items"][0]["image"] != digest:
                raise Violation(f"tag {stream}:{tag['tag']} is {tag['items'][0]['image']}, not {digest}")
    for kind, name, layout in (("images", "app", "apps/app"), ("images", "base", "streams/shop/base")):
        if images[layout][0] not in world.git("show", f"reconcile/state:shop/{kind}/{name}.yaml"):
            raise Violation(f"{kind}/{name} is not recorded as {images[layout][0]}")


def check_adopted(world, before, pushed):
    """What was pushed when the run ended was not built again."""
    after, said = world.images(), world.text("again.err")
    for layout, (digest, key, _) in pushed.items():
        if not key or key == before[layout][1] or after[layout][1] != key:
            continue
        subject = LAYOUTS[layout][1]
        if re.search(rf"^reconcile: {subject}: .* succeeded in ", said, re.MULTILINE) or after[layout][0] != digest:
            raise Violation(f"{subject} was built again, although {digest} was pushed for the same key")


def check_caches(world, layers):
    for path in glob.glob(world.root + "/cache/reconcile/store/blobs/sha256/*") + \
            glob.glob(world.root + "/registry/**/blobs/sha256/*", recursive=True):
        with open(path, "rb") as file:
            if hashlib.sha256(file.read()).hexdigest() != os.path.basename(path):
                raise Violation(f"{path[len(world.root):]} is not what its name says")
    for name, state in world.layers().items():
        if layers.get(name, state) != state:
            raise Violation(f"the unpacked layer {name} is not whole")


def check_left(world):
    left = []
    for folder, folders, files in os.walk(world.root):
        if folder.startswith((world.root + "/buildpacks", world.root + "/cache/reconcile/store/layers")):
            folders.clear()
            continue
        left += [one for one in (f"{folder}/{name}"[len(world.root):] for name in files + folders)
                 if TEMPORARY.search(one) and one not in LOCKS]
    for folder in ("cache/reconcile/tmp", "cache/reconcile/store/tmp", "temp"):
        left += [f"{folder}/{name}" for name in os.listdir(f"{world.root}/{folder}")] if os.path.isdir(f"{world.root}/{folder}") else []
    if left:
        raise Violation(f"temporary files stay: {left[:6]}")
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        mounts = [line.split()[4] for line in file if world.root + "/" in line]
    if mounts:
        raise Violation(f"mounts stay: {mounts}")
    patiently("processes stay", lambda: processes_of(world.root))
    patiently("cgroups stay", lambda: cgroups_of(world.pids))


class Harness:
    def __init__(self, args):
        self.args = args
        self.base = tempfile.mkdtemp(prefix="reconcile-faults-")
        os.chmod(self.base, 0o755)
        self.template = self.base + "/template"
        self.lock = threading.Lock()
        self.counts = collections.Counter()
        self.bad = []

    def prepare(self):
        done = subprocess.run(["bash", HERE + "/prepare.sh", os.path.dirname(self.args.program), self.template], check=False)
        if done.returncode:
            sys.exit(done.returncode)
        start = World(self.args, None, self.template)
        self.before, self.images_before = start.heads(), start.images()
        world = World(self.args, self.template, self.base + "/whole")
        code, report = world.run("first", 1, ["--trace", self.args.trace] if self.args.trace else ())
        world.run("again", 2)
        if code or report["stayed"]:
            raise SystemExit(f"the undisturbed run: exit {code}, {report}\n{world.text('first.err')}")
        self.steps, self.wanted, self.layers = report["steps"], world.images(), world.layers()
        check_history(world, self.before)
        check_converged(world, self.wanted)
        check_left(world)
        self.group_steps = {}
        for group in sorted({one[1] for one in FAILURES}):
            self.group_steps[group] = self.count(group, ["--fail", "EIO", "--of", group])
        self.looks = self.count("clock", ["--jump", "1"])
        if not self.args.keep:
            shutil.rmtree(world.root)

    def count(self, name, options):
        world = World(self.args, self.template, f"{self.base}/count-{name}")
        _, report = world.run("first", 1, self.below(world, options))
        shutil.rmtree(world.root)
        return report.get("looks", report["steps"])

    @staticmethod
    def below(world, options):
        return options + (["--below", world.root + "/"] if "--of" in options else [])

    def points(self):
        """All points: each step killed in three ways, each call of a group failed, the clock moved at each look."""
        for at in range(1, self.steps + 1):
            yield Point("kill run", at, ["--kill", "run"])
        for who in ("step", "all"):
            for at in range(1, self.steps + 1):
                yield Point("kill " + who, at, ["--kill", who])
        for error, group, goes_on in FAILURES:
            for at in range(1, self.group_steps[group] + 1):
                yield Point(f"{error} {group}{' on' if goes_on else ''}", at,
                            ["--fail", error, "--of", group] + (["--on"] if goes_on else []))
        for jump in (-86400 * 400, 86400 * 400, -3600):
            for at in range(1, self.looks + 1):
                yield Point(f"clock {jump:+} s", at, ["--jump", str(jump)])

    def check(self, world, point):
        code, report = world.run("first", 1, self.below(world, point.options + ["--at", str(point.at)]))
        if code is None:
            raise Violation(f"no end after {LIMIT_S} s")
        if report["stayed"]:
            raise Violation(f"processes stay: {report['stayed']}")
        if not report["hit"]:
            return False
        if "signal" in report and report["signal"] != 9:
            raise Violation(f"died of signal {report['signal']}")
        try:
            pushed = world.images()
        except (OSError, ValueError) as error:
            raise Violation(f"a layout cannot be read after the run: {error}") from error
        code, report = world.run("again", 2)
        if code != 0 or report["stayed"]:
            raise Violation(f"the next run: exit {code}, {report}")
        between = world.heads()
        code, report = world.run("third", 3, None)
        if code != 0:
            raise Violation(f"the third run: exit {code}")
        if world.heads() != between:
            raise Violation("the third run made commits")
        check_history(world, self.before)
        check_converged(world, self.wanted)
        check_adopted(world, self.images_before, pushed)
        check_caches(world, self.layers)
        check_left(world)
        return True

    def try_point(self, number, point):
        world = World(self.args, self.template, f"{self.base}/{number}")
        try:
            key = point.kind if self.check(world, point) else "not reached"
            bad = None
        except (Violation, OSError, ValueError, KeyError) as error:
            key, bad = "violation", f"{type(error).__name__}: {error}"
        with self.lock:
            self.counts[key] += 1
            if bad:
                self.bad.append((point, bad))
                print(f"not ok - {point.kind} at {point.at}: {world.place}\n    {bad}", flush=True)
                for name in ("first.err", "again.err") if self.args.verbose else ():
                    if os.path.exists(f"{world.root}/{name}"):
                        print("".join(f"    {name}: {line}\n" for line in world.text(name).splitlines()[-25:]), end="", flush=True)
        if not (bad and self.args.keep):
            shutil.rmtree(world.root, ignore_errors=True)

    def run(self):
        points = list(self.points())
        chosen = [one for one in points if not self.args.kind or re.search(self.args.kind, one.kind)]
        if self.args.at:
            chosen = [one for one in chosen if one.at in self.args.at]
        elif not self.args.all:
            # By turns from each kind, so that a small sample has some of all.
            by_kind = collections.defaultdict(list)
            for one in random.Random(self.args.seed).sample(chosen, len(chosen)):
                by_kind[one.kind].append(one)
            kinds = list(by_kind.values())
            weights = [3 if one[0].kind == "kill run" else 1 for one in kinds]
            chosen = []
            while len(chosen) < self.args.sample and any(kinds):
                for weight, kind in zip(weights, kinds):
                    chosen += [kind.pop() for _ in range(min(weight, len(kind)))]
            chosen = chosen[:self.args.sample]
        print(f"# {self.steps} steps, {len(points)} points, {len(chosen)} chosen, seed {self.args.seed}", flush=True)
        end = time.monotonic() + self.args.seconds if self.args.seconds else None
        with concurrent.futures.ThreadPoolExecutor(self.args.jobs) as pool:
            for number, point in enumerate(chosen):
                pool.submit(lambda number=number, point=point:
                            None if end and time.monotonic() > end else self.try_point(number, point))
        for key, count in sorted(self.counts.items()):
            print(f"# {key}: {count}")
        hits = sum(count for key, count in self.counts.items() if key not in ("not reached", "violation")) + len(self.bad)
        print(f"{'not ok' if self.bad else 'ok'} - {hits} points, {len(self.bad)} violations")
        return 1 if self.bad or not hits else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("tracer")
    parser.add_argument("--all", action="store_true", help="every point")
    parser.add_argument("--sample", type=int, default=40, help="how many otherwise")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    parser.add_argument("--seconds", type=int, help="no new point after that time")
    parser.add_argument("--kind", help="only kinds of points that match this expression")
    parser.add_argument("--at", type=int, nargs="*", help="only these numbers")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--trace", help="write the undisturbed run's steps to that file")
    parser.add_argument("--keep", action="store_true", help="keep the worlds of violations")
    parser.add_argument("--verbose", action="store_true", help="print what the runs of a violation said")
    args = parser.parse_args()
    args.program, args.tracer = os.path.abspath(args.program), os.path.abspath(args.tracer)
    harness = Harness(args)
    try:
        harness.prepare()
        return harness.run()
    finally:
        if args.keep:
            print(f"# worlds are in {harness.base}")
        else:
            shutil.rmtree(harness.base, ignore_errors=True)


sys.exit(main())
