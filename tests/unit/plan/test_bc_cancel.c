/* SPDX-License-Identifier: Apache-2.0 */
/* test_bc_cancel.c — what becomes of every build that is to be cancelled, and what is recorded of it then. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "reconcile/plan/bc_cancel.h"

enum { MADE = 1000, NOW = 2000 };

static void test_cancel_decide__marks_only_what_somebody_runs(void **state)
{
	(void)state;
	for (enum build_phase phase = PHASE_NEW; phase < PHASES; phase++) {
		for (int bits = 0; bits < 4; bits++) {
			bool is_claimed = bits & 1, is_marked = bits & 2;
			enum cancel_step want = phase >= PHASE_COMPLETE ? CANCEL_OVER
						: !is_claimed           ? CANCEL_END
						: is_marked             ? CANCEL_WAIT
									: CANCEL_MARK;

			assert_int_equal(cancel_decide(phase, is_claimed, is_marked), want);
		}
	}
}

static void test_build_lease__is_the_later_one_of_the_newest_build(void **state)
{
	struct bc_attempt last = { .number = 2, .lease_s = 50 };
	const struct build_config_status status = { .last = &last }, never = { 0 };
	struct bc_build build = { .number = 2, .lease_s = 40 };

	(void)state;
	assert_int_equal(build_lease_s(&status, &build), 50);
	assert_int_equal(build_lease_s(&never, &build), 40);
	build.lease_s = 60;
	assert_int_equal(build_lease_s(&status, &build), 60);
	build = (struct bc_build){ .number = 1, .lease_s = 40 };
	assert_int_equal(build_lease_s(&status, &build), 40);
}

/* Builds 1 (Complete) and 2 and 3 (New, of which 3 is the newest) of one build config. */
struct world {
	struct bc_history_entry history[3];
	struct condition ready;
	struct bc_attempt last;
	struct build_config_status status;
	struct bc_build build;
};
static void world_init(struct world *world, int64_t number)
{
	*world = (struct world){
		.history = { { .number = 1, .phase = "Complete" },
			     { .number = 2, .phase = "New", .strategy = "Docker" },
			     { .number = 3, .phase = "New", .strategy = "Docker" } },
		.ready = { .type = "Ready", .status = "True", .changed_s = MADE },
		.last = { .number = 3, .run_id = "R", .lease_s = 5, .reasons = "CONFIG" },
		.build = { .name = "cart", .number = number, .phase = "New", .created_s = MADE },
	};
	world->status = (struct build_config_status){ .conditions = { &world->ready, 1 },
						      .last_version = 3,
						      .last = &world->last,
						      .history = { world->history, 3 } };
}

static void test_build_cancel__ends_the_newest(void **state)
{
	struct arena *arena = arena_new();
	struct world world;
	const struct bc_history_entry *entry;
	const struct condition *ready;

	(void)state;
	world_init(&world, 3);
	build_cancel(&world.build, &world.status, NOW, arena);
	assert_string_equal(world.build.phase, "Cancelled");
	assert_string_equal(world.build.reason, "CancelledBuild");
	assert_string_equal(world.build.message, "The build was cancelled by the user.");
	assert_true(world.build.is_cancelled);
	assert_int_equal(world.build.started_s, 0);
	assert_int_equal(world.build.finished_s, NOW);
	assert_int_equal(world.build.conditions.n, 1);
	entry = LIST_AT(world.status.history, struct bc_history_entry, 2);
	assert_string_equal(entry->phase, "Cancelled");
	assert_string_equal(entry->reason, "CancelledBuild");
	assert_int_equal(entry->finished_s, NOW);
	ready = condition_find(&world.status.conditions, "Ready");
	assert_string_equal(ready->status, "False");
	assert_string_equal(ready->reason, "CancelledBuild");
	assert_int_equal(ready->changed_s, NOW);
	assert_string_equal(world.status.last->failure, "build");
	assert_string_equal(world.status.last->reasons, "CONFIG");
	assert_int_equal(world.status.last->lease_s, 0);
	assert_null(world.status.last->run_id);
	assert_string_equal(world.history[2].phase, "New"); /* what was lent is as it was */
	assert_int_equal(world.last.lease_s, 5);
	arena_free(arena);
}

static void test_build_cancel__of_an_older_one_leaves_the_newest_alone(void **state)
{
	struct arena *arena = arena_new();
	struct world world;

	(void)state;
	world_init(&world, 2);
	build_cancel(&world.build, &world.status, NOW, arena);
	assert_string_equal(LIST_AT(world.status.history, struct bc_history_entry, 0)->phase,
			    "Complete");
	assert_string_equal(LIST_AT(world.status.history, struct bc_history_entry, 1)->phase,
			    "Cancelled");
	assert_string_equal(LIST_AT(world.status.history, struct bc_history_entry, 2)->phase,
			    "New");
	assert_string_equal(condition_find(&world.status.conditions, "Ready")->status, "True");
	assert_ptr_equal(world.status.last, &world.last);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cancel_decide__marks_only_what_somebody_runs),
		cmocka_unit_test(test_build_lease__is_the_later_one_of_the_newest_build),
		cmocka_unit_test(test_build_cancel__ends_the_newest),
		cmocka_unit_test(test_build_cancel__of_an_older_one_leaves_the_newest_alone),
	};

	return cmocka_run_group_tests_name("bc_cancel", tests, NULL, NULL);
}
