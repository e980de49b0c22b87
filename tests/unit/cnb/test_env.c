/* SPDX-License-Identifier: Apache-2.0 */
/* test_env.c — variables for buildpacks and processes: what passes, what layers and people change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "buildexec/cnb/env.h"

struct row {
	const char *name, *before; /* NULL: not set */
	const char *file, *content, *delim;
	enum env_default when_plain;
	const char *after;
};

/* clang-format off */
static const struct row rows[] = {
	{ "no suffix overrides", "old", "V", "new", NULL, ENV_OVERRIDE, "new" },
	{ "no suffix of the operator sets only what is empty", "old", "V", "new", NULL, ENV_SET_IF_EMPTY, "old" },
	{ "no suffix of the operator, nothing set", NULL, "V", "new", NULL, ENV_SET_IF_EMPTY, "new" },
	{ "override", "old", "V.override", "new", ":", ENV_OVERRIDE, "new" },
	{ "append without delimiter", "old", "V.append", "new", NULL, ENV_OVERRIDE, "oldnew" },
	{ "append with delimiter", "old", "V.append", "new", ":", ENV_OVERRIDE, "old:new" },
	{ "append to nothing takes no delimiter", NULL, "V.append", "new", ":", ENV_OVERRIDE, "new" },
	{ "append to empty takes no delimiter", "", "V.append", "new", ":", ENV_OVERRIDE, "new" },
	{ "prepend with delimiter", "old", "V.prepend", "new", ", ", ENV_OVERRIDE, "new, old" },
	{ "prepend to nothing takes no delimiter", NULL, "V.prepend", "new", ":", ENV_OVERRIDE, "new" },
	{ "default where something is set", "old", "V.default", "new", NULL, ENV_OVERRIDE, "old" },
	{ "default where it is empty", "", "V.default", "new", NULL, ENV_OVERRIDE, "new" },
	{ "an empty suffix prepends as to a path", "old", "V.", "new", NULL, ENV_OVERRIDE, "new:old" },
	{ "an unknown suffix changes nothing", "old", "V.other", "new", NULL, ENV_OVERRIDE, "old" },
	{ "the delimiter's own file changes nothing", "old", "V.delim", ":", NULL, ENV_OVERRIDE, "old" },
	{ "the suffix begins at the first dot", "old", "V.append.x", "new", NULL, ENV_OVERRIDE, "old" },
	{ "content is verbatim", NULL, "V", " a\nb\n", NULL, ENV_OVERRIDE, " a\nb\n" },
};
/* clang-format on */

static void test_env_apply_file__follows_the_suffix(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct arena *arena = arena_new();
		struct env env = { .arena = arena };

		print_message("%s\n", rows[i].name);
		if (rows[i].before)
			vars_set(&env, "V", rows[i].before);
		env_apply_file(&env, rows[i].file, rows[i].content, rows[i].delim,
			       rows[i].when_plain);
		assert_string_equal(vars_get(&env, "V"), rows[i].after);
		arena_free(arena);
	}
}

static const char *joined(const struct env *env, struct arena *arena)
{
	char *text = arena_strdup(arena, "");

	for (char **list = env_list(env, arena); *list; list++)
		text = arena_printf(arena, "%s%s%s", text, *text ? " " : "", *list);
	return text;
}

static char *word(struct arena *arena, const char *text)
{
	return arena_strdup(arena, text);
}

static void test_env_for_build__passes_only_what_is_allowed(void **state)
{
	struct arena *arena = arena_new();
	char *list[] = { word(arena, "HOME=/h"),
			 word(arena, "CNB_PLATFORM_API=0.14"),
			 word(arena, "TOKEN=x"),
			 word(arena, "PATH=/bin"),
			 word(arena, "CPATH=/i"),
			 word(arena, "no_proxy=a=b"),
			 word(arena, "CNB_STACK_ID=stack"),
			 word(arena, "broken"),
			 NULL };
	struct env env = env_for_build(list, arena);

	(void)state;
	assert_string_equal(joined(&env, arena),
			    "HOME=/h PATH=/bin CPATH=/i no_proxy=a=b CNB_STACK_ID=stack");
	arena_free(arena);
}

static void test_env_for_launch__hides_the_lifecycle(void **state)
{
	static const char *const paths[][2] = {
		{ "PATH=/cnb/process:/cnb/lifecycle:/usr/bin:/bin", "/usr/bin:/bin" },
		{ "PATH=/a:/cnb/lifecycle:/b:/cnb/process", "/a:/b" },
		{ "PATH=/cnb/process", "" },
		{ "PATH=/cnb/processes:/bin:", "/cnb/processes:/bin:" },
		{ "PATH=", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(paths); i++) {
		struct arena *arena = arena_new();
		char *list[] = { word(arena, "CNB_LAYERS_DIR=/l"), word(arena, paths[i][0]),
				 word(arena, "CNB_APP_DIR=/a"), word(arena, "A=b"), NULL };
		struct env env = env_for_launch(list, arena);

		assert_string_equal(joined(&env, arena),
				    arena_printf(arena, "PATH=%s A=b", paths[i][1]));
		arena_free(arena);
	}
}

static void test_env__user_values_go_before_paths_and_replace_others(void **state)
{
	struct arena *arena = arena_new();
	struct env env = { .arena = arena }, copy;

	(void)state;
	vars_set(&env, "PATH", "/bin");
	vars_set(&env, "A", "old");
	copy = env_copy(&env, arena);
	env_apply_user(&copy, "PATH", "/mine");
	env_apply_user(&copy, "LIBRARY_PATH", "/lib");
	env_apply_user(&copy, "A", "new");
	assert_string_equal(joined(&copy, arena), "PATH=/mine:/bin A=new LIBRARY_PATH=/lib");
	assert_string_equal(joined(&env, arena), "PATH=/bin A=old");
	assert_string_equal(env_delim_file("A.append", arena), "A.delim");
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_env_apply_file__follows_the_suffix),
		cmocka_unit_test(test_env_for_build__passes_only_what_is_allowed),
		cmocka_unit_test(test_env_for_launch__hides_the_lifecycle),
		cmocka_unit_test(test_env__user_values_go_before_paths_and_replace_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
