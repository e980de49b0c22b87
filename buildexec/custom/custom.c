/* SPDX-License-Identifier: Apache-2.0 */
/*
 * custom.c — the action "custom": a builder image runs in the sandbox and does the whole work, source to push. What it made is
 * what the output's tag names afterwards. What was pushed and not recorded is found again as finished.h says.
 * Spec: openshift.md §3.7 "Custom builder env", §3.6.
 */
#include <string.h>

#include "buildexec/custom/action.h"
#include "buildexec/custom/binary.h"
#include "buildexec/custom/finished.h"
#include "buildexec/custom/mounts.h"
#include "buildexec/custom/root.h"
#include "buildexec/registry/reach.h"
#include "buildexec/sys/build_log.h"
#include "buildexec/sys/clock.h"
#include "buildexec/task/hook.h"
#include "model/kind/build_stage.h"

#define CANCELLED      "CancelledBuild"
#define GENERIC_FAILED "GenericBuildFailed"
#define OUT_OF_MEMORY  "OutOfMemoryKilled"
#define PULL_FAILED    "PullBuilderImageFailed"
#define PUSH_FAILED    "PushImageToRegistryFailed"

static const char *output_of(const struct task *task)
{
	const struct build_output *output = &task->request->config->spec.output;

	return output->to ? output->to->name : NULL;
}

/* "../app.git", "/srv/app.git", "file:///srv/app.git" */
static bool is_local_path(const char *uri)
{
	return uri[0] == '/' || uri[0] == '.' || strncmp(uri, "file:", 5) == 0;
}

/* What works for builds of other strategies, which our own client serves, and cannot work for a program in a container. */
static bool notice_what_is_out_of_reach(struct task *task, struct err *err)
{
	const struct build_common *spec = &task->request->config->spec;
	const struct build_git *git = spec->source.git;
	const char *output = output_of(task);
	struct reach reach = { 0 };
	struct ref ref;

	if (output && (!ref_parse(output, task->arena, &ref, err) ||
		       !reach_find(&task->registries.rules, &ref, task->arena, &reach, err)))
		return err_prefix(err, "output.to");
	if (reach.folder)
		task_notice(
			task,
			"'%s' is a folder of this machine (settings: registries, layout), which "
			"the builder of a Custom build cannot push to: use a registry",
			output);
	else if (reach.host)
		task_notice(task,
			    "'%s' is at '%s' by the settings (registries, location), of which the "
			    "builder of a Custom build does not know",
			    output, reach.host);
	if (git && git->uri && is_local_path(git->uri))
		task_notice(
			task,
			"source '%s' is a folder of this machine, which the builder of a Custom "
			"build does not see: use a git server",
			git->uri);
	if (task_network(task) == SANDBOX_OFFLINE)
		task_notice(task, "builds have no network here (settings: network), so that the "
				  "builder of a Custom build can neither clone nor push");
	if (spec->strategy.custom->has_docker_socket && !task->request->config->docker_socket)
		task_notice(task, "exposeDockerSocket is asked for, but the settings name no "
				  "builds.dockerSocket: the builder gets none");
	if (hook_is_set(&spec->post_commit))
		task_notice(task, "postCommit is not run for Custom builds: the builder pushes on "
				  "its own");
	return true;
}

/* Entrypoint and command, as an engine starts them. */
static bool command_of(const struct image_config *config, struct arena *arena, struct strings *argv,
		       struct err *err)
{
	for (size_t i = 0; i < config->entrypoint.n; i++)
		vec_push(arena, argv, config->entrypoint.v[i]);
	for (size_t i = 0; i < config->cmd.n; i++)
		vec_push(arena, argv, config->cmd.v[i]);
	return argv->n > 0 ||
	       err_set(err, ERR_INVALID, "the builder image has neither ENTRYPOINT nor CMD");
}

static void take_output(void *ctx, bool is_stderr, const char *bytes, size_t n)
{
	(void)is_stderr;
	build_log_take(ctx, bytes, n);
}

static bool run_failed(struct task *task, const struct sandbox_spec *sandbox,
		       const struct sandbox_result *result, struct err *err)
{
	if (result->is_cancelled) {
		err_set(err, ERR_CANCELLED, "cancelled");
		return task_fail(task, CANCELLED);
	}
	task->is_timeout = result->is_timeout;
	task->is_oom = result->is_oom && !result->is_timeout;
	task_fail(task, task->is_oom ? OUT_OF_MEMORY : GENERIC_FAILED);
	if (task->is_timeout)
		return err_set(err, ERR_INVALID,
			       "DeadlineExceeded: it took longer than its limit of %lld s",
			       (long long)task->request->timeout_s);
	if (task->is_oom)
		return err_set(err, ERR_INVALID,
			       "OOMKilled: it needed more memory than its limit of %lld MiB allows",
			       (long long)(sandbox->limits.memory_bytes >> 20));
	task->exit_code = result->exit_code;
	return err_set(err, ERR_INVALID, "the builder failed (exit code %d)", result->exit_code);
}

/* Not to be started: the image's fault. No runtime: this machine's. */
static bool start_failed(struct task *task, struct err *err)
{
	if (strncmp(err->text, "cannot start '", 14) == 0)
		err->kind = ERR_INVALID;
	if (err->kind == ERR_INVALID)
		task_fail(task, GENERIC_FAILED);
	return false;
}

static bool fill_sandbox(struct task *task, const struct custom_root *root,
			 const struct custom_mounts *mounts, struct sandbox_spec *out,
			 struct err *err)
{
	const struct custom_environment environment = {
		.config = task->request->config,
		.secrets = &mounts->secrets,
		.image_env = &root->image.config.env,
		.home = root->user.home,
	};

	*out = (struct sandbox_spec){
		.runtime = task->request->runtime,
		.work_dir = task->work.path,
		.root = { .to = "/", .lowers = root->tree.layers, .upper_dir = root->upper_dir },
		.binds = mounts->binds.v,
		.n_binds = mounts->binds.n,
		.cwd = root->cwd,
		.uid = root->user.uid,
		.gid = root->user.gid,
		.groups = root->user.groups.v,
		.n_groups = root->user.groups.n,
		.network = task_network(task),
		.output = take_output,
		.is_cancelled = task_is_cancelled,
	};
	return command_of(&root->image.config, task->arena, &out->argv, err) &&
	       custom_environment_make(&environment, task->arena, &out->env, err) &&
	       task_limits(task, &out->limits, err);
}

static bool run_builder(struct task *task, const struct custom_root *root, struct err *err)
{
	struct custom_mounts mounts;
	struct sandbox_spec sandbox;
	struct sandbox_result result;
	struct build_log log = { 0 };
	int64_t deadline_ms = task_deadline_ms(task);
	AUTO_FD sent = -1;
	bool is_done;

	if (!custom_binary_open(task, &sent, err))
		return false;
	if (!custom_mounts_make(task, &root->tree, &root->user, &mounts, err) ||
	    !fill_sandbox(task, root, &mounts, &sandbox, err))
		return start_failed(task, err);
	if (deadline_ms) {
		int64_t left_ms = deadline_ms - clock_mono_ms();

		/* What came before took it all: it is ended at once, and so reported. */
		sandbox.limits.wall_ms = left_ms > 0 ? left_ms : 1;
	}
	sandbox.in_fd = sent >= 0 ? sent : 0;
	sandbox.output_ctx = &log;
	is_done = sandbox_run(&sandbox, &result, err);
	build_log_end(&log);
	if (!is_done)
		return start_failed(task, err);
	if (result.exit_code != 0 || result.is_timeout || result.is_cancelled)
		return run_failed(task, &sandbox, &result, err);
	return true;
}

static bool resolve(struct task *task, const char *output, struct descriptor *found,
		    struct err *err)
{
	struct ref ref;

	return ref_parse(output, task->arena, &ref, err) &&
	       registry_resolve(task->registry, &ref, task->arena, found, err);
}

/* What the builder says it pushed is what the tag names now. */
static bool read_back(struct task *task, const char *output, const char **digest, struct err *err)
{
	struct descriptor found;

	if (!resolve(task, output, &found, err))
		return err_prefix(err, "cannot see what the builder pushed to '%s'", output);
	if (!found.digest) {
		task_fail(task, PUSH_FAILED);
		return err_set(err, ERR_INVALID, "the builder ended without pushing '%s'", output);
	}
	build_log_say("Pushed '%s' (%s)", output, found.digest);
	*digest = found.digest;
	return task_pinned(task, output, found.digest, &task->result.image, err);
}

/* Did this very build end in a run that died, and is what it pushed still there? */
static bool adopt(struct task *task, const char *output, bool *found, struct err *err)
{
	struct descriptor there = { 0 };
	struct err problem = { 0 };
	const char *digest;

	*found = custom_finished_read(task, &digest) && (output != NULL) == (*digest != '\0') &&
		 (!output || (resolve(task, output, &there, &problem) && there.digest &&
			      strcmp(there.digest, digest) == 0));
	if (!*found)
		return custom_finished_forget(task, err);
	task->result.is_adopted = true;
	build_log_say("This build ended already, in a run that could not record it");
	return !output || task_pinned(task, output, digest, &task->result.image, err);
}

static bool build(struct task *task, const char *output, struct err *err)
{
	const char *from = task->request->config->spec.strategy.custom->from.name;
	const char *digest = "";
	struct custom_root root;

	if (!notice_what_is_out_of_reach(task, err))
		return false;
	if (!custom_root_open(task, from, &root, err)) {
		task_fail(task, PULL_FAILED);
		return err_prefix(err, "cannot use builder image '%s'", from);
	}
	task_begin(task, BC_BUILD);
	if (!run_builder(task, &root, err))
		return false;
	if (output && !read_back(task, output, &digest, err))
		return false;
	custom_finished_write(task, digest);
	return true;
}

bool task_custom(struct task *task, struct err *err)
{
	const struct bc_request *config = task->request->config;
	const char *output;
	bool is_adopted;

	task_catch_signals();
	if (!config || !config->spec.strategy.custom)
		return err_set(err, ERR_INVALID, "build request: no Custom strategy");
	output = output_of(task);
	task_begin(task, BC_PULL);
	task_say_reasons(task);
	if (!adopt(task, output, &is_adopted, err) || (!is_adopted && !build(task, output, err)))
		return false;
	task_begin(task, TASK_COMPLETION);
	build_log_say("Build successful");
	return true;
}
