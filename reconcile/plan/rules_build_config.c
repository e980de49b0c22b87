/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules_build_config.c — is a build config to be built, and can it be now? First the facts are gathered as bits, then the first
 * row of the table that holds decides, then one function per verdict fills the step. See rules_build_config.h.
 */
#include "reconcile/plan/rules_build_config.h"

#include <inttypes.h>
#include <string.h>

#include "model/kind/build_name.h"
#include "model/kind/build_phase.h"
#include "reconcile/plan/run_policy.h"

/* clang-format off */
static const struct build_config_rule build_config_rules[] = { /* the first row that holds decides */
	{ "B0",  BC_CHANGED,            0, BC_IMMUTABLE, "it was built, and its spec is another one now" },
	{ "B1",  BC_PAUSED | BC_ASKED,  0, BC_REFUSE,    "a build was asked for, and the build config is paused" },
	{ "B2",  BC_PAUSED,             0, BC_REST,      "the build config is paused" },
	{ "B3",  BC_UNSENT | BC_ASKED,  0, BC_NO_BINARY, "a build was asked for, and its source was not sent along" },
	{ "B4",  BC_UNSENT,             0, BC_BINARY,    "only a start that sends its source builds it" },
	{ "B5",  BC_RUNNING,            0, BC_WAIT,      "a build is running" },
	{ "B6",  BC_FORBIDDEN, BC_WANTED,  BC_FORBID,    "its strategy needs a setting" },
	{ "B7",  BC_SOURCE_FAILED, BC_WANTED | BC_FOLLOWS,
					   BC_UNREADY,   "the source cannot be resolved" },
	{ "B8",  BC_SENT | BC_LACKING,  0, BC_FAIL,      "what it names is not there, and what was sent cannot wait" },
	{ "B9",  BC_LACKING,    BC_WANTED, BC_NEW_BUILD, "what it names is not there" },
	{ "B10", BC_ASKED,              0, BC_MAKE,      "a build was asked for" },
	{ "B11", BC_FIRED,              0, BC_MAKE,      "a trigger fired" },
	{ "B12", BC_NEW,                0, BC_RESUME,    "what a new build waited for is there" },
	{ "B13", BC_FORCED,             0, BC_RETRY,     "failed builds are to be tried again" },
	{ "B14", BC_RETRIED,            0, BC_RETRY,     "the last build failed, but not by itself" },
	{ "B15", BC_LAST_FAILED,        0, BC_FAILED,    "the last build failed and nothing triggered one since" },
	{ "B16", 0,                     0, BC_CURRENT,   "nothing triggers a build" },
};
/* clang-format on */

const struct build_config_rule *build_config_rule_find(unsigned facts)
{
	for (size_t i = 0;; i++) {
		const struct build_config_rule *rule = &build_config_rules[i];

		if ((facts & rule->all) == rule->all && (!rule->any || (facts & rule->any)))
			return rule;
	}
}

const char *build_config_rule_text(const char *rule)
{
	for (size_t i = 0; i < COUNTOF(build_config_rules); i++) {
		if (strcmp(build_config_rules[i].id, rule) == 0)
			return build_config_rules[i].why;
	}
	return NULL;
}

static const char *name_of(const struct configuring *c, int64_t number)
{
	return config_build_name(c->step, number, c->p->arena);
}

static void set_ready(struct configuring *c, const char *status, const char *reason,
		      const char *message)
{
	c->status->conditions =
		config_ready(c->old ? &c->old->conditions : &(struct list){ 0 }, status, reason,
			     message, c->p->options.now_s, c->p->arena);
}

/* ---- what became of earlier builds ---- */

static bool is_active(const struct bc_history_entry *entry)
{
	enum build_phase phase = phase_find(entry->phase);

	return phase == PHASE_PENDING || phase == PHASE_RUNNING;
}

static void end_entry(struct configuring *c, const struct bc_history_entry *entry,
		      enum build_phase phase, const char *reason)
{
	struct bc_history_entry ended = *entry;

	ended.phase = phase_name(phase);
	ended.reason = reason;
	ended.finished_s = c->p->options.now_s;
	ended.lease_s = 0;
	ended.run_id = NULL;
	c->status->history = config_history_put(&c->status->history, &ended, c->p->arena);
}

/* A claim whose lease ran out: whoever held it is gone. Its build counts as a failure that was not its own. */
static void interrupt(struct configuring *c, const struct bc_history_entry *entry)
{
	const struct bc_attempt *last = c->status->last;
	struct bc_attempt *ended;

	end_entry(c, entry, PHASE_ERROR, "BuildPodDeleted");
	step_mark(c->step, (struct build_mark){ .number = entry->number }, c->p->arena);
	if (!last || last->number != entry->number)
		return;
	ended = ARENA_NEW(c->p->arena, struct bc_attempt);
	*ended = *last;
	ended->failure = err_kind_name(ERR_CANCELLED);
	ended->lease_s = 0;
	ended->tries++;
	c->status->last = ended;
}

static bool has_lease(const struct configuring *c, const struct bc_history_entry *entry)
{
	const struct bc_attempt *last = c->status->last;
	int64_t lease_s = entry->lease_s;

	if (last && last->number == entry->number && last->lease_s > lease_s)
		lease_s = last->lease_s;
	return lease_s > c->p->options.now_s;
}

/* A New build that another takes the place of. */
static void cancel(struct configuring *c, const struct bc_history_entry *entry, int64_t by)
{
	const char *why = arena_printf(c->p->arena, "superseded by build %" PRId64, by);

	end_entry(c, entry, PHASE_CANCELLED, "CancelledBuild");
	step_mark(c->step,
		  (struct build_mark){
			  .number = entry->number, .end = END_CANCELLED, .message = why },
		  c->p->arena);
}

/* Only the newest build waits: an older one would hold up all others. */
static void look_at_history(struct configuring *c)
{
	const struct list history = c->status->history;
	const struct bc_attempt *last = c->status->last;

	for (size_t i = 0; i < history.n; i++) {
		const struct bc_history_entry *entry = LIST_AT(history, struct bc_history_entry, i);

		if (is_active(entry) && has_lease(c, entry))
			c->active = entry;
		else if (is_active(entry))
			interrupt(c, entry);
		else if (phase_find(entry->phase) != PHASE_NEW)
			continue;
		else if (last && last->number == entry->number)
			c->waiting = entry;
		else
			cancel(c, entry, c->status->last_version);
	}
	if (c->waiting)
		c->facts |= BC_NEW;
}

/* By its record: a build that was cancelled while it waited has no failure. */
static bool has_ended_badly(const struct configuring *c, const struct bc_attempt *last)
{
	const struct list *history = &c->status->history;

	for (size_t i = 0; i < history->n; i++) {
		const struct bc_history_entry *entry =
			LIST_AT(*history, struct bc_history_entry, i);
		enum build_phase phase = phase_find(entry->phase);

		if (entry->number == last->number)
			return phase_is_terminal(phase) && phase != PHASE_COMPLETE;
	}
	return false;
}

static void look_at_past(struct configuring *c)
{
	const struct bc_attempt *last = c->status->last;

	if (!last || (!(last->failure && last->failure[0]) && !has_ended_badly(c, last)))
		return;
	c->facts |= BC_LAST_FAILED;
	if (last->is_once)
		return;
	if (c->p->options.retry_failed)
		c->facts |= BC_FORCED;
	if (failure_is_foreign(last->failure) && last->tries <= c->p->model->settings->retries)
		c->facts |= BC_RETRIED;
}

/* ---- what may run ---- */

static void look_at_settings(struct configuring *c)
{
	const struct settings *settings = c->p->model->settings;
	const struct build_strategy *strategy = &c->common->strategy;

	if (strategy->pipeline && !settings->jenkins.url)
		c->forbidden =
			"a JenkinsPipeline strategy runs on a Jenkins server: jenkins.url is "
			"not set in trusted settings (--settings FILE)";
	else if (strategy->custom && !settings->builds.allow_custom)
		c->forbidden = "a Custom strategy runs an image with rights of its own: "
			       "builds.custom is not set in trusted settings (--settings FILE)";
	else if (strategy->custom && strategy->custom->has_docker_socket &&
		 !settings->builds.docker_socket)
		c->forbidden = "exposeDockerSocket: builds.dockerSocket is not set in trusted "
			       "settings (--settings FILE)";
	if (c->forbidden)
		c->facts |= BC_FORBIDDEN;
}

static int64_t next_number(const struct configuring *c)
{
	int64_t number = c->status->last_version;

	if (c->status->last && c->status->last->number > number)
		number = c->status->last->number;
	return state_last_number(c->p->state, c->step->id, number) + 1;
}

/* A newer cause takes the place of a build that is still New. */
static bool is_superseding(const struct configuring *c)
{
	return c->waiting && (c->facts & (BC_ASKED | BC_FIRED));
}

/* Asks the run policy whether the build to be made would start now. */
static void look_at_policy(struct configuring *c)
{
	struct list queue = c->status->history;
	struct bc_history_entry one = { .phase = phase_name(PHASE_NEW),
					.policy = c->spec->run_policy };
	struct run_decision decision;

	c->number = c->waiting && !is_superseding(c) ? c->waiting->number : next_number(c);
	one.number = c->number;
	if (is_superseding(c)) {
		struct bc_history_entry gone = *c->waiting;

		gone.phase = phase_name(PHASE_CANCELLED);
		queue = config_history_put(&queue, &gone, c->p->arena);
	}
	queue = config_history_put(&queue, &one, c->p->arena);
	decision = run_policy_decide(&queue, c->p->arena);
	for (size_t i = 0; i < decision.start.n; i++) {
		if (decision.start.v[i] == c->number)
			return;
	}
	c->facts |= BC_RUNNING;
}

/* ---- verdicts ---- */

static void block(struct configuring *c, struct stop stop, const char *why)
{
	c->step->changes = (struct changes){ 0 };
	step_block(c->step, stop, why);
}

static void do_immutable(struct configuring *c)
{
	block(c, (struct stop){ ERR_INVALID, true },
	      arena_printf(c->p->arena,
			   "Build.build.openshift.io \"%s\" is invalid: spec: spec is immutable; "
			   "a Build runs once: give the changed one another name",
			   c->step->name));
}

static void do_refuse(struct configuring *c)
{
	block(c, (struct stop){ ERR_INVALID, true },
	      arena_printf(c->p->arena,
			   "can't instantiate from BuildConfig %s/%s: BuildConfig is paused",
			   c->step->ns, c->step->name));
}

/* As it is recorded: nothing is looked into while nothing can be built. */
static void do_rest(struct configuring *c)
{
	c->step->action = ACTION_RESOLVE;
	c->step->summary = "status";
	c->step->changes = (struct changes){ 0 };
}

static void do_no_binary(struct configuring *c)
{
	block(c, (struct stop){ ERR_INVALID, true },
	      arena_printf(c->p->arena,
			   "a build of BuildConfig %s/%s needs its source sent along: give "
			   "--from-dir, --from-file, --from-archive or --from-repo",
			   c->step->ns, c->step->name));
}

static void do_wait(struct configuring *c)
{
	int64_t number = c->active ? c->active->number : c->status->last_version;

	block(c, (struct stop){ ERR_NONE, false },
	      arena_printf(c->p->arena, "Build '%s' is executing", name_of(c, number)));
}

static void do_forbid(struct configuring *c)
{
	set_ready(c, COND_FALSE, "NotAllowed", c->forbidden);
	block(c, (struct stop){ ERR_DENIED, false }, c->forbidden);
}

static void do_unready(struct configuring *c)
{
	set_ready(c, COND_UNKNOWN, "FetchSourceFailed", c->git.why);
	block(c, (struct stop){ c->git.why_kind, true }, c->git.why);
}

static void supersede(struct configuring *c)
{
	if (is_superseding(c))
		cancel(c, c->waiting, c->number);
}

/* The build has a number and a record, and does not run. */
static void keep_build(struct configuring *c, enum build_phase phase)
{
	const char *reason = c->lacking.reason;
	bool is_known = c->waiting && c->waiting->number == c->number;
	struct bc_history_entry entry;
	struct build_config_status *status;
	struct bc_build *build;

	supersede(c);
	if (is_known && !(c->facts & (BC_ASKED | BC_FIRED)))
		config_causes_again(c);
	config_make(c);
	build = c->step->build;
	build->reason = reason;
	build->message = reason_message(reason);
	if (phase_is_terminal(phase))
		build->finished_s = c->p->options.now_s;
	bc_build_set_phase(build, phase_name(phase), c->p->options.now_s, c->p->arena);
	entry = bc_history_of(build, c->p->arena);
	if (is_known) {
		/* What fired then is what it waits with; only why it waits may be another reason. */
		entry = *c->waiting;
		entry.reason = reason;
		c->status->history = config_history_put(&c->status->history, &entry, c->p->arena);
	} else {
		status = ARENA_NEW(c->p->arena, struct build_config_status);
		*status = *c->step->begun;
		status->history = config_history_put(&status->history, &entry, c->p->arena);
		c->status = status;
		c->step->status = status;
	}
	set_ready(c, phase_is_terminal(phase) ? COND_FALSE : COND_UNKNOWN, reason, c->lacking.why);
}

static void do_new(struct configuring *c)
{
	keep_build(c, PHASE_NEW);
	block(c, (struct stop){ ERR_ABSENT, false },
	      arena_printf(c->p->arena, "Build '%s' waits: %s", c->step->build_name,
			   c->lacking.why));
}

static void do_fail(struct configuring *c)
{
	struct bc_attempt *last = ARENA_NEW(c->p->arena, struct bc_attempt);

	keep_build(c, PHASE_FAILED);
	*last = *c->status->last;
	last->failure = "build";
	c->status->last = last;
	c->step->build->failure = last->failure;
	block(c, (struct stop){ ERR_INVALID, true },
	      arena_printf(c->p->arena, "Build '%s' failed: %s", c->step->build_name,
			   c->lacking.why));
}

static const char *failure_message(const struct configuring *c)
{
	const struct condition *said = c->old ? condition_find(&c->old->conditions, "Ready") : NULL;

	if (said && text_equal(said->status, COND_FALSE) && !c->step->marks.n)
		return said->message;
	return arena_printf(c->p->arena, "Error: Build '%s' in namespace '%s' failed: %s",
			    name_of(c, c->status->last->number), c->step->ns,
			    c->step->marks.n           ? "interrupted"
			    : c->status->last->failure ? c->status->last->failure
						       : "it was cancelled");
}

static void do_make(struct configuring *c)
{
	struct step *step = c->step;

	supersede(c);
	config_make(c);
	step->action = ACTION_BUILD;
	step->summary = arena_printf(c->p->arena, "build #%" PRId64, c->number);
	for (size_t i = 0; i < c->waits.n; i++)
		step_wait_for(step, c->waits.v[i], c->p->arena);
	for (size_t i = 0; i < c->unknown.n; i++)
		step_unknown(step, c->unknown.v[i], c->p->arena);
	if (c->common->source.git && !c->git.built && !(c->start && c->start->binary))
		step_unknown(step, "source.git.commit", c->p->arena);
	if (!c->old)
		set_ready(c, COND_UNKNOWN, "NeverBuilt", NULL);
	else if (c->status->last != c->old->last && c->status->last && c->status->last->failure)
		set_ready(c, COND_FALSE, "BuildFailed", failure_message(c));
}

static void do_resume(struct configuring *c)
{
	config_causes_again(c);
	do_make(c);
}

static void do_nothing(struct configuring *c)
{
	const struct condition *said = c->old ? condition_find(&c->old->conditions, "Ready") : NULL;

	do_rest(c);
	if (c->facts & BC_LAST_FAILED) {
		if (!said || !text_equal(said->status, COND_FALSE) || c->step->marks.n)
			set_ready(c, COND_FALSE, "BuildFailed", failure_message(c));
	} else if (c->status->last && !c->active) {
		set_ready(c, COND_TRUE, "Complete", NULL);
	} else if (!c->old) {
		c->step->status = NULL; /* there is nothing to record of it */
	}
}

static void (*const verdicts[BC_VERDICTS])(struct configuring *c) = {
	[BC_CURRENT] = do_nothing,     [BC_REFUSE] = do_refuse,   [BC_REST] = do_rest,
	[BC_NO_BINARY] = do_no_binary, [BC_BINARY] = do_nothing,  [BC_WAIT] = do_wait,
	[BC_FORBID] = do_forbid,       [BC_UNREADY] = do_unready, [BC_FAIL] = do_fail,
	[BC_NEW_BUILD] = do_new,       [BC_MAKE] = do_make,       [BC_RESUME] = do_resume,
	[BC_RETRY] = do_resume,        [BC_FAILED] = do_nothing,  [BC_IMMUTABLE] = do_immutable,
};

static const struct build_start *start_of(const struct planner *p, const char *id)
{
	const struct list *starts = p->options.starts;

	for (size_t i = 0; starts && i < starts->n; i++) {
		const struct build_start *start = LIST_AT(*starts, struct build_start, i);

		if (strcmp(start->id, id) == 0)
			return start;
	}
	return NULL;
}

static void look_at_object(struct configuring *c)
{
	c->common = c->start && c->start->clone ? &c->start->clone->spec.common : &c->spec->common;
	c->digest = config_digest(c->spec, c->step->ns, c->p->arena);
	if (c->step->kind == KIND_BUILD_CONFIG && build_config_is_paused(&c->step->object->meta))
		c->facts |= BC_PAUSED;
	if (c->spec->common.source.binary && !(c->start && (c->start->binary || c->start->clone)))
		c->facts |= BC_UNSENT;
	if (c->start && c->start->binary)
		c->facts |= BC_SENT;
	if (config_follows_commits(c->step->object))
		c->facts |= BC_FOLLOWS;
}

void rule_build_config(struct planner *p, struct step *step)
{
	struct configuring *c = ARENA_NEW(p->arena, struct configuring);
	const struct build_config_rule *rule;

	c->p = p;
	c->step = step;
	c->spec = step->object->spec;
	c->old = recorded_status(p, step->object);
	c->status = ARENA_NEW(p->arena, struct build_config_status);
	if (c->old)
		*c->status = *c->old;
	step->status = c->status;
	c->start = start_of(p, step->id);
	look_at_history(c);
	look_at_object(c);
	look_at_settings(c);
	config_resolve(c);
	config_look_for_causes(c);
	look_at_past(c);
	look_at_policy(c);
	if (c->start && c->start->binary)
		c->facts &= ~(unsigned)BC_SOURCE_FAILED;
	rule = build_config_rule_find(c->facts);
	step->rule = rule->id;
	verdicts[rule->verdict](c);
	if (!c->old && step->status == c->status && !c->status->last && !c->status->conditions.n)
		step->status = NULL; /* nothing is known of it that could be recorded */
}

static bool is_webhook(const char *type)
{
	return type && strcmp(type, TRIGGER_IMAGE_CHANGE) != 0 &&
	       strcmp(type, TRIGGER_CONFIG_CHANGE) != 0;
}

static bool add_webhooks(const struct build_config_spec *spec, struct strings *types,
			 struct arena *arena)
{
	bool has_any = false;

	for (size_t i = 0; i < spec->triggers.n; i++) {
		const char *type = LIST_AT(spec->triggers, struct build_trigger, i)->type;

		if (!is_webhook(type))
			continue;
		has_any = true;
		if (!strings_has(types, type))
			vec_push(arena, types, type);
	}
	return has_any;
}

/* "BuildConfig/shop/cart", or "12 objects" */
static const char *whose(const struct strings *ids, struct arena *arena)
{
	return ids->n == 1 ? ids->v[0] : arena_printf(arena, "%zu objects", ids->n);
}

void config_notices(struct planner *p)
{
	struct strings types = { 0 }, hooked = { 0 }, selecting = { 0 };

	for (size_t i = 0; i < p->plan->steps.n; i++) {
		const struct step *step = p->plan->steps.v[i];
		const struct build_common *common;

		if (!kind_has_builds(step->kind) || !step->object)
			continue;
		common = step->object->spec;
		if (step->kind == KIND_BUILD_CONFIG &&
		    add_webhooks(step->object->spec, &types, p->arena))
			vec_push(p->arena, &hooked, step->id);
		if (step->kind == KIND_BUILD && common->source.binary)
			vec_push(p->arena, &p->plan->notices,
				 arena_printf(p->arena,
					      "%s has a Binary source, which is sent along with a "
					      "start of a build config: it is not run",
					      step->id));
		if (common->node_selector.n)
			vec_push(p->arena, &selecting, step->id);
	}
	if (hooked.n)
		vec_push(p->arena, &p->plan->notices,
			 arena_printf(p->arena,
				      "%s trigger%s of %s %s served by the CI that runs reconcile",
				      strings_join(&types, ", ", p->arena), types.n > 1 ? "s" : "",
				      whose(&hooked, p->arena), types.n > 1 ? "are" : "is"));
	if (selecting.n)
		vec_push(p->arena, &p->plan->notices,
			 arena_printf(p->arena,
				      "nodeSelector of %s is accepted and ignored: builds run on "
				      "this machine",
				      whose(&selecting, p->arena)));
}
