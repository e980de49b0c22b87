/* SPDX-License-Identifier: Apache-2.0 */
/* test_build_log.c — what foreign programs print gets lines of its own, however it is cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buildexec/sys/build_log.h"
#include "buildexec/sys/fs.h"

enum { PIECE = 64 << 10, TEXT_MAX = 200 << 10 };

/* From here on stderr is a new file without a name; returns the old one. */
static int redirect(void)
{
	char path[] = "/tmp/test-build-log-XXXXXX";
	int old = dup(STDERR_FILENO), file = mkstemp(path);

	assert_true(old >= 0 && file >= 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(dup2(file, STDERR_FILENO), STDERR_FILENO);
	close(file);
	return old;
}

/* What was written since redirect(). */
static size_t take_back(int old, char *text, size_t max)
{
	ssize_t n = pread(STDERR_FILENO, text, max, 0);

	assert_true(n >= 0);
	assert_int_equal(dup2(old, STDERR_FILENO), STDERR_FILENO);
	close(old);
	return (size_t)n;
}

static void test_build_log__ends_the_last_line(void **state)
{
	static const struct {
		const char *pieces[3], *want;
	} rows[] = {
		{ { "one\n" }, "one\nERROR: x\n" },
		{ { "one" }, "one\nERROR: x\n" },
		{ { "one\ntw", "o" }, "one\ntwo\nERROR: x\n" },
		{ { "one", "\n" }, "one\nERROR: x\n" },
		{ { "" }, "ERROR: x\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct build_log log = { 0 };
		char text[1000] = "";
		int old = redirect();

		for (size_t k = 0; k < 3 && rows[i].pieces[k]; k++)
			build_log_take(&log, rows[i].pieces[k], strlen(rows[i].pieces[k]));
		build_log_end(&log);
		build_log_say("ERROR: %s", "x");
		assert_true(take_back(old, text, sizeof(text) - 1) > 0);
		assert_string_equal(text, rows[i].want);
	}
}

/* A line without an end is written in pieces, the last of which may end where the output does. */
static void test_build_log__ends_a_line_of_whole_pieces(void **state)
{
	char *bytes = calloc(1, TEXT_MAX), *text = calloc(1, TEXT_MAX);

	(void)state;
	assert_true(bytes && text);
	memset(bytes, 'x', TEXT_MAX);
	for (size_t n = PIECE - 1; n <= PIECE + 1; n++) {
		struct build_log log = { 0 };
		int old = redirect();

		build_log_take(&log, bytes, n);
		build_log_end(&log);
		build_log_say("%s", "end");
		assert_int_equal(take_back(old, text, TEXT_MAX), n + strlen("\nend\n"));
		assert_memory_equal(text + n, "\nend\n", 5);
	}
	free(bytes);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_build_log__ends_the_last_line),
		cmocka_unit_test(test_build_log__ends_a_line_of_whole_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
