/* SPDX-License-Identifier: Apache-2.0 */
/* test_base.c — errors, arenas, buffers, maps, digests, times. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/base/buf.h"
#include "model/base/digest.h"
#include "model/base/map.h"
#include "model/base/time.h"
#include "model/base/vec.h"

static void test_err__prefixes_the_outer_name(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_false(err_sys(&err, 2, "cannot read '%s'", "a"));
	assert_int_equal(err.kind, ERR_ABSENT);
	assert_false(err_prefix(&err, "image '%s'", "x"));
	assert_string_equal(err.text, "image 'x': cannot read 'a': No such file or directory");
}

static void test_err__blames_no_server_for_what_was_cancelled(void **state)
{
	struct err err = { 0 };

	(void)state;
	err_set(&err, ERR_DENIED, "the server answered 401");
	assert_false(err_foreign(&err));
	assert_true(err.is_foreign);
	err_prefix(&err, "cannot push");
	assert_true(err.is_foreign);
	err_set(&err, ERR_CANCELLED, "cancelled");
	assert_false(err_foreign(&err));
	assert_false(err.is_foreign);
}

static void test_err__cuts_long_texts_at_a_character(void **state)
{
	struct err err = { 0 };
	char text[2000] = "";

	(void)state;
	for (size_t i = 0; i + 3 < sizeof(text); i += 2)
		memcpy(text + i, "é", 3);
	err_set(&err, ERR_INVALID, "%s", text);
	assert_true(strlen(err.text) < sizeof(err.text));
	assert_string_equal(err.text + strlen(err.text) - 3, "…");
}

static void test_arena__gives_zeroed_memory_of_any_size(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	for (size_t n = 0; n < 100000; n = n * 3 + 1) {
		unsigned char *p = arena_alloc(arena, n);

		assert_int_equal((uintptr_t)p % 16, 0);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xff, n);
	}
	assert_string_equal(arena_printf(arena, "%d-%s", 7, "x"), "7-x");
	arena_free(arena);
}

static void test_arena__adopts_what_lives_in_another(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	for (size_t round = 0; round < 3; round++) {
		struct arena *other = arena_new();
		const char *parts[] = { "a", NULL, "/", "b" };
		char *small = arena_concat(other, parts, COUNTOF(parts));
		char *large = arena_raw(other, 1 << 20);
		size_t used = arena_used(arena) + arena_used(other);

		memset(large, 'x', 1 << 20);
		arena_adopt(arena, other);
		assert_int_equal(arena_used(arena), used);
		assert_string_equal(small, "a/b");
		assert_string_equal(arena_strdup(arena, small), "a/b");
		assert_int_equal(large[(1 << 20) - 1], 'x');
		arena_adopt(arena, arena_new());
	}
	arena_free(arena);
}

static void test_arena__formats_texts_of_any_length(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	for (int n = 0; n < 2000; n += 37) {
		char *text = arena_printf(arena, "%*s%d", n, "", n);

		assert_int_equal(strlen(text), (size_t)n + strlen(arena_printf(arena, "%d", n)));
	}
	arena_free(arena);
}

static void test_buf__stops_at_its_maximum(void **state)
{
	struct buf buf = BUF_INIT(5);

	(void)state;
	buf_puts(&buf, "abc");
	buf_puts(&buf, "def");
	assert_true(buf.is_over);
	assert_string_equal(buf_text(&buf), "abc");
	buf_puts(&buf, "d");
	assert_string_equal(buf_text(&buf), "abc");
	buf_release(&buf);
}

static void test_map__keeps_the_order_of_insertion(void **state)
{
	struct arena *arena = arena_new();
	struct map map = { 0 };

	(void)state;
	assert_null(map_get(&map, "x"));
	for (int i = 0; i < 1000; i++)
		map_set(arena, &map, arena_printf(arena, "key-%d", i),
			arena_printf(arena, "%d", i));
	map_set(arena, &map, "key-3", arena_strdup(arena, "three"));
	assert_int_equal(map.n, 1000);
	assert_string_equal(map.items[3].key, "key-3");
	assert_string_equal(map_get(&map, "key-3"), "three");
	assert_string_equal(map_get(&map, "key-999"), "999");
	assert_false(map_has(&map, "key-1000"));
	arena_free(arena);
}

static void test_digest__is_the_known_one(void **state)
{
	(void)state;
	assert_string_equal(
		digest_of("abc", 3).text,
		"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_true(digest_is_valid(digest_of("", 0).text));
	assert_false(digest_is_valid("sha256:ba78"));
	assert_false(digest_is_valid(
		"sha512:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
}

static void test_time__reads_and_writes_rfc_3339(void **state)
{
	static const struct {
		const char *text, *again;
		bool is_ok;
	} rows[] = {
		{ "2026-11-22T03:14:55Z", "2026-11-22T03:14:55Z", true },
		{ "1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z", true },
		{ "2000-02-29T23:59:59.999+02:30", "2000-02-29T21:29:59Z", true },
		{ "1969-12-31T23:59:59-00:30", "1970-01-01T00:29:59Z", true },
		{ "2100-02-29T00:00:00Z", NULL, false },
		{ "2026-13-01T00:00:00Z", NULL, false },
		{ "2026-11-22", NULL, false },
		{ "2026-11-22T03:14:55", NULL, false },
		{ "2026-11-22T03:14:55Zx", NULL, false },
	};
	char out[TIME_TEXT];

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		int64_t at = 0;

		assert_int_equal(time_parse(rows[i].text, &at), rows[i].is_ok);
		if (!rows[i].is_ok)
			continue;
		time_format(at, out);
		assert_string_equal(out, rows[i].again);
	}
	for (int64_t day = -200000; day < 200000; day += 7)
		assert_int_equal(time_unix(time_civil(day * 86400 + 5)), day * 86400 + 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_err__prefixes_the_outer_name),
		cmocka_unit_test(test_err__blames_no_server_for_what_was_cancelled),
		cmocka_unit_test(test_err__cuts_long_texts_at_a_character),
		cmocka_unit_test(test_arena__gives_zeroed_memory_of_any_size),
		cmocka_unit_test(test_arena__adopts_what_lives_in_another),
		cmocka_unit_test(test_arena__formats_texts_of_any_length),
		cmocka_unit_test(test_buf__stops_at_its_maximum),
		cmocka_unit_test(test_map__keeps_the_order_of_insertion),
		cmocka_unit_test(test_digest__is_the_known_one),
		cmocka_unit_test(test_time__reads_and_writes_rfc_3339),
	};

	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
