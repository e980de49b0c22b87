/* SPDX-License-Identifier: Apache-2.0 */
/* test_daemon_add.c — what a Docker daemon could fetch where builds have no network, and what it could not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "buildexec/engine/daemon_add.h"

static const struct {
	const char *text;
	bool is_fine;
} rows[] = {
	{ "FROM a\nADD b /c\n", true },
	{ "FROM a\nADD [\"http:\", \"//b\", \"/c\"]\n", true },
	{ "FROM a\nADD --chown=1:2 b c /d/\nCOPY $e /f\nRUN curl http://b\n", true },
	{ "FROM a\nONBUILD ADD b /c\nONBUILD RUN echo $d\nONBUILD COPY http://b /c\n", true },
	{ "FROM a\nADD http://b /c\n", false },
	{ "FROM a\nadd --checksum=x d https://b /c\n", false },
	{ "FROM a\nADD d \\\n  https://b /c\n", false },
	{ "FROM a\nADD git://b /c\n", false },
	{ "FROM a\nADD [\"http://b\", \"/c\"]\n", false },
	{ "FROM a\nADD [\"http:\\u002f/b\", \"/c\"]\n", false },
	{ "FROM a\nADD http:'/'/b /c\n", false },
	{ "FROM a\nADD [d \"http:\"//b /c\n", false },
	{ "FROM a\nADD http:\\//b /c\n", false },
	{ "# escape=`\nFROM a\nADD http:`//b /c\n", false },
	{ "FROM a\nADD http::'':'//b /c\n", false },
	{ "ARG b=http://b\nFROM a\nARG b\nADD $b /c\n", false },
	{ "FROM a\nADD ${b:-x} /c\n", false },
	{ "FROM a\nONBUILD ADD http://b /c\n", false },
	{ "FROM a\nonbuild  add\t$b /c\n", false },
};

static void test_add__of_a_file(void **state)
{
	const struct engine_bases none = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct arena *arena = arena_new();
		struct dockerfile file;
		struct err err = { 0 };

		assert_true(
			dockerfile_parse(rows[i].text, strlen(rows[i].text), arena, &file, &err));
		if (daemon_add_check(&file, &none, &err) != rows[i].is_fine)
			fail_msg("%s: %s", rows[i].text, err.text);
		assert_int_equal(err.kind, rows[i].is_fine ? ERR_NONE : ERR_INVALID);
		arena_free(arena);
	}
}

static void test_add__of_a_base(void **state)
{
	static const char *const configs[] = {
		"{\"os\":\"linux\",\"architecture\":\"amd64\",\"rootfs\":{\"type\":\"layers\","
		"\"diff_ids\":[]},\"config\":{\"OnBuild\":[\"RUN x $y\",\"ADD b /c\",\"ADDRESS "
		"http://b\",7]}}",
		"{\"os\":\"linux\",\"architecture\":\"amd64\",\"rootfs\":{\"type\":\"layers\","
		"\"diff_ids\":[]},\"config\":{\"OnBuild\":[\"RUN x\",\" Add http://b /c\"]}}",
	};
	const struct dockerfile file = { .escape = '\\' };

	(void)state;
	for (size_t i = 0; i < COUNTOF(configs); i++) {
		struct arena *arena = arena_new();
		struct engine_base base = { .name = "registry.local/base:1" };
		const struct engine_bases bases = { .v = &base, .n = 1 };
		struct err err = { 0 };

		assert_true(image_config_parse(configs[i], strlen(configs[i]), arena,
					       &base.image.config, &err));
		assert_int_equal(daemon_add_check(&file, &bases, &err), i == 0);
		assert_int_equal(strstr(err.text, "'registry.local/base:1': ONBUILD") != NULL,
				 i == 1);
		arena_free(arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add__of_a_file),
		cmocka_unit_test(test_add__of_a_base),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
