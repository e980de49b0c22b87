/* links: exec_sys */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_git_tree.c — trees, commits and tags as bytes, and a delta whose base is the first half. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buildexec/sys/git_commit.h"
#include "buildexec/sys/git_delta.h"
#include "buildexec/sys/git_objects.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	const char *bytes = arena_copy(arena, data, size);
	struct git_data object = { GIT_TYPE_COMMIT, bytes, size };
	size_t pos = 0, half = size / 2, n;
	struct err err = { 0 };
	struct git_entry entry;
	struct git_id a, b;
	enum git_type type;
	struct git_commit_info commit;
	char date[GIT_DATE_TEXT];

	while (git_entry_next(bytes, size, &pos, &entry))
		if (git_entry_name_is_safe(entry.name, entry.n_name) &&
		    memchr(entry.name, '/', entry.n_name))
			abort();
	(void)!git_commit_parse(&object, &a, &b, &err);
	if (git_commit_describe(&object, arena, &commit, &err)) {
		git_date_format(&commit.author, date);
		if (strlen(commit.subject) >= GIT_SUBJECT_BYTES || strchr(commit.subject, '\n') ||
		    strchr(commit.author.name, '\n') || strlen(date) < 24)
			abort();
	}
	object.type = GIT_TYPE_TAG;
	(void)!git_tag_parse(&object, &a, &type, &err);
	if (git_delta_size(data + half, size - half, half, &n) && n <= 1 << 20)
		(void)git_delta_apply(data + half, size - half, bytes, half, arena_alloc(arena, n),
				      n);
	arena_free(arena);
	return 0;
}
