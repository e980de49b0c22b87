/* SPDX-License-Identifier: Apache-2.0 */
/* compose_files.c — see compose_files.h. */
#include "buildexec/cnb/compose_files.h"

#include <stdlib.h>
#include <string.h>

#include "buildexec/cnb/app_config.h"
#include "buildexec/cnb/app_metadata.h"

static int by_size(const void *a, const void *b)
{
	const struct compose_buildpack *const *left = a, *const *right = b;
	int by_id;

	if ((*left)->size_bytes != (*right)->size_bytes)
		return (*left)->size_bytes > (*right)->size_bytes ? -1 : 1;
	by_id = strcmp((*right)->id.id, (*left)->id.id);
	return by_id ? by_id : strcmp((*right)->id.version, (*left)->id.version);
}

struct compose_order compose_sorted(const struct compose *compose, struct arena *arena)
{
	struct compose_order out = { .n = compose->buildpacks.n };

	out.v = arena_array(arena, out.n, sizeof(*out.v));
	for (size_t i = 0; i < out.n; i++)
		out.v[i] = LIST_AT(compose->buildpacks, const struct compose_buildpack, i);
	if (out.n > 1)
		qsort(out.v, out.n, sizeof(*out.v), by_size);
	return out;
}

/* [{"group":[{"id","version","optional"}]}]: the same shape in TOML and in labels. */
static struct node *order_node(const struct list *order, struct arena *arena)
{
	struct node *out = node_new(arena, NODE_SEQ);

	for (size_t i = 0; i < order->n; i++) {
		const struct order_group *from = LIST_AT(*order, const struct order_group, i);
		struct node *item = node_new(arena, NODE_MAP), *group = node_new(arena, NODE_SEQ);

		for (size_t j = 0; j < from->group.n; j++) {
			const struct order_entry *entry =
				LIST_AT(from->group, const struct order_entry, j);
			struct node *element = node_new(arena, NODE_MAP);

			node_set_text(arena, element, "id", entry->id);
			node_set_text(arena, element, "version", entry->version);
			if (entry->is_optional)
				node_set(arena, element, "optional", node_bool(arena, true));
			node_push(group, element);
		}
		node_set(arena, item, "group", group);
		node_push(out, item);
	}
	return out;
}

struct node *compose_order_toml(const struct compose *compose, struct arena *arena)
{
	struct node *root = node_new(arena, NODE_MAP);

	node_set(arena, root, "order", order_node(&compose->order, arena));
	return root;
}

static struct node *image_node(const char *image, struct arena *arena)
{
	struct node *out = node_new(arena, NODE_MAP);

	node_set_text(arena, out, "image", image);
	return out;
}

struct node *compose_stack_toml(const char *run_image, struct arena *arena)
{
	struct node *root = node_new(arena, NODE_MAP);

	node_set(arena, root, "run-image", image_node(run_image, arena));
	return root;
}

struct node *compose_run_toml(const char *run_image, struct arena *arena)
{
	struct node *root = node_new(arena, NODE_MAP), *images = node_new(arena, NODE_SEQ);

	node_push(images, image_node(run_image, arena));
	node_set(arena, root, "images", images);
	return root;
}

static struct node *texts(const struct strings *list, struct arena *arena)
{
	struct node *out = node_new(arena, NODE_SEQ);

	for (size_t i = 0; i < list->n; i++)
		node_push(out, node_string(arena, list->v[i]));
	return out;
}

static struct node *api_lists(const struct strings *deprecated, const struct strings *supported,
			      struct arena *arena)
{
	struct node *out = node_new(arena, NODE_MAP);

	node_set(arena, out, "deprecated", texts(deprecated, arena));
	node_set(arena, out, "supported", texts(supported, arena));
	return out;
}

static struct node *apis_node(const struct lifecycle_apis *apis, struct arena *arena)
{
	struct node *out = node_new(arena, NODE_MAP);

	node_set(arena, out, "buildpack",
		 api_lists(&apis->buildpack_deprecated, &apis->buildpack_supported, arena));
	node_set(arena, out, "platform",
		 api_lists(&apis->platform_deprecated, &apis->platform_supported, arena));
	return out;
}

static const char *version_of(const struct compose *compose)
{
	return compose->lifecycle_version ? compose->lifecycle_version : RECONCILE_VERSION;
}

static struct node *lifecycle_node(const struct compose *compose, struct arena *arena)
{
	struct node *out = node_new(arena, NODE_MAP), *api = node_new(arena, NODE_MAP);
	const struct lifecycle_apis *apis = &compose->apis;

	node_set_text(arena, out, "version", version_of(compose));
	if (apis->buildpack_supported.n > 0)
		node_set_text(arena, api, "buildpack", apis->buildpack_supported.v[0]);
	if (apis->platform_supported.n > 0)
		node_set_text(arena, api, "platform", apis->platform_supported.v[0]);
	node_set(arena, out, "api", api);
	node_set(arena, out, "apis", apis_node(apis, arena));
	return out;
}

static struct node *buildpacks_node(const struct compose *compose, struct arena *arena)
{
	struct node *out = node_new(arena, NODE_SEQ);
	struct compose_order sorted = compose_sorted(compose, arena);

	for (size_t i = 0; i < sorted.n; i++) {
		struct node *item = node_new(arena, NODE_MAP);

		node_set_text(arena, item, "id", sorted.v[i]->id.id);
		node_set_text(arena, item, "version", sorted.v[i]->id.version);
		node_set_text(arena, item, "homepage", sorted.v[i]->id.homepage);
		node_push(out, item);
	}
	return out;
}

static struct node *metadata_node(const struct compose *compose, const char *run_image,
				  struct arena *arena)
{
	struct node *out = node_new(arena, NODE_MAP), *stack = node_new(arena, NODE_MAP);
	struct node *created_by = node_new(arena, NODE_MAP), *images = node_new(arena, NODE_SEQ);
	struct node *run = image_node(run_image, arena);

	node_set(arena, run, "mirrors", node_new(arena, NODE_NULL));
	node_set(arena, stack, "runImage", run);
	node_set_text(arena, created_by, "name", "reconcile");
	node_set_text(arena, created_by, "version", RECONCILE_VERSION);
	node_push(images, image_node(run_image, arena));
	node_set_text(arena, out, "description", "Builder composed by reconcile");
	node_set(arena, out, "buildpacks", buildpacks_node(compose, arena));
	node_set(arena, out, "stack", stack);
	node_set(arena, out, "lifecycle", lifecycle_node(compose, arena));
	node_set(arena, out, "createdBy", created_by);
	node_set(arena, out, "images", images);
	return out;
}

static struct node *stacks_node(const struct list *stacks, struct arena *arena)
{
	struct node *out = node_new(arena, NODE_SEQ);

	for (size_t i = 0; i < stacks->n; i++) {
		const struct buildpack_stack *stack =
			LIST_AT(*stacks, const struct buildpack_stack, i);
		struct node *item = node_new(arena, NODE_MAP);

		node_set_text(arena, item, "id", stack->id);
		if (stack->mixins.n > 0)
			node_set(arena, item, "mixins", texts(&stack->mixins, arena));
		node_push(out, item);
	}
	return out;
}

static struct node *target_node(const struct buildpack_target *target, struct arena *arena)
{
	struct node *out = node_new(arena, NODE_MAP), *distros = node_new(arena, NODE_SEQ);

	node_set_text(arena, out, "os", target->os);
	node_set_text(arena, out, "arch", target->arch);
	node_set_text(arena, out, "variant", target->variant);
	for (size_t i = 0; i < target->distros.n; i++) {
		const struct distro *distro = LIST_AT(target->distros, const struct distro, i);
		struct node *item = node_new(arena, NODE_MAP);

		node_set_text(arena, item, "name", distro->name);
		node_set_text(arena, item, "version", distro->version);
		node_push(distros, item);
	}
	if (target->distros.n > 0)
		node_set(arena, out, "distros", distros);
	return out;
}

static struct node *layer_node(const struct compose_buildpack *buildpack, struct arena *arena)
{
	struct node *out = node_new(arena, NODE_MAP), *targets = node_new(arena, NODE_SEQ);

	node_set_text(arena, out, "api", buildpack->id.api);
	if (buildpack->stacks.n > 0)
		node_set(arena, out, "stacks", stacks_node(&buildpack->stacks, arena));
	for (size_t i = 0; i < buildpack->targets.n; i++)
		node_push(targets,
			  target_node(LIST_AT(buildpack->targets, const struct buildpack_target, i),
				      arena));
	if (buildpack->targets.n > 0)
		node_set(arena, out, "targets", targets);
	node_set_text(arena, out, "layerDiffID", buildpack->diff_id);
	if (buildpack->order.n > 0)
		node_set(arena, out, "order", order_node(&buildpack->order, arena));
	node_set_text(arena, out, "homepage", buildpack->id.homepage);
	return out;
}

/* {"<id>":{"<version>":{…}}}, keys sorted. */
static struct node *layers_node(const struct compose *compose, struct arena *arena)
{
	struct node *out = node_new(arena, NODE_MAP);
	struct compose_order sorted = compose_sorted(compose, arena);

	for (size_t i = 0; i < sorted.n; i++) {
		const struct compose_buildpack *buildpack = sorted.v[i];
		const struct node *old = node_get(out, buildpack->id.id);
		struct node *versions = old ? node_clone(arena, old) : node_new(arena, NODE_MAP);

		node_set(arena, versions, buildpack->id.version, layer_node(buildpack, arena));
		node_set(arena, out, buildpack->id.id, versions);
	}
	node_sort_keys(out);
	return out;
}

struct pairs compose_labels(const struct compose *compose, const char *run_image,
			    struct arena *arena)
{
	struct pairs out = { 0 };
	const struct {
		const char *name;
		const struct node *value;
	} labels[] = {
		{ LABEL_BUILDER_METADATA, metadata_node(compose, run_image, arena) },
		{ LABEL_BUILDPACK_ORDER, order_node(&compose->order, arena) },
		{ LABEL_BUILDPACK_LAYERS, layers_node(compose, arena) },
		{ LABEL_LIFECYCLE_APIS, apis_node(&compose->apis, arena) },
	};

	for (size_t i = 0; i < COUNTOF(labels); i++)
		app_config_set_label(arena, &out, labels[i].name,
				     app_config_label_text(labels[i].value, arena));
	app_config_set_label(arena, &out, LABEL_LIFECYCLE_VERSION, version_of(compose));
	if (compose->stack_id)
		app_config_set_label(arena, &out, LABEL_STACK_ID, compose->stack_id);
	for (size_t i = 0; i < compose->labels.n; i++)
		app_config_set_label(arena, &out, compose->labels.v[i].key,
				     compose->labels.v[i].value);
	return out;
}
