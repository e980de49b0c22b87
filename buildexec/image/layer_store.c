/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layer_store.c — <root>/{blobs, layers or layers-user, locks, tmp}. A layer is made in tmp, under
 * a lock of its own, and renamed into place when it is complete and verified: what has its name is
 * whole.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buildexec/image/unpack.h"
#include "buildexec/sys/clock.h"
#include "buildexec/sys/fs.h"

static const char *const forms[] = {
	[UNPACK_AS_ROOT] = "layers", [UNPACK_AS_USER] = "layers-user"
};
_Static_assert(COUNTOF(forms) == UNPACK_FORMS, "every form has its folder");

static const char temp_prefix[] = "layer";

struct layer_store {
	struct arena *arena;
	enum unpack_form form;
	const char *layers, *locks, *temp, *blobs;
	const char *marker, *marker_lock;
	char boot[BOOT_ID_TEXT];
	pthread_mutex_t lock; /* of active_fd */
	int active_fd;        /* shared lock on marker_lock while layers of ours may be unsynced */
};

/* Age of a marker after which most of what it warns of has been written by the kernel itself. */
enum { SETTLED_S = 60 };

/* The boot id in the marker and its age; NULL when there is none. */
static const char *read_marker(const struct layer_store *store, int64_t *age_s)
{
	struct err ignored = { 0 };
	struct stat st;
	char *text;
	size_t len;

	*age_s = 0;
	if (!fs_read(AT_FDCWD, store->marker, 64, store->arena, &text, &len, &ignored))
		return "unreadable";
	if (text && stat(store->marker, &st) == 0)
		*age_s = clock_now_s() - st.st_mtim.tv_sec;
	return text;
}

/* Images bring programs that run as their owner, whoever starts them: nobody else of this machine comes to them. */
static bool make_layers(const struct layer_store *store, struct err *err)
{
	if (!fs_make_dirs(store->layers, 0700, err))
		return false;
	return chmod(store->layers, 0700) == 0 ||
	       err_sys(err, errno, "cannot set the mode of '%s'", store->layers);
}

static bool sync_layers(const struct layer_store *store)
{
	AUTO_FD fd = open(store->layers, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 && syncfs(fd) == 0;
}

/* Takes a marker away that is old enough, after making true what its absence says. */
static bool settle(const struct layer_store *store, struct err *err)
{
	struct err conflict = { 0 };
	AUTO_FD lock = -1;
	const char *boot;
	int64_t age_s;

	boot = read_marker(store, &age_s);
	if (!boot || (strcmp(boot, store->boot) == 0 && age_s < SETTLED_S))
		return true;
	/* Runs that hold it are of this boot, and have looked before us. */
	if (!fs_lock(store->marker_lock, false, 0, &lock, &conflict))
		return true;
	boot = read_marker(store, &age_s);
	if (boot && strcmp(boot, store->boot) != 0) {
		if (!fs_remove_tree(store->layers, err) || !make_layers(store, err))
			return false;
	} else if (!sync_layers(store)) {
		return true;
	}
	unlink(store->marker);
	return true;
}

/* Before a layer gets its name. */
static bool mark(struct layer_store *store, struct err *err)
{
	bool is_ok = true;

	pthread_mutex_lock(&store->lock);
	if (store->active_fd < 0)
		is_ok = fs_lock(store->marker_lock, true, -1, &store->active_fd, err) &&
			fs_write_atomic(AT_FDCWD, store->marker, store->boot, strlen(store->boot),
					0644, true, err);
	pthread_mutex_unlock(&store->lock);
	return is_ok;
}

bool layer_store_open(const char *root, struct layer_store **out, struct err *err)
{
	struct layer_store *store = mem_realloc(NULL, sizeof(*store));

	*out = NULL;
	*store = (struct layer_store){ .arena = arena_new(),
				       .form = unpack_form_here(),
				       .active_fd = -1 };
	pthread_mutex_init(&store->lock, NULL);
	clock_boot_id(store->boot);
	store->marker = arena_printf(store->arena, "%s/%s.boot", root, forms[store->form]);
	store->layers = path_join(store->arena, root, forms[store->form]);
	store->locks = path_join(store->arena, root, "locks");
	store->marker_lock =
		arena_printf(store->arena, "%s/%s.boot", store->locks, forms[store->form]);
	store->temp = path_join(store->arena, root, "tmp");
	store->blobs = path_join(store->arena, root, "blobs");
	if (!make_layers(store, err) || !fs_make_dirs(store->locks, 0755, err) ||
	    !fs_make_dirs(store->temp, 0755, err) ||
	    !fs_make_dirs(path_join(store->arena, store->blobs, "sha256"), 0755, err) ||
	    !settle(store, err)) {
		layer_store_close(&store);
		return false;
	}
	fs_sweep_temp(store->temp, temp_prefix);
	fs_sweep_files(root);
	fs_sweep_files(path_join(store->arena, store->blobs, "sha256"));
	*out = store;
	return true;
}

void layer_store_close(struct layer_store **store)
{
	if (!*store)
		return;
	fd_close(&(*store)->active_fd);
	pthread_mutex_destroy(&(*store)->lock);
	arena_free((*store)->arena);
	free(*store);
	*store = NULL;
}

const char *layer_store_blobs(const struct layer_store *store)
{
	return store->blobs;
}

char *layer_store_find(const struct layer_store *store, const char *diff_id, struct arena *arena)
{
	char *dir = path_join(arena, store->layers, digest_hex(diff_id));

	return fs_is_dir(dir) ? dir : NULL;
}

static bool unpack_into_place(struct layer_store *store, const char *diff_id, const char *path,
			      const char *dir, struct err *err)
{
	AUTO_TMPDIR temp = { 0 };
	AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);
	struct unpack_stats stats;
	struct unpack_spec spec = { .fd = fd, .diff_id = diff_id, .form = store->form };
	char root[PATH_MAX];
	int n;

	if (fd < 0)
		return err_sys(err, errno, "cannot open layer blob '%s'", path);
	if (!tmpdir_make(store->temp, temp_prefix, &temp, err))
		return false;
	n = snprintf(root, sizeof(root), "%s/fs", temp.path);
	if (n < 0 || n >= (int)sizeof(root) || mkdir(root, 0755) < 0 || chmod(root, 0755) < 0)
		return err_sys(err, errno, "cannot make folder '%s'", root);
	spec.dir = root;
	if (!unpack_layer(&spec, &stats, err))
		return err_prefix(err, "layer '%s'", diff_id);
	if (!mark(store, err))
		return false;
	if (rename(root, dir) < 0)
		return err_sys(err, errno, "cannot name unpacked layer '%s'", dir);
	return true;
}

bool layer_store_add(struct layer_store *store, const char *diff_id, const char *path,
		     struct arena *arena, char **dir, struct err *err)
{
	AUTO_FD lock = -1;
	char *place;

	*dir = NULL;
	if (!digest_is_valid(diff_id))
		return err_set(err, ERR_INVALID, "'%s' is no diff id", diff_id);
	place = layer_store_find(store, diff_id, arena);
	if (!place) {
		const char *lock_path = path_join(arena, store->locks, digest_hex(diff_id));

		if (!fs_lock(lock_path, false, -1, &lock, err))
			return false;
		place = path_join(arena, store->layers, digest_hex(diff_id));
		if (!fs_is_dir(place) && !unpack_into_place(store, diff_id, path, place, err))
			return false;
	}
	*dir = place;
	return true;
}

bool layer_store_lock_blob(const struct layer_store *store, const char *digest, int *fd,
			   struct err *err)
{
	struct arena *arena = arena_new();
	/* Apart from the layers' own locks: an uncompressed layer has one digest for both. */
	bool is_ok = fs_lock(arena_printf(arena, "%s/blob-%s", store->locks, digest_hex(digest)),
			     false, -1, fd, err);

	arena_free(arena);
	return is_ok;
}
