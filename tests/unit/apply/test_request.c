/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_request.c — a build of a build config as the request that its worker is given, by what the manifests say; read back
 * from JSON, as a worker reads it.
 */
#include <stdio.h>

#include "unit/kind/manifest.h"

#include "model/doc/json.h"
#include "reconcile/apply/request.h"

#define CONFIG(spec)                                                                               \
	"apiVersion: build.openshift.io/v1\nkind: BuildConfig\nmetadata: {name: cart, namespace: " \
	"shop, labels: {app: web}}\nspec:\n" spec "---\n"
#define SECRET(ns, name, type, data)                                                               \
	"apiVersion: v1\nkind: Secret\nmetadata: {name: " name ", namespace: " ns "}\ntype: "      \
	"kubernetes.io/" type "\nstringData: {" data "}\n---\n"
#define OPAQUE(name, data)                                                                         \
	"apiVersion: v1\nkind: Secret\nmetadata: {name: " name                                     \
	", namespace: shop}\nstringData: {" data "}\n---\n"
#define MAP(name, data)                                                                            \
	"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " name                                  \
	", namespace: shop}\ndata: {" data "}\n---\n"
#define SETTINGS(text)                                                                             \
	"apiVersion: reconcile.dev/v1\nkind: Settings\nmetadata: {name: settings}\n" text "---\n"
#define DOCKER "  source: {dockerfile: FROM x}\n  strategy: {dockerStrategy: {}}\n"
#define TOKEN  "'tok-4f1e8a90'"

struct fixture {
	struct loaded loaded;
	struct arena *arena;
	struct step step;
	struct bc_build build;
	struct build_start start;
	struct build_config_status status;
	struct build_git *source_git; /* as recorded; NULL: as in the manifest */
	const struct build_event *refusal;
	struct build_request request; /* as the worker reads it */
	const struct build_request *made;
};

static void make(struct fixture *f, const char *manifests)
{
	const struct request_spec spec = { .model = &f->loaded.model,
					   .base_dir = "/settings",
					   .manifest_dir = "/manifests",
					   .cache_dir = "/cache",
					   .temp_dir = "/cache/tmp",
					   .run_id = "01RUN",
					   .now_s = 1795317320 };
	AUTO_BUF text = BUF_INIT(LIMIT_REQUEST_BYTES);
	struct err err = { 0 };
	struct node *json;

	manifest_load(&f->loaded, manifests, true);
	for (size_t i = 0; i < f->loaded.diags.list.n; i++)
		if (f->loaded.diags.list.v[i].severity == SEVERITY_ERROR)
			fail_msg("%s", f->loaded.diags.list.v[i].text);
	f->arena = f->loaded.arena;
	f->step.object = model_find(&f->loaded.model, KIND_BUILD_CONFIG, "shop", "cart");
	assert_non_null(f->step.object);
	f->build = (struct bc_build){ .name = "cart-12",
				      .ns = "shop",
				      .config = "cart",
				      .number = 12,
				      .labels = f->step.object->meta.labels,
				      .phase = "New" };
	f->build.spec.common = ((const struct build_config_spec *)f->step.object->spec)->common;
	if (f->source_git)
		f->build.spec.common.source.git = f->source_git;
	f->step.action = ACTION_BUILD;
	f->step.kind = KIND_BUILD_CONFIG;
	f->step.id = f->step.object->id;
	f->step.ns = "shop";
	f->step.name = "cart";
	f->step.number = 12;
	f->step.build = &f->build;
	f->step.build_key = "sha256:key";
	f->step.start = &f->start;
	f->step.status = &f->status;
	vec_push(f->arena, &f->step.tags, "r.local/shop/cart:latest");
	f->made = request_make(&f->step, &spec, f->arena, &f->refusal);
	if (!f->made)
		return;
	json_print(fields_encode(&build_request_table, f->made, f->arena), JSON_COMPACT, &text);
	if (!json_parse(buf_text(&text), text.len, f->arena, &json, &err) ||
	    !fields_read(&build_request_table, json, &f->request, f->arena, &err))
		fail_msg("%s", err.text);
	assert_non_null(f->request.config);
}

static void release(struct fixture *f)
{
	arena_free(f->arena);
}

static void test_request__says_what_every_build_needs(void **state)
{
	struct fixture f = { 0 };
	struct bc_history_entry builds[] = {
		{ .number = 9, .phase = "Complete", .image = "r.local/a@sha256:9" },
		{ .number = 10, .phase = "Complete", .image = "r.local/a@sha256:10" },
		{ .number = 11, .phase = "Failed" },
	};

	(void)state;
	f.status.history = (struct list){ builds, COUNTOF(builds) };
	make(&f, CONFIG(DOCKER "  resources: {limits: {memory: 1Gi}}\n"
			       "  completionDeadlineSeconds: 90\n"));
	assert_non_null(f.made);
	assert_string_equal(f.request.action, "docker");
	assert_string_equal(f.request.id, "BuildConfig/shop/cart#12");
	assert_string_equal(f.request.build_key, "sha256:key");
	assert_string_equal(f.request.run_id, "01RUN");
	assert_string_equal(f.request.tags.v[0], "r.local/shop/cart:latest");
	assert_string_equal(pairs_get(&f.request.resources.limits, "memory"), "1Gi");
	assert_int_equal(f.request.timeout_s, 90);
	assert_string_equal(f.request.previous_image, "r.local/a@sha256:10");
	assert_string_equal(f.request.config->config, "cart");
	assert_string_equal(f.request.config->build, "cart-12");
	assert_string_equal(f.request.config->ns, "shop");
	assert_int_equal(f.request.config->number, 12);
	assert_string_equal(f.request.config->spec.source.dockerfile, "FROM x");
	assert_string_equal(f.request.engine, "auto");
	assert_null(f.request.isolation);
	assert_null(f.request.config->build_json);
	assert_true(f.request.reasons.n > 0);
	release(&f);
}

static void test_request__action_is_the_strategy(void **state)
{
	static const struct {
		const char *strategy, *action;
	} rows[] = {
		{ "dockerStrategy: {}", "docker" },
		{ "sourceStrategy: {from: {kind: DockerImage, name: r.local/b}}", "s2i" },
		{ "customStrategy: {from: {kind: DockerImage, name: r.local/b}}", "custom" },
		{ "jenkinsPipelineStrategy: {jenkinsfile: 'node {}'}", "pipeline" },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct fixture f = { 0 };
		AUTO_BUF text = BUF_INIT(1 << 16);

		buf_printf(&text,
			   CONFIG("  source: {git: {uri: 'https://git.local/a.git'}}\n"
				  "  strategy: {%s}\n") SETTINGS("builds: {custom: true, "
								 "isolation: chroot, "
								 "dockerSocket: /sock}\n"
								 "jenkins: {url: "
								 "'https://ci.local//', "
								 "caFile: ca.pem}\n"),
			   rows[i].strategy);
		make(&f, buf_text(&text));
		assert_non_null(f.made);
		assert_string_equal(f.request.action, rows[i].action);
		assert_int_equal(f.request.timeout_s, 604800);
		assert_string_equal(f.request.isolation, "chroot");
		assert_null(f.request.config->docker_socket); /* nobody asked for it */
		assert_int_equal(f.request.config->jenkins != NULL, i == 3);
		assert_int_equal(f.request.config->build_json != NULL, i == 2);
		if (i == 3) {
			assert_string_equal(f.request.config->jenkins->url, "https://ci.local");
			assert_string_equal(f.request.config->jenkins->ca_file, "/settings/ca.pem");
		}
		release(&f);
	}
}

static void test_request__git_source_is_the_commit(void **state)
{
	struct commit_revision commit = { .commit = "4e5f6a7" };
	struct source_revision revision = { .type = "Git", .git = &commit };
	struct fixture f = { 0 };

	(void)state;
	make(&f, CONFIG("  source: {git: {uri: 'https://git.local/a.git', ref: main}}\n"
			"  strategy: {dockerStrategy: {}}\n"));
	assert_string_equal(f.request.source.git->url, "https://git.local/a.git");
	assert_string_equal(f.request.source.git->revision, "main");
	release(&f);
	f = (struct fixture){ 0 };
	make(&f, CONFIG("  source: {git: {uri: 'https://git.local/a.git', ref: main}}\n"
			"  strategy: {dockerStrategy: {}}\n"));
	f.build.spec.common.revision = &revision;
	f.made = request_make(&f.step,
			      &(struct request_spec){ .model = &f.loaded.model,
						      .manifest_dir = "/m",
						      .cache_dir = "/c",
						      .temp_dir = "/t" },
			      f.arena, &f.refusal);
	assert_string_equal(f.made->source.git->revision, "4e5f6a7");
	release(&f);
}

/* What is fetched with a login is recorded without; the image's labels and variables are made of what is recorded. */
static void test_request__login_of_a_url_goes_to_whoever_fetches(void **state)
{
	struct build_git masked = { .uri = "https://git.local/a.git",
				    .https_proxy = "http://proxy:3128" };
	const struct build_git written = { .uri = "https://joe:w%40rd-1@git.local/a.git",
					   .https_proxy = "http://p:proxy-word@proxy:3128" };
	const struct {
		const char *strategy, *told;
	} rows[] = {
		{ "dockerStrategy: {}", "https://git.local/a.git" },
		{ "customStrategy: {from: {kind: DockerImage, name: b}}", written.uri },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct fixture f = { .step.git = &written, .source_git = &masked };
		const struct bc_request *config;
		char manifest[512];

		snprintf(manifest, sizeof(manifest),
			 SETTINGS("builds: {custom: true}\n")
				 CONFIG("  source: {git: {uri: 'https://git.local/a.git'}}\n"
					"  strategy: {%s}\n"),
			 rows[i].strategy);
		make(&f, manifest);
		config = f.request.config;
		assert_string_equal(f.request.source.git->url, written.uri);
		assert_string_equal(config->spec.source.git->uri, rows[i].told);
		assert_string_equal(config->spec.source.git->https_proxy, written.https_proxy);
		assert_true(strings_has(&config->hidden, "w%40rd-1"));
		assert_true(strings_has(&config->hidden, "w@rd-1"));
		assert_true(strings_has(&config->hidden, "proxy-word"));
		release(&f);
	}
}

static const struct request_files *files_of(const struct fixture *f, const char *purpose,
					    const char *name)
{
	const struct list *all = &f->request.config->files;

	for (size_t i = 0; i < all->n; i++) {
		const struct request_files *files = LIST_AT(*all, struct request_files, i);

		if (strcmp(files->purpose, purpose) == 0 && strcmp(files->name, name) == 0)
			return files;
	}
	fail_msg("no files of '%s' for '%s'", name, purpose);
	return NULL;
}

static void test_request__files_of_secrets_and_maps(void **state)
{
	const struct request_files *files;
	struct fixture f = { 0 };

	(void)state;
	make(&f, CONFIG("  source:\n    dockerfile: FROM x\n"
			"    secrets: [{secret: {name: s}, destinationDir: keys}]\n"
			"    configMaps: [{configMap: {name: m}}]\n"
			"  strategy:\n    dockerStrategy:\n      volumes:\n"
			"      - {name: v, source: {type: Secret, secret: {secretName: s, "
			"defaultMode: 256, items: [{key: b, path: x/b}]}}, mounts: "
			"[{destinationPath: /a}, {destinationPath: /b}]}\n"
			"      - {name: w, source: {type: ConfigMap, configMap: {name: gone, "
			"optional: true}}, mounts: [{destinationPath: /c}]}\n")
			 OPAQUE("s", "a: '1', b: '2'") MAP("m", "k: v"));
	assert_non_null(f.made);
	assert_int_equal(f.request.config->files.n, 4);
	files = files_of(&f, FILES_INPUT, "s");
	assert_string_equal(files->destination, "keys");
	assert_true(files->is_secret);
	assert_string_equal(pairs_get(&files->files, "a"), "MQ==");
	files = files_of(&f, FILES_INPUT, "m");
	assert_false(files->is_secret);
	assert_string_equal(pairs_get(&files->files, "k"), "dg==");
	files = files_of(&f, FILES_VOLUME, "s");
	assert_string_equal(files->destination, "/a");
	assert_int_equal(files->mode, 0400);
	assert_int_equal(files->files.n, 1);
	assert_string_equal(pairs_get(&files->files, "x/b"), "Mg==");
	assert_string_equal((files + 1)->destination, "/b");
	release(&f);
}

static void test_request__custom_builder_has_its_secrets_as_files(void **state)
{
	struct fixture f = { 0 };

	(void)state;
	make(&f,
	     CONFIG("  source: {git: {uri: 'https://git.local/a.git'}, sourceSecret: {name: git}}\n"
		    "  strategy: {customStrategy: {from: {kind: DockerImage, name: r.local/b}, "
		    "exposeDockerSocket: true, pullSecret: {name: pull}, secrets: [{secretSource: "
		    "{name: more}, mountPath: /more}], env: [{name: P, valueFrom: {secretKeyRef: "
		    "{name: more, key: k}}}]}}\n"
		    "  output: {to: {kind: DockerImage, name: r.local/x}, pushSecret: {name: "
		    "push}}\n") SECRET("shop", "git", "basic-auth", "username: u, password: p")
		     SECRET("shop", "push", "dockercfg", "'.dockercfg': '{}'")
			     SECRET("shop", "pull", "dockercfg", "'.dockercfg': '{}'")
				     OPAQUE("more", "k: " TOKEN)
					     SETTINGS("builds: {custom: true, dockerSocket: "
						      "/run/docker.sock}\n"));
	assert_non_null(f.made);
	files_of(&f, FILES_PUSH, "push");
	files_of(&f, FILES_PULL, "pull");
	files_of(&f, FILES_SOURCE, "git");
	assert_string_equal(files_of(&f, FILES_CUSTOM, "more")->destination, "/more");
	assert_string_equal(f.request.config->docker_socket, "/run/docker.sock");
	assert_non_null(strstr(f.request.config->build_json, "\"name\":\"cart-12\""));
	assert_non_null(strstr(f.request.config->build_json, "secretKeyRef"));
	assert_null(strstr(f.request.config->build_json, "tok-4f1e8a90"));
	assert_string_equal(
		LIST_AT(f.request.config->spec.strategy.custom->env, struct env_var, 0)->value,
		"tok-4f1e8a90");
	/* what is recorded is another struct */
	assert_non_null(
		LIST_AT(f.build.spec.common.strategy.custom->env, struct env_var, 0)->value_from);
	release(&f);
}

static void test_request__variables_have_values(void **state)
{
	static const char *const want[] = {
		"tok-4f1e8a90", "v", "cart-12", "shop", "web", "12", "", "a tok-4f1e8a90 $(A)", ""
	};
	struct fixture f = { 0 };
	const struct list *env;

	(void)state;
	make(&f,
	     CONFIG("  source: {dockerfile: FROM x}\n  strategy: {dockerStrategy: {env: [\n"
		    "    {name: A, valueFrom: {secretKeyRef: {name: s, key: k}}},\n"
		    "    {name: B, valueFrom: {configMapKeyRef: {name: m, key: k}}},\n"
		    "    {name: C, valueFrom: {fieldRef: {fieldPath: metadata.name}}},\n"
		    "    {name: D, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}},\n"
		    "    {name: E, valueFrom: {fieldRef: {fieldPath: \"metadata.labels['app']\"}}},"
		    "\n    {name: F, valueFrom: {fieldRef: {fieldPath: "
		    "\"metadata.annotations['openshift.io/build.number']\"}}},\n"
		    "    {name: G, valueFrom: {fieldRef: {fieldPath: "
		    "\"metadata.labels['none']\"}}},\n"
		    "    {name: H, value: 'a $(A) $$(A)'},\n"
		    "    {name: I, valueFrom: {secretKeyRef: {name: gone, key: k, optional: "
		    "true}}}],\n"
		    "    buildArgs: [{name: X, valueFrom: {secretKeyRef: {name: s, key: "
		    "username}}}]}}\n") OPAQUE("s", "k: " TOKEN ", username: paul")
		     MAP("m", "k: v"));
	assert_non_null(f.made);
	env = &f.request.config->spec.strategy.docker->env;
	assert_int_equal(env->n, COUNTOF(want));
	for (size_t i = 0; i < env->n; i++) {
		const struct env_var *var = LIST_AT(*env, struct env_var, i);

		assert_null(var->value_from);
		assert_string_equal(var->value ? var->value : "", want[i]);
	}
	env = &f.request.config->spec.strategy.docker->build_args;
	assert_string_equal(LIST_AT(*env, struct env_var, 0)->value, "paul");
	assert_int_equal(f.request.config->hidden.n, 1);
	assert_string_equal(f.request.config->hidden.v[0], "tok-4f1e8a90");
	release(&f);
}

static void test_request__binary_is_what_was_sent(void **state)
{
	struct request_binary binary = { .path = "/w/app", .content = "sha256:c", .as_file = NULL };
	struct fixture f = { .start = { .binary = &binary } };

	(void)state;
	make(&f, CONFIG("  source: {binary: {}}\n  strategy: {dockerStrategy: {}}\n"));
	assert_non_null(f.made);
	assert_string_equal(f.request.config->binary->path, "/w/app");
	assert_string_equal(f.request.config->binary->content, "sha256:c");
	assert_null(f.request.source.git);
	release(&f);
}

static void test_request__jenkins_has_user_and_token(void **state)
{
	struct fixture f = { 0 };

	(void)state;
	make(&f, CONFIG("  strategy: {jenkinsPipelineStrategy: {jenkinsfile: 'node {}'}}\n")
			 SECRET("ci", "jenkins", "basic-auth", "username: u, password: " TOKEN)
				 SETTINGS("jenkins: {url: 'http://ci.local', credentials: "
					  "ci/jenkins, insecure: true}\n"));
	assert_non_null(f.made);
	assert_string_equal(f.request.config->jenkins->user, "u");
	assert_string_equal(f.request.config->jenkins->token, "tok-4f1e8a90");
	assert_true(f.request.config->jenkins->is_insecure);
	release(&f);
}

static void test_request__credentials_begin_with_what_the_build_names(void **state)
{
	const struct request_credential *login;
	struct fixture f = { 0 };

	(void)state;
	make(&f, CONFIG("  source: {git: {uri: 'ssh://git@git.local:2222/a.git'}, sourceSecret: "
			"{name: key}}\n"
			"  strategy: {sourceStrategy: {from: {kind: DockerImage, name: r.local/b}, "
			"pullSecret: {name: pull}}}\n"
			"  output: {to: {kind: DockerImage, name: r.local/x}, pushSecret: {name: "
			"push}}\n") SECRET("shop", "key", "ssh-auth",
					   "ssh-privatekey: KEY, known_hosts: H")
			 SECRET("shop", "push", "dockercfg", "'.dockercfg': '{\"a\":{}}'") SECRET(
				 "shop", "pull", "dockercfg", "'.dockercfg': '{\"b\":{}}'")
				 SECRET("shop", "own", "dockercfg",
					"'.dockercfg': '{\"c\":{}}'") "apiVersion: v1\nkind: "
								      "ServiceAccount\nmetadata: "
								      "{name: builder, "
								      "namespace: shop}\nsecrets: "
								      "[{name: own}]\n---\n");
	assert_non_null(f.made);
	assert_int_equal(f.request.credentials.n, 3);
	for (size_t i = 0; i < 3; i++)
		assert_string_equal(
			LIST_AT(f.request.credentials, struct request_credential, i)->config,
			((const char *const[]){ "{\"a\":{}}", "{\"b\":{}}", "{\"c\":{}}" })[i]);
	assert_int_equal(f.request.git_credentials.n, 1);
	login = LIST_AT(f.request.git_credentials, struct request_credential, 0);
	assert_string_equal(login->server, "ssh://git.local:2222");
	assert_string_equal(login->ssh_key, "KEY");
	assert_string_equal(login->known_hosts, "H");
	release(&f);
}

static void test_request__source_secret_goes_to_its_server_alone(void **state)
{
	const struct request_credential *login;
	struct fixture f = { 0 };

	(void)state;
	make(&f, CONFIG("  source: {git: {uri: 'https://git.local/a.git'}, sourceSecret: {name: "
			"git}}\n  strategy: {dockerStrategy: {}}\n") OPAQUE("git", "token: t"));
	login = LIST_AT(f.request.git_credentials, struct request_credential, 0);
	assert_string_equal(login->server, "https://git.local");
	assert_string_equal(login->password, "t");
	assert_string_equal(login->user ? login->user : "", "");
	assert_int_equal(f.request.credentials.n, 0);
	release(&f);
}

static void test_request__what_is_not_there_is_a_failure_with_a_reason(void **state)
{
	static const struct {
		const char *text, *reason, *says;
	} rows[] = {
		{ CONFIG("  source: {dockerfile: FROM x}\n  strategy: {dockerStrategy: {env: "
			 "[{name: A, valueFrom: {secretKeyRef: {name: s, key: k}}}]}}\n")
			  OPAQUE("s", "a: b"),
		  "UnresolvableEnvironmentVariable",
		  "variable 'A': key \"k\" not found in secret \"s\"" },
		{ CONFIG("  source: {dockerfile: FROM x}\n  strategy: {dockerStrategy: "
			 "{volumes: [{name: v, source: {type: Secret, secret: {secretName: s, "
			 "items: [{key: k, path: k}]}}, mounts: [{destinationPath: /a}]}]}}\n")
			  OPAQUE("s", "a: b"),
		  "CannotCreateBuildPod", "volume \"v\" wants the key \"k\"" },
		{ CONFIG("  strategy: {customStrategy: {from: {kind: DockerImage, name: r/b}}}\n"),
		  "CannotCreateBuildPod", "'builds.custom: true'" },
		{ CONFIG("  strategy: {jenkinsPipelineStrategy: {jenkinsfile: 'node {}'}}\n"),
		  "CannotCreateBuildPod", "'jenkins.url'" },
		{ CONFIG("  strategy: {jenkinsPipelineStrategy: {jenkinsfile: 'node {}'}}\n")
			  SETTINGS("jenkins: {url: 'http://ci.local', credentials: ci/gone}\n"),
		  "CannotCreateBuildPod", "secret \"ci/gone\"" },
		{ CONFIG("  source: {binary: {}}\n  strategy: {dockerStrategy: {}}\n"),
		  "FetchSourceFailed", "start-build cart with --from-dir" },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct fixture f = { 0 };

		make(&f, rows[i].text);
		assert_null(f.made);
		assert_non_null(f.refusal);
		assert_int_equal(f.refusal->type, EVENT_FAILURE);
		assert_string_equal(f.refusal->failure, "invalid");
		if (strcmp(f.refusal->reason, rows[i].reason) != 0 ||
		    !strstr(f.refusal->text, rows[i].says))
			fail_msg("row %zu: %s: %s", i, f.refusal->reason, f.refusal->text);
		release(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request__says_what_every_build_needs),
		cmocka_unit_test(test_request__action_is_the_strategy),
		cmocka_unit_test(test_request__git_source_is_the_commit),
		cmocka_unit_test(test_request__login_of_a_url_goes_to_whoever_fetches),
		cmocka_unit_test(test_request__files_of_secrets_and_maps),
		cmocka_unit_test(test_request__custom_builder_has_its_secrets_as_files),
		cmocka_unit_test(test_request__variables_have_values),
		cmocka_unit_test(test_request__binary_is_what_was_sent),
		cmocka_unit_test(test_request__jenkins_has_user_and_token),
		cmocka_unit_test(test_request__credentials_begin_with_what_the_build_names),
		cmocka_unit_test(test_request__source_secret_goes_to_its_server_alone),
		cmocka_unit_test(test_request__what_is_not_there_is_a_failure_with_a_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
