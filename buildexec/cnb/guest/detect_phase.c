/* SPDX-License-Identifier: Apache-2.0 */
/* detect_phase.c — detection in a builder: reads the order, runs bin/detect, writes group.toml and plan.toml. */
#include <string.h>

#include "buildexec/cnb/guest/guest.h"
#include "buildexec/cnb/guest/io.h"
#include "buildexec/cnb/guest/spawn.h"
#include "buildexec/cnb/platform_api.h"
#include "model/base/limits.h"

static bool find(void *self, const struct bp_element *element, const struct bp_descriptor **out,
		 struct err *err)
{
	return guest_find(self, element, out, err);
}

static void keep(void *self, enum say_level level, const char *text)
{
	say_keep(&((struct guest *)self)->speaker, level, text);
}

/* One bin/detect: its temporary folder and its call. */
struct run {
	char *dir, *plan;
	bool is_ready;
};

static bool prepare(struct guest *guest, const struct bp_descriptor *descriptor, struct run *run,
		    struct captured *child, struct err *err)
{
	const char *root = descriptor->dir;
	struct env base = env_for_build(guest->environ, guest->arena), env;
	char **argv = arena_array(guest->arena, 4, sizeof(*argv));

	if (!guest_temp_dir(guest, "plan.", &run->dir, err))
		return false;
	run->plan = io_join(guest->arena, run->dir, "plan.toml");
	if (!io_write(run->plan, "", 0, err) || !guest_env(guest, &base, descriptor, &env, err))
		return false;
	vars_set(&env, descriptor->element.is_extension ? "CNB_EXTENSION_DIR" : "CNB_BUILDPACK_DIR",
		 root);
	if (api_at_least(descriptor->api, 8))
		vars_set(&env, "CNB_BUILD_PLAN_PATH", run->plan);
	argv[0] = io_join(guest->arena, root, "bin/detect");
	argv[1] = arena_strdup(guest->arena, guest->platform_dir);
	argv[2] = run->plan;
	child->spec = (struct child_spec){
		.argv = argv, .env = env_list(&env, guest->arena), .cwd = guest->app, .fd3 = -1
	};
	child->output = BUF_INIT(LIMIT_DETECT_OUTPUT);
	run->is_ready = true;
	return true;
}

static void fail_outcome(struct guest *guest, struct detect_outcome *outcome, const struct err *err)
{
	outcome->code = DETECT_BROKEN;
	outcome->error = arena_strdup(guest->arena, err->text);
}

static bool asks_for_anything(const struct plan_options *options)
{
	for (size_t i = 0; i < options->n; i++)
		if (options->v[i].requires.n > 0)
			return true;
	return false;
}

/* What the program wrote, or what an extension without one may have in its folder. */
static void take_plan(struct guest *guest, const struct bp_descriptor *descriptor, const char *path,
		      bool may_be_absent, struct detect_outcome *outcome)
{
	struct node *tree;
	struct err err = { 0 };

	if (!(may_be_absent ? io_read_toml_if_any(path, guest->arena, &tree, NULL, &err)
			    : io_read_toml(path, guest->arena, &tree, &err)) ||
	    !plan_options_decode(tree, descriptor->api, guest->arena, &outcome->options, &err))
		fail_outcome(guest, outcome, &err);
	else if (descriptor->element.is_extension && asks_for_anything(&outcome->options)) {
		(void)err_set(&err, ERR_INVALID, "an image extension can provide, not require");
		fail_outcome(guest, outcome, &err);
	}
}

/* An extension may do without a bin/detect: it passes. */
static bool take_static_plan(struct guest *guest, const struct detect_job *job)
{
	const char *root = job->descriptor->dir;

	if (!job->descriptor->element.is_extension ||
	    io_exists(io_join(guest->arena, root, "bin/detect")))
		return false;
	job->outcome->code = DETECT_PASS;
	take_plan(guest, job->descriptor, io_join(guest->arena, root, "detect/plan.toml"), true,
		  job->outcome);
	return true;
}

static void take_outcome(struct guest *guest, const struct run *run, struct captured *child,
			 const struct detect_job *job)
{
	struct detect_outcome *outcome = job->outcome;

	if (!child->is_started) {
		fail_outcome(guest, outcome, &child->err);
		return;
	}
	outcome->output = buf_copy(&child->output, guest->arena);
	outcome->code = child->result.code;
	if (outcome->code == DETECT_PASS)
		take_plan(guest, job->descriptor, run->plan, false, outcome);
}

static void run_all(void *self, const struct detect_job *jobs, size_t n)
{
	struct guest *guest = self;
	struct run *runs = arena_array(guest->arena, n, sizeof(*runs));
	struct captured *children = arena_array(guest->arena, n, sizeof(*children));
	size_t *jobs_of = arena_array(guest->arena, n, sizeof(*jobs_of));
	size_t n_ready = 0;
	struct err err = { 0 };

	for (size_t i = 0; i < n; i++) {
		if (take_static_plan(guest, &jobs[i]))
			continue;
		if (prepare(guest, jobs[i].descriptor, &runs[i], &children[n_ready], &err))
			jobs_of[n_ready++] = i;
		else
			fail_outcome(guest, jobs[i].outcome, &err);
	}
	captured_run(children, n_ready);
	for (size_t k = 0; k < n_ready; k++) {
		take_outcome(guest, &runs[jobs_of[k]], &children[k], &jobs[jobs_of[k]]);
		buf_release(&children[k].output);
	}
	for (size_t i = 0; i < n; i++)
		/* A temporary folder that stays is no failure of detection. */
		if (runs[i].is_ready && !io_remove_tree(runs[i].dir, &err))
			keep(self, SAY_DEBUG, arena_strdup(guest->arena, err.text));
}

/* The whole order must be usable, also the groups that are never tried. */
static bool check_order(struct guest *guest, const struct bp_order *order, struct err *err)
{
	for (size_t i = 0; i < order->n; i++)
		for (size_t k = 0; k < order->v[i].n; k++) {
			const struct bp_element *element = &order->v[i].v[k];
			const struct bp_descriptor *descriptor;

			if (!(element->extensions ? check_order(guest, element->extensions, err)
						  : guest_find(guest, element, &descriptor, err)))
				return false;
		}
	return true;
}

static bool read_order(struct guest *guest, struct bp_order *order, struct err *err)
{
	struct node *tree, *system;

	if (!io_read_toml(guest->order, guest->arena, &tree, err) ||
	    !order_decode(tree, guest->arena, order, err))
		return err_prefix(err, "reading order");
	if (api_at_least(guest->platform, 15) &&
	    (!io_read_toml_if_any(guest->system, guest->arena, &system, NULL, err) ||
	     !order_add_system(order, system, guest->arena, err)))
		return err_prefix(err, "reading system");
	if (api_at_least(guest->platform, 10) &&
	    !order_add_extensions(order, tree, guest->arena, err))
		return err_prefix(err, "reading order");
	return check_order(guest, order, err);
}

static bool fail_verdict(struct guest *guest, enum detect_verdict verdict, struct err *err)
{
	say(&guest->speaker, SAY_ERROR, "No buildpack groups passed detection.");
	if (verdict == DETECT_ERRORS) {
		guest->exit_code = CNB_EXIT_DETECT_ERRED;
		return err_set(err, ERR_INVALID, "detect: buildpack(s) failed with err");
	}
	say(&guest->speaker, SAY_ERROR,
	    "Please check that you are running against the correct path.");
	guest->exit_code = CNB_EXIT_DETECT_NONE;
	return err_set(err, ERR_INVALID, "detect: no buildpacks participating");
}

static bool write_result(struct guest *guest, const struct plan_result *found, struct err *err)
{
	return io_write_toml(guest->group, group_encode(&found->group, guest->arena), err) &&
	       io_write_toml(guest->plan, build_plan_encode(&found->plan, guest->arena), err);
}

bool guest_detect(struct guest *guest, struct err *err)
{
	struct bp_order order;
	struct detect_result result;
	struct detect_spec spec = {
		.ops = { .self = guest, .find = find, .run = run_all, .say = keep },
		.platform = guest->platform,
		.exec_env = guest->exec_env,
	};
	bool is_done;

	guest->exit_code = CNB_EXIT_FAILED;
	if (!guest_read_target(guest, err) || !read_order(guest, &order, err))
		return guest->exit_code == CNB_EXIT_BUILDPACK_API
			       ? false
			       : err_prefix(err, "initialize detector");
	spec.target = guest->target;
	guest->exit_code = CNB_EXIT_DETECT;
	is_done = detect_walk(&spec, &order, guest->arena, &result, err);
	say_kept(&guest->speaker, !is_done || result.verdict != DETECT_FOUND);
	if (!is_done)
		return guest->exit_code == CNB_EXIT_BUILDPACK_API ? false
								  : err_prefix(err, "detect");
	if (result.verdict != DETECT_FOUND)
		return fail_verdict(guest, result.verdict, err);
	if (!guest_generate(guest, &result.found, err))
		return false;
	guest->exit_code = CNB_EXIT_FAILED;
	return write_result(guest, &result.found, err);
}
