#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Image extensions that write Dockerfiles, by `reconcile worker` and a real engine: extend.py PROGRAM ENGINE (buildah, or docker
with DOCKER_HOST set). Images live in layouts; made of one statically linked busybox; no network."""
import os
import shutil
import sys
import unittest

ENGINE = sys.argv.pop(2)
import worker  # noqa: E402  takes PROGRAM
from worker import layer_of, sha  # noqa: E402

LIFECYCLE = "io.buildpacks.lifecycle.metadata"
REBASABLE = "io.buildpacks.rebasable"
USER = "1001:1000"
# What follows the images as they are for a build: what is in the environment, what the tool says, what is said of the run image.
BUILD = """#!/bin/sh
set -eu
mkdir -p "$1/seen"
unset CNB_BP_PLAN_PATH # another one every time
env >"$1/seen/env"
cat "$2/../layers/analyzed.toml" >"$1/seen/analyzed.toml"
id -u >"$1/seen/uid"
[ ! -x /bin/tool ] || tool >"$1/seen/tool"
[ ! -f /etc/added ] || cat /etc/added >"$1/seen/added"
printf '[types]\\nlaunch = true\\n' >"$1/seen.toml"
"""
TOOL = """ARG base_image
FROM ${base_image}
USER root
RUN printf '#!/bin/sh\\necho made by $TOOL\\n' >/bin/tool && chmod 755 /bin/tool
ENV TOOL=tool PATH=/opt/tool:/bin LD_LIBRARY_PATH=/opt/lib
ARG user_id
ARG group_id
USER ${user_id}:${group_id}
"""
ADD = "ARG base_image\nFROM ${base_image}\nUSER root\nRUN echo added >/etc/added\nENV ADDED=yes\nUSER 1001:1000\n"
LABEL = "LABEL io.buildpacks.rebasable=%s\n"


def folder(path):
    parts = path.split("/")
    return [("/".join(parts[:i + 1]), 0o755, None, None) for i in range(len(parts))]


class World(worker.World):
    def __init__(self, root):
        super().__init__(root)
        with open(shutil.which("busybox"), "rb") as file:
            busybox = file.read()
        names = ["sh", "cat", "mkdir", "ls", "env", "chmod", "id", "cp", "rm", "sleep", "test"]
        self.base = layer_of([("bin", 0o755, None, None), ("bin/busybox", 0o755, busybox, None)]
                             + [("bin/" + name, 0o777, None, "busybox") for name in names]
                             + [("etc", 0o755, None, None), ("home", 0o755, None, None), ("home/cnb", 0o777, None, None), ("tmp", 0o1777, None, None),
                                ("etc/passwd", 0o644, b"root:x:0:0::/:/bin/sh\ncnb:x:1001:1000::/home/cnb:/bin/sh\n", None)])
        self.run_image = self.run("run", b"1")

    def put_run_image(self, version):
        return None

    def run(self, name, version=None, distro="here", **config):
        """A run image; with a request, the worker."""
        if isinstance(name, dict):
            return super().run(name)
        layers = [self.base, layer_of([("etc", 0o755, None, None), ("etc/version", 0o644, version, None)])]
        return self.layouts.put(f"registry.local/{name}:1", layers, {
            "Env": ["PATH=/bin"], "User": USER, "Labels": {"io.buildpacks.base.distro.name": distro, "io.buildpacks.base.distro.version": "1",
                                                           "io.buildpacks.stack.id": "test.stack"}, **config})

    def extension(self, name, files, static=False):
        """The entries of an extension whose bin/generate writes these files, or that has them already."""
        root = f"cnb/extensions/test_{name}/1"
        entries = folder(root) + [(root + "/extension.toml", 0o644, f'api = "0.10"\n[extension]\nid = "test/{name}"\nversion = "1"\n'.encode(), None)]
        if static:
            entries += [(root + "/generate", 0o755, None, None)]
            return entries + [(f"{root}/generate/{path}", 0o644, text.encode(), None) for path, text in files.items()]
        script = "#!/bin/sh\nset -eu\nenv >/layers/generate-env\n"
        for path, text in files.items():
            script += f"mkdir -p \"$CNB_OUTPUT_DIR/{os.path.dirname(path)}\"\ncat >\"$1/{path}\" <<'END'\n{text}END\n"
        return entries + [(root + "/bin", 0o755, None, None), (root + "/bin/generate", 0o755, script.encode(), None)]

    def builder(self, extensions, static=False, env=(), more=""):
        """`extensions`: name → files, all of one group."""
        root = "cnb/buildpacks/test_hello/1"
        entries = folder(root) + [
            (root + "/buildpack.toml", 0o644, b'api = "0.10"\n[buildpack]\nid = "test/hello"\nversion = "1"\n'
             b'[[targets]]\nos = "linux"\n[[targets.distros]]\nname = "here"\nversion = "1"\n', None), (root + "/bin", 0o755, None, None),
            (root + "/bin/detect", 0o755, b"#!/bin/sh\n", None), (root + "/bin/build", 0o755, BUILD.encode(), None)]
        order = '[[order]]\n[[order.group]]\nid = "test/hello"\nversion = "1"\n'
        if extensions:
            order += "[[order-extensions]]\n" + "".join(f'[[order-extensions.group]]\nid = "test/{name}"\nversion = "1"\n' for name in extensions)
        order += more
        for name, files in extensions.items():
            entries += self.extension(name, files, static)
        entries.append(("cnb/order.toml", 0o644, order.encode(), None))
        entries = list({entry[0]: entry for entry in entries}.values())
        return {"image": self.layouts.put("registry.local/builder:1", [self.base, layer_of(entries)], {
            "Env": ["PATH=/bin", "CNB_USER_ID=1001", "CNB_GROUP_ID=1000", "CNB_STACK_ID=test.stack", *env], "User": USER, "WorkingDir": "/layers"}),
                "runImage": self.run_image}

    def build(self, builder, **more):
        return super().build(builder, **{"bindings": [], "runImageName": "registry.local/run:1", "tags": ["registry.local/app:latest"], "engine": ENGINE,
                                         **more})


class ExtendTest(worker.WorkerTest):
    def setUp(self):
        self.folder = worker.tempfile.TemporaryDirectory(prefix="extend-")
        os.chmod(self.folder.name, 0o755)
        self.world = World(self.folder.name)

    def tearDown(self):
        # Files of subordinate users are theirs to remove.
        if os.geteuid() != 0:
            worker.subprocess.run(["buildah", "unshare", "rm", "-rf", self.folder.name + "/cache"], check=False, capture_output=True)
        super().tearDown()

    def image(self, extensions, static=False, env=(), **more):
        """Built with these extensions: (manifest, config, files of the buildpack's layer, log, event)."""
        event, log, _ = self.good(self.world.build(self.world.builder(extensions, static, env), **more))
        manifest, config = self.world.layouts.read(event["image"])
        names = [one.get("created_by", "") for one in config["history"]]
        at = next(i for i, name in enumerate(names) if "Created by buildpack" in name)
        files = {name.rpartition("/")[2]: data.decode() for name, data in self.layer_files(event["image"], at).items() if data is not None}
        return manifest, config, files, log, event

    def refused(self, extensions, code, *texts, **more):
        failure, log = self.bad(self.world.build(self.world.builder(extensions), **more))
        self.assertEqual(failure.get("exitCode"), code, failure)
        for text in texts:
            self.assertIn(text, failure["text"])
        self.assertNotIn("===> BUILD", log)
        return log

    def all_files(self, event):
        manifest, _ = self.world.layouts.read(event["image"])
        found = {}
        for number in range(len(manifest["layers"])):
            found.update({"/" + name.lstrip("./").rstrip("/"): data for name, data in self.layer_files(event["image"], number).items()})
        return found

    def test_a_tool_for_the_build(self):
        _, config, seen, log, event = self.image({"tool": {"build.Dockerfile": TOOL}})
        self.assertEqual(seen["tool"], "made by\n" if "TOOL=" not in seen["env"] else "made by tool\n")
        self.assertIn("PATH=/opt/tool:/bin\n", seen["env"])
        self.assertIn("LD_LIBRARY_PATH=/opt/lib\n", seen["env"])
        self.assertIn("HOME=/home/cnb\n", seen["env"])
        self.assertEqual(seen["uid"], "1001\n")
        self.assertNotIn("is not made for", log)
        self.assertNotIn("/bin/tool", self.all_files(event))
        self.assertEqual(config["config"]["Labels"][REBASABLE], "true")
        self.assertEqual([entry for entry in config["history"] if "extension" in entry.get("created_by", "")], [])
        self.assertIn("===> EXTEND", log)
        self.assertLess(log.index("===> RESTORE"), log.index("===> EXTEND"))
        self.assertLess(log.index("===> EXTEND"), log.index("===> BUILD"))
        self.assertNotIn("notRebasable", event)

    def test_a_file_for_the_run_image(self):
        """Between base and application, with its name; the rest is as before."""
        files = {"run.Dockerfile": "ARG base_image\nFROM ${base_image}\nUSER root\nARG VERSION\nARG build_id=0\nRUN echo added $VERSION >/etc/added && \\\n"
                                   "  test ${build_id} != 0\nCOPY page /srv/\nENV ADDED=yes\nARG user_id\nARG group_id\nUSER ${user_id}:${group_id}\n",
                 "extend-config.toml": "[[run.args]]\nname = \"VERSION\"\nvalue = \"7\"\n[[build.args]]\nname = \"VERSION\"\nvalue = \"8\"\n",
                 "context.run/page": "from the context\n"}
        manifest, config, seen, log, event = self.image({"file": files})
        self.assertEqual([one.get("created_by") for one in config["history"]][2:5],
                         ["Layer: 'RUN echo added $VERSION >/etc/added &&   test ${build_id} != 0', Created by extension: test/file",
                          "Layer: 'COPY page /srv/', Created by extension: test/file", "Layer: 'seen', Created by buildpack: test/hello@1"], log)
        self.assertEqual({one["created"] for one in config["history"]} | {config["created"]}, {"1980-01-01T00:00:01Z"})
        self.assertEqual(len(config["rootfs"]["diff_ids"]), len(manifest["layers"]))
        found = self.all_files(event)
        self.assertEqual((found["/etc/added"], found["/srv/page"]), (b"added 7\n", b"from the context\n"))
        self.assertNotIn("added", seen)
        self.assertEqual(config["config"]["User"], USER)
        self.assertIn("ADDED=yes", config["config"]["Env"])
        self.assertIn("PATH=/cnb/process:/cnb/lifecycle:/bin", config["config"]["Env"])
        self.assertEqual(config["config"]["WorkingDir"], "/workspace")
        labels = config["config"]["Labels"]
        self.assertEqual(labels[REBASABLE], "false")
        self.assertNotIn("io.buildah.version", labels)
        metadata = worker.json.loads(labels[LIFECYCLE])
        self.assertEqual(metadata["runImage"]["topLayer"], config["rootfs"]["diff_ids"][1])
        self.assertEqual(metadata["runImage"]["image"], "registry.local/run:1")
        self.assertIn('extend = true', seen["analyzed.toml"])
        self.assertTrue(event["notRebasable"])
        self.assertEqual([one["id"] for one in worker.json.loads(labels["io.buildpacks.build.metadata"])["extensions"]], ["test/file"])

    def test_arguments_are_no_environment(self):
        """Whoever wrote the builder names them: the engine and what it starts run as ever."""
        seen, runtime = self.folder.name + "/seen", self.folder.name + "/runtime"
        with open(runtime, "w", encoding="ascii") as file:
            file.write(f'#!/bin/sh\nenv >>{seen}\nexec crun "$@"\n')
        os.chmod(runtime, 0o755)
        names = ("MALLOC_CHECK_", "TZDIR", "XDG_CONFIG_HOME", "_PLAIN")
        files = {"build.Dockerfile": "ARG base_image\nFROM ${base_image}\nUSER root\n" + "".join(f"ARG {name}\n" for name in names)
                 + "RUN echo $" + " $".join(names) + " >/etc/added\nUSER 1001:1000\n",
                 "extend-config.toml": "".join(f'[[build.args]]\nname = "{name}"\nvalue = "brought by the image"\n' for name in names)}
        made = self.image({"args": files}, runtime=runtime)[2]
        self.assertEqual(made["added"], "brought by the image " * 3 + "brought by the image\n")
        with open(seen, encoding="utf-8") as file:
            env = file.read()
        self.assertIn("PATH=", env)
        self.assertNotIn("brought", env)

    def test_rebasable_when_all_say_so(self):
        for labels, want in ((("true", "1"), "true"), ((None, "true"), "false")):
            extensions = {f"e{i}": {"run.Dockerfile": ADD + (LABEL % label if label else "")} for i, label in enumerate(labels)}
            _, config, _, _, event = self.image(extensions)
            self.assertEqual(config["config"]["Labels"][REBASABLE], want, labels)
            self.assertEqual(event.get("notRebasable", False), want == "false")
            shutil.rmtree(self.folder.name + "/registry/registry.local/app")

    def test_rebased_with_its_own_layers(self):
        _, before, _, _, event = self.image({"file": {"run.Dockerfile": ADD + LABEL % "true"}})
        run = self.world.run("run", b"2")
        request = self.world.request("rebase", buildKey="sha256:" + "f" * 64, tags=["registry.local/app:latest"], previousImage=event["image"],
                                     runImage=run, runImageName="registry.local/run:1", reasons=[])
        rebased, _, _ = self.good(request)
        _, after = self.world.layouts.read(rebased["image"])
        self.assertEqual(after["rootfs"]["diff_ids"][2:], before["rootfs"]["diff_ids"][2:])
        found = self.all_files(rebased)
        self.assertEqual((found["/etc/version"], found["/etc/added"]), (b"2", b"added\n"))

    def test_another_run_image(self):
        other = self.world.run("other", b"other", distro="there")
        _, config, seen, log, event = self.image({"switch": {"run.Dockerfile": "FROM registry.local/other:1\n"}})
        self.assertEqual(event["runImage"], other)
        self.assertIn("buildpack 'test/hello@1' is not made for this run image", log)
        self.assertEqual(self.all_files(event)["/etc/version"], b"other")
        self.assertNotIn("===> EXTEND", log)
        self.assertIn("new runtime base image 'registry.local/other:1' not found in run metadata", log)
        self.assertIn('image = "registry.local/other:1"', seen["analyzed.toml"])
        self.assertIn(f'reference = "{other}"', seen["analyzed.toml"])
        self.assertIn("extend = false", seen["analyzed.toml"])
        self.assertIn("CNB_TARGET_DISTRO_NAME=there", seen["env"])
        metadata = worker.json.loads(config["config"]["Labels"][LIFECYCLE])
        self.assertEqual(metadata["runImage"], {"topLayer": config["rootfs"]["diff_ids"][1], "reference": other, "image": "registry.local/other:1"})
        self.assertEqual(config["config"]["Labels"][REBASABLE], "true")
        self.assertTrue(event["notRebasable"], "the stack's run image is not its base")

    def test_another_run_image_with_a_file(self):
        """What stands before the switch has no effect; what stands in it and behind it has."""
        self.world.run("other", b"other")
        _, config, _, log, event = self.image({
            "before": {"run.Dockerfile": "ARG base_image\nFROM ${base_image}\nRUN false\n"},
            "switch": {"run.Dockerfile": "FROM registry.local/other:1\nUSER root\nRUN cat /etc/version >/etc/copy\nUSER 1001:1000\n"},
            "behind": {"run.Dockerfile": ADD}})
        found = self.all_files(event)
        self.assertEqual((found["/etc/copy"], found["/etc/added"]), (b"other", b"added\n"))
        self.assertEqual([one.get("created_by", "").rpartition(" ")[2] for one in config["history"]][2:4], ["test/switch", "test/behind"], log)

    def test_one_after_the_other(self):
        """Each on what the one before gave, and with its user."""
        chain = "ARG base_image\nFROM ${base_image}\nARG user_id\nRUN echo %s as ${user_id} >>/tmp/chain\nUSER %s\n"
        for kind in ("build", "run"):
            extensions = {"one": {kind + ".Dockerfile": chain % ("one", "root")}, "two": {kind + ".Dockerfile": chain % ("two", USER)}}
            if kind == "build":
                extensions["last"] = {"build.Dockerfile": "ARG base_image\nFROM ${base_image}\nUSER root\nRUN cp /tmp/chain /etc/added\nUSER 1001\n"}
            _, _, seen, log, event = self.image(extensions)
            text = seen["added"] if kind == "build" else self.all_files(event)["/tmp/chain"].decode()
            self.assertEqual(text, "one as 1001\ntwo as root\n")
            self.assertIn("Extension 'test/one' changed the user ID from 1001 to root", log)
            shutil.rmtree(self.folder.name + "/registry/registry.local/app")

    def test_nothing_is_done_twice(self):
        extensions = {"both": {"build.Dockerfile": TOOL, "run.Dockerfile": ADD}}
        _, first, _, _, event = self.image(extensions)
        _, second, _, log, again = self.image(extensions, buildKey="sha256:" + "b" * 64, previousImage=event["image"])
        self.assertEqual(first["rootfs"]["diff_ids"][:3], second["rootfs"]["diff_ids"][:3])
        self.assertEqual(first["history"], second["history"])
        self.assertGreater(log.count("sing cache"), 1, log)
        self.assertIn("Reusing layer 'sha256:", log)
        self.assertNotEqual(event["image"], again["image"])  # of another build key

    def test_files_that_are_there_already(self):
        _, _, seen, _, event = self.image({"tool": {"build.Dockerfile": TOOL, "run.Dockerfile": ADD}}, static=True)
        self.assertIn("tool", seen)
        self.assertEqual(self.all_files(event)["/etc/added"], b"added\n")

    def test_the_application_is_the_context(self):
        _, _, _, _, event = self.image({"app": {"run.Dockerfile": "ARG base_image\nFROM ${base_image}\nCOPY hello.txt /srv/\n"}})
        self.assertEqual(self.all_files(event)["/srv/hello.txt"], b"hello\n")

    def test_the_whole_order_is_looked_at(self):
        """Also groups of extensions that are never tried, as with buildpacks."""
        builder = self.world.builder({"odd": {}}, more='[[order-extensions]]\n[[order-extensions.group]]\nid = "test/absent"\nversion = "1"\n')
        failure, _ = self.bad(self.world.build(builder))
        self.assertIn("extension 'test/absent@1'", failure["text"])

    def test_refused(self):
        head = "ARG base_image\nFROM ${base_image}\n"
        for files, text in (
                ({"build.Dockerfile": "FROM ${base_image}\nRUN true\n"}, "build.Dockerfile did not start with required ARG command"),
                ({"build.Dockerfile": "ARG base_image\nFROM registry.local/other:1\nRUN true\n"}, "did not contain required FROM ${base_image} command"),
                ({"build.Dockerfile": head + "FROM ${base_image}\n"}, "build.Dockerfile is not permitted to use multistage build"),
                ({"run.Dockerfile": head + "FROM ${base_image}\n"}, "run.Dockerfile is not permitted to use multistage build"),
                ({"run.Dockerfile": "ARG base_image\n"}, "run.Dockerfile should have at least one stage"),
                ({"run.Dockerfile": head + "MAKE it\n"}, "run.Dockerfile: line 3: unknown instruction: MAKE"),
                ({"run.Dockerfile": head + "RUN true\n", "extend-config.toml": "[[run.args]]\nname = \"user_id\"\nvalue = \"0\"\n"},
                 "arg with name 'user_id' is not allowed"),
                ({"run.Dockerfile": head + "RUN true\n", "context/a": "", "context.run/b": ""}, "together with a shared context"),
                ({"run.Dockerfile": "FROM registry.local/absent:1\n"}, "cannot read run image 'registry.local/absent:1' of image extension 'test/bad@1'")):
            self.refused({"bad": files}, 92, "test/bad@1", text)

    def test_advised_against(self):
        log = self.image({"odd": {"run.Dockerfile": ADD + "EXPOSE 80\n"}})[3]
        self.assertIn("run.Dockerfile command EXPOSE on line 7 is not recommended", log)

    def test_root_is_no_user(self):
        self.refused({"root": {"run.Dockerfile": "ARG base_image\nFROM ${base_image}\nUSER root\nRUN true\n"}}, 102, "the final user ID is root (root)")
        _, _, seen, log, _ = self.image({"root": {"build.Dockerfile": "ARG base_image\nFROM ${base_image}\nUSER root\nRUN echo a >/etc/added\n"}})
        self.assertEqual((seen["uid"], seen["added"]), ("1001\n", "a\n"))
        self.assertIn("The original user ID was 1001 but the final extension left the user ID set to root", log)

    def test_a_command_that_fails(self):
        self.refused({"fails": {"run.Dockerfile": "ARG base_image\nFROM ${base_image}\n\nRUN echo here && false\n"}}, 102,
                     "cannot extend the run image: image extension 'test/fails@1': run.Dockerfile: line 4: ")

    def test_without_an_engine(self):
        bin_dir = self.folder.name + "/bin"
        os.mkdir(bin_dir)
        os.symlink(shutil.which("crun"), bin_dir + "/crun")
        request = self.world.build(self.world.builder({"tool": {"build.Dockerfile": TOOL}}), engine="auto")
        done = worker.subprocess.run([worker.PROGRAM, "worker"], input=worker.json.dumps(request).encode(), capture_output=True, timeout=120, check=False,
                                     env={"PATH": bin_dir, "DOCKER_HOST": "unix:///nonexistent", "HOME": self.folder.name})
        failure = worker.json.loads(done.stdout.decode().splitlines()[-1])
        self.assertEqual(failure.get("exitCode"), 92, failure)
        self.assertIn("image extension 'test/tool@1': its build.Dockerfile cannot be applied: nothing here can build a Dockerfile", failure["text"])
        self.assertIn("install buildah and crun", failure["text"])
        # One that only takes another run image needs none.
        self.world.run("other", b"other")
        request = self.world.build(self.world.builder({"switch": {"run.Dockerfile": "FROM registry.local/other:1\n"}}), engine="auto")
        done = worker.subprocess.run([worker.PROGRAM, "worker"], input=worker.json.dumps(request).encode(), capture_output=True, timeout=120, check=False,
                                     env={"PATH": bin_dir, "DOCKER_HOST": "unix:///nonexistent", "HOME": self.folder.name})
        self.assertEqual(done.returncode, 0, done.stderr.decode())


# Only these: those of the worker itself are test_worker.sh's.
for inherited in [name for name in dir(worker.WorkerTest) if name.startswith("test_")]:
    setattr(ExtendTest, inherited, None)
del worker.WorkerTest

if __name__ == "__main__":
    unittest.main()
