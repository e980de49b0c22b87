#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The same inputs built in different surroundings: reproducible.py PROGRAM LAYER-DIGEST WORK [--each]. Builds with buildpacks, scripts and
Dockerfiles by the worker, each run in a world of its own: another day, folder, user, umask, locale, host name, number of
CPUs, file system, cache; and layers made by other CPU models. All digests must be those of the first run.
With --each one thing differs at a time, which takes longer and says which it is."""
import filecmp
import json
import os
import random
import shutil
import subprocess
import sys

PROGRAM, LAYER_DIGEST, WORK = (os.path.abspath(word) for word in sys.argv[1:4])
EACH = "--each" in sys.argv[4:]
sys.argv[1:] = [PROGRAM, WORK, "", ""]
import s2i_build  # noqa: E402  they read the command line
import worker     # noqa: E402

sys.argv[1:] = [PROGRAM, "buildah"]
import docker_build  # noqa: E402
import layouts       # noqa: E402  they made it known

layouts.OWNERS["opt/app"] = 1001  # as in builder images that are made for it: the user's own

NOBODY = 65534
EPOCH = "1600000000"

# What it sees goes into the image, so that whatever the machine lets through makes another digest. Layers of every kind, with
# contents that are easily lost on the way through a cache.
BUILD = r"""#!/bin/sh
set -eu
layers=$1 plan=$3
see() { env | sort; id -u; id -g; hostname; umask; pwd; date +%Z; ls -a / /cnb /platform/env; cat "$plan"
	find /workspace | sort | while read -r path; do stat -c '%n %a %u %g %Y' "$path"; done; }
if [ ! -d "$layers/kept" ]; then
	mkdir -p "$layers/kept/closed" "$layers/kept/deep/er" "$layers/cached" "$layers/kept/empty"
	see >"$layers/kept/seen"
	echo readable >"$layers/kept/closed/file"
	echo program >"$layers/kept/program"
	ln "$layers/kept/program" "$layers/kept/deep/er/second-name"
	ln -s ../../program "$layers/kept/deep/er/link"
	ln -s /nowhere "$layers/kept/dangling"
	for i in 9 7 ä Z a _ .hidden 10 'with space' "$(printf 'new\nline')"; do echo "$i" >"$layers/kept/deep/$i"; done
	i=0; while [ $i -lt 60 ]; do echo "$i $i $i" >"$layers/kept/deep/er/n$i"; i=$((i + 1)); done
	dd if=/dev/zero of="$layers/kept/sparse" bs=1 count=1 seek=300000 2>/dev/null
	long=$layers/kept/$(printf '%0120d' 1)
	mkdir "$long"; echo long >"$long/$(printf '%0130d' 2)"
	chmod 4750 "$layers/kept/program"; chmod 440 "$layers/kept/closed/file"; chmod 2555 "$layers/kept/closed"; chmod 1777 "$layers/kept/empty"
	chmod 555 "$layers/kept/deep/er"
	mkdir "$layers/kept/barred" "$layers/kept/barred/inner"
	echo unreadable >"$layers/kept/barred/file"; chmod 0 "$layers/kept/barred/file" "$layers/kept/barred/inner"; chmod 300 "$layers/kept/barred"
	echo cached >"$layers/cached/file"; chmod 400 "$layers/cached/file"
fi
mkdir -p "$layers/build-only" "$layers/fresh"
see >"$layers/fresh/seen"
printf '[types]\nlaunch = true\ncache = true\n[metadata]\nversion = 1.0\nwhen = 2020-01-01T00:00:00Z\n' >"$layers/kept.toml"
printf '[types]\nbuild = true\ncache = true\n' >"$layers/cached.toml"
printf '[types]\nbuild = true\n' >"$layers/build-only.toml"
printf '[types]\nlaunch = true\n' >"$layers/fresh.toml"
for part in kept cached fresh launch build; do echo "{\"bom\":\"$part\"}" >"$layers/$part.sbom.cdx.json"; done
printf '[metadata]\nz = 1\na = "b"\n' >"$layers/store.toml"
cat >"$layers/launch.toml" <<-TOML
	[[labels]]
	key = "a"
	value = "b"
	[[processes]]
	type = "web"
	command = ["cat", "/workspace/hello.txt"]
	default = true
	[[processes]]
	type = "worker"
	command = ["env"]
	[[slices]]
	paths = ["static/**", "*.txt"]
	[[slices]]
	paths = ["deep/**/x"]
TOML
"""
DETECT = r"""#!/bin/sh
for i in b a c; do printf '[[provides]]\nname = "%s"\n[[requires]]\nname = "%s"\n' $i $i; done >"$2"
"""
DESCRIPTOR = """api = "0.10"
[buildpack]
id = "test/hello"
version = "1.0.0"
sbom-formats = ["application/vnd.cyclonedx+json"]
"""
DOCKERFILE = """FROM registry.local/base:1
ARG SOURCE_DATE_EPOCH
ENV A=b
COPY . /src
RUN mkdir -p /made && env | grep -v ^HOSTNAME= | sort >/made/env && id -u >/made/id && umask >/made/umask && ls -a / >/made/root
LABEL c=d
"""
APP = {"hello.txt": "hello\n", "static/a.css": "a{}\n", "static/b.css": "b{}\n", "deep/one/x": "1\n", "deep/two/x": "2\n",
       "Z": "z\n", "ä": "umlaut\n", "run.sh": "#!/bin/sh\n", "large": "".join(f"{i * i} " for i in range(200000))}


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)


def is_checked(program):
    with open(program, "rb") as file:
        return b"__asan_" in file.read()


class World(worker.World):
    """As for the worker's own tests, with a buildpack and an application that have more to lose."""
    names = ["sh", "cat", "mkdir", "ls", "env", "sort", "id", "hostname", "pwd", "date", "find", "stat", "ln", "dd", "chmod"]

    def __init__(self, root, files):
        worker.BUILD, worker.DETECT, worker.DESCRIPTOR = BUILD, DETECT, DESCRIPTOR
        super().__init__(root)
        os.remove(self.app + "/hello.txt")
        for name in files:  # in another order each time
            write(f"{self.app}/{name}", APP[name], 0o755 if name.endswith(".sh") else 0o644)


class Surroundings:
    """How a run differs from the first."""

    def __init__(self, name, prefix=(), umask=0o022, parent=WORK, user=0, env=None):
        self.name, self.prefix, self.umask, self.parent, self.user, self.env = name, list(prefix), umask, parent, user, env or {}

    def with_all(self, name, others):
        for other in others:
            self.prefix += other.prefix
            self.env.update(other.env)
            if other.umask != 0o022:
                self.umask = other.umask
            if other.parent != WORK:
                self.parent = other.parent
            if other.user:
                self.user = other.user
        self.name = name
        return self


def elements():
    """Each thing that may differ; what this machine cannot do is left out."""
    others = {
        "again": Surroundings(""),
        "400 days later": Surroundings("", ["faketime", "-f", "+400d"]),
        "in 1999": Surroundings("", ["faketime", "-f", "@1999-12-31 23:59:58"]),
        "umask 077": Surroundings("", umask=0o077),
        "umask 000": Surroundings("", umask=0),
        "another locale and time zone": Surroundings("", env={"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "LANGUAGE": "de",
                                                                "TZ": "Pacific/Kiritimati"}),
        "one CPU": Surroundings("", ["taskset", "-c", "0"]),
        "another host name": Surroundings("", ["unshare", "--uts", "sh", "-c", 'hostname elsewhere.example && exec "$@"', "sh"]),
        "a deep folder with odd names": Surroundings("", parent=os.path.join(WORK, "a b", "ü" * 40, "x" * 60)),
        "an environment full of things": Surroundings("", env={
            "SOURCE_DATE_EPOCH": "1", "USER": "x", "LOGNAME": "x", "SHELL": "/bin/false", "GIT_DIR": "/x", "CNB_PLATFORM_API": "0.3",
            "BUILDAH_ISOLATION": "chroot", "PWD": "/", "EDITOR": "x"}),
        "a CPU without extensions": Surroundings("", env={
            "OPENSSL_ia32cap": "~0x200000200000000:~0x20000000",
            "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2_Usable,-AVX2,-ERMS,-SSSE3,-SSE4_2,-AVX512F"})}
    if os.path.isdir("/dev/shm") and os.stat("/dev/shm").st_dev != os.stat(WORK).st_dev and os.access("/dev/shm", os.W_OK):
        others["another file system"] = Surroundings("", parent=os.path.join("/dev/shm", os.path.basename(WORK)))
    if os.geteuid() == 0:
        nobody = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        if subprocess.run(nobody + ["unshare", "--user", "true"], capture_output=True, check=False).returncode == 0:
            others["another user"] = Surroundings("", nobody, user=NOBODY)
    else:
        del others["another host name"]
    for name in [name for name, one in others.items() if one.prefix and not shutil.which(one.prefix[0])]:
        print(f"# not tried, {others[name].prefix[0]} is missing: {name}")
        del others[name]
    if is_checked(PROGRAM):
        # Its allocator and faketime's library wait for each other.
        print("# not tried, a program with the address sanitizer takes no other clock: other days")
        others = {name: one for name, one in others.items() if "faketime" not in one.prefix}
    return others


def surroundings():
    others = elements()
    first = [Surroundings("the first run")]
    if EACH:
        return first + [one.with_all(name, []) for name, one in others.items()]
    # Few runs that differ in everything.
    groups = [("another day, machine and folder", ["another host name", "400 days later", "umask 077", "another locale and time zone",
                                                   "one CPU", "a deep folder with odd names", "an environment full of things"]),
              ("another century, file system and CPU", ["in 1999", "umask 000", "another file system", "a CPU without extensions"]),
              ("another user", ["another user", "400 days later", "another locale and time zone"])]
    return first + [Surroundings("").with_all(name, [others[one] for one in names if one in others]) for name, names in groups
                    if names[0] != "another user" or names[0] in others]


class Machine:
    """A folder that is all that a run knows of the world."""

    def __init__(self, around, number):
        self.around = around
        self.root = os.path.join(around.parent, f"world-{number}")
        os.makedirs(around.parent, exist_ok=True)
        files = list(APP)
        random.Random(number).shuffle(files)
        self.roots = {}
        for kind in ("cnb", "s2i", "docker"):
            self.roots[kind] = os.path.join(self.root, kind)
            os.makedirs(self.roots[kind])
        self.cnb = World(self.roots["cnb"], files)
        self.s2i = s2i_build.World(self.roots["s2i"])
        self.docker = docker_build.World(self.roots["docker"])
        for name in files:
            write(f"{self.roots['s2i']}/sent/{name}", APP[name])
        os.makedirs(self.root + "/home")
        os.makedirs(self.root + "/tmp")
        self.own()

    def own(self):
        if self.around.user:
            subprocess.run(["chown", "-R", f"{self.around.user}:{self.around.user}", self.root], check=True)

    def run(self, what, request):
        env = {"PATH": os.environ["PATH"], "HOME": self.root + "/home", "TMPDIR": self.root + "/tmp",
               "XDG_CACHE_HOME": self.root + "/xdg", **self.around.env}
        done = subprocess.run(self.around.prefix + [PROGRAM, "worker"], input=json.dumps(request).encode(), capture_output=True,
                              timeout=300, cwd=self.root, env=env, umask=self.around.umask, check=False)
        lines = done.stdout.decode().splitlines()
        event = json.loads(lines[-1]) if lines else {}
        if event.get("type") != "result":
            raise RuntimeError(f"{what}: {event}\n{done.stderr.decode(errors='replace')[-1500:]}")
        self.log = done.stderr.decode(errors="replace")
        return event

    def forget(self, kind, place):
        shutil.rmtree(f"{self.roots[kind]}/registry/registry.local/{place}")

    def buildpacks(self, seen):
        builder = self.run("builder", self.cnb.compose())
        seen["builder"] = builder["image"]

        def build(name, key="a"):
            seen[name] = self.run(name, self.cnb.build(builder, key=key))["image"].partition("@")[2]
            self.last = "registry.local/app@" + seen[name]
        build("buildpacks")
        self.forget("cnb", "app")
        build("buildpacks, the cache is warm")
        self.check_log("Restoring data for")
        self.forget("cnb", "app")
        for kept in subprocess.run(["find", self.roots["cnb"] + "/cache/cnb", "-maxdepth", "2", "-name", "kept"],
                                   capture_output=True, text=True, check=True).stdout.split("\n"):
            if kept:
                shutil.rmtree(kept)
        build("buildpacks, the cache has archives only")
        self.check_log("Restoring data for")
        build("of another key", "b")
        del seen["of another key"]
        build("buildpacks, on top of an image")
        self.check_log("Reusing layer 'test/hello:kept'")
        moved = self.cnb.put_run_image(b"2")
        self.own()
        seen["rebase"] = self.run("rebase", self.cnb.request(
            "rebase", buildKey="sha256:" + "d" * 64, tags=["registry.local/app:latest"], previousImage=self.last, runImage=moved,
            runImageName=builder["runImage"], builderImage=builder["image"]))["image"]

    def check_log(self, text):
        if text not in self.log:
            raise RuntimeError(f"no '{text}' in the log:\n{self.log}")

    def scripts(self, seen):
        spec = {"binary": {"path": self.roots["s2i"] + "/sent"}}
        request = self.s2i.s2i(strategy={"incremental": True}, config=spec)
        seen["scripts"] = self.run("scripts", request)["image"]

    def dockerfile(self, seen):
        args = {"buildArgs": [{"name": "SOURCE_DATE_EPOCH", "value": EPOCH}]}
        request = self.docker.request(DOCKERFILE, strategy=args, files=APP)
        self.own()
        seen["Dockerfile"] = self.run("Dockerfile", request)["image"]

    def all(self):
        seen = {}
        self.buildpacks(seen)
        self.scripts(seen)
        if shutil.which("buildah"):
            self.dockerfile(seen)
        return seen

    def clean(self):
        if self.around.user:
            subprocess.run(self.around.prefix + ["env", "HOME=" + self.root + "/home", "buildah", "unshare", "rm", "-rf",
                                                 self.roots["docker"] + "/cache"], check=False, capture_output=True)
        shutil.rmtree(self.root, ignore_errors=True)


failed = False


def check(what, problems):
    global failed
    print(("not ok - " if problems else "ok - ") + what, flush=True)
    for problem in problems:
        print("    " + problem)
    failed = failed or bool(problems)


def compare_builds():
    first, rootless = None, {}
    for number, around in enumerate(surroundings()):
        machine = Machine(around, number)
        problems = []
        try:
            seen = machine.all()
            first = first or seen
            # One run has to agree with itself, too.
            seen_kinds = {seen[kind] for kind in seen if kind.startswith("buildpacks")}
            if len(seen_kinds) > 1:
                problems += [f"{kind}: {seen[kind]}" for kind in seen if kind.startswith("buildpacks")]
            # Without root an engine leaves marks of its own in layers: then only its own runs agree.
            known = first if not around.user else {**first, "Dockerfile": rootless.setdefault("Dockerfile", seen.get("Dockerfile"))}
            problems += [f"{kind}: {seen.get(kind)} is not {known[kind]}" for kind in first if seen.get(kind) != known[kind]]
        except (RuntimeError, subprocess.SubprocessError) as error:
            problems.append(str(error))
        machine.clean()
        check(f"builds: {around.name}", problems)


def make_trees():
    """Contents that a compressor may treat each in its own way."""
    rng = random.Random(1)
    words = [bytes(rng.randrange(97, 123) for _ in range(rng.randrange(1, 12))) for _ in range(500)]
    contents = {
        "text": b" ".join(rng.choice(words) for _ in range(120000)),
        "noise": bytes(rng.getrandbits(8) for _ in range(300000)),
        "zeros": bytes(1 << 20),
        "runs": b"".join(bytes([rng.randrange(256)]) * rng.randrange(1, 600) for _ in range(1500)),
        "numbers": b"".join((i * 40503 & 0xffffffff).to_bytes(4, "little") for i in range(60000)),
        "empty": b"", "one": b"x"}
    tree = os.path.join(WORK, "tree")
    os.makedirs(tree)
    for name, content in contents.items():
        with open(os.path.join(tree, name), "wb") as file:
            file.write(content)
        os.chmod(os.path.join(tree, name), 0o644)
    shutil.copy(shutil.which("busybox"), tree + "/program")
    os.chmod(tree + "/program", 0o755)
    return tree


def compare_cpus():
    tree = make_trees()

    def digests(name, prefix=(), **env):
        done = subprocess.run([*prefix, LAYER_DIGEST, f"{WORK}/blobs-{name}", tree], capture_output=True, text=True, timeout=300,
                              env={**os.environ, **env}, check=False)
        return done.stdout.splitlines() if done.returncode == 0 else [done.stderr]
    first = digests("here")
    # Of one setting all numbers of threads give the same.
    check("layers: any number of threads", [] if len(set(first)) * 4 == len(first) else first)
    masks = {"no hardware hashes": {"OPENSSL_ia32cap": "~0x200000200000000:~0x20000000"},
             "a bare CPU": {"OPENSSL_ia32cap": "0:0"},
             "a bare C library": {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2_Usable,-AVX2,-ERMS,-FSRM,-SSSE3,-SSE4_2,-AVX512F,-AVX512VL"}}
    for name, env in masks.items():
        got = digests("mask", **env)
        check(f"layers: {name}", [] if got == first else got)
    emulator = shutil.which("qemu-" + os.uname().machine)
    models = {"x86_64": ["qemu64", "Nehalem", "Haswell", "max"], "aarch64": ["cortex-a53", "max"]}.get(os.uname().machine, [])
    if not emulator or is_checked(LAYER_DIGEST):
        print("# no other CPU models: " + ("no emulator is installed" if not emulator else "a checked program cannot be emulated"))
        return
    for model in models:
        got = digests(model, [emulator, "-cpu", model])
        check(f"layers: CPU {model}", [] if got == first else got)
        same = filecmp.dircmp(f"{WORK}/blobs-here/sha256", f"{WORK}/blobs-{model}/sha256")
        check(f"layers: the blobs of CPU {model}", same.left_only + same.right_only + same.diff_files)


compare_cpus()
compare_builds()
sys.exit(failed)
