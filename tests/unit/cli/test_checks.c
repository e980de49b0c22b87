/* SPDX-License-Identifier: Apache-2.0 */
/* test_checks.c — the memory of scheduled checks: what is noted, what is believed, what a damaged file does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/base/digest.h"
#include "reconcile/checks.h"
#include "unit/cli/folder.h"

static struct folder folder;

static int set_up(void **state)
{
	(void)state;
	return folder_make(&folder);
}

static int tear_down(void **state)
{
	(void)state;
	folder_release(&folder);
	return 0;
}

static struct checks_place place_at(const char *url, int64_t now_s)
{
	return (struct checks_place){ folder.dir.path, url, now_s };
}

/* A run at that time that asked for these tags; err NONE: answered. */
static void run_at(const char *url, int64_t now_s, const char *tag, enum err_kind kind)
{
	const struct checks_place place = place_at(url, now_s);
	struct map known = checks_read(&place, folder.arena);
	struct query query = { .kind = QUERY_IMPORT };
	struct fact fact = { .query = &query, .is_known = kind == ERR_NONE, .err = { kind } };
	struct facts facts = { 0 };

	vec_push(folder.arena, &query.tags, tag);
	map_set(folder.arena, &facts.by_key, "key", &fact);
	checks_write(&place, &known, &facts);
}

static int64_t checked(const char *url, int64_t now_s, const char *tag)
{
	const struct checks_place place = place_at(url, now_s);
	struct map known = checks_read(&place, folder.arena);
	const int64_t *time_s = map_get(&known, tag);

	return time_s ? *time_s : 0;
}

static void test_checks__remembers_what_was_asked(void **state)
{
	(void)state;
	assert_int_equal(checked("u", 5000, "shop/a:x"), 0);
	run_at("u", 1000, "shop/a:x", ERR_NONE);
	run_at("u", 1100, "shop/b:y", ERR_TRANSIENT);
	run_at("u", 1200, "shop/c:z", ERR_CANCELLED);
	assert_int_equal(checked("u", 5000, "shop/a:x"), 1000);
	assert_int_equal(checked("u", 5000, "shop/b:y"), 1100);
	assert_int_equal(checked("u", 5000, "shop/c:z"), 0);
	run_at("u", 2000, "shop/a:x", ERR_NONE);
	assert_int_equal(checked("u", 5000, "shop/a:x"), 2000);
}

static void test_checks__keeps_places_of_state_apart(void **state)
{
	(void)state;
	run_at("one", 1000, "shop/apart:x", ERR_NONE);
	assert_int_equal(checked("two", 5000, "shop/apart:x"), 0);
}

static void test_checks__believes_no_time_to_come_and_forgets_old_ones(void **state)
{
	(void)state;
	run_at("time", 9000, "shop/a:x", ERR_NONE);
	assert_int_equal(checked("time", 8999, "shop/a:x"), 0);
	run_at("time", 9000 + 40 * 24 * 3600, "shop/b:y", ERR_NONE);
	assert_int_equal(checked("time", 1 << 30, "shop/a:x"), 0);
	assert_int_equal(checked("time", 1 << 30, "shop/b:y"), 9000 + 40 * 24 * 3600);
}

static void test_checks__survives_a_damaged_file(void **state)
{
	const struct digest digest = digest_of("bad", 3);

	(void)state;
	assert_true(folder_put(&folder,
			       arena_printf(folder.arena, "checks/%.16s", digest_hex(digest.text)),
			       "\n12\n 5 a\n99999999999999999999 b\n-1 c\n100 shop/good:x\n7 "));
	assert_int_equal(checked("bad", 5000, "shop/good:x"), 100);
	assert_int_equal(checked("bad", 5000, "b"), 0);
	run_at("bad", 200, "shop/new:x", ERR_NONE);
	assert_int_equal(checked("bad", 5000, "shop/good:x"), 100);
	assert_int_equal(checked("bad", 5000, "shop/new:x"), 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_checks__remembers_what_was_asked),
		cmocka_unit_test(test_checks__keeps_places_of_state_apart),
		cmocka_unit_test(test_checks__believes_no_time_to_come_and_forgets_old_ones),
		cmocka_unit_test(test_checks__survives_a_damaged_file),
	};

	return cmocka_run_group_tests_name("checks", tests, set_up, tear_down);
}
