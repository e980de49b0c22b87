/* SPDX-License-Identifier: Apache-2.0 */
/*
 * labels.c — see labels.h. Shapes are checked where values are taken: a text is a text, a list is a list; what the labels
 * hold besides is passed over.
 */
#include "reconcile/plan/labels.h"

#include <stdlib.h>
#include <string.h>

#include "model/base/digest.h"
#include "model/base/limits.h"
#include "model/doc/json.h"

/* The label as a tree; *out NULL when it is absent. */
static bool label_tree(const struct pairs *labels, const char *name, enum node_kind kind,
		       struct arena *arena, const struct node **out, struct err *err)
{
	const char *text = pairs_get(labels, name);
	struct node *tree = NULL;

	*out = NULL;
	if (!text)
		return true;
	if (strlen(text) > LIMIT_LABEL_BYTES)
		return err_set(err, ERR_INVALID, "label '%s' is larger than %u bytes", name,
			       LIMIT_LABEL_BYTES);
	if (!json_parse(text, strlen(text), arena, &tree, err))
		return err_prefix(err, "label '%s' is no JSON", name);
	if (tree->kind == NODE_NULL)
		return true;
	if (tree->kind != kind)
		return err_set(err, ERR_INVALID, "label '%s' is %s", name,
			       node_kind_name(tree->kind));
	*out = tree;
	return true;
}

/* A child that is a text without NUL inside, absent, or null. */
static bool text_child(const struct node *map, const char *key, const char **out, struct err *err)
{
	const struct node *child = node_get(map, key);

	*out = NULL;
	if (!child || child->kind == NODE_NULL)
		return true;
	if (child->kind != NODE_STRING || strlen(child->text) != child->len)
		return err_set(err, ERR_INVALID, "'%s' is not a text", key);
	*out = child->text;
	return true;
}

static bool child_of_kind(const struct node *map, const char *key, enum node_kind kind,
			  const struct node **out, struct err *err)
{
	const struct node *child = node_get(map, key);

	*out = NULL;
	if (!child || child->kind == NODE_NULL)
		return true;
	if (child->kind != kind)
		return err_set(err, ERR_INVALID, "'%s' is %s", key, node_kind_name(child->kind));
	*out = child;
	return true;
}

static bool texts_of(const struct node *seq, struct arena *arena, struct strings *out,
		     struct err *err)
{
	for (const struct node *at = seq ? seq->first : NULL; at; at = at->next) {
		if (at->kind != NODE_STRING || strlen(at->text) != at->len)
			return err_set(err, ERR_INVALID, "a list of texts holds %s",
				       at->kind == NODE_STRING ? "a NUL"
							       : node_kind_name(at->kind));
		vec_push(arena, out, at->text);
	}
	return true;
}

bool labels_mixins(const struct pairs *labels, struct arena *arena, struct strings *out,
		   struct err *err)
{
	const struct node *tree;

	*out = (struct strings){ 0 };
	if (!label_tree(labels, LABEL_MIXINS, NODE_SEQ, arena, &tree, err))
		return false;
	if (!texts_of(tree, arena, out, err))
		return err_prefix(err, "label '%s'", LABEL_MIXINS);
	return true;
}

static bool group_of(const struct node *group, struct arena *arena, struct order_group *out,
		     struct err *err)
{
	const struct node *members;
	struct order_entry *entries;

	if (group->kind != NODE_MAP)
		return err_set(err, ERR_INVALID, "a group is %s", node_kind_name(group->kind));
	if (!child_of_kind(group, "group", NODE_SEQ, &members, err))
		return false;
	entries = arena_array(arena, members ? members->n : 0, sizeof(*entries));
	out->group.v = entries;
	for (const struct node *at = members ? members->first : NULL; at; at = at->next) {
		struct order_entry *entry = &entries[out->group.n++];
		const struct node *optional;

		if (at->kind != NODE_MAP)
			return err_set(err, ERR_INVALID, "a group member is %s",
				       node_kind_name(at->kind));
		if (!text_child(at, "id", &entry->id, err) ||
		    !text_child(at, "version", &entry->version, err))
			return false;
		if (!entry->id)
			return err_set(err, ERR_INVALID, "a group member has no id");
		optional = node_get(at, "optional");
		entry->is_optional = optional && optional->kind == NODE_BOOL && optional->i != 0;
	}
	return true;
}

static bool order_of(const struct node *seq, struct arena *arena, struct list *out, struct err *err)
{
	struct order_group *groups = arena_array(arena, seq ? seq->n : 0, sizeof(*groups));

	out->v = groups;
	out->n = 0;
	for (const struct node *at = seq ? seq->first : NULL; at; at = at->next) {
		if (!group_of(at, arena, &groups[out->n++], err))
			return false;
	}
	return true;
}

static bool stacks_of(const struct node *seq, struct arena *arena, struct list *out,
		      struct err *err)
{
	struct buildpack_stack *stacks = arena_array(arena, seq ? seq->n : 0, sizeof(*stacks));

	out->v = stacks;
	out->n = 0;
	for (const struct node *at = seq ? seq->first : NULL; at; at = at->next) {
		struct buildpack_stack *stack = &stacks[out->n++];
		const struct node *mixins;

		if (at->kind != NODE_MAP || !text_child(at, "id", &stack->id, err) ||
		    !child_of_kind(at, "mixins", NODE_SEQ, &mixins, err) ||
		    !texts_of(mixins, arena, &stack->mixins, err))
			return err_set(err, ERR_INVALID, "'stacks' is malformed");
	}
	return true;
}

static bool target_of(const struct node *node, struct arena *arena, struct buildpack_target *out,
		      struct err *err)
{
	const struct node *seq;
	struct distro *distros;

	if (!text_child(node, "os", &out->os, err) || !text_child(node, "arch", &out->arch, err) ||
	    !text_child(node, "variant", &out->variant, err) ||
	    !child_of_kind(node, node_get(node, "distros") ? "distros" : "distributions", NODE_SEQ,
			   &seq, err))
		return false;
	distros = arena_array(arena, seq ? seq->n : 0, sizeof(*distros));
	out->distros.v = distros;
	for (const struct node *at = seq ? seq->first : NULL; at; at = at->next) {
		struct distro *distro = &distros[out->distros.n++];

		if (!text_child(at, "name", &distro->name, err) ||
		    !text_child(at, "version", &distro->version, err))
			return false;
	}
	return true;
}

static bool targets_of(const struct node *seq, struct arena *arena, struct list *out,
		       struct err *err)
{
	struct buildpack_target *targets = arena_array(arena, seq ? seq->n : 0, sizeof(*targets));

	out->v = targets;
	out->n = 0;
	for (const struct node *at = seq ? seq->first : NULL; at; at = at->next) {
		if (!target_of(at, arena, &targets[out->n++], err))
			return err_prefix(err, "'targets' is malformed");
	}
	return true;
}

/* The layer with a diff id: digest and size are those of the manifest's layer at the same place. */
static bool place_layer(const struct manifest *manifest, const struct image_config *config,
			struct store_buildpack *out, struct err *err)
{
	if (!out->diff_id || !digest_is_valid(out->diff_id))
		return err_set(err, ERR_INVALID, "'layerDiffID' is no sha256 digest");
	for (size_t i = 0; i < config->diff_ids.n && i < manifest->n_layers; i++) {
		if (strcmp(config->diff_ids.v[i], out->diff_id) == 0) {
			out->digest = manifest->layers[i].digest;
			out->size_bytes = manifest->layers[i].size_bytes;
			return true;
		}
	}
	return err_set(err, ERR_INVALID, "the image has no layer '%s'", out->diff_id);
}

static bool buildpack_of(const struct node *node, struct arena *arena, struct store_buildpack *out,
			 struct err *err)
{
	const struct node *order, *stacks, *targets;

	if (node->kind != NODE_MAP)
		return err_set(err, ERR_INVALID, "a version is %s", node_kind_name(node->kind));
	return text_child(node, "api", &out->api, err) &&
	       text_child(node, "homepage", &out->homepage, err) &&
	       text_child(node, "layerDiffID", &out->diff_id, err) &&
	       child_of_kind(node, "order", NODE_SEQ, &order, err) &&
	       child_of_kind(node, "stacks", NODE_SEQ, &stacks, err) &&
	       child_of_kind(node, "targets", NODE_SEQ, &targets, err) &&
	       order_of(order, arena, &out->order, err) &&
	       stacks_of(stacks, arena, &out->stacks, err) &&
	       targets_of(targets, arena, &out->targets, err);
}

static bool package_of(const struct pairs *labels, struct arena *arena, struct buildpack_id *out,
		       struct err *err)
{
	const struct node *tree;

	if (!label_tree(labels, LABEL_BUILDPACKAGE, NODE_MAP, arena, &tree, err))
		return false;
	if (!text_child(tree, "id", &out->id, err) ||
	    !text_child(tree, "version", &out->version, err) ||
	    !text_child(tree, "homepage", &out->homepage, err))
		return err_prefix(err, "label '%s'", LABEL_BUILDPACKAGE);
	return true;
}

static int compare_buildpacks(const void *a, const void *b)
{
	const struct store_buildpack *x = a, *y = b;
	int by_id = strcmp(x->id, y->id);

	return by_id != 0 ? by_id : strcmp(x->version, y->version);
}

static size_t count_versions(const struct node *tree)
{
	size_t n = 0;

	for (const struct node *id = tree->first; id; id = id->next)
		n += id->kind == NODE_MAP ? id->n : 0;
	return n;
}

bool labels_buildpacks(const struct manifest *manifest, const struct image_config *config,
		       const char *pinned, struct arena *arena, struct list *out, struct err *err)
{
	const struct node *tree;
	struct buildpack_id package = { 0 };
	struct store_buildpack *all;

	*out = (struct list){ 0 };
	if (!label_tree(&config->labels, LABEL_BUILDPACK_LAYERS, NODE_MAP, arena, &tree, err) ||
	    !package_of(&config->labels, arena, &package, err))
		return false;
	if (!tree)
		return err_set(err, ERR_INVALID, "it has no label '%s'", LABEL_BUILDPACK_LAYERS);
	all = arena_array(arena, count_versions(tree), sizeof(*all));
	for (const struct node *id = tree->first; id; id = id->next) {
		if (id->kind != NODE_MAP)
			return err_set(err, ERR_INVALID, "label '%s': '%s' is %s",
				       LABEL_BUILDPACK_LAYERS, id->key, node_kind_name(id->kind));
		for (const struct node *at = id->first; at; at = at->next) {
			struct store_buildpack *bp = &all[out->n];

			*bp = (struct store_buildpack){ .id = id->key,
							.version = at->key,
							.store_image = pinned,
							.package = package };
			if (!buildpack_of(at, arena, bp, err) ||
			    !place_layer(manifest, config, bp, err))
				return err_prefix(err, "label '%s': buildpack '%s@%s'",
						  LABEL_BUILDPACK_LAYERS, id->key, at->key);
			out->n++;
		}
	}
	if (out->n > 1)
		qsort(all, out->n, sizeof(*all), compare_buildpacks);
	out->v = all;
	return true;
}

static bool api_lists(const struct node *tree, const char *name, struct arena *arena,
		      struct strings *deprecated, struct strings *supported, struct err *err)
{
	const struct node *api, *old, *now;

	return child_of_kind(tree, name, NODE_MAP, &api, err) &&
	       child_of_kind(api, "deprecated", NODE_SEQ, &old, err) &&
	       child_of_kind(api, "supported", NODE_SEQ, &now, err) &&
	       texts_of(old, arena, deprecated, err) && texts_of(now, arena, supported, err);
}

bool labels_lifecycle(const struct image_config *config, struct arena *arena,
		      struct lifecycle_status *out, struct err *err)
{
	const char *version = pairs_get(&config->labels, LABEL_LIFECYCLE_VERSION);
	const struct node *tree;
	struct lifecycle_apis apis = { 0 };

	if (!version || !version[0])
		return err_set(err, ERR_INVALID, "it has no label '%s'", LABEL_LIFECYCLE_VERSION);
	if (!label_tree(&config->labels, LABEL_LIFECYCLE_APIS, NODE_MAP, arena, &tree, err))
		return false;
	if (!tree)
		return err_set(err, ERR_INVALID, "it has no label '%s'", LABEL_LIFECYCLE_APIS);
	if (!api_lists(tree, "buildpack", arena, &apis.buildpack_deprecated,
		       &apis.buildpack_supported, err) ||
	    !api_lists(tree, "platform", arena, &apis.platform_deprecated, &apis.platform_supported,
		       err))
		return err_prefix(err, "label '%s'", LABEL_LIFECYCLE_APIS);
	if (config->diff_ids.n == 0)
		return err_set(err, ERR_INVALID, "it has no layers");
	out->version = version;
	out->apis = apis;
	out->layer_diff_id = config->diff_ids.v[config->diff_ids.n - 1];
	return true;
}

/* builder.metadata names the run image under `stack` (kpack, pack) and, newer, under `images`. */
static bool run_image_of(const struct node *tree, const char **out, struct err *err)
{
	const struct node *images, *run = node_at(tree, "stack", "runImage", NULL);

	if (run && !text_child(run, "image", out, err))
		return false;
	if (run && *out && (*out)[0])
		return true;
	if (!child_of_kind(tree, "images", NODE_SEQ, &images, err))
		return false;
	return !images || !images->first || text_child(images->first, "image", out, err);
}

bool labels_builder(const struct pairs *labels, struct arena *arena, struct builder_labels *out,
		    struct err *err)
{
	const struct node *tree, *order, *list;
	struct buildpack_id *ids;
	const char *run_image = NULL;

	*out = (struct builder_labels){ .stack_id = pairs_get(labels, LABEL_STACK_ID) };
	if (!label_tree(labels, LABEL_BUILDER_METADATA, NODE_MAP, arena, &tree, err) ||
	    !label_tree(labels, LABEL_ORDER, NODE_SEQ, arena, &order, err))
		return false;
	if (!tree)
		return err_set(err, ERR_INVALID, "it has no label '%s'", LABEL_BUILDER_METADATA);
	if (!order_of(order, arena, &out->order, err))
		return err_prefix(err, "label '%s'", LABEL_ORDER);
	if (!run_image_of(tree, &run_image, err) ||
	    !child_of_kind(tree, "buildpacks", NODE_SEQ, &list, err) ||
	    !text_child(node_get(tree, "lifecycle"), "version", &out->lifecycle_version, err))
		return err_prefix(err, "label '%s'", LABEL_BUILDER_METADATA);
	if (!run_image || !run_image[0])
		return err_set(err, ERR_INVALID, "label '%s' names no run image",
			       LABEL_BUILDER_METADATA);
	out->run_image = run_image;
	if (pairs_get(labels, LABEL_LIFECYCLE_VERSION))
		out->lifecycle_version = pairs_get(labels, LABEL_LIFECYCLE_VERSION);
	ids = arena_array(arena, list ? list->n : 0, sizeof(*ids));
	out->buildpacks.v = ids;
	for (const struct node *at = list ? list->first : NULL; at; at = at->next) {
		struct buildpack_id *id = &ids[out->buildpacks.n++];

		if (!text_child(at, "id", &id->id, err) ||
		    !text_child(at, "version", &id->version, err) ||
		    !text_child(at, "homepage", &id->homepage, err))
			return err_prefix(err, "label '%s'", LABEL_BUILDER_METADATA);
		if (!id->id)
			return err_set(err, ERR_INVALID, "label '%s' has a buildpack without id",
				       LABEL_BUILDER_METADATA);
	}
	return true;
}
