/* links: reconcile_cli */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_fallback.c — what `reconcile state push` is given: any bytes as the file, and as the saved state itself. What is taken
 * writes to paths below the branch alone, each object's below its own, and saves again the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buildexec/sys/fs.h"
#include "model/doc/json.h"
#include "reconcile/apply/recorder_parts.h"
#include "reconcile/fallback.h"
#include "tests/fuzz/folder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_path(const struct file_change *file)
{
	if (!path_is_inside(file->path))
		BUG("'%s' would be written", file->path);
}

static void check_recorder(const struct recorder *recorder)
{
	for (size_t i = 0; i < recorder->by_id.n; i++) {
		const struct pending *pending = recorder->by_id.items[i].value;

		for (size_t k = 0; k < pending->files.n; k++)
			check_path(&pending->files.v[k]);
		for (size_t k = 0; k < pending->records.n; k++)
			check_path(&pending->records.v[k]);
	}
	for (size_t i = 0; i < recorder->logs.n; i++)
		check_path(&recorder->logs.v[i]);
}

static void load(const struct node *saved, struct arena *arena)
{
	struct state_files base = { 0 };
	struct recorder_spec spec = { .arena = arena,
				      .base = &base,
				      .author_name = "a",
				      .author_email = "a@example.com",
				      .run_id = "run",
				      .source_commit = node_text(saved, "sourceCommit") };
	struct recorder *recorder = recorder_new(&spec), *again = recorder_new(&spec);
	struct err err = { 0 };
	const struct node *printed;

	if (!recorder_load(recorder, saved, &err)) {
		if (err.kind == ERR_NONE)
			BUG("a failure without an error");
	} else {
		check_recorder(recorder);
		printed = recorder_save(recorder, arena);
		if (printed && !recorder_load(again, printed, &err))
			BUG("what is saved again is refused: %s", err.text);
		if (printed && !node_equal(printed, recorder_save(again, arena)))
			BUG("what is saved again is another");
	}
	recorder_free(&again);
	recorder_free(&recorder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct context context = { .arena = arena, .options = { .state_branch = "state" } };
	const char *path = path_join(arena, fuzz_folder(), "file");
	const struct node *saved;
	struct err err = { 0 };
	struct node *root;

	fuzz_folder_file("file", data, size);
	if (fallback_read(&context, path, &saved, &err))
		load(saved, arena);
	else if (err.kind == ERR_NONE)
		BUG("a failure without an error");
	err = (struct err){ 0 };
	if (json_parse((const char *)data, size, arena, &root, &err))
		load(root, arena);
	arena_free(arena);
	return 0;
}
