/* SPDX-License-Identifier: Apache-2.0 */
/*
 * driver.c — one source-to-image build from a JSON description on stdin (or the file that is the first argument), as a
 * worker would make it from a request; the result is JSON on stdout. Driven by tests/scenario/test_s2i.sh and the bench.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buildexec/registry/keychain.h"
#include "buildexec/s2i/s2i.h"
#include "buildexec/source/tree_copy.h"
#include "buildexec/sys/fs.h"
#include "buildexec/sys/proc.h"
#include "model/doc/json.h"

static const char temp_prefix[] = "s2i-driver";

struct driver {
	struct arena *arena;
	const struct node *json;
	struct registry_rules rules;
	struct keychain *keychain;
	struct image_access access;
	struct tmpdir work;
	struct s2i_spec spec;
	struct node *phases, *notices;
};

static volatile sig_atomic_t is_stopping;

static void stop(int signal)
{
	(void)signal;
	is_stopping = 1;
}

static bool is_cancelled(void *ctx)
{
	(void)ctx;
	return is_stopping != 0;
}

static void on_phase(void *ctx, enum s2i_phase phase)
{
	struct driver *driver = ctx;

	node_push(driver->phases, node_string(driver->arena, s2i_phase_name(phase)));
}

static void on_notice(void *ctx, const char *text)
{
	struct driver *driver = ctx;

	node_push(driver->notices, node_string(driver->arena, text));
}

static const char *text(const struct driver *driver, const char *key)
{
	return node_text(driver->json, key);
}

static bool flag(const struct driver *driver, const char *key)
{
	const struct node *value = node_get(driver->json, key);

	return value && value->kind == NODE_BOOL && value->i;
}

static int64_t number(const struct driver *driver, const char *key)
{
	const struct node *value = node_get(driver->json, key);

	return value && value->kind == NODE_INT ? value->i : 0;
}

static const struct node *first(const struct node *list)
{
	return list ? list->first : NULL;
}

static void pairs(const struct driver *driver, const char *key, struct pairs *out)
{
	for (const struct node *one = first(node_get(driver->json, key)); one; one = one->next)
		vec_push(driver->arena, out, (struct pair){ .key = one->key, .value = one->text });
}

static void read_files(struct driver *driver, const char *key, bool is_secret)
{
	for (const struct node *one = first(node_get(driver->json, key)); one; one = one->next) {
		struct s2i_files files = { .destination = node_text(one, "destination"),
					   .is_secret = is_secret };

		for (const struct node *file = first(node_get(one, "files")); file;
		     file = file->next)
			vec_push(driver->arena, &files.list,
				 (struct s2i_file){
					 .name = file->key, .bytes = file->text, .n = file->len });
		vec_push(driver->arena, &driver->spec.files, files);
	}
}

static void read_identity(struct driver *driver)
{
	const struct node *json = node_get(driver->json, "identity");

	driver->spec.identity = (struct s2i_identity){
		.name = node_text(json, "name"),
		.namespace = node_text(json, "namespace"),
		.display_name = node_text(json, "displayName"),
		.description = node_text(json, "description"),
		.source_location = node_text(json, "sourceLocation"),
		.source_ref = node_text(json, "sourceRef"),
		.commit_id = node_text(json, "commitId"),
		.commit_ref = node_text(json, "commitRef"),
		.commit_author = node_text(json, "commitAuthor"),
		.commit_date = node_text(json, "commitDate"),
		.commit_message = node_text(json, "commitMessage"),
	};
}

static void fill_spec(struct driver *driver)
{
	struct s2i_spec *spec = &driver->spec;

	*spec = (struct s2i_spec){
		.builder_image = text(driver, "builder"),
		.context_dir = text(driver, "contextDir"),
		.scripts_url = text(driver, "scriptsUrl"),
		.may_read_files = flag(driver, "mayReadFiles"),
		.destination = text(driver, "destination"),
		.assemble_user = text(driver, "assembleUser"),
		.runtime_user = text(driver, "runtimeUser"),
		.allowed_uids = text(driver, "allowedUids"),
		.is_incremental = flag(driver, "incremental"),
		.previous_image = text(driver, "previousImage"),
		.runtime_image = text(driver, "runtimeImage"),
		.network = flag(driver, "network") ? SANDBOX_HOST : SANDBOX_OFFLINE,
		.is_rootless = flag(driver, "rootless"),
		.limits = { .memory_bytes = number(driver, "memoryBytes"),
			    .wall_ms = number(driver, "wallMs"),
			    .n_pids = number(driver, "pids") },
		.created_s = number(driver, "created"),
		.is_cancelled = is_cancelled,
		.on_phase = on_phase,
		.on_notice = on_notice,
		.ctx = driver,
		.access = &driver->access,
		.work_dir = driver->work.path,
		.arena = driver->arena,
	};
	for (const struct node *one = first(node_get(driver->json, "tags")); one; one = one->next)
		vec_push(driver->arena, &spec->tags, one->text);
	pairs(driver, "env", &spec->env);
	pairs(driver, "labels", &spec->image_labels);
	for (const struct node *one = first(node_get(driver->json, "artifacts")); one;
	     one = one->next)
		artifacts_parse(one->text, driver->arena, &spec->artifacts);
	read_identity(driver);
	read_files(driver, "secrets", true);
	read_files(driver, "configMaps", false);
}

/* The build takes the source away, so it gets a copy unless it may have it, as a worker's fetched source. */
static bool open_world(struct driver *driver, struct err *err)
{
	const struct keychain_options options = { 0 };
	const struct http_options http = { .max_tries = 1 };
	struct registry_rule rule = { .prefix = "registry.local",
				      .layout = text(driver, "registry") };
	const char *source;

	fs_sweep_temp(text(driver, "work"), temp_prefix);
	if (!tmpdir_make(text(driver, "work"), temp_prefix, &driver->work, err))
		return false;
	fill_spec(driver);
	source = flag(driver, "isOwn") ? text(driver, "source")
				       : path_join(driver->arena, driver->work.path, "source");
	vec_push(driver->arena, &driver->rules.list, rule);
	driver->access.rules = &driver->rules;
	driver->spec.source = source;
	if (!flag(driver, "isOwn") &&
	    (!fs_make_dirs(source, 0755, err) || !tree_copy(text(driver, "source"), source, err)))
		return false;
	if (!keychain_open(&options, &driver->keychain, err) ||
	    !registry_open(&driver->rules, driver->keychain, &driver->spec.registry, err) ||
	    !layer_store_open(text(driver, "store"), &driver->spec.store, err))
		return false;
	driver->access.keychain = driver->keychain;
	return !flag(driver, "http") || http_open(&http, &driver->spec.http, err);
}

static void print(struct driver *driver, const struct s2i_result *result, bool is_done,
		  const struct err *err)
{
	AUTO_BUF out = BUF_INIT(4u << 20);
	struct node *json = node_new(driver->arena, NODE_MAP);
	struct arena *arena = driver->arena;

	node_set_text(arena, json, "reason", s2i_reason_name(result->reason));
	node_set_text(arena, json, "message", s2i_reason_message(result->reason));
	node_set(arena, json, "class", node_int(arena, s2i_reason_class(result->reason)));
	node_set_text(arena, json, "phase", s2i_phase_name(result->phase));
	node_set(arena, json, "exitCode", node_int(arena, result->exit_code));
	node_set(arena, json, "oom", node_bool(arena, result->is_oom));
	node_set(arena, json, "timeout", node_bool(arena, result->is_timeout));
	node_set(arena, json, "incremental", node_bool(arena, result->is_incremental));
	node_set_text(arena, json, "image", result->image);
	node_set(arena, json, "entries", node_int(arena, (int64_t)result->n_entries));
	node_set(arena, json, "phases", driver->phases);
	node_set(arena, json, "notices", driver->notices);
	if (!is_done) {
		node_set_text(arena, json, "error", err->text);
		node_set_text(arena, json, "kind", err_kind_name(err->kind));
	}
	json_print(json, JSON_PRETTY, &out);
	printf("%s\n", buf_text(&out));
}

static bool read_input(struct driver *driver, int argc, char **argv, struct err *err)
{
	const char *path = argc > 1 ? argv[1] : "/dev/stdin";
	struct node *json;
	char *bytes;
	size_t n;

	if (!fs_read(AT_FDCWD, path, 1u << 20, driver->arena, &bytes, &n, err))
		return false;
	if (!bytes)
		return err_set(err, ERR_ABSENT, "there is no '%s'", path);
	if (!json_parse(bytes, n, driver->arena, &json, err))
		return err_prefix(err, "'%s'", path);
	driver->json = json;
	driver->phases = node_new(driver->arena, NODE_SEQ);
	driver->notices = node_new(driver->arena, NODE_SEQ);
	return true;
}

int main(int argc, char **argv, char **environ_list)
{
	struct driver driver = { .arena = arena_new() };
	struct sigaction action = { .sa_handler = stop };
	struct s2i_result result = { 0 };
	struct err err = { 0 };
	bool is_done;

	proc_set_environment((const char *const *)environ_list);
	sigaction(SIGTERM, &action, NULL);
	umask(022);
	is_done = read_input(&driver, argc, argv, &err) && open_world(&driver, &err) &&
		  s2i_build(&driver.spec, &result, &err);
	if (driver.phases)
		print(&driver, &result, is_done, &err);
	if (!is_done)
		fprintf(stderr, "s2i-driver: %s\n", err.text);
	http_close(&driver.spec.http);
	layer_store_close(&driver.spec.store);
	registry_close(&driver.spec.registry);
	keychain_close(&driver.keychain);
	tmpdir_release(&driver.work);
	arena_free(driver.arena);
	return is_done ? 0 : 1;
}
