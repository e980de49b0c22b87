/* SPDX-License-Identifier: Apache-2.0 */
/* record.c — options, then settings, then what is usual. */
#include "reconcile/record.h"

#include <stdint.h>
#include <string.h>

#include "model/kind/settings.h"
#include "reconcile/report/dashboard.h"

void record_author(const struct context *context, struct recorder_spec *out)
{
	const char *author = context->options.author;
	const char *open = author ? strchr(author, '<') : NULL;

	out->author_name =
		context->settings->author_name ? context->settings->author_name : "reconcile";
	out->author_email = context->settings->author_email ? context->settings->author_email
							    : "reconcile@localhost";
	if (!open)
		return;
	out->author_name = arena_copy(context->arena, author, (size_t)(open - author));
	out->author_email = arena_copy(context->arena, open + 1, strcspn(open + 1, ">"));
}

bool record_spec_make(struct context *context, const char *run_id, struct recorder_spec *out,
		      struct err *err)
{
	if (!context_open_logs(context, err))
		return false;
	*out = (struct recorder_spec){ .arena = context->arena,
				       .store = context->store,
				       .logs = context->logs,
				       .base = &context->state,
				       .run_id = run_id,
				       .source_commit = context->source_commit,
				       .retries = context->settings->push_retries,
				       .now_s = context->options.now ? context->now_s : 0,
				       .readme = dashboard_print,
				       .readme_ctx = (void *)(uintptr_t)context->settings };
	record_author(context, out);
	return true;
}
