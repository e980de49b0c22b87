/* SPDX-License-Identifier: Apache-2.0 */
/* test_git_commit.c — what commits say of themselves. */
#include "buildexec/sys/git_commit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define TREE "tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n"

static struct git_commit_info describe(struct arena *arena, const char *text)
{
	const struct git_data data = { GIT_TYPE_COMMIT, text, strlen(text) };
	struct git_commit_info out;
	struct err err = { 0 };

	assert_true(git_commit_describe(&data, arena, &out, &err));
	return out;
}

static void test_git_commit__people_dates_and_subject(void **state)
{
	struct arena *arena = arena_new();
	struct git_commit_info got =
		describe(arena, TREE "parent 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n"
				     "author Åsa  B <a@b.example> 1604573400 +0100\n"
				     "committer C D <c@d> 1700000000 -0330\n"
				     "gpgsig -----BEGIN-----\n \n author X <x@y> 1 +0000\n"
				     "\n\n  Fix the \t\nfirst thing  \n\nbody\n");
	char date[GIT_DATE_TEXT];

	(void)state;
	assert_string_equal(got.author.name, "Åsa  B");
	assert_string_equal(got.author.email, "a@b.example");
	assert_int_equal(got.author.time_s, 1604573400);
	assert_int_equal(got.author.offset_min, 60);
	assert_string_equal(got.committer.email, "c@d");
	assert_int_equal(got.committer.offset_min, -210);
	assert_string_equal(got.subject, "Fix the first thing");
	git_date_format(&got.author, date);
	assert_string_equal(date, "Thu Nov 5 11:50:00 2020 +0100");
	git_date_format(&got.committer, date);
	assert_string_equal(date, "Tue Nov 14 18:43:20 2023 -0330");
	git_date_format(&(struct git_person){ .name = "" }, date);
	assert_string_equal(date, "Thu Jan 1 00:00:00 1970 +0000");
	arena_free(arena);
}

static void test_git_commit__bears_nonsense(void **state)
{
	static const char *const rows[] = {
		TREE,
		TREE "author\n\n",
		TREE "author x\n\n",
		TREE "author <x\n\n",
		TREE "author <> \n",
		TREE "author >< 1\n\n\n\n",
		TREE "author a <b> 99999999999999999999 +0100\n\n",
		TREE "author a <b> 12 +01\n\n",
		TREE "author a <b> 12 +0x00",
	};
	struct arena *arena = arena_new();
	const struct git_data none = { GIT_TYPE_COMMIT, "author a <b> 1 +0000\n", 21 };
	struct git_commit_info got;
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		got = describe(arena, rows[i]);
		assert_string_equal(got.subject, "");
		assert_int_equal(got.author.offset_min, 0);
	}
	assert_false(git_commit_describe(&none, arena, &got, &err));
	assert_int_equal(err.kind, ERR_INVALID);
	arena_free(arena);
}

static void test_git_commit__cuts_what_is_too_long(void **state)
{
	struct arena *arena = arena_new();
	char *text = arena_alloc(arena, 3 * GIT_SUBJECT_BYTES);
	struct git_commit_info got;

	(void)state;
	strcpy(text, TREE "\n");
	memset(text + strlen(text), 'x', 2 * GIT_SUBJECT_BYTES);
	got = describe(arena, text);
	assert_int_equal(strlen(got.subject), GIT_SUBJECT_BYTES - 1);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_git_commit__people_dates_and_subject),
		cmocka_unit_test(test_git_commit__bears_nonsense),
		cmocka_unit_test(test_git_commit__cuts_what_is_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
