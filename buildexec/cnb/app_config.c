/* SPDX-License-Identifier: Apache-2.0 */
/* app_config.c — see app_config.h. */
#include "buildexec/cnb/app_config.h"

#include <string.h>

#include "buildexec/cnb/platform_api.h"
#include "model/base/limits.h"
#include "model/base/time.h"
#include "model/doc/json.h"

#define PROCESS_DIR   "/cnb/process"
#define LIFECYCLE_DIR "/cnb/lifecycle"

void app_config_set_label(struct arena *arena, struct pairs *labels, const char *key,
			  const char *value)
{
	for (size_t i = 0; i < labels->n; i++)
		if (strcmp(labels->v[i].key, key) == 0) {
			labels->v[i].value = value;
			return;
		}
	vec_push(arena, labels, (struct pair){ .key = key, .value = value });
}

const char *app_config_label_text(const struct node *json, struct arena *arena)
{
	AUTO_BUF out = BUF_INIT(LIMIT_LABEL_BYTES);

	json_print(json, JSON_TYPED, &out);
	return buf_copy(&out, arena);
}

static const char *time_text(int64_t created_s, struct arena *arena)
{
	char text[TIME_TEXT];

	time_format(created_s, text);
	return arena_strdup(arena, text);
}

void app_config_stamp(struct image_config *config, int64_t created_s, struct arena *arena)
{
	config->created = time_text(created_s, arena);
	for (size_t i = 0; i < config->n_history; i++)
		config->history[i].created = config->created;
}

void app_config_blank_history(struct image_config *config, size_t n, struct arena *arena)
{
	config->history = arena_array(arena, n, sizeof(*config->history));
	config->n_history = n;
	for (size_t i = 0; i < n; i++)
		config->history[i].created = config->created;
}

static void copy_env(const struct strings *from, struct arena *arena, struct strings *out)
{
	*out = (struct strings){ 0 };
	for (size_t i = 0; i < from->n; i++)
		vec_push(arena, out, from->v[i]);
}

static void set_env(const struct app_config_spec *spec, struct arena *arena, struct strings *env)
{
	const char *path;

	copy_env(&spec->base->env, arena, env);
	env_set(arena, env, "CNB_LAYERS_DIR", spec->layers_dir);
	env_set(arena, env, "CNB_APP_DIR", spec->app_dir);
	env_set(arena, env, "CNB_PLATFORM_API", spec->platform_api);
	env_set(arena, env, "CNB_DEPRECATION_MODE", "quiet");
	path = env_get(env, "PATH");
	env_set(arena, env, "PATH",
		arena_printf(arena, PROCESS_DIR ":" LIFECYCLE_DIR ":%s", path ? path : ""));
}

/*
 * One entry per layer: the base's own where it has exactly as many as layers, nameless ones otherwise; then the
 * application's. Before Platform API 0.12 no entry has a text.
 */
static void set_history(const struct app_config_spec *spec, struct arena *arena,
			struct image_config *out)
{
	size_t n_base = spec->base->diff_ids.n, n_named = 0, n = n_base + spec->n_layers;
	bool has_texts = cnb_api_at_least(spec->platform_api, 12);
	struct history *history = arena_array(arena, n, sizeof(*history));

	for (size_t i = 0; i < spec->base->n_history; i++)
		n_named += !spec->base->history[i].is_empty_layer;
	if (has_texts && n_named == n_base) {
		size_t at = 0;

		for (size_t i = 0; i < spec->base->n_history; i++)
			if (!spec->base->history[i].is_empty_layer)
				history[at++] = spec->base->history[i];
	}
	for (size_t i = 0; has_texts && i < spec->n_layers; i++)
		history[n_base + i].created_by = spec->layers[i].created_by;
	out->history = history;
	out->n_history = n;
}

void app_config_make(const struct app_config_spec *spec, struct arena *arena,
		     struct image_config *out)
{
	*out = *spec->base;
	set_env(spec, arena, &out->env);
	out->entrypoint = (struct strings){ 0 };
	vec_push(arena, &out->entrypoint,
		 spec->process ? arena_printf(arena, PROCESS_DIR "/%s", spec->process)
			       : LIFECYCLE_DIR "/launcher");
	out->cmd = (struct strings){ 0 };
	out->working_dir = spec->app_dir;
	out->labels = (struct pairs){ 0 };
	for (size_t i = 0; i < spec->base->labels.n; i++)
		app_config_set_label(arena, &out->labels, spec->base->labels.v[i].key,
				     spec->base->labels.v[i].value);
	for (size_t i = 0; i < spec->labels->n; i++)
		app_config_set_label(arena, &out->labels, spec->labels->v[i].key,
				     spec->labels->v[i].value);
	out->diff_ids = (struct strings){ 0 };
	for (size_t i = 0; i < spec->base->diff_ids.n; i++)
		vec_push(arena, &out->diff_ids, spec->base->diff_ids.v[i]);
	for (size_t i = 0; i < spec->n_layers; i++)
		vec_push(arena, &out->diff_ids, spec->layers[i].diff_id);
	set_history(spec, arena, out);
	app_config_stamp(out, spec->created_s, arena);
}
