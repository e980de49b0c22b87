/* SPDX-License-Identifier: Apache-2.0 */
/* test_options.c — command lines and environments, one row each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "buildexec/sys/proc.h"
#include "reconcile/options.h"

enum { WORDS = 8 };

struct row {
	const char *name;
	const char *argv[WORDS];
	const char *env[3];
	const char *command; /* words of the command found; NULL: refused */
	const char *error;   /* part of the text */
};

static const struct row rows[] = {
	{ "nothing_is_the_main_job", { "reconcile" }, { 0 }, "", NULL },
	{ "a_folder_is_the_main_job", { "reconcile", "manifests/" }, { 0 }, "", NULL },
	{ "two_words", { "reconcile", "image", "list", "-A" }, { 0 }, "image list", NULL },
	{ "options_before_and_after",
	  { "reconcile", "build", "status", "-b", "12", "cart" },
	  { 0 },
	  "build status",
	  NULL },
	{ "a_joined_value", { "reconcile", "-j4", "." }, { 0 }, "", NULL },
	{ "an_end_of_options", { "reconcile", "--", "-odd-" }, { 0 }, "", NULL },
	{ "unknown_with_suggestion",
	  { "reconcile", "--dryrun" },
	  { 0 },
	  NULL,
	  "unknown option '--dryrun'; did you mean '--dry-run'?" },
	{ "unknown_second_word",
	  { "reconcile", "image", "lst" },
	  { 0 },
	  NULL,
	  "unknown command 'reconcile image lst'; did you mean 'list'?" },
	{ "group_alone",
	  { "reconcile", "image" },
	  { 0 },
	  NULL,
	  "'reconcile image' needs one of: list" },
	{ "option_of_another_command",
	  { "reconcile", "image", "list", "--trigger", "x" },
	  { 0 },
	  NULL,
	  "takes no option '--trigger'" },
	{ "a_missing_value",
	  { "reconcile", "--state" },
	  { 0 },
	  NULL,
	  "--state needs a value: URL|PATH" },
	{ "a_bad_number",
	  { "reconcile", "-j", "0" },
	  { 0 },
	  NULL,
	  "takes a whole number from 1, not '0'" },
	{ "a_bad_choice",
	  { "reconcile", "--color=blue" },
	  { 0 },
	  NULL,
	  "--color takes one of auto|always|never, not 'blue'" },
	{ "a_flag_with_a_bad_value",
	  { "reconcile", "--strict=maybe" },
	  { 0 },
	  NULL,
	  "takes true or false, not 'maybe'" },
	{ "too_many_arguments", { "reconcile", "a", "b" }, { 0 }, NULL, "unexpected argument 'b'" },
	{ "too_few_arguments",
	  { "reconcile", "image", "status" },
	  { 0 },
	  NULL,
	  "usage: reconcile image status NAME" },
	{ "another_name_of_a_kind",
	  { "reconcile", "stack", "create", "x" },
	  { 0 },
	  "clusterstack create",
	  NULL },
	{ "and_the_other_way", { "reconcile", "store", "list" }, { 0 }, "clusterstore list", NULL },
	{ "a_folder_named_as_a_group",
	  { "reconcile", "config" },
	  { 0 },
	  NULL,
	  "a folder of that name is './config'" },
	{ "a_bad_variable",
	  { "reconcile" },
	  { "RECONCILE_JOBS=many" },
	  NULL,
	  "RECONCILE_JOBS takes a whole number" },
};

static void check(void **state)
{
	const struct row *row = *state;
	struct arena *arena = arena_new();
	const struct command *command = NULL;
	struct options options;
	struct err err = { 0 };
	int argc = 0;
	bool is_fine;

	while (argc < WORDS && row->argv[argc])
		argc++;
	proc_set_environment((const char *const *)row->env);
	is_fine = options_parse(argc, row->argv, arena, &command, &options, &err);
	if (!is_fine && row->command)
		fail_msg("refused: %s", err.text);
	assert_int_equal(is_fine, row->command != NULL);
	if (row->command)
		assert_string_equal(command->words, row->command);
	else if (!strstr(err.text, row->error))
		fail_msg("'%s' does not say '%s'", err.text, row->error);
	arena_free(arena);
}

static void test_options__take_the_command_line_before_the_environment(void **state)
{
	static const char *const env[] = { "RECONCILE_STATE_BRANCH=from-env",
					   "RECONCILE_STATE=/env", "RECONCILE_DRY_RUN=offline",
					   "RECONCILE_ONLY=a,b", NULL };
	static const char *const argv[] = { "reconcile", "--state=/line", "--only", "c", NULL };
	struct arena *arena = arena_new();
	const struct command *command;
	struct options options;
	struct err err = { 0 };

	(void)state;
	proc_set_environment(env);
	assert_true(options_parse(4, argv, arena, &command, &options, &err));
	assert_string_equal(options.state, "/line");
	assert_string_equal(options.state_branch, "from-env");
	assert_string_equal(options.dry_run, "offline");
	assert_int_equal(options.only.n, 3);
	arena_free(arena);
}

static void test_help__names_every_option_of_a_command(void **state)
{
	struct buf out = BUF_INIT(1 << 20);

	(void)state;
	for (size_t i = 0; i < n_commands; i++) {
		buf_clear(&out);
		help_print(&commands[i], &out);
		for (size_t k = 0; k < n_option_rows; k++)
			if (option_rows[k].where & commands[i].options &&
			    !strstr(buf_text(&out), option_rows[k].name))
				fail_msg("help of '%s' does not name --%s", commands[i].words,
					 option_rows[k].name);
		for (const char *line = buf_text(&out); *line; line += strcspn(line, "\n") + 1)
			assert_true(strcspn(line, "\n") < 120);
	}
	buf_release(&out);
}

/* Letters and names mean different things in different commands, but one thing in each. */
static void test_options__each_name_and_letter_means_one_thing_in_a_command(void **state)
{
	(void)state;
	for (size_t c = 0; c < n_commands; c++)
		for (size_t i = 0; i < n_option_rows; i++)
			for (size_t k = 0; k < i; k++) {
				const struct option_row *a = &option_rows[i], *b = &option_rows[k];

				if (!(a->where & commands[c].options) ||
				    !(b->where & commands[c].options))
					continue;
				/* --state: what is no phase is a repository. */
				assert_true(strcmp(a->name, b->name) != 0 ||
					    (a->type == OPTION_SOME) != (b->type == OPTION_SOME));
				/* -o: what is no format is kp's --order. */
				if (a->letter && a->letter == b->letter)
					assert_int_not_equal(a->type == OPTION_CHOICE,
							     b->type == OPTION_CHOICE);
			}
}

static void test_options__kp_flags_of_an_image_reach_their_places(void **state)
{
	static const char *const argv[] = { "reconcile",
					    "image",
					    "patch",
					    "cart",
					    "-b",
					    "tiny",
					    "-e",
					    "A=1",
					    "-e",
					    "B=",
					    "-d",
					    "C",
					    "-s",
					    "db",
					    "-t",
					    "r/x",
					    "-n",
					    "shop",
					    "--custom-cluster-builder",
					    "default",
					    NULL };
	struct arena *arena = arena_new();
	const struct command *command;
	struct options options;
	struct err err = { 0 };

	(void)state;
	assert_true(options_parse(COUNTOF(argv) - 1, argv, arena, &command, &options, &err));
	assert_string_equal(command->words, "image patch");
	assert_string_equal(options.image.builder, "tiny");
	assert_string_equal(options.image.cluster_builder, "default");
	assert_string_equal(options.image.tag, "r/x");
	assert_int_equal(options.image.env.n, 2);
	assert_string_equal(options.image.env.v[1], "B=");
	assert_string_equal(options.image.delete_env.v[0], "C");
	assert_string_equal(options.image.services.v[0], "db");
	assert_string_equal(options.ns, "shop");
	assert_string_equal(options.args.v[0], "cart");
	arena_free(arena);
}

static void test_options__the_letter_of_two_goes_by_the_value(void **state)
{
	static const char *const argv[] = { "reconcile", "builder", "create",     "x", "-o",
					    "yaml",      "-o",      "order.yaml", NULL };
	struct arena *arena = arena_new();
	const struct command *command;
	struct options options;
	struct err err = { 0 };

	(void)state;
	assert_true(options_parse(COUNTOF(argv) - 1, argv, arena, &command, &options, &err));
	assert_string_equal(options.output, "yaml");
	assert_string_equal(options.object.order, "order.yaml");
	arena_free(arena);
}

static void test_options__the_name_of_two_goes_by_the_value(void **state)
{
	static const struct {
		const char *argv[WORDS], *state, *phases;
	} cases[] = {
		{ { "reconcile", "build", "cancel", "x", "--state", "new,pending" },
		  NULL,
		  "new,pending" },
		{ { "reconcile", "build", "cancel", "x", "--state=all" }, NULL, "all" },
		{ { "reconcile", "build", "cancel", "x", "--state=new,gone" }, "new,gone", NULL },
		{ { "reconcile", "build", "cancel", "x", "--state=new," }, "new,", NULL },
		{ { "reconcile", "build", "cancel", "x", "--state=a.git", "--state=running" },
		  "a.git",
		  "running" },
		{ { "reconcile", "build", "status", "x", "--state", "new" }, "new", NULL },
	};
	struct arena *arena = arena_new();

	(void)state;
	proc_set_environment((const char *const[]){ NULL });
	for (size_t i = 0; i < COUNTOF(cases); i++) {
		const struct command *command;
		struct options options;
		struct err err = { 0 };

		if (!options_parse(0, cases[i].argv, arena, &command, &options, &err))
			fail_msg("%s", err.text);
		assert_string_equal(options.state ? options.state : "-",
				    cases[i].state ? cases[i].state : "-");
		assert_string_equal(options.bc.phases ? options.bc.phases : "-",
				    cases[i].phases ? cases[i].phases : "-");
	}
	arena_free(arena);
}

/* The variable is the repository's: scripts set it once for all commands. */
static void test_options__a_variable_of_two_is_the_first_ones(void **state)
{
	static const char *const argv[] = { "reconcile", "build", "cancel", "x", NULL };
	static const char *const env[] = { "RECONCILE_STATE=new", NULL }, *const none[] = { NULL };
	struct arena *arena = arena_new();
	const struct command *command;
	struct options options;
	struct err err = { 0 };

	(void)state;
	proc_set_environment(env);
	assert_true(options_parse(4, argv, arena, &command, &options, &err));
	proc_set_environment(none);
	assert_string_equal(options.state, "new");
	assert_null(options.bc.phases);
	arena_free(arena);
}

int main(void)
{
	struct CMUnitTest tests[COUNTOF(rows) + 7];

	for (size_t i = 0; i < COUNTOF(rows); i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, check, NULL, NULL,
						(void *)(uintptr_t)&rows[i] };
	tests[COUNTOF(rows)] = (struct CMUnitTest)cmocka_unit_test(
		test_options__take_the_command_line_before_the_environment);
	tests[COUNTOF(rows) + 1] =
		(struct CMUnitTest)cmocka_unit_test(test_help__names_every_option_of_a_command);
	tests[COUNTOF(rows) + 2] = (struct CMUnitTest)cmocka_unit_test(
		test_options__each_name_and_letter_means_one_thing_in_a_command);
	tests[COUNTOF(rows) + 4] = (struct CMUnitTest)cmocka_unit_test(
		test_options__the_letter_of_two_goes_by_the_value);
	tests[COUNTOF(rows) + 3] = (struct CMUnitTest)cmocka_unit_test(
		test_options__kp_flags_of_an_image_reach_their_places);
	tests[COUNTOF(rows) + 5] = (struct CMUnitTest)cmocka_unit_test(
		test_options__the_name_of_two_goes_by_the_value);
	tests[COUNTOF(rows) + 6] = (struct CMUnitTest)cmocka_unit_test(
		test_options__a_variable_of_two_is_the_first_ones);
	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
