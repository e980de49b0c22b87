/* links: reconcile_cli */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_fallback.c — what `reconcile state push` is given: any bytes as the file, as its lines behind a head with their
 * checksum, and as the saved state itself. What is taken writes to paths below the branch alone, each object's below its own,
 * and saves again the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buildexec/sys/fs.h"
#include "model/base/digest.h"
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

static void read_file(struct context *context, const void *bytes, size_t n)
{
	const char *path = path_join(context->arena, fuzz_folder(), "file");
	const struct node *saved;
	struct err err = { 0 };

	fuzz_folder_file("file", bytes, n);
	if (fallback_read(context, path, &saved, &err))
		load(saved, context->arena);
	else if (err.kind == ERR_NONE)
		BUG("a failure without an error");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct context context = { .arena = arena, .options = { .state_branch = "state" } };
	AUTO_BUF file = BUF_INIT(SIZE_MAX);
	struct err err = { 0 };
	struct node *root;

	read_file(&context, data, size);
	buf_printf(&file,
		   "{\"apiVersion\":\"reconcile.dev/v1\",\"kind\":\"UnrecordedState\","
		   "\"branch\":\"state\",\"sha256\":\"%s\"}\n",
		   digest_of(data, size).text);
	buf_add(&file, data, size);
	read_file(&context, buf_text(&file), file.len);
	if (json_parse((const char *)data, size, arena, &root, &err))
		load(root, arena);
	arena_free(arena);
	return 0;
}
