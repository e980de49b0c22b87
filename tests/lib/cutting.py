#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# cutting.py PORT_FILE FILE: serves one file, but every answer ends after a third of it: whoever wants all must go on by range.
# Below /plain it gives no ETag, and cuts only the first answer.
import hashlib, http.server, sys

with open(sys.argv[2], "rb") as source:
    data = source.read()
etag = '"%s"' % hashlib.sha256(data).hexdigest()[:16]
cut = set()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        is_plain = self.path.startswith("/plain")
        first = 0
        wanted = self.headers.get("Range")
        if wanted and not is_plain and self.headers.get("If-Range") == etag:
            first = int(wanted.split("=")[1].rstrip("-"))
        end = min(len(data), first + len(data) // 3 + 1)
        if is_plain and self.path in cut:
            end = len(data)
        cut.add(self.path)
        self.send_response(206 if first else 200)
        if first:
            self.send_header("Content-Range", "bytes %d-%d/%d" % (first, len(data) - 1, len(data)))
        if not is_plain:
            self.send_header("ETag", etag)
        self.send_header("Content-Length", str(len(data) - first))
        self.end_headers()
        self.wfile.write(data[first:end])
        self.close_connection = True

    def log_message(self, *args):
        sys.stderr.write("%s %s %s\n" % (self.command, self.path, self.headers.get("Range")))
        sys.stderr.flush()


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open(sys.argv[1], "w") as port:
    port.write(str(server.server_address[1]))
server.serve_forever()
