/* SPDX-License-Identifier: Apache-2.0 */
/* source_pack.c — see source_pack.h. */
#include "buildexec/source/source_pack.h"

#include <unistd.h>

#include "buildexec/source/source.h"
#include "buildexec/sys/fs.h"
#include "model/base/time.h"

/* The files are for any processor; a config has to name one, and everybody's must be the same. */
static const struct platform any_platform = { .os = "linux", .arch = "amd64" };

static bool copy_files(const struct source_pack *spec, const char *dest, struct arena *arena,
		       struct err *err)
{
	struct local_source local = { .path = spec->path };
	const struct source source = { .local = &local };
	const struct source_spec copy = {
		.source = &source, .dest = dest, .uid = getuid(), .gid = getgid()
	};

	return fs_make_dirs(dest, 0755, err) && source_materialise(&copy, arena, err);
}

static bool write_layer(const char *dir, const char *blob_dir, struct arena *arena,
			struct layer_result *out, struct err *err)
{
	static const struct tar_owner owner = { .mtime_s = TAR_FIXED_MTIME_S };
	const struct tar_map map = { .dir = dir, .name = "" };
	const struct layer_options options = { .blob_dir = blob_dir, .profile = LAYER_SMALL };
	AUTO_LAYER *layer = NULL;
	struct strings paths = { 0 };

	if (!tree_list(dir, arena, &paths, err) || !layer_open(&options, &layer, err))
		return false;
	/* The first one is the folder itself: it is wherever the source is unpacked. */
	paths.v++;
	paths.n--;
	return tar_add_paths(layer_tar(layer), &map, &paths, &owner, err) &&
	       layer_commit(&layer, out, err);
}

bool source_pack(const struct source_pack *spec, struct arena *arena, struct image_draft *out,
		 struct err *err)
{
	const char *files = path_join(arena, spec->work_dir, "files");
	const char *blobs = path_join(arena, spec->work_dir, "blobs");
	char created[TIME_TEXT];
	struct layer_result *layer = ARENA_NEW(arena, struct layer_result);
	struct history history = { .created_by = "source" };

	image_draft_init(out, NULL, arena);
	if (!copy_files(spec, files, arena, err) || !write_layer(files, blobs, arena, layer, err))
		return false;
	time_format(TAR_FIXED_MTIME_S, created);
	history.created = arena_strdup(arena, created);
	out->config.platform = any_platform;
	out->config.created = history.created;
	image_draft_add(out, layer, &history, arena);
	return true;
}
