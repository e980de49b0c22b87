/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine_store.c — see engine_store.h. Files in a store may belong to subordinate ids, so it is measured and removed as the engine runs, in a
 * user namespace. The lock lies beside the folder and is never removed: its time is that of the last use.
 */
#include "buildexec/engine/engine_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buildexec/engine/run.h"
#include "buildexec/sys/build_log.h"
#include "buildexec/sys/clock.h"
#include "model/base/digest.h"

enum { NAME_DIGITS = 20, OUTPUT_MAX_BYTES = 4096 };

static bool remove_dir(struct task *task, const struct strings *env, const char *path,
		       struct err *err)
{
	const char *argv[] = { "rm", "-rf", path };
	const struct run_spec spec = { .argv = { argv, COUNTOF(argv), 0 },
				       .env = *env,
				       .dir = task->work.path };
	struct run_end end;

	if (!fs_exists(path))
		return true;
	if (!run_engine(task, &spec, &end, err))
		return err_prefix(err, "cannot remove '%s'", path);
	if (end.exit_code != 0)
		return err_set(err, ERR_SYSTEM, "cannot remove '%s'", path);
	return true;
}

bool engine_store_empty(struct task *task, const struct strings *env,
			const struct engine_store *store, struct err *err)
{
	return remove_dir(task, env, store->dir, err) && fs_make_dirs(store->dir, 0700, err);
}

bool engine_store_clean_temp(struct task *task, const struct strings *env,
			     const struct engine_store *store, struct err *err)
{
	const char *temp = path_join(task->arena, store->dir, ENGINE_TEMP);
	AUTO_FD fd = open(temp, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct strings names;

	if (fd < 0)
		return true;
	if (!fs_names(fd, task->arena, &names, err))
		return false;
	for (size_t i = 0; i < names.n; i++) {
		const char *rest = names.v[i] + strcspn(names.v[i], "0123456789");

		/* "buildah2165107540"; what keeps its name is a cache of "RUN --mount=type=cache" */
		if (rest > names.v[i] && *rest && !rest[strspn(rest, "0123456789")] &&
		    !strchr(names.v[i], '-') &&
		    !remove_dir(task, env, path_join(task->arena, temp, names.v[i]), err))
			return false;
	}
	return true;
}

static const char *lock_path(struct task *task, const char *dir)
{
	return arena_printf(task->arena, "%s.lock", dir);
}

/* Stores that are not used any more; what cannot be looked at is left alone. */
static void sweep(struct task *task, const struct strings *env, const char *root)
{
	AUTO_FD fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct err ignored = { 0 };
	struct strings names;

	if (fd < 0 || !fs_names(fd, task->arena, &names, &ignored))
		return;
	for (size_t i = 0; i < names.n; i++) {
		const char *path = path_join(task->arena, root, names.v[i]);
		const char *lock = lock_path(task, path);
		struct stat st;
		AUTO_FD held = -1;

		if (!fs_is_dir(path) || stat(lock, &st) != 0 ||
		    clock_now_s() - st.st_mtime < STORE_MAX_AGE_S)
			continue;
		if (!fs_lock(lock, false, 0, &held, &ignored) ||
		    !remove_dir(task, env, path, &ignored))
			continue;
		build_log_say("Removed the cached layers in '%s', which were not used any more",
			      path);
	}
}

static bool is_too_large(struct task *task, const struct strings *env, const char *dir)
{
	AUTO_BUF out = BUF_INIT(OUTPUT_MAX_BYTES);
	const char *argv[] = { "du", "-sk", dir };
	const struct run_spec spec = {
		.argv = { argv, COUNTOF(argv), 0 }, .env = *env, .dir = task->work.path, .out = &out
	};
	struct err ignored = { 0 };
	struct run_end end;

	return run_engine(task, &spec, &end, &ignored) && end.exit_code == 0 &&
	       strtoll(buf_text(&out), NULL, 10) > STORE_MAX_KIB;
}

static bool is_marked(int lock_fd)
{
	struct stat st;

	return fstat(lock_fd, &st) == 0 && st.st_size > 0;
}

/* What cannot be marked is cleaned by nobody but the next build of the same name, which looks for itself. */
static void mark(struct engine_store *store)
{
	store->is_left = is_marked(store->lock_fd);
	if (!store->is_left)
		(void)!pwrite(store->lock_fd, "+", 1, 0);
}

/* The first slot that nobody uses. */
static bool take_slot(struct task *task, const char *root, const char *name,
		      struct engine_store *out, struct err *err)
{
	const struct digest digest = digest_of(name, strlen(name));

	for (int i = 0; i < STORE_SLOTS; i++) {
		struct err busy = { 0 };

		out->dir = arena_printf(task->arena, "%s/%.*s-%d", root, (int)NAME_DIGITS,
					digest_hex(digest.text), i);
		if (fs_lock(lock_path(task, out->dir), false, 0, &out->lock_fd, &busy))
			return true;
		if (busy.kind != ERR_CONFLICT) {
			*err = busy;
			return false;
		}
	}
	return err_set(err, ERR_CONFLICT, "%d builds of '%s' run already", (int)STORE_SLOTS, name);
}

bool engine_store_open(struct task *task, const char *name, const struct strings *env,
		       struct engine_store *out, struct err *err)
{
	const char *root = path_join(task->arena, task->cache_dir, "docker");

	*out = (struct engine_store){ .lock_fd = -1 };
	if (!fs_make_dirs(root, 0700, err))
		return false;
	sweep(task, env, root);
	if (!take_slot(task, root, name, out, err))
		return false;
	(void)futimens(out->lock_fd, NULL);
	mark(out);
	if (!fs_is_dir(out->dir))
		return fs_make_dirs(out->dir, 0700, err);
	if (!is_too_large(task, env, out->dir))
		return true;
	build_log_say("Emptying the cached layers of '%s', which passed %d GiB", name,
		      (int)(STORE_MAX_KIB >> 20));
	return engine_store_empty(task, env, out, err);
}

void engine_store_clean_others(struct task *task, engine_store_clean_fn *clean, void *ctx)
{
	const char *root = path_join(task->arena, task->cache_dir, "docker");
	AUTO_FD fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct err ignored = { 0 };
	struct strings names;

	if (fd < 0 || !fs_names(fd, task->arena, &names, &ignored))
		return;
	for (size_t i = 0; i < names.n; i++) {
		struct engine_store store = { .dir = path_join(task->arena, root, names.v[i]),
					      .lock_fd = -1 };
		const char *lock = lock_path(task, store.dir);
		struct stat st;

		if (!fs_is_dir(store.dir) || stat(lock, &st) != 0 || st.st_size == 0 ||
		    !fs_lock(lock, false, 0, &store.lock_fd, &ignored))
			continue;
		engine_store_close(&store, is_marked(store.lock_fd) && clean(ctx, &store));
	}
}

void engine_store_close(struct engine_store *store, bool is_clean)
{
	if (is_clean && store->lock_fd >= 0 && ftruncate(store->lock_fd, 0) != 0)
		is_clean = false; /* it is cleaned once more */
	fd_close(&store->lock_fd);
}
