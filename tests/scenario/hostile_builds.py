#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What test_hostile_builds.sh runs: hostile_builds.py PROGRAM. Buildpacks, images and sources that leave, or are, what no build
should be read through: links out, pipes, devices, files without end. Each build ends soon, with an image or with a sentence; nothing of the machine is read or changed."""
import hashlib
import http.server
import io
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tarfile
import threading
import unittest
import zlib

import worker
from worker import layer_of

IS_ROOT = os.geteuid() == 0
LIMIT_S = 60  # of a build that takes less than one second
CANARY = "text-of-the-machine"
DIR, LINK, FILE, DEVICE, PIPE = tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.REGTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE
BIN = "cnb/buildpacks/test_hello/1.0.0"
DESCRIPTOR = worker.DESCRIPTOR + 'sbom-formats = ["application/vnd.cyclonedx+json"]\n'
ORDER = '[[order]]\n[[order.group]]\nid = "test/hello"\nversion = "1.0.0"\n'
LAUNCH = 'mkdir -p "$1/data"\nprintf "[types]\\nlaunch = true\\n" >"$1/data.toml"\n'
KEPT = (LAUNCH + 'mkdir -p "$1/kept"\necho kept >"$1/kept/file"\nprintf "[types]\\ncache = true\\nlaunch = true\\n[metadata]\\na = 1\\n" >"$1/kept.toml"\n'
        'printf "[metadata]\\nkey = 1\\n" >"$1/store.toml"\necho "{}" >"$1/kept.sbom.cdx.json"\n'
        'printf "[types]\\nlaunch = true\\n[metadata]\\nb = 1\\n" >"$1/data.toml"\n')


def layer(entries):
    """A layer of (name, type, target, content, or numbers of a device)."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, kind, what in entries:
            info = tarfile.TarInfo(name)
            info.type, info.mode = kind, 0o755
            if kind == LINK:
                info.linkname = what
            elif kind == DEVICE:
                info.devmajor, info.devminor = what
            elif kind == FILE:
                info.size = len(what)
            tar.addfile(info, io.BytesIO(what) if kind == FILE else None)
    return buffer.getvalue()


class World(worker.World):
    names = ["sh", "cat", "mkdir", "ls", "sleep", "env", "ln", "mkfifo", "truncate", "chmod", "touch", "rm", "mv", "seq", "cp"]

    def __init__(self, root):
        super().__init__(root)
        self.guarded = root + "/guarded"
        os.makedirs(self.guarded + "/sub")
        files = {"order.toml": ORDER, "passwd": f"x:x:1001:1000::/{CANARY}:/bin/sh\n", "environment": f"TAKEN={CANARY}\n",
                 "assemble": f"#!/bin/sh\necho {CANARY}\n", "Dockerfile": f"FROM scratch\nLABEL taken={CANARY}\n", ".dockerignore": CANARY + "\n",
                 "project.toml": f'[_]\nschema-version = "0.2"\n[[io.buildpacks.build.env]]\nname = "TAKEN"\nvalue = "{CANARY}"\n'}
        for name, text in files.items():
            with open(f"{self.guarded}/{name}", "w", encoding="ascii") as file:
                file.write(text)
        for name in [".", "sub", *files]:  # whoever builds could change their times
            os.utime(f"{self.guarded}/{name}", (1, 1))
            if IS_ROOT:
                os.chown(f"{self.guarded}/{name}", 1001, 1000)
        self.before = self.look()

    def look(self):
        found = {}
        for folder, folders, files in os.walk(self.guarded):
            for name in [".", *folders, *files]:
                status = os.lstat(f"{folder}/{name}")
                found[f"{folder}/{name}"] = (status.st_mode, status.st_uid, status.st_mtime_ns, status.st_size)
        return found

    def run(self, request):
        done = subprocess.run([worker.PROGRAM, "worker"], input=json.dumps(request).encode(), capture_output=True, timeout=LIMIT_S, check=False)
        return done, [json.loads(line) for line in done.stdout.decode().splitlines()]

    def builder(self, build="", detect="", more=None, env=()):
        entries = [(BIN[:len(BIN) - cut], 0o755, None, None) for cut in (28, 17, 6, 0)]
        entries += [(BIN + "/buildpack.toml", 0o644, DESCRIPTOR.encode(), None), (BIN + "/bin", 0o755, None, None),
                    (BIN + "/bin/detect", 0o755, f"#!/bin/sh\n{detect}\n".encode(), None),
                    (BIN + "/bin/build", 0o755, f"#!/bin/sh\nset -e\n{build}\n".encode(), None), ("cnb/order.toml", 0o644, ORDER.encode(), None)]
        layers = [self.base, layer_of(entries)] + ([layer(more)] if more else [])
        return {"image": self.layouts.put("registry.local/builder:1", layers, {
            "Env": ["PATH=/bin", "CNB_USER_ID=1001", "CNB_GROUP_ID=1000", "CNB_STACK_ID=test.stack", *env], "WorkingDir": "/layers"}),
                "runImage": self.run_image}

    def build(self, builder, **more):
        return super().build(builder, **{"bindings": [], "cacheBytes": 1 << 30, **more})

    def script_image(self, assemble, more=None, **config):
        entries = [("usr", 0o755, None, None), ("usr/s2i", 0o755, None, None), ("usr/s2i/assemble", 0o755, f"#!/bin/sh\nset -e\n{assemble}\n".encode(), None),
                   ("usr/s2i/run", 0o755, b"#!/bin/sh\n", None), ("opt", 0o755, None, None), ("opt/app", 0o777, None, None)]
        return self.layouts.put("registry.local/python:1", [self.base, layer_of(entries)] + ([layer(more)] if more else []), {
            "User": "1001", "WorkingDir": "/opt/app", "Env": ["PATH=/bin"], "Labels": {"io.openshift.s2i.scripts-url": "image:///usr/s2i"}, **config})

    def config(self, action, strategy, spec=None, **more):
        config = {"config": "app", "build": "app-1", "namespace": "test", "number": 1, "binary": {"path": self.app},
                  "spec": {"source": {"binary": {}}, "strategy": strategy, **(spec or {})}}
        return self.request(action, **{"id": "BuildConfig/test/app#1", "buildConfig": config, "tags": ["registry.local/out:1"], **more})

    def s2i(self, image, **more):
        return self.config("s2i", {"sourceStrategy": {"from": {"kind": "DockerImage", "name": image}}}, **more)

    def docker(self, **more):
        return self.config("docker", {"dockerStrategy": {"noCache": True}}, engine="buildah", **more)

    def put(self, name, text=None, link=None):
        path = os.path.join(self.app, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if link:
            os.symlink(link, path)
        else:
            with open(path, "w", encoding="ascii") as file:
                file.write(text)


class HostileTest(worker.WorkerTest):
    def setUp(self):
        self.folder = worker.tempfile.TemporaryDirectory(prefix="hostile-")
        os.chmod(self.folder.name, 0o755)
        self.world = World(self.folder.name)
        self.n_builds = 0

    def tearDown(self):
        # Files of subordinate users are theirs to remove.
        if not IS_ROOT:
            subprocess.run(["buildah", "unshare", "rm", "-rf", self.folder.name + "/cache"], check=False, capture_output=True)
        super().tearDown()

    def key(self, request):
        self.n_builds += 1
        return {**request, "buildKey": f"sha256:{self.n_builds:064x}"}

    def untouched(self, log):
        self.assertEqual(self.world.look(), self.world.before, log)
        self.assertNotIn(CANARY, log)
        for folder, _, files in os.walk(self.world.layouts.root):
            for name in files if folder.endswith("/sha256") else ():
                with open(f"{folder}/{name}", "rb") as file:
                    data = file.read()
                data = zlib.decompressobj(31).decompress(data) if data.startswith(b"\x1f\x8b") else data
                self.assertNotIn(CANARY.encode(), data, f"{folder}/{name}")

    def built(self, request):
        event, log, _ = self.good(self.key(request))
        self.untouched(log + json.dumps(event))
        return event["image"], log

    def refused(self, request, pattern):
        failure, log = self.bad(self.key(request))
        self.assertRegex(failure["text"], pattern)
        self.assertIn(failure["failure"], ("build", "invalid", "absent"), failure)
        self.untouched(log + json.dumps(failure))

    def entries(self, pinned, number):
        manifest, _ = self.world.layouts.read(pinned)
        path = os.path.join(self.world.layouts.root, pinned.partition("@")[0], "blobs/sha256", manifest["layers"][number]["digest"][7:])
        with tarfile.open(path) as tar:
            return {one.name: one for one in tar}

    # Buildpacks

    def test_odd_things_in_a_layer(self):
        """They are in the layer as they are; sockets alone have no place in an archive."""
        odd = """cd "$1/data"
mkfifo pipe
ln -s b a && ln -s a b && ln -s . self && ln -s %s out
long=$(for i in $(seq 255); do printf x; done)
touch -- "$long" "$(printf 'a\\nb')" "$(printf '\\377\\376')" "$(printf 'e\\033[31m')" ' ' -rf .wh.file
echo s >set && chmod 6755 set
echo x >one && ln one two
mkdir shut && echo x >shut/file && chmod 000 shut/file shut
for i in $(seq 100); do mkdir -p hid/below d && chmod 000 hid && cd d; done; touch deep
truncate -s 300G /tmp/endless
mkfifo /workspace/pipe && ln -s %s /workspace/out
(while :; do echo x >>"$1/data/grows"; done) &
""" % (self.world.guarded, self.world.guarded)
        image, log = self.built(self.world.build(self.world.builder(LAUNCH + odd)))
        found = {name.partition("/test_hello/data/")[2]: one for name, one in self.entries(image, 2).items()}
        self.assertTrue(found["pipe"].isfifo())
        self.assertEqual([found[name].linkname for name in ("a", "b", "self", "out")], ["b", "a", ".", self.world.guarded])
        for name in ("x" * 255, "a\nb", "e\033[31m", " ", "-rf", ".wh.file", "shut/file", "d/" * 100 + "deep"):
            self.assertIn(name, found)
        self.assertEqual(found["set"].mode & 0o7777, 0o6755)
        self.assertEqual((found["shut"].mode & 0o777, found["shut/file"].mode & 0o777), (0, 0))
        self.assertNotIn("\033[31m", log)

    def test_pipes_and_links_where_text_is_expected(self):
        for name, make, says in (("data.toml", "mkfifo %s", "data.toml': it is no plain file"),
                                 ("launch.toml", "ln -s /dev/zero %s", "launch.toml': it is no plain file"),
                                 ("store.toml", "mkfifo %s", "store.toml': it is no plain file"),
                                 ("data.toml", f"ln -s {self.world.guarded}/project.toml %s", "is a link"),
                                 ("data.sbom.cdx.json", "mkfifo %s", "data.sbom.cdx.json' is no file"),
                                 ("../config/metadata.toml", "mkdir -p $1/../config && mkfifo %s", "cannot write '/layers/config/metadata.toml'")):
            self.refused(self.world.build(self.world.builder(LAUNCH + f'rm -f "$1/{name}"\n' + make.replace("%s", f'"$1/{name}"'))), says)

    def test_files_without_end(self):
        self.refused(self.world.build(self.world.builder(LAUNCH + 'truncate -s 300G "$1/data/endless"')), "endless' of 322122547200 bytes: all would be larger")
        self.refused(self.world.build(self.world.builder(LAUNCH + "truncate -s 300G endless")), "endless' of 322122547200 bytes: all would be larger")

    def test_links_in_the_place_of_folders(self):
        link = f"rm -rf /layers/test_hello; ln -s {self.world.guarded} /layers/test_hello"
        self.refused(self.world.build(self.world.builder("cd /\n" + link)), "is no folder")
        first, _ = self.built(self.world.build(self.world.builder(KEPT)))
        # What comes back from the image before and from the cache goes below the layers, not through what the detection left there.
        for where in ("ln -s", "mkfifo"):
            detect = link if where == "ln -s" else "mkfifo /layers/test_hello"
            self.refused(self.world.build(self.world.builder(KEPT, detect), previousImage=first), "test_hello' is no folder")
        self.refused(self.world.build(self.world.builder(KEPT, "rm /layers/group.toml; mkfifo /layers/group.toml")), "cannot write '/layers/group.toml'")

    def test_cached_layers_that_are_links(self):
        """The times of a layer's files are set before it is kept: not of those that a link leads to."""
        kept = f'rm -rf "$1/kept"; ln -s {self.world.guarded} "$1/kept"; printf "[types]\\ncache = true\\n" >"$1/kept.toml"'
        for _ in range(2):
            self.built(self.world.build(self.world.builder(kept)))

    # Images

    def test_builder_images(self):
        guarded = self.world.guarded
        show = LAUNCH + "env"
        self.built(self.world.build(self.world.builder(show, more=[("etc", LINK, guarded)])))
        self.built(self.world.build(self.world.builder(show, more=[("etc/passwd", LINK, guarded + "/passwd")])))
        self.refused(self.world.build(self.world.builder(show, more=[("cnb", LINK, guarded)])), "cannot start .* in the container")
        self.refused(self.world.build(self.world.builder(show, more=[("cnb/order.toml", LINK, "../../../../../../../../.." + guarded + "/order.toml")])),
                     "reading order: cannot read '/cnb/order.toml'")
        for what, kind, content in (("etc/passwd", PIPE, None), ("cnb/order.toml", PIPE, None), ("cnb/order.toml", DIR, None)):
            self.refused(self.world.build(self.world.builder(show, more=[(what, kind, content)])), f"{what}' is no plain file")
        self.refused(self.world.build(self.world.builder(show, more=[("etc/passwd", FILE, b"#" * (2 << 20))])), "longer than 1048576 bytes")
        for top in ("layers", "workspace", "platform"):
            self.refused(self.world.build(self.world.builder(show, more=[(top, LINK, guarded)])), "cannot (start|run) ")
        self.built(self.world.build(self.world.builder(show, more=[("cnb/reconcile", LINK, guarded), ("planted", DEVICE, (1, 11))][1:], env=["=", "NONE", ""])))

    def test_run_images(self):
        odd = layer([("etc", LINK, self.world.guarded), ("pipe", PIPE, None), ("device", DEVICE, (1, 11)), ("cnb", LINK, self.world.guarded)])
        self.world.run_image = self.world.layouts.put("registry.local/stack:odd", [self.world.base, odd], {
            "Env": ["=", "x"], "Labels": {"io.buildpacks.stack.id": "test.stack", "io.buildpacks.lifecycle.metadata": "{[", "io.buildpacks.stack.mixins": "["}})
        self.built(self.world.build(self.world.builder(LAUNCH)))

    # Sources

    def test_descriptors_of_projects(self):
        self.world.put("folder", link=self.world.guarded)
        self.world.put("inside/own.toml", '[_]\nschema-version = "0.2"\n[[io.buildpacks.build.env]]\nname = "OWN"\nvalue = "from the source"\n')
        self.world.put("way", link="inside")
        builder = self.world.builder(LAUNCH + "env")
        _, log = self.built(self.world.build(builder, projectDescriptor="way/own.toml"))
        self.assertIn("OWN=from the source", log)
        self.refused(self.world.build(builder, projectDescriptor="folder/project.toml"), "leads out of the source by a link")
        self.world.put("project.toml", link=self.world.guarded + "/project.toml")
        self.refused(self.world.build(builder), "leads out of the source by a link")

    def repository(self, entries):
        """A commit of (mode, name, content or id), made without git's own checks of names."""
        repo = self.folder.name + "/repo.git"
        shutil.rmtree(repo, ignore_errors=True)
        git = ["git", "-C", repo, "-c", "user.name=t", "-c", "user.email=t@example.com"]

        def run(words, data=b""):
            return subprocess.run(git + words, input=data, check=True, capture_output=True).stdout.decode().strip()

        subprocess.run(["git", "init", "-q", "--bare", repo], check=True)
        tree = b""
        for mode, name, what in sorted(entries, key=lambda one: one[1]):
            oid = what if mode == "160000" else run(["hash-object", "-w", "--stdin"], what)
            tree += mode.encode() + b" " + name + b"\0" + bytes.fromhex(oid)
        root = hashlib.sha1(b"tree %d\0" % len(tree) + tree, usedforsecurity=False).hexdigest()
        os.makedirs(f"{repo}/objects/{root[:2]}", exist_ok=True)
        with open(f"{repo}/objects/{root[:2]}/{root[2:]}", "wb") as file:
            file.write(zlib.compress(b"tree %d\0" % len(tree) + tree))
        return {"git": {"url": "file://" + repo, "revision": run(["commit-tree", root, "-m", "x"]), "initializeSubmodules": True}}

    def test_repositories(self):
        builder = self.world.builder(LAUNCH + 'cd /workspace && cp -R . "$1/data/"')
        image, _ = self.built(self.world.build(builder, source=self.repository([
            ("100644", b"\xff\xfe", b"2"), ("120000", b"out", self.world.guarded.encode()), ("100644", b"-rf", b"3")])))
        self.assertEqual({"-rf", "out"} - {name.partition("/data/")[2] for name in self.entries(image, 2)}, set())
        for name in (b".git", b".GIT", b"git~1", b".g\xe2\x80\x8cit", b"..", b"a/b", b"new\nline", b"e\033[31m"):
            self.refused(self.world.build(builder, source=self.repository([("100644", name, b"x")])), "unsafe name")
        self.refused(self.world.build(builder, source=self.repository([("120000", b"link", b"x\0y")])), "no valid link")

    def bad_or_good(self, request):
        done, events = self.world.run(self.key(request))
        self.assertIn((done.returncode, events[-1]["type"]), ((0, "result"), (1, "failure")))
        self.untouched(done.stderr.decode(errors="replace") + done.stdout.decode())

    def test_submodules(self):
        builder = self.world.builder(LAUNCH)
        ran = self.folder.name + "/ran"
        for url in (f"ext::sh -c touch% {ran}", f"--upload-pack=touch {ran}", f"ssh://-oProxyCommand=touch%20{ran}/x", f"-oProxyCommand=touch {ran}:x",
                    "file://" + self.world.guarded, self.world.guarded, "fd::17", f"http://-u{ran}/x"):
            modules = f'[submodule "m"]\n\tpath = m\n\turl = "{url}"\n\tupdate = !touch {ran}\n'.encode()
            source = self.repository([("100644", b".gitmodules", modules), ("160000", b"m", "1" * 40)])
            done, events = self.world.run(self.key(self.world.build(builder, source=source)))
            self.assertEqual((done.returncode, events[-1]["type"]), (1, "failure"), url)
            self.assertIn("submodule 'm'", events[-1]["text"])
            self.assertFalse(os.path.exists(ran), url)
        # A list that is a link names nothing.
        source = self.repository([("120000", b".gitmodules", f"{self.world.guarded}/project.toml".encode()), ("160000", b"m", "1" * 40)])
        self.refused(self.world.build(builder, source=source), "names no url")

    # Build configs

    def test_scripts_and_their_sources(self):
        guarded = self.world.guarded
        odd = f"""mkfifo pipe
ln -s b a && ln -s a b && ln -s {guarded} out
touch "$(printf 'a\\nb')" "$(printf '\\377\\376')"
echo s >set && chmod 6755 set
mkdir shut && echo x >shut/file && chmod 000 shut/file shut
"""
        image, _ = self.built(self.world.s2i(self.world.script_image(odd)))
        found = self.entries(image, -1)
        self.assertTrue(found["opt/app/pipe"].isfifo())
        self.assertEqual(found["opt/app/out"].linkname, guarded)
        self.assertEqual(stat.S_IMODE(found["opt/app/set"].mode), 0o6755)
        self.refused(self.world.s2i(self.world.script_image("truncate -s 300G endless")), "endless' of 322122547200 bytes: all would be larger")
        fine = self.world.script_image("env")
        for more in ([("etc", LINK, guarded)], [("opt/app", LINK, guarded)], [("tmp", LINK, guarded)]):
            self.bad_or_good(self.world.s2i(self.world.script_image("env", more)))
        self.refused(self.world.s2i(self.world.script_image("env", [("etc/passwd", PIPE, None)])), "is no plain file")
        self.refused(self.world.s2i(self.world.script_image("env", Labels={"io.openshift.s2i.scripts-url": "file://" + guarded})), "is not read here")
        self.refused(self.world.s2i(self.world.script_image("env", Labels={
            "io.openshift.s2i.scripts-url": "image:///usr/s2i", "io.openshift.s2i.destination": "../.." + guarded})), "no absolute path")
        for name, target in ((".s2i/environment", guarded + "/environment"), (".s2i/bin/assemble", guarded + "/assemble"), (".s2iignore", "/dev/zero")):
            self.world.put(name, link=target)
            self.bad_or_good(self.world.s2i(fine))
            os.remove(os.path.join(self.world.app, name))
        shutil.rmtree(self.world.app + "/.s2i")
        self.world.put(".s2i", link=guarded)
        self.bad_or_good(self.world.s2i(fine))

    @unittest.skipUnless(shutil.which("buildah"), "there is no buildah here")
    def test_contexts_of_dockerfiles(self):
        guarded = self.world.guarded
        self.world.put("Dockerfile", link=guarded + "/Dockerfile")
        self.refused(self.world.docker(), "it leads out of the source")
        os.remove(self.world.app + "/Dockerfile")
        base = self.world.layouts.put("registry.local/base:1", [self.world.base], {"Env": ["PATH=/bin"]})
        self.world.put("Dockerfile", f"FROM {base}\nCOPY . /all/\n")
        self.world.put("out", link=guarded)
        image, _ = self.built(self.world.docker())
        self.assertTrue([one for name, one in self.entries(image, -1).items() if name.endswith("all/out") and one.issym()])
        for name in (".dockerignore", "Dockerfile.dockerignore"):
            for target in (guarded + "/.dockerignore", "/dev/zero"):
                self.world.put(name, link=target)
                self.refused(self.world.docker(), "leads out of the source")
                os.remove(os.path.join(self.world.app, name))

    @unittest.skipUnless(shutil.which("buildah"), "there is no buildah here")
    def test_addresses_in_dockerfiles(self):
        """What ADD fetches is fetched by the engine, not in a container: without network neither reaches anything."""
        asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append(self.path)
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"fetched\n")

            def log_message(self, *_):
                return None

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/of-the-machine"
        base = self.world.layouts.put("registry.local/base:1", [self.world.base], {"Env": ["PATH=/bin"]})
        later = self.world.layouts.put("registry.local/later:1", [self.world.base], {"Env": ["PATH=/bin"], "OnBuild": [f"ADD {address} /x"]})
        for text in (f"FROM {base}\nARG from={address}\nADD $from /x\n", f"FROM {later}\nLABEL a=b\n"):
            self.world.put("Dockerfile", text)
            self.refused(self.world.docker(), "unreachable")
            self.assertEqual(asked, [], text)
            self.built(self.world.docker(network="host"))
            self.assertNotEqual(asked, [], text)
            asked.clear()

    @unittest.skipUnless(shutil.which("buildah"), "there is no buildah here")
    def test_contexts_of_extensions(self):
        root = "cnb/extensions/test_odd/1"
        for make, says in ((f"ln -s {self.world.guarded}/.dockerignore", "leads out of the source"), ("mkfifo", "'.dockerignore' is no plain file")):
            script = f'#!/bin/sh\nset -e\nprintf "ARG base_image\\nFROM \\${{base_image}}\\nCOPY . /srv/\\n" >"$CNB_OUTPUT_DIR/build.Dockerfile"\nmkdir "$CNB_OUTPUT_DIR/context"\n{make} "$CNB_OUTPUT_DIR/context/.dockerignore"\n'
            more = [("/".join(root.split("/")[:i + 1]), DIR, None) for i in range(4)] + [
                (root + "/extension.toml", FILE, b'api = "0.10"\n[extension]\nid = "test/odd"\nversion = "1"\n'), (root + "/bin", DIR, None),
                (root + "/bin/generate", FILE, script.encode()), ("cnb/order.toml", FILE, (ORDER + '[[order-extensions]]\n[[order-extensions.group]]\nid = "test/odd"\nversion = "1"\n').encode())]
            builder = self.world.builder(LAUNCH, more=more)
            self.refused(self.world.build(builder, engine="buildah"), says)


# Only these: those of the worker itself are test_worker.sh's.
for inherited in [name for name in dir(worker.WorkerTest) if name.startswith("test_")]:
    setattr(HostileTest, inherited, None)
del worker.WorkerTest

if __name__ == "__main__":
    unittest.main()
