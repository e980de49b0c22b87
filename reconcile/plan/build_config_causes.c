/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build_config_causes.c — why a build config is to be built: a start, its configuration, an image, a commit. One build is made
 * for all of them. Rules: openshift.md §3.4; the first build by ConfigChange takes in everything else.
 */
#include <string.h>

#include "model/kind/build_phase.h"
#include "reconcile/plan/build_key.h"
#include "reconcile/plan/rules_build_config.h"

#define VEILED "<secret>"

static void add(struct configuring *c, enum reason reason, const char *text,
		const struct node *old_value, const struct node *new_value)
{
	change_add(&c->step->changes,
		   (struct change){ .reason = reason,
				    .old_value = old_value,
				    .new_value = new_value,
				    .text = text },
		   c->p->arena);
}

static void add_cause(struct configuring *c, const char *message)
{
	vec_push(c->p->arena, &c->causes, (struct build_cause){ .message = message });
}

static struct node *text_node(const char *text, struct arena *arena)
{
	return text ? node_string(arena, text) : NULL;
}

struct trigger_case config_case(const struct configuring *c, const struct list *tags)
{
	return (struct trigger_case){
		.meta = &c->step->object->meta, .spec = c->spec, .status = c->old, .tags = tags
	};
}

/* ---- starts ---- */

/* The recorded value is the annotation's, with " (run ID)" behind it when the command line asked. */
static bool is_answered(const char *answered, const char *annotation)
{
	size_t n = strlen(annotation);

	return answered && strncmp(answered, annotation, n) == 0 &&
	       (answered[n] == '\0' || strncmp(answered + n, " (run ", 6) == 0);
}

/* The first build, which takes in everything that is asked for. */
static bool is_first(const struct configuring *c)
{
	const struct trigger_case now = config_case(c, &(struct list){ 0 });

	if (c->step->kind == KIND_BUILD)
		return !c->status->last;
	return !(c->old && c->old->last_version) && config_change_fires(&now, c->digest);
}

/* An annotation starts nothing that cannot be built, or else every run would fail. */
static void look_at_starts(struct configuring *c)
{
	const struct plan_options *options = &c->p->options;
	const char *annotation = pairs_get(&c->step->object->meta.annotations, ANNOTATION_TRIGGER);
	const char *answered = c->old && c->old->last ? c->old->last->trigger : NULL;
	bool by_option =
		c->start || (options->triggers && strings_has(options->triggers, c->step->id));
	bool is_new = annotation && annotation[0] && !is_answered(answered, annotation) &&
		      !(c->facts & (BC_PAUSED | BC_UNSENT)) && !is_first(c);

	c->trigger = annotation && annotation[0] ? annotation : NULL;
	if (!by_option && !is_new)
		return;
	if (by_option)
		c->trigger =
			arena_printf(c->p->arena, "%s%s(run %s)", c->trigger ? c->trigger : "",
				     c->trigger ? " " : "", options->run_id ? options->run_id : "");
	c->facts |= BC_ASKED;
	add_cause(c, CAUSE_MANUAL);
	add(c, REASON_TRIGGER,
	    by_option ? "asked for on the command line"
		      : arena_printf(c->p->arena, "annotation %s is '%s'", ANNOTATION_TRIGGER,
				     annotation),
	    node_string(c->p->arena, ""), node_string(c->p->arena, c->trigger));
}

/* ---- configuration ---- */

static void look_at_config(struct configuring *c)
{
	const struct trigger_case now = config_case(c, &(struct list){ 0 });
	const char *old = c->old ? c->old->config_digest : NULL;
	struct arena *arena = c->p->arena;

	if (!config_change_fires(&now, c->digest))
		return;
	c->facts |= BC_FIRED;
	add_cause(c, CAUSE_CONFIG);
	add(c, REASON_CONFIG,
	    old ? arena_printf(arena, "its configuration: %s → %s", short_id(old, arena),
			       short_id(c->digest, arena))
		: "first build",
	    text_node(old, arena), text_node(c->digest, arena));
}

/* ---- images ---- */

static bool is_strategy_tag(const struct configuring *c, const struct object_ref *from)
{
	struct build_ref own, other;

	return build_ref_of(strategy_from(&c->spec->common.strategy), c->step->ns, c->p->arena,
			    &own) &&
	       build_ref_of(from, c->step->ns, c->p->arena, &other) && own.tag && other.tag &&
	       strcmp(own.ns, other.ns) == 0 && strcmp(own.stream, other.stream) == 0 &&
	       strcmp(own.tag, other.tag) == 0;
}

static enum reason image_reason(const struct configuring *c, const struct object_ref *from)
{
	if (!is_strategy_tag(c, from))
		return REASON_IMAGE;
	return c->spec->common.strategy.docker ? REASON_STACK : REASON_BUILDER;
}

static const char *image_before(const struct configuring *c, const struct object_ref *from)
{
	for (size_t i = 0; c->old && i < c->old->triggers.n; i++) {
		const struct image_change_status *known =
			LIST_AT(c->old->triggers, struct image_change_status, i);
		const char *ns = known->ns && known->ns[0] ? known->ns : c->step->ns;

		if (strcmp(known->name, from->name) == 0 &&
		    strcmp(ns, from->ns && from->ns[0] ? from->ns : c->step->ns) == 0)
			return known->last_image;
	}
	return NULL;
}

static const char *shown_image(const char *image, struct arena *arena)
{
	const char *digest = pin_digest(image);

	return digest ? short_id(digest, arena) : image;
}

/* All tags that one reason stands for, in one change. */
static void add_images(struct configuring *c, const struct list *causes, enum reason reason)
{
	struct arena *arena = c->p->arena;
	struct node *old_value = node_new(arena, NODE_MAP), *new_value = node_new(arena, NODE_MAP);
	struct strings texts = { 0 };
	bool has_old = false;

	for (size_t i = 0; i < causes->n; i++) {
		const struct image_cause *cause = LIST_AT(*causes, struct build_cause, i)->image;
		const char *ns =
			cause->from->ns && cause->from->ns[0] ? cause->from->ns : c->step->ns;
		const char *name = arena_printf(arena, "%s/%s", ns, cause->from->name);
		const char *old = image_before(c, cause->from);

		if (image_reason(c, cause->from) != reason)
			continue;
		has_old |= old != NULL;
		if (old)
			node_set_text(arena, old_value, name, old);
		node_set_text(arena, new_value, name, cause->image);
		vec_push(arena, &texts,
			 arena_printf(arena, "%s: %s%s%s", name, old ? shown_image(old, arena) : "",
				      old ? " → " : "", shown_image(cause->image, arena)));
	}
	if (texts.n)
		add(c, reason, strings_join(&texts, ", ", arena), has_old ? old_value : NULL,
		    new_value);
}

/*
 * What a New build waited for and has now is no newer cause: an image where none was. It goes on with its number then.
 */
static struct list newer_causes(const struct configuring *c, const struct list *causes)
{
	VEC(struct build_cause) kept = { 0 };

	for (size_t i = 0; i < causes->n; i++) {
		const struct build_cause *cause = LIST_AT(*causes, struct build_cause, i);

		if (!c->waiting || image_before(c, cause->image->from))
			vec_push(c->p->arena, &kept, *cause);
	}
	return (struct list){ kept.v, kept.n };
}

static void look_at_image_changes(struct configuring *c)
{
	static const enum reason reasons[] = { REASON_BUILDER, REASON_STACK, REASON_IMAGE };
	const struct list tags = { c->tags.v, c->tags.n };
	const struct trigger_case now = config_case(c, &tags);
	struct list causes = image_change_decide(&now, c->p->arena);

	causes = newer_causes(c, &causes);
	if (!causes.n)
		return;
	c->facts |= BC_FIRED;
	c->image_causes = causes;
	for (size_t i = 0; i < causes.n; i++)
		vec_push(c->p->arena, &c->causes, *LIST_AT(causes, struct build_cause, i));
	for (size_t i = 0; i < COUNTOF(reasons); i++)
		add_images(c, &causes, reasons[i]);
}

/* ---- commits ---- */

/* clang-format off */
static const struct {
	const char *type, *message;
	size_t offset; /* of the cause's struct hook_cause * */
} hooks[] = {
	{ TRIGGER_GITHUB,    CAUSE_GITHUB,    offsetof(struct build_cause, github) },
	{ TRIGGER_GITLAB,    CAUSE_GITLAB,    offsetof(struct build_cause, gitlab) },
	{ TRIGGER_BITBUCKET, CAUSE_BITBUCKET, offsetof(struct build_cause, bitbucket) },
	{ TRIGGER_GENERIC,   CAUSE_GENERIC,   offsetof(struct build_cause, generic) },
};
/* clang-format on */
#define GENERIC_HOOK (COUNTOF(hooks) - 1)

/* The first webhook trigger; COUNTOF(hooks): there is none. */
static size_t first_hook(const struct build_config_spec *spec)
{
	for (size_t i = 0; i < spec->triggers.n; i++) {
		const char *type = LIST_AT(spec->triggers, struct build_trigger, i)->type;

		for (size_t k = 0; type && k < COUNTOF(hooks); k++) {
			if (strcmp(hooks[k].type, type) == 0)
				return k;
		}
	}
	return COUNTOF(hooks);
}

bool config_follows_commits(const struct object *object)
{
	const struct build_config_spec *spec = object->spec;
	const char *follow = pairs_get(&object->meta.annotations, ANNOTATION_FOLLOW);

	if (object->kind != KIND_BUILD_CONFIG || !spec->common.source.git ||
	    text_equal(follow, "none"))
		return false;
	return text_equal(follow, "commits") || first_hook(spec) < COUNTOF(hooks);
}

static void add_hook(struct configuring *c)
{
	size_t found = first_hook(c->spec), row = found < COUNTOF(hooks) ? found : GENERIC_HOOK;
	struct hook_cause *hook = ARENA_NEW(c->p->arena, struct hook_cause);
	struct build_cause cause = { .message = hooks[row].message };

	hook->secret = VEILED;
	hook->revision = ARENA_NEW(c->p->arena, struct source_revision);
	hook->revision->type = "Git";
	hook->revision->git = ARENA_NEW(c->p->arena, struct commit_revision);
	hook->revision->git->commit = c->git.commit;
	*(struct hook_cause **)(void *)((char *)&cause + hooks[row].offset) = hook;
	vec_push(c->p->arena, &c->causes, cause);
}

static void look_at_commit(struct configuring *c)
{
	const struct bc_attempt *last = c->old ? c->old->last : NULL;
	const char *old = last && text_equal(last->git_url, c->git.url) ? last->commit : NULL;
	struct arena *arena = c->p->arena;

	if (!(c->facts & BC_FOLLOWS) || !c->git.commit || text_equal(old, c->git.commit))
		return;
	if (old && c->git.tree && text_equal(last->tree, c->git.tree) &&
	    text_equal(c->old->config_digest, c->digest))
		return;
	c->facts |= BC_FIRED;
	add_hook(c);
	add(c, REASON_COMMIT,
	    arena_printf(arena, "%s of %s: %s%s%s", c->git.ref ? c->git.ref : "HEAD", c->git.url,
			 old ? short_id(old, arena) : "", old ? " → " : "",
			 short_id(c->git.commit, arena)),
	    text_node(old, arena), text_node(c->git.commit, arena));
}

/* ---- a Build that stands alone ---- */

/* As it may be recorded: without a webhook's secret, and without an image of no tag. */
static struct build_cause declared_cause(const struct configuring *c,
					 const struct build_cause *declared)
{
	struct build_cause cause = *declared;

	for (size_t i = 0; i < COUNTOF(hooks); i++) {
		struct hook_cause **at = (void *)((char *)&cause + hooks[i].offset);
		struct hook_cause *veiled;

		if (!*at || !(*at)->secret)
			continue;
		veiled = ARENA_NEW(c->p->arena, struct hook_cause);
		*veiled = **at;
		veiled->secret = VEILED;
		*at = veiled;
	}
	if (cause.image && (!cause.image->image || !cause.image->from || !cause.image->from->name))
		cause.image = NULL;
	return cause;
}

/* Made once, as creating it does. One that is still New may become another: nothing was built of it. */
static void look_at_creation(struct configuring *c)
{
	const struct build_spec *spec = c->step->object->spec;
	const struct bc_attempt *last = c->status->last;
	const char *old = c->status->config_digest;
	bool is_same = text_equal(old, c->digest);
	VEC(struct build_cause) images = { 0 };

	if (last && !is_same && !c->waiting)
		c->facts |= BC_CHANGED;
	if (last && (is_same || !c->waiting))
		return;
	c->facts |= BC_FIRED;
	for (size_t i = 0; i < spec->triggered_by.n; i++) {
		const struct build_cause cause =
			declared_cause(c, LIST_AT(spec->triggered_by, struct build_cause, i));

		vec_push(c->p->arena, &c->causes, cause);
		if (cause.image)
			vec_push(c->p->arena, &images, cause);
	}
	c->image_causes = (struct list){ images.v, images.n };
	if (!spec->triggered_by.n)
		add_cause(c, CAUSE_MANUAL);
	add(c, REASON_CONFIG, last ? "its spec, before it was built" : "first build",
	    text_node(old, c->p->arena), text_node(c->digest, c->p->arena));
}

bool build_is_settled(const struct object *object, const struct build_config_status *status,
		      const struct plan_options *options)
{
	const struct bc_attempt *last = status ? status->last : NULL;
	const struct bc_history_entry *newest =
		status && status->history.n
			? LIST_AT(status->history, struct bc_history_entry, status->history.n - 1)
			: NULL;

	if (object->kind != KIND_BUILD || !last || !newest || options->retry_failed ||
	    (options->triggers && strings_has(options->triggers, object->id)) ||
	    pairs_get(&object->meta.annotations, ANNOTATION_TRIGGER))
		return false;
	return phase_is_terminal(phase_find(newest->phase)) &&
	       !(last->failure && failure_is_foreign(last->failure));
}

/* A start that says what is built leaves other changes for the next run. */
static bool is_exact(const struct configuring *c)
{
	return c->start && (c->start->clone || c->start->commit || c->start->binary);
}

void config_look_for_causes(struct configuring *c)
{
	look_at_starts(c);
	if ((c->facts & (BC_PAUSED | BC_UNSENT)) || is_exact(c) || c->spec->common.source.binary)
		return;
	if (c->step->kind == KIND_BUILD) {
		look_at_creation(c);
		return;
	}
	look_at_config(c);
	if (is_first(c))
		return;
	look_at_image_changes(c);
	look_at_commit(c);
}

void config_causes_again(struct configuring *c)
{
	const struct bc_attempt *last = c->status->last;
	VEC(struct build_cause) images = { 0 };

	for (size_t i = 0; i < last->causes.n; i++) {
		const struct build_cause *cause = LIST_AT(last->causes, struct build_cause, i);

		vec_push(c->p->arena, &c->causes, *cause);
		if (cause->image)
			vec_push(c->p->arena, &images, *cause);
	}
	c->image_causes = (struct list){ images.v, images.n };
	for (size_t i = 0; i < REASONS; i++) {
		if (reasons_name(last->reasons, reason_name((enum reason)i)))
			add(c, (enum reason)i, "as in the attempt before", NULL, NULL);
	}
	if (!c->step->changes.list.n)
		add(c, REASON_CONFIG, "as before", NULL, NULL);
	c->trigger = last->trigger;
}
