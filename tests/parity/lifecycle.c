/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lifecycle.c — one step of the lifecycle parity suite: the phases of buildexec/cnb with folders, options and an API
 * version given, which a worker would take from a request. A JSON description on stdin; the exit status is the
 * lifecycle's. Driven by parity.py.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buildexec/cnb/foreign.h"
#include "buildexec/cnb/lifecycle.h"
#include "buildexec/image/unpack.h"
#include "buildexec/registry/keychain.h"
#include "buildexec/sys/fs.h"
#include "buildexec/sys/proc.h"
#include "model/doc/json.h"

struct step {
	struct arena *arena;
	const struct node *json;
	struct registry_rules rules;
	struct keychain *keychain;
	struct image_access access;
	struct lifecycle life;
};

static const char *text(const struct step *step, const char *key)
{
	return node_text(step->json, key);
}

static void texts(const struct step *step, const char *key, struct strings *out)
{
	const struct node *list = node_get(step->json, key);

	for (const struct node *item = list ? list->first : NULL; item; item = item->next)
		vec_push(step->arena, out, item->text);
}

static bool flag(const struct step *step, const char *key)
{
	const struct node *value = node_get(step->json, key);

	return value && value->kind == NODE_BOOL && value->i;
}

static bool open_registry(struct step *step, struct err *err)
{
	const struct keychain_options options = { 0 };
	struct registry_rule rule = { .prefix = "registry.local",
				      .layout = text(step, "registry") };

	vec_push(step->arena, &step->rules.list, rule);
	step->access =
		(struct image_access){ .rules = &step->rules, .scratch_dir = text(step, "work") };
	if (!keychain_open(&options, &step->keychain, err) ||
	    !registry_open(&step->rules, step->keychain, &step->life.registry, err))
		return false;
	step->access.keychain = step->keychain;
	step->life.access = &step->access;
	return true;
}

static void fill_options(struct step *step)
{
	struct lifecycle_options *options = &step->life.options;
	const struct node *env = node_get(step->json, "env");

	step->life.arena = step->arena;
	*options = (struct lifecycle_options){
		.platform_api = text(step, "platformApi"),
		.image = text(step, "image"),
		.run_image = text(step, "runImage"),
		.previous_image = text(step, "previousImage"),
		.process_type = text(step, "processType"),
		.created = node_text(env, "SOURCE_DATE_EPOCH"),
		.exec_env = node_text(env, "CNB_EXEC_ENV") ? node_text(env, "CNB_EXEC_ENV")
							   : "production",
		.skips_restore = flag(step, "skipRestore"),
		.is_forced = flag(step, "force"),
		.cache_dir = text(step, "cache"),
		.app_dir = text(step, "app"),
		.layers_dir = text(step, "layers"),
		.platform_dir = text(step, "platform"),
		.work_dir = text(step, "work"),
		.launcher_path = text(step, "launcher"),
		.project_metadata = text(step, "projectMetadata"),
		.report = text(step, "report"),
		.uid = 1001,
		.gid = 1000,
	};
	texts(step, "tags", &options->tags);
	texts(step, "lowers", &step->life.container.lowers);
	step->life.container.guest_path = text(step, "guest");
	for (const struct node *one = env ? env->first : NULL; one; one = one->next)
		env_set(step->arena, &step->life.container.env, one->key, one->text);
}

static bool read_run_images(struct step *step, struct err *err)
{
	struct node *toml = NULL;

	/* Before Platform API 0.12 it is stack.toml that counts, and the suite has none. */
	if (!text(step, "run") || !cnb_api_at_least(text(step, "platformApi"), 12))
		return true;
	if (!foreign_toml(text(step, "run"), step->arena, &toml, err))
		return false;
	run_toml_read(toml, step->arena, &step->life.run_images);
	return true;
}

static void print_output(void *ctx, bool is_stderr, const char *bytes, size_t n)
{
	(void)ctx;
	fwrite(bytes, 1, n, is_stderr ? stderr : stdout);
}

/* Starts the image as a container engine would: its layers, its environment, its entrypoint. */
static bool launch(struct step *step, int *exit_code, struct err *err)
{
	struct platform want = platform_host();
	struct remote_image image;
	struct layer_store *store = NULL;
	struct sandbox_result result;
	struct strings dirs = { 0 }, args = { 0 };
	struct sandbox_spec spec = {
		.work_dir = text(step, "work"),
		.root.to = "/",
		.uid = 1001,
		.gid = 1000,
		.output = print_output,
	};
	struct ref ref;
	bool is_done;

	if (!ref_parse(text(step, "image"), step->arena, &ref, err) ||
	    !registry_read_image(step->life.registry, &ref, &want, step->arena, &image, err) ||
	    !layer_store_open(text(step, "store"), &store, err))
		return false;
	is_done = image_unpack(&image, &step->access, store, step->arena, &dirs, err);
	layer_store_close(&store);
	if (!is_done)
		return false;
	texts(step, "lowers", &spec.root.lowers);
	for (size_t i = 0; i < dirs.n; i++)
		vec_push(step->arena, &spec.root.lowers, dirs.v[i]);
	texts(step, "above", &spec.root.lowers);
	/* The runtime adds HOME; the suite's launches have none. */
	vec_push(step->arena, &spec.argv, "/usr/bin/env");
	vec_push(step->arena, &spec.argv, "-u");
	vec_push(step->arena, &spec.argv, "HOME");
	texts(step, node_get(step->json, "entrypoint") ? "entrypoint" : "", &args);
	if (args.n == 0)
		args = image.config.entrypoint;
	texts(step, "args", &args);
	for (size_t i = 0; i < args.n; i++)
		vec_push(step->arena, &spec.argv, args.v[i]);
	for (size_t i = 0; i < image.config.env.n; i++)
		vec_push(step->arena, &spec.env, image.config.env.v[i]);
	for (size_t i = 0; i < step->life.container.env.n; i++)
		vec_push(step->arena, &spec.env, step->life.container.env.v[i]);
	spec.cwd = image.config.working_dir;
	if (!sandbox_run(&spec, &result, err))
		return false;
	*exit_code = result.exit_code;
	return true;
}

static bool run(struct step *step, int *exit_code, struct err *err)
{
	const char *what = text(step, "do");

	*exit_code = CNB_EXIT_FAILED;
	fill_options(step);
	if (!open_registry(step, err) || !read_run_images(step, err))
		return false;
	if (strcmp(what, "launch") == 0)
		return launch(step, exit_code, err);
	if (strcmp(what, "rebase") == 0 ? lifecycle_rebase(&step->life, err)
					: lifecycle_create(&step->life, err)) {
		*exit_code = CNB_EXIT_OK;
		return true;
	}
	*exit_code = step->life.exit_code;
	return false;
}

int main(int argc, char **argv, char **environ_list)
{
	AUTO_BUF input = BUF_INIT(1u << 20);
	struct step step = { .arena = arena_new() };
	char chunk[4096];
	struct err err = { 0 };
	struct node *json;
	int exit_code = CNB_EXIT_FAILED;
	size_t n;

	(void)argc;
	(void)argv;
	proc_set_environment((const char *const *)environ_list);
	umask(022);
	while ((n = fread(chunk, 1, sizeof(chunk), stdin)) > 0)
		buf_add(&input, chunk, n);
	if (!json_parse(buf_text(&input), input.len, step.arena, &json, &err)) {
		fprintf(stderr, "parity: %s\n", err.text);
		return 99;
	}
	step.json = json;
	fs_set_temp_base(text(&step, "work"));
	if (!run(&step, &exit_code, &err))
		fprintf(stderr, "ERROR: %s\n", err.text);
	if (step.life.registry)
		registry_close(&step.life.registry);
	if (step.keychain)
		keychain_close(&step.keychain);
	arena_free(step.arena);
	return exit_code;
}
