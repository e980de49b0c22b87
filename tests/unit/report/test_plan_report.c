/* SPDX-License-Identifier: Apache-2.0 */
/* test_plan_report.c — the plan as people read it, tables and blocks to the letter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/doc/json.h"
#include "model/kind/build_config_status.h"
#include "model/kind/stream.h"
#include "reconcile/report/dashboard.h"
#include "reconcile/report/plan_report.h"
#include "reconcile/report/table.h"

static struct plan sample(struct arena *arena)
{
	static const char run[] =
		"sha256:1c0f2ab34cd51c0f2ab34cd51c0f2ab34cd51c0f2ab34cd51c0f2ab34cd51c0f";
	struct plan plan = { .n_unchanged = 212, .n_blocked = 1 };
	struct step *stack = ARENA_NEW(arena, struct step), *image = ARENA_NEW(arena, struct step);
	struct step *blocked = ARENA_NEW(arena, struct step);

	*stack = (struct step){ .action = ACTION_RESOLVE,
				.id = "ClusterStack/base",
				.summary = "run image moved",
				.old_value = NULL,
				.new_value = run };
	*image = (struct step){ .action = ACTION_BUILD, .id = "Image/shop/cart", .number = 12 };
	vec_push(arena, &image->changes.list,
		 (struct change){ REASON_COMMIT, NULL, NULL,
				  "main of https://x/cart.git: a1b2c3d → 4e5f6a7" });
	vec_push(arena, &image->changes.list,
		 (struct change){ REASON_BUILDER, NULL, NULL, "acme/node 1.4.2 → 1.5.0" });
	*blocked = (struct step){ .id = "Image/shop/search",
				  .blocked = "cannot resolve 'main'\n\033[31m",
				  .is_failure = true };
	vec_push(arena, &plan.steps, stack);
	vec_push(arena, &plan.steps, image);
	vec_push(arena, &plan.steps, blocked);
	plan.counts[ACTION_RESOLVE] = 1;
	plan.counts[ACTION_BUILD] = 1;
	return plan;
}

static void test_plan_text__reads_like_the_design(void **state)
{
	static const char want[] =
		"ClusterStack base  run image moved  (none) → sha256:1c0f2ab34cd5…\n"
		"Image shop/cart    build #12        COMMIT+\n"
		"  COMMIT    main of https://x/cart.git: a1b2c3d → 4e5f6a7\n"
		"  BUILDER   acme/node 1.4.2 → 1.5.0\n";
	const struct report_style style = { .with_color = false };
	struct arena *arena = arena_new();
	struct plan plan = sample(arena);
	struct buf out = BUF_INIT(1 << 16);

	(void)state;
	plan_text(&plan, &style, &out);
	if (strncmp(buf_text(&out), want, strlen(want)) != 0)
		fail_msg("%s", buf_text(&out));
	assert_non_null(strstr(buf_text(&out), "1 build, 1 update, 1 blocked; 212 unchanged.\n"));
	assert_null(strchr(buf_text(&out), '\033'));
	assert_true(plan_has_changes(&plan));
	buf_release(&out);
	arena_free(arena);
}

static void test_plan_json__is_one_document_with_a_version(void **state)
{
	const struct report_origin origin = { .state_commit = "abc" };
	struct arena *arena = arena_new();
	struct plan plan = sample(arena);
	struct buf out = BUF_INIT(1 << 16);
	struct node *root = NULL;
	struct err err = { 0 };

	(void)state;
	plan_json(&plan, &origin, arena, &out);
	assert_true(json_parse(buf_text(&out), out.len, arena, &root, &err));
	assert_int_equal(node_get(root, "formatVersion")->i, 1);
	assert_int_equal(node_get(root, "steps")->n, 3);
	assert_string_equal(node_text(node_get(root, "steps")->first->next, "action"), "build");
	buf_release(&out);
	arena_free(arena);
}

static void test_plan_summary__says_when_there_is_nothing(void **state)
{
	const struct plan plan = { .n_unchanged = 3 };
	struct buf out = BUF_INIT(1 << 16);

	(void)state;
	plan_summary(&plan, &out);
	assert_string_equal(buf_text(&out), "Nothing to do: 3 unchanged.\n");
	assert_false(plan_has_changes(&plan));
	buf_release(&out);
}

static void test_table__has_columns_four_blanks_apart(void **state)
{
	static const char *const header[] = { "NAME", "READY", "LATEST IMAGE" };
	static const char *const one[] = { "first-image", "True", "first/image:tag" };
	static const char *const two[] = { "second", NULL, "two\nlines" };
	struct arena *arena = arena_new();
	struct buf out = BUF_INIT(1 << 16);
	struct text_table table;

	(void)state;
	text_table_init(&table, arena, header, 3);
	text_table_add(&table, one);
	text_table_add(&table, two);
	text_table_print(&table, &out);
	assert_non_null(strstr(buf_text(&out), "NAME           READY    LATEST IMAGE\n"
					       "first-image    True     first/image:tag\n"));
	assert_null(strstr(buf_text(&out), "two\nlines"));
	buf_release(&out);
	arena_free(arena);
}

static void test_block__shows_two_dashes_for_nothing(void **state)
{
	const struct block_line lines[] = { { "Status", "Not Ready" },
					    { "Message", "" },
					    { "LatestImage", "x@sha256:1" } };
	struct buf out = BUF_INIT(1 << 16);

	(void)state;
	block_print(lines, COUNTOF(lines), &out);
	assert_string_equal(buf_text(&out), "Status:         Not Ready\n"
					    "Message:        --\n"
					    "LatestImage:    x@sha256:1\n\n");
	buf_release(&out);
}

static struct state_entry *image_entry(struct arena *arena, size_t i, const char *ready)
{
	struct state_entry *entry = ARENA_NEW(arena, struct state_entry);
	struct image_status *status = ARENA_NEW(arena, struct image_status);
	struct condition *condition = ARENA_NEW(arena, struct condition);

	*condition = (struct condition){ "Ready", ready, "X", "a | b <script>", 0 };
	status->conditions = (struct list){ condition, 1 };
	*entry = (struct state_entry){ KIND_IMAGE,
				       arena_printf(arena, "ns%zu", i / 100),
				       arena_printf(arena, "image-%zu", i),
				       arena_printf(arena, "Image/%zu", i),
				       arena_printf(arena, "ns/images/%zu.yaml", i),
				       status };
	return entry;
}

static void test_dashboard__stays_small_when_there_are_many(void **state)
{
	struct arena *arena = arena_new();
	struct state few = { .arena = arena }, many = { .arena = arena };
	struct buf out = BUF_INIT(1 << 20);

	(void)state;
	for (size_t i = 0; i < 10000; i++) {
		struct state_entry *entry = image_entry(arena, i, i % 1000 ? "True" : "False");

		if (i < 3)
			map_set(arena, &few.by_id, entry->id, entry);
		map_set(arena, &many.by_id, entry->id, entry);
	}
	dashboard_print(NULL, &few, &out);
	assert_non_null(strstr(buf_text(&out), "3 objects, 2 ready."));
	assert_non_null(strstr(buf_text(&out), "a &#124; b &#60;script&#62;"));
	buf_clear(&out);
	dashboard_print(NULL, &many, &out);
	assert_non_null(strstr(buf_text(&out), "10000 objects, 9990 ready."));
	assert_true(out.len < 8192);
	buf_release(&out);
	arena_free(arena);
}

#define OLD "sha256:1c0f2ab34cd51c0f2ab34cd51c0f2ab34cd51c0f2ab34cd51c0f2ab34cd51c0f"
#define NEW "sha256:83bd2ab34cd51c0f2ab34cd51c0f2ab34cd51c0f2ab34cd51c0f2ab34cd51c0f"

static struct plan streams(struct step *steps)
{
	static struct tag_move moved[] = {
		{ "latest", "import", OLD, NEW, "docker.io/library/base:1", NULL },
		{ "next", "import", NULL, NULL, "docker.io/library/base:2", "not\nfound" },
		{ "old", "delete", OLD, NULL, NULL, NULL },
		{ "ref", "tag", NULL, NULL, "quay.io/x:1", NULL },
	};
	static struct tag_move failed[] = { { "1", "import", NULL, NULL, "x:1", "denied" } };
	static struct mirror mirrors[] = { { "a@" NEW, "b@" NEW, false } };
	static struct step *list[2];
	struct plan plan = { .n_blocked = 1 };

	steps[0] = (struct step){ .action = ACTION_IMPORT,
				  .kind = KIND_IMAGE_STREAM,
				  .id = "ImageStream/shop/base",
				  .ns = "shop",
				  .name = "base",
				  .moves = { moved, 4 },
				  .mirrors = { mirrors, 1 } };
	steps[1] = (struct step){ .action = ACTION_NONE,
				  .kind = KIND_IMAGE_STREAM,
				  .id = "ImageStream/shop/web",
				  .ns = "shop",
				  .name = "web",
				  .blocked = "cannot import",
				  .is_failure = true,
				  .moves = { failed, 1 } };
	list[0] = &steps[0];
	list[1] = &steps[1];
	plan.steps.v = list;
	plan.steps.n = 2;
	plan.counts[ACTION_IMPORT] = 1;
	return plan;
}

static void test_plan_text__has_a_line_per_tag(void **state)
{
	static const char want[] =
		"ImageStreamTag shop/base:latest  import         sha256:1c0f2ab34cd5… → "
		"sha256:83bd2ab34cd5…\n"
		"ImageStreamTag shop/base:next    import failed  not\\x0afound\n"
		"ImageStreamTag shop/base:old     delete         sha256:1c0f2ab34cd5… → (none)\n"
		"ImageStreamTag shop/base:ref     tag            from quay.io/x:1\n"
		"ImageStreamTag shop/web:1        import failed  denied\n"
		"\n"
		"3 imports, 1 failed import, 1 blocked; 0 unchanged.\n";
	const struct report_style style = { .with_color = false };
	struct step steps[2];
	struct plan plan = streams(steps);
	struct buf out = BUF_INIT(1 << 16);

	(void)state;
	plan_text(&plan, &style, &out);
	assert_string_equal(buf_text(&out), want);
	assert_true(plan_has_changes(&plan));
	buf_release(&out);
}

static void test_plan_step_node__lists_moves_and_copies(void **state)
{
	struct arena *arena = arena_new();
	struct step steps[2];
	struct plan plan = streams(steps);
	const struct node *node = plan_step_node(plan.steps.v[0], arena);
	const struct node *moves = node_get(node, "moves"), *copies = node_get(node, "mirrors");

	(void)state;
	assert_int_equal(moves->n, 4);
	assert_string_equal(node_text(moves->first, "tag"), "latest");
	assert_string_equal(node_text(moves->first, "new"), NEW);
	assert_string_equal(node_text(moves->first->next, "failure"), "not\nfound");
	assert_int_equal(copies->n, 1);
	assert_string_equal(node_text(copies->first, "to"), "b@" NEW);
	arena_free(arena);
}

static void test_dashboard__has_a_row_per_tag(void **state)
{
	struct tag_event event = { 1506963911, "docker.io/library/base@" NEW, NEW, 1 };
	struct tag_condition failure = { .type = "ImportSuccess",
					 .status = "False",
					 .message = "not | found",
					 .changed_s = 1506963911 };
	struct tag_history tags[] = { { .tag = "latest", .items = { &event, 1 } },
				      { .tag = "next", .conditions = { &failure, 1 } } };
	struct tag_ref refs[] = { { .name = "latest", .is_scheduled = true }, { .name = "next" } };
	struct stream_status status = { .spec = { .tags = { refs, 2 } }, .tags = { tags, 2 } };
	struct state_entry entry = { KIND_IMAGE_STREAM,
				     "shop",
				     "base",
				     "ImageStream/shop/base",
				     "shop/imagestreams/base.yaml",
				     &status };
	struct arena *arena = arena_new();
	struct state world = { .arena = arena };
	struct buf out = BUF_INIT(1 << 16);

	(void)state;
	map_set(arena, &world.by_id, entry.id, &entry);
	dashboard_print(NULL, &world, &out);
	assert_non_null(strstr(buf_text(&out), "1 objects, 0 ready."));
	assert_non_null(strstr(
		buf_text(&out),
		"| stream | tag | image | updated | imported | problem "
		"|\n|---|---|---|---|---|---|\n"
		"| [shop/base](shop/imagestreams/base.yaml) | latest | `docker.io/library/base@" NEW
		"` | 2017-10-02T17:05:11Z | every 15m |  |\n"
		"| [shop/base](shop/imagestreams/base.yaml) | next |  |  |  | failed "
		"2017-10-02T17:05:11Z: not &#124; found |\n"));
	assert_null(strstr(buf_text(&out), "| object |"));
	buf_release(&out);
	arena_free(arena);
}

static void test_dashboard__has_a_row_per_build_config(void **state)
{
	struct bc_history_entry builds[] = {
		{ .number = 4, .phase = "Complete", .strategy = "Docker", .image = "r/cart@" NEW },
		{ .number = 5,
		  .phase = "Failed",
		  .reason = "Assemble|Failed",
		  .strategy = "Docker",
		  .cause = "Image change",
		  .created_s = 1506963900,
		  .started_s = 1506963905,
		  .finished_s = 1506963911 },
	};
	struct build_config_status built = { .last_version = 5, .history = { builds, 2 } };
	struct build_config_status never = { 0 };
	struct state_entry cart = { KIND_BUILD_CONFIG,
				    "shop",
				    "cart",
				    "BuildConfig/shop/cart",
				    "shop/buildconfigs/cart.yaml",
				    &built };
	struct state_entry web = cart;
	struct arena *arena = arena_new();
	struct state world = { .arena = arena };
	struct buf out = BUF_INIT(1 << 16);

	(void)state;
	web.name = "web";
	web.id = "BuildConfig/shop/web";
	web.path = "shop/buildconfigs/web.yaml";
	web.status = &never;
	map_set(arena, &world.by_id, web.id, &web);
	map_set(arena, &world.by_id, cart.id, &cart);
	dashboard_print(NULL, &world, &out);
	assert_non_null(strstr(buf_text(&out), "2 objects, 0 ready."));
	assert_non_null(
		strstr(buf_text(&out),
		       "| build config | strategy | build | phase | image | when "
		       "|\n|---|---|---|---|---|---|\n"
		       "| [shop/cart](shop/buildconfigs/cart.yaml) | Docker | 5 Image change | "
		       "Failed (Assemble&#124;Failed) | `r/cart@" NEW "` | 2017-10-02T17:05:11Z |\n"
		       "| [shop/web](shop/buildconfigs/web.yaml) |  |  |  |  |  |\n"));
	assert_null(strstr(buf_text(&out), "| object |"));
	built.history.n = 1;
	buf_release(&out);
	out = (struct buf)BUF_INIT(1 << 16);
	dashboard_print(NULL, &world, &out);
	assert_non_null(strstr(buf_text(&out), "2 objects, 1 ready."));
	buf_release(&out);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan_text__has_a_line_per_tag),
		cmocka_unit_test(test_plan_step_node__lists_moves_and_copies),
		cmocka_unit_test(test_dashboard__has_a_row_per_tag),
		cmocka_unit_test(test_dashboard__has_a_row_per_build_config),
		cmocka_unit_test(test_plan_text__reads_like_the_design),
		cmocka_unit_test(test_plan_json__is_one_document_with_a_version),
		cmocka_unit_test(test_plan_summary__says_when_there_is_nothing),
		cmocka_unit_test(test_table__has_columns_four_blanks_apart),
		cmocka_unit_test(test_block__shows_two_dashes_for_nothing),
		cmocka_unit_test(test_dashboard__stays_small_when_there_are_many),
	};

	return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
