# SPDX-License-Identifier: Apache-2.0
"""kinds.py: every way in which an answer may go wrong. `heals`: happens it once, the same run makes it good and ends with 0;
else it may fail what asked, in words, and the next run makes it good."""
import email.utils
import gzip
import json
import re
import socket
import struct
import threading
import time

BAD_DIGEST = "sha256:" + 64 * "0"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
KINDS = {}


class Kind:
    connect = None  # (proxy, place, socket) → does it go on?
    certificate = None
    other = None    # name of the server that is there instead
    surround = None # (world, place) → what to close behind the run: how the name or the network of a place is
    bytes = None

    def __init__(self, name, heals, when, slow, call, is_often):
        self.name, self.heals, self.when, self.slow, self.call, self.is_often = name, heals, when, slow, call, is_often

    def answer(self, exchange):
        self.call(exchange)


def anything(_key):
    return True


def matching(pattern):
    return lambda key: re.search(pattern, key) is not None


def kind(heals=False, when=anything, slow=False, often=False):
    """`often`: also asked for all requests of that sort, which then may fail."""
    def add(function):
        name = function.__name__.replace("_", "-")
        KINDS[name] = Kind(name, heals, when, slow, function, often)
        return function
    return add


HAS_BODY = matching(r" (GET|POST|PUT) ")
READS = matching(r" (GET|HEAD) ")
GETS = matching(r" GET ")
REGISTRY = matching(r"^(registry|upstream) ")
MANIFESTS = matching(r"/manifests/")
UPLOADS = matching(r"/blobs/uploads/")
UPLOAD_DATA = matching(r" (PUT|PATCH) .*/blobs/uploads/")


# The connection.

@kind(heals=True, often=True)
def close(exchange):
    exchange.close()


@kind(heals=True, often=True)
def reset(exchange):
    exchange.reset()


@kind(heals=True)
def close_after(exchange):
    """The server has done it, nobody hears of it."""
    exchange.forward()
    exchange.close()


@kind(heals=True)
def reset_after(exchange):
    exchange.forward()
    exchange.reset()


@kind(heals=True)
def twice(exchange):
    """Something in between lost the first answer and asks again."""
    exchange.forward()
    exchange.answer(exchange.forward())


@kind(heals=True)
def cut_head(exchange):
    exchange.send(exchange.forward().head()[:-20])
    exchange.close()


@kind(heals=True, when=HAS_BODY)
def cut_body(exchange):
    reply = exchange.forward()
    exchange.send(reply.head() + reply.body[:len(reply.body) // 2])
    exchange.close()


@kind(heals=True, when=HAS_BODY)
def reset_body(exchange):
    reply = exchange.forward()
    exchange.send(reply.head() + reply.body[:len(reply.body) // 2])
    exchange.wait(0.05)
    exchange.reset()


@kind(heals=True)
def quiet_close(exchange):
    """A kept connection is closed behind the client's back."""
    exchange.answer(exchange.forward())
    exchange.close()


@kind(heals=True)
def old_http(exchange):
    """HTTP/1.0: the body ends with the connection."""
    reply = exchange.forward()
    if not reply.is_head:
        reply.put("Content-Length", None)
    exchange.send(reply.head().replace(b"HTTP/1.1", b"HTTP/1.0", 1) + reply.body)
    exchange.close()


@kind(heals=True)
def delay(exchange):
    exchange.wait(1.5)
    exchange.answer(exchange.forward())


@kind(heals=True)
def drip(exchange):
    """Slow, byte by byte, but not endless."""
    reply = exchange.forward()
    data = reply.head() + reply.body
    exchange.send(data[:40])
    for at in range(40, min(len(data), 240)):
        exchange.send(data[at:at + 1])
        exchange.wait(0.005)
    exchange.send(data[240:])


@kind(heals=True, slow=True)
def hang(exchange):
    exchange.wait(200)
    exchange.close()


@kind(heals=True, slow=True, when=HAS_BODY)
def hang_in_body(exchange):
    reply = exchange.forward()
    exchange.send(reply.head() + reply.body[:len(reply.body) // 2])
    exchange.wait(200)
    exchange.close()


@kind(slow=True, when=matching(r"/manifests/| /token|/v2/$|/info/refs|ls-refs| POST .*/uploads/"))
def trickle(exchange):
    """Never still for long, and without an end: what is short has a limit as a whole (five minutes)."""
    exchange.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n")
    for _ in range(800):
        exchange.send(b"0000")
        exchange.wait(0.5)


# Statuses.

def status_kind(name, code, heals, **headers):
    def call(exchange):
        exchange.say(code, json.dumps({"errors": [{"code": "UNKNOWN", "message": "not now"}]}).encode(),
                     **{key: value() if callable(value) else value for key, value in headers.items()})
    KINDS[name] = Kind(name, heals, anything, False, call, True)


def in_two_seconds():
    return email.utils.formatdate(time.time() + 2, usegmt=True)


for status in (408, 429, 500, 502, 503, 504):
    status_kind(f"status-{status}", status, True)
status_kind("retry-after", 429, True, Retry_After="1")
status_kind("retry-after-date", 503, True, Retry_After=in_two_seconds)
status_kind("retry-after-absurd", 429, False, Retry_After="99999999999999999999")
status_kind("retry-after-week", 429, False, Retry_After="604800")
status_kind("retry-after-hours", 503, False, Retry_After="9000")
status_kind("retry-after-nonsense", 429, True, Retry_After="soon")
for status in (400, 403, 404, 405, 410, 418, 501):
    status_kind(f"status-{status}", status, False)
status_kind("unauthorized", 401, False)
status_kind("unauthorized-basic", 401, True, WWW_Authenticate='Basic realm="again"')
status_kind("unauthorized-digest", 401, False, WWW_Authenticate='Digest realm="x", nonce="y"')
status_kind("realm-elsewhere", 401, False, WWW_Authenticate='Bearer realm="http://evil.test:6666/token",service="s"')
status_kind("realm-of-a-file", 401, False, WWW_Authenticate='Bearer realm="file:///etc/passwd",service="s"')
status_kind("no-content", 204, False)
status_kind("early-hints-only", 103, False)
status_kind("status-999", 999, False)


@kind(heals=True, when=matching("^registry "))
def expired_token(exchange):
    exchange.proxy.forget_tokens()
    exchange.answer(exchange.forward())


# Redirects.

@kind(heals=True, when=READS)
def redirect_relative(exchange):
    exchange.say(307, Location=exchange.request.path)


@kind(heals=True, when=READS)
def redirect_storage(exchange):
    """To another host that has it, and that must not see a password."""
    evil = exchange.proxy.places["evil"]
    refusal = exchange.proxy.refusal(exchange.place, exchange.request)
    if refusal:
        exchange.answer(refusal)
    elif exchange.place.tls:
        exchange.say(307, Location=exchange.url(exchange.proxy.places["eviltls"], f"/then/{exchange.place.name}{exchange.request.path}"))
    else:
        exchange.say(307, Location=exchange.url(evil, f"/then/{exchange.place.name}{exchange.request.path}"))


@kind(heals=True, when=UPLOAD_DATA)
def redirect_upload(exchange):
    """As a registry does whose storage takes uploads itself."""
    refusal = exchange.proxy.refusal(exchange.place, exchange.request)
    if refusal:
        exchange.answer(refusal)
    else:
        exchange.say(307, Location=exchange.url(exchange.proxy.places["evil"], f"/then/{exchange.place.name}{exchange.request.path}"))


@kind(heals=True, when=matching(r"^(registry|upstream) GET .*/blobs/"))
def redirect_expired(exchange):
    """To a storage whose signature has ended meanwhile."""
    refusal = exchange.proxy.refusal(exchange.place, exchange.request)
    evil = exchange.proxy.places["eviltls" if exchange.place.tls else "evil"]
    if refusal:
        exchange.answer(refusal)
    else:
        exchange.say(307, Location=exchange.url(evil, "/expired"))


@kind(when=matching(r"^(upstream|gittls) GET "))
def redirect_downgrade(exchange):
    refusal = exchange.proxy.refusal(exchange.place, exchange.request)
    if refusal:
        exchange.answer(refusal)
    else:
        exchange.say(307, Location=exchange.url(exchange.proxy.places["evil"], f"/then/{exchange.place.name}{exchange.request.path}"))


@kind(often=True)
def redirect_host(exchange):
    exchange.say(307, Location=exchange.url(exchange.proxy.places["evil"]))


@kind()
def redirect_permanent(exchange):
    exchange.say(301, Location=exchange.url(exchange.proxy.places["evil"]))


@kind()
def redirect_see_other(exchange):
    exchange.say(303, Location=exchange.url(exchange.proxy.places["evil"]))


@kind()
def redirect_userinfo(exchange):
    exchange.say(302, Location="http://who:else@evil.test:6666/")


@kind()
def redirect_loop(exchange):
    exchange.say(302, Location=exchange.request.path)
    # from here on, for ever
    key, n, which, _ = exchange.proxy.fault
    exchange.proxy.fault = (key, n, which, True)


@kind()
def redirect_file(exchange):
    exchange.say(302, Location="file:///etc/passwd")


@kind()
def redirect_scheme(exchange):
    exchange.say(302, Location="gopher://evil.test:6666/_x")


@kind()
def redirect_port(exchange):
    exchange.say(302, Location=f"//{exchange.place.host}:9/")


@kind()
def redirect_nowhere(exchange):
    exchange.say(302)


@kind()
def redirect_garbage(exchange):
    exchange.say(302, Location="http://[::1")


# Lies.

def flipped(data, at):
    return data[:at] + bytes([data[at] ^ 0x15]) + data[at + 1:] if data else data


@kind(when=HAS_BODY, often=True)
def corrupt_body(exchange):
    reply = exchange.forward()
    reply.body = flipped(reply.body, len(reply.body) // 2)
    exchange.answer(reply)


@kind(when=HAS_BODY)
def corrupt_start(exchange):
    reply = exchange.forward()
    reply.body = flipped(reply.body, 0)
    exchange.answer(reply)


@kind(when=HAS_BODY)
def corrupt_end(exchange):
    reply = exchange.forward()
    reply.body = flipped(reply.body, len(reply.body) - 1) if reply.body else b""
    exchange.answer(reply)


@kind(when=UPLOAD_DATA)
def corrupt_request(exchange):
    exchange.request.body = flipped(exchange.request.body, len(exchange.request.body) // 2)
    exchange.answer(exchange.forward())


@kind(when=matching("git-receive-pack$"))
def corrupt_pack_sent(exchange):
    body = exchange.request.body
    exchange.request.body = flipped(body, len(body) - 5)
    exchange.answer(exchange.forward())


@kind()
def corrupt_head(exchange):
    reply = exchange.forward()
    head = reply.head()
    exchange.send(flipped(head, 25 + len(head) // 4) + (b"" if reply.is_head else reply.body))
    exchange.close()


@kind(when=REGISTRY, often=True)
def wrong_digest(exchange):
    reply = exchange.forward()
    reply.put("Docker-Content-Digest", BAD_DIGEST)
    exchange.answer(reply)


@kind(heals=True, when=matching(r"^(registry|upstream) (GET|HEAD|PUT) .*/manifests/"))
def no_digest(exchange):
    reply = exchange.forward()
    reply.put("Docker-Content-Digest", None)
    exchange.answer(reply)


@kind(when=matching(" (GET|HEAD) "))
def more_length(exchange):
    reply = exchange.forward()
    reply.put("Content-Length", str(len(reply.body) + 1000))
    exchange.answer(reply)
    exchange.close()


@kind(when=GETS)
def less_length(exchange):
    reply = exchange.forward()
    reply.put("Content-Length", str(max(0, len(reply.body) - 3)))
    exchange.answer(reply)
    exchange.close()


@kind()
def length_garbage(exchange):
    reply = exchange.forward()
    reply.put("Content-Length", "-18446744073709551615")
    exchange.answer(reply)
    exchange.close()


@kind()
def two_lengths(exchange):
    reply = exchange.forward()
    reply.headers += [("Content-Length", "1"), ("Content-Length", "2")]
    exchange.answer(reply)
    exchange.close()


@kind(when=matching(" (GET|HEAD) .*/manifests/"), often=True)
def other_manifest(exchange):
    """One that is well made, and another."""
    reply = exchange.forward()
    try:
        document = json.loads(reply.body or b"{}")
    except ValueError:
        document = {}
    document["annotations"] = {"other": "yes"}
    reply.body = json.dumps(document).encode()
    reply.put("Content-Length", str(len(reply.body)))
    exchange.answer(reply)


@kind()
def other_type(exchange):
    reply = exchange.forward()
    reply.put("Content-Type", "text/html; charset=\"\x7f")
    exchange.answer(reply)


@kind(when=MANIFESTS)
def index_type(exchange):
    reply = exchange.forward()
    reply.put("Content-Type", "application/vnd.oci.image.index.v1+json")
    exchange.answer(reply)


@kind(often=True)
def portal(exchange):
    """A page that wants you to log in, for whatever you asked."""
    exchange.say(200, b"<html><title>Welcome to our network</title></html>", Content_Type="text/html")


@kind()
def empty(exchange):
    exchange.say(200)


@kind()
def accepted_only(exchange):
    """Said to be done, and is not."""
    exchange.say(202 if exchange.request.method == "POST" else 201)


@kind(when=matching(r"^(?!files).* GET "))
def not_modified(exchange):
    exchange.say(304)


@kind(when=GETS)
def partial(exchange):
    reply = exchange.forward()
    reply.status = 206
    reply.put("Content-Range", f"bytes 5-{len(reply.body) - 1}/{len(reply.body)}")
    reply.body = reply.body[5:]
    reply.put("Content-Length", str(len(reply.body)))
    exchange.answer(reply)


@kind(when=GETS)
def gzip_bomb(exchange):
    body = gzip.compress(bytes(64 << 20))
    exchange.say(200, body, Content_Encoding="gzip", Content_Type="application/json")


# Too much, and what is no HTTP.

@kind(when=HAS_BODY)
def endless_body(exchange):
    exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n")
    pour(exchange, b"10000\r\n" + 65536 * b"0" + b"\r\n")


@kind()
def endless_error(exchange):
    exchange.send(b"HTTP/1.1 400 Bad Request\r\nTransfer-Encoding: chunked\r\n\r\n")
    pour(exchange, b"10000\r\n" + 65536 * b"y" + b"\r\n")


def pour(exchange, data):
    # more than any limit but those of archives and packs; those are given up by the length that is announced
    for _ in range(2000):
        exchange.send(data)
    exchange.close()


@kind(often=True)
def endless_head(exchange):
    exchange.send(b"HTTP/1.1 200 OK\r\n")
    for at in range(100000):
        exchange.send(b"X-%d: %s\r\n" % (at, 1000 * b"x"))


@kind()
def endless_line(exchange):
    exchange.send(b"HTTP/1.1 200 OK\r\nX: ")
    for _ in range(1000):
        exchange.send(65536 * b"x")


@kind()
def hints_flood(exchange):
    for _ in range(20000):
        exchange.send(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")


@kind(heals=True)
def hints_some(exchange):
    exchange.send(3 * b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
    exchange.answer(exchange.forward())


@kind(when=HAS_BODY)
def huge_chunk(exchange):
    exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nabc")
    exchange.close()


@kind(when=HAS_BODY)
def bad_chunk(exchange):
    exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n")
    exchange.close()


@kind(when=GETS)
def huge_length(exchange):
    exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\n" + 1000 * b"z")
    exchange.close()


@kind()
def http2(exchange):
    exchange.send(b"\0\0\x12\4\0\0\0\0\0\0\3\0\0\0\x80\0\4\0\1\0\0\0\5\0\xff\xff\xff")
    exchange.close()


@kind()
def http2_status(exchange):
    reply = exchange.forward()
    exchange.send(reply.head().replace(b"HTTP/1.1", b"HTTP/2", 1) + reply.body)
    exchange.close()


@kind()
def banner(exchange):
    exchange.send(b"SSH-2.0-OpenSSH_9.2\r\n")
    exchange.close()


@kind()
def switching(exchange):
    exchange.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n")
    exchange.close()


# Half an upload.

@kind(when=UPLOAD_DATA)
def upload_lost(exchange):
    exchange.say(404, b'{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN","message":"upload unknown"}]}')


@kind(when=UPLOAD_DATA)
def upload_invalid(exchange):
    exchange.say(400, b'{"errors":[{"code":"BLOB_UPLOAD_INVALID","message":"resumable upload invalid"}]}')


@kind(when=UPLOAD_DATA)
def upload_range(exchange):
    exchange.say(416, Range="0-0")


@kind(when=matching(r" POST .*/blobs/uploads/"))
def upload_nowhere(exchange):
    reply = exchange.forward()
    reply.put("Location", None)
    exchange.answer(reply)


@kind(when=matching(r" POST .*/blobs/uploads/"))
def upload_elsewhere(exchange):
    """The upload is to go to another host, which must not get a password."""
    reply = exchange.forward()
    reply.put("Location", "http://evil.test:6666/v2/x/blobs/uploads/1")
    exchange.answer(reply)


@kind(when=matching(r"^registry PUT .*/blobs/uploads/"))
def kept_not(exchange):
    """Said to be stored, and forgotten: whether manifests find their blobs is the registry's to see."""
    digest = re.search(r"sha256%3A([0-9a-f]{64})", exchange.request.path)[1]
    refusal = exchange.proxy.refusal(exchange.place, exchange.request)
    if refusal:
        exchange.answer(refusal)
    else:
        exchange.say(201, Docker_Content_Digest=f"sha256:{digest}", Location=exchange.request.path)


@kind(heals=True, when=matching(r" POST .*/blobs/uploads/\?mount="))
def mount_refused(exchange):
    """An upload is begun instead (202)."""
    exchange.request.path = exchange.request.path.partition("?")[0]
    exchange.answer(exchange.forward())


@kind(heals=True, when=matching(r"^registry PUT .*/manifests/"))
def oci_subject(exchange):
    reply = exchange.forward()
    reply.put("OCI-Subject", BAD_DIGEST)
    exchange.answer(reply)


STARTS = matching(r"^registry POST .*/blobs/uploads/$")


@kind(heals=True, when=STARTS)
def chunk_min(exchange):
    reply = exchange.forward()
    reply.put("OCI-Chunk-Min-Length", "40")
    exchange.answer(reply)


def chunked(name, heals, at, call):
    """The upload is to come in chunks of 64 bytes; something happens to the one of that number, 0: to none."""
    def start(exchange):
        reply = exchange.forward()
        if reply.status != 202:
            exchange.answer(reply)
            return
        reply.put("OCI-Chunk-Max-Length", "64")
        proxy = exchange.proxy
        key = exchange.place.name + " PATCH " + exchange.request.path + "*"
        if at:
            proxy.fault = (key, proxy.counts[key] + at, Kind(name, heals, anything, False, call, False), False)
        exchange.answer(reply)
    KINDS[name] = Kind(name, heals, STARTS, False, start, False)


def chunk_status(status):
    return lambda exchange: exchange.say(status, b'{"errors":[{"code":"BLOB_UPLOAD_INVALID","message":"chunk"}]}', Range="0-9")


def chunk_half(exchange):
    """Half of it is taken."""
    exchange.request.body = exchange.request.body[:len(exchange.request.body) // 2]
    first = int(exchange.request.get("content-range").partition("-")[0])
    exchange.request.headers["content-range"] = f"{first}-{first + len(exchange.request.body) - 1}"
    exchange.answer(exchange.forward())


def chunk_nowhere(exchange):
    reply = exchange.forward()
    reply.put("Location", None)
    exchange.answer(reply)


def chunk_range(text):
    def call(exchange):
        reply = exchange.forward()
        reply.put("Range", text)
        exchange.answer(reply)
    return call


def chunk_flipped(exchange):
    exchange.request.body = flipped(exchange.request.body, 3)
    exchange.answer(exchange.forward())


def token_ends(exchange):
    exchange.proxy.forget_tokens()
    exchange.answer(exchange.forward())


chunked("chunks", True, 0, None)
chunked("chunk-token-ends", True, 2, token_ends)
chunked("chunk-half", True, 2, chunk_half)
chunked("chunk-close", True, 2, close)
chunked("chunk-close-after", True, 2, close_after)
chunked("chunk-twice", True, 2, twice)
chunked("chunk-500", True, 2, chunk_status(500))
chunked("chunk-429", True, 2, chunk_status(429))
chunked("chunk-lost", True, 2, chunk_status(404))
chunked("chunk-416", True, 2, chunk_status(416))
chunked("chunk-413", False, 2, chunk_status(413))
chunked("chunk-nowhere", False, 2, chunk_nowhere)
chunked("chunk-range-back", True, 2, chunk_range("0-0"))
chunked("chunk-range-ahead", True, 2, chunk_range("0-999999"))
chunked("chunk-range-garbage", True, 2, chunk_range("bytes=x-\x7f"))
chunked("chunk-flipped", True, 2, chunk_flipped)


# What is no registry's and not git's: archives.

FILES = matching(r"^files GET ")


def in_steps(*steps):
    """One step for each request from here on, then nothing more."""
    def call(exchange):
        proxy = exchange.proxy
        key, n, which, _ = proxy.fault
        at = proxy.counts[key] - n
        proxy.fault = (key, n, which, at + 1 < len(steps))
        steps[at](exchange)
    return call


def older_half(exchange):
    """Half of what was there before."""
    reply = exchange.forward()
    old = bytes(reversed(reply.body)) + 100 * b"old"
    reply.put("ETag", '"older"')
    reply.put("Content-Length", str(len(old)))
    exchange.send(reply.head() + old[:len(old) // 2])
    exchange.close()


def rest_of_new(exchange):
    """Looks at Range only: the rest is of other bytes than the beginning was."""
    first = int(re.match(r"bytes=(\d+)-", exchange.request.get("range") or "bytes=0-")[1])
    for name in ("range", "if-range"):
        exchange.request.headers.pop(name, None)
    reply = exchange.forward()
    if first and first < len(reply.body):
        reply.status = 206
        reply.put("Content-Range", f"bytes {first}-{len(reply.body) - 1}/{len(reply.body)}")
        reply.body = reply.body[first:]
        reply.put("Content-Length", str(len(reply.body)))
    exchange.answer(reply)


def half_unnamed(exchange):
    """No ETag, no date: nobody can know whether the rest belongs to it."""
    reply = exchange.forward()
    reply.put("ETag", None)
    exchange.send(reply.head() + reply.body[:len(reply.body) // 2])
    exchange.close()


def half(exchange):
    reply = exchange.forward()
    exchange.send(reply.head() + reply.body[:len(reply.body) // 2])
    exchange.close()


def range_refused(exchange):
    exchange.say(416, Content_Range="bytes */1")


def range_other(exchange):
    """Another range than was asked for."""
    reply = exchange.forward()
    if reply.status == 206:
        reply.put("Content-Range", "bytes 0-" + reply.get("Content-Range").partition("-")[2])
    exchange.answer(reply)


def archive_kind(name, heals, call):
    KINDS[name] = Kind(name, heals, FILES, False, call, False)


archive_kind("archive-changes", True, in_steps(older_half))
archive_kind("archive-changes-within", True, in_steps(older_half, rest_of_new))
archive_kind("archive-unnamed", True, in_steps(half_unnamed, rest_of_new))
archive_kind("archive-416", True, in_steps(half, range_refused))
archive_kind("archive-other-range", False, in_steps(half, range_other))
archive_kind("archive-cut-often", True, in_steps(half, half, half))


def coded(coding):
    def call(exchange):
        reply = exchange.forward()
        reply.put("Content-Encoding", coding)
        exchange.answer(reply)
    return call


# What some servers say of every .gz: it is no coding of its own.
archive_kind("archive-gzip", True, coded("gzip"))
archive_kind("archive-br", True, coded("br"))


@kind(when=matching(r"/manifests/"))
def manifest_unknown(exchange):
    exchange.say(404, b'{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}')


@kind(when=matching(r" PUT .*/manifests/"))
def manifest_refused(exchange):
    exchange.say(400, b'{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","message":"blob unknown to registry"}]}')


# Git.

@kind(when=matching("^git(tls)? "))
def pkt_length(exchange):
    reply = exchange.forward()
    reply.body = b"ffff" + reply.body[4:]
    exchange.answer(reply)


@kind(when=matching("^git(tls)? "))
def pkt_error(exchange):
    exchange.say(200, b"0022ERR the server is \x1b[31mon fire\n", Content_Type="application/x-git-upload-pack-result")


@kind(when=matching("git-upload-pack ls-refs"))
def no_refs(exchange):
    exchange.say(200, b"0000", Content_Type="application/x-git-upload-pack-result")


@kind(when=matching("git-upload-pack ls-refs"))
def other_refs(exchange):
    """Ids that nobody has."""
    reply = exchange.forward()
    reply.body = re.sub(rb"[0-9a-f]{40}", 40 * b"1", reply.body)
    exchange.answer(reply)


@kind(when=matching("git-receive-pack$"))
def pushed_not(exchange):
    """Said to be refused, and was not."""
    exchange.forward()
    exchange.say(200, refused_report())


def refused_report():
    def packet(text):
        return b"%04x%s" % (len(text) + 4, text)
    inner = packet(b"unpack ok\n") + packet(b"ng refs/heads/reconcile/state failed to update ref\n") + b"0000"
    return packet(b"\1" + inner) + b"0000"


# Connections.

def connect_kind(name, heals, connect, certificate=None, often=True, when=None):
    made = Kind(name, heals, when or matching(" CONNECT$"), False, None, often)
    made.connect, made.certificate = connect, certificate
    KINDS[name] = made


def goes_on(_proxy, _place, _sock):
    return True


def ends(_proxy, _place, _sock):
    return False


def aborts(_proxy, _place, sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


def cut_handshake(_proxy, _place, sock):
    sock.recv(1000)
    sock.sendall(b"\x16\x03\x03\x00\x7a\x02\x00\x00")
    return False


def alert(_proxy, _place, sock):
    sock.recv(1000)
    sock.sendall(b"\x15\x03\x03\x00\x02\x02\x28")
    return False


TLS = matching("^(upstream|gittls) CONNECT$")
connect_kind("accept-close", True, ends)
connect_kind("accept-reset", True, aborts)
connect_kind("tls-cut", True, cut_handshake, when=TLS)
connect_kind("tls-alert", True, alert, when=TLS)
for which in ("expired", "host", "self"):
    connect_kind("tls-" + which, False, goes_on, certificate=which, when=TLS)


def around_kind(name, heals, surround, slow=False):
    made = Kind(name, heals, matching(r"^(registry|upstream|git|gittls|files|daemon|ssh) CONNECT$"), slow, None, False)
    made.connect, made.surround = goes_on, surround
    KINDS[name] = made


def no_name(world, place):
    world.name_at(place)
    world.proxy.hits = 1
    return []


def ipv6_only(world, place):
    world.name_at(place, "::1")
    places = [place] + ([world.proxy.places["auth"]] if place.name == "registry" else [])
    return [world.proxy.listen_at(one, socket.AF_INET6) for one in places if one.name != "files"]


def ipv6_hangs(world, place):
    """There is an address that leads nowhere, and it comes first."""
    world.name_at(place, "::1", "127.0.0.1")
    return world.proxy.listen_in_vain(place) if place.name != "files" else []


around_kind("no-name", False, no_name)
around_kind("ipv6-only", True, ipv6_only)
around_kind("ipv6-hangs", True, ipv6_hangs, slow=True)


# Where ssh is spoken.

def banner_lines(_proxy, _place, sock):
    """What a server may say before it speaks ssh (RFC 4253, 4.2)."""
    sock.sendall(b"Welcome.\r\nThis machine is for git only.\r\n")
    return True


def no_banner(_proxy, _place, sock):
    sock.recv(1000)
    sock.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n<html>speak http</html>\r\n")
    return False


def garbage_banner(_proxy, _place, sock):
    sock.sendall(b"\x1b[31m\0\1\2\xff" + 300 * b"\x9b" + b"\n")
    return False


def endless_banner(_proxy, _place, sock):
    for _ in range(3000):
        sock.sendall(1024 * b"z" + b"\r\n")
    return False


def other_protocol(_proxy, _place, sock):
    sock.sendall(b"SSH-1.5-OldServer\r\n")
    return False


SSH = matching("^ssh CONNECT$")
connect_kind("ssh-banner-lines", True, banner_lines, when=SSH)
connect_kind("ssh-no-banner", True, no_banner, when=SSH)
connect_kind("ssh-garbage", True, garbage_banner, when=SSH)
connect_kind("ssh-endless-banner", True, endless_banner, when=SSH)
connect_kind("ssh-old", False, other_protocol, when=SSH)
for which in ("host-key", "denied"):
    connect_kind("ssh-" + which, False, goes_on, when=SSH)
    KINDS["ssh-" + which].other = which


# Bytes of what is no HTTP.

def bytes_kind(name, heals, call, slow=False):
    made = Kind(name, heals, matching(" (up|down)$"), slow, None, False)
    made.bytes = call
    KINDS[name] = made


def bytes_close(_proxy, _data, one, other):
    for end in (one, other):
        end.shutdown(socket.SHUT_RDWR)


def bytes_reset(_proxy, _data, one, other):
    for end in (one, other):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        end.close()


def bytes_flip(_proxy, data, _one, _other):
    return flipped(data, 0)


def bytes_late(_proxy, data, _one, _other):
    threading.Event().wait(1)
    return data


def bytes_hang(proxy, _data, one, other):
    for _ in range(2000):
        if proxy.is_closed:
            break
        time.sleep(0.1)
    bytes_close(proxy, None, one, other)


bytes_kind("bytes-close", True, bytes_close)
bytes_kind("bytes-reset", True, bytes_reset)
bytes_kind("bytes-flip", False, bytes_flip)
bytes_kind("bytes-late", True, bytes_late)
bytes_kind("bytes-hang", True, bytes_hang, slow=True)
