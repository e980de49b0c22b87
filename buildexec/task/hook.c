/* SPDX-License-Identifier: Apache-2.0 */
/* hook.c — see hook.h. */
#include "buildexec/task/hook.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buildexec/image/rootfs.h"
#include "buildexec/sys/build_log.h"
#include "buildexec/sys/clock.h"
#include "buildexec/task/user.h"
#include "model/kind/build_stage.h"

#define USUAL_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

enum { USER_FILE_BYTES = 4 << 20 };

bool hook_is_set(const struct post_commit *hook)
{
	return hook->command.n > 0 || hook->args.n > 0 || (hook->script && hook->script[0]);
}

static void push_all(struct arena *arena, struct strings *out, const struct strings *more)
{
	for (size_t i = 0; i < more->n; i++)
		vec_push(arena, out, more->v[i]);
}

struct strings hook_argv(const struct post_commit *hook, const struct image_config *config,
			 struct arena *arena)
{
	struct strings argv = { 0 };

	if (hook->script && hook->script[0]) {
		vec_push(arena, &argv, "/bin/sh");
		vec_push(arena, &argv, "-ic");
		vec_push(arena, &argv, hook->script);
		vec_push(arena, &argv, "/bin/sh"); /* $0 */
	} else if (hook->command.n > 0) {
		push_all(arena, &argv, &hook->command);
	} else if (hook->args.n > 0) {
		push_all(arena, &argv, &config->entrypoint);
	}
	push_all(arena, &argv, &hook->args);
	return argv;
}

static bool find_user(struct task *task, const struct hook_image *image, const struct rootfs *root,
		      struct user *out, struct err *err)
{
	char *passwd, *group;
	size_t ignored;

	return rootfs_read(root, "/etc/passwd", USER_FILE_BYTES, task->arena, &passwd, &ignored,
			   err) &&
	       rootfs_read(root, "/etc/group", USER_FILE_BYTES, task->arena, &group, &ignored,
			   err) &&
	       user_resolve(image->config->user,
			    &(struct user_files){ .passwd = passwd, .group = group }, task->arena,
			    out, err);
}

static struct strings env_of(struct task *task, const struct hook_image *image,
			     const struct user *user)
{
	struct strings env = { 0 };

	push_all(task->arena, &env, &image->config->env);
	if (!env_get(&env, "PATH"))
		vec_push(task->arena, &env, "PATH=" USUAL_PATH);
	if (!env_get(&env, "HOME"))
		env_set(task->arena, &env, "HOME", user->home ? user->home : "/");
	return env;
}

static void take_output(void *ctx, bool is_stderr, const char *bytes, size_t n)
{
	(void)is_stderr;
	build_log_take(ctx, bytes, n);
}

/* The image's own mistakes; all else that keeps a container from running is this machine's. */
static bool not_started(struct task *task, struct err *err)
{
	if (strncmp(err->text, "cannot start '", 14) == 0)
		err->kind = ERR_INVALID;
	return err->kind == ERR_INVALID ? task_fail(task, "PostCommitHookFailed") : false;
}

static bool hook_failed(struct task *task, const struct sandbox_spec *spec,
			const struct sandbox_result *result, struct err *err)
{
	if (result->is_cancelled) {
		err_set(err, ERR_CANCELLED, "cancelled");
		return task_fail(task, "CancelledBuild");
	}
	task->exit_code = result->exit_code;
	task->is_oom = result->is_oom;
	task->is_timeout = result->is_timeout;
	if (result->is_timeout)
		err_set(err, ERR_INVALID,
			"DeadlineExceeded: the build took longer than its limit of %lld s",
			(long long)task->request->timeout_s);
	else if (result->is_oom)
		err_set(err, ERR_INVALID,
			"OOMKilled: the post commit hook needed more memory than the limit of %lld "
			"MiB allows",
			(long long)(spec->limits.memory_bytes >> 20));
	else
		err_set(err, ERR_INVALID, "the post commit hook '%s' failed (exit code %d)",
			spec->argv.v[0], result->exit_code);
	return task_fail(task, result->is_oom ? "OutOfMemoryKilled" : "PostCommitHookFailed");
}

static bool run(struct task *task, struct sandbox_spec *spec, struct err *err)
{
	struct build_log log = { 0 };
	struct sandbox_result result = { 0 };
	int64_t deadline_ms = task_deadline_ms(task);
	bool is_done;

	spec->limits.wall_ms = 0;
	if (deadline_ms) {
		int64_t left_ms = deadline_ms - clock_mono_ms();

		/* What came before took it all: it is ended at once, and so reported. */
		spec->limits.wall_ms = left_ms > 0 ? left_ms : 1;
	}
	spec->output = take_output;
	spec->output_ctx = &log;
	is_done = sandbox_run(spec, &result, err);
	build_log_end(&log);
	if (!is_done)
		return not_started(task, err) || err_prefix(err, "post commit hook");
	if (result.exit_code != 0 || result.is_timeout || result.is_cancelled)
		return hook_failed(task, spec, &result, err);
	return true;
}

bool hook_run(struct task *task, const struct hook_image *image, struct err *err)
{
	const struct post_commit *hook = &task->request->config->spec.post_commit;
	const char *dir = image->config->working_dir;
	struct rootfs root = { .layers = image->lowers, .form = unpack_form_here() };
	struct user user;
	struct sandbox_spec spec = {
		.runtime = task->request->runtime,
		.work_dir = task->work.path,
		.root = { .to = "/", .lowers = image->lowers },
		.cwd = dir && dir[0] == '/' ? dir : "/",
		.network = task_network(task),
		.is_cancelled = task_is_cancelled,
	};

	if (!hook_is_set(hook))
		return true;
	task_begin(task, BC_POST_COMMIT);
	spec.argv = hook_argv(hook, image->config, task->arena);
	if (!task_limits(task, &spec.limits, err))
		return false;
	if (!find_user(task, image, &root, &user, err)) {
		err_prefix(err, "post commit hook");
		return err->kind == ERR_INVALID ? task_fail(task, "PostCommitHookFailed") : false;
	}
	spec.env = env_of(task, image, &user);
	spec.uid = user.uid;
	spec.gid = user.gid;
	spec.groups = user.groups.v;
	spec.n_groups = user.groups.n;
	return run(task, &spec, err);
}
