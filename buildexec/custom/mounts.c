/* SPDX-License-Identifier: Apache-2.0 */
/* mounts.c — see mounts.h. */
#include "buildexec/custom/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buildexec/source/tree_walk.h"
#include "model/base/base64.h"
#include "model/base/path.h"

/* Where a mount would hide what a container needs, or show it what it may not see. */
static const struct {
	const char *path;
	bool with_all_below;
} refused[] = {
	{ "/" },
	{ "/proc", true },
	{ "/sys", true },
	{ "/dev", true },
	{ "/bin" },
	{ "/sbin" },
	{ "/lib" },
	{ "/lib64" },
	{ "/usr" },
	{ "/etc" },
	{ "/var" },
	{ "/run" },
	{ "/var/run" },
	{ "/etc/hosts", true },
	{ "/etc/resolv.conf", true },
};

static bool is_below(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	return strncmp(path, folder, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

static bool is_refused(const char *path)
{
	for (size_t i = 0; i < COUNTOF(refused); i++)
		if (strcmp(path, refused[i].path) == 0 ||
		    (refused[i].with_all_below && is_below(path, refused[i].path)))
			return true;
	return false;
}

bool custom_mount_path(const char *text, struct arena *arena, const char **out, struct err *err)
{
	*out = NULL;
	if (!text || text[0] != '/')
		return err_set(err, ERR_INVALID, "mount path '%s' must be absolute",
			       text ? text : "");
	if (path_has_dotdot(text))
		return err_set(err, ERR_INVALID, "mount path '%s' must not contain '..'", text);
	text = path_clean(text, arena);
	if (is_refused(text))
		return err_set(err, ERR_INVALID,
			       "nothing may be mounted at '%s', which is the system's: choose a "
			       "folder of its own",
			       text);
	*out = text;
	return true;
}

bool custom_paths_overlap(const char *a, const char *b)
{
	return is_below(a, b) || is_below(b, a);
}

/* The path without links of the image; what is not there has the name it was given. */
static bool follow(const struct rootfs *root, const char *path, bool wants_folder,
		   struct arena *arena, const char **out, struct err *err)
{
	struct rootfs_entry entry = { 0 }, itself;
	const char *at = "/";

	while (*path) {
		size_t n = strcspn(path += strspn(path, "/"), "/");
		const char *next = path_join(arena, at, arena_copy(arena, path, n));

		if (n == 0)
			break;
		if (!rootfs_find(root, next, true, arena, &entry, err) ||
		    !rootfs_find(root, next, false, arena, &itself, err))
			return false;
		if (itself.host && !entry.path)
			return err_set(err, ERR_INVALID,
				       "'%s' is a link in the builder image that leads nowhere",
				       next);
		at = entry.path ? entry.path : next;
		path += n;
	}
	if (entry.host && wants_folder != S_ISDIR(entry.stat.st_mode))
		return err_set(err, ERR_INVALID, "'%s' is %s in the builder image", at,
			       wants_folder ? "no folder" : "a folder");
	*out = at;
	return true;
}

static bool add_bind(struct task *task, const struct rootfs *root, const struct sandbox_bind *bind,
		     bool is_folder, struct custom_mounts *mounts, struct err *err)
{
	const char *path, *to = NULL;

	if (!custom_mount_path(bind->to, task->arena, &path, err) ||
	    !follow(root, path, is_folder, task->arena, &to, err) ||
	    !custom_mount_path(to, task->arena, &to, err))
		return false;
	for (size_t i = 0; i < mounts->binds.n; i++)
		if (custom_paths_overlap(to, mounts->binds.v[i].to))
			return err_set(err, ERR_INVALID,
				       "mount path '%s' and mount path '%s' meet: one of them "
				       "would hide the other",
				       mounts->binds.v[i].to, to);
	vec_push(task->arena, &mounts->binds,
		 (struct sandbox_bind){
			 .from = bind->from, .to = to, .is_writable = bind->is_writable });
	return true;
}

/* As keys of secrets and config maps are named; names that begin with ".." are Kubernetes' own. */
static bool name_is_plain(const char *name)
{
	return name[0] && !strchr(name, '/') && strcmp(name, ".") != 0 &&
	       strncmp(name, "..", 2) != 0;
}

static bool write_files(struct task *task, const struct request_files *files, const char *dir,
			struct err *err)
{
	mode_t mode = files->mode ? (mode_t)files->mode : files->is_secret ? 0400 : 0644;

	for (size_t i = 0; i < files->files.n; i++) {
		const struct pair *file = &files->files.v[i];
		const char *path = path_join(task->arena, dir, file->key);
		struct base64 value;

		if (!name_is_plain(file->key))
			return err_set(err, ERR_INVALID, "'%s' is no name of a file", file->key);
		if (fs_exists(path))
			return err_set(err, ERR_INVALID, "'%s' is there already", file->key);
		if (!base64_decode(file->value, strlen(file->value), task->arena, &value))
			return err_set(err, ERR_INVALID, "'%s' is no base64", file->key);
		if (!fs_write_atomic(AT_FDCWD, path, value.bytes, value.n, mode, false, err))
			return false;
	}
	return true;
}

/* clang-format off */
static const struct purpose {
	const char *name, *place; /* NULL: the request says where */
	size_t offset;            /* of the place in struct custom_secrets */
} purposes[] = {
	{ FILES_PUSH,   CUSTOM_PUSH_DIR,   offsetof(struct custom_secrets, push) },
	{ FILES_PULL,   CUSTOM_PULL_DIR,   offsetof(struct custom_secrets, pull) },
	{ FILES_SOURCE, CUSTOM_SOURCE_DIR, offsetof(struct custom_secrets, source) },
	{ FILES_CUSTOM },
};
/* clang-format on */

static const struct purpose *find_purpose(const char *name)
{
	for (size_t i = 0; i < COUNTOF(purposes); i++)
		if (strcmp(purposes[i].name, name) == 0)
			return &purposes[i];
	return NULL;
}

/* One folder of files; several secrets of one purpose share theirs. */
static bool add_files(struct task *task, const struct rootfs *root,
		      const struct request_files *files, struct custom_mounts *mounts,
		      struct err *err)
{
	const struct purpose *purpose = find_purpose(files->purpose);
	const char **told = NULL;
	struct sandbox_bind bind = { 0 };
	const char *name;

	if (!purpose)
		return true; /* of other strategies */
	bind.to = purpose->place ? purpose->place : files->destination;
	name = purpose->place ? arena_printf(task->arena, "mounts/%s", purpose->name)
			      : arena_printf(task->arena, "mounts/%zu", mounts->binds.n);
	if (purpose->place)
		told = (const char **)((char *)&mounts->secrets + purpose->offset);
	if (!task_dir(task, name, 0755, &bind.from, err) ||
	    !write_files(task, files, bind.from, err))
		return false;
	if (told && *told)
		return true;
	if (told)
		*told = purpose->place;
	return add_bind(task, root, &bind, true, mounts, err);
}

static bool add_socket(struct task *task, const struct rootfs *root, struct custom_mounts *mounts,
		       struct err *err)
{
	const char *socket = task->request->config->docker_socket;
	struct sandbox_bind bind = { .from = socket,
				     .to = CUSTOM_DOCKER_SOCKET,
				     .is_writable = true };
	struct stat stat_buf;

	if (!socket)
		return true;
	if (stat(socket, &stat_buf) != 0)
		return err_sys(err, errno,
			       "cannot use docker's socket '%s' (settings builds.dockerSocket)",
			       socket);
	if (!S_ISSOCK(stat_buf.st_mode))
		return err_set(err, ERR_SYSTEM, "'%s' (settings builds.dockerSocket) is no socket",
			       socket);
	return add_bind(task, root, &bind, false, mounts, err);
}

bool custom_mounts_make(struct task *task, const struct rootfs *root, const struct user *user,
			struct custom_mounts *out, struct err *err)
{
	const struct list *files = &task->request->config->files;
	const char *dir;

	*out = (struct custom_mounts){ 0 };
	if (!task_dir(task, "mounts", 0755, &dir, err))
		return false;
	for (size_t i = 0; i < files->n; i++) {
		const struct request_files *one = LIST_AT(*files, const struct request_files, i);

		if (!add_files(task, root, one, out, err))
			return err_prefix(err, "%s '%s'", one->is_secret ? "secret" : "config map",
					  one->name);
	}
	/* Without root everything is the user's anyway (sandbox.h). */
	if (geteuid() == 0 && !tree_chown(dir, user->uid, user->gid, err))
		return false;
	return add_socket(task, root, out, err);
}
