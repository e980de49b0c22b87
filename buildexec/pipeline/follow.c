/* SPDX-License-Identifier: Apache-2.0 */
/* follow.c — see follow.h. */
#include "buildexec/pipeline/follow.h"

#include <string.h>

#include "buildexec/sys/build_log.h"
#include "buildexec/sys/clock.h"
#include "buildexec/sys/header.h"
#include "buildexec/sys/log.h"

enum {
	POLL_MIN_MS = 250,
	POLL_MAX_MS = 5000,
	STATE_EVERY = 5, /* looks at the log that says it goes on, to one at the run itself */
	CHUNK_BYTES = 32 << 20, /* of a log in one answer */
	LOG_BYTES = 256 << 20,  /* of a whole log: it is kept shortened, but read in full */
	LOG_FAILURES = 20,      /* in a row, until we do without */
	DRAIN_ROUNDS = 64,
	LOST_ROUNDS = 5,  /* looks for the run of a queue item that is forgotten */
	ENDED_ROUNDS = 8, /* looks at a run that neither builds nor has a result */
	WHY_BYTES = 500,
	RESULT_BYTES = 32,
	/* Between asking for the end, insisting, and ending it by force; then we go. A task that is out of time is killed
	 * soon, one that was interrupted has half a minute. */
	STOP_STEP_MS = 5000,
	LATE_STEP_MS = 1500,
	STOP_POLL_MS = 250,
};

struct follow {
	struct jenkins *jenkins;
	const struct server_job *job;
	int64_t queue_id, number;
	char why[WHY_BYTES + 1];
	struct build_log log;
	int64_t log_at; /* where in the server's file the next piece begins */
	int64_t log_bytes;
	bool has_log, has_more, ends_with_cr;
	unsigned log_failures;
	int64_t poll_ms;
};

struct chunk {
	const struct jenkins *jenkins;
	struct buf text;
};

static bool take_chunk(void *ctx, const char *bytes, size_t n)
{
	struct chunk *chunk = ctx;

	buf_add(&chunk->text, bytes, n);
	return !chunk->text.is_over && !jenkins_must_stop(chunk->jenkins);
}

/* Jenkins ends lines with CR LF, wherever they come from. */
static void show(struct follow *f, const char *text, size_t n)
{
	for (size_t at = 0; at < n;) {
		const char *cr = memchr(text + at, '\r', n - at);
		size_t end = cr ? (size_t)(cr - text) : n;

		if (f->ends_with_cr && text[at] != '\n')
			build_log_take(&f->log, "\r", 1);
		f->ends_with_cr = cr != NULL;
		build_log_take(&f->log, text + at, end - at);
		at = cr ? end + 1 : n;
	}
	f->log_bytes += (int64_t)n;
}

static void give_log_up(struct follow *f, const char *why)
{
	f->has_log = false;
	task_notice(f->jenkins->task, "the rest of the pipeline's log is not shown: %s; see %s",
		    why, server_job_url(f->jenkins, f->job, f->number));
}

static void log_failed(struct follow *f, const struct err *why, bool is_over)
{
	if (is_over)
		give_log_up(f, "it is too long");
	else if (why->kind == ERR_CANCELLED)
		return;
	else if (why->kind != ERR_TRANSIENT || ++f->log_failures == LOG_FAILURES)
		give_log_up(f, why->text);
}

/* The next piece. What fails is tried again with the next look: the run itself is what counts. */
static size_t read_log(struct follow *f, struct arena *arena)
{
	struct chunk chunk = { f->jenkins, BUF_INIT(CHUNK_BYTES) };
	struct jenkins_call call = {
		.method = "GET",
		.path = arena_printf(arena, "%s/%lld/logText/progressiveText?start=%lld",
				     f->job->path, (long long)f->number, (long long)f->log_at),
		.write = take_chunk,
		.write_ctx = &chunk,
	};
	struct http_response answer;
	struct err failed = { 0 };
	const char *more, *size;
	size_t n = 0;
	int64_t end;

	if (!jenkins_send(f->jenkins, &call, arena, &answer, &failed)) {
		log_failed(f, &failed, chunk.text.is_over);
	} else if (answer.status != 404) {
		f->log_failures = 0;
		more = http_header(&answer, "X-More-Data");
		f->has_more = more && strcmp(more, "true") == 0;
		n = chunk.text.len;
		show(f, buf_text(&chunk.text), n);
		size = http_header(&answer, "X-Text-Size");
		if (!size || !header_number(size, &end) || end < f->log_at ||
		    (n > 0 && end == f->log_at))
			give_log_up(f, "the server does not say where it goes on");
		else if (f->log_bytes > LOG_BYTES)
			give_log_up(f, "it is too long");
		else
			f->log_at = end;
	}
	buf_release(&chunk.text);
	return n;
}

static bool read_state(struct follow *f, struct arena *arena, int64_t patience_ms,
		       struct pipeline_run *out, struct err *err)
{
	struct http_response answer;
	bool found;

	if (!jenkins_get(f->jenkins,
			 arena_printf(arena, "%s/%lld/api/json?tree=number,queueId,building,result",
				      f->job->path, (long long)f->number),
			 patience_ms, arena, &answer, &found, err))
		return false;
	if (!found)
		return err_set(err, ERR_ABSENT, "run %lld of '%s' is gone from Jenkins",
			       (long long)f->number, f->job->shown);
	return answer_run(answer.body, answer.body_len, arena, out, err) ||
	       err_prefix(err, "run %lld of '%s'", (long long)f->number, f->job->shown);
}

static void say_why(struct follow *f, const char *why)
{
	AUTO_BUF shown = BUF_INIT(WHY_BYTES);

	if (!why)
		return;
	sanitize(why, strnlen(why, WHY_BYTES / 4), false, &shown);
	if (strcmp(f->why, buf_text(&shown)) == 0)
		return;
	memcpy(f->why, buf_text(&shown), shown.len + 1);
	build_log_say("Waiting in Jenkins' queue: %s", f->why);
}

/* Started, cancelled, or waiting still. A forgotten item became a run, or was cancelled long ago. */
static bool look_at_queue(struct follow *f, struct arena *arena, int64_t patience_ms,
			  bool *is_cancelled, bool *is_lost, struct err *err)
{
	struct http_response answer;
	struct queue_item item;
	bool found;

	*is_cancelled = *is_lost = false;
	if (!jenkins_get(f->jenkins,
			 arena_printf(arena,
				      "queue/item/%lld/api/"
				      "json?tree=id,cancelled,why,executable[number]",
				      (long long)f->queue_id),
			 patience_ms, arena, &answer, &found, err))
		return false;
	if (!found) {
		*is_lost = true;
		if (!server_job_find(f->jenkins, f->job, f->queue_id, &f->number, err))
			return false;
		*is_lost = f->number == 0;
		return true;
	}
	if (!answer_queue_item(answer.body, answer.body_len, arena, &item, err))
		return err_prefix(err, "item %lld of Jenkins' queue", (long long)f->queue_id);
	*is_cancelled = item.is_cancelled;
	if (item.executable)
		f->number = item.executable->number;
	else if (!item.is_cancelled)
		say_why(f, item.why);
	return true;
}

static void back_off(struct follow *f, bool is_news)
{
	int64_t ms = is_news ? f->poll_ms / 2 : f->poll_ms + f->poll_ms / 2;

	f->poll_ms = ms < POLL_MIN_MS ? POLL_MIN_MS : ms > POLL_MAX_MS ? POLL_MAX_MS : ms;
}

static bool stopped(struct err *err)
{
	return err_set(err, ERR_CANCELLED, "the pipeline is to end");
}

static bool wait_in_queue(struct follow *f, struct run_end *out, struct err *err)
{
	for (unsigned lost = 0; !f->number;) {
		struct arena *arena = arena_new();
		bool is_cancelled, is_lost,
			is_done = look_at_queue(f, arena, JENKINS_OUTAGE_MS, &is_cancelled,
						&is_lost, err);

		arena_free(arena);
		if (!is_done)
			return false;
		if (is_cancelled) {
			out->result = "ABORTED";
			return true;
		}
		lost = is_lost ? lost + 1 : 0;
		if (lost == LOST_ROUNDS)
			return err_set(
				err, ERR_TRANSIENT,
				"Jenkins has forgotten item %lld of its queue, and '%s' has no "
				"run of it",
				(long long)f->queue_id, f->job->shown);
		if (!f->number && !jenkins_wait(f->jenkins, f->poll_ms))
			return stopped(err);
		back_off(f, false);
	}
	return true;
}

static void drain(struct follow *f)
{
	for (int i = 0; i < DRAIN_ROUNDS && f->has_log; i++) {
		struct arena *arena = arena_new();
		size_t n = read_log(f, arena);

		arena_free(arena);
		if (n == 0)
			return;
	}
}

static const char *known_result(const char *text, struct arena *arena)
{
	static const char *const results[] = { "SUCCESS", "UNSTABLE", "FAILURE", "NOT_BUILT",
					       "ABORTED" };

	for (size_t i = 0; i < COUNTOF(results); i++)
		if (strcmp(results[i], text) == 0)
			return results[i];
	/* One that we do not know is shown, if it is a word. */
	return strlen(text) <= RESULT_BYTES &&
			       text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_")] == '\0'
		       ? arena_strdup(arena, text)
		       : "?";
}

static bool run_to_end(struct follow *f, struct run_end *out, struct err *err)
{
	unsigned n_ended = 0;

	f->poll_ms = POLL_MIN_MS;
	for (unsigned round = 0; !out->result; round++) {
		struct arena *arena = arena_new();
		struct pipeline_run run = { .is_building = true };
		size_t n = f->has_log ? read_log(f, arena) : 0;
		bool is_done = true;

		if (!f->has_log || !f->has_more || round % STATE_EVERY == STATE_EVERY - 1)
			is_done = read_state(f, arena, JENKINS_OUTAGE_MS, &run, err);
		if (is_done && !run.is_building && run.result)
			out->result = known_result(run.result, f->jenkins->arena);
		n_ended = run.is_building ? n_ended : n_ended + 1;
		arena_free(arena);
		if (!is_done)
			return false;
		if (!out->result && n_ended == ENDED_ROUNDS)
			return err_set(err, ERR_INVALID,
				       "run %lld of '%s' is over without a result",
				       (long long)f->number, f->job->shown);
		back_off(f, n > 0);
		if (!out->result && !jenkins_wait(f->jenkins, f->poll_ms))
			return stopped(err);
	}
	drain(f);
	return true;
}

static void post(struct follow *f, struct arena *arena, const char *path)
{
	struct jenkins_call call = { .method = "POST", .path = path, .may_redirect = true };
	struct http_response answer;
	struct err failed = { 0 };

	if (!jenkins_send(f->jenkins, &call, arena, &answer, &failed))
		build_log_warn("Cannot stop the pipeline: %s", failed.text);
}

/* What waits is taken out of the queue, unless it began just now. */
static void leave_queue(struct follow *f, struct arena *arena, bool *is_out)
{
	struct err failed = { 0 };
	bool is_lost;

	*is_out = false;
	post(f, arena, arena_printf(arena, "queue/cancelItem?id=%lld", (long long)f->queue_id));
	if (!look_at_queue(f, arena, STOP_POLL_MS, is_out, &is_lost, &failed))
		build_log_warn("Cannot tell whether the pipeline left the queue: %s", failed.text);
	else if (is_lost)
		*is_out = true;
}

static void end_run(struct follow *f, struct arena *arena, struct run_end *out)
{
	static const char *const ways[] = { "stop", "term", "kill" };
	int64_t step_ms = task_is_cancelled(NULL) ? STOP_STEP_MS : LATE_STEP_MS;

	for (size_t i = 0; i < COUNTOF(ways); i++) {
		int64_t until_ms = clock_mono_ms() + step_ms;

		build_log_say("Asking Jenkins to %s run %lld", ways[i], (long long)f->number);
		post(f, arena,
		     arena_printf(arena, "%s/%lld/%s", f->job->path, (long long)f->number,
				  ways[i]));
		do {
			struct pipeline_run run = { .is_building = true };
			struct err failed = { 0 };

			if (!read_state(f, arena, STOP_POLL_MS, &run, &failed)) {
				if (failed.kind == ERR_ABSENT)
					return;
			} else if (!run.is_building && run.result) {
				out->result = known_result(run.result, f->jenkins->arena);
				return;
			}
			clock_sleep_ms(STOP_POLL_MS);
		} while (clock_mono_ms() < until_ms);
	}
	out->is_left = true;
}

static void take_back(struct follow *f, struct run_end *out)
{
	struct arena *arena = arena_new();
	bool is_out = false;

	f->jenkins->is_stopping = true;
	out->is_stopped = true;
	if (!f->number) {
		leave_queue(f, arena, &is_out);
		out->is_left = !is_out && !f->number;
	}
	if (f->number) {
		f->jenkins->task->result.url = server_job_url(f->jenkins, f->job, f->number);
		end_run(f, arena, out);
		if (!out->is_left)
			drain(f);
	}
	if (out->is_left)
		task_notice(f->jenkins->task, "Jenkins did not end the pipeline in time: see %s",
			    f->number ? server_job_url(f->jenkins, f->job, f->number)
				      : f->jenkins->base);
	arena_free(arena);
}

bool follow_run(struct jenkins *jenkins, const struct server_job *job,
		const struct started *started, struct run_end *out, struct err *err)
{
	struct follow f = { .jenkins = jenkins,
			    .job = job,
			    .queue_id = started->queue_id,
			    .number = started->number,
			    .has_log = true,
			    .has_more = true,
			    .poll_ms = POLL_MIN_MS };
	bool is_done;

	*out = (struct run_end){ 0 };
	is_done = wait_in_queue(&f, out, err);
	if (is_done && f.number) {
		jenkins->task->result.url = server_job_url(jenkins, job, f.number);
		build_log_say("Run %lld of '%s': %s", (long long)f.number, job->shown,
			      jenkins->task->result.url);
		is_done = run_to_end(&f, out, err);
	}
	if (!is_done && err->kind == ERR_CANCELLED && jenkins_must_stop(jenkins)) {
		*err = (struct err){ 0 };
		take_back(&f, out);
		is_done = true;
	}
	out->number = f.number;
	build_log_end(&f.log);
	return is_done;
}
