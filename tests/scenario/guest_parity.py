#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs detection and build of the suite's cases with cnb-guest in a root of its own, and compares what it decides with
what the reference decided: exit code, group.toml, plan.toml, config/metadata.toml, and what the buildpacks saw. Then
starts what was built with the launcher, as the launch steps say, and compares exit code and stdout.

    guest_parity.py SUITE GUEST LAUNCHER [CASE-PREFIX...]      as root, in a private mount namespace

There is no analyze, restore and export here: analyzed.toml and the image's config are taken from the suite, steps whose
buildpacks read restored layers are compared without what they saw, and before a launch everything that is no launch
layer is removed."""
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile

SUITE, GUEST, LAUNCHER, PREFIXES = sys.argv[1], os.path.abspath(sys.argv[2]), os.path.abspath(sys.argv[3]), sys.argv[4:]
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
UID, GID = 1001, 1000

# Steps whose buildpacks see what an earlier step left in an image or a cache.
NEEDS_RESTORE = ("09-layer-flags", "21-sbom/again", "22-store", "24-metadata-types/second", "29-rebuild-reuse", "30-cache",
                 "33-rebase/build-again")
# Its buildpack removes the store.toml that restore would have brought; Buildpack API 0.6 works here.
LEFT_OUT = ("22-store/removed", "39-malformed-inputs/buildpack-api-old")


def toml(path):
    import tomllib
    with open(path, "rb") as file:
        return tomllib.load(file)


def entries(path):
    """plan.toml as a set: the order of entries is free."""
    return sorted(json.dumps(e, sort_keys=True) for e in toml(path).get("entries", []))


def sections(path):
    """seen.txt: lists of (file, content)."""
    out, name, lines = [], None, []
    for line in open(path, encoding="utf-8", errors="surrogateescape"):
        if line.startswith("==> /layers/"):
            if name:
                out.append((name, "".join(lines).strip("\n")))
            name, lines = line[4:].strip(), []
        else:
            lines.append(line)
    if name:
        out.append((name, "".join(lines).strip("\n")))
    return out


def make_root(top, case, step):
    """A root with this machine's /usr and the step's input at the places of the build container."""
    root, dest = os.path.join(top, "root"), os.path.join(top, "dest")
    os.mkdir(root)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0755", "none", root], check=True)
    for folder in ("usr", "proc", "dev", "etc", "tmp", "cnb", "home", "home/cnb", "layers", "run"):
        os.mkdir(os.path.join(root, folder), 0o755)
    for name in ("bin", "sbin", "lib", "lib64"):
        if os.path.islink("/" + name):
            os.symlink("usr/" + name, os.path.join(root, name))
        elif os.path.isdir("/" + name):
            os.mkdir(os.path.join(root, name))
            subprocess.run(["mount", "--bind", "/" + name, os.path.join(root, name)], check=True)
    for name in ("usr", "proc", "dev"):
        subprocess.run(["mount", "--rbind", "/" + name, os.path.join(root, name)], check=True)
    os.chmod(os.path.join(root, "tmp"), 0o1777)
    for name in ("layers", "home/cnb"):
        os.chown(os.path.join(root, name), UID, GID)
    with open(os.path.join(root, "etc/os-release"), "w") as file:
        file.write("ID=parity\nVERSION_ID=1.0\n")
    with open(os.path.join(root, "etc/passwd"), "w") as file:
        file.write("root:x:0:0::/root:/bin/sh\ncnb:x:1001:1000::/home/cnb:/bin/sh\n")
    if os.path.exists("/etc/ld.so.cache"):
        shutil.copy("/etc/ld.so.cache", os.path.join(root, "etc/ld.so.cache"))
    subprocess.run([sys.executable, os.path.join(SUITE, "materialize"), case, step["name"], dest], check=True)
    for name, place in (("app", "workspace"), ("platform", "platform"), ("buildpacks", "cnb/buildpacks"),
                        ("build-config", "cnb/build-config"), ("order.toml", "cnb/order.toml"),
                        ("system.toml", "cnb/system.toml"), ("project-metadata.toml", "layers/project-metadata.toml")):
        if os.path.exists(os.path.join(dest, name)):
            subprocess.run(["cp", "-a", os.path.join(dest, name), os.path.join(root, place)], check=True)
    shutil.copy(GUEST, os.path.join(root, "cnb-guest"))
    return root


def run_inside(root, argv, env, cwd="/", **more):
    def enter():
        os.chroot(root)
        os.chdir(cwd)
        os.umask(0o022)
        os.setgroups([])
        os.setgid(GID)
        os.setuid(UID)

    return subprocess.run(argv, env=env, preexec_fn=enter, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          timeout=120, **more)


def run_phase(root, phase, step, platform_api):
    env = {"PATH": PATH, "HOME": "/home/cnb", "CNB_PLATFORM_API": platform_api}
    env.update(step.get("env", {}))
    return run_inside(root, ["/cnb-guest", phase], env, stderr=subprocess.STDOUT)


def keep_launch_layers(layers, group):
    for element in group:
        folder = os.path.join(layers, element["id"].replace("/", "_"))
        for name in os.listdir(folder):
            path = os.path.join(folder, name)
            flags = path + ".toml"
            if os.path.isdir(path) and not (os.path.exists(flags) and toml(flags).get("types", {}).get("launch")):
                shutil.rmtree(path)


def run_launch(root, case, build, step):
    """Entrypoint, variables and folder are those of the image that the reference made."""
    with open(os.path.join(case, "expected", build["name"], "config.json")) as file:
        config = json.load(file)["config"]
    with open(os.path.join(case, "expected", step["name"], "result.json")) as file:
        want = json.load(file)
    env = dict(pair.split("=", 1) for pair in config["Env"])
    env.update(step.get("env", {}))
    argv = (step.get("entrypoint") or config["Entrypoint"]) + (config.get("Cmd") or [] if "args" not in step else step["args"])
    done = run_inside(root, argv, env, config.get("WorkingDir") or "/", executable="/cnb/lifecycle/launcher",
                      stderr=subprocess.DEVNULL)
    out = done.stdout.decode(errors="surrogateescape")
    if (done.returncode, out) == (want["exit_code"], want.get("stdout", "")):
        return True
    print("FAILED %s/%s: wanted %d %r\n    got %d %r" % (os.path.basename(case), step["name"], want["exit_code"],
                                                        want.get("stdout", ""), done.returncode, out))
    return False


def run_launches(root, case, build, steps):
    """How many of them did as the reference."""
    if not steps:
        return 0
    layers = os.path.join(root, "layers")
    keep_launch_layers(layers, toml(os.path.join(layers, "group.toml"))["group"])
    os.makedirs(os.path.join(root, "cnb/lifecycle"))
    shutil.copy(LAUNCHER, os.path.join(root, "cnb/lifecycle/launcher"))
    return sum(run_launch(root, case, build, step) for step in steps)


def wanted_exit(expected, want):
    """Of the two phases here: what fails only in analyze or export passes."""
    if want["exit_code"] == 62 or (want["exit_code"] == 1 and os.path.exists(os.path.join(expected, "group.toml"))):
        return 0
    return want["exit_code"]


def compare(root, expected, step_id):
    problems = []
    layers = os.path.join(root, "layers")

    def both(name, path, read):
        want, have = os.path.join(expected, name), os.path.join(layers, path)
        if os.path.exists(want):
            if not os.path.exists(have):
                problems.append(name + " is missing")
            elif read(want) != read(have):
                problems.append("%s differs:\n--- wanted\n%s--- got\n%s" % (name, open(want).read(), open(have).read()))

    both("group.toml", "group.toml", toml)
    both("plan.toml", "plan.toml", entries)
    both("metadata.toml", "config/metadata.toml", lambda p: open(p, "rb").read())
    if os.path.exists(os.path.join(expected, "group.toml")) and not os.path.exists(os.path.join(expected, "plan.toml")):
        if entries(os.path.join(layers, "plan.toml")):
            problems.append("plan.toml should be empty")
    if os.path.exists(os.path.join(expected, "seen.txt")) and not step_id.startswith(NEEDS_RESTORE):
        for name, content in sections(os.path.join(expected, "seen.txt")):
            path = root + name
            if not os.path.lexists(path):
                problems.append(name + " is missing")
                continue
            got = open(path, encoding="utf-8", errors="surrogateescape").read().strip("\n")
            if got != content:
                problems.append("%s differs:\n--- wanted\n%s\n--- got\n%s" % (name, content, got))
    return problems


def run_step(case, step, platform_api, launches):
    expected = os.path.join(case, "expected", step["name"])
    step_id = os.path.basename(case) + "/" + step["name"]
    with open(os.path.join(expected, "result.json")) as file:
        want = json.load(file)
    top = tempfile.mkdtemp(prefix="guest-parity.")
    log, launched = "", 0
    try:
        root = make_root(top, case, step)
        analyzed = os.path.join(expected, "analyzed.toml")
        if os.path.exists(analyzed):
            shutil.copy(analyzed, os.path.join(root, "layers/analyzed.toml"))
            os.chown(os.path.join(root, "layers/analyzed.toml"), UID, GID)
        code = 0
        for phase in ("detect", "build"):
            if phase == "build" and step.get("record") == "detect":
                break
            done = run_phase(root, phase, step, step.get("platform_api", platform_api))
            code, log = done.returncode, log + done.stdout.decode(errors="replace")
            if code:
                break
        problems = [] if code == wanted_exit(expected, want) else ["exit code %d instead of %d" % (code, want["exit_code"])]
        if not problems and code == 0:
            problems = compare(root, expected, step_id)
        launched = 0 if problems else run_launches(root, case, step, launches)
    finally:
        subprocess.run(["umount", "-R", "-l", os.path.join(top, "root")], stderr=subprocess.DEVNULL)
        shutil.rmtree(top, ignore_errors=True)
    for problem in problems:
        print("FAILED %s: %s" % (step_id, problem))
    if problems:
        print("".join("    " + line + "\n" for line in log.splitlines()))
    return (not problems) + launched


def launches_of(steps, at):
    """The launch steps that start the image of the build step `at`."""
    out = []
    for step in steps[at + 1:]:
        if step["do"] == "launch" and step["image"] == steps[at]["image"]:
            out.append(step)
        elif step.get("image") == steps[at].get("image"):
            break
    return out


def main():
    passed = failed = 0
    for case in sorted(glob.glob(os.path.join(SUITE, "cases", "*"))):
        name = os.path.basename(case)
        if PREFIXES and not name.startswith(tuple(PREFIXES)):
            continue
        with open(os.path.join(case, "case.json")) as file:
            spec = json.load(file)
        for at, step in enumerate(spec["steps"]):
            if step["do"] != "build" or name + "/" + step["name"] in LEFT_OUT:
                continue
            launches = launches_of(spec["steps"], at)
            ok = run_step(case, step, spec["platform_api"], launches)
            passed, failed = passed + ok, failed + 1 + len(launches) - ok
    print("%d steps as the reference, %d not" % (passed, failed))
    return 1 if failed or not passed else 0


sys.exit(main())
