/* SPDX-License-Identifier: Apache-2.0 */
/*
 * generate_phase.c — the image extensions of the group that was found, right after detection: what they write lies in
 * <generated>/<id>, one folder each, for whoever runs us. It is read there: nothing that we would say of it could be believed.
 * Spec: buildpacks/spec image_extension.md "Phase: Generation", platform.md "Detector".
 */
#include <string.h>

#include "buildexec/cnb/guest/guest.h"
#include "buildexec/cnb/guest/io.h"
#include "buildexec/cnb/guest/spawn.h"
#include "buildexec/cnb/platform_api.h"

struct generating {
	struct guest *guest;
	const struct bp_element *element;
	const struct bp_descriptor *descriptor;
	const char *root;
	struct plan_requires requires;
};

static bool run_generate(const struct generating *g, const char *program, const char *temp,
			 const char *output, struct err *err)
{
	struct guest *guest = g->guest;
	const char *plan = io_join(guest->arena, temp, "plan.toml");
	struct env base = env_for_build(guest->environ, guest->arena), env;
	char *argv[] = { arena_strdup(guest->arena, program), arena_strdup(guest->arena, output),
			 arena_strdup(guest->arena, guest->platform_dir),
			 arena_strdup(guest->arena, plan), NULL };
	struct child_spec spec = { .argv = argv, .cwd = guest->app, .out_fd = -1, .fd3 = -1 };
	struct child_exit result;
	pid_t pid;

	if (!io_make_dirs(output, err) ||
	    !io_write_toml(plan,
			   buildpack_plan_encode(&g->requires, g->descriptor->api, guest->arena),
			   err) ||
	    !guest_env(guest, &base, g->descriptor, &env, err))
		return false;
	vars_set(&env, "CNB_EXTENSION_DIR", g->root);
	vars_set(&env, "CNB_BP_PLAN_PATH", plan);
	vars_set(&env, "CNB_OUTPUT_DIR", output);
	spec.env = env_list(&env, guest->arena);
	guest->exit_code = CNB_EXIT_GENERATE_EXTENSION;
	if (!child_start(&spec, &pid, err) || !child_wait(pid, &result, err))
		return false;
	if (result.code != 0)
		return err_set(err, ERR_INVALID, "%s", child_exit_text(result, guest->arena));
	guest->exit_code = CNB_EXIT_GENERATE;
	return true;
}

/* What it met is asked of nobody else. */
static bool take_met(const struct generating *g, const char *output, struct build_plan *plan,
		     struct err *err)
{
	struct guest *guest = g->guest;
	struct strings met = { 0 };
	struct node *tree;

	if (!io_read_toml_if_any(io_join(guest->arena, output, "build.toml"), guest->arena, &tree,
				 NULL, err) ||
	    !buildpack_plan_met(tree, &g->requires, guest->arena, &met, err))
		return false;
	build_plan_drop(plan, &met);
	return true;
}

/* Without a bin/generate the folder `generate` is its output, which is then where the others have theirs. */
static bool generate(struct guest *guest, const struct bp_element *element, struct build_plan *plan,
		     struct err *err)
{
	struct generating g = { .guest = guest,
				.element = element,
				.root = guest_buildpack_dir(guest, element),
				.requires = build_plan_find(plan, element, guest->arena) };
	const char *program = io_join(guest->arena, g.root, "bin/generate");
	struct err ignored = { 0 };
	const char *output =
		io_join(guest->arena, guest->generated, bp_folder(element->id, guest->arena));
	char *temp;
	bool is_ok;

	if (!guest_find(guest, element, &g.descriptor, err))
		return false;
	if (!io_exists(program))
		return io_copy_tree(io_join(guest->arena, g.root, "generate"), output, guest->arena,
				    err) &&
		       take_met(&g, output, plan, err);
	if (!guest_temp_dir(guest, "generate.", &temp, err))
		return false;
	is_ok = run_generate(&g, program, temp, output, err) && take_met(&g, output, plan, err);
	if (!io_remove_tree(temp, &ignored))
		say(&guest->speaker, SAY_DEBUG, "%s", ignored.text);
	return is_ok;
}

bool guest_generate(struct guest *guest, struct plan_result *found, struct err *err)
{
	guest->exit_code = CNB_EXIT_GENERATE;
	for (size_t i = 0; i < found->group.n; i++) {
		const struct bp_element *element = &found->group.v[i];

		if (element->is_extension && !generate(guest, element, &found->plan, err))
			return err_prefix(err, "generate: image extension '%s@%s'", element->id,
					  element->version);
	}
	return true;
}
