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
