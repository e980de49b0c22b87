/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prepare.c — before anything runs: images read and checked, the source narrowed and cleaned, scripts found, everything put
 * into the builder's container. See build.h.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "buildexec/s2i/build.h"
#include "buildexec/s2i/pattern.h"
#include "buildexec/source/source.h"
#include "buildexec/source/tree_walk.h"
#include "buildexec/sys/build_log.h"
#include "buildexec/sys/fs.h"

enum { SECRETS_MAX = 256, SMALL_FILE_BYTES = 1 << 20 };

static void onbuild_of(const struct container *container, struct strings *out)
{
	const struct node *list = node_at(container->image.config.tree, "config", "OnBuild", NULL);

	for (const struct node *one = list && list->kind == NODE_SEQ ? list->first : NULL; one;
	     one = one->next)
		if (one->kind == NODE_STRING)
			vec_push(container->spec->arena, out, one->text);
}

static bool check_user(struct build *build, const struct container *container, const char *what,
		       struct err *err)
{
	struct strings onbuild = { 0 };
	struct uid_ranges ranges;
	const char *refused;

	build->result->reason = S2I_USER_FORBIDDEN;
	if (!uid_ranges_parse(build->spec->allowed_uids, build->arena, &ranges, err))
		return false;
	onbuild_of(container, &onbuild);
	refused = uid_ranges_refused(&ranges, &onbuild, build->arena);
	if (!refused && !uid_ranges_allow(&ranges, container->user_text))
		refused = container->user_text;
	if (refused)
		return err_set(err, ERR_INVALID,
			       "%s image '%s' would run scripts as user '%s'; the user must be a "
			       "number within '%s'",
			       what, container->image.ref.repo, refused, build->spec->allowed_uids);
	build->result->reason = S2I_ON_BUILD_FORBIDDEN;
	if (onbuild.n > 0)
		return err_set(err, ERR_INVALID,
			       "%s image '%s' has ONBUILD instructions ('%s', …), which source "
			       "builds do not carry out",
			       what, container->image.ref.repo, onbuild.v[0]);
	build->result->reason = S2I_COMPLETED;
	return true;
}

static bool open_image(struct build *build, struct container *container, bool is_runtime,
		       struct err *err)
{
	const struct s2i_spec *spec = build->spec;
	const char *reference = is_runtime ? spec->runtime_image : spec->builder_image;
	const char *what = is_runtime ? "runtime" : "builder";

	build->result->reason = is_runtime ? S2I_PULL_RUNTIME_FAILED : S2I_PULL_BUILDER_FAILED;
	if (!container_open(container, spec, reference, is_runtime ? "runtime" : "builder", err))
		return err_prefix(err, "cannot get the %s image '%s'", what, reference);
	build->result->reason = S2I_GENERIC;
	if (!container_set_user(container, is_runtime ? spec->runtime_user : spec->assemble_user,
				err))
		return err_prefix(err, "%s image '%s'", what, reference);
	return check_user(build, container, what, err);
}

/* The mapping of the spec, or what the runtime image says. */
static bool read_artifacts(struct build *build, struct err *err)
{
	const char *label = container_label(&build->runtime,
					    "io.openshift.s2i.assemble-input-files", NULL, NULL);

	build->artifacts = build->spec->artifacts;
	if (build->artifacts.n == 0 && label)
		artifacts_parse(label, build->arena, &build->artifacts);
	build->result->reason = S2I_GENERIC;
	if (build->artifacts.n == 0)
		return err_set(err, ERR_INVALID, "no runtime artifacts to copy were specified");
	build->result->reason = S2I_INVALID_ARTIFACTS;
	if (!artifacts_check(&build->artifacts, err))
		return false;
	build->result->reason = S2I_COMPLETED;
	return true;
}

static bool check_tags(struct build *build, struct err *err)
{
	const struct s2i_spec *spec = build->spec;
	struct ref ref;

	build->result->reason = S2I_PUSH_FAILED;
	for (size_t i = 0; i < spec->tags.n; i++)
		if (!ref_parse(spec->tags.v[i], build->arena, &ref, err) ||
		    !registry_check_write(spec->registry, &ref, err))
			return err_prefix(err, "cannot write to '%s'", spec->tags.v[i]);
	build->result->reason = S2I_GENERIC;
	if (spec->runtime_image && spec->is_incremental)
		return err_set(err, ERR_INVALID,
			       "a build with a runtime image cannot be incremental");
	return true;
}

bool phase_pull(struct build *build, struct err *err)
{
	const struct s2i_spec *spec = build->spec;

	if (!check_tags(build, err) || !open_image(build, &build->builder, false, err))
		return false;
	build_log_say("Builder image: %s", spec->builder_image);
	build->final = &build->builder;
	if (!spec->runtime_image)
		return true;
	if (!open_image(build, &build->runtime, true, err))
		return false;
	build_log_say("Runtime image: %s", spec->runtime_image);
	build->final = &build->runtime;
	return read_artifacts(build, err);
}

static bool enter_context(struct build *build, struct err *err)
{
	const char *clean;
	struct rootfs_entry entry;

	if (!source_sub_path(build->spec->context_dir, build->arena, &clean, err) ||
	    !rootfs_find(&build->source_root, clean, true, build->arena, &entry, err))
		return false;
	if (!entry.host || !S_ISDIR(entry.stat.st_mode))
		return err_set(err, ERR_INVALID, "the source has no folder '%s'", clean);
	build->source = entry.host;
	build->source_root.layers.v[0] = entry.host;
	return true;
}

struct cleaning {
	const char *root;
	struct patterns patterns;
	struct arena *arena;
};

static bool clean_entry(void *ctx, struct tree_entry *entry, struct err *err)
{
	const struct cleaning *cleaning = ctx;

	if (!tree_is_git(entry->name) && !patterns_name(&cleaning->patterns, entry->path))
		return true;
	entry->is_pruned = true;
	return fs_remove_tree(path_join(cleaning->arena, cleaning->root, entry->path), err);
}

/* .git never goes into an image, nor does what .s2iignore names. */
static bool clean_source(struct build *build, struct err *err)
{
	struct cleaning cleaning = { .root = build->source, .arena = build->arena };
	char *text;
	size_t n;

	if (!rootfs_read(&build->source_root, "/.s2iignore", SMALL_FILE_BYTES, build->arena, &text,
			 &n, err))
		return false;
	if (text)
		patterns_parse(text, n, build->arena, &cleaning.patterns);
	return tree_walk(build->source, clean_entry, &cleaning, err);
}

static void env_add(struct build *build, const char *name, const char *value)
{
	if (value && value[0])
		vec_push(build->arena, &build->env, (struct pair){ .key = name, .value = value });
}

static bool read_environment(struct build *build, struct err *err)
{
	static const char *const files[] = { "/.s2i/environment", "/.sti/environment" };
	const struct s2i_identity *identity = &build->spec->identity;
	char *text = NULL;
	size_t n = 0;

	env_add(build, "OPENSHIFT_BUILD_NAME", identity->name);
	env_add(build, "OPENSHIFT_BUILD_NAMESPACE", identity->namespace);
	env_add(build, "OPENSHIFT_BUILD_SOURCE", identity->source_location);
	env_add(build, "OPENSHIFT_BUILD_REFERENCE", identity->source_ref);
	env_add(build, "OPENSHIFT_BUILD_COMMIT", identity->commit_id);
	for (size_t i = 0; i < COUNTOF(files) && !text; i++)
		if (!rootfs_read(&build->source_root, files[i], SMALL_FILE_BYTES, build->arena,
				 &text, &n, err))
			return false;
	if (text)
		environment_parse(text, n, build->arena, &build->env);
	for (size_t i = 0; i < build->spec->env.n; i++)
		vec_push(build->arena, &build->env, build->spec->env.v[i]);
	return true;
}

/* A file of the source that is no such list is only that: upstream passes over it too. */
static bool read_source_labels(struct build *build, struct err *err)
{
	struct err problem = { 0 };
	char *text;
	size_t n;

	if (!rootfs_read(&build->source_root, "/.s2i/image_metadata.json", SMALL_FILE_BYTES,
			 build->arena, &text, &n, err))
		return false;
	if (!text || image_metadata_parse(text, n, build->arena, &build->new_labels, &problem))
		return true;
	build->new_labels = (struct pairs){ 0 };
	s2i_warn(build->spec, "labels of '.s2i/image_metadata.json' are left out: %s",
		 problem.text);
	return true;
}

static bool read_source(struct build *build, struct err *err)
{
	enum s2i_reason reason;
	const char *dir = path_join(build->arena, build->spec->work_dir, "scripts");

	build->scripts = (struct scripts){
		.spec = build->spec,
		.source = &build->source_root,
		.builder = &build->builder,
		.runtime = build->spec->runtime_image ? &build->runtime : NULL,
		.dir = dir,
	};
	build->result->reason = S2I_FILE_SYSTEM_FAILED;
	if (!fs_make_dirs(dir, 0755, err))
		return false;
	if (!scripts_find(&build->scripts, &reason, err))
		return build_fail(build, reason);
	return clean_source(build, err) && read_environment(build, err) &&
	       read_source_labels(build, err);
}

static bool place_source(struct build *build, struct err *err)
{
	struct container *builder = &build->builder;
	struct arena *arena = build->arena;
	int64_t time_s = s2i_created_s(build->spec);
	const char *ignored;
	bool may_write;

	build->result->reason = S2I_ASSEMBLE_FAILED;
	if (!container_make_dir(builder, build->destination, &ignored, err) ||
	    !container_may_write(builder, build->destination, &may_write, err))
		return false;
	if (!may_write)
		return err_set(err, ERR_INVALID,
			       "user '%s' may not write to '%s' of the builder image, where the "
			       "source goes (see its label io.openshift.s2i.destination)",
			       builder->user_text, build->destination);
	build->result->reason = S2I_FILE_SYSTEM_FAILED;
	return container_put_tree(builder, build->source,
				  path_join(arena, build->destination, "src"), time_s, err) &&
	       container_put_tree(builder, build->scripts.dir,
				  path_join(arena, build->destination, "scripts"), time_s, err);
}

static bool place_files(struct build *build, const struct s2i_files *files, struct err *err)
{
	const char *dir = files->destination && files->destination[0] ? files->destination : ".";
	const char *host;

	if (dir[0] != '/')
		dir = path_join(build->arena, build->builder.working_dir, dir);
	if (!container_make_dir(&build->builder, dir, &host, err))
		return false;
	for (size_t i = 0; i < files->list.n; i++) {
		const struct s2i_file *file = &files->list.v[i];
		AUTO_FD fd = -1;

		/* What a mounted volume keeps for itself. */
		if (strncmp(file->name, "..", 2) == 0)
			continue;
		if (!file->name[0] || strchr(file->name, '/') || strcmp(file->name, ".") == 0)
			return err_set(err, ERR_INVALID, "'%s' is no name of a file", file->name);
		if (!container_put_file(&build->builder, host, file, &fd, err))
			return err_prefix(err, "cannot put a file into '%s'", dir);
		if (!files->is_secret)
			continue;
		if (build->secrets.n == SECRETS_MAX)
			return err_set(err, ERR_INVALID, "secrets have more than %d files",
				       SECRETS_MAX);
		vec_push(build->arena, &build->secrets, fd);
		fd = -1;
	}
	return true;
}

static const char *destination_of(const struct build *build)
{
	const char *given = build->spec->destination;

	if (!given || !given[0])
		given = container_label(&build->builder, "io.openshift.s2i.destination",
					"io.s2i.destination", "STI_LOCATION");
	return given ? given : "/tmp";
}

bool phase_prepare(struct build *build, struct err *err)
{
	build->destination = destination_of(build);
	if (build->destination[0] != '/') {
		build_fail(build, S2I_GENERIC);
		return err_set(err, ERR_INVALID, "destination '%s' is no absolute path",
			       build->destination);
	}
	build->source_root.form = unpack_form_here();
	vec_push(build->arena, &build->source_root.layers, build->spec->source);
	build->result->reason = S2I_FETCH_SOURCE_FAILED;
	if (!fs_is_dir(build->spec->source))
		return err_set(err, ERR_INVALID, "there is no source folder '%s'",
			       build->spec->source);
	build->result->reason = S2I_INVALID_CONTEXT_DIR;
	if (!enter_context(build, err) || !read_source(build, err) || !place_source(build, err))
		return false;
	for (size_t i = 0; i < build->spec->files.n; i++)
		if (!place_files(build, &build->spec->files.v[i], err))
			return false;
	build->result->reason = S2I_FILE_SYSTEM_FAILED;
	for (size_t i = 0; i < build->spec->volumes.n; i++)
		if (!container_add_volume(&build->builder, &build->spec->volumes.v[i], err))
			return false;
	build->result->reason = S2I_COMPLETED;
	return true;
}
