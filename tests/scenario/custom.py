#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Drives `reconcile worker` with Custom builds. The builder is busybox and curl of this machine: it fetches its source over
HTTP and pushes to a real registry. Arguments: program, registry, its user and password."""
import base64
import http.server
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import unittest
import urllib.request

import worker
from worker import Layouts, layer_of, sha

REGISTRY, USER, PASSWORD = sys.argv.pop(1), sys.argv.pop(1), sys.argv.pop(1)
AUTH = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
DOCKERCFG = json.dumps({"auths": {REGISTRY: {"auth": AUTH}}})
IS_ROOT = os.getuid() == 0

SCRIPT = r"""#!/bin/sh
set -eu
blob() { # FILE: pushed; prints its digest
	sum=sha256:$(sha256sum "$1" | cut -d ' ' -f 1)
	place=$(curl -fsS -H "$auth" -X POST -D - -o /dev/null "http://$OUTPUT_REGISTRY/v2/$repo/blobs/uploads/" |
		tr -d '\r' | sed -n 's/^[Ll]ocation: //p')
	curl -fsS -H "$auth" -X PUT -H 'Content-Type: application/octet-stream' --data-binary "@$1" "$place&digest=$sum" >/dev/null
	echo "$sum"
}
size() { wc -c <"$1" | tr -d ' '; }
push() {
	auth="Authorization: Basic $(sed -n 's/.*"auth": *"\([^"]*\)".*/\1/p' "$PUSH_DOCKERCFG_PATH/.dockerconfigjson")"
	repo=${OUTPUT_IMAGE%:*} tag=${OUTPUT_IMAGE##*:} oci=application/vnd.oci.image
	mkdir root
	curl -fsS "$SOURCE_URI/$SOURCE_CONTEXT_DIR/index.txt" >root/index.txt
	tar -cf layer -C root index.txt
	layer=$(blob layer)
	echo "{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{\"Cmd\":[\"/x\"]},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"$layer\"]}}" >config
	config=$(blob config)
	echo "{\"schemaVersion\":2,\"mediaType\":\"$oci.manifest.v1+json\",\"config\":{\"mediaType\":\"$oci.config.v1+json\",\"digest\":\"$config\",\"size\":$(size config)},\"layers\":[{\"mediaType\":\"$oci.layer.v1.tar\",\"digest\":\"$layer\",\"size\":$(size layer)}]}" >manifest
	curl -fsS -H "$auth" -X PUT -H "Content-Type: $oci.manifest.v1+json" --data-binary @manifest "http://$OUTPUT_REGISTRY/v2/$repo/manifests/$tag"
	echo "the login is $auth"
}
eval "$DO"
"""


def program_files(path):
    """A program of this machine with all that it links to: path in the image → bytes."""
    files = {"usr/bin/" + os.path.basename(path): path}
    for found in re.findall(r"(?:=> )?(/\S+) \(0x", subprocess.run(["ldd", path], check=True, capture_output=True, text=True).stdout):
        files[found.lstrip("/")] = found
    return files


def entries_of(files):
    """Entries for a layer, with the folders above."""
    folders, entries = set(), []
    for name, (mode, content, link) in sorted(files.items()):
        parts = name.split("/")[:-1]
        for i in range(1, len(parts) + 1):
            folder = "/".join(parts[:i])
            if folder not in folders and folder not in files:
                folders.add(folder)
                entries.append((folder, 0o755, None, None))
        entries.append((name, mode, content, link))
    return entries


def base_layer():
    files = {}
    for name, path in program_files(shutil.which("curl")).items():
        with open(path, "rb") as file:
            files[name] = (0o755, file.read(), None)
    with open(shutil.which("busybox"), "rb") as file:
        files["bin/busybox"] = (0o755, file.read(), None)
    for name in ("sh", "cat", "cut", "dd", "env", "id", "ls", "mkdir", "mknod", "mount", "ps", "sed", "sha256sum", "sleep", "sort", "stat",
                 "tail", "tar", "touch", "tr", "wc", "pwd", "head", "chroot", "find"):
        files["bin/" + name] = (0o777, None, "busybox")
    files["build.sh"] = (0o755, SCRIPT.encode(), None)
    files["etc/passwd"] = (0o644, b"root:x:0:0::/root:/bin/sh\nbuilder:x:1001:1001::/home/builder:/bin/sh\n", None)
    files["etc/group"] = (0o644, b"root:x:0:\nbuilder:x:1001:\n", None)
    files["home/builder"] = (0o755, None, None)
    files["trap"] = (0o777, None, "proc/1")
    files["sly"] = (0o777, None, "opt/../proc")
    files["opt/own"] = (0o755, None, None)
    files["usr/share/file"] = (0o644, b"x", None)
    files["run/keep"] = (0o644, b"", None)
    files["var/run"] = (0o777, None, "/run")
    return layer_of(entries_of(files))


BASE = base_layer()


def encoded(files):
    return {name: base64.b64encode(text.encode()).decode() for name, text in files.items()}


class Source(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"the source\n"
        self.send_response(200 if self.path == "/app.git/web/index.txt" else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class CustomTest(unittest.TestCase):
    number = 0

    @classmethod
    def setUpClass(cls):
        cls.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Source)
        cls.source_uri = f"http://127.0.0.1:{cls.server.server_address[1]}/app.git"
        threading.Thread(target=cls.server.serve_forever, daemon=True).start()

    @classmethod
    def tearDownClass(cls):
        cls.server.shutdown()
        cls.server.server_close()

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="custom-")
        self.root = self.folder.name
        self.layouts = Layouts(self.root + "/registry")
        self.builder = self.put_builder()
        CustomTest.number += 1
        self.image = f"{REGISTRY}/shop/cart{os.getuid()}-{CustomTest.number}:v1"

    def tearDown(self):
        left = os.listdir(self.root + "/temp") if os.path.isdir(self.root + "/temp") else []
        self.folder.cleanup()
        self.assertEqual(left, [], "temporary folders are left")

    def put_builder(self, **config):
        return self.layouts.put("registry.local/builder:1", [BASE], {
            "Env": ["PATH=/usr/bin:/bin", "OWN=image", "LANG=de_DE"], "Entrypoint": ["/bin/sh"], "Cmd": ["/build.sh"],
            "User": "builder", "WorkingDir": "/srv/here", **config})

    def request(self, do, *, strategy=None, spec=None, config=None, output=True, **more):
        given = {"customStrategy": {"from": {"kind": "DockerImage", "name": self.builder},
                                    "env": [{"name": "DO", "value": do}, {"name": "BUILD_LOGLEVEL", "value": "5"}], **(strategy or {})}}
        common = {"strategy": given, "source": {"git": {"uri": self.source_uri, "ref": "main"}, "contextDir": "web"}, **(spec or {})}
        if output:
            common["output"] = {"to": {"kind": "DockerImage", "name": self.image}}
        return {"format": 1, "action": "custom", "id": "BuildConfig/shop/cart#1", "manifestDir": self.root, "cacheDir": self.root + "/cache",
                "tempDir": self.root + "/temp", "now": 1700000000, "network": "host", "tags": [self.image] if output else [],
                "registries": [{"prefix": "registry.local", "layout": self.root + "/registry"}],
                "credentials": [{"server": REGISTRY, "user": USER, "password": PASSWORD}],
                "buildConfig": {"config": "cart", "build": "cart-1", "namespace": "shop", "number": 1, "spec": common,
                                "buildJson": '{"kind":"Build","metadata":{"name":"cart-1"}}',
                                "files": [{"purpose": "push", "name": "login", "files": encoded({".dockerconfigjson": DOCKERCFG}), "secret": True}],
                                **(config or {})}, **more}

    def run_worker(self, request, signal_after=None):
        env = {**os.environ, "SECRET_OF_THE_HOST": "host-secret-value"}
        with subprocess.Popen([worker.PROGRAM, "worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env) as child:
            child.stdin.write(json.dumps(request).encode())
            child.stdin.close()
            log = []
            for line in child.stderr:
                log.append(line.decode(errors="replace"))
                if signal_after and signal_after in log[-1]:
                    child.send_signal(signal.SIGTERM)
            events = [json.loads(line) for line in child.stdout.read().decode().splitlines()]
            child.wait(timeout=120)
        return child.returncode, events, "".join(log)

    def good(self, request):
        code, events, log = self.run_worker(request)
        self.assertEqual((code, events[-1]["type"]), (0, "result"), log)
        return events[-1], log, events

    def bad(self, request, **more):
        code, events, log = self.run_worker(request, **more)
        self.assertEqual((code, events[-1]["type"]), (1, "failure"), log)
        return events[-1], log

    def tag_digest(self):
        repo, _, tag = self.image.partition("/")[2].rpartition(":")
        ask = urllib.request.Request(f"http://{REGISTRY}/v2/{repo}/manifests/{tag}", method="HEAD", headers={
            "Authorization": "Basic " + AUTH, "Accept": "application/vnd.oci.image.manifest.v1+json"})
        with urllib.request.urlopen(ask, timeout=30) as answer:
            return answer.headers["Docker-Content-Digest"]

    def lines(self, log):
        return log.splitlines()

    def test_the_builder_fetches_and_pushes(self):
        result, log, events = self.good(self.request("push"))
        self.assertEqual(result["image"], self.image.rpartition(":")[0] + "@" + self.tag_digest())
        self.assertEqual(sha(result["manifest"].encode()), result["image"].partition("@")[2])
        self.assertEqual(json.loads(result["config"])["config"]["Cmd"], ["/x"])
        self.assertEqual([one["name"] for one in events if one["type"] == "phase"], ["PULL", "BUILD", "COMPLETION"])
        self.assertIn(f"Pushed '{self.image}'", log)
        self.assertRegex(log, r"the login is Authorization: Basic \S*\*{5}")
        self.assertNotIn(AUTH, log + json.dumps(events))
        # What another build pushed stays what the tag names: a builder that finds nothing to do is no failure.
        again, _, _ = self.good(self.request("echo nothing to do"))
        self.assertEqual(again["image"], result["image"])

    def test_the_environment(self):
        _, log, _ = self.good(self.request("env | sort | sed 's/^/ENV /'; pwd; id -u; id -g; touch made; touch /tmp/made", output=False))
        env = dict(line[4:].split("=", 1) for line in self.lines(log) if line.startswith("ENV "))
        self.assertEqual({name: env.get(name) for name in (
            "SOURCE_REPOSITORY", "SOURCE_URI", "SOURCE_CONTEXT_DIR", "SOURCE_REF", "BUILD_LOGLEVEL", "LANG", "OWN", "HOME", "BUILD",
            "OPENSHIFT_CUSTOM_BUILD_BASE_IMAGE", "PUSH_DOCKERCFG_PATH", "OUTPUT_IMAGE", "DOCKER_SOCKET", "PULL_DOCKERCFG_PATH")}, {
                "SOURCE_REPOSITORY": self.source_uri, "SOURCE_URI": self.source_uri, "SOURCE_CONTEXT_DIR": "web", "SOURCE_REF": "main",
                "BUILD_LOGLEVEL": "5", "LANG": "C.utf8", "OWN": "image", "HOME": "/home/builder",
                "BUILD": '{"kind":"Build","metadata":{"name":"cart-1"}}', "OPENSHIFT_CUSTOM_BUILD_BASE_IMAGE": self.builder,
                "PUSH_DOCKERCFG_PATH": "/var/run/secrets/openshift.io/push", "OUTPUT_IMAGE": None, "DOCKER_SOCKET": None,
                "PULL_DOCKERCFG_PATH": None})
        self.assertIn("/srv/here", self.lines(log))
        self.assertEqual(self.lines(log).count("1001"), 2)

    def test_what_ended_and_was_not_recorded_is_found_again(self):
        one, two = ({"buildKey": "sha256:" + digit * 64} for digit in "12")
        for output in (True, False):
            do = "push" if output else "echo other things"
            with self.subTest(output=output):
                first, log, _ = self.good(self.request(do + "; echo RAN", output=output, **one))
                self.assertIn("RAN", self.lines(log))
                again, log, _ = self.good(self.request(do + "; echo RAN", output=output, **one))
                self.assertTrue(again["adopted"])
                self.assertEqual(again.get("image"), first.get("image"))
                self.assertIn("This build ended already, in a run that could not record it", log)
                self.assertNotIn("RAN", self.lines(log))
                # Another came after it, and failed: what it did may be undone.
                self.bad(self.request("exit 7", output=output, **two))
                again, log, _ = self.good(self.request(do + "; echo RAN", output=output, **one))
                self.assertNotIn("adopted", again)
                self.assertIn("RAN", self.lines(log))
        # The tag names another image by now, or the output is another.
        self.good(self.request("push", **two))
        self.good(self.request('tar() { echo more >root/more; command tar "$@" more; }; push', config={"config": "x"}))
        again, _, _ = self.good(self.request("push", **two))
        self.assertNotIn("adopted", again)
        self.image += "-new"
        again, _, _ = self.good(self.request("push", **two))
        self.assertNotIn("adopted", again)
        for damage in ("", "sha256:" + "2" * 64, "sha256:" + "2" * 64 + "\nnonsense\n"):
            with open(f"{self.root}/cache/custom/{sha(b'shop/cart').partition(':')[2][:32]}", "w", encoding="ascii") as file:
                file.write(damage)
            again, _, _ = self.good(self.request("push", **two))
            self.assertNotIn("adopted", again)

    def test_no_output_no_image(self):
        result, _, events = self.good(self.request("echo did other things", output=False))
        self.assertNotIn("image", result)
        self.assertFalse([one for one in events if one["type"] == "notice"])

    def test_mounts_are_read_only_and_the_users(self):
        files = [{"purpose": "push", "name": "a", "files": encoded({".dockerconfigjson": DOCKERCFG}), "secret": True},
                 {"purpose": "pull", "name": "b", "files": encoded({".dockercfg": "{}"}), "secret": True},
                 {"purpose": "source", "name": "c", "files": encoded({"username": "joe", "password": "pull-me-up"}), "secret": True},
                 {"purpose": "custom", "name": "d", "destination": "/opt/keys/", "files": encoded({"key": "custom-key"}), "secret": True},
                 {"purpose": "custom", "name": "e", "destination": "/etc/conf", "files": encoded({"conf": "words"})},
                 {"purpose": "input", "name": "f", "destination": "x", "files": encoded({"not": "ours"})}]
        do = """for dir in "$PUSH_DOCKERCFG_PATH" "$PULL_DOCKERCFG_PATH" "$SOURCE_SECRET_PATH" /opt/keys /etc/conf; do
            for file in "$dir"/.[a-z]* "$dir"/*; do [ ! -f "$file" ] || echo "FILE $file $(stat -c '%a %u' "$file") $(wc -c <"$file")"; done
            touch "$dir/new" 2>/dev/null && echo "WROTE $dir"; echo x 2>/dev/null >>"$file" && echo "CHANGED $file"; true
        done; cat /opt/keys/key; echo"""
        _, log, _ = self.good(self.request(do, output=False, config={"files": files}))
        self.assertEqual([line for line in self.lines(log) if line.startswith("FILE")], [
            f"FILE /var/run/secrets/openshift.io/push/.dockerconfigjson 400 1001 {len(DOCKERCFG)}",
            "FILE /var/run/secrets/openshift.io/pull/.dockercfg 400 1001 2",
            "FILE /var/run/secrets/openshift.io/source/password 400 1001 10", "FILE /var/run/secrets/openshift.io/source/username 400 1001 3",
            "FILE /opt/keys/key 400 1001 10", "FILE /etc/conf/conf 644 1001 5"])
        self.assertNotRegex(log, "WROTE|CHANGED")
        self.assertIn("*****", self.lines(log))
        self.assertNotIn("custom-key", log)

    def test_places_where_nothing_may_be_mounted(self):
        secret = {"purpose": "custom", "name": "keys", "files": encoded({"a": "b"}), "secret": True}
        for place, text in (("/proc/sys", "which is the system's"), ("keys", "must be absolute"), ("/a/../b", "must not contain '..'"),
                            ("/trap/root", "leads nowhere"), ("/sly/x", "which is the system's"), ("/usr/share/file", "is no folder in the builder image"),
                            ("/var/run/secrets/openshift.io/push/x", "meet"), ("/var", "which is the system's")):
            with self.subTest(place):
                files = self.request("true")["buildConfig"]["files"] + [{**secret, "destination": place}]
                event, _ = self.bad(self.request("echo RAN", output=False, config={"files": files}))
                self.assertEqual((event["failure"], event["reason"]), ("invalid", "GenericBuildFailed"))
                self.assertIn("secret 'keys': ", event["text"])
                self.assertIn(text, event["text"])
        for name in ("../up", "a/b", "..", ""):
            with self.subTest(name):
                event, _ = self.bad(self.request("echo RAN", config={"files": [{**secret, "destination": "/k", "files": encoded({name: "x"})}]}))
                self.assertIn("is no name of a file", event["text"])

    def test_what_was_sent_is_on_standard_input(self):
        os.makedirs(self.root + "/sent/sub")
        for name, text in (("sent/a", "one\n"), ("sent/sub/b", "two\n"), ("file", "of a file\n")):
            with open(f"{self.root}/{name}", "w", encoding="ascii") as file:
                file.write(text)
        os.symlink("a", self.root + "/sent/link")
        source = {"source": {"binary": {}}}
        _, log, _ = self.good(self.request("tar -xzf -; cat a sub/b link; echo end", output=False, spec=source,
                                           config={"binary": {"path": self.root + "/sent"}}))
        self.assertIn("one\ntwo\none\nend\n", log)
        source = {"source": {"binary": {"asFile": "x.war"}}}
        _, log, _ = self.good(self.request("cat", output=False, spec=source, config={"binary": {
            "path": self.root + "/file", "asFile": "x.war", "content": sha(b"of a file\n")}}))
        self.assertIn("of a file", self.lines(log))
        event, _ = self.bad(self.request("cat", output=False, spec=source, config={"binary": {
            "path": self.root + "/file", "asFile": "x.war", "content": sha(b"another")}}))
        self.assertEqual((event["failure"], event["reason"]), ("conflict", "FetchSourceFailed"))
        self.assertIn("as planned", event["text"])
        _, log, _ = self.good(self.request("cat; echo no input", output=False))
        self.assertIn("no input", self.lines(log))

    def test_ended_without_pushing(self):
        event, _ = self.bad(self.request("echo done"))
        self.assertEqual((event["failure"], event["reason"], event["text"]),
                         ("invalid", "PushImageToRegistryFailed", f"the builder ended without pushing '{self.image}'"))

    def test_fails_with_an_exit_code(self):
        event, log = self.bad(self.request("echo it is broken; exit 7"))
        self.assertEqual((event["failure"], event["reason"], event["exitCode"], event["name"]), ("build", "GenericBuildFailed", 7, "BUILD"))
        self.assertEqual(event["text"], "the builder failed (exit code 7)")
        self.assertIn("it is broken", log)

    def test_builders_that_cannot_be_run(self):
        self.builder = self.put_builder(Entrypoint=[], Cmd=[])
        event, _ = self.bad(self.request("true"))
        self.assertEqual((event["reason"], event["text"]), ("GenericBuildFailed", "the builder image has neither ENTRYPOINT nor CMD"))
        self.builder = self.put_builder(Entrypoint=["/not/there"])
        event, _ = self.bad(self.request("true"))
        self.assertEqual((event["failure"], event["reason"]), ("invalid", "GenericBuildFailed"))
        self.builder = self.put_builder(User="nobody-knows")
        event, _ = self.bad(self.request("true"))
        self.assertIn("user 'nobody-knows' is not in the image's /etc/passwd", event["text"])
        self.builder = self.builder.partition("@")[0] + "@sha256:" + "0" * 64
        event, _ = self.bad(self.request("true"))
        self.assertEqual(event["reason"], "PullBuilderImageFailed")
        self.assertIn("cannot use builder image '" + self.builder, event["text"])

    def test_too_long_for_a_variable(self):
        event, _ = self.bad(self.request("true", config={"buildJson": "x" * 200000}))
        self.assertIn("variable 'BUILD' has 200006 bytes", event["text"])

    @unittest.skipUnless(IS_ROOT, "a limit of memory needs root")
    def test_out_of_memory(self):
        event, _ = self.bad(self.request("tail /dev/zero", resources={"limits": {"memory": "32Mi"}}))
        self.assertEqual((event["reason"], event["oom"]), ("OutOfMemoryKilled", True))
        self.assertIn("OOMKilled: it needed more memory than its limit of 32 MiB allows", event["text"])

    def test_deadline(self):
        began = time.monotonic()
        event, _ = self.bad(self.request("sleep 100", timeoutSeconds=3))
        self.assertEqual((event["timeout"], event["reason"]), (True, "GenericBuildFailed"))
        self.assertIn("DeadlineExceeded: it took longer than its limit of 3 s", event["text"])
        self.assertLess(time.monotonic() - began, 60)

    def test_cancelled(self):
        event, _ = self.bad(self.request("echo it runs; sleep 100"), signal_after="it runs")
        self.assertEqual((event["failure"], event["reason"]), ("cancelled", "CancelledBuild"))

    def test_hostile(self):
        for user in ("builder", "root"):
            with self.subTest(user):
                self.builder = self.put_builder(User=user)
                with open(self.root + "/host-file", "w", encoding="ascii") as file:
                    file.write("words of the host\n")
                do = f"""PATH=/bin
                    cat {self.root}/host-file && echo READ; ls {self.root} && echo LISTED
                    cat /proc/1/root{self.root}/host-file && echo READ
                    cat /proc/[0-9]*/environ | tr '\\0' '\\n' | sed 's/^/SEEN /'
                    mount -t tmpfs none /tmp && echo MOUNTED; mknod /tmp/disk b 8 0 && echo MADE
                    echo 1 >/proc/sys/kernel/panic && echo SYSCTL; echo x >/proc/sysrq-trigger && echo SYSRQ
                    touch /sys/kernel/x && echo SYSFS
                    mkdir -p /tmp/esc && chroot /tmp/esc / 2>/dev/null && echo CHROOT
                    sleep 1000 & ls /var/run/docker.sock && echo SOCKET
                    echo "processes: $(ls /proc | sed -n '/^[0-9]/p' | wc -l)"; true"""
                _, log, events = self.good(self.request("set +e; " + do, output=False, strategy={"exposeDockerSocket": True, **{
                    "env": [{"name": "DO", "value": "set +e; " + do}]}}))
                self.assertNotRegex(log, "(?m)words of the host|^(READ|LISTED|MOUNTED|MADE|SYSCTL|SYSRQ|SYSFS|CHROOT|SOCKET)$")
                self.assertIn("SEEN DO=", log)
                self.assertNotIn("host-secret-value", log)
                self.assertLess(int(re.search(r"processes: (\d+)", log).group(1)), 10)
                self.assertIn("the builder gets none", [one["text"] for one in events if one["type"] == "notice"][0])
                self.assertEqual(sorted(set(os.listdir(self.root)) - {"cache", "temp", "registry"}), ["host-file"])

    def test_the_docker_socket_is_the_settings(self):
        path = self.root + "/docker.sock"
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        os.chmod(path, 0o777)
        listener.listen(1)

        def answer():
            peer, _ = listener.accept()
            peer.recv(4096)
            peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nPONG\n")
            peer.close()

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        _, log, _ = self.good(self.request('echo "at $DOCKER_SOCKET"; curl -sS --unix-socket "$DOCKER_SOCKET" http://x/_ping', output=False,
                                           strategy={"exposeDockerSocket": True}, config={"dockerSocket": path}))
        thread.join(timeout=30)
        listener.close()
        self.assertIn("at /var/run/docker.sock", self.lines(log))
        self.assertIn("PONG", self.lines(log))
        event, _ = self.bad(self.request("true", config={"dockerSocket": self.root + "/none.sock"}))
        self.assertIn("cannot use docker's socket", event["text"])

    def test_what_is_out_of_reach_is_said(self):
        self.image = "registry.local/shop/cart:1"
        request = self.request("echo tried", network="none", spec={"source": {"git": {"uri": "../cart.git"}}, "postCommit": {"script": "test"}})
        code, events, log = self.run_worker(request)
        self.assertEqual((code, events[-1]["reason"]), (1, "PushImageToRegistryFailed"), log)
        notices = "\n".join(one["text"] for one in events if one["type"] == "notice")
        for text in ("'registry.local/shop/cart:1' is a folder of this machine", "source '../cart.git' is a folder of this machine",
                     "builds have no network here", "postCommit is not run for Custom builds"):
            self.assertIn(text, notices)
            self.assertIn("Warning: ", log)
        self.image = "mapped.local/shop/cart:1"
        request = self.request("echo tried")
        request["registries"].append({"prefix": "mapped.local", "location": REGISTRY + "/mapped"})
        code, events, log = self.run_worker(request)
        self.assertEqual((code, events[-1]["reason"]), (1, "PushImageToRegistryFailed"), log)
        self.assertIn(f"is at '{REGISTRY}' by the settings", [one["text"] for one in events if one["type"] == "notice"][0])

    def reconcile(self, *args):
        env = {"PATH": os.environ["PATH"], "HOME": self.root, "XDG_CACHE_HOME": self.root + "/xdg", "GIT_CONFIG_NOSYSTEM": "1",
               "RECONCILE_SECRET_LOGIN": DOCKERCFG}
        done = subprocess.run([worker.PROGRAM, *args], cwd=self.root + "/config", env=env, capture_output=True, text=True, timeout=120,
                              check=False)
        return done.returncode, done.stdout + done.stderr

    def recorded(self, path):
        return subprocess.run(["git", "-C", self.root + "/config", "show", "reconcile/state:" + path], check=True, capture_output=True,
                              text=True).stdout

    def test_a_build_config_from_its_manifest_to_its_record(self):
        stream = self.image.rpartition("/")[2].partition(":")[0]
        os.mkdir(self.root + "/config")
        with open(self.root + "/config/all.yaml", "w", encoding="utf-8") as file:
            file.write(MANIFEST.replace("@BUILDER@", self.builder).replace("@SOURCE@", self.source_uri).replace("@STREAM@", stream)
                       .replace("@REGISTRY@", REGISTRY).replace("@LAYOUT@", self.root + "/registry"))
        with open(self.root + "/trusted.yaml", "w", encoding="utf-8") as file:
            file.write(f"apiVersion: reconcile.dev/v1\nkind: Settings\nmetadata: {{name: settings}}\nregistries:\n- prefix: registry.local\n"
                       f"  layout: {self.root}/registry\nstreams: {{registry: '{REGISTRY}'}}\nbuilds: {{custom: true}}\n")
        for args in (("init", "-q"), ("config", "user.name", "T"), ("config", "user.email", "t@example.com"), ("add", "-A"),
                     ("commit", "-qm", "what we want")):
            subprocess.run(["git", "-C", self.root + "/config", *args], check=True)
        _, said = self.reconcile(".")
        self.assertIn("builds.custom is not set", said)
        code, said = self.reconcile("--settings", self.root + "/trusted.yaml", ".")
        self.assertEqual(code, 0, said)
        build = self.recorded("shop/buildconfigs/cart/builds/1.yaml")
        self.assertIn(self.tag_digest(), build)
        self.assertRegex(build, r"phase: Complete")
        self.assertIn(self.tag_digest(), self.recorded(f"shop/imagestreams/{stream}.yaml"))
        self.assertNotIn(AUTH, build + said)
        code, said = self.reconcile("--settings", self.root + "/trusted.yaml", "--detailed-exitcode", ".")
        self.assertEqual(code, 0, said)


MANIFEST = """\
apiVersion: reconcile.dev/v1
kind: Settings
metadata: {name: settings}
registries:
- prefix: registry.local
  layout: @LAYOUT@
streams: {registry: "@REGISTRY@"}
---
apiVersion: image.openshift.io/v1
kind: ImageStream
metadata: {name: "@STREAM@", namespace: shop}
---
apiVersion: v1
kind: Secret
metadata:
  name: login
  namespace: shop
  annotations: {reconcile.dev/from-env: .dockerconfigjson=RECONCILE_SECRET_LOGIN}
type: kubernetes.io/dockerconfigjson
---
apiVersion: build.openshift.io/v1
kind: BuildConfig
metadata: {name: cart, namespace: shop}
spec:
  source:
    dockerfile: FROM scratch
  strategy:
    customStrategy:
      from: {kind: DockerImage, name: "registry.local/builder:1"}
      env:
      - {name: DO, value: push}
      - {name: SOURCE_URI, value: "@SOURCE@"}
      - {name: SOURCE_CONTEXT_DIR, value: web}
  output:
    to: {kind: ImageStreamTag, name: "@STREAM@:v1"}
    pushSecret: {name: login}
  triggers:
  - type: ConfigChange
"""


if __name__ == "__main__":
    unittest.main()
