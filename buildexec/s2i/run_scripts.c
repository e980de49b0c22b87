/* SPDX-License-Identifier: Apache-2.0 */
/* run_scripts.c — the phases that run foreign code: save-artifacts, assemble, assemble-runtime. See build.h. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buildexec/s2i/build.h"
#include "buildexec/source/archive.h"
#include "buildexec/source/source.h"
#include "buildexec/sys/build_log.h"
#include "buildexec/sys/fs.h"
#include "buildexec/task/inside.h"
#include "model/base/limits.h"

bool build_fail(struct build *build, enum s2i_reason reason)
{
	build->result->reason = reason;
	return false;
}

bool build_script_failed(struct build *build, const struct script_run *run,
			 enum s2i_reason otherwise)
{
	const struct sandbox_result *result = &run->result;

	if (!run->has_failed)
		return build_fail(build, otherwise);
	build->result->exit_code = result->exit_code;
	build->result->is_oom = result->is_oom;
	build->result->is_timeout = result->is_timeout;
	if (result->is_cancelled)
		return build_fail(build, S2I_CANCELLED);
	return build_fail(build, result->is_oom ? S2I_OUT_OF_MEMORY : S2I_ASSEMBLE_FAILED);
}

/* Where a script is in a container that external ones were put into, below `dir`. */
static const char *script_path(const struct build *build, enum script_kind kind, const char *dir)
{
	const struct script *script = &build->scripts.v[kind];

	return script->is_external
		       ? path_join(build->arena, path_join(build->arena, dir, "scripts"),
				   script_name(kind))
		       : script->path;
}

/* The archive that save-artifacts prints, up to a limit. */
struct archive_sink {
	int fd;
	uint64_t n;
	struct err err;
};

static void take_archive(void *ctx, bool is_stderr, const char *bytes, size_t n)
{
	struct archive_sink *sink = ctx;

	(void)is_stderr;
	if (sink->err.kind)
		return;
	sink->n += n;
	if (sink->n > LIMIT_SOURCE_BYTES)
		err_set(&sink->err, ERR_INVALID, "its archive is larger than %llu bytes",
			LIMIT_SOURCE_BYTES);
	else if (!fd_write_all(sink->fd, bytes, n, &sink->err))
		err_prefix(&sink->err, "cannot keep its archive");
}

/* In the image before itself, where its own build left the script. */
static bool save_artifacts(struct build *build, struct container *previous, int fd, struct err *err)
{
	const struct script *script = &build->scripts.v[SCRIPT_SAVE_ARTIFACTS];
	const char *given = build->spec->scripts_url, *url = scripts_url(previous);
	const char *dir = given && scripts_image_dir(given) ? scripts_image_dir(given)
			  : url                             ? scripts_image_dir(url)
							    : NULL;
	struct archive_sink sink = { .fd = fd };
	struct script_run run = { .stdout_fn = take_archive, .stdout_ctx = &sink };

	if (script->is_external)
		dir = path_join(build->arena, build->destination, "scripts");
	if (!dir)
		return err_set(err, ERR_INVALID,
			       "the image before does not say where its scripts are");
	run.path = path_join(build->arena, dir, script_name(SCRIPT_SAVE_ARTIFACTS));
	if (!container_run(previous, &run, err))
		return false;
	if (sink.err.kind)
		*err = sink.err;
	else if (sink.n == 0)
		err_set(err, ERR_INVALID, "it gave no archive");
	return sink.err.kind == ERR_NONE && sink.n > 0;
}

static bool unpack_artifacts(struct build *build, int fd, struct err *err)
{
	const char *dir = path_join(build->arena, build->spec->work_dir, "artifacts");
	/* Links of build tools may be absolute; nothing here follows them. */
	const struct archive_spec spec = { .fd = fd, .dest = dir, .is_layer = true };

	return fs_make_dirs(dir, 0755, err) && archive_unpack(&spec, err) &&
	       container_put_tree(&build->builder, dir,
				  path_join(build->arena, build->destination, "artifacts"),
				  s2i_created_s(build->spec) - 1, err);
}

static bool check_previous_user(struct build *build, struct container *previous, struct err *err)
{
	struct uid_ranges ranges;

	if (!container_set_user(previous, build->spec->assemble_user, err) ||
	    !uid_ranges_parse(build->spec->allowed_uids, build->arena, &ranges, err))
		return false;
	return uid_ranges_allow(&ranges, previous->user_text) ||
	       err_set(err, ERR_INVALID, "it would run as user '%s', which is not allowed",
		       previous->user_text);
}

static bool retrieve(struct build *build, const char *reference, struct err *err)
{
	const char *file = path_join(build->arena, build->spec->work_dir, "artifacts.tar");
	AUTO_FD fd = open(file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	struct container previous;

	if (fd < 0 || unlink(file) != 0)
		return err_sys(err, errno, "cannot create '%s'", file);
	return container_open(&previous, build->spec, reference, "previous", err) &&
	       check_previous_user(build, &previous, err) &&
	       save_artifacts(build, &previous, fd, err) && unpack_artifacts(build, fd, err);
}

/* Whatever goes wrong here, a clean build does without; only a cancelled one is not begun. */
bool phase_retrieve(struct build *build, struct err *err)
{
	const struct s2i_spec *spec = build->spec;
	const char *reference = spec->previous_image ? spec->previous_image
				: spec->tags.n > 0   ? spec->tags.v[0]
						     : NULL;
	struct err problem = { 0 };

	if (!reference) {
		build_log_say("Clean build: there is no image before");
		return true;
	}
	if (!build->scripts.v[SCRIPT_SAVE_ARTIFACTS].is_found) {
		s2i_warn(build->spec, "clean build: there is no script 'save-artifacts'");
		return true;
	}
	if (retrieve(build, reference, &problem)) {
		build_log_say("Artifacts of '%s' are used", reference);
		build->result->is_incremental = true;
		return true;
	}
	if (problem.kind == ERR_CANCELLED) {
		*err = problem;
		return build_fail(build, S2I_CANCELLED);
	}
	if (problem.kind == ERR_ABSENT)
		build_log_say("Clean build: there is no image '%s' yet", reference);
	else
		s2i_warn(build->spec, "clean build: cannot save artifacts of '%s': %s", reference,
			 problem.text);
	return true;
}

/* Whatever the script made of them: they are files that we hold open. */
static bool empty_secrets(struct build *build, struct err *err)
{
	bool is_done = true;

	for (size_t i = 0; i < build->secrets.n; i++) {
		if (ftruncate(build->secrets.v[i], 0) != 0)
			is_done = err_sys(err, errno, "cannot empty a secret's file");
		fd_close(&build->secrets.v[i]);
	}
	build->secrets.n = 0;
	return is_done || build_fail(build, S2I_FILE_SYSTEM_FAILED);
}

bool phase_assemble(struct build *build, struct err *err)
{
	struct script_run run = {
		.path = script_path(build, SCRIPT_ASSEMBLE, build->destination),
		.env = &build->env,
		.is_kept = true,
	};

	build->run_path = script_path(build, SCRIPT_RUN, build->destination);
	if (!container_run(&build->builder, &run, err))
		return build_script_failed(build, &run, S2I_GENERIC);
	return empty_secrets(build, err);
}

/* "/a/b/" → "b", "/" → "". */
static const char *last_part(const char *path, struct arena *arena)
{
	size_t end = strlen(path), start;

	while (end > 0 && path[end - 1] == '/')
		end--;
	start = end;
	while (start > 0 && path[start - 1] != '/')
		start--;
	return arena_copy(arena, path + start, end - start);
}

/*
 * One artifact of the assembled container into the folder for the runtime image. What an artifact before it brought may be a
 * link to anywhere on this machine.
 */
static bool copy_artifact(struct build *build, const struct artifact *artifact, const char *dir,
			  struct err *err)
{
	struct rootfs_entry from;
	const char *clean, *to;
	size_t n = strlen(artifact->source);
	bool is_content = n >= 2 && strcmp(artifact->source + n - 2, "/.") == 0;

	if (!rootfs_find(&build->builder.all, artifact->source, true, build->arena, &from, err))
		return false;
	if (!from.host)
		return err_set(err, ERR_INVALID, "the assembled image has no '%s'",
			       artifact->source);
	if (!source_sub_path(artifact->destination, build->arena, &clean, err) ||
	    !inside_make(dir, clean, build->arena, &to, err))
		return false;
	if (!is_content)
		to = path_join(build->arena, to, last_part(artifact->source, build->arena));
	return rootfs_copy(&build->builder.all, &from, to, err);
}

static bool copy_scripts(struct build *build, const char *dir, struct err *err)
{
	static const enum script_kind kinds[] = { SCRIPT_ASSEMBLE_RUNTIME, SCRIPT_RUN };
	const char *folder;
	/* They went into the builder's container; there they may not have stayed. */
	const char *from = path_join(build->arena, build->destination, "scripts");
	struct rootfs_entry entry;

	for (size_t i = 0; i < COUNTOF(kinds); i++) {
		const char *name = script_name(kinds[i]);

		if (!build->scripts.v[kinds[i]].is_external)
			continue;
		if (!rootfs_find(&build->builder.all, path_join(build->arena, from, name), true,
				 build->arena, &entry, err))
			return false;
		if (!entry.host)
			return err_set(err, ERR_INVALID, "assemble removed the script '%s'", name);
		if (!inside_make(dir, "scripts", build->arena, &folder, err) ||
		    !rootfs_copy(&build->builder.all, &entry, path_join(build->arena, folder, name),
				 err))
			return false;
	}
	return true;
}

bool phase_runtime(struct build *build, struct err *err)
{
	const char *dir = path_join(build->arena, build->spec->work_dir, "runtime-artifacts");
	struct script_run run = { .env = &build->env, .is_kept = true };

	if (!build->spec->runtime_image)
		return true;
	build->result->reason = S2I_GENERIC;
	if (!build->scripts.v[SCRIPT_ASSEMBLE_RUNTIME].is_found)
		return err_set(
			err, ERR_INVALID,
			"there is no script 'assemble-runtime', neither in the source nor in "
			"the runtime image");
	build->result->reason = S2I_FILE_SYSTEM_FAILED;
	if (!fs_make_dirs(dir, 0755, err))
		return false;
	build->result->reason = S2I_FETCH_ARTIFACTS_FAILED;
	for (size_t i = 0; i < build->artifacts.n; i++)
		if (!copy_artifact(build, &build->artifacts.v[i], dir, err))
			return err_prefix(err, "cannot copy the artifact '%s'",
					  build->artifacts.v[i].source);
	build->result->reason = S2I_GENERIC;
	if (!copy_scripts(build, dir, err) ||
	    !container_join_tree(&build->runtime, dir, build->runtime.working_dir,
				 s2i_created_s(build->spec), err))
		return false;
	run.path = script_path(build, SCRIPT_ASSEMBLE_RUNTIME, build->runtime.working_dir);
	build->run_path = script_path(build, SCRIPT_RUN, build->runtime.working_dir);
	if (!container_run(&build->runtime, &run, err))
		return build_script_failed(build, &run, S2I_GENERIC);
	build->result->reason = S2I_COMPLETED;
	return true;
}
