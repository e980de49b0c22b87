/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_push.c — commits that a server took and did not say so, or said to have taken and did not: what counts is where the
 * branch is. git's own server, with tests/lib/git_liar.py where ssh would be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "buildexec/sys/clock.h"
#include "buildexec/sys/fs.h"
#include "buildexec/sys/proc.h"
#include "reconcile/store/store.h"

struct fixture {
	struct tmpdir dir;
	struct arena *arena;
	struct err err;
};

static void must(bool done, const struct err *err)
{
	if (!done)
		fail_msg("%s", err->text);
}

static int set_up(void **state)
{
	struct fixture *f = mem_realloc(NULL, sizeof(*f));

	*f = (struct fixture){ .arena = arena_new() };
	*state = f;
	return tmpdir_make(NULL, "test-push", &f->dir, &f->err) ? 0 : -1;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	tmpdir_release(&f->dir);
	arena_free(f->arena);
	free(f);
	return 0;
}

static char *git(struct fixture *f, const char *repo, const char *words)
{
	static const char *const env[] = { "PATH=/usr/bin:/bin", "HOME=/nonexistent",
					   "GIT_CONFIG_NOSYSTEM=1", NULL };
	const char *script = arena_printf(f->arena, "git -C %s/%s %s", f->dir.path, repo, words);
	const char *argv[] = { "/bin/sh", "-c", script, NULL };
	struct buf out = BUF_INIT(1 << 20);
	struct proc_spec spec = { .argv = argv, .env = env, .out = &out, .err = &out };
	struct proc_result result;
	char *said;

	must(proc_run(&spec, &result, &f->err), &f->err);
	while (out.len && out.data[out.len - 1] == '\n')
		out.data[--out.len] = '\0';
	said = arena_strdup(f->arena, buf_text(&out));
	buf_release(&out);
	if (result.exit_code)
		fail_msg("git %s: %s", words, said);
	return said;
}

/* A repository of that name, and a store of its branch "s" whose server lies `times` times in the way of `fault`. */
static struct store *open_store(struct fixture *f, const char *fault, int times)
{
	char *folder = arena_printf(f->arena, "%s/%s", f->dir.path, fault);
	const char *argv[] = { "python3", TEST_SOURCE_DIR "/tests/lib/git_liar.py",
			       fault,     arena_printf(f->arena, "%d", times),
			       folder,    NULL };
	struct git_wire_options options = { .auth = { .ssh_argv = argv },
					    .stall_timeout_ms = 5000 };
	struct store_place place = { .url = arena_printf(f->arena, "ssh://host%s/r.git", folder),
				     .branch = "s",
				     .cache_dir = arena_printf(f->arena, "%s/cache", folder),
				     .wire = &options };
	struct store *store = NULL;

	git(f, "", arena_printf(f->arena, "init -q --bare %s/r.git", fault));
	must(store_open(&place, &store, &f->err), &f->err);
	return store;
}

static bool put(struct store *store, const char *text, struct err *err)
{
	struct store_change change = { "file", text, strlen(text) };
	struct store_commit commit = { .changes = &change,
				       .n_changes = 1,
				       .author_name = "reconcile",
				       .author_email = "reconcile@example.com",
				       .time_s = 1700000000,
				       .message = "state: one change" };
	bool made;

	return store_commit(store, &commit, &made, err);
}

static void test_push__is_done_when_the_branch_is_there_whatever_was_said(void **state)
{
	static const char *const faults[] = {
		"silence", "half",      "band-3",    "err",    "page",
		"ng",      "other-ref", "no-unpack", "band-9", "flush"
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNTOF(faults); i++) {
		const char *repo = arena_printf(f->arena, "%s/r.git", faults[i]);
		struct store *store = open_store(f, faults[i], 1000);

		for (int n = 1; n <= 2; n++) {
			const char *text = arena_printf(f->arena, "%d", n);

			if (!put(store, text, &f->err))
				fail_msg("%s: commit %d: %s", faults[i], n, f->err.text);
			assert_string_equal(git(f, repo, "rev-list --count s"), text);
			assert_string_equal(git(f, repo, "show s:file"), text);
			assert_string_equal(git(f, repo, "rev-parse s"),
					    store_commit_id(store)->hex);
		}
		store_close(&store);
	}
}

static void test_push__is_not_done_by_words_alone(void **state)
{
	static const struct {
		const char *fault;
		enum err_kind kind;
		const char *words;
	} rows[] = {
		{ "refused-control", ERR_INVALID, "way" },
		{ "refused-empty", ERR_INVALID, "refuses" },
		{ "refused-long", ERR_INVALID, "zzz" },
		{ "refused-hook", ERR_INVALID, "pre-receive hook declined" },
		{ "refused-protected", ERR_DENIED, "protected branch" },
		{ "refused-lock", ERR_CONFLICT, "failed to lock" },
		{ "refused-pack", ERR_INVALID, "abnormal exit" },
		{ "refused-nothing", ERR_INVALID, "does not say that it moved the ref" },
		{ "refused-other", ERR_INVALID, "does not say that it moved the ref" },
		{ "dead", ERR_TRANSIENT, "closes the connection" },
		{ "garbage", ERR_INVALID, "does not speak git's protocol" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		const char *repo = arena_printf(f->arena, "%s/r.git", rows[i].fault);
		struct store *store = open_store(f, rows[i].fault, 1000);

		if (put(store, "1", &f->err))
			fail_msg("%s: taken for done", rows[i].fault);
		if (f->err.kind != rows[i].kind || !strstr(f->err.text, rows[i].words))
			fail_msg("%s: kind %d: %s", rows[i].fault, f->err.kind, f->err.text);
		for (const char *c = f->err.text; *c; c++)
			assert_true((unsigned char)*c >= ' ' && *c != 0x7f);
		assert_true(git_id_is_none(store_commit_id(store)));
		assert_string_equal(git(f, repo, "for-each-ref"), "");
		store_close(&store);
	}
}

static void test_push__goes_on_when_the_server_is_back(void **state)
{
	static const char *const faults[] = { "dead", "silence", "half" };
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNTOF(faults); i++) {
		struct store *store = open_store(f, faults[i], 2);

		must(put(store, "1", &f->err), &f->err);
		assert_string_equal(
			git(f, arena_printf(f->arena, "%s/r.git", faults[i]), "rev-list --count s"),
			"1");
		store_close(&store);
	}
}

static void test_push__is_not_held_up_by_what_ssh_prints(void **state)
{
	struct fixture *f = *state;
	struct store *store = open_store(f, "chatty", 1000);
	int64_t start = clock_mono_ms();

	must(put(store, "1", &f->err), &f->err);
	assert_true(clock_mono_ms() - start < 4000);
	assert_string_equal(git(f, "chatty/r.git", "rev-list --count s"), "1");
	store_close(&store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_push__is_done_when_the_branch_is_there_whatever_was_said, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(test_push__is_not_done_by_words_alone, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_push__goes_on_when_the_server_is_back, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_push__is_not_held_up_by_what_ssh_prints,
						set_up, tear_down),
	};
	static const char *const env[] = { "PATH=/usr/bin:/bin", "HOME=/nonexistent", NULL };

	if (access("/usr/bin/git", X_OK) < 0 || access("/usr/bin/python3", X_OK) < 0) {
		fprintf(stderr, "skipped: there is no git or no python3 here\n");
		return 77;
	}
	proc_set_environment(env);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
