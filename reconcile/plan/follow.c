/* SPDX-License-Identifier: Apache-2.0 */
/* follow.c — see follow.h. */
#include "reconcile/plan/follow.h"

#include <stdlib.h>
#include <string.h>

#include "model/kind/stream.h"

enum { IMAGE_TEXT_MAX = 1024 };

static bool is_local(const struct planner *p, const char *ns, const char *stream)
{
	const struct object *object = model_find(p->model, KIND_IMAGE_STREAM, ns, stream);

	return object && ((const struct stream_spec *)object->spec)->is_local_lookup;
}

struct streams {
	struct arena *arena;
	VEC(struct followed_stream) list;
};

static void add_stream(struct streams *streams, const char *ns, const char *name)
{
	for (size_t i = 0; i < streams->list.n; i++)
		if (strcmp(streams->list.v[i].ns, ns) == 0 &&
		    strcmp(streams->list.v[i].name, name) == 0)
			return;
	vec_push(streams->arena, &streams->list, (struct followed_stream){ ns, name });
}

static void add_short_names(const struct planner *p, const struct object *object,
			    struct streams *streams)
{
	const struct workload *workload = object->spec;
	const struct workload_status *old = recorded_status(p, object);
	const char *stream, *tag;

	for (size_t i = 0; i < workload->containers.n && !object->twin_of; i++) {
		const struct workload_container *c =
			LIST_AT(workload->containers, struct workload_container, i);

		if (c->image && short_name_split(c->image, p->arena, &stream, &tag) &&
		    (workload->resolves_names || is_local(p, object->meta.ns, stream)))
			add_stream(streams, object->meta.ns, stream);
	}
	for (size_t i = 0; old && i < old->follows.n; i++)
		if (short_name_split(LIST_AT(old->follows, struct followed_name, i)->name, p->arena,
				     &stream, &tag))
			add_stream(streams, object->meta.ns, stream);
}

struct list followed_streams(const struct planner *p, const struct object *object)
{
	const struct policy_spec *policy = object->spec;
	const struct workload *workload = object->spec;
	struct streams streams = { .arena = p->arena };

	if (object->kind == KIND_IMAGE_POLICY) {
		add_stream(&streams,
			   policy->repository_ns ? policy->repository_ns : object->meta.ns,
			   policy->repository);
	} else if (kind_info(object->kind)->is_workload) {
		for (size_t i = 0; i < workload->triggers.n; i++) {
			const struct workload_trigger *trigger =
				LIST_AT(workload->triggers, struct workload_trigger, i);

			if (!trigger->is_paused)
				add_stream(&streams, trigger->ns, trigger->stream);
		}
		add_short_names(p, object, &streams);
	}
	return (struct list){ streams.list.v, streams.list.n };
}

bool is_follower(const struct planner *p, const struct object *object)
{
	if (!kind_info(object->kind)->is_workload)
		return true;
	return object->kind == KIND_DEPLOYMENT_CONFIG || recorded_status(p, object) ||
	       followed_streams(p, object).n > 0;
}

struct followed_tag follow_tag(const struct planner *p, struct step *step, const char *ns,
			       const char *stream, const char *tag)
{
	struct tag_view view = stream_view(p->plan, ns, stream, tag, p->arena);

	if (view.is_pending) {
		for (size_t i = 0; i < step->n_after; i++)
			if (step->after[i] == view.step)
				return (struct followed_tag){ .is_pending = true };
		step_wait_for(step, view.step, p->arena);
	}
	return (struct followed_tag){ view.pull_spec, view.is_pending };
}

/* References come from registries and from state, which others can write. */
static bool is_image_text(const char *text)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._-/:@+[]";
	size_t n = strlen(text);

	return n > 0 && n <= IMAGE_TEXT_MAX && strspn(text, allowed) == n;
}

bool edit_add(const struct planner *p, struct step *step, const struct image_edit *edit)
{
	struct image_edit *edits;

	if (strcmp(edit->old_text, edit->new_text) == 0)
		return true;
	if (!is_image_text(edit->new_text)) {
		step_block(step, (struct stop){ ERR_INVALID, true },
			   arena_printf(p->arena, "'%.200s' is no image and is not written to %s",
					edit->new_text, edit->file));
		return false;
	}
	edits = arena_array(p->arena, step->edits.n + 1, sizeof(*edits));
	if (step->edits.n)
		memcpy(edits, step->edits.v, step->edits.n * sizeof(*edits));
	edits[step->edits.n] = *edit;
	step->edits = (struct list){ edits, step->edits.n + 1 };
	return true;
}

bool edit_container(const struct planner *p, struct step *step,
		    const struct workload_container *container, const char *image)
{
	const struct source_file *file = step->object->file;

	if (!container->pos.line)
		return true;
	return edit_add(p, step,
			&(struct image_edit){ .file = file ? file->path : "<stdin>",
					      .pos = container->pos,
					      .what = container->path,
					      .old_text = container->image,
					      .new_text = image });
}

void edits_finish(struct step *step)
{
	const struct image_edit *first = step->edits.v;

	if (step->blocked)
		return;
	if (!step->edits.n && !(step->unknown.n && step->n_after))
		return;
	step->action = ACTION_EDIT;
	if (!step->summary || step->kind == KIND_IMAGE_POLICY)
		step->summary = "set image";
	if (step->edits.n) {
		step->old_value = first->old_text;
		step->new_value = first->new_text;
	}
}
