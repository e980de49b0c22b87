/* SPDX-License-Identifier: Apache-2.0 */
/*
 * git_refs.c — compare-and-swap of one ref file under "<ref>.lock", as git does it, so that git
 * waits for us and we for git. The lock is not opened with O_EXCL but linked from a temporary file
 * that holds the new value already and is named after the ref. A kill leaves both names of one
 * file: the next writer of ours, who holds git_repo_lock, knows by the common inode that the lock's
 * owner is dead. A lock of another program is waited for and never removed. Spec:
 * gitrepository-layout(5) "refs"; git's lockfile.h.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buildexec/sys/clock.h"
#include "buildexec/sys/fs.h"
#include "buildexec/sys/git_lib.h"
#include "buildexec/sys/git_repo.h"
#include "buildexec/sys/git_url.h"
#include "model/base/limits.h"

enum {
	LOCK_WAIT_MS = 10000,
	LOCK_STEP_MS = 20,
	LOCK_STEP_MAX_MS = 200,
	SYMREF_DEPTH = 5,
	REF_DEPTH = 64
};
#define TEMP_PREFIX     "reconcile-ref-"
#define PACKED_REFS_MAX ((size_t)LIMIT_REFS * 256)

struct swap {
	struct arena *arena;
	const char *dir; /* of the repository */
	const char *name, *ref_path, *lock_path;
	const char *temp_prefix; /* "reconcile-ref-<hash of the name>-" */
	char *temp_path;         /* NULL once gone */
};

static bool find_packed_ref(struct arena *arena, const char *dir, const char *name,
			    struct git_id *out, struct err *err)
{
	size_t n, n_name = strlen(name);
	const char *line;
	char *text;

	if (!fs_read(AT_FDCWD, path_join(arena, dir, "packed-refs"), PACKED_REFS_MAX, arena, &text,
		     &n, err))
		return false;
	for (line = text; line && *line;) {
		size_t length = strcspn(line, "\n");

		if (length == GIT_ID_HEX + 1 + n_name && line[GIT_ID_HEX] == ' ' &&
		    !memcmp(line + GIT_ID_HEX + 1, name, n_name))
			return git_id_parse(line, GIT_ID_HEX, out) ||
			       err_set(err, ERR_INVALID, "packed-refs of '%s' are damaged", dir);
		line += length + (line[length] == '\n');
	}
	return true;
}

/* One ref, not followed: an id, or of a symbolic ref the name it holds; both empty when it is absent. */
static bool read_one(struct arena *arena, const char *dir, const char *name, struct git_id *out,
		     const char **target, struct err *err)
{
	const char *path = path_join(arena, dir, name);
	struct err failed = { 0 };
	char *text = NULL;
	size_t n = 0;

	*out = (struct git_id){ 0 };
	*target = NULL;
	if (!fs_is_dir(path) &&
	    !fs_read(AT_FDCWD, path, LIMIT_PATH_BYTES, arena, &text, &n, &failed)) {
		if (failed.sys !=
		    ENOTDIR) { /* "refs/heads/a" while "refs/heads" … is a file: absent */
			*err = failed;
			return false;
		}
	}
	if (!text)
		return find_packed_ref(arena, dir, name, out, err);
	while (n && (text[n - 1] == '\n' || text[n - 1] == ' '))
		text[--n] = '\0';
	if (!strncmp(text, "ref: ", 5)) {
		*target = text + 5 + strspn(text + 5, " ");
		return true;
	}
	return git_id_parse(text, n, out) || err_set(err, ERR_INVALID, "ref '%s' is damaged", name);
}

bool git_ref_read_file(const char *dir, const char *name, struct git_id *out, struct err *err)
{
	struct arena *arena = arena_new();
	const char *target = name;
	bool done = true;

	*out = (struct git_id){ 0 };
	for (int depth = 0; done && target; depth++) {
		if (depth > SYMREF_DEPTH || (strcmp(target, "HEAD") && !git_ref_is_valid(target)))
			done = err_set(err, ERR_INVALID, "'%s' is no ref that can be read", name);
		else
			done = read_one(arena, dir, target, out, &target, err);
	}
	arena_free(arena);
	return done;
}

static bool read_current(struct swap *swap, struct git_id *out, struct err *err)
{
	const char *target;

	if (!read_one(swap->arena, swap->dir, swap->name, out, &target, err))
		return false;
	return !target || err_set(err, ERR_INVALID, "ref '%s' is not a plain branch", swap->name);
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev;
}

/* What dead processes of ours left of this ref. True when a lock was among it. */
static bool sweep(struct swap *swap)
{
	DIR *dir = opendir(swap->dir);
	struct dirent *entry;
	struct stat lock, temp;
	bool found = false;

	if (!dir)
		return false;
	while ((entry = readdir(dir)) != NULL) {
		const char *path;

		if (strncmp(entry->d_name, swap->temp_prefix, strlen(swap->temp_prefix)) != 0)
			continue;
		path = path_join(swap->arena, swap->dir, entry->d_name);
		if (swap->temp_path && !strcmp(path, swap->temp_path))
			continue;
		if (!stat(path, &temp) && !stat(swap->lock_path, &lock) && is_same(&temp, &lock))
			found = !unlink(swap->lock_path);
		unlink(path);
	}
	closedir(dir);
	return found;
}

/* Looks below a folder of refs for the other name of a temporary file: a lock is removed, a ref that it became stays. */
static bool find_twin(int dir_fd, const struct stat *temp, unsigned depth, struct arena *arena)
{
	struct err ignored = { 0 };
	struct strings names;
	bool found = false;

	if (depth > REF_DEPTH || !fs_names(dir_fd, arena, &names, &ignored))
		return false;
	for (size_t i = 0; i < names.n && !found; i++) {
		size_t n = strlen(names.v[i]);
		struct stat st;

		if (fstatat(dir_fd, names.v[i], &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (S_ISDIR(st.st_mode)) {
			AUTO_FD inner = openat(dir_fd, names.v[i],
					       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

			found = inner >= 0 && find_twin(inner, temp, depth + 1, arena);
		} else if (is_same(&st, temp)) {
			found = true;
			if (n > 5 && strcmp(names.v[i] + n - 5, ".lock") == 0)
				unlinkat(dir_fd, names.v[i], 0);
		}
	}
	return found;
}

/* Under the lock that its writer would hold: nobody writes it any more. */
static void remove_temp(int dir_fd, const char *name)
{
	struct arena *arena = arena_new();
	struct stat st;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode)) {
		AUTO_FD refs = openat(dir_fd, "refs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		/* The temporary name tells whose lock it is: it goes last. */
		if (st.st_nlink == 1 || (refs >= 0 && find_twin(refs, &st, 0, arena)))
			unlinkat(dir_fd, name, 0);
	}
	arena_free(arena);
}

void git_repo_sweep(struct git_repo *repo)
{
	DIR *dir = opendir(git_repo_path(repo));
	const struct dirent *entry;
	struct err ignored = { 0 };
	AUTO_FD lock = -1;

	while (dir && (entry = readdir(dir)) != NULL) {
		if (strncmp(entry->d_name, TEMP_PREFIX, strlen(TEMP_PREFIX)) != 0)
			continue;
		if (lock < 0 && !git_repo_lock(repo, 0, &lock, &ignored))
			break;
		remove_temp(dirfd(dir), entry->d_name);
	}
	if (dir)
		closedir(dir);
}

static bool write_temp(struct swap *swap, const struct git_id *id, struct err *err)
{
	char line[GIT_ID_HEX + 2];
	AUTO_FD fd = -1;

	snprintf(line, sizeof(line), "%s\n", id->hex);
	swap->temp_path = arena_printf(swap->arena, "%s/%sXXXXXX", swap->dir, swap->temp_prefix);
	fd = mkostemp(swap->temp_path, O_CLOEXEC);
	if (fd < 0) {
		swap->temp_path = NULL;
		return err_sys(err, errno, "cannot write to '%s'", swap->dir);
	}
	if (!fd_write_all(fd, line, sizeof(line) - 1, err))
		return false;
	if (fchmod(fd, 0644) < 0 || fdatasync(fd) < 0)
		return err_sys(err, errno, "cannot write ref '%s'", swap->name);
	return true;
}

static bool make_parent(struct swap *swap, struct err *err)
{
	char *parent = arena_strdup(swap->arena, swap->lock_path);

	*strrchr(parent, '/') = '\0';
	if (fs_make_dirs(parent, 0777, err))
		return true;
	return err_prefix(err,
			  "cannot make branch '%s' (is there a branch named like its beginning?)",
			  swap->name);
}

static bool lock_without_links(struct swap *swap, struct err *err)
{
	AUTO_FD fd = open(swap->lock_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	if (fd < 0 && errno == EEXIST)
		return err_set(err, ERR_CONFLICT, "ref '%s' is locked by another program",
			       swap->name);
	if (fd < 0 || rename(swap->temp_path, swap->lock_path) < 0)
		return err_sys(err, errno, "cannot lock ref '%s'", swap->name);
	swap->temp_path = NULL;
	return true;
}

/* git removes empty folders of refs at any time, hence the second look at the parent. */
static bool take_lock(struct swap *swap, struct err *err)
{
	int64_t end = clock_mono_ms() + LOCK_WAIT_MS;

	for (unsigned attempt = 0;; attempt++) {
		if (!make_parent(swap, err))
			return false;
		if (!link(swap->temp_path, swap->lock_path))
			return true;
		if (errno == EEXIST && sweep(swap))
			continue;
		if (errno == EPERM || errno == EOPNOTSUPP) /* no hard links here */
			break;
		if (errno != EEXIST && errno != ENOENT)
			return err_sys(err, errno, "cannot lock ref '%s'", swap->name);
		if (clock_mono_ms() >= end)
			return err_set(err, ERR_CONFLICT,
				       "ref '%s' stays locked by another program; if none is "
				       "running, remove '%s'",
				       swap->name, swap->lock_path);
		clock_sleep_ms(1 + backoff_ms(attempt, LOCK_STEP_MS, LOCK_STEP_MAX_MS));
	}
	return lock_without_links(swap, err);
}

/* Under the lock. A folder may stand in the way when branches below it were deleted. */
static bool replace(struct swap *swap, const struct git_id *old_id, struct err *err)
{
	struct git_id current;

	if (!read_current(swap, &current, err))
		return false;
	if (!git_id_equal(&current, old_id))
		return err_set(err, ERR_CONFLICT, "ref '%s' moved: it is %s, not %s", swap->name,
			       git_id_is_none(&current) ? "gone" : current.hex,
			       git_id_is_none(old_id) ? "absent" : old_id->hex);
	if (fs_is_dir(swap->ref_path) && rmdir(swap->ref_path) < 0)
		return err_sys(err, errno, "cannot make branch '%s': there are branches below it",
			       swap->name);
	/* The lock goes by becoming the ref: killed behind this, only the temporary name is left.
	 */
	if (rename(swap->lock_path, swap->ref_path) < 0)
		return err_sys(err, errno, "cannot write ref '%s'", swap->name);
	return true;
}

bool git_repo_swap_ref(struct git_repo *repo, const char *name, const struct git_id *old_id,
		       const struct git_id *new_id, struct err *err)
{
	struct swap swap = { .arena = arena_new(), .dir = git_repo_path(repo), .name = name };
	unsigned char hash[GIT_ID_RAW];
	bool done;

	if (!git_ref_is_valid(name) || git_id_is_none(new_id)) {
		arena_free(swap.arena);
		return err_set(err, ERR_INVALID, "'%s' is no name for a branch", name);
	}
	git_id_hash(GIT_TYPE_BLOB, name, strlen(name), hash);
	swap.temp_prefix =
		arena_printf(swap.arena, TEMP_PREFIX "%.12s-", git_id_from_raw(hash).hex);
	swap.ref_path = path_join(swap.arena, swap.dir, name);
	swap.lock_path = arena_printf(swap.arena, "%s.lock", swap.ref_path);
	sweep(&swap);
	done = write_temp(&swap, new_id, err) && take_lock(&swap, err);
	if (done) {
		done = replace(&swap, old_id, err);
		if (!done)
			unlink(swap.lock_path);
	}
	if (swap.temp_path)
		unlink(swap.temp_path);
	arena_free(swap.arena);
	return done;
}
