/* SPDX-License-Identifier: Apache-2.0 */
/* compose.c — see compose.h. The key is the digest of compact JSON with keys in a fixed order. */
#include "reconcile/plan/compose.h"

#include <string.h>

#include "model/base/digest.h"
#include "model/base/limits.h"
#include "model/doc/json.h"

/* Of the tag of its run image's copy (kpack.md §3.1). */
#define RUN_IMAGE_TAIL "-run-image"

bool compose_tag(const struct object *object, struct arena *arena, const char **out,
		 struct err *err)
{
	const struct builder_spec *spec = object->spec;
	const char *tag;
	struct ref ref;

	if (!ref_parse(spec->tag ? spec->tag : "", arena, &ref, err))
		return err_prefix(err, "invalid builder tag '%s'", spec->tag ? spec->tag : "");
	if (ref.has_tag && strcmp(ref.tag, "latest") != 0)
		tag = ref.tag;
	else if (object->kind == KIND_BUILDER)
		tag = arena_printf(arena, "builder-%s-%s", object->meta.ns, object->meta.name);
	else
		tag = arena_printf(arena, "clusterbuilder-%s", object->meta.name);
	/* No registry would take the one or the other: names have up to 253 characters. */
	if (!ref_tag_is_valid(arena_printf(arena, "%s" RUN_IMAGE_TAIL, tag)))
		return err_set(err, ERR_INVALID,
			       "the builder tag '%s' with '" RUN_IMAGE_TAIL
			       "' behind it is longer than 128 characters; name a shorter one in "
			       "spec.tag",
			       tag);
	*out = arena_printf(arena, "%s:%s", ref_name(&ref, arena), tag);
	return true;
}

static struct node *texts(const struct strings *list, struct arena *arena)
{
	struct node *seq = node_new(arena, NODE_SEQ);

	for (size_t i = 0; i < list->n; i++)
		node_push(seq, node_string(arena, list->v[i]));
	return seq;
}

struct node *order_node_of(const struct list *order, struct arena *arena)
{
	struct node *groups = node_new(arena, NODE_SEQ);

	for (size_t g = 0; g < order->n; g++) {
		const struct list *group = &LIST_AT(*order, struct order_group, g)->group;
		struct node *members = node_new(arena, NODE_SEQ);

		for (size_t k = 0; k < group->n; k++) {
			const struct order_entry *entry = LIST_AT(*group, struct order_entry, k);
			struct node *member = node_new(arena, NODE_MAP);

			node_set_text(arena, member, "id", entry->id);
			node_set_text(arena, member, "version", entry->version);
			if (entry->is_optional)
				node_set(arena, member, "optional", node_bool(arena, true));
			node_push(members, member);
		}
		node_push(groups, members);
	}
	return groups;
}

static struct node *stacks_node(const struct list *stacks, struct arena *arena)
{
	struct node *seq = node_new(arena, NODE_SEQ);

	for (size_t i = 0; i < stacks->n; i++) {
		const struct buildpack_stack *stack = LIST_AT(*stacks, struct buildpack_stack, i);
		struct node *map = node_new(arena, NODE_MAP);

		node_set_text(arena, map, "id", stack->id);
		node_set(arena, map, "mixins", texts(&stack->mixins, arena));
		node_push(seq, map);
	}
	return seq;
}

static struct node *target_node(const struct buildpack_target *target, struct arena *arena)
{
	struct node *map = node_new(arena, NODE_MAP), *distros = node_new(arena, NODE_SEQ);

	node_set_text(arena, map, "os", target->os);
	node_set_text(arena, map, "arch", target->arch);
	node_set_text(arena, map, "variant", target->variant);
	for (size_t i = 0; i < target->distros.n; i++) {
		const struct distro *distro = LIST_AT(target->distros, struct distro, i);
		struct node *one = node_new(arena, NODE_MAP);

		node_set_text(arena, one, "name", distro->name);
		node_set_text(arena, one, "version", distro->version);
		node_push(distros, one);
	}
	node_set(arena, map, "distros", distros);
	return map;
}

static struct node *buildpack_node(const struct compose_buildpack *bp, struct arena *arena)
{
	struct node *map = node_new(arena, NODE_MAP), *targets = node_new(arena, NODE_SEQ);

	node_set_text(arena, map, "id", bp->id.id);
	node_set_text(arena, map, "version", bp->id.version);
	node_set_text(arena, map, "homepage", bp->id.homepage);
	node_set_text(arena, map, "api", bp->id.api);
	node_set_text(arena, map, "diffId", bp->diff_id);
	node_set_text(arena, map, "image", pin_digest(bp->image));
	node_set(arena, map, "order", order_node_of(&bp->order, arena));
	node_set(arena, map, "stacks", stacks_node(&bp->stacks, arena));
	for (size_t i = 0; i < bp->targets.n; i++)
		node_push(targets,
			  target_node(LIST_AT(bp->targets, struct buildpack_target, i), arena));
	node_set(arena, map, "targets", targets);
	return map;
}

static struct node *lifecycle_node(const struct compose *compose, struct arena *arena)
{
	struct node *map = node_new(arena, NODE_MAP);

	node_set_text(arena, map, "image", pin_digest(compose->lifecycle_image));
	node_set_text(arena, map, "version", compose->lifecycle_version);
	node_set(arena, map, "buildpackDeprecated",
		 texts(&compose->apis.buildpack_deprecated, arena));
	node_set(arena, map, "buildpackSupported",
		 texts(&compose->apis.buildpack_supported, arena));
	node_set(arena, map, "platformDeprecated",
		 texts(&compose->apis.platform_deprecated, arena));
	node_set(arena, map, "platformSupported", texts(&compose->apis.platform_supported, arena));
	return map;
}

char *compose_key(const struct compose *compose, struct arena *arena)
{
	struct node *map = node_new(arena, NODE_MAP), *list = node_new(arena, NODE_SEQ);
	struct node *labels = node_new(arena, NODE_MAP);
	AUTO_BUF text = BUF_INIT(LIMIT_HTTP_BODY);
	struct digest digest;

	node_set(arena, map, "format", node_int(arena, COMPOSE_FORMAT));
	node_set_text(arena, map, "tag", compose->tag);
	node_set_text(arena, map, "buildImage", pin_digest(compose->build_image));
	node_set_text(arena, map, "runImage", pin_digest(compose->run_image));
	node_set_text(arena, map, "stack", compose->stack_id);
	node_set(arena, map, "mixins", texts(&compose->mixins, arena));
	node_set(arena, map, "lifecycle", lifecycle_node(compose, arena));
	for (size_t i = 0; i < compose->buildpacks.n; i++)
		node_push(list,
			  buildpack_node(LIST_AT(compose->buildpacks, struct compose_buildpack, i),
					 arena));
	node_set(arena, map, "buildpacks", list);
	node_set(arena, map, "order", order_node_of(&compose->order, arena));
	for (size_t i = 0; i < compose->labels.n; i++)
		node_set_text(arena, labels, compose->labels.v[i].key, compose->labels.v[i].value);
	node_sort_keys(labels);
	node_set(arena, map, "labels", labels);
	json_print(map, JSON_COMPACT, &text);
	digest = digest_of(buf_text(&text), text.len);
	return arena_strdup(arena, digest.text);
}
