/* SPDX-License-Identifier: Apache-2.0 */
/*
 * place.c — files put into a container before anything runs in it, straight into the folder of its changes (container.h).
 * Paths are resolved in the image as the container would; in the folder of changes every step is a real folder of ours.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buildexec/s2i/container.h"
#include "buildexec/source/source.h"
#include "buildexec/source/tree_copy.h"
#include "buildexec/source/tree_walk.h"
#include "buildexec/sys/fs.h"
#include "buildexec/task/inside.h"

static bool own(const struct container *container, const char *host, uid_t uid, gid_t gid,
		struct err *err)
{
	if (container->is_rootless || lchown(host, uid, gid) == 0)
		return true;
	return err_sys(err, errno, "cannot change the owner of '%s'", host);
}

static bool make_one(const struct container *container, const char *host, const struct stat *like,
		     struct err *err)
{
	mode_t mode = like ? like->st_mode & 07777 : 0755;

	if (mkdir(host, 0700) != 0)
		return errno == EEXIST || err_sys(err, errno, "cannot create folder '%s'", host);
	if (!own(container, host, like ? like->st_uid : container->user.uid,
		 like ? like->st_gid : container->user.gid, err))
		return false;
	return chmod(host, mode) == 0 || err_sys(err, errno, "cannot set the mode of '%s'", host);
}

/* `path` is resolved and there: all of it in the changes too, each folder as the image has it. */
static bool copy_up(struct container *container, const char *path, struct err *err)
{
	struct arena *arena = container->spec->arena;
	struct rootfs_entry entry;

	for (const char *at = path; *at;) {
		const char *part;

		at += 1 + strcspn(at + 1, "/");
		part = arena_copy(arena, path, (size_t)(at - path));
		if (!rootfs_find(&container->all, part, false, arena, &entry, err) ||
		    (entry.host && !make_one(container, path_join(arena, container->upper, part),
					     &entry.stat, err)))
			return false;
	}
	return true;
}

static const char *folder_of(const char *path, struct arena *arena)
{
	const char *slash = strrchr(path, '/');

	return slash == path ? "/" : arena_copy(arena, path, (size_t)(slash - path));
}

bool container_make_dir(struct container *container, const char *path, const char **host,
			struct err *err)
{
	struct arena *arena = container->spec->arena;
	const char *real = "/";
	struct rootfs_entry entry;

	while (path[strspn(path, "/")]) {
		size_t n;

		path += strspn(path, "/");
		n = strcspn(path, "/");
		if (!rootfs_find(&container->all,
				 path_join(arena, real, arena_copy(arena, path, n)), true, arena,
				 &entry, err))
			return false;
		path += n;
		if (!entry.path || (entry.host && !S_ISDIR(entry.stat.st_mode)))
			return err_set(err, ERR_INVALID,
				       "cannot use '%s' of the image: '%.*s' is no folder", real,
				       (int)n, path - n);
		if (!entry.host &&
		    (!copy_up(container, folder_of(entry.path, arena), err) ||
		     !make_one(container, path_join(arena, container->upper, entry.path), NULL,
			       err)))
			return false;
		real = entry.path;
	}
	*host = path_join(arena, container->upper, real);
	return copy_up(container, real, err);
}

bool container_may_write(struct container *container, const char *path, bool *out, struct err *err)
{
	const struct user *user = &container->user;
	struct rootfs_entry entry;
	unsigned bits = 0;

	*out = false;
	if (!rootfs_find(&container->all, path, true, container->spec->arena, &entry, err))
		return false;
	if (!entry.host || !S_ISDIR(entry.stat.st_mode))
		return true;
	/* Without root there is one user only, and everything is his. */
	if (user->uid == 0 || container->is_rootless) {
		*out = true;
		return true;
	}
	if (entry.stat.st_uid == user->uid) {
		bits = entry.stat.st_mode >> 6;
	} else {
		bool is_member = entry.stat.st_gid == user->gid;

		for (size_t i = 0; i < user->groups.n; i++)
			is_member |= user->groups.v[i] == entry.stat.st_gid;
		bits = is_member ? entry.stat.st_mode >> 3 : entry.stat.st_mode;
	}
	*out = (bits & 3) == 3;
	return true;
}

struct settling {
	const struct container *container;
	struct timespec times[2];
};

static bool settle_entry(void *ctx, struct tree_entry *entry, struct err *err)
{
	const struct settling *settling = ctx;
	const struct container *container = settling->container;
	mode_t mode = S_ISDIR(entry->stat.st_mode) || (entry->stat.st_mode & 0111) ? 0755 : 0644;

	if (!S_ISDIR(entry->stat.st_mode) && !S_ISREG(entry->stat.st_mode) &&
	    !S_ISLNK(entry->stat.st_mode))
		return tree_bad_kind(entry->path, err);
	if (!container->is_rootless && fchownat(entry->dir_fd, entry->name, container->user.uid,
						container->user.gid, AT_SYMLINK_NOFOLLOW) != 0)
		return err_sys(err, errno, "cannot change the owner of '%s'", entry->path);
	if (!S_ISLNK(entry->stat.st_mode) && fchmodat(entry->dir_fd, entry->name, mode, 0) != 0)
		return err_sys(err, errno, "cannot set the mode of '%s'", entry->path);
	if (utimensat(entry->dir_fd, entry->name, settling->times, AT_SYMLINK_NOFOLLOW) != 0)
		return err_sys(err, errno, "cannot set the time of '%s'", entry->path);
	return true;
}

static bool settle(const struct container *container, const char *root, int64_t mtime_s,
		   struct err *err)
{
	struct settling settling = { .container = container };

	settling.times[0] = settling.times[1] = (struct timespec){ .tv_sec = mtime_s };
	if (!tree_walk(root, settle_entry, &settling, err) ||
	    !own(container, root, container->user.uid, container->user.gid, err))
		return false;
	if (chmod(root, 0755) != 0 || utimensat(AT_FDCWD, root, settling.times, 0) != 0)
		return err_sys(err, errno, "cannot set the mode of '%s'", root);
	return true;
}

bool container_put_tree(struct container *container, const char *from, const char *path,
			int64_t mtime_s, struct err *err)
{
	struct arena *arena = container->spec->arena;
	const char *host, *to;

	if (!container_make_dir(container, folder_of(path, arena), &host, err))
		return false;
	to = path_join(arena, host, strrchr(path, '/') + 1);
	if (rename(from, to) != 0) {
		if (errno != EXDEV)
			return err_sys(err, errno, "cannot move '%s' to '%s'", from, path);
		if (mkdir(to, 0755) != 0 && errno != EEXIST)
			return err_sys(err, errno, "cannot create folder '%s'", to);
		if (!tree_copy(from, to, err))
			return false;
	}
	return settle(container, to, mtime_s, err);
}

bool container_join_tree(struct container *container, const char *from, const char *path,
			 int64_t mtime_s, struct err *err)
{
	struct arena *arena = container->spec->arena;
	AUTO_FD fd = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct strings names;
	const char *host;

	if (fd < 0)
		return err_sys(err, errno, "cannot open folder '%s'", from);
	if (!settle(container, from, mtime_s, err) ||
	    !container_make_dir(container, path, &host, err) || !fs_names(fd, arena, &names, err))
		return false;
	for (size_t i = 0; i < names.n; i++)
		if (renameat(fd, names.v[i], AT_FDCWD, path_join(arena, host, names.v[i])) != 0)
			return err_sys(err, errno, "cannot move '%s' to '%s'", names.v[i], path);
	return true;
}

bool container_put_file(struct container *container, const char *host_dir,
			const struct s2i_file *file, int *fd, struct err *err)
{
	const char *host = path_join(container->spec->arena, host_dir, file->name);
	struct timespec times[2];

	times[0] = times[1] = (struct timespec){ .tv_sec = s2i_created_s(container->spec) };
	if (unlink(host) != 0 && errno != ENOENT)
		return err_sys(err, errno, "cannot replace '%s'", file->name);
	*fd = open(host, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (*fd < 0)
		return err_sys(err, errno, "cannot create '%s'", file->name);
	if (!fd_write_all(*fd, file->bytes, file->n, err) ||
	    !own(container, host, container->user.uid, container->user.gid, err))
		return false;
	if (fchmod(*fd, 0644) != 0 || futimens(*fd, times) != 0)
		return err_sys(err, errno, "cannot set the mode of '%s'", file->name);
	return true;
}

static bool put_volume_file(const struct s2i_file *file, const char *root, mode_t mode,
			    struct arena *arena, struct err *err)
{
	struct inside_file out = { .bytes = file->bytes, .n = file->n, .mode = mode };
	const char *clean, *slash, *dir;

	if (!source_sub_path(file->name, arena, &clean, err))
		return false;
	slash = strrchr(clean, '/');
	out.name = slash ? slash + 1 : clean;
	return inside_make(root, slash ? arena_copy(arena, clean, (size_t)(slash - clean)) : "",
			   arena, &dir, err) &&
	       inside_put(dir, &out, arena, err);
}

bool container_add_volume(struct container *container, const struct s2i_files *files,
			  struct err *err)
{
	struct arena *arena = container->spec->arena;
	const char *dir = path_join(arena, container->spec->work_dir,
				    arena_printf(arena, "volume-%zu", container->volumes.n));
	struct sandbox_bind bind = { .from = dir };
	const char *host;

	if (!files->destination || files->destination[0] != '/')
		return err_set(err, ERR_INVALID, "volume at '%s': the place is no absolute path",
			       files->destination ? files->destination : "");
	if (!fs_make_dirs(dir, 0755, err))
		return false;
	for (size_t i = 0; i < files->list.n; i++)
		/* What a mounted volume keeps for itself. */
		if (strncmp(files->list.v[i].name, "..", 2) != 0 &&
		    !put_volume_file(&files->list.v[i], dir, files->mode ? files->mode : 0644,
				     arena, err))
			return err_prefix(err, "volume at '%s'", files->destination);
	if (!container->is_rootless &&
	    !tree_chown(dir, container->user.uid, container->user.gid, err))
		return false;
	if (!container_make_dir(container, files->destination, &host, err))
		return err_prefix(err, "volume at '%s'", files->destination);
	bind.to = host + strlen(container->upper);
	if (!bind.to[0] || strcmp(bind.to, "/") == 0)
		return err_set(err, ERR_INVALID, "a volume cannot be mounted at '/'");
	vec_push(arena, &container->volumes, bind);
	return true;
}
