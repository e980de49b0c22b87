/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules_workload.c — the images of a workload that follow tags: by the annotation's triggers, and by short names where
 * the stream (lookupPolicy.local) or the workload (resolve-names) says so. A short name is replaced in the file, so that
 * what runs is what is written; the name is recorded, and the container goes on following it while its image is one that
 * the name stood for. Rules: openshift.md §6, §2.8.
 */
#include <string.h>

#include "model/kind/stream.h"
#include "reconcile/plan/follow.h"

static bool is_triggered(const struct workload *workload, size_t container)
{
	for (size_t i = 0; i < workload->triggers.n; i++) {
		const struct workload_trigger *trigger =
			LIST_AT(workload->triggers, struct workload_trigger, i);

		for (size_t k = 0; k < trigger->n_containers; k++)
			if (trigger->containers[k] == container)
				return true;
	}
	return false;
}

static void unknown_image(const struct planner *p, struct step *step,
			  const struct workload_container *container)
{
	step_unknown(step, arena_printf(p->arena, "image of container '%s'", container->name),
		     p->arena);
}

static void follow_triggers(struct planner *p, struct step *step)
{
	const struct workload *workload = step->object->spec;

	for (size_t i = 0; i < workload->triggers.n && !step->blocked; i++) {
		const struct workload_trigger *trigger =
			LIST_AT(workload->triggers, struct workload_trigger, i);
		struct followed_tag tag;

		if (trigger->is_paused)
			continue;
		tag = follow_tag(p, step, trigger->ns, trigger->stream, trigger->tag);
		for (size_t k = 0; k < trigger->n_containers; k++) {
			const struct workload_container *container =
				LIST_AT(workload->containers, struct workload_container,
					trigger->containers[k]);

			if (tag.is_pending)
				unknown_image(p, step, container);
			else if (tag.pull_spec &&
				 !edit_container(p, step, container, tag.pull_spec))
				return;
		}
	}
}

/* The short name that the container follows: written there, or recorded for an image that stands there now. */
static const char *short_name_of(const struct planner *p, const struct workload_container *c,
				 const struct workload_status *old)
{
	const char *stream, *tag, *now, *then;

	if (short_name_split(c->image, p->arena, &stream, &tag))
		return c->image;
	for (size_t i = 0; old && i < old->follows.n; i++) {
		const struct followed_name *followed =
			LIST_AT(old->follows, struct followed_name, i);

		if (strcmp(followed->path, c->path) != 0)
			continue;
		if (strcmp(followed->image, c->image) == 0)
			return followed->name;
		/* An older image of the same name, merged later than it was written. */
		now = strchr(c->image, '@') ? repo_name(c->image, p->arena) : NULL;
		then = repo_name(followed->image, p->arena);
		if (now && then && strcmp(now, then) == 0)
			return followed->name;
	}
	return NULL;
}

static bool means_stream(const struct planner *p, const struct object *object, const char *name,
			 const char **stream, const char **tag)
{
	const struct workload *workload = object->spec;
	const struct object *found;

	if (!short_name_split(name, p->arena, stream, tag))
		return false;
	found = model_find(p->model, KIND_IMAGE_STREAM, object->meta.ns, *stream);
	return found && (workload->resolves_names ||
			 ((const struct stream_spec *)found->spec)->is_local_lookup);
}

static const struct followed_name *recorded_name(const struct workload_status *old,
						 const char *path)
{
	for (size_t i = 0; old && i < old->follows.n; i++)
		if (strcmp(LIST_AT(old->follows, struct followed_name, i)->path, path) == 0)
			return LIST_AT(old->follows, struct followed_name, i);
	return NULL;
}

/* Fills the list of names that are followed from now on. */
static void follow_short_names(struct planner *p, struct step *step,
			       const struct workload_status *old, struct list *out)
{
	const struct workload *workload = step->object->spec;
	struct followed_name *names = arena_array(p->arena, workload->containers.n, sizeof(*names));

	*out = (struct list){ names, 0 };
	for (size_t i = 0; i < workload->containers.n && !step->blocked; i++) {
		const struct workload_container *c =
			LIST_AT(workload->containers, struct workload_container, i);
		const char *name, *stream, *tag;
		struct followed_tag now;

		if (!c->image || is_triggered(workload, i))
			continue;
		name = short_name_of(p, c, old);
		if (!name || !means_stream(p, step->object, name, &stream, &tag))
			continue;
		now = follow_tag(p, step, step->object->meta.ns, stream, tag);
		if (now.is_pending || !now.pull_spec) {
			if (now.is_pending)
				unknown_image(p, step, c);
			if (recorded_name(old, c->path))
				names[out->n++] = *recorded_name(old, c->path);
			continue;
		}
		if (edit_container(p, step, c, now.pull_spec))
			names[out->n++] = (struct followed_name){ c->path, name, now.pull_spec };
	}
}

void rule_workload(struct planner *p, struct step *step)
{
	const struct workload_status *old = recorded_status(p, step->object);
	struct workload_status *status = ARENA_NEW(p->arena, struct workload_status);
	struct list names = { 0 };

	step->status = old;
	follow_triggers(p, step);
	if (!step->object->twin_of && !step->blocked)
		follow_short_names(p, step, old, &names);
	if (!step->blocked && (names.n || old)) {
		status->follows = names;
		step->status = status;
	}
	edits_finish(step);
}
