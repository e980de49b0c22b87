/* SPDX-License-Identifier: Apache-2.0 */
/* test_tag_rule.c — ranges, patterns, extracts and orders of tags, one line per rule (gitops.md §2.3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/oci/semver.h"
#include "model/oci/tag_rule.h"

static void test_range__takes_what_it_should(void **state)
{
	static const struct {
		const char *range, *in, *out; /* versions between blanks */
	} rows[] = {
		{ "1.2.3", "1.2.3 v1.2.3 1.2.3+b", "1.2.4 1.2.3-rc.1" },
		{ "1.2", "1.2.0 1.2.9", "1.3.0 1.1.9" },
		{ "=1.2", "1.2.0 1.2.9", "1.3.0" },
		{ "1", "1.0.0 1.99.0", "2.0.0 0.9.0" },
		{ "*", "0.0.0 99.0.0", "1.0.0-rc" },
		{ "", "1.0.0", "1.0.0-rc" },
		{ "1.x", "1.0.0 1.99.0", "2.0.0" },
		{ ">11", "12.0.0", "11.0.0 11.9.9" },
		{ ">11.1", "11.2.0 12.0.0", "11.1.0 11.1.9" },
		{ ">=11", "11.0.0 12.0.0", "10.9.9" },
		{ "=>11", "11.0.0", "10.9.9" },
		{ "<11", "10.9.9", "11.0.0" },
		{ "<=11", "11.0.0 11.9.9 10.0.0", "12.0.0" },
		{ "<=11.1", "11.1.9 11.0.0 10.9.0", "11.2.0 12.0.0" },
		{ "!=1", "2.0.0 0.1.0", "1.0.0 1.9.0" },
		{ "!=1.2", "1.3.0 2.2.0", "1.2.0 1.2.9" },
		{ "!=1.2.3", "1.2.4", "1.2.3" },
		{ "~1.2.3", "1.2.3 1.2.9", "1.3.0 1.2.2" },
		{ "~>1.2.3", "1.2.9", "1.3.0" },
		{ "~1", "1.0.0 1.9.0", "2.0.0" },
		{ "~0.0.0", "0.0.0 5.0.0", "0.0.0-a" },
		{ "^1.2.3", "1.2.3 1.9.0", "2.0.0 1.2.2" },
		{ "^0.2.3", "0.2.3 0.2.9", "0.3.0" },
		{ "^0.0.3", "0.0.3", "0.0.4 0.1.0" },
		{ "^0.0", "0.0.1 0.0.9", "0.1.0" },
		{ "^0", "0.0.1 0.9.0", "1.0.0" },
		{ "1.2 - 1.4", "1.2.0 1.4.9", "1.1.0 1.5.0" },
		{ ">=1.0 <2.0", "1.5.0", "2.0.0 0.9.0" },
		{ ">=1.0,<2.0", "1.5.0", "2.0.0" },
		{ ">= 1.0 < 2.0", "1.5.0", "2.0.0" },
		{ "1.x || >=3.0.0", "1.5.0 3.1.0", "2.0.0" },
		{ ">=1.0.0-0", "1.0.0-alpha 1.0.0 2.0.0-rc.1", "0.9.0" },
		{ ">1.0.0-alpha <2", "1.0.0-beta 1.0.0", "1.0.0-alpha 2.0.0" },
		{ ">=2025.02", "v2025.02.03 2025.10.01", "2025.01.30" },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct arena *arena = arena_new();
		struct semver_range range;
		struct err err = { 0 };

		if (!semver_range_parse(rows[i].range, &range, &err))
			fail_msg("%s: %s", rows[i].range, err.text);
		for (int k = 0; k < 2; k++) {
			char *rest = arena_strdup(arena, k ? rows[i].out : rows[i].in);

			for (char *word = rest; word; word = rest) {
				struct semver version;

				rest = strchr(word, ' ');
				if (rest)
					*rest++ = '\0';
				assert_true(semver_parse(word, &version));
				if (semver_is_in(&version, &range) != !k)
					fail_msg("'%s' and %s", rows[i].range, word);
			}
		}
		arena_free(arena);
	}
}

static void test_range__refuses_what_it_cannot_read(void **state)
{
	static const char *const texts[] = { "a",      ">",      "1.2.3.4",
					     ">=1 |",  "1 | 2",  "v",
					     "1.a",    "1.2.3-", "1.2.3+",
					     "1.2 - ", "^^1",    "1.2.99999999999999999999" };

	(void)state;
	for (size_t i = 0; i < COUNTOF(texts); i++) {
		struct semver_range range;
		struct err err = { 0 };

		if (semver_range_parse(texts[i], &range, &err))
			fail_msg("'%s' was taken", texts[i]);
		assert_int_equal(err.kind, ERR_INVALID);
	}
}

static void test_rule__chooses_the_latest(void **state)
{
	static const struct {
		struct tag_rule rule;
		const char *tags, *want; /* between blanks; NULL: none */
	} rows[] = {
		{ { TAG_SEMVER, "1.x" }, "1.0.0 1.10.0 1.9.0 2.0.0", "1.10.0" },
		{ { TAG_SEMVER, "*" }, "1.0 1 latest x1.0.0", NULL },
		{ { TAG_SEMVER, "*" }, "1.0.0 v1.0.0", "v1.0.0" },
		{ { TAG_SEMVER, ">=1" }, "v2025.02.03 v2025.10.01", "v2025.10.01" },
		{ { TAG_ALPHABETICAL }, "a c b", "c" },
		{ { TAG_ALPHABETICAL, .is_descending = true }, "b a c", "a" },
		{ { TAG_NUMERICAL }, "9 10 007", "10" },
		{ { TAG_NUMERICAL, .is_descending = true }, "9 10 007", "007" },
		{ { TAG_NUMERICAL }, "9007199254740993 9007199254740992", "9007199254740993" },
		{ { TAG_NUMERICAL }, "1.5 1.25 -3", "1.5" },
		{ { TAG_ALPHABETICAL, .pattern = "^main-" }, "main-1 z", "main-1" },
		{ { TAG_ALPHABETICAL, .pattern = "ain" }, "main-1 z", "main-1" },
		{ { TAG_NUMERICAL, .pattern = "^main-[a-f0-9]+-(?P<ts>\\d+)$", .extract = "$ts" },
		  "main-ff-100 main-aa-99 dev-aa-500",
		  "main-ff-100" },
		{ { TAG_NUMERICAL, .pattern = "^(\\d+)-(\\d+)$", .extract = "${2}" },
		  "9-1 1-9",
		  "1-9" },
		{ { TAG_ALPHABETICAL, .pattern = "^(.)$", .extract = "$1x" }, "b a", "b" },
		{ { TAG_ALPHABETICAL, .pattern = "(?i)^RC", .extract = "$$" }, "rc1 rc2 x", "rc2" },
		{ { TAG_ALPHABETICAL, .pattern = "^a$" }, "a\n b", NULL },
		{ { TAG_ALPHABETICAL }, "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct arena *arena = arena_new();
		struct strings tags = { 0 }, reversed = { 0 };
		struct err err = { 0 };
		const char *found, *again = NULL;

		for (char *word = arena_strdup(arena, rows[i].tags), *rest; word; word = rest) {
			rest = strchr(word, ' ');
			if (rest)
				*rest++ = '\0';
			if (*word)
				vec_push(arena, &tags, word);
		}
		for (size_t k = tags.n; k-- > 0;)
			vec_push(arena, &reversed, tags.v[k]);
		if (!tag_choose(&rows[i].rule, &tags, arena, &found, &err) ||
		    !tag_choose(&rows[i].rule, &reversed, arena, &again, &err))
			fail_msg("row %zu: %s", i, err.text);
		if (!rows[i].want)
			assert_null(found);
		else
			assert_string_equal(found, rows[i].want);
		assert_ptr_equal(found, again);
		arena_free(arena);
	}
}

static void test_rule__leaves_out_what_is_excluded(void **state)
{
	struct arena *arena = arena_new();
	struct tag_rule rule = { .order = TAG_ALPHABETICAL };
	struct strings tags = { 0 };
	struct err err = { 0 };
	const char *found;

	(void)state;
	vec_push(arena, &rule.excluded, "^.*\\.sig$");
	vec_push(arena, &tags, "a");
	vec_push(arena, &tags, "z.sig");
	assert_true(tag_choose(&rule, &tags, arena, &found, &err));
	assert_string_equal(found, "a");
	arena_free(arena);
}

static void test_rule__says_what_is_wrong(void **state)
{
	static const struct {
		struct tag_rule rule;
		const char *tag, *said;
	} rows[] = {
		{ { TAG_NUMERICAL }, "x1", "the tag 'x1' is no number" },
		{ { TAG_NUMERICAL, .pattern = "(.*)", .extract = "a$1" },
		  "1",
		  "the tag '1' is no number: 'a1'" },
		{ { TAG_ALPHABETICAL, .pattern = "(" }, "x", "the pattern '(' cannot be read" },
		{ { TAG_SEMVER, "x.y" }, "x", "the range 'x.y': improper constraint" },
		{ { TAG_ALPHABETICAL, .pattern = "^(a+)+$" },
		  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!",
		  "takes too long" },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct arena *arena = arena_new();
		struct strings tags = { 0 };
		struct err err = { 0 };
		const char *found;

		vec_push(arena, &tags, rows[i].tag);
		assert_false(tag_choose(&rows[i].rule, &tags, arena, &found, &err));
		assert_null(found);
		if (!strstr(err.text, rows[i].said))
			fail_msg("row %zu says: %s", i, err.text);
		arena_free(arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_range__takes_what_it_should),
		cmocka_unit_test(test_range__refuses_what_it_cannot_read),
		cmocka_unit_test(test_rule__chooses_the_latest),
		cmocka_unit_test(test_rule__leaves_out_what_is_excluded),
		cmocka_unit_test(test_rule__says_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
