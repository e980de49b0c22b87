#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What test_isolation.sh runs: isolation.py PROGRAM ESCAPE. Every kind of build runs tests/lib/escape.c, by real workers; none
may reach anything. The same program runs outside first, where it must reach what it looks for."""
import io
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import unittest

import worker
from worker import layer_of

ESCAPE = os.path.abspath(sys.argv.pop(1))
IS_ROOT = os.geteuid() == 0
# A build with the host's network reaches what listens there; one without does not.
NETWORK = {"network loopback of the host", "network abstract socket of the host"}
# Engines do not mask it: flags of pages, not what is in them; without root nobody can read it.
PAGES = {"file /proc/kpageflags"} if IS_ROOT else set()
# Docker's default set: of those that we drop it has MKNOD, NET_RAW and AUDIT_WRITE; the cgroup keeps devices closed.
DAEMON_CAPABILITIES = "00000000a80425fb"
DAEMON_SOCKETS = {"system call raw socket", "system call packet socket"}
NETWORKS = (("none", "a", set()), ("host", "b", NETWORK))


def devices(name):
    """An archive with a device (the kernel's log), which the root user of a build would unpack."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        info = tarfile.TarInfo(name)
        info.type, info.mode, info.devmajor, info.devminor = tarfile.CHRTYPE, 0o666, 1, 11
        tar.addfile(info)
    return buffer.getvalue()


class World(worker.World):
    def __init__(self, root):
        self.halves = "canary-" + secrets.token_hex(4), secrets.token_hex(8)
        word = "".join(self.halves)
        super().__init__(root)
        os.makedirs(root + "/host")
        with open(root + "/host/credentials", "w", encoding="ascii") as file:
            file.write(word + "\n")
        self.paths = [root + "/host", root + "/host/credentials", root + "/registry", root + "/cache", root + "/state.git/HEAD", worker.PROGRAM]
        subprocess.run(["git", "init", "-q", "--bare", root + "/state.git"], check=True)
        self.tcp = socket.socket()
        self.tcp.bind(("127.0.0.1", 0))
        self.tcp.listen(100)
        self.unix = socket.socket(socket.AF_UNIX)
        self.name = "escape-" + secrets.token_hex(8)
        self.unix.bind("\0" + self.name)
        self.unix.listen(100)
        self.env = {**os.environ, "SECRET_OF_THE_HOST": word}
        self.bystander = subprocess.Popen(["sleep", "1000"], env=self.env)
        self.command = " ".join(["/bin/escape", *self.halves, str(self.tcp.getsockname()[1]), self.name, str(self.bystander.pid), *self.paths])
        with open(shutil.which("busybox"), "rb") as file:
            busybox = file.read()
        with open(ESCAPE, "rb") as file:
            escape = file.read()
        names = ["sh", "cat", "mkdir", "ls", "sleep", "env", "tar", "cp", "id", "test"]
        entries = [("bin", 0o755, None, None), ("bin/busybox", 0o755, busybox, None), ("bin/escape", 0o4755, escape, None)]
        entries += [("bin/" + name, 0o777, None, "busybox") for name in names]
        entries += [("etc", 0o755, None, None), ("home", 0o755, None, None), ("home/cnb", 0o777, None, None), ("run", 0o755, None, None),
                    ("etc/passwd", 0o644, b"root:x:0:0::/:/bin/sh\ncnb:x:1001:1000::/home/cnb:/bin/sh\n", None),
                    ("usr", 0o755, None, None), ("usr/libexec", 0o755, None, None), ("usr/libexec/s2i", 0o755, None, None),
                    ("usr/libexec/s2i/assemble", 0o755, f"#!/bin/sh\n{self.command}\ncp -R /tmp/src .\n".encode(), None),
                    ("usr/libexec/s2i/run", 0o755, b"#!/bin/sh\n", None), ("usr/libexec/quiet", 0o755, None, None),
                    ("usr/libexec/quiet/assemble", 0o755, b"#!/bin/sh\n", None), ("usr/libexec/quiet/run", 0o755, b"#!/bin/sh\n", None), ("opt", 0o755, None, None), ("opt/app", 0o777, None, None),
                    ("tmp", 0o1777, None, None)]
        self.layers = [layer_of(entries), devices("planted")]
        self.sent = root + "/sent"
        os.makedirs(self.sent)
        for name, content in (("Dockerfile", ""), ("app.txt", "v1\n")):
            with open(f"{self.sent}/{name}", "w", encoding="ascii") as file:
                file.write(content)
        with open(self.sent + "/added.tar", "wb") as file:
            file.write(devices("added"))

    def close(self):
        self.bystander.kill()
        self.bystander.wait()
        self.tcp.close()
        self.unix.close()

    def run(self, request):
        done = subprocess.run([worker.PROGRAM, "worker"], input=json.dumps(request).encode(), capture_output=True, timeout=300, env=self.env,
                              check=False)
        return done, [json.loads(line) for line in done.stdout.decode().splitlines()]

    def image(self, **config):
        return self.layouts.put("registry.local/base:1", self.layers, {"Env": ["PATH=/bin", "HOME=/home/cnb"], "WorkingDir": "/opt/app", **config})

    def config(self, action, strategy, spec=None, **more):
        own = {"config": "app", "build": "app-1", "namespace": "test", "number": 1, "spec": {"strategy": strategy, **(spec or {})},
               **more.pop("own", {})}
        return self.request(action, **{"id": "BuildConfig/test/app#1", "buildConfig": own, **more})


class IsolationTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="isolation-")
        os.chmod(self.folder.name, 0o755)
        self.world = World(self.folder.name)

    def tearDown(self):
        self.world.close()
        # Files of subordinate users are theirs to remove.
        if not IS_ROOT:
            subprocess.run(["buildah", "unshare", "rm", "-rf", self.world.root + "/cache"], check=False, capture_output=True)
        left = os.listdir(self.world.root + "/temp") if os.path.isdir(self.world.root + "/temp") else []
        self.assertEqual(left, [], "temporary folders are left")
        self.folder.cleanup()

    def good(self, request):
        done, events = self.world.run(request)
        log = done.stderr.decode(errors="replace")
        self.assertEqual((done.returncode, events[-1]["type"]), (0, "result"), log)
        return events[-1], log, events

    def closed(self, log, allowed=frozenset(), privileges=("0" * 16,)):
        """The program ran to its end, reached nothing else, and had nothing."""
        self.assertRegex(log, r"tried [1-9]\d\d", log)
        reached = {line.partition("REACHED ")[2].strip() for line in log.splitlines() if "REACHED " in line}
        self.assertEqual(reached, set(allowed), log)
        state = dict(re.findall(r"state (\w+):\s+(\w+)", log))
        self.assertEqual((state["Core"], state["Seccomp"]), ("0", "2"), state)
        self.assertIn(state["CapEff"], privileges)
        self.assertNotIn("".join(self.world.halves), log)
        return state


    def test_outside_it_reaches_what_it_looks_for(self):
        out = subprocess.run([ESCAPE, *self.world.command.split()[1:]], capture_output=True, text=True, timeout=60, env=self.world.env,
                             cwd=self.folder.name, check=False).stdout
        for what in (f"file {self.world.paths[1]}", f"a secret in /proc/{self.world.bystander.pid}/environ", *NETWORK, "process signal",
                     f"by another root /proc/{self.world.bystander.pid}/root{self.world.paths[1]}",
                     *(("system call mount tmpfs", "system call bpf", "unshare 20000", "clone 20000000", "clone3 20000000", "system call keyctl",
                        "to write /proc/sys/kernel/core_pattern", "device ./escape-kmsg") if IS_ROOT else ())):
            self.assertIn(f"REACHED {what}\n", out)

    def test_source_to_image(self):
        for network, key, allowed in NETWORKS:
            image = self.world.image(User="1001", Labels={"io.openshift.s2i.scripts-url": "image:///usr/libexec/s2i"})
            _, log, _ = self.good(self.world.config("s2i", {"sourceStrategy": {"from": {"kind": "DockerImage", "name": image}}}, network=network,
                                                    tags=["registry.local/out:1"], buildKey="sha256:" + key * 64,
                                                    own={"binary": {"path": self.world.sent}}, spec={"source": {"binary": {}}}))
            self.assertEqual(self.closed(log, allowed)["NoNewPrivs"], "1")

    def test_custom(self):
        for user in ("cnb", "root"):
            for network, key, allowed in NETWORKS:
                image = self.world.image(User=user, Entrypoint=["/bin/sh", "-c", self.world.command])
                _, log, _ = self.good(self.world.config("custom", {"customStrategy": {"from": {"kind": "DockerImage", "name": image},
                                                                                      "exposeDockerSocket": True}}, network=network, tags=[]))
                self.assertEqual(self.closed(log, allowed)["NoNewPrivs"], "1")

    def test_buildpack(self):
        script = f"#!/bin/sh\n{self.world.command}\n".encode()
        labels = {"io.buildpacks.stack.id": "test.stack"}
        self.world.build_image = self.world.layouts.put("registry.local/stack:build", self.world.layers, {
            "Env": ["PATH=/bin", "CNB_USER_ID=1001", "CNB_GROUP_ID=1000", "CNB_STACK_ID=test.stack"], "Labels": labels})
        base = "cnb/buildpacks/test_hello/1.0.0"
        entries = [(base[:len(base) - cut], 0o755, None, None) for cut in (28, 17, 6, 0)]
        toml = b'api = "0.10"\n[buildpack]\nid = "test/hello"\nversion = "1.0.0"\n'
        layer = layer_of(entries + [(base + "/buildpack.toml", 0o644, toml, None), (base + "/bin", 0o755, None, None),
                                    (base + "/bin/detect", 0o755, script, None), (base + "/bin/build", 0o755, script, None)])
        self.world.buildpack_diff = worker.sha(layer)
        self.world.buildpack = self.world.layouts.put("registry.local/buildpack:1", [layer], {})
        builder, _, _ = self.good(self.world.compose())
        for network, key, allowed in NETWORKS:
            _, log, _ = self.good(self.world.build(builder, key=key, network=network, logLevel="debug"))
            self.assertEqual(self.closed(log, allowed)["NoNewPrivs"], "1")

    def hook(self, action, strategy, network, key, **more):
        return self.world.config(action, strategy, network=network, tags=[], buildKey="sha256:" + key * 64,
                           spec={"source": {"binary": {}}, "postCommit": {"command": self.world.command.split()}}, **more)

    def test_post_commit_hook(self):
        """In the image that was made, as its user: of a script without root, of a Dockerfile as root of the container."""
        scripts = "image:///usr/libexec/quiet"
        for network, key, allowed in NETWORKS:
            image = self.world.image(User="1001", Labels={"io.openshift.s2i.scripts-url": scripts})
            _, log, _ = self.good(self.hook("s2i", {"sourceStrategy": {"from": {"kind": "DockerImage", "name": image}}}, network, key,
                                            own={"binary": {"path": self.world.sent}}))
            self.assertEqual(self.closed(log, allowed)["NoNewPrivs"], "1")
        if shutil.which("buildah"):
            with open(self.world.sent + "/Dockerfile", "w", encoding="ascii") as file:
                file.write(f"FROM {self.world.image()}\n")
            for network, key, allowed in NETWORKS:
                _, log, _ = self.good(self.hook("docker", {"dockerStrategy": {}}, network, key, engine="buildah", own={"binary": {"path": self.world.sent}}))
                self.assertEqual(self.closed(log, allowed)["NoNewPrivs"], "1")

    def extended(self, key):
        """A builder with an extension, and a run image; the key keeps engines from taking a RUN from an earlier build."""
        text = f"ARG base_image\nFROM ${{base_image}}\nUSER root\nRUN : {key}; {self.world.command}\nUSER 1001:1000\n"
        script = f"#!/bin/sh\n{self.world.command}\nfor kind in build run; do cat >$CNB_OUTPUT_DIR/$kind.Dockerfile <<'END'\n{text}END\ndone\n"
        entries = [("cnb", 0o755, None, None)]
        order = ""
        for kind, name, programs in (("buildpack", "hello", {"detect": "#!/bin/sh\n", "build": "#!/bin/sh\n"}), ("extension", "out", {"generate": script})):
            root = f"cnb/{kind}s/test_{name}/1"
            parts = root.split("/")
            entries += [("/".join(parts[:i + 1]), 0o755, None, None) for i in range(1, len(parts))]
            entries += [(f"{root}/{kind}.toml", 0o644, f'api = "0.10"\n[{kind}]\nid = "test/{name}"\nversion = "1"\n'.encode(), None),
                        (root + "/bin", 0o755, None, None)]
            entries += [(f"{root}/bin/{program}", 0o755, body.encode(), None) for program, body in programs.items()]
            order += "[[{0}]]\n[[{0}.group]]\nid = \"test/{1}\"\nversion = \"1\"\n".format("order" if kind == "buildpack" else "order-extensions", name)
        entries.append(("cnb/order.toml", 0o644, order.encode(), None))
        user = {"User": "1001:1000", "Labels": {"io.buildpacks.stack.id": "test.stack"},
                "Env": ["PATH=/bin", "CNB_USER_ID=1001", "CNB_GROUP_ID=1000", "CNB_STACK_ID=test.stack"]}
        return {"image": self.world.layouts.put("registry.local/builder:1", [*self.world.layers, layer_of(entries)], {**user, "WorkingDir": "/layers"}),
                "runImage": self.world.layouts.put("registry.local/run:1", self.world.layers, user)}

    @unittest.skipUnless(shutil.which("buildah"), "there is no buildah here")
    def test_extension(self):
        """Its program in the builder's container, and the RUN of its Dockerfiles for both images."""
        for network, key, allowed in NETWORKS:
            _, log, _ = self.good(self.world.build(self.extended(key), key=key, network=network, engine="buildah", isolation="oci", bindings=[]))
            program, *runs = log.split("state CapInh:")[1:]
            self.assertEqual(len(runs), 2, log)
            self.closed(program, allowed)
            for one in runs:
                self.closed(one, allowed | PAGES, {"00000000800405fb", "00000000800405db"})

    def dockerfile(self, isolation, network, key, lines="", engine="buildah"):
        image = self.world.image()
        with open(self.world.sent + "/Dockerfile", "w", encoding="ascii") as file:
            file.write(f"FROM {image}\n{lines}RUN {self.world.command}\n")
        return self.world.config("docker", {"dockerStrategy": {"noCache": True}}, network=network, tags=["registry.local/out:1"],
                                 buildKey="sha256:" + key * 64, engine=engine, isolation=isolation, own={"binary": {"path": self.world.sent}},
                                 spec={"source": {"binary": {}}})

    @unittest.skipUnless(shutil.which("buildah"), "there is no buildah here")
    def test_dockerfile(self):
        for network, key, allowed in NETWORKS:
            _, log, _ = self.good(self.dockerfile("oci", network, key, "ADD added.tar /\n" if IS_ROOT else ""))
            self.closed(log, allowed | PAGES, {"00000000800405fb", "00000000800405db"})

    @unittest.skipUnless(IS_ROOT and shutil.which("buildah"), "there is no buildah here, or no other group to become")
    def test_dockerfile_in_isolation_chroot(self):
        _, log, _ = self.good(self.dockerfile("chroot", "host", "c", "ADD added.tar /\n" if IS_ROOT else ""))
        self.closed(log, NETWORK | PAGES, {"00000000800405fb", "00000000800405db"})

    @unittest.skipUnless(os.environ.get("DOCKER_HOST"), "there is no Docker daemon here")
    def test_dockerfile_by_a_daemon(self):
        for network, key, allowed in (("none", "d", DAEMON_SOCKETS), ("host", "e", DAEMON_SOCKETS | NETWORK)):
            _, log, _ = self.good(self.dockerfile("auto", network, key, engine="docker"))
            self.closed(log, allowed | PAGES, {DAEMON_CAPABILITIES})


if __name__ == "__main__":
    unittest.main()
