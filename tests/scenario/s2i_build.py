#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What test_s2i_build.sh runs: s2i_build.py PROGRAM WORK GIT-URL PROXY-URL. The proxy knows the git server as git.test.invalid. Requests as the scheduler makes them; images in layouts."""
import base64
import functools
import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
import time
import unittest

import worker

WORK, GIT, PROXY = sys.argv[1:4]
sys.argv[1:] = []
LIMIT_S = 120

ASSEMBLE = """#!/bin/sh
set -e
echo "assembling as $(id -u) in $(pwd)"
cp -R /tmp/src/. .
echo "the token is $(cat secret/token 2>/dev/null)"
if [ -d /tmp/artifacts ]; then cp -R /tmp/artifacts/. .; echo reused >how; else echo clean >how; mkdir deps; echo dep >deps/lib; fi
if [ -d /etc/extra ]; then cat /etc/extra/deep/key >from-volume; (echo x >/etc/extra/new) 2>/dev/null || echo "the volume is read-only"; fi
case "$MODE" in
fail) echo broken >&2; exit 7 ;;
sleep) sleep 60 ;;
hungry) dd if=/dev/zero of=/dev/null bs=190M count=1 ;;
esac
"""
SAVE = "#!/bin/sh\ncd /opt/app && exec tar -cf - deps\n"
RUN = "#!/bin/sh\necho \"app $(cat /opt/app/app.txt) $(cat /opt/app/how)\"\n"


def tool(path, layer):
    """A program of this machine with the libraries it needs."""
    out = subprocess.run(["ldd", path], capture_output=True, text=True, check=False).stdout
    files = [word for word in out.replace("(", " ").split() if word.startswith("/")]
    for file in [path, *files]:
        with open(file, "rb") as data:
            layer.append((os.path.normpath(file)[1:], 0o755, data.read(), None))


def folders(entries):
    """All folders above the entries, first."""
    have = {name for name, _, content, link in entries if content is None and not link}
    more = set()
    for name, _, _, _ in entries:
        while "/" in name:
            name = name.rpartition("/")[0]
            more.add(name)
    return [(name, 0o755, None, None) for name in sorted(more - have)] + entries


def builder(world, name, scripts, tar=True, bash=False, user="1001", **config):
    with open(shutil.which("busybox"), "rb") as file:
        busybox = file.read()
    names = ["sh", "cat", "cp", "mkdir", "ls", "id", "pwd", "sleep", "dd", "touch", "env", "rm"] + (["tar"] if tar else [])
    entries = [("bin/busybox", 0o755, busybox, None)] + [("bin/" + one, 0o777, None, "busybox") for one in names]
    entries += [("etc/passwd", 0o644, b"root:x:0:0::/root:/bin/sh\ndefault:x:1001:0::/opt/app:/bin/sh\n", None),
                ("tmp", 0o1777, None, None), ("opt/app", 0o777, None, None), ("opt/old/one", 0o644, b"1\n", None),
                ("opt/old/link", 0o777, None, "one")]
    if bash:
        tool(shutil.which("bash"), entries)
    entries += [("usr/libexec/s2i/" + one, 0o755, text.encode(), None) for one, text in scripts.items()]
    return world.layouts.put(f"registry.local/{name}:latest", [worker.layer_of(folders(entries))], {
        "User": user, "WorkingDir": "/opt/app", "Env": ["PATH=/bin:/usr/bin", "MODE=none"],
        "Labels": {"io.openshift.s2i.scripts-url": "image:///usr/libexec/s2i"}, **config})


class World(worker.World):
    def __init__(self, root):  # the stack of the other worker tests is not needed
        self.root = root
        self.layouts = worker.Layouts(os.path.join(root, "registry"))
        self.image = builder(self, "python", {"assemble": ASSEMBLE, "run": RUN, "save-artifacts": SAVE})

    def s2i(self, spec=None, strategy=None, output=True, **more):
        """`config` says what the build config's part of the request has besides its spec."""
        image = (strategy or {}).pop("image", self.image)
        config = {"config": "cart", "build": "cart-3", "namespace": "shop", "number": 3, **more.pop("config", {}),
                  "spec": {"strategy": {"sourceStrategy": {"from": {"kind": "DockerImage", "name": image}, **(strategy or {})}},
                           **(spec or {})}}
        tags = {"tags": ["registry.local/out/cart:latest"]} if output else {}
        return self.request("s2i", **{"id": "BuildConfig/shop/cart#3", "buildKey": "sha256:" + "a" * 64, **tags, "buildConfig": config,
                                      **more})


def files(purpose, name, content, **more):
    return {"purpose": purpose, "name": name,
            "files": {key: base64.b64encode(value.encode()).decode() for key, value in content.items()}, **more}


class QuietServer(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


class S2iBuildTest(worker.WorkerTest):
    def setUp(self):
        self.dir = os.path.join(WORK, self._testMethodName)
        os.makedirs(self.dir)
        self.world = World(self.dir)
        self.folder = self  # for what the base class makes of it
        self.name = self.dir

    def cleanup(self):
        for _ in range(100):  # podman clears up behind our backs, and makes what it clears up anew
            shutil.rmtree(self.dir, ignore_errors=True)
            if not os.path.exists(self.dir):
                return
            time.sleep(0.1)
        shutil.rmtree(self.dir)

    def top(self, pinned):
        return self.layer_files(pinned, -1)

    def sent(self, content=None):
        """A source that came with the request."""
        path = os.path.join(self.dir, "sent")
        for name, text in (content or {"app.txt": "v1"}).items():
            os.makedirs(os.path.dirname(f"{path}/{name}"), exist_ok=True)
            with open(f"{path}/{name}", "w", encoding="utf-8") as file:
                file.write(text)
        return {"binary": {"path": path}}

    def repository(self):
        name = self._testMethodName
        repo = os.path.join(WORK, "git", name + ".git")
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", repo], check=True)
        clone = os.path.join(self.dir, "clone")
        git = ["git", "-C", clone, "-c", "user.name=Ann Author", "-c", "user.email=ann@example.com"]
        env = {**os.environ, "GIT_AUTHOR_DATE": "1604573400 +0100", "GIT_COMMITTER_DATE": "1604573460 +0100"}
        subprocess.run(["git", "init", "-q", "-b", "main", clone], check=True)
        os.makedirs(clone + "/web")
        with open(clone + "/web/app.txt", "w", encoding="ascii") as file:
            file.write("v1")
        for words in (["add", "."], ["commit", "-qm", "The first one\n\nand more"], ["push", "-q", repo, "main"]):
            subprocess.run(git + words, check=True, env=env)
        commit = subprocess.run(git + ["rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
        return f"{GIT}/{name}.git", commit

    @unittest.skipUnless(GIT, "there is no git server")
    def test_git_source(self):
        url, commit = self.repository()
        login = {"gitCredentials": [{"server": GIT, "user": "me", "password": "s3cret pass"}]}
        spec = {"source": {"git": {"uri": url, "ref": "main"}, "contextDir": "web"},
                "output": {"imageLabels": [{"name": "team", "value": "web"}]}}
        strategy = {"env": [{"name": "MODE", "value": "none"}, {"name": "EXTRA", "value": "e"}]}
        request = self.world.s2i(spec, dict(strategy), source={"git": {"url": url, "revision": commit}}, **login)
        result, log, events = self.good(request)
        self.assertEqual([one["name"] for one in events if one["type"] == "phase"],
                         ["FETCH", "PULL", "PREPARE", "ASSEMBLE", "COMMIT", "PUSH"])
        self.assertIn(f'Cloning "{url}" ...\n\tCommit:\t{commit} (The first one)\n\tAuthor:\tAnn Author <ann@example.com>\n'
                      "\tDate:\tThu Nov 5 11:50:00 2020 +0100\n", log)
        self.assertIn("assembling as 1001 in /opt/app", log)
        self.assertNotIn("s3cret", log + json.dumps(events))
        self.assertEqual(result["revision"], {"type": "Git", "git": {
            "commit": commit, "message": "The first one", "author": {"name": "Ann Author", "email": "ann@example.com"},
            "committer": {"name": "Ann Author", "email": "ann@example.com"}}})
        manifest, config = self.world.layouts.read(result["image"])
        self.assertEqual(manifest["annotations"][worker.KEY], "sha256:" + "a" * 64)
        self.assertEqual(self.top(result["image"])["opt/app/app.txt"], b"v1")
        self.assertEqual(config["created"], "2020-11-05T10:51:00Z")
        self.assertEqual(config["config"]["Cmd"], ["/usr/libexec/s2i/run"])
        self.assertEqual(config["config"]["Env"], [
            "OPENSHIFT_BUILD_NAME=cart-3", "OPENSHIFT_BUILD_NAMESPACE=shop", f"OPENSHIFT_BUILD_SOURCE={url}",
            "OPENSHIFT_BUILD_REFERENCE=main", f"OPENSHIFT_BUILD_COMMIT={commit}", "MODE=none", "EXTRA=e", "PATH=/bin:/usr/bin"])
        labels = config["config"]["Labels"]
        for key, value in {"commit.id": commit, "commit.author": "Ann Author <ann@example.com>", "commit.ref": "main",
                           "commit.date": "Thu Nov 5 11:50:00 2020 +0100", "commit.message": "The first one", "name": "cart-3",
                           "namespace": "shop", "source-location": url, "source-context-dir": "web",
                           "image": self.world.image}.items():
            self.assertEqual(labels["io.openshift.build." + key], value)
        self.assertEqual(labels["team"], "web")
        adopted, log, _ = self.good(request)
        self.assertEqual((adopted["adopted"], adopted["image"]), (True, result["image"]))
        self.assertNotIn("Cloning", log)
        again, _, _ = self.good({**request, "buildKey": None, "tags": ["registry.local/out/other:latest"]})
        other, _, _ = self.good({**request, "buildKey": None, "tags": ["registry.local/out/other:latest"]})
        self.assertEqual(again["image"], other["image"])
        with_password = url.replace("://", "://me:s3cret%20pass@")
        spec["source"]["git"]["uri"] = with_password
        result, log, events = self.good(self.world.s2i(spec, dict(strategy), buildKey=None,
                                                       source={"git": {"url": with_password, "revision": commit}}))
        self.assertNotIn("s3cret", log + json.dumps(events) + json.dumps(self.world.layouts.read(result["image"])))

    @unittest.skipUnless(GIT, "there is no git server")
    def test_git_failures(self):
        url, commit = self.repository()
        spec = {"source": {"git": {"uri": url}}}
        failure, _ = self.bad(self.world.s2i(spec, source={"git": {"url": url, "revision": commit}}))
        self.assertEqual((failure["failure"], failure["reason"], failure["name"]), ("transient", "FetchSourceFailed", "FETCH"))
        self.assertRegex(failure["text"], "401|credentials")
        login = {"gitCredentials": [{"server": GIT, "user": "me", "password": "s3cret pass"}]}
        spec["source"]["contextDir"] = "none"
        failure, _ = self.bad(self.world.s2i(spec, source={"git": {"url": url, "revision": commit}}, **login))
        self.assertEqual((failure["failure"], failure["reason"]), ("invalid", "InvalidContextDirectory"))

    @unittest.skipUnless(GIT, "there is no git server")
    def test_git_through_the_proxy_of_the_build_config(self):
        url, commit = self.repository()
        url = url.replace(GIT, "http://git.test.invalid")
        spec = {"source": {"git": {"uri": url, "httpProxy": PROXY}, "contextDir": "web"}}
        request = {"source": {"git": {"url": url, "revision": commit}}, "gitCredentials": [
            {"server": "http://git.test.invalid", "user": "me", "password": "s3cret pass"}]}
        result, _, _ = self.good(self.world.s2i(spec, **request))
        self.assertEqual(self.top(result["image"])["opt/app/app.txt"], b"v1")
        spec["source"]["git"]["noProxy"] = "git.test.invalid"
        shutil.rmtree(self.dir + "/cache")
        failure, _ = self.bad(self.world.s2i(spec, buildKey=None, **request))
        self.assertEqual((failure["failure"], failure["reason"]), ("transient", "FetchSourceFailed"))

    def test_incremental(self):
        first, log, _ = self.good(self.world.s2i({"source": {"binary": {}}}, {"incremental": True}, config=self.sent()))
        self.assertEqual(self.top(first["image"])["opt/app/how"], b"clean\n")
        self.assertIn("Clean build", log)
        second, log, events = self.good(self.world.s2i({"source": {"binary": {}}}, {"incremental": True}, config=self.sent(),
                                                       buildKey="sha256:" + "b" * 64, previousImage=first["image"]))
        self.assertIn("RETRIEVE", [one["name"] for one in events if one["type"] == "phase"])
        self.assertEqual(self.top(second["image"])["opt/app/how"], b"reused\n")
        self.assertEqual(self.top(second["image"])["opt/app/deps/lib"], b"dep\n")
        self.assertEqual(len(self.world.layouts.read(second["image"])[0]["layers"]), 2)

    def test_binary_and_inputs(self):
        config = self.sent({"app.txt": "v2", "deep/x": "x"})
        config["files"] = [
            files("input", "token", {"token": "hunter2-and-more", "..data": "no"}, destination="secret", secret=True),
            files("input", "conf", {"app.conf": "a=b\n"}, destination="conf"),
            files("volume", "extra", {"deep/key": "volume-secret-1"}, destination="/etc/extra", secret=True)]
        images = [{"from": {"kind": "DockerImage", "name": self.world.image}, "paths": [
            {"sourcePath": "/opt/old/.", "destinationDir": "from/image"}, {"sourcePath": "/opt/old", "destinationDir": "."},
            {"sourcePath": "/opt/old/link", "destinationDir": "deep"}]}]
        result, log, events = self.good(self.world.s2i({"source": {"binary": {}, "images": images}}, config=config))
        self.assertEqual([one["name"] for one in events if one["type"] == "phase"][:3], ["FETCH", "PULL-INPUT", "PULL"])
        top = self.top(result["image"])
        for name, want in {"app.txt": b"v2", "from/image/one": b"1\n", "old/one": b"1\n", "deep/link": b"1\n", "conf/app.conf": b"a=b\n",
                           "secret/token": b"", "from-volume": b"volume-secret-1"}.items():
            self.assertEqual(top["opt/app/" + name], want, name)
        self.assertNotIn("opt/app/secret/..data", top)
        self.assertEqual([name for name in top if name.startswith("etc")], [])
        self.assertIn("the token is *****", log)
        self.assertIn("the volume is read-only", log)
        self.assertNotIn("hunter2", log + json.dumps(events))
        archive = shutil.make_archive(os.path.join(self.dir, "sent"), "gztar", os.path.join(self.dir, "sent"))
        result, _, _ = self.good(self.world.s2i({"source": {"binary": {}}}, buildKey=None, config={"binary": {"path": archive}}))
        self.assertEqual(self.top(result["image"])["opt/app/deep/x"], b"x")
        result, _, _ = self.good(self.world.s2i({"source": {"binary": {}}}, buildKey=None, config={
            "binary": {"path": archive, "asFile": "app.war"}}))
        self.assertIn("opt/app/app.war", self.top(result["image"]))
        failure, _ = self.bad(self.world.s2i({"source": {"binary": {}}}, buildKey=None, config={
            "binary": {"path": archive, "content": "sha256:" + "0" * 64}}))
        self.assertEqual((failure["failure"], failure["reason"]), ("conflict", "FetchSourceFailed"))
        images[0]["paths"] = [{"sourcePath": "/none", "destinationDir": "."}]
        failure, _ = self.bad(self.world.s2i({"source": {"images": images}}, buildKey=None))
        self.assertEqual((failure["failure"], failure["reason"], failure["name"]),
                         ("invalid", "FetchImageContentFailed", "PULL-INPUT"))

    def test_hook(self):
        script = "cat how; test \"$(cat app.txt)\" = v1 && echo >/opt/app/of-hook && echo \"hook as $(id -u)\"; /usr/libexec/s2i/run"
        result, log, events = self.good(self.world.s2i({"source": {"binary": {}}, "postCommit": {"script": script}},
                                                       config=self.sent()))
        self.assertEqual([one["name"] for one in events if one["type"] == "phase"],
                         ["FETCH", "PULL", "PREPARE", "ASSEMBLE", "COMMIT", "POST-COMMIT", "PUSH"])
        self.assertIn("hook as 1001\napp v1 clean\n", log)
        self.assertNotIn("opt/app/of-hook", self.top(result["image"]))
        tags = ["registry.local/out/none:latest"]
        for hook, code in (({"command": ["/bin/sh", "-c"], "args": ["echo no; exit 5"]}, 5), ({"args": ["/bin/none"]}, None)):
            failure, log = self.bad(self.world.s2i({"source": {"binary": {}}, "postCommit": hook}, config=self.sent(), tags=tags))
            self.assertEqual((failure["failure"], failure["reason"], failure["name"], failure.get("exitCode")),
                             ("build" if code else "invalid", "PostCommitHookFailed", "POST-COMMIT", code), failure)
            self.assertFalse(os.path.exists(self.dir + "/registry/registry.local/out/none/index.json"))

    def test_without_output(self):
        result, log, events = self.good(self.world.s2i({"source": {"binary": {}}, "postCommit": {"script": "echo looked"}},
                                                       output=False, config=self.sent()))
        self.assertNotIn("image", result)
        self.assertIn("looked", log)
        self.assertNotIn("PUSH", [one["name"] for one in events if one["type"] == "phase"])
        self.assertFalse(os.path.exists(self.dir + "/registry/registry.local/out"))

    def test_failures(self):
        def fails(mode, **more):
            return self.bad(self.world.s2i({"source": {"binary": {}}}, {"env": [{"name": "MODE", "value": mode}]},
                                           config=self.sent(), **more))
        failure, log = fails("fail")
        self.assertEqual((failure["failure"], failure["reason"], failure["name"], failure["exitCode"]),
                         ("build", "AssembleFailed", "ASSEMBLE", 7))
        self.assertIn("broken", log)
        failure, _ = fails("sleep", timeoutSeconds=2)
        self.assertEqual((failure["failure"], failure["timeout"]), ("build", True))
        self.assertIn("DeadlineExceeded", failure["text"])
        failure, _ = fails("hungry", resources={"limits": {"memory": "32Mi"}})
        if "cgroup" in failure["text"]:
            print("    (no cgroup here: memory limits are not tried)")
        else:
            self.assertEqual((failure["failure"], failure["reason"], failure["oom"]), ("build", "OutOfMemoryKilled", True))
        root = builder(self.world, "root", {"assemble": ASSEMBLE, "run": RUN}, user="root")
        failure, _ = self.bad(self.world.s2i({"source": {"binary": {}}}, {"image": root}, config=self.sent()))
        self.assertEqual((failure["failure"], failure["reason"], failure["name"]), ("invalid", "AssembleUserForbidden", "PULL"))
        onbuild = builder(self.world, "onbuild", {"assemble": ASSEMBLE, "run": RUN}, OnBuild=["RUN true"])
        failure, _ = self.bad(self.world.s2i({"source": {"binary": {}}}, {"image": onbuild}, config=self.sent()))
        self.assertEqual((failure["failure"], failure["reason"]), ("invalid", "OnBuildForbidden"))
        failure, _ = self.bad(self.world.s2i({"source": {"binary": {}}}, {
            "image": "registry.local/none@sha256:" + "0" * 64}, config=self.sent()))
        self.assertEqual((failure["failure"], failure["reason"]), ("absent", "PullBuilderImageFailed"))
        failure, _ = self.bad(self.world.s2i({"source": {"binary": {}}}, {"scripts": "file:///etc"}, config=self.sent()))
        self.assertEqual((failure["failure"], failure["reason"]), ("invalid", "FetchScriptsFailed"))
        failure, _ = self.bad(self.world.s2i({"source": {"binary": {}}}))
        self.assertEqual((failure["failure"], failure["reason"]), ("invalid", "FetchSourceFailed"))

    def test_cancelled(self):
        request = self.world.s2i({"source": {"binary": {}}}, {"env": [{"name": "MODE", "value": "sleep"}]}, config=self.sent())
        with subprocess.Popen([worker.PROGRAM, "worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as process:
            process.stdin.write(json.dumps(request).encode())
            process.stdin.close()
            for line in process.stderr:
                if b"assembling" in line:
                    break
            process.terminate()
            event = json.loads(process.stdout.read().decode().splitlines()[-1])
        self.assertEqual((event["type"], event["failure"], event["reason"]), ("failure", "cancelled", "CancelledBuild"))

    def test_scripts_from_a_server(self):
        os.makedirs(self.dir + "/scripts")
        with open(self.dir + "/scripts/assemble", "w", encoding="ascii") as file:
            file.write("#!/bin/sh\necho of the server >how\n")
        handler = functools.partial(QuietServer, directory=self.dir + "/scripts")
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            result, _, _ = self.good(self.world.s2i({"source": {"binary": {}}}, config=self.sent(), strategy={
                "scripts": f"http://127.0.0.1:{server.server_port}"}))
            server.shutdown()
        top = self.top(result["image"])
        self.assertEqual(top["opt/app/how"], b"of the server\n")
        self.assertIn("tmp/scripts/assemble", top)

    def test_builders_without_tar_and_with_bash(self):
        small = builder(self.world, "small", {"assemble": ASSEMBLE, "run": RUN}, tar=False)
        result, _, _ = self.good(self.world.s2i({"source": {"binary": {}}}, {"image": small}, config=self.sent()))
        self.assertEqual(self.top(result["image"])["opt/app/app.txt"], b"v1")
        if not shutil.which("bash"):
            return
        script = "#!/bin/bash\nset -eo pipefail\nshopt -s dotglob\nwords=(a b)\ncp -R /tmp/src/* .\necho \"${words[1]}\" >how\n"
        path = shutil.which("bash")
        bash = builder(self.world, "bash", {"assemble": script.replace("/bin/bash", path), "run": RUN}, bash=True)
        result, _, _ = self.good(self.world.s2i({"source": {"binary": {}}}, {"image": bash}, config=self.sent(), buildKey=None))
        self.assertEqual(self.top(result["image"])["opt/app/how"], b"b\n")

    def test_podman_runs_it(self):
        self.good(self.world.s2i({"source": {"binary": {}}}, config=self.sent()))
        store = ["--root", self.dir + "/podman", "--runroot", self.dir + "/podman-run", "--storage-driver", "vfs"]
        layout = "oci:registry/registry.local/out/cart:latest"  # podman makes a name of it, and names have no capitals
        if not shutil.which("podman"):
            print("    (there is no podman here)")
            return
        probe = subprocess.run(["podman", *store, "pull", "-q", layout], capture_output=True, text=True, timeout=LIMIT_S, check=False,
                               cwd=self.dir)
        if probe.returncode:
            print("    (podman cannot keep images here: " + probe.stderr.strip()[-100:] + ")")
            return
        done = subprocess.run(["podman", *store, "run", "--rm", "--network=none", "--cgroups=disabled", "--ulimit=nofile=1024:1024", "--ulimit=nproc=1024:1024", probe.stdout.strip()],
                              capture_output=True, text=True, timeout=LIMIT_S, check=False)
        if done.returncode and "app" not in done.stdout:
            print("    (podman cannot run containers here: " + done.stderr.strip()[-100:] + ")")
            return
        self.assertEqual(done.stdout, "app v1 clean\n")


def load_tests(loader, _tests, _pattern):
    """Ours alone, and none that the base class brings along."""
    names = [name for name in vars(S2iBuildTest) if name.startswith("test_")]
    return unittest.TestSuite(S2iBuildTest(name) for name in names)


if __name__ == "__main__":
    unittest.main()
