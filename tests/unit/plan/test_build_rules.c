/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_build_rules.c — run policies over every queue of three builds, history limits, and which triggers of a build config fire.
 * Rules: openshift.md §3.4, §3.5; ConfigChange as in design §5.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "unit/kind/manifest.h"

#include "model/kind/build_phase.h"
#include "reconcile/plan/build_trigger.h"
#include "reconcile/plan/run_policy.h"

/* ---- run policies ---- */

/* "Ns Rp" → builds 1 and 2: phase (N, P, R, C, F, E, X), policy (s, l, p; '-' none). */
static struct list queue(const char *text, struct arena *arena)
{
	static const char phases[] = "-NPRCFEX";
	struct bc_history_entry *all = arena_array(arena, strlen(text), sizeof(*all));
	size_t n = 0;

	for (const char *p = text; *p; p += 2 + (p[2] == ' '), n++)
		all[n] = (struct bc_history_entry){
			.number = (int64_t)n + 1,
			.phase = phase_name((enum build_phase)(strchr(phases, p[0]) - phases)),
			.policy = p[1] == 's'   ? POLICY_SERIAL
				  : p[1] == 'l' ? POLICY_SERIAL_LATEST_ONLY
				  : p[1] == 'p' ? POLICY_PARALLEL
						: NULL,
		};
	return (struct list){ all, n };
}

static const char *numbers(const struct numbers *numbers, struct arena *arena)
{
	const char *text = "";

	for (size_t i = 0; i < numbers->n; i++)
		text = arena_printf(arena, "%s%s%lld", text, i ? " " : "",
				    (long long)numbers->v[i]);
	return text;
}

/* clang-format off */
static const struct {
	const char *builds, *start, *cancel;
} policies[] = {
	{ "", "", "" }, { "Cs Fs Es Xs", "", "" },
	{ "Ns", "1", "" }, { "N-", "1", "" }, { "Nl", "1", "" }, { "Np", "1", "" },
	{ "Cs Ns Ns", "2", "" }, { "Cp Np Np", "2 3", "" },
	{ "Ps Ns", "", "" }, { "Rs Ns", "", "" }, { "Rs Np", "", "" }, { "Rl Np", "", "" }, { "R- Np", "", "" },
	{ "Rp Np Np", "2 3", "" }, { "Pp Np", "2", "" }, { "Rp Ns", "", "" }, { "Rp Nl", "", "" },
	{ "Nl Nl Nl", "3", "1 2" }, { "Rl Nl Nl", "", "2" }, { "Pl Nl", "2", "1" }, { "Ns Nl", "2", "1" }, { "Np Nl", "2", "1" },
	{ "Pp Rp Nl", "", "1" }, { "Nl Ns", "1", "" }, { "Nl Ns Nl", "3", "1 2" }, { "Nl Np", "1", "" },
	/* A parallel build that stands behind a serial one waits for it. */
	{ "Ns Np", "1", "" }, { "Np Ns", "1", "" }, { "Np Ns Np", "1 3", "" }, { "Rp Ns Np", "3", "" },
};
/* clang-format on */

static void test_run_policy__decides(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNTOF(policies); i++) {
		struct arena *arena = arena_new();
		const struct list builds = queue(policies[i].builds, arena);
		const struct run_decision got = run_policy_decide(&builds, arena);

		if (strcmp(numbers(&got.start, arena), policies[i].start) != 0 ||
		    strcmp(numbers(&got.cancel, arena), policies[i].cancel) != 0)
			fail_msg("%s: starts '%s', cancels '%s'", policies[i].builds,
				 numbers(&got.start, arena), numbers(&got.cancel, arena));
		arena_free(arena);
	}
}

static bool is_active(const struct bc_history_entry *entry)
{
	return strcmp(entry->phase, "Pending") == 0 || strcmp(entry->phase, "Running") == 0;
}

/* What must hold after every decision, for all queues of three builds. */
static void check_queue(const struct list *builds, struct arena *arena)
{
	struct run_decision first = run_policy_decide(builds, arena), second;
	size_t n_serial = 0, n_active = 0;
	bool had_active = false;

	for (size_t i = 0; i < builds->n; i++)
		had_active |= is_active(LIST_AT(*builds, struct bc_history_entry, i));
	for (size_t i = 0; i < first.cancel.n; i++)
		LIST_AT(*builds, struct bc_history_entry, first.cancel.v[i] - 1)->phase =
			"Cancelled";
	for (size_t i = 0; i < first.start.n; i++) {
		struct bc_history_entry *entry =
			LIST_AT(*builds, struct bc_history_entry, first.start.v[i] - 1);

		assert_string_equal(entry->phase, "New");
		entry->phase = "Running";
	}
	for (size_t i = 0; i < builds->n; i++) {
		const struct bc_history_entry *entry = LIST_AT(*builds, struct bc_history_entry, i);

		n_active += is_active(entry);
		n_serial += is_active(entry) && strcmp(entry->policy, POLICY_PARALLEL) != 0;
	}
	/* What starts with nothing running leaves a serial build alone. */
	if (!had_active && n_serial)
		assert_int_equal(n_active, 1);
	/* Somebody always works while somebody waits, and a second look changes nothing. */
	second = run_policy_decide(builds, arena);
	assert_int_equal(second.start.n, 0);
	for (size_t i = 0; i < builds->n && !n_active; i++)
		assert_string_not_equal(LIST_AT(*builds, struct bc_history_entry, i)->phase, "New");
}

static void test_run_policy__holds_for_every_queue_of_three(void **state)
{
	static const char phases[] = "NPRC", kinds[] = "slp";
	const size_t n_kinds = (sizeof(phases) - 1) * (sizeof(kinds) - 1);

	(void)state;
	for (size_t i = 0; i < n_kinds * n_kinds * n_kinds; i++) {
		struct arena *arena = arena_new();
		char text[9] = "", *at = text;
		struct list builds;

		for (size_t k = 0, rest = i; k < 3; k++, rest /= n_kinds) {
			*at++ = phases[rest % n_kinds % 4];
			*at++ = kinds[rest % n_kinds / 4];
			if (k < 2)
				*at++ = ' ';
		}
		builds = queue(text, arena);
		check_queue(&builds, arena);
		arena_free(arena);
	}
}

/* ---- history ---- */

static void test_bc_history_prune__keeps_the_newest_of_each(void **state)
{
	struct arena *arena = arena_new();
	static const char *const phases[] = { "Complete", "Failed", "Error", "Cancelled" };
	struct bc_history_entry all[17];
	const struct list builds = { all, COUNTOF(all) };
	struct build_config_spec spec = { .success_limit = 2, .failed_limit = 3 };
	struct numbers got;

	(void)state;
	/* Times that jump about: what is created last need not have the highest number. */
	for (size_t i = 0; i < COUNTOF(all); i++)
		all[i] = (struct bc_history_entry){ .number = (int64_t)i + 1,
						    .phase = phases[i % 4],
						    .created_s = 1000 + (i % 2 ? -(int64_t)i
									       : (int64_t)i) };
	all[16].phase = "Running";
	got = bc_history_prune(&builds, &spec, arena);
	assert_int_equal(got.n, 0); /* no limits: all are kept */
	spec.has_success_limit = true;
	got = bc_history_prune(&builds, &spec, arena);
	assert_string_equal(numbers(&got, arena), "1 5");
	spec.has_failed_limit = true;
	got = bc_history_prune(&builds, &spec, arena);
	assert_string_equal(numbers(&got, arena), "1 2 3 4 5 6 8 10 12 14 16");
	assert_int_equal(16 - got.n, 2 + 3);
	arena_free(arena);
}

/* ---- triggers ---- */

#define HEAD "apiVersion: build.openshift.io/v1\nkind: BuildConfig\n"
#define SPEC                                                                                       \
	"spec:\n  source: {git: {uri: u, ref: main}}\n"                                            \
	"  strategy: {sourceStrategy: {from: {kind: ImageStreamTag, name: 'ruby:2'}, "             \
	"env: [{name: A, value: b}]}}\n  output: {to: {name: 'out:1'}}\n"
#define ONE "{type: ImageChange}"
#define OTHER(more)                                                                                \
	"{type: ImageChange, imageChange: {from: {kind: ImageStreamTag, name: 'base:1', "          \
	"namespace: m}" more "}}"

/* "causes by tag | what is recorded" for triggers, what was recorded, and what the tags are at now. */
/* clang-format off */
static const struct {
	const char *name, *triggers;
	const char *recorded_ruby, *recorded_base, *ruby, *base;
	const char *causes, *status;
} changes[] = {
	{ "first time", ONE ", " OTHER(""), NULL, NULL, "r1", "b1", "ruby:2=r1 base:1=b1", "ruby:2=r1@9 base:1=b1@0" },
	{ "nothing new", ONE ", " OTHER(""), "r1", "b1", "r1", "b1", "", "ruby:2=r1@0 base:1=b1@0" },
	{ "one is new", ONE ", " OTHER(""), "r1", "b1", "r1", "b2", "base:1=b2", "ruby:2=r1@0 base:1=b2@9" },
	{ "both are new", ONE ", " OTHER(""), "r1", "b1", "r2", "b2", "ruby:2=r2 base:1=b2", "ruby:2=r2@9 base:1=b2@0" },
	{ "paused", OTHER(", paused: true"), NULL, "b1", NULL, "b2", "", "base:1=b2@0" },
	{ "paused beside one that fires", ONE ", " OTHER(", paused: true"), "r1", "b1", "r2", "b2", "ruby:2=r2", "ruby:2=r2@9 base:1=b2@0" },
	{ "not resolved", ONE ", " OTHER(""), "r1", "b1", NULL, "b2", "base:1=b2", "ruby:2=@0 base:1=b2@9" },
	{ "none resolved", ONE, NULL, NULL, NULL, NULL, "", "ruby:2=@0" },
	{ "declared already", OTHER(", lastTriggeredImageID: b1"), NULL, NULL, NULL, "b1", "", "base:1=b1@0" },
	{ "declared long ago", OTHER(", lastTriggeredImageID: b0"), NULL, "b1", NULL, "b2", "base:1=b2", "base:1=b2@9" },
	{ "back to an older image", ONE, "r2", NULL, "r1", NULL, "ruby:2=r1", "ruby:2=r1@9" },
	{ "no such trigger", "{type: ConfigChange}", NULL, NULL, "r1", "b1", "", "" },
};
/* clang-format on */

struct built {
	struct loaded loaded;
	struct trigger_case c;
	struct image_change_status recorded[2];
	struct build_config_status status;
	struct tag_now now[2];
	struct list tags;
};

static void build_case(struct built *b, const char *metadata, const char *triggers)
{
	struct arena *arena = arena_new();
	const struct object *object;

	manifest_load(&b->loaded,
		      arena_printf(arena, HEAD "metadata: %s\n" SPEC "  triggers: [%s]\n", metadata,
				   triggers),
		      false);
	arena_adopt(b->loaded.arena, arena);
	assert_int_equal(b->loaded.diags.list.n, 0);
	object = b->loaded.model.objects.v[0];
	b->tags = (struct list){ b->now, 2 };
	b->c = (struct trigger_case){ &object->meta, object->spec, &b->status, &b->tags };
}

static void test_image_change__fires_and_is_recorded(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNTOF(changes); i++) {
		struct built b = { 0 };
		const char *causes = "", *status = "";
		struct list decided, recorded;
		struct arena *arena;

		build_case(&b, "{name: x, namespace: n}", changes[i].triggers);
		arena = b.loaded.arena;
		b.recorded[0] =
			(struct image_change_status){ .name = "ruby:2",
						      .last_image = changes[i].recorded_ruby };
		b.recorded[1] = (struct image_change_status){
			.ns = "m", .name = "base:1", .last_image = changes[i].recorded_base
		};
		b.status.triggers = (struct list){ b.recorded, 2 };
		b.now[0] = (struct tag_now){ "n", "ruby:2", changes[i].ruby };
		b.now[1] = (struct tag_now){ "m", "base:1", changes[i].base };
		decided = image_change_decide(&b.c, arena);
		for (size_t k = 0; k < decided.n; k++) {
			const struct build_cause *cause = LIST_AT(decided, struct build_cause, k);

			assert_string_equal(cause->message, "Image change");
			causes = arena_printf(arena, "%s%s%s=%s", causes, k ? " " : "",
					      cause->image->from->name, cause->image->image);
		}
		recorded = image_change_record(&b.c, &decided, 9, arena);
		for (size_t k = 0; k < recorded.n; k++) {
			const struct image_change_status *one =
				LIST_AT(recorded, struct image_change_status, k);

			status = arena_printf(arena, "%s%s%s=%s@%d", status, k ? " " : "",
					      one->name, one->last_image ? one->last_image : "",
					      (int)one->triggered_s);
		}
		if (strcmp(causes, changes[i].causes) != 0 ||
		    strcmp(status, changes[i].status) != 0)
			fail_msg("%s: '%s', '%s'", changes[i].name, causes, status);
		/* What was recorded fires nothing any more. */
		b.status.triggers = recorded;
		assert_int_equal(image_change_decide(&b.c, arena).n, 0);
		arena_free(arena);
	}
}

static void test_image_change__namespaces_are_compared_as_they_count(void **state)
{
	struct built b = { 0 };

	(void)state;
	build_case(&b, "{name: x, namespace: n}", ONE);
	b.recorded[0] =
		(struct image_change_status){ .ns = "n", .name = "ruby:2", .last_image = "r1" };
	b.status.triggers = (struct list){ b.recorded, 1 };
	b.now[0] = (struct tag_now){ "m", "ruby:2", "r2" };
	b.now[1] = (struct tag_now){ "n", "ruby:2", "r1" };
	assert_int_equal(image_change_decide(&b.c, b.loaded.arena).n, 0);
	arena_free(b.loaded.arena);
}

static void test_config_change__fires_on_every_change_unless_told_otherwise(void **state)
{
	/* clang-format off */
	static const struct {
		const char *metadata, *triggers;
		int64_t last_version;
		const char *recorded;
		bool has_status, want;
	} rows[] = {
		{ "{name: x}", "{type: ConfigChange}", 0, NULL, false, true },
		{ "{name: x}", "{type: ConfigChange}", 0, NULL, true, true },
		{ "{name: x}", "{type: ConfigChange}", 3, "d1", true, false },
		{ "{name: x}", "{type: ConfigChange}", 3, "d0", true, true },
		{ "{name: x}", "{type: ConfigChange}", 3, NULL, true, false },
		{ "{name: x}", "{type: ImageChange}", 0, NULL, false, false },
		{ "{name: x, annotations: {reconcile.dev/config-change: first}}", "{type: ConfigChange}", 0, NULL, true, true },
		{ "{name: x, annotations: {reconcile.dev/config-change: first}}", "{type: ConfigChange}", 3, "d0", true, false },
		{ "{name: x, annotations: {reconcile.dev/config-change: always}}", "{type: ConfigChange}", 3, "d0", true, true },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct built b = { 0 };

		build_case(&b, rows[i].metadata, rows[i].triggers);
		b.status.last_version = rows[i].last_version;
		b.status.config_digest = rows[i].recorded;
		if (!rows[i].has_status)
			b.c.status = NULL;
		assert_int_equal(config_change_fires(&b.c, "d1"), rows[i].want);
		arena_free(b.loaded.arena);
	}
}

/* What is changed in SPEC, and whether the image could be another then. */
/* clang-format off */
static const struct {
	const char *from, *to;
	bool is_same;
} edits[] = {
	{ "uri: u", "uri: v", false }, { "ref: main", "ref: dev", false },
	{ "ref: main", "ref: main, httpProxy: 'http://p:1'", false },
	{ "name: A, value: b", "name: A, value: c", false }, { "ruby:2", "ruby:3", false },
	{ "name: 'ruby:2'", "name: 'ruby:2', namespace: m", false },
	{ "'out:1'", "'out:2'", false }, { "'out:1'}", "'out:1'}, imageLabels: [{name: a, value: b}]", false },
	{ "spec:\n", "spec:\n  postCommit: {script: a}\n", false },
	{ "spec:\n", "spec:\n  mountTrustedCA: true\n", false },
	{ "name: 'ruby:2'}", "name: 'ruby:2'}, incremental: false", false },
	{ "name: 'ruby:2'", "name: 'ruby:2', namespace: n", true },
	{ "kind: ImageStreamTag, name: 'ruby:2'", "name: 'ruby:2', kind: ImageStreamTag", true },
	{ "kind: ImageStreamTag, ", "", true },
	{ "spec:\n", "spec:\n  serviceAccount: s\n  nodeSelector: {a: b}\n  completionDeadlineSeconds: 9\n", true },
	{ "spec:\n", "spec:\n  resources: {limits: {cpu: 1}}\n", true },
	{ "spec:\n", "spec:\n  runPolicy: Parallel\n  failedBuildsHistoryLimit: 1\n  triggers: [{type: ConfigChange}]\n", true },
	{ "'out:1'}", "'out:1'}, pushSecret: {name: p}", true }, { "ref: main}", "ref: main}, sourceSecret: {name: p}", true },
	{ "ref: main}", "ref: main}, type: Git, contextDir: ''", true }, { "name: 'ruby:2'}", "name: 'ruby:2'}, pullSecret: {name: p}", true },
};
/* clang-format on */

static const char *digest_after(const char *from, const char *to, struct arena *arena)
{
	const char *text = HEAD "metadata: {name: x, namespace: n}\n" SPEC,
		   *at = strstr(text, from);
	struct loaded loaded;
	const char *digest;

	if (!at)
		fail_msg("'%s' is not in the spec", from);
	manifest_load(
		&loaded,
		arena_printf(arena, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from)),
		false);
	assert_int_equal(loaded.diags.n_errors + loaded.diags.n_warnings, 0);
	digest = config_digest(loaded.model.objects.v[0]->spec, "n", arena);
	arena_free(loaded.arena);
	return digest;
}

static void test_config_digest__is_of_what_can_change_the_image(void **state)
{
	struct arena *arena = arena_new();
	const char *before = digest_after("", "", arena);

	(void)state;
	for (size_t i = 0; i < COUNTOF(edits); i++) {
		bool is_same = strcmp(digest_after(edits[i].from, edits[i].to, arena), before) == 0;

		if (is_same != edits[i].is_same)
			fail_msg("'%s' for '%s'", edits[i].to, edits[i].from);
	}
	/* It is recorded, and read on other machines: it must never change by itself. */
	assert_string_equal(
		before, "sha256:94721ab7f4f2da77241ab5fefb08e752462388d6906a8f20056a68426ba19394");
	arena_free(arena);
}

static void test_build_config__is_paused_by_annotation(void **state)
{
	struct pair pair = { .key = ANNOTATION_PAUSED };
	const struct meta meta = { .annotations = { &pair, 1, 1 } }, none = { 0 };

	(void)state;
	assert_false(build_config_is_paused(&none));
	pair.value = "True";
	assert_true(build_config_is_paused(&meta));
	pair.value = "yes";
	assert_false(build_config_is_paused(&meta));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_run_policy__decides),
		cmocka_unit_test(test_run_policy__holds_for_every_queue_of_three),
		cmocka_unit_test(test_bc_history_prune__keeps_the_newest_of_each),
		cmocka_unit_test(test_image_change__fires_and_is_recorded),
		cmocka_unit_test(test_image_change__namespaces_are_compared_as_they_count),
		cmocka_unit_test(test_config_change__fires_on_every_change_unless_told_otherwise),
		cmocka_unit_test(test_config_digest__is_of_what_can_change_the_image),
		cmocka_unit_test(test_build_config__is_paused_by_annotation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
