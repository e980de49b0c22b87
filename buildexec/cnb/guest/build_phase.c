/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build_phase.c — runs bin/build of each buildpack of the group, one after the other, and writes config/metadata.toml.
 * What a buildpack left behind is read in build_output.c.
 */
#include <string.h>

#include "buildexec/cnb/guest/build_output.h"
#include "buildexec/cnb/guest/io.h"
#include "buildexec/cnb/guest/spawn.h"
#include "buildexec/cnb/platform_api.h"

static bool run_build(struct guest *guest, struct build_step *step, struct err *err)
{
	const char *root = guest_buildpack_dir(guest, &step->element);
	struct env env;
	char **argv = arena_array(guest->arena, 5, sizeof(*argv));
	struct child_spec spec = { .argv = argv, .cwd = guest->app, .out_fd = -1, .fd3 = -1 };
	struct child_exit result;
	pid_t pid;

	if (!guest_env(guest, step->env, step->descriptor, &env, err))
		return false;
	vars_set(&env, "CNB_BUILDPACK_DIR", root);
	if (api_at_least(step->descriptor->api, 8)) {
		vars_set(&env, "CNB_BP_PLAN_PATH", step->plan_path);
		vars_set(&env, "CNB_LAYERS_DIR", step->dir);
	}
	argv[0] = io_join(guest->arena, root, "bin/build");
	argv[1] = arena_strdup(guest->arena, step->dir);
	argv[2] = arena_strdup(guest->arena, guest->platform_dir);
	argv[3] = arena_strdup(guest->arena, step->plan_path);
	spec.env = env_list(&env, guest->arena);
	guest->exit_code = CNB_EXIT_BUILD_BUILDPACK;
	if (!child_start(&spec, &pid, err) || !child_wait(pid, &result, err))
		return false;
	if (result.code != 0)
		return err_set(err, ERR_INVALID, "%s", child_exit_text(result, guest->arena));
	guest->exit_code = CNB_EXIT_BUILD;
	return true;
}

/* Gives the buildpack its plan in a temporary folder, runs it, and reads what it wrote. */
static bool run_step(struct guest *guest, struct build_step *step, struct build_result *result,
		     struct err *err)
{
	char *temp;
	struct err ignored = { 0 };
	const char *folder = bp_folder(step->element.id, guest->arena);
	bool is_ok;

	if (!guest_temp_dir(guest, arena_printf(guest->arena, "%s-", folder), &temp, err))
		return false;
	step->plan_path = arena_printf(guest->arena, "%s/%s/plan.toml", temp, folder);
	is_ok = io_make_dirs(step->dir, err) &&
		io_write_toml(
			step->plan_path,
			buildpack_plan_encode(&step->requires, step->descriptor->api, guest->arena),
			err) &&
		run_build(guest, step, err) && build_output_read(guest, step, result, err);
	if (!io_remove_tree(temp, &ignored))
		say(&guest->speaker, SAY_DEBUG, "%s", ignored.text);
	return is_ok;
}

static bool write_bom(struct guest *guest, const char *name, const struct boms *boms,
		      struct err *err)
{
	AUTO_BUF text = BUF_INIT(4u << 20);

	boms_print_json(boms, guest->arena, &text);
	if (text.is_over)
		return err_set(err, ERR_INVALID, "the bill of materials has more than %zu bytes",
			       text.max);
	return io_write(io_join(guest->arena, guest->layers, name), buf_text(&text), text.len, err);
}

static bool write_result(struct guest *guest, const struct build_result *result, struct err *err)
{
	if (api_at_least(guest->platform, 8) && !build_output_copy_sboms(guest, result, err))
		return false;
	if (api_at_least(guest->platform, 9) &&
	    (!write_bom(guest, "sbom/launch/sbom.legacy.json", &result->metadata.boms, err) ||
	     !write_bom(guest, "sbom/build/sbom.legacy.json", &result->build_boms, err)))
		return false;
	guest->exit_code = CNB_EXIT_FAILED;
	return io_write_toml(
		io_join(guest->arena, guest->layers, "config/metadata.toml"),
		launch_metadata_encode(&result->metadata, guest->platform, guest->arena), err);
}

/* Detection looked at the run image that there was then; an image extension may have chosen another since. */
static void check_target(struct guest *guest, const struct build_step *step)
{
	if (api_at_least(guest->platform, 12) &&
	    !target_fits(&guest->target, &step->descriptor->targets))
		say(&guest->speaker, SAY_WARN, "buildpack '%s@%s' is not made for this run image",
		    step->element.id, step->element.version);
}

static bool build_group(struct guest *guest, const struct bp_group *group,
			const struct bp_group *extensions, struct build_plan *plan, struct err *err)
{
	struct env env = env_for_build(guest->environ, guest->arena);
	struct build_result result = { .metadata = { .buildpacks = *group,
						     .extensions = *extensions } };

	guest->exit_code = CNB_EXIT_BUILD;
	if (!io_remove_tree(io_join(guest->arena, guest->layers, "sbom"), err))
		return false;
	for (size_t i = 0; i < group->n; i++) {
		struct build_step step = { .element = group->v[i], .env = &env };

		if (!guest_find(guest, &step.element, &step.descriptor, err))
			return false;
		check_target(guest, &step);
		step.dir = io_join(guest->arena, guest->layers,
				   bp_folder(step.element.id, guest->arena));
		step.requires = build_plan_find(plan, &step.element, guest->arena);
		if (!run_step(guest, &step, &result, err))
			return false;
		build_plan_drop(plan, &step.met);
	}
	return write_result(guest, &result, err);
}

static bool check_apis(struct guest *guest, const struct bp_group *group, struct err *err)
{
	for (size_t i = 0; i < group->n; i++) {
		struct api api;

		if (!api_parse(group->v[i].api, &api) || !api_is_buildpack(api))
			return guest_fail_api(guest, &group->v[i], err);
	}
	return true;
}

bool guest_build(struct guest *guest, struct err *err)
{
	struct node *group_tree, *plan_tree;
	struct bp_group group, extensions;
	struct build_plan plan;

	guest->exit_code = CNB_EXIT_FAILED;
	if (!io_read_toml(guest->group, guest->arena, &group_tree, err) ||
	    !group_decode(group_tree, GROUP_KEY, guest->arena, &group, err) ||
	    !group_decode(group_tree, GROUP_EXTENSIONS_KEY, guest->arena, &extensions, err))
		return err_prefix(err, "read group file");
	if (!io_read_toml(guest->plan, guest->arena, &plan_tree, err) ||
	    !build_plan_decode(plan_tree, guest->arena, &plan, err))
		return err_prefix(err, "read plan file");
	if (!check_apis(guest, &group, err) || !guest_read_target(guest, err))
		return false;
	if (build_group(guest, &group, &extensions, &plan, err))
		return true;
	return guest->exit_code == CNB_EXIT_BUILDPACK_API ? false : err_prefix(err, "build");
}
