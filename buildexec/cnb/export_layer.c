/* SPDX-License-Identifier: Apache-2.0 */
/* export_layer.c — see export_layer.h. */
#include "buildexec/cnb/export_layer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buildexec/cnb/foreign.h"
#include "buildexec/cnb/kept_layer.h"
#include "buildexec/image/tar_tree.h"
#include "buildexec/sys/fs.h"

#define LAUNCHER_PATH "/cnb/lifecycle/launcher"
#define PROCESS_DIR   "/cnb/process"

static struct tar_owner cnb_owner(const struct lifecycle *life)
{
	return (struct tar_owner){ .uid = life->options.uid,
				   .gid = life->options.gid,
				   .mtime_s = TAR_FIXED_MTIME_S };
}

static bool write_dir(const struct lifecycle *life, const struct layer_source *source,
		      struct tar *tar, struct err *err)
{
	struct tar_owner owner = cnb_owner(life);
	struct tar_map layers = { .dir = life->options.layers_dir, .name = CNB_LAYERS_DIR };
	struct tar_map map = { .dir = source->dir, .name = source->name, .is_faithful = true };
	struct tar_parents parents = { .map = &layers, .name = source->name, .owner = owner };

	return tar_add_parents(tar, &parents, err) && tar_add_tree(tar, &map, &owner, err);
}

static bool write_paths(const struct lifecycle *life, const struct layer_source *source,
			struct tar *tar, struct err *err)
{
	struct tar_owner owner = cnb_owner(life);
	struct tar_map map = { .dir = life->options.app_dir,
			       .name = CNB_APP_DIR,
			       .is_faithful = true };

	return source->paths->n == 0 || tar_add_paths(tar, &map, source->paths, &owner, err);
}

static bool add_root_dir(struct tar *tar, const char *name, struct err *err)
{
	struct tar_entry entry = {
		.name = name, .type = TAR_DIR, .mode = 0755, .mtime_s = TAR_FIXED_MTIME_S
	};

	return tar_add(tar, &entry, NULL, 0, err);
}

static bool write_launcher(const struct layer_source *source, struct tar *tar, struct err *err)
{
	AUTO_FD fd = open(source->dir, O_RDONLY | O_CLOEXEC);
	struct tar_entry entry = {
		.name = LAUNCHER_PATH, .type = TAR_FILE, .mode = 0755, .mtime_s = TAR_FIXED_MTIME_S
	};
	char chunk[64 << 10];
	uint64_t left;
	struct stat stat;

	if (fd < 0 || fstat(fd, &stat) != 0)
		return err_sys(err, errno, "cannot open launcher '%s'", source->dir);
	entry.size_bytes = left = (uint64_t)stat.st_size;
	if (!add_root_dir(tar, "/cnb", err) || !add_root_dir(tar, "/cnb/lifecycle", err) ||
	    !tar_begin(tar, &entry, err))
		return false;
	while (left > 0) {
		ssize_t n = read(fd, chunk, left < sizeof(chunk) ? (size_t)left : sizeof(chunk));

		if (n <= 0)
			return err_sys(err, n < 0 ? errno : EIO, "cannot read launcher '%s'",
				       source->dir);
		if (!tar_data(tar, chunk, (size_t)n, err))
			return false;
		left -= (uint64_t)n;
	}
	return true;
}

static bool write_processes(const struct lifecycle *life, const struct layer_source *source,
			    struct tar *tar, struct err *err)
{
	if (!add_root_dir(tar, "/cnb", err) || !add_root_dir(tar, PROCESS_DIR, err))
		return false;
	for (size_t i = 0; i < source->paths->n; i++) {
		struct tar_entry entry = { .name = arena_printf(life->arena, PROCESS_DIR "/%s",
								source->paths->v[i]),
					   .type = TAR_SYMLINK,
					   .mode = 0755,
					   .mtime_s = TAR_FIXED_MTIME_S,
					   .linkname = LAUNCHER_PATH };

		if (!tar_add(tar, &entry, NULL, 0, err))
			return false;
	}
	return true;
}

static bool write_entries(const struct lifecycle *life, const struct layer_source *source,
			  struct tar *tar, struct err *err)
{
	bool is_done = false;

	switch (source->kind) {
	case LAYER_DIR:
		is_done = write_dir(life, source, tar, err);
		break;
	case LAYER_PATHS:
		is_done = write_paths(life, source, tar, err);
		break;
	case LAYER_LAUNCHER:
		is_done = write_launcher(source, tar, err);
		break;
	case LAYER_PROCESSES:
		is_done = write_processes(life, source, tar, err);
		break;
	case LAYER_KINDS:
		BUG("no kind of layer");
	}
	return is_done || err_prefix(err, "layer '%s'", source->id);
}

bool layer_source_hash(const struct lifecycle *life, const struct layer_source *source,
		       struct digest *out, struct err *err)
{
	struct sha256 sha;
	struct tar tar = { .sink = tar_hash_sink, .ctx = &sha };
	const char *known = source->kind == LAYER_DIR
				    ? kept_layer_diff_id(life, source->dir, source->name)
				    : NULL;

	if (known) {
		snprintf(out->text, sizeof(out->text), "%s", known);
		return true;
	}
	sha256_init(&sha);
	if (!write_entries(life, source, &tar, err) || !tar_finish(&tar, err))
		return false;
	*out = sha256_final(&sha);
	return true;
}

bool layer_source_write(const struct lifecycle *life, const struct layer_source *source,
			struct layer_result *out, struct err *err)
{
	struct layer_options options = {
		.blob_dir = path_join(life->arena, life->options.work_dir, "blobs"),
		.profile = life->options.profile,
	};
	AUTO_LAYER *layer = NULL;

	return layer_open(&options, &layer, err) &&
	       write_entries(life, source, layer_tar(layer), err) && layer_commit(&layer, out, err);
}
