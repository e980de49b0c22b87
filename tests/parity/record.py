# SPDX-License-Identifier: Apache-2.0
"""Writes what a step made as an expectation in the form of the lifecycle parity suite (its README, "expected/STEP")."""
import gzip
import hashlib
import io
import json
import os
import shutil
import tarfile

REF_NAME = "org.opencontainers.image.ref.name"
KINDS = {b"0": "file", b"\0": "file", b"1": "hardlink", b"2": "symlink", b"3": "char", b"4": "block", b"5": "dir",
         b"6": "fifo"}
# Layers of the cases' buildpacks in which they put down what they saw.
TOLD = ("/seen/", "/plan/")


def dump(path, value):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(value, file, indent=2, sort_keys=True)
        file.write("\n")


def escape(text):
    return "".join(chr(c) if 33 <= c < 127 and c != 37 else "%%%02X" % c for c in text.encode("utf-8", "surrogateescape"))


def entry_line(tar, entry):
    kind = KINDS.get(entry.type, "?")
    line = "%s %04o %d:%d %d %s" % (kind, entry.mode, entry.uid, entry.gid, int(entry.mtime), escape(entry.name))
    if kind == "file":
        line += " %d" % entry.size
    if kind in ("symlink", "hardlink"):
        line += " -> " + escape(entry.linkname)
    if entry.pax_headers:
        line += " pax:" + ",".join(sorted(entry.pax_headers))
    if kind == "file":
        line += " sha256:" + hashlib.sha256(tar.extractfile(entry).read()).hexdigest()
    return line


def layers(dest, blob, manifest, config):
    """tars.txt, and seen.txt for people."""
    tars, seen = [], []
    for number, layer in enumerate(manifest["layers"]):
        created_by = config["history"][number].get("created_by", "")
        tars.append(("# layer %d %s %s" % (number, config["rootfs"]["diff_ids"][number], created_by)).rstrip())
        with tarfile.open(fileobj=io.BytesIO(gzip.decompress(blob(layer))), encoding="utf-8",
                          errors="surrogateescape") as tar:
            for entry in tar:
                tars.append(entry_line(tar, entry))
                name = "/" + entry.name.lstrip("/")
                if entry.isreg() and name.startswith("/layers/") and any(part in name for part in TOLD):
                    text = tar.extractfile(entry).read().decode("utf-8", "backslashreplace")
                    seen.append("==> %s\n%s" % (name, text if text.endswith("\n") else text + "\n"))
                if name == "/layers/config/metadata.toml":
                    with open(dest + "/metadata.toml", "wb") as file:
                        file.write(tar.extractfile(entry).read())
    with open(dest + "/tars.txt", "w", encoding="utf-8") as file:
        file.write("\n".join(tars) + "\n")
    if seen:
        with open(dest + "/seen.txt", "w", encoding="utf-8") as file:
            file.write("\n".join(seen))


def image(dest, layout, tag):
    def blob(descriptor):
        with open(os.path.join(layout, "blobs", *descriptor["digest"].split(":")), "rb") as file:
            return file.read()

    with open(layout + "/index.json", encoding="utf-8") as file:
        found = [one for one in json.load(file)["manifests"] if one.get("annotations", {}).get(REF_NAME) == tag]
    manifest = json.loads(blob(found[0]))
    config = json.loads(blob(manifest["config"]))
    history = config.get("history", [])
    shown = [{"media_type": layer["mediaType"], "diff_id": config["rootfs"]["diff_ids"][number],
              "created_by": history[number].get("created_by", "")} for number, layer in enumerate(manifest["layers"])]
    dump(dest + "/manifest.json", {"media_type": manifest["mediaType"], "config": manifest["config"]["mediaType"],
                                   "layers": shown})
    labels = config["config"].get("Labels") or {}
    for name, value in labels.items():
        if value[:1] not in ("{", "["):
            continue
        parsed = json.loads(value)
        if name == "io.buildpacks.build.metadata":
            parsed.pop("launcher", None)
        os.makedirs(dest + "/labels", exist_ok=True)
        dump("%s/labels/%s.json" % (dest, name), parsed)
        labels[name] = {"json": "labels/%s.json" % name}
    dump(dest + "/config.json", config)
    layers(dest, blob, manifest, config)


def keep(dest, name, path):
    if os.path.exists(path) and os.path.getsize(path) > 0:
        shutil.copyfile(path, os.path.join(dest, name))


def neutral_report(dest):
    path = dest + "/report.toml"
    if not os.path.exists(path):
        return
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    with open(path, "w", encoding="utf-8") as file:
        for line in lines:
            key = line.split("=")[0].strip()
            if key == "digest":
                line = line.split("=")[0] + '= "sha256:<app image digest>"'
            if key == "manifest-size":
                line = line.split("=")[0] + "= <size>"
            file.write(line + "\n")


def cache(dest, folder):
    committed = os.path.join(folder, "committed")
    blobs = sorted("sha256:" + name[:-len(".tar.gz")] for name in os.listdir(committed) if name.endswith(".tar.gz"))
    with open(committed + "/metadata.json", encoding="utf-8") as file:
        dump(dest + "/cache.json", {"metadata": json.load(file), "blobs": blobs})


def last_error(text):
    lines = [line for line in text.splitlines() if line.startswith("ERROR: ")]
    return {"error": lines[-1]} if lines else {}


def step(dest, step, about, done):
    shutil.rmtree(dest, ignore_errors=True)
    os.makedirs(dest)
    result = {"exit_code": done.returncode, **last_error(done.stderr.decode(errors="replace"))}
    if step["do"] == "launch":
        result["stdout"] = done.stdout.decode("utf-8", "surrogateescape")
    dump(dest + "/result.json", result)
    if step["do"] == "launch":
        return
    if step["do"] == "build":
        for name in ("group.toml", "plan.toml"):
            keep(dest, name, os.path.join(about["layers"], name))
    if step.get("record") == "detect" or done.returncode != 0:
        return
    keep(dest, "report.toml", about["report"])
    neutral_report(dest)
    place, _, tag = step["image"].rpartition(":")
    image(dest, os.path.join(about["registry"], place), tag)
    if step.get("cache"):
        cache(dest, about["cache"])


def differs(ours, theirs):
    """Exit code and layers tell of every difference that is listed."""
    def told(folder):
        path = folder + "/tars.txt"
        with open(folder + "/result.json", encoding="utf-8") as file:
            code = json.load(file)["exit_code"]
        if not os.path.exists(path):
            return code, ""
        with open(path, encoding="utf-8") as file:
            return code, file.read()
    return told(ours) != told(theirs)
