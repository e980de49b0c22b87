/* links: exec_pipeline */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_jenkins.c — what a Jenkins server answers: the first byte says which answer is read, the rest are its bytes. What is
 * taken can be sent in a header, or recorded and read again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buildexec/pipeline/answer.h"
#include "buildexec/pipeline/job_xml.h"
#include "model/doc/utf8.h"
#include "model/kind/build_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_header(const char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			abort();
}

static void try_crumb(const char *text, size_t n, struct arena *arena)
{
	struct err err = { 0 };
	struct crumb crumb;

	if (!answer_crumb(text, n, arena, &crumb, &err))
		return;
	check_header(crumb.field);
	check_header(crumb.value);
}

static void try_queue(const char *text, size_t n, struct arena *arena)
{
	struct err err = { 0 };
	struct queue_item item;
	struct list items;

	if (answer_queue_item(text, n, arena, &item, &err))
		answer_parameter(item.actions, PARAMETER_KEY);
	if (answer_queue(text, n, arena, &items, &err))
		for (size_t i = 0; i < items.n; i++)
			answer_parameter(LIST_AT(items, struct queue_item, i)->actions,
					 PARAMETER_KEY);
}

static void try_runs(const char *text, size_t n, struct arena *arena)
{
	struct err err = { 0 };
	struct pipeline_run run;
	struct list runs;
	bool is_folder;

	if (answer_run(text, n, arena, &run, &err) && run.number < 1)
		abort();
	if (answer_runs(text, n, arena, &runs, &err))
		for (size_t i = 0; i < runs.n; i++)
			answer_parameter(LIST_AT(runs, struct pipeline_run, i)->actions,
					 PARAMETER_KEY);
	if (answer_is_folder(text, n, arena, &is_folder, &err) && is_folder && n < 40)
		abort();
}

static void try_stages(const char *text, size_t n, struct arena *arena)
{
	struct build_event event = { .type = EVENT_RESULT }, back;
	struct err err = { 0 };
	const char *line;

	if (!answer_stages(text, n, arena, &event.stages, &err))
		return;
	line = event_print(&event, arena);
	if (!event_read(line, strlen(line), arena, &back, &err) ||
	    back.stages.n != event.stages.n || strcmp(event_print(&back, arena), line) != 0)
		abort();
}

static void try_headers(const char *text, size_t n, struct arena *arena)
{
	const char *cookie = answer_cookie(text, arena);

	(void)n;
	if (cookie)
		check_header(cookie);
	if (answer_queue_id(text) < 0)
		abort();
}

static void try_config(const char *text, size_t n, struct arena *arena)
{
	static const char mark[] = "reconcile BuildConfig shop/cart sha256:0123";
	AUTO_BUF out = BUF_INIT(64 * (n + 1));
	struct pipeline_strategy pipeline = { 0 };
	struct bc_request config = { .spec.strategy.pipeline = &pipeline };
	const char *id = job_credentials(text, arena);

	if (id)
		check_header(id);
	if (job_state(text, &config, mark) == JOB_CURRENT && !strstr(text, mark))
		abort();
	xml_text(text, &out);
	if (strpbrk(buf_text(&out), "<>\"'\r") || utf8_count(buf_text(&out), out.len) > 6 * (n + 1))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	typedef void try_fn(const char *text, size_t n, struct arena *arena);
	static try_fn *const tries[] = { try_crumb,  try_queue,   try_runs,
					 try_stages, try_headers, try_config };
	struct arena *arena;

	if (size == 0)
		return 0;
	arena = arena_new();
	tries[data[0] % COUNTOF(tries)](arena_copy(arena, data + 1, size - 1), size - 1, arena);
	arena_free(arena);
	return 0;
}
