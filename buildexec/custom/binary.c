/* SPDX-License-Identifier: Apache-2.0 */
/* binary.c — see binary.h. */
#include "buildexec/custom/binary.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buildexec/image/layer.h"
#include "buildexec/source/source.h"
#include "buildexec/sys/build_log.h"

/* A copy: whoever sent it may still change it. */
static bool copy_file(const char *from, const char *to, struct err *err)
{
	AUTO_FD in = open(from, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	AUTO_FD out = -1;
	struct stat stat;

	if (in < 0 || fstat(in, &stat) != 0)
		return err_sys(err, errno, "cannot open '%s'", from);
	if (!S_ISREG(stat.st_mode))
		return err_set(err, ERR_INVALID, "'%s' is no file", from);
	out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (out < 0 || fchmod(out, stat.st_mode & 0111 ? 0700 : 0600) != 0)
		return err_sys(err, errno, "cannot create '%s'", to);
	return fd_copy_all(in, out, err) || err_prefix(err, "cannot copy '%s'", from);
}

static bool check_content(const char *path, const char *want, struct err *err)
{
	struct local_source local = { .path = path };
	struct digest digest;

	if (!want)
		return true;
	if (!source_local_content(&(struct source){ .local = &local }, "/", &digest, err))
		return false;
	return strcmp(want, digest.text) == 0 ||
	       err_set(err, ERR_CONFLICT, "it is now '%s', not '%s' as planned", digest.text, want);
}

static bool pack_folder(struct task *task, const char *dir, const char **out, struct err *err)
{
	const struct layer_options options = {
		.blob_dir = path_join(task->arena, task->work.path, "binary"),
		.profile = LAYER_FAST,
	};
	const struct tar_map map = { .dir = dir, .name = "." };
	const struct tar_owner owner = { .mtime_s = TAR_FIXED_MTIME_S };
	struct layer_result packed;
	AUTO_LAYER *layer = NULL;

	if (!layer_open(&options, &layer, err) ||
	    !tar_add_tree(layer_tar(layer), &map, &owner, err) ||
	    !layer_commit(&layer, &packed, err))
		return false;
	*out = arena_strdup(task->arena, packed.path);
	return true;
}

static bool take(struct task *task, const struct request_binary *binary, const char **out,
		 struct err *err)
{
	if (fs_is_dir(binary->path)) {
		build_log_say("Receiving source as folder ...");
		return check_content(binary->path, binary->content, err) &&
		       pack_folder(task, binary->path, out, err);
	}
	build_log_say("Receiving source as %s ...", binary->as_file ? binary->as_file : "archive");
	*out = path_join(task->arena, task->work.path, "binary");
	return copy_file(binary->path, *out, err) && check_content(*out, binary->content, err);
}

bool custom_binary_open(struct task *task, int *fd, struct err *err)
{
	const struct request_binary *binary = task->request->config->binary;
	const char *path;

	*fd = -1;
	if (!binary)
		return true;
	if (!take(task, binary, &path, err)) {
		err_prefix(err, "cannot use what was sent ('%s')", binary->path);
		return task_fail(task, "FetchSourceFailed");
	}
	*fd = open(path, O_RDONLY | O_CLOEXEC);
	return *fd >= 0 || err_sys(err, errno, "cannot open '%s'", path);
}
