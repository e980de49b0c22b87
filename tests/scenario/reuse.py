#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What builds and rebases do not do again: reuse.py PROGRAM WORK SERVER LOG OTHER-SERVER OTHER-LOG, two docker-registries and their
logs of requests. Caches in folders and registries: what is read, sent and fetched, what happens to damaged ones, to full
disks, to builds at the same time. Rebases: which bytes move, which images are refused."""
import concurrent.futures
import glob
import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import time
import unittest

import worker

WORK, SERVER, LOG, OTHER, OTHER_LOG = sys.argv[1:6]
sys.argv[1:] = sys.argv[6:]
OCI, DOCKER = "application/vnd.oci.image.", "application/vnd.docker."
STORE, OTHER_STORE = (os.path.dirname(log) + "/data/docker/registry/v2/blobs/sha256" for log in (LOG, OTHER_LOG))

BUILD = """#!/bin/sh
set -eu
layers=$1
if [ -d "$layers/kept" ]; then echo "kept is there"; else
	mkdir -p "$layers/kept/below"
	i=0; while [ $i -lt 30 ]; do echo "$i$i$i" >"$layers/kept/below/f$i"; i=$((i + 1)); done
fi
[ -d "$layers/only" ] || { mkdir "$layers/only"; echo only >"$layers/only/file"; }
mkdir -p "$layers/fresh"
echo fresh >"$layers/fresh/file"
printf '[types]\\nlaunch = true\\ncache = true\\n' >"$layers/kept.toml"
printf '[types]\\nbuild = true\\ncache = true\\n' >"$layers/only.toml"
printf '[types]\\nlaunch = true\\n' >"$layers/fresh.toml"
printf '[[processes]]\\ntype = "web"\\ncommand = ["env"]\\ndefault = true\\n' >"$layers/launch.toml"
sleep ${PAUSE:-0}
"""
worker.BUILD = BUILD


class Log:
    """The requests that a server has answered since the last look: (method, path, query, status)."""

    def __init__(self, path):
        self.path, self.at = path, os.path.getsize(path)

    def new(self):
        time.sleep(0.15)  # it is written behind the answers
        with open(self.path, encoding="utf-8", errors="replace") as file:
            file.seek(self.at)
            text = file.read()
            self.at = file.tell()
        return [(one[0], one[1], one[2], int(one[3]))
                for one in re.findall(r'"([A-Z]+) ([^ ?"]+)\??([^ "]*) HTTP/1\.[01]" (\d{3}) ', text)]


def blob_of(path):
    found = re.search(r"/blobs/(sha256:[0-9a-f]{64})$", path)
    return found and found[1]


def fetched(requests):
    """Digests of the blobs that were downloaded."""
    return {blob_of(path) for method, path, _, status in requests if method == "GET" and status < 300 and blob_of(path)}


def sent(requests):
    """(repository, digest) of the blobs that were uploaded."""
    return [(path.split("/blobs/")[0][4:], re.search("digest=([^&]*)", query)[1].replace("%3A", ":"))
            for method, path, query, status in requests if method == "PUT" and "/blobs/uploads/" in path and status == 201]


def mounted(requests):
    return [(path.split("/blobs/")[0][4:], re.search("mount=([^&]*)", query)[1].replace("%3A", ":"))
            for method, path, query, status in requests if method == "POST" and "mount=" in query and status == 201]


class Client:
    """A registry as other tools write to it and read from it."""

    def __init__(self, server):
        self.server = server

    def ask(self, method, path, body=None, kind=None):
        connection = http.client.HTTPConnection(self.server, timeout=30)
        connection.request(method, path, body, {"Accept": ", ".join([OCI + "manifest.v1+json", OCI + "index.v1+json",
                                                                       DOCKER + "distribution.manifest.v2+json"]),
                                                **({"Content-Type": kind} if kind else {})})
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        return answer, data

    def blob(self, repo, data, kind):
        answer, _ = self.ask("POST", f"/v2/{repo}/blobs/uploads/")
        place = answer.headers["Location"].partition(self.server)[2]
        answer, text = self.ask("PUT", f"{place}&digest={worker.sha(data)}", data, "application/octet-stream")
        assert answer.status == 201, text
        return {"mediaType": kind, "digest": worker.sha(data), "size": len(data)}

    def manifest(self, repo, tag, value):
        data = json.dumps(value).encode()
        answer, text = self.ask("PUT", f"/v2/{repo}/manifests/{tag}", data, value["mediaType"])
        assert answer.status == 201, text
        return {"mediaType": value["mediaType"], "digest": worker.sha(data), "size": len(data)}

    def image(self, repo, tag, layers, config, docker=False, change=None, **more):
        kinds = (DOCKER + "container.image.v1+json", DOCKER + "image.rootfs.diff.tar.gzip", DOCKER + "distribution.manifest.v2+json"
                 ) if docker else (OCI + "config.v1+json", OCI + "layer.v1.tar+gzip", OCI + "manifest.v1+json")
        body = {"architecture": "amd64", "os": "linux", "config": config, **more,
                "rootfs": {"type": "layers", "diff_ids": [worker.sha(one) for one in layers]}}
        manifest = {"schemaVersion": 2, "mediaType": kinds[2], "config": self.blob(repo, json.dumps(body).encode(), kinds[0]),
                    "layers": [self.blob(repo, worker.packed(one), kinds[1]) for one in layers]}
        if change:
            change(manifest)
        return self.pinned(repo, self.manifest(repo, tag, manifest))

    def index(self, repo, tag, images):
        manifests = [{"mediaType": OCI + "manifest.v1+json", "digest": pinned.partition("@")[2], "size": size,
                      "platform": {"os": "linux", "architecture": arch}} for arch, pinned, size in images]
        return self.pinned(repo, self.manifest(repo, tag, {"schemaVersion": 2, "mediaType": OCI + "index.v1+json",
                                                           "manifests": manifests}))

    def pinned(self, repo, entry):
        return f"{self.server}/{repo}@{entry['digest']}"

    def read(self, pinned):
        name, _, digest = pinned.partition("@")
        repo = name.partition("/")[2]
        manifest = json.loads(self.ask("GET", f"/v2/{repo}/manifests/{digest}")[1])
        return manifest, json.loads(self.ask("GET", f"/v2/{repo}/blobs/{manifest['config']['digest']}")[1])

    def size(self, pinned):
        repo, _, digest = pinned.partition("/")[2].partition("@")
        return len(self.ask("GET", f"/v2/{repo}/manifests/{digest}")[1])


def diff_ids(config):
    return config["rootfs"]["diff_ids"]


class ReuseTest(unittest.TestCase):
    def setUp(self):
        self.name = self._testMethodName.removeprefix("test_").replace("_", "-")
        self.root = os.path.join(WORK, self.name)
        os.mkdir(self.root)
        self.world = worker.World(self.root)
        self.client, self.other = Client(SERVER), Client(OTHER)
        self.log, self.other_log = Log(LOG), Log(OTHER_LOG)
        self.app, self.cache = f"{SERVER}/{self.name}/app", f"{SERVER}/{self.name}/cache:1"
        self.key = 0

    def tearDown(self):
        shutil.rmtree(self.root, ignore_errors=True)

    def request(self, request):
        registries = [{"prefix": one, "insecure": True} for one in (SERVER, OTHER)] + request["registries"]
        return {**request, "registries": registries}

    def run_it(self, request, prefix=()):
        done = subprocess.run([*prefix, worker.PROGRAM, "worker"], input=json.dumps(self.request(request)).encode(),
                              capture_output=True, timeout=120, check=False)
        events = [json.loads(line) for line in done.stdout.decode().splitlines()]
        return done.returncode, events[-1] if events else {}, done.stderr.decode(errors="replace")

    def good(self, request, prefix=()):
        code, event, log = self.run_it(request, prefix)
        self.assertEqual((code, event.get("type")), (0, "result"), log)
        return event["image"], log

    def refused(self, request, text):
        code, event, log = self.run_it(request)
        self.assertEqual((code, event.get("type")), (1, "failure"), log)
        self.assertIn(text, event["text"])
        return event

    def compose(self):
        return self.run_it(self.world.compose())[1]

    def next_key(self):
        self.key += 1
        return format(self.key, "064x")

    def build(self, builder, prefix=(), **more):
        request = self.world.build(builder, **{"tags": [self.app + ":1"], **more})
        return self.good({**request, "buildKey": "sha256:" + self.next_key()}, prefix)

    def cache_folder(self):
        (only,) = glob.glob(self.root + "/cache/cnb/*")
        return only

    def sboms(self, image):
        """The layer of SBOMs, whose files buildpacks are given again: the one that has to be fetched."""
        manifest, config = self.client.read(image)
        metadata = json.loads(config["config"]["Labels"]["io.buildpacks.lifecycle.metadata"])
        return {manifest["layers"][diff_ids(config).index(metadata["sbom"]["sha"])]["digest"]} if "sbom" in metadata else set()

    # Caches

    def test_nothing_unchanged_is_read_or_sent(self):
        builder = self.compose()
        image, _ = self.build(builder, cacheImage=self.cache, tags=[self.app + ":1", self.app + ":2", f"{SERVER}/{self.name}/second:1"])
        requests = self.log.new()
        manifest, _ = self.client.read(image)
        layers = [one["digest"] for one in manifest["layers"]]
        self.assertEqual([digest for _, digest in sent(requests)].count(layers[-1]), 1)
        for digest in layers[2:]:
            # Each once to the registry, whatever the number of repositories; the kept one is in the cache's, too.
            self.assertEqual([repo for repo, one in sent(requests) if one == digest], [self.name + "/app"])
            self.assertIn((self.name + "/second", digest), mounted(requests))
        self.assertEqual(len([one for repo, one in mounted(requests) if repo == self.name + "/cache"]), 1)
        trace = self.root + "/trace"
        # The leak checker cannot work where strace already traces.
        no_leaks = "ASAN_OPTIONS=" + os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
        strace = ["env", no_leaks, "strace", "-f", "-qq", "-e", "trace=open,openat,openat2", "-o", trace] if shutil.which("strace") else []
        again, log = self.build(builder, strace, cacheImage=self.cache)
        requests = self.log.new()
        configs = {manifest["config"]["digest"], self.client.read(again)[0]["config"]["digest"]}
        cache_config = self.client.read(self.client.pinned(self.name + "/cache", {"digest": "1"}))[0]["config"]["digest"]
        self.assertEqual({digest for _, digest in sent(requests)} - configs - {cache_config}, set())
        self.assertEqual(fetched(requests) & set(layers), self.sboms(image))
        self.assertIn("kept is there", log)
        for name in ("kept", "fresh"):
            self.assertIn(f"Reusing layer 'test/hello:{name}'", log)
        self.assertIn("Reusing cache layer 'test/hello:only'", log)
        if strace:
            with open(trace, encoding="utf-8", errors="replace") as file:
                lines = [line for line in file if ("/f1" in line or "f1\"" in line or ".tar.gz" in line) and "ENOENT" not in line
                         and "O_PATH" not in line]
            self.assertEqual([line for line in lines if "below" in line or "kept" in line or "committed" in line], [])

    def test_another_machine_fetches_the_cache_alone(self):
        builder = self.compose()
        image, _ = self.build(builder, cacheImage=self.cache)
        manifest, config = self.client.read(image)
        self.log.new()
        again, log = self.build(builder, cacheImage=self.cache, cacheDir=self.root + "/second-machine")
        got = fetched(self.log.new())
        self.assertIn("kept is there", log)
        cached = {one["digest"] for one in self.client.read(self.client.pinned(self.name + "/cache", {"digest": "1"}))[0]["layers"]}
        layers = {one["digest"] for one in manifest["layers"]}
        self.assertEqual(got & (layers | cached), cached | self.sboms(image))
        self.assertEqual(diff_ids(self.client.read(again)[1]), diff_ids(config))

    def damage(self, what, path):
        if what == "flipped":
            with open(path, "r+b") as file:
                file.seek(os.path.getsize(path) // 2)
                byte = file.read(1)
                file.seek(-1, 1)
                file.write(bytes([byte[0] ^ 0xff]))
        elif what == "cut":
            os.truncate(path, os.path.getsize(path) // 2)
        elif what == "empty":
            os.truncate(path, 0)
        elif what == "gone":
            os.remove(path)
        elif what == "folder":
            os.remove(path)
            os.makedirs(path + "/x")
        elif what == "pipe":
            os.remove(path)
            os.mkfifo(path)
        elif what == "link":
            os.rename(path, path + ".moved")
            os.symlink("/etc/passwd", path)

    def check_whole(self, folder, described=True):
        """All that metadata names is there and is what its name says; and it is described, or not at all."""
        with open(folder + "/committed/metadata.json", encoding="utf-8") as file:
            metadata = json.load(file)
        with open(folder + "/committed/blobs.json", encoding="utf-8") as file:
            blobs = json.load(file)
        shas = [layer["sha"] for one in metadata["buildpacks"] for layer in one["layers"].values()]
        self.assertEqual(len(shas), 2)
        for one in shas:
            packed = subprocess.run(["gzip", "-dc", f"{folder}/committed/{one[7:]}.tar.gz"], capture_output=True, check=True).stdout
            self.assertEqual(worker.sha(packed), one)
            with open(f"{folder}/committed/{one[7:]}.tar.gz", "rb") as file:
                data = file.read()
            if described or one in blobs:
                self.assertEqual(blobs[one], {"digest": worker.sha(data), "size": len(data)})
        return shas

    def test_damaged_caches_are_made_again(self):
        builder = self.compose()
        image, _ = self.build(builder)
        _, want = self.client.read(image)
        for what in ("flipped", "cut", "empty", "gone", "folder", "pipe", "link"):
            for archive in (True, False) if what in ("flipped", "pipe", "folder") else (True,):
                with self.subTest(what=what, archive=archive):
                    folder = self.cache_folder()
                    shas = self.check_whole(folder)
                    shutil.rmtree(folder + "/kept")
                    if archive:
                        for one in shas:
                            self.damage(what, f"{folder}/committed/{one[7:]}.tar.gz")
                    else:
                        self.damage(what, folder + "/committed/metadata.json")
                    image, log = self.build(builder)
                    self.assertEqual(diff_ids(self.client.read(image)[1]), diff_ids(want), log)
                    self.assertNotIn("kept is there", log)
                    self.check_whole(self.cache_folder())
                    # The next one has a whole cache again, and nothing to say about it.
                    image, log = self.build(builder)
                    self.assertIn("kept is there", log)
                    self.assertNotIn("not used", log)
                    self.assertEqual(diff_ids(self.client.read(image)[1]), diff_ids(want))

    def test_damaged_folders_are_made_again(self):
        builder = self.compose()
        self.build(builder)
        for damage in ("echo x >>$tree/below/f1", "rm $tree/below/f1", "rm -r $tree; ln -s / $tree", "echo x >$tree/../print",
                       "chown -R 12345 $tree || touch $tree/below/f2", "rm -r $tree/..; echo x >$tree/..", "rm -r $tree/../..; mkfifo $tree/../.."):
            with self.subTest(damage=damage):
                for tree in glob.glob(self.cache_folder() + "/kept/*/tree"):
                    subprocess.run(["sh", "-c", damage.replace("$tree/../..", os.path.dirname(os.path.dirname(tree)))
                                    .replace("$tree/..", os.path.dirname(tree)).replace("$tree", tree)], check=False, capture_output=True)
                image, log = self.build(builder)
                self.assertIn("kept is there", log)
                self.assertIn("Reusing layer 'test/hello:kept'", log)
                self.check_whole(self.cache_folder())

    def test_damaged_states_are_made_again(self):
        builder = self.compose()
        self.build(builder)
        for damage in ("rm -r committed; echo x >committed", "mv committed committed-backup", "mkdir -p staging/x; cp -r committed committed-backup",
                       "rm -r committed; ln -s /nowhere committed", "mkfifo staging", "rm lock", "echo '[]' >committed/metadata.json",
                       "echo '{\"buildpacks\": {\"x\": 1}}' >committed/metadata.json", "echo '[1]' >committed/blobs.json", "rm -rf *"):
            with self.subTest(damage=damage):
                folder = self.cache_folder()
                subprocess.run(["sh", "-c", damage], cwd=folder, check=True)
                self.build(builder)
                self.check_whole(self.cache_folder(), described="blobs.json" not in damage)
                _, log = self.build(builder)
                self.assertIn("kept is there", log)

    def test_a_damaged_cache_image_is_made_again(self):
        builder = self.compose()
        self.build(builder, cacheImage=self.cache)
        repo = self.name + "/cache"
        manifest, config = self.client.read(self.client.pinned(repo, {"digest": "1"}))
        (metadata,) = json.loads(config["config"]["Labels"]["io.buildpacks.lifecycle.cache.metadata"])["buildpacks"]
        kept = manifest["layers"][diff_ids(config).index(metadata["layers"]["kept"]["sha"])]["digest"][7:]
        for data in (b"no gzip at all", None):
            path = f"{STORE}/{kept[:2]}/{kept}/data"
            with open(path, "rb") as file:
                whole = file.read()
            with open(path, "wb") as file:
                file.write(data or whole[:-1] + b"x")
            try:
                _, log = self.build(builder, cacheImage=self.cache, cacheDir=f"{self.root}/fresh-{self.key}")
            finally:
                with open(path, "wb") as file:
                    file.write(whole)
            self.assertIn("not used", log)
            self.assertNotIn("kept is there", log)
        # What lies in the folder was damaged before it is sent to a registry that has lost it: nothing false gets there.
        (archive,) = glob.glob(f"{self.root}/fresh-{self.key - 1}/cnb/*/committed/{metadata['layers']['kept']['sha'][7:]}.tar.gz")
        self.damage("flipped", archive)
        _, log = self.build(builder, cacheImage=self.cache.replace("cache:1", "third:1"), cacheDir=f"{self.root}/fresh-{self.key - 1}")
        self.check_remote("third")

    def check_remote(self, name):
        answer, _ = self.client.ask("GET", f"/v2/{self.name}/{name}/manifests/1")
        if answer.status == 404:
            return
        manifest, config = self.client.read(self.client.pinned(f"{self.name}/{name}", {"digest": "1"}))
        for one, diff_id in zip(manifest["layers"], diff_ids(config)):
            data = self.client.ask("GET", f"/v2/{self.name}/{name}/blobs/{one['digest']}")[1]
            self.assertEqual(worker.sha(subprocess.run(["gzip", "-dc"], input=data, capture_output=True, check=True).stdout), diff_id)

    def test_builds_at_the_same_time(self):
        builder = self.compose()

        def one(number, **more):
            request = self.world.build(builder, tags=[self.app + ":1"], env=[{"name": "PAUSE", "value": str(number % 2)}], **more)
            return self.good({**request, "buildKey": "sha256:" + format(number, "064x")})
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            images = list(pool.map(one, range(6)))
        self.assertEqual(len({tuple(diff_ids(self.client.read(image)[1])) for image, _ in images}), 1)
        self.check_whole(self.cache_folder())
        # Several machines that share a cache image.
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda n: one(n, cacheImage=self.cache, cacheDir=f"{self.root}/machine-{n}"), range(10, 14)))
        self.check_remote("cache")

    @unittest.skipUnless(os.geteuid() == 0, "needs mounts")
    def test_a_full_disk_is_no_reason_to_fail(self):
        builder = self.compose()
        image, _ = self.build(builder)
        folder = self.cache_folder()
        full = ["unshare", "--mount", "sh", "-c", f'mount -t tmpfs -o size=%s,nr_inodes=%s none {folder} && exec "$@"', "sh"]
        n_failed = 0
        for size, inodes in (("4k", "100"), ("16k", "100"), ("1m", "4"), ("1m", "9"), ("28k", "25")):
            mount = full[:4] + [full[4] % (size, inodes)] + full[5:]
            code, event, log = self.run_it({**self.world.build(builder, tags=[self.app + ":1"]), "buildKey": "sha256:" + self.next_key()}, mount)
            if code == 0:
                self.assertEqual(diff_ids(self.client.read(event["image"])[1]), diff_ids(self.client.read(image)[1]))
                n_failed += "Failed to export cache" in log
            else:  # where not even the lock can be made
                self.assertIn("No space left", event["text"])
        self.assertGreater(n_failed, 0)
        _, log = self.build(builder)
        self.assertIn("kept is there", log)


    # Rebases

    def labels(self, top, **more):
        metadata = {"app": [], "buildpacks": [], "config": {"sha": ""}, "launcher": {"sha": ""},
                    "runImage": {"topLayer": top, "reference": "", "image": "run"}, "stack": {"runImage": {"image": "run"}}}
        return {"io.buildpacks.stack.id": "test.stack", "io.buildpacks.lifecycle.metadata": json.dumps(metadata), **more}

    def layers(self, *names):
        return [worker.layer_of([(name, 0o644, f"{self.name} {name}\n".encode() * 50, None)]) for name in names]

    def put_app(self, base, own=("a", "b"), client=None, docker=False, arch="amd64", labels=None, extra=(), env="0.14", **more):
        layers = self.layers(*base)
        config = {"Labels": self.labels(worker.sha(layers[-1]), **(labels or {})), "Env": ["CNB_PLATFORM_API=" + env]}
        return (client or self.client).image(self.name + "/app", "1", layers + self.layers(*own, *extra), config, docker=docker,
                                             architecture=arch, **more)

    def put_run(self, tag, names, client=None, docker=False, arch="amd64", repo="run", labels=None, change=None):
        return (client or self.client).image(f"{self.name}/{repo}", tag, self.layers(*names), {
            "Labels": {"io.buildpacks.stack.id": "test.stack", **(labels or {})}, "Env": ["PATH=/bin"]}, docker=docker, change=change,
            architecture=arch)

    def rebase(self, app, run, **more):
        return self.world.request("rebase", **{"buildKey": "sha256:" + self.next_key(), "tags": [self.app + ":1"], "previousImage": app,
                                               "runImage": run, "runImageName": "run", **more})

    def check_rebased(self, image, base, own):
        manifest, config = self.client.read(image)
        want = self.layers(*base, *own)
        self.assertEqual(diff_ids(config), [worker.sha(one) for one in want])
        self.assertEqual([one["digest"] for one in manifest["layers"]], [worker.sha(worker.packed(one)) for one in want])
        self.assertEqual({one["mediaType"] for one in manifest["layers"]}, {OCI + "layer.v1.tar+gzip"})
        self.assertEqual((manifest["mediaType"], manifest["config"]["mediaType"]), (OCI + "manifest.v1+json", OCI + "config.v1+json"))
        metadata = json.loads(config["config"]["Labels"]["io.buildpacks.lifecycle.metadata"])
        self.assertEqual(metadata["runImage"]["topLayer"], diff_ids(config)[len(base) - 1])
        for one in manifest["layers"]:
            answer, _ = self.client.ask("HEAD", f"/v2/{self.name}/app/blobs/{one['digest']}")
            self.assertEqual(answer.status, 200)
        return config

    def test_rebase_moves_no_layer_within_a_registry(self):
        for docker_app, docker_run, names in ((False, False, ("n1", "n2")), (True, False, ("n1",)), (False, True, ("n1", "n2", "n3", "n1")),
                                              (True, True, ("n1", "n2"))):
            with self.subTest(docker_app=docker_app, docker_run=docker_run, names=names):
                app = self.put_app(("o1", "o2"), docker=docker_app)
                run = self.put_run("2", names, docker=docker_run)
                configs = {self.client.read(one)[0]["config"]["digest"] for one in (app, run)}
                self.log.new()
                image, _ = self.good(self.rebase(app, run))
                requests = self.log.new()
                config = self.client.read(image)[0]["config"]["digest"]
                self.assertEqual(fetched(requests) - {config}, configs)
                self.assertEqual(sent(requests), [(self.name + "/app", config)])
                self.assertLessEqual(len(requests), 8 + len(set(names)))
                self.log.new()
                self.check_rebased(image, names, ("a", "b"))

    def test_rebase_gives_one_digest(self):
        app, run = self.put_app(("o1", "o2")), self.put_run("2", ("n1",))
        images = set()
        for env in ({}, {"TZ": "Asia/Tokyo", "SOURCE_DATE_EPOCH": "5"}):
            request = {**self.rebase(app, run), "buildKey": "sha256:" + "e" * 64, "tags": [f"{self.app}:{len(env)}"],
                       "cacheDir": f"{self.root}/cache-{len(env)}"}
            images.add(self.good(request, ["env", *(f"{key}={value}" for key, value in env.items())])[0])
        # And on top of an image that was rebased before.
        other = self.put_run("3", ("x1", "x2", "x3"))
        between, _ = self.good(self.rebase(app, other, tags=[self.app + ":between"]))
        images.add(self.good({**self.rebase(between, run), "buildKey": "sha256:" + "e" * 64, "tags": [self.app + ":last"]})[0])
        self.assertEqual(len(images), 1)

    def test_rebase_between_registries_moves_the_run_image_only(self):
        app = self.put_app(("o1", "o2"))
        run = self.put_run("2", ("n1", "n2"), client=self.other)
        new = {worker.sha(worker.packed(one)) for one in self.layers("n1", "n2")}
        config = self.other.read(run)[0]["config"]["digest"]
        self.log.new()
        self.other_log.new()
        image, _ = self.good(self.rebase(app, run))
        here, there = self.log.new(), self.other_log.new()
        self.assertEqual(fetched(there), new | {config})
        self.assertEqual({digest for _, digest in sent(here)} - {self.client.read(image)[0]["config"]["digest"]}, new)
        self.assertFalse(fetched(here) & {one["digest"] for one in self.client.read(app)[0]["layers"]})
        self.check_rebased(image, ("n1", "n2"), ("a", "b"))
        # What was brought here once is not brought again.
        self.other_log.new()
        again, _ = self.good(self.rebase(image, run))
        self.assertEqual(fetched(self.other_log.new()), {config})
        self.assertEqual(diff_ids(self.client.read(again)[1]), diff_ids(self.client.read(image)[1]))

    def test_rebase_takes_the_application_s_platform(self):
        runs = [(arch, self.put_run("2-" + arch, (arch,), arch=arch)) for arch in ("amd64", "arm64")]
        index = self.client.index(self.name + "/run", "2", [(arch, run, self.client.size(run)) for arch, run in runs])
        for arch in ("amd64", "arm64"):
            app = self.put_app(("o1", "o2"), arch=arch)
            config = self.check_rebased(self.good(self.rebase(app, index))[0], (arch,), ("a", "b"))
            self.assertEqual(config["architecture"], arch)
            metadata = json.loads(config["config"]["Labels"]["io.buildpacks.lifecycle.metadata"])
            self.assertEqual(metadata["runImage"]["reference"], index)
        self.refused(self.rebase(self.put_app(("o1",), arch="s390x"), index), "s390x")

    def test_rebase_keeps_what_others_put_on_top(self):
        app = self.put_app(("o1", "o2"), extra=("theirs",))
        image, _ = self.good(self.rebase(app, self.put_run("2", ("n1",))))
        self.check_rebased(image, ("n1",), ("a", "b", "theirs"))

    def test_rebases_that_do_not_fit_are_refused(self):
        run = self.put_run("2", ("n1",))
        app = self.put_app(("o1", "o2"))
        before = self.client.ask("HEAD", f"/v2/{self.name}/app/manifests/1")[0].headers["Docker-Content-Digest"]

        def foreign(manifest):
            manifest["layers"][0]["mediaType"] = OCI + "layer.nondistributable.v1.tar+gzip"

        def short(manifest):
            del manifest["layers"][-1]

        def strange(manifest):
            manifest["layers"][-1]["mediaType"] = "application/vnd.wasm.content.layer.v1+wasm"
        cases = [
            (dict(labels={"io.buildpacks.rebasable": "false"}), None, "not rebasable"),
            (dict(labels={"io.buildpacks.base.distro.name": "old"}), dict(labels={"io.buildpacks.base.distro.name": "new"}), "the new base is made for"),
            ({}, dict(arch="arm64"), "the new base is made for"),
            (dict(env="0.11"), dict(labels={"io.buildpacks.stack.id": "other.stack"}), "stack 'other.stack' is not compatible"),
            (dict(env="0.11", labels={"io.buildpacks.stack.mixins": '["a", "run:b"]'}), dict(labels={"io.buildpacks.stack.mixins": '["a"]'}),
             "missing required mixin(s): b"),
            (dict(labels={"io.buildpacks.lifecycle.metadata": "{}"}), None, "the top of its base"),
            (dict(labels={"io.buildpacks.lifecycle.metadata": "no json"}), None, "io.buildpacks.lifecycle.metadata"),
            ({}, dict(change=foreign), "cannot be part of another image"),
            ({}, dict(change=strange), "cannot be part of another image"),
            ({}, dict(change=short, names=("n1", "n2")), "its manifest has 1 layers, its config 2"),
            (dict(change=short), None, "its manifest has 3 layers, its config 4"),
        ]
        for app_more, run_more, text in cases:
            with self.subTest(text=text, app=app_more, run=run_more):
                one = self.put_app(("o1", "o2"), **app_more) if app_more else app
                other = self.put_run("bad", **{"names": ("n1",), **run_more}) if run_more else run
                self.client.ask("PUT", f"/v2/{self.name}/app/manifests/1",
                                json.dumps(self.client.read(app)[0]).encode(), OCI + "manifest.v1+json")
                failure = self.refused(self.rebase(one, other), text)
                self.assertEqual(failure["failure"], "build")
                after = self.client.ask("HEAD", f"/v2/{self.name}/app/manifests/1")[0].headers["Docker-Content-Digest"]
                self.assertEqual(after, before)


if __name__ == "__main__":
    unittest.main()
