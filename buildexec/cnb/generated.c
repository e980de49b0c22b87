/* SPDX-License-Identifier: Apache-2.0 */
/* generated.c — see generated.h. */
#include "buildexec/cnb/generated.h"

#include "buildexec/cnb/foreign.h"
#include "buildexec/cnb/layers_dir.h"
#include "buildexec/sys/fs.h"

struct reading {
	const char *dir; /* of one extension */
	const struct group_element *extension;
	struct arena *arena;
	struct extend_files *out;
	struct strings *warnings;
};

/* A folder for both images, or for one: not both. */
static bool find_context(const struct reading *r, enum extend_kind kind, const char **out,
			 struct err *err)
{
	const char *shared = path_join(r->arena, r->dir, "context");
	const char *own = NULL;
	bool has_own = false;

	for (int i = 0; i < EXTEND_KINDS; i++) {
		const char *path = arena_printf(r->arena, "%s.%s", shared,
						extend_kind_name((enum extend_kind)i));

		has_own |= foreign_is_dir(path);
		if (i == (int)kind)
			own = path;
	}
	*out = foreign_is_dir(own) ? own : NULL;
	if (!foreign_is_dir(shared))
		return true;
	if (has_own)
		return err_set(err, ERR_INVALID,
			       "image-specific context dir is provided together with a shared "
			       "context");
	*out = shared;
	return true;
}

static bool read_kind(const struct reading *r, enum extend_kind kind, const struct node *config,
		      struct err *err)
{
	struct extend_file file = { .kind = kind,
				    .id = r->extension->id,
				    .version = r->extension->version };
	const char *path =
		arena_printf(r->arena, "%s/%s.Dockerfile", r->dir, extend_kind_name(kind));
	char *text;
	size_t len;

	if (!find_context(r, kind, &file.context, err) ||
	    !extend_config_read(config, kind, r->arena, &file.args, err) ||
	    !fs_read_plain(path, DOCKERFILE_MAX_BYTES, r->arena, &text, &len, err))
		return false;
	if (!text)
		return true;
	if (!dockerfile_parse(text, len, r->arena, &file.text, err))
		return err_prefix(err, "%s.Dockerfile", extend_kind_name(kind));
	if (!extend_file_check(&file, r->arena, r->warnings, err))
		return false;
	vec_push(r->arena, r->out, file);
	return true;
}

static bool read_extension(const struct reading *r, struct err *err)
{
	struct node *config;

	if (!foreign_toml(path_join(r->arena, r->dir, "extend-config.toml"), r->arena, &config,
			  err))
		return false;
	for (int kind = 0; kind < EXTEND_KINDS; kind++)
		if (!read_kind(r, (enum extend_kind)kind, config, err))
			return false;
	return true;
}

bool generated_read(const char *layers_dir, const struct group *extensions, struct arena *arena,
		    struct extend_files *out, struct strings *warnings, struct err *err)
{
	struct reading r = { .arena = arena, .out = out, .warnings = warnings };

	*out = (struct extend_files){ 0 };
	for (size_t i = 0; i < extensions->n; i++) {
		const char *folder = arena_printf(arena, "generated/%s",
						  cnb_escape_id(extensions->v[i].id, arena));

		r.extension = &extensions->v[i];
		r.dir = path_join(arena, layers_dir, folder);
		if (foreign_is_dir_below(layers_dir, folder, arena) && !read_extension(&r, err))
			return err_prefix(err, "image extension '%s@%s'", r.extension->id,
					  r.extension->version);
	}
	return true;
}
