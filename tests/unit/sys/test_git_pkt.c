/* SPDX-License-Identifier: Apache-2.0 */
/* test_git_pkt.c — packets in pieces of every size, bands, and what servers say first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "buildexec/sys/git_advert.h"

#define A "1111111111111111111111111111111111111111"
#define B "2222222222222222222222222222222222222222"

static bool note(void *ctx, enum git_pkt_kind kind, const char *bytes, size_t n, struct err *err)
{
	static const char marks[] = "DFSE";

	(void)err;
	buf_printf(ctx, "%c%zu:%.*s;", marks[kind], n, (int)n, bytes);
	return true;
}

static struct git_pkt_reader *new_reader(git_pkt_fn *on_pkt, void *ctx)
{
	struct git_pkt_reader *reader = mem_realloc(NULL, sizeof(*reader));

	git_pkt_reader_init(reader, on_pkt, ctx);
	return reader;
}

static void test_git_pkt__reads_what_it_wrote_in_pieces_of_any_size(void **state)
{
	AUTO_BUF wire = BUF_INIT(1 << 20);

	(void)state;
	git_pkt_printf(&wire, "hello %d\n", 7);
	git_pkt_delim(&wire);
	git_pkt_add(&wire, "", 0);
	git_pkt_add(&wire, "a\0b", 3);
	git_pkt_flush(&wire);
	buf_puts(&wire, "0002");
	for (size_t step = 1; step <= wire.len; step++) {
		AUTO_BUF seen = BUF_INIT(4096);
		struct git_pkt_reader *reader = new_reader(note, &seen);
		struct err err = { 0 };

		for (size_t at = 0; at < wire.len; at += step)
			assert_true(git_pkt_feed(reader, wire.data + at,
						 wire.len - at < step ? wire.len - at : step,
						 &err));
		assert_true(git_pkt_is_between(reader));
		assert_int_equal(seen.len,
				 strlen("D8:hello 7\n;S0:;D0:;D3:") + 3 + strlen(";F0:;E0:;") - 2);
		assert_memory_equal(seen.data, "D8:hello 7\n;S0:;D0:;D3:a", 24);
		free(reader);
	}
}

static void test_git_pkt__refuses_lengths_that_are_none(void **state)
{
	static const char *const bad[] = { "0003", "fff1", "ffff", "zzzz", "00 4", "<htm" };

	(void)state;
	for (size_t i = 0; i < COUNTOF(bad); i++) {
		AUTO_BUF seen = BUF_INIT(64);
		struct git_pkt_reader *reader = new_reader(note, &seen);
		struct err err = { 0 };

		assert_false(git_pkt_feed(reader, bad[i], 4, &err));
		assert_int_equal(err.kind, ERR_INVALID);
		free(reader);
	}
}

static void test_git_pkt__carries_the_longest_packet(void **state)
{
	AUTO_BUF wire = BUF_INIT(1 << 20);
	AUTO_BUF seen = BUF_INIT(1 << 20);
	struct git_pkt_reader *reader = new_reader(note, &seen);
	char *big = mem_realloc(NULL, GIT_PKT_DATA_MAX);
	struct err err = { 0 };

	(void)state;
	memset(big, 'x', GIT_PKT_DATA_MAX);
	git_pkt_add(&wire, big, GIT_PKT_DATA_MAX);
	assert_memory_equal(wire.data, "fff0", 4);
	assert_true(git_pkt_feed(reader, wire.data, wire.len, &err));
	assert_memory_equal(seen.data, "D65516:x", 8);
	free(big);
	free(reader);
}

static void test_git_band__splits_data_talk_and_failure(void **state)
{
	AUTO_BUF talk = BUF_INIT(64);
	struct git_band band = { .progress = &talk };
	struct err err = { 0 };

	(void)state;
	assert_true(git_band_split(&band, "\1PACK", 5, &err));
	assert_int_equal(band.n, 4);
	assert_true(git_band_split(&band, "\2counting", 9, &err));
	assert_null(band.data);
	assert_string_equal(buf_text(&talk), "counting");
	assert_false(git_band_split(&band, "\3no space", 9, &err));
	assert_string_equal(err.text, "the server failed: no space");
	assert_false(git_band_split(&band, "x", 1, &err));
}

static bool advert(git_pkt_fn *on_pkt, const char *const *lines, struct git_advert *out,
		   struct err *err)
{
	AUTO_BUF wire = BUF_INIT(1 << 16);
	struct git_pkt_reader *reader = new_reader(on_pkt, out);
	bool done;

	out->reader = reader;
	for (; *lines; lines++) {
		const char *nul = strchr(*lines, '|'); /* stands for the NUL before capabilities */
		AUTO_BUF line = BUF_INIT(4096);

		if (!**lines) {
			git_pkt_flush(&wire);
			continue;
		}
		buf_puts(&line, *lines);
		if (nul)
			line.data[nul - *lines] = '\0';
		git_pkt_add(&wire, line.data, line.len);
	}
	done = git_pkt_feed(reader, wire.data, wire.len, err);
	free(reader);
	return done;
}

static void test_git_advert__reads_the_old_list_with_peeled_tags_and_capabilities(void **state)
{
	static const char *const lines[] = {
		"# service=git-upload-pack\n",
		"",
		A " HEAD|multi_ack side-band-64k symref=HEAD:refs/heads/main agent=git/2\n",
		A " refs/heads/main\n",
		A " refs/heads/bad..name\n",
		A " refs/tags/v1\n",
		B " refs/tags/v1^{}\n",
		"",
		NULL
	};
	struct git_advert seen = { .arena = arena_new() };
	struct err err = { 0 };

	(void)state;
	assert_true(advert(git_advert_pkt, lines, &seen, &err));
	assert_true(seen.is_done);
	assert_false(seen.is_v2);
	assert_int_equal(seen.refs.n, 3);
	assert_string_equal(git_refs_find(&seen.refs, "HEAD")->target, "refs/heads/main");
	assert_string_equal(git_refs_find(&seen.refs, "refs/tags/v1")->peeled.hex, B);
	assert_string_equal(git_advert_has(&seen, "agent"), "git/2");
	assert_string_equal(git_advert_has(&seen, "side-band-64k"), "");
	assert_null(git_advert_has(&seen, "side-band"));
	arena_free(seen.arena);
}

static void test_git_advert__knows_version_2_and_an_empty_repository(void **state)
{
	static const char *const v2[] = {
		"version 2\n", "agent=git/2\n", "ls-refs=unborn\n", "fetch=shallow\n", "", NULL
	};
	static const char *const empty[] = {
		"0000000000000000000000000000000000000000 capabilities^{}|report-status", "", NULL
	};
	struct git_advert a = { .arena = arena_new() }, b = { .arena = a.arena };
	struct err err = { 0 };

	(void)state;
	assert_true(advert(git_advert_pkt, v2, &a, &err));
	assert_true(a.is_v2);
	assert_string_equal(git_advert_has(&a, "fetch"), "shallow");
	assert_true(advert(git_advert_pkt, empty, &b, &err));
	assert_int_equal(b.refs.n, 0);
	assert_string_equal(git_advert_has(&b, "report-status"), "");
	arena_free(a.arena);
}

static void test_git_advert__refuses_what_it_cannot_read(void **state)
{
	static const char *const formats[][5] = {
		{ "version 2\n", "agent=git/2\n", "object-format=sha256\n", "", NULL },
		{ "0000000000000000000000000000000000000000000000000000000000000000 "
		  "capabilities^{}|report-status object-format=sha256",
		  "", NULL },
	};
	const char *many[300] = { "version 2\n" };
	struct arena *arena = arena_new();
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNTOF(formats); i++) {
		struct git_advert seen = { .arena = arena };

		assert_false(advert(git_advert_pkt, formats[i], &seen, &err));
		assert_non_null(strstr(err.text, "sha256"));
		err = (struct err){ 0 };
	}
	for (size_t i = 1; i < COUNTOF(many) - 1; i++)
		many[i] = "x\n";
	assert_false(advert(git_advert_pkt, many, &(struct git_advert){ .arena = arena }, &err));
	assert_non_null(strstr(err.text, "256 capabilities"));
	arena_free(arena);
}

static void test_git_advert__reads_ls_refs(void **state)
{
	static const char *const lines[] = { A " HEAD symref-target:refs/heads/main\n",
					     A " refs/heads/main\n",
					     A " refs/tags/v1 peeled:" B "\n",
					     "unborn HEAD symref-target:refs/heads/x\n",
					     "",
					     NULL };
	struct git_advert seen = { .arena = arena_new() };
	struct err err = { 0 };

	(void)state;
	assert_true(advert(git_advert_ls_refs_pkt, lines, &seen, &err));
	assert_true(seen.is_v2);
	assert_int_equal(seen.refs.n, 3);
	assert_string_equal(seen.refs.v[0].target, "refs/heads/main");
	assert_string_equal(seen.refs.v[2].peeled.hex, B);
	arena_free(seen.arena);
}

static void test_git_advert__tells_a_missing_repository_from_a_forbidden_one(void **state)
{
	static const char *const missing[] = { "ERR access denied or repository not exported: /x\n",
					       NULL };
	static const char *const forbidden[] = { "ERR access denied: key is not authorized\n",
						 NULL };
	static const char *const odd[] = { "hello\n", NULL };
	struct git_advert seen = { .arena = arena_new() };
	struct err err = { 0 };

	(void)state;
	assert_false(advert(git_advert_pkt, missing, &seen, &err));
	assert_int_equal(err.kind, ERR_ABSENT);
	assert_false(advert(git_advert_pkt, forbidden, &seen, &err));
	assert_int_equal(err.kind, ERR_DENIED);
	assert_false(advert(git_advert_pkt, odd, &seen, &err));
	assert_int_equal(err.kind, ERR_INVALID);
	arena_free(seen.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_git_pkt__reads_what_it_wrote_in_pieces_of_any_size),
		cmocka_unit_test(test_git_pkt__refuses_lengths_that_are_none),
		cmocka_unit_test(test_git_pkt__carries_the_longest_packet),
		cmocka_unit_test(test_git_band__splits_data_talk_and_failure),
		cmocka_unit_test(
			test_git_advert__reads_the_old_list_with_peeled_tags_and_capabilities),
		cmocka_unit_test(test_git_advert__knows_version_2_and_an_empty_repository),
		cmocka_unit_test(test_git_advert__refuses_what_it_cannot_read),
		cmocka_unit_test(test_git_advert__reads_ls_refs),
		cmocka_unit_test(test_git_advert__tells_a_missing_repository_from_a_forbidden_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
