#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""conditions.py: runs under bad conditions that are real: file systems that are full, out of inodes or read-only, few
descriptors, little memory, processes that are stopped or killed from outside, builds that misbehave. The next run, without
them, must make it good. README.md says what is checked."""
import argparse
import contextlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import faults
import world as worlds
from world import Violation, World

PLACES = {"cache": "cache", "registry": "registry", "repository": "config/.git", "temp": "temp"}
FREE_KIB = (0, 4, 16, 40, 80, 160, 320, 640, 1280, 2560)
FREE_INODES = (0, 1, 3, 10, 30, 60, 100, 200)
DESCRIPTORS = tuple(range(3, 36, 2)) + (40, 50, 64, 100)
MEMORY_MIB = (2, 4, 6, 8, 10, 12, 16, 24, 32)
MOMENTS_MS = (10, 30, 60, 100, 150, 200, 250, 300, 400, 500)
NAP_S = 1


def call(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


@contextlib.contextmanager
def moved_to(world, place, mount):
    """The place's content on a file system of its own, which mount(path, at) makes; back in the end."""
    path, other = f"{world.root}/{PLACES[place]}", world.root + "/other"
    os.makedirs(path, exist_ok=True)
    os.makedirs(other)
    mount(path, other)
    call("cp", "-a", path + "/.", other)
    call("mount", "--move", other, path)
    try:
        yield path
    finally:
        if os.path.exists(path + "/filler"):
            os.remove(path + "/filler")
        call("cp", "-a", path + "/.", other)
        call("umount", path)
        shutil.rmtree(path)
        os.rename(other, path)


@contextlib.contextmanager
def full(world, place, free_kib):
    def mount(path, at):
        # Of pages: small files take a whole one, folders none.
        pages = sum((os.lstat(os.path.join(folder, name)).st_size + 4095) // 4096 for folder, _, files in os.walk(path) for name in files)
        call("mount", "-t", "tmpfs", "-o", f"size={pages * 4 + max(free_kib, 4)}k", "none", at)
    with moved_to(world, place, mount) as path:
        if free_kib == 0:
            with contextlib.suppress(OSError), open(path + "/filler", "wb") as file:
                file.write(b"x" * 4096)
        yield []


@contextlib.contextmanager
def ext4(world, place, free_kib):
    image = world.root + "/disk"

    def mount(_, at):
        with open(image, "wb") as file:
            file.truncate(64 << 20)
        call("mkfs.ext4", "-q", "-m", "0", image)
        call("mount", "-o", "loop", image, at)
        os.rmdir(at + "/lost+found")
    with moved_to(world, place, mount) as path:
        with contextlib.suppress(OSError), open(path + "/filler", "wb", buffering=0) as file:
            while True:
                file.write(bytes(64 << 10))
        os.truncate(path + "/filler", max(0, os.path.getsize(path + "/filler") - (free_kib << 10)))
        yield []
    os.remove(image)


@contextlib.contextmanager
def no_inodes(world, place, free):
    def mount(path, at):
        count = sum(len(folders) + len(files) for _, folders, files in os.walk(path))
        call("mount", "-t", "tmpfs", "-o", f"nr_inodes={count + 2 + free}", "none", at)
    with moved_to(world, place, mount):
        yield []


@contextlib.contextmanager
def read_only(world, place, _):
    path = f"{world.root}/{PLACES[place]}"
    os.makedirs(path, exist_ok=True)
    call("mount", "--bind", path, path)
    call("mount", "-o", "remount,ro,bind", path)
    try:
        yield []
    finally:
        call("umount", path)


@contextlib.contextmanager
def limited(_, what, number):
    yield ["prlimit", f"--{what}={number}"]


@contextlib.contextmanager
def little_memory(_, __, mib):
    group = f"/sys/fs/cgroup/memory/reconcile-conditions-{os.getpid()}"
    if not os.path.isdir("/sys/fs/cgroup/memory"):
        raise NotImplementedError("no memory cgroup of version 1")
    os.mkdir(group)
    with open(group + "/memory.limit_in_bytes", "w", encoding="ascii") as file:
        file.write(str(mib << 20))
    try:
        yield ["sh", "-c", f'echo $$ >{group}/cgroup.procs && exec "$@"', "sh"]
    finally:
        worlds.patiently("a cgroup stays", lambda: remove_group(group))


def remove_group(group):
    with contextlib.suppress(OSError):
        os.rmdir(group)
    return [group] if os.path.isdir(group) else []


def processes(world, wants_worker):
    return [int(one.split()[0]) for one in worlds.processes_of(world.root)
            if ("/proc/self/exe worker" in one) == wants_worker and re.search(r"/reconcile --write|exe worker", one)]


@contextlib.contextmanager
def struck(world, how, after_ms):
    """A signal from outside, to the run or to its workers, at that moment; who was stopped goes on later."""
    who, name = how.split()
    number = getattr(signal, "SIG" + name)

    def strike():
        time.sleep(after_ms / 1000)
        hit = processes(world, who == "workers")
        for pid in hit:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        if name == "STOP":
            time.sleep(NAP_S)
            for pid in hit:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
    thread = threading.Thread(target=strike)
    thread.start()
    yield []
    thread.join()


MISBEHAVIOUR = {  # what a build does → what is said of it; nothing: it succeeds
    "trap '' TERM INT HUP; while :; do sleep 1; done": "DeadlineExceeded",
    "while :; do echo never ending; done": "DeadlineExceeded",
    "(trap '' TERM HUP; exec sleep 600) & exit 0": None,
    "cat /dev/zero >\"$CNB_LAYERS_DIR/zero\"": "BuildFailed|cannot|No space",
    "cat /dev/zero >/tmp/zero": "BuildFailed|OOMKilled|cannot|No space",
    "kill -9 -1; exit 1": "failed",
    "exec kill -9 $$": "failed",
}


@contextlib.contextmanager
def misbehaving(world, script, _):
    """The application's build does that, with 24 MiB of disk and 3 s of time; its next commit does not."""
    git = ["git", "-C", world.root + "/app", "-c", "user.name=a", "-c", "user.email=a@b"]
    place, text = world.root + "/app/do", worlds.read(world.config + "/app.yaml")

    def push(message):
        for command in (["add", "-A"], ["commit", "-qm", message], ["push", "-q", "../app.git", "HEAD:main"]):
            call(*git, *command)
    with open(place, "w", encoding="ascii") as file:
        file.write(script + "\n")
    with open(world.config + "/app.yaml", "w", encoding="ascii") as file:
        file.write(text.rstrip() + "\n  build: {buildTimeout: 3, resources: {limits: {memory: 128Mi}}}\n")
    push("it misbehaves")
    with full(world, "cache", 24 << 10) as condition:
        yield condition
    said, want = world.text("first.err"), MISBEHAVIOUR[script]
    if want and not re.search(want, said):
        raise Violation(f"nobody says '{want}': {said}")
    if not want and "error" in said:
        raise Violation(f"it did not succeed: {said}")
    os.remove(place)
    push("no longer")
    with open(world.config + "/app.yaml", "w", encoding="ascii") as file:
        file.write(text)


CONDITIONS = {  # name → what makes it, what it is about, how much of it
    "full": (full, PLACES, FREE_KIB),
    "full ext4": (ext4, PLACES, FREE_KIB),
    "inodes": (no_inodes, PLACES, FREE_INODES),
    "read-only": (read_only, PLACES, (0,)),
    "limit": (limited, ("nofile",), DESCRIPTORS),
    "file size": (limited, ("fsize",), (0, 100, 1000, 4096, 20000, 100000, 500000)),
    "address space": (limited, ("as",), (30 << 20, 60 << 20, 90 << 20, 150 << 20, 250 << 20)),
    "memory": (little_memory, ("all",), MEMORY_MIB),
    "from outside": (struck, ("run STOP", "workers STOP", "workers KILL", "run TERM", "run HUP", "run INT", "workers TERM"), MOMENTS_MS),
    "build": (misbehaving, MISBEHAVIOUR, (0,)),
}


class Tries:
    def __init__(self, args, base):
        self.args, self.base, self.counts, self.n_bad = args, base, {}, 0
        self.prepared = faults.Prepared(self, args.world)

    def try_one(self, name, what, amount):
        make, root = CONDITIONS[name][0], f"{self.base}/try"
        try:
            with World(self.args, self.args.world, self.prepared.template, root) as world:
                with make(world, what, amount) as before:
                    started = time.monotonic()
                    code, _ = world.run("first", 3, before=before)
                if code is None:
                    raise Violation(f"no end after {worlds.LIMIT_S} s")
                if name == "build" and time.monotonic() - started > 30:
                    raise Violation("it took more than 30 s")
                self.prepared.check_after(world)
            bad = None
        except (Violation, OSError, ValueError, KeyError, TypeError, AttributeError, subprocess.CalledProcessError) as error:
            bad = f"{type(error).__name__}: {error}"
        self.counts[name, bad is None] = self.counts.get((name, bad is None), 0) + 1
        if bad:
            self.n_bad += 1
            print(f"not ok - {name}, {what}, {amount}\n    {bad}", flush=True)
            for said in ("first.err", "again.err") if self.args.verbose else ():
                if os.path.exists(f"{root}/{said}"):
                    print("".join(f"    {said}: {line}\n" for line in worlds.read(f"{root}/{said}").splitlines()[-20:]), end="", flush=True)
        if bad and self.args.keep:
            os.rename(root, f"{self.base}/bad-{self.n_bad}")
        else:
            shutil.rmtree(root, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("tracer")
    parser.add_argument("--world", default="layouts", choices=worlds.KINDS)
    parser.add_argument("--only", default=".*", help="only conditions whose name, thing and amount are this expression")
    parser.add_argument("--sample", type=int, help="so many of them")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    parser.add_argument("--seconds", type=int, help="no new one after that time")
    parser.add_argument("--keep", action="store_true", help="keep the worlds of violations")
    parser.add_argument("--verbose", action="store_true", help="print what the runs of a violation said")
    args = parser.parse_args()
    args.program, args.tracer, args.trace, args.kind = os.path.abspath(args.program), os.path.abspath(args.tracer), None, None
    if os.geteuid() != 0:
        print("skipped: mounts need root")
        return 77
    chosen = [(name, what, amount) for name, (_, things, amounts) in CONDITIONS.items() for what in things for amount in amounts
              if re.fullmatch(args.only, f"{name} {what} {amount}")]
    random.Random(args.seed).shuffle(chosen)
    base = tempfile.mkdtemp(prefix="reconcile-conditions-")
    os.chmod(base, 0o755)
    try:
        tries = Tries(args, base)
        end = time.monotonic() + args.seconds if args.seconds else None
        for one in chosen[:args.sample]:
            if not end or time.monotonic() < end:
                tries.try_one(*one)
    finally:
        if not args.keep:
            shutil.rmtree(base, ignore_errors=True)
    for (name, is_good), count in sorted(tries.counts.items()):
        print(f"# {name}: {count} {'good' if is_good else 'bad'}")
    print(f"{'not ok' if tries.n_bad else 'ok'} - {sum(tries.counts.values())} conditions, {tries.n_bad} violations, seed {args.seed}")
    return 1 if tries.n_bad else 0


if __name__ == "__main__":
    sys.exit(main())
