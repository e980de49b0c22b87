/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_state.c — state push: results of a run that could not record them, put on the branch as it is now. */
#include "reconcile/commands.h"
#include "reconcile/fallback.h"
#include "reconcile/record.h"

static int push(struct context *context, const struct node *saved, struct recorder *recorder)
{
	struct strings lost = { 0 };
	struct err err = { 0 };
	size_t n_landed = 0;

	if (!recorder_load(recorder, saved, &err)) {
		err_prefix(&err, "'%s'", context->options.args.v[0]);
		return context_fail(&err, EXIT_INVALID);
	}
	recorder_set_patient(recorder, true);
	if (!recorder_drop_landed(recorder, &n_landed, &err) ||
	    !recorder_flush(recorder, "results of an earlier run", false, &lost, &err) ||
	    !recorder_has_all(recorder, &err))
		return context_fail(&err, EXIT_STATE);
	if (n_landed)
		log_line(LOG_INFO, "%zu object%s recorded already", n_landed,
			 n_landed == 1 ? " is" : "s are");
	for (size_t i = 0; i < lost.n; i++)
		log_line(LOG_WARN, "%s is left as it is: another run has changed it since",
			 lost.v[i]);
	buf_printf(&context->out, "%s\n",
		   recorder_n_commits(recorder) ? "recorded" : "nothing to record");
	return lost.n ? EXIT_PARTIAL : EXIT_DONE;
}

int cmd_state_push(struct context *context)
{
	const struct node *saved;
	struct recorder_spec spec;
	struct recorder *recorder;
	struct err err = { 0 };
	int code = context_read_state(context);

	if (code != EXIT_DONE)
		return code;
	if (!fallback_read(context, context->options.args.v[0], &saved, &err))
		return context_fail(&err, EXIT_INVALID);
	if (!node_text(saved, "run")) {
		err_set(&err, ERR_INVALID, "'%s' does not say which run it is of",
			context->options.args.v[0]);
		return context_fail(&err, EXIT_INVALID);
	}
	if (!record_spec_make(context, node_text(saved, "run"), &spec, &err))
		return context_fail(&err, EXIT_STATE);
	spec.source_commit = node_text(saved, "sourceCommit");
	recorder = recorder_new(&spec);
	code = push(context, saved, recorder);
	recorder_free(&recorder);
	return code;
}
