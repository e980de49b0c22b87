/* SPDX-License-Identifier: Apache-2.0 */
/* restore_rule.c — see restore_rule.h. */
#include "buildexec/cnb/restore_rule.h"

#include <string.h>

#include "buildexec/cnb/platform_api.h"

static bool is_cached(const struct layer_record *cached)
{
	return cached && cached->is_cache;
}

/* The launch layers of the previous image whose metadata is of use. */
static bool takes_app_metadata(const struct layer_record *layer, const struct layer_record *cached)
{
	if (!layer->is_launch)
		return false;
	if (layer->is_build && !layer->is_cache)
		return false; /* its contents must be made again anyway */
	return !layer->is_cache || is_cached(cached);
}

static bool takes_cache_metadata(const struct layer_record *layer,
				 const struct layer_record *in_app, const char *platform_api)
{
	if (!layer->is_cache)
		return false;
	return !layer->is_launch || (!in_app && cnb_api_at_least(platform_api, 14));
}

/* Metadata alone is right when the cache has no such layer; data must be the data that the metadata describes. */
static void add(struct restored_layers *out, const struct layer_record *record,
		const struct layer_record *cached, struct arena *arena)
{
	if (!is_cached(cached)) {
		vec_push(arena, out, (struct restored_layer){ .record = record });
		return;
	}
	if (strcmp(record->sha, cached->sha) != 0)
		return;
	vec_push(arena, out,
		 (struct restored_layer){
			 .record = record, .data = RESTORE_FROM_CACHE, .sha = cached->sha });
}

void restore_decide(const struct buildpack_record *app, const struct buildpack_record *cache,
		    const char *platform_api, struct arena *arena, struct restored_layers *out)
{
	*out = (struct restored_layers){ 0 };
	for (size_t i = 0; app && i < app->layers.n; i++) {
		const struct layer_record *layer = &app->layers.v[i];
		const struct layer_record *cached = layer_record_find(cache, layer->name);

		/* Where both have a say, the cache's metadata is written last. */
		if (takes_app_metadata(layer, cached) &&
		    !(cached && takes_cache_metadata(cached, layer, platform_api)))
			add(out, layer, cached, arena);
	}
	for (size_t i = 0; cache && i < cache->layers.n; i++) {
		const struct layer_record *layer = &cache->layers.v[i];

		if (takes_cache_metadata(layer, layer_record_find(app, layer->name), platform_api))
			add(out, layer, layer, arena);
	}
}
