#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Drives `reconcile worker` with requests as the scheduler makes them; images live in layouts below a temporary folder."""
import base64
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from layouts import REF_NAME, Layouts, layer_of, packed, sha  # noqa: E402

PROGRAM = os.path.abspath(sys.argv.pop(1))
KEY = "reconcile.dev/build-key"

DESCRIPTOR = 'api = "0.10"\n[buildpack]\nid = "test/hello"\nversion = "1.0.0"\n'
DETECT = "#!/bin/sh\nexit 0\n"
BUILD = """#!/bin/sh
set -eu
echo "building with $GREETING"
echo "the password is $(cat /platform/bindings/db/password)"
mkdir -p "$1/data" "$1/kept"
cat /platform/bindings/db/type >"$1/data/binding"
printf '%s' "$GREETING" >"$1/data/greeting"
ls >"$1/data/files"
if [ -f "$1/kept/count" ]; then echo again >>"$1/kept/count"; else echo once >"$1/kept/count"; fi
printf '[types]\\nlaunch = true\\n' >"$1/data.toml"
printf '[types]\\ncache = true\\n' >"$1/kept.toml"
printf '[[processes]]\\ntype = "web"\\ncommand = ["cat", "/layers/test_hello/data/greeting"]\\ndefault = true\\n' >"$1/launch.toml"
case "$GREETING" in
fail) exit 7 ;;
sleep) sleep 60 ;;
esac
"""


class World:
    """A stack, a buildpack, an application: what a scheduler would have found in manifests."""
    names = ["sh", "cat", "mkdir", "ls", "sleep", "env"]

    def __init__(self, root):
        self.root = root
        self.layouts = Layouts(os.path.join(root, "registry"))
        with open(shutil.which("busybox"), "rb") as file:
            busybox = file.read()
        self.base = layer_of([("bin", 0o755, None, None), ("bin/busybox", 0o755, busybox, None)]
                             + [("bin/" + name, 0o777, None, "busybox") for name in self.names]
                             + [("etc", 0o755, None, None), ("etc/passwd", 0o644, b"cnb:x:1001:1000::/home/cnb:/bin/sh\n", None),
                                ("home", 0o755, None, None), ("home/cnb", 0o777, None, None), ("tmp", 0o1777, None, None)])
        labels = {"io.buildpacks.stack.id": "test.stack"}
        self.build_image = self.layouts.put("registry.local/stack:build", [self.base], {
            "Env": ["PATH=/bin", "CNB_USER_ID=1001", "CNB_GROUP_ID=1000", "CNB_STACK_ID=test.stack"], "Labels": labels})
        self.run_image = self.put_run_image(b"1")
        buildpack = layer_of([("cnb", 0o755, None, None), ("cnb/buildpacks", 0o755, None, None),
                              ("cnb/buildpacks/test_hello", 0o755, None, None),
                              ("cnb/buildpacks/test_hello/1.0.0", 0o755, None, None),
                              ("cnb/buildpacks/test_hello/1.0.0/buildpack.toml", 0o644,
                               DESCRIPTOR.encode(), None),
                              ("cnb/buildpacks/test_hello/1.0.0/bin", 0o755, None, None),
                              ("cnb/buildpacks/test_hello/1.0.0/bin/detect", 0o755, DETECT.encode(), None),
                              ("cnb/buildpacks/test_hello/1.0.0/bin/build", 0o755, BUILD.encode(), None)])
        self.buildpack_diff = sha(buildpack)
        self.buildpack = self.layouts.put("registry.local/buildpack:1", [buildpack], {})
        self.app = os.path.join(root, "app")
        os.mkdir(self.app)
        with open(self.app + "/hello.txt", "w", encoding="ascii") as file:
            file.write("hello\n")

    def put_run_image(self, version):
        more = layer_of([("etc", 0o755, None, None), ("etc/version", 0o644, version, None)])
        return self.layouts.put("registry.local/stack:run", [self.base, more], {
            "Env": ["PATH=/bin"], "Labels": {"io.buildpacks.stack.id": "test.stack"}})

    def request(self, action, **more):
        return {"format": 1, "action": action, "id": "Image/test/app#1", "manifestDir": self.root,
                "cacheDir": self.root + "/cache", "tempDir": self.root + "/temp", "now": 1700000000, "network": "none",
                "registries": [{"prefix": "registry.local", "layout": self.root + "/registry"}], **more}

    def compose(self):
        element = {"id": "test/hello", "version": "1.0.0"}
        return self.request("compose", compose={
            "tag": "registry.local/builder:latest", "buildImage": self.build_image, "runImage": self.run_image,
            "stackId": "test.stack", "key": "sha256:" + "c" * 64, "order": [{"group": [element]}],
            "apis": {}, "buildpacks": [{"buildpack": {**element, "api": "0.10"}, "image": self.buildpack,
                                        "diffId": self.buildpack_diff, "size": 100}]})

    def build(self, builder, key="a", greeting="hello", **more):
        return self.request("build", **{
            "buildKey": "sha256:" + key * 64, "tags": ["registry.local/app:latest", "registry.local/app:b1"],
            "builderImage": builder["image"], "runImage": builder["runImage"], "runImageName": builder["runImage"],
            "source": {"local": {"path": "app"}}, "env": [{"name": "GREETING", "value": greeting}], "cacheKey": "test/app",
            "bindings": [{"name": "db", "files": {"type": base64.b64encode(b"postgres").decode(),
                                                     "password": base64.b64encode(b"hunter2-and-more").decode()}}],
            "reasons": ["Build reason(s): CONFIG"], **more})

    def run(self, request):
        done = subprocess.run([PROGRAM, "worker"], input=json.dumps(request).encode(), capture_output=True, timeout=120)
        events = [json.loads(line) for line in done.stdout.decode().splitlines()]
        return done, events


class WorkerTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="worker-")
        self.world = World(self.folder.name)

    def tearDown(self):
        left = os.listdir(self.folder.name + "/temp") if os.path.isdir(self.folder.name + "/temp") else []
        self.folder.cleanup()
        self.assertEqual(left, [], "temporary folders are left")

    def good(self, request):
        done, events = self.world.run(request)
        self.assertEqual((done.returncode, events[-1]["type"]), (0, "result"), done.stderr.decode(errors="replace"))
        return events[-1], done.stderr.decode(errors="replace"), events

    def bad(self, request):
        done, events = self.world.run(request)
        self.assertEqual((done.returncode, events[-1]["type"]), (1, "failure"), done.stderr.decode(errors="replace"))
        return events[-1], done.stderr.decode(errors="replace")

    def layer_files(self, pinned, number):
        manifest, _ = self.world.layouts.read(pinned)
        place = pinned.partition("@")[0]
        path = os.path.join(self.world.layouts.root, place, "blobs/sha256", manifest["layers"][number]["digest"][7:])
        with tarfile.open(path) as tar:
            return {one.name: tar.extractfile(one).read() if one.isfile() else None for one in tar}

    def test_compose_and_build_and_adopt(self):
        builder, _, _ = self.good(self.world.compose())
        _, config = self.world.layouts.read(builder["image"])
        self.assertEqual(config["config"]["WorkingDir"], "/layers")
        self.assertIn("test/hello", json.loads(config["config"]["Labels"]["io.buildpacks.buildpack.layers"]))
        self.assertTrue(builder["runImage"].endswith(self.world.run_image.partition("@")[2]))
        again, _, _ = self.good(self.world.compose())
        self.assertEqual((again["image"], again["adopted"]), (builder["image"], True))

        result, log, events = self.good(self.world.build(builder))
        self.assertEqual([one["name"] for one in events if one["type"] == "phase"],
                         ["PREPARE", "ANALYZE", "DETECT", "RESTORE", "BUILD", "EXPORT", "COMPLETION"])
        self.assertIn("===> BUILD", log)
        self.assertIn("building with hello", log)
        self.assertIn("the password is *****", log)
        self.assertNotIn("hunter2", log + json.dumps(events))
        self.assertIn("Build reason(s): CONFIG", log)
        manifest, config = self.world.layouts.read(result["image"])
        self.assertEqual(manifest["annotations"][KEY], "sha256:" + "a" * 64)
        self.assertEqual(config["config"]["Entrypoint"], ["/cnb/process/web"])
        self.assertEqual([(one["id"], one["version"]) for one in result["buildpacks"]], [("test/hello", "1.0.0")])
        self.assertEqual(result["stackId"], "test.stack")
        files = self.layer_files(result["image"], 2)
        self.assertEqual(files["/layers/test_hello/data/greeting"], b"hello")
        self.assertEqual(files["/layers/test_hello/data/binding"], b"postgres")
        self.assertEqual(files["/layers/test_hello/data/files"], b"hello.txt\n")
        for tag in ("latest", "b1"):
            self.assertEqual(self.world.layouts.tag("registry.local/app:" + tag), result["image"].partition("@")[2])

        adopted, log, events = self.good(self.world.build(builder))
        self.assertTrue(adopted["adopted"])
        self.assertEqual(adopted["image"], result["image"])
        for event in (result, adopted):  # for image streams, which record what was pushed
            self.assertEqual(sha(event["manifest"].encode()), event["image"].partition("@")[2])
            self.assertEqual(sha(event["config"].encode()), json.loads(event["manifest"])["config"]["digest"])
        self.assertEqual(adopted["buildpacks"], [{"id": "test/hello", "version": "1.0.0"}])
        self.assertEqual(adopted["runImage"], result["runImage"])
        self.assertNotIn("BUILD", [one["name"] for one in events if one["type"] == "phase"])

    def test_same_inputs_give_the_same_digest(self):
        builder, _, _ = self.good(self.world.compose())
        digests = set()
        for _ in range(2):
            digests.add(self.good(self.world.build(builder, cacheKey=None))[0]["image"])
            shutil.rmtree(self.folder.name + "/registry/registry.local/app")
        self.assertEqual(len(digests), 1)

    def test_cached_layers_come_back(self):
        builder, _, _ = self.good(self.world.compose())
        first, _, _ = self.good(self.world.build(builder))
        second, log, _ = self.good(self.world.build(builder, key="b", previousImage=first["image"]))
        self.assertIn('Restoring data for "test/hello:kept" from cache', log)
        self.assertIn("Reusing layer 'test/hello:data'", log)
        cache = os.path.join(self.folder.name, "cache/cnb")
        (only,) = os.listdir(cache)
        with open(os.path.join(cache, only, "committed/metadata.json"), encoding="utf-8") as file:
            sha_of = json.load(file)["buildpacks"][0]["layers"]["kept"]["sha"]
        with tarfile.open(os.path.join(cache, only, "committed", sha_of[7:] + ".tar.gz")) as tar:
            self.assertEqual(tar.extractfile("/layers/test_hello/kept/count").read(), b"once\nagain\n")
        self.assertNotEqual(first["image"], second["image"])

    def test_caches_have_a_size(self):
        builder, _, _ = self.good(self.world.compose())
        first, log, _ = self.good(self.world.build(builder, cacheBytes=10))
        self.assertIn("layer 'test/hello:kept' is not cached", log)
        _, log, _ = self.good(self.world.build(builder, key="b", previousImage=first["image"], cacheBytes=100000))
        self.assertNotIn('Restoring data for "test/hello:kept"', log)
        self.assertIn("Adding cache layer 'test/hello:kept'", log)
        _, log, _ = self.good(self.world.build(builder, key="c", previousImage=first["image"], cacheBytes=10))
        self.assertIn('Restoring data for "test/hello:kept" from cache', log)
        self.assertIn("layer 'test/hello:kept' is not cached", log)

    def test_cache_images_serve_other_machines(self):
        builder, _, _ = self.good(self.world.compose())
        cache, kept = "registry.local/app:cache", "/layers/test_hello/kept/count"

        def build(key, machine, greeting="hello"):
            result, log, _ = self.good(self.world.build(builder, key=key, greeting=greeting, cacheImage=cache,
                                                        cacheDir=os.path.join(self.world.root, machine)))
            pinned = "registry.local/app@" + self.world.layouts.tag(cache)
            _, config = self.world.layouts.read(pinned)
            metadata = json.loads(config["config"]["Labels"]["io.buildpacks.lifecycle.cache.metadata"])
            at = config["rootfs"]["diff_ids"].index(metadata["buildpacks"][0]["layers"]["kept"]["sha"])
            return log, self.layer_files(pinned, at)[kept]

        _, count = build("a", "one")
        self.assertEqual(count, b"once\n")
        log, count = build("b", "two")
        self.assertIn('Restoring data for "test/hello:kept" from cache', log)
        self.assertEqual(count, b"once\nagain\n")
        # Back on the first machine, whose folder is older than the image.
        log, count = build("c", "one")
        self.assertEqual(count, b"once\nagain\nagain\n")
        # Without the image there is no cache, whatever the folder has.
        path = os.path.join(self.world.layouts.root, "registry.local/app/index.json")
        with open(path, encoding="utf-8") as file:
            index = json.load(file)
        index["manifests"] = [one for one in index["manifests"] if one.get("annotations", {}).get(REF_NAME) != "cache"]
        with open(path, "w", encoding="utf-8") as file:
            json.dump(index, file)
        log, count = build("d", "one")
        self.assertEqual(count, b"once\n")
        # Something else under its name is no cache either.
        self.world.layouts.put(cache, [self.world.base], {})
        log, count = build("e", "one")
        self.assertIn("is not used: it has no label", log)
        self.assertEqual(count, b"once\n")

    def test_rebase_moves_the_base_only(self):
        builder, _, _ = self.good(self.world.compose())
        first, _, _ = self.good(self.world.build(builder))
        moved = self.world.put_run_image(b"2")
        result, log, events = self.good(self.world.request(
            "rebase", buildKey="sha256:" + "d" * 64, tags=["registry.local/app:latest"], previousImage=first["image"],
            runImage=moved, runImageName=builder["runImage"], builderImage=builder["image"]))
        old, new = self.world.layouts.read(first["image"])[1], self.world.layouts.read(result["image"])[1]
        self.assertNotEqual(old["rootfs"]["diff_ids"][1], new["rootfs"]["diff_ids"][1])
        self.assertEqual(old["rootfs"]["diff_ids"][2:], new["rootfs"]["diff_ids"][2:])
        self.assertEqual(result["runImage"], moved)
        self.assertEqual(result["buildpacks"], [{"id": "test/hello", "version": "1.0.0"}])
        self.assertIn("===> REBASE", log)

    def test_failures_say_whose_they_are(self):
        builder, _, _ = self.good(self.world.compose())
        failure, _ = self.bad(self.world.build(builder, greeting="fail"))
        self.assertEqual((failure["failure"], failure["exitCode"], failure["name"]), ("build", 51, "BUILD"))
        self.assertIn("exit status 7", failure["text"])
        failure, _ = self.bad(self.world.build(builder, greeting="sleep", timeoutSeconds=2))
        self.assertEqual((failure["failure"], failure["timeout"]), ("build", True))
        self.assertIn("DeadlineExceeded", failure["text"])
        failure, _ = self.bad(self.world.build(builder, runImage="registry.local/none@sha256:" + "0" * 64))
        self.assertEqual((failure["failure"], failure["name"]), ("absent", "PREPARE"))
        failure, _ = self.bad(self.world.build(builder, content="sha256:" + "0" * 64))
        self.assertEqual((failure["failure"], failure["name"]), ("conflict", "PREPARE"))
        failure, _ = self.bad(self.world.build(builder, source={"local": {"path": "app"}, "subPath": "../.."}))
        self.assertIn("leads out of the source", failure["text"])
        self.assertIsNone(self.world.layouts.tag("registry.local/app:latest") if os.path.exists(
            self.folder.name + "/registry/registry.local/app/index.json") else None)

    def test_git_sources_are_fetched_by_commit(self):
        builder, _, _ = self.good(self.world.compose())
        repo = self.folder.name + "/repo"
        os.makedirs(repo + "/sub")
        with open(repo + "/sub/inside", "w", encoding="ascii") as file:
            file.write("x")
        git = ["git", "-C", repo, "-c", "user.name=t", "-c", "user.email=t@example.com"]
        for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
            subprocess.run(git + words, check=True)
        commit = subprocess.run(git + ["rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
        result, _, _ = self.good(self.world.build(builder, source={"git": {"url": "file://" + repo, "revision": commit},
                                                                   "subPath": "sub"}))
        self.assertEqual(self.layer_files(result["image"], 2)["/layers/test_hello/data/files"], b"inside\n")
        _, config = self.world.layouts.read(result["image"])
        project = json.loads(config["config"]["Labels"]["io.buildpacks.project.metadata"])
        self.assertEqual(project["source"]["version"]["commit"], commit)

    def test_project_descriptor_leaves_files_out(self):
        builder, _, _ = self.good(self.world.compose())
        for name in ("drop.log", "keep.txt"):
            with open(os.path.join(self.world.app, name), "w", encoding="ascii") as file:
                file.write("x")
        with open(os.path.join(self.world.app, "project.toml"), "w", encoding="ascii") as file:
            file.write('[_]\nschema-version = "0.2"\n[io.buildpacks]\nexclude = ["*.log"]\n'
                       '[[io.buildpacks.build.env]]\nname = "GREETING"\nvalue = "from the project"\n')
        result, log, _ = self.good(self.world.build(builder, env=[]))
        self.assertIn("building with from the project", log)
        self.assertEqual(self.layer_files(result["image"], 2)["/layers/test_hello/data/files"],
                         b"hello.txt\nkeep.txt\nproject.toml\n")

    def test_project_descriptor_brings_inline_buildpacks(self):
        builder, _, _ = self.good(self.world.compose())
        project = ('[_]\nschema-version = "0.2"\n[[io.buildpacks.group]]\nid = "%s"\n[[io.buildpacks.group]]\n'
                   'id = "mine/inline"\n[io.buildpacks.group.script]\napi = "0.10"\ninline = """\n'
                   'echo inline as $(env | grep -c CNB_BUILDPACK_DIR)\nmkdir "$1/made"\n'
                   'printf \'[types]\\nlaunch = true\\n\' >"$1/made.toml"\necho hi >"$1/made/file"\n"""\n')
        with open(os.path.join(self.world.app, "project.toml"), "w", encoding="ascii") as file:
            file.write(project % "test/hello")
        result, log, _ = self.good(self.world.build(builder))
        self.assertIn("inline as 1", log)
        self.assertEqual([one["id"] for one in result["buildpacks"]], ["test/hello", "mine/inline"])
        self.assertEqual(self.layer_files(result["image"], 3)["/layers/mine_inline/made/file"], b"hi\n")
        with open(os.path.join(self.world.app, "project.toml"), "w", encoding="ascii") as file:
            file.write(project % "test/absent")
        result, _ = self.bad(self.world.build(builder, key="b"))
        self.assertIn("buildpack 'test/absent' is not on the builder", json.dumps(result))

    def test_requests_that_are_none_are_refused(self):
        for request in ({}, [], {"format": 2, "action": "build"}, self.world.request("build")):
            failure, _ = self.bad(request)
            self.assertEqual(failure["failure"], "invalid")

    def test_secrets_of_a_build_config_are_hidden(self):
        values = ["hidden-variable", "token-of-jenkins", "value-in-a-file"]
        config = {"config": "a", "build": "a-1", "namespace": "shop", "number": 1,
                  "spec": {"source": {"dockerfile": "FROM x"}, "strategy": {"dockerStrategy": {}}, "output": {}},
                  "hidden": [values[0]], "jenkins": {"url": "http://ci.local", "user": "u", "token": values[1]},
                  "files": [{"purpose": "input", "name": "s", "secret": True,
                             "files": {"k": base64.b64encode(values[2].encode()).decode()}},
                            {"purpose": "input", "name": "m", "files": {"k": base64.b64encode(b"known-to-all").decode()}}]}
        for value in values + ["known-to-all"]:
            failure, log = self.bad(self.world.request("tag", tags=["registry.local/app:1"], previousImage=f"registry.local/{value}:1",
                                                       buildConfig=config))
            self.assertEqual(value in failure["text"] + log, value == "known-to-all", failure)
            self.assertIn("registry.local/", failure["text"])


if __name__ == "__main__":
    unittest.main()
