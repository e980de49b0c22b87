#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
A stand-in for a Jenkins server. It is not Jenkins and runs no Groovy: it is built from documented responses, so that the
client can be tested where there is no Jenkins (Debian 12 packages none). What it answers is taken from
  - Jenkins "Remote access API" and the pages <object>/api of a server: createItem, config.xml, buildWithParameters (201 and the
    place in the queue), queue/item/ID/api/json (waiting, cancelled, executable), tree=, logText/progressiveText
    (X-Text-Size, X-More-Data, line ends as CR LF), stop, term and kill, queue/cancelItem (204, 404);
  - Jenkins "CSRF protection": crumbIssuer/api/json; a crumb belongs to the session it was given in, and requests with an API token
    need none; a POST without gets 403 "No valid crumb was included in the request";
  - the README of the plugin "Pipeline: REST API": wfapi/describe.
What a pipeline does is said in its script by lines "//: NAME=VALUE" (class Script), what goes wrong by faults (class Fault).

    jenkins.py PORT_FILE [PORT RUNS_FILE]  serves until stdin closes; user "builder", API token "11correct-horse-token"; in the end
                                           it writes a line for each run: its build key and its result
"""
import base64
import http.server
import json
import re
import secrets
import ssl
import sys
import threading
import time
import urllib.parse
import xml.etree.ElementTree as ET

USER, TOKEN, PASSWORD = "builder", "11correct-horse-token", "a-password-of-the-user"
FOLDER = "com.cloudbees.hudson.plugins.folder.Folder"
PIPELINE = "flow-definition"


def read_xml(text):
    """XML 1.1 with what only 1.1 may hold: expat reads 1.0, so controls take a detour through private characters."""
    text = text.replace("version='1.1'", "version='1.0'", 1)
    text = re.sub(r"&#(\d+);", lambda m: chr(0xE000 + int(m[1])) if int(m[1]) < 32 and int(m[1]) not in (9, 10, 13) else m[0], text)
    root = ET.fromstring(text.encode())
    for one in root.iter():
        one.text = one.text and re.sub("[\ue000-\ue01f]", lambda m: chr(ord(m[0]) - 0xE000), one.text)
    return root


def pick(value, tree):
    """The members that tree= asks for: "a,b[c]{0,5}"; None: all."""
    if tree is None:
        return value
    if isinstance(value, list):
        return [pick(one, tree) for one in value]
    out, at = ({"_class": value["_class"]} if "_class" in value else {}), 0
    while at < len(tree):
        name = re.match(r"\w+", tree[at:])[0]
        at += len(name)
        inner, span = None, None
        if tree[at:at + 1] == "[":
            depth, start = 0, at
            while True:
                depth += {"[": 1, "]": -1}.get(tree[at], 0)
                at += 1
                if depth == 0:
                    break
            inner = tree[start + 1:at - 1]
        ranged = re.match(r"\{(\d+),(\d+)\}", tree[at:])
        if ranged:
            at, span = at + ranged.end(), slice(int(ranged[1]), int(ranged[2]))
        if name in value:
            one = value[name][span] if span else value[name]
            out[name] = pick(one, inner) if inner is not None and one is not None else one
        at += 1  # the comma
    return out


class Script:
    """
    What a run does: queue=SECONDS it waits, lines=N it prints (one each `pause` seconds, 0 at once), text=… it prints last,
    result=RESULT, stubborn=0|1|2 it heeds stop, term or only kill, stages=N.
    """

    def __init__(self, text):
        said = dict(re.findall(r"^//: (\w+)=(.*)$", text or "", re.M))
        self.queue, self.pause = float(said.get("queue", 0.2)), float(said.get("pause", 0.02))
        self.lines, self.last = int(said.get("lines", 3)), said.get("text", "")
        self.result, self.stubborn = said.get("result", "SUCCESS"), int(said.get("stubborn", 0))
        self.stages = int(said.get("stages", 2))


class Job:
    def __init__(self, name, url, root):
        self.name, self.url, self.runs, self.children = name, url, [], {}
        self.configure(root)

    def configure(self, root):
        self.root, self.is_folder = root, root.tag == FOLDER

    def config(self):
        text = ET.tostring(self.root, encoding="unicode")
        text = re.sub("[\x00-\x08\x0b-\x1f\x7f-\x9f]", lambda m: f"&#x{ord(m[0]):x};", text)
        return "<?xml version='1.1' encoding='UTF-8'?>\n" + text

    def parameters(self):
        found = {}
        for kind in ("String", "Password"):
            for one in self.root.iter(f"hudson.model.{kind}ParameterDefinition"):
                found[one.findtext("name")] = (kind, one.findtext("defaultValue") or "")
        return found

    def script(self):
        return Script(self.root.findtext("definition/script"))


class Run:
    """From the queue to its end; what it is at a moment follows from the clock."""

    def __init__(self, job, queue_id, values):
        self.job, self.queue_id, self.values, self.script = job, queue_id, values, job.script()
        self.queued = time.monotonic()
        self.number, self.cancelled, self.aborted, self.started = None, False, None, None

    def advance(self, jenkins):
        if self.number is None and not self.cancelled and time.monotonic() >= self.queued + self.script.queue:
            self.number, self.started = len(self.job.runs) + 1, time.monotonic()
            self.wall = int(time.time() * 1000)
            self.job.runs.append(self)
            jenkins.queue.remove(self)

    def end(self):
        end = self.started + self.script.lines * self.script.pause
        return min(end, self.aborted) if self.aborted else end

    def is_building(self):
        return time.monotonic() < self.end()

    def result(self):
        if self.is_building():
            return None
        return "ABORTED" if self.aborted and self.aborted == self.end() else self.script.result

    def log(self):
        passed = min(time.monotonic(), self.end()) - self.started
        is_whole = not self.script.pause or (not self.aborted and not self.is_building())
        shown = self.script.lines if is_whole else min(self.script.lines, int(passed / self.script.pause))
        text = "Started by user builder\n" + "".join(f"line {n}\n" for n in range(1, shown + 1))
        if self.is_building():
            text = text[:-2]  # pieces end anywhere
        else:
            text += (self.script.last + "\n" if self.script.last else "") + f"Finished: {self.result()}\n"
        return text.encode()

    def actions(self):
        shown = [{"_class": f"hudson.model.{kind}ParameterValue", "name": name, **({"value": value} if kind == "String" else {})}
                 for name, (kind, value) in self.values.items()]
        return [{"_class": "hudson.model.ParametersAction", "parameters": shown},
                {"_class": "hudson.model.CauseAction", "causes": []}, {}]

    def queue_json(self, base):
        item = {"_class": "hudson.model.Queue$WaitingItem", "id": self.queue_id, "actions": self.actions(), "blocked": False,
                "buildable": False, "why": "In the quiet period. Expires in 0.1 sec", "url": f"queue/item/{self.queue_id}/"}
        if self.cancelled:
            item.update(_class="hudson.model.Queue$LeftItem", why=None, cancelled=True, executable=None)
        elif self.number:
            item.update(_class="hudson.model.Queue$LeftItem", why=None, cancelled=False,
                        executable={"_class": "org.jenkinsci.plugins.workflow.job.WorkflowRun", "number": self.number,
                                    "url": f"{base}/{self.job.url}{self.number}/"})
        return item

    def json(self, base):
        return {"_class": "org.jenkinsci.plugins.workflow.job.WorkflowRun", "actions": self.actions(), "number": self.number,
                "queueId": self.queue_id, "building": self.is_building(), "result": self.result(), "id": str(self.number),
                "url": f"{base}/{self.job.url}{self.number}/", "timestamp": self.wall}

    def stages(self):
        return {"id": str(self.number), "name": f"#{self.number}", "status": self.result() or "IN_PROGRESS",
                "stages": [{"id": str(n), "name": f"Stage {n}", "status": "SUCCESS", "startTimeMillis": self.wall + 1000 * n,
                            "durationMillis": 10 * n} for n in range(1, self.script.stages + 1)]}


class Fault:
    """
    For requests whose "METHOD /path?query" the pattern finds, the first `times` of them. status: that answer instead, with
    `headers` and `body`; or what: "hangup" (no answer), "lost" (done, no answer), "garbage" and "truncated" (the answer is not
    whole JSON), "huge" (JSON of `size` bytes), "endless" (a body without end), "slow" (`seconds` before the answer).
    """

    def __init__(self, pattern, what=None, status=None, times=1 << 30, headers=None, body="", size=0, seconds=0):
        self.pattern, self.what, self.status, self.times = re.compile(pattern), what, status, times
        self.headers, self.body, self.size, self.seconds = headers or {}, body, size, seconds
        self.hits = 0


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Clients that go in the middle of something are what is tested."""


class Jenkins:
    def __init__(self, cert=None, key=None, prefix="", with_folders=True, with_stages=True, with_crumbs=True, forgets=False, port=0):
        self.with_folders, self.with_stages, self.with_crumbs, self.forgets = with_folders, with_stages, with_crumbs, forgets
        self.jobs, self.queue, self.left, self.faults, self.requests = {}, [], {}, [], []
        self.crumbs, self.next_id, self.lock, self.prefix = {}, 1, threading.RLock(), prefix
        self.server = Server(("127.0.0.1", port), Handler)
        self.server.jenkins = self
        if cert:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(cert, key)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self.url = f"{'https' if cert else 'http'}://127.0.0.1:{self.port}{prefix}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def fault(self, pattern, **more):
        self.faults.append(Fault(pattern, **more))
        return self.faults[-1]

    def fault_of(self, line):
        with self.lock:
            for fault in self.faults:
                if fault.hits < fault.times and fault.pattern.search(line):
                    fault.hits += 1
                    return fault
        return None

    def advance(self):
        with self.lock:
            for run in list(self.queue):
                run.advance(self)

    def job(self, full_name):
        found, jobs = None, self.jobs
        for name in full_name.split("/"):
            found = jobs[name]
            jobs = found.children
        return found

    def runs(self, full_name):
        self.advance()
        return self.job(full_name).runs

    def start(self, job, values):
        for waiting in self.queue:
            if waiting.job is job and waiting.values == values:
                return waiting
        run = Run(job, self.next_id, values)
        self.next_id += 1
        self.queue.append(run)
        self.left[run.queue_id] = run
        return run


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, body=b"", kind="application/json;charset=utf-8", headers=None):
        self.send_response(status)
        body = body if isinstance(body, bytes) else body.encode()
        for name, value in {"X-Jenkins": "2.426.3", "Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def error(self, status, text="", headers=None):
        self.answer(status, f"<html><body><h2>HTTP ERROR {status} {text}</h2></body></html>", "text/html;charset=iso-8859-1", headers)

    def json(self, value, headers=None):
        query = urllib.parse.parse_qs(self.query)
        body = json.dumps(pick(value, query.get("tree", [None])[0])).encode()
        if self.fault and self.fault.what == "garbage":
            body = b"<html>\xff\x00 a page"
        elif self.fault and self.fault.what == "truncated":
            body = body[:len(body) // 2]
        elif self.fault and self.fault.what == "huge":
            body = b'{"x":"' + b"x" * self.fault.size + b'"}'
        self.answer(200, body, headers=headers)

    def endless(self):
        self.send_response(200)
        for name, value in {"Content-Type": "text/plain", "X-Text-Size": "99999999999", "X-More-Data": "true", "Connection": "close"}.items():
            self.send_header(name, value)
        self.end_headers()
        line = b"the same again and again\r\n" * 4096
        while True:
            self.wfile.write(line)

    def handle_one(self):
        jenkins = self.server.jenkins
        length = int(self.headers.get("Content-Length") or 0)
        self.body = self.rfile.read(length) if length else b""
        line = f"{self.command} {self.path}"
        jenkins.requests.append((line, dict(self.headers.items()), self.body))
        self.fault = fault = jenkins.fault_of(line)
        if fault and fault.what == "slow":
            time.sleep(fault.seconds)
        if fault and fault.what == "hangup":
            return self.hang_up()
        if fault and fault.what == "endless":
            return self.endless()
        if fault and fault.status:
            return self.answer(fault.status, fault.body, "text/html", fault.headers)
        if fault and fault.what == "lost":
            whole, self.wfile = self.wfile, open("/dev/null", "wb")
            self.serve(jenkins)
            self.wfile.close()
            self.wfile = whole
            return self.hang_up()
        return self.serve(jenkins)

    def hang_up(self):
        self.close_connection = True

    def do_GET(self):
        try:
            self.handle_one()
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            self.close_connection = True

    do_POST = do_GET

    def who(self):
        """"token" or "password", by what came along; None: nobody, False: refused."""
        given = self.headers.get("Authorization")
        if not given:
            return None
        user, _, secret = base64.b64decode(given.removeprefix("Basic ")).decode().partition(":")
        return user == USER and {TOKEN: "token", PASSWORD: "password"}.get(secret, False)

    def has_crumb(self, jenkins, who):
        session = re.search(r"JSESSIONID\.test=(\w+)", self.headers.get("Cookie") or "")
        crumb = self.headers.get("Jenkins-Crumb")
        return not jenkins.with_crumbs or who == "token" or (crumb and session and jenkins.crumbs.get(session[1]) == crumb)

    def serve(self, jenkins):
        path, _, self.query = self.path.partition("?")
        who = self.who()
        if who is False:
            return self.error(401, "Unauthorized", {"WWW-Authenticate": 'Basic realm="Jenkins"'})
        if who is None:
            return self.error(403, "Forbidden")
        if not path.startswith(jenkins.prefix + "/"):
            return self.error(404, "Not Found")
        with jenkins.lock:
            jenkins.advance()
            if self.command == "POST" and not self.has_crumb(jenkins, who):
                return self.error(403, "No valid crumb was included in the request")
            words = [urllib.parse.unquote(word) for word in path[len(jenkins.prefix):].split("/")[1:]]
            return self.route(jenkins, words)

    def route(self, jenkins, words):
        if words == ["crumbIssuer", "api", "json"]:
            if not jenkins.with_crumbs:
                return self.error(404, "Not Found")
            session, crumb = secrets.token_hex(8), secrets.token_hex(32)
            jenkins.crumbs[session] = crumb
            return self.json({"_class": "hudson.security.csrf.DefaultCrumbIssuer", "crumb": crumb, "crumbRequestField": "Jenkins-Crumb"},
                             {"Set-Cookie": f"JSESSIONID.test={session}; Path=/; HttpOnly"})
        if words[0] == "queue":
            return self.route_queue(jenkins, words[1:])
        job, jobs, url = None, jenkins.jobs, ""
        while len(words) >= 2 and words[0] == "job":
            if words[1] not in jobs:
                return self.error(404, "Not Found")
            job, url, words = jobs[words[1]], f"{url}job/{words[1]}/", words[2:]
            jobs = job.children
        if words == ["createItem"]:
            return self.create(jenkins, jobs, url)
        return self.route_job(jenkins, job, words) if job else self.error(404, "Not Found")

    def configured(self, jenkins):
        if not (self.headers.get("Content-Type") or "").startswith(("application/xml", "text/xml")):
            self.error(400, "", {"X-Error": "No mode given"})
            return None
        try:
            root = read_xml(self.body.decode())
        except (ET.ParseError, UnicodeDecodeError):
            root = None
        if root is None or not (root.tag == PIPELINE or (root.tag == FOLDER and jenkins.with_folders)):
            self.error(500, "Server Error")
            return None
        return root

    def create(self, jenkins, jobs, url):
        if self.command != "POST":
            return self.error(405, "Method Not Allowed")
        name = urllib.parse.parse_qs(self.query).get("name", [""])[0]
        if not name or re.search(r"[?*/\\%!@#$^&|<>\[\]:;]", name):
            return self.error(400, "", {"X-Error": f"{name!r} is an unsafe name"})
        if name in jobs:
            return self.error(400, "", {"X-Error": f"A job already exists with the name {name}"})
        root = self.configured(jenkins)
        if root is not None:
            jobs[name] = Job(name, f"{url}job/{name}/", root)
            self.answer(200, kind="text/html")

    def route_queue(self, jenkins, words):
        if words == ["api", "json"]:
            return self.json({"_class": "hudson.model.Queue", "items": [run.queue_json(jenkins.url) for run in jenkins.queue]})
        if words == ["cancelItem"] and self.command == "POST":
            run = jenkins.left.get(int(urllib.parse.parse_qs(self.query)["id"][0]))
            if run not in jenkins.queue:
                return self.error(404, "Not Found")
            run.cancelled = True
            jenkins.queue.remove(run)
            return self.answer(204)
        if len(words) == 4 and words[0] == "item" and words[2:] == ["api", "json"]:
            run = jenkins.left.get(int(words[1]))
            if run and not (jenkins.forgets and run not in jenkins.queue):
                return self.json(run.queue_json(jenkins.url))
        return self.error(404, "Not Found")

    def route_job(self, jenkins, job, words):
        if words == ["config.xml"] and self.command == "GET":
            return self.answer(200, job.config(), "application/xml")
        if words == ["config.xml"]:
            root = self.configured(jenkins)
            if root is not None:
                job.configure(root)
                self.answer(200, kind="text/html")
            return None
        if words == ["api", "json"]:
            return self.json({"_class": FOLDER if job.is_folder else "org.jenkinsci.plugins.workflow.job.WorkflowJob",
                              "name": job.name, "builds": [run.json(jenkins.url) for run in reversed(job.runs)]})
        if words == ["buildWithParameters"] and not job.is_folder:
            return self.build(jenkins, job)
        if words and words[0].isdigit() and 1 <= int(words[0]) <= len(job.runs):
            return self.route_run(jenkins, job.runs[int(words[0]) - 1], words[1:])
        return self.error(404, "Not Found")

    def build(self, jenkins, job):
        if self.command != "POST":
            return self.error(405, "Method Not Allowed")
        if job.root.findtext("disabled") == "true":
            return self.error(409, f"{job.name} is not buildable!")
        pairs = urllib.parse.parse_qsl(self.body.decode(), keep_blank_values=True)
        form = dict(pairs)
        if len(form) != len(pairs):
            return self.error(400, "Illegal number of parameter values")
        # What the job does not define is dropped (SECURITY-170).
        values = {name: (kind, form.get(name, deflt)) for name, (kind, deflt) in job.parameters().items()}
        run = jenkins.start(job, values)
        return self.answer(201, headers={"Location": f"{jenkins.url}/queue/item/{run.queue_id}/"})

    def route_run(self, jenkins, run, words):
        if words == ["api", "json"]:
            return self.json(run.json(jenkins.url))
        if words == ["logText", "progressiveText"]:
            start, log = int(urllib.parse.parse_qs(self.query).get("start", ["0"])[0]), run.log()
            more = {"X-More-Data": "true"} if run.is_building() else {}
            return self.answer(200, log[start:].replace(b"\n", b"\r\n"), "text/plain;charset=utf-8", {"X-Text-Size": str(len(log)), **more})
        if words == ["wfapi", "describe"] and jenkins.with_stages:
            return self.json(run.stages())
        if len(words) == 1 and words[0] in ("stop", "term", "kill"):
            if self.command != "POST":
                return self.error(405, "Method Not Allowed")
            if ("stop", "term", "kill").index(words[0]) >= run.script.stubborn and run.is_building():
                run.aborted = time.monotonic()
            return self.answer(302, headers={"Location": jenkins.url + "/"}) if words[0] == "stop" else self.answer(200)
        return self.error(404, "Not Found")


if __name__ == "__main__":
    only = Jenkins(port=int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    with open(sys.argv[1], "w", encoding="ascii") as port_file:
        port_file.write(f"{only.port}\n")
    sys.stdin.read()
    only.close()
    if len(sys.argv) > 3:
        with open(sys.argv[3], "w", encoding="ascii") as runs_file:
            for one in only.left.values():
                result = one.result() if one.number else "CANCELLED" if one.cancelled else "QUEUED"
                runs_file.write(f"{one.values['RECONCILE_BUILD_KEY'][1]} {result}\n")
