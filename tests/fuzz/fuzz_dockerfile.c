/* links: exec_docker */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_dockerfile.c — any bytes as a Dockerfile: what is read is changed, and the result reads back with the same instructions
 * and those that were added. Without changes it is the same, byte by byte.
 */
#include <stdint.h>
#include <string.h>

#include "buildexec/docker/dockerfile_change.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_changed(const struct dockerfile *file, struct arena *arena)
{
	struct docker_pair pair = { "a b", "c\"$d\\\n`", false };
	struct pair image = { .key = "x", .value = "y@z" };
	const struct docker_changes changes = { .from = "new:image",
						.images = { &image, 1, 1 },
						.env = { &pair, 1 },
						.last_env = { &pair, 1 },
						.labels = { &pair, 1 } };
	AUTO_BUF out = BUF_INIT(DOCKERFILE_OUT_MAX_BYTES);
	struct dockerfile again;
	struct err err = { 0 };

	if (!dockerfile_change(file, &changes, &out, &err))
		return;
	if (!dockerfile_parse(buf_text(&out), out.len, arena, &again, &err))
		BUG("what was changed does not read back: %s", err.text);
	if (again.n != file->n + file->n_stages + 2 || again.n_stages != file->n_stages)
		BUG("%zu instructions became %zu", file->n, again.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	AUTO_BUF out = BUF_INIT(DOCKERFILE_OUT_MAX_BYTES);
	const struct docker_changes none = { 0 };
	struct dockerfile file;
	struct err err = { 0 };

	if (dockerfile_parse((const char *)data, size, arena, &file, &err)) {
		if (dockerfile_change(&file, &none, &out, &err) &&
		    (out.len != size || memcmp(out.data, data, size) != 0))
			BUG("changed without a change");
		check_changed(&file, arena);
	}
	arena_free(arena);
	return 0;
}
