# SPDX-License-Identifier: Apache-2.0
"""world.py: one copy of a prepared world: its runs, and what must hold of it after them. README.md says what is checked."""
import collections
import glob
import hashlib
import json
import os
import re
import subprocess
import sys
import time

import yaml

from objects import Objects

HERE = os.path.dirname(os.path.abspath(__file__))
LIMIT_S = 60
TEMPORARY = re.compile(r"\.tmp-|/tmp_|reconcile-ref-|/\.git/.*\.lock$|\.tmp$|/cnb/[^/]*/(staging|committed-backup)$")
LOCKS = ("/config/.git/reconcile.lock",)  # files that are locked, and stay
STATE, LOGS = "refs/heads/reconcile/state", "refs/heads/reconcile/logs"
RUN = ("--write=commit", ".")

# What kinds of worlds there are. prepared: what prepare.sh is asked for. layouts: where images are → their tag, and what makes
# them. command: what is disturbed; it is followed by usual runs. state: the repository with the branch of the state.
# is_same: an image has the same layers whenever it is made.
Kind = collections.namedtuple("Kind", "prepared layouts command state is_served is_same", defaults=(RUN, "config", False, True))

QUICK = {
    "builders/default": ("clusterbuilder-default", "ClusterBuilder default"),
    "streams/shop/base": ("1", "Image shop/base"),
    "streams/shop/web": ("latest", "BuildConfig shop/web"),
    "apps/app": ("latest", "Image shop/app"),
}
DOCKER = {"apps/docker": ("1", "BuildConfig shop/docker")}
CUSTOM = {"apps/custom": ("1", "BuildConfig shop/custom")}
COMMANDS = {
    "start-build": ("start-build", "web", "-n", "shop", "--write=commit"),
    "cancel": ("build", "cancel", "bc/late", "-n", "shop"),
    "edit": ("image", "patch", "app", "-n", "shop", "--env", "A=b"),
    "delete": ("image", "delete", "app", "-n", "shop"),
    "tag": ("tag", "shop/base:1", "shop/base:kept"),
    "prune": ("prune", "builds", "--keep-complete", "0", "--keep-failed", "0", "--confirm", "."),
    "prune-images": ("prune", "images", "--keep-tag-revisions", "1", "--keep-younger-than", "0", "--confirm", "."),
}
REMOVING = [COMMANDS[name] for name in ("prune", "prune-images", "delete")]  # what is meant to take records and logs away
KINDS = {
    "layouts": Kind("layouts", QUICK),
    "first": Kind("first", QUICK),
    "servers": Kind("servers", QUICK, state="config.git", is_served=True),
    "ssh": Kind("ssh", QUICK, state="config.git", is_served=True),
    "custom": Kind("custom", CUSTOM, is_served=True),
    "pipeline": Kind("pipeline", {}, is_served=True),
    "dockerfile": Kind("dockerfile", DOCKER, is_same=False),
    **{name: Kind("commands", QUICK, command) for name, command in COMMANDS.items()},
}


class Violation(Exception):
    pass


class World:
    """A copy of a prepared world, with its servers while it is opened."""

    def __init__(self, args, kind, template, root):
        self.args, self.kind, self.root, self.config = args, KINDS[kind], root, root + "/config"
        self.place = ""  # where the fault was
        self.pids = set()  # of all processes of its runs
        self.servers = None
        self.n_adopted = 0  # images that were pushed and not recorded, and not built again
        if template != root:
            subprocess.run(["cp", "-a", "--reflink=auto", template, root], check=True)
        os.makedirs(root + "/temp", exist_ok=True)
        self.repository = f"{root}/{self.kind.state}"
        self.env = {key: value for key, value in os.environ.items()
                    if key not in ("CI", "XDG_RUNTIME_DIR", "DOCKER_CONFIG")}
        self.env.update(HOME=root + "/home", XDG_CACHE_HOME=root + "/cache", TMPDIR=root + "/temp", GIT_CONFIG_NOSYSTEM="1",
                        GIT_TERMINAL_PROMPT="0", GIT_SSH_COMMAND=f"ssh -F none -i {root}/ssh/id -o UserKnownHostsFile={root}/ssh/known_hosts")

    def __enter__(self):
        if self.kind.is_served:
            self.servers = subprocess.Popen(["unshare", "--net", "--mount", "bash", HERE + "/serve.sh", self.root], stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            if self.servers.stdout.readline().strip() != "ready":
                raise OSError("the servers did not start")
        return self

    def __exit__(self, *_):
        self.stop_servers()

    def stop_servers(self):
        if self.servers:
            self.servers.stdin.close()
            self.servers.stdout.close()
            self.servers.wait()
            self.servers = None

    def run(self, name, hour, tracer=None, command=RUN, before=()):
        """One command at 2030-01-01, that hour, traced where `tracer` is not None. Its exit code and the tracer's report."""
        report = self.root + "/report"
        line = [self.args.program, *command]
        if tracer is not None:
            line = [self.args.tracer, "--report", report, *tracer] + line
        line = list(before) + line
        if self.servers:
            line = ["nsenter", f"--net=/proc/{self.servers.pid}/ns/net"] + line
        env = dict(self.env, RECONCILE_NOW=f"2030-01-01T{hour:02}:00:00Z")
        with open(f"{self.root}/{name}.out", "wb") as out, open(f"{self.root}/{name}.err", "wb") as err:
            process = subprocess.Popen(line, cwd=self.config, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
            try:
                code = process.wait(LIMIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                return None, {"stayed": []}
        if code == 77 and tracer is not None:
            print(self.text(name + ".out"), end="")
            sys.exit(77)
        return code, self.read_report(report) if tracer is not None else {"stayed": []}

    def read_report(self, path):
        found = {"stayed": []}
        with open(path, encoding="utf-8", errors="replace") as file:
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
        return found

    def text(self, name):
        with open(f"{self.root}/{name}", encoding="utf-8", errors="replace") as file:
            return file.read()

    def git(self, *args):
        done = subprocess.run(["git", *args], cwd=self.repository, env=self.env, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Violation(f"git {' '.join(args)}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def objects(self):
        return Objects(self.repository, self.env)

    def heads(self):
        return dict(reversed(line.split()) for line in
                    self.git("for-each-ref", "--format=%(objectname) %(refname)", "refs/heads").splitlines())

    def image(self, layout):
        """Digest, build key and diff ids of what a tag is; nothing where there is none."""
        tag = self.kind.layouts[layout][0]
        folder = f"{self.root}/registry/registry.local/{layout}"
        if self.kind.is_served:
            link = f"{self.root}/data/docker/registry/v2/repositories/{layout}/_manifests/tags/{tag}/current/link"
            digest = read(link, "") or None if os.path.exists(link) else None
        else:
            index = json.loads(read(folder + "/index.json", '{"manifests": []}'))
            digest = next((entry["digest"] for entry in index["manifests"]
                           if entry.get("annotations", {}).get("org.opencontainers.image.ref.name") == tag), None)
        if not digest:
            return None, None, None
        manifest = json.loads(self.blob(folder, digest))
        config = json.loads(self.blob(folder, manifest["config"]["digest"]))
        key = manifest.get("annotations", {}).get("reconcile.dev/build-key") or self.finished().get(digest)
        return digest, key, config["rootfs"]["diff_ids"]

    def finished(self):
        """Digest → build key, of custom builds that ended."""
        notes = [read(path).split("\n") for path in glob.glob(self.root + "/cache/reconcile/custom/*") if not TEMPORARY.search(path)]
        return {note[1]: note[0] for note in notes}

    def blob(self, folder, digest):
        place = digest.split(":")[1]
        if self.kind.is_served:
            return read(f"{self.root}/data/docker/registry/v2/blobs/sha256/{place[:2]}/{place}/data")
        return read(f"{folder}/blobs/sha256/{place}")

    def images(self):
        return {layout: self.image(layout) for layout in self.kind.layouts}

    def manifests(self):
        return {name: read(f"{self.config}/{name}") for name in os.listdir(self.config) if name.endswith(".yaml")}

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


def read(path, absent=None):
    if absent is not None and not os.path.exists(path):
        return absent
    with open(path, encoding="utf-8") as file:
        return file.read()


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
    for name in before:
        if name not in heads:
            raise Violation(f"branch {name} is gone")
    with world.objects() as objects:
        if LOGS in before and world.kind.command not in REMOVING:  # one commit, made anew
            lost = set(objects.files(before[LOGS]).items()) - set(objects.files(heads[LOGS]).items())
            if lost:
                raise Violation(f"logs are gone: {sorted(lost)}")
        for name in ("refs/heads/main", STATE):
            if name in before and not objects.history(heads[name], before[name])[1]:
                raise Violation(f"{name} does not go on from where it was")
        if STATE in heads:
            check_numbers(objects, objects.history(heads[STATE], before.get(STATE))[0], before.get(STATE))
            check_ended(objects, objects.files(heads[STATE]))


def check_numbers(objects, commits, first):
    counters, results, seen = {}, {}, set()
    for commit in ([first] if first else []) + commits:
        for path, blob in objects.files(commit).items():
            if (path, blob) in seen or not path.startswith(("shop/images/", "shop/buildconfigs/")):
                continue
            seen.add((path, blob))
            for key, value in re.findall(r"^ *(buildCounter|lastVersion|imageDigest): (.*)$", objects.text(blob), re.MULTILINE):
                if key == "imageDigest":
                    if results.setdefault(path, value) != value:
                        raise Violation(f"{path}: its image was {results[path]} and is {value}")
                    continue
                if int(value) < counters.get(path, 0):
                    raise Violation(f"{path}: {key} fell from {counters[path]} to {value}")
                counters[path] = int(value)


def check_ended(objects, files):
    for path, blob in files.items():
        if not re.search(r"/builds/|/images/|buildconfigs/", path):
            continue
        status = load_yaml(objects.text(blob)).get("status", {})
        if "/builds/" in path and "buildconfigs" in path and status.get("phase") in (None, "New", "Pending", "Running"):
            raise Violation(f"{path}: phase {status.get('phase')}")
        numbers = [build["number"] for build in status.get("builds", [])] if path.startswith("shop/images/") else []
        if numbers != sorted(set(numbers)):
            raise Violation(f"{path}: builds {numbers}")
        if any(build["result"] == "Building" for build in status.get("builds", []) if isinstance(build, dict) and "result" in build):
            raise Violation(f"{path}: a build is said to run")


def load_yaml(text):
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def check_converged(world, wanted):
    """The same images as an undisturbed run makes, recorded, tagged, and named by the workload. wanted: what may be."""
    images = world.images()
    for layout, (digest, _, diff_ids) in images.items():
        if world.kind.is_same and diff_ids not in [one[layout][2] for one in wanted]:
            raise Violation(f"{layout} has layers {diff_ids}, not {[one[layout][2] for one in wanted]}")
        if not digest:
            raise Violation(f"{layout} is absent")
    with world.objects() as objects:
        heads = world.heads()
        files = {path: objects.text(blob) for path, blob in objects.files(heads[STATE]).items() if path.count("/") == 2}
        for layout, (tag, subject) in world.kind.layouts.items():
            kind, name = subject.split()
            path = {"Image": "shop/images/", "BuildConfig": "shop/buildconfigs/"}.get(kind, "") + name.split("/")[-1] + ".yaml"
            if path in files and images[layout][0] not in files[path]:
                raise Violation(f"{path}: {layout}:{tag} is not recorded as {images[layout][0]}")
        if "streams/shop/base" in images:
            check_streams(images, files, objects.text(objects.files(heads["refs/heads/images"])["deployment.yaml"]))


def check_streams(images, files, deployment):
    for stream in ("base", "web"):
        digest = images["streams/shop/" + stream][0]
        if f"shop/{stream}@{digest}" not in deployment:
            raise Violation(f"the workload does not name shop/{stream}@{digest}: {deployment}")
        for tag in load_yaml(files[f"shop/imagestreams/{stream}.yaml"])["status"]["tags"]:
            if tag["items"][0]["image"] != digest:
                raise Violation(f"tag {stream}:{tag['tag']} is {tag['items'][0]['image']}, not {digest}")


def check_pipelines(world):
    """By what Jenkins ran: no pipeline ends well twice for one key, and none is left alone."""
    path = world.root + "/jenkins/runs"
    if not os.path.exists(path):
        return
    ends = collections.Counter(tuple(line.split()) for line in read(path).splitlines())
    bad = [f"{key} {result}: {n}" for (key, result), n in ends.items() if n > 1 and result == "SUCCESS" or result in ("QUEUED", "None")]
    if bad or "SUCCESS" not in [result for _, result in ends]:
        raise Violation(f"pipelines: {dict(ends)}")


def check_adopted(world, before, pushed):
    """What was pushed when the run ended was not built again."""
    after, said = world.images(), world.text("again.err")
    for layout, (digest, key, _) in pushed.items():
        if not key or key == before[layout][1] or after[layout][1] != key:
            continue
        subject = world.kind.layouts[layout][1]
        if re.search(rf"^reconcile: {subject}: .* succeeded in ", said, re.MULTILINE) or after[layout][0] != digest:
            raise Violation(f"{subject} was built again, although {digest} was pushed for the same key")
        world.n_adopted += re.search(rf"^reconcile: {subject}: .* was found in the registry", said, re.MULTILINE) is not None


def check_caches(world, layers):
    for path in glob.glob(world.root + "/cache/reconcile/store/blobs/sha256/*") + \
            glob.glob(world.root + "/registry/**/blobs/sha256/*", recursive=True):
        with open(path, "rb") as file:
            if hashlib.sha256(file.read()).hexdigest() != os.path.basename(path):
                raise Violation(f"{path[len(world.root):]} is not what its name says")
    for name, state in world.layers().items():
        if layers.get(name, state) != state:
            raise Violation(f"the unpacked layer {name} is not whole")


def check_manifests(world, wanted):
    """What a command edits is as before or as after it."""
    for name, text in world.manifests().items():
        if text not in [one.get(name) for one in wanted]:
            raise Violation(f"{name} is neither as before nor as after: {text}")


def engine_leftovers(root):
    """Containers of an engine that nobody runs, and its temporary folders."""
    left = glob.glob(root + "/cache/reconcile/docker/*/tmp/buildah[0-9]*")
    for path in glob.glob(root + "/cache/reconcile/docker/*/storage/*-containers/containers.json"):
        if json.loads(read(path)):
            left.append(path)
    return [one[len(root):] for one in left]


def check_left(world):
    left = engine_leftovers(world.root)
    for folder, folders, files in os.walk(world.root):
        if folder.startswith(tuple(world.root + one for one in ("/buildpacks", "/cache/reconcile/store/layers", "/data",
                                                                "/cache/reconcile/docker"))):
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
