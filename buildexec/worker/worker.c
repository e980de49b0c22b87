/* SPDX-License-Identifier: Apache-2.0 */
/* worker.c — see worker.h and task.h: reads the request, opens what actions need, runs one, says what came of it. */
#include "buildexec/worker/worker.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buildexec/cnb/actions.h"
#include "buildexec/custom/action.h"
#include "buildexec/docker/action.h"
#include "buildexec/pipeline/action.h"
#include "buildexec/s2i/action.h"
#include "buildexec/sys/build_log.h"
#include "buildexec/sys/clock.h"
#include "buildexec/sys/fs.h"
#include "buildexec/sys/git_repo.h"
#include "buildexec/sys/log.h"
#include "buildexec/sys/proc.h"
#include "model/base/base64.h"
#include "model/base/limits.h"
#include "model/doc/json.h"
#include "model/kind/secret.h"

/* Longer values are archives and the like: they are not searched for in every line of the log. */
#define LIMIT_SECRET_BYTES (64u << 10)

static const struct action {
	const char *name;
	task_fn *perform;
	bool gives_image; /* one that an image stream may take in */
} actions[] = {
	{ "build", task_build, true },   { "rebase", task_rebase, true },
	{ "compose", task_compose },     { "tag", task_tag },
	{ "mirror", task_mirror },       { "s2i", task_s2i, true },
	{ "docker", task_docker, true }, { "custom", task_custom, true },
	{ "pipeline", task_pipeline },
};

static bool read_all(int fd, struct buf *out, struct err *err)
{
	char chunk[64 << 10];
	ssize_t n;

	while ((n = fd_read(fd, chunk, sizeof(chunk))) != 0) {
		if (n < 0)
			return err_sys(err, errno, "cannot read the request");
		buf_add(out, chunk, (size_t)n);
		if (out->is_over)
			return err_set(err, ERR_INVALID, "the request is longer than %u bytes",
				       LIMIT_REQUEST_BYTES);
	}
	return true;
}

static bool read_request(int fd, struct arena *arena, struct build_request *out, struct err *err)
{
	AUTO_BUF text = BUF_INIT(LIMIT_REQUEST_BYTES);
	struct node *json;

	if (!read_all(fd, &text, err) ||
	    !json_parse(buf_text(&text), text.len, arena, &json, err) ||
	    !fields_read(&build_request_table, json, out, arena, err))
		return err_prefix(err, "build request");
	if (out->format != WORKER_FORMAT)
		return err_set(err, ERR_INVALID,
			       "build request has format %lld, this program speaks %d",
			       (long long)out->format, WORKER_FORMAT);
	if (!out->cache_dir || out->cache_dir[0] != '/' || !out->temp_dir ||
	    out->temp_dir[0] != '/')
		return err_set(err, ERR_INVALID,
			       "build request: cacheDir and tempDir must be absolute");
	return true;
}

static void hide(const char *text)
{
	if (text)
		secret_add(text, strlen(text));
}

/* What a binding is (its type, say) is no secret. */
static void hide_files(const struct pairs *files, struct arena *arena)
{
	for (size_t i = 0; i < files->n; i++) {
		const struct pair *file = &files->v[i];
		struct base64 value;

		if (!secret_key_is_public(file->key) &&
		    base64_decode(file->value, strlen(file->value), arena, &value) &&
		    value.n <= LIMIT_SECRET_BYTES)
			secret_add(value.bytes, value.n);
	}
}

/* Of a build of a build config. */
static void hide_config(const struct bc_request *config, struct arena *arena)
{
	for (size_t i = 0; i < config->files.n; i++) {
		const struct request_files *files = LIST_AT(config->files, struct request_files, i);

		if (files->is_secret)
			hide_files(&files->files, arena);
	}
	for (size_t i = 0; i < config->hidden.n; i++)
		hide(config->hidden.v[i]);
	if (config->jenkins)
		hide(config->jenkins->token);
}

/* Before anything can be said of them. */
static void hide_secrets(const struct build_request *request, struct arena *arena)
{
	const struct list *const lists[] = { &request->credentials, &request->git_credentials,
					     &request->blob_credentials };

	for (size_t k = 0; k < COUNTOF(lists); k++)
		for (size_t i = 0; i < lists[k]->n; i++) {
			const struct request_credential *login =
				LIST_AT(*lists[k], struct request_credential, i);

			hide(login->password);
			hide(login->token);
			hide(login->ssh_key);
			hide(login->config);
		}
	for (size_t i = 0; i < request->bindings.n; i++) {
		const struct request_mount *mount =
			LIST_AT(request->bindings, struct request_mount, i);

		if (!mount->is_public)
			hide_files(&mount->files, arena);
	}
	if (request->config)
		hide_config(request->config, arena);
}

static bool open_task(struct task *task, struct err *err)
{
	const struct build_request *request = task->request;

	/* Modes become part of images, and builds run as other users: neither must depend on who starts us. */
	umask(022);
	fs_set_temp_base(request->temp_dir);
	/* One build, one user's credentials: what was read once need not be asked for again. */
	task->shared = registry_shared_new();
	registry_shared_remember(task->shared);
	task->cache_dir = request->cache_dir;
	task->access = (struct access){
		.registries = &request->registries,
		.credentials = &request->credentials,
		.git_hosts = &request->git_hosts,
		.git_credentials = &request->git_credentials,
		.blob_credentials = &request->blob_credentials,
		.base_dir = request->manifest_dir,
		.with_user_credentials = request->with_user_credentials,
		.with_helpers = request->with_helpers,
	};
	if (!fs_make_dirs(request->temp_dir, 0700, err) ||
	    !fs_make_dirs(request->cache_dir, 0700, err) ||
	    !access_registries(&task->access, task->arena, &task->registries, err) ||
	    !registry_open(&task->registries.rules, task->registries.keychain, &task->registry,
			   err) ||
	    !layer_store_open(path_join(task->arena, request->cache_dir, "store"), &task->store,
			      err))
		return false;
	fs_sweep_temp(request->temp_dir, "reconcile");
	if (!tmpdir_make(request->temp_dir, "reconcile-build", &task->work, err))
		return false;
	registry_share(task->registry, task->shared);
	task->image_access = (struct image_access){
		.rules = &task->registries.rules,
		.keychain = task->registries.keychain,
		.shared = task->shared,
		.scratch_dir = task->work.path,
	};
	return true;
}

static void close_task(struct task *task)
{
	tmpdir_release(&task->work);
	if (task->store)
		layer_store_close(&task->store);
	if (task->registry)
		registry_close(&task->registry);
	registry_shared_free(&task->shared);
	if (task->registries.keychain)
		registry_access_release(&task->registries);
}

/* Image streams record what was pushed without asking a registry; what cannot be read back is left to them. */
static void keep_metadata(struct task *task)
{
	struct err ignored = { 0 };
	struct manifest manifest;
	struct descriptor desc;
	char *json, *config;
	struct ref ref;

	if (!task->result.image || !ref_parse(task->result.image, task->arena, &ref, &ignored) ||
	    !registry_get_manifest(task->registry, &ref, task->arena, &desc, &json, &ignored) ||
	    !media_is_manifest(desc.media_type) ||
	    !manifest_parse(json, (size_t)desc.size_bytes, desc.media_type, task->arena, &manifest,
			    &ignored) ||
	    desc.size_bytes + manifest.config.size_bytes > (int64_t)LIMIT_EVENT_METADATA ||
	    !registry_get_blob(task->registry, &ref, &manifest.config, task->arena, &config,
			       &ignored))
		return;
	task->result.manifest = json;
	task->result.config = config;
}

static bool perform(struct task *task, struct err *err)
{
	for (size_t i = 0; i < COUNTOF(actions); i++) {
		if (!task->request->action || strcmp(actions[i].name, task->request->action) != 0)
			continue;
		if (!open_task(task, err) || !actions[i].perform(task, err))
			return false;
		if (actions[i].gives_image)
			keep_metadata(task);
		return true;
	}
	return err_set(err, ERR_INVALID, "build request: unknown action '%s'",
		       task->request->action ? task->request->action : "");
}

/* Foreign failures (registry, network, this machine) may be tried again; the build's own need another input. */
static void send_failure(struct task *task, struct err *err)
{
	struct build_event event = {
		.type = EVENT_FAILURE,
		.name = task->phase,
		.failure = task->exit_code   ? "build"
			   : err->is_foreign ? err_kind_name(ERR_TRANSIENT)
					     : err_kind_name(err->kind),
		.reason = task->reason,
		.exit_code = task->exit_code,
		.is_oom = task->is_oom,
		.is_timeout = task->is_timeout,
		.text = err->text,
		.url = task->result.url,
		.stages = task->result.stages,
	};

	redact_err(err);
	if (!task->is_told)
		build_log_say("ERROR: %s", err->text);
	task_send(task, &event);
}

int worker_main(int in_fd, int out_fd)
{
	struct arena *arena = arena_new();
	struct build_request request = { 0 };
	struct task task = { .request = &request,
			     .arena = arena,
			     .out_fd = out_fd,
			     .started_ms = clock_mono_ms(),
			     .phase = TASK_PREPARE };
	struct err err = { 0 };
	bool is_done;

	task.work.lock_fd = -1;
	is_done = read_request(in_fd, arena, &request, &err);
	if (is_done) {
		hide_secrets(&request, arena);
		proc_add_environment(&request.user_environment);
		if (request.trusts_repositories)
			git_repo_trust_all(true);
		is_done = perform(&task, &err);
	}
	if (is_done) {
		task.result.type = EVENT_RESULT;
		task_send(&task, &task.result);
	} else {
		send_failure(&task, &err);
	}
	close_task(&task);
	arena_free(arena);
	return is_done ? 0 : 1;
}
