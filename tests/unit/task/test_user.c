/* SPDX-License-Identifier: Apache-2.0 */
/* test_user.c — users of images and ranges of allowed ones. */
#include "buildexec/task/user.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct user_files files = {
	.passwd = "root:x:0:0:root:/root:/bin/sh\n\nbroken\napp:x:1001:0:App:/opt/app:/bin/sh\n"
		  "7:x:500:50::relative:/bin/sh\nlast:x:12:13::/l",
	.group = "root:x:0:\nwheel:x:10:app,last\nstaff:x:50:xapp,app\nempty:x::app\n",
};

static void test_user_resolve__names_and_numbers(void **state)
{
	static const struct {
		const char *text;
		uint32_t uid, gid, n_groups;
		const char *home;
	} rows[] = {
		{ "", 0, 0, 0, "/root" },
		{ "0", 0, 0, 0, "/root" },
		{ "1001", 1001, 0, 2, "/opt/app" },
		{ "app", 1001, 0, 2, "/opt/app" },
		{ "app:wheel", 1001, 10, 0, "/opt/app" },
		{ "app:77", 1001, 77, 0, "/opt/app" },
		{ "2000", 2000, 0, 0, NULL },
		{ "2000:3000", 2000, 3000, 0, NULL },
		{ "7", 500, 50, 0, NULL },
		{ "last", 12, 13, 1, "/l" },
		{ ":50", 0, 0, 0, "/root" },
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct err err = { 0 };
		struct user user;

		assert_true(user_resolve(rows[i].text, &files, arena, &user, &err));
		assert_int_equal(user.uid, rows[i].uid);
		assert_int_equal(user.gid, rows[i].gid);
		assert_int_equal(user.groups.n, rows[i].n_groups);
		if (rows[i].home)
			assert_string_equal(user.home, rows[i].home);
		else
			assert_null(user.home);
	}
	arena_free(arena);
}

static void test_user_resolve__refuses_unknown_names(void **state)
{
	static const struct user_files none = { 0 };
	struct arena *arena = arena_new();
	struct err err = { 0 };
	struct user user;

	(void)state;
	assert_false(user_resolve("nobody", &files, arena, &user, &err));
	assert_string_equal(err.text, "user 'nobody' is not in the image's /etc/passwd");
	assert_false(user_resolve("app:nogroup", &files, arena, &user, &err));
	assert_false(user_resolve("4294967295", &files, arena, &user, &err));
	assert_false(user_resolve("99999999999", &files, arena, &user, &err));
	assert_false(user_resolve("-1", &files, arena, &user, &err));
	assert_false(user_resolve("app", &none, arena, &user, &err));
	assert_true(user_resolve("1001", &none, arena, &user, &err));
	arena_free(arena);
}

static void test_uid_ranges__allow(void **state)
{
	static const struct {
		const char *ranges, *user;
		bool result;
	} rows[] = {
		{ "", "root", true },     { NULL, "", true },      { "1-", "1", true },
		{ "1-", "0", false },     { "1-", "", false },     { "1-", "app", false },
		{ "1-", "1001:0", true }, { "-5", "5", true },     { "-5", "6", false },
		{ "3-5", "4", true },     { "3-5", "2", false },   { "7", "7", true },
		{ "7", "8", false },      { "1, 5-6", "6", true }, { "0", "0", true },
		{ "1-", " 5", false },    { "1-", "5x", false },   { "1-", NULL, false },
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct uid_ranges ranges;
		struct err err = { 0 };

		assert_true(uid_ranges_parse(rows[i].ranges, arena, &ranges, &err));
		if (uid_ranges_allow(&ranges, rows[i].user) != rows[i].result)
			fail_msg("'%s' and '%s'", rows[i].ranges, rows[i].user);
	}
	arena_free(arena);
}

static void test_uid_ranges__refuse_nonsense(void **state)
{
	static const char *const rows[] = { "-", "a", "5-3", "1,", ",", "1--2", "1-2-3", "1 2" };
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct uid_ranges ranges;
		struct err err = { 0 };

		if (uid_ranges_parse(rows[i], arena, &ranges, &err))
			fail_msg("'%s' is taken", rows[i]);
		assert_int_equal(err.kind, ERR_INVALID);
	}
	arena_free(arena);
}

static void test_uid_ranges__look_at_onbuild(void **state)
{
	static const char *good[] = { "COPY . /x", "user 1001", "RUN user 0" },
			  *bad[] = { "USER 5", "  User\troot  " };
	struct arena *arena = arena_new();
	struct uid_ranges ranges;
	struct err err = { 0 };

	(void)state;
	assert_true(uid_ranges_parse("1-", arena, &ranges, &err));
	assert_null(uid_ranges_refused(&ranges, &(struct strings){ .v = good, .n = 3 }, arena));
	assert_string_equal(
		uid_ranges_refused(&ranges, &(struct strings){ .v = bad, .n = 2 }, arena), "root");
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_user_resolve__names_and_numbers),
		cmocka_unit_test(test_user_resolve__refuses_unknown_names),
		cmocka_unit_test(test_uid_ranges__allow),
		cmocka_unit_test(test_uid_ranges__refuse_nonsense),
		cmocka_unit_test(test_uid_ranges__look_at_onbuild),
	};

	return cmocka_run_group_tests_name("user", tests, NULL, NULL);
}
