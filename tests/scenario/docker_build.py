#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Dockerfiles built by `reconcile worker` with requests as the scheduler makes them, by a real engine: docker_build.py PROGRAM
ENGINE (buildah, or docker with DOCKER_HOST set). Images live in layouts, and in the registries that REGISTRY (without a
password) and REGISTRY_AUTH (user:password@host) name. Made of one statically linked busybox; no network."""
import base64
import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from layouts import Layouts, layer_of, sha  # noqa: E402

PROGRAM = os.path.abspath(sys.argv.pop(1))
ENGINE = sys.argv.pop(1)
# Without root and without subordinate ids: there is no other user in a build.
SINGLE_ID = "SINGLE_ID" in os.environ
KEY = "reconcile.dev/build-key"
BASE = "registry.local/base:1"


def mounts():
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        return file.read()


def commands():
    """The command lines of all processes but ours."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                found[int(pid)] = file.read().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            pass
    found.pop(os.getpid(), None)
    return found


class World:
    def __init__(self, root):
        self.root = root
        self.layouts = Layouts(root + "/registry")
        with open(shutil.which("busybox"), "rb") as file:
            busybox = file.read()
        names = ["sh", "cat", "mkdir", "ls", "sleep", "env", "id", "cp", "rm", "wget", "true", "false", "stat",
                 "grep", "sort"]
        self.layers = [layer_of([("bin", 0o755, None, None), ("bin/busybox", 0o755, busybox, None)]
                                + [("bin/" + name, 0o777, None, "busybox") for name in names]
                                + [("etc", 0o755, None, None), ("etc/passwd", 0o644, b"root:x:0:0::/:/bin/sh\n", None),
                                   ("old", 0o755, None, None), ("old/file", 0o644, b"old\n", None), ("tmp", 0o1777, None, None)])]
        self.base = self.layouts.put(BASE, self.layers, {"Env": ["PATH=/bin", "FROM_BASE=yes"], "Cmd": ["/bin/sh"]})

    def request(self, dockerfile=None, strategy=None, spec=None, files=None, key="a", config=None, **more):
        """`files` go into the source; a Dockerfile beside them."""
        source = tempfile.mkdtemp(prefix="source-", dir=self.root)
        os.chmod(source, 0o755)
        for name, content in {**({"Dockerfile": dockerfile} if dockerfile else {}), **(files or {})}.items():
            os.makedirs(os.path.dirname(os.path.join(source, name)), exist_ok=True)
            with open(os.path.join(source, name), "w", encoding="utf-8") as file:
                file.write(content)
        body = {"source": {"binary": {}}, "strategy": {"dockerStrategy": {"dockerfilePath": "Dockerfile", **(strategy or {})}},
                "output": {"to": {"kind": "DockerImage", "name": "registry.local/app:latest"}}}
        body.update(spec or {})
        return {"format": 1, "action": "docker", "id": "Build/test/app-1", "manifestDir": self.root, "network": "none",
                "cacheDir": self.root + "/cache", "tempDir": self.root + "/temp", "now": 1700000000, "engine": ENGINE,
                "buildKey": "sha256:" + key * 64, "tags": ["registry.local/app:latest"], "reasons": ["Build reason(s): CONFIG"],
                "registries": [{"prefix": "registry.local", "layout": self.root + "/registry"}],
                "buildConfig": {"config": "app", "build": "app-1", "namespace": "test", "number": 1,
                                "spec": body, "binary": {"path": source}, **(config or {})}, **more}

    def start(self, request, env=None):
        worker = subprocess.Popen([PROGRAM, "worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  env={**os.environ, **(env or {})})
        worker.stdin.write(json.dumps(request).encode())
        worker.stdin.close()
        worker.stdin = None
        return worker


class BuildTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="docker-build-")
        os.chmod(self.folder.name, 0o755)
        self.world = World(self.folder.name)

    def tearDown(self):
        temp = self.folder.name + "/temp"
        left = os.listdir(temp) if os.path.isdir(temp) else []
        self.assertNotIn(self.folder.name, mounts(), "mounts are left")
        self.assertEqual([one for one in commands().values() if self.folder.name in one], [], "processes are left")
        # Files of subordinate users are theirs to remove.
        if os.geteuid() != 0:
            subprocess.run(["buildah", "unshare", "rm", "-rf", self.folder.name + "/cache"], check=False, capture_output=True)
        self.folder.cleanup()
        self.assertEqual(left, [], "temporary folders are left")

    def run_it(self, request, env=None):
        worker = self.world.start(request, env)
        out, log = worker.communicate(timeout=300)
        events = [json.loads(line) for line in out.decode().splitlines()]
        return worker.returncode, events, log.decode(errors="replace")

    def good(self, *args, env=None, **more):
        code, events, log = self.run_it(self.world.request(*args, **more), env)
        self.assertEqual((code, events[-1]["type"]), (0, "result"), log)
        return events[-1], log, events

    def bad(self, *args, env=None, **more):
        code, events, log = self.run_it(self.world.request(*args, **more), env)
        self.assertEqual((code, events[-1]["type"]), (1, "failure"), log)
        return events[-1], log

    def files(self, pinned, number):
        """Names and contents of one layer."""
        manifest, _ = self.world.layouts.read(pinned)
        path = os.path.join(self.world.layouts.root, pinned.partition("@")[0], "blobs/sha256",
                            manifest["layers"][number]["digest"][7:])
        with tarfile.open(path) as tar:
            return {one.name.rstrip("/"): tar.extractfile(one).read().decode(errors="replace") if one.isfile() else None for one in tar}

    def all_files(self, pinned):
        manifest, _ = self.world.layouts.read(pinned)
        found = {}
        for number in range(len(manifest["layers"])):
            found.update(self.files(pinned, number))
        return found


class EveryEngine(BuildTest):
    """What holds for all of them."""

    def test_several_stages(self):
        """Arguments, stages, files of an image, ignored files, a user, and what OpenShift adds."""
        other = self.world.layouts.put("registry.local/other:2", self.world.layers + [
            layer_of([("gift", 0o644, b"from another image\n", None)])], {}, docker=True)
        result, log, events = self.good("""\
ARG TAG=0
FROM registry.local/base:${TAG} AS one
ARG WORD
RUN echo "$WORD" >/one
FROM pinned
COPY --from=registry.local/other:2 /gift /gift
COPY --from=one /one /two
COPY . /src
RUN rm /old/file && echo "$FROM_BASE $GREETING" >/three
ENV LAST="$GREETING!"
USER 1001:5
""" + ("" if SINGLE_ID else "RUN id -u >/tmp/user\n"), strategy={"buildArgs": [{"name": "TAG", "value": "1"}, {"name": "WORD", "value": "a word"}],
               "env": [{"name": "GREETING", "value": "hello \"you\""}]},
            spec={"source": {"binary": {}, "images": [{"from": {"kind": "DockerImage", "name": self.world.base}, "as": ["pinned"]}]},
                  "output": {"to": {"kind": "DockerImage", "name": "registry.local/app:latest"},
                             "imageLabels": [{"name": "tier", "value": "$FROM_BASE"}, {"name": "io.openshift.build.name", "value": "mine"}]}},
            files={".dockerignore": "# nothing of this\n*.log\n!keep.log\nsecret/**\n", "a.log": "no", "keep.log": "yes",
                   "secret/key": "no", "app/main": "yes"})
        self.assertEqual([one["name"] for one in events if one["type"] == "phase"], ["FETCH", "PULL", "BUILD", "PUSH"])
        self.assertTrue(result["engine"].startswith(ENGINE + " "), result["engine"])
        self.assertEqual(result["bases"], {BASE: self.world.base, self.world.base: self.world.base, "registry.local/other:2": other})
        manifest, config = self.world.layouts.read(result["image"])
        self.assertEqual(manifest["mediaType"], "application/vnd.oci.image.manifest.v1+json")
        self.assertEqual(manifest["annotations"], {KEY: "sha256:" + "a" * 64})
        base, _ = self.world.layouts.read(self.world.base)
        self.assertEqual(manifest["layers"][0], base["layers"][0], "the base's layer is packed anew")
        self.assertEqual(len(manifest["layers"]), len(config["rootfs"]["diff_ids"]))
        for number, layer in enumerate(manifest["layers"]):
            place = os.path.join(self.world.layouts.root, "registry.local/app/blobs/sha256", layer["digest"][7:])
            with gzip.open(place) as file:
                self.assertEqual(sha(file.read()), config["rootfs"]["diff_ids"][number])
        found = self.all_files(result["image"])
        self.assertEqual((found["two"], found["three"], found["gift"]), ("a word\n", 'yes hello "you"\n', "from another image\n"))
        self.assertEqual((found["src/keep.log"], found["src/app/main"]), ("yes", "yes"))
        if not SINGLE_ID:
            self.assertEqual(found["tmp/user"], "1001\n")
        self.assertNotIn("src/a.log", found)
        self.assertNotIn("src/secret/key", found)
        self.assertIn("old/.wh.file", found)
        env = config["config"]["Env"]
        for entry in ("FROM_BASE=yes", 'GREETING=hello "you"', 'LAST=hello "you"!', "OPENSHIFT_BUILD_NAME=app-1",
                      "OPENSHIFT_BUILD_NAMESPACE=test"):
            self.assertIn(entry, env)
        labels = config["config"]["Labels"]
        self.assertEqual((labels["tier"], labels["io.openshift.build.name"], labels["io.openshift.build.namespace"]),
                         ("yes", "mine", "test"))
        self.assertEqual((config["config"]["User"], config["config"]["Cmd"]), ("1001:5", ["/bin/sh"]))
        self.assertNotIn("container_config", config)
        self.assertIn("Build reason(s): CONFIG", log)
        # The same build again was pushed before: it is found, nothing is built.
        again, log, events = self.good("FROM scratch\n")
        self.assertEqual((again["image"], again["adopted"]), (result["image"], True))
        self.assertNotIn("===> BUILD", log)

    def test_onbuild_and_what_only_docker_has(self):
        self.world.layouts.put("registry.local/onbuild:1", self.world.layers, {
            "Env": ["PATH=/bin"], "OnBuild": ["COPY . /auto", "RUN cat /auto/file >/done"]}, docker=True)
        result, _, _ = self.good('FROM registry.local/onbuild:1\nHEALTHCHECK CMD ["/bin/true"]\nSHELL ["/bin/sh", "-ec"]\n',
                                 files={"file": "triggered\n"})
        _, config = self.world.layouts.read(result["image"])
        self.assertEqual(self.all_files(result["image"])["done"], "triggered\n")
        self.assertEqual(config["config"]["Healthcheck"]["Test"], ["CMD", "/bin/true"])
        self.assertEqual(config["config"]["Shell"], ["/bin/sh", "-ec"])

    def test_inline_from_scratch(self):
        result, _, _ = self.good(spec={"source": {"dockerfile": "FROM scratch\nCOPY Dockerfile /it\nENV A=b\n"}},
                                 config={"binary": None})
        manifest, config = self.world.layouts.read(result["image"])
        self.assertEqual(len(manifest["layers"]), 1)
        self.assertTrue(self.files(result["image"], 0)["it"].startswith("FROM scratch\n"))
        self.assertIn("A=b", config["config"]["Env"])

    def test_another_base_and_place_of_the_dockerfile(self):
        other = self.world.layouts.put("registry.local/new:1", self.world.layers, {"Env": ["PATH=/bin", "NEW=1"]})
        request = {"strategy": {"from": {"kind": "DockerImage", "name": other}, "dockerfilePath": "deploy/Build.txt"},
                   "spec": {"source": {"binary": {}, "contextDir": "sub"}}}
        result, _, _ = self.good(files={"sub/deploy/Build.txt": "FROM registry.local/absent:1\nCOPY in /in\n", "sub/in": "x"}, **request)
        _, config = self.world.layouts.read(result["image"])
        self.assertIn("NEW=1", config["config"]["Env"])
        self.assertEqual(result["bases"], {other: other})
        failure, _ = self.bad(files={"sub/Dockerfile": "FROM scratch\n"}, key="b", **request)
        self.assertEqual((failure["reason"], failure["failure"]), ("ManageDockerfileFailed", "invalid"))
        self.assertIn("'deploy/Build.txt' in the folder 'sub' of the source", failure["text"])

    def test_mistakes(self):
        failure, log = self.bad("FROM registry.local/base:1\n\nRUN echo saying so && \\\n  false\n")
        self.assertEqual((failure["reason"], failure["failure"], failure["exitCode"], failure["name"]),
                         ("DockerBuildFailed", "build", 1, "BUILD"))
        self.assertIn("line 3 of the Dockerfile: ", failure["text"])
        self.assertIn("saying so", log)
        failure, _ = self.bad("FROM registry.local/base:1\nRUNN x\n")
        self.assertEqual((failure["reason"], failure["failure"]), ("DockerBuildFailed", "build"))
        self.assertIn("nknown instruction: ", failure["text"])
        failure, _ = self.bad("RUN true\n")
        self.assertEqual((failure["reason"], failure["failure"]), ("ManageDockerfileFailed", "invalid"))
        failure, _ = self.bad("FROM registry.local/absent:1\n")
        self.assertEqual((failure["reason"], failure["failure"]), ("PullBuilderImageFailed", "absent"))
        self.assertIn("registry.local/absent:1", failure["text"])

    def test_here_document(self):
        """Where the engine does not know them, they are named, and not what it takes their lines for."""
        text = "FROM registry.local/base:1\nRUN <<END\necho from here >/here\nEND\n"
        version = subprocess.run(["buildah", "--version"], check=False, capture_output=True).stdout.decode() if ENGINE == "buildah" else ""
        if version and int(version.split()[2].split(".")[1]) >= 33:
            result, _, _ = self.good(text)
            self.assertEqual(self.all_files(result["image"])["here"], "from here\n")
            return
        failure, _ = self.bad(text)
        self.assertEqual((failure["reason"], failure["failure"]), ("ManageDockerfileFailed", "invalid"))
        self.assertIn("line 2 of the Dockerfile: here-documents need buildah 1.33 or later", failure["text"])

    def test_no_output(self):
        result, log, events = self.good("FROM registry.local/base:1\nRUN true\n", tags=[])
        self.assertNotIn("image", result)
        self.assertNotIn("PUSH", [one.get("name") for one in events])
        self.assertIn("Nothing is pushed", log)

    @unittest.skipUnless(shutil.which("crun"), "hooks need crun")
    def test_hook(self):
        hook = {"postCommit": {"script": "cat /made && echo left >/left"}}
        result, log, events = self.good("FROM registry.local/base:1\nRUN echo made it >/made\n", spec={**hook, "source": {"binary": {}}})
        self.assertIn("POST-COMMIT", [one.get("name") for one in events])
        self.assertIn("made it\n", log)
        self.assertNotIn("left", self.all_files(result["image"]))
        failure, _ = self.bad("FROM registry.local/base:1\n", spec={"postCommit": {"command": ["/bin/false"]}}, key="b",
                              tags=["registry.local/other-app:1"])
        self.assertEqual(failure["reason"], "PostCommitHookFailed")
        self.assertFalse(os.path.exists(self.world.layouts.root + "/registry.local/other-app/index.json"))

    def test_deadline(self):
        failure, _ = self.bad("FROM registry.local/base:1\nRUN sleep 4242\n", timeoutSeconds=4)
        self.assertEqual((failure["timeout"], failure["reason"]), (True, "DockerBuildFailed"))
        self.assert_gone("sleep 4242")

    def assert_gone(self, text):
        for _ in range(100):
            found = [one for one in commands().values() if text in one]
            if not found:
                return
            time.sleep(0.1)
        self.fail(f"still there: {found}")

    def wait_for(self, text):
        for _ in range(600):
            found = commands()
            if any(one.strip() == text for one in found.values()):
                return found
            time.sleep(0.1)
        self.fail(f"nobody runs '{text}'")
        return None

    def test_cancelled(self):
        """And secrets are in no command line meanwhile."""
        hidden = "hunter2-and-more"
        worker = self.world.start(self.world.request(
            "FROM registry.local/base:1\nARG PASSWORD\nRUN echo \"it is $PASSWORD\" && sleep 4343\n",
            strategy={"buildArgs": [{"name": "PASSWORD", "value": hidden}]}, config={"hidden": [hidden]}))
        found = self.wait_for("sleep 4343")
        self.assertEqual([one for one in found.values() if hidden in one], [])
        worker.send_signal(signal.SIGTERM)
        out, log = worker.communicate(timeout=60)
        self.assertEqual(worker.returncode, 1)
        self.assertEqual(json.loads(out.decode().splitlines()[-1])["failure"], "cancelled")
        self.assertIn("it is *****", log.decode())
        self.assertNotIn(hidden, log.decode() + out.decode())
        self.assert_gone("sleep 4343")

    def test_secrets_are_not_in_the_history(self):
        hidden = "hunter2-and-more"
        result, log, _ = self.good("FROM registry.local/base:1\nARG PASSWORD\nRUN test -n \"$PASSWORD\"\n",
                                   strategy={"buildArgs": [{"name": "PASSWORD", "value": hidden}]}, config={"hidden": [hidden]})
        _, config = self.world.layouts.read(result["image"])
        self.assertNotIn(hidden, json.dumps(config) + log + json.dumps(result))

    def test_no_network(self):
        result, _, _ = self.good("FROM registry.local/base:1\nRUN cat /proc/net/dev >/net\n")
        self.assertNotIn("eth", self.all_files(result["image"])["net"])

    def test_registry(self):
        """From and to real ones, with a password that the engine does not get."""
        if "REGISTRY_AUTH" not in os.environ:
            self.skipTest("there is no registry")
        login, _, host = os.environ["REGISTRY_AUTH"].partition("@")
        user, _, password = login.partition(":")
        place = f"{host}/{ENGINE}/base-{os.getpid()}"
        subprocess.run(["skopeo", "copy", "-q", "--insecure-policy", "--dest-tls-verify=false", "--dest-creds", login,
                        f"oci:{self.world.layouts.root}/registry.local/base:1", f"docker://{place}:1"], check=True)
        login_entry = {"server": host, "user": user, "password": password}
        more = {"tags": [f"{host}/{ENGINE}/app:1", f"{host}/{ENGINE}/app:2"], "credentials": [login_entry]}
        result, log, _ = self.good(f"FROM {place}:1\nRUN env >/env\n", **more)
        seen = json.loads(subprocess.run(
            ["skopeo", "inspect", "--tls-verify=false", "--creds", login, f"docker://{host}/{ENGINE}/app:2"],
            check=True, capture_output=True).stdout)
        self.assertEqual(f"{host}/{ENGINE}/app@{seen['Digest']}", result["image"])
        base, _ = self.world.layouts.read(self.world.base)
        self.assertEqual(seen["Layers"][0], base["layers"][0]["digest"])
        self.assertEqual(result["bases"], {f"{place}:1": f"{place}@{self.world.base.partition('@')[2]}"})
        self.assertNotIn(password, log)
        more["credentials"] = []
        failure, _ = self.bad("FROM registry.local/base:1\n", key="b", **more)
        self.assertEqual((failure["reason"], failure["failure"]), ("PushImageToRegistryFailed", "transient"))
        failure, _ = self.bad(f"FROM {place}:1\n", key="b", credentials=[])
        self.assertEqual((failure["reason"], failure["failure"]), ("PullBuilderImageFailed", "transient"))


class Buildah(EveryEngine):
    def test_cache(self):
        text = "FROM registry.local/base:1\nRUN echo one >/one\nCOPY file /file\nRUN echo two >/two\n"
        _, log, _ = self.good(text, files={"file": "1"})
        self.assertNotIn("Using cache", log)
        self.assertIn("Pulling image registry.local/base:1", log)
        _, log, _ = self.good(text, files={"file": "2"}, key="b")
        self.assertEqual(log.count("Using cache"), 1, log)
        self.assertNotIn("Pulling image", log)
        _, log, _ = self.good(text, files={"file": "2"}, key="c", strategy={"noCache": True})
        self.assertNotIn("Using cache", log)
        # A store that is broken is begun anew.
        for base, _, names in os.walk(self.folder.name + "/cache/docker"):
            for name in names:
                if name in ("images.json", "layers.json"):
                    with open(os.path.join(base, name), "w", encoding="ascii") as file:
                        file.write("{")
        self.good(text, files={"file": "3"}, key="d")

    def test_one_layer(self):
        text = "FROM registry.local/base:1\nRUN echo one >/one\nRUN echo two >/two && rm /one\n"
        result, log, events = self.good(text, strategy={"imageOptimizationPolicy": "SkipLayersAndWarn"})
        manifest, _ = self.world.layouts.read(result["image"])
        self.assertEqual(len(manifest["layers"]), 2)
        found = self.files(result["image"], 1)
        self.assertIn("two", found)
        self.assertNotIn("one", found)
        self.assertEqual([one["type"] for one in events].count("notice"), 1)
        result, _, events = self.good(text, strategy={"imageOptimizationPolicy": "None"}, key="b")
        manifest, _ = self.world.layouts.read(result["image"])
        self.assertEqual(len(manifest["layers"]), 3)

    def test_same_bytes(self):
        """With SOURCE_DATE_EPOCH two builds give the same config and layers."""
        text = "FROM registry.local/base:1\nRUN echo one >/one\nCOPY file /file\n"
        configs = []
        for key in "ab":
            result, _, _ = self.good(text, files={"file": "1"}, key=key,
                                     strategy={"noCache": True, "buildArgs": [{"name": "SOURCE_DATE_EPOCH", "value": "1600000000"}]})
            manifest, config = self.world.layouts.read(result["image"])
            self.assertEqual(config["created"], "2020-09-13T12:26:40Z")
            configs.append((manifest["config"]["digest"], [one["digest"] for one in manifest["layers"]]))
        self.assertEqual(configs[0], configs[1])

    def test_small_layers(self):
        result, _, _ = self.good("FROM registry.local/base:1\nRUN cat /bin/busybox /bin/busybox >/large\n", compression="small")
        manifest, config = self.world.layouts.read(result["image"])
        with gzip.open(os.path.join(self.world.layouts.root, "registry.local/app/blobs/sha256",
                                    manifest["layers"][1]["digest"][7:])) as file:
            self.assertEqual(sha(file.read()), config["rootfs"]["diff_ids"][1])

    def test_volumes(self):
        secret = base64.b64encode(b"hunter2-and-more").decode()
        result, log, _ = self.good(
            "FROM registry.local/base:1\nRUN cat /run/secrets/db/key && cat /settings/a/b >/b && ! echo x >/settings/a/b\n",
            config={"files": [
                {"purpose": "volume", "name": "db", "destination": "/run/secrets/db", "files": {"key": secret}, "secret": True},
                {"purpose": "volume", "name": "settings", "destination": "/settings",
                 "files": {"a/b": base64.b64encode(b"value").decode()}}]})
        found = self.all_files(result["image"])
        self.assertEqual(found["b"], "value")
        self.assertNotIn("run/secrets/db/key", found)
        self.assertIn("*****", log)
        self.assertNotIn("hunter2", log)

    def test_mounted_image(self):
        self.world.layouts.put("registry.local/tools:3", self.world.layers + [
            layer_of([("tool", 0o644, b"a tool\n", None)])], {})
        result, _, _ = self.good("FROM registry.local/base:1\n"
                                 "RUN --mount=type=bind,from=registry.local/tools:3,source=/,target=/mnt cat /mnt/tool >/seen\n")
        self.assertEqual(self.all_files(result["image"])["seen"], "a tool\n")
        self.assertIn("registry.local/tools:3", result["bases"])

    def test_memory(self):
        if os.geteuid() != 0:
            self.skipTest("limits need root here")
        failure, _ = self.bad("FROM registry.local/base:1\nRUN x=aaaaaaaaaaaaaaaa; while true; do x=$x$x; done\n",
                              resources={"limits": {"memory": "64Mi"}})
        self.assertEqual((failure["oom"], failure["reason"], failure["failure"]), (True, "OutOfMemoryKilled", "build"))

    def test_killed(self):
        """A worker that is killed leaves no process and no mount; the next one works and clears up."""
        worker = self.world.start(self.world.request("FROM registry.local/base:1\nRUN sleep 4444\n"))
        self.wait_for("sleep 4444")
        worker.kill()
        worker.communicate(timeout=60)
        self.assert_gone("sleep 4444")
        self.assertNotIn(self.folder.name, mounts())
        self.good("FROM registry.local/base:1\nRUN true\n")

    def test_at_once(self):
        """Two builds of one config do not wait for each other."""
        slow = self.world.start(self.world.request("FROM registry.local/base:1\nRUN sleep 4545\n"))
        self.wait_for("sleep 4545")
        self.good("FROM registry.local/base:1\nRUN true\n")
        self.assertIsNone(slow.poll())
        slow.terminate()
        slow.communicate(timeout=60)

    def test_no_engine(self):
        bin_dir = self.folder.name + "/bin"
        os.mkdir(bin_dir)
        for name in ("crun", "git", "rm"):
            if shutil.which(name):
                os.symlink(shutil.which(name), f"{bin_dir}/{name}")
        env = {"PATH": bin_dir, "DOCKER_HOST": f"unix://{self.folder.name}/absent.sock"}
        failure, _ = self.bad("FROM registry.local/base:1\n", engine="auto", env=env)
        self.assertEqual((failure["reason"], failure["failure"]), ("DockerBuildFailed", "invalid"))
        for part in ("no program 'buildah' in PATH", "absent.sock", "install buildah and crun, or docker.io"):
            self.assertIn(part, failure["text"])

    def test_chroot(self):
        if os.geteuid() != 0:
            self.skipTest("chroot isolation needs several user ids")
        self.good("FROM registry.local/base:1\nRUN true\n", isolation="chroot", network="host")
        failure, _ = self.bad("FROM registry.local/base:1\n", key="b", isolation="chroot")
        self.assertIn("without network in isolation 'chroot'", failure["text"])


class Daemon(EveryEngine):
    def test_what_it_cannot_do(self):
        failure, _ = self.bad("FROM registry.local/base:1\n", config={"files": [
            {"purpose": "volume", "name": "db", "destination": "/db", "files": {"key": "eA=="}}]})
        self.assertEqual((failure["reason"], failure["failure"]), ("DockerBuildFailed", "invalid"))
        self.assertIn("cannot mount volumes", failure["text"])

    def test_addresses_without_network(self):
        """The daemon would fetch them itself."""
        base = self.world.layouts.put("registry.local/later:1", self.world.layers, {"Env": ["PATH=/bin"], "OnBuild": ["ADD http://127.0.0.1:1/x /x"]})
        for text in ("FROM registry.local/base:1\nADD http://127.0.0.1:1/x /x\n", f"FROM {base}\nRUN true\n"):
            failure, _ = self.bad(text)
            self.assertEqual((failure["reason"], failure["failure"]), ("DockerBuildFailed", "invalid"))
            self.assertIn("builds have no network here", failure["text"])
            failure, _ = self.bad(text, network="host", key="b")
            self.assertIn("refused", failure["text"])

    def test_auto(self):
        """Taken where there is no buildah."""
        bin_dir = self.folder.name + "/bin"
        os.mkdir(bin_dir)
        result, _, _ = self.good("FROM registry.local/base:1\nRUN true\n", engine="auto", env={"PATH": bin_dir})
        self.assertTrue(result["engine"].startswith("docker "))


if __name__ == "__main__":
    unittest.main(defaultTest=["Buildah" if ENGINE == "buildah" else "Daemon"])
