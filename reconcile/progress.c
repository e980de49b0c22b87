/* SPDX-License-Identifier: Apache-2.0 */
/* progress.c — lines through the log sink, so that they are redacted and have the format that was asked for. */
#include "reconcile/progress.h"

#include <string.h>

#include "buildexec/sys/fs.h"
#include "buildexec/sys/log.h"
#include "model/base/limits.h"
#include "reconcile/report/plan_report.h"

static void say(enum log_level level, const struct step *step, const char *fmt, ...) PRINTF(3, 4);

static void say(enum log_level level, const struct step *step, const char *fmt, ...)
{
	struct arena *arena = arena_new();
	const char *label = object_label(step->id, arena), *what;
	va_list args;

	va_start(args, fmt);
	what = arena_vprintf(arena, fmt, args);
	va_end(args);
	if (step->number)
		log_line(level, "%s: %s #%lld %s", label, action_name(step->action),
			 (long long)step->number, what);
	else
		log_line(level, "%s: %s %s", label, action_name(step->action), what);
	arena_free(arena);
}

static void on_start(void *ctx, const struct step *step)
{
	struct arena *arena = arena_new();
	const char *reasons = changes_reasons(&step->changes, arena);
	const struct progress *progress = ctx;

	if (progress->starter && step->object == progress->starter->config && step->build)
		starter_announce(progress->starter, step->build);
	say(LOG_INFO, step, "started%s%s%s", *reasons ? " (" : "", reasons, *reasons ? ")" : "");
	arena_free(arena);
}

static void on_phase(void *ctx, const struct step *step, const char *phase)
{
	(void)ctx;
	say(LOG_DEBUG, step, "===> %s", phase);
}

/* What the worker wants people to know; the text may quote what it was given. */
static void on_notice(void *ctx, const struct step *step, const char *text)
{
	(void)ctx;
	say(LOG_WARN, step, "says: %s", text);
}

static void on_wait(void *ctx, const struct step *step, const char *phase, int64_t seconds)
{
	(void)ctx;
	say(LOG_INFO, step, "is in %s after %lld s", phase ? phase : "PREPARE", (long long)seconds);
}

/* A line of the build's log. A log line of ours shows a tab as "\x09". */
static void say_tail(const char *text)
{
	AUTO_BUF line = BUF_INIT(LIMIT_LOG_BYTES);

	for (; *text; text++)
		buf_puts(&line, *text == '\t' ? "    " : (char[]){ *text, '\0' });
	log_line(LOG_ERROR, "  | %s", buf_text(&line));
}

static bool is_followed(const struct progress *progress, const struct step *step)
{
	return progress->follow && strcmp(progress->follow, step->id) == 0;
}

static void on_log(void *ctx, const struct step *step, const char *text, size_t n)
{
	struct progress *progress = ctx;
	struct err ignored = { 0 };

	/* A reader that went away does not stop the build. */
	if (is_followed(progress, step) && !fd_write_all(progress->follow_fd, text, n, &ignored))
		progress->follow = NULL;
}

static void on_end(void *ctx, const struct step *step, const struct outcome *outcome)
{
	const struct build_event *event = outcome->event;

	if (outcome->is_done && event) {
		say(LOG_INFO, step, "%s in %lld s%s%s",
		    event->is_adopted ? "was found in the registry" : "succeeded",
		    (long long)(outcome->finished_s - outcome->started_s), event->image ? ": " : "",
		    event->image ? event->image : "");
		return;
	}
	if (outcome->is_cancelled_by_user) {
		say(LOG_WARN, step, "was cancelled by the user");
		return;
	}
	if (!event && outcome->err.kind == ERR_CANCELLED) {
		say(LOG_WARN, step, "was not started");
		return;
	}
	say(LOG_ERROR, step, "failed: %s", event && event->text ? event->text : outcome->err.text);
	for (size_t i = 0; i < outcome->tail.n && !is_followed(ctx, step); i++)
		say_tail(outcome->tail.v[i]);
}

void progress_init(struct progress *progress, struct apply_events *out)
{
	*out = (struct apply_events){ .on_start = on_start,
				      .on_phase = on_phase,
				      .on_notice = on_notice,
				      .on_end = on_end,
				      .on_log = progress->follow ? on_log : NULL,
				      .on_wait = on_wait,
				      .ctx = progress };
}
