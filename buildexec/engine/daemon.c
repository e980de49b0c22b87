/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon.c — the engine of a Docker daemon, by its API: it is asked to build with the builder that is part of it (without
 * BuildKit: no here-documents, no RUN --mount), from images that we load into it. Spec: Docker Engine API 1.24 and later.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buildexec/engine/archive.h"
#include "buildexec/engine/daemon_add.h"
#include "buildexec/engine/daemon_answer.h"
#include "buildexec/engine/run.h"
#include "buildexec/sys/build_log.h"
#include "buildexec/sys/clock.h"
#include "buildexec/sys/http.h"
#include "buildexec/sys/proc.h"
#include "buildexec/sys/url.h"
#include "model/base/limits.h"
#include "model/doc/json.h"

enum {
	API_NEWEST = 43, /* 1.… */
	QUERY_MAX_BYTES = 1 << 20,
	NO_LIMIT_S = 7 * 24 * 3600,
	CPU_PERIOD_US = 100000,
};

struct daemon {
	struct engine_job *job;
	struct task *task;
	struct http *http;
	const char *base; /* "http://docker/v1.41" */
	struct build_log log;
	struct daemon_answer answer; /* to the build */
};

/* ---- the connection ---- */

static bool read_host(struct task *task, struct http_options *options, const char **base,
		      struct err *err)
{
	const char *host = proc_getenv("DOCKER_HOST"), *certs = proc_getenv("DOCKER_CERT_PATH");
	const char *verify = proc_getenv("DOCKER_TLS_VERIFY");
	bool has_tls = verify && *verify;

	if (!host || !*host)
		host = "unix:///var/run/docker.sock";
	if (strncmp(host, "unix://", 7) == 0) {
		options->unix_socket = host + 7;
		*base = "http://docker";
		if (access(options->unix_socket, R_OK | W_OK) == 0)
			return true;
		return err_set(err, ERR_ABSENT, "no Docker daemon at '%s' (%s)",
			       options->unix_socket, strerror(errno));
	}
	if (strncmp(host, "tcp://", 6) != 0)
		return err_set(err, ERR_ABSENT,
			       "DOCKER_HOST is '%s', and only unix:// and tcp:// are supported",
			       host);
	*base = arena_printf(task->arena, "%s://%s", has_tls ? "https" : "http", host + 6);
	if (has_tls && certs) {
		options->ca_file = path_join(task->arena, certs, "ca.pem");
		options->cert_file = path_join(task->arena, certs, "cert.pem");
		options->key_file = path_join(task->arena, certs, "key.pem");
	}
	return true;
}

static bool is_over(void *ctx)
{
	int64_t deadline_ms = task_deadline_ms(ctx);

	return task_is_cancelled(NULL) || (deadline_ms && clock_mono_ms() >= deadline_ms);
}

/* A transfer that we ended: by a signal, or because time is up. */
static bool ended(struct daemon *d, struct err *err)
{
	if (err->kind != ERR_CANCELLED || task_is_cancelled(NULL))
		return false;
	return run_deadline_passed(d->task, err);
}

static const char *message_of(struct daemon *d, const struct http_response *response)
{
	struct err ignored = { 0 };
	struct node *root;
	const char *text = NULL;

	if (json_parse(response->body, response->body_len, d->task->arena, &root, &ignored))
		text = node_text(root, "message");
	return text ? text : arena_printf(d->task->arena, "status %d", response->status);
}

/* One call; ERR_SYSTEM, or ERR_INVALID for 400, with the daemon's words for another status than 200 and 201. `allowed` is one more; 0: none. */
static bool call(struct daemon *d, struct http_request *request, int allowed,
		 struct http_response *out, struct err *err)
{
	request->url = arena_printf(d->task->arena, "%s%s", d->base, request->url);
	request->timeout_ms = (int64_t)NO_LIMIT_S * 1000;
	request->stall_timeout_ms = (int64_t)NO_LIMIT_S * 1000;
	request->no_redirects = true;
	request->no_retry = true;
	request->is_cancelled = is_over;
	request->cancel_ctx = d->task;
	if (!http_send(d->http, request, d->task->arena, out, err))
		return ended(d, err);
	if (out->status == 200 || out->status == 201 || (allowed && out->status == allowed))
		return true;
	return err_set(err, out->status == 400 ? ERR_INVALID : ERR_SYSTEM,
		       "the Docker daemon says: %s", message_of(d, out));
}

static bool read_version(struct daemon *d, struct err *err)
{
	struct http_request request = { .method = "GET", .url = "/version" };
	struct http_response response;
	const char *version, *api;
	struct node *root;
	int newest = 0;

	if (!call(d, &request, 0, &response, err) ||
	    !json_parse(response.body, response.body_len, d->task->arena, &root, err)) {
		err->kind = err->kind == ERR_CANCELLED ? ERR_CANCELLED : ERR_ABSENT;
		return false;
	}
	version = node_text(root, "Version");
	api = node_text(root, "ApiVersion");
	if (!version || !api || sscanf(api, "1.%d", &newest) != 1)
		return err_set(err, ERR_ABSENT, "what answers at '%s' is no Docker daemon",
			       d->base);
	api = node_text(root, "MinAPIVersion");
	if (newest > API_NEWEST &&
	    (!api || sscanf(api, "1.%d", &newest) != 1 || newest < API_NEWEST))
		newest = API_NEWEST;
	d->base = arena_printf(d->task->arena, "%s/v1.%d", d->base, newest);
	d->job->engine_version = arena_printf(d->task->arena, "docker %s", version);
	return true;
}

static bool daemon_open(struct engine_job *job, struct err *err)
{
	struct daemon *d = ARENA_NEW(job->task->arena, struct daemon);
	struct http_options options = { .max_tries = 1 };

	*d = (struct daemon){ .job = job, .task = job->task };
	job->state = d;
	job->here_needs = "buildah 1.33 or later";
	return read_host(job->task, &options, &d->base, err) &&
	       http_open(&options, &d->http, err) && read_version(d, err);
}

static void daemon_close(struct engine_job *job)
{
	struct daemon *d = job->state;

	if (d)
		http_close(&d->http);
	job->state = NULL;
}

static bool daemon_check(struct engine_job *job, struct err *err)
{
	if (job->volumes.n)
		return err_set(err, ERR_INVALID,
			       "a Docker daemon cannot mount volumes in a build "
			       "(strategy.dockerStrategy.volumes): install buildah and crun");
	if (job->is_joined)
		task_notice(job->task, "a Docker daemon keeps the layers of a build apart: "
				       "imageOptimizationPolicy has no effect");
	if (job->timestamp_s >= 0)
		task_notice(job->task, "a Docker daemon does not heed SOURCE_DATE_EPOCH");
	return true;
}

/* ---- bodies out of files ---- */

static int64_t read_body(void *ctx, char *out, size_t cap)
{
	const int *fd = ctx;
	ssize_t n;

	do
		n = read(*fd, out, cap);
	while (n < 0 && errno == EINTR);
	return n;
}

static bool rewind_body(void *ctx)
{
	const int *fd = ctx;

	return lseek(*fd, 0, SEEK_SET) == 0;
}

static bool post_file(struct daemon *d, const char *url, const char *path,
		      struct http_request *request, struct err *err)
{
	const char *type = "Content-Type: application/x-tar";
	const struct strings headers = { &type, 1, 1 };
	AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);
	struct http_response response;
	off_t size;

	if (fd < 0 || (size = lseek(fd, 0, SEEK_END)) < 0 || lseek(fd, 0, SEEK_SET) != 0)
		return err_sys(err, errno, "cannot open '%s'", path);
	request->method = "POST";
	request->url = url;
	request->headers = &headers;
	request->read = read_body;
	request->rewind = rewind_body;
	request->read_ctx = &fd;
	request->body_len = (size_t)size;
	return call(d, request, 0, &response, err);
}

/* ---- bases ---- */

static bool has_image(struct daemon *d, const char *id, bool *out, struct err *err)
{
	struct http_request request = {
		.method = "GET",
		.url = arena_printf(d->task->arena, "/images/sha256:%s/json", id),
	};
	struct http_response response;

	if (!call(d, &request, 404, &response, err))
		return false;
	*out = response.status == 200;
	return true;
}

static bool load(struct daemon *d, const struct engine_base *base, struct err *err)
{
	struct http_request request = { 0 };
	const char *dir, *path;
	bool is_there;

	if (!has_image(d, base->id, &is_there, err))
		return false;
	if (is_there)
		return true;
	build_log_say("Pulling image %s ...", base->name);
	if (!task_dir(d->task, "bases", 0700, &dir, err))
		return false;
	path = path_join(d->task->arena, dir, "image.tar");
	if (!archive_write_image(d->task, base, path_join(d->task->arena, dir, base->id), path,
				 err) ||
	    !post_file(d, "/images/load?quiet=1", path, &request, err) ||
	    !fs_remove_tree(path, err) || !has_image(d, base->id, &is_there, err))
		return false;
	if (!is_there)
		return err_set(err, ERR_SYSTEM, "the Docker daemon did not take it");
	return true;
}

static bool daemon_place(struct engine_job *job, struct err *err)
{
	for (size_t i = 0; i < job->bases.n; i++)
		if (!load(job->state, &job->bases.v[i], err))
			return err_prefix(err, "cannot give '%s' to the Docker daemon",
					  job->bases.v[i].name);
	return true;
}

/* ---- building ---- */

static void put_query(struct buf *query, const char *name, const char *value)
{
	buf_printf(query, "&%s=", name);
	url_encode(value, query);
}

static void put_number(struct buf *query, const char *name, int64_t value)
{
	if (value > 0)
		buf_printf(query, "&%s=%lld", name, (long long)value);
}

/* In the address of a request to the daemon, which keeps it to itself. */
static void put_args(struct daemon *d, struct buf *query)
{
	struct arena *arena = d->task->arena;
	struct node *args = node_new(arena, NODE_MAP);
	AUTO_BUF text = BUF_INIT(QUERY_MAX_BYTES);

	for (size_t i = 0; i < d->job->env.n; i++)
		node_set(arena, args, d->job->env.v[i].key,
			 node_string(arena, d->job->env.v[i].value));
	for (size_t i = 0; i < d->job->build_args.n; i++)
		node_set(arena, args, d->job->build_args.v[i].key,
			 node_string(arena, d->job->build_args.v[i].value));
	if (!args->n)
		return;
	json_print(args, JSON_COMPACT, &text);
	put_query(query, "buildargs", buf_text(&text));
}

static const char *build_url(struct daemon *d, struct err *err)
{
	const struct engine_job *job = d->job;
	AUTO_BUF query = BUF_INIT(QUERY_MAX_BYTES);

	buf_puts(&query, "/build?version=1&rm=1&forcerm=1&dockerfile=" CONTEXT_DOCKERFILE);
	if (job->is_uncached)
		buf_puts(&query, "&nocache=1");
	put_query(&query, "networkmode",
		  task_network(d->task) == SANDBOX_OFFLINE ? "none" : "host");
	/* A program that dies with a secret in its memory leaves no file of it. */
	put_query(&query, "ulimits", "[{\"Name\":\"core\",\"Soft\":0,\"Hard\":0}]");
	put_number(&query, "memory", job->limits.memory_bytes);
	put_number(&query, "memswap", job->limits.memory_bytes);
	if (job->limits.cpu_millis > 0) {
		put_number(&query, "cpuperiod", CPU_PERIOD_US);
		put_number(&query, "cpuquota", job->limits.cpu_millis * CPU_PERIOD_US / 1000);
	}
	put_args(d, &query);
	if (query.is_over) {
		err_set(err, ERR_INVALID, "the build arguments are longer than %d bytes",
			(int)QUERY_MAX_BYTES);
		return NULL;
	}
	return buf_copy(&query, d->task->arena);
}

static void log_text(void *ctx, const char *text)
{
	struct daemon *d = ctx;

	build_log_take(&d->log, text, strlen(text));
}

static bool send_build(struct daemon *d, const char *url, const char *path, struct err *err)
{
	struct http_request request = { .write = daemon_answer_take, .write_ctx = &d->answer };
	bool is_done;

	d->answer = (struct daemon_answer){ .on_text = log_text, .ctx = d };
	is_done = post_file(d, url, path, &request, err);
	build_log_end(&d->log);
	daemon_answer_end(&d->answer);
	if (d->answer.instruction[0])
		d->job->instruction = d->answer.instruction;
	return is_done;
}

/* The file as it is sent. */
static bool check_offline(const struct engine_job *job, struct err *err)
{
	struct arena *arena = job->task->arena;
	struct dockerfile file;
	char *text;
	size_t len;

	if (task_network(job->task) != SANDBOX_OFFLINE)
		return true;
	if (!fs_read_plain(job->dockerfile, DOCKERFILE_OUT_MAX_BYTES, arena, &text, &len, err))
		return false;
	return dockerfile_parse(text ? text : "", len, arena, &file, err) &&
	       daemon_add_check(&file, &job->bases, err);
}

static bool daemon_build(struct engine_job *job, const char **id, struct err *err)
{
	struct daemon *d = job->state;
	const char *path = path_join(job->task->arena, job->task->work.path, "context.tar");
	const char *url = build_url(d, err);

	if (!url || !check_offline(job, err) || !archive_write_context(job, path, err))
		return false;
	if (!send_build(d, url, path, err)) {
		/* What it does not even begin, the Dockerfile as a rule. */
		if (err->kind == ERR_INVALID && !job->task->is_timeout)
			job->task->exit_code = 1;
		return false;
	}
	if (!fs_remove_tree(path, err))
		return false;
	if (d->answer.has_failed) {
		job->error = d->answer.error;
		job->task->exit_code = d->answer.exit_code;
		return err_set(err, ERR_INVALID, "%s", d->answer.error);
	}
	if (strncmp(d->answer.id, "sha256:", 7) != 0)
		return err_set(err, ERR_SYSTEM,
			       "the Docker daemon did not say which image it made");
	*id = d->answer.id + strlen("sha256:");
	return true;
}

/* ---- what was built ---- */

static bool write_file(void *ctx, const char *bytes, size_t n)
{
	const int *fd = ctx;
	struct err ignored = { 0 };

	return fd_write_all(*fd, bytes, n, &ignored);
}

/* What the API says of an image in the form of a config. */
static bool daemon_read_config(struct engine_job *job, const char *id, const char **config,
			       size_t *len, struct err *err)
{
	struct daemon *d = job->state;
	struct arena *arena = job->task->arena;
	struct http_request request = { .method = "GET",
					.url = arena_printf(arena, "/images/%s/json", id) };
	struct node *out = node_new(arena, NODE_MAP), *rootfs = node_new(arena, NODE_MAP), *said;
	AUTO_BUF text = BUF_INIT(LIMIT_CONFIG_BYTES);
	struct http_response response;
	const struct node *layers;

	if (!call(d, &request, 0, &response, err) ||
	    !json_parse(response.body, response.body_len, arena, &said, err))
		return false;
	layers = node_at(said, "RootFS", "Layers", NULL);
	node_set_text(arena, rootfs, "type", "layers");
	node_set(arena, rootfs, "diff_ids",
		 layers ? node_clone(arena, layers) : node_new(arena, NODE_SEQ));
	node_set_text(arena, out, "os", node_text(said, "Os"));
	node_set_text(arena, out, "architecture", node_text(said, "Architecture"));
	if (node_get(said, "Config"))
		node_set(arena, out, "config", node_clone(arena, node_get(said, "Config")));
	node_set(arena, out, "rootfs", rootfs);
	json_print(out, JSON_COMPACT, &text);
	*config = buf_copy(&text, arena);
	*len = text.len;
	return true;
}

static bool daemon_export(struct engine_job *job, const char *id, const char *dir,
			  struct engine_output *out, struct err *err)
{
	struct daemon *d = job->state;
	struct arena *arena = job->task->arena;
	const char *path = path_join(arena, dir, "image.tar");
	AUTO_FD fd = -1;
	struct http_request request = { .method = "GET",
					.url = arena_printf(arena, "/images/%s/get", id),
					.write = write_file,
					.write_ctx = &fd };
	struct http_response response;

	if (!fs_make_dirs(dir, 0700, err))
		return false;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(err, errno, "cannot create '%s'", path);
	return call(d, &request, 0, &response, err) &&
	       archive_read_image(job, path, dir, out, err) && fs_remove_tree(path, err);
}

const struct engine engine_daemon = {
	.name = "docker",
	.packages = "docker.io",
	.open = daemon_open,
	.close = daemon_close,
	.check = daemon_check,
	.place = daemon_place,
	.build = daemon_build,
	.read_config = daemon_read_config,
	.export = daemon_export,
};
