#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Images that tests need and ci/oci-image cannot make, in an OCI layout: several layers, other compressions, Docker media types,
indexes, packages of several buildpacks, builders as `pack builder create` lays them out.

    oci.py image LAYOUT TAG [--base TAG] [--layer DIR|TAR]... [OPTIONS]
    oci.py buildpackage LAYOUT TAG FOLDER... [--flatten] [OPTIONS]     the first folder is the package's own buildpack
    oci.py builder LAYOUT TAG --base TAG --run-image REF --order JSON [--extension DIR] FOLDER...
    oci.py index LAYOUT TAG PLATFORM=TAG...                            PLATFORM is os/arch[/variant]
    oci.py config LAYOUT TAG                                           prints the image's config
OPTIONS: --compress gzip|zstd|none, --docker, --label K=V, --env K=V, --user U, --arch A, --os O

Buildpack folders are what their authors publish: buildpack.toml says the id, the version, the order. Needs zstd(1) for zstd."""

import argparse
import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import tomllib

EPOCH = 315532801  # 1980-01-01T00:00:01Z, what pack gives every file
OCI = "application/vnd.oci.image."
DOCKER = "application/vnd.docker."
LAYER_TYPES = {
    False: {"gzip": OCI + "layer.v1.tar+gzip", "zstd": OCI + "layer.v1.tar+zstd", "none": OCI + "layer.v1.tar"},
    True: {"gzip": DOCKER + "image.rootfs.diff.tar.gzip", "zstd": DOCKER + "image.rootfs.diff.tar.zstd",
           "none": DOCKER + "image.rootfs.diff.tar"},
}


def die(text):
    sys.exit(f"oci.py: {text}")


class Layout:
    def __init__(self, path):
        self.path = path
        os.makedirs(f"{path}/blobs/sha256", exist_ok=True)
        with open(f"{path}/oci-layout", "w", encoding="utf-8") as file:
            file.write('{"imageLayoutVersion":"1.0.0"}')

    def put(self, data, media_type):
        digest = hashlib.sha256(data).hexdigest()
        with open(f"{self.path}/blobs/sha256/{digest}", "wb") as file:
            file.write(data)
        return {"mediaType": media_type, "digest": "sha256:" + digest, "size": len(data)}

    def put_json(self, value, media_type):
        return self.put(json.dumps(value).encode(), media_type)

    def get_json(self, descriptor):
        with open(f"{self.path}/blobs/sha256/{descriptor['digest'][7:]}", encoding="utf-8") as file:
            return json.load(file)

    def index(self):
        try:
            with open(f"{self.path}/index.json", encoding="utf-8") as file:
                return json.load(file)
        except FileNotFoundError:
            return {"schemaVersion": 2, "mediaType": OCI + "index.v1+json", "manifests": []}

    def find(self, tag):
        for entry in self.index()["manifests"]:
            if entry.get("annotations", {}).get("org.opencontainers.image.ref.name") == tag:
                return {key: entry[key] for key in ("mediaType", "digest", "size")}
        die(f"no tag '{tag}' in '{self.path}'")

    def tag(self, descriptor, tag):
        index = self.index()
        name = "org.opencontainers.image.ref.name"
        index["manifests"] = [e for e in index["manifests"] if e.get("annotations", {}).get(name) != tag]
        index["manifests"].append({**descriptor, "annotations": {name: tag}})
        with open(f"{self.path}/index.json", "w", encoding="utf-8") as file:
            json.dump(index, file)
        print(descriptor["digest"])


def tar_of(add):
    """The bytes of a tar that add(tar) fills."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        add(tar)
    return buffer.getvalue()


def tar_of_folder(path):
    """Owners and hard links kept (by root), extended attributes too: what debootstrap leaves is a stack."""
    owner = ["--numeric-owner"] if os.geteuid() == 0 else ["--owner=0", "--group=0"]
    return subprocess.run(["tar", "-C", path, "--sort=name", "--xattrs", "--xattrs-include=*", "--format=pax",
                           "--pax-option=delete=atime,delete=ctime", *owner, "-cf", "-", "."], check=True, stdout=subprocess.PIPE).stdout


def entry(name, mode=0o755, kind=tarfile.DIRTYPE, data=b"", uid=0):
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.mtime, info.size, info.uid, info.gid = kind, mode, EPOCH, len(data), uid, uid
    return info, io.BytesIO(data)


def add_text(tar, name, text):
    tar.addfile(*entry(name, 0o644, tarfile.REGTYPE, text.encode()))


class Buildpack:
    def __init__(self, folder, kind="buildpack"):
        self.folder, self.kind = folder, kind
        with open(f"{folder}/{kind}.toml", "rb") as file:
            self.toml = tomllib.load(file)
        self.id, self.version = self.toml[kind]["id"], self.toml[kind].get("version", "0.0.1")
        self.prefix = f"/cnb/{kind}s/{self.id.replace('/', '_')}"

    def add(self, tar):
        tar.addfile(entry(self.prefix)[0])
        root = f"{self.prefix}/{self.version}"

        def normal(info):
            info.uid = info.gid = 0
            info.uname = info.gname = ""
            info.mtime = EPOCH
            info.mode = 0o755 if info.isdir() or info.mode & 0o111 else 0o644
            if info.islnk():
                info.linkname = root + "/" + os.path.relpath("/" + info.linkname, os.path.abspath(self.folder))
            return info
        for base, folders, files in os.walk(self.folder):
            folders.sort()
            below = os.path.relpath(base, self.folder)
            here = root if below == "." else f"{root}/{below}"
            tar.add(base, here, recursive=False, filter=normal)
            links = [name for name in folders if os.path.islink(f"{base}/{name}")]
            for name in sorted(files + links):
                tar.add(f"{base}/{name}", f"{here}/{name}", recursive=False, filter=normal)

    def record(self, diff_id):
        record = {"api": self.toml.get("api", "0.2"), "layerDiffID": diff_id}
        for key in ("stacks", "targets", "order"):
            if key in self.toml:
                record[key] = self.toml[key]
        for key in ("homepage", "name"):
            if key in self.toml[self.kind]:
                record[key] = self.toml[self.kind][key]
        return record

    def info(self):
        return {k: v for k, v in self.toml[self.kind].items() if k in ("id", "version", "homepage", "name")}


class Image:
    """An image being made: layers on top of a base, labels, one manifest."""

    def __init__(self, layout, options, base=None):
        self.layout, self.options = layout, options
        self.layers = []
        self.config = {"architecture": options.arch, "os": options.os, "created": "1980-01-01T00:00:01Z", "config": {},
                       "rootfs": {"type": "layers", "diff_ids": []}, "history": []}
        if base:
            manifest = layout.get_json(layout.find(base))
            self.config = layout.get_json(manifest["config"])
            self.layers = manifest["layers"]
        self.labels = self.config["config"].setdefault("Labels", {}) or {}
        self.config["config"]["Labels"] = self.labels

    def add(self, data, by="oci.py"):
        how = self.options.compress
        diff_id = "sha256:" + hashlib.sha256(data).hexdigest()
        if how == "gzip":
            data = gzip.compress(data, 1, mtime=0)
        elif how == "zstd":
            data = subprocess.run(["zstd", "-q", "-c", "-"], input=data, check=True, stdout=subprocess.PIPE).stdout
        self.layers.append(self.layout.put(data, LAYER_TYPES[self.options.docker][how]))
        self.config["rootfs"]["diff_ids"].append(diff_id)
        self.config.setdefault("history", []).append({"created": "1980-01-01T00:00:01Z", "created_by": by})
        return diff_id

    def write(self, tag):
        options, config = self.options, self.config["config"]
        self.labels.update(pair.split("=", 1) for pair in options.label)
        names = [pair.split("=", 1)[0] + "=" for pair in options.env]
        config["Env"] = [e for e in config.get("Env") or [] if not e.startswith(tuple(names))] + options.env
        if options.user:
            config["User"] = options.user
        docker = options.docker
        config_type = DOCKER + "container.image.v1+json" if docker else OCI + "config.v1+json"
        manifest_type = DOCKER + "distribution.manifest.v2+json" if docker else OCI + "manifest.v1+json"
        manifest = {"schemaVersion": 2, "mediaType": manifest_type, "config": self.layout.put_json(self.config, config_type),
                    "layers": self.layers}
        self.layout.tag(self.layout.put_json(manifest, manifest_type), tag)


def command_image(layout, options):
    image = Image(layout, options, options.base)
    for layer in options.layer:
        if os.path.isdir(layer):
            image.add(tar_of_folder(layer))
        else:
            with open(layer, "rb") as file:
                image.add(file.read())
    image.write(options.tag)


def add_buildpacks(image, folders, flatten=False):
    """Adds a layer for each buildpack (or one for all) and returns the label io.buildpacks.buildpack.layers."""
    packs = [Buildpack(folder) for folder in folders]
    label, together = {}, None
    if flatten:
        together = image.add(tar_of(lambda tar: [pack.add(tar) for pack in packs]))
    for pack in packs:
        diff_id = together or image.add(tar_of(pack.add))
        label.setdefault(pack.id, {})[pack.version] = pack.record(diff_id)
    return packs, label


def command_buildpackage(layout, options):
    image = Image(layout, options)
    packs, label = add_buildpacks(image, options.folders, options.flatten)
    image.labels["io.buildpacks.buildpackage.metadata"] = json.dumps(packs[0].info())
    image.labels["io.buildpacks.buildpack.layers"] = json.dumps(label)
    image.write(options.tag)


def command_builder(layout, options):
    image = Image(layout, options, options.base)
    user = int(image.config["config"]["User"].split(":")[0])
    order = json.loads(options.order)
    extensions = [Buildpack(folder, "extension") for folder in options.extension]

    def folders(tar):
        for name in ("/workspace", "/layers"):
            tar.addfile(entry(name, uid=user)[0])
        for name in ("/cnb", "/cnb/buildpacks", "/cnb/extensions", "/platform", "/platform/env", "/cnb/build-config",
                     "/cnb/build-config/env"):
            tar.addfile(entry(name)[0])
    image.add(tar_of(folders), "dirs")
    packs, label = add_buildpacks(image, options.folders, options.flatten)
    extension_label = {}
    for one in extensions:
        extension_label.setdefault(one.id, {})[one.version] = one.record(image.add(tar_of(one.add)))
    text = "".join("[[order]]\n" + "".join(
        "\n  [[order.group]]\n" + "".join(f"    {key} = {json.dumps(value)}\n" for key, value in member.items())
        for member in group["group"]) for group in order)
    if extensions:
        text += "[[order-extensions]]\n" + "".join(
            f'\n  [[order-extensions.group]]\n    id = "{one.id}"\n    version = "{one.version}"\n' for one in extensions)
    image.add(tar_of(lambda tar: add_text(tar, "/cnb/order.toml", text)), "order")
    image.add(tar_of(lambda tar: add_text(tar, "/cnb/stack.toml", f'[run-image]\n  image = "{options.run_image}"\n')), "stack")
    image.add(tar_of(lambda tar: add_text(tar, "/cnb/run.toml", f'[[images]]\n  image = "{options.run_image}"\n')), "run")
    image.labels.update({
        "io.buildpacks.builder.metadata": json.dumps({
            "description": "", "buildpacks": [pack.info() for pack in packs], "extensions": [one.info() for one in extensions],
            "stack": {"runImage": {"image": options.run_image, "mirrors": None}},
            "lifecycle": {"version": "0.20.0", "api": {"buildpack": "0.7", "platform": "0.7"},
                          "apis": {"buildpack": {"deprecated": [], "supported": ["0.7", "0.8", "0.9", "0.10", "0.11"]},
                                   "platform": {"deprecated": [], "supported": ["0.7", "0.12", "0.13"]}}},
            "createdBy": {"name": "oci.py", "version": "1"}, "images": [{"image": options.run_image, "mirrors": None}]}),
        "io.buildpacks.buildpack.layers": json.dumps(label),
        "io.buildpacks.buildpack.order": json.dumps(order)})
    if extensions:
        image.labels["io.buildpacks.extension.layers"] = json.dumps(extension_label)
        image.labels["io.buildpacks.buildpack.order-extensions"] = json.dumps(
            [{"group": [{"id": one.id, "version": one.version} for one in extensions]}])
    image.config["config"]["WorkingDir"] = "/layers"
    image.write(options.tag)


def command_index(layout, options):
    manifests = []
    for pair in options.members:
        platform, tag = pair.split("=", 1)
        system, arch, *variant = platform.split("/")
        named = {"os": system, "architecture": arch, **({"variant": variant[0]} if variant else {})}
        manifests.append({**layout.find(tag), "platform": named})
    kind = DOCKER + "distribution.manifest.list.v2+json" if options.docker else OCI + "index.v1+json"
    layout.tag(layout.put_json({"schemaVersion": 2, "mediaType": kind, "manifests": manifests}, kind), options.tag)


def command_config(layout, options):
    manifest = layout.get_json(layout.find(options.tag))
    print(json.dumps(layout.get_json(manifest["config"]), indent=1))


def main():
    arch = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
    parser = argparse.ArgumentParser(usage=__doc__)
    commands = parser.add_subparsers(required=True)
    for name, run in (("image", command_image), ("buildpackage", command_buildpackage), ("builder", command_builder),
                      ("index", command_index), ("config", command_config)):
        command = commands.add_parser(name)
        command.set_defaults(run=run)
        command.add_argument("layout")
        command.add_argument("tag")
        if name in ("buildpackage", "builder"):
            command.add_argument("folders", nargs="+")
        if name == "index":
            command.add_argument("members", nargs="+")
        for option in ("--label", "--env", "--layer", "--extension"):
            command.add_argument(option, action="append", default=[])
        for option in ("--base", "--user", "--run-image", "--order"):
            command.add_argument(option)
        command.add_argument("--compress", choices=("gzip", "zstd", "none"), default="gzip")
        command.add_argument("--arch", default=arch)
        command.add_argument("--os", default="linux")
        command.add_argument("--docker", action="store_true")
        command.add_argument("--flatten", action="store_true")
    options = parser.parse_args()
    options.run(Layout(options.layout), options)


main()
