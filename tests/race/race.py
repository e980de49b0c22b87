#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""race.py: many runs at once on one state branch, round after round, over http, ssh and local paths, with a real registry; some
are killed, some are on older commits. Then the whole history of the branch is checked. README.md says what is checked."""
import argparse
import collections
import http.server
import json
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
import urllib.request

import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
LIMIT_S = 300
SETTLING_RUNS = 12
LEASE_S = 120  # prepare.sh; an overloaded machine may need half of it for one commit
CANCEL_TRIES = 12  # until there is a build to cancel
COMMAND = "reconcile"  # author of what has no --author
STATE = "refs/heads/reconcile/state"
RECORD = re.compile(r"shop/(images|buildconfigs)/([^/]+)/builds/(\d+)\.yaml$")
STATUS = re.compile(r"(shop|cluster)/([^/]+)/([^/]+)\.yaml$")
SAID = re.compile(r"^reconcile: (?:\w+: )?(Image|BuildConfig) shop/(\S+): (?:build|rebase) #(\d+) (succeeded|was found|failed)",
                  re.MULTILINE)
OVER = {"Succeeded", "Failed", "Interrupted", "Complete", "Error", "Cancelled"}
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Violation(Exception):
    """What must not be."""


def check(is_true, text):
    if not is_true:
        raise Violation(text)


class Listener(http.server.ThreadingHTTPServer):
    """Builds tell it that they really run: (object, mark of the manifest, text of the source, builder) → times."""
    daemon_threads = True

    def __init__(self):
        self.told = collections.Counter()
        self.lock = threading.Lock()
        listener = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                with listener.lock:
                    listener.told[tuple(self.path[1:].split("/"))] += 1
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.address = f"127.0.0.1:{self.server_address[1]}"


class Git:
    """A repository, and one process that hands out its objects."""

    def __init__(self, path, env):
        self.path, self.env = path, env

    def __call__(self, *args, text=None):
        done = subprocess.run(["git", *args], cwd=self.path, env=self.env, capture_output=True, text=True, check=False, input=text)
        if done.returncode:
            raise Violation(f"git {' '.join(args)}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout.strip()

    def blobs(self, ids):
        done = subprocess.run(["git", "cat-file", "--batch"], cwd=self.path, env=self.env, capture_output=True, check=True,
                              input="".join(one + "\n" for one in ids).encode()).stdout
        found, at = {}, 0
        for one in ids:
            end = done.index(b"\n", at)
            size = int(done[at:end].split()[2])
            found[one] = done[end + 1:end + 1 + size]
            at = end + 2 + size
        return found


Job = collections.namedtuple("Job", "number slot commit options delay kill is_dry command target is_refused",
                             defaults=("run", None, False))
# What a command may end with, beside what every run may. cancel: the build had ended, or there is none yet. tag, import: there
# is no such image yet.
REFUSING_HOOK = """#!/bin/sh
[ "$1" = refs/heads/reconcile/state ] || exit 0
name=$(git log -1 --format=%an "$3")
case $name in *-refused) ;; *) exit 0 ;; esac
echo x >>"$(dirname "$0")/$name"
[ "$(wc -l <"$(dirname "$0")/$name")" -le 1 ] || { echo "closed to $name" >&2; exit 1; }
"""
CODES = {"run": (0, 4), "push": (0, 4), "start": (0, 4), "cancel": (0, 1), "prune": (0,), "tag": (0, 1, 4), "import": (0, 1, 4)}


class Run:
    """One process."""

    def __init__(self, job, label, folder):
        self.job, self.label, self.folder = job, label, folder
        self.code, self.was_killed, self.was_pushed = None, False, False  # the last: by `state push`

    def text(self, name):
        with open(f"{self.folder}/{name}", encoding="utf-8", errors="replace") as file:
            return file.read()


class History:
    """What the state branch has said so far; every commit is looked at once, in order."""

    def __init__(self, git, order):
        self.git, self.order = git, order  # order: commit of the manifests → its number
        self.tip = None
        self.counters, self.sources, self.records = {}, {}, {}
        self.claims = {}  # (object, number) → who claimed it
        self.cancelled = set()  # the same: ended by `build cancel`
        self.keys = collections.defaultdict(set)  # (object, build key) → numbers of builds that ended by themselves
        self.commits = 0

    def advance(self):
        tips = self.git("for-each-ref", "--format=%(objectname)", STATE).split()
        if not tips:
            return
        if self.tip:
            check(self.git("merge-base", self.tip, tips[0]) == self.tip, "the branch is not what it was and more")
        spread = f"{self.tip}..{tips[0]}" if self.tip else tips[0]
        for commit in self.git("rev-list", "--reverse", "--topo-order", spread).split():
            self.look(commit)
        self.tip = tips[0]

    def look(self, commit):
        self.commits += 1
        text = self.git("show", "-s", "--format=%an%x00%P%x00%B", commit)
        author, parents, message = text.split("\0", 2)
        check(len(parents.split()) <= 1, f"{commit} has several parents")
        source = re.search(r"^Reconcile-Source-Commit: (\w+)$", message, re.MULTILINE)
        # Commands that are about what is recorded have no manifests; they have no author of their own either.
        index = self.order.get(source[1]) if source and author != COMMAND else None
        check(index is not None or author == COMMAND, f"{commit} of {author} names no commit of the manifests")
        changed = self.git("diff-tree", "-r", "--root", "--no-commit-id", commit).splitlines()
        rows = [(line.split("\t")[1], line.split()[3], line.split()[4]) for line in changed]
        blobs = self.git.blobs([blob for _, blob, what in rows if what != "D"])
        made = set()  # objects for which it claims a build, or ends one
        for path, blob, what in sorted(rows, key=lambda row: -len(row[0])):  # records first
            if what == "D":
                self.gone(path)
                continue
            if RECORD.match(path):
                self.record(commit, author, path, yaml.load(blobs[blob], LOADER), made)
            elif STATUS.match(path) and "/images/sha256" not in path:
                self.object(commit, author, index, path, yaml.load(blobs[blob], LOADER), made)

    def gone(self, path):
        if STATUS.match(path):
            for known in (self.counters, self.sources):
                known.pop(path, None)
            for one in [one for one in self.records if one.startswith(path[:-len(".yaml")] + "/")]:
                del self.records[one]

    def record(self, commit, author, path, document, made):
        status = document["status"]
        run = status.get("run", {}).get("id")
        said = [one["type"] for one in status.get("conditions", []) if one["status"] == "True"]
        result = status.get("phase") or (said or ["New"])[-1]
        if status.get("reason") == "BuildPodDeleted":
            result = "Interrupted"
        image = status.get("latestImage") or status.get("output", {}).get("to", {}).get("imageDigest")
        old = self.records.get(path)
        if old and old["result"] in OVER:
            check(old["result"] == result and old["image"] == image,
                  f"{commit}: {path} had ended as {old['result']} {old['image']}, now it is {result} {image} by {author}")
        if old and old["run"] and run:
            check(old["run"] == run, f"{commit}: {path} is of run {old['run']}, and now of {run}: a number used twice")
        owner = path[:path.index("/builds/")] + ".yaml"
        one = RECORD.match(path)[2], int(RECORD.match(path)[3])
        is_asked_for = any(one.get("message") == "Manually triggered" for one in document["spec"].get("triggeredBy", []))
        if result == "Cancelled":
            self.cancelled.add(one)
        if result in OVER - {"Interrupted", "Cancelled"} and status.get("buildKey") and not is_asked_for:
            self.keys[one[0], status["buildKey"]].add(one[1])
        if run and not (old and old["run"]):
            self.claims[one] = author
            made.add((owner, True))
        elif result in OVER and run:
            made.add((owner, False))
        if author == COMMAND and old:  # a mark on another's build
            author = old["author"]
        self.records[path] = {"run": run or (old or {}).get("run"), "result": result, "image": image, "author": author}

    def object(self, commit, author, index, path, document, made):
        status = document.get("status") or {}
        counter = status.get("buildCounter", status.get("lastVersion"))
        if counter is not None:
            check(counter >= self.counters.get(path, 0), f"{commit}: {path}: the counter fell to {counter}")
            self.counters[path] = counter
        before = self.sources.get(path, -1)
        named = document["metadata"].get("annotations", {}).get("reconcile.dev/manifest-commit")
        check(named in self.order, f"{commit}: {path} does not say of which manifests it is")
        check(self.order[named] >= before, f"{commit}: {path} was of manifests {before}, now it is of {self.order[named]}")
        # Only the end of a build that was begun before may come late.
        check(index is None or index >= before or (path, False) in made,
              f"{commit}: {path} was made by manifests {before}, then by {index} of {author}")
        self.sources[path] = self.order[named]


class Harness:
    def __init__(self, args):
        self.args = args
        self.base = tempfile.mkdtemp(prefix="reconcile-race-")
        os.chmod(self.base, 0o755)
        self.root = self.base + "/world"
        self.random = random.Random(args.seed)
        self.listener = Listener()
        self.counts = collections.Counter()
        self.marks = collections.Counter()
        self.texts = collections.Counter()
        self.failing = set()
        self.commits, self.order = [], {}
        self.killed = set()
        self.lock = threading.Lock()  # of the branch of the manifests
        self.bad = 0
        self.stream = 0
        self.digests = 0

    # ---- the world ----

    def prepare(self):
        self.servers = subprocess.Popen(
            ["bash", HERE + "/prepare.sh", os.path.dirname(self.args.program), self.root, self.listener.address,
             str(self.args.images), str(self.args.configs)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self.servers.stdout.readline()
        if line.strip() != "ready":
            print(line, end="")
            sys.exit(self.servers.wait())
        with open(self.root + "/world.env", encoding="utf-8") as file:
            self.place = dict(line.strip().split("=", 1) for line in file)
        self.env = {key: value for key, value in os.environ.items()
                    if not key.startswith("RECONCILE_") and key not in ("CI", "XDG_RUNTIME_DIR", "DOCKER_CONFIG")}
        ssh = f"{self.root}/ssh"
        self.env.update(HOME=self.root + "/home", GIT_CONFIG_NOSYSTEM="1", GIT_TERMINAL_PROMPT="0", TMPDIR=self.root,
                        GIT_SSH_COMMAND=f"ssh -i {ssh}/id -o UserKnownHostsFile={ssh}/known_hosts")
        self.config = Git(self.root + "/config", self.env)
        self.bare = Git(self.root + "/repos/config.git", self.env)
        self.objects = [f"app{i}" for i in range(self.args.images)] + [f"web{i}" for i in range(self.args.configs)]
        self.note_commit()
        self.install_hook()
        self.history = History(self.bare, self.order)
        for slot in range(self.args.runs):
            url = {"http": self.place["http"], "ssh": self.place["ssh"], "path": self.root + "/repos"}[self.transport(slot)]
            subprocess.run(["git", "clone", "-q", f"{url}/config.git", f"{self.root}/clone-{slot}"], env=self.env, check=True)

    def install_hook(self):
        """The server takes one push of whoever is named so, its claims, and no other; such a run does not try long."""
        hook = self.root + "/repos/config.git/hooks/update"
        with open(hook, "w", encoding="utf-8") as file:
            file.write(REFUSING_HOOK)
        os.chmod(hook, 0o755)
        with open(self.root + "/config/reconcile.yaml", encoding="utf-8") as file:
            text = file.read()
        with open(self.root + "/impatient.yaml", "w", encoding="utf-8") as file:
            file.write(re.sub(r"pushRetries: \d+", "pushRetries: 2", text))

    def transport(self, slot):
        return self.args.transport if self.args.transport != "mixed" else ("http", "ssh", "path")[slot % 3]

    def note_commit(self):
        commit = self.config("rev-parse", "HEAD")
        self.order[commit] = len(self.commits)
        self.commits.append(commit)

    # ---- what changes between rounds ----

    def edit(self, name, before, after):
        path = f"{self.root}/config/{name}.yaml"
        with open(path, encoding="utf-8") as file:
            text = file.read()
        check(re.search(before, text), f"no {before} in {name}")
        with open(path, "w", encoding="utf-8") as file:
            file.write(re.sub(before, after, text))

    def change_mark(self, name):
        self.marks[name] += 1
        self.edit(name, r'name: MARK, value: "\d+"', f'name: MARK, value: "{self.marks[name]}"')

    def change_source(self, name):
        folder = f"{self.root}/sources/{name}"
        self.texts[name] += 1
        with open(folder + "/index.txt", "w", encoding="utf-8") as file:
            file.write(f"{self.texts[name]}\n")
        with open(folder + "/slow", "w", encoding="utf-8") as file:
            file.write(self.random.choice(["0", "0", "0.3", "1", "3"]))
        if name not in self.failing and self.random.random() < self.args.failures:
            self.failing.add(name)
            with open(folder + "/fail", "w", encoding="utf-8") as file:
                file.write("as wanted\n")
        elif name in self.failing:
            self.failing.discard(name)
            os.remove(folder + "/fail")
        git = Git(folder, self.env)
        git("add", "-A")
        git("commit", "-qm", f"text {self.texts[name]}")
        git("push", "-q", "origin", "HEAD:main")

    def change_stream(self):
        self.stream += 1
        self.retag("upstream/s2i", "0", str(self.stream))
        self.edit("streams", r"/upstream/s2i:\d+", f"/upstream/s2i:{self.stream}")

    def move_run_image(self):
        self.retag("stacks/base", "run", "run")

    def retag(self, repo, tag, to):
        """The same image, with a digest of its own."""
        kind = "application/vnd.oci.image.manifest.v1+json"
        self.digests += 1
        base = f"http://{self.place['registry']}/v2/{repo}/manifests/"
        with urllib.request.urlopen(urllib.request.Request(base + tag, headers={"Accept": kind})) as answer:
            manifest = json.load(answer)
        manifest["annotations"] = {"example.com/n": str(self.digests)}
        urllib.request.urlopen(urllib.request.Request(base + to, data=json.dumps(manifest).encode(), method="PUT",
                                                      headers={"Content-Type": kind})).close()

    def change_world(self):
        self.config("fetch", "-q", "origin", "main")
        self.config("reset", "-q", "--hard", "FETCH_HEAD")
        for name in self.objects:
            if self.random.random() < 0.35:
                self.change_source(name)
        if self.random.random() < 0.3:
            self.move_run_image()
        for _ in range(self.random.choice([0, 1, 1, 2, 3])):
            for name in self.random.sample(self.objects, self.random.randint(1, 2)):
                self.change_mark(name)
            if self.random.random() < 0.4:
                self.change_stream()
            self.config("commit", "-qam", f"commit {len(self.commits)}")
            self.config("push", "-q", "origin", "HEAD:main")
            self.note_commit()

    # ---- runs ----

    def plan_round(self, number):
        jobs = []
        last = len(self.commits) - 1
        for slot in range(self.args.runs):
            older = self.random.random() < self.args.older
            commit = max(0, last - self.random.randint(1, 3)) if older else last
            options = list(self.random.choice([[], [], [], ["-j", "1"], ["-j", "2"], ["-j", "4"], ["--write=commit"]]))
            dice = self.random.random()
            if dice < 0.2:
                name = self.random.choice(self.objects)
                options += ["--only", f"{'Image' if name.startswith('app') else 'BuildConfig'}/shop/{name}"]
            elif dice < 0.25:
                options += ["--prune"]
            is_dry = self.random.random() < 0.1
            if is_dry:
                options = ["--dry-run"]
            delay = self.random.choice([0, 0, self.random.random() * 0.5, self.random.random() * 3])
            kill = self.random.random() * self.random.choice([1, 3, 8]) if self.random.random() < self.args.kills else None
            job = Job(number, slot, commit, options, delay, kill, is_dry)
            if self.random.random() < self.args.commands:
                job = self.make_command(job)
            elif not is_dry and self.transport(slot) != "path" and self.random.random() < self.args.refused:
                job = job._replace(is_refused=True, kill=None)  # a local repository asks no hooks
            jobs.append(job)
        return jobs

    def make_command(self, job):
        """The same moment, folder and commit, but another command."""
        name = self.random.choice(["start", "start", "cancel", "cancel", "prune", "tag", "import"])
        config = f"web{self.random.randrange(self.args.configs)}"
        options, target = [], config
        if name == "cancel":
            options = self.random.choice([[], ["--no-wait"]])
        elif name == "prune":
            target = None
        elif name in ("tag", "import"):
            target = self.random.choice({
                "tag": [["shop/base:1", "base:pinned"], ["shop/base:1", "base:latest"], ["--alias", "shop/base:1", "base:latest"],
                        ["-d", "base:pinned"], [f"{self.place['registry']}/upstream/s2i:0", "s2i:other"], ["-d", "s2i:other"]],
                "import": [["s2i:latest"], ["s2i", "--all"], ["s2i:latest", "--wait"]]}[name])
        return job._replace(options=options, is_dry=False, command=name, target=target)

    def words(self, job, label, clone, cache):
        """The command line."""
        author = ["--author", f"{label} <{label}@example.com>"]
        impatient = ["--settings", self.root + "/impatient.yaml", "--state-fallback", f"{self.root}/out/{label}/state"]
        return [self.args.program, *{
            "run": lambda: [*author, *job.options, *(impatient if job.is_refused else []), clone],
            "push": lambda: ["state", "push", job.target],
            "start": lambda: ["start-build", job.target, clone, "-n", "shop", *author],
            "cancel": lambda: ["build", "cancel", f"bc/{job.target}", "-n", "shop", *job.options],
            "prune": lambda: ["prune", "builds", clone, "--confirm", "--keep-complete", "1", "--keep-failed", "0",
                              "--keep-younger-than", "0s"],
            "tag": lambda: ["tag", *job.target, "-n", "shop", "--manifests", clone],
            "import": lambda: ["import", *job.target, "-n", "shop", "--manifests", clone],
        }[job.command](), "--cache-dir", cache, "--log-level", "debug"]

    def edit_manifests(self, job, runs):
        """`tag` and `import` edit the newest manifests, which are committed; a run of that commit follows."""
        clone = Git(f"{self.root}/clone-{job.slot}", self.env)
        with self.lock:
            job = job._replace(commit=len(self.commits) - 1, kill=None)
            self.checkout(job)
            run = self.start(job)
            runs.append(run)
            run.code = run.process.wait(LIMIT_S)
            if clone("status", "--porcelain"):
                clone("commit", "-qam", f"{job.command} {' '.join(job.target)}")
                clone("push", "-q", "origin", "HEAD:main")
                self.order[clone("rev-parse", "HEAD")] = len(self.commits)
                self.commits.append(clone("rev-parse", "HEAD"))
            return job._replace(commit=len(self.commits) - 1, command="run", options=[], target=None)

    def start(self, job, options=()):
        label = f"r{job.number}-{job.slot}-{self.counts['runs']}" + ("-refused" if job.is_refused else "")
        if job.is_refused:
            self.killed.add(label)  # once it has ended its claims are nobody's
        self.counts["runs"] += 1
        run = Run(job, label, f"{self.root}/out/{label}")
        os.makedirs(run.folder)
        clone = f"{self.root}/clone-{job.slot}"
        cache = f"{self.root}/cache-{job.slot % self.args.caches}"
        command = [*self.words(job, label, clone, cache), *options]
        with open(run.folder + "/out", "wb") as out, open(run.folder + "/err", "wb") as err:
            run.process = subprocess.Popen(command, cwd=clone, env=self.env, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        return run

    def checkout(self, job):
        git = Git(f"{self.root}/clone-{job.slot}", self.env)
        git("fetch", "-q", "origin", "main")
        git("checkout", "-qf", "--detach", self.commits[job.commit])

    def race(self, job, runs):
        time.sleep(job.delay)
        if job.command in ("tag", "import"):
            job = self.edit_manifests(job, runs)
        for _ in range(CANCEL_TRIES if job.command == "cancel" else 1):
            run = self.start(job)
            runs.append(run)
            self.wait_or_kill(run)
            if run.text("out") or run.was_killed:
                break
        if job.is_refused and os.path.exists(run.folder + "/state"):
            time.sleep(job.delay)
            push = self.start(job._replace(command="push", target=run.folder + "/state", is_refused=False))
            runs.append(push)
            self.wait_or_kill(push)
            run.was_pushed = push.code == 0

    def wait_or_kill(self, run):
        if run.job.kill is not None:
            try:
                run.process.wait(run.job.kill)
            except subprocess.TimeoutExpired:
                run.process.send_signal(signal.SIGKILL)
                run.was_killed = True
                self.killed.add(run.label)
        try:
            run.code = run.process.wait(LIMIT_S)
        except subprocess.TimeoutExpired:
            run.process.kill()
            run.code = None

    def settle(self, number, runs):
        """Runs on the newest commit until two of them do nothing. What was killed is known to be dead where its cache is."""
        caches = list(dict.fromkeys([run.job.slot for run in runs if run.was_killed] + list(range(self.args.runs))))
        quiet = 0
        for turn in range(SETTLING_RUNS):
            before = self.state_tip()
            slot = caches[turn % len(caches)]
            # As if the leases of the dead had run out, for machines that cannot know.
            options = ["--now", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + LEASE_S + 10))] if turn == 1 else []
            job = Job(number, slot, len(self.commits) - 1, [], 0, None, False)
            self.checkout(job)
            run = self.start(job, options)
            run.code = run.process.wait(LIMIT_S)
            run.job = job
            self.settling.append(run)
            check(run.code in (0, 4), f"{run.label}: exit {run.code}\n{run.text('err')[-1500:]}")
            quiet = quiet + 1 if self.state_tip() == before else 0
            if quiet == 2:
                return run
        raise Violation(f"no end after {SETTLING_RUNS} runs more: {run.text('err')[-1500:]}")

    def state_tip(self):
        return self.bare("for-each-ref", "--format=%(objectname)", STATE)

    # ---- checks ----

    def check_said(self, runs):
        """What a run said it did is in the history, with its name on it; so is not what a dry run did."""
        by_label = collections.defaultdict(set)
        for path, record in self.history.records.items():
            found = RECORD.match(path)
            by_label[record["author"]].add((found[2], found[3]))
        for run in runs:
            said = {(name, number) for _, name, number, _ in SAID.findall(run.text("err"))}
            self.counts["conflicts"] += run.text("err").count("the branch has moved")
            if run.job.command != "run" and run.job.command != "start":
                continue
            if run.job.is_dry:
                check(not said and not by_label[run.label], f"the dry run {run.label} did {said or by_label[run.label]}")
            elif run.code in (0, 4) or run.was_pushed:
                lost = {one for one in said if one not in by_label[run.label]} - self.pruned()
                check(not lost, f"{run.label} said that it built {lost}, which is not recorded by it")
                self.counts["results pushed later"] += len(said) if run.was_pushed else 0

    def pruned(self):
        """Records that their limits took."""
        known = {(found[2], found[3]) for found in map(RECORD.match, self.history.records) if found}
        text = self.bare("ls-tree", "-r", "--name-only", STATE)
        there = {(found[1], found[2]) for found in re.finditer(r"shop/\w+/([^/]+)/builds/(\d+)\.yaml", text)}
        return known - there

    def check_builds(self):
        """Each key is built once, a number runs once, and only builds of runs that were killed are said to be interrupted."""
        for (name, key), numbers in self.history.keys.items():
            check(len(numbers) == 1, f"{name} was built several times for {key}: {sorted(numbers)}")
        ran = collections.Counter()
        with self.listener.lock:
            for told, times in self.listener.told.items():
                ran[told[0]] += times
        claimed = collections.Counter(name for name, _ in self.history.claims)
        for name, times in ran.items():
            check(times <= claimed[name], f"{name} was built {times} times, claimed {claimed[name]} times")
        for path, record in self.history.records.items():
            found = RECORD.match(path)
            owner = self.history.claims.get((found[2], int(found[3])))
            check(record["result"] != "Interrupted" or owner in self.killed,
                  f"{path} was taken from {owner}, which was alive: {record}")

    def check_settled(self, last):
        state = self.bare("ls-tree", "-r", "--name-only", STATE).splitlines()
        for path in state:
            if not (STATUS.match(path) or RECORD.match(path)) or "/images/sha256" in path:
                continue
            text = self.bare("show", f"{STATE}:{path}")
            check(not re.search(r"lease: \"?\d|(result|phase|reason): (Building|New|Pending|Running)$", text, re.MULTILINE),
                  f"{path} is said to be running:\n{text}")
        for name in self.objects:
            key = (name, str(self.marks[name]), str(self.texts[name]))
            if name in self.cancelled_last():  # by a wish, and not again before something changes
                continue
            check(any(told[:3] == key for told in self.listener.told), f"{name} was not built of {key}: {last.text('out')}")
        for name in self.objects[:self.args.images]:
            self.check_tag(name)
        self.config("fetch", "-q", "origin", "main")
        self.check_streams()

    def cancelled_last(self):
        """Build configs whose newest build was cancelled."""
        newest = collections.Counter()
        for found in filter(None, map(RECORD.match, self.history.records)):
            newest[found[2]] = max(newest[found[2]], int(found[3]))
        return {name for name, number in newest.items() if (name, number) in self.history.cancelled}

    def check_streams(self):
        """A stream is recorded with the tags that the newest manifests say."""
        for document in yaml.load_all(self.config("show", f"{self.commits[-1]}:streams.yaml"), LOADER):
            name = document["metadata"]["name"]
            wanted = {tag["name"]: tag.get("from") for tag in document["spec"]["tags"]}
            recorded = yaml.load(self.bare("show", f"{STATE}:shop/imagestreams/{name}.yaml"), LOADER)
            there = {tag["name"]: tag.get("from") for tag in recorded["spec"]["tags"]}
            check(there.keys() == wanted.keys() and all(there[tag] == wanted[tag] for tag in wanted),
                  f"the stream {name} is to have {wanted}, it has {there}")

    def check_tag(self, name):
        status = yaml.load(self.bare("show", f"{STATE}:shop/images/{name}.yaml"), LOADER)["status"]
        image = status.get("latestImage")
        if not image:
            return
        repo, digest = image.split("/", 1)[1].split("@")
        tag = "1" if name == "app0" else "latest"
        request = urllib.request.Request(f"http://{self.place['registry']}/v2/{repo}/manifests/{tag}", method="HEAD", headers={
            "Accept": "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"})
        with urllib.request.urlopen(request) as answer:
            there = answer.headers["Docker-Content-Digest"]
        check(there == digest, f"{name} is recorded as {digest}, its tag is {there}")

    def round(self, number):
        self.change_world()
        jobs = self.plan_round(number)
        for job in jobs:
            self.checkout(job)
        runs, self.settling = [], []
        self.last_runs = runs
        threads = [threading.Thread(target=self.race, args=(job, runs)) for job in jobs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.counts["raced"] += len(runs)
        for run in runs:
            self.counts["kills"] += run.was_killed
            self.counts["dry runs"] += run.job.is_dry
            self.counts[f"exit {run.code}"] += 1
            if run.job.command != "run":
                self.counts[f"command {run.job.command}"] += 1
            wanted = CODES[run.job.command] + ((-9,) if run.was_killed else ()) + ((5,) if run.job.is_refused else ())
            check(run.code in wanted,
                  f"{run.label} {run.job.command} {run.job.target or ''} {run.job.options}: exit {run.code}\n{run.text('err')[-1500:]}")
        self.history.advance()
        last = self.settle(number, runs)
        self.history.advance()
        self.check_said(runs + self.settling)
        self.check_builds()
        self.check_settled(last)
        self.bare("fsck", "--no-dangling", "--no-progress", "--connectivity-only", STATE)

    def run(self):
        end = time.monotonic() + self.args.seconds if self.args.seconds else None
        print(f"# {self.args.runs} runs at once over {self.args.transport}, {self.args.caches} caches, seed {self.args.seed}",
              flush=True)
        done = 0
        for number in range(1, self.args.rounds + 1):
            if end and done and time.monotonic() > end:
                break
            try:
                self.round(number)
                done += 1
            except (Violation, OSError, ValueError, KeyError) as error:
                self.bad += 1
                print(f"not ok - round {number}: {type(error).__name__}: {error}", flush=True)
                for run in self.last_runs + self.settling:
                    print(f"    {run.label} {run.job.command} {run.job.commit} {run.job.target or ''} {run.job.options} exit {run.code} killed {run.was_killed}", flush=True)
                break  # what follows would stand on it
            if self.args.verbose:
                print(f"# round {number}: {self.summary()}", flush=True)
        self.bare("fsck", "--no-dangling", "--no-progress")
        print(f"# {self.summary()}")
        print(f"{'not ok' if self.bad else 'ok'} - {done} rounds, {self.counts['raced']} runs raced, {self.bad} violations")
        return 1 if self.bad or not done else 0

    def summary(self):
        shown = {key: self.counts[key] for key in sorted(self.counts)}
        shown["builds executed"] = sum(self.listener.told.values())
        shown["builds interrupted"] = sum(one["result"] == "Interrupted" for one in self.history.records.values())
        shown["state commits"] = self.history.commits
        shown["builds cancelled"] = len(self.history.cancelled)
        return ", ".join(f"{key}: {value}" for key, value in shown.items())

    def stop(self):
        self.servers.stdin.close()
        self.servers.wait(30)
        self.listener.shutdown()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("--runs", type=int, default=16, help="at once")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seconds", type=int, help="no new round after that time")
    parser.add_argument("--transport", choices=["http", "ssh", "path", "mixed"], default="mixed")
    parser.add_argument("--caches", type=int, help="fewer than runs: some share one", default=0)
    parser.add_argument("--images", type=int, default=3)
    parser.add_argument("--configs", type=int, default=2)
    parser.add_argument("--kills", type=float, default=0.15, help="how many of the runs are killed")
    parser.add_argument("--older", type=float, default=0.3, help="how many of the runs are on older commits of the manifests")
    parser.add_argument("--commands", type=float, default=0.2,
                        help="how many slots do start-build, build cancel, prune builds, tag or import")
    parser.add_argument("--refused", type=float, default=0.1,
                        help="how many runs the server takes nothing of but their claims; what they leave is pushed by `state push`")
    parser.add_argument("--failures", type=float, default=0.15, help="how many changes of a source make its build fail")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    parser.add_argument("--keep", action="store_true", help="keep the world of a violation")
    parser.add_argument("--verbose", action="store_true")
    args = parser.parse_args()
    args.program = os.path.abspath(args.program)
    args.caches = min(args.caches or args.runs, args.runs)
    harness = Harness(args)
    try:
        harness.prepare()
        return harness.run()
    finally:
        if hasattr(harness, "servers") and harness.servers.poll() is None:
            harness.stop()
        if args.keep and harness.bad:
            print(f"# the world is in {harness.base}")
        else:
            shutil.rmtree(harness.base, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
