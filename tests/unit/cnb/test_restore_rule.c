/* SPDX-License-Identifier: Apache-2.0 */
/* test_restore_rule.c — the truth table of restoring: all flags of a layer, with and without a cache (cnb.md §1.3). */
#include "buildexec/cnb/restore_rule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct buildpack_record record_of(struct arena *arena, struct layer_record layer)
{
	struct buildpack_record record = { .id = "a/b", .version = "1" };

	vec_push(arena, &record.layers, layer);
	return record;
}

/* 'n' nothing, 'm' metadata alone, 'd' metadata and data. */
static char decided(const struct buildpack_record *app, const struct buildpack_record *cache,
		    const char *api)
{
	struct arena *arena = arena_new();
	struct restored_layers out;
	char letter;

	restore_decide(app, cache, api, arena, &out);
	assert_true(out.n <= 1);
	letter = out.n == 0 ? 'n' : out.v[0].data == RESTORE_FROM_CACHE ? 'd' : 'm';
	arena_free(arena);
	return letter;
}

static void test_restore_decide__follows_the_flags_of_a_layer(void **state)
{
	static const struct {
		bool build, cache, launch;
		char with_cache, without_cache;
	} rows[] = {
		{ true, true, true, 'd', 'n' },   { true, true, false, 'd', 'n' },
		{ true, false, true, 'n', 'n' },  { true, false, false, 'n', 'n' },
		{ false, true, true, 'd', 'n' },  { false, true, false, 'd', 'n' },
		{ false, false, true, 'm', 'm' }, { false, false, false, 'n', 'n' },
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct layer_record layer = { .name = "l",
					      .sha = "sha256:one",
					      .is_build = rows[i].build,
					      .is_cache = rows[i].cache,
					      .is_launch = rows[i].launch };
		struct buildpack_record both = record_of(arena, layer);
		const struct buildpack_record *app = rows[i].launch ? &both : NULL;
		const struct buildpack_record *cache = rows[i].cache ? &both : NULL;

		assert_int_equal(decided(app, cache, "0.14"), rows[i].with_cache);
		assert_int_equal(decided(app, NULL, "0.14"), rows[i].without_cache);
	}
	arena_free(arena);
}

static void test_restore_decide__drops_a_layer_whose_cache_is_another(void **state)
{
	struct arena *arena = arena_new();
	struct layer_record layer = {
		.name = "l", .sha = "sha256:one", .is_cache = true, .is_launch = true
	};
	struct buildpack_record app = record_of(arena, layer), cache;

	(void)state;
	layer.sha = "sha256:two";
	cache = record_of(arena, layer);
	assert_int_equal(decided(&app, &cache, "0.14"), 'n');
	arena_free(arena);
}

static void test_restore_decide__takes_launch_layers_from_the_cache_since_0_14(void **state)
{
	struct arena *arena = arena_new();
	struct layer_record layer = {
		.name = "l", .sha = "sha256:one", .is_cache = true, .is_launch = true
	};
	struct buildpack_record cache = record_of(arena, layer);

	(void)state;
	assert_int_equal(decided(NULL, &cache, "0.14"), 'd');
	assert_int_equal(decided(NULL, &cache, "0.13"), 'n');
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_restore_decide__follows_the_flags_of_a_layer),
		cmocka_unit_test(test_restore_decide__drops_a_layer_whose_cache_is_another),
		cmocka_unit_test(
			test_restore_decide__takes_launch_layers_from_the_cache_since_0_14),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
