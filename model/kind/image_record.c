/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_record.c — what is known of an image, in Docker's shape: made of manifest and config, written, read, and the facts
 * that people are shown. Metadata somebody else wrote may have keys at the wrong depth and in OCI's spelling.
 */
#include "model/kind/image_record.h"

#include <string.h>

#include "model/base/digest.h"
#include "model/base/limits.h"
#include "model/kind/status_tables.h"
#include "model/oci/docker_ref.h"

#define IMAGE_GROUP "image.openshift.io"

static void put_text(struct node *map, const char *key, const char *text, struct arena *arena)
{
	if (text && *text)
		node_append(arena, map, key, node_string(arena, text));
}

static struct node *run_config(const struct image_config *config, struct arena *arena)
{
	struct node *node = image_run_config(config, arena);

	node_sort_keys(node);
	return node;
}

/* Every distinct layer once: the same bytes lie in a registry once. */
static int64_t image_size(const struct manifest *manifest, struct arena *arena)
{
	static char present;
	struct map seen = { 0 };
	int64_t size = manifest->config.size_bytes;

	for (size_t i = 0; i < manifest->n_layers; i++) {
		const struct descriptor *layer = &manifest->layers[i];

		if (map_has(&seen, layer->digest) || layer->size_bytes > INT64_MAX - size)
			continue;
		map_set(arena, &seen, layer->digest, &present);
		size += layer->size_bytes;
	}
	return size;
}

static struct image_record *record_new(const char *reference, const char *digest,
				       const char *media_type, struct arena *arena)
{
	struct image_record *record = ARENA_NEW(arena, struct image_record);

	record->name = arena_strdup(arena, digest);
	record->reference = arena_strdup(arena, reference);
	record->media_type = arena_strdup(arena, media_type);
	record->metadata_version = "1.0";
	return record;
}

struct image_record *image_record_make(const char *reference, const char *digest,
				       const struct manifest *manifest,
				       const struct image_config *config, struct arena *arena)
{
	struct image_record *record = record_new(reference, digest, manifest->media_type, arena);
	struct node *metadata = node_new(arena, NODE_MAP);
	struct image_layer *layers = arena_array(arena, manifest->n_layers, sizeof(*layers));

	put_text(metadata, "Architecture", config->platform.arch, arena);
	put_text(metadata, "Author", config->author, arena);
	node_append(arena, metadata, "Config", run_config(config, arena));
	put_text(metadata, "Created", config->created, arena);
	put_text(metadata, "DockerVersion", node_text(config->tree, "docker_version"), arena);
	put_text(metadata, "Id", manifest->config.digest, arena);
	put_text(metadata, "Os", config->platform.os, arena);
	node_append(arena, metadata, "Size", node_int(arena, image_size(manifest, arena)));
	put_text(metadata, "Variant", config->platform.variant, arena);
	put_text(metadata, "apiVersion", "1.0", arena);
	put_text(metadata, "kind", "DockerImage", arena);
	record->metadata = metadata;
	for (size_t i = 0; i < manifest->n_layers; i++)
		layers[i] = (struct image_layer){
			arena_strdup(arena, manifest->layers[i].digest),
			manifest->layers[i].size_bytes,
			arena_strdup(arena, manifest->layers[i].media_type),
		};
	record->layers = (struct list){ layers, manifest->n_layers };
	return record;
}

struct image_record *image_record_index(const char *reference, const char *digest,
					const struct image_index *index, struct arena *arena)
{
	struct image_record *record = record_new(reference, digest, index->media_type, arena);
	struct image_submanifest *parts = arena_array(arena, index->n_manifests, sizeof(*parts));

	for (size_t i = 0; i < index->n_manifests; i++) {
		const struct descriptor *from = &index->manifests[i];

		parts[i] = (struct image_submanifest){
			arena_strdup(arena, from->digest),
			arena_strdup(arena, from->media_type),
			from->size_bytes,
			arena_strdup(arena, from->platform.arch),
			arena_strdup(arena, from->platform.os),
			arena_strdup(arena, from->platform.variant),
		};
	}
	record->manifests = (struct list){ parts, index->n_manifests };
	return record;
}

/* ---- what people are shown ---- */

enum { SEARCH_DEPTH = 8 };

/* What is looked for: under one of the names, and of the kind, or any scalar. */
struct search {
	const char *const *names; /* Docker's spelling first */
	bool is_scalar;
	enum node_kind kind;
};

static const struct node *direct(const struct node *map, const char *name,
				 const struct search *search)
{
	const struct node *node = node_get(map, name);
	bool is_scalar =
		node && node->kind != NODE_MAP && node->kind != NODE_SEQ && node->kind != NODE_NULL;

	return node && (search->is_scalar ? is_scalar : node->kind == search->kind) ? node : NULL;
}

static const struct node *any_name(const struct node *map, const struct search *search)
{
	const struct node *found = NULL;

	for (const char *const *name = search->names; *name && !found; name++)
		found = direct(map, *name, search);
	return found;
}

/* Labels may have any name, so they are searched only where something lies among them that is no label. */
static bool is_searched(const struct node *map)
{
	bool is_labels = strcmp(map->key, "Labels") == 0;

	for (const struct node *child = map->first; child && is_labels; child = child->next)
		is_labels = child->kind != NODE_MAP && child->kind != NODE_SEQ;
	return !is_labels;
}

/*
 * Depth first, by Docker's spelling alone. The configuration of the container that built the image comes last: it has the
 * same keys and other values.
 */
static const struct node *deep(const struct node *map, const struct search *search, unsigned depth)
{
	const struct node *found = direct(map, search->names[0], search);

	for (int is_container = 0; is_container < 2 && !found && depth; is_container++)
		for (const struct node *child = map->first; child && !found; child = child->next)
			if (child->kind == NODE_MAP && is_searched(child) &&
			    (strcmp(child->key, "ContainerConfig") == 0) == is_container)
				found = deep(child, search, depth - 1);
	return found;
}

/* Where Docker puts it, then where it may have slipped to. */
static const struct node *lookup(const struct node *metadata, const struct search *search,
				 bool is_config)
{
	const struct node *config = node_get(metadata, "Config"), *found = NULL;

	if (!config)
		config = node_get(metadata, "config");
	if (is_config)
		found = any_name(config, search);
	if (!found)
		found = any_name(metadata, search);
	return found ? found : deep(metadata, search, SEARCH_DEPTH);
}

#define NAMES(...)                                                                                 \
	(const char *const[])                                                                      \
	{                                                                                          \
		__VA_ARGS__, NULL                                                                  \
	}

static const char *text_of(const struct node *node)
{
	if (node && node->kind == NODE_BOOL && !node->text)
		return node->i ? "true" : "false";
	return node ? node->text : NULL;
}

static const char *fact(const struct node *metadata, const char *const *names, bool is_config)
{
	return text_of(
		lookup(metadata, &(struct search){ .names = names, .is_scalar = true }, is_config));
}

static void fact_texts(const struct node *metadata, const char *const *names, struct arena *arena,
		       struct strings *out)
{
	const struct node *list =
		lookup(metadata, &(struct search){ names, false, NODE_SEQ }, true);

	for (const struct node *item = list ? list->first : NULL; item; item = item->next)
		if (text_of(item))
			vec_push(arena, out, text_of(item));
}

static void fact_keys(const struct node *metadata, const char *const *names, struct arena *arena,
		      struct strings *out)
{
	const struct node *map = lookup(metadata, &(struct search){ names, false, NODE_MAP }, true);

	for (const struct node *item = map ? map->first : NULL; item; item = item->next)
		vec_push(arena, out, item->key);
}

static void fact_labels(const struct node *metadata, struct arena *arena, struct pairs *out)
{
	const struct node *map =
		lookup(metadata, &(struct search){ NAMES("Labels"), false, NODE_MAP }, true);

	for (const struct node *item = map ? map->first : NULL; item; item = item->next)
		if (text_of(item))
			vec_push(arena, out, (struct pair){ item->key, text_of(item), { 0 } });
}

static int64_t fact_size(const struct image_record *record)
{
	const struct node *size = NULL;
	int64_t sum = 0;

	if (record->metadata && record->metadata->kind == NODE_MAP)
		size = lookup(record->metadata,
			      &(struct search){ NAMES("Size", "size"), false, NODE_INT }, false);
	if (size && size->kind == NODE_INT && size->i > 0)
		return size->i;
	for (size_t i = 0; i < record->layers.n; i++) {
		const struct image_layer *layer = LIST_AT(record->layers, struct image_layer, i);
		bool is_again = false;

		for (size_t k = 0; k < i && !is_again; k++)
			is_again = strcmp(LIST_AT(record->layers, struct image_layer, k)->name,
					  layer->name) == 0;
		if (!is_again && layer->size_bytes > 0 && layer->size_bytes < INT64_MAX - sum)
			sum += layer->size_bytes;
	}
	return sum;
}

void image_facts_read(const struct image_record *record, struct arena *arena,
		      struct image_facts *out)
{
	const struct node *metadata = record->metadata;

	*out = (struct image_facts){ 0 };
	if (metadata && metadata->kind == NODE_MAP) {
		out->id = fact(metadata, NAMES("Id", "ID", "id"), false);
		out->created = fact(metadata, NAMES("Created", "created"), false);
		out->author = fact(metadata, NAMES("Author", "author"), false);
		out->arch = fact(metadata, NAMES("Architecture", "architecture"), false);
		out->os = fact(metadata, NAMES("Os", "OS", "os"), false);
		out->docker_version =
			fact(metadata, NAMES("DockerVersion", "docker_version"), false);
		out->user = fact(metadata, NAMES("User"), true);
		out->working_dir = fact(metadata, NAMES("WorkingDir"), true);
		fact_texts(metadata, NAMES("Entrypoint"), arena, &out->entrypoint);
		fact_texts(metadata, NAMES("Cmd"), arena, &out->cmd);
		fact_texts(metadata, NAMES("Env"), arena, &out->env);
		fact_keys(metadata, NAMES("ExposedPorts"), arena, &out->exposed_ports);
		fact_keys(metadata, NAMES("Volumes"), arena, &out->volumes);
		fact_labels(metadata, arena, &out->labels);
	}
	out->size_bytes = fact_size(record);
}

/* ---- files ---- */

enum { FILE_NAME_MAX = 200 };

char *image_record_path(const char *name, struct arena *arena)
{
	static const char hex[] = "0123456789ABCDEF";
	AUTO_BUF safe = BUF_INIT(FILE_NAME_MAX);

	if (digest_is_valid(name))
		return arena_printf(arena, "cluster/images/sha256/%s.yaml", digest_hex(name));
	for (const char *p = name; *p; p++) {
		bool is_safe = (*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') ||
			       (p > name && strchr(".-_", *p));

		if (is_safe)
			buf_byte(&safe, *p);
		else
			buf_printf(&safe, "%%%c%c", hex[(unsigned char)*p >> 4],
				   hex[(unsigned char)*p & 15]);
	}
	if (safe.is_over ||
	    !safe.len) { /* '+' is escaped above, so no short name can be this one */
		struct digest digest = digest_of(name, strlen(name));

		return arena_printf(arena, "cluster/images/other/+%s.yaml",
				    digest_hex(digest.text));
	}
	return arena_printf(arena, "cluster/images/other/%s.yaml", buf_text(&safe));
}

struct node *image_record_encode(const struct image_record *record, struct arena *arena)
{
	struct node *file = node_new(arena, NODE_MAP);
	struct node *parts = fields_encode(&image_record_table, record, arena);

	put_text(file, "apiVersion", IMAGE_GROUP "/v1", arena);
	put_text(file, "kind", "Image", arena);
	for (struct node *part = parts->first, *next; part; part = next) {
		next = part->next;
		node_append(arena, file, part->key, part);
	}
	return file;
}

static bool record_holds(const struct image_record *record, struct arena *arena, struct err *err)
{
	struct docker_ref ref;
	struct err why = { 0 };

	if (!record->name || !*record->name || strpbrk(record->name, "/%"))
		return err_set(err, ERR_INVALID, "'metadata.name' is the name of no image");
	if (!record->reference || !*record->reference)
		return err_set(err, ERR_INVALID, "'dockerImageReference' is missing");
	if (!docker_ref_parse(record->reference, arena, &ref, &why))
		return err_set(err, ERR_INVALID, "'dockerImageReference': %s", why.text);
	if (record->metadata && record->metadata->kind != NODE_MAP)
		return err_set(err, ERR_INVALID, "'dockerImageMetadata' is %s, not a mapping",
			       node_kind_name(record->metadata->kind));
	if (record->layers.n > LIMIT_LAYERS || record->manifests.n > LIMIT_LAYERS)
		return err_set(err, ERR_INVALID, "more than %u layers or manifests", LIMIT_LAYERS);
	for (size_t i = 0; i < record->manifests.n; i++)
		if (!digest_is_valid(
			    LIST_AT(record->manifests, struct image_submanifest, i)->digest))
			return err_set(err, ERR_INVALID,
				       "'dockerImageManifests[%zu].digest' is no sha256 digest", i);
	return true;
}

bool image_record_read(const struct node *document, struct arena *arena, struct image_record *out,
		       struct err *err)
{
	struct image_record read = { 0 };

	*out = read;
	if (!file_is_of(document, &(struct file_type){ IMAGE_GROUP, "Image" }, err) ||
	    !fields_read(&image_record_table, document, &read, arena, err) ||
	    !record_holds(&read, arena, err))
		return err_prefix(err, "cannot read the image's record");
	*out = read;
	return true;
}
