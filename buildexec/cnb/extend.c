/* SPDX-License-Identifier: Apache-2.0 */
/*
 * extend.c — what image extensions wrote is followed: another run image right after detection, their Dockerfiles in a phase of
 * its own. The build then runs in the extended builder image, and the application stands on the extended run image.
 * Spec: buildpacks/spec platform.md "Detector", "Extender"; image_extension.md "Phase: Extension".
 */
#include <string.h>

#include "buildexec/cnb/builder.h"
#include "buildexec/cnb/lifecycle.h"
#include "buildexec/sys/build_log.h"

/* ---- after detection ---- */

static bool follow_run_image(struct lifecycle *life, const struct extend_file *file,
			     struct err *err)
{
	const char *name = file->new_base;
	bool is_known = false;

	if (life->run_image_name && strcmp(name, life->run_image_name) == 0)
		return true;
	for (size_t i = 0; i < life->run_images.n; i++)
		is_known |= run_image_names_have(&life->run_images.v[i], name, life->arena);
	if (!is_known)
		build_log_warn("new runtime base image '%s' not found in run metadata", name);
	build_log_say("Run image of image extension '%s@%s': %s", file->id, file->version, name);
	life->is_run_image_switched = true;
	if (lifecycle_take_run_image(life, name, err))
		return true;
	/* That there is no such image is the extension's fault, not the registry's. */
	if (err->kind == ERR_ABSENT)
		err->kind = ERR_INVALID;
	return err_prefix(err, "cannot read run image '%s' of image extension '%s@%s'", name,
			  file->id, file->version);
}

static const struct extend_file *first_due(const struct lifecycle *life)
{
	for (size_t i = 0; i < life->dockerfiles.n; i++) {
		const struct extend_file *file = &life->dockerfiles.v[i];

		if (file->has_changes && !file->is_ignored)
			return file;
	}
	return NULL;
}

bool lifecycle_is_extended(const struct lifecycle *life)
{
	return first_due(life) != NULL;
}

/* Said before anything else is done for the build: whoever runs us has to install something. */
static bool open_extender(struct lifecycle *life, struct err *err)
{
	const struct extend_file *file = first_due(life);

	if (!file)
		return true;
	if (!life->extender.ctx)
		err_set(err, ERR_INVALID, "nothing here applies Dockerfiles");
	else if (life->extender.open(life->extender.ctx, err))
		return true;
	return err_prefix(err, "image extension '%s@%s': its %s.Dockerfile cannot be applied",
			  file->id, file->version, extend_kind_name(file->kind));
}

bool lifecycle_take_generated(struct lifecycle *life, struct err *err)
{
	struct strings warnings = { 0 };
	const struct extend_file *chosen;
	bool is_done;

	life->exit_code = CNB_EXIT_GENERATE;
	is_done = generated_read(life->options.layers_dir, &life->extensions, life->arena,
				 &life->dockerfiles, &warnings, err);
	for (size_t i = 0; i < warnings.n; i++)
		build_log_warn("%s", warnings.v[i]);
	if (!is_done)
		return false;
	if (life->dockerfiles.n == 0)
		return true;
	chosen = extend_choose_run(&life->dockerfiles);
	return (!chosen || follow_run_image(life, chosen, err)) && open_extender(life, err) &&
	       lifecycle_write_analyzed(life, err);
}

/* ---- the phase ---- */

struct extending {
	struct lifecycle *life;
	enum extend_kind kind;
	const struct remote_image *base;
	struct image_config config; /* of the image so far */
	const char *uid, *gid;
	struct strings names; /* of the layers */
	bool is_rebasable;
};

static struct pairs args_of(const struct extending *e, const struct extend_file *file)
{
	struct arena *arena = e->life->arena;
	const struct pair ours[] = {
		{ .key = "build_id", .value = e->life->options.build_id },
		{ .key = "user_id", .value = e->uid },
		{ .key = "group_id", .value = e->gid },
	};
	struct pairs args = { 0 };

	for (size_t i = 0; i < COUNTOF(ours); i++)
		if (ours[i].value)
			vec_push(arena, &args, ours[i]);
	for (size_t i = 0; i < file->args.n; i++)
		vec_push(arena, &args, file->args.v[i]);
	return args;
}

static bool apply(struct extending *e, const struct extend_file *file, struct err *err)
{
	struct lifecycle *life = e->life;
	const struct pairs args = args_of(e, file);
	const char *context = file->context ? file->context : life->options.app_dir;
	const char *before = e->uid;
	size_t n_before = e->config.diff_ids.n;

	build_log_say("Extending %s image for image extension '%s@%s'", extend_kind_name(e->kind),
		      file->id, file->version);
	if (!life->extender.apply(life->extender.ctx, file, context, &args, &e->config, err))
		return err_prefix(err, "image extension '%s@%s': %s.Dockerfile", file->id,
				  file->version, extend_kind_name(e->kind));
	if (e->config.diff_ids.n < n_before)
		return err_set(err, ERR_SYSTEM, "the engine lost layers of the image");
	extend_name_layers(file, e->config.diff_ids.n - n_before, life->arena, &e->names);
	e->is_rebasable = e->is_rebasable && extend_is_rebasable(&e->config.labels);
	extend_split_user(e->config.user, life->arena, &e->uid, &e->gid);
	if (extend_is_root(e->uid))
		build_log_warn("Extension '%s' changed the user ID from %s to %s; this must not be "
			       "the final user ID (a following extension must reset the user)",
			       file->id, before, e->uid);
	return true;
}

/* What stands on the base must be what the base is. */
static bool check_layers(const struct extending *e, const struct image_draft *draft,
			 struct err *err)
{
	const struct strings *ids = &e->base->config.diff_ids;

	if (draft->layers.n != ids->n + e->names.n)
		return err_set(err, ERR_SYSTEM, "the engine gave %zu layers instead of %zu",
			       draft->layers.n, ids->n + e->names.n);
	for (size_t i = 0; i < ids->n; i++)
		if (strcmp(draft->layers.v[i].diff_id, ids->v[i]) != 0)
			return err_set(err, ERR_SYSTEM, "the engine changed layer %zu of the image",
				       i + 1);
	return true;
}

/* The build sees its root and its variables; it runs as the same user, wherever his home is now. */
static bool use_for_build(struct extending *e, const struct image_draft *draft, struct err *err)
{
	struct lifecycle_container *container = &e->life->container;
	struct arena *arena = e->life->arena;
	struct strings lowers = { 0 };
	const char *home;

	if (!e->life->extender.unpack(e->life->extender.ctx, draft, &lowers, err))
		return false;
	for (size_t i = e->base->manifest.n_layers; i < container->lowers.n; i++)
		vec_push(arena, &lowers, container->lowers.v[i]);
	container->lowers = lowers;
	for (size_t i = 0; i < draft->config.env.n; i++) {
		const char *one = draft->config.env.v[i], *eq = strchr(one, '=');

		if (eq)
			env_set(arena, &container->env, arena_copy(arena, one, (size_t)(eq - one)),
				eq + 1);
	}
	if (!builder_home(&lowers, e->life->options.uid, arena, &home, err))
		return false;
	env_set(arena, &container->env, "HOME", home);
	return true;
}

/* Its config, on the run image's layers and history. */
static void use_for_export(struct extending *e, const struct image_draft *draft)
{
	struct lifecycle *life = e->life;

	life->extended.is_done = true;
	life->extended.is_rebasable = e->is_rebasable;
	life->extended.names = e->names;
	life->extended.config = draft->config;
	life->extended.config.platform = e->base->config.platform;
	life->extended.config.author = e->base->config.author;
	life->extended.config.diff_ids = e->base->config.diff_ids;
	life->extended.config.history = e->base->config.history;
	life->extended.config.n_history = e->base->config.n_history;
	for (size_t i = e->base->config.diff_ids.n; i < draft->layers.n; i++)
		vec_push(life->arena, &life->extended.layers, draft->layers.v[i]);
}

static bool check_user(const struct extending *e, struct err *err)
{
	const char *first, *ignored;

	if (e->kind == EXTEND_RUN && extend_is_root(e->uid))
		return err_set(err, ERR_INVALID,
			       "the final user ID is %s (root); please add another extension that "
			       "resets the user to non-root",
			       e->uid);
	extend_split_user(e->base->config.user, e->life->arena, &first, &ignored);
	if (strcmp(first, e->uid) != 0)
		build_log_warn("The original user ID was %s but the final extension left the user "
			       "ID set to %s",
			       first, e->uid);
	return true;
}

static bool extend(struct lifecycle *life, enum extend_kind kind, struct err *err)
{
	const struct extend_files *files = &life->dockerfiles;
	struct extending e = { .life = life, .kind = kind, .is_rebasable = true };
	struct image_draft draft;

	e.base = kind == EXTEND_BUILD ? life->container.image : &life->run_image;
	if (!e.base || (kind == EXTEND_RUN && !life->has_run_image))
		return err_set(err, ERR_INVALID, "there is no %s image to extend",
			       extend_kind_name(kind));
	e.config = e.base->config;
	extend_split_user(e.config.user, life->arena, &e.uid, &e.gid);
	if (!life->extender.begin(life->extender.ctx, e.base, lifecycle_created_s(life), err))
		return false;
	for (size_t i = 0; i < files->n; i++)
		if (files->v[i].kind == kind && files->v[i].has_changes &&
		    !files->v[i].is_ignored && !apply(&e, &files->v[i], err))
			return false;
	if (!check_user(&e, err) || !life->extender.finish(life->extender.ctx, &draft, err) ||
	    !check_layers(&e, &draft, err))
		return false;
	if (kind == EXTEND_BUILD)
		return use_for_build(&e, &draft, err);
	use_for_export(&e, &draft);
	return true;
}

bool lifecycle_extend(struct lifecycle *life, struct err *err)
{
	life->exit_code = CNB_EXIT_EXTEND;
	for (int i = 0; i < EXTEND_KINDS; i++) {
		enum extend_kind kind = (enum extend_kind)i;

		if (extend_is_due(&life->dockerfiles, kind) && !extend(life, kind, err))
			return err_prefix(err, "cannot extend the %s image",
					  extend_kind_name(kind));
	}
	life->exit_code = CNB_EXIT_OK;
	return true;
}
