# SPDX-License-Identifier: Apache-2.0
"""objects.py: git objects by one `git cat-file --batch`; each is read once."""
import subprocess


class Objects:
    def __init__(self, folder, env):
        self.pipe = subprocess.Popen(["git", "cat-file", "--batch"], cwd=folder, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.read = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.pipe.stdin.close()
        self.pipe.stdout.close()
        self.pipe.wait()

    def get(self, name):
        """Id, type and bytes; None where there is no such object."""
        if name in self.read:
            return self.read[name]
        self.pipe.stdin.write(name.encode() + b"\n")
        self.pipe.stdin.flush()
        head = self.pipe.stdout.readline().decode().split()
        found = None
        if len(head) == 3:
            found = head[0], head[1], self.pipe.stdout.read(int(head[2]))
            self.pipe.stdout.read(1)
            self.read[head[0]] = found
        return found

    def text(self, name):
        return self.get(name)[2].decode(errors="replace")

    def files(self, name):
        """Path → id of all files below a commit or tree."""
        kind, data = self.get(name)[1:]
        if kind == "commit":
            return self.files(data.split(None, 2)[1].decode())
        found, at = {}, 0
        while at < len(data):
            end = data.index(b"\0", at)
            mode, path = data[at:end].decode().split(" ", 1)
            oid, at = data[end + 1:end + 21].hex(), end + 21
            if mode == "40000":
                found.update((f"{path}/{below}", one) for below, one in self.files(oid).items())
            else:
                found[path] = oid
        return found

    def history(self, commit, until=None):
        """First parents, oldest first, from behind `until`."""
        found = []
        while commit and commit != until:
            found.append(commit)
            head = self.text(commit).split("\n\n", 1)[0].splitlines()
            commit = next((line[7:] for line in head if line.startswith("parent ")), None)
        return found[::-1], commit == until
