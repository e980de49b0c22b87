#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""proxy.py: servers that stand in front of real ones, look at who may ask, count what is asked, and answer one request (or all
of its kind from there on) in one of the ways of faults.py. Every listener knows which secrets may reach it."""
import base64
import collections
import json
import re
import socket
import ssl
import struct
import threading
import time
import urllib.parse

Place = collections.namedtuple("Place", "name host port tls guard upstream others", defaults=(None,))
EOL = b"\r\n"


class Gone(Exception):
    """The connection is at its end."""


class Reply:
    """An answer of a real server: what faults change before it goes on."""

    def __init__(self, status, headers, body, length=None):
        self.status, self.headers, self.body, self.length = status, headers, body, length

    def get(self, name):
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def put(self, name, value):
        self.headers = [pair for pair in self.headers if pair[0].lower() != name.lower()]
        if value is not None:
            self.headers.append((name, value))

    def head(self):
        lines = [f"HTTP/1.1 {self.status} Status"] + [f"{key}: {value}" for key, value in self.headers]
        return "\r\n".join(lines).encode("latin-1") + EOL + EOL


class Request:
    def __init__(self, method, path, headers, body, raw):
        self.method, self.path, self.headers, self.body, self.raw = method, path, headers, body, raw

    def get(self, name):
        return self.headers.get(name.lower())


class Stream:
    """Bytes of one connection."""

    def __init__(self, sock):
        self.sock, self.kept, self.raw = sock, b"", b""

    def fill(self):
        data = self.sock.recv(1 << 18)
        if not data:
            raise Gone()
        self.kept += data

    def until(self, mark):
        while mark not in self.kept:
            self.fill()
        head, _, self.kept = self.kept.partition(mark)
        self.raw += head + mark
        return head

    def exactly(self, n):
        while len(self.kept) < n:
            self.fill()
        data, self.kept = self.kept[:n], self.kept[n:]
        self.raw += data
        return data

    def chunks(self):
        data = b""
        while n := int(self.until(EOL).split(b";")[0], 16):
            data += self.exactly(n)
            self.until(EOL)
        while self.until(EOL):
            pass
        return data

    def rest(self):
        try:
            while True:
                self.fill()
        except Gone:
            data, self.kept = self.kept, b""
            return data


def parse_head(text):
    first, *lines = text.decode("latin-1").split("\r\n")
    return first, [tuple(part.strip() for part in line.split(":", 1)) for line in lines]


def read_request(stream):
    stream.raw = b""
    first, pairs = parse_head(stream.until(EOL + EOL))
    method, path, _ = first.split(" ", 2)
    headers = {key.lower(): value for key, value in pairs}
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = stream.chunks()
    else:
        body = stream.exactly(int(headers.get("content-length", 0)))
    return Request(method, path, headers, body, stream.raw)


def ask(place, request):
    """One request to a real server, on a connection of its own."""
    host, port = place.upstream
    with socket.create_connection((host, port), timeout=60) as sock:
        lines = [f"{request.method} {request.path} HTTP/1.1", "Connection: close"]
        lines += [f"{key}: {value}" for key, value in request.headers.items()
                  if key not in ("connection", "transfer-encoding", "content-length", "authorization", "expect")]
        if place.tls:
            lines.append("X-Forwarded-Proto: https")
        if request.body or request.method in ("POST", "PUT", "PATCH"):
            lines.append(f"Content-Length: {len(request.body)}")
        sock.sendall("\r\n".join(lines).encode("latin-1") + EOL + EOL + request.body)
        stream = Stream(sock)
        first, pairs = parse_head(stream.until(EOL + EOL))
        headers = {key.lower(): value for key, value in pairs}
        length = headers.get("content-length")
        if request.method == "HEAD" or first.split()[1] in ("204", "304"):
            body = b""
        elif headers.get("transfer-encoding", "").lower() == "chunked":
            body = stream.chunks()
        else:
            body = stream.exactly(int(length)) if length is not None else stream.rest()
    pairs = [pair for pair in pairs if pair[0].lower() not in ("connection", "transfer-encoding")]
    reply = Reply(int(first.split()[1]), pairs, body)
    if request.method != "HEAD" and reply.status not in (204, 304):
        reply.put("Content-Length", str(len(body)))
    return reply


def key_of(place, request):
    """What is asked, without what differs from run to run."""
    path = re.sub(r"(/blobs/uploads/)[0-9a-f-]{36}", r"\1*", request.path)
    path = re.sub(r"_state=[^&]*&?", "", path).rstrip("?&")
    if request.path.endswith("/git-upload-pack"):
        path += " " + (re.search(rb"command=([a-z-]+)", request.body) or [b"", b"v0"])[1].decode()
    return f"{place.name} {request.method} {path}"


class Exchange:
    """One request at a listener, for a fault to answer."""

    def __init__(self, proxy, place, sock, request):
        self.proxy, self.place, self.sock, self.request = proxy, place, sock, request
        self.is_over = False

    def forward(self):
        reply = self.proxy.refusal(self.place, self.request) or ask(self.place, self.request)
        reply.is_head = self.request.method == "HEAD"
        return reply

    def send(self, data):
        try:
            self.sock.sendall(data)
        except OSError:
            raise Gone() from None

    def answer(self, reply):
        self.send(reply.head() + (b"" if self.request.method == "HEAD" else reply.body))

    def say(self, status, body=b"", **headers):
        pairs = [(name.replace("_", "-"), value) for name, value in headers.items()]
        self.answer(Reply(status, pairs + [("Content-Length", str(len(body)))], body))

    def close(self):
        self.is_over = True

    def reset(self):
        # Nothing but an abort makes the other side see it as one.
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.is_over = True

    def wait(self, seconds):
        """In steps, so that nobody is waited for who has gone."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self.proxy.is_closed:
            time.sleep(min(0.1, seconds))

    def url(self, place=None, path=None):
        place = place or self.place
        return f"{'https' if place.tls else 'http'}://{place.host}:{place.port}{self.request.path if path is None else path}"


class Proxy:
    """All listeners of a world."""

    def __init__(self, places, secrets, contexts, log):
        self.places = {place.name: place for place in places}
        self.secrets = secrets  # secret → names of the listeners that may see it
        self.contexts, self.log = contexts, log
        self.lock = threading.Lock()
        self.counts = collections.Counter()
        self.keys, self.bytes = [], {}
        self.leaks, self.errors = [], []
        self.tokens = {}
        self.fault, self.hits = None, 0  # (key, n, kind, is_always)
        self.is_closed = False
        self.socks = []
        for place in places:
            self.listen(place)

    def listen(self, place):
        self.listen_at(place, socket.AF_INET)
        if place.name == "files":
            self.listen_at(place, socket.AF_INET6)

    def listen_at(self, place, family, backlog=128):
        server = socket.socket(family)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        server.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", place.port))
        server.listen(backlog)
        self.socks.append(server)
        if backlog:
            threading.Thread(target=self.accept, args=(server, place), daemon=True).start()
        return server

    def listen_in_vain(self, place):
        """By IPv6, where nobody accepts and there is no room to wait: whoever comes hears nothing."""
        server = self.listen_at(place, socket.AF_INET6, 0)
        waiting = []
        for _ in range(8):
            sock = socket.socket(socket.AF_INET6)
            sock.setblocking(False)
            sock.connect_ex(server.getsockname())
            waiting.append(sock)
        time.sleep(0.1)
        self.hits = 1
        return [server] + waiting

    def accept(self, server, place):
        while not self.is_closed:
            try:
                sock, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(place, sock), daemon=True).start()

    def close(self):
        self.is_closed = True
        for sock in self.socks:
            sock.close()

    def serve(self, place, sock):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            kind = self.take(f"{place.name} CONNECT")
            if kind and not kind.connect(self, place, sock):
                return
            if place.guard == "tcp":
                self.pipe(place, sock, place.others[kind.other] if kind and kind.other else place.upstream)
                return
            if place.tls:
                name = kind.certificate if kind and kind.certificate else "good"
                sock = self.contexts[name].wrap_socket(sock, server_side=True)
            stream = Stream(sock)
            while self.serve_one(place, sock, stream):
                pass
        except (Gone, OSError, ssl.SSLError):
            pass
        except Exception as error:  # a mistake of ours must not look like a fault
            self.errors.append(f"{place.name}: {error!r}")
            raise
        finally:
            sock.close()

    def take(self, key):
        """Counts; the fault when it is its turn."""
        with self.lock:
            self.counts[key] += 1
            self.keys.append((key, self.counts[key]))
            if not self.fault or self.fault[0] != key:
                return None
            _, n, kind, is_always = self.fault
            if self.counts[key] != n and not (is_always and self.counts[key] > n):
                return None
            self.hits += 1
            return kind

    def serve_one(self, place, sock, stream):
        request = read_request(stream)
        self.look_for_leaks(place, request.raw)
        exchange = Exchange(self, place, sock, request)
        if place.name.startswith("evil"):
            evil_answer(exchange)
        else:
            kind = self.take(key_of(place, request))
            self.say(f"{key_of(place, request)} {'<' + kind.name + '>' if kind else ''}")
            if kind:
                kind.answer(exchange)
            else:
                exchange.answer(exchange.forward())
        return not exchange.is_over and (request.get("connection") or "").lower() != "close"

    def look_for_leaks(self, place, raw):
        decoded = raw
        for blob in re.findall(rb"(?i)basic ([A-Za-z0-9+/=]+)", raw):
            try:
                decoded += base64.b64decode(blob)
            except ValueError:
                pass
        for secret, names in self.secrets.items():
            # A registry that asks for a password gets its own.
            asked = self.fault and self.fault[2].name == "unauthorized-basic" and place.name == "registry"
            if secret.encode() in decoded and place.name not in names and not (asked and "auth" in names):
                self.leaks.append(f"{secret} went to {place.name}: {raw[:200]!r}")
        for token, (name, _) in list(self.tokens.items()):
            if token.encode() in raw and place.name != name:
                self.leaks.append(f"a token of {name} went to {place.name}: {raw[:200]!r}")

    # Who may ask.

    def refusal(self, place, request):
        if not place.guard:
            return None
        if place.guard == "token":
            return self.token_reply(request)
        given = request.get("authorization") or ""
        if place.guard == "bearer":
            token = self.tokens.get(given[7:]) if given.startswith("Bearer ") else None
            if token and token[0] == place.name and time.monotonic() < token[1]:
                return None
            realm = f"http://{self.places['auth'].host}:{self.places['auth'].port}/token"
            challenge = f'Bearer realm="{realm}",service="{place.host}",scope="{scope_of(request)}"'
        else:
            if given.startswith("Basic ") and base64.b64decode(given[6:]).decode() == place.guard:
                return None
            challenge = 'Basic realm="here"'
        body = json.dumps({"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]}).encode()
        return Reply(401, [("WWW-Authenticate", challenge), ("Content-Length", str(len(body))),
                           ("Content-Type", "application/json"), ("Docker-Distribution-Api-Version", "registry/2.0")], body)

    def token_reply(self, request):
        given = request.get("authorization") or ""
        user = base64.b64decode(given[6:]).decode() if given.startswith("Basic ") else ""
        if user != "builder:registry-secret-1":
            body = b'{"details":"incorrect username or password"}'
            return Reply(401, [("Content-Length", str(len(body)))], body)
        with self.lock:
            token = f"token-{len(self.tokens)}-{base64.b16encode(struct.pack('d', time.monotonic())).decode()}"
            self.tokens[token] = ("registry", time.monotonic() + 60)
        body = json.dumps({"token": token, "expires_in": 60}).encode()
        return Reply(200, [("Content-Length", str(len(body))), ("Content-Type", "application/json")], body)

    def forget_tokens(self):
        with self.lock:
            self.tokens = {token: (name, 0) for token, (name, _) in self.tokens.items()}

    def say(self, text):
        if self.log:
            self.log.write(f"{time.monotonic():.3f} {text}\n")
            self.log.flush()

    # Bytes, for what is no HTTP.

    def pipe(self, place, sock, upstream):
        with self.lock:
            self.counts[place.name] += 1
            n = self.counts[place.name]
        self.say(f"{place.name} {n} begins")
        there = socket.create_connection(upstream)
        there.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        flows = [threading.Thread(target=self.flow, args=(f"{place.name} {n} {way}", one, other), daemon=True)
                 for way, one, other in (("up", sock, there), ("down", there, sock))]
        for flow in flows:
            flow.start()
        for flow in flows:
            flow.join()
        there.close()
        self.say(f"{place.name} {n} ends")

    def flow(self, key, one, other):
        total = 0
        fault = self.fault if self.fault and self.fault[0] == key else None
        try:
            while data := one.recv(1 << 16):
                before, total = total, total + len(data)
                self.bytes[key] = total
                if fault and before <= fault[1] < total:
                    self.hits += 1
                    other.sendall(data[:fault[1] - before])
                    data = fault[2].bytes(self, data[fault[1] - before:], one, other)
                    if data is None:
                        return
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)
        except OSError:
            for end in (one, other):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass


def scope_of(request):
    match = re.match(r"/v2/(.+?)/(manifests|blobs|tags)/", request.path)
    return f"repository:{match[1]}:pull,push" if match else "registry:catalog:*"


def evil_answer(exchange):
    """A host that nobody told a password. Below /then/NAME it has what NAME has, as storages behind redirects do; else it asks."""
    match = re.match(r"/then/([a-z]+)(/.*)", exchange.request.path)
    if exchange.request.path == "/expired":
        exchange.say(403, b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>", Content_Type="application/xml")
        return
    if not match:
        exchange.say(401, b"who are you?", WWW_Authenticate='Basic realm="tell me"')
        return
    exchange.request.path = match[2]
    place = exchange.proxy.places[match[1]]
    exchange.request.headers["host"] = f"{place.host}:{place.port}"
    exchange.answer(ask(place, exchange.request))


def query(text, name):
    return urllib.parse.parse_qs(urllib.parse.urlsplit(text).query).get(name, [""])[0]
