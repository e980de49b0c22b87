/* SPDX-License-Identifier: Apache-2.0 */
/* build_trigger.c — see build_trigger.h. */
#include "reconcile/plan/build_trigger.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "model/base/digest.h"
#include "model/kind/build_refs.h"

bool build_config_is_paused(const struct meta *meta)
{
	const char *value = pairs_get(&meta->annotations, ANNOTATION_PAUSED);

	return value && strcasecmp(value, "true") == 0;
}

/* ---- image change ---- */

static const char *ns_of(const struct trigger_case *c, const char *ns)
{
	return ns && *ns ? ns : c->meta->ns;
}

static bool same_tag(const struct trigger_case *c, const struct object_ref *from, const char *ns,
		     const char *name)
{
	return strcmp(ns_of(c, from->ns), ns_of(c, ns)) == 0 && strcmp(from->name, name) == 0;
}

static const char *image_now(const struct trigger_case *c, const struct object_ref *from)
{
	for (size_t i = 0; i < c->tags->n; i++) {
		const struct tag_now *tag = LIST_AT(*c->tags, struct tag_now, i);

		if (same_tag(c, from, tag->ns, tag->name))
			return tag->image;
	}
	return NULL;
}

static const char *image_before(const struct trigger_case *c, const struct object_ref *from)
{
	for (size_t i = 0; c->status && i < c->status->triggers.n; i++) {
		const struct image_change_status *known =
			LIST_AT(c->status->triggers, struct image_change_status, i);

		if (same_tag(c, from, known->ns, known->name))
			return known->last_image;
	}
	return NULL;
}

static bool is_image(const char *recorded, const char *image)
{
	return recorded && strcmp(recorded, image) == 0;
}

static bool has_cause(const struct trigger_case *c, const struct build_cause *causes, size_t n,
		      const struct object_ref *from)
{
	for (size_t i = 0; i < n; i++)
		if (same_tag(c, from, causes[i].image->from->ns, causes[i].image->from->name))
			return true;
	return false;
}

struct list image_change_decide(const struct trigger_case *c, struct arena *arena)
{
	const struct list *triggers = &c->spec->triggers;
	struct build_cause *causes = arena_array(arena, triggers->n, sizeof(*causes));
	size_t n = 0;

	for (size_t i = 0; i < triggers->n; i++) {
		const struct build_trigger *trigger = LIST_AT(*triggers, struct build_trigger, i);
		const struct object_ref *from = trigger_from(c->spec, trigger);
		const char *image = from && from->name ? image_now(c, from) : NULL;
		struct image_cause *cause;

		if (!image || trigger->image_change->is_paused ||
		    is_image(image_before(c, from), image) ||
		    is_image(trigger->image_change->last_image, image) ||
		    has_cause(c, causes, n, from))
			continue;
		cause = ARENA_NEW(arena, struct image_cause);
		cause->image = image;
		cause->from = ARENA_NEW(arena, struct object_ref);
		*cause->from = *from;
		causes[n++] = (struct build_cause){ .message = CAUSE_IMAGE, .image = cause };
	}
	return (struct list){ causes, n };
}

struct list image_change_record(const struct trigger_case *c, const struct list *causes,
				int64_t now_s, struct arena *arena)
{
	const struct list *triggers = &c->spec->triggers;
	struct image_change_status *all = arena_array(arena, triggers->n, sizeof(*all));
	const struct image_cause *first =
		causes->n ? LIST_AT(*causes, struct build_cause, 0)->image : NULL;
	size_t n = 0;

	for (size_t i = 0; i < triggers->n; i++) {
		const struct object_ref *from =
			trigger_from(c->spec, LIST_AT(*triggers, struct build_trigger, i));
		bool is_first;

		if (!from || !from->name)
			continue;
		is_first = first && first->from &&
			   same_tag(c, from, first->from->ns, first->from->name);
		all[n++] = (struct image_change_status){
			.ns = from->ns,
			.name = from->name,
			.last_image = is_first ? first->image : image_now(c, from),
			.triggered_s = is_first ? now_s : 0,
		};
	}
	return (struct list){ all, n };
}

/* ---- config change ---- */

static struct object_ref explicit_ref(struct object_ref ref, const char *ns)
{
	bool is_stream = ref.kind && strcmp(ref.kind, FROM_DOCKER_IMAGE) != 0;

	if (is_stream && (!ref.ns || !*ref.ns))
		ref.ns = ns;
	ref.api_version = NULL;
	return ref;
}

static struct object_ref *explicit_copy(const struct object_ref *ref, const char *ns,
					struct arena *arena)
{
	struct object_ref *copy = ref ? ARENA_NEW(arena, struct object_ref) : NULL;

	if (copy)
		*copy = explicit_ref(*ref, ns);
	return copy;
}

/* Copies of the structs that are changed here; the spec stays as it is. */
static struct build_strategy effective_strategy(const struct build_strategy *in, const char *ns,
						struct arena *arena)
{
	struct build_strategy out = *in;

	if (in->docker) {
		out.docker = ARENA_NEW(arena, struct docker_strategy);
		*out.docker = *in->docker;
		out.docker->from = explicit_copy(in->docker->from, ns, arena);
		out.docker->pull_secret = NULL;
	}
	if (in->source) {
		out.source = ARENA_NEW(arena, struct source_strategy);
		*out.source = *in->source;
		out.source->from = explicit_ref(in->source->from, ns);
		out.source->pull_secret = NULL;
	}
	if (in->custom) {
		out.custom = ARENA_NEW(arena, struct custom_strategy);
		*out.custom = *in->custom;
		out.custom->from = explicit_ref(in->custom->from, ns);
		out.custom->pull_secret = NULL;
	}
	return out;
}

static struct build_common effective_common(const struct build_common *in, const char *ns,
					    struct arena *arena)
{
	struct build_common out = *in;
	struct build_image_source *images =
		arena_array(arena, in->source.images.n, sizeof(*images));

	for (size_t i = 0; i < in->source.images.n; i++) {
		images[i] = *LIST_AT(in->source.images, struct build_image_source, i);
		images[i].from = explicit_ref(images[i].from, ns);
		images[i].pull_secret = NULL;
	}
	out.source.images.v = images;
	out.source.secret = NULL;
	out.strategy = effective_strategy(&in->strategy, ns, arena);
	out.output.to = explicit_copy(in->output.to, ns, arena);
	out.output.push_secret = NULL;
	out.service_account = NULL;
	out.limits = out.requests = NULL;
	out.node_selector = (struct pairs){ 0 };
	out.has_deadline = false;
	out.deadline_s = 0;
	return out;
}

/* Kind, key, value and end of every node: no two trees have the same bytes. Aliases may make a text too long to be printed. */
static void digest_tree(const struct node *node, struct sha256 *sha)
{
	const char kind = (char)node->kind;
	const uint64_t number =
		node->kind == NODE_INT || node->kind == NODE_BOOL ? (uint64_t)node->i : node->len;
	bool is_container = node->kind == NODE_MAP || node->kind == NODE_SEQ;

	sha256_update(sha, &kind, 1);
	sha256_update(sha, node->key ? node->key : "", node->key ? strlen(node->key) + 1 : 1);
	if (!is_container) {
		char digits[24];
		int n = snprintf(digits, sizeof(digits), "%llu:", (unsigned long long)number);

		sha256_update(sha, digits, (size_t)n);
		if (node->text)
			sha256_update(sha, node->text, node->len);
	}
	for (const struct node *c = is_container ? node->first : NULL; c; c = c->next)
		digest_tree(c, sha);
	if (is_container)
		sha256_update(sha, "\xff", 1);
}

const char *config_digest(const struct build_config_spec *spec, const char *ns, struct arena *arena)
{
	const struct build_common common = effective_common(&spec->common, ns, arena);
	struct node *tree = fields_encode(&build_common_table, &common, arena);
	struct sha256 sha;
	struct digest digest;

	node_sort_keys(tree);
	sha256_init(&sha);
	digest_tree(tree, &sha);
	digest = sha256_final(&sha);
	return arena_strdup(arena, digest.text);
}

static bool has_config_trigger(const struct build_config_spec *spec)
{
	for (size_t i = 0; i < spec->triggers.n; i++) {
		const char *type = LIST_AT(spec->triggers, struct build_trigger, i)->type;

		if (type && strcmp(type, TRIGGER_CONFIG_CHANGE) == 0)
			return true;
	}
	return false;
}

bool config_change_fires(const struct trigger_case *c, const char *digest)
{
	const char *mode = pairs_get(&c->meta->annotations, ANNOTATION_CONFIG_CHANGE);

	if (!has_config_trigger(c->spec))
		return false;
	if (!c->status || !c->status->last_version)
		return true;
	if (mode && strcmp(mode, "first") == 0)
		return false;
	return c->status->config_digest && strcmp(c->status->config_digest, digest) != 0;
}
