# SPDX-License-Identifier: Apache-2.0
"""Layers and images of a test's own, in OCI layouts: <root>/<host>/<repository> is one."""
import functools
import gzip
import hashlib
import io
import json
import os
import tarfile

REF_NAME = "org.opencontainers.image.ref.name"
OWNERS = {}  # of names in layers that are not root's
OCI = "application/vnd.oci.image."
DOCKER = "application/vnd.docker."
KINDS = {
    False: (OCI + "config.v1+json", OCI + "layer.v1.tar+gzip", OCI + "manifest.v1+json"),
    True: (DOCKER + "container.image.v1+json", DOCKER + "image.rootfs.diff.tar.gzip", DOCKER + "distribution.manifest.v2+json"),
}


def sha(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def layer_of(entries):
    """A layer from (name, mode, content or None for a folder, link)."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, mode, content, link in entries:
            info = tarfile.TarInfo(name)
            info.mode, data = mode, None
            info.uid = OWNERS.get(name, 0)
            if link:
                info.type, info.linkname = tarfile.SYMTYPE, link
            elif content is None:
                info.type = tarfile.DIRTYPE
            else:
                info.size, data = len(content), io.BytesIO(content)
            tar.addfile(info, data)
    return buffer.getvalue()


@functools.lru_cache(maxsize=16)
def packed(layer):
    return gzip.compress(layer, mtime=0)


class Layouts:
    def __init__(self, root):
        self.root = root

    def blob(self, place, data, kind):
        blobs = os.path.join(self.root, place, "blobs/sha256")
        os.makedirs(blobs, exist_ok=True)
        with open(os.path.join(blobs, sha(data)[7:]), "wb") as file:
            file.write(data)
        return {"mediaType": kind, "digest": sha(data), "size": len(data)}

    def put(self, reference, layers, config, docker=False):
        """Makes an image and tags it; its pinned reference."""
        place, _, tag = reference.rpartition(":")
        config_kind, layer_kind, manifest_kind = KINDS[docker]
        image = {"architecture": "amd64", "os": "linux", "config": config, "created": "2020-01-01T00:00:00Z",
                 "rootfs": {"type": "layers", "diff_ids": [sha(layer) for layer in layers]}}
        manifest = {"schemaVersion": 2, "mediaType": manifest_kind,
                    "config": self.blob(place, json.dumps(image).encode(), config_kind),
                    "layers": [self.blob(place, packed(layer), layer_kind) for layer in layers]}
        entry = self.blob(place, json.dumps(manifest).encode(), manifest_kind)
        index_path = os.path.join(self.root, place, "index.json")
        index = {"schemaVersion": 2, "manifests": []}
        if os.path.exists(index_path):
            with open(index_path, encoding="utf-8") as file:
                index = json.load(file)
        index["manifests"] = [one for one in index["manifests"] if one.get("annotations", {}).get(REF_NAME) != tag]
        index["manifests"].append({**entry, "annotations": {REF_NAME: tag}})
        with open(index_path, "w", encoding="utf-8") as file:
            json.dump(index, file)
        with open(os.path.join(self.root, place, "oci-layout"), "w", encoding="ascii") as file:
            file.write('{"imageLayoutVersion":"1.0.0"}')
        return place + "@" + entry["digest"]

    def json(self, place, digest):
        with open(os.path.join(self.root, place, "blobs/sha256", digest[7:]), encoding="utf-8") as file:
            return json.load(file)

    def read(self, pinned):
        place, _, digest = pinned.partition("@")
        manifest = self.json(place, digest)
        return manifest, self.json(place, manifest["config"]["digest"])

    def tag(self, reference):
        place, _, tag = reference.rpartition(":")
        with open(os.path.join(self.root, place, "index.json"), encoding="utf-8") as file:
            for entry in json.load(file)["manifests"]:
                if entry.get("annotations", {}).get(REF_NAME) == tag:
                    return entry["digest"]
        return None
