/* SPDX-License-Identifier: Apache-2.0 */
/*
 * records.c — whose records these are: where an object is recorded to be declared, and which records go because their
 * manifests are gone. Several jobs may share a state branch, each with a folder or a repository of its own: a run deletes
 * of its own accord only what is recorded to have been declared in what it loaded. Rules: docs/using.md, "Deleting".
 */
#include <stdlib.h>
#include <string.h>

#include "reconcile/plan/rules.h"

/*
 * Where two folders declare the same object (each loaded by a job of its own), the first one stays: else every run of one
 * would take it from the other. An origin elsewhere that cannot be looked into is replaced along with a status, never for
 * its own sake.
 */
void records_origin(struct planner *p, struct step *step)
{
	const struct scope *scope = &p->options.scope;
	const struct state_entry *entry = map_get(&p->state->by_id, step->id);
	const struct origin *old = entry ? &entry->origin : NULL;
	const char *elsewhere = map_get(&scope->elsewhere, step->id);
	bool is_kept = old && old->manifest &&
		       (!scope->folder || (scope_has_repo(scope, old) && elsewhere &&
					   strcmp(elsewhere, old->manifest) == 0));

	step->origin = is_kept ? *old : origin_of(scope, step->object, p->arena);
	if (is_kept && scope->folder) {
		step->origin.source = scope->source;
		step->origin.source_s = scope->source_s;
	}
	if (old && step->origin.manifest && (!old->manifest || scope_has_repo(scope, old)) &&
	    !origin_equal(&step->origin, old))
		step->moved = entry->status;
}

struct steps {
	struct step **v;
	size_t n, cap;
};

/* Records without a manifest among those that were loaded. */
struct gone {
	struct steps all, own;
	size_t n_all, n_scope; /* records at all, and of what was loaded */
	size_t n_unknown;      /* gone, and nobody knows from where      */
};

static void take_entry(struct planner *p, const struct state_entry *entry, struct gone *gone)
{
	const struct scope *scope = &p->options.scope;
	bool is_own = scope_holds(scope, &entry->origin);
	const char *elsewhere = map_get(&scope->elsewhere, entry->id);
	struct step *step;

	if (scope_is_older(scope, &entry->origin))
		return;
	gone->n_all++;
	gone->n_scope += is_own;
	if (map_has(&p->model->by_id, entry->id))
		return;
	step = ARENA_NEW(p->arena, struct step);
	*step = (struct step){ .action = ACTION_DELETE,
			       .kind = entry->kind,
			       .id = entry->id,
			       .ns = entry->ns,
			       .name = entry->name,
			       .summary = "its manifest is gone" };
	vec_push(p->arena, &gone->all, step);
	gone->n_unknown += !entry->origin.manifest;
	if (is_own && elsewhere)
		vec_push(p->arena, &p->plan->notices,
			 arena_printf(p->arena, "%s is declared in %s now: its record stays",
				      entry->id, elsewhere));
	else if (is_own)
		vec_push(p->arena, &gone->own, step);
}

/* More than half at once is more likely a mistake than a wish; a single one is a wish. */
static bool is_too_much(size_t n, size_t n_all)
{
	return n > 1 && n * 2 > n_all;
}

static const char *records_of(struct planner *p, size_t n)
{
	return arena_printf(p->arena, "%zu recorded object%s no manifest", n,
			    n == 1 ? " has" : "s have");
}

static const char *and_others(struct planner *p, size_t n)
{
	return n ? arena_printf(p->arena, " and %zu that other folders or repositories declared", n)
		 : "";
}

/* Of its own accord. */
static const struct steps *choose_own(struct planner *p, const struct gone *gone)
{
	static const struct steps none;
	size_t n = gone->own.n;
	const char *notice = NULL;

	if (n && p->options.scope.is_partial)
		notice =
			arena_printf(p->arena,
				     "nothing is deleted: %s, but not all manifests are here to "
				     "be read; --prune deletes %s record%s",
				     records_of(p, n), n == 1 ? "its" : "their", n == 1 ? "" : "s");
	else if (is_too_much(n, gone->n_scope))
		notice = arena_printf(p->arena,
				      "nothing is deleted: %zu of %zu objects recorded from here "
				      "have no manifest, which is more than half; --prune=all "
				      "deletes them%s",
				      n, gone->n_scope, and_others(p, gone->all.n - n));
	if (!notice)
		return &gone->own;
	vec_push(p->arena, &p->plan->notices, notice);
	return &none;
}

static const struct steps *choose(struct planner *p, const struct gone *gone)
{
	const struct plan_options *options = &p->options;
	size_t n = gone->all.n;

	if (options->prune_all || (options->with_prune && !is_too_much(n, gone->n_all)))
		return &gone->all;
	if (options->with_prune) {
		vec_push(p->arena, &p->plan->notices,
			 arena_printf(p->arena,
				      "nothing is pruned: %zu of %zu recorded objects have no "
				      "manifest, which is more than half; --prune=all deletes them",
				      n, gone->n_all));
	} else if (gone->n_unknown) {
		size_t n_others = n - gone->own.n - gone->n_unknown;

		vec_push(p->arena, &p->plan->notices,
			 arena_printf(p->arena, "%s; --prune deletes %s%s",
				      records_of(p, gone->n_unknown),
				      gone->n_unknown == 1 ? "its record" : "their records",
				      and_others(p, n_others)));
	}
	return choose_own(p, gone);
}

static int compare_steps(const void *a, const void *b)
{
	return strcmp((*(struct step *const *)a)->id, (*(struct step *const *)b)->id);
}

/*
 * An object that is gone leaves no trace of the commit that dropped it: those that stay carry it, so that a late run of an older
 * commit does not bring the object back.
 */
static void stamp_others(struct planner *p)
{
	const struct scope *scope = &p->options.scope;

	for (size_t i = 0; i < p->plan->steps.n; i++) {
		struct step *step = p->plan->steps.v[i];
		const struct state_entry *entry = map_get(&p->state->by_id, step->id);

		if (step->object && entry && !step->is_outdated && scope->source &&
		    scope_has_repo(scope, &entry->origin) &&
		    !(entry->origin.source && strcmp(entry->origin.source, scope->source) == 0))
			step->moved = entry->status;
	}
}

void records_prune(struct planner *p)
{
	struct gone gone = { 0 };
	const struct steps *chosen;

	if (p->options.is_selected || p->options.without_prune)
		return;
	for (size_t i = 0; i < p->state->by_id.n; i++) {
		const struct state_entry *entry = p->state->by_id.items[i].value;

		if (entry && kind_info(entry->kind)->state_folder)
			take_entry(p, entry, &gone);
	}
	if (!gone.all.n)
		return;
	chosen = choose(p, &gone);
	if (!chosen->n)
		return;
	stamp_others(p);
	qsort(chosen->v, chosen->n, sizeof(*chosen->v), compare_steps);
	for (size_t i = 0; i < chosen->n; i++) {
		vec_push(p->arena, &p->plan->steps, chosen->v[i]);
		map_set(p->arena, &p->plan->by_id, chosen->v[i]->id, chosen->v[i]);
	}
}
