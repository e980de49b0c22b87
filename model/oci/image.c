/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image.c — media types, platforms, manifests and indexes. Configs are in image_config.c.
 * Reading is strict where a doubt could be used to show two readers two different images: a
 * document that claims another type than the server, or that is both a manifest and an index, is
 * refused (image-spec, CVE-2021-41190). Writing uses the key order of go-containerregistry, so that
 * the same image made by kpack has the same bytes.
 */
#include "model/oci/image.h"

#include <stdlib.h>
#include <string.h>

#include "model/base/digest.h"
#include "model/base/limits.h"
#include "model/doc/json.h"

enum media_family { FAMILY_MANIFEST, FAMILY_INDEX };

#define DOCKER_LAYER_PLAIN "application/vnd.docker.image.rootfs.diff.tar"
#define DOCKER_LAYER_ZSTD  "application/vnd.docker.image.rootfs.diff.tar.zstd"

static bool ends_with(const char *text, const char *tail)
{
	size_t n = strlen(text), n_tail = strlen(tail);

	return n >= n_tail && memcmp(text + n - n_tail, tail, n_tail) == 0;
}

enum compression media_compression(const char *media_type)
{
	static const struct {
		const char *tail;
		enum compression compression;
	} rows[] = {
		{ "+gzip", COMPRESSION_GZIP }, { ".gzip", COMPRESSION_GZIP },
		{ "+zstd", COMPRESSION_ZSTD }, { ".zstd", COMPRESSION_ZSTD },
		{ ".tar", COMPRESSION_NONE },
	};

	for (size_t i = 0; i < COUNTOF(rows); i++)
		if (ends_with(media_type, rows[i].tail))
			return rows[i].compression;
	return COMPRESSION_UNKNOWN;
}

bool media_is_index(const char *media_type)
{
	return strcmp(media_type, MEDIA_OCI_INDEX) == 0 ||
	       strcmp(media_type, MEDIA_DOCKER_LIST) == 0;
}

bool media_is_manifest(const char *media_type)
{
	return strcmp(media_type, MEDIA_OCI_MANIFEST) == 0 ||
	       strcmp(media_type, MEDIA_DOCKER_MANIFEST) == 0;
}

const char *media_to_oci(const char *media_type)
{
	static const struct {
		const char *docker, *oci;
	} rows[] = {
		{ MEDIA_DOCKER_LIST, MEDIA_OCI_INDEX },
		{ MEDIA_DOCKER_MANIFEST, MEDIA_OCI_MANIFEST },
		{ MEDIA_DOCKER_CONFIG, MEDIA_OCI_CONFIG },
		{ MEDIA_DOCKER_LAYER, MEDIA_OCI_LAYER_GZIP },
		{ DOCKER_LAYER_PLAIN, MEDIA_OCI_LAYER },
		{ DOCKER_LAYER_ZSTD, MEDIA_OCI_LAYER_ZSTD },
	};

	for (size_t i = 0; i < COUNTOF(rows); i++)
		if (strcmp(media_type, rows[i].docker) == 0)
			return rows[i].oci;
	return media_type;
}

struct platform platform_host(void)
{
#if defined(__x86_64__)
	return (struct platform){ .os = "linux", .arch = "amd64" };
#elif defined(__aarch64__)
	return (struct platform){ .os = "linux", .arch = "arm64" };
#elif defined(__arm__)
	return (struct platform){ .os = "linux", .arch = "arm", .variant = "v7" };
#elif defined(__i386__)
	return (struct platform){ .os = "linux", .arch = "386" };
#elif defined(__riscv) && __riscv_xlen == 64
	return (struct platform){ .os = "linux", .arch = "riscv64" };
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
	return (struct platform){ .os = "linux", .arch = "ppc64le" };
#elif defined(__s390x__)
	return (struct platform){ .os = "linux", .arch = "s390x" };
#else
#error "this CPU has no name in the image spec that we know"
#endif
}

/* The text of an optional string; anything else under that key is an error. */
static bool read_text(const struct node *map, const char *key, const char **out, struct err *err)
{
	const struct node *node = node_get(map, key);

	*out = NULL;
	if (!node || node->kind == NODE_NULL)
		return true;
	if (node->kind != NODE_STRING)
		return err_set(err, ERR_INVALID, "'%s' is %s, not a string", key,
			       node_kind_name(node->kind));
	*out = node->text;
	return true;
}

static bool read_annotations(const struct node *map, struct arena *arena, struct pairs *out,
			     struct err *err)
{
	const struct node *node = node_get(map, "annotations");

	if (!node || node->kind == NODE_NULL)
		return true;
	if (node->kind != NODE_MAP)
		return err_set(err, ERR_INVALID, "'annotations' is %s, not a mapping",
			       node_kind_name(node->kind));
	for (const struct node *item = node->first; item; item = item->next) {
		if (item->kind != NODE_STRING)
			return err_set(err, ERR_INVALID, "the annotation '%s' is not a string",
				       item->key);
		vec_push(arena, out, (struct pair){ item->key, item->text, { 0 } });
	}
	return true;
}

static bool read_platform(const struct node *map, struct platform *out, struct err *err)
{
	const struct node *node = node_get(map, "platform");

	if (!node || node->kind == NODE_NULL)
		return true;
	if (node->kind != NODE_MAP)
		return err_set(err, ERR_INVALID, "'platform' is %s, not a mapping",
			       node_kind_name(node->kind));
	return read_text(node, "os", &out->os, err) &&
	       read_text(node, "architecture", &out->arch, err) &&
	       read_text(node, "variant", &out->variant, err) &&
	       read_text(node, "os.version", &out->os_version, err);
}

static bool read_descriptor(const struct node *node, struct arena *arena, struct descriptor *out,
			    struct err *err)
{
	const struct node *size = node_get(node, "size");

	if (!node || node->kind != NODE_MAP)
		return err_set(err, ERR_INVALID, "a descriptor is missing or not a mapping");
	if (!read_text(node, "mediaType", &out->media_type, err) ||
	    !read_text(node, "digest", &out->digest, err))
		return false;
	if (!out->media_type || !out->media_type[0])
		return err_set(err, ERR_INVALID, "a descriptor has no media type");
	if (!out->digest || !digest_is_valid(out->digest))
		return err_set(err, ERR_INVALID, "a descriptor has no valid sha256 digest");
	if (!size || size->kind != NODE_INT || size->i < 0)
		return err_set(err, ERR_INVALID, "the descriptor of '%s' has no valid size",
			       out->digest);
	out->size_bytes = size->i;
	return read_annotations(node, arena, &out->annotations, err) &&
	       read_platform(node, &out->platform, err);
}

static bool read_descriptors(const struct node *list, size_t max, struct arena *arena,
			     struct descriptor **out, size_t *n_out, struct err *err)
{
	size_t n = 0;

	if (list->n > max)
		return err_set(err, ERR_INVALID, "%u entries are more than the limit of %zu",
			       list->n, max);
	*out = arena_array(arena, list->n, sizeof(**out));
	for (const struct node *item = list->first; item; item = item->next, n++)
		if (!read_descriptor(item, arena, &(*out)[n], err))
			return false;
	*n_out = n;
	return true;
}

/* The document's own word, the server's, and what its keys show must not contradict each other. */
static bool settle_media_type(const struct node *root, const char *given, enum media_family family,
			      const char **out, struct err *err)
{
	bool is_index = family == FAMILY_INDEX;
	const char *own;

	if (!read_text(root, "mediaType", &own, err))
		return false;
	if (own && given && strcmp(own, given) != 0)
		return err_set(err, ERR_INVALID,
			       "it calls itself '%.100s' but was served as '%.100s'", own, given);
	if (node_get(root, "manifests") && (node_get(root, "layers") || node_get(root, "config")))
		return err_set(err, ERR_INVALID, "it is both an image manifest and an index");
	*out = given ? given : own;
	if (!*out)
		*out = is_index ? MEDIA_OCI_INDEX : MEDIA_OCI_MANIFEST;
	if (is_index ? !media_is_index(*out) : !media_is_manifest(*out))
		return err_set(err, ERR_INVALID, "'%.100s' is not the media type of %s", *out,
			       is_index ? "an index" : "an image manifest");
	return true;
}

static bool parse_root(const char *json, size_t len, struct arena *arena, const struct node **out,
		       struct err *err)
{
	const struct node *version;
	struct node *root;

	if (len > LIMIT_MANIFEST_BYTES)
		return err_set(err, ERR_INVALID, "it is longer than %u bytes",
			       LIMIT_MANIFEST_BYTES);
	if (!json_parse(json, len, arena, &root, err))
		return false;
	if (root->kind != NODE_MAP)
		return err_set(err, ERR_INVALID, "it is %s, not a mapping",
			       node_kind_name(root->kind));
	version = node_get(root, "schemaVersion");
	if (!version || version->kind != NODE_INT || version->i != 2)
		return err_set(err, ERR_INVALID, "its schemaVersion is not 2");
	*out = root;
	return true;
}

static const struct node *list_at(const struct node *root, const char *key, struct err *err)
{
	const struct node *list = node_get(root, key);

	if (list && list->kind == NODE_SEQ)
		return list;
	err_set(err, ERR_INVALID, "'%s' is missing or not a list", key);
	return NULL;
}

static bool read_manifest(const char *json, size_t len, const char *media_type, struct arena *arena,
			  struct manifest *out, struct err *err)
{
	const char *media = media_type ? arena_strdup(arena, media_type) : NULL;
	const struct node *root, *layers;

	if (!parse_root(json, len, arena, &root, err) ||
	    !settle_media_type(root, media, FAMILY_MANIFEST, &out->media_type, err) ||
	    !read_annotations(root, arena, &out->annotations, err))
		return false;
	if (!read_descriptor(node_get(root, "config"), arena, &out->config, err))
		return err_prefix(err, "config");
	layers = list_at(root, "layers", err);
	if (!layers)
		return false;
	if (!read_descriptors(layers, LIMIT_LAYERS, arena, &out->layers, &out->n_layers, err))
		return err_prefix(err, "layers");
	return true;
}

bool manifest_parse(const char *json, size_t len, const char *media_type, struct arena *arena,
		    struct manifest *out, struct err *err)
{
	*out = (struct manifest){ 0 };
	if (read_manifest(json, len, media_type, arena, out, err))
		return true;
	*out = (struct manifest){ 0 };
	return err_prefix(err, "cannot read the image manifest");
}

static bool read_index(const char *json, size_t len, const char *media_type, struct arena *arena,
		       struct image_index *out, struct err *err)
{
	const char *media = media_type ? arena_strdup(arena, media_type) : NULL;
	const struct node *root, *list;

	if (!parse_root(json, len, arena, &root, err) ||
	    !settle_media_type(root, media, FAMILY_INDEX, &out->media_type, err))
		return false;
	list = list_at(root, "manifests", err);
	if (!list)
		return false;
	if (!read_descriptors(list, LIMIT_DOC_NODES, arena, &out->manifests, &out->n_manifests,
			      err))
		return err_prefix(err, "manifests");
	return true;
}

bool index_parse(const char *json, size_t len, const char *media_type, struct arena *arena,
		 struct image_index *out, struct err *err)
{
	*out = (struct image_index){ 0 };
	if (read_index(json, len, media_type, arena, out, err))
		return true;
	*out = (struct image_index){ 0 };
	return err_prefix(err, "cannot read the image index");
}

static void put_annotations(struct node *map, const struct pairs *pairs, struct arena *arena)
{
	struct node *node = node_new(arena, NODE_MAP);

	if (pairs->n == 0)
		return;
	for (size_t i = 0; i < pairs->n; i++)
		node_set_text(arena, node, pairs->v[i].key, pairs->v[i].value);
	node_sort_keys(node);
	node_set(arena, map, "annotations", node);
}

static struct node *descriptor_node(const struct descriptor *desc, struct arena *arena)
{
	struct node *node = node_new(arena, NODE_MAP);

	node_set_text(arena, node, "mediaType", desc->media_type);
	node_set(arena, node, "size", node_int(arena, desc->size_bytes));
	node_set_text(arena, node, "digest", desc->digest);
	put_annotations(node, &desc->annotations, arena);
	if (desc->platform.os || desc->platform.arch) {
		struct node *platform = node_new(arena, NODE_MAP);

		node_set_text(arena, platform, "architecture", desc->platform.arch);
		node_set_text(arena, platform, "os", desc->platform.os);
		node_set_text(arena, platform, "os.version", desc->platform.os_version);
		node_set_text(arena, platform, "variant", desc->platform.variant);
		node_set(arena, node, "platform", platform);
	}
	return node;
}

static struct node *descriptor_list(const struct descriptor *list, size_t n, struct arena *arena)
{
	struct node *node = node_new(arena, NODE_SEQ);

	for (size_t i = 0; i < n; i++)
		node_push(node, descriptor_node(&list[i], arena));
	return node;
}

static char *print_root(const struct node *root, struct arena *arena, size_t *len)
{
	AUTO_BUF buf = BUF_INIT(SIZE_MAX);

	json_print(root, JSON_GO, &buf);
	*len = buf.len;
	return buf_copy(&buf, arena);
}

static struct node *new_root(const char *media_type, struct arena *arena)
{
	struct node *root = node_new(arena, NODE_MAP);

	node_set(arena, root, "schemaVersion", node_int(arena, 2));
	node_set_text(arena, root, "mediaType", media_type);
	return root;
}

char *manifest_print(const struct manifest *manifest, struct arena *arena, size_t *len)
{
	struct node *root = new_root(manifest->media_type, arena);

	node_set(arena, root, "config", descriptor_node(&manifest->config, arena));
	node_set(arena, root, "layers",
		 descriptor_list(manifest->layers, manifest->n_layers, arena));
	put_annotations(root, &manifest->annotations, arena);
	return print_root(root, arena, len);
}

char *index_print(const struct image_index *index, struct arena *arena, size_t *len)
{
	struct node *root = new_root(index->media_type, arena);

	node_set(arena, root, "manifests",
		 descriptor_list(index->manifests, index->n_manifests, arena));
	return print_root(root, arena, len);
}

/* arm64 is v8 unless said otherwise, arm is v7 (containerd's normalisation); elsewhere none is
 * none. */
static const char *usual_variant(const struct platform *platform)
{
	bool is_given = platform->variant && platform->variant[0];

	if (strcmp(platform->arch, "arm64") == 0)
		return is_given ? platform->variant : "v8";
	if (strcmp(platform->arch, "arm") == 0)
		return is_given ? platform->variant : "v7";
	return is_given ? platform->variant : "";
}

/* 0: no match. Exact variant, then the plain CPU, then an older variant, then any other. */
static int platform_score(const struct platform *have, const struct platform *want)
{
	const char *a, *b;

	if (!have->os || !have->arch || strcmp(have->os, want->os) != 0 ||
	    strcmp(have->arch, want->arch) != 0)
		return 0;
	a = usual_variant(have);
	b = usual_variant(want);
	if (strcmp(a, b) == 0)
		return 1000;
	if (a[0] == '\0')
		return 999;
	/* Of the older ones the newest: "v6" before "v5" for a v7. */
	return strcmp(a, b) < 0 ? 100 + (unsigned char)a[strlen(a) - 1] : 1;
}

const struct descriptor *index_select(const struct image_index *index, const struct platform *want)
{
	const struct descriptor *best = NULL;
	int best_score = 0;

	for (size_t i = 0; i < index->n_manifests; i++) {
		int score = platform_score(&index->manifests[i].platform, want);

		if (score > best_score) {
			best = &index->manifests[i];
			best_score = score;
		}
	}
	return best;
}
