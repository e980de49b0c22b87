#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A registry that misbehaves on purpose, with a token server, in memory.

    registry.py PORT_FILE [CERT_DIR]

Writes its port into PORT_FILE. What goes wrong is in the repository's name: 'fault/<what>'. Repositories below 'token/'
need a bearer token of the right scope from /token (user 'builder'; refresh token 'refresh-me'). A second origin (another
port) plays the foreign storage of redirects, a third one is no registry at all. /journal gives all requests so far, one per line:
'<origin> <method> <path> <kind of authorization or ->'. With CERT_DIR (server.pem, server.key) a further origin speaks TLS;
GET /origins names all of them.
"""
import base64
import hashlib
import http.server
import json
import re
import ssl
import sys
import threading
import time
import urllib.parse

USER, PASSWORD, REFRESH = "builder", "correct-horse-battery", "refresh-me"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


class State:
    def __init__(self):
        self.lock = threading.RLock()
        self.blobs, self.manifests, self.uploads, self.tokens = {}, {}, {}, {}
        self.journal, self.counts, self.origins = [], {}, {}

    def count(self, key):
        with self.lock:
            self.counts[key] = self.counts.get(key, 0) + 1
            return self.counts[key]


STATE = State()


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    def reply(self, status, body=b"", **headers):
        self.send_response(status)
        headers.setdefault("Content_Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def fail(self, status, code, message, **headers):
        body = json.dumps({"errors": [{"code": code, "message": message}]}).encode()
        self.reply(status, body, Content_Type="application/json", **headers)

    def body(self):
        if self.headers.get("Transfer-Encoding", "") == "chunked":
            data = b""
            while True:
                n = int(self.rfile.readline().split(b";")[0], 16)
                data += self.rfile.read(n)
                self.rfile.readline()
                if n == 0:
                    return data
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def handle_any(self):
        url = urllib.parse.urlsplit(self.path)
        self.query = urllib.parse.parse_qs(url.query)
        self.data = self.body()
        auth = self.headers.get("Authorization", "-").split(" ")[0]
        if url.path not in ("/journal", "/origins"):
            with STATE.lock:
                STATE.journal.append(f"{self.server.name} {self.command} {url.path} {auth}")
        if self.server.name == "web":
            return self.reply(404, b"<html>no such page</html>", Content_Type="text/html")
        for pattern, method in ROUTES:
            match = re.fullmatch(pattern, url.path)
            if match:
                return getattr(self, method)(*match.groups())
        return self.fail(404, "NOT_FOUND", "no such path")

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

    # What tests ask.

    def journal(self):
        self.reply(200, "\n".join(STATE.journal).encode())

    def origins(self):
        self.reply(200, json.dumps(STATE.origins).encode())

    # Plain HTTP behaviour, for the client below the registry.

    def http_case(self, what):
        n = STATE.count("http " + what)
        if what == "echo":
            self.reply(200, self.data, X_Method=self.command, X_Type=self.headers.get("Content-Type", "-"))
        elif what == "flaky":
            self.reply(500 if n < 3 else 200, b"third time")
        elif what == "always-500":
            self.reply(500, b"broken")
        elif what == "wait":
            self.reply(429 if n == 1 else 200, b"patience", **({"Retry_After": "1"} if n == 1 else {}))
        elif what == "half-head" and n == 1:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Ty")
            self.close_connection = True
        elif what == "half-head":
            self.reply(200, b"whole")
        elif what == "late":
            self.reply(408 if n == 1 else 200, b"in time")
        elif what == "wait-hours":
            self.reply(503, b"", Retry_After="9000")
        elif what == "endless-line":
            self.send_response(200)
            self.close_connection = True
            try:
                self.wfile.write(b"HTTP/1.1 200 OK\r\nX: " + 4096 * 1024 * b"x")
            except OSError:
                pass
        elif what == "wait-long":
            self.reply(429, b"", Retry_After="100000")
        elif what == "loop":
            self.reply(302, Location="/http/loop")
        elif what == "away":
            self.reply(307, Location=STATE.origins["storage"] + "/http/echo")
        elif what == "away-and-back":
            self.reply(307, Location=STATE.origins["storage"] + "/http/back")
        elif what == "back":
            self.reply(307, Location=STATE.origins["main"] + "/http/echo")
        elif what == "see-other":
            self.reply(303, Location="echo")
        elif what == "downgrade":
            self.reply(302, Location=STATE.origins["main"] + "/http/echo")
        elif what == "endless":
            self.endless(200)
        elif what == "endless-error":
            self.endless(400)
        elif what == "many-headers":
            self.reply(200, b"", **{f"X_{i}": "v" * 1000 for i in range(90)})
        elif what == "stall":
            time.sleep(60)
        elif what == "no-answer":
            self.close_connection = True
        else:
            self.fail(404, "NOT_FOUND", "no such case")

    def endless(self, status):
        self.send_response(status)
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        try:
            while True:
                self.wfile.write(b"x" * 65536)
        except OSError:
            pass

    # Tokens.

    def token(self):
        if self.command == "POST":
            form = urllib.parse.parse_qs(self.data.decode())
            user = USER if form.get("refresh_token") == [REFRESH] else None
            scopes = form.get("scope", [""])[0].split(" ")
        else:
            auth = self.headers.get("Authorization", "")
            scopes = self.query.get("scope", [])
            user = "anonymous"
            if auth.startswith("Basic "):
                pair = base64.b64decode(auth[6:]).decode()
                user = USER if pair == f"{USER}:{PASSWORD}" else None
        if not user:
            return self.fail(401, "UNAUTHORIZED", "incorrect username or password")
        if user == "anonymous":
            scopes = [s.replace(",push", "") for s in scopes if "public" in s]
        text = f"tok-{STATE.count('token')}"
        with STATE.lock:
            STATE.tokens[text] = {"scopes": scopes, "uses": 0}
        key = "access_token" if self.command == "POST" else "token"
        self.reply(200, json.dumps({key: text, "expires_in": 300}).encode())

    def is_allowed(self, repo):
        if repo.startswith("evil/"):
            self.challenge(repo, "https://registry.evil.example/token")
            return False
        if not repo.startswith("token/"):
            return True
        if "basic-first" in repo and STATE.count(f"{repo} basic") == 1:
            self.fail(401, "UNAUTHORIZED", "authentication required", WWW_Authenticate='Basic realm="here"')
            return False
        want = "pull" if self.command in ("GET", "HEAD") else "push"
        text = self.headers.get("Authorization", "")
        token = STATE.tokens.get(text[7:]) if text.startswith("Bearer ") else None
        if token:
            token["uses"] += 1
            for scope in token["scopes"]:
                _, name, actions = scope.rsplit(":", 2)[-3:]
                if name == repo and want in actions.split(",") and (
                        "short" not in repo or token["uses"] == 1):
                    return True
        self.challenge(repo, STATE.origins["main"] + "/token")
        return False

    def challenge(self, repo, realm):
        self.fail(401, "UNAUTHORIZED", "authentication required", WWW_Authenticate=(
            f'Bearer realm="{realm}",service="fake",scope="repository:{repo}:pull"'))

    # The distribution API.

    def ping(self):
        self.reply(200, b"{}")

    def fault_first(self, repo, kind):
        """Answers that go wrong before they are looked at; true when answered."""
        n = STATE.count(f"{repo} {kind} {self.command}")
        if repo == "fault/slow":
            time.sleep(5)
        if repo == "fault/busy":
            self.fail(429, "TOOMANYREQUESTS", "come back tomorrow", Retry_After="0")
        elif repo == "fault/closed":
            self.fail(401, "UNAUTHORIZED", "authentication required")
        elif repo == "fault/limited" and n <= 2:
            self.fail(429, "TOOMANYREQUESTS", "slow down", Retry_After="0")
        elif repo == "fault/broken" and n == 1:
            self.fail(503, "UNKNOWN", "try later")
        elif repo == "fault/down":
            self.fail(502, "UNKNOWN", "the \x1b[31mbackend\x1b[0m is down")
        elif repo == "fault/denied":
            self.fail(403, "DENIED", "requested access is denied")
        else:
            return False
        return True

    def manifest(self, repo, name):
        if not self.is_allowed(repo) or self.fault_first(repo, "manifest"):
            return
        if self.command == "PUT":
            digest = digest_of(self.data)
            if repo == "fault/stores-other":
                return self.reply(201, Docker_Content_Digest="sha256:" + 64 * "0")
            if repo == "fault/garbage":
                self.data = b'{"schemaVersion": 2, "layers": "many"'
            for key in (name, digest_of(self.data)):
                STATE.manifests[repo, key] = (self.headers["Content-Type"], self.data)
            return self.reply(201, Docker_Content_Digest=digest)
        if repo == "fault/endless":
            return self.endless(200)
        if repo == "fault/nohead" and self.command == "HEAD":
            return self.reply(405)
        kind, data = STATE.manifests.get((repo, name), (None, None))
        if data is None:
            return self.fail(404, "MANIFEST_UNKNOWN", "manifest unknown")
        if repo == "fault/schema1":
            kind = "application/vnd.docker.distribution.manifest.v1+prettyjws"
        headers = {"Docker_Content_Digest": digest_of(data), "Content_Type": kind}
        if repo == "fault/nodigest":
            del headers["Docker_Content_Digest"]
            headers["Content_Type"] = "application/json; charset=utf-8"
        if repo == "fault/other-digest":
            headers["Docker_Content_Digest"] = "sha256:" + 64 * "0"
        if repo == "fault/other-manifest":
            data = data.replace(b"2", b"3")
        self.reply(200, data, **headers)

    def blob(self, repo, digest):
        if not self.is_allowed(repo) or self.fault_first(repo, "blob"):
            return
        if repo == "fault/asking" and self.server.name == "storage":
            return self.fail(401, "UNAUTHORIZED", "who are you?", WWW_Authenticate='Basic realm="tell me"')
        if repo == "fault/asking" and self.command == "GET":
            return self.reply(307, Location=f"{STATE.origins['storage']}{self.path}")
        if repo in ("fault/expired", "fault/ended") and self.command == "GET":
            if self.server.name == "main":
                return self.reply(307, Location=f"{STATE.origins['storage']}{self.path}")
            if repo == "fault/ended" or STATE.count(f"{repo} {digest} expired") == 1:
                return self.reply(403, b"<Error><Code>AccessDenied</Code></Error>", Content_Type="application/xml")
        data = STATE.blobs.get((repo, digest))
        if data is None:
            return self.fail(404, "BLOB_UNKNOWN", "blob unknown to registry")
        if self.command == "GET" and repo == "fault/redirect":
            return self.reply(307, Location=f"{STATE.origins['storage']}/v2/fault/storage/blobs/{digest}")
        if self.command == "GET" and repo == "fault/endless":
            return self.endless(200)
        if repo == "fault/wrong":
            data = bytes(len(data))
        first, status, headers = 0, 200, {}
        want = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if want and repo != "fault/no-range":
            first, status = int(want[1]), 206
            if repo == "fault/other-range":
                first = 0
            headers["Content_Range"] = f"bytes {first}-{len(data) - 1}/{len(data)}"
        data = data[first:]
        if self.command == "GET" and repo in ("fault/cut", "fault/no-range", "fault/other-range"):
            if STATE.count(f"{repo} {digest} cut") <= 2:
                return self.cut(status, data, headers)
        self.reply(status, data, **headers)

    def cut(self, status, data, headers):
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data[:len(data) // 2])
        self.wfile.flush()
        self.close_connection = True

    def start_upload(self, repo):
        if not self.is_allowed(repo) or self.fault_first(repo, "upload"):
            return
        digest = self.query.get("mount", [None])[0]
        source = self.query.get("from", [None])[0]
        if digest and (source, digest) in STATE.blobs and repo != "fault/no-mount":
            STATE.blobs[repo, digest] = STATE.blobs[source, digest]
            return self.reply(201, Location=f"/v2/{repo}/blobs/{digest}")
        name = str(STATE.count("uploads"))
        STATE.uploads[name] = b""
        headers = {"Location": f"/v2/{repo}/blobs/uploads/{name}?state=a%2Fb"}
        if repo == "fault/absolute":
            headers["Location"] = STATE.origins["main"] + headers["Location"]
        if repo == "fault/storage-upload":
            headers["Location"] = STATE.origins["storage"] + headers["Location"]
        if repo == "fault/max-chunk":
            headers["OCI_Chunk_Max_Length"] = "1000"
        self.reply(202, **headers)

    def upload(self, repo, name):
        if not self.is_allowed(repo):
            return
        if self.query.get("state") != ["a/b"] or name not in STATE.uploads:
            return self.fail(404, "BLOB_UPLOAD_UNKNOWN", "no such upload")
        if self.command == "DELETE":
            del STATE.uploads[name]
            return self.reply(204)
        limit = {"fault/max-chunk": 1000, "fault/no-monolith": 16 << 20}.get(repo, 1 << 40)
        if len(self.data) > limit or (self.command == "PUT" and self.data and repo == "fault/no-monolith"):
            return self.fail(413, "SIZE_INVALID", "too much at once")
        if self.command == "PUT" and self.data and repo == "fault/lost" and STATE.count("lost") == 1:
            return self.fail(500, "UNKNOWN", "lost it")
        if self.command == "PUT" and self.data and (
                repo == "fault/forgets" or repo == "fault/forgot" and STATE.count("forgot") == 1):
            return self.fail(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
        if self.command == "PUT" and self.data and repo == "fault/damaged" and STATE.count("damaged") == 1:
            self.data = self.data[:-1]
        if self.command == "PATCH":
            first = int(self.headers["Content-Range"].split("-")[0])
            if first != len(STATE.uploads[name]):
                return self.fail(416, "RANGE_INVALID", "out of order")
            # A short read now and then: the rest must be sent again.
            taken = self.data[:-1] if repo == "fault/max-chunk" and first == 0 else self.data
            STATE.uploads[name] += taken
            return self.reply(202, Location=self.path, Range=f"0-{len(STATE.uploads[name]) - 1}")
        data = STATE.uploads.pop(name) + self.data
        digest = self.query["digest"][0]
        if digest_of(data) != digest:
            return self.fail(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
        STATE.blobs[repo, digest] = data
        if repo == "fault/storage-upload":
            STATE.blobs["fault/storage", digest] = data
        self.reply(201, Location=f"/v2/{repo}/blobs/{digest}")

    def tags(self, repo):
        if not self.is_allowed(repo):
            return
        names = sorted(name for where, name in STATE.manifests if where == repo and ":" not in name)
        last = self.query.get("last", [""])[0]
        page = [name for name in names if name > last][:3]
        headers = {}
        if page and page[-1] != names[-1]:
            headers["Link"] = f'</v2/{repo}/tags/list?n=3&last={page[-1]}>; rel="next"'
        self.reply(200, json.dumps({"name": repo, "tags": page or None}).encode(), **headers)


NAME = r"/v2/([a-z0-9/-]+)"
ROUTES = [
    (r"/journal", "journal"),
    (r"/origins", "origins"),
    (r"/http/(.*)", "http_case"),
    (r"/token", "token"),
    (r"/v2/", "ping"),
    (NAME + r"/manifests/([^/]+)", "manifest"),
    (NAME + r"/blobs/uploads/", "start_upload"),
    (NAME + r"/blobs/uploads/(\d+)", "upload"),
    (NAME + r"/blobs/(sha256:[0-9a-f]+)", "blob"),
    (NAME + r"/tags/list", "tags"),
]


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # clients that go away are part of the tests


def serve(name, certs=None):
    server = Server(("127.0.0.1", 0), Handler)
    server.name = name
    if certs:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certs + "/server.pem", certs + "/server.key")
        server.socket = context.wrap_socket(server.socket, server_side=True)
    STATE.origins[name] = f"http{'s' if certs else ''}://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    return server.server_address[1]


def main():
    port = serve("main")
    serve("storage")
    serve("web")
    if len(sys.argv) > 2:
        serve("tls", sys.argv[2])
    with open(sys.argv[1], "w") as out:
        out.write(str(port))


main()
