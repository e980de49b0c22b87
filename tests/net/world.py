# SPDX-License-Identifier: Apache-2.0
"""world.py: a world in namespaces of its own — its network has only its servers, under names and ports that never change, and
its folder is /mnt — one run in it that is disturbed, the runs after it, and what must be true of what is left."""
import fcntl
import glob
import hashlib
import http.server
import json
import os
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time

import yaml

import kinds
import proxy as proxies

HERE = os.path.dirname(os.path.abspath(__file__))
WORLD = "/mnt"
SECRETS = {"registry-secret-1": ("auth",), "upstream-secret-2": ("upstream",), "git-secret-3": ("git", "gittls")}
NAMES = ("registry", "auth", "upstream", "git", "files", "daemon", "ssh")
STATES = {"http": "http://git.test:8080/state.git", "https": "https://git.test:8443/state.git",
          "stream": "git://daemon.test:9418/state.git", "ssh": f"ssh://root@ssh.test:2222{WORLD}/repos/state.git"}
LIMIT_S = 150        # of a run without waits
SLOW_LIMIT_S = 400   # of a run in which a server keeps still: 30 s, four times, and twice of that for git; or 300 s once
IMAGES = {"app": ("apps/app", "latest"), "base": ("apps/base", "latest"), "blob": ("apps/blob", "latest"),
          "builder": ("builders/default", "clusterbuilder-default")}


class Violation(Exception):
    pass


def enter(root):
    """The rest of this process's life is in the world. Its caller has unshared network and mounts."""
    with socket.socket() as sock:
        name = struct.pack("16sH14s", b"lo", 0x1 | 0x40, b"")  # up, running
        fcntl.ioctl(sock, 0x8914, name)
    subprocess.run(["mount", "--bind", root, WORLD], check=True)
    for file in ("hosts", "resolv.conf"):
        if not os.path.exists(f"{WORLD}/{file}"):
            with open(f"{WORLD}/{file}", "w", encoding="ascii") as out:
                if file == "hosts":
                    out.write("127.0.0.1 localhost\n" + "".join(
                        f"127.0.0.1 {name}.test{' auth.registry.test' if name == 'registry' else ''}\n" for name in NAMES + ("evil",)))
                    # files answer there, too; for the others it is the first try, in vain
                    out.write("::1 files.test registry.test git.test\n")
        if os.path.exists(f"/etc/{file}"):
            subprocess.run(["mount", "--bind", f"{WORLD}/{file}", f"/etc/{file}"], check=True)


def certificates(folder):
    """good, expired, of another host, signed by itself."""
    if os.path.exists(folder + "/self.pem"):
        return
    os.makedirs(folder, exist_ok=True)
    def openssl(*args):
        subprocess.run(["openssl", *args], check=True, cwd=folder, capture_output=True)
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
            "-subj", "/CN=test CA", "-keyout", "ca.key", "-out", "ca.pem")
    for name, host, days in (("good", "upstream.test", "30"), ("expired", "upstream.test", "-1"), ("host", "other.test", "30")):
        with open(f"{folder}/{name}.ext", "w", encoding="ascii") as out:
            out.write(f"subjectAltName=DNS:{host}{',DNS:git.test,DNS:evil.test' if host == 'upstream.test' else ''}\n")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={host}",
                "-keyout", f"{name}.key", "-out", f"{name}.csr")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", days,
                "-extfile", f"{name}.ext", "-out", f"{name}.pem")
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
            "-subj", "/CN=upstream.test", "-addext", "subjectAltName=DNS:upstream.test,DNS:git.test", "-keyout", "self.key", "-out", "self.pem")


def contexts(folder):
    made = {}
    for name in ("good", "expired", "host", "self"):
        made[name] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made[name].load_cert_chain(f"{folder}/{name}.pem", f"{folder}/{name}.key")
    return made


class Files(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, *args):
        super().__init__(*args, directory=WORLD + "/files")

    def send_head(self):
        # Such as any file server of today gives: without, a cut off download cannot go on.
        path = self.translate_path(self.path)
        if not os.path.isfile(path):
            self.send_error(404)
            return None
        with open(path, "rb") as file:
            data = file.read()
        tag = f'"{hashlib.sha1(data).hexdigest()}"'
        first, wanted = 0, re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if self.headers.get("If-None-Match") == tag:
            self.send_response(304)
            self.end_headers()
            return None
        if wanted and self.headers.get("If-Range") == tag and int(wanted[1]) < len(data):
            first = int(wanted[1])
        self.send_response(206 if first else 200)
        if first:
            self.send_header("Content-Range", f"bytes {first}-{len(data) - 1}/{len(data)}")
        self.send_header("ETag", tag)
        self.send_header("Content-Length", str(len(data) - first))
        self.end_headers()
        self.wfile.write(data[first:])
        return None

    def log_message(self, *args):
        pass


class World:
    def __init__(self, args):
        self.args = args
        self.env = {key: value for key, value in os.environ.items()
                    if key not in ("CI", "XDG_RUNTIME_DIR", "DOCKER_CONFIG") and not key.startswith("RECONCILE_")
                    and not key.lower().endswith("_proxy")}
        os.makedirs(WORLD + "/temp", exist_ok=True)
        self.env.update(HOME=WORLD + "/home", XDG_CACHE_HOME=WORLD + "/cache", TMPDIR=WORLD + "/temp", GIT_CONFIG_NOSYSTEM="1",
                        GIT_TERMINAL_PROMPT="0", RECONCILE_GIT_USERNAME="me", RECONCILE_GIT_PASSWORD="git-secret-3",
                        RECONCILE_STATE=STATES[args.way],
                        GIT_SSH_COMMAND=f"ssh -F none -i {WORLD}/ssh/id -o UserKnownHostsFile={WORLD}/ssh/known_hosts")
        self.log = open(WORLD + "/requests", "a", encoding="utf-8")
        self.servers = subprocess.Popen(["bash", HERE + "/servers.sh", WORLD, args.way], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=open(WORLD + "/servers.log", "wb"), text=True, env=dict(self.env, TMPDIR="/tmp"))
        ports = [int(self.servers.stdout.readline()) for _ in range(6)]
        files = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Files)
        threading.Thread(target=files.serve_forever, daemon=True).start()
        self.registry_port = ports[0]
        local = "127.0.0.1"
        Place = proxies.Place
        places = [
            Place("registry", "registry.test", 5000, False, "bearer", (local, ports[0])),
            Place("auth", "auth.registry.test", 5001, False, "token", None),
            Place("upstream", "upstream.test", 5443, True, "reader:upstream-secret-2", (local, ports[0])),
            Place("git", "git.test", 8080, False, "me:git-secret-3", (local, ports[1])),
            Place("gittls", "git.test", 8443, True, "me:git-secret-3", (local, ports[1])),
            Place("files", "files.test", 8081, False, None, (local, files.server_address[1])),
            Place("daemon", "daemon.test", 9418, False, "tcp", (local, ports[2])),
            Place("ssh", "ssh.test", 2222, False, "tcp", (local, ports[3]), {"host-key": (local, ports[4]), "denied": (local, ports[5])}),
            Place("evil", "evil.test", 6666, False, None, None),
            Place("eviltls", "evil.test", 6443, True, None, None),
        ]
        certificates(WORLD + "/tls")
        self.proxy = proxies.Proxy(places, SECRETS, contexts(WORLD + "/tls"), self.log)

    def close(self):
        self.proxy.close()
        self.servers.stdin.close()
        self.servers.wait()

    def run(self, name, hour, limit_s=LIMIT_S):
        """One run at 2030-01-01, that hour. Returns its exit code and how long it took."""
        begin = time.monotonic()
        with open(f"{WORLD}/{name}.out", "wb") as out, open(f"{WORLD}/{name}.err", "wb") as err:
            process = subprocess.Popen([self.args.program, "--now", f"2030-01-01T{hour:02}:00:00Z", "."], cwd=WORLD + "/config",
                                       env=self.env, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True)
            try:
                code = process.wait(limit_s)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                raise Violation(f"the run does not end within {limit_s} s: {self.text(name + '.err')[-600:]}") from None
        return code, time.monotonic() - begin

    def text(self, name):
        with open(f"{WORLD}/{name}", encoding="utf-8", errors="replace") as file:
            return file.read()

    def write(self, name, text):
        """In place: it may be mounted elsewhere."""
        with open(f"{WORLD}/{name}", "w", encoding="utf-8") as file:
            file.write(text)

    def name_at(self, place, *addresses):
        """The host of a place has these addresses, none but these."""
        lines = self.text("hosts").splitlines()
        names = next(line.split()[1:] for line in lines if place.host in line.split() and line.startswith("127."))
        kept = []
        for line in lines:
            left = [word for word in line.split()[1:] if word not in names]
            kept += [" ".join([line.split()[0]] + left)] if left else []
        kept += [" ".join([address] + names) for address in addresses]
        self.write("hosts", "".join(line + "\n" for line in kept))

    def git(self, *args):
        done = subprocess.run(["git", "-C", WORLD + "/repos/state.git", *args], env=self.env, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Violation(f"git {' '.join(args)}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def head(self):
        return self.git("rev-parse", "refs/heads/reconcile/state").strip()

    # What is in the registry.

    def blob(self, digest):
        path = f"{WORLD}/storage/docker/registry/v2/blobs/sha256/{digest[7:9]}/{digest[7:]}/data"
        if not os.path.exists(path):
            raise Violation(f"the registry has no blob {digest}")
        with open(path, "rb") as file:
            data = file.read()
        if "sha256:" + hashlib.sha256(data).hexdigest() != digest:
            raise Violation(f"the registry's blob {digest} is not what its name says")
        return data

    def tag(self, repo, tag):
        with open(f"{WORLD}/storage/docker/registry/v2/repositories/{repo}/_manifests/tags/{tag}/current/link", encoding="ascii") as file:
            return file.read()

    def diff_ids(self, repo, tag):
        manifest = json.loads(self.blob(self.tag(repo, tag)))
        return json.loads(self.blob(manifest["config"]["digest"]))["rootfs"]["diff_ids"]

    def check_image(self, repo, digest):
        """A manifest that the repository has, and all that it names."""
        folder = f"{WORLD}/storage/docker/registry/v2/repositories/{repo}"
        if not os.path.exists(f"{folder}/_manifests/revisions/sha256/{digest[7:]}/link"):
            raise Violation(f"{repo} has no image {digest}, which is recorded")
        manifest = json.loads(self.blob(digest))
        for part in [manifest["config"]] + manifest["layers"]:
            if len(self.blob(part["digest"])) != part["size"]:
                raise Violation(f"{repo}@{digest} says that {part['digest']} has {part['size']} bytes")
            if not os.path.exists(f"{folder}/_layers/sha256/{part['digest'][7:]}/link"):
                raise Violation(f"{repo}@{digest} names {part['digest']}, which {repo} does not have")

    # What is recorded.

    def documents(self):
        for line in self.git("ls-tree", "-r", "--name-only", "refs/heads/reconcile/state").splitlines():
            if line.endswith(".yaml"):
                text = self.git("show", "refs/heads/reconcile/state:" + line)
                yield line, yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))

    def check_recorded(self):
        """Every image that is recorded is in the registry, whole; no build ran twice for the same inputs."""
        self.git("fsck", "--strict", "--no-dangling")
        built = {}
        for path, document in self.documents():
            text = json.dumps(document.get("status") or {})
            for host, repo, digest in set(re.findall(r'"([a-z.]+\.test:\d+)/([a-z/]+)(?::[\w.-]+)?@(sha256:[0-9a-f]{64})"', text)):
                del host
                self.check_image(repo, digest)
            found = re.match(r"shop/images/([a-z]+)/builds/(\d+)\.yaml", path)
            if not found:
                continue
            status = document["status"]
            done = next((one for one in status.get("conditions", []) if one["type"] == "Succeeded"), {})
            if done.get("status") == "True":
                key = (found[1], status.get("buildKey"))
                if key in built:
                    raise Violation(f"{found[1]}: builds {built[key]} and {found[2]} have the same key")
                built[key] = found[2]
        return built

    def summary(self):
        """What an undisturbed run leads to."""
        stream = yaml.safe_load(self.git("show", "refs/heads/reconcile/state:shop/imagestreams/thing.yaml"))["status"]
        return {"layers": {name: self.diff_ids(*image) for name, image in IMAGES.items()},
                "tags": {tag["tag"]: tag["items"][0]["image"] for tag in stream["tags"]},
                "copied": sorted(os.listdir(f"{WORLD}/storage/docker/registry/v2/repositories/streams/shop/thing/_manifests/revisions/sha256"))}

    def check_latest(self):
        """The newest image of each object is the one its tag is at."""
        for name in ("app", "base", "blob"):
            status = self.git("show", f"refs/heads/reconcile/state:shop/images/{name}.yaml")
            if self.tag(*IMAGES[name]) not in status:
                raise Violation(f"{IMAGES[name][0]} is at {self.tag(*IMAGES[name])}, which is not recorded")


def check_words(world, name, code):
    """What is said: clean, and where something failed, what and where."""
    text = world.text(name + ".out") + world.text(name + ".err")
    if re.search(r"[\x00-\x08\x0b-\x1f\x7f]", text):
        raise Violation(f"control characters are printed: {text[-800:]!r}")
    for word in ("Sanitizer", "BUG", "Assertion", "out of memory") + tuple(SECRETS):
        if word in text:
            raise Violation(f"'{word}' is printed: {text[-800:]}")
    if code == 0:
        return
    said = [line for line in text.splitlines() if re.search(r"cannot|refuse|failed", line)]
    if not any(re.search(r"\.test|git |registry|shop/|Cluster", line) for line in said):
        raise Violation(f"exit {code}, and no line says why: {text[-800:]}")


def disturbed(world, spec, wanted):
    """One broken run, one after it, one more; returns what happened."""
    kind = kinds.KINDS[spec["kind"]]
    is_slow = kind.slow or spec["always"]
    world.proxy.counts.clear()
    world.proxy.fault = (spec["key"], spec["n"], kind, spec["always"])
    hosts = world.text("hosts")
    around = kind.surround(world, world.proxy.places[spec["key"].split()[0]]) if kind.surround else []
    code, took_s = world.run("first", 1, SLOW_LIMIT_S if is_slow else LIMIT_S)
    world.write("hosts", hosts)
    for sock in around:
        sock.close()
    world.proxy.fault = None
    hits = world.proxy.hits
    result = {"code": code, "took_s": round(took_s, 1), "hits": hits}
    if code not in (0, 4, 5):
        raise Violation(f"exit {code}")
    check_words(world, "first", code)
    # ssh tries addresses one after the other, ten seconds each; whoever else does so would be that late.
    if kind.name == "ipv6-hangs" and not spec["key"].startswith("ssh") and took_s > 40 + 3 * wanted["took_s"]:
        raise Violation(f"an address that leads nowhere holds the run up: {took_s:.0f} s")
    if hits and kind.heals and not spec["always"] and code != 0:
        raise Violation(f"exit {code}, although it happened once: {world.text('first.err')[-1200:]}")
    if not hits and code:
        raise Violation(f"exit {code}, although nothing happened: {world.text('first.err')[-1200:]}")
    world.check_recorded()
    head = world.head()
    again, _ = world.run("again", 2)
    if again:
        raise Violation(f"the next run: exit {again}: {world.text('again.err')[-1200:]}")
    built = world.check_recorded()
    world.check_latest()
    if world.summary() != wanted["summary"]:
        raise Violation(f"not what an undisturbed run makes: {json.dumps(world.summary())}")
    if code == 0 and world.head() != head:
        raise Violation(f"the run ended with 0 and left work: {world.text('again.err')[-1200:]}")
    if code == 0 and len(built) != wanted["built"]:
        raise Violation(f"{len(built)} builds succeeded, not {wanted['built']}: {sorted(built)}")
    head = world.head()
    if world.run("idle", 3)[0] or world.head() != head:
        raise Violation("the run after it is not without work")
    left = [name for folder in ("temp", "cache/reconcile/tmp", "cache/reconcile/store/tmp") for name in glob.glob(f"{WORLD}/{folder}/*")]
    if left:
        raise Violation(f"temporary files stay: {left[:5]}")
    return result


def main(args, root, spec):
    """In the namespaces: prints one JSON value."""
    enter(root)
    world = World(args)
    result = {}
    try:
        if spec["do"] == "prepare":
            done = subprocess.run(["bash", HERE + "/prepare.sh", os.path.dirname(args.program), WORLD, str(world.registry_port),
                                   STATES[args.way].rpartition("/")[0]],
                                  env=world.env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
            if done.returncode:
                result["violation"] = f"prepare.sh: {done.stdout[-2000:]}{done.stderr[-2000:]}"
        elif spec["do"] == "whole":
            world.proxy.counts.clear()
            world.proxy.keys.clear()
            code, took_s = world.run("first", 1)
            if code:
                raise Violation(f"the undisturbed run: exit {code}: {world.text('first.err')}")
            result = {"keys": sorted(set(world.proxy.keys)), "bytes": world.proxy.bytes, "took_s": took_s}
            result["built"] = len(world.check_recorded())
            world.check_latest()
            result["summary"] = world.summary()
        else:
            result = disturbed(world, spec, json.loads(world.text("wanted")))
    except Violation as violation:
        result["violation"] = str(violation)
    except subprocess.TimeoutExpired as error:
        result["violation"] = str(error)
    finally:
        world.close()
    for problem in world.proxy.leaks + world.proxy.errors:
        result.setdefault("violation", problem)
    json.dump(result, sys.stdout)
    shutil.rmtree(WORLD + "/temp", ignore_errors=True)
