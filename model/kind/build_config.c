/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build_config.c — old forms of BuildConfig and Build made new, and their defaults (openshift.md §3.2). What can never fire is
 * dropped with a warning, as OpenShift drops it without one.
 */
#include "model/kind/build_config.h"

#include <string.h>

#include "model/base/path.h"
#include "model/kind/build_name.h"
#include "model/kind/build_phase.h"
#include "model/kind/check.h"
#include "model/kind/rules.h"

enum { HISTORY_LIMIT = 5 };

const char *strategy_type(const struct build_strategy *strategy)
{
	return strategy->docker     ? "Docker"
	       : strategy->source   ? "Source"
	       : strategy->custom   ? "Custom"
	       : strategy->pipeline ? "JenkinsPipeline"
				    : "";
}

const char *source_type(const struct build_source *source)
{
	return source->git          ? "Git"
	       : source->binary     ? "Binary"
	       : source->dockerfile ? "Dockerfile"
	       : source->images.n   ? "Image"
				    : "None";
}

const struct object_ref *strategy_from(const struct build_strategy *strategy)
{
	return strategy->docker   ? strategy->docker->from
	       : strategy->source ? &strategy->source->from
	       : strategy->custom ? &strategy->custom->from
				  : NULL;
}

struct list *strategy_env(const struct build_strategy *strategy)
{
	return strategy->docker     ? &strategy->docker->env
	       : strategy->source   ? &strategy->source->env
	       : strategy->custom   ? &strategy->custom->env
	       : strategy->pipeline ? &strategy->pipeline->env
				    : NULL;
}

const struct named *strategy_pull_secret(const struct build_strategy *strategy)
{
	return strategy->docker   ? strategy->docker->pull_secret
	       : strategy->source ? strategy->source->pull_secret
	       : strategy->custom ? strategy->custom->pull_secret
				  : NULL;
}

static struct pairs quantities_of(const struct node *written, const char *path,
				  const struct checker *c, struct arena *arena)
{
	struct pairs pairs = { 0 };

	if (c)
		return check_quantities_read(c, path, written);
	for (const struct node *item = written && written->kind == NODE_MAP ? written->first : NULL;
	     item; item = item->next)
		if (item->text)
			vec_push(arena, &pairs, (struct pair){ item->key, item->text, item->pos });
	return pairs;
}

void build_resources_read(struct build_common *common, const struct checker *c, struct arena *arena)
{
	common->resources.limits = quantities_of(common->limits, "spec.resources.limits", c, arena);
	common->resources.requests =
		quantities_of(common->requests, "spec.resources.requests", c, arena);
}

/* "" is how some tools write what they leave out. */
static void forget_empty(const char **text)
{
	if (*text && !**text)
		*text = NULL;
}

/* kind: ImageStream meant its tag latest once. */
static void adapt_ref(struct object_ref *ref, struct arena *arena)
{
	if (!ref)
		return;
	forget_empty(&ref->ns);
	if (!ref->kind || !*ref->kind) {
		ref->kind = FROM_STREAM_TAG;
	} else if (strcmp(ref->kind, "ImageStream") == 0) {
		ref->kind = FROM_STREAM_TAG;
		if (ref->name && *ref->name)
			ref->name = arena_printf(arena, "%s:latest", ref->name);
	}
}

/* A path below the source: clean, NULL for the source itself; left as it is when it leads out. */
static void adapt_path(const char **path, struct arena *arena)
{
	const char *clean;

	forget_empty(path);
	if (!*path)
		return;
	clean = path_clean(*path, arena);
	if (strcmp(clean, ".") == 0)
		*path = NULL;
	else if (*clean != '/' && strncmp(clean, "..", 2) != 0)
		*path = clean;
}

static void say_type(const struct checker *c, const char *path, const char *written,
		     const char *actual)
{
	if (c && written && *written && strcmp(written, actual) != 0 && *actual)
		check_warn(c, path, "the type is '%s' by what is given, '%s' does not count: %s",
			   actual, written, path);
}

static void adapt_source(struct build_source *source, const struct checker *c, struct arena *arena)
{
	if (source->type && strcmp(source->type, "Binary") == 0 && !source->binary)
		source->binary = ARENA_NEW(arena, struct build_binary);
	if (source->git)
		forget_empty(&source->git->ref);
	if (source->binary && source->binary->as_file) {
		const char *file = path_clean(source->binary->as_file, arena);

		file += *file == '/';
		forget_empty(&source->binary->as_file);
		if (source->binary->as_file && *file && !strchr(file, '/'))
			source->binary->as_file = file;
	}
	/* An absolute one is below the source all the same. */
	if (source->context_dir)
		source->context_dir += strspn(source->context_dir, "/");
	adapt_path(&source->context_dir, arena);
	for (size_t i = 0; i < source->images.n; i++)
		forget_empty(&LIST_AT(source->images, struct build_image_source, i)->from.ns);
	say_type(c, "spec.source.type", source->type, source_type(source));
	source->type = source_type(source);
}

static void adapt_strategy(struct build_strategy *strategy, const struct checker *c,
			   struct arena *arena)
{
	if (strategy->type && strcmp(strategy->type, "Docker") == 0 && !*strategy_type(strategy))
		strategy->docker = ARENA_NEW(arena, struct docker_strategy);
	if (strategy->docker) {
		adapt_ref(strategy->docker->from, arena);
		adapt_path(&strategy->docker->dockerfile_path, arena);
		forget_empty(&strategy->docker->optimization);
	}
	if (strategy->source)
		adapt_ref(&strategy->source->from, arena);
	if (strategy->custom)
		adapt_ref(&strategy->custom->from, arena);
	if (strategy->pipeline) {
		adapt_path(&strategy->pipeline->path, arena);
		forget_empty(&strategy->pipeline->text);
	}
	say_type(c, "spec.strategy.type", strategy->type, strategy_type(strategy));
	strategy->type = *strategy_type(strategy) ? strategy_type(strategy) : NULL;
}

void build_common_adapt(struct build_common *common, const struct checker *c, struct arena *arena)
{
	if (!common->service_account || !*common->service_account)
		common->service_account = "builder";
	adapt_source(&common->source, c, arena);
	adapt_strategy(&common->strategy, c, arena);
	adapt_ref(common->output.to, arena);
	forget_empty(&common->post_commit.script);
	build_resources_read(common, c, arena);
}

/* ---- triggers ---- */

/* clang-format off */
static const struct {
	const char *written, *type;
} trigger_types[] = {
	{ TRIGGER_GITHUB, TRIGGER_GITHUB },             { "github", TRIGGER_GITHUB },
	{ TRIGGER_GENERIC, TRIGGER_GENERIC },           { "generic", TRIGGER_GENERIC },
	{ TRIGGER_IMAGE_CHANGE, TRIGGER_IMAGE_CHANGE }, { "imageChange", TRIGGER_IMAGE_CHANGE },
	{ TRIGGER_GITLAB, TRIGGER_GITLAB },             { TRIGGER_BITBUCKET, TRIGGER_BITBUCKET },
	{ TRIGGER_CONFIG_CHANGE, TRIGGER_CONFIG_CHANGE },
};
/* clang-format on */

static const char *trigger_type(const char *written)
{
	for (size_t i = 0; i < COUNTOF(trigger_types); i++)
		if (strcmp(trigger_types[i].written, written) == 0)
			return trigger_types[i].type;
	return NULL;
}

/* False: it is dropped. */
static bool adapt_trigger(struct build_trigger *trigger, const struct object_ref *from,
			  const struct checker *c)
{
	const char *path = arena_printf(c->arena, "spec.triggers[%zu]", trigger->index);
	const char *type;

	if (!trigger->type || !*trigger->type)
		return true; /* the check says so */
	type = trigger_type(trigger->type);
	if (!type) {
		const char *names[COUNTOF(trigger_types)], *near;

		for (size_t i = 0; i < COUNTOF(trigger_types); i++)
			names[i] = trigger_types[i].type;
		near = suggest(trigger->type, names, COUNTOF(names));
		check_warn(c, arena_printf(c->arena, "%s.type", path),
			   "invalid trigger type '%s', the trigger is left out: %s.type%s%s%s",
			   trigger->type, path, near ? "; did you mean '" : "", near ? near : "",
			   near ? "'?" : "");
		return false;
	}
	trigger->type = type;
	if (strcmp(type, TRIGGER_IMAGE_CHANGE) != 0)
		return true;
	if (!trigger->image_change)
		trigger->image_change = ARENA_NEW(c->arena, struct image_change);
	if (trigger->image_change->from) {
		forget_empty(&trigger->image_change->from->ns);
		return true;
	}
	if (from && strcmp(from->kind, FROM_STREAM_TAG) == 0)
		return true;
	check_warn(
		c, path,
		"a default ImageChange trigger can only be used when the build strategy includes "
		"an ImageStreamTag reference; the trigger is left out: %s",
		path);
	return false;
}

static void adapt_triggers(struct build_config_spec *spec, const struct checker *c)
{
	const struct object_ref *from = strategy_from(&spec->common.strategy);
	struct build_trigger *triggers = spec->triggers.v;
	size_t n = 0;

	for (size_t i = 0; i < spec->triggers.n; i++) {
		triggers[i].index = i;
		if (adapt_trigger(&triggers[i], from, c))
			triggers[n++] = triggers[i];
	}
	spec->triggers.n = n;
}

bool kind_has_builds(enum kind kind)
{
	return kind == KIND_BUILD_CONFIG || kind == KIND_BUILD;
}

bool build_is_export(const struct object *object)
{
	const struct build_spec *spec = object->spec;

	return object->kind == KIND_BUILD && spec->is_export;
}

void build_config_adapt(void *out, const struct object *object, struct arena *arena,
			struct diags *diags)
{
	const struct checker c = { object, arena, diags };
	struct build_config_spec *spec = out;
	bool is_legacy = object->api_version && !strchr(object->api_version, '/');

	build_common_adapt(&spec->common, &c, arena);
	adapt_triggers(spec, &c);
	if (!spec->run_policy || !*spec->run_policy)
		spec->run_policy = POLICY_SERIAL;
	if (is_legacy)
		return;
	if (!spec->has_success_limit)
		spec->success_limit = HISTORY_LIMIT;
	if (!spec->has_failed_limit)
		spec->failed_limit = HISTORY_LIMIT;
	spec->has_success_limit = spec->has_failed_limit = true;
}

void build_adapt(void *out, const struct object *object, struct arena *arena, struct diags *diags)
{
	const struct checker c = { object, arena, diags };
	const struct meta *meta = &object->meta;
	struct build_spec *spec = out;

	build_common_adapt(&spec->common, &c, arena);
	spec->config.run_policy = POLICY_SERIAL;
	spec->config.success_limit = spec->config.failed_limit = HISTORY_LIMIT;
	spec->config.has_success_limit = spec->config.has_failed_limit = true;
	spec->is_export =
		pairs_get(&meta->labels, LABEL_CONFIG) ||
		pairs_get(&meta->annotations, ANNOTATION_CONFIG) ||
		pairs_get(&meta->annotations, ANNOTATION_NUMBER) ||
		phase_is_terminal(phase_find(node_text(node_get(object->tree, "status"), "phase")));
}
