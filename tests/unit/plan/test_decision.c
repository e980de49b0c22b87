/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_decision.c — the decision about an image, exhaustively: every set of facts against the documented order of gates,
 * and every combination of what can have happened in the world against the rule of design §5, computed here anew.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/kind/settings.h"
#include "reconcile/plan/rules_image.h"

#define FACTS 17

/* The gates in words: kpack.md §1.1, §1.2 and §1.11, then what is left to do. */
static enum image_verdict documented(unsigned facts)
{
	if (facts & IMAGE_TAG_CHANGED)
		return VERDICT_REFUSED;
	if (facts & IMAGE_BUILDER_MISSING)
		return VERDICT_NO_BUILDER;
	if (facts & IMAGE_RUNNING)
		return VERDICT_RUNNING;
	if (facts & IMAGE_BUILDER_UNREADY)
		return VERDICT_BUILDER_UNREADY;
	if (facts & IMAGE_SOURCE_UNREADY)
		return VERDICT_SOURCE_UNREADY;
	if (facts & IMAGE_UNDECIDABLE)
		return VERDICT_UNDECIDABLE;
	if (facts & IMAGE_BINDINGS_BAD)
		return VERDICT_BINDINGS_BAD;
	if (facts & IMAGE_WATCH_BAD)
		return VERDICT_WATCH_BAD;
	if (facts & IMAGE_NEVER_BUILT)
		return VERDICT_BUILD;
	if (facts & IMAGE_CHANGED)
		return (facts & IMAGE_ONLY_STACK) && (facts & IMAGE_MAY_REBASE) ? VERDICT_REBASE
										: VERDICT_BUILD;
	if (facts & IMAGE_LAST_FAILED) {
		bool is_bounded = (facts & IMAGE_LAST_FOREIGN) && (facts & IMAGE_TRIES_LEFT);

		if ((facts & IMAGE_RETRY_FORCED) || is_bounded)
			return VERDICT_RETRY;
	}
	if (facts & IMAGE_TAGS_MISSING)
		return VERDICT_TAG;
	return facts & IMAGE_LAST_FAILED ? VERDICT_FAILED : VERDICT_CURRENT;
}

static void test_rules__decide_every_set_of_facts_as_documented(void **state)
{
	bool is_reached[VERDICTS] = { false };

	(void)state;
	for (unsigned facts = 0; facts < 1u << FACTS; facts++) {
		const struct image_rule *rule = image_rule_find(facts);

		if (rule->verdict != documented(facts))
			fail_msg("facts 0x%x: rule %s gives verdict %d, documented is %d", facts,
				 rule->id, (int)rule->verdict, (int)documented(facts));
		is_reached[rule->verdict] = true;
		assert_non_null(rule_text(rule->id));
	}
	for (size_t i = 0; i < VERDICTS; i++)
		assert_true(is_reached[i]);
}

enum happening {
	HAS_LAST = 1u << 0,
	LAST_FAILED = 1u << 1,
	LAST_FOREIGN = 1u << 2,
	TRIES_LEFT = 1u << 3,
	RETRY_FORCED = 1u << 4,
	SOURCE_MOVED = 1u << 5,
	CONFIG_CHANGED = 1u << 6,
	BUILDPACK_GONE = 1u << 7,
	RUN_IMAGE_MOVED = 1u << 8,
	LIFECYCLE_CHANGED = 1u << 9,
	STACK_ID_CHANGED = 1u << 10,
	TRIGGERED = 1u << 11,
	HAPPENINGS = 12,
};

struct expected {
	char reasons[64];
	enum action action;
};

static void add(struct expected *e, const char *name)
{
	size_t n = strlen(e->reasons);

	snprintf(e->reasons + n, sizeof(e->reasons) - n, "%s%s", n ? "," : "", name);
}

/*
 * The failed attempt was given a commit that the last success did not have, and the same builder. A new builder image
 * comes with every change of buildpacks, run image or lifecycle.
 */
static struct expected expect(unsigned w)
{
	struct expected e = { .reasons = "", .action = ACTION_NONE };
	bool is_failed = w & LAST_FAILED;

	if (!(w & HAS_LAST)) {
		add(&e, "CONFIG");
		e.action = ACTION_BUILD;
		return e;
	}
	if (w & TRIGGERED)
		add(&e, "TRIGGER");
	if (w & SOURCE_MOVED)
		add(&e, "COMMIT");
	if (w & CONFIG_CHANGED)
		add(&e, "CONFIG");
	if ((w & BUILDPACK_GONE) && (!is_failed || !(w & (RUN_IMAGE_MOVED | LIFECYCLE_CHANGED))))
		add(&e, "BUILDER");
	if (w & RUN_IMAGE_MOVED)
		add(&e, "STACK");
	if (w & LIFECYCLE_CHANGED)
		add(&e, "LIFECYCLE");
	if (e.reasons[0]) {
		bool is_rebase =
			!is_failed && strcmp(e.reasons, "STACK") == 0 && !(w & STACK_ID_CHANGED);

		e.action = is_rebase ? ACTION_REBASE : ACTION_BUILD;
		return e;
	}
	if (is_failed && ((w & RETRY_FORCED) || ((w & LAST_FOREIGN) && (w & TRIES_LEFT)))) {
		add(&e, "COMMIT");
		e.action = ACTION_BUILD;
	}
	return e;
}

#define DIGEST(c)                                                                                  \
	"@sha256:" c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c \
		c c c c c c c c c c c c c c c c c c c c c c c c

struct world {
	struct arena *arena;
	struct model model;
	struct state state;
	struct facts facts;
	struct object image, builder;
	struct image_spec spec;
	struct builder_spec builder_spec;
	struct state_entry image_entry, builder_entry;
	struct image_status image_status;
	struct builder_status builder_status;
	struct attempt last, success;
	struct settings settings;
	struct strings triggers;
	struct git_source git, old_git, success_git;
	struct condition ready;
	struct buildpack_id used, offered;
	struct env_var env;
};

static void object_add(struct world *w, struct object *object, const char *id)
{
	object->id = id;
	vec_push(w->arena, &w->model.objects, object);
	map_set(w->arena, &w->model.by_id, id, object);
}

static void state_add(struct world *w, struct state_entry *entry, enum kind kind, const char *id,
		      const void *status)
{
	*entry = (struct state_entry){ .kind = kind, .id = id, .status = status };
	map_set(w->arena, &w->state.by_id, id, entry);
}

static void builder_make(struct world *w, unsigned bits)
{
	bool is_new = bits & (BUILDPACK_GONE | RUN_IMAGE_MOVED | LIFECYCLE_CHANGED);

	w->ready = (struct condition){ .type = "Ready", .status = "True" };
	w->offered = (struct buildpack_id){ .id = "a/node",
					    .version = bits & BUILDPACK_GONE ? "2.0.0" : "1.0.0" };
	w->builder_status = (struct builder_status){
		.conditions = { &w->ready, 1 },
		.latest_image = is_new ? "r.io/b" DIGEST("2") : "r.io/b" DIGEST("1"),
		.buildpacks = { &w->offered, 1 },
		.stack_id = bits & STACK_ID_CHANGED ? "new" : "old",
		.stack_run_image =
			bits & RUN_IMAGE_MOVED ? "r.io/run" DIGEST("4") : "r.io/run" DIGEST("3"),
		.lifecycle_version = bits & LIFECYCLE_CHANGED ? "2" : "1",
		.ready_made = { "r.io/b", is_new ? "r.io/b" DIGEST("2") : "r.io/b" DIGEST("1") },
	};
	w->builder_spec.image = "r.io/b";
	w->builder = (struct object){ .kind = KIND_CLUSTER_BUILDER,
				      .meta = { .name = "b", .ns = "" },
				      .spec = &w->builder_spec };
	object_add(w, &w->builder, "ClusterBuilder/b");
	state_add(w, &w->builder_entry, KIND_CLUSTER_BUILDER, "ClusterBuilder/b",
		  &w->builder_status);
}

static struct attempt attempt_make(struct world *w, const struct git_source *git)
{
	return (struct attempt){ .number = 1,
				 .result = "Succeeded",
				 .reason = "CONFIG",
				 .source = { .git = (struct git_source *)(uintptr_t)git },
				 .git_revision = "main",
				 .builder = "b",
				 .builder_kind = "ClusterBuilder",
				 .builder_image = "r.io/b" DIGEST("1"),
				 .run_image = "r.io/run" DIGEST("3"),
				 .stack_id = "old",
				 .lifecycle_version = "1",
				 .buildpacks = { &w->used, 1 },
				 .image = "r.io/app" DIGEST("5") };
}

static void past_make(struct world *w, unsigned bits)
{
	w->used = (struct buildpack_id){ .id = "a/node", .version = "1.0.0" };
	w->old_git = (struct git_source){ .url = "https://g.io/app", .revision = "aaa" };
	w->success_git = (struct git_source){ .url = "https://g.io/app", .revision = "sss" };
	if (!(bits & HAS_LAST))
		return;
	w->last = attempt_make(w, &w->old_git);
	w->success = attempt_make(w, &w->success_git);
	w->image_status = (struct image_status){ .build_counter = 1, .last = &w->last };
	if (bits & LAST_FAILED) {
		w->last.number = 2;
		w->last.result = "Failed";
		w->last.reason = "COMMIT";
		w->last.failure = bits & LAST_FOREIGN ? "transient" : "build";
		w->last.tries = bits & TRIES_LEFT ? 1 : 4;
		w->last.buildpacks.n = 0;
		w->image_status.last_success = &w->success;
		w->image_status.build_counter = 2;
	}
	state_add(w, &w->image_entry, KIND_IMAGE, "Image/n/app", &w->image_status);
}

static void image_make(struct world *w, unsigned bits)
{
	struct fact *fact = ARENA_NEW(w->arena, struct fact);

	w->git = (struct git_source){ .url = "https://g.io/app", .revision = "main" };
	w->spec = (struct image_spec){ .tag = "r.io/app",
				       .builder = { .kind = "ClusterBuilder", .name = "b" },
				       .failed_limit = 10,
				       .success_limit = 10,
				       .source = { .git = &w->git } };
	w->env = (struct env_var){ .name = "A", .value = "1" };
	if (bits & CONFIG_CHANGED)
		w->spec.build.env = (struct list){ &w->env, 1 };
	w->image = (struct object){ .kind = KIND_IMAGE,
				    .meta = { .name = "app", .ns = "n" },
				    .spec = &w->spec };
	object_add(w, &w->image, "Image/n/app");
	fact->is_known = true;
	fact->commit = bits & SOURCE_MOVED ? "bbb" : "aaa";
	map_set(w->arena, &w->facts.by_key,
		query_key_git("https://g.io/app", "main", NULL, NULL, w->arena), fact);
}

static void check(unsigned bits)
{
	struct world w = { .arena = arena_new(), .settings = { .retries = 3 } };
	struct expected e = expect(bits);
	struct plan_options options = { .now_s = 1000000,
					.run_id = "r",
					.triggers = &w.triggers,
					.retry_failed = bits & RETRY_FORCED };
	const struct step *step;
	struct plan plan;
	const char *reasons;

	w.model.settings = &w.settings;
	builder_make(&w, bits);
	image_make(&w, bits);
	past_make(&w, bits);
	if (bits & TRIGGERED)
		vec_push(w.arena, &w.triggers, "Image/n/app");
	plan_make(&w.model, &w.state, &w.facts, &options, w.arena, &plan);
	step = map_get(&plan.by_id, "Image/n/app");
	reasons = changes_reasons(&step->changes, w.arena);
	if (strcmp(reasons, e.reasons) != 0 ||
	    (step->action != e.action &&
	     !(e.action == ACTION_NONE && step->action == ACTION_RESOLVE)))
		fail_msg("world 0x%x: '%s' %s (%s), expected '%s' %s", bits, reasons,
			 action_name(step->action), step->rule, e.reasons, action_name(e.action));
	if (e.action != ACTION_NONE) {
		assert_non_null(step->build_key);
		assert_int_equal(step->number, w.image_status.build_counter + 1);
		assert_string_equal(step->inputs->reason, reasons);
	}
	arena_free(w.arena);
}

static void test_images__are_decided_as_documented_whatever_happened(void **state)
{
	(void)state;
	for (unsigned bits = 0; bits < 1u << HAPPENINGS; bits++)
		check(bits);
}

/* kpack.md §1.3, last note: a success without a readable run image makes the decision an error. */
static void test_images__are_not_decided_without_a_readable_run_image(void **state)
{
	struct world w = { .arena = arena_new(), .settings = { .retries = 3 } };
	struct plan_options options = { .now_s = 1000000 };
	const struct step *step;
	struct plan plan;

	(void)state;
	w.model.settings = &w.settings;
	builder_make(&w, 0);
	image_make(&w, HAS_LAST);
	past_make(&w, HAS_LAST);
	w.last.run_image = "";
	w.builder_status.stack_run_image = "NO REFERENCE";
	plan_make(&w.model, &w.state, &w.facts, &options, w.arena, &plan);
	step = map_get(&plan.by_id, "Image/n/app");
	assert_string_equal(step->rule, "I6");
	assert_true(step->is_failure);
	assert_string_equal(step->blocked,
			    "error determining if an image build is needed: error determining if "
			    "build is required for reason 'STACK': could not parse reference: ; "
			    "could not parse reference: NO REFERENCE");
	arena_free(w.arena);
}

static void test_images__without_a_builder_say_so_and_nothing_else(void **state)
{
	struct world w = { .arena = arena_new(), .settings = { .retries = 3 } };
	struct plan_options options = { .now_s = 1000000 };
	const struct image_status *status;
	const struct step *step;
	struct plan plan;

	(void)state;
	w.model.settings = &w.settings;
	image_make(&w, 0);
	plan_make(&w.model, &w.state, &w.facts, &options, w.arena, &plan);
	step = map_get(&plan.by_id, "Image/n/app");
	status = step->status;
	assert_string_equal(step->blocked, "Error: Unable to find builder 'b' in namespace ''.");
	assert_int_equal(status->conditions.n, 1);
	assert_string_equal(LIST_AT(status->conditions, struct condition, 0)->reason,
			    "BuilderNotFound");
	arena_free(w.arena);
}

/* A run that lost its lease comes back: the image belongs to the claim that came later. */
static void test_fold__of_a_build_that_was_taken_over_changes_history_only(void **state)
{
	struct world w = { .arena = arena_new(), .settings = { .retries = 3 } };
	struct plan_options options = { .now_s = 1000000, .run_id = "first" };
	struct build_event event = { .type = EVENT_RESULT, .image = "r.io/app" DIGEST("7") };
	struct outcome outcome = {
		.is_done = true, .is_started = true, .event = &event, .finished_s = 2000000
	};
	struct image_status *later;
	struct attempt theirs = { .number = 2, .result = "Building", .run_id = "second" };
	struct build_record record;
	struct build_file file;
	struct err err = { 0 };
	const struct image_status *status;
	struct step *step;
	struct plan plan;

	(void)state;
	w.model.settings = &w.settings;
	builder_make(&w, 0);
	image_make(&w, 0);
	plan_make(&w.model, &w.state, &w.facts, &options, w.arena, &plan);
	step = map_get(&plan.by_id, "Image/n/app");
	assert_int_equal(step->number, 1);
	later = ARENA_NEW(w.arena, struct image_status);
	later->last = &theirs;
	later->build_counter = 2;
	step->status = later;
	status = plan_fold(step, &outcome, &options, w.arena, &file);
	assert_true(build_read(file.document, w.arena, &record, &err));
	assert_ptr_equal(status->last, &theirs);
	assert_null(status->latest_image);
	assert_int_equal(status->build_counter, 2);
	assert_int_equal(status->history.n, 1);
	assert_string_equal(LIST_AT(status->history, struct history_entry, 0)->result, "Succeeded");
	assert_int_equal(record.number, 1);
	assert_string_equal(record.latest_image, event.image);
	arena_free(w.arena);
}

static void test_claim__carries_run_id_and_lease(void **state)
{
	struct world w = { .arena = arena_new(), .settings = { .retries = 3 } };
	struct plan_options options = { .now_s = 1000000, .run_id = "me" };
	const struct image_status *status;
	struct build_mark mark = { .number = 1, .end = END_INTERRUPTED };
	struct build_record record;
	struct build_file file;
	struct node *marked;
	struct err err = { 0 };
	struct step *step;
	struct plan plan;

	(void)state;
	w.model.settings = &w.settings;
	builder_make(&w, 0);
	image_make(&w, 0);
	plan_make(&w.model, &w.state, &w.facts, &options, w.arena, &plan);
	step = map_get(&plan.by_id, "Image/n/app");
	status = plan_claim(step, 1003600, &options, w.arena, &file);
	assert_string_equal(file.path, "n/images/app/builds/1.yaml");
	assert_true(build_read(file.document, w.arena, &record, &err));
	assert_string_equal(status->last->result, "Building");
	assert_string_equal(status->last->run_id, "me");
	assert_int_equal(status->last->lease_s, 1003600);
	assert_int_equal(record.inputs.lease_s, 1003600);
	assert_string_equal(condition_message(&status->conditions, "Ready"),
			    "Build 'app-build-1' is executing");
	assert_true(plan_mark(step, &mark, file.document, 1004000, w.arena, &marked, &err));
	assert_true(build_read(marked, w.arena, &record, &err));
	assert_string_equal(record.inputs.result, "Interrupted");
	assert_int_equal(record.inputs.lease_s, 0);
	assert_string_equal(LIST_AT(record.conditions, struct condition, 0)->status, "False");
	arena_free(w.arena);
}

static void test_expire__drops_the_oldest_of_each_class(void **state)
{
	static const char *const results[] = { "Succeeded",   "Failed",    "Succeeded",
					       "Interrupted", "Succeeded", "Interrupted",
					       "Building" };
	struct history_entry entries[COUNTOF(results)];
	struct image_spec spec = { .success_limit = 2, .failed_limit = 1 };
	struct image_status status = { .history = { entries, COUNTOF(results) } };
	const struct object object = { .kind = KIND_IMAGE, .spec = &spec };
	struct arena *arena = arena_new();
	struct numbers old;

	(void)state;
	for (size_t i = 0; i < COUNTOF(results); i++)
		entries[i] =
			(struct history_entry){ .number = (int64_t)i + 1, .result = results[i] };
	assert_true(history_exceeds(&object, &status));
	plan_expire(&object, &status, arena, &old);
	assert_int_equal(old.n, 3);
	assert_int_equal(old.v[0], 1);
	assert_int_equal(old.v[1], 2);
	assert_int_equal(old.v[2], 4);
	assert_int_equal(status.history.n, 4);
	assert_int_equal(LIST_AT(status.history, struct history_entry, 0)->number, 3);
	assert_false(history_exceeds(&object, &status));
	arena_free(arena);
}

static void test_bind__waits_until_what_it_needs_is_folded(void **state)
{
	struct arena *arena = arena_new();
	struct planner planner = { 0 };
	struct plan plan = { .planner = &planner };
	struct step builder = { .id = "ClusterBuilder/b", .action = ACTION_COMPOSE };
	const struct step *after[] = { &builder };
	struct step image = { .id = "Image/n/app", .after = after, .n_after = 1 };
	struct err err = { 0 };

	(void)state;
	assert_false(plan_bind(&image, &plan, arena, &err));
	assert_int_equal(err.kind, ERR_CONFLICT);
	assert_string_equal(err.text, "'Image/n/app' waits for 'ClusterBuilder/b'");
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules__decide_every_set_of_facts_as_documented),
		cmocka_unit_test(test_images__are_decided_as_documented_whatever_happened),
		cmocka_unit_test(test_images__are_not_decided_without_a_readable_run_image),
		cmocka_unit_test(test_images__without_a_builder_say_so_and_nothing_else),
		cmocka_unit_test(test_fold__of_a_build_that_was_taken_over_changes_history_only),
		cmocka_unit_test(test_claim__carries_run_id_and_lease),
		cmocka_unit_test(test_expire__drops_the_oldest_of_each_class),
		cmocka_unit_test(test_bind__waits_until_what_it_needs_is_folded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
