/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_build_parts.c — the small rules of builds: $(NAME) in variables (the rows that Kubernetes is tested with), lists of
 * variables, names and labels, phases, reasons, log snippets, references, and what an image says of its build.
 */
#include "manifest.h"

#include "model/kind/build_env.h"
#include "model/kind/build_info.h"
#include "model/kind/build_name.h"
#include "model/kind/build_phase.h"
#include "model/kind/build_refs.h"

static struct env_var vars[] = {
	{ .name = "VAR_A", .value = "A" },     { .name = "VAR_B", .value = "B" },
	{ .name = "VAR_C", .value = "C" },     { .name = "VAR_REF", .value = "$(VAR_A)" },
	{ .name = "VAR_EMPTY", .value = "" },  { .name = "VAR_NULL" },
	{ .name = "TWICE", .value = "first" }, { .name = "TWICE", .value = "last" },
};

static void test_env_expand__is_that_of_kubernetes(void **state)
{
	/* clang-format off */
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "", "" }, { "plain", "plain" },
		{ "$(VAR_A)", "A" }, { "___$(VAR_B)___", "___B___" }, { "___$(VAR_C)", "___C" },
		{ "$(VAR_A)-$(VAR_A)", "A-A" }, { "$(VAR_A)-1", "A-1" }, { "$(VAR_A)_$(VAR_B)_$(VAR_C)", "A_B_C" },
		{ "$$(VAR_B)_$(VAR_A)", "$(VAR_B)_A" }, { "$$(VAR_A)_$$(VAR_B)", "$(VAR_A)_$(VAR_B)" },
		{ "f000-$$VAR_A", "f000-$VAR_A" }, { "foo\\$(VAR_C)bar", "foo\\Cbar" }, { "foo\\\\$(VAR_C)bar", "foo\\\\Cbar" },
		{ "foo\\\\\\\\$(VAR_B)", "foo\\\\\\\\B" }, { "$(VAR_A$(VAR_B))", "$(VAR_A$(VAR_B))" }, { "$(VAR_A$(VAR_B)", "$(VAR_A$(VAR_B)" },
		{ "$(VAR_REF)", "$(VAR_A)" }, { "%%$(VAR_REF)--$(VAR_REF)%%", "%%$(VAR_A)--$(VAR_A)%%" },
		{ "foo$(VAR_EMPTY)bar", "foobar" }, { "foo$(VAR_Awhoops!", "foo$(VAR_Awhoops!" },
		{ "f00__(VAR_A)__", "f00__(VAR_A)__" }, { "$?_boo_$!", "$?_boo_$!" }, { "$VAR_A", "$VAR_A" },
		{ "$(VAR_DNE)", "$(VAR_DNE)" }, { "$$$$$$(BIG_MONEY)", "$$$(BIG_MONEY)" }, { "$$$$$$(VAR_A)", "$$$(VAR_A)" },
		{ "$$$$$$$(GOOD_ODDS)", "$$$$(GOOD_ODDS)" }, { "$$$$$$$(VAR_A)", "$$$A" }, { "$VAR_A)", "$VAR_A)" },
		{ "${VAR_A}", "${VAR_A}" }, { "$(VAR_B)_______$(A", "B_______$(A" }, { "$(VAR_C)_______$(", "C_______$(" },
		{ "$(VAR_A)foobarzab$", "Afoobarzab$" }, { "foo-\\$(VAR_A", "foo-\\$(VAR_A" },
		{ "--$($($($($--", "--$($($($($--" }, { "$($($($($--foo$(", "$($($($($--foo$(" }, { "foo0--$($($($(", "foo0--$($($($(" },
		{ "$(foo$$var)", "$(foo$$var)" }, { "$(VAR_NULL)x", "x" }, { "$(TWICE)", "last" }, { "$()", "$()" }, { "$", "$" },
	};
	/* clang-format on */
	const struct list list = { vars, COUNTOF(vars) };
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++)
		assert_string_equal(env_expand(rows[i].text, &list, arena), rows[i].want);
	arena_free(arena);
}

static bool lookup(void *context, const struct node *value_from, const char **value,
		   struct err *err)
{
	const char *key = node_text(value_from, "key");

	(void)context;
	if (!key)
		return err_set(err, ERR_ABSENT, "no such key");
	*value = key;
	return true;
}

static const char *joined(const struct list *list, struct arena *arena)
{
	const char *text = "";

	for (size_t i = 0; i < list->n; i++)
		text = arena_printf(arena, "%s%s%s=%s", text, i ? " " : "",
				    LIST_AT(*list, struct env_var, i)->name,
				    LIST_AT(*list, struct env_var, i)->value);
	return text;
}

static void test_env_resolve__sees_the_variables_before(void **state)
{
	struct arena *arena = arena_new();
	struct node *from = node_new(arena, NODE_MAP), *none = node_new(arena, NODE_MAP);
	struct env_var in[] = {
		{ .name = "A", .value = "$(B)" },      { .name = "B", .value_from = from },
		{ .name = "C", .value = "$(A)+$(B)" }, { .name = "B", .value = "2" },
		{ .name = "D", .value = "$(B)" },      { .name = "E", .value = "" },
		{ .name = "F", .value_from = none }
	};
	const struct list all = { in, COUNTOF(in) }, good = { in, COUNTOF(in) - 1 };
	struct list out;
	struct err err = { 0 };

	(void)state;
	node_set_text(arena, from, "key", "$(A)");
	assert_true(env_resolve(&good, lookup, NULL, arena, &out, &err));
	assert_string_equal(joined(&out, arena), "A=$(B) B=$(A) C=$(B)+$(A) B=2 D=2 E=");
	assert_false(env_resolve(&all, lookup, NULL, arena, &out, &err));
	assert_string_equal(err.text, "variable 'F': no such key");
	assert_int_equal(out.n, 0);
	arena_free(arena);
}

static void test_env_merge__later_lists_win(void **state)
{
	struct env_var a[] = { { .name = "A", .value = "1" },
			       { .name = "B", .value = "2" },
			       { .name = "C", .value = "3" } };
	struct env_var b[] = { { .name = "D", .value = "5" }, { .name = "B", .value = "4" } };
	const struct list base = { a, 3 }, over = { b, 2 }, none = { 0 };
	struct arena *arena = arena_new();
	struct list out;

	(void)state;
	out = env_merge(&base, &over, arena);
	assert_string_equal(joined(&out, arena), "A=1 C=3 D=5 B=4");
	out = env_override(&base, &over, arena);
	assert_string_equal(joined(&out, arena), "A=1 B=4 C=3 D=5");
	out = env_merge(&none, &over, arena);
	assert_string_equal(joined(&out, arena), "D=5 B=4");
	out = env_override(&base, &none, arena);
	assert_string_equal(joined(&out, arena), "A=1 B=2 C=3");
	arena_free(arena);
}

static char *repeat(char ch, size_t n, struct arena *arena)
{
	char *text = arena_alloc(arena, n + 1);

	memset(text, ch, n);
	return text;
}

/* The hash was computed by another program that knows FNV-1a's published values. */
static void test_build_name__long_ones_are_cut_with_a_hash(void **state)
{
	struct arena *arena = arena_new();
	char *base = repeat('a', 251, arena), *longer = repeat('a', 252, arena);
	const char *name, *other;

	(void)state;
	assert_string_equal(build_name("cart", "12", arena), "cart-12");
	assert_string_equal(build_name(base, "1", arena), arena_printf(arena, "%s-1", base));
	name = build_name(longer, "1", arena);
	assert_int_equal(strlen(name), 253);
	assert_int_equal(strspn(name, "a"), 253 - 1 - 10);
	assert_string_equal(name + 242, "-e7066e51-1");
	longer[200] = 'b';
	other = build_name(longer, "1", arena);
	assert_string_not_equal(name, other);
	/* A suffix without room is left out. */
	name = build_name("a", repeat('1', 300, arena), arena);
	assert_int_equal(strncmp(name, "a-", 2), 0);
	assert_int_equal(strlen(name), 10);
	assert_string_equal(strrchr(build_name("a", repeat('1', 243, arena), arena), '-') + 1,
			    repeat('1', 243, arena));
	arena_free(arena);
}

static void test_clone_name__replaces_the_time_of_the_clone_before(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	assert_string_equal(clone_name("b", 1766372400123456789, arena), "b-0123456789");
	assert_string_equal(clone_name("b-0123456789", 1766372400123456789, arena), "b-0123456789");
	assert_string_equal(clone_name("b-012345678", 1766372400123456789, arena),
			    "b-012345678-0123456789");
	assert_string_equal(clone_name("-0123456789", 12, arena), "-0123456789-12");
	arena_free(arena);
}

static void test_label_value__is_cut_until_it_is_one(void **state)
{
	struct arena *arena = arena_new();
	char *name = repeat('a', 80, arena);

	(void)state;
	assert_string_equal(label_value("cart", arena), "cart");
	assert_string_equal(label_value(name, arena), repeat('a', 63, arena));
	name[62] = '-';
	name[61] = '.';
	assert_string_equal(label_value(name, arena), repeat('a', 61, arena));
	assert_string_equal(label_value("---", arena), "---");
	arena_free(arena);
}

static void test_build_labels__are_added_to_those_of_the_config(void **state)
{
	struct arena *arena = arena_new();
	struct pair own[] = { { .key = "a", .value = "b" },
			      { .key = LABEL_RUN_POLICY, .value = "mine" } };
	const struct meta meta = { .name = "cart", .labels = { own, 2, 2 } };
	const struct pairs labels = build_labels(&meta, "Parallel", arena);

	(void)state;
	assert_int_equal(labels.n, 4);
	assert_string_equal(pairs_get(&labels, "a"), "b");
	assert_string_equal(pairs_get(&labels, "buildconfig"), "cart");
	assert_string_equal(pairs_get(&labels, "openshift.io/build-config.name"), "cart");
	assert_string_equal(pairs_get(&labels, "openshift.io/build.start-policy"), "Parallel");
	arena_free(arena);
}

/* Every pair of states: rows are what is, columns what follows, in the order of enum build_phase. */
static void test_phases__go_forward_only(void **state)
{
	static const char *const may[] = { "11111111", "01111111", "00111111", "00011111",
					   "00001000", "00000100", "00000010", "00000001" };

	(void)state;
	for (enum build_phase from = PHASE_NONE; from < PHASES; from++) {
		for (enum build_phase to = PHASE_NONE; to < PHASES; to++)
			assert_int_equal(phase_may_follow(from, to), may[from][to] == '1');
		assert_int_equal(phase_is_terminal(from), from >= PHASE_COMPLETE);
		assert_int_equal(phase_find(phase_name(from)), from);
	}
	assert_int_equal(phase_find("Done"), PHASE_NONE);
	assert_int_equal(phase_find(NULL), PHASE_NONE);
	assert_string_equal(phase_name(PHASE_CANCELLED), "Cancelled");
}

static void test_reasons__have_their_message(void **state)
{
	(void)state;
	assert_string_equal(reason_message("CancelledBuild"),
			    "The build was cancelled by the user.");
	assert_string_equal(reason_message("OutOfMemoryKilled"),
			    "The build pod was killed due to an out of memory condition.");
	assert_null(reason_message("AssembleFailed"));
	assert_null(reason_message(NULL));
}

static void test_log_snippet__is_the_last_lines(void **state)
{
	struct arena *arena = arena_new();
	const char *head = repeat('h', 58, arena), *tail = repeat('t', 59, arena);
	/* clang-format off */
	const struct {
		const char *log, *want;
	} rows[] = {
		{ "", "" }, { "\n\n", "" }, { "one", "one" }, { "one\n", "one" }, { "one\r\ntwo\r\n", "one\ntwo" },
		{ "1\n2\n3\n4\n5\n6\n", "2\n3\n4\n5\n6" }, { "1\n2\n3\n4\n5", "1\n2\n3\n4\n5" },
		{ "a\n\nb\n", "a\n\nb" },
		{ repeat('x', 120, arena), repeat('x', 120, arena) },
		{ arena_printf(arena, "%sabcd%s", head, tail), arena_printf(arena, "%s...%s", head, tail) },
		{ arena_printf(arena, "%sé%sé\n", repeat('h', 57, arena), repeat('t', 62, arena)),
		  arena_printf(arena, "%sé...%sé", repeat('h', 57, arena), repeat('t', 58, arena)) },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++)
		assert_string_equal(log_snippet(rows[i].log, strlen(rows[i].log), arena),
				    rows[i].want);
	arena_free(arena);
}

static const struct build_config_spec *load(struct loaded *loaded, const char *text)
{
	manifest_load(loaded, text, false);
	assert_int_equal(loaded->diags.list.n, 0);
	return loaded->model.objects.v[0]->spec;
}

static void test_build_refs__are_made_explicit(void **state)
{
	static const char *const uses[] = { "strategy", "source", "output", "trigger" };
	struct loaded loaded;
	const struct build_config_spec *spec = load(
		&loaded,
		"apiVersion: build.openshift.io/v1\nkind: BuildConfig\n"
		"metadata: {name: x, namespace: n}\nspec:\n"
		"  source: {images: [{from: {kind: DockerImage, name: 'h/i:1'}, as: [a]},"
		" {from: {kind: ImageStreamImage, name: s@id, namespace: m}, as: [b]}]}\n"
		"  strategy: {sourceStrategy: {from: {kind: ImageStreamTag, name: 'ruby:2.7'}}}\n"
		"  output: {to: {kind: ImageStreamTag, name: 'out:latest'}}\n"
		"  triggers: [{type: ConfigChange}, {type: ImageChange},"
		" {type: ImageChange, imageChange: {paused: true, from: {kind: ImageStreamTag, "
		"name: 'o:1', namespace: m}}}]\n");
	const struct list refs = build_config_refs(spec, "n", loaded.arena);
	const char *all = "";

	(void)state;
	for (size_t i = 0; i < refs.n; i++) {
		const struct build_ref *ref = LIST_AT(refs, struct build_ref, i);

		all = arena_printf(loaded.arena, "%s%s%zu=%s ", all, uses[ref->use], ref->index,
				   ref->image ? ref->image
				   : ref->tag ? arena_printf(loaded.arena, "%s/%s:%s", ref->ns,
							     ref->stream, ref->tag)
					      : arena_printf(loaded.arena, "%s/%s@%s", ref->ns,
							     ref->stream, ref->id));
	}
	assert_string_equal(
		all, "strategy0=n/ruby:2.7 source0=h/i:1 source1=m/s@id output0=n/out:latest "
		     "trigger1=n/ruby:2.7 trigger2=m/o:1 ");
	arena_free(loaded.arena);
}

static void test_build_info__says_what_is_known(void **state)
{
	static const char *const text =
		"apiVersion: build.openshift.io/v1\nkind: BuildConfig\nmetadata: {name: x}\nspec:\n"
		"  source: {contextDir: app, git: {uri: github.com/openshift/sample-app, ref: "
		"master}}\n"
		"  revision: {git: {commit: old}}\n"
		"  strategy: {dockerStrategy: {}}\n"
		"  output: {imageLabels: [{name: z, value: last}, {name: io.openshift.build.name, "
		"value: mine}]}\n";
	static const struct source_info info = { .commit = "1575a90",
						 .message = "words",
						 .date = "today",
						 .ref = "refs/x",
						 .location = "https://h/x",
						 .author_name = "A",
						 .author_email = "a@h" };
	const struct build_id id = { "sample-app-1", "default" };
	struct loaded loaded;
	const struct build_common *spec = &load(&loaded, text)->common;
	struct build_common bare = { 0 };
	struct list labels = build_info_labels(&id, spec, &info, loaded.arena), env;
	const char *all = "";

	(void)state;
	for (size_t i = 0; i < labels.n; i++)
		all = arena_printf(loaded.arena, "%s%s=%s\n", all,
				   LIST_AT(labels, struct image_label, i)->name,
				   LIST_AT(labels, struct image_label, i)->value);
	assert_string_equal(all, "io.openshift.build.commit.author=A <a@h>\n"
				 "io.openshift.build.commit.date=today\n"
				 "io.openshift.build.commit.id=1575a90\n"
				 "io.openshift.build.commit.message=words\n"
				 "io.openshift.build.commit.ref=master\n"
				 "io.openshift.build.name=sample-app-1\n"
				 "io.openshift.build.namespace=default\n"
				 "io.openshift.build.source-context-dir=app\n"
				 "io.openshift.build.source-location=https://h/x\n"
				 "z=last\n"
				 "io.openshift.build.name=mine\n");
	env = build_info_env(&id, spec, &info, loaded.arena);
	assert_string_equal(joined(&env, loaded.arena),
			    "OPENSHIFT_BUILD_NAME=sample-app-1 OPENSHIFT_BUILD_NAMESPACE=default "
			    "OPENSHIFT_BUILD_SOURCE=https://h/x "
			    "OPENSHIFT_BUILD_REFERENCE=master OPENSHIFT_BUILD_COMMIT=1575a90");
	env = build_info_env(&id, spec, NULL, loaded.arena);
	assert_string_equal(LIST_AT(env, struct env_var, 4)->value, "old");
	env = build_info_env(&id, &bare, &info, loaded.arena);
	assert_int_equal(env.n, 2);
	labels = build_info_labels(&id, &bare, NULL, loaded.arena);
	assert_int_equal(labels.n, 2);
	arena_free(loaded.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_env_expand__is_that_of_kubernetes),
		cmocka_unit_test(test_env_resolve__sees_the_variables_before),
		cmocka_unit_test(test_env_merge__later_lists_win),
		cmocka_unit_test(test_build_name__long_ones_are_cut_with_a_hash),
		cmocka_unit_test(test_clone_name__replaces_the_time_of_the_clone_before),
		cmocka_unit_test(test_label_value__is_cut_until_it_is_one),
		cmocka_unit_test(test_build_labels__are_added_to_those_of_the_config),
		cmocka_unit_test(test_phases__go_forward_only),
		cmocka_unit_test(test_reasons__have_their_message),
		cmocka_unit_test(test_log_snippet__is_the_last_lines),
		cmocka_unit_test(test_build_refs__are_made_explicit),
		cmocka_unit_test(test_build_info__says_what_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
