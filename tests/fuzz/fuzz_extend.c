/* links: exec_cnb */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_extend.c — any bytes as a Dockerfile of an image extension and, behind the first NUL, as its extend-config.toml. What passes
 * has one stage, and as many names as layers, whatever their number.
 */
#include <stdint.h>
#include <string.h>

#include "buildexec/cnb/extend_rule.h"
#include "model/doc/toml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_file(struct extend_file *file, struct arena *arena)
{
	struct strings warnings = { 0 }, names = { 0 };
	struct err err = { 0 };

	if (!extend_file_check(file, arena, &warnings, &err))
		return;
	if (file->text.n_stages != 1 || warnings.n > file->text.n)
		BUG("%zu stages and %zu warnings passed", file->text.n_stages, warnings.n);
	if (file->kind == EXTEND_BUILD && !extend_declares(&file->text, "base_image"))
		BUG("a build.Dockerfile without ARG base_image passed");
	extend_name_layers(file, file->text.n % 5, arena, &names);
	if (names.n != file->text.n % 5)
		BUG("%zu layers have %zu names", file->text.n % 5, names.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = size ? memchr(data, '\0', size) : NULL;
	size_t n = nul ? (size_t)(nul - data) : size;
	struct arena *arena = arena_new();
	struct node *toml = NULL;
	struct err err = { 0 };

	for (int kind = 0; kind < EXTEND_KINDS; kind++) {
		struct extend_file file = { .kind = (enum extend_kind)kind, .id = "a" };
		struct pairs args;

		if (dockerfile_parse((const char *)data, n, arena, &file.text, &err))
			check_file(&file, arena);
		if (nul && toml_parse((const char *)nul + 1, size - n - 1, arena, &toml, &err) &&
		    extend_config_read(toml, file.kind, arena, &args, &err))
			for (size_t i = 0; i < args.n; i++)
				if (strcmp(args.v[i].key, "user_id") == 0)
					BUG("an argument of ours was taken from a file");
	}
	arena_free(arena);
	return 0;
}
