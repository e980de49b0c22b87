/* SPDX-License-Identifier: Apache-2.0 */
/* rebase_rule.c — see rebase_rule.h. */
#include "buildexec/cnb/rebase_rule.h"

#include <stdlib.h>
#include <string.h>

#include "buildexec/cnb/app_config.h"
#include "buildexec/cnb/app_metadata.h"
#include "buildexec/cnb/platform_api.h"
#include "buildexec/cnb/run_images.h"
#include "buildexec/cnb/target.h"
#include "model/base/limits.h"
#include "model/doc/json.h"

#define FORCE_HINT "; use -force to do it all the same"

static const char *json_text(const struct node *node, struct arena *arena)
{
	AUTO_BUF out = BUF_INIT(LIMIT_LABEL_BYTES);

	json_print(node, JSON_COMPACT, &out);
	return buf_copy(&out, arena);
}

/* A refusal that -force turns into a warning. */
static bool refuse(const struct rebase_inputs *inputs, struct rebased *out, struct arena *arena,
		   const char *text, struct err *err)
{
	if (!inputs->is_forced)
		return err_set(err, ERR_INVALID, "%s%s", text, FORCE_HINT);
	vec_push(arena, &out->warnings, text);
	return true;
}

static bool check_stack_id(const struct rebase_inputs *inputs, struct err *err)
{
	const char *app = pairs_get(&inputs->app->labels, LABEL_STACK_ID);
	const char *base = pairs_get(&inputs->base->labels, LABEL_STACK_ID);

	if (!app || app[0] == '\0')
		return err_set(err, ERR_INVALID, "stack not defined on the application image");
	if (!base || base[0] == '\0')
		return err_set(err, ERR_INVALID, "stack not defined on the new base image");
	if (strcmp(app, base) != 0)
		return err_set(err, ERR_INVALID, "stack '%s' is not compatible with '%s'", base,
			       app);
	return true;
}

/* The label's list without "build:" and "run:". */
static bool read_mixins(const struct image_config *config, struct arena *arena, struct strings *out,
			struct err *err)
{
	const char *text = pairs_get(&config->labels, LABEL_STACK_MIXINS);
	struct node *list;

	if (!text || text[0] == '\0')
		return true;
	if (!json_parse(text, strlen(text), arena, &list, err))
		return err_prefix(err, "label '%s'", LABEL_STACK_MIXINS);
	for (const struct node *item = list->kind == NODE_SEQ ? list->first : NULL; item;
	     item = item->next) {
		const char *colon = item->kind == NODE_STRING ? strchr(item->text, ':') : NULL;

		if (item->kind == NODE_STRING)
			vec_push(arena, out, colon ? colon + 1 : item->text);
	}
	return true;
}

static bool check_mixins(const struct rebase_inputs *inputs, struct arena *arena, struct err *err)
{
	struct strings app = { 0 }, base = { 0 };
	AUTO_BUF missing = BUF_INIT(4096);

	if (!read_mixins(inputs->app, arena, &app, err) ||
	    !read_mixins(inputs->base, arena, &base, err))
		return false;
	qsort(app.v, app.n, sizeof(*app.v), strings_compare);
	for (size_t i = 0; i < app.n; i++)
		if (!strings_has(&base, app.v[i]))
			buf_printf(&missing, "%s%s", missing.len ? ", " : "", app.v[i]);
	if (missing.len > 0)
		return err_set(err, ERR_INVALID, "missing required mixin(s): %s",
			       buf_text(&missing));
	return true;
}

static bool check_target(const struct rebase_inputs *inputs, struct arena *arena,
			 struct rebased *out, struct err *err)
{
	const char *rebasable = pairs_get(&inputs->app->labels, LABEL_REBASABLE);
	struct target app = target_of(inputs->app), base = target_of(inputs->base);

	if (rebasable && strcmp(rebasable, "false") == 0 &&
	    !refuse(inputs, out, arena, "the application image is marked as not rebasable", err))
		return false;
	if (target_allows_rebase(&base, &app))
		return true;
	return refuse(inputs, out, arena,
		      arena_printf(arena, "the new base is made for %s, the application for %s",
				   json_text(target_encode(&base, arena), arena),
				   json_text(target_encode(&app, arena), arena)),
		      err);
}

static bool check_image(const struct rebase_inputs *inputs, struct arena *arena,
			struct rebased *out, struct err *err)
{
	const char *app_api = env_get(&inputs->app->env, "CNB_PLATFORM_API");

	if (cnb_api_at_least(app_api, 12))
		return check_target(inputs, arena, out, err);
	return check_stack_id(inputs, err) && check_mixins(inputs, arena, err);
}

static bool names_have(const struct app_metadata *metadata, const char *image, struct arena *arena)
{
	return run_image_names_have(&metadata->run_image, image, arena) ||
	       (metadata->has_stack && run_image_names_have(&metadata->stack, image, arena));
}

/*
 * The label with the new base in it. The tree is changed in place, so that everything else in it stays, known to us or
 * not.
 */
static bool move_label(const struct rebase_inputs *inputs, struct node *label, struct arena *arena,
		       struct rebased *out, struct err *err)
{
	struct app_metadata old;
	struct node *run, *names, *stack;

	if (!app_metadata_decode(label, arena, &old, err))
		return false;
	run = node_get(label, "runImage") ? node_clone(arena, node_get(label, "runImage"))
					  : node_new(arena, NODE_MAP);
	node_set(arena, run, "topLayer",
		 node_string(arena, inputs->base->diff_ids.v[inputs->base->diff_ids.n - 1]));
	node_set(arena, run, "reference", node_string(arena, inputs->base_reference));
	if (cnb_api_at_least(inputs->platform_api, 12) &&
	    !names_have(&old, inputs->base_name, arena)) {
		if (!inputs->is_base_given &&
		    !refuse(inputs, out, arena,
			    arena_printf(arena,
					 "'%s' is not among the run images that the application "
					 "image names: %s",
					 inputs->base_name, json_text(run, arena)),
			    err))
			return false;
		names = node_new(arena, NODE_MAP);
		node_set(arena, names, "topLayer", node_clone(arena, node_get(run, "topLayer")));
		node_set(arena, names, "reference", node_clone(arena, node_get(run, "reference")));
		node_set_text(arena, names, "image", inputs->base_name);
		run = names;
		names = node_new(arena, NODE_MAP);
		node_set_text(arena, names, "image", inputs->base_name);
		stack = node_new(arena, NODE_MAP);
		node_set(arena, stack, "runImage", names);
		node_set(arena, label, "stack", stack);
	}
	node_set(arena, label, "runImage", run);
	return true;
}

static bool is_base_label(const char *name, const char *platform_api)
{
	return strncmp(name, "io.buildpacks.stack.", 20) == 0 ||
	       (cnb_api_at_least(platform_api, 12) &&
		strncmp(name, "io.buildpacks.base.", 19) == 0);
}

/* Labels of the base follow the base: changed, added and removed. */
static void sync_labels(const struct rebase_inputs *inputs, const char *metadata,
			struct arena *arena, struct pairs *out)
{
	const struct pairs *app = &inputs->app->labels, *base = &inputs->base->labels;

	*out = (struct pairs){ 0 };
	for (size_t i = 0; i < app->n; i++)
		if (!is_base_label(app->v[i].key, inputs->platform_api))
			app_config_set_label(arena, out, app->v[i].key, app->v[i].value);
	for (size_t i = 0; i < base->n; i++)
		if (is_base_label(base->v[i].key, inputs->platform_api))
			app_config_set_label(arena, out, base->v[i].key, base->v[i].value);
	app_config_set_label(arena, out, LABEL_LIFECYCLE_METADATA, metadata);
}

static bool is_own(const struct app_metadata *metadata, const char *diff_id)
{
	const char *others[] = { metadata->sbom, metadata->config, metadata->launcher,
				 metadata->process_types };

	if (strings_has(&metadata->app, diff_id))
		return true;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (others[i] && strcmp(others[i], diff_id) == 0)
			return true;
	for (size_t i = 0; i < metadata->buildpacks.n; i++) {
		const struct layer_records *layers = &metadata->buildpacks.v[i].layers;

		for (size_t k = 0; k < layers->n; k++)
			if (strcmp(layers->v[k].sha, diff_id) == 0)
				return true;
	}
	return false;
}

/*
 * How many layers the old base has; 0: its top is not there. A layer may be in an image several times (the empty one of
 * Dockerfile instructions), so the first one that is named like the top need not be it: what follows must be the
 * application's. An application that does not name all its layers is cut at the first, as by the reference.
 */
static size_t count_old_base(const struct strings *diff_ids, const struct app_metadata *metadata)
{
	size_t own = diff_ids->n, first = 0;

	while (own > 0 && is_own(metadata, diff_ids->v[own - 1]))
		own--;
	for (size_t i = 0; i < diff_ids->n; i++) {
		if (strcmp(diff_ids->v[i], metadata->top_layer) != 0)
			continue;
		first = first ? first : i + 1;
		if (i + 1 >= own)
			return i + 1;
	}
	return first;
}

/* New base's layers, then the application's own. */
static bool move_layers(const struct rebase_inputs *inputs, const struct node *label,
			struct arena *arena, struct rebased *out, struct err *err)
{
	const struct strings *app = &inputs->app->diff_ids, *base = &inputs->base->diff_ids;
	struct strings ids = { 0 };
	struct app_metadata old;

	if (!app_metadata_decode(label, arena, &old, err))
		return false;
	out->n_old_base = count_old_base(app, &old);
	if (out->n_old_base == 0)
		return err_set(err, ERR_INVALID,
			       "the application image has no layer '%s', the top of its base",
			       old.top_layer);
	for (size_t i = 0; i < base->n; i++)
		vec_push(arena, &ids, base->v[i]);
	for (size_t i = out->n_old_base; i < app->n; i++)
		vec_push(arena, &ids, app->v[i]);
	out->config.diff_ids = ids;
	return true;
}

bool rebase_decide(const struct rebase_inputs *inputs, struct arena *arena, struct rebased *out,
		   struct err *err)
{
	const char *text = pairs_get(&inputs->app->labels, LABEL_LIFECYCLE_METADATA);
	struct node *label;

	*out = (struct rebased){ .config = *inputs->app };
	if (inputs->base->diff_ids.n == 0)
		return err_set(err, ERR_INVALID, "the new base image has no layers");
	if (!check_image(inputs, arena, out, err))
		return false;
	if (!text)
		return err_set(err, ERR_INVALID, "the image has no label '%s'",
			       LABEL_LIFECYCLE_METADATA);
	if (!json_parse(text, strlen(text), arena, &label, err))
		return err_prefix(err, "label '%s'", LABEL_LIFECYCLE_METADATA);
	if (!move_layers(inputs, label, arena, out, err) ||
	    !move_label(inputs, label, arena, out, err))
		return false;
	sync_labels(inputs, app_config_label_text(label, arena), arena, &out->config.labels);
	out->config.platform = inputs->base->platform;
	app_config_stamp(&out->config, inputs->created_s, arena);
	/* The reference lets go of the text of the history; the vectors hold us to the same images. */
	app_config_blank_history(&out->config, out->config.diff_ids.n, arena);
	return true;
}
