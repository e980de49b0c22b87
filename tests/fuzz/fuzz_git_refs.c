/* links: exec_sys */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_git_refs.c — a repository that somebody else made: HEAD, a branch, packed-refs, its configuration, its list of alternates, each
 * ended by the byte 255. Refs are read as the file says and listed; one that is absent can be set, and then it is that.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buildexec/sys/fs.h"
#include "buildexec/sys/git_lib.h"
#include "buildexec/sys/git_repo.h"
#include "tests/fuzz/folder.h"

enum { FILES = 5 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* libgit2 1.5 loses a match of its own for every repository of version 1 that it opens. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libpcre2";
}

static void write_repository(const char *dir, const uint8_t *data, size_t size, struct arena *arena)
{
	static const char *const folders[] = { "refs/heads", "refs/tags", "objects/info",
					       "objects/pack" };
	static const char *const names[FILES] = { "HEAD", "refs/heads/main", "packed-refs",
						  "config", "objects/info/alternates" };
	struct fuzz_part parts[FILES];
	size_t n = fuzz_parts(data, size, parts, FILES);
	struct err err = { 0 };

	for (size_t i = 0; i < COUNTOF(folders); i++)
		if (!fs_make_dirs(path_join(arena, dir, folders[i]), 0700, &err))
			abort();
	for (size_t i = 0; i < n; i++)
		fuzz_folder_file(names[i], parts[i].data, parts[i].size);
}

static void check_error(const struct err *err)
{
	if (err->kind == ERR_NONE)
		BUG("a failure without an error");
}

static void read_refs(struct git_repo *repo, struct arena *arena)
{
	static const char *const names[] = { "HEAD", "refs/heads/main", "refs/heads/a",
					     "refs/tags/t" };
	struct git_id id, made;
	struct git_refs refs = { 0 };
	const struct strings none = { 0 };
	struct err err = { 0 };
	bool is_known;

	for (size_t i = 0; i < COUNTOF(names); i++) {
		err = (struct err){ 0 };
		if (!git_repo_read_ref(repo, names[i], &id, &err))
			check_error(&err);
	}
	err = (struct err){ 0 };
	if (!git_repo_list_refs(repo, &none, arena, &refs, &err))
		check_error(&err);
	for (size_t i = 0; i < refs.n; i++)
		if (!refs.v[i].target && strlen(refs.v[i].id.hex) != GIT_ID_HEX)
			BUG("'%s' has no id", refs.v[i].name);
	err = (struct err){ 0 };
	if (!git_repo_is_sparse(repo, &is_known, &err))
		check_error(&err);
	err = (struct err){ 0 };
	if (!git_repo_read_ref(repo, "refs/heads/a", &id, &err) || *id.hex)
		return;
	if (!git_id_parse("0123456789012345678901234567890123456789", GIT_ID_HEX, &made))
		abort();
	if (git_repo_swap_ref(repo, "refs/heads/a", &(struct git_id){ 0 }, &made, &err) &&
	    (!git_repo_read_ref(repo, "refs/heads/a", &id, &err) || strcmp(id.hex, made.hex) != 0))
		BUG("the new ref reads as '%s'", id.hex);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	const char *dir = fuzz_folder();
	struct git_repo *repo = NULL;
	struct err err = { 0 };
	struct git_id id;

	write_repository(dir, data, size, arena);
	if (!git_ref_read_file(dir, "HEAD", &id, &err))
		check_error(&err);
	err = (struct err){ 0 };
	if (git_repo_open(dir, false, &repo, &err))
		read_refs(repo, arena);
	else
		check_error(&err);
	git_repo_close(&repo);
	arena_free(arena);
	return 0;
}
