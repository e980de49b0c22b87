#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""net.py: disturbs the network of a run at points that an undisturbed run found, runs again, and checks what is left.
README.md says what a point is and what is checked."""
import argparse
import collections
import concurrent.futures
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

sys.dont_write_bytecode = True
import kinds  # noqa: E402
import world as worlds  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
INSIDE = ["unshare", "--net", "--mount", "--propagation", "private"]
Point = collections.namedtuple("Point", "key n kind always")


def sort_of(key):
    """What requests have in common that differ in digests, tags and repositories only."""
    key = re.sub(r"sha256(:|%3A)[0-9a-f]{64}", "DIGEST", key)
    key = re.sub(r"(%2F|/)(app|base|blob)\b(?!\.tar)", r"\1APP", key)
    key = re.sub(r"/manifests/(?!DIGEST)[^ ]+", "/manifests/TAG", key)
    return re.sub(r"^(\w+ )\d+ ", r"\1", key)


class Harness:
    def __init__(self, args):
        self.args = args
        self.base = tempfile.mkdtemp(prefix="reconcile-net-")
        os.chmod(self.base, 0o755)
        self.template = self.base + "/template"
        self.lock = threading.Lock()
        self.counts = collections.Counter()
        self.exits = collections.Counter()
        self.bad, self.longest, self.met = [], (0, ""), set()

    def inside(self, root, spec):
        command = INSIDE + [sys.executable, os.path.abspath(__file__), self.args.program, "--way", self.args.way,
                            "--root", root, "--spec", json.dumps(spec)]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        try:
            return json.loads(done.stdout)
        except ValueError:
            return {"violation": f"the harness failed: {done.stdout[-1000:]} {done.stderr[-3000:]}"}

    def copy(self, name):
        root = f"{self.base}/{name}"
        subprocess.run(["cp", "-a", self.template, root], check=True)
        return root

    def prepare(self):
        os.mkdir(self.template)
        os.chmod(self.template, 0o755)
        found = self.inside(self.template, {"do": "prepare"})
        if "violation" not in found:
            found = self.inside(self.copy("whole"), {"do": "whole"})
        if "violation" in found:
            raise SystemExit(found["violation"])
        with open(self.template + "/wanted", "w", encoding="utf-8") as file:
            json.dump(found, file)
        self.found = found
        print(f"# an undisturbed run: {found['took_s']:.1f} s, {len(found['keys'])} requests and connections")

    def points(self):
        chosen = [kind for name, kind in kinds.KINDS.items() if (not self.args.kind or name in self.args.kind)
                  and (self.args.slow or not kind.slow or self.args.kind)]
        made = []
        for kind in chosen:
            if kind.bytes:
                generator = random.Random(self.args.seed)
                made += [Point(key, generator.randrange(total), kind.name, False)
                         for key, total in sorted(self.found["bytes"].items()) for _ in range(self.args.offsets) if total]
                continue
            keys = [tuple(one) for one in self.found["keys"] if kind.when(one[0]) and (kind.connect is None) == (not one[0].endswith("CONNECT"))
                    and not (kind.surround and one[1] > 1)]
            made += [Point(key, n, kind.name, False) for key, n in keys]
            if kind.is_often and not self.args.once:
                made += [Point(key, n, kind.name, True) for key, n in keys if n == 1]
        if self.args.at:
            made = [point for point in made if self.args.at in point.key]
        if self.args.n:
            made = [point for point in made if point.n == self.args.n]
        return made

    def one(self, number, point, must_be_met):
        name = f"{point.kind}{' from there on' if point.always else ''} at {point.key} #{point.n}"
        root = self.copy(f"point-{number}")
        spec = dict(point._asdict(), do="disturb")
        found = self.inside(root, spec)
        # Later ones of a request may not come: workers take turns as they like.
        if must_be_met and point.n == 1 and not found.get("hits"):
            found.setdefault("violation", "the run did not make that request")
        with self.lock:
            self.met |= {("kind", point.kind, point.always), ("sort", sort_of(point.key))} if found.get("hits") else set()
            self.counts["points"] += 1
            self.counts["injected"] += 1 if found.get("hits") else 0
            self.exits[found.get("code", "?")] += 1
            self.longest = max(self.longest, (found.get("took_s", 0), name))
            if "violation" in found:
                self.bad.append(name)
                print(f"VIOLATION {name}\n    {found['violation']}", flush=True)
                if self.args.keep:
                    print(f"    in {root}", flush=True)
            elif self.args.verbose:
                print(f"ok {name}: exit {found['code']}, {found['took_s']} s{'' if found['hits'] else ', not met'}", flush=True)
        if not (self.args.keep and "violation" in found):
            shutil.rmtree(root, ignore_errors=True)

    def covering(self, points):
        """The same points, first those that bring a fault or a sort of request that none before them brought."""
        met, first, rest = set(), [], []
        for is_both in (True, False):
            rest = []
            for point in points:
                new = {(point.kind, point.always), sort_of(point.key)} - met
                if len(new) == 2 or (new and not is_both):
                    met |= new
                    first.append(point)
                else:
                    rest.append(point)
            points = rest
        return first + rest, len(first)

    def picked(self, points):
        """The points that --pick names: KIND:TEXT#N is the first of that kind at an N-th request with the text."""
        found = []
        for pick in self.args.pick:
            name, _, text = pick.partition(":")
            text, _, n = text.partition("#")
            found += [point for point in points if point.kind == name and text in point.key and point.n == int(n or 1)][:1] or [None]
        if None in found:
            raise SystemExit(f"no point is {self.args.pick[found.index(None)]}")
        return found

    def in_time(self, end, number, point, is_picked):
        if is_picked or not end or time.monotonic() < end:
            self.one(number, point, is_picked)

    def run(self):
        points = self.points()
        total, picked = len(points), self.picked(points)
        random.Random(self.args.seed).shuffle(points)
        if self.args.cover:
            points, covering = self.covering(points)
            print(f"# {covering} points cover all faults and sorts of requests")
        if not self.args.all:
            points = picked + points[:self.args.sample]
        print(f"# {len(points)} of {total} points, seed {self.args.seed}", flush=True)
        end = time.monotonic() + self.args.seconds if self.args.seconds else None
        with concurrent.futures.ThreadPoolExecutor(self.args.jobs) as pool:
            jobs = [pool.submit(self.in_time, end, n, point, n < len(picked)) for n, point in enumerate(points)]
            for job in jobs:
                job.result()
        met = collections.Counter(one[0] for one in self.met)
        exits = ", ".join(f"{n} × exit {code}" for code, n in sorted(self.exits.items(), key=str))
        print(f"# {self.counts['points']} points, {self.counts['injected']} faults injected ({met['kind']} kinds, {met['sort']} sorts of "
              f"requests), {exits}; "
              f"longest run {self.longest[0]} s ({self.longest[1]}); {len(self.bad)} violations")
        return 1 if self.bad else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("--sample", type=int, default=100)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--cover", action="store_true", help="begin with every kind of fault and every sort of request once")
    parser.add_argument("--slow", action="store_true", help="also servers that keep still: half a minute each at least")
    parser.add_argument("--once", action="store_true", help="no faults that go on")
    parser.add_argument("--seed", type=int, default=int(time.time()) % 100000)
    parser.add_argument("--seconds", type=int, help="begin no point after that time")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--kind", action="append", help="only this kind of fault; may be repeated")
    parser.add_argument("--pick", action="append", default=[], metavar="KIND:TEXT[#N]",
                        help="also the first point of this kind at a request with this text in its name; may be repeated")
    parser.add_argument("--at", help="only requests whose name has this in it")
    parser.add_argument("--n", type=int, help="only the n-th of them")
    parser.add_argument("--way", choices=tuple(worlds.STATES), default="http",
                        help="of the state and a source: http, https, git's own protocol, ssh")
    parser.add_argument("--offsets", type=int, default=6, help="points per kind in each stream of bytes")
    parser.add_argument("--list", action="store_true", help="print the points")
    parser.add_argument("--keep", action="store_true", help="keep the worlds with violations")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--root", help=argparse.SUPPRESS)
    parser.add_argument("--spec", help=argparse.SUPPRESS)
    args = parser.parse_args()
    args.program = os.path.abspath(args.program)
    if args.spec:
        worlds.main(args, args.root, json.loads(args.spec))
        return 0
    if subprocess.run(INSIDE + ["true"], capture_output=True, check=False).returncode:
        print("skipped: there can be no network and mounts of our own here")
        return 77
    harness = Harness(args)
    try:
        harness.prepare()
        if args.list:
            for point in harness.points():
                print(f"{point.kind}{' from there on' if point.always else ''} at {point.key} #{point.n}")
            return 0
        return harness.run()
    finally:
        if args.keep:
            print(f"# worlds are in {harness.base}")
        else:
            shutil.rmtree(harness.base, ignore_errors=True)


sys.exit(main())
