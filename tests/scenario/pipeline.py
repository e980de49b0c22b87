#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Drives `reconcile worker` with pipeline requests against the stand-in of tests/lib/jenkins.py (which says what it is)."""
import base64
import concurrent.futures
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import jenkins as stand_in  # noqa: E402

PROGRAM, TLS = os.path.abspath(sys.argv.pop(1)), os.path.abspath(sys.argv.pop(1))
HIDDEN = "hunter2-and-more"
LONG = "//: lines=100000\n//: pause=0.05\n"
RUN = "job/shop/job/cart/"


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="pipeline-")
        self.servers = []
        self.addCleanup(self.folder.cleanup)

    def tearDown(self):
        for server in self.servers:
            server.close()
        left = os.listdir(self.folder.name + "/temp") if os.path.isdir(self.folder.name + "/temp") else []
        self.assertEqual([one for one in left if not one.startswith(".")], [], "temporary folders are left")

    def serve(self, **options):
        self.servers.append(stand_in.Jenkins(**options))
        return self.servers[-1]

    def request(self, server, script="", key="a", source=None, pipeline=None, git=None, config="cart", **more):
        """A pipeline of `script`, or of git where that is given."""
        strategy = {"jenkinsPipelineStrategy": pipeline or {"jenkinsfile": "node { sh 'make' }\n" + script, "env": [
            {"name": "GREETING", "value": "hello & <world>"}, {"name": "PASSWORD", "value": HIDDEN}]}}
        jenkins = {"url": server if isinstance(server, str) else server.url, "user": stand_in.USER, "token": stand_in.TOKEN}
        jenkins.update(more.pop("jenkins", {}))
        built = {"config": config, "build": config + "-1", "namespace": "shop", "number": 1, "hidden": [HIDDEN],
                 "spec": {"source": source or {}, "strategy": strategy}, "jenkins": {k: v for k, v in jenkins.items() if v is not None}}
        built.update(more.pop("built", {}))
        return {"format": 1, "action": "pipeline", "id": "BuildConfig/shop/cart#1", "buildKey": "sha256:" + key * 64,
                "manifestDir": self.folder.name, "cacheDir": self.folder.name + "/cache", "tempDir": self.folder.name + "/temp",
                "reasons": ["Build reason(s): CONFIG"], "buildConfig": {k: v for k, v in built.items() if v is not None},
                **({"source": {"git": git}} if git else {}), **more}

    def begin(self, request):
        worker = subprocess.Popen([PROGRAM, "worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        worker.stdin.write(json.dumps(request).encode())
        worker.stdin.close()
        worker.stdin = None
        return worker

    def end(self, worker, kind):
        out, log = worker.communicate(timeout=300)
        log = log.decode()
        events = [json.loads(line) for line in out.decode().splitlines()]
        self.assertEqual((worker.returncode, events[-1]["type"]), (int(kind == "failure"), kind), log)
        for secret in (stand_in.TOKEN, HIDDEN, base64.b64encode(f"{stand_in.USER}:{stand_in.TOKEN}".encode()).decode()):
            self.assertNotIn(secret, log + out.decode())
        return events[-1], log, events

    def good(self, request):
        return self.end(self.begin(request), "result")

    def bad(self, request):
        failure, log, _ = self.end(self.begin(request), "failure")
        self.assertIn(failure["text"], log)
        return failure, log

    def sent(self, server, pattern):
        return [one for one in list(server.requests) if re.search(pattern, one[0])]

    def until(self, condition, what):
        """No test depends on how long it takes, but on that it comes."""
        for _ in range(600):
            if condition():
                return
            time.sleep(0.05)
        self.fail(what)


class Builds(Case):
    def test_inline(self):
        server = self.serve(prefix="/jenkins")
        result, log, events = self.good(self.request(server, "//: lines=40\n", jenkins={"url": server.url + "/"}))
        job = server.job("shop/cart")
        self.assertEqual(result["url"], server.url + "/job/shop/job/cart/1/")
        self.assertNotIn("adopted", result)
        self.assertEqual([(one["name"], one["durationMilliseconds"]) for one in result["stages"]], [("Stage 1", 10), ("Stage 2", 20)])
        self.assertEqual([one["name"] for one in events if one["type"] == "phase"], ["BUILD"])
        lines = log.split("\n")
        first = lines.index("Started by user builder")
        self.assertEqual(lines[first + 1:first + 42], [f"line {n}" for n in range(1, 41)] + ["Finished: SUCCESS"])
        self.assertNotIn("\r", log)
        for text in ("===> BUILD", "Build reason(s): CONFIG", "Made the folder 'shop'", "Made the job 'shop/cart'",
                     "Parameters: GREETING PASSWORD (hidden)"):
            self.assertIn(text, log)
        values = {name: value for name, (_, value) in job.runs[0].values.items()}
        self.assertEqual(values, {"GREETING": "hello & <world>", "PASSWORD": HIDDEN, "RECONCILE_BUILD": "cart-1",
                                  "RECONCILE_BUILD_KEY": "sha256:" + "a" * 64})
        self.assertEqual(job.parameters()["PASSWORD"], ("Password", ""))
        self.assertEqual(job.parameters()["GREETING"], ("String", "hello & <world>"))
        self.assertEqual(job.root.findtext("definition/sandbox"), "true")
        for line, _, _ in server.requests:
            self.assertNotIn(stand_in.TOKEN, line)

    def test_same_key_is_not_run_again(self):
        server = self.serve()
        self.good(self.request(server))
        result, log, _ = self.good(self.request(server))
        self.assertTrue(result["adopted"])
        self.assertIn("This build was started in Jenkins already", log)
        self.assertIn("Finished: SUCCESS", log)
        self.assertEqual(len(server.runs("shop/cart")), 1)
        result, log, _ = self.good(self.request(server, key="b"))
        self.assertNotIn("adopted", result)
        self.assertIn("The job 'shop/cart' is current", log)
        # Another one came after it: what it did may be undone, so it is done again.
        result, _, _ = self.good(self.request(server, key="a"))
        self.assertNotIn("adopted", result)
        self.assertEqual(len(server.runs("shop/cart")), 3)

    def test_what_failed_is_run_again(self):
        server = self.serve()
        self.bad(self.request(server, "//: result=FAILURE\n"))
        failure, _ = self.bad(self.request(server, "//: result=FAILURE\n"))
        self.assertEqual(failure["url"], server.url + "/" + RUN + "2/")

    def test_job_is_written_anew_when_the_build_config_changed(self):
        server = self.serve()
        self.good(self.request(server))
        job = server.job("shop/cart")
        job.root.find("keepDependencies").text = "true"  # somebody's change
        _, log, _ = self.good(self.request(server, key="b"))
        self.assertEqual(job.root.findtext("keepDependencies"), "true")
        script = "echo '\x1b[1mbold\x1b[0m\r' // ünïcode \u2028 ]]> &amp;\n"
        _, log, _ = self.good(self.request(server, script, key="c"))
        self.assertIn("wrote the job 'shop/cart' anew; other changes that were made to it in Jenkins are gone", log)
        self.assertEqual(job.root.findtext("definition/script"), "node { sh 'make' }\n" + script)
        self.assertEqual(job.root.findtext("keepDependencies"), "false")

    def test_a_jenkinsfile_that_sets_its_own_parameters(self):
        server = self.serve()
        self.good(self.request(server))
        job = server.job("shop/cart")
        properties = job.root.find("properties")
        properties.remove(properties.find("hudson.model.ParametersDefinitionProperty"))
        self.good(self.request(server, key="b"))
        self.assertEqual(job.runs[1].values["RECONCILE_BUILD_KEY"], ("String", "sha256:" + "b" * 64))

    def test_jobs_of_others_are_left_alone(self):
        server = self.serve()
        self.good(self.request(server))
        job = server.job("shop/cart")
        job.root.find("description").text = "Mine."
        before = len(self.sent(server, r"^POST"))
        failure, _ = self.bad(self.request(server, key="b"))
        self.assertEqual(failure["failure"], "invalid")
        self.assertIn("there is a job 'shop/cart' already that was not made for this build config", failure["text"])
        self.assertEqual(len(self.sent(server, r"^POST")), before)

    def test_jenkinsfile_of_a_repository(self):
        server = self.serve()
        commit = "1234567890" * 4
        request = self.request(server, pipeline={"jenkinsfilePath": "ci/Jenkinsfile"}, git={"url": "https://git.test/a.git", "revision": commit},
                               source={"git": {"uri": "https://me:git-password@git.test/a.git", "ref": "refs/pull/7/head"}, "contextDir": "app"})
        self.good(request)
        job = server.job("shop/cart")
        remote = job.root.find("definition/scm/userRemoteConfigs/hudson.plugins.git.UserRemoteConfig")
        self.assertEqual(remote.findtext("url"), "https://git.test/a.git")
        self.assertIn("+refs/pull/7/head:refs/remotes/origin/reconcile", remote.findtext("refspec"))
        self.assertEqual(job.root.findtext("definition/scm/branches/hudson.plugins.git.BranchSpec/name"), "${RECONCILE_COMMIT}")
        self.assertEqual(job.root.findtext("definition/scriptPath"), "app/ci/Jenkinsfile")
        self.assertEqual(job.root.findtext("definition/lightweight"), "false")
        self.assertEqual(job.runs[0].values["RECONCILE_COMMIT"], ("String", commit))
        self.assertNotIn("git-password", "".join(line + body.decode() for line, _, body in server.requests))
        # Git's credentials are Jenkins' matter: what was chosen there stays.
        stand_in.ET.SubElement(remote, "credentialsId").text = "git-login"
        request["buildConfig"]["spec"]["source"]["contextDir"] = "other"
        _, log, _ = self.good({**request, "buildKey": "sha256:" + "b" * 64})
        self.assertIn("its credentials for git are kept", log)
        self.assertEqual(job.root.find(".//credentialsId").text, "git-login")
        self.assertEqual(job.root.findtext("definition/scriptPath"), "other/ci/Jenkinsfile")

    def test_names_without_folders(self):
        server = self.serve(with_folders=False)
        result, log, _ = self.good(self.request(server))
        self.assertEqual(result["url"], server.url + "/job/shop-cart/1/")
        self.assertIn("The job's name is 'shop-cart' instead", log)
        server.with_folders = True  # it stays where its runs are
        result, _, _ = self.good(self.request(server, key="b"))
        self.assertEqual(result["url"], server.url + "/job/shop-cart/2/")
        result, _, _ = self.good(self.request(server, built={"namespace": None}))
        self.assertEqual(result["url"], server.url + "/job/cart/1/")

    def test_a_job_in_the_place_of_the_folder(self):
        server = self.serve()
        self.good(self.request(server, config="shop", built={"namespace": None}))
        result, _, _ = self.good(self.request(server))
        self.assertEqual(result["url"], server.url + "/job/shop-cart/1/")

    def test_names_of_parameters(self):
        server = self.serve()
        env = [{"name": "A", "value": "1"}, {"name": "RECONCILE_BUILD_KEY", "value": "mine"}, {"name": "A", "value": "2"},
               {"name": "EMPTY"}, {"name": "RECONCILE_COMMIT", "value": "mine"}]
        self.good(self.request(server, pipeline={"jenkinsfile": "node {}", "env": env}))
        values = {name: value for name, (_, value) in server.job("shop/cart").runs[0].values.items()}
        self.assertEqual(values, {"A": "2", "EMPTY": "", "RECONCILE_BUILD": "cart-1", "RECONCILE_BUILD_KEY": "sha256:" + "a" * 64})

    def test_results(self):
        for name, reason in (("FAILURE", "GenericBuildFailed"), ("UNSTABLE", "GenericBuildFailed"), ("NOT_BUILT", "GenericBuildFailed"),
                             ("ABORTED", "CancelledBuild"), ("STRANGE", "GenericBuildFailed")):
            with self.subTest(name):
                server = self.serve()
                failure, log = self.bad(self.request(server, f"//: result={name}\n//: text=it is broken\n"))
                self.assertEqual((failure["failure"], failure["reason"], failure["name"]), ("build", reason, "BUILD"))
                self.assertEqual(failure["url"], server.url + "/" + RUN + "1/")
                self.assertEqual(len(failure["stages"]), 2)
                self.assertIn("it is broken", log)

    def test_a_result_that_is_no_word(self):
        server = self.serve()
        server.fault("cart/1/api/json", status=200, body=json.dumps({"number": 1, "building": False, "result": "\u001b[2Jü" + "x" * 40}))
        failure, _ = self.bad(self.request(server))
        self.assertEqual(failure["text"], "the pipeline ended as '?'")

    def test_stages_are_optional(self):
        result, log, _ = self.good(self.request(self.serve(with_stages=False)))
        self.assertNotIn("stages", result)
        self.assertIn("The pipeline's stages are not known", log)
        server = self.serve()
        server.fault("wfapi", what="garbage")
        self.good(self.request(server))

    def test_a_secret_in_the_servers_log_is_hidden(self):
        _, log, _ = self.good(self.request(self.serve(), f"//: text=the password is {HIDDEN}, indeed\n"))
        self.assertIn("the password is *****, indeed", log)

    def test_long_logs_come_whole(self):
        _, log, _ = self.good(self.request(self.serve(), "//: lines=200000\n//: pause=0\n"))
        self.assertEqual(re.findall(r"^line (\d+)$", log, re.M), [str(n) for n in range(1, 200001)])


class Access(Case):
    def test_a_password_needs_crumbs_and_sessions(self):
        server = self.serve()
        self.good(self.request(server, jenkins={"token": stand_in.PASSWORD}))
        posts = self.sent(server, "^POST")
        self.assertTrue(all("Jenkins-Crumb" in headers and "JSESSIONID.test" in headers["Cookie"] for _, headers, _ in posts))
        # The session runs out between two requests.
        fault = server.fault(r"^GET /job/shop/job/cart/config.xml", what="slow", seconds=0, times=1)
        server.requests.clear()
        worker = self.begin(self.request(server, LONG, key="b", jenkins={"token": stand_in.PASSWORD}))
        self.until(lambda: len(server.runs("shop/cart")) == 2, "no run")
        self.assertEqual(fault.hits, 1)
        server.crumbs.clear()
        worker.send_signal(signal.SIGTERM)
        self.end(worker, "failure")
        self.assertEqual(server.runs("shop/cart")[1].result(), "ABORTED")
        self.assertEqual(len(self.sent(server, "crumbIssuer")), 2)

    def test_no_crumbs(self):
        self.good(self.request(self.serve(with_crumbs=False), jenkins={"token": stand_in.PASSWORD}))

    def test_a_hostile_crumb_is_no_header(self):
        server = self.serve()
        server.fault("crumbIssuer", status=200, body=json.dumps({"crumb": "x\r\nX-Evil: 1", "crumbRequestField": "Jenkins-Crumb"}))
        failure, _ = self.bad(self.request(server))
        self.assertIn("cannot stand in a header", failure["text"])

    def test_refused(self):
        server = self.serve()
        failure, _ = self.bad(self.request(server, jenkins={"token": "wrong-token"}))
        self.assertEqual((failure["failure"], failure["reason"]), ("denied", "GenericBuildFailed"))
        self.assertIn("refuses user and API token (401): check jenkins.credentials", failure["text"])
        failure, _ = self.bad(self.request(server, jenkins={"user": None, "token": None}))
        self.assertEqual(failure["failure"], "denied")
        self.assertIn("set jenkins.credentials", failure["text"])
        fault = server.fault("createItem", status=403)
        failure, _ = self.bad(self.request(server))
        self.assertEqual(failure["failure"], "denied")
        self.assertIn("does not permit that to 'builder' (403)", failure["text"])
        self.assertEqual(fault.hits, 1)

    def test_redirects_are_not_followed(self):
        server, other = self.serve(), self.serve()
        for status in (301, 302, 307, 308):
            server.faults.clear()
            server.fault("^(GET|POST)", status=status, headers={"Location": other.url + "/login?from=%2F"})
            failure, _ = self.bad(self.request(server))
            self.assertEqual(failure["failure"], "invalid")
            self.assertIn(f"redirects to '{other.url}/login', which is not followed", failure["text"])
        self.assertEqual(other.requests, [])

    def test_https(self):
        server = self.serve(cert=TLS + "/server.pem", key=TLS + "/server.key")
        self.good(self.request(server, jenkins={"caFile": TLS + "/ca.pem"}))
        failure, _ = self.bad(self.request(server, key="b"))
        self.assertEqual(failure["failure"], "transient")
        self.assertIn("jenkins.caFile", failure["text"])
        self.good(self.request(server, key="b", jenkins={"insecure": True}))
        failure, _ = self.bad(self.request(server, jenkins={"caFile": TLS + "/none.pem"}))
        self.assertIn("does not exist", failure["text"])

    def test_no_server_is_named(self):
        failure, _ = self.bad(self.request("", built={"jenkins": None}))
        self.assertIn("set jenkins.url in the settings", failure["text"])
        worker = self.begin(self.request("http://jenkins.invalid", timeoutSeconds=1))
        _, log, events = self.end(worker, "failure")
        self.assertIn("jenkins.url is without TLS", [one for one in events if one["type"] == "notice"][0]["text"])
        failure, _ = self.bad(self.request("https://me:pw@jenkins.test"))
        self.assertIn("name a Secret in jenkins.credentials", failure["text"])


class Trouble(Case):
    def test_some_errors_pass(self):
        for status, headers in ((500, {}), (502, {}), (503, {}), (504, {}), (429, {}), (408, {})):
            server = self.serve()
            server.fault(r"GET", status=status, times=3)
            server.fault(r"POST .*createItem", status=status, times=1)
            self.good(self.request(server))
            self.assertEqual(len(server.runs("shop/cart")), 1)

    def test_retry_after_is_heeded(self):
        server = self.serve()
        server.fault("config.xml", status=503, times=1, headers={"Retry-After": "2"})
        started = time.monotonic()
        self.good(self.request(server))
        self.assertGreater(time.monotonic() - started, 2)

    def test_errors_that_stay(self):
        server = self.serve()
        server.fault("config.xml", status=500)
        failure, _ = self.bad(self.request(server))
        self.assertEqual(failure["failure"], "transient")
        self.assertRegex(failure["text"], r"config.xml' answers 500")

    def test_nobody_listens(self):
        with socket.socket() as place:
            place.bind(("127.0.0.1", 0))
            failure, _ = self.bad(self.request(f"http://127.0.0.1:{place.getsockname()[1]}"))
        self.assertEqual(failure["failure"], "transient")
        self.assertIn("Connection refused", failure["text"])

    def test_answers_that_are_none(self):
        for where in ("crumbIssuer", "/job/shop/api/json", "queue/api/json", "queue/item", r"cart/api/json", r"cart/1/api/json"):
            for what in ("garbage", "truncated", "huge"):
                with self.subTest(f"{where} {what}"):
                    server = self.serve()
                    self.good(self.request(server))  # the folder is there
                    server.fault(where.replace("1/", "2/"), what=what, size=5 << 20)
                    failure, _ = self.bad(self.request(server, key="b"))
                    # What is too long was not read to its end: nobody knows what it is.
                    self.assertEqual(failure["failure"], "transient" if what == "huge" else "invalid")

    def test_a_disabled_job(self):
        server = self.serve()
        self.good(self.request(server))
        server.job("shop/cart").root.find("disabled").text = "true"
        failure, _ = self.bad(self.request(server, key="b"))
        self.assertIn("takes no builds: enable it in Jenkins", failure["text"])

    def test_a_build_whose_answer_is_lost_is_not_started_twice(self):
        for script in ("//: queue=0\n", "//: queue=1\n"):
            server = self.serve()
            fault = server.fault("buildWithParameters", what="lost", times=1)
            result, _, _ = self.good(self.request(server, script))
            self.assertEqual(fault.hits, 1)
            self.assertNotIn("adopted", result)
            self.assertEqual(len(server.runs("shop/cart")), 1)
            self.assertEqual(len(self.sent(server, "buildWithParameters")), 1)

    def test_a_job_whose_answer_is_lost(self):
        server = self.serve()
        server.fault("createItem", what="lost", times=2)
        self.good(self.request(server))

    def test_queue_items_are_forgotten(self):
        server = self.serve(forgets=True)
        result, _, _ = self.good(self.request(server, "//: queue=0\n"))
        self.assertEqual(result["url"], server.url + "/" + RUN + "1/")
        server.fault("queue/item", status=404)
        failure, _ = self.bad(self.request(server, "//: queue=100000\n", key="b"))
        self.assertEqual(failure["failure"], "transient")
        self.assertIn("has forgotten item", failure["text"])

    def test_taken_out_of_the_queue_by_somebody(self):
        server = self.serve()
        worker = self.begin(self.request(server, "//: queue=100000\n"))
        self.until(lambda: self.sent(server, "queue/item"), "nothing waits")
        with server.lock:
            server.queue[0].cancelled = True
            server.queue.clear()
        failure, log, _ = self.end(worker, "failure")
        self.assertEqual((failure["failure"], failure["reason"]), ("build", "CancelledBuild"))
        self.assertIn("Waiting in Jenkins' queue: In the quiet period.", log)

    def test_a_run_that_is_deleted(self):
        server = self.serve()
        worker = self.begin(self.request(server, LONG))
        self.until(lambda: self.sent(server, "progressiveText"), "no log")
        server.fault("cart/1/", status=404)
        failure, _, _ = self.end(worker, "failure")
        self.assertEqual(failure["failure"], "absent")
        self.assertIn("run 1 of 'shop/cart' is gone from Jenkins", failure["text"])

    def test_a_run_without_an_end(self):
        server = self.serve()
        server.fault("cart/1/api/json", status=200, body='{"number":1,"building":false,"result":null}')
        failure, _ = self.bad(self.request(server))
        self.assertIn("run 1 of 'shop/cart' is over without a result", failure["text"])

    def test_a_server_that_begins_anew_meanwhile(self):
        server = self.serve()
        worker = self.begin(self.request(server, "//: lines=100\n"))
        self.until(lambda: self.sent(server, "progressiveText"), "no log")
        outage = server.fault("", status=503)
        self.until(lambda: outage.hits >= 4, "nothing is asked")
        server.faults.clear()
        _, log, _ = self.end(worker, "result")
        self.assertEqual(re.findall(r"^line (\d+)$", log, re.M), [str(n) for n in range(1, 101)])

    def test_a_log_that_comes_with_gaps_is_shown_once(self):
        server = self.serve()
        server.fault("progressiveText", what="hangup", times=2)
        server.fault("progressiveText", status=500, times=2)
        _, log, _ = self.good(self.request(server, "//: lines=100\n"))
        self.assertEqual(re.findall(r"^line (\d+)$", log, re.M), [str(n) for n in range(1, 101)])

    def test_a_log_that_cannot_be_had(self):
        for fault in ({"what": "endless"}, {"status": 403}, {"status": 200, "body": "x"}, {"status": 200, "headers": {"X-Text-Size": "-5"}}):
            with self.subTest(str(fault)):
                server = self.serve()
                server.fault("progressiveText", **fault)
                result, log, events = self.good(self.request(server))
                self.assertTrue(result["url"])
                self.assertIn("the rest of the pipeline's log is not shown", [one for one in events if one["type"] == "notice"][0]["text"])
                self.assertLess(len(log), 1 << 20)


class Ends(Case):
    def stopped(self, server, script, **more):
        worker = self.begin(self.request(server, script, **more))
        self.until(lambda: self.sent(server, "progressiveText"), "no log")
        return worker

    def test_cancelled_while_it_waits(self):
        server = self.serve()
        worker = self.begin(self.request(server, "//: queue=100000\n"))
        self.until(lambda: self.sent(server, "queue/item"), "nothing waits")
        worker.send_signal(signal.SIGTERM)
        failure, _, _ = self.end(worker, "failure")
        self.assertEqual((failure["failure"], failure["reason"]), ("cancelled", "CancelledBuild"))
        self.assertEqual((server.queue, server.runs("shop/cart")), ([], []))

    def test_cancelled_while_it_runs(self):
        for stubborn, want in enumerate((["stop"], ["stop", "term"], ["stop", "term", "kill"])):
            with self.subTest(str(want)):
                server = self.serve()
                worker = self.stopped(server, LONG + f"//: stubborn={stubborn}\n")
                worker.send_signal(signal.SIGINT if stubborn else signal.SIGTERM)
                failure, log, _ = self.end(worker, "failure")
                self.assertEqual((failure["failure"], failure["reason"], failure["text"]),
                                 ("cancelled", "CancelledBuild", "the pipeline was cancelled"))
                self.assertEqual([line.rpartition("/")[2] for line, _, _ in self.sent(server, r"/1/(stop|term|kill)$")], want)
                self.assertIn("Finished: ABORTED", log)
                self.assertEqual(server.runs("shop/cart")[0].result(), "ABORTED")

    def test_what_does_not_stop_is_left(self):
        server = self.serve()
        worker = self.stopped(server, LONG + "//: stubborn=9\n")
        worker.send_signal(signal.SIGTERM)
        started = time.monotonic()
        failure, log, _ = self.end(worker, "failure")
        self.assertLess(time.monotonic() - started, 28)  # the scheduler waits for 30 s
        self.assertIn("Jenkins still runs it", failure["text"])
        self.assertIn("Jenkins did not end the pipeline in time", log)

    def test_cancelled_while_the_server_does_not_answer(self):
        server = self.serve()
        worker = self.stopped(server, LONG)
        slow = server.fault("", what="slow", seconds=60)
        self.until(lambda: slow.hits, "nothing is asked")
        worker.send_signal(signal.SIGTERM)
        started = time.monotonic()
        failure, _, _ = self.end(worker, "failure")
        self.assertLess(time.monotonic() - started, 30)
        self.assertEqual(failure["failure"], "cancelled")

    def test_cancelled_when_the_answer_to_its_start_is_lost(self):
        server = self.serve()
        slow = server.fault("buildWithParameters", what="lost", times=1)
        hold = server.fault("queue/api/json", what="slow", seconds=1)
        worker = self.begin(self.request(server, LONG + "//: queue=3\n"))
        self.until(lambda: slow.hits and hold.hits > 1, "not started")
        worker.send_signal(signal.SIGTERM)
        self.end(worker, "failure")
        self.until(lambda: not server.queue and all(run.result() == "ABORTED" for run in server.runs("shop/cart")), "it runs")

    def test_deadline(self):
        server = self.serve()
        failure, _ = self.bad(self.request(server, LONG, timeoutSeconds=6))
        self.assertEqual((failure["failure"], failure["timeout"], failure["reason"]), ("build", True, "GenericBuildFailed"))
        self.assertEqual(failure["text"], "DeadlineExceeded: the pipeline took longer than 6 s")
        self.assertEqual(server.runs("shop/cart")[0].result(), "ABORTED")
        failure, _ = self.bad(self.request(server, "//: queue=100000\n", key="b", timeoutSeconds=1))
        self.assertTrue(failure["timeout"])
        self.assertEqual(server.queue, [])
        server.fault("", what="slow", seconds=60)
        started = time.monotonic()
        failure, _ = self.bad(self.request(server, key="c", timeoutSeconds=1))
        self.assertTrue(failure["timeout"])
        self.assertLess(time.monotonic() - started, 8)  # the scheduler kills what is that late

    def test_a_run_that_died_is_found_again(self):
        for script in (LONG, "//: queue=3\n//: lines=20\n"):
            server = self.serve()
            request = self.request(server, script)
            worker = self.begin(request)
            self.until(lambda: self.sent(server, "progressiveText|queue/item"), "nothing begins")
            worker.kill()
            worker.communicate()
            if script == LONG:
                self.until(lambda: server.runs("shop/cart"), "no run")
            again = self.begin(request)
            if script == LONG:
                server.requests.clear()
                self.until(lambda: self.sent(server, "progressiveText"), "not followed")
                server.runs("shop/cart")[0].script.lines = 1
            result, log, _ = self.end(again, "result")
            self.assertTrue(result["adopted"])
            self.assertIn("This build was started in Jenkins already", log)
            self.assertEqual(len(server.runs("shop/cart")), 1)


class Outage(Case):
    def test_a_server_that_stays_away(self):
        server = self.serve()
        worker = self.begin(self.request(server, LONG))
        self.until(lambda: self.sent(server, "progressiveText"), "no log")
        server.fault("", what="hangup")
        started = time.monotonic()
        failure, _, _ = self.end(worker, "failure")
        self.assertEqual(failure["failure"], "transient")
        self.assertGreater(time.monotonic() - started, 100)


def run_all(names):
    """All at the same time: most of what they do is waiting."""
    loader = unittest.defaultTestLoader
    suite = loader.loadTestsFromNames(names, sys.modules["__main__"]) if names else unittest.TestSuite(
        loader.loadTestsFromTestCase(one) for one in (Outage, Ends, Trouble, Builds, Access))
    tests = [test for group in suite for test in (group if isinstance(group, unittest.TestSuite) else [group])]

    def run(test):
        result = unittest.TestResult()
        test.run(result)
        for one, trace in result.failures + result.errors:
            print(f"FAIL: {one}\n{trace}", flush=True)
        return result.wasSuccessful() and result.testsRun == 1

    with concurrent.futures.ThreadPoolExecutor(max_workers=8) as pool:
        done = list(pool.map(run, tests))
    print(f"{sum(done)} of {len(done)} passed")
    return all(done) and bool(done)


if __name__ == "__main__":
    sys.exit(not run_all(sys.argv[1:]))
