/* SPDX-License-Identifier: Apache-2.0 */
/* fixture_tree.c — see fixture_tree.h. */
#include "tests/bench/fixture_tree.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "buildexec/sys/fs.h"
#include "tests/bench/contest.h"

enum { FILES_PER_FOLDER = 100, KB = 1000 };

struct random {
	uint64_t state;
};

static uint32_t next(struct random *r)
{
	r->state = r->state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(r->state >> 33);
}

/* Words, numbers and some bytes of any value: gzip makes about a third of it, as of most layers. */
static void fill(struct random *r, char *out, size_t n)
{
	static const char words[][12] = {
		"return ",  "static ",  "value = ",  "const ",  "\n\t",
		"import ",  "(self, ",  "0x00ff",    "class ",  "buffer",
		"/usr/lib", "version ", "java.util", "public ", "length"
	};
	size_t at = 0;

	while (at < n) {
		uint32_t choice = next(r);
		const char *word = words[choice % COUNTOF(words)];
		size_t len = strlen(word);
		char noise[4];

		if (choice % 5 == 0) {
			memcpy(noise, &(uint32_t){ next(r) }, sizeof(noise));
			word = noise;
			len = sizeof(noise);
		}
		len = len < n - at ? len : n - at;
		memcpy(out + at, word, len);
		at += len;
	}
}

/* Files of 1 KB to 400 KB, most of them small, as a package manager leaves them. */
void bench_tree(const char *tree, size_t n_bytes, uint64_t seed)
{
	struct random random = { seed };
	char *content = mem_realloc(NULL, 400 * KB);
	struct arena *arena = arena_new();
	const char *folder = tree;
	struct err err = { 0 };
	size_t made = 0;

	for (size_t i = 0; made < n_bytes; i++) {
		size_t n = KB + next(&random) % (i % 10 ? 20 * KB : 399 * KB);

		if (i % FILES_PER_FOLDER == 0)
			folder = arena_printf(arena, "%s/d%zu", tree, i / FILES_PER_FOLDER);
		fill(&random, content, n);
		if ((i % FILES_PER_FOLDER == 0 && !fs_make_dirs(folder, 0755, &err)) ||
		    !fs_write_atomic(AT_FDCWD, arena_printf(arena, "%s/f%zu", folder, i), content,
				     n, 0644, false, &err))
			bench_die("%s", err.text);
		made += n;
	}
	arena_free(arena);
	free(content);
}
