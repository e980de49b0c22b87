/* SPDX-License-Identifier: Apache-2.0 */
/* build_refs.c — see build_refs.h. */
#include "model/kind/build_refs.h"

#include <string.h>

bool build_ref_of(const struct object_ref *from, const char *ns, struct arena *arena,
		  struct build_ref *out)
{
	const char *mark;
	bool is_tag;

	*out = (struct build_ref){ .from = from };
	if (!from || !from->kind || !from->name || !*from->name)
		return false;
	if (strcmp(from->kind, FROM_DOCKER_IMAGE) == 0) {
		out->image = from->name;
		return true;
	}
	is_tag = strcmp(from->kind, FROM_STREAM_TAG) == 0;
	if (!is_tag && strcmp(from->kind, FROM_STREAM_IMAGE) != 0)
		return false;
	mark = strchr(from->name, is_tag ? ':' : '@');
	if (!mark || mark == from->name || !mark[1])
		return false;
	out->ns = from->ns && *from->ns ? from->ns : ns;
	out->stream = arena_copy(arena, from->name, (size_t)(mark - from->name));
	if (is_tag)
		out->tag = mark + 1;
	else
		out->id = mark + 1;
	return true;
}

const struct object_ref *trigger_from(const struct build_config_spec *spec,
				      const struct build_trigger *trigger)
{
	if (!trigger->type || strcmp(trigger->type, TRIGGER_IMAGE_CHANGE) != 0 ||
	    !trigger->image_change)
		return NULL;
	return trigger->image_change->from ? trigger->image_change->from
					   : strategy_from(&spec->common.strategy);
}

struct list build_config_refs(const struct build_config_spec *spec, const char *ns,
			      struct arena *arena)
{
	const struct list *images = &spec->common.source.images, *triggers = &spec->triggers;
	VEC(struct build_ref) all = { 0 };
	struct build_ref ref;

	if (build_ref_of(strategy_from(&spec->common.strategy), ns, arena, &ref))
		vec_push(arena, &all, ref);
	for (size_t i = 0; i < images->n; i++) {
		if (!build_ref_of(&LIST_AT(*images, struct build_image_source, i)->from, ns, arena,
				  &ref))
			continue;
		ref.use = USE_SOURCE;
		ref.index = i;
		vec_push(arena, &all, ref);
	}
	if (build_ref_of(spec->common.output.to, ns, arena, &ref)) {
		ref.use = USE_OUTPUT;
		vec_push(arena, &all, ref);
	}
	for (size_t i = 0; i < triggers->n; i++) {
		if (!build_ref_of(trigger_from(spec, LIST_AT(*triggers, struct build_trigger, i)),
				  ns, arena, &ref))
			continue;
		ref.use = USE_TRIGGER;
		ref.index = i;
		vec_push(arena, &all, ref);
	}
	return (struct list){ all.v, all.n };
}

struct needs {
	struct arena *arena;
	VEC(struct build_need) list;
};

static void add(struct needs *needs, struct build_need need)
{
	if (need.name && *need.name)
		vec_push(needs->arena, &needs->list, need);
}

static void add_secret(struct needs *needs, const struct named *secret, const char *field,
		       const char *reason)
{
	if (secret)
		add(needs,
		    (struct build_need){ KIND_SECRET, secret->name, field, reason, secret->pos });
}

static void add_files(struct needs *needs, enum kind kind, const struct list *files,
		      const char *field)
{
	for (size_t i = 0; i < files->n; i++) {
		const struct named *name = &LIST_AT(*files, struct file_source, i)->name;

		add(needs, (struct build_need){ kind, name->name,
						arena_printf(needs->arena, "%s[%zu]", field, i),
						"FetchSourceFailed", name->pos });
	}
}

static void add_volumes(struct needs *needs, const struct list *volumes)
{
	for (size_t i = 0; i < volumes->n; i++) {
		const struct build_volume *volume = LIST_AT(*volumes, struct build_volume, i);
		const struct volume_files *files =
			volume->secret ? volume->secret : volume->config_map;

		if (files && !files->is_optional)
			add(needs, (struct build_need){
					   .kind = volume->secret ? KIND_SECRET : KIND_CONFIG_MAP,
					   .name = files->name,
					   .field = arena_printf(needs->arena, "volume \"%s\"",
								 volume->name),
					   .reason = "CannotCreateBuildPod" });
	}
}

static void add_variables(struct needs *needs, const struct list *env)
{
	static const struct {
		const char *key;
		enum kind kind;
	} sources[] = { { "secretKeyRef", KIND_SECRET }, { "configMapKeyRef", KIND_CONFIG_MAP } };

	for (size_t i = 0; i < env->n; i++) {
		const struct env_var *var = LIST_AT(*env, struct env_var, i);

		for (size_t k = 0; var->value_from && k < COUNTOF(sources); k++) {
			const struct node *ref = node_get(var->value_from, sources[k].key);
			const struct node *name = node_get(ref, "name");
			const struct node *optional = node_get(ref, "optional");

			if (name && !(optional && optional->kind == NODE_BOOL && optional->i))
				add(needs, (struct build_need){
						   sources[k].kind, node_text(ref, "name"),
						   arena_printf(needs->arena, "variable \"%s\"",
								var->name),
						   "UnresolvableEnvironmentVariable", name->pos });
		}
	}
}

static void add_custom(struct needs *needs, const struct custom_strategy *custom)
{
	for (size_t i = 0; i < custom->secrets.n; i++)
		add_secret(
			needs, &LIST_AT(custom->secrets, struct secret_spec_mount, i)->secret,
			arena_printf(needs->arena, "spec.strategy.customStrategy.secrets[%zu]", i),
			"CannotCreateBuildPod");
}

static void add_strategy(struct needs *needs, const struct build_strategy *strategy)
{
	const struct list *env = strategy_env(strategy);

	add_secret(needs, strategy_pull_secret(strategy), "spec.strategy's pullSecret",
		   "PullBuilderImageFailed");
	if (env)
		add_variables(needs, env);
	if (strategy->docker) {
		add_variables(needs, &strategy->docker->build_args);
		add_volumes(needs, &strategy->docker->volumes);
	}
	if (strategy->source)
		add_volumes(needs, &strategy->source->volumes);
	if (strategy->custom)
		add_custom(needs, strategy->custom);
}

struct list build_needs(const struct build_common *common, struct arena *arena)
{
	const struct build_source *source = &common->source;
	struct needs needs = { .arena = arena };

	add_secret(&needs, source->secret, "spec.source.sourceSecret", "FetchSourceFailed");
	add_files(&needs, KIND_SECRET, &source->secrets, "spec.source.secrets");
	add_files(&needs, KIND_CONFIG_MAP, &source->config_maps, "spec.source.configMaps");
	for (size_t i = 0; i < source->images.n; i++)
		add_secret(&needs,
			   LIST_AT(source->images, struct build_image_source, i)->pull_secret,
			   arena_printf(arena, "spec.source.images[%zu].pullSecret", i),
			   "FetchImageContentFailed");
	add_strategy(&needs, &common->strategy);
	add_secret(&needs, common->output.push_secret, "spec.output.pushSecret",
		   "MissingPushSecret");
	return (struct list){ needs.list.v, needs.list.n };
}
