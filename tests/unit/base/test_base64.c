/* SPDX-License-Identifier: Apache-2.0 */
/* test_base64.c — the vectors of RFC 4648 §10 both ways, and every way in which a text is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/base/base64.h"

static void test_base64__goes_both_ways(void **state)
{
	static const struct {
		const char *plain, *text;
	} rows[] = {
		{ "", "" },
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
		{ "\xff\xfe\xfb", "//77" },
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct base64 value;

		assert_string_equal(base64_encode(rows[i].plain, strlen(rows[i].plain), arena),
				    rows[i].text);
		assert_true(base64_decode(rows[i].text, strlen(rows[i].text), arena, &value));
		assert_int_equal(value.n, strlen(rows[i].plain));
		assert_string_equal(value.bytes, rows[i].plain);
	}
	arena_free(arena);
}

static void test_base64__keeps_every_byte(void **state)
{
	struct arena *arena = arena_new();
	unsigned char all[259];

	(void)state;
	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (unsigned char)(i * 7);
	for (size_t n = 0; n <= sizeof(all); n++) {
		const char *text = base64_encode(all, n, arena);
		struct base64 value;

		assert_true(base64_decode(text, strlen(text), arena, &value));
		assert_int_equal(value.n, n);
		assert_memory_equal(value.bytes, all, n);
	}
	arena_free(arena);
}

static void test_base64__skips_line_breaks(void **state)
{
	struct arena *arena = arena_new();
	struct base64 value;

	(void)state;
	assert_true(base64_decode("Zm9v\r\nYm\nFy\n", 12, arena, &value));
	assert_string_equal(value.bytes, "foobar");
	arena_free(arena);
}

static void test_base64__says_where_a_text_is_none(void **state)
{
	static const struct {
		const char *text;
		size_t bad_at;
	} rows[] = { { "Zm9", 3 },      { "Z", 1 },    { "Z===", 1 }, { "Zm9v*", 4 },
		     { "Zg==Zg==", 4 }, { "=Zm9", 0 }, { "Zg=v", 3 }, { "Zm 9v", 2 },
		     { "Zm9v_-==", 4 }, { "Zg===", 4 } };
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct base64 value;

		if (base64_decode(rows[i].text, strlen(rows[i].text), arena, &value))
			fail_msg("'%s' was taken", rows[i].text);
		if (value.bad_at != rows[i].bad_at)
			fail_msg("'%s': %zu", rows[i].text, value.bad_at);
	}
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_base64__goes_both_ways),
		cmocka_unit_test(test_base64__keeps_every_byte),
		cmocka_unit_test(test_base64__skips_line_breaks),
		cmocka_unit_test(test_base64__says_where_a_text_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
