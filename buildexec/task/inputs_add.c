/* SPDX-License-Identifier: Apache-2.0 */
/* inputs_add.c — parts of images and files of secrets and config maps put into a source. See inputs.h. */
#include <string.h>
#include <sys/stat.h>

#include "buildexec/image/rootfs.h"
#include "buildexec/source/source.h"
#include "buildexec/sys/build_log.h"
#include "buildexec/task/inputs.h"
#include "buildexec/task/inside.h"
#include "model/base/base64.h"
#include "model/kind/build_stage.h"

/* "/a/b/." stands for what is in the folder, "/" too; otherwise the last part comes along, under its written name. */
static bool copy_path(struct task *task, const struct inputs *inputs, const struct rootfs *image,
		      const struct image_path *path, struct err *err)
{
	const char *written = path->source_path ? path->source_path : "", *clean, *to;
	size_t n = strlen(written), start;
	struct rootfs_entry from;
	bool is_content;

	if (written[0] != '/')
		return err_set(err, ERR_INVALID, "'%s' is no absolute path", written);
	is_content = n == 1 || strcmp(written + n - 2, "/.") == 0;
	while (n > 1 && written[n - 1] == '/')
		n--;
	for (start = n; start > 0 && written[start - 1] != '/';)
		start--;
	if (!source_sub_path(path->destination_dir, task->arena, &clean, err) ||
	    !inside_make(inputs->source, clean, task->arena, &to, err) ||
	    !rootfs_find(image, written, true, task->arena, &from, err))
		return false;
	if (!from.host)
		return err_set(err, ERR_INVALID, "there is no such file or folder");
	if (!is_content || !S_ISDIR(from.stat.st_mode))
		to = path_join(task->arena, to,
			       arena_copy(task->arena, written + start, n - start));
	return rootfs_copy(image, &from, to, err);
}

static bool open_image(struct task *task, const char *reference, struct rootfs *out,
		       struct err *err)
{
	struct remote_image image;

	*out = (struct rootfs){ .form = unpack_form_here() };
	return (task_read_image(task, reference, &image, err) &&
		image_unpack(&image, &task->image_access, task->store, task->arena, &out->layers,
			     err)) ||
	       err_prefix(err, "cannot get the image '%s'", reference);
}

bool inputs_add_images(struct task *task, const struct inputs *inputs, struct err *err)
{
	const struct list *images = &task->request->config->spec.source.images;
	bool is_told = false;

	for (size_t i = 0; i < images->n; i++) {
		const struct build_image_source *input =
			LIST_AT(*images, struct build_image_source, i);
		struct rootfs root;

		if (input->paths.n == 0)
			continue;
		if (!is_told)
			task_begin(task, BC_PULL_INPUT);
		is_told = true;
		build_log_say("Pulling image %s ...", input->from.name);
		if (!open_image(task, input->from.name, &root, err))
			return task_fail(task, "FetchImageContentFailed");
		for (size_t k = 0; k < input->paths.n; k++) {
			const struct image_path *path = LIST_AT(input->paths, struct image_path, k);

			if (copy_path(task, inputs, &root, path, err))
				continue;
			err_prefix(err, "cannot copy '%s' from image '%s'", path->source_path,
				   input->from.name);
			return task_fail(task, "FetchImageContentFailed");
		}
	}
	return true;
}

static bool add_files(struct task *task, const struct inputs *inputs,
		      const struct request_files *files, struct err *err)
{
	const mode_t usual = files->is_secret ? 0400 : 0644;
	const char *clean, *dir;

	if (!source_sub_path(files->destination, task->arena, &clean, err) ||
	    !inside_make(inputs->context, clean, task->arena, &dir, err))
		return false;
	for (size_t i = 0; i < files->files.n; i++) {
		const struct pair *pair = &files->files.v[i];
		struct inside_file file = { .name = pair->key,
					    .mode = files->mode ? (mode_t)files->mode : usual };
		struct base64 value;

		/* What a mounted volume keeps for itself. */
		if (strncmp(file.name, "..", 2) == 0)
			continue;
		if (!base64_decode(pair->value, strlen(pair->value), task->arena, &value))
			return err_set(err, ERR_INVALID, "the value of '%s' is no base64",
				       file.name);
		file.bytes = value.bytes;
		file.n = value.n;
		if (!inside_put(dir, &file, task->arena, err))
			return false;
	}
	return true;
}

bool inputs_add_files(struct task *task, const struct inputs *inputs, struct err *err)
{
	const struct list *list = &task->request->config->files;

	for (size_t i = 0; i < list->n; i++) {
		const struct request_files *files = LIST_AT(*list, struct request_files, i);

		if (strcmp(files->purpose, FILES_INPUT) != 0 || add_files(task, inputs, files, err))
			continue;
		err_prefix(err, "cannot add the files of %s '%s'",
			   files->is_secret ? "secret" : "config map", files->name);
		return task_fail(task, "FetchSourceFailed");
	}
	return true;
}
