/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guest_run.c — the two phases that run foreign code: our guest program in the builder image, as the builder's user,
 * without credentials. Detection may change nothing of the application; all of a build shares one root. See lifecycle.h.
 */
#include <string.h>
#include <unistd.h>

#include "buildexec/cnb/foreign.h"
#include "buildexec/cnb/lifecycle.h"
#include "buildexec/sys/build_log.h"
#include "buildexec/sys/clock.h"
#include "buildexec/sys/fs.h"

struct output {
	struct build_log log;
	char error[256]; /* the last line that tells of an error */
};

static void keep_error(void *ctx, const char *line, size_t len)
{
	struct output *output = ctx;
	size_t n;

	if (len < 7 || strncmp(line, "ERROR: ", 7) != 0)
		return;
	n = strcspn(line + 7, "\n");
	n = n < sizeof(output->error) ? n : sizeof(output->error) - 1;
	memcpy(output->error, line + 7, n);
	output->error[n] = '\0';
}

static void take_output(void *ctx, bool is_stderr, const char *bytes, size_t n)
{
	struct output *output = ctx;

	(void)is_stderr;
	build_log_take(&output->log, bytes, n);
}

static void set_env(struct arena *arena, struct strings *env, const char *name, const char *value)
{
	if (value)
		env_set(arena, env, name, value);
}

static struct strings guest_env(const struct lifecycle *life)
{
	struct strings env = { 0 };

	for (size_t i = 0; i < life->container.env.n; i++)
		vec_push(life->arena, &env, life->container.env.v[i]);
	set_env(life->arena, &env, "CNB_PLATFORM_API", life->options.platform_api);
	set_env(life->arena, &env, "CNB_EXEC_ENV", life->options.exec_env);
	return env;
}

static bool run_guest(struct lifecycle *life, const char *phase, bool may_change_app,
		      struct sandbox_result *result, struct output *output, struct err *err)
{
	const struct lifecycle_container *container = &life->container;
	const struct lifecycle_options *options = &life->options;
	size_t n = 4 + container->n_binds;
	struct sandbox_bind *binds = arena_array(life->arena, n, sizeof(*binds));
	struct sandbox_spec spec = {
		.runtime = container->runtime,
		.work_dir = options->work_dir,
		.root = { .to = "/", .lowers = container->lowers },
		.binds = binds,
		.n_binds = n,
		.env = guest_env(life),
		.cwd = CNB_LAYERS_DIR,
		.uid = options->uid,
		.gid = options->gid,
		.network = container->network,
		.limits = container->limits,
		.output = take_output,
		.output_ctx = output,
		.is_cancelled = container->is_cancelled,
		.cancel_ctx = container->cancel_ctx,
	};

	if (container->deadline_ms) {
		int64_t left_ms = container->deadline_ms - clock_mono_ms();

		/* What came before took it all: it is ended at once, and so reported. */
		spec.limits.wall_ms = left_ms > 0 ? left_ms : 1;
	}
	binds[0] = (struct sandbox_bind){ options->app_dir, CNB_APP_DIR, may_change_app };
	binds[1] = (struct sandbox_bind){ options->layers_dir, CNB_LAYERS_DIR, true };
	binds[2] = (struct sandbox_bind){ options->platform_dir, CNB_PLATFORM_DIR, false };
	binds[3] = (struct sandbox_bind){ container->guest_path, CNB_GUEST, false };
	for (size_t i = 0; i < container->n_binds; i++)
		binds[4 + i] = container->binds[i];
	vec_push(life->arena, &spec.argv, CNB_GUEST);
	vec_push(life->arena, &spec.argv, phase);
	return sandbox_run(&spec, result, err);
}

/* What a failed phase is called: by its exit code, with the guest's own words. */
static bool phase_failed(struct lifecycle *life, const struct sandbox_result *result,
			 const struct output *output, struct err *err)
{
	const char *text = cnb_exit_text(result->exit_code);
	bool is_known = result->exit_code > 0 && result->exit_code < 128;

	if (is_known)
		life->exit_code = result->exit_code;
	life->is_oom = result->is_oom;
	life->is_timeout = result->is_timeout;
	if (result->is_cancelled)
		return err_set(err, ERR_CANCELLED, "cancelled");
	/* The words of pods (kpack.md §2.5), so that those who look for them find them. */
	if (result->is_timeout)
		return err_set(err, ERR_INVALID,
			       "DeadlineExceeded: it took longer than its buildTimeout of %lld s",
			       (long long)(life->container.limits.wall_ms / 1000));
	if (result->is_oom)
		return err_set(err, ERR_INVALID,
			       "OOMKilled: it needed more memory than its limit of %lld MiB allows",
			       (long long)(life->container.limits.memory_bytes >> 20));
	/* The guest's own last words; a buildpack may have said anything before it was killed. */
	life->is_told = text && strncmp(output->error, "failed to ", 10) == 0;
	return err_set(err, ERR_INVALID, "%s%s%s (exit code %d)", text ? text : "",
		       text && output->error[0] ? ": " : "", output->error, result->exit_code);
}

static bool run_phase(struct lifecycle *life, const char *phase, bool may_change_app,
		      struct err *err)
{
	struct output output = { .log.on_line = keep_error };
	struct sandbox_result result = { 0 };
	bool is_done;

	output.log.ctx = &output;
	is_done = run_guest(life, phase, may_change_app, &result, &output, err);
	build_log_end(&output.log);
	if (is_done && (result.exit_code != 0 || result.is_timeout || result.is_cancelled))
		is_done = phase_failed(life, &result, &output, err);
	return is_done;
}

bool lifecycle_detect(struct lifecycle *life, struct err *err)
{
	struct node *toml = NULL;

	life->exit_code = CNB_EXIT_DETECT;
	if (!run_phase(life, "detect", false, err) ||
	    !foreign_toml(path_join(life->arena, life->options.layers_dir, "group.toml"),
			  life->arena, &toml, err))
		return false;
	if (!toml)
		return err_set(err, ERR_INVALID, "the detection left no group.toml");
	if (!group_read(toml, life->arena, &life->group, err) ||
	    !group_read_extensions(toml, life->arena, &life->extensions, err) ||
	    !lifecycle_take_generated(life, err))
		return false;
	life->exit_code = CNB_EXIT_OK;
	return true;
}

bool lifecycle_build(struct lifecycle *life, struct err *err)
{
	life->exit_code = CNB_EXIT_BUILD;
	if (!run_phase(life, "build", true, err))
		return false;
	life->exit_code = CNB_EXIT_OK;
	return true;
}
