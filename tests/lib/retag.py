#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Many tags out of one: the image's manifest with another annotation each, so that every tag has a digest of its own.

    retag.py HOST:PORT/REPO TAG PREFIX COUNT      makes PREFIX0 … PREFIX<COUNT-1>; plain HTTP
"""
import http.client
import json
import sys

ACCEPT = ", ".join(["application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json",
                    "application/vnd.docker.distribution.manifest.v2+json",
                    "application/vnd.docker.distribution.manifest.list.v2+json"])


def main():
    host, repo = sys.argv[1].split("/", 1)
    tag, prefix, count = sys.argv[2], sys.argv[3], int(sys.argv[4])
    client = http.client.HTTPConnection(host)
    client.request("GET", f"/v2/{repo}/manifests/{tag}", headers={"Accept": ACCEPT})
    answer = client.getresponse()
    kind, body = answer.headers["Content-Type"], answer.read()
    if answer.status != 200:
        sys.exit(f"retag.py: {sys.argv[1]}:{tag}: {answer.status}")
    for i in range(count):
        manifest = json.loads(body)
        manifest["annotations"] = {"example.com/n": f"{prefix}{i}"}
        client.request("PUT", f"/v2/{repo}/manifests/{prefix}{i}", json.dumps(manifest).encode(), {"Content-Type": kind})
        answer = client.getresponse()
        text = answer.read()
        if answer.status != 201:
            sys.exit(f"retag.py: {sys.argv[1]}:{prefix}{i}: {answer.status} {text.decode()}")


main()
