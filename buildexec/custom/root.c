/* SPDX-License-Identifier: Apache-2.0 */
/* root.c — see root.h. */
#include "buildexec/custom/root.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/base/path.h"
#include "model/kind/build_config.h"

enum { USER_FILE_BYTES = 4 << 20 };

static bool read_user(struct custom_root *root, struct arena *arena, struct err *err)
{
	char *passwd, *group;
	size_t ignored;

	return rootfs_read(&root->tree, "/etc/passwd", USER_FILE_BYTES, arena, &passwd, &ignored,
			   err) &&
	       rootfs_read(&root->tree, "/etc/group", USER_FILE_BYTES, arena, &group, &ignored,
			   err) &&
	       user_resolve(root->image.config.user,
			    &(struct user_files){ .passwd = passwd, .group = group }, arena,
			    &root->user, err);
}

/* A folder of the upper layer that is the same as the image's. */
static bool copy_folder(const char *host, const struct stat *like, struct err *err)
{
	if (mkdir(host, 0700) != 0 && errno != EEXIST)
		return err_sys(err, errno, "cannot make folder '%s'", host);
	if (geteuid() == 0 && chown(host, like->st_uid, like->st_gid) != 0)
		return err_sys(err, errno, "cannot change the owner of '%s'", host);
	if (chmod(host, like->st_mode & 07777) != 0)
		return err_sys(err, errno, "cannot set the mode of '%s'", host);
	return true;
}

/* With all above it, unless the image has it; new ones are like `fresh`. Links on the way are the image's and stay. */
static bool make_folder(const struct custom_root *root, const char *path, const struct stat *fresh,
			struct arena *arena, struct err *err)
{
	const char *host = path_join(arena, root->upper_dir, "fs"), *at = "/";
	struct rootfs_entry entry;

	if (!rootfs_find(&root->tree, path, true, arena, &entry, err))
		return false;
	if (entry.host && !S_ISDIR(entry.stat.st_mode))
		return err_set(err, ERR_INVALID, "'%s' is no folder in the builder image", path);
	if (entry.host)
		return true;
	while (*(path += strspn(path, "/"))) {
		size_t n = strcspn(path, "/");

		at = path_join(arena, at, arena_copy(arena, path, n));
		if (!rootfs_find(&root->tree, at, true, arena, &entry, err))
			return false;
		if (entry.host)
			at = entry.path;
		if (entry.host && !S_ISDIR(entry.stat.st_mode))
			return err_set(err, ERR_INVALID, "'%s' is no folder in the builder image",
				       at);
		path += n;
		if (!fs_make_dirs(path_join(arena, host, at), 0755, err) ||
		    !copy_folder(path_join(arena, host, at), entry.host ? &entry.stat : fresh, err))
			return false;
	}
	return true;
}

/* The working folder is the user's where the image has none of that name; everybody expects /tmp. */
static bool make_folders(struct task *task, struct custom_root *root, struct err *err)
{
	struct stat own = { .st_uid = root->user.uid, .st_gid = root->user.gid, .st_mode = 0755 };
	struct stat all = { .st_mode = 01777 };
	struct rootfs_entry top;
	const char *cwd = root->image.config.working_dir, *fs;

	root->cwd = cwd && cwd[0] == '/' ? path_clean(cwd, task->arena) : "/";
	return task_dir(task, "custom", 0700, &root->upper_dir, err) &&
	       task_dir(task, "custom/fs", 0755, &fs, err) &&
	       rootfs_find(&root->tree, "/", false, task->arena, &top, err) &&
	       copy_folder(fs, &top.stat, err) &&
	       make_folder(root, "/tmp", &all, task->arena, err) &&
	       make_folder(root, root->cwd, &own, task->arena, err);
}

bool custom_root_open(struct task *task, const char *reference, struct custom_root *out,
		      struct err *err)
{
	*out = (struct custom_root){ .tree = { .form = unpack_form_here() } };
	return task_read_image(task, reference, &out->image, err) &&
	       image_unpack(&out->image, &task->image_access, task->store, task->arena,
			    &out->tree.layers, err) &&
	       read_user(out, task->arena, err) && make_folders(task, out, err);
}
