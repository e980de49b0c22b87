#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# hang.py PORT_FILE HOST:PORT PATTERN: an HTTP server that hands everything on to another one, but a request with the pattern
# (a regular expression over "METHOD PATH\nBODY") is never answered.
import http.client, http.server, re, sys, threading

place, pattern = sys.argv[2], re.compile(sys.argv[3].encode())


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def body(self):
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        data = b""
        while n := int(self.rfile.readline().split(b";")[0], 16):
            data += self.rfile.read(n)
            self.rfile.readline()
        self.rfile.readline()
        return data

    def forward(self):
        body = self.body()
        if pattern.search(b"%s %s\n%s" % (self.command.encode(), self.path.encode(), body)):
            sys.stderr.write("hangs: %s %s\n" % (self.command, self.path))
            sys.stderr.flush()
            threading.Event().wait()
        there = http.client.HTTPConnection(place, timeout=30)
        headers = {k: v for k, v in self.headers.items() if k.lower() not in ("connection", "transfer-encoding", "content-length", "expect")}
        there.request(self.command, self.path, body or None, headers)
        answer = there.getresponse()
        data = answer.read()
        self.send_response(answer.status)
        for key, value in answer.getheaders():
            if key.lower() not in ("transfer-encoding", "connection", "content-length"):
                self.send_header(key, value)
        length = answer.getheader("Content-Length") if self.command == "HEAD" else str(len(data))
        self.send_header("Content-Length", length or "0")
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_HEAD = do_PUT = do_PATCH = do_DELETE = forward

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True


server = Server(("127.0.0.1", 0), Handler)
with open(sys.argv[1], "w") as port:
    port.write(str(server.server_address[1]))
server.serve_forever()
