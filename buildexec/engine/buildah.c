/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buildah.c — the engine buildah, as root and without. It has a store, a home and a configuration of its own: nothing of the
 * user's counts, and it could not pull an image if it wanted to.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "buildexec/engine/base.h"
#include "buildexec/engine/buildah_parts.h"
#include "buildexec/engine/run.h"
#include "buildexec/sandbox/bundle.h"
#include "buildexec/sandbox/cgroup.h"
#include "buildexec/sys/build_log.h"
#include "buildexec/sys/proc.h"
#include "model/base/digest.h"

enum {
	OUTPUT_MAX_BYTES = 4 << 20,
	ERROR_MAX_BYTES = 16 << 10,
	PROFILE_MAX_BYTES = 64 << 10,
	HERE_MINOR = 33
};

/* What it reads instead of the user's and the machine's files. */
static const struct {
	const char *variable; /* NULL: found in its home */
	const char *file, *text;
} files[] = {
	{ NULL, ".config/containers/policy.json",
	  "{\"default\":[{\"type\":\"insecureAcceptAnything\"}]}" },
	{ "CONTAINERS_CONF", "containers.conf", "" },
	{ "CONTAINERS_STORAGE_CONF", "storage.conf", "[storage]\ndriver = \"overlay\"\n" },
	{ "CONTAINERS_REGISTRIES_CONF", "registries.conf", "unqualified-search-registries = []\n" },
	{ "REGISTRY_AUTH_FILE", "auth.json", "{}" },
};

static void put_env(struct buildah *b, struct strings *env, const char *name, const char *value)
{
	if (value)
		vec_push(b->task->arena, env, arena_printf(b->task->arena, "%s=%s", name, value));
}

/* Its own filter lets builds make user namespaces and reach the keys of whoever started us. */
static bool write_profile(struct buildah *b, const char *home, struct err *err)
{
	AUTO_BUF text = BUF_INIT(PROFILE_MAX_BYTES);

	bundle_print_seccomp(true, &text);
	b->profile = path_join(b->task->arena, home, "seccomp.json");
	return fs_write_atomic(AT_FDCWD, b->profile, text.data, text.len, 0600, false, err);
}

static bool make_home(struct buildah *b, struct err *err)
{
	struct arena *arena = b->task->arena;
	const char *home, *path;

	if (!task_dir(b->task, "engine/home/.config/containers", 0700, &path, err) ||
	    !task_dir(b->task, "engine/run", 0700, &path, err))
		return false;
	home = path_join(arena, b->task->work.path, "engine/home");
	if (!write_profile(b, home, err))
		return false;
	for (size_t i = 0; i < COUNTOF(files); i++) {
		const char *file = path_join(arena, home, files[i].file);

		if (!fs_write_atomic(AT_FDCWD, file, files[i].text, strlen(files[i].text), 0600,
				     false, err))
			return false;
		if (files[i].variable)
			put_env(b, &b->env, files[i].variable, file);
	}
	put_env(b, &b->env, "HOME", home);
	put_env(b, &b->env, "XDG_RUNTIME_DIR", path);
	put_env(b, &b->env, "PATH", proc_getenv("PATH"));
	put_env(b, &b->env, "LANG", "C.UTF-8");
	for (size_t i = 0; i < b->job->env.n; i++)
		put_env(b, &b->env, b->job->env.v[i].key, b->job->env.v[i].value);
	return true;
}

static void push(struct buildah *b, struct strings *argv, const char *arg)
{
	vec_push(b->task->arena, argv, arg);
}

struct strings buildah_command(struct buildah *b, const char *name)
{
	struct arena *arena = b->task->arena;
	struct strings argv = { 0 };

	push(b, &argv, "buildah");
	push(b, &argv, "--root");
	push(b, &argv, path_join(arena, b->store.dir, "storage"));
	push(b, &argv, "--runroot");
	push(b, &argv, path_join(arena, b->task->work.path, "engine/run"));
	push(b, &argv, "--storage-driver");
	push(b, &argv, b->driver);
	/* As root: a device that an image or an archive brings is no device in the container. */
	if (!b->is_partial && geteuid() == 0 && strcmp(b->driver, "overlay") == 0) {
		push(b, &argv, "--storage-opt");
		push(b, &argv, "overlay.mountopt=nodev");
	}
	if (b->is_partial) {
		push(b, &argv, "--storage-opt");
		push(b, &argv, arena_printf(arena, "%s.ignore_chown_errors=true", b->driver));
	}
	push(b, &argv, name);
	return argv;
}

/* A short command; `out` gets what it prints, without the last line break. */
static bool ask(struct buildah *b, const struct strings *argv, const char **out, int *exit_code,
		struct err *err)
{
	AUTO_BUF text = BUF_INIT(OUTPUT_MAX_BYTES), said = BUF_INIT(ERROR_MAX_BYTES);
	const struct run_spec spec = {
		.argv = *argv, .env = b->env, .dir = b->task->work.path, .out = &text, .err = &said
	};
	struct run_end end;
	char *copy;

	if (!run_engine(b->task, &spec, &end, err))
		return false;
	*exit_code = end.exit_code;
	copy = buf_copy(end.exit_code ? &said : &text, b->task->arena);
	for (size_t n = strlen(copy); n > 0 && copy[n - 1] == '\n';)
		copy[--n] = '\0';
	*out = copy;
	return true;
}

/* The same, where another end than 0 is an error of this machine. */
static bool tell(struct buildah *b, const struct strings *argv, const char **out, struct err *err)
{
	const char *text;
	int exit_code;

	if (!ask(b, argv, &text, &exit_code, err))
		return false;
	if (exit_code != 0)
		return err_set(err, ERR_SYSTEM, "buildah failed (exit code %d): %s", exit_code,
			       text);
	if (out)
		*out = text;
	return true;
}

/* Does it work with this driver, on the store as it is? */
static bool try_driver(struct buildah *b, const char *driver, bool *works, const char **said,
		       struct err *err)
{
	struct strings argv;
	int exit_code;

	b->driver = driver;
	argv = buildah_command(b, "images");
	push(b, &argv, "-q");
	if (!ask(b, &argv, said, &exit_code, err))
		return false;
	*works = exit_code == 0;
	return true;
}

/* A store that cannot be opened with any driver is begun anew. */
static bool choose_driver(struct buildah *b, struct err *err)
{
	static const char *const drivers[] = { "overlay", "vfs" };
	const char *said = "";

	for (int is_new = 0; is_new < 2; is_new++) {
		for (size_t i = 0; i < COUNTOF(drivers); i++) {
			bool works;

			if (!try_driver(b, drivers[i], &works, &said, err))
				return false;
			if (works)
				return true;
		}
		if (!engine_store_empty(b->task, &b->env, &b->store, err))
			return false;
	}
	return err_set(err, ERR_ABSENT, "buildah cannot store images here: %s", said);
}

static bool read_version(struct buildah *b, struct err *err)
{
	static const char prefix[] = "buildah version ";
	const char *args[] = { "buildah", "--version" };
	const struct strings argv = { args, COUNTOF(args), 0 };
	const char *text;
	int exit_code, minor;

	if (!ask(b, &argv, &text, &exit_code, err))
		return err_prefix(err, "cannot run buildah");
	if (exit_code != 0 || strncmp(text, prefix, strlen(prefix)) != 0)
		return err_set(err, ERR_ABSENT, "the program 'buildah' in PATH is something else");
	text += strlen(prefix);
	if (sscanf(text, "1.%d", &minor) == 1 && minor < HERE_MINOR)
		b->job->here_needs = "buildah 1.33 or later";
	b->job->engine_version =
		arena_printf(b->task->arena, "buildah %.*s", (int)strcspn(text, " \n"), text);
	return true;
}

static void choose_isolation(struct buildah *b)
{
	const char *asked = b->task->request->isolation;
	char path[PATH_MAX];

	if (asked && strcmp(asked, "auto") != 0)
		b->isolation = asked;
	else
		b->isolation = proc_find("crun", path) ? "oci" : "chroot";
}

static bool buildah_open(struct engine_job *job, struct err *err)
{
	struct buildah *b = ARENA_NEW(job->task->arena, struct buildah);
	char path[PATH_MAX];
	const char *temp;

	if (!proc_find("buildah", path))
		return err_set(err, ERR_ABSENT, "no program 'buildah' in PATH");
	*b = (struct buildah){ .job = job,
			       .task = job->task,
			       .store.lock_fd = -1,
			       .is_partial = !run_has_ids(job->task->arena) };
	job->state = b;
	cgroup_sweep();
	choose_isolation(b);
	if (!make_home(b, err) || !read_version(b, err) ||
	    !engine_store_open(b->task, job->store_name, &b->env, &b->store, err))
		return false;
	temp = path_join(b->task->arena, b->store.dir, ENGINE_TEMP);
	/* Also of "RUN --mount=type=cache". */
	put_env(b, &b->env, "TMPDIR", temp);
	return fs_make_dirs(temp, 0700, err) && choose_driver(b, err) &&
	       fs_make_dirs(temp, 0700, err) && buildah_clean_before(b, err);
}

static void buildah_close(struct engine_job *job)
{
	struct buildah *b = job->state;

	if (b)
		engine_store_close(&b->store, b->driver && buildah_clean_behind(b));
	job->state = NULL;
}

static bool buildah_check(struct engine_job *job, struct err *err)
{
	const struct buildah *b = job->state;

	if (task_network(job->task) == SANDBOX_OFFLINE && strcmp(b->isolation, "chroot") == 0)
		return err_set(err, ERR_INVALID,
			       "buildah cannot build without network in isolation 'chroot' "
			       "(install crun and use isolation 'oci', or allow the network)");
	return true;
}

/* ---- bases ---- */

/* A folder as buildah's transport "dir" has it, the only one for images of Docker's and of OCI's kind. */
static bool write_dir(struct buildah *b, const struct engine_base *base, const char *dir,
		      struct err *err)
{
	static const char version[] = "Directory Transport Version: 1.1\n";
	struct arena *arena = b->task->arena;
	struct manifest manifest = base->image.manifest;
	const struct {
		const char *name, *bytes;
		size_t n;
	} rows[] = {
		{ "version", version, strlen(version) },
		{ base->id, base->config, base->config_len },
	};
	const char *json;
	size_t n;

	manifest.config.digest = arena_printf(arena, "sha256:%s", base->id);
	manifest.config.size_bytes = (int64_t)base->config_len;
	json = manifest_print(&manifest, arena, &n);
	if (!base_fetch(b->task, base, dir, err))
		return false;
	for (size_t i = 0; i < COUNTOF(rows); i++)
		if (!fs_write_atomic(AT_FDCWD, path_join(arena, dir, rows[i].name), rows[i].bytes,
				     rows[i].n, 0600, false, err))
			return false;
	return fs_write_atomic(AT_FDCWD, path_join(arena, dir, "manifest.json"), json, n, 0600,
			       false, err);
}

/* Fetched by us into a folder, from where buildah takes it. */
static bool bring(struct buildah *b, const struct engine_base *base, struct err *err)
{
	struct arena *arena = b->task->arena;
	/* Relative, for it becomes a name, which has no upper case. */
	const char *name = arena_printf(arena, "bases/%.24s", base->id);
	const char *dir = path_join(arena, b->task->work.path, name);
	struct strings argv = buildah_command(b, "pull");
	const char *id;

	if (!write_dir(b, base, dir, err))
		return false;
	push(b, &argv, "-q");
	push(b, &argv, arena_printf(arena, "dir:%s", name));
	if (!tell(b, &argv, &id, err))
		return false;
	if (strcmp(id, base->id) != 0)
		return err_set(err, ERR_SYSTEM, "buildah made '%.64s' of the image '%s'", id,
			       base->name);
	return fs_remove_tree(dir, err);
}

/* By the name that the Dockerfile will ask for. */
static bool name_base(struct buildah *b, const struct engine_base *base, struct err *err)
{
	struct strings argv = buildah_command(b, "tag");

	push(b, &argv, base->id);
	push(b, &argv, base->name);
	return tell(b, &argv, NULL, err);
}

static bool place_one(struct buildah *b, size_t i, const char *there, struct err *err)
{
	const struct engine_base *base = &b->job->bases.v[i];
	bool is_there = strstr(there, base->id) != NULL;

	/* One image may have several names. */
	for (size_t k = 0; k < i; k++)
		is_there |= strcmp(b->job->bases.v[k].id, base->id) == 0;
	if (!is_there) {
		build_log_say("Pulling image %s ...", base->name);
		if (!bring(b, base, err))
			return err_prefix(err, "cannot pull '%s'", base->name);
	}
	return !base->needs_name || name_base(b, base, err);
}

static bool buildah_place(struct engine_job *job, struct err *err)
{
	struct buildah *b = job->state;
	struct strings argv = buildah_command(b, "images");
	const char *there;

	push(b, &argv, "-q");
	push(b, &argv, "--all");
	push(b, &argv, "--no-trunc");
	if (!tell(b, &argv, &there, err))
		return false;
	for (size_t i = 0; i < job->bases.n; i++)
		if (!place_one(b, i, there, err))
			return false;
	return true;
}

/* ---- building ---- */

/* "Error: building at STEP "RUN false": while running runtime: exit status 1" */
static void read_instruction(struct engine_job *job, const char *text)
{
	static const char step[] = "building at STEP \"", original[] = "Original:\"";
	const char *at = strstr(text, original), *end = NULL;

	/* Then a dump of its own, in which nobody finds anything else. */
	if (at) {
		at += strlen(original);
		job->instruction = arena_copy(job->task->arena, at, strcspn(at, "\"\\"));
		return;
	}
	at = strstr(text, step);
	if (!at)
		return;
	at += strlen(step);
	for (const char *next = at; (next = strstr(next, "\": ")) != NULL; next++)
		end = next;
	if (end)
		job->instruction = arena_copy(job->task->arena, at, (size_t)(end - at));
}

static void on_line(void *ctx, const char *line, size_t n)
{
	static const char error[] = "Error: ", dump[] = " &imagebuilder.Step{";
	struct engine_job *job = ctx;
	char *text, *at;

	while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r'))
		n--;
	if (n <= strlen(error) || strncmp(line, error, strlen(error)) != 0)
		return;
	text = arena_copy(job->task->arena, line + strlen(error), n - strlen(error));
	job->instruction = NULL;
	read_instruction(job, text);
	at = strstr(text, dump);
	if (at)
		*at = '\0';
	job->error = text;
}

/* Variables of buildah itself keep their values; such an argument is given on the command line. */
static bool is_taken(const struct buildah *b, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < b->env.n; i++)
		if (strncmp(b->env.v[i], name, n) == 0 && b->env.v[i][n] == '=')
			return true;
	return strncmp(name, "BUILDAH_", 8) == 0 || strncmp(name, "CONTAINERS_", 11) == 0 ||
	       strncmp(name, "_CONTAINERS_", 12) == 0 || strncmp(name, "LD_", 3) == 0 ||
	       strncmp(name, "GO", 2) == 0 || strncmp(name, "STORAGE_", 8) == 0;
}

/*
 * Values travel in the environment, which only this user can read, and not in arguments, which everybody can. What an image
 * brought is known to all who have the image, and is to change nothing of how buildah itself runs.
 */
static void push_args(struct buildah *b, struct strings *argv, struct strings *env)
{
	const struct pairs *args = &b->job->build_args;
	struct arena *arena = b->task->arena;

	for (size_t i = 0; i < args->n; i++) {
		const struct pair *arg = &args->v[i];

		push(b, argv, "--build-arg");
		if (b->job->has_foreign_args || is_taken(b, arg->key)) {
			push(b, argv, arena_printf(arena, "%s=%s", arg->key, arg->value));
			continue;
		}
		push(b, argv, arg->key);
		put_env(b, env, arg->key, arg->value);
	}
}

static void push_volumes(struct buildah *b, struct strings *argv)
{
	for (size_t i = 0; i < b->job->volumes.n; i++) {
		const struct engine_volume *one = LIST_AT(b->job->volumes, struct engine_volume, i);

		push(b, argv, "-v");
		push(b, argv, arena_printf(b->task->arena, "%s:%s:ro", one->dir, one->to));
	}
}

static void push_isolation(struct buildah *b, struct strings *argv)
{
	const char *runtime = b->task->request->runtime;

	/* Some versions leave these to builds; with the first one a host's disk can be read, with the second its network. */
	static const char *const dropped[] = { "CAP_MKNOD", "CAP_NET_RAW", "CAP_AUDIT_WRITE" };

	for (size_t i = 0; i < COUNTOF(dropped); i++) {
		push(b, argv, "--cap-drop");
		push(b, argv, dropped[i]);
	}
	push(b, argv, "--security-opt");
	push(b, argv, arena_printf(b->task->arena, "seccomp=%s", b->profile));
	push(b, argv, "--isolation");
	push(b, argv, b->isolation);
	if (strcmp(b->isolation, "oci") == 0) {
		push(b, argv, "--runtime");
		push(b, argv, runtime ? runtime : "crun");
		/* Limits are of a cgroup that we make around everything. */
		push(b, argv, "--runtime-flag=cgroup-manager=disabled");
	}
	push(b, argv, "--network");
	push(b, argv, task_network(b->task) == SANDBOX_OFFLINE ? "none" : "host");
}

static struct strings build_command(struct buildah *b, const char *id_file)
{
	const struct engine_job *job = b->job;
	struct strings argv = buildah_command(b, "bud");

	push(b, &argv, "--pull-never");
	push(b, &argv, "--force-rm");
	push(b, &argv, "--format");
	/* OCI has no place for HEALTHCHECK, ONBUILD and SHELL; our manifests take what Docker's configs have. */
	push(b, &argv, "docker");
	push(b, &argv, "--iidfile");
	push(b, &argv, id_file);
	push(b, &argv, job->is_joined ? "--layers=false" : "--layers");
	if (job->is_uncached)
		push(b, &argv, "--no-cache");
	if (job->timestamp_s >= 0) {
		push(b, &argv, "--timestamp");
		push(b, &argv, arena_printf(b->task->arena, "%lld", (long long)job->timestamp_s));
	}
	if (job->ignore) {
		push(b, &argv, "--ignorefile");
		push(b, &argv, job->ignore);
	}
	push_isolation(b, &argv);
	return argv;
}

static bool read_id(struct buildah *b, const char *path, const char **id, struct err *err)
{
	char *text;
	size_t n;

	if (!fs_read_plain(path, ERROR_MAX_BYTES, b->task->arena, &text, &n, err))
		return false;
	if (text)
		text[strcspn(text, "\r\n")] = '\0';
	if (!text || !digest_is_valid(text))
		return err_set(err, ERR_SYSTEM, "buildah did not say which image it made");
	*id = digest_hex(text);
	return true;
}

static bool buildah_build(struct engine_job *job, const char **id, struct err *err)
{
	struct buildah *b = job->state;
	struct arena *arena = job->task->arena;
	const char *id_file = path_join(arena, job->task->work.path, "engine/id");
	struct run_spec spec = { .argv = build_command(b, id_file),
				 .dir = job->task->work.path,
				 .limits = &job->limits,
				 .no_devices = b->store.dir,
				 /* What ADD fetches is fetched by buildah itself. */
				 .is_offline = task_network(job->task) == SANDBOX_OFFLINE,
				 .is_logged = true,
				 .on_line = on_line,
				 .ctx = job };
	struct run_end end;

	for (size_t i = 0; i < b->env.n; i++)
		vec_push(arena, &spec.env, b->env.v[i]);
	push_args(b, &spec.argv, &spec.env);
	push_volumes(b, &spec.argv);
	push(b, &spec.argv, "-f");
	push(b, &spec.argv, job->dockerfile);
	push(b, &spec.argv, job->context);
	b->is_unclean = true;
	if (!run_engine(job->task, &spec, &end, err))
		return false;
	b->is_unclean = end.exit_code != 0;
	if (end.exit_code == 0)
		return read_id(b, id_file, id, err);
	job->task->exit_code = end.exit_code;
	job->task->is_oom = end.is_oom;
	return err_set(err, ERR_INVALID, "%s", job->error ? job->error : "buildah failed");
}

/* ---- what was built ---- */

/* A file that is there is not written again: layers of bases need not be packed, for they are not needed. */
static bool put_placeholders(struct buildah *b, const char *blobs, struct err *err)
{
	struct arena *arena = b->task->arena;
	const struct engine_bases *bases = &b->job->bases;

	if (!fs_make_dirs(blobs, 0700, err))
		return false;
	for (size_t i = 0; i < bases->n; i++)
		for (size_t k = 0; k < bases->v[i].image.config.diff_ids.n; k++) {
			const char *diff_id = bases->v[i].image.config.diff_ids.v[k];

			if (!fs_write_atomic(AT_FDCWD, path_join(arena, blobs, digest_hex(diff_id)),
					     "", 0, 0600, false, err))
				return false;
		}
	return true;
}

static bool read_blob(struct buildah *b, const char *blobs, const char *digest, char **out,
		      size_t *n, struct err *err)
{
	const char *path = path_join(b->task->arena, blobs, digest_hex(digest));

	if (!fs_read_plain(path, OUTPUT_MAX_BYTES, b->task->arena, out, n, err))
		return false;
	if (!*out)
		return err_set(err, ERR_SYSTEM, "buildah wrote no '%s'", path);
	return true;
}

/* The layers of a layout with one image; its config is made anew for OCI and has lost something. */
static bool read_layout(struct buildah *b, const char *dir, struct engine_output *out,
			struct err *err)
{
	struct arena *arena = b->task->arena;
	const char *blobs = path_join(arena, dir, "blobs/sha256");
	struct image_config config;
	struct image_index index;
	struct manifest manifest;
	char *text;
	size_t n;

	if (!fs_read_plain(path_join(arena, dir, "index.json"), OUTPUT_MAX_BYTES, arena, &text, &n,
			   err))
		return false;
	if (!text || !index_parse(text, n, MEDIA_OCI_INDEX, arena, &index, err) ||
	    index.n_manifests != 1)
		return err_set(err, ERR_SYSTEM, "buildah wrote no layout with one image");
	if (!read_blob(b, blobs, index.manifests[0].digest, &text, &n, err) ||
	    !manifest_parse(text, n, NULL, arena, &manifest, err) ||
	    !image_config_parse(out->config, out->config_len, arena, &config, err))
		return false;
	if (config.diff_ids.n != manifest.n_layers)
		return err_set(err, ERR_SYSTEM, "buildah wrote %zu layers for %zu diff ids",
			       manifest.n_layers, config.diff_ids.n);
	out->n_layers = manifest.n_layers;
	out->layers = arena_array(arena, manifest.n_layers, sizeof(*out->layers));
	for (size_t i = 0; i < manifest.n_layers; i++) {
		const struct descriptor *desc = &manifest.layers[i];
		size_t k;

		if (engine_base_of(&b->job->bases, config.diff_ids.v[i], &k))
			continue;
		out->layers[i].path = path_join(arena, blobs, digest_hex(desc->digest));
		if (media_compression(desc->media_type) == COMPRESSION_GZIP)
			out->layers[i].digest = desc->digest;
	}
	return true;
}

/* As it was made; its digest is the image's id. */
static bool buildah_read_config(struct engine_job *job, const char *id, const char **config,
				size_t *len, struct err *err)
{
	struct buildah *b = job->state;
	struct strings argv = buildah_command(b, "inspect");

	push(b, &argv, "--type");
	push(b, &argv, "image");
	push(b, &argv, "--format");
	push(b, &argv, "{{.Config}}");
	push(b, &argv, id);
	if (!tell(b, &argv, config, err))
		return false;
	*len = strlen(*config);
	if (strcmp(digest_hex(digest_of(*config, *len).text), id) == 0)
		return true;
	return err_set(err, ERR_SYSTEM, "buildah gave another config than that of image '%s'", id);
}

static bool buildah_export(struct engine_job *job, const char *id, const char *dir,
			   struct engine_output *out, struct err *err)
{
	struct buildah *b = job->state;
	struct arena *arena = job->task->arena;
	struct strings argv = buildah_command(b, "push");

	*out = (struct engine_output){ 0 };
	push(b, &argv, "-q");
	push(b, &argv, id);
	push(b, &argv, arena_printf(arena, "oci:%s:image", strrchr(dir, '/') + 1));
	return put_placeholders(b, path_join(arena, dir, "blobs/sha256"), err) &&
	       tell(b, &argv, NULL, err) &&
	       buildah_read_config(job, id, &out->config, &out->config_len, err) &&
	       read_layout(b, dir, out, err);
}

const struct engine engine_buildah = {
	.name = "buildah",
	.packages = "buildah and crun",
	.open = buildah_open,
	.close = buildah_close,
	.check = buildah_check,
	.place = buildah_place,
	.build = buildah_build,
	.read_config = buildah_read_config,
	.export = buildah_export,
};
