#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# proxy.py PORT_FILE NAME=HOST:PORT…: an HTTP proxy that knows these names only; it writes down what it was asked.
import http.client, http.server, sys
from urllib.parse import urlsplit

places = dict(place.split("=") for place in sys.argv[2:])


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def forward(self):
        url = urlsplit(self.path)
        place = places.get(url.hostname)
        if not place:
            self.send_error(502, "unknown host")
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        there = http.client.HTTPConnection(place, timeout=30)
        path = url.path + ("?" + url.query if url.query else "")
        headers = {k: v for k, v in self.headers.items() if k.lower() not in ("proxy-connection", "connection", "transfer-encoding")}
        there.request(self.command, path, body or None, headers)
        answer = there.getresponse()
        data = answer.read()
        self.send_response(answer.status)
        for key, value in answer.getheaders():
            if key.lower() not in ("transfer-encoding", "connection", "content-length"):
                self.send_header(key, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_HEAD = forward

    def log_message(self, *args):
        sys.stderr.write("%s %s\n" % (self.command, self.path))
        sys.stderr.flush()


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open(sys.argv[1], "w") as port:
    port.write(str(server.server_address[1]))
server.serve_forever()
