#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Looks at every process below a run, many times a second, for words in arguments and environment: watch.py OUT PID WORD…"""
import os, sys, time
out, root, words = sys.argv[1], int(sys.argv[2]), [w.encode() for w in sys.argv[3:]]
seen, found = set(), set()
def parent(pid):
    with open(f"/proc/{pid}/stat", "rb") as f:
        return int(f.read().rsplit(b")", 1)[1].split()[1])
def read(pid, part):
    with open(f"/proc/{pid}/{part}", "rb") as f:
        return f.read()
def is_over():
    try:
        with open(f"/proc/{root}/stat", "rb") as f:
            return f.read().rsplit(b")", 1)[1].split()[0] == b"Z"
    except OSError:
        return True
while not is_over():
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            at, depth = int(pid), 0
            while at > 1 and at != root and depth < 64:
                at, depth = parent(at), depth + 1
            if at != root or int(pid) == root:
                continue
            # Until a child executes its program it is a copy of the run itself, whose environment is the user's own.
            said = read(pid, "cmdline")
            if said == read(root, "cmdline"):
                continue
            seen.add(pid)
            for part, data in (("cmdline", said), ("environ", read(pid, "environ"))):
                found.update((part, w, data[:80]) for w in words if w in data)
        except OSError:
            pass
    time.sleep(0.02)
with open(out, "w") as f:
    print(f"{len(seen)} processes", file=f)
    for one in found:
        print("found", one, file=f)
