/* SPDX-License-Identifier: Apache-2.0 */
/* assemble.c — drafts and their bytes; transfers are in transfer.c. Nothing here touches the world. */
#include "buildexec/image/assemble.h"

#include <string.h>

/* History with text, one entry with content per layer: then it may be kept. */
static bool history_fits(const struct image_config *config, size_t n_layers)
{
	size_t n = 0;

	for (size_t i = 0; i < config->n_history; i++)
		n += !config->history[i].is_empty_layer;
	return n == n_layers;
}

static void copy_strings(struct arena *arena, struct strings *list)
{
	const struct strings old = *list;

	*list = (struct strings){ 0 };
	for (size_t i = 0; i < old.n; i++)
		vec_push(arena, list, old.v[i]);
}

static void copy_pairs(struct arena *arena, struct pairs *list)
{
	const struct pairs old = *list;

	*list = (struct pairs){ 0 };
	for (size_t i = 0; i < old.n; i++)
		vec_push(arena, list, old.v[i]);
}

/* The draft changes lists in place, so they must not be the base's own. */
static void own_lists(struct arena *arena, struct image_config *config)
{
	copy_strings(arena, &config->env);
	copy_strings(arena, &config->entrypoint);
	copy_strings(arena, &config->cmd);
	copy_strings(arena, &config->exposed_ports);
	copy_strings(arena, &config->volumes);
	copy_pairs(arena, &config->labels);
}

void image_draft_init(struct image_draft *draft, const struct remote_image *base,
		      struct arena *arena)
{
	bool is_kept;

	*draft = (struct image_draft){ 0 };
	if (!base)
		return;
	draft->config = base->config;
	own_lists(arena, &draft->config);
	is_kept = history_fits(&base->config, base->manifest.n_layers);
	for (size_t i = 0; is_kept && i < base->config.n_history; i++)
		vec_push(arena, &draft->history, base->config.history[i]);
	for (size_t i = 0; i < base->manifest.n_layers; i++) {
		struct image_layer layer = { .desc = base->manifest.layers[i], .from = &base->ref };

		layer.desc.media_type = media_to_oci(layer.desc.media_type);
		if (i < base->config.diff_ids.n)
			layer.diff_id = base->config.diff_ids.v[i];
		vec_push(arena, &draft->layers, layer);
		if (!is_kept)
			vec_push(arena, &draft->history, (struct history){ 0 });
	}
}

bool image_check_layers(const struct remote_image *image, struct err *err)
{
	static const char *const known[] = { MEDIA_OCI_LAYER, MEDIA_OCI_LAYER_GZIP,
					     MEDIA_OCI_LAYER_ZSTD };

	for (size_t i = 0; i < image->manifest.n_layers; i++) {
		const struct descriptor *layer = &image->manifest.layers[i];
		size_t k = 0;

		while (k < COUNTOF(known) && strcmp(media_to_oci(layer->media_type), known[k]) != 0)
			k++;
		if (k == COUNTOF(known))
			return err_set(
				err, ERR_INVALID,
				"layer '%s' of image '%s/%s' has the type '%s', which cannot "
				"be part of another image",
				layer->digest, image->ref.registry, image->ref.repo,
				layer->media_type);
	}
	return true;
}

void image_draft_find(struct image_draft *draft, const struct remote_image *there)
{
	for (size_t i = 0; i < draft->layers.n; i++)
		for (size_t k = 0; !draft->layers.v[i].path && k < there->manifest.n_layers; k++)
			if (strcmp(there->manifest.layers[k].digest,
				   draft->layers.v[i].desc.digest) == 0)
				draft->layers.v[i].from = &there->ref;
}

void image_draft_add(struct image_draft *draft, const struct layer_result *layer,
		     const struct history *history, struct arena *arena)
{
	struct image_layer added = {
		.desc = { .media_type = MEDIA_OCI_LAYER_GZIP,
			  .digest = arena_strdup(arena, layer->digest.text),
			  .size_bytes = (int64_t)layer->size_bytes },
		.diff_id = arena_strdup(arena, layer->diff_id.text),
		.path = arena_strdup(arena, layer->path),
	};

	vec_push(arena, &draft->layers, added);
	vec_push(arena, &draft->history, history ? *history : (struct history){ 0 });
}

static struct descriptor describe(const char *media_type, const char *bytes, size_t n,
				  struct arena *arena)
{
	const struct digest digest = digest_of(bytes, n);

	return (struct descriptor){ .media_type = media_type,
				    .digest = arena_strdup(arena, digest.text),
				    .size_bytes = (int64_t)n };
}

void image_draft_print(const struct image_draft *draft, struct arena *arena,
		       struct image_bytes *out)
{
	struct image_config config = draft->config;
	struct manifest manifest = {
		.media_type = MEDIA_OCI_MANIFEST,
		.n_layers = draft->layers.n,
		.annotations = draft->annotations,
	};

	config.diff_ids = (struct strings){ 0 };
	config.history = draft->history.v;
	config.n_history = draft->history.n;
	manifest.layers = arena_array(arena, draft->layers.n, sizeof(*manifest.layers));
	for (size_t i = 0; i < draft->layers.n; i++) {
		vec_push(arena, &config.diff_ids, draft->layers.v[i].diff_id);
		manifest.layers[i] = draft->layers.v[i].desc;
	}
	out->config = image_config_print(&config, arena, &out->config_len);
	out->config_desc = describe(MEDIA_OCI_CONFIG, out->config, out->config_len, arena);
	manifest.config = out->config_desc;
	out->manifest = manifest_print(&manifest, arena, &out->manifest_len);
	out->manifest_desc = describe(MEDIA_OCI_MANIFEST, out->manifest, out->manifest_len, arena);
}
