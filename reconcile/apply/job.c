/* SPDX-License-Identifier: Apache-2.0 */
/* job.c — a worker's life: request in by a sealed memory file, events out by lines, output into the log. */
#include "reconcile/apply/job.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "buildexec/sys/clock.h"
#include "buildexec/sys/fs.h"
#include "model/doc/json.h"

enum {
	EVENT_BYTES = 1 << 20,
	REQUEST_BYTES = 64 << 20,
	EVENTS_MAX = 10000, /* a build has some ten phases */
	PHASES_MAX = 100,   /* they are recorded */
	FORCE_MS = 5000,    /* to end, for a worker that should */
	LATE_MS = 3000,     /* to end by itself, for one whose time is over */
	STOPPED_MS = 60000, /* to go on, for one that was stopped from outside */
	DRAIN_MS = 1000,    /* for output that was written before its end */
};

/* A memory file needs no writer that waits for the reader, and no name on disk for the secrets in it. */
static bool request_fd(const struct build_request *request, struct arena *arena, int *out,
		       struct err *err)
{
	AUTO_BUF text = BUF_INIT(REQUEST_BYTES);
	AUTO_FD fd = -1;

	json_print(fields_encode(&build_request_table, request, arena), JSON_COMPACT, &text);
	buf_byte(&text, '\n');
	if (text.is_over)
		return err_set(err, ERR_INVALID, "the build request is too large");
	fd = memfd_create("reconcile-request", MFD_CLOEXEC);
	if (fd < 0)
		return err_sys(err, errno, "cannot hand over the build request");
	if (!fd_write_all(fd, buf_text(&text), text.len, err))
		return false;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(err, errno, "cannot hand over the build request");
	*out = fd;
	fd = -1;
	return true;
}

static bool make_pipe(int *reader, int *writer, struct err *err)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(err, errno, "cannot connect to a worker");
	*reader = fds[0];
	*writer = fds[1];
	if (fcntl(fds[0], F_SETFL, O_NONBLOCK) < 0)
		return err_sys(err, errno, "cannot connect to a worker");
	return true;
}

static bool start_process(const struct job_spec *spec, struct job *job, struct err *err)
{
	AUTO_FD in = -1;
	AUTO_FD out = -1;
	AUTO_FD log = -1;
	struct proc_spec proc;

	if (!request_fd(spec->request, job->arena, &in, err) ||
	    !make_pipe(&job->out_fd, &out, err) || !make_pipe(&job->err_fd, &log, err))
		return false;
	proc = (struct proc_spec){
		.argv = spec->argv, .in_fd = in, .out_fd = out, .err_fd = log, .is_own_group = true
	};
	return proc_start(&proc, &job->proc, err) || err_prefix(err, "cannot start a worker");
}

bool job_start(const struct job_spec *spec, struct job *job, struct err *err)
{
	job->out_fd = job->err_fd = -1;
	job->line = BUF_INIT(EVENT_BYTES);
	job->started_s = clock_now_s();
	job->timeout_s = spec->request->timeout_s;
	if (job->timeout_s)
		job->late_ms = clock_mono_ms() + job->timeout_s * 1000 + LATE_MS;
	if (log_file_open(spec->log_dir, spec->log_name, &job->log, err) &&
	    start_process(spec, job, err))
		return true;
	job_release(job);
	return false;
}

static void end_phase(struct job *job, const char *result)
{
	int64_t now_ms = clock_mono_ms();

	if (job->phases.n && !job->phases.v[job->phases.n - 1].result) {
		job->phases.v[job->phases.n - 1].ms = now_ms - job->phase_ms;
		job->phases.v[job->phases.n - 1].result = result;
	}
	job->phase_ms = now_ms;
}

static void take_event(struct job *job, const char *line, size_t n)
{
	struct build_event *event;
	struct err err = { 0 };

	if (job->bad)
		return;
	if (++job->n_events > EVENTS_MAX || job->phases.n > PHASES_MAX) {
		job->bad = "the worker reports too many events";
		return;
	}
	event = ARENA_NEW(job->arena, struct build_event);
	if (!event_read(line, n, job->arena, event, &err)) {
		job->bad =
			arena_printf(job->arena, "the worker's answer is no event: %s", err.text);
		return;
	}
	switch (event->type) {
	case EVENT_PHASE:
		end_phase(job, "Succeeded");
		vec_push(job->arena, &job->phases, (struct step_state){ .name = event->name });
		if (job->on_phase)
			job->on_phase(job->ctx, job, event->name);
		return;
	case EVENT_NOTICE:
		if (job->on_notice)
			job->on_notice(job->ctx, job, event->text);
		return;
	case EVENT_RESULT:
	case EVENT_FAILURE:
		job->last = event;
		return;
	case EVENT_TYPES:
		return;
	}
}

static void take_lines(struct job *job, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (bytes[i] != '\n') {
			buf_byte(&job->line, bytes[i]);
			continue;
		}
		if (job->line.is_over)
			job->bad = "the worker wrote a line that is too long";
		else if (job->line.len)
			take_event(job, buf_text(&job->line), job->line.len);
		buf_clear(&job->line);
	}
}

void job_read(struct job *job, int fd)
{
	char chunk[65536];
	ssize_t n = read(fd, chunk, sizeof(chunk));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n > 0 && fd == job->out_fd)
		take_lines(job, chunk, (size_t)n);
	else if (n > 0)
		log_file_add(&job->log, chunk, (size_t)n);
	else if (fd == job->out_fd)
		fd_close(&job->out_fd);
	else
		fd_close(&job->err_fd);
}

static bool is_drained(const struct job *job)
{
	return job->out_fd < 0 && job->err_fd < 0;
}

/* Somebody may look at it for a moment; one that never goes on would keep the run for ever. */
static void watch_stop(struct job *job, int64_t now_ms)
{
	if (!proc_is_stopped(&job->proc))
		job->stopped_ms = 0;
	else if (!job->stopped_ms)
		job->stopped_ms = now_ms;
	else if (now_ms - job->stopped_ms >= STOPPED_MS && !job->bad)
		job->bad = arena_printf(job->arena,
					"the worker was stopped from outside (SIGSTOP) and did "
					"not go on for %d s",
					STOPPED_MS / 1000);
}

int64_t job_watch(struct job *job, int64_t now_ms)
{
	if (!job->ended_ms && proc_has_ended(&job->proc))
		job->ended_ms = now_ms;
	if (job->ended_ms)
		return is_drained(job) ? 0 : job->ended_ms + DRAIN_MS - now_ms;
	watch_stop(job, now_ms);
	if (!job->force_ms && job->late_ms && now_ms >= job->late_ms)
		job->is_late = true;
	if (!job->force_ms && (job->bad || job->is_late || is_drained(job))) {
		job->force_ms = now_ms + FORCE_MS;
		if (job->bad || job->is_late)
			proc_kill(&job->proc, SIGTERM);
	}
	if (!job->force_ms)
		return job->late_ms ? job->late_ms - now_ms : -1;
	if (now_ms < job->force_ms)
		return job->force_ms - now_ms;
	if (!job->bad && !job->is_late && !job->is_cancelled)
		job->bad = "the worker closed its output and did not end";
	proc_kill(&job->proc, SIGKILL);
	return DRAIN_MS;
}

bool job_has_ended(const struct job *job, int64_t now_ms)
{
	return job->ended_ms && (is_drained(job) || now_ms >= job->ended_ms + DRAIN_MS);
}

static struct build_event *failure(struct job *job, const char *kind, const char *text)
{
	struct build_event *event = ARENA_NEW(job->arena, struct build_event);

	event->type = EVENT_FAILURE;
	event->failure = kind;
	event->text = text;
	return event;
}

/* In the words of a worker whose container took too long; with the phase, when it was another. */
static const struct build_event *lateness(struct job *job)
{
	const char *phase = job->phases.n ? job->phases.v[job->phases.n - 1].name : NULL;
	struct build_event *event = failure(
		job, err_kind_name(ERR_INVALID),
		arena_printf(job->arena,
			     "DeadlineExceeded: it took longer than its %s of %lld s%s%s",
			     job->step && job->step->build ? "completionDeadlineSeconds"
							   : "buildTimeout",
			     (long long)job->timeout_s, phase ? ", in " : "", phase ? phase : ""));

	event->is_timeout = true;
	event->name = phase;
	return event;
}

/* What the worker said counts only together with how it ended. */
static const struct build_event *verdict(struct job *job, const struct proc_result *result)
{
	const char *how = proc_result_text(result, job->arena);

	if (!job->bad && job->last && job->last->type == EVENT_RESULT && result->exit_code == 0)
		return job->last;
	if (job->is_cancelled)
		return failure(job, err_kind_name(ERR_CANCELLED), "cancelled");
	if (job->is_late)
		return job->last && job->last->is_timeout ? job->last : lateness(job);
	if (job->bad)
		return failure(job, err_kind_name(ERR_SYSTEM), job->bad);
	if (job->last && job->last->type == EVENT_FAILURE)
		return job->last;
	return failure(job, err_kind_name(ERR_SYSTEM),
		       arena_printf(job->arena, "the worker ended without a result: %s", how));
}

void job_finish(struct job *job, int64_t now_s, struct buf *kept, struct outcome *out)
{
	struct proc_result result = { 0 };
	struct err err = { 0 };

	*out = (struct outcome){ .is_started = true,
				 .is_claimed = true,
				 .started_s = job->started_s,
				 .finished_s = now_s };
	if (!proc_wait(&job->proc, &result, &err)) {
		job->bad = arena_strdup(job->arena, err.text);
		result.exit_code = -1;
	}
	out->event = verdict(job, &result);
	out->is_done = out->event->type == EVENT_RESULT;
	end_phase(job, out->is_done ? "Succeeded" : "Failed");
	out->steps = (struct list){ job->phases.v, job->phases.n };
	if (!log_file_finish(&job->log, job->arena, kept, &out->tail, &err))
		vec_push(job->arena, &out->tail, arena_strdup(job->arena, err.text));
}

void job_cancel(struct job *job, bool is_hard)
{
	job->is_cancelled = true;
	if (job->proc.pid)
		proc_kill(&job->proc, is_hard ? SIGKILL : SIGTERM);
}

void job_cancel_within(struct job *job, int64_t rest_ms)
{
	job_cancel(job, false);
	if (!job->force_ms)
		job->force_ms = clock_mono_ms() + rest_ms;
}

void job_release(struct job *job)
{
	proc_release(&job->proc);
	fd_close(&job->out_fd);
	fd_close(&job->err_fd);
	buf_release(&job->line);
	log_file_release(&job->log);
}
