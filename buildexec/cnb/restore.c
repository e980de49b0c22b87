/* SPDX-License-Identifier: Apache-2.0 */
/*
 * restore.c — the phase that gives buildpacks back what they kept: metadata and data of layers, their store, their SBOMs.
 * What to restore is decided in restore_rule.h; here it is done. See lifecycle.h.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buildexec/cnb/cache_image.h"
#include "buildexec/cnb/export_layer.h"
#include "buildexec/cnb/foreign.h"
#include "buildexec/cnb/kept_layer.h"
#include "buildexec/cnb/layer_file.h"
#include "buildexec/cnb/layers_dir.h"
#include "buildexec/cnb/lifecycle.h"
#include "buildexec/cnb/restore_rule.h"
#include "buildexec/image/unpack.h"
#include "buildexec/sys/build_log.h"
#include "buildexec/sys/fs.h"
#include "model/base/limits.h"
#include "model/doc/toml.h"

struct restore {
	struct lifecycle *life;
	struct build_cache *cache; /* NULL: none */
	struct arena *arena;
};

/* The buildpacks' user must be able to change what comes back. */
static bool give(const struct lifecycle *life, const char *path, struct err *err)
{
	if (geteuid() == 0 && lchown(path, life->options.uid, life->options.gid) != 0)
		return err_sys(err, errno, "cannot change the owner of '%s'", path);
	return true;
}

static bool write_toml(const struct lifecycle *life, const char *path, const struct node *root,
		       struct err *err)
{
	AUTO_BUF text = BUF_INIT(LIMIT_TOML_BYTES);

	toml_print(root, &text);
	if (text.is_over)
		return err_set(err, ERR_INVALID, "metadata for '%s' is too long", path);
	return fs_write_atomic(AT_FDCWD, path, buf_text(&text), text.len, 0644, false, err) &&
	       give(life, path, err);
}

/* The detection could write here: what it left in the folder's place may be a link to anywhere on this machine. */
static bool make_buildpack_dir(const struct lifecycle *life, const char *dir, struct err *err)
{
	if (mkdir(dir, 0755) != 0 && errno != EEXIST)
		return err_sys(err, errno, "cannot make folder '%s'", dir);
	if (!foreign_is_dir(dir))
		return err_set(err, ERR_INVALID, "'%s' is no folder", dir);
	return give(life, dir, err);
}

static bool restore_store(const struct restore *restore, const struct buildpack_record *app,
			  const char *dir, struct err *err)
{
	if (!app || !app->store)
		return true;
	return make_buildpack_dir(restore->life, dir, err) &&
	       write_toml(restore->life, path_join(restore->arena, dir, "store.toml"),
			  metadata_to_toml(app->store, restore->arena), err);
}

/* To another folder the owner must be allowed to write in the folder itself, too, unless he is root. */
static bool move_folder(const char *from, const char *to)
{
	struct stat st;

	if (rename(from, to) == 0)
		return true;
	return errno == EACCES && lstat(from, &st) == 0 && chmod(from, 0700) == 0 &&
	       rename(from, to) == 0 && chmod(to, st.st_mode & 07777) == 0;
}

/*
 * Where the last build's folder is not at hand: unpacks the archive beside the layers and moves the one folder that is wanted from it. False with err only for what is
 * wrong with this machine; a damaged cache gives *is_there false.
 */
static bool unpack_cached(const struct restore *restore, const char *archive,
			  const struct restored_layer *layer, const char *dir, bool *is_there,
			  struct err *err)
{
	const char *inner = arena_printf(restore->arena, "layers/%s/%s", strrchr(dir, '/') + 1,
					 layer->record->name);
	AUTO_FD fd = -1;
	AUTO_TMPDIR temp = { 0 };
	struct unpack_stats stats;
	struct err problem = { 0 };
	struct unpack_spec spec = {
		.fd = fd, .diff_id = layer->sha, .form = unpack_form_here(), .has_exact_modes = true
	};
	const struct kept_layer kept = { .dir = path_join(restore->arena, dir, layer->record->name),
					 .name = arena_printf(restore->arena, "/%s", inner),
					 .diff_id = layer->sha };

	*is_there = kept_layer_take(restore->life, &kept);
	if (*is_there)
		return true;
	fd = open(archive, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, errno, "cannot open '%s'", archive);
	if (!tmpdir_make(restore->life->options.work_dir, "restore", &temp, err))
		return false;
	spec.fd = fd;
	spec.dir = temp.path;
	if (!unpack_layer(&spec, &stats, &problem)) {
		build_log_warn("cached layer '%s' is not used: %s", layer->record->name,
			       problem.text);
		if (problem.kind == ERR_INVALID)
			build_cache_drop(restore->cache, layer->sha, restore->arena);
		return true;
	}
	if (!foreign_is_dir_below(temp.path, inner, restore->arena))
		return true;
	if (!move_folder(path_join(restore->arena, temp.path, inner), kept.dir))
		return err_sys(err, errno, "cannot restore layer '%s'", layer->record->name);
	*is_there = true;
	return true;
}

/* Metadata and data come back together or not at all. */
static bool restore_layer(const struct restore *restore, const struct group_element *element,
			  const char *dir, const struct restored_layer *layer, struct err *err)
{
	struct arena *arena = restore->arena;
	struct layer_file file = { .is_build = layer->record->is_build,
				   .is_launch = layer->record->is_launch,
				   .is_cache = layer->record->is_cache };
	const char *name = layer->record->name, *archive, *id = element->id;
	struct api api;
	bool is_there = true;

	if (!group_element_api(element, &api, err) || !make_buildpack_dir(restore->life, dir, err))
		return false;
	if (layer->data == RESTORE_FROM_CACHE) {
		archive = build_cache_find(restore->cache, layer->sha, arena);
		if (!archive) {
			build_log_warn("cached layer '%s:%s' is missing", id, name);
			return true;
		}
		build_log_say("Restoring data for \"%s:%s\" from cache", id, name);
		if (!unpack_cached(restore, archive, layer, dir, &is_there, err))
			return false;
	}
	if (!is_there)
		return true;
	if (layer->data == RESTORE_NO_DATA)
		build_log_say("Restoring metadata for \"%s:%s\" from app image", id, name);
	if (layer->record->data)
		file.metadata = metadata_to_toml(layer->record->data, arena);
	return write_toml(restore->life, arena_printf(arena, "%s/%s.toml", dir, name),
			  layer_file_encode(&file, api, arena), err);
}

static bool restore_buildpack(const struct restore *restore, const struct group_element *element,
			      struct err *err)
{
	const struct lifecycle *life = restore->life;
	const char *dir = path_join(restore->arena, life->options.layers_dir,
				    cnb_escape_id(element->id, restore->arena));
	const struct buildpack_record *app, *cached = NULL;
	struct restored_layers layers;

	app = buildpack_record_find(&life->previous_metadata.buildpacks, element->id);
	if (restore->cache)
		cached = buildpack_record_find(&restore->cache->metadata.buildpacks, element->id);
	if (!restore_store(restore, app, dir, err))
		return false;
	if (life->options.skips_restore)
		return true;
	restore_decide(app, cached, life->options.platform_api, restore->arena, &layers);
	for (size_t i = 0; i < layers.n; i++)
		if (!restore_layer(restore, element, dir, &layers.v[i], err))
			return false;
	return true;
}

static bool is_restored_sbom(const char *name)
{
	size_t n = strlen(name);

	return strncmp(name, "sbom.", 5) == 0 && n > 9 && strcmp(name + n - 4, "json") == 0;
}

/* <from>/<layer>/sbom.<ext> → <to>/<layer>.sbom.<ext> */
static bool copy_layer_sboms(const struct restore *restore, const char *from, const char *layer,
			     const char *to, struct err *err)
{
	struct arena *arena = restore->arena;
	const char *folder = path_join(arena, from, layer);
	DIR *dir = foreign_is_dir(folder) ? opendir(folder) : NULL;
	struct dirent *entry;
	bool is_done = true;

	while (dir && is_done && (entry = readdir(dir))) {
		const char *path = path_join(arena, folder, entry->d_name), *target;
		char *bytes;
		size_t len;

		if (!is_restored_sbom(entry->d_name) || !foreign_is_file(path))
			continue;
		target = arena_printf(arena, "%s/%s.%s", to, layer, entry->d_name);
		is_done = fs_read_plain(path, LIMIT_SBOM_BYTES, arena, &bytes, &len, err) &&
			  fs_write_atomic(AT_FDCWD, target, bytes, len, 0644, false, err) &&
			  give(restore->life, target, err);
	}
	if (dir)
		closedir(dir);
	return is_done;
}

static bool copy_sboms(const struct restore *restore, const char *root, const char *id,
		       struct err *err)
{
	struct arena *arena = restore->arena;
	const char *folder = cnb_escape_id(id, arena);
	const char *from = path_join(arena, root, folder);
	const char *to = path_join(arena, restore->life->options.layers_dir, folder);
	DIR *dir = foreign_is_dir(from) && foreign_is_dir(to) ? opendir(from) : NULL;
	struct dirent *entry;
	bool is_done = true;

	while (dir && is_done && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' || strlen(entry->d_name) > 2)
			is_done = copy_layer_sboms(restore, from,
						   arena_strdup(arena, entry->d_name), to, err);
	if (dir)
		closedir(dir);
	return is_done;
}

/* An SBOM layer unpacked, and its files beside the layers of the buildpacks that take part. */
static bool restore_sboms(const struct restore *restore, int fd, const char *diff_id,
			  const char *kind, bool *is_damaged, struct err *err)
{
	struct unpack_stats stats;
	struct err problem = { 0 };
	AUTO_TMPDIR temp = { 0 };
	struct unpack_spec spec = { .fd = fd, .diff_id = diff_id, .form = unpack_form_here() };
	const struct group *group = &restore->life->group;
	const char *inner = arena_printf(restore->arena, "layers/sbom/%s", kind);

	if (!tmpdir_make(restore->life->options.work_dir, "sbom", &temp, err))
		return false;
	spec.dir = temp.path;
	if (!unpack_layer(&spec, &stats, &problem)) {
		build_log_warn("SBOM layer is not restored: %s", problem.text);
		*is_damaged = problem.kind == ERR_INVALID;
		return true;
	}
	if (!foreign_is_dir_below(temp.path, inner, restore->arena))
		return true;
	for (size_t i = 0; i < group->n; i++)
		if (!copy_sboms(restore, path_join(restore->arena, temp.path, inner),
				group->v[i].id, err))
			return false;
	return true;
}

static bool restore_cache_sboms(const struct restore *restore, struct err *err)
{
	const char *sha = restore->cache ? restore->cache->metadata.sbom : "";
	const char *path = sha[0] ? build_cache_find(restore->cache, sha, restore->arena) : NULL;
	AUTO_FD fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	bool is_damaged = false;

	if (fd < 0)
		return true;
	build_log_say("Restoring data for SBOM from cache");
	if (!restore_sboms(restore, fd, sha, "cache", &is_damaged, err))
		return false;
	if (is_damaged)
		build_cache_drop(restore->cache, sha, restore->arena);
	return true;
}

/* The descriptor of a layer of the previous image; NULL when it has none of that diffID. */
const struct descriptor *lifecycle_previous_layer(const struct lifecycle *life, const char *diff_id)
{
	const struct strings *ids = &life->previous.config.diff_ids;

	for (size_t i = 0; life->has_previous && i < ids->n; i++)
		if (i < life->previous.manifest.n_layers && strcmp(ids->v[i], diff_id) == 0)
			return &life->previous.manifest.layers[i];
	return NULL;
}

static bool restore_app_sboms(const struct restore *restore, struct err *err)
{
	const struct lifecycle *life = restore->life;
	const char *sha = life->previous_metadata.sbom;
	const struct descriptor *desc = sha ? lifecycle_previous_layer(life, sha) : NULL;
	AUTO_TMPDIR temp = { 0 };
	AUTO_FD fd = -1;
	bool is_damaged = false; /* the registry's own: nothing of ours to remove */
	const char *path;

	if (!desc)
		return true;
	build_log_say("Restoring data for SBOM from previous image");
	if (!tmpdir_make(life->options.work_dir, "blob", &temp, err))
		return false;
	path = path_join(restore->arena, temp.path, "sbom");
	if (!registry_fetch_blob(life->registry, &life->previous.ref, desc, path, err))
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, errno, "cannot open '%s'", path);
	return restore_sboms(restore, fd, sha, "launch", &is_damaged, err);
}

static bool restore_all(const struct restore *restore, struct err *err)
{
	const struct lifecycle *life = restore->life;

	for (size_t i = 0; i < life->group.n; i++)
		if (!restore_buildpack(restore, &life->group.v[i], err))
			return err_prefix(err, "buildpack '%s'", life->group.v[i].id);
	if (life->options.skips_restore || !cnb_api_at_least(life->options.platform_api, 8))
		return true;
	return restore_cache_sboms(restore, err) && restore_app_sboms(restore, err);
}

bool lifecycle_restore(struct lifecycle *life, struct err *err)
{
	AUTO_BUILD_CACHE cache = { .lock_fd = -1 };
	struct restore restore = { .life = life, .arena = life->arena };

	if (life->options.skips_restore && !cnb_api_at_least(life->options.platform_api, 10))
		return true;
	life->exit_code = CNB_EXIT_RESTORE;
	if (life->options.cache_dir) {
		if (!build_cache_open(life->options.cache_dir, life->arena, &cache, err))
			return false;
		if (life->options.cache_image && !life->options.skips_restore &&
		    !cache_image_pull(life, &cache, err))
			return false;
		restore.cache = &cache;
	}
	if (!restore_all(&restore, err))
		return false;
	life->exit_code = CNB_EXIT_OK;
	return true;
}
