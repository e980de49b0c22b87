/* SPDX-License-Identifier: Apache-2.0 */
/* task.c — see task.h. */
#include "buildexec/task/task.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#include "buildexec/sys/build_log.h"

/* No build needs as many processes and threads; a fork bomb does. */
enum { TASK_PIDS = 16384 };

void task_send(struct task *task, const struct build_event *event)
{
	AUTO_BUF line = BUF_INIT(LIMIT_REQUEST_BYTES);
	struct err ignored = { 0 };

	buf_printf(&line, "%s\n", event_print(event, task->arena));
	/* A scheduler that is gone will not hear of it: the registry keeps the result. */
	if (!fd_write_all(task->out_fd, buf_text(&line), line.len, &ignored))
		return;
}

void task_tell_phase(struct task *task, const char *phase)
{
	struct build_event event = { .type = EVENT_PHASE, .name = phase };

	task->phase = phase;
	task_send(task, &event);
}

void task_begin(struct task *task, const char *phase)
{
	task_tell_phase(task, phase);
	build_log_say("===> %s", phase);
}

bool task_fail(struct task *task, const char *reason)
{
	if (!task->reason)
		task->reason = reason;
	return false;
}

void task_notice(struct task *task, const char *fmt, ...)
{
	struct build_event event = { .type = EVENT_NOTICE };
	va_list args;

	va_start(args, fmt);
	event.text = arena_vprintf(task->arena, fmt, args);
	va_end(args);
	task_send(task, &event);
	build_log_warn("%s", event.text);
}

bool task_dir(struct task *task, const char *name, mode_t mode, const char **out, struct err *err)
{
	*out = path_join(task->arena, task->work.path, name);
	if (!fs_make_dirs(*out, mode, err))
		return false;
	if (chmod(*out, mode) != 0)
		return err_sys(err, errno, "cannot set the mode of '%s'", *out);
	return true;
}

bool task_read_image(struct task *task, const char *reference, struct remote_image *out,
		     struct err *err)
{
	struct platform want = platform_host();
	struct ref ref;

	return ref_parse(reference, task->arena, &ref, err) &&
	       registry_read_image(task->registry, &ref, &want, task->arena, out, err);
}

bool task_pinned(struct task *task, const char *tag, const char *digest, const char **out,
		 struct err *err)
{
	struct ref ref;

	if (!ref_parse(tag, task->arena, &ref, err))
		return false;
	*out = ref_pinned(&ref, digest, task->arena);
	return true;
}

/* tags[first …] name the image from now on: same bytes, same digest. */
static bool put_tags(struct task *task, const char *image, const struct strings *tags, size_t first,
		     struct err *err)
{
	struct ref from, to;

	if (!ref_parse(image, task->arena, &from, err))
		return false;
	for (size_t i = first; i < tags->n; i++)
		if (!ref_parse(tags->v[i], task->arena, &to, err) ||
		    !registry_copy(task->registry, &from, &to, err))
			return err_prefix(err, "cannot tag '%s'", tags->v[i]);
	return true;
}

bool task_adopt(struct task *task, const struct strings *tags, const char *key,
		struct remote_image *image, bool *found, struct err *err)
{
	struct err problem = { 0 };
	const char *there;

	*found = false;
	if (!key || tags->n == 0 || !task_read_image(task, tags->v[0], image, &problem))
		return true; /* what cannot be read is not there to be adopted */
	there = pairs_get(&image->manifest.annotations, BUILD_KEY_ANNOTATION);
	if (!there || strcmp(there, key) != 0)
		return true;
	if (!task_pinned(task, tags->v[0], image->desc.digest, &there, err) ||
	    !put_tags(task, there, tags, 1, err))
		return false;
	*found = true;
	return true;
}

bool task_tag(struct task *task, struct err *err)
{
	const struct build_request *request = task->request;

	if (!request->previous_image || !request->tags.n)
		return err_set(err, ERR_INVALID, "build request: nothing to tag");
	task_begin(task, TASK_EXPORT);
	task->result.image = request->previous_image;
	return put_tags(task, request->previous_image, &request->tags, 0, err);
}

bool task_adopt_request(struct task *task, struct remote_image *image, bool *found, struct err *err)
{
	const struct build_request *request = task->request;

	if (!task_adopt(task, &request->tags, request->build_key, image, found, err))
		return false;
	if (!*found)
		return true;
	task->result.is_adopted = true;
	build_log_say("An image of this build is there already: '%s'", request->tags.v[0]);
	return task_pinned(task, request->tags.v[0], image->desc.digest, &task->result.image, err);
}

bool task_check_tags(struct task *task, struct err *err)
{
	const struct strings *tags = &task->request->tags;
	struct ref ref;

	if (tags->n == 0)
		return err_set(err, ERR_INVALID, "build request: no tag");
	for (size_t i = 0; i < tags->n; i++)
		if (!ref_parse(tags->v[i], task->arena, &ref, err) ||
		    !registry_check_write(task->registry, &ref, err))
			return err_prefix(err, "cannot write to '%s'", tags->v[i]);
	return true;
}

struct pairs task_annotations(const struct task *task)
{
	struct pairs annotations = { 0 };

	if (task->request->build_key)
		vec_push(task->arena, &annotations,
			 (struct pair){ .key = BUILD_KEY_ANNOTATION,
					.value = task->request->build_key });
	return annotations;
}

enum layer_profile task_profile(const struct task *task)
{
	const char *compression = task->request->compression;

	return compression && strcmp(compression, "small") == 0 ? LAYER_SMALL : LAYER_FAST;
}

void task_say_reasons(const struct task *task)
{
	for (size_t i = 0; i < task->request->reasons.n; i++)
		build_log_say("%s", task->request->reasons.v[i]);
}

/* Thousandths of a quantity such as "500m" or "1Gi"; 0 when there is none. */
static bool read_limit(const struct pairs *limits, const char *name, int64_t *milli,
		       struct err *err)
{
	const char *text = pairs_get(limits, name);

	*milli = 0;
	if (text && !quantity_parse(text, milli))
		return err_set(err, ERR_INVALID, "limit '%s' is no quantity: '%s'", name, text);
	return true;
}

bool task_limits(const struct task *task, struct sandbox_limits *out, struct err *err)
{
	const struct build_request *request = task->request;
	int64_t memory, pids;

	if (!read_limit(&request->resources.limits, "memory", &memory, err) ||
	    !read_limit(&request->resources.limits, "pids", &pids, err) ||
	    !read_limit(&request->resources.limits, "cpu", &out->cpu_millis, err))
		return false;
	out->memory_bytes = memory / 1000;
	out->n_pids = pids ? pids / 1000 : TASK_PIDS;
	out->wall_ms = request->timeout_s * 1000;
	/* Only the one that nobody asked for. */
	out->may_miss = pids ? 0 : SANDBOX_PIDS;
	if (request->resources.requests.n > 0)
		build_log_say(
			"Resource requests are for a cluster's scheduler and are not acted on; "
			"limits are");
	return true;
}

static volatile sig_atomic_t is_stopping;

static void stop(int signal)
{
	(void)signal;
	is_stopping = 1;
}

bool task_is_cancelled(void *unused)
{
	(void)unused;
	return is_stopping != 0;
}

void task_catch_signals(void)
{
	struct sigaction action = { .sa_handler = stop };

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

enum sandbox_network task_network(const struct task *task)
{
	const char *network = task->request->network;

	return network && strcmp(network, "none") == 0 ? SANDBOX_OFFLINE : SANDBOX_HOST;
}

int64_t task_deadline_ms(const struct task *task)
{
	return task->request->timeout_s ? task->started_ms + task->request->timeout_s * 1000 : 0;
}
