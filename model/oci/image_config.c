/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_config.c — image configs. The keys we model come from the struct, every other key from the
 * tree as it was read; both in the order of go-containerregistry's ConfigFile, unknown keys behind,
 * sorted. Spec: opencontainers/image-spec config.md.
 */
#include <stdlib.h>
#include <string.h>

#include "model/base/digest.h"
#include "model/base/limits.h"
#include "model/doc/json.h"
#include "model/oci/image.h"

static bool wrong_type(const char *key, const struct node *node, const char *wanted,
		       struct err *err)
{
	return err_set(err, ERR_INVALID, "'%s' is %s, not %s", key, node_kind_name(node->kind),
		       wanted);
}

/* The child, or NULL when it is absent or null. */
static const struct node *child(const struct node *map, const char *key)
{
	const struct node *node = node_get(map, key);

	return node && node->kind != NODE_NULL ? node : NULL;
}

static bool read_text(const struct node *map, const char *key, const char **out, struct err *err)
{
	const struct node *node = child(map, key);

	if (!node)
		return true;
	if (node->kind != NODE_STRING)
		return wrong_type(key, node, "a string", err);
	*out = node->text;
	return true;
}

static bool read_texts(const struct node *map, const char *key, struct arena *arena,
		       struct strings *out, struct err *err)
{
	const struct node *node = child(map, key);

	if (!node)
		return true;
	if (node->kind != NODE_SEQ)
		return wrong_type(key, node, "a list", err);
	for (const struct node *item = node->first; item; item = item->next) {
		if (item->kind != NODE_STRING)
			return wrong_type(key, item, "a list of strings", err);
		vec_push(arena, out, item->text);
	}
	return true;
}

/* Sets are written as mappings to empty mappings. */
static bool read_set(const struct node *map, const char *key, struct arena *arena,
		     struct strings *out, struct err *err)
{
	const struct node *node = child(map, key);

	if (!node)
		return true;
	if (node->kind != NODE_MAP)
		return wrong_type(key, node, "a mapping", err);
	for (const struct node *item = node->first; item; item = item->next)
		vec_push(arena, out, item->key);
	return true;
}

static bool read_labels(const struct node *map, struct arena *arena, struct pairs *out,
			struct err *err)
{
	const struct node *node = child(map, "Labels");

	if (!node)
		return true;
	if (node->kind != NODE_MAP)
		return wrong_type("Labels", node, "a mapping", err);
	for (const struct node *item = node->first; item; item = item->next) {
		if (item->kind != NODE_STRING)
			return wrong_type("Labels", item, "a mapping of strings", err);
		if (item->len > LIMIT_LABEL_BYTES)
			return err_set(err, ERR_INVALID,
				       "the label '%.100s' is longer than %u bytes", item->key,
				       LIMIT_LABEL_BYTES);
		vec_push(arena, out, (struct pair){ item->key, item->text, { 0 } });
	}
	return true;
}

static bool read_history(const struct node *root, struct arena *arena, struct image_config *out,
			 struct err *err)
{
	const struct node *node = child(root, "history");
	size_t n = 0;

	if (!node)
		return true;
	if (node->kind != NODE_SEQ)
		return wrong_type("history", node, "a list", err);
	out->history = arena_array(arena, node->n, sizeof(*out->history));
	for (const struct node *item = node->first; item; item = item->next, n++) {
		struct history *entry = &out->history[n];
		const struct node *empty = child(item, "empty_layer");

		if (item->kind != NODE_MAP)
			return wrong_type("history", item, "a list of mappings", err);
		if (empty && empty->kind != NODE_BOOL)
			return wrong_type("empty_layer", empty, "a bool", err);
		entry->is_empty_layer = empty && empty->i;
		if (!read_text(item, "created", &entry->created, err) ||
		    !read_text(item, "created_by", &entry->created_by, err) ||
		    !read_text(item, "author", &entry->author, err) ||
		    !read_text(item, "comment", &entry->comment, err))
			return false;
	}
	out->n_history = n;
	return true;
}

static bool read_rootfs(const struct node *root, struct arena *arena, struct image_config *out,
			struct err *err)
{
	const struct node *rootfs = child(root, "rootfs");

	if (!rootfs || rootfs->kind != NODE_MAP)
		return err_set(err, ERR_INVALID, "'rootfs' is missing or not a mapping");
	if (!read_texts(rootfs, "diff_ids", arena, &out->diff_ids, err))
		return false;
	if (out->diff_ids.n > LIMIT_LAYERS)
		return err_set(err, ERR_INVALID, "%zu layers are more than the limit of %u",
			       out->diff_ids.n, LIMIT_LAYERS);
	for (size_t i = 0; i < out->diff_ids.n; i++)
		if (!digest_is_valid(out->diff_ids.v[i]))
			return err_set(err, ERR_INVALID, "a diff id is no valid sha256 digest");
	return true;
}

static bool read_run_config(const struct node *root, struct arena *arena, struct image_config *out,
			    struct err *err)
{
	const struct node *config = child(root, "config");

	if (!config)
		return true;
	if (config->kind != NODE_MAP)
		return wrong_type("config", config, "a mapping", err);
	return read_texts(config, "Env", arena, &out->env, err) &&
	       read_texts(config, "Entrypoint", arena, &out->entrypoint, err) &&
	       read_texts(config, "Cmd", arena, &out->cmd, err) &&
	       read_text(config, "User", &out->user, err) &&
	       read_text(config, "WorkingDir", &out->working_dir, err) &&
	       read_text(config, "StopSignal", &out->stop_signal, err) &&
	       read_labels(config, arena, &out->labels, err) &&
	       read_set(config, "ExposedPorts", arena, &out->exposed_ports, err) &&
	       read_set(config, "Volumes", arena, &out->volumes, err);
}

static bool read_config(const char *json, size_t len, struct arena *arena, struct image_config *out,
			struct err *err)
{
	struct node *root;

	if (len > LIMIT_CONFIG_BYTES)
		return err_set(err, ERR_INVALID, "it is longer than %u bytes", LIMIT_CONFIG_BYTES);
	if (!json_parse(json, len, arena, &root, err))
		return false;
	if (root->kind != NODE_MAP)
		return err_set(err, ERR_INVALID, "it is %s, not a mapping",
			       node_kind_name(root->kind));
	out->tree = root;
	return read_text(root, "os", &out->platform.os, err) &&
	       read_text(root, "architecture", &out->platform.arch, err) &&
	       read_text(root, "variant", &out->platform.variant, err) &&
	       read_text(root, "os.version", &out->platform.os_version, err) &&
	       read_text(root, "created", &out->created, err) &&
	       read_text(root, "author", &out->author, err) &&
	       read_run_config(root, arena, out, err) && read_rootfs(root, arena, out, err) &&
	       read_history(root, arena, out, err);
}

bool image_config_parse(const char *json, size_t len, struct arena *arena, struct image_config *out,
			struct err *err)
{
	*out = (struct image_config){ 0 };
	if (read_config(json, len, arena, out, err))
		return true;
	*out = (struct image_config){ 0 };
	return err_prefix(err, "cannot read the image config");
}

static void put_texts(struct node *map, const char *key, const struct strings *list,
		      struct arena *arena)
{
	struct node *node = node_new(arena, NODE_SEQ);

	if (list->n == 0)
		return;
	for (size_t i = 0; i < list->n; i++)
		node_push(node, node_string(arena, list->v[i]));
	node_set(arena, map, key, node);
}

static void put_set(struct node *map, const char *key, const struct strings *list,
		    struct arena *arena)
{
	struct node *node = node_new(arena, NODE_MAP);

	if (list->n == 0)
		return;
	for (size_t i = 0; i < list->n; i++)
		node_set(arena, node, list->v[i], node_new(arena, NODE_MAP));
	node_sort_keys(node);
	node_set(arena, map, key, node);
}

static void put_labels(struct node *map, const struct pairs *labels, struct arena *arena)
{
	struct node *node = node_new(arena, NODE_MAP);

	if (labels->n == 0)
		return;
	for (size_t i = 0; i < labels->n; i++)
		node_set_text(arena, node, labels->v[i].key, labels->v[i].value);
	node_sort_keys(node);
	node_set(arena, map, "Labels", node);
}

/* Empty texts are left out, as Go's omitempty does. */
static void put_text(struct node *map, const char *key, const char *text, struct arena *arena)
{
	if (text && text[0])
		node_set_text(arena, map, key, text);
}

struct node *image_run_config(const struct image_config *config, struct arena *arena)
{
	struct node *node = node_new(arena, NODE_MAP);

	put_texts(node, "Cmd", &config->cmd, arena);
	put_texts(node, "Entrypoint", &config->entrypoint, arena);
	put_texts(node, "Env", &config->env, arena);
	put_labels(node, &config->labels, arena);
	put_text(node, "User", config->user, arena);
	put_set(node, "Volumes", &config->volumes, arena);
	put_text(node, "WorkingDir", config->working_dir, arena);
	put_set(node, "ExposedPorts", &config->exposed_ports, arena);
	put_text(node, "StopSignal", config->stop_signal, arena);
	return node;
}

static struct node *history_node(const struct image_config *config, struct arena *arena)
{
	struct node *list = node_new(arena, NODE_SEQ);

	for (size_t i = 0; i < config->n_history; i++) {
		const struct history *entry = &config->history[i];
		struct node *node = node_new(arena, NODE_MAP);

		put_text(node, "author", entry->author, arena);
		put_text(node, "created", entry->created, arena);
		put_text(node, "created_by", entry->created_by, arena);
		put_text(node, "comment", entry->comment, arena);
		if (entry->is_empty_layer)
			node_set(arena, node, "empty_layer", node_bool(arena, true));
		node_push(list, node);
	}
	return list;
}

static struct node *rootfs_node(const struct image_config *config, struct arena *arena)
{
	struct node *node = node_new(arena, NODE_MAP);
	struct node *list = node_new(arena, NODE_SEQ);

	for (size_t i = 0; i < config->diff_ids.n; i++)
		node_push(list, node_string(arena, config->diff_ids.v[i]));
	node_set_text(arena, node, "type", "layers");
	node_set(arena, node, "diff_ids", list);
	return node;
}

/* clang-format off */
/* In the order they are written; `is_ours`: never taken from the tree, since the struct says it. */
struct key_row {
	const char *key;
	bool is_ours;
};
static const struct key_row root_keys[] = {
	{ "architecture", true },  { "author", true },   { "container", false }, { "created", true },
	{ "docker_version", false }, { "history", true }, { "os", true },        { "rootfs", true },
	{ "config", true },        { "os.version", true }, { "variant", true },  { "os.features", false },
};
static const struct key_row run_keys[] = {
	{ "AttachStderr", false }, { "AttachStdin", false }, { "AttachStdout", false }, { "Cmd", true },
	{ "Healthcheck", false },  { "Domainname", false },  { "Entrypoint", true },    { "Env", true },
	{ "Hostname", false },     { "Image", false },       { "Labels", true },        { "OnBuild", false },
	{ "OpenStdin", false },    { "StdinOnce", false },   { "Tty", false },          { "User", true },
	{ "Volumes", true },       { "WorkingDir", true },   { "ExposedPorts", true },  { "ArgsEscaped", false },
	{ "NetworkDisabled", false }, { "MacAddress", false }, { "StopSignal", true },  { "Shell", false },
};
/* clang-format on */

static void move(struct node *to, const char *key, const struct node *value, struct arena *arena)
{
	if (value)
		node_set(arena, to, key, node_clone(arena, value));
}

/* Ours where we model the key, the tree's elsewhere; known keys in table order, the others sorted
 * behind. */
static struct node *merge(const struct node *ours, const struct node *tree,
			  const struct key_row *rows, size_t n_rows, struct arena *arena)
{
	struct node *out = node_new(arena, NODE_MAP);
	struct node *rest = node_new(arena, NODE_MAP);

	for (size_t i = 0; i < n_rows; i++)
		move(out, rows[i].key, node_get(rows[i].is_ours ? ours : tree, rows[i].key), arena);
	for (const struct node *item = tree ? tree->first : NULL; item; item = item->next) {
		bool is_known = false;

		for (size_t i = 0; i < n_rows; i++)
			is_known |= strcmp(item->key, rows[i].key) == 0;
		if (!is_known)
			move(rest, item->key, item, arena);
	}
	node_sort_keys(rest);
	for (const struct node *item = rest->first; item; item = item->next)
		move(out, item->key, item, arena);
	return out;
}

char *image_config_print(const struct image_config *config, struct arena *arena, size_t *len)
{
	const struct platform *platform = &config->platform;
	struct node *ours = node_new(arena, NODE_MAP);
	AUTO_BUF buf = BUF_INIT(SIZE_MAX);

	node_set_text(arena, ours, "architecture", platform->arch ? platform->arch : "");
	node_set_text(arena, ours, "os", platform->os ? platform->os : "");
	put_text(ours, "os.version", platform->os_version, arena);
	put_text(ours, "variant", platform->variant, arena);
	put_text(ours, "author", config->author, arena);
	put_text(ours, "created", config->created, arena);
	if (config->n_history > 0)
		node_set(arena, ours, "history", history_node(config, arena));
	node_set(arena, ours, "rootfs", rootfs_node(config, arena));
	node_set(arena, ours, "config",
		 merge(image_run_config(config, arena), node_get(config->tree, "config"), run_keys,
		       COUNTOF(run_keys), arena));
	json_print(merge(ours, config->tree, root_keys, COUNTOF(root_keys), arena), JSON_GO, &buf);
	*len = buf.len;
	return buf_copy(&buf, arena);
}

const char *env_get(const struct strings *env, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < env->n; i++)
		if (strncmp(env->v[i], name, n) == 0 && env->v[i][n] == '=')
			return env->v[i] + n + 1;
	return NULL;
}

void env_set(struct arena *arena, struct strings *env, const char *name, const char *value)
{
	const char *line = arena_printf(arena, "%s=%s", name, value);
	size_t n = strlen(name);

	for (size_t i = 0; i < env->n; i++) {
		if (strncmp(env->v[i], name, n) == 0 && env->v[i][n] == '=') {
			env->v[i] = line;
			return;
		}
	}
	vec_push(arena, env, line);
}
