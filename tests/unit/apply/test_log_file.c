/* SPDX-License-Identifier: Apache-2.0 */
/* test_log_file.c — secrets at every border, harmless bytes, head and tail of what is too long, little room on disk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "buildexec/sys/log.h"
#include "model/base/limits.h"
#include "reconcile/apply/log_file.h"
#include "unit/cli/folder.h"

struct fixture {
	struct folder folder;
	struct log_file log;
	struct buf kept;
	struct strings tail;
	struct err err;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	f->kept = BUF_INIT(4 * (size_t)LIMIT_LOG_BYTES);
	secret_add("hunter2hunter2", 14);
	return folder_make(&f->folder) ||
	       !log_file_open(f->folder.dir.path, "a.log", &f->log, &f->err);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	log_file_release(&f->log);
	assert_false(fs_exists(folder_path(&f->folder, "a.log")));
	buf_release(&f->kept);
	folder_release(&f->folder);
	free(f);
	return 0;
}

static void add(struct fixture *f, const char *text)
{
	log_file_add(&f->log, text, strlen(text));
}

static const char *finish(struct fixture *f)
{
	if (!log_file_finish(&f->log, f->folder.arena, &f->kept, &f->tail, &f->err))
		fail_msg("%s", f->err.text);
	return buf_text(&f->kept);
}

static void test_log__keeps_lines_and_their_last_ones(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 30; i++)
		add(f, arena_printf(f->folder.arena, "line %d\r\n", i));
	add(f, "no end");
	finish(f);
	assert_int_equal(f->tail.n, LOG_TAIL_LINES);
	assert_string_equal(f->tail.v[0], "line 11");
	assert_string_equal(f->tail.v[LOG_TAIL_LINES - 1], "no end");
	assert_memory_equal(buf_text(&f->kept), "line 0\nline 1\n", 14);
}

static void test_log__makes_foreign_bytes_harmless(void **state)
{
	struct fixture *f = *state;

	add(f, "\033[1;31mred\033[0m\033[m\ttab \xff \xe2\x80\xae \033[2J \033[\n");
	assert_string_equal(finish(f), "red\ttab \\xff \\u202e \\x1b[2J \\x1b[\n");
}

static void test_log__hides_a_secret_that_comes_in_pieces(void **state)
{
	struct fixture *f = *state;
	const char *text = "pw=hunter2hunter2;\n";

	for (; *text; text++)
		log_file_add(&f->log, text, 1);
	assert_string_equal(finish(f), "pw=*****;\n");
}

static void test_log__hides_a_secret_wherever_a_long_line_is_broken(void **state)
{
	struct fixture *f = *state;
	char *line = arena_alloc(f->folder.arena, 300000);

	/* at every offset around the first break, and the second */
	for (size_t at = 65536 - 20; at < 65536 + 4; at++) {
		memset(line, '.', 200000);
		memcpy(line + at, "hunter2hunter2", 14);
		memcpy(line + 131000 + at % 100, "hunter2hunter2", 14);
		line[200000] = '\n';
		log_file_add(&f->log, line, 200001);
	}
	finish(f);
	assert_null(strstr(buf_text(&f->kept), "hunter2"));
	assert_null(strstr(buf_text(&f->kept), "unter2"));
	assert_null(strstr(buf_text(&f->kept), "r2hunt"));
}

static void test_log__loses_no_byte_of_a_long_line(void **state)
{
	struct fixture *f = *state;
	size_t n = 0;
	char *line = arena_alloc(f->folder.arena, 300001);

	memset(line, 'x', 300000);
	line[300000] = '\n';
	log_file_add(&f->log, line, 300001);
	add(f, "after\n");
	finish(f);
	for (const char *c = buf_text(&f->kept); *c; c++)
		n += *c == 'x';
	assert_int_equal(n, 300000);
	assert_non_null(strstr(buf_text(&f->kept), "\nafter\n"));
}

static void test_log__keeps_head_and_tail_and_takes_little_room(void **state)
{
	struct fixture *f = *state;
	char *path = folder_path(&f->folder, "a.log");
	struct stat st;
	char line[1024];

	memset(line, 'y', sizeof(line));
	line[sizeof(line) - 1] = '\n';
	add(f, "the beginning\n");
	for (int i = 0; i < 40 * 1024; i++)
		log_file_add(&f->log, line, sizeof(line));
	add(f, "the end\n");
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size > 40 << 20);
	if (f->log.n_dropped)
		assert_true(st.st_blocks * 512 < 16 << 20);
	finish(f);
	assert_memory_equal(buf_text(&f->kept), "the beginning\nyyyy", 18);
	assert_non_null(strstr(buf_text(&f->kept), " bytes left out …\n"));
	assert_string_equal(buf_text(&f->kept) + f->kept.len - 9, "\nthe end\n");
	assert_true(f->kept.len <= LIMIT_LOG_BYTES + 100);
	assert_null(memchr(buf_text(&f->kept), '\0', f->kept.len));
	assert_string_equal(f->tail.v[LOG_TAIL_LINES - 1], "the end");
}

static void test_log__of_a_build_that_says_nothing_is_empty(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(finish(f), "");
	assert_int_equal(f->tail.n, 0);
}

static void test_log__does_not_follow_links(void **state)
{
	struct fixture *f = *state;
	struct log_file other;

	assert_true(folder_put(&f->folder, "target", "precious"));
	assert_int_equal(symlink("target", folder_path(&f->folder, "b.log")), 0);
	assert_false(log_file_open(f->folder.dir.path, "b.log", &other, &f->err));
	other.path = (free(other.path), NULL);
	log_file_release(&other);
}

static void test_names__of_logs_are_short_and_distinct(void **state)
{
	struct fixture *f = *state;
	struct arena *arena = f->folder.arena;
	char id[601];
	const char *a, *b;

	assert_string_equal(log_file_name("Image/shop/cart", 12, arena), "Image_shop_cart-12.log");
	memset(id, 'n', 600);
	id[600] = '\0';
	a = log_file_name(id, 1, arena);
	id[599] = 'm';
	b = log_file_name(id, 1, arena);
	assert_string_not_equal(a, b);
	assert_true(strlen(a) < 255);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_log__keeps_lines_and_their_last_ones),
		TEST(test_log__makes_foreign_bytes_harmless),
		TEST(test_log__hides_a_secret_that_comes_in_pieces),
		TEST(test_log__hides_a_secret_wherever_a_long_line_is_broken),
		TEST(test_log__loses_no_byte_of_a_long_line),
		TEST(test_log__keeps_head_and_tail_and_takes_little_room),
		TEST(test_log__of_a_build_that_says_nothing_is_empty),
		TEST(test_log__does_not_follow_links),
		TEST(test_names__of_logs_are_short_and_distinct),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
