/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_build_cancel.c — `build cancel`: builds that nobody runs end in one commit; those that somebody runs are marked in it,
 * and looked at until they have ended, or their claim has. Another commit in between: all is read and decided again.
 * Texts: oc cancel-build (openshift.md §5.5).
 */
#include <string.h>

#include "buildexec/sys/clock.h"
#include "buildexec/sys/log.h"
#include "model/kind/settings.h"
#include "reconcile/build_look.h"
#include "reconcile/commands.h"
#include "reconcile/plan/bc_cancel.h"
#include "reconcile/record.h"
#include "reconcile/run_id.h"

enum { POLL_MS = 500, WAIT_MS = 120000, PIPELINE_MS = 300000 };
#define MARKED "marked for cancellation, waiting to be cancelled"

struct target {
	const char *owner; /* id of the build config */
	const char *ns, *name;
	int64_t number;
	bool is_marked; /* said so */
	bool is_over, is_pipeline;
};
struct cancel {
	struct context *context;
	VEC(struct target) targets;
	bool has_failed;
	int64_t begun_ms;
};

/* What a round does to one build. */
struct change {
	struct target *target;
	const struct state_entry *owner;
	struct build_config_status
		*status; /* as it will be, shared by builds of one build config */
	struct bc_build build;
	enum cancel_step step;
};
typedef VEC(struct change) change_vec;

static void say_failed(struct cancel *c, const char *ns, const char *name, const char *why)
{
	log_line(LOG_ERROR, "build %s/%s %s", ns, name, why);
	c->has_failed = true;
}

static void fail_target(struct cancel *c, struct target *target, const char *why)
{
	say_failed(c, target->ns, target->name, why);
	target->is_over = true;
}

static void say_done(struct cancel *c, const struct target *target, const char *what)
{
	buf_printf(&c->context->out, "build.build.openshift.io/%s %s\n", target->name, what);
	(void)context_flush(c->context, EXIT_DONE);
}

static int64_t now_of(const struct cancel *c)
{
	return c->context->now_s + (clock_mono_ms() - c->begun_ms) / 1000;
}

static bool is_wanted(const char *phases, const char *phase)
{
	size_t n = strlen(phase);

	for (const char *at = phases; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
		size_t n_word = strcspn(at, ",");

		if ((n_word == n && strncasecmp(at, phase, n) == 0) ||
		    (n_word == 3 && strncmp(at, "all", 3) == 0))
			return true;
	}
	return !phases;
}

static bool is_listed(const struct cancel *c, const char *owner, int64_t number)
{
	for (size_t i = 0; i < c->targets.n; i++)
		if (c->targets.v[i].number == number && strcmp(c->targets.v[i].owner, owner) == 0)
			return true;
	return false;
}

static bool has_ended(const struct build_ref *ref)
{
	const struct build_config_status *status = ref->owner->status;

	for (size_t i = 0; i < status->history.n; i++) {
		const struct bc_history_entry *entry =
			LIST_AT(status->history, struct bc_history_entry, i);

		if (entry->number == ref->number)
			return phase_is_terminal(phase_find(entry->phase));
	}
	return false;
}

/* One that has ended is passed over, which is said where it was named itself. */
static bool add_target(struct cancel *c, const struct build_ref *ref, bool is_named,
		       struct err *err)
{
	const char *name = build_ref_name(ref, c->context->arena);
	const struct node *document;
	struct bc_build build;

	if (!build_read_config(c->context, ref, &build, &document, err))
		return false;
	if (!document) {
		say_failed(c, ref->owner->ns, name, "has no record");
		return true;
	}
	if (phase_is_terminal(phase_find(build.phase))) {
		if (is_named)
			log_line(LOG_INFO, "build %s/%s has ended: %s", ref->owner->ns, name,
				 build.phase);
		return true;
	}
	if (is_wanted(c->context->options.bc.phases, build.phase) &&
	    !is_listed(c, ref->owner->id, ref->number))
		vec_push(c->context->arena, &c->targets,
			 (struct target){ .owner = ref->owner->id,
					  .ns = ref->owner->ns,
					  .name = name,
					  .number = ref->number,
					  .is_pipeline = build.spec.common.strategy.pipeline });
	return true;
}

static bool add_config(struct cancel *c, const struct build_word *word, struct err *err)
{
	const struct state_entry *owner;
	build_ref_vec builds = { 0 };

	if (!build_owner_find(c->context, word, &owner)) {
		c->has_failed = true;
		return true;
	}
	build_refs_of(c->context, owner, &builds);
	for (size_t i = 0; i < builds.n; i++)
		if (!has_ended(&builds.v[i]) && !add_target(c, &builds.v[i], false, err))
			return false;
	return true;
}

static bool add_word(struct cancel *c, const struct build_word *word, struct err *err)
{
	struct build_word build = *word;
	struct build_ref ref;

	if (word->kind == KIND_BUILD_CONFIG)
		return add_config(c, word, err);
	if (word->kind == KIND_NONE)
		build.kind = KIND_BUILD;
	if (!build_find(c->context, &build, &ref)) {
		c->has_failed = true;
		return true;
	}
	if (kind_has_builds(ref.owner->kind))
		return add_target(c, &ref, true, err);
	say_failed(c, ref.owner->ns, word->name,
		   "is of an Image: it ends with the run that makes it, which SIGINT stops");
	return true;
}

static bool has_live_claim(const struct cancel *c, const struct build_config_status *status,
			   const struct bc_build *build)
{
	const struct bc_attempt *last = status->last;
	const char *run_id = last && last->number == build->number && last->run_id ? last->run_id
										   : build->run_id;

	return build_lease_s(status, build) > now_of(c) &&
	       !run_id_is_dead(run_id, c->context->cache_dir, c->context->arena);
}

static struct build_config_status *status_to_change(const struct state_entry *owner,
						    const change_vec *changes, struct arena *arena)
{
	struct build_config_status *status;

	for (size_t i = 0; i < changes->n; i++)
		if (changes->v[i].owner == owner)
			return changes->v[i].status;
	status = ARENA_NEW(arena, struct build_config_status);
	*status = *(const struct build_config_status *)owner->status;
	return status;
}

/* To *changes what is to be recorded, to *seen what is not. */
static bool decide(struct cancel *c, struct target *target, change_vec *changes, change_vec *seen,
		   struct err *err)
{
	struct context *context = c->context;
	struct change change = { .target = target,
				 .owner = map_get(&context->state.state.by_id, target->owner) };
	struct build_ref ref = { change.owner, target->number };
	const struct node *document;

	if (!change.owner) {
		fail_target(c, target, "failed to cancel: its build config is gone");
		return true;
	}
	if (!build_read_config(context, &ref, &change.build, &document, err))
		return false;
	if (!document) {
		fail_target(c, target, "failed to cancel: its record is gone");
		return true;
	}
	change.step = cancel_decide(phase_find(change.build.phase),
				    has_live_claim(c, change.owner->status, &change.build),
				    change.build.is_cancelled);
	change.status = status_to_change(change.owner, changes, context->arena);
	if (change.step == CANCEL_OVER || change.step == CANCEL_WAIT) {
		vec_push(context->arena, seen, change);
		return true;
	}
	if (change.step == CANCEL_END)
		build_cancel(&change.build, change.status, now_of(c), context->arena);
	if (change.step == CANCEL_MARK)
		change.build.is_cancelled = true;
	vec_push(context->arena, changes, change);
	return true;
}

/* "BuildConfig/shop/cart: build #12 cancelled, build #13 marked for cancellation" */
static const char *line_of(const struct state_entry *owner, const change_vec *changes,
			   struct arena *arena)
{
	AUTO_BUF line = BUF_INIT(1 << 16);

	for (size_t i = 0; i < changes->n; i++)
		if (changes->v[i].owner == owner)
			buf_printf(&line, "%s build #%lld %s", line.len ? "," : ":",
				   (long long)changes->v[i].target->number,
				   changes->v[i].step == CANCEL_END ? "cancelled"
								    : "marked for cancellation");
	return arena_printf(arena, "%s%s", owner->id, buf_text(&line));
}

static const char *subject_of(const change_vec *changes, struct arena *arena)
{
	size_t n = 0;

	for (size_t i = 0; i < changes->n; i++)
		n += changes->v[i].step == CANCEL_END;
	if (!n)
		return arena_printf(arena, "%zu build%s marked for cancellation", changes->n,
				    changes->n == 1 ? "" : "s");
	return arena_printf(arena, "%zu build%s cancelled", n, n == 1 ? "" : "s");
}

static void fill(struct recorder *recorder, const struct change *change, const char *line,
		 struct arena *arena)
{
	const struct state_entry *owner = change->owner;
	struct object *object = ARENA_NEW(arena, struct object); /* its manifest is not needed */

	*object = (struct object){ .kind = owner->kind,
				   .id = owner->id,
				   .meta = { .name = owner->name, .ns = owner->ns } };
	recorder_put(recorder, object, &owner->origin, change->status, line);
	recorder_put_file(
		recorder, owner->id,
		bc_build_path(owner->kind, owner->ns, owner->name, change->target->number, arena),
		bc_build_encode(&change->build, arena));
}

/* ERR_CONFLICT: somebody else changed one of them; nothing is recorded, and what they wrote is read. */
static bool record(struct cancel *c, const change_vec *changes, struct err *err)
{
	struct context *context = c->context;
	struct recorder_spec spec;
	struct recorder *recorder;
	struct run_id run;
	bool is_done;

	if (!changes->n)
		return true;
	run_id_make(&run, context->now_s);
	if (!record_spec_make(context, run.text, &spec, err))
		return false;
	recorder = recorder_new(&spec);
	for (size_t i = 0; i < changes->n; i++)
		fill(recorder, &changes->v[i],
		     line_of(changes->v[i].owner, changes, context->arena), context->arena);
	is_done = recorder_flush(recorder, subject_of(changes, context->arena), true, NULL, err) &&
		  recorder_has_all(recorder, err);
	recorder_free(&recorder);
	return is_done;
}

static void report(struct cancel *c, const struct change *change)
{
	struct target *target = change->target;

	if (change->step == CANCEL_OVER && phase_find(change->build.phase) != PHASE_CANCELLED) {
		fail_target(c, target,
			    arena_printf(c->context->arena, "failed to cancel: it has ended as %s",
					 change->build.phase));
		return;
	}
	if (!target->is_marked)
		say_done(c, target, MARKED);
	target->is_marked = true;
	if (change->step == CANCEL_MARK || change->step == CANCEL_WAIT)
		return;
	say_done(c, target, "cancelled");
	target->is_over = true;
}

/* Decides and records what is still to do, as often as others are faster. */
static bool advance(struct cancel *c, struct err *err)
{
	for (int64_t left = c->context->settings->push_retries;; left--) {
		change_vec changes = { 0 }, seen = { 0 };

		for (size_t i = 0; i < c->targets.n; i++)
			if (!c->targets.v[i].is_over &&
			    !decide(c, &c->targets.v[i], &changes, &seen, err))
				return false;
		if (record(c, &changes, err)) {
			for (size_t i = 0; i < changes.n; i++)
				report(c, &changes.v[i]);
			for (size_t i = 0; i < seen.n; i++)
				report(c, &seen.v[i]);
			return true;
		}
		if (err->kind != ERR_CONFLICT || left <= 0)
			return false;
		*err = (struct err){ 0 };
	}
}

static bool read_again(struct context *context, struct err *err)
{
	struct state_files fresh;
	const char *before = context->state.state.commit;

	if (!store_refresh(context->store, err))
		return false;
	if (before && strcmp(store_commit_id(context->store)->hex, before) == 0)
		return true;
	if (!state_read(context->store, context->arena, &fresh, err))
		return false;
	state_files_replace(&context->state, &fresh, context->arena);
	return true;
}

/* Gives up on those that took too long; true while there are others. */
static bool is_waiting(struct cancel *c)
{
	const int64_t waited_ms = clock_mono_ms() - c->begun_ms;
	bool any = false;

	for (size_t i = 0; i < c->targets.n; i++) {
		struct target *target = &c->targets.v[i];

		if (target->is_over)
			continue;
		if (waited_ms >= (target->is_pipeline ? PIPELINE_MS : WAIT_MS))
			fail_target(c, target,
				    "failed to cancel: it is marked, but the run that builds it "
				    "has not ended it yet; look again with 'reconcile build "
				    "status'");
		else
			any = true;
	}
	return any;
}

static bool cancel_all(struct cancel *c, struct err *err)
{
	if (!advance(c, err))
		return false;
	while (!c->context->options.bc.is_no_wait && is_waiting(c)) {
		clock_sleep_ms(POLL_MS);
		if (!read_again(c->context, err) || !advance(c, err))
			return false;
	}
	return true;
}

int cmd_build_cancel(struct context *context)
{
	const struct strings *args = &context->options.args;
	struct cancel c = { .context = context, .begun_ms = clock_mono_ms() };
	struct build_word *words = arena_array(context->arena, args->n, sizeof(*words));
	struct err err = { 0 };
	int code;

	for (size_t i = 0; i < args->n; i++)
		if (!build_word_parse(args->v[i], context->arena, &words[i], &err))
			return context_fail(&err, EXIT_USAGE);
	code = context_read_state(context);
	if (code != EXIT_DONE)
		return code;
	for (size_t i = 0; i < args->n; i++)
		if (!add_word(&c, &words[i], &err))
			return context_fail(&err, EXIT_ERROR);
	if (!cancel_all(&c, &err))
		return context_fail(&err, EXIT_STATE);
	return c.has_failed ? EXIT_ERROR : EXIT_DONE;
}
