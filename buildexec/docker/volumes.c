/* SPDX-License-Identifier: Apache-2.0 */
/* volumes.c — see volumes.h. */
#include "buildexec/docker/volumes.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "model/base/base64.h"

static bool is_volume(const struct request_files *files)
{
	return strcmp(files->purpose, FILES_VOLUME) == 0;
}

static bool write_file(struct task *task, const struct request_files *files, const char *dir,
		       const struct pair *file, struct err *err)
{
	const char *path = path_join(task->arena, dir, file->key);
	mode_t mode = (mode_t)(files->mode ? files->mode : files->is_secret ? 0400 : 0644);
	struct base64 value;
	char *folder = arena_strdup(task->arena, path);

	if (!path_is_inside(file->key))
		return err_set(err, ERR_INVALID, "volume '%s': the path '%s' leads elsewhere",
			       files->name, file->key);
	if (!base64_decode(file->value, strlen(file->value), task->arena, &value))
		return err_set(err, ERR_INVALID, "volume '%s': '%s' is no base64", files->name,
			       file->key);
	*strrchr(folder, '/') = '\0';
	return fs_make_dirs(folder, 0755, err) &&
	       fs_write_atomic(AT_FDCWD, path, value.bytes, value.n, mode, false, err);
}

bool volumes_write(struct task *task, struct list *out, struct err *err)
{
	const struct list *all = &task->request->config->files;
	VEC(struct engine_volume) volumes = { 0 };

	*out = (struct list){ 0 };
	for (size_t i = 0; i < all->n; i++) {
		const struct request_files *files = LIST_AT(*all, struct request_files, i);
		struct engine_volume volume = { .to = files->destination };

		if (!is_volume(files))
			continue;
		if (!volume.to || volume.to[0] != '/' || strchr(volume.to, ':'))
			return err_set(err, ERR_INVALID,
				       "volume '%s': the destination '%s' is no absolute path",
				       files->name, volume.to ? volume.to : "");
		if (!task_dir(task, arena_printf(task->arena, "volumes/%zu", i), 0755, &volume.dir,
			      err))
			return false;
		for (size_t k = 0; k < files->files.n; k++)
			if (!write_file(task, files, volume.dir, &files->files.v[k], err))
				return false;
		vec_push(task->arena, &volumes, volume);
	}
	*out = (struct list){ volumes.v, volumes.n };
	return true;
}
