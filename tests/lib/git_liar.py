#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""git_liar.py FAULT TIMES FOLDER [OPTIONS] COMMAND: stands where ssh would be. It runs COMMAND, git's own server, and answers
pushes in the way of FAULT, TIMES times in all (counted in FOLDER); what is not a push, and every later one, passes untouched.

Faults behind a push that was done say otherwise, or nothing; faults instead of one leave the repository as it is."""
import os
import subprocess
import sys

REF = b"refs/heads/s"


def packet(text):
    return b"%04x%s" % (len(text) + 4, text)


def report(*lines):
    """As the server gives it: packets within a packet of side band 1."""
    return packet(b"\1" + b"".join(packet(line) for line in lines) + b"0000") + b"0000"


DONE = {
    "silence": lambda real: b"",
    "half": lambda real: real[:len(real) // 2],
    "band-3": lambda real: packet(b"\3fatal: the hook behind it died\n"),
    "err": lambda real: packet(b"ERR the server goes down for maintenance"),
    "page": lambda real: b"<html><title>Welcome to our network</title></html>",
    "ng": lambda real: report(b"unpack ok\n", b"ng " + REF + b" failed to update ref\n"),
    "other-ref": lambda real: report(b"unpack ok\n", b"ok refs/heads/other\n"),
    "no-unpack": lambda real: report(b"ok " + REF + b"\n"),
    "band-9": lambda real: packet(b"\11what") + b"0000",
    "flush": lambda real: b"0000",
}
NOT_DONE = {
    "refused-control": report(b"unpack ok\n", b"ng " + REF + b" \x1b[31mno\x07 way\x1b[0m\n"),
    "refused-empty": report(b"unpack ok\n", b"ng " + REF + b"\n"),
    "refused-long": report(b"unpack ok\n", b"ng " + REF + b" " + 60000 * b"z" + b"\n"),
    "refused-hook": report(b"unpack ok\n", b"ng " + REF + b" pre-receive hook declined\n"),
    "refused-protected": report(b"unpack ok\n", b"ng " + REF + b" protected branch hook declined\n"),
    "refused-lock": report(b"unpack ok\n", b"ng " + REF + b" failed to lock\n"),
    "refused-pack": report(b"unpack index-pack abnormal exit\n", b"ng " + REF + b" unpacker error\n"),
    "refused-nothing": report(b"unpack ok\n"),
    "refused-other": report(b"unpack ok\n", b"ok refs/heads/other\n"),
    "dead": b"",
}


def count(folder):
    path = os.path.join(folder, "count")
    with open(path, "a+b") as file:
        file.write(b".")
        return file.tell()


def read_exactly(file, n):
    data = file.read(n)
    if len(data) != n:
        sys.exit("the server ended")
    return data


def read_advert(file):
    data = b""
    while True:
        head = read_exactly(file, 4)
        data += head
        if head == b"0000":
            return data
        data += read_exactly(file, int(head, 16) - 4)


def say(data):
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def main():
    fault, times, folder, command = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[-1]
    if fault == "chatty":  # more than a pipe holds, before the first word of the protocol
        sys.stderr.write(300 * 1024 * "x" + "\n")
        sys.stderr.flush()
    if not command.startswith("git-receive-pack") or count(folder) > times or fault == "chatty":
        os.execvp("sh", ["sh", "-c", command])
    if fault == "garbage":
        say(b"Last login: today\r\n")
        return
    if fault in NOT_DONE:
        advert = command.replace("git-receive-pack ", "git-receive-pack --http-backend-info-refs ", 1)
        say(subprocess.run(["sh", "-c", advert], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True).stdout)
        os.read(0, 1 << 20)
        say(NOT_DONE[fault])
        return
    # The real server reads what the client says; its answer is ours.
    child = subprocess.Popen(["sh", "-c", command], stdout=subprocess.PIPE)
    say(read_advert(child.stdout))
    say(DONE[fault](child.stdout.read()))
    child.wait()


main()
