/* SPDX-License-Identifier: Apache-2.0 */
/*
 * archive_read.c — a saved image read: first what it consists of, then the layers that are wanted. See archive.h. Names in it
 * are only compared, never opened.
 */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "buildexec/engine/archive.h"
#include "buildexec/engine/base.h"
#include "model/doc/json.h"

enum { JSON_MAX_BYTES = 8 << 20, BLOCK = 256 << 10, LAYERS_MAX = 1024 };

struct saved {
	struct arena *arena;
	const char *path;
	const char *config; /* names in the archive */
	struct strings layers;
	struct pairs links; /* of names to names: layers that are there twice */
	struct err *err;
};

/* Told of each entry; may read its data. */
typedef bool entry_fn(void *ctx, struct archive *archive, struct archive_entry *entry);

static void close_archive(struct archive **archive)
{
	if (*archive)
		archive_read_free(*archive);
}

static bool each_entry(const struct saved *saved, entry_fn *each, void *ctx)
{
	__attribute__((cleanup(close_archive))) struct archive *archive = archive_read_new();
	struct archive_entry *entry;
	int code;

	if (!archive)
		BUG("out of memory");
	archive_read_support_format_tar(archive);
	if (archive_read_open_filename(archive, saved->path, BLOCK) != ARCHIVE_OK)
		return err_set(saved->err, ERR_SYSTEM, "cannot open the saved image: %s",
			       archive_error_string(archive));
	while ((code = archive_read_next_header(archive, &entry)) == ARCHIVE_OK ||
	       code == ARCHIVE_WARN)
		if (!each(ctx, archive, entry))
			return false;
	if (code != ARCHIVE_EOF)
		return err_set(saved->err, ERR_INVALID, "the saved image is no archive: %s",
			       archive_error_string(archive));
	return true;
}

static const char *name_of(struct archive_entry *entry)
{
	const char *name = archive_entry_pathname(entry);

	if (!name)
		return "";
	while (strncmp(name, "./", 2) == 0)
		name += 2;
	return name;
}

static bool read_text(struct saved *saved, struct archive *archive, struct archive_entry *entry,
		      const char **out, size_t *len)
{
	int64_t size = archive_entry_size(entry);
	char *text;

	if (size < 0 || size > JSON_MAX_BYTES)
		return err_set(saved->err, ERR_INVALID, "'%s' of the saved image is too long",
			       name_of(entry));
	text = arena_alloc(saved->arena, (size_t)size + 1);
	if (archive_read_data(archive, text, (size_t)size) != (la_ssize_t)size)
		return err_set(saved->err, ERR_INVALID, "'%s' of the saved image is cut off",
			       name_of(entry));
	*out = text;
	*len = (size_t)size;
	return true;
}

struct reading {
	struct saved *saved;
	const char *wanted, *text;
	size_t len;
};

/* "../other/layer.tar", as daemons write a layer that they have written before. */
static const char *link_target(struct saved *saved, const char *name, const char *target)
{
	const char *slash = strrchr(name, '/');

	if (strncmp(target, "../", 3) == 0 && slash && !memchr(name, '/', (size_t)(slash - name)))
		return arena_strdup(saved->arena, target + 3);
	return arena_strdup(saved->arena, target);
}

static bool look(void *ctx, struct archive *archive, struct archive_entry *entry)
{
	struct reading *reading = ctx;
	const char *name = name_of(entry), *target = archive_entry_symlink(entry);

	if (archive_entry_filetype(entry) == AE_IFLNK && target)
		vec_push(reading->saved->arena, &reading->saved->links,
			 (struct pair){ .key = arena_strdup(reading->saved->arena, name),
					.value = link_target(reading->saved, name, target) });
	if (strcmp(name, reading->wanted) != 0 || archive_entry_filetype(entry) != AE_IFREG)
		return true;
	return read_text(reading->saved, archive, entry, &reading->text, &reading->len);
}

static bool read_file(struct saved *saved, const char *name, const char **text, size_t *len)
{
	struct reading reading = { .saved = saved, .wanted = name };

	saved->links = (struct pairs){ 0 };
	if (!each_entry(saved, look, &reading))
		return false;
	if (!reading.text)
		return err_set(saved->err, ERR_INVALID, "the saved image has no '%s'", name);
	*text = reading.text;
	*len = reading.len;
	return true;
}

static bool read_manifest(struct saved *saved)
{
	const struct node *layers;
	struct node *root;
	const char *text;
	size_t len;

	if (!read_file(saved, "manifest.json", &text, &len) ||
	    !json_parse(text, len, saved->arena, &root, saved->err))
		return false;
	if (root->kind != NODE_SEQ || root->n != 1)
		return err_set(saved->err, ERR_INVALID, "the archive has not one saved image");
	saved->config = node_text(root->first, "Config");
	layers = node_get(root->first, "Layers");
	for (const struct node *one = layers && layers->kind == NODE_SEQ ? layers->first : NULL;
	     one; one = one->next)
		if (one->kind == NODE_STRING && saved->layers.n < LAYERS_MAX)
			vec_push(saved->arena, &saved->layers, one->text);
	if (!saved->config)
		return err_set(saved->err, ERR_INVALID, "the saved image has no config");
	return true;
}

struct taking {
	struct saved *saved;
	const struct engine_job *job;
	struct engine_output *out;
};

static bool take_one(struct taking *taking, struct archive *archive, const char *path)
{
	AUTO_FD fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_sys(taking->saved->err, errno, "cannot create '%s'", path);
	if (archive_read_data_into_fd(archive, fd) != ARCHIVE_OK)
		return err_set(taking->saved->err, ERR_SYSTEM, "cannot write '%s': %s", path,
			       archive_error_string(archive));
	return true;
}

static const char *real_name(const struct saved *saved, const char *name)
{
	const char *other = pairs_get(&saved->links, name);

	return other ? other : name;
}

/* One file may be several layers. */
static bool take(void *ctx, struct archive *archive, struct archive_entry *entry)
{
	struct taking *taking = ctx;
	const char *name = name_of(entry), *path = NULL;

	if (archive_entry_filetype(entry) != AE_IFREG)
		return true;
	for (size_t i = 0; i < taking->out->n_layers; i++) {
		struct engine_layer *layer = &taking->out->layers[i];

		if (!layer->path ||
		    strcmp(real_name(taking->saved, taking->saved->layers.v[i]), name) != 0)
			continue;
		if (!path && !take_one(taking, archive, layer->path))
			return false;
		path = path ? path : layer->path;
		layer->path = path;
	}
	return true;
}

static bool take_layers(struct saved *saved, const struct engine_job *job, const char *dir,
			struct engine_output *out)
{
	struct taking taking = { saved, job, out };
	struct image_config config;

	if (!image_config_parse(out->config, out->config_len, saved->arena, &config, saved->err))
		return false;
	if (config.diff_ids.n != saved->layers.n)
		return err_set(saved->err, ERR_INVALID,
			       "the saved image has %zu layers for %zu diff ids", saved->layers.n,
			       config.diff_ids.n);
	out->n_layers = saved->layers.n;
	out->layers = arena_array(saved->arena, out->n_layers, sizeof(*out->layers));
	for (size_t i = 0; i < out->n_layers; i++) {
		size_t k;

		if (!engine_base_of(&job->bases, config.diff_ids.v[i], &k))
			out->layers[i].path = arena_printf(saved->arena, "%s/layer-%zu", dir, i);
	}
	if (!each_entry(saved, take, &taking))
		return false;
	for (size_t i = 0; i < out->n_layers; i++)
		if (out->layers[i].path && !fs_exists(out->layers[i].path))
			return err_set(saved->err, ERR_INVALID, "the saved image has no '%s'",
				       saved->layers.v[i]);
	return true;
}

bool archive_read_image(const struct engine_job *job, const char *path, const char *dir,
			struct engine_output *out, struct err *err)
{
	struct saved saved = { .arena = job->task->arena, .path = path, .err = err };

	*out = (struct engine_output){ 0 };
	return read_manifest(&saved) &&
	       read_file(&saved, saved.config, &out->config, &out->config_len) &&
	       take_layers(&saved, job, dir, out);
}
