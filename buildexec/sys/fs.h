/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fs.h — files and folders: whole files in and out, atomic writes, trees removed, temp folders that a kill leaves
 * recognisable. Errors name the path and the intent.
 */
#ifndef BUILDEXEC_SYS_FS_H
#define BUILDEXEC_SYS_FS_H

#include <stdint.h>
#include <sys/types.h>

#include "model/base/buf.h"
#include "model/base/vec.h"

/*
 * Absent is an answer: true with *out = NULL. Longer than max is ERR_INVALID, and so is a pipe that has a name, for nobody may ever
 * write to it; those of a shell are read. NUL-terminated behind *len.
 */
MUST_CHECK bool fs_read(int dir_fd, const char *path, size_t max, struct arena *arena, char **out,
			size_t *len, struct err *err);
/*
 * The same for what a container may have put there: only a plain file counts, never a link or a pipe that would make us
 * read elsewhere or wait. ERR_INVALID for anything else of that name.
 */
MUST_CHECK bool fs_read_plain(const char *path, size_t max, struct arena *arena, char **out,
			      size_t *len, struct err *err);
/* Temp file beside it, optional fsync, rename. Folders above must exist. */
MUST_CHECK bool fs_write_atomic(int dir_fd, const char *path, const void *bytes, size_t n,
				mode_t mode, bool is_synced, struct err *err);
/* mkdir -p; existing folders are fine, a file in the way is an error. */
MUST_CHECK bool fs_make_dirs(const char *path, mode_t mode, struct err *err);
/* rm -rf without following links and without recursion over foreign depth; absent is fine; folders without permission are opened up first. */
MUST_CHECK bool fs_remove_tree(const char *path, struct err *err);
bool fs_exists(const char *path);
bool fs_is_dir(const char *path);

/*
 * A private temp folder "<base>/<prefix>-<pid>-<starttime>-XXXXXX" (0700). `base` NULL: $TMPDIR or /tmp as given to
 * fs_set_temp_base by main. Removed by tmpdir_release; folders of dead owners are removed by fs_sweep_temp (the owner
 * holds a flock on the folder, which ends with it however it dies).
 */
struct tmpdir {
	char *path;  /* owned; NULL when released */
	int lock_fd; /* valid while path is */
};
void fs_set_temp_base(const char *path);
MUST_CHECK bool tmpdir_make(const char *base, const char *prefix, struct tmpdir *out,
			    struct err *err);
void tmpdir_release(struct tmpdir *dir);
#define AUTO_TMPDIR __attribute__((cleanup(tmpdir_release))) struct tmpdir
/* Prefix "reconcile" means all of "reconcile-<word>", whatever the word. */
void fs_sweep_temp(const char *base, const char *prefix);

/*
 * A new file "<path>.tmp-<n>" that a rename brings to its place; `access` is O_WRONLY or O_RDWR, `name` has PATH_MAX bytes.
 * It is locked (flock): what a killed writer left under such a name is not, and is removed. So the descriptor must stay
 * open until the rename is done. Returns -1 with errno.
 */
int fs_open_temp(int dir_fd, const char *path, int access, mode_t mode, char *name);
/* Removes from a folder what killed writers left there under such names; a folder that is absent is fine. */
void fs_sweep_files(const char *folder);

void fd_close(int *fd); /* preserves errno, sets -1 */
#define AUTO_FD __attribute__((cleanup(fd_close))) int
/* read(2), restarted on EINTR, that waits also where the descriptor does not block. */
MUST_CHECK ssize_t fd_read(int fd, void *bytes, size_t n);
/* All n bytes, restarting on EINTR and short writes; it waits likewise. */
MUST_CHECK bool fd_write_all(int fd, const void *bytes, size_t n, struct err *err);
/* From the positions of both to the end of `from`. */
MUST_CHECK bool fd_copy_all(int from, int to, struct err *err);
/* The names in an open folder, by bytes, in the arena; the descriptor stays open. */
MUST_CHECK bool fs_names(int fd, struct arena *arena, struct strings *out, struct err *err);

/* An advisory lock (flock) on a file that is created when absent; waits up to timeout_ms (-1: for ever, 0: do not wait → ERR_CONFLICT). */
MUST_CHECK bool fs_lock(const char *path, bool is_shared, int64_t timeout_ms, int *fd,
			struct err *err);

/*
 * Is there hardly any room, or hardly a file more, where `path` is? What failed there then need not have failed by itself.
 * False where that cannot be said.
 */
bool fs_is_full(const char *path);

/* dir + "/" + name in the arena, no doubled slash. */
char *path_join(struct arena *arena, const char *dir, const char *name);
/* True when `path` is relative, not empty, without "..", ".", empty parts, backslashes, NUL or control characters. */
bool path_is_inside(const char *path);

#endif
