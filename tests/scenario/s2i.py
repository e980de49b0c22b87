#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What test_s2i.sh runs: s2i.py DRIVER WORK OCI. Images are made from busybox alone; results are read by skopeo and umoci."""

import glob
import http.server
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tarfile
import threading
import time

DRIVER, WORK, OCI = sys.argv[1:4]
REGISTRY = f"{WORK}/registry"
EPOCH = 315532801
failed = []


def note(text):
    print(f"--- {text}", flush=True)


def check(what, got, want):
    if got != want:
        failed.append(what)
        print(f"FAILED {what}: got {got!r}, not {want!r}", flush=True)


def contains(what, text, part):
    check(f"{what}: '{part}' in {text!r}", part in (text or ""), True)


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)


def base(folder, applets, scripts):
    """A root with busybox, a user 1001 and its application folder, and scripts in /usr/libexec/s2i."""
    for name in ("bin", "etc", "tmp", "usr/libexec/s2i", "opt/app", "opt/old"):
        os.makedirs(f"{folder}/{name}", exist_ok=True)
    os.chmod(f"{folder}/tmp", 0o1777)
    os.chown(f"{folder}/opt/app", 1001, 0)
    shutil.copy(shutil.which("busybox"), f"{folder}/bin/busybox")
    for name in applets:
        os.symlink("busybox", f"{folder}/bin/{name}")
    write(f"{folder}/etc/passwd", "root:x:0:0::/root:/bin/sh\ndefault:x:1001:0::/opt/app:/bin/sh\n")
    write(f"{folder}/etc/group", "root:x:0:\nextra:x:2000:default\n")
    write(f"{folder}/opt/old/one", "1\n")
    write(f"{folder}/opt/app/gone", "old\n")
    os.makedirs(f"{folder}/opt/app/replaced")
    write(f"{folder}/opt/app/replaced/hidden", "old\n")
    for path in ("gone", "replaced", "replaced/hidden"):
        os.chown(f"{folder}/opt/app/{path}", 1001, 0)
    for name, text in scripts.items():
        write(f"{folder}/usr/libexec/s2i/{name}", text, 0o755)


def make_image(layout, folder, *options, config=None):
    os.makedirs(layout, exist_ok=True)
    subprocess.run([sys.executable, OCI, "image", layout, "latest", "--layer", folder, *options], check=True,
                   stdout=subprocess.DEVNULL)
    if config:
        change_config(layout, config)


def change_config(layout, config):
    """What oci.py has no option for."""
    args = []
    for key, values in config.items():
        for value in values:
            args += [f"--config.{key}", value]
    subprocess.run(["umoci", "config", "--image", f"{layout}:latest", *args], check=True)


APPLETS = ["sh", "cat", "cp", "mv", "rm", "mkdir", "ls", "id", "env", "chmod", "sleep", "touch", "ln", "find", "head", "stat",
           "dd", "echo", "tail", "true"]
ASSEMBLE = """#!/bin/sh
set -e
echo "assembling as $(id -u):$(id -g) in $(pwd)"
cp -R /tmp/src/. .
if [ -d /tmp/artifacts ]; then cp -R /tmp/artifacts/. .; echo reused >how; else echo clean >how; mkdir -p deps; echo dep >deps/lib; fi
env | grep -v '^HOSTNAME' | head -n 50 >env.txt || true
"""
SCRIPTS = {
    "assemble": ASSEMBLE.replace("env | grep -v '^HOSTNAME' | head -n 50 >env.txt || true\n", "echo \"$APP_MODE $OTHER\" >env.txt\n"
                                 "rm gone; rm -r replaced; mkdir replaced; echo new >replaced/new; ln env.txt hard; ln -s env.txt soft; echo shut >shut; chmod 0 shut; mkdir -m 0 closed\n"
                                 "mkdir -p /tmp/.s2i; echo '{\"labels\":[{\"from\":\"assemble\"},{\"given\":\"again\"}]}' >/tmp/.s2i/image_metadata.json\n"),
    "run": "#!/bin/sh\nexec cat /opt/app/how\n",
    "usage": "#!/bin/sh\necho use me\n",
    "save-artifacts": "#!/bin/busybox sh\ncd /opt/app && exec busybox tar -cf - deps\n",
}
LABELS = ["--label", "io.openshift.s2i.scripts-url=image:///usr/libexec/s2i", "--label", "builder=yes", "--label", "given=builder"]
CONFIG = {"workingdir": ["/opt/app"], "entrypoint": ["/bin/env"], "cmd": ["/usr/libexec/s2i/usage"]}


def builder(name, scripts=None, options=(), user="1001", applets=APPLETS, change=None, config=CONFIG):
    folder = f"{WORK}/{name}-root"
    base(folder, applets, SCRIPTS if scripts is None else scripts)
    if change:
        change(folder)
    extra = ["--user", user] if user is not None else []
    make_image(f"{REGISTRY}/registry.local/{name}", folder, *extra, "--env", "PATH=/bin", "--env", "OTHER=image",
               *(options or LABELS), config=config)
    return f"registry.local/{name}"


def source(name, files):
    for path, text in files.items():
        write(f"{WORK}/{name}/{path}", text, 0o755 if "bin/" in path else 0o644)
    return f"{WORK}/{name}"


def spec(image, **more):
    return {"registry": REGISTRY, "store": f"{WORK}/store", "work": f"{WORK}/tmp", "source": f"{WORK}/app", "builder": image,
            "tags": ["registry.local/out/app"], **more}


def start(image, **more):
    os.makedirs(f"{WORK}/tmp", exist_ok=True)
    write(f"{WORK}/spec.json", json.dumps(spec(image, **more)))
    return subprocess.Popen([DRIVER, f"{WORK}/spec.json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def build(image, **more):
    process = start(image, **more)
    out, log = process.communicate(timeout=120)
    result = json.loads(out) if out else {}
    result["log"] = log
    result["status"] = process.returncode
    return result


def built(what, image, **more):
    result = build(image, **more)
    if result["status"] != 0:
        check(f"{what} is built", result.get("error", "") + result["log"], "")
    return result


def refused(what, reason, part, image, **more):
    result = build(image, **more)
    check(f"{what}: exit", result["status"], 1)
    check(f"{what}: reason", result.get("reason"), reason)
    contains(f"{what}: error", result.get("error"), part)
    check(f"{what}: nothing is left", os.listdir(f"{WORK}/tmp"), [])
    return result


def layout(reference="out/app"):
    return f"oci:{REGISTRY}/registry.local/{reference}:latest"


def inspect(reference="out/app"):
    raw = json.loads(subprocess.run(["skopeo", "inspect", "--raw", layout(reference)], check=True, stdout=subprocess.PIPE).stdout)
    config = json.loads(subprocess.run(["skopeo", "inspect", "--config", layout(reference)], check=True,
                                       stdout=subprocess.PIPE).stdout)
    return raw, config


def entries(reference="out/app"):
    """The top layer's entries by name."""
    raw, _ = inspect(reference)
    path = f"{REGISTRY}/registry.local/{reference}/blobs/sha256/{raw['layers'][-1]['digest'][7:]}"
    with tarfile.open(path) as tar:
        return {info.name: info for info in tar}


def unpacked(reference="out/app"):
    target = f"{WORK}/unpacked"
    shutil.rmtree(target, ignore_errors=True)
    subprocess.run(["umoci", "unpack", "--image", f"{REGISTRY}/registry.local/{reference}:latest", target], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return f"{target}/rootfs"


def read(root, path):
    try:
        with open(f"{root}/{path}", encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return None


def mode_owner(root, path):
    st = os.lstat(f"{root}/{path}")
    return f"{stat.S_IMODE(st.st_mode):o} {st.st_uid}:{st.st_gid}"


def test_result():
    note("one layer, with what assemble changed and the source where it stays")
    image = builder("python")
    source("app", {"app.txt": "v1\n", "bin/tool": "#!/bin/sh\n", ".git/config": "secret\n", ".s2i/environment":
                   "# of the source\nAPP_MODE = production \n\nOTHER=source\n", ".s2iignore": "*.md\n!README.md\ndocs\n",
                   "README.md": "kept\n", "notes.md": "x\n", "docs/deep/file": "x\n", "sub/notes.md": "stays\n"})
    os.symlink("app.txt", f"{WORK}/app/link")
    result = built("the example", image, env={"OTHER": "spec"}, labels={"given": "spec", "team": "web"},
                   identity={"name": "app-1", "namespace": "shop", "sourceLocation": "https://git.example.com/app.git",
                             "commitId": "abc", "commitMessage": "m" * 90, "commitAuthor": "A <a@b>", "commitRef": "main"})
    contains("the log", result["log"], "assembling as 1001:0 in /opt/app")
    check("phases", result.get("phases"), ["PULL", "PREPARE", "ASSEMBLE", "COMMIT", "PUSH"])
    raw, config = inspect()
    below, _ = inspect("python")
    check("one layer more", raw["layers"][:-1], [{**one, "mediaType": one["mediaType"]} for one in below["layers"]])
    check("one history entry more", [h.get("created_by") for h in config["history"]][-1], "/usr/libexec/s2i/assemble")
    own = config["config"]
    check("cmd", own["Cmd"], ["/usr/libexec/s2i/run"])
    check("entrypoint", own["Entrypoint"], ["/bin/env"])
    check("user", own["User"], "1001")
    check("working folder", own["WorkingDir"], "/opt/app")
    check("env", own["Env"], ["OPENSHIFT_BUILD_NAME=app-1", "OPENSHIFT_BUILD_NAMESPACE=shop",
                              "OPENSHIFT_BUILD_SOURCE=https://git.example.com/app.git", "OPENSHIFT_BUILD_COMMIT=abc",
                              "APP_MODE=production", "OTHER=spec", "PATH=/bin"])
    check("labels", own["Labels"], {
        "builder": "yes", "given": "again", "team": "web", "from": "assemble", "io.k8s.display-name": "registry.local/out/app",
        "io.openshift.s2i.scripts-url": "image:///usr/libexec/s2i", "io.openshift.build.image": image,
        "io.openshift.build.commit.id": "abc", "io.openshift.build.commit.author": "A <a@b>",
        "io.openshift.build.commit.ref": "main", "io.openshift.build.commit.message": "m" * 80,
        "io.openshift.build.source-location": "https://git.example.com/app.git"})
    check("labels are sorted", list(own["Labels"]), sorted(own["Labels"]))
    names = entries()
    check("names of the layer", sorted(names), sorted(
        ["opt", "opt/app", "tmp", "tmp/.s2i", "tmp/.s2i/image_metadata.json", "tmp/scripts", "tmp/src", "tmp/src/.s2i", "tmp/src/.s2i/environment",
         "tmp/src/.s2iignore", "tmp/src/README.md", "tmp/src/app.txt", "tmp/src/bin", "tmp/src/bin/tool", "tmp/src/link",
         "tmp/src/sub", "tmp/src/sub/notes.md"] +
        ["opt/app/" + name for name in (
            ".s2i", ".s2i/environment", ".s2iignore", "README.md", "app.txt", "bin", "bin/tool", "link", "sub", "sub/notes.md",
            "how", "deps", "deps/lib", "shut", "closed", "env.txt", "hard", "soft", ".wh.gone", "replaced", "replaced/.wh..wh..opq",
            "replaced/new")]))
    check("times", {info.mtime for info in names.values()}, {EPOCH})
    check("a hard link", (names["opt/app/hard"].islnk(), names["opt/app/hard"].linkname), (True, "opt/app/env.txt"))
    root = unpacked()
    check("environment of assemble", read(root, "opt/app/env.txt"), "production spec\n")
    check("removed", [read(root, "opt/app/gone"), os.path.exists(f"{root}/opt/app/replaced/hidden")], [None, False])
    for path, want in {"tmp/src": "755 1001:0", "tmp/src/app.txt": "644 1001:0", "tmp/src/bin/tool": "755 1001:0",
                       "tmp/src/link": "777 1001:0", "opt/app/how": "644 1001:0", "tmp": "1777 0:0", "opt/old": "755 0:0",
                       "tmp/scripts": "755 1001:0", "opt/app/shut": "0 1001:0", "opt/app/closed": "0 1001:0"}.items():
        check(f"mode and owner of {path}", mode_owner(root, path), want)
    check("untouched", read(root, "opt/old/one"), "1\n")
    return image


def test_same(image):
    note("the same again is the same image")
    digests = set()
    for store in ("store", "store", "store2"):
        result = built("again", image, store=f"{WORK}/{store}")
        digests.add(result.get("image"))
    check("one digest", len(digests), 1)
    if os.path.isdir("/dev/shm") and os.stat("/dev/shm").st_dev != os.stat(WORK).st_dev:
        folder = f"/dev/shm/s2i-{os.getpid()}"
        shutil.copytree(f"{WORK}/app", folder, symlinks=True)
        result = built("a source of another file system", image, source=folder, isOwn=True)
        shutil.rmtree(folder, ignore_errors=True)
        check("is the same image", result.get("image") in digests, True)
    note("another time is another image")
    later = built("later", image, created=1700000000)
    check("another digest", later.get("image") in digests, False)
    check("created", inspect()[1]["created"], "2023-11-14T22:13:20Z")
    check("times", {info.mtime for info in entries().values()}, {1700000000})


def test_incremental(image):
    note("incremental")
    first = built("no image before", image, incremental=True, tags=["registry.local/out/inc"])
    check("a clean build", first.get("incremental"), False)
    second = built("with an image before", image, incremental=True, tags=["registry.local/out/inc"])
    check("artifacts are used", second.get("incremental"), True)
    root = unpacked("out/inc")
    check("how", read(root, "opt/app/how"), "reused\n")
    check("artifacts", [read(root, "tmp/artifacts/deps/lib"), mode_owner(root, "tmp/artifacts/deps/lib")], ["dep\n", "644 1001:0"])
    check("one layer more than the builder", len(inspect("out/inc")[0]["layers"]), 2)
    third = built("again", image, incremental=True, tags=["registry.local/out/inc"])
    check("and it stays the same", third.get("image"), second.get("image"))
    broken = builder("broken-save", {**SCRIPTS, "save-artifacts": "#!/bin/sh\necho this is no tar\nexit 3\n"})
    built("before", broken, tags=["registry.local/out/broken"])
    result = built("a failing save-artifacts", broken, incremental=True, tags=["registry.local/out/broken"])
    check("is a clean build", result.get("incremental"), False)
    contains("with a warning", " ".join(result.get("notices", [])), "exit code 3")
    noise = builder("noise-save", {**SCRIPTS, "save-artifacts": "#!/bin/sh\necho this is no tar\n"})
    built("before", noise, tags=["registry.local/out/noise"])
    result = built("save-artifacts that prints other things", noise, incremental=True, tags=["registry.local/out/noise"])
    check("is a clean build", (result.get("incremental"), len(result.get("notices", []))), (False, 1))
    evil = "#!/bin/busybox sh\ncd /opt/app; mkdir -p /tmp/e; ln -s /etc /tmp/e/out; cd /tmp/e; busybox tar -cf - out; "
    hostile = builder("hostile-save", {**SCRIPTS, "save-artifacts": evil + "\n"})
    built("before", hostile, tags=["registry.local/out/hostile"])
    result = built("links that lead out", hostile, incremental=True, tags=["registry.local/out/hostile"])
    check("are artifacts", (result.get("incremental"), result.get("notices")), (True, []))
    check("stay links", os.readlink(f"{unpacked('out/hostile')}/tmp/artifacts/out"), "/etc")


def test_scripts(image):
    note("scripts of the source, of URLs, deprecated places")
    own = "#!/bin/sh\necho own >/opt/app/how\n"
    write(f"{WORK}/own/.s2i/bin/assemble", own, 0o755)
    write(f"{WORK}/own/x", "x")
    built("assemble of the source", image, source=f"{WORK}/own", tags=["registry.local/out/own"])
    root = unpacked("out/own")
    check("it ran", read(root, "opt/app/how"), "own\n")
    check("it is in scripts", [read(root, "tmp/scripts/assemble"), mode_owner(root, "tmp/scripts/assemble")], [own, "755 1001:0"])
    check("and no longer in the source", [read(root, "tmp/src/.s2i/bin/assemble"), read(root, "tmp/src/x")], [None, "x"])
    check("run is the image's", inspect("out/own")[1]["config"]["Cmd"], ["/usr/libexec/s2i/run"])
    write(f"{WORK}/old/.sti/bin/run", "#!/bin/sh\n", 0o755)
    result = built("run in .sti/bin", image, source=f"{WORK}/old", tags=["registry.local/out/old"])
    check("cmd", inspect("out/old")[1]["config"]["Cmd"], ["/tmp/scripts/run"])
    contains("a warning", " ".join(result.get("notices", [])), ".sti/bin")

    bare = builder("bare", options=["--label", "x=y"])
    refused("no scripts at all", "InstallScriptsFailed", "there is no script 'assemble'", bare)
    check("its class", build(bare)["class"], 11)
    deprecated = builder("deprecated", {**SCRIPTS, "assemble": "#!/bin/sh\ntest -f src/app.txt\n"}, options=["--env", "STI_SCRIPTS_URL=image:///usr/libexec/s2i", "--env", "STI_LOCATION=/opt/app"])
    built("variables instead of labels", deprecated, tags=["registry.local/out/env"])
    check("destination", read(unpacked("out/env"), "opt/app/src/app.txt"), "v1\n")

    folder = f"{WORK}/www"
    write(f"{folder}/assemble", "#!/bin/sh\necho from http >/opt/app/how\n")
    write(f"{folder}/run", "#!/bin/sh\n")
    handler = type("Handler", (http.server.SimpleHTTPRequestHandler,), {
        "__init__": lambda self, *args: http.server.SimpleHTTPRequestHandler.__init__(self, *args, directory=folder),
        "log_message": lambda self, *args: asked.append(self.path)})
    asked = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    built("scripts by http", bare, scriptsUrl=url, http=True, tags=["registry.local/out/http"])
    check("they ran", read(unpacked("out/http"), "opt/app/how"), "from http\n")
    refused("nothing there", "FetchScriptsFailed", "could not download any scripts", image, scriptsUrl=url + "/none", http=True)
    asked.clear()
    os.remove(f"{folder}/run")
    label = ["--label", f"io.openshift.s2i.scripts-url={url}/by-the-image"]
    refused("what an image says", "InstallScriptsFailed", "/by-the-image/run' is not fetched here", builder("asking", {}, options=label),
            scriptsUrl=url, http=True, source=source("nothing", {"app.txt": ""}))
    check("it is not asked for", sorted({path for path in asked if "artifacts" not in path}), ["/assemble", "/run"])
    write(f"{folder}/run", "#!/bin/sh\n")
    server.shutdown()
    built("scripts by file", bare, scriptsUrl=f"file://{folder}", mayReadFiles=True, tags=["registry.local/out/file"])
    refused("files of this machine", "FetchScriptsFailed", "could not download any scripts", image, scriptsUrl=f"file://{folder}")


def test_users(image):
    note("users")
    refused("a user out of range", "AssembleUserForbidden", "'1001'", image, allowedUids="2000-")
    built("a user in range", image, allowedUids="1-999,1001")
    named = builder("named", user="default")
    refused("a name", "AssembleUserForbidden", "'default'", named, allowedUids="1-")
    built("the name without a range", named)
    check("user of the result", inspect()[1]["config"]["User"], "default")
    nobody = builder("nobody", user=None)
    refused("no user is root", "AssembleUserForbidden", "''", nobody, allowedUids="1-")
    labelled = builder("labelled", user="0", options=[*LABELS, "--label", "io.openshift.s2i.assemble-user=1001"])
    result = built("assemble user by label", labelled, allowedUids="1-")
    contains("its log", result["log"], "assembling as 1001:0")
    check("user of the result", inspect()[1]["config"]["User"], "0")
    refused("a folder that the user may not write to", "AssembleFailed", "may not write to '/opt/old'", image, destination="/opt/old")

    def of_root(folder):
        for path in ("", "/gone", "/replaced", "/replaced/hidden"):
            os.chown(f"{folder}/opt/app{path}", 0, 0)
    built("as root", builder("as-root", user="0", change=of_root), tags=["registry.local/out/root"])
    check("owners", [mode_owner(unpacked("out/root"), path) for path in ("tmp/src/app.txt", "opt/app/how")], ["644 0:0", "644 0:0"])

    layout_dir = f"{REGISTRY}/registry.local/onbuild"
    shutil.copytree(f"{REGISTRY}/registry.local/python", layout_dir)
    with open(f"{layout_dir}/index.json", encoding="utf-8") as file:
        index = json.load(file)
    add_onbuild(layout_dir, index, ["USER 0", "COPY . /src"])
    refused("ONBUILD", "OnBuildForbidden", "ONBUILD instructions", "registry.local/onbuild")
    refused("ONBUILD with a user", "AssembleUserForbidden", "'0'", "registry.local/onbuild", allowedUids="1-")


def add_onbuild(folder, index, instructions):
    import hashlib

    def blob(descriptor):
        with open(f"{folder}/blobs/sha256/{descriptor['digest'][7:]}", encoding="utf-8") as file:
            return json.load(file)

    def put(value, descriptor):
        data = json.dumps(value).encode()
        digest = hashlib.sha256(data).hexdigest()
        with open(f"{folder}/blobs/sha256/{digest}", "wb") as file:
            file.write(data)
        return {**descriptor, "digest": "sha256:" + digest, "size": len(data)}
    entry = next(e for e in index["manifests"] if e["annotations"]["org.opencontainers.image.ref.name"] == "latest")
    manifest = blob(entry)
    config = blob(manifest["config"])
    config["config"]["OnBuild"] = instructions
    manifest["config"] = put(config, manifest["config"])
    index["manifests"] = [put(manifest, entry)]
    with open(f"{folder}/index.json", "w", encoding="utf-8") as file:
        json.dump(index, file)


def test_inputs(image):
    note("secrets and config maps")
    probe = "#!/bin/sh\nset -e\ncp -R /tmp/src/. .\ncat deep/token >seen; mv deep/token moved; ln other linked\ncat conf/file >conf-seen\n"
    write(f"{WORK}/probe/.s2i/bin/assemble", probe, 0o755)
    result = built("inputs", image, source=f"{WORK}/probe", tags=["registry.local/out/inputs"],
                   secrets=[{"destination": "deep", "files": {"token": "hunter2-hunter2", "..data": "no"}},
                            {"files": {"other": "hunter3-hunter3"}}],
                   configMaps=[{"destination": "conf", "files": {"file": "setting\n"}}])
    root = unpacked("out/inputs")
    check("the secret was there", read(root, "opt/app/seen"), "hunter2-hunter2")
    for path in ("moved", "other", "linked"):
        check(f"the secret's file '{path}' is empty", read(root, f"opt/app/{path}"), "")
    check("and not where it was", read(root, "opt/app/deep/token"), None)
    check("what a volume keeps for itself", os.path.exists(f"{root}/opt/app/deep/..data"), False)
    check("the config map stays", [read(root, "opt/app/conf/file"), read(root, "opt/app/conf-seen")], ["setting\n", "setting\n"])
    refused("a context folder that is not there", "InvalidContextDirectory", "has no folder 'none'", image, contextDir="none")
    refused("a context folder outside", "InvalidContextDirectory", "", image, contextDir="../registry")
    built("a context folder", image, contextDir="sub", tags=["registry.local/out/context"])
    check("alone", sorted(os.listdir(f"{unpacked('out/context')}/tmp/src")), ["notes.md"])
    check("its label", inspect("out/context")[1]["config"]["Labels"]["io.openshift.build.source-context-dir"], "sub")
    return result


def test_runtime(image):
    note("a runtime image")
    runtime = builder("runtime", {"assemble-runtime": "#!/bin/sh\nset -e\ntest \"$APP_MODE\" = production\ncat out/how >final\n",
                                  "run": "#!/bin/sh\ncat final\n"},
                      options=[*LABELS, "--label", "io.openshift.s2i.assemble-input-files=/opt/app/how:out;/opt/app/deps"])
    built("with the label's mapping", image, runtimeImage=runtime, tags=["registry.local/out/rt"])
    root = unpacked("out/rt")
    check("files", [read(root, "opt/app/final"), read(root, "opt/app/out/how"), read(root, "opt/app/deps/lib"),
                    read(root, "opt/app/app.txt")], ["clean\n", "clean\n", "dep\n", None])
    check("nothing of the builder's container", os.path.exists(f"{root}/tmp/src"), False)
    check("layers", len(inspect("out/rt")[0]["layers"]), 2)
    check("cmd", inspect("out/rt")[1]["config"]["Cmd"], ["/usr/libexec/s2i/run"])
    built("with the spec's mapping", image, runtimeImage=runtime, artifacts=["/opt/app/how:out"], tags=["registry.local/out/rt"])
    check("only that", os.path.exists(f"{unpacked('out/rt')}/opt/app/deps"), False)
    refused("a relative source", "InvalidArtifactsMapping", "must be an absolute path", image, runtimeImage=runtime, artifacts=["app:out"])
    refused("a way out", "InvalidArtifactsMapping", "leads out", image, runtimeImage=runtime, artifacts=["/opt/app:../x"])
    refused("no such artifact", "FetchRuntimeArtifactsFailed", "has no '/none'", image, runtimeImage=runtime, artifacts=["/none"])
    refused("incremental too", "GenericS2IBuildFailed", "cannot be incremental", image, runtimeImage=runtime, incremental=True)
    refused("no runtime image", "PullRuntimeImageFailed", "runtime image", image, runtimeImage="registry.local/none")
    refused("no assemble-runtime", "GenericS2IBuildFailed", "no script 'assemble-runtime'", image, runtimeImage=image,
            artifacts=["/opt/app/how"])
    # What one artifact brought is where the next one and the scripts go: no link of it is followed out of there.
    machine = f"{WORK}/machine"
    os.makedirs(machine)
    odd = f"mkdir o p; ln -s {machine} o/out; ln -s {machine} o/scripts; ln -s inner o/in; mkdir o/inner; echo taken >p/file\n"
    image = builder("leading-out", {**SCRIPTS, "assemble": "#!/bin/sh\nset -e\n" + odd})
    refused("through a link", "FetchRuntimeArtifactsFailed", "leads out", image, runtimeImage=runtime, artifacts=["/opt/app/o/.;/opt/app/p/file:out"])
    refused("a link in place of a new folder", "FetchRuntimeArtifactsFailed", "leads out", image, runtimeImage=runtime,
            artifacts=["/opt/app/o/.;/opt/app/p/file:./out/new"])
    scripts = source("scripts", {".s2i/bin/assemble-runtime": "#!/bin/sh\ncat inner/file >final\n", ".s2i/bin/run": "#!/bin/sh\n"})
    refused("a link in place of the scripts", "GenericS2IBuildFailed", "leads out", image, runtimeImage=runtime, source=scripts,
            artifacts=["/opt/app/o/."])
    check("nothing of the machine is changed", os.listdir(machine), [])
    built("by a link that stays inside", image, runtimeImage=runtime, source=scripts, tags=["registry.local/out/rt"],
          artifacts=["/opt/app/o/.:o;/opt/app/p/file:o/in;/opt/app/p/file:inner"])
    root = unpacked("out/rt")
    check("it is there", [read(root, "opt/app/o/inner/file"), read(root, "opt/app/final")], ["taken\n", "taken\n"])


def test_small():
    note("a builder without tar and without a shell")

    def strip(folder):
        for name in APPLETS:
            os.unlink(f"{folder}/bin/{name}")
    small = builder("small", {"assemble": "#!/bin/busybox sh\n/bin/busybox cp -R /tmp/src/app.txt /opt/app/\n",
                              "run": "#!/bin/busybox true\n"}, change=strip)
    built("small", small, tags=["registry.local/out/small"])
    check("files", read(unpacked("out/small"), "opt/app/app.txt"), "v1\n")
    note("an assemble without an interpreter line")
    plain = builder("plain", {**SCRIPTS, "assemble": "cp /tmp/src/app.txt /opt/app/\n"})
    built("plain", plain, tags=["registry.local/out/plain"])
    check("files", read(unpacked("out/plain"), "opt/app/app.txt"), "v1\n")


def test_failures(image):
    note("failures")
    failing = builder("failing", {**SCRIPTS, "assemble": "#!/bin/sh\necho broken >&2\nexit 7\n"})
    result = refused("a failing assemble", "AssembleFailed", "exit code 7", failing, tags=["registry.local/out/none"])
    check("exit code and class", (result.get("exitCode"), result.get("class"), result.get("kind")), (7, 4, "invalid"))
    contains("its words are in the log", result["log"], "broken\n")
    check("no image", os.path.exists(f"{REGISTRY}/registry.local/out/none/index.json"), False)
    slow = builder("slow", {**SCRIPTS, "assemble": "#!/bin/sh\necho begun\nsleep 60\n"})
    result = refused("a timeout", "AssembleFailed", "DeadlineExceeded", slow, wallMs=400)
    check("is one", result.get("timeout"), True)
    hungry = builder("hungry", {**SCRIPTS, "assemble": "#!/bin/sh\nset -e\ndd if=/dev/zero of=/dev/null bs=190M count=1\n"})
    result = build(hungry, memoryBytes=32 << 20)
    if "no writable cgroup" in result.get("error", ""):
        print("    (no cgroup here: memory limits are not tried)")
    else:
        check("out of memory", (result.get("reason"), result.get("oom"), result["status"]), ("OutOfMemoryKilled", True, 1))
    refused("no builder image", "PullBuilderImageFailed", "registry.local/none", "registry.local/none")
    refused("no interpreter", "AssembleFailed", "needs '/usr/bin/none'", builder(
        "odd", {**SCRIPTS, "assemble": "#!/usr/bin/none\n"}))
    weak = builder("weak", SCRIPTS, change=lambda folder: os.chmod(f"{folder}/usr/libexec/s2i/assemble", 0o644))
    refused("assemble that is not executable", "AssembleFailed", "may not be executed", weak)
    big = builder("big", {**SCRIPTS, "assemble": "#!/bin/sh\nmkdir -p /tmp/.s2i\necho '{\"labels\":[{\"a\":\"'$(head -c 11000 /dev/zero "
                          "| busybox tr '\\0' x)'\"}]}' >/tmp/.s2i/image_metadata.json\n"})
    refused("too many labels", "ContainerCommitFailed", "10240", big)
    wrong = builder("wrong", {**SCRIPTS, "assemble": "#!/bin/sh\nmkdir -p /tmp/.s2i\necho '{\"labels\":[{\"a\":1}]}' >/tmp/.s2i/image_metadata.json\n"})
    refused("labels that are no texts", "ContainerCommitFailed", "not a string", wrong)
    away = builder("away", {**SCRIPTS, "assemble": "#!/bin/sh\nmkdir -p /tmp/.s2i\nln -s /etc/shadow /tmp/.s2i/image_metadata.json\n"})
    built("a link as labels leads nowhere outside", away, tags=["registry.local/out/away"])
    check("nothing of it", inspect("out/away")[1]["config"]["Labels"].get("a"), None)

    note("cancelled and killed builds")
    for number in (signal.SIGTERM, signal.SIGKILL):
        process = start(slow, tags=["registry.local/out/killed"])
        while "begun" not in process.stderr.readline():
            pass
        process.send_signal(number)
        out, _ = process.communicate(timeout=30)
        if number == signal.SIGTERM:
            check("cancelled", json.loads(out).get("reason"), "CancelledBuild")
            check("nothing is left", os.listdir(f"{WORK}/tmp"), [])
    for _ in range(50):
        left = subprocess.run(["pgrep", "-f", "^/bin/sh /usr/libexec/s2i/assemble"], stdout=subprocess.PIPE, check=False).stdout
        if not left:
            break
        time.sleep(0.1)
    check("no process is left", left, b"")
    with open("/proc/mounts", encoding="utf-8") as file:
        check("no mount is left", [line for line in file if WORK in line], [])
    check("no image", os.path.exists(f"{REGISTRY}/registry.local/out/killed/index.json"), False)
    built("after it", image)
    check("the next one sweeps", glob.glob(f"{WORK}/tmp/*"), [])


def test_unprivileged():
    note("without root, in a user namespace")
    nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    if not shutil.which("setpriv") or subprocess.run([*nobody, "unshare", "--user", "true"], stderr=subprocess.DEVNULL,
                                                     check=False).returncode:
        print("    (there are no user namespaces here)")
        return
    home = f"{WORK}/nobody"
    shutil.copytree(f"{REGISTRY}/registry.local/python", f"{home}/registry/registry.local/python")
    shutil.copytree(f"{WORK}/app", f"{home}/app", symlinks=True)
    shutil.copy(DRIVER, f"{home}/driver")
    os.makedirs(f"{home}/tmp")
    write(f"{home}/spec.json", json.dumps({
        "registry": f"{home}/registry", "store": f"{home}/store", "work": f"{home}/tmp", "source": f"{home}/app",
        "builder": "registry.local/python", "tags": ["registry.local/out/app"], "env": {"OTHER": "spec"}, "incremental": True}))
    subprocess.run(["chown", "-R", "65534:65534", home], check=True)
    for want in (False, True):
        done = subprocess.run([*nobody, "env", "-i", "PATH=" + os.environ["PATH"], f"{home}/driver", f"{home}/spec.json"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        check("it is built", done.returncode, 0)
        if done.returncode:
            print(done.stderr)
            return
        check("incremental", json.loads(done.stdout)["incremental"], want)
    shutil.copytree(f"{home}/registry/registry.local/out/app", f"{REGISTRY}/registry.local/out/nobody")
    names = entries("out/nobody")
    check("owners", {name: f"{names[name].uid}:{names[name].gid} {names[name].mode:o}" for name in (
        "tmp", "opt", "opt/app", "opt/app/how", "tmp/src/app.txt", "opt/app/shut", "opt/app/closed", "opt/app/.wh.gone")}, {
            "opt/app/shut": "1001:0 0", "opt/app/closed": "1001:0 0",
            "tmp": "0:0 1777", "opt": "0:0 755", "opt/app": "1001:0 755", "opt/app/how": "1001:0 644",
            "tmp/src/app.txt": "1001:0 644", "opt/app/.wh.gone": "0:0 644"})
    check("files", read(unpacked("out/nobody"), "opt/app/how"), "reused\n")
    check("nothing is left", os.listdir(f"{home}/tmp"), [])


def main():
    image = test_result()
    test_same(image)
    test_incremental(image)
    test_scripts(image)
    test_users(image)
    test_inputs(image)
    test_runtime(image)
    test_small()
    test_failures(image)
    test_unprivileged()
    print(f"{len(failed)} checks failed" if failed else "all is well")
    sys.exit(1 if failed else 0)


main()
