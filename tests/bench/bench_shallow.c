/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_shallow.c — URL REVISION CACHE DEST: what a build does to get at a commit, and nothing else: the revision is resolved,
 * the commit fetched without its history, its files written. For bench_shallow.sh, beside git.
 */
#include <stdio.h>
#include <unistd.h>

#include "buildexec/source/source.h"
#include "buildexec/sys/fs.h"
#include "buildexec/sys/proc.h"

extern char **environ;

static bool run(char **argv, struct arena *arena, struct err *err)
{
	static const struct list none;
	const struct access access = { .registries = &none,
				       .credentials = &none,
				       .git_hosts = &none,
				       .git_credentials = &none,
				       .base_dir = "/" };
	struct git_source git = { .url = argv[1] };
	const struct source source = { .git = &git };
	const struct source_spec spec = { .source = &source,
					  .access = &access,
					  .cache_dir = argv[3],
					  .dest = argv[4],
					  .uid = geteuid(),
					  .gid = getegid() };
	struct git_revision revision = { 0 };
	struct git_wire *wire = NULL;
	AUTO_TMPDIR keys = { 0 };
	bool is_done = access_git(&access, argv[1], &keys, arena, &wire, err) &&
		       git_wire_resolve(wire, argv[2], arena, &revision, err);

	git_wire_close(&wire);
	if (is_done && revision.kind == GIT_REVISION_NONE)
		is_done = err_set(err, ERR_ABSENT, "there is no '%s'", argv[2]);
	if (!is_done)
		return false;
	git.revision = revision.commit.hex;
	return fs_make_dirs(argv[4], 0755, err) && source_materialise(&spec, arena, err);
}

int main(int argc, char **argv)
{
	struct arena *arena = arena_new();
	struct err err = { 0 };

	if (argc != 5) {
		fprintf(stderr, "usage: bench_shallow URL REVISION CACHE DEST\n");
		return 64;
	}
	proc_set_environment((const char *const *)environ);
	if (!run(argv, arena, &err))
		fprintf(stderr, "bench_shallow: %s\n", err.text);
	arena_free(arena);
	return err.kind == ERR_NONE ? 0 : 1;
}
