/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_store.c — the state branch at size: `bench_store REPO COMMAND N [K]` on a bare repository.
 * fill: one commit of N statuses in N/100 namespaces; change: a commit of K of them; read: all of them; used by
 * tests/bench/store.sh, which runs git's own tools beside it and prints ratios.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buildexec/sys/clock.h"
#include "model/base/vec.h"
#include "reconcile/store/store.h"

static bool fill(struct store *store, size_t n, size_t k, struct arena *arena, struct err *err)
{
	struct store_change *changes = arena_array(arena, k, sizeof(*changes));
	struct store_commit commit = { .changes = changes,
				       .n_changes = k,
				       .author_name = "bench",
				       .author_email = "bench@example.com",
				       .time_s = clock_now_s(),
				       .message = "state: bench" };
	int64_t salt = clock_mono_us();
	bool made;

	for (size_t i = 0; i < k; i++) {
		size_t at = i * (n / k);
		char *text = arena_alloc(arena, 700);
		int length = snprintf(
			text, 700,
			"apiVersion: kpack.io/v1alpha2\nkind: Image\nmetadata:\n  name: "
			"image-%zu\n  namespace: ns-%zu\nstatus:\n"
			"  buildCounter: %lld\n  conditions:\n  - {type: Ready, status: \"True\", "
			"reason: Completed, lastTransitionTime: \"2026-11-22T03:15:20Z\"}\n"
			"  latestBuildRef: image-%zu-build-%lld\n  latestImage: "
			"registry.example.com/ns-%zu/image-%zu@sha256:%064llx\n"
			"  latestStack: acme.base\n  latestBuildReason: COMMIT\n  "
			"observedGeneration: 1\n",
			at, at / 100, (long long)salt, at, (long long)salt, at / 100, at,
			(unsigned long long)salt * (at + 1));

		changes[i] =
			(struct store_change){ arena_printf(arena, "ns-%zu/images/image-%zu.yaml",
							    at / 100, at),
					       text, (size_t)length };
	}
	return store_commit(store, &commit, &made, err);
}

static bool read_all(struct store *store, struct arena *arena, struct err *err)
{
	struct store_files files;
	size_t n = 0;

	if (!store_read_all(store, NULL, NULL, arena, &files, err))
		return false;
	for (size_t i = 0; i < files.n; i++)
		n += files.v[i].n;
	printf("%zu files, %zu bytes\n", files.n, n);
	return true;
}

int main(int argc, char **argv)
{
	struct arena *arena = arena_new();
	size_t n = argc > 3 ? strtoul(argv[3], NULL, 10) : 0,
	       k = argc > 4 ? strtoul(argv[4], NULL, 10) : n;
	struct store_place place = { .url = argc > 1 ? argv[1] : "", .branch = "reconcile/state" };
	struct store *store = NULL;
	struct err err = { 0 };
	bool done;

	if (argc < 4 || !n || !k || k > n) {
		fprintf(stderr, "usage: bench_store REPO fill|change|read N [K]\n");
		return 64;
	}
	done = store_open(&place, &store, &err) &&
	       (strcmp(argv[2], "read") ? fill(store, n, k, arena, &err)
					: read_all(store, arena, &err));
	if (!done)
		fprintf(stderr, "bench_store: %s\n", err.text);
	store_close(&store);
	arena_free(arena);
	return !done;
}
