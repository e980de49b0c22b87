/* SPDX-License-Identifier: Apache-2.0 */
/* test_git_receive.c — packs as git makes them, in packets as a server sends them, into a repository. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "buildexec/sys/fs.h"
#include "buildexec/sys/git_receive.h"
#include "buildexec/sys/proc.h"

/* A history of texts that differ little, so that its pack has deltas. */
static const char make_pack[] =
	"git init -q w && cd w && for i in 1 2 3 4 5; do seq $((i*7)) 3000 >f; git add f; git "
	"commit -qm c$i; done; git rev-parse HEAD >../head; git rev-list --objects --all | git "
	"pack-objects -q --delta-base-offset --stdout >../pack; cd ..; git init -q --bare r.git; "
	"git -C r.git index-pack --stdin <pack >/dev/null; git verify-pack -v "
	"r.git/objects/pack/*.idx | grep -c 'chain length' >chains";

static void sh(const char *folder, const char *script)
{
	static const char *const env[] = { "PATH=/usr/bin:/bin",      "HOME=/nonexistent",
					   "GIT_CONFIG_NOSYSTEM=1",   "GIT_AUTHOR_NAME=a",
					   "GIT_AUTHOR_EMAIL=a@b",    "GIT_COMMITTER_NAME=a",
					   "GIT_COMMITTER_EMAIL=a@b", NULL };
	const char *argv[] = { "/bin/bash", "-ec", script, NULL };
	struct buf out = BUF_INIT(1 << 20);
	struct proc_spec spec = {
		.argv = argv, .env = env, .cwd = folder, .out = &out, .err = &out
	};
	struct proc_result result;
	struct err err = { 0 };

	if (!proc_run(&spec, &result, &err) || result.exit_code)
		fail_msg("%s %s", err.text, buf_text(&out));
	buf_release(&out);
}

/* "packfile", then the pack on side band 1 in packets of at most `step` bytes, then a flush. */
static bool feed(struct git_receive *receive, const char *pack, size_t n, size_t step,
		 struct err *err)
{
	AUTO_BUF packets = BUF_INIT(16 << 20);

	git_pkt_printf(&packets, "packfile\n");
	for (size_t at = 0; at < n; at += step) {
		char packet[4096] = { 1 };
		size_t part = n - at < step ? n - at : step;

		memcpy(packet + 1, pack + at, part);
		git_pkt_add(&packets, packet, part + 1);
	}
	git_pkt_flush(&packets);
	git_pkt_reader_init(receive->reader, git_receive_pkt, receive);
	return git_pkt_feed(receive->reader, packets.data, packets.len, err) &&
	       git_receive_finish(receive, err);
}

static void test_git_receive__takes_packs_with_deltas_in_any_pieces(void **state)
{
	static const size_t steps[] = { 1, 7, 12, 1000, 4000 };
	struct tmpdir dir = { 0 };
	struct arena *arena = arena_new();
	struct err err = { 0 };
	char *pack, *text;
	size_t n, n_text;

	(void)state;
	assert_true(tmpdir_make(NULL, "test-receive", &dir, &err));
	sh(dir.path, make_pack);
	assert_true(fs_read(AT_FDCWD, path_join(arena, dir.path, "pack"), 1 << 20, arena, &pack, &n,
			    &err));
	assert_true(fs_read(AT_FDCWD, path_join(arena, dir.path, "chains"), 100, arena, &text,
			    &n_text, &err));
	assert_true(atoi(text) > 0);
	for (size_t i = 0; i < COUNTOF(steps); i++) {
		struct git_receive receive = { .reader = mem_realloc(NULL, sizeof(*receive.reader)),
					       .arena = arena,
					       .is_v2 = true,
					       .max_bytes = 1 << 20,
					       .progress = BUF_INIT(4096) };

		assert_true(git_repo_init(arena_printf(arena, "%s/got-%zu", dir.path, i),
					  &receive.into, &err));
		if (!feed(&receive, pack, n, steps[i], &err))
			fail_msg("pieces of %zu: %s", steps[i], err.text);
		git_receive_release(&receive);
		git_repo_close(&receive.into);
		free(receive.reader);
		sh(dir.path, arena_printf(arena, "git -C got-%zu fsck --strict $(cat head)", i));
	}
	arena_free(arena);
	tmpdir_release(&dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_git_receive__takes_packs_with_deltas_in_any_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
