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

static void add(struct needs *needs, enum kind kind, const char *name, struct pos pos)
{
	for (size_t i = 0; name && i < needs->list.n; i++)
		if (needs->list.v[i].kind == kind && strcmp(needs->list.v[i].name, name) == 0)
			return;
	if (name && *name)
		vec_push(needs->arena, &needs->list, (struct build_need){ kind, name, pos });
}

static void add_secret(struct needs *needs, const struct named *secret)
{
	if (secret)
		add(needs, KIND_SECRET, secret->name, secret->pos);
}

static void add_files(struct needs *needs, enum kind kind, const struct list *files)
{
	for (size_t i = 0; i < files->n; i++) {
		const struct named *name = &LIST_AT(*files, struct file_source, i)->name;

		add(needs, kind, name->name, name->pos);
	}
}

static void add_volumes(struct needs *needs, const struct list *volumes)
{
	for (size_t i = 0; i < volumes->n; i++) {
		const struct build_volume *volume = LIST_AT(*volumes, struct build_volume, i);
		const struct volume_files *files =
			volume->secret ? volume->secret : volume->config_map;

		if (files && !files->is_optional)
			add(needs, volume->secret ? KIND_SECRET : KIND_CONFIG_MAP, files->name,
			    (struct pos){ 0 });
	}
}

static void add_variables(struct needs *needs, const struct list *env)
{
	static const struct {
		const char *key;
		enum kind kind;
	} sources[] = { { "secretKeyRef", KIND_SECRET }, { "configMapKeyRef", KIND_CONFIG_MAP } };

	for (size_t i = 0; i < env->n; i++) {
		const struct node *from = LIST_AT(*env, struct env_var, i)->value_from;

		for (size_t k = 0; from && k < COUNTOF(sources); k++) {
			const struct node *ref = node_get(from, sources[k].key);
			const struct node *name = node_get(ref, "name");
			const struct node *optional = node_get(ref, "optional");

			if (name && !(optional && optional->kind == NODE_BOOL && optional->i))
				add(needs, sources[k].kind, node_text(ref, "name"), name->pos);
		}
	}
}

static void add_strategy(struct needs *needs, const struct build_strategy *strategy)
{
	if (strategy->docker) {
		add_secret(needs, strategy->docker->pull_secret);
		add_variables(needs, &strategy->docker->env);
		add_variables(needs, &strategy->docker->build_args);
		add_volumes(needs, &strategy->docker->volumes);
	}
	if (strategy->source) {
		add_secret(needs, strategy->source->pull_secret);
		add_variables(needs, &strategy->source->env);
		add_volumes(needs, &strategy->source->volumes);
	}
	if (strategy->custom) {
		add_secret(needs, strategy->custom->pull_secret);
		add_variables(needs, &strategy->custom->env);
		for (size_t i = 0; i < strategy->custom->secrets.n; i++)
			add_secret(needs,
				   &LIST_AT(strategy->custom->secrets, struct secret_spec_mount, i)
					    ->secret);
	}
	if (strategy->pipeline)
		add_variables(needs, &strategy->pipeline->env);
}

struct list build_needs(const struct build_common *common, struct arena *arena)
{
	const struct build_source *source = &common->source;
	struct needs needs = { .arena = arena };

	add_secret(&needs, source->secret);
	add_files(&needs, KIND_SECRET, &source->secrets);
	add_files(&needs, KIND_CONFIG_MAP, &source->config_maps);
	for (size_t i = 0; i < source->images.n; i++)
		add_secret(&needs,
			   LIST_AT(source->images, struct build_image_source, i)->pull_secret);
	add_strategy(&needs, &common->strategy);
	add_secret(&needs, common->output.push_secret);
	return (struct list){ needs.list.v, needs.list.n };
}
