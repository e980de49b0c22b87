#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""faults.py: breaks a run at points that a trace of an undisturbed run found, runs again, and checks what is left. README.md
says what a point is, what worlds there are and what is checked."""
import argparse
import collections
import concurrent.futures
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

import world as worlds
from world import Violation, World

FAILURES = [  # error, group of calls, does it go on?
    ("ENOSPC", "space", True), ("ENOSPC", "space", False), ("EROFS", "change", True), ("EMFILE", "fd", False),
    ("EMFILE", "fd", True), ("EIO", "sync", False), ("EIO", "sync", True), ("EIO", "space", False), ("EDQUOT", "space", True),
    ("EINTR", "slow", False), ("EINTR", "slow", True), ("SHORT", "move", False), ("SHORT", "move", True),
]
SIGNALS = ["INT", "TERM", "HUP", "PIPE", "INT twice"]
CLOCKS = (-86400 * 400, 86400 * 400, -3600)
ROOM_BYTES = 2 << 30  # of memory, for worlds to be copied there

Point = collections.namedtuple("Point", "world kind at options")


class Prepared:
    """A world's template, and what an undisturbed run makes of it."""

    def __init__(self, harness, kind):
        self.args, self.name, self.kind = harness.args, kind, worlds.KINDS[kind]
        self.template = f"{harness.base}/{self.kind.prepared}"
        if not os.path.isdir(self.template):
            done = subprocess.run(["bash", worlds.HERE + "/prepare.sh", os.path.dirname(self.args.program), self.template,
                                   self.kind.prepared], check=False)
            if done.returncode:
                sys.exit(done.returncode)
        start = World(self.args, kind, self.template, self.template)
        self.before, self.images_before, self.manifests_before = start.heads(), start.images(), start.manifests()
        with World(self.args, kind, self.template, f"{harness.base}/whole-{kind}") as world:
            tracer = ["--trace", f"{self.args.trace}.{kind}"] if self.args.trace else []
            code, report = world.run("first", 3, tracer, self.kind.command)
            if self.kind.command != worlds.RUN:
                world.run("repeated", 3, None, self.kind.command)
            world.run("again", 4)
            if code or report["stayed"]:
                raise SystemExit(f"{kind}: the undisturbed run: exit {code}, {report}\n{world.text('first.err')}")
            self.steps, self.layers = report["steps"], world.layers()
            self.wanted, self.manifests = [world.images()], [world.manifests()]
            if self.kind.command != worlds.RUN:  # it may be broken off before it begins
                self.wanted.append(self.images_before)
                self.manifests.append(self.manifests_before)
            worlds.check_history(world, self.before)
            worlds.check_converged(world, self.wanted)
            world.stop_servers()
            worlds.check_pipelines(world)
            worlds.check_left(world)
        if not self.args.keep:
            shutil.rmtree(world.root)
        self.base = harness.base

    def count(self, options):
        with World(self.args, self.name, self.template, f"{self.base}/count-{self.name}") as world:
            _, report = world.run("first", 3, below(world, options), self.kind.command)
        shutil.rmtree(world.root)
        return report

    def points(self):
        """All points: each step killed in three ways, each call of a group failed, the clock moved at each look."""
        for who in ("run", "step", "all"):
            for at in range(1, self.steps + 1):
                yield Point(self.name, "kill " + who, at, ["--kill", who])
        for signal in SIGNALS:
            for at in range(2, self.steps + 1):  # the first is its own start: it can heed none yet
                yield Point(self.name, "signal " + signal, at, ["--kill", "run", "--signal", signal.split()[0]] +
                            (["--twice"] if "twice" in signal else []))
        report = self.count(["--count"])
        for error, group, goes_on in FAILURES:
            for at in range(1, report["of-" + group] + 1):
                yield Point(self.name, f"{error} {group}{' on' if goes_on else ''}", at,
                            ["--fail", error, "--of", group] + (["--on"] if goes_on else []))
        looks = self.count(["--jump", "1"])["looks"]
        for jump in CLOCKS:
            for at in range(1, looks + 1):
                yield Point(self.name, f"clock {jump:+} s", at, ["--jump", str(jump)])

    def check(self, world, point):
        code, report = world.run("first", 3, below(world, point.options + ["--at", str(point.at)]), self.kind.command)
        if code is None:
            raise Violation(f"no end after {worlds.LIMIT_S} s")
        if report["stayed"]:
            raise Violation(f"processes stay: {report['stayed']}")
        if not report["hit"]:
            return False
        wanted_ends = [9]
        if point.kind == "signal HUP":
            wanted_ends.append(1)
        elif self.kind.command != worlds.RUN:  # a run ends by itself, a short command at once
            wanted_ends += [2, 15]
        if "signal" in report and report["signal"] not in wanted_ends:
            raise Violation(f"died of signal {report['signal']}")
        if point.kind.startswith(("EINTR", "SHORT")) and code != 0:
            raise Violation(f"exit {code} for what is no failure")
        self.check_after(world)
        return True

    def check_after(self, world):
        """What must hold behind a broken run: of the world, of the next run, and of the one behind that."""
        try:
            pushed = world.images()
        except (OSError, ValueError) as error:
            raise Violation(f"a layout cannot be read after the run: {error}") from error
        if self.kind.command != worlds.RUN:
            world.run("repeated", 3, None, self.kind.command)  # what it left goes with the next that does the same
        code, report = world.run("again", 4, [])
        if code != 0 or report["stayed"]:
            raise Violation(f"the next run: exit {code}, {report}")
        between = world.heads()
        code, report = world.run("third", 5)
        if code != 0:
            raise Violation(f"the third run: exit {code}")
        if world.heads() != between:
            raise Violation("the third run made commits")
        world.stop_servers()
        worlds.check_history(world, self.before)
        worlds.check_converged(world, self.wanted)
        worlds.check_pipelines(world)
        worlds.check_adopted(world, self.images_before, pushed)
        worlds.check_manifests(world, self.manifests)
        worlds.check_caches(world, self.layers)
        worlds.check_left(world)


def below(world, options):
    return options + (["--below", world.root + "/"] if {"--of", "--count"} & set(options) else [])


class State:
    """Points that were tried, line by line in a file: an interrupted campaign goes on. Of another program they do not count."""

    def __init__(self, path, program):
        with open(program, "rb") as file:
            self.program = hashlib.sha256(file.read()).hexdigest()[:16]
        self.done, self.path = {}, path
        if path and os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                for line in file:
                    if line.endswith("\n"):
                        one = json.loads(line)
                        if one["program"] == self.program:
                            self.done[one["world"], one["kind"], one["at"]] = one["result"]

    def add(self, point, result, place):
        self.done[point.world, point.kind, point.at] = result
        if self.path:
            with open(self.path, "a", encoding="utf-8") as file:
                file.write(json.dumps({"program": self.program, "world": point.world, "kind": point.kind, "at": point.at,
                                       "result": result, "place": place}) + "\n")

    def __contains__(self, point):
        return self.done.get((point.world, point.kind, point.at), "violation") != "violation"


class Harness:
    def __init__(self, args):
        self.args = args
        # Worlds live in memory where there is room: nobody wants to wait for a disk's syncs.
        room = os.statvfs("/dev/shm") if os.path.isdir("/dev/shm") else None
        in_memory = "TMPDIR" not in os.environ and room and room.f_bavail * room.f_frsize > ROOM_BYTES
        self.base = tempfile.mkdtemp(prefix="reconcile-faults-", dir="/dev/shm" if in_memory else None)
        os.chmod(self.base, 0o755)
        self.lock = threading.Lock()
        self.counts, self.worlds, self.n_adopted = (collections.Counter() for _ in range(3))
        self.bad = []
        self.state = State(args.state, args.program)
        self.prepared = {}

    def prepare(self):
        for kind in worlds.KINDS:
            if re.fullmatch(self.args.world, kind):
                self.prepared[kind] = Prepared(self, kind)

    def try_point(self, number, point):
        root = f"{self.base}/{number}"
        place, n_adopted = "", 0
        try:
            with World(self.args, point.world, self.prepared[point.world].template, root) as world:
                try:
                    key = point.kind if self.prepared[point.world].check(world, point) else "not reached"
                finally:
                    place, n_adopted = world.place, world.n_adopted
            bad = None
        except (Violation, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            key, bad = "violation", f"{type(error).__name__}: {error}"
        with self.lock:
            self.counts[key] += 1
            self.worlds[point.world] += key != "not reached"
            self.n_adopted[point.world] += n_adopted
            self.state.add(point, key, place)
            if bad:
                self.bad.append((point, bad))
                print(f"not ok - {point.world}: {point.kind} at {point.at}: {place}\n    {bad}", flush=True)
                for name in ("first.err", "again.err") if self.args.verbose else ():
                    if os.path.exists(f"{root}/{name}"):
                        print("".join(f"    {name}: {line}\n" for line in worlds.read(f"{root}/{name}").splitlines()[-25:]),
                              end="", flush=True)
        if not (bad and self.args.keep):
            shutil.rmtree(root, ignore_errors=True)

    def choose(self, points):
        chosen = [one for one in points if not self.args.kind or re.search(self.args.kind, one.kind)]
        if self.args.at:
            return [one for one in chosen if one.at in self.args.at]
        chosen = [one for one in chosen if one not in self.state]
        if self.args.all:
            return chosen
        # By turns from each kind, and from each world within it, so that a small sample has some of all.
        by_kind = collections.defaultdict(list)
        for one in random.Random(self.args.seed).sample(chosen, len(chosen)):
            by_kind[one.kind].append(one)
        for name, kind in by_kind.items():
            seen, ranks = collections.Counter(), []
            for one in kind:
                seen[one.world] += 1
                ranks.append(-seen[one.world])
            by_kind[name] = [kind[i] for i in sorted(range(len(kind)), key=ranks.__getitem__)]
        kinds = list(by_kind.values())
        weights = [3 if one[0].kind == "kill run" else 1 for one in kinds]
        chosen = []
        while len(chosen) < self.args.sample and any(kinds):
            for weight, kind in zip(weights, kinds):
                chosen += [kind.pop() for _ in range(min(weight, len(kind)))]
        return chosen[:self.args.sample]

    def run(self):
        points = [one for prepared in self.prepared.values() for one in prepared.points()]
        chosen = self.choose(points)
        print(f"# {len(points)} points of {len(self.prepared)} worlds, {len(chosen)} chosen, {len(self.state.done)} done before, "
              f"seed {self.args.seed}", flush=True)
        end = time.monotonic() + self.args.seconds if self.args.seconds else None
        with concurrent.futures.ThreadPoolExecutor(self.args.jobs) as pool:
            for number, point in enumerate(chosen):
                pool.submit(lambda number=number, point=point:
                            None if end and time.monotonic() > end else self.try_point(number, point))
        for key, count in sorted(self.counts.items()):
            print(f"# {key}: {count}")
        for name, count in sorted(self.worlds.items()):
            print(f"# {name}: {count} points, {self.n_adopted[name]} pushed images adopted")
        hits = sum(count for key, count in self.counts.items() if key not in ("not reached", "violation")) + len(self.bad)
        print(f"{'not ok' if self.bad else 'ok'} - {hits} points, {len(self.bad)} violations")
        return 1 if self.bad or not hits else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("tracer")
    parser.add_argument("--world", default=".*", help="only worlds whose name is this expression")
    parser.add_argument("--all", action="store_true", help="every point")
    parser.add_argument("--sample", type=int, default=40, help="how many otherwise")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    parser.add_argument("--seconds", type=int, help="no new point after that time")
    parser.add_argument("--kind", help="only kinds of points that match this expression")
    parser.add_argument("--at", type=int, nargs="*", help="only these numbers")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--state", help="file that remembers which points were tried without a violation; they are not tried again")
    parser.add_argument("--trace", help="write the undisturbed runs' steps to that file and a world's name")
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


if __name__ == "__main__":
    sys.exit(main())
