/* SPDX-License-Identifier: Apache-2.0 */
/* kept_layer.c — see kept_layer.h. Called only while no container runs: nobody else changes the folders. */
#include "buildexec/cnb/kept_layer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buildexec/image/tar_tree.h"
#include "buildexec/sys/clock.h"
#include "buildexec/sys/fs.h"

#define KEPT "kept"

/* Beyond that many objects a layer is not kept: walking through it would cost memory. */
enum { ENTRIES_MAX = 200000 };

static bool add_boot(struct sha256 *sha)
{
	char boot[BOOT_ID_TEXT];

	clock_boot_id(boot);
	sha256_update(sha, boot, strlen(boot));
	return boot[0] != '\0';
}

/* Archives of the layer begin with the folders above it, with the modes that they have. */
static bool add_parents(struct sha256 *sha, const struct lifecycle *life, const char *dir,
			struct arena *arena)
{
	const char *slash = strrchr(dir, '/');
	const char *above = slash ? arena_copy(arena, dir, (size_t)(slash - dir)) : "/";
	struct stat own, top;
	uint64_t numbers[4];

	if (stat(above, &own) != 0 || stat(life->options.layers_dir, &top) != 0)
		return false;
	numbers[0] = own.st_mode;
	numbers[1] = top.st_mode;
	numbers[2] = life->options.uid;
	numbers[3] = life->options.gid;
	sha256_update(sha, numbers, sizeof(numbers));
	return true;
}

/* Of the layer's own folder the time of change says nothing: it is renamed. */
static void add_object(struct sha256 *sha, const char *path, const struct stat *st)
{
	const bool is_top = *path == '\0';
	const uint64_t numbers[] = {
		(uint64_t)st->st_ino,
		st->st_mode,
		st->st_uid,
		st->st_gid,
		S_ISDIR(st->st_mode) ? 0 : (uint64_t)st->st_size,
		(uint64_t)st->st_mtim.tv_sec,
		(uint64_t)st->st_mtim.tv_nsec,
		is_top ? 0 : (uint64_t)st->st_ctim.tv_sec,
		is_top ? 0 : (uint64_t)st->st_ctim.tv_nsec,
	};

	sha256_update(sha, path, strlen(path) + 1);
	sha256_update(sha, numbers, sizeof(numbers));
}

/* What an archive would give back: one owner, and the time that all entries have. */
static bool make_as_unpacked(const struct lifecycle *life, const char *path, const struct stat *st)
{
	const struct timespec times[2] = { { .tv_sec = TAR_FIXED_MTIME_S },
					   { .tv_sec = TAR_FIXED_MTIME_S } };
	const bool is_root = geteuid() == 0;

	const bool is_set = st->st_mtim.tv_sec == TAR_FIXED_MTIME_S && st->st_mtim.tv_nsec == 0;

	/* Set once only: of a file with several names the time of change would be another for each. */
	return st->st_uid == (is_root ? life->options.uid : geteuid()) &&
	       (!is_root || st->st_gid == life->options.gid) &&
	       (S_ISDIR(st->st_mode) || S_ISREG(st->st_mode) || S_ISLNK(st->st_mode)) &&
	       (is_set || utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW) == 0);
}

/* The print of `tree`, as it is or (is_new) after making it what an archive would give back. */
static bool print_of(const struct lifecycle *life, const struct kept_layer *layer, const char *tree,
		     bool is_new, struct digest *out, uint64_t *n_bytes)
{
	struct arena *arena = arena_new();
	struct strings paths = { 0 };
	struct err ignored = { 0 };
	struct sha256 sha;
	bool is_done;

	*n_bytes = 0;
	sha256_init(&sha);
	sha256_update(&sha, layer->name, strlen(layer->name) + 1);
	is_done = add_boot(&sha) && add_parents(&sha, life, layer->dir, arena) &&
		  tree_list(tree, arena, &paths, &ignored) && paths.n <= ENTRIES_MAX;
	/* Backwards: what is in a folder comes before it. */
	for (size_t i = paths.n; is_done && i-- > 0;) {
		char path[PATH_MAX];
		struct stat st;
		int n = snprintf(path, sizeof(path), "%s%s%s", tree, *paths.v[i] ? "/" : "",
				 paths.v[i]);

		is_done = n > 0 && n < (int)sizeof(path) && lstat(path, &st) == 0 &&
			  (!is_new || (make_as_unpacked(life, path, &st) && lstat(path, &st) == 0));
		if (is_done) {
			add_object(&sha, paths.v[i], &st);
			*n_bytes += (uint64_t)st.st_blocks * 512;
		}
	}
	*out = sha256_final(&sha);
	arena_free(arena);
	return is_done;
}

static const char *place_of(const struct lifecycle *life, const char *diff_id)
{
	return arena_printf(life->arena, "%s/" KEPT "/%s", life->options.cache_dir,
			    digest_hex(diff_id));
}

bool kept_layer_take(struct lifecycle *life, const struct kept_layer *layer)
{
	const char *place = place_of(life, layer->diff_id);
	const char *tree = path_join(life->arena, place, "tree");
	struct err ignored = { 0 };
	struct digest print;
	uint64_t n_bytes;
	char *text;
	size_t n;

	if (!fs_read_plain(path_join(life->arena, place, "print"), sizeof(print.text), life->arena,
			   &text, &n, &ignored) ||
	    !text || !print_of(life, layer, tree, false, &print, &n_bytes) ||
	    strcmp(text, print.text) != 0 || rename(tree, layer->dir) != 0)
		return false;
	vec_push(life->arena, &life->taken,
		 (struct taken_layer){ .dir = arena_strdup(life->arena, layer->dir),
				       .diff_id = arena_strdup(life->arena, layer->diff_id),
				       .print = text,
				       .n_bytes = n_bytes });
	return true;
}

/* NULL: it was not taken, or is not as it was. */
static const struct taken_layer *find_unchanged(const struct lifecycle *life, const char *dir,
						const char *name)
{
	const struct kept_layer layer = { .dir = dir, .name = name };

	for (size_t i = 0; i < life->taken.n; i++) {
		struct taken_layer *taken = &life->taken.v[i];
		struct digest print;
		uint64_t n_bytes;

		if (strcmp(taken->dir, dir) != 0)
			continue;
		if (!taken->is_compared)
			taken->is_changed = !print_of(life, &layer, dir, false, &print, &n_bytes) ||
					    strcmp(print.text, taken->print) != 0;
		taken->is_compared = true;
		return taken->is_changed ? NULL : taken;
	}
	return NULL;
}

const char *kept_layer_diff_id(const struct lifecycle *life, const char *dir, const char *name)
{
	const struct taken_layer *taken = find_unchanged(life, dir, name);

	return taken ? taken->diff_id : NULL;
}

void kept_layer_put(struct lifecycle *life, const struct kept_layer *layer, uint64_t *room_bytes)
{
	const struct taken_layer *known = find_unchanged(life, layer->dir, layer->name);
	const char *place = place_of(life, layer->diff_id);
	const char *tree = path_join(life->arena, place, "tree");
	const char *file = path_join(life->arena, place, "print");
	struct err ignored = { 0 };
	struct digest print;
	uint64_t n_bytes;

	if (known) {
		snprintf(print.text, sizeof(print.text), "%s", known->print);
		n_bytes = known->n_bytes;
	} else if (!print_of(life, layer, layer->dir, true, &print, &n_bytes)) {
		return;
	}
	if (n_bytes > *room_bytes || !fs_remove_tree(tree, &ignored) ||
	    !fs_make_dirs(place, 0700, &ignored) || rename(layer->dir, tree) != 0)
		return;
	*room_bytes -= n_bytes;
	/* Without a print the tree counts for nothing. */
	if (!fs_write_atomic(AT_FDCWD, file, print.text, strlen(print.text), 0600, false,
			     &ignored) &&
	    !fs_remove_tree(place, &ignored))
		return;
}

void kept_layer_sweep(const struct lifecycle *life, const struct strings *diff_ids)
{
	const char *all = path_join(life->arena, life->options.cache_dir, KEPT);
	AUTO_FD fd = open(all, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct err ignored = { 0 };
	struct strings names = { 0 };

	if (fd < 0 || !fs_names(fd, life->arena, &names, &ignored))
		return;
	for (size_t i = 0; i < names.n; i++) {
		const char *diff_id = arena_printf(life->arena, "sha256:%s", names.v[i]);

		if (!strings_has(diff_ids, diff_id) &&
		    !fs_remove_tree(path_join(life->arena, all, names.v[i]), &ignored))
			return;
	}
}
