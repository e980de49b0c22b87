/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules_store.c — ClusterStore, Buildpack and ClusterBuildpack: which buildpacks lie in which images.
 * A source whose digest is the recorded one keeps its recorded buildpacks; others are read from their labels. One source
 * that cannot be read makes the whole not ready, and what is recorded stays.
 * Rules: kpack.md §2.8, §2.9, §3.5 "Buildpack image read".
 */
#include <stdlib.h>
#include <string.h>

#include "reconcile/plan/labels.h"
#include "reconcile/plan/rules.h"

struct reading {
	struct planner *p;
	const struct object *object;
	const struct store_status *old;
	VEC(struct image_pin) pins;
	VEC(struct store_buildpack) buildpacks;
	size_t n_moved, n_unknown;
	const char *old_digest, *new_digest; /* of the first that moved */
	const char *why;
	enum err_kind why_kind;
};

static void take_recorded(struct reading *r, const char *pinned)
{
	for (size_t i = 0; r->old && i < r->old->buildpacks.n; i++) {
		const struct store_buildpack *bp =
			LIST_AT(r->old->buildpacks, struct store_buildpack, i);

		if (text_equal(bp->store_image, pinned))
			vec_push(r->p->arena, &r->buildpacks, *bp);
	}
}

static bool take_labels(struct reading *r, const char *image, const struct pin *pin)
{
	struct list found;
	struct err err = { 0 };

	if (!labels_buildpacks(pin->fact->manifest, pin->fact->config, pin->pinned, r->p->arena,
			       &found, &err)) {
		r->why = arena_printf(r->p->arena, "cannot read the buildpacks of image '%s': %s",
				      image, err.text);
		r->why_kind = err.kind;
		return false;
	}
	for (size_t i = 0; i < found.n; i++)
		vec_push(r->p->arena, &r->buildpacks, *LIST_AT(found, struct store_buildpack, i));
	return true;
}

static bool has_pin(const struct reading *r, const char *image)
{
	for (size_t i = 0; i < r->pins.n; i++) {
		if (strcmp(r->pins.v[i].image, image) == 0)
			return true;
	}
	return false;
}

static bool read_source(struct reading *r, const char *image)
{
	const struct image_pin *known = store_pin(r->old, image);
	struct pin pin;

	if (has_pin(r, image))
		return true;
	pin = pin_resolve(r->p, &(struct pin_ask){ .image = image,
						   .account = account_of(r->p->model, r->object),
						   .recorded = known,
						   .is_usable = known != NULL,
						   .wants_labels = true });
	if (pin.state == PIN_FAILED) {
		r->why = pin.why;
		r->why_kind = pin.why_kind;
		return false;
	}
	if (pin.state == PIN_UNKNOWN) {
		r->n_unknown++;
		return true;
	}
	vec_push(r->p->arena, &r->pins, (struct image_pin){ image, pin.pinned });
	if (pin.state == PIN_SAME) {
		take_recorded(r, pin.pinned);
		return true;
	}
	if (r->n_moved++ == 0) {
		r->old_digest = pin_digest(pin.old);
		r->new_digest = pin_digest(pin.pinned);
	}
	return take_labels(r, image, &pin);
}

static bool read_all(struct reading *r)
{
	const struct store_spec *store = r->object->spec;

	if (r->object->kind != KIND_CLUSTER_STORE)
		return read_source(r, ((const struct buildpack_spec *)r->object->spec)->image);
	for (size_t i = 0; i < store->sources.n; i++) {
		if (!read_source(r, LIST_AT(store->sources, struct image_source, i)->image))
			return false;
	}
	return true;
}

/* id@version, then image (kpack.md §3.5). */
static int compare(const void *a, const void *b)
{
	const struct store_buildpack *x = a, *y = b;
	int order = strcmp(x->id, y->id);

	if (order == 0)
		order = strcmp(x->version, y->version);
	return order != 0 ? order : strcmp(x->store_image, y->store_image);
}

static void store_ready(struct planner *p, struct store_status *status, const char *problem)
{
	struct conditions_edit edit;

	conditions_begin(&edit, &status->conditions, 1, p->options.now_s, p->arena);
	conditions_add(&edit, "Ready", problem ? COND_FALSE : COND_TRUE, NULL, problem);
	status->conditions = edit.list;
}

void rule_store(struct planner *p, struct step *step)
{
	struct reading r = { .p = p,
			     .object = step->object,
			     .old = recorded_status(p, step->object) };
	struct store_status *status = ARENA_NEW(p->arena, struct store_status);

	if (r.old)
		*status = *r.old;
	step->status = status;
	if (!read_all(&r)) {
		store_ready(p, status, r.why);
		step_block(step, (struct stop){ r.why_kind, true }, r.why);
		return;
	}
	step->action = ACTION_RESOLVE;
	step->summary = !r.old ? "resolve" : r.n_moved > 0 ? "buildpacks read again" : "resolve";
	if (r.n_unknown > 0) {
		if (step_stays_unready(step, &status->conditions))
			return;
		step->is_unknown = true;
		step_unknown(step, "buildpacks", p->arena);
		return;
	}
	if (r.buildpacks.n > 1)
		qsort(r.buildpacks.v, r.buildpacks.n, sizeof(*r.buildpacks.v), compare);
	status->sources = (struct list){ r.pins.v, r.pins.n };
	status->buildpacks = (struct list){ r.buildpacks.v, r.buildpacks.n };
	step->old_value = r.old_digest;
	step->new_value = r.new_digest;
	store_ready(p, status, NULL);
}
