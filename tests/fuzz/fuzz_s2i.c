/* links: exec_s2i */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_s2i.c — texts that sources and builder images bring: .s2iignore (the last line is the path that is asked about),
 * .s2i/environment, image_metadata.json, mappings of artifacts, users, passwd and group files, ranges of users.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buildexec/s2i/pattern.h"
#include "buildexec/s2i/text.h"
#include "buildexec/task/user.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_patterns(const char *text, size_t size, struct arena *arena)
{
	const char *last = strrchr(text, '\n');
	struct patterns patterns;

	patterns_parse(text, size, arena, &patterns);
	for (size_t i = 0; i < patterns.list.n; i++)
		if (patterns.list.v[i].text[0] == '/' || strstr(patterns.list.v[i].text, "//"))
			abort(); /* clean is clean */
	patterns_name(&patterns, last ? last + 1 : text);
}

static void try_environment(const char *text, size_t size, struct arena *arena)
{
	struct strings joined;
	struct pairs env = { 0 };

	environment_parse(text, size, arena, &env);
	joined = environment_join(&env, &(struct strings){ 0 }, arena);
	for (size_t i = 0; i < joined.n; i++)
		if (joined.v[i][0] == '=' || !strchr(joined.v[i], '='))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	char *text = arena_copy(arena, data, size);
	const struct user_files files = { .passwd = text, .group = text };
	struct artifact_list artifacts = { 0 };
	struct uid_ranges ranges;
	struct pairs labels = { 0 };
	struct err err = { 0 };
	struct user user;

	if (size > 4096)
		text[size = 4096] = '\0';
	try_patterns(text, size, arena);
	try_environment(text, size, arena);
	if (image_metadata_parse(text, size, arena, &labels, &err) && !labels_finish(&labels, &err))
		labels.n = 0;
	artifacts_parse(text, arena, &artifacts);
	if (artifacts_check(&artifacts, &err))
		for (size_t i = 0; i < artifacts.n; i++)
			if (artifacts.v[i].source[0] != '/' || artifacts.v[i].destination[0] == '/')
				abort();
	if (uid_ranges_parse(text, arena, &ranges, &err))
		uid_ranges_allow(&ranges, text);
	if (user_resolve("1001", &files, arena, &user, &err) && user.uid == UINT32_MAX)
		abort();
	if (user_resolve(text, &files, arena, &user, &err) && user.gid == UINT32_MAX)
		abort();
	label_message(text, arena);
	arena_free(arena);
	return 0;
}
