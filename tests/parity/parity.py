#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the lifecycle parity suite, and cases of our own in the same form, against our lifecycle.

    parity.py [--record] SUITE BUILD_DIR [CASE[/STEP] ...]

SUITE is the folder with `materialize` and `compare`; our cases are in cases/ beside this file. Every step is done in order
by BUILD_DIR/parity-lifecycle, in a build container made from this machine's own packages; what comes out is compared as the
suite's README says. Where ours does better than the reference on purpose, the step is listed in `differences`, and what is
expected instead is in expected/CASE/STEP: a listed step that does as the reference makes the run fail, too. One difference
is everywhere: images carry io.buildpacks.rebasable from Platform API 0.12 on.
With --record the expectations of our own cases and of listed steps are written anew: read what `git diff` says of them.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib

import record

HERE = os.path.dirname(os.path.abspath(__file__))
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
STEP_SECONDS = 60
SLOW_SECONDS = 5
REF_NAME = "org.opencontainers.image.ref.name"
PACKAGES = ["bash", "dash", "coreutils", "findutils", "grep", "sed", "libc6", "libc-bin", "libtinfo6", "libselinux1",
            "libpcre2-8-0", "libacl1", "libattr1", "libgmp10", "libgcc-s1"]


def fail(text):
    sys.exit("parity: " + text)


# ---- the root of the build container -------------------------------------------------------------

def make_root(dest):
    """A minimal root of files that this machine's packages own."""
    if os.path.isdir(dest):
        return
    making = dest + ".making"
    shutil.rmtree(making, ignore_errors=True)
    for folder in ("usr/bin", "usr/sbin", "usr/lib", "usr/lib64", "etc", "proc", "sys", "dev", "tmp", "var/tmp", "root",
                   "home/cnb", "cnb", "workspace", "layers", "platform", "run"):
        os.makedirs(os.path.join(making, folder))
    for name in ("bin", "sbin", "lib", "lib64"):
        os.symlink("usr/" + name, os.path.join(making, name))
    listing = subprocess.run(["dpkg", "-L"] + PACKAGES, capture_output=True, text=True, check=True).stdout
    for path in sorted(set(listing.split("\n"))):
        if not path.startswith("/") or path.startswith("/usr/share") or not os.path.lexists(path):
            continue
        if os.path.isdir(path) and not os.path.islink(path):
            continue
        target = making + os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if not os.path.lexists(target):
            shutil.copy2(path, target, follow_symlinks=False)
    if not os.path.lexists(making + "/usr/bin/sh"):
        os.symlink("dash", making + "/usr/bin/sh")
    with open(making + "/etc/passwd", "w", encoding="ascii") as file:
        file.write("root:x:0:0:root:/root:/bin/sh\ncnb:x:1001:1000::/home/cnb:/bin/sh\n")
    with open(making + "/etc/group", "w", encoding="ascii") as file:
        file.write("root:x:0:\ncnb:x:1000:\n")
    with open(making + "/etc/os-release", "w", encoding="ascii") as file:
        file.write("ID=parity\nVERSION_ID=1.0\n")
    os.chown(making + "/home/cnb", 1001, 1000)
    for name in ("tmp", "var/tmp"):
        os.chmod(os.path.join(making, name), 0o1777)
    os.rename(making, dest)


# ---- the registry: image layouts in a folder -----------------------------------------------------

def put_image(suite, layouts, reference, name, scratch):
    """A run image of the suite under a tag of the registry."""
    place, _, tag = reference.rpartition(":")
    layout = os.path.join(layouts, place)
    made = tempfile.mkdtemp(dir=scratch)
    subprocess.run([suite + "/materialize", "--run-image", name, made + "/image"], check=True,
                   stdout=subprocess.DEVNULL)
    os.makedirs(layout + "/blobs/sha256", exist_ok=True)
    for blob in os.listdir(made + "/image/blobs/sha256"):
        shutil.copyfile(f"{made}/image/blobs/sha256/{blob}", f"{layout}/blobs/sha256/{blob}")
    index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": []}
    if os.path.exists(layout + "/index.json"):
        with open(layout + "/index.json", encoding="utf-8") as file:
            index = json.load(file)
    with open(made + "/image/index.json", encoding="utf-8") as file:
        entry = json.load(file)["manifests"][0]
    entry["annotations"] = {REF_NAME: tag}
    index["manifests"] = [one for one in index["manifests"] if one.get("annotations", {}).get(REF_NAME) != tag] + [entry]
    with open(layout + "/index.json", "w", encoding="utf-8") as file:
        json.dump(index, file)
    with open(layout + "/oci-layout", "w", encoding="ascii") as file:
        file.write('{"imageLayoutVersion":"1.0.0"}')
    shutil.rmtree(made)


# ---- one step ------------------------------------------------------------------------------------

class Runner:
    def __init__(self, suite, build):
        self.suite, self.build = suite, build
        self.root = os.path.join(build, "parity-root")
        make_root(self.root)

    def description(self, case, step, folder, layouts, cache):
        """What parity-lifecycle reads on stdin; makes the folders of a build."""
        api = step.get("platform_api", case["platform_api"])
        work = os.path.join(folder, "work")
        os.mkdir(work)
        out = {"do": step["do"], "platformApi": api, "image": step["image"], "registry": layouts, "work": work,
               "tags": step.get("tags", []), "report": os.path.join(folder, "report.toml"),
               "force": "-force" in step.get("flags", []), "skipRestore": "-skip-restore" in step.get("flags", []),
               "env": dict(step.get("env", {}))}
        for ours, theirs in (("runImage", "run_image"), ("previousImage", "previous_image"),
                             ("processType", "process_type"), ("entrypoint", "entrypoint"), ("args", "args")):
            if theirs in step:
                out[ours] = step[theirs]
        if step["do"] == "build":
            out["env"] = {"PATH": PATH, "HOME": "/home/cnb", **out["env"]}
            self.lay_out(step, folder, out)
        if step["do"] == "launch":
            above = os.path.join(folder, "above")
            os.makedirs(above + "/cnb/lifecycle")
            shutil.copyfile(self.build + "/cnb-launcher", above + "/cnb/lifecycle/launcher")
            os.chmod(above + "/cnb/lifecycle/launcher", 0o755)
            out.update(lowers=[self.root], above=[above], store=os.path.join(folder, "store"))
        if step.get("cache"):
            if step["cache"] == "fresh":
                shutil.rmtree(cache, ignore_errors=True)
            out["cache"] = cache
        return out

    def lay_out(self, step, folder, out):
        dest, upper, layers = (os.path.join(folder, name) for name in ("input", "builder", "layers"))
        subprocess.run([self.suite + "/materialize", step["case"], step["name"], dest], check=True)
        os.makedirs(upper + "/cnb")
        for name in ("buildpacks", "extensions", "build-config", "order.toml", "run.toml", "system.toml"):
            if os.path.lexists(os.path.join(dest, name)):
                os.rename(os.path.join(dest, name), os.path.join(upper, "cnb", name))
        os.mkdir(layers)
        if os.path.exists(dest + "/project-metadata.toml"):
            os.rename(dest + "/project-metadata.toml", layers + "/project-metadata.toml")
        for name in ("app", "platform"):
            os.makedirs(os.path.join(dest, name), exist_ok=True)
        for path in (layers, *(os.path.join(layers, name) for name in os.listdir(layers))):
            os.chown(path, 1001, 1000)
        out.update(app=dest + "/app", platform=dest + "/platform", layers=layers, lowers=[self.root, upper],
                   launcher=self.suite + "/launcher", guest=self.build + "/cnb-guest",
                   projectMetadata=layers + "/project-metadata.toml")
        if os.path.exists(upper + "/cnb/run.toml"):
            out["run"] = upper + "/cnb/run.toml"

    def run(self, case, step, folder, layouts, cache):
        about = self.description(case, step, folder, layouts, cache)
        try:
            done = subprocess.run([self.build + "/parity-lifecycle"], input=json.dumps(about).encode(),
                                  capture_output=True, cwd="/", env={"PATH": PATH}, timeout=STEP_SECONDS)
        except subprocess.TimeoutExpired as late:
            done = subprocess.CompletedProcess(late.cmd, -1, late.stdout or b"", (late.stderr or b"") + b"timed out")
        return about, done

    def check(self, case, step, about, done, folder):
        """Every difference as a line."""
        expected = expected_of(case, step, folder)
        result = read_json(expected + "/result.json")
        out = []
        if done.returncode != result["exit_code"]:
            out.append("exit code: expected %d, found %d" % (result["exit_code"], done.returncode))
        if step["do"] == "launch":
            if done.stdout.decode("utf-8", "surrogateescape") != result.get("stdout", ""):
                out.append("stdout: expected %r, found %r" % (result.get("stdout", ""), done.stdout.decode(errors="replace")))
            return out
        if step["do"] == "build":
            out += self.compare_files(expected, about, step)
        if os.path.exists(expected + "/config.json"):
            place, _, tag = step["image"].rpartition(":")
            compared = subprocess.run([self.suite + "/compare", expected, os.path.join(about["registry"], place), tag],
                                      capture_output=True, text=True)
            if compared.returncode != 0:
                out += (compared.stdout + compared.stderr).splitlines()
        return out

    def compare_files(self, expected, about, step):
        out = []
        if os.path.exists(expected + "/group.toml"):
            out += same("group.toml", read_toml(expected + "/group.toml"), read_toml(about["layers"] + "/group.toml"))
            out += same("plan.toml", plan_of(expected + "/plan.toml"), plan_of(about["layers"] + "/plan.toml"))
        if step.get("record") == "detect":
            return out
        if os.path.exists(expected + "/report.toml"):
            out += same("report.toml", neutral(expected + "/report.toml"), neutral(about["report"]))
        if os.path.exists(expected + "/cache.json"):
            out += same("cache.json", read_json(expected + "/cache.json"), cache_of(about["cache"]))
        return out


def own_expected(step):
    return os.path.join(HERE, "expected", os.path.basename(step["case"]), step["name"])


def expected_of(case, step, folder):
    """A copy of the expectation, with the label that the reference never sets."""
    theirs, ours = os.path.join(step["case"], "expected", step["name"]), own_expected(step)
    out = os.path.join(folder, "expected")
    shutil.copytree(ours if os.path.isdir(ours) else theirs, out)
    api = step.get("platform_api", case["platform_api"])
    if os.path.exists(out + "/config.json") and int(api.partition(".")[2]) >= 12:
        config = read_json(out + "/config.json")
        config["config"]["Labels"].setdefault("io.buildpacks.rebasable", "true")
        with open(out + "/config.json", "w", encoding="utf-8") as file:
            json.dump(config, file)
    return out


def read_json(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def read_toml(path):
    if not os.path.exists(path):
        return None
    with open(path, encoding="utf-8") as file:
        return tomllib.loads(file.read())


def plan_of(path):
    plan = read_toml(path) or {}
    return sorted(json.dumps(entry, sort_keys=True, default=str) for entry in plan.get("entries", []))


def neutral(path):
    """Digest and size depend on the compressor."""
    if not os.path.exists(path):
        return None
    with open(path, encoding="utf-8") as file:
        report = tomllib.loads(file.read().replace("<size>", "0"))
    for key in ("digest", "manifest-size"):
        if key in report.get("image", {}):
            report["image"][key] = "neutral"
    return report


def cache_of(folder):
    committed = os.path.join(folder, "committed")
    blobs = [name for name in os.listdir(committed) if name.endswith(".tar.gz")]
    return {"metadata": read_json(committed + "/metadata.json"),
            "blobs": sorted("sha256:" + name[:-len(".tar.gz")] for name in blobs)}


def same(what, one, other):
    if one == other:
        return []
    return ["%s: expected %s, found %s" % (what, json.dumps(one, sort_keys=True, default=str),
                                           json.dumps(other, sort_keys=True, default=str))]


# ---- all steps -----------------------------------------------------------------------------------

def listed_differences():
    listed = {}
    with open(os.path.join(HERE, "differences"), encoding="utf-8") as file:
        for line in file:
            name, _, why = line.partition("#")
            if name.strip():
                listed[name.strip()] = why.strip()
    return listed


def wanted(name, patterns):
    return not patterns or any(name == one or name.startswith(one + "/") or name.startswith(one) for one in patterns)


def run_case(runner, path, patterns, report):
    name, case = os.path.basename(path), read_json(path + "/case.json")
    with tempfile.TemporaryDirectory(prefix="parity-", dir=runner.build) as scratch:
        layouts, cache = os.path.join(scratch, "registry"), os.path.join(scratch, "cache")
        os.mkdir(layouts)
        for reference, image in case.get("images", {}).items():
            put_image(runner.suite, layouts, reference, image, scratch)
        for number, step in enumerate(case["steps"]):
            step["case"] = path
            for reference, image in step.get("images", {}).items():
                put_image(runner.suite, layouts, reference, image, scratch)
            folder = os.path.join(scratch, "step-%d" % number)
            os.mkdir(folder)
            started = time.monotonic()
            about, done = runner.run(case, step, folder, layouts, cache)
            if time.monotonic() - started > SLOW_SECONDS:
                print("slow    %s/%s %.1f s" % (name, step["name"], time.monotonic() - started))
            if wanted(name + "/" + step["name"], patterns):
                report(case, step, about, done, folder)
            subprocess.run(["rm", "-rf", folder], check=True)


def main(argv):
    is_recording = "--record" in argv
    argv = [word for word in argv if word != "--record"]
    if len(argv) < 3:
        sys.exit(__doc__)
    runner, patterns = Runner(os.path.abspath(argv[1]), os.path.abspath(argv[2])), argv[3:]
    listed, passed, failed, wrong = listed_differences(), [], [], []

    def report(case, step, about, done, folder):
        is_ours = os.path.dirname(os.path.dirname(step["case"])) == HERE
        label = os.path.basename(step["case"]) + "/" + step["name"]
        if is_recording and (is_ours or label in listed):
            record.step(os.path.join(step["case"], "expected", step["name"]) if is_ours else own_expected(step),
                        step, about, done)
        if os.path.isdir(own_expected(step)) != (label in listed):
            wrong.append(label + " is listed or has an expectation of ours, not both")
        differences = runner.check(case, step, about, done, folder)
        if label in listed and not record.differs(own_expected(step), os.path.join(step["case"], "expected", step["name"])):
            wrong.append(label + " is listed and no different")
        (failed if differences else passed).append(label)
        if differences:
            print("FAILED  " + label)
            for line in differences[:40]:
                print("        " + line)
            for line in done.stderr.decode(errors="replace").splitlines()[-12:]:
                print("      | " + line)

    for folder in (runner.suite + "/cases", HERE + "/cases"):
        for name in sorted(os.listdir(folder)):
            if not patterns or any(one.split("/")[0] in name for one in patterns):
                run_case(runner, os.path.join(folder, name), patterns, report)
    print("%d of %d steps pass, %d of them as we want it" % (len(passed), len(passed) + len(failed), len(listed)))
    for line in wrong:
        print("differences: " + line)
    return 1 if wrong or failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
