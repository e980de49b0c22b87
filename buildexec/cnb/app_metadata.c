/* SPDX-License-Identifier: Apache-2.0 */
/* app_metadata.c — see app_metadata.h. */
#include "buildexec/cnb/app_metadata.h"

#include <stdlib.h>
#include <string.h>

#include "buildexec/cnb/value.h"
#include "model/base/buf.h"
#include "model/doc/json.h"

static const char *text_or_empty(const struct node *map, const char *key)
{
	const char *text = node_text(map, key);

	return text ? text : "";
}

static bool flag(const struct node *map, const char *key)
{
	const struct node *value = node_get(map, key);

	return value && value->kind == NODE_BOOL && value->i;
}

/* NULL for an absent or null member, so that callers see one kind of "nothing". */
static const struct node *present(const struct node *map, const char *key)
{
	const struct node *value = node_get(map, key);

	return value && value->kind != NODE_NULL ? value : NULL;
}

/* A layer's name becomes a file name below the layers folder: nothing that could lead elsewhere. */
static bool layer_name_is_safe(const char *name)
{
	return name[0] != '\0' && !strchr(name, '/') && strcmp(name, ".") != 0 &&
	       strcmp(name, "..") != 0;
}

static bool decode_layers(const struct node *layers, struct arena *arena, struct layer_records *out,
			  struct err *err)
{
	if (!layers)
		return true;
	if (layers->kind != NODE_MAP)
		return err_set(err, ERR_INVALID, "'layers' is no mapping");
	for (const struct node *layer = layers->first; layer; layer = layer->next) {
		if (layer->kind != NODE_MAP || !layer_name_is_safe(layer->key))
			return err_set(err, ERR_INVALID, "layer '%s' is malformed", layer->key);
		vec_push(arena, out,
			 (struct layer_record){
				 .name = layer->key,
				 .sha = text_or_empty(layer, "sha"),
				 .data = present(layer, "data"),
				 .is_build = flag(layer, "build"),
				 .is_launch = flag(layer, "launch"),
				 .is_cache = flag(layer, "cache"),
			 });
	}
	return true;
}

static bool decode_buildpacks(const struct node *list, struct arena *arena,
			      struct buildpack_records *out, struct err *err)
{
	if (!list)
		return true;
	if (list->kind != NODE_SEQ)
		return err_set(err, ERR_INVALID, "'buildpacks' is no list");
	for (const struct node *item = list->first; item; item = item->next) {
		struct buildpack_record record = {
			.id = node_text(item, "key"),
			.version = text_or_empty(item, "version"),
			.store = present(item, "store"),
		};

		if (!record.id)
			return err_set(err, ERR_INVALID, "a buildpack has no key");
		if (!decode_layers(present(item, "layers"), arena, &record.layers, err))
			return err_prefix(err, "buildpack '%s'", record.id);
		vec_push(arena, out, record);
	}
	return true;
}

void run_image_names_decode(const struct node *map, struct arena *arena,
			    struct run_image_names *out)
{
	const struct node *image = value_get(map, "image"), *mirrors = value_get(map, "mirrors");

	out->image = image && image->kind == NODE_STRING && image->len ? image->text : NULL;
	if (!mirrors || mirrors->kind != NODE_SEQ)
		return;
	for (const struct node *item = mirrors->first; item; item = item->next)
		if (item->kind == NODE_STRING)
			vec_push(arena, &out->mirrors, item->text);
}

bool app_metadata_decode(const struct node *json, struct arena *arena, struct app_metadata *out,
			 struct err *err)
{
	const struct node *app = present(json, "app"), *run = node_get(json, "runImage");
	const struct node *stack = present(json, "stack");

	*out = (struct app_metadata){ 0 };
	if (!json || json->kind != NODE_MAP)
		return err_set(err, ERR_INVALID, "lifecycle metadata is no mapping");
	/* Very old images have one mapping here instead of a list: no layer of theirs can be known again. */
	if (app && app->kind == NODE_SEQ)
		for (const struct node *item = app->first; item; item = item->next)
			vec_push(arena, &out->app, text_or_empty(item, "sha"));
	if (present(json, "sbom"))
		out->sbom = node_text(node_get(json, "sbom"), "sha");
	if (!decode_buildpacks(present(json, "buildpacks"), arena, &out->buildpacks, err))
		return false;
	out->config = text_or_empty(node_get(json, "config"), "sha");
	out->launcher = text_or_empty(node_get(json, "launcher"), "sha");
	out->process_types = text_or_empty(node_get(json, "process-types"), "sha");
	out->top_layer = text_or_empty(run, "topLayer");
	out->run_reference = text_or_empty(run, "reference");
	run_image_names_decode(run, arena, &out->run_image);
	out->has_stack = stack != NULL;
	run_image_names_decode(node_get(stack, "runImage"), arena, &out->stack);
	return true;
}

bool cache_metadata_decode(const struct node *json, struct arena *arena, struct cache_metadata *out,
			   struct err *err)
{
	*out = (struct cache_metadata){ .sbom = "" };
	if (!json || json->kind != NODE_MAP)
		return err_set(err, ERR_INVALID, "cache metadata is no mapping");
	out->sbom = text_or_empty(node_get(json, "sbom"), "sha");
	return decode_buildpacks(present(json, "buildpacks"), arena, &out->buildpacks, err);
}

static struct node *sha_of(struct arena *arena, const char *sha)
{
	struct node *map = node_new(arena, NODE_MAP);

	node_set(arena, map, "sha", node_string(arena, sha ? sha : ""));
	return map;
}

static int by_name(const void *a, const void *b)
{
	const struct layer_record *left = a, *right = b;

	return strcmp(left->name, right->name);
}

static struct node *encode_layers(const struct layer_records *layers, struct arena *arena)
{
	struct node *out = node_new(arena, NODE_MAP);
	struct layer_record *sorted = arena_array(arena, layers->n, sizeof(*sorted));

	for (size_t i = 0; i < layers->n; i++)
		sorted[i] = layers->v[i];
	qsort(sorted, layers->n, sizeof(*sorted), by_name);
	for (size_t i = 0; i < layers->n; i++) {
		struct node *layer = sha_of(arena, sorted[i].sha);

		node_set(arena, layer, "data",
			 sorted[i].data ? metadata_to_json(sorted[i].data, arena)
					: node_new(arena, NODE_NULL));
		node_set(arena, layer, "build", node_bool(arena, sorted[i].is_build));
		node_set(arena, layer, "launch", node_bool(arena, sorted[i].is_launch));
		node_set(arena, layer, "cache", node_bool(arena, sorted[i].is_cache));
		node_set(arena, out, sorted[i].name, layer);
	}
	return out;
}

static struct node *encode_buildpacks(const struct buildpack_records *records, struct arena *arena)
{
	struct node *out = node_new(arena, NODE_SEQ);

	for (size_t i = 0; i < records->n; i++) {
		const struct buildpack_record *record = &records->v[i];
		struct node *item = node_new(arena, NODE_MAP);

		node_set(arena, item, "key", node_string(arena, record->id));
		node_set(arena, item, "version", node_string(arena, record->version));
		node_set(arena, item, "layers", encode_layers(&record->layers, arena));
		if (record->store)
			node_set(arena, item, "store", metadata_to_json(record->store, arena));
		node_push(out, item);
	}
	return out;
}

void run_image_names_encode(const struct run_image_names *names, struct arena *arena,
			    struct node *out)
{
	struct node *mirrors;

	node_set_text(arena, out, "image", names->image);
	if (names->mirrors.n == 0)
		return;
	mirrors = node_new(arena, NODE_SEQ);
	for (size_t i = 0; i < names->mirrors.n; i++)
		node_push(mirrors, node_string(arena, names->mirrors.v[i]));
	node_set(arena, out, "mirrors", mirrors);
}

struct node *app_metadata_encode(const struct app_metadata *metadata, struct arena *arena)
{
	struct node *out = node_new(arena, NODE_MAP), *app = node_new(arena, NODE_SEQ);
	struct node *run = node_new(arena, NODE_MAP);

	for (size_t i = 0; i < metadata->app.n; i++)
		node_push(app, sha_of(arena, metadata->app.v[i]));
	node_set(arena, out, "app", app);
	if (metadata->sbom)
		node_set(arena, out, "sbom", sha_of(arena, metadata->sbom));
	node_set(arena, out, "buildpacks", encode_buildpacks(&metadata->buildpacks, arena));
	node_set(arena, out, "config", sha_of(arena, metadata->config));
	node_set(arena, out, "launcher", sha_of(arena, metadata->launcher));
	node_set(arena, out, "process-types", sha_of(arena, metadata->process_types));
	node_set(arena, run, "topLayer", node_string(arena, metadata->top_layer));
	node_set(arena, run, "reference", node_string(arena, metadata->run_reference));
	run_image_names_encode(&metadata->run_image, arena, run);
	node_set(arena, out, "runImage", run);
	if (metadata->has_stack) {
		struct node *stack = node_new(arena, NODE_MAP), *image = node_new(arena, NODE_MAP);

		run_image_names_encode(&metadata->stack, arena, image);
		node_set(arena, stack, "runImage", image);
		node_set(arena, out, "stack", stack);
	}
	return out;
}

struct node *cache_metadata_encode(const struct cache_metadata *metadata, struct arena *arena)
{
	struct node *out = node_new(arena, NODE_MAP);

	node_set(arena, out, "sbom", sha_of(arena, metadata->sbom));
	node_set(arena, out, "buildpacks", encode_buildpacks(&metadata->buildpacks, arena));
	return out;
}

const struct buildpack_record *buildpack_record_find(const struct buildpack_records *records,
						     const char *id)
{
	for (size_t i = 0; i < records->n; i++)
		if (strcmp(records->v[i].id, id) == 0)
			return &records->v[i];
	return NULL;
}

const struct layer_record *layer_record_find(const struct buildpack_record *record,
					     const char *name)
{
	for (size_t i = 0; record && i < record->layers.n; i++)
		if (strcmp(record->layers.v[i].name, name) == 0)
			return &record->layers.v[i];
	return NULL;
}

/* TOML has no null. */
static void drop_nulls(struct node *node)
{
	struct node **link = &node->first;

	if (node->kind != NODE_SEQ && node->kind != NODE_MAP)
		return;
	node->last = NULL;
	while (*link) {
		if ((*link)->kind == NODE_NULL) {
			*link = (*link)->next;
			node->n--;
			continue;
		}
		drop_nulls(*link);
		node->last = *link;
		link = &(*link)->next;
	}
}

struct node *metadata_to_toml(const struct node *value, struct arena *arena)
{
	struct node *copy = node_clone(arena, value);

	drop_nulls(copy);
	node_sort_keys(copy);
	return copy;
}

/* The fraction of a second without the zeros at its end, at most nanoseconds; returns what follows it. */
static const char *copy_fraction(const char *text, struct buf *out)
{
	size_t n = strspn(text + 1, "0123456789"), kept = n > 9 ? 9 : n;

	while (kept > 0 && text[kept] == '0')
		kept--;
	if (kept > 0)
		buf_add(out, text, kept + 1);
	return text + 1 + n;
}

/*
 * The four kinds of TOML dates as the reference's JSON encoder writes them: always a full RFC 3339 time; what a local date
 * or time lacks is filled with 0000-01-01, midnight and UTC.
 */
static char *datetime_to_text(const char *text, struct arena *arena)
{
	AUTO_BUF out = BUF_INIT(128);
	bool has_date = strlen(text) >= 10 && text[4] == '-', has_time = !has_date;
	const char *rest = text;

	buf_add(&out, has_date ? text : "0000-01-01", 10);
	buf_byte(&out, 'T');
	if (has_date) {
		has_time = text[10] != '\0';
		rest = has_time ? text + 11 : text + 10;
	}
	if (has_time && strlen(rest) >= 8) {
		buf_add(&out, rest, 8);
		rest += 8;
	} else {
		buf_puts(&out, "00:00:00");
	}
	if (*rest == '.')
		rest = copy_fraction(rest, &out);
	if (*rest == '+' || *rest == '-')
		buf_puts(&out, strcmp(rest + 1, "00:00") == 0 ? "Z" : rest);
	else
		buf_byte(&out, 'Z');
	return buf_copy(&out, arena);
}

static void datetimes_to_texts(struct node *node, struct arena *arena)
{
	if (node->kind == NODE_DATETIME) {
		node->kind = NODE_STRING;
		node->text = datetime_to_text(node->text, arena);
		node->len = (uint32_t)strlen(node->text);
	}
	for (struct node *child = node->first; child; child = child->next)
		datetimes_to_texts(child, arena);
}

struct node *metadata_to_json(const struct node *value, struct arena *arena)
{
	struct node *copy = node_clone(arena, value);

	datetimes_to_texts(copy, arena);
	node_sort_keys(copy);
	return copy;
}
