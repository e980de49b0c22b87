#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# hostile_archives.py FOLDER: archives for test_archive.c, good ones and those that want out, or too much.
import gzip, io, lzma, os, shutil, subprocess, sys, tarfile, zipfile

os.chdir(sys.argv[1])


def info(name, data=None, mode=0o644, **more):
    entry = tarfile.TarInfo(name)
    entry.mode = mode
    entry.size = len(data) if data is not None else 0
    for key, value in more.items():
        setattr(entry, key, value)
    return entry, data


def folder(name):
    return info(name, type=tarfile.DIRTYPE, mode=0o700)


def link(name, target, kind=tarfile.SYMTYPE):
    return info(name, type=kind, linkname=target)


def tar(path, *entries):
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as out:
        for entry, data in entries:
            out.addfile(entry, io.BytesIO(data) if data is not None else None)


def zipped(path, *entries):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, data, mode in entries:
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = mode << 16
            entry.create_system = 3
            out.writestr(entry, data)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)


GZIP = dict(mtime=0)
tar("app.tar", folder("src"), info("src/main.txt", b"main", 0o600), info("./run", b"#!", 0o4711), info("grün/ü.txt", b"umlaut"),
    info(".git/config", b"secret"))
write("app.tar.gz", gzip.compress(read("app.tar"), **GZIP))
write("app.tar.xz", lzma.compress(read("app.tar")))
if shutil.which("zstd"):
    subprocess.run(["zstd", "-q", "app.tar"], check=True)
zipped("app.zip", ("src/", b"", 0o40755), ("src/main.txt", b"main", 0o100644), ("run", b"#!", 0o100755), ("grün/ü.txt", b"umlaut", 0o100644),
       (".git/config", b"secret", 0o100644))
shutil.copy("app.zip", "app.jar")
shutil.copy("app.zip", "app.war")
shutil.copy("app.tar", "tar-that-says-zip.zip")
# A jar that is a shell script too: its directory is found from the end.
with open("self-running.jar", "wb") as out:
    out.write(b"#!/bin/sh\nexec java -jar \"$0\"\n")
with zipfile.ZipFile("self-running.jar", "a", zipfile.ZIP_DEFLATED) as out, zipfile.ZipFile("app.zip") as source:
    for entry in source.infolist():
        copy = zipfile.ZipInfo(entry.filename)
        copy.external_attr, copy.create_system = entry.external_attr, 3
        out.writestr(copy, source.read(entry))

tar("links.tar", info("file", b"file"), link("a/b/up", "../../file"), link("hard", "file", tarfile.LNKTYPE), link("dangling", "nothing/here"),
    link("self", "."))

tar("absolute.tar", info("/tmp/reconcile-escaped", b"x"))
zipped("absolute.zip", ("/tmp/reconcile-escaped", b"x", 0o100644))
tar("dotdot.tar", info("../escaped", b"x"))
zipped("dotdot.zip", ("../escaped", b"x", 0o100644))
tar("dotdot-middle.tar", folder("a"), info("a/../../escaped", b"x"))
tar("link-absolute.tar", link("a", "/etc/passwd"))
tar("link-dotdot.tar", folder("d"), link("d/a", "../../escaped"))
zipped("link-dotdot.zip", ("a", b"../escaped", 0o120777))
# The text of "out" stays inside; over "up", which is the root's child, it does not.
tar("link-over-link.tar", folder("d/e/f"), link("d/e/f/up", "../.."), link("out", "d/e/f/up/../.."))
tar("link-then-file.tar", folder("d"), link("a", "d"), info("a/escaped", b"x"))
tar("link-then-folder.tar", link("a", "."), folder("a/b"))
tar("hardlink-out.tar", link("a", "../../escaped", tarfile.LNKTYPE))
tar("hardlink-absolute.tar", link("a", "/etc/passwd", tarfile.LNKTYPE))
tar("hardlink-to-link.tar", info("f", b"x"), link("l", "f"), link("a", "l", tarfile.LNKTYPE))
tar("device.tar", info("null", type=tarfile.CHRTYPE, devmajor=1, devminor=3))
tar("block.tar", info("disk", type=tarfile.BLKTYPE, devmajor=8, devminor=0))
tar("fifo.tar", info("pipe", type=tarfile.FIFOTYPE))
tar("control.tar", info("a\x1b[31m", b"x"))
tar("long-part.tar", info("a" * 256, b"x"))
tar("long-name.tar", info("/".join(["a" * 200] * 30), b"x"))
tar("deep.tar", info("/".join(["a"] * 300), b"x"))
tar("file-then-folder.tar", info("a", b"x"), info("a/b", b"x"))
tar("folder-then-file.tar", folder("a"), info("a/b", b"x"), info("a", b"x"))

zeros = bytes(96 << 20)
tar("bomb.tar", info("zeros", zeros))
write("bomb.tar.gz", gzip.compress(read("bomb.tar"), 6, **GZIP))
zipped("bomb.zip", ("zeros", zeros, 0o100644))
tar("bomb.tar", info(".git/zeros", zeros))
write("bomb-in-git.tar.gz", gzip.compress(read("bomb.tar"), 6, **GZIP))
os.remove("bomb.tar")
tar("bomb.tar", info("zeros", zeros))
write("bomb.tar.xz", lzma.compress(read("bomb.tar"), preset=0))
os.remove("bomb.tar")
if shutil.which("zstd"):
    tar("zeros.tar", info("zeros", zeros))
    subprocess.run(["zstd", "-q", "--rm", "zeros.tar", "-o", "bomb.tar.zst"], check=True)


def forged(path, place, value):
    """One file of one byte, its header changed and the checksum right again."""
    header = bytearray(info("a", b"x")[0].tobuf(tarfile.USTAR_FORMAT))
    header[place:place + len(value)] = value
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    write(path, bytes(header) + b"x".ljust(512, b"\0") + bytes(1024))


forged("size-8-eib.tar", 124, b"\x80" + bytes(3) + b"\x7f" + b"\xff" * 7)
forged("size-negative.tar", 124, b"\xff" * 12)
forged("size-beyond.tar", 124, b"77777777777\0")
tar("size-pax-negative.tar", info("a", b"x", pax_headers={"size": "-1"}))
tar("names-twice.tar", info("a", b"1"), info("./a", b"2"), link("l", "a"), info("l", b"3"), folder("d"), folder("d/"))
# Few entries, many folders above them.
tar("folders.tar", *(info("/".join([str(i)] + ["d"] * 150), b"x") for i in range(20)))
tar("many.tar", *(info(str(i), b"") for i in range(2000)))
# GNU sparse 1.0: a map says that one byte stands for an exabyte.
tar("sparse.tar", info("GNUSparseFile.0/a", (b"1\n%d\n1\n" % (1 << 60)).ljust(512, b"\0") + b"x",
                       pax_headers={"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "a",
                                    "GNU.sparse.realsize": str((1 << 60) + 1)}))
# One header as large as many files, and many headers for one file.
tar("pax-large.tar", info("a", b"x", pax_headers={"comment": "x" * (2 << 20)}))
write("pax-large.tar.gz", gzip.compress(read("pax-large.tar"), 6, **GZIP))
with open("pax-flood.tar", "wb") as out:
    header = tarfile.TarInfo.create_pax_global_header({"comment": "x" * 60000})
    for _ in range(1500):
        out.write(header)
write("pax-flood.tar.gz", gzip.compress(read("pax-flood.tar") + read("app.tar"), 6, **GZIP))
for name in ("pax-large.tar", "pax-flood.tar"):
    os.remove(name)
write("twice.tar.gz.gz", gzip.compress(read("app.tar.gz"), **GZIP))
write("text.txt", b"hello\n" * 300)
write("empty", b"")
write("one-file.gz", gzip.compress(b"hello\n" * 300, **GZIP))
write("cut.tar.gz", read("app.tar.gz")[:150])
write("cut.zip", read("app.zip")[:150])
flipped = bytearray(read("app.zip"))
at = flipped.index(b"src/main.txt") + 12
flipped[at] ^= 0xFF
write("flipped.zip", bytes(flipped))

tar("layer1.tar", info("kept", b"1"), info("removed", b"1"), info("replaced", b"1"), info("opaque/old", b"1"), folder("real"), link("via", "/real"),
    info("was-folder/x", b"1"), info("was-file", b"1"), info("null", type=tarfile.CHRTYPE, devmajor=1, devminor=3))
tar("layer2.tar", info("/replaced", b"2"), info(".wh.removed", b""), info("opaque/new", b"2"), info("opaque/.wh..wh..opq", b""),
    info("via/through", b"2"))
tar("layer3.tar", info("was-folder", b"3"), folder("was-file"), info("was-file/x", b"3"), info("opaque/.wh.nothing", b""))
tar("layer-dotdot.tar", info("../escaped", b"x"))
tar("layer-link-out.tar", link("out", "/tmp"), info("out/reconcile-escaped", b"x"), link("up", "../.."), info("up/escaped", b"x"))
tar("layer-whiteout.tar", info(".wh...", b""), info("a/.wh..", b""))
