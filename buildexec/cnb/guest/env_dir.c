/* SPDX-License-Identifier: Apache-2.0 */
/* env_dir.c — files are read whole, content verbatim; folders and links to folders are passed over. */
#include "buildexec/cnb/guest/env_dir.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "buildexec/cnb/guest/io.h"
#include "model/base/limits.h"

static bool read_value(const char *path, struct arena *arena, char **out, struct err *err)
{
	size_t len;

	if (!io_read(path, LIMIT_ENV_FILE, arena, out, &len, err))
		return false;
	if (strlen(*out) != len)
		return err_set(err, ERR_INVALID, "'%s' holds a NUL byte", path);
	return true;
}

typedef bool apply_fn(struct env *env, const char *folder, const char *name, const char *content,
		      enum env_default when_plain, struct err *err);

static bool each_file(struct env *env, const char *folder, apply_fn *apply,
		      enum env_default when_plain, struct err *err)
{
	struct io_entries entries;

	if (!io_list(folder, env->arena, &entries, err))
		return false;
	for (size_t i = 0; i < entries.n; i++) {
		const char *path = io_join(env->arena, folder, entries.v[i].name);
		char *content;

		if (entries.v[i].is_dir || (entries.v[i].is_link && io_is_dir(path)))
			continue;
		if (!read_value(path, env->arena, &content, err) ||
		    !apply(env, folder, entries.v[i].name, content, when_plain, err))
			return false;
	}
	return true;
}

static bool apply_file(struct env *env, const char *folder, const char *name, const char *content,
		       enum env_default when_plain, struct err *err)
{
	const char *path = io_join(env->arena, folder, env_delim_file(name, env->arena));
	char *delim = NULL;

	/* A delimiter that cannot be read counts as none. */
	if (io_exists(path) && !read_value(path, env->arena, &delim, err))
		*err = (struct err){ 0 };
	env_apply_file(env, name, content, delim, when_plain);
	return true;
}

static bool apply_user(struct env *env, const char *folder, const char *name, const char *content,
		       enum env_default when_plain, struct err *err)
{
	(void)folder;
	(void)when_plain;
	(void)err;
	env_apply_user(env, name, content);
	return true;
}

bool env_dir_apply(struct env *env, const char *folder, enum env_default when_plain,
		   struct err *err)
{
	return each_file(env, folder, apply_file, when_plain, err) ||
	       err_prefix(err, "apply env files from dir '%s'", folder);
}

bool env_dir_apply_user(struct env *env, const char *folder, struct err *err)
{
	return each_file(env, folder, apply_user, ENV_OVERRIDE, err);
}

bool env_dir_apply_roots(struct env *env, const char *layer, const struct env_root *roots,
			 struct err *err)
{
	for (; roots->folder; roots++) {
		const char *path = io_join(env->arena, layer, roots->folder);
		struct stat st;

		if (stat(path, &st) != 0) {
			if (errno == ENOENT)
				continue;
			return err_sys(err, errno, "cannot look at '%s'", path);
		}
		for (size_t i = 0; i < COUNTOF(roots->names) && roots->names[i]; i++)
			env_prepend_path(env, roots->names[i], path);
	}
	return true;
}
