/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_record.c — build records in kpack's shape and back, and the events of a worker as JSON
 * lines.
 */
#include "manifest.h"

#include "model/doc/json.h"
#include "model/kind/build_request.h"

#define D1 "sha256:95ff756f0ef0e026440a8523f4bab02fd8b45dc1a8a3a7ba063cefdba5cb9493"
#define D2 "sha256:5058ceb9a562ec647ea5a41008b0d11e32a56e13e8c9ec20c4db63d220373e33"

/* The record of design §9, with all that ours adds. */
static const char *const full = "apiVersion: kpack.io/v1alpha2\n"
				"kind: Build\n"
				"metadata:\n"
				"  name: cart-build-12\n"
				"  namespace: shop\n"
				"  annotations:\n"
				"    image.kpack.io/reason: COMMIT,BUILDER\n"
				"    image.kpack.io/buildChanges: "
				"'[{\"reason\":\"COMMIT\",\"old\":\"a1b2\",\"new\":\"4e5f\"},"
				"{\"reason\":\"BUILDER\",\"old\":[{\"id\":\"acme/"
				"node\",\"version\":\"1.4.2\"}],\"new\":null}]'\n"
				"    image.kpack.io/builderName: default\n"
				"    image.kpack.io/builderKind: ClusterBuilder\n"
				"    reconcile.dev/trigger: \"3\"\n"
				"  labels:\n"
				"    image.kpack.io/image: cart\n"
				"    image.kpack.io/buildNumber: \"12\"\n"
				"spec:\n"
				"  tags:\n"
				"  - r.example.com/shop/cart\n"
				"  - r.example.com/shop/cart:b12.20261122.031455\n"
				"  builder:\n"
				"    image: r.example.com/builders/default@" D1 "\n"
				"  runImage:\n"
				"    image: r.example.com/stacks/base-run@" D2 "\n"
				"  source:\n"
				"    git:\n"
				"      url: https://git.example.com/shop/cart.git\n"
				"      revision: 4e5f\n"
				"    subPath: app\n"
				"  services:\n"
				"  - kind: Secret\n"
				"    name: db\n"
				"  cnbBindings:\n"
				"  - name: old\n"
				"    metadataRef:\n"
				"      name: meta\n"
				"    secretRef:\n"
				"      name: values\n"
				"  env:\n"
				"  - name: BP_X\n"
				"    value: \"1\"\n"
				"  - name: EMPTY\n"
				"    value: \"\"\n"
				"  resources:\n"
				"    limits:\n"
				"      cpu: 500m\n"
				"    requests:\n"
				"      memory: 1Gi\n"
				"  lastBuild:\n"
				"    image: r.example.com/shop/cart@" D2 "\n"
				"    stackId: acme.base\n"
				"status:\n"
				"  phase: Failed\n"
				"  buildKey: " D1 "\n"
				"  run:\n"
				"    id: 01JD\n"
				"    source: 9d0e1f2\n"
				"    lease: null\n"
				"  conditions:\n"
				"  - type: Succeeded\n"
				"    status: \"False\"\n"
				"    reason: Failed\n"
				"    message: exit code 51\n"
				"    lastTransitionTime: \"2026-11-22T03:15:20Z\"\n"
				"  latestImage: r.example.com/shop/cart@" D1 "\n"
				"  buildMetadata:\n"
				"  - id: acme/node\n"
				"    version: 1.5.0\n"
				"    homepage: https://example.com\n"
				"  stack:\n"
				"    id: acme.base\n"
				"    runImage: r.example.com/stacks/base-run@" D2 "\n"
				"  lifecycleVersion: 0.20.1\n"
				"  followed:\n"
				"    revision: main\n"
				"    tree: 01ab\n"
				"    content: " D2 "\n"
				"  stepStates:\n"
				"  - name: DETECT\n"
				"    milliseconds: 12\n"
				"  - name: BUILD\n"
				"    milliseconds: 900\n"
				"    result: Failed\n"
				"  stepsCompleted:\n"
				"  - DETECT\n"
				"  failure:\n"
				"    kind: build\n"
				"    tries: 2\n"
				"  rebase: true\n"
				"  adopted: true\n"
				"  log: shop/images/cart/12.log\n"
				"  tail:\n"
				"  - last words\n"
				"  startedAt: \"2026-11-22T03:14:55Z\"\n"
				"  finishedAt: \"2026-11-22T03:15:20Z\"\n";

static struct node *parse(const char *text, struct arena *arena)
{
	struct documents documents = { 0 };
	struct source_file file = { "s.yaml", text, strlen(text) };
	struct diags diags;

	diags_init(&diags, arena);
	yaml_parse(&file, arena, &documents, &diags);
	assert_int_equal(diags.n_errors, 0);
	assert_int_equal(documents.n, 1);
	return documents.v[0];
}

static void test_record__is_kpacks_build_and_survives(void **state)
{
	struct arena *arena = arena_new();
	struct build_record record;
	struct err err = { 0 };
	struct buf text = BUF_INIT(1 << 16);
	const struct build_change *change;

	(void)state;
	if (!build_read(parse(full, arena), arena, &record, &err))
		fail_msg("%s", err.text);
	assert_int_equal(record.number, 12);
	assert_string_equal(record.image_name, "cart");
	assert_string_equal(record.inputs.result, "Failed");
	assert_string_equal(record.inputs.git_revision, "main");
	assert_string_equal(record.inputs.source.git->revision, "4e5f");
	assert_string_equal(record.inputs.trigger, "3");
	assert_int_equal(record.inputs.tries, 2);
	assert_int_equal(record.inputs.lease_s, 0);
	assert_int_equal(record.changes.n, 2);
	change = LIST_AT(record.changes, struct build_change, 1);
	assert_string_equal(change->reason, "BUILDER");
	assert_null(change->new_value);
	assert_int_equal(change->old_value->n, 1);
	assert_string_equal(LIST_AT(record.inputs.bindings, struct binding, 0)->secret_name,
			    "values");

	yaml_print(build_encode(&record, arena), &text);
	assert_true(node_equal(parse(full, arena), parse(buf_text(&text), arena)));
	buf_release(&text);
	arena_free(arena);
}

static void test_record__a_claim_keeps_its_lease(void **state)
{
	struct arena *arena = arena_new();
	struct build_record record = {
		.name = "a-build-1",
		.image_name = "a",
		.number = 1,
		.inputs = { .result = "Building", .run_id = "r", .lease_s = 1795317320 }
	};
	struct build_record back;
	struct err err = { 0 };
	struct node *tree = build_encode(&record, arena);

	(void)state;
	assert_string_equal(node_text(node_at(tree, "status", "run", NULL), "lease"),
			    "2026-11-22T03:15:20Z");
	assert_true(build_read(tree, arena, &back, &err));
	assert_int_equal(back.inputs.lease_s, 1795317320);
	assert_string_equal(back.inputs.run_id, "r");
	assert_int_equal(back.inputs.number, 1);
	arena_free(arena);
}

/* Exact forms of kpack.md §1.5. */
static void test_record__changes_are_compact_json(void **state)
{
	struct arena *arena = arena_new();
	struct build_change commit = { "COMMIT", node_string(arena, "revision"),
				       node_string(arena, "<different>") };
	struct build_change trigger = { "TRIGGER", node_string(arena, ""), NULL };
	const struct build_change both[] = { commit, trigger };
	const struct list none = { 0 }, one = { &commit, 1 };
	const struct list two = { (void *)(uintptr_t)both, 2 };

	(void)state;
	assert_null(build_changes_print(&none, arena));
	assert_string_equal(build_changes_print(&one, arena),
			    "[{\"reason\":\"COMMIT\",\"old\":\"revision\",\"new\":"
			    "\"\\u003cdifferent\\u003e\"}]");
	assert_string_equal(
		build_changes_print(&two, arena),
		"[{\"reason\":\"COMMIT\",\"old\":\"revision\",\"new\":\"\\u003cdifferent"
		"\\u003e\"},{\"reason\":\"TRIGGER\",\"old\":\"\",\"new\":null}]");
	arena_free(arena);
}

static const struct {
	const char *from, *to, *said;
} broken[] = {
	{ "\"12\"", "\"twelve\"", "'image.kpack.io/buildNumber' is no build number" },
	{ "\"12\"", "\"9999999999\"", "'image.kpack.io/buildNumber' is no build number" },
	{ "kind: Build\n", "kind: Image\n", "'kind' is 'Image', not 'Build'" },
	{ "buildKey: " D1, "buildKey: none", "'buildKey' is no sha256 digest" },
	{ "latestImage: r.example.com/shop/cart@" D1, "latestImage: r.example.com/shop/cart",
	  "'status.latestImage' has no digest" },
	{ "phase: Failed", "phase: Melted",
	  "unsupported value 'Melted' for 'status.phase'; supported: Building, Succeeded, Failed, "
	  "Interrupted" },
	{ "'[{\"reason\"", "'[{\"raisin\"", "'buildChanges[0]' has no reason" },
	{ "milliseconds: 12", "milliseconds: -12",
	  "'status.stepStates[0].milliseconds' must be between 0 and 9223372036854775807" },
	{ "\"2026-11-22T03:14:55Z\"", "yesterday",
	  "'status.startedAt' is no RFC 3339 time, as in 2026-11-22T03:14:55Z" },
};

static void test_record__what_is_wrong_is_refused_by_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNTOF(broken); i++) {
		struct arena *arena = arena_new();
		const char *at = strstr(full, broken[i].from);
		struct build_record record;
		struct err err = { 0 };
		char *text;

		assert_non_null(at);
		text = arena_printf(arena, "%.*s%s%s", (int)(at - full), full, broken[i].to,
				    at + strlen(broken[i].from));
		assert_false(build_read(parse(text, arena), arena, &record, &err));
		assert_string_equal(err.text, broken[i].said);
		assert_null(record.name);
		arena_free(arena);
	}
}

static void test_event__survives_as_one_line(void **state)
{
	struct arena *arena = arena_new();
	struct buildpack_id buildpack = { "acme/node", "1.5.0", NULL, "0.10" };
	const struct build_event events[] = {
		{ .type = EVENT_PHASE, .name = "DETECT" },
		{ .type = EVENT_NOTICE, .text = "two\nlines" },
		{ .type = EVENT_FAILURE,
		  .failure = "build",
		  .text = "no",
		  .exit_code = 51,
		  .is_oom = true },
		{ .type = EVENT_RESULT,
		  .image = "r.example.com/a@" D1,
		  .run_image = "r.example.com/run@" D2,
		  .stack_id = "s",
		  .lifecycle_version = "0.20.1",
		  .buildpacks = { &buildpack, 1 },
		  .is_adopted = true },
	};
	static const char *const lines[] = {
		"{\"type\":\"phase\",\"name\":\"DETECT\"}",
		"{\"type\":\"notice\",\"text\":\"two\\nlines\"}",
		"{\"type\":\"failure\",\"text\":\"no\",\"failure\":\"build\",\"exitCode\":51,"
		"\"oom\":true}",
		"{\"type\":\"result\",\"image\":\"r.example.com/a@" D1
		"\",\"runImage\":\"r.example.com/run@" D2
		"\",\"stackId\":\"s\",\"lifecycleVersion\":\"0.20.1\",\"buildpacks\":[{\"id\":"
		"\"acme/node\",\"version\":\"1.5.0\",\"api\":\"0.10\"}],\"adopted\":true}",
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(events); i++) {
		struct build_event back;
		struct err err = { 0 };
		const char *line = event_print(&events[i], arena);

		assert_string_equal(line, lines[i]);
		if (!event_read(line, strlen(line), arena, &back, &err))
			fail_msg("%s", err.text);
		assert_int_equal(back.type, events[i].type);
		assert_string_equal(event_print(&back, arena), line);
	}
	arena_free(arena);
}

static void test_event__what_is_wrong_is_refused(void **state)
{
	static const struct {
		const char *line, *said;
	} rows[] = {
		{ "{}", "unknown event type ''" },
		{ "{\"type\":\"explode\"}", "unknown event type 'explode'" },
		{ "{\"type\":\"phase\"}", "a phase without 'name'" },
		{ "{\"type\":\"notice\"}", "a notice without 'text'" },
		{ "{\"type\":\"failure\"}", "a failure without 'failure'" },
		{ "{\"type\":\"result\",\"image\":\"a/b\"}", "'image' has no digest" },
		{ "{\"type\":\"failure\",\"failure\":\"build\",\"exitCode\":300}",
		  "event: 'exitCode' must be between 0 and 255" },
		{ "[1]", "event: expected a mapping, found a sequence" },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct arena *arena = arena_new();
		struct build_event event;
		struct err err = { 0 };

		assert_false(event_read(rows[i].line, strlen(rows[i].line), arena, &event, &err));
		assert_string_equal(err.text, rows[i].said);
		arena_free(arena);
	}
}

static void test_event__a_very_long_text_is_cut_at_a_character(void **state)
{
	struct arena *arena = arena_new();
	struct build_event event = { .type = EVENT_NOTICE }, back;
	char *text = arena_alloc(arena, 3 << 20);
	struct err err = { 0 };
	const char *line;

	(void)state;
	text[0] = 'x'; /* so that the cut falls into a character */
	for (size_t i = 1; i + 2 < 3 << 20; i += 2)
		memcpy(text + i, "é", 2);
	event.text = text;
	line = event_print(&event, arena);
	assert_true(event_read(line, strlen(line), arena, &back, &err));
	assert_int_equal(strlen(back.text), (64 << 10) - 1);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_record__is_kpacks_build_and_survives),
		cmocka_unit_test(test_record__a_claim_keeps_its_lease),
		cmocka_unit_test(test_record__changes_are_compact_json),
		cmocka_unit_test(test_record__what_is_wrong_is_refused_by_name),
		cmocka_unit_test(test_event__survives_as_one_line),
		cmocka_unit_test(test_event__what_is_wrong_is_refused),
		cmocka_unit_test(test_event__a_very_long_text_is_cut_at_a_character),
	};

	return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
