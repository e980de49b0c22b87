/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_build_report.c — the words for builds, one row per rule, and whole descriptions byte by byte. What oc prints was read
 * off its sources (openshift/oc, pkg/helpers/describe); the rest of the fields is pinned by tests/scenario/test_bc_look.sh.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/doc/yaml.h"
#include "reconcile/report/build_cells.h"
#include "reconcile/report/build_report.h"

#define COMMIT "4e5f6a7b8c9d0e1f2a3b4c5d6e7f8a9b0c1d2e3f"
#define D1     "sha256:95ff756f0ef0e026440a8523f4bab02fd8b45dc1a8a3a7ba063cefdba5cb9493"

static void test_build_from__says_what_and_which_revision(void **state)
{
	static const struct {
		bool has_git, has_file, has_binary, has_image;
		const char *ref, *commit, *text;
	} rows[] = {
		{ true, false, false, false, NULL, NULL, "Git" },
		{ true, false, false, false, "", NULL, "Git" },
		{ true, false, false, false, "main", NULL, "Git@main" },
		{ true, false, false, false, "main", "", "Git@main" },
		{ true, false, false, false, "main", COMMIT, "Git@4e5f6a7" },
		{ true, false, false, false, COMMIT, NULL, "Git@4e5f6a7" },
		{ true, false, false, false, "ABCDEF0123456789abcdef", NULL, "Git@ABCDEF0" },
		{ true, false, false, false, "abcdef0123456789abcd", NULL,
		  "Git@abcdef0123456789abcd" }, /* 20 characters may be a name */
		{ true, false, false, false, "a-very-long-branch-name-x", NULL,
		  "Git@a-very-long-branch-name-x" },
		{ true, true, false, false, "main", COMMIT, "Dockerfile,Git@4e5f6a7" },
		{ true, true, false, false, NULL, NULL, "Dockerfile,Git" },
		{ false, true, false, false, NULL, NULL, "Dockerfile" },
		{ false, true, false, false, NULL, COMMIT, "Dockerfile" },
		{ false, false, true, false, NULL, NULL, "Binary" },
		{ false, false, true, false, NULL, COMMIT, "Binary@4e5f6a7" },
		{ false, false, true, false, NULL, "v1", "Binary@v1" },
		{ false, false, false, true, NULL, NULL, "Image" },
		{ false, false, false, false, NULL, NULL, "" },
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct build_git git = { .uri = "u", .ref = rows[i].ref };
		struct build_binary binary = { 0 };
		struct build_image_source image = { 0 };
		struct commit_revision commit = { .commit = rows[i].commit };
		struct source_revision revision = { "Git", &commit };
		const struct build_common common = {
			.source = { .git = rows[i].has_git ? &git : NULL,
				    .binary = rows[i].has_binary ? &binary : NULL,
				    .dockerfile = rows[i].has_file ? "FROM a" : NULL,
				    .images = { &image, rows[i].has_image } },
			.revision = rows[i].commit ? &revision : NULL,
		};

		assert_string_equal(build_from(&common, arena), rows[i].text);
		assert_string_equal(build_config_from(&common, arena), rows[i].text);
	}
	arena_free(arena);
}

static void test_build_config_from__of_a_custom_one_is_its_image(void **state)
{
	struct custom_strategy custom = { .from = { .name = "builder:1" } };
	struct build_git git = { .uri = "u" };
	const struct build_common common = { .source = { .git = &git },
					     .strategy = { .custom = &custom } };
	struct arena *arena = arena_new();

	(void)state;
	assert_string_equal(build_config_from(&common, arena), "builder:1");
	assert_string_equal(build_from(&common, arena), "Git");
	arena_free(arena);
}

static void test_build_status__names_the_reason(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	assert_string_equal(build_status("Complete", NULL, arena), "Complete");
	assert_string_equal(build_status("Running", "", arena), "Running");
	assert_string_equal(build_status("Failed", "PushImageToRegistryFailed", arena),
			    "Failed (PushImageToRegistryFailed)");
	assert_string_equal(build_status("New", "InvalidOutputReference", arena),
			    "New (InvalidOutputReference)");
	arena_free(arena);
}

static void test_build_duration__tells_waiting_from_running(void **state)
{
	enum { NOW = 10000, MADE = NOW - 600 };
	static const struct {
		struct build_times times;
		const char *text, *took;
	} rows[] = {
		{ { PHASE_NEW, NOW - 60, 0, 0 }, "waiting for 1m0s", "" },
		{ { PHASE_PENDING, MADE, 0, 0 }, "waiting for 10m0s", "" },
		{ { PHASE_PENDING, 0, 0, 0 }, "<none>", "" },
		{ { PHASE_RUNNING, MADE, NOW - 60, 0 }, "running for 1m0s", "" },
		{ { PHASE_RUNNING, MADE, NOW + 5, 0 }, "running for 0s", "" },
		{ { PHASE_COMPLETE, MADE, NOW - 100, NOW - 38 }, "1m2s", "1m2s" },
		{ { PHASE_COMPLETE, MADE, NOW - 100, NOW - 100 }, "0s", "" },
		{ { PHASE_COMPLETE, MADE, 0, NOW }, "<none>", "" },
		{ { PHASE_FAILED, MADE, NOW - 7200, NOW - 5 }, "1h59m55s", "1h59m55s" },
		{ { PHASE_FAILED, MADE, 0, MADE + 120 }, "waited for 2m0s", "" },
		{ { PHASE_ERROR, MADE, 0, MADE + 120 }, "waited for 2m0s", "" },
		{ { PHASE_CANCELLED, MADE, 0, MADE + 120 }, "waited for 2m0s", "" },
		{ { PHASE_CANCELLED, MADE, MADE + 60, MADE + 120 }, "1m0s", "1m0s" },
		{ { PHASE_CANCELLED, MADE, 0, 0 }, "<none>", "" },
		{ { PHASE_NONE, MADE, 0, 0 }, "waiting for 10m0s", "" },
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		assert_string_equal(build_duration(&rows[i].times, NOW, arena), rows[i].text);
		assert_string_equal(build_took(&rows[i].times, arena), rows[i].took);
	}
	arena_free(arena);
}

static struct bc_build *build(const char *spec, const char *status, struct arena *arena)
{
	const char *text = arena_printf(
		arena,
		"apiVersion: build.openshift.io/v1\nkind: Build\nmetadata:\n  name: cart-3\n  "
		"namespace: shop\n  annotations: {openshift.io/build-config.name: cart, "
		"openshift.io/build.number: \"3\"}\nspec:\n%sstatus:\n%s",
		spec, status);
	struct source_file file = { .path = "test.yaml", .text = text, .len = strlen(text) };
	struct documents documents = { 0 };
	struct bc_build *out = ARENA_NEW(arena, struct bc_build);
	struct diags diags;
	struct err err = { 0 };

	diags_init(&diags, arena);
	yaml_parse(&file, arena, &documents, &diags);
	assert_int_equal(diags.n_errors, 0);
	assert_int_equal(documents.n, 1);
	if (!bc_build_read(documents.v[0], arena, out, &err))
		fail_msg("%s", err.text);
	return out;
}

static const char *described(const struct described_build *view, struct arena *arena)
{
	struct buf out = BUF_INIT(1 << 20);
	const char *text;

	build_describe(view, arena, &out);
	text = buf_copy(&out, arena);
	buf_release(&out);
	return text;
}

#define HEAD                                                                                       \
	"Name:\t\tcart-3\nNamespace:\tshop\nLabels:\t\t<none>\n"                                   \
	"Annotations:\topenshift.io/build-config.name=cart\n\t\topenshift.io/build.number=3\n\n"

static void test_build_describe__of_a_source_build_from_a_webhook(void **state)
{
	struct arena *arena = arena_new();
	const struct described_build view = {
		.build = build(
			"  source:\n"
			"    git: {uri: 'https://git.example.com/cart.git'}\n"
			"    dockerfile: \"FROM a\\n\\tRUN b\"\n"
			"    images:\n"
			"    - from: {kind: DockerImage, name: 'r.example.com/a@" D1 "'}\n"
			"      as: [one, two]\n"
			"      paths: [{sourcePath: /a, destinationDir: b}, {sourcePath: /c, "
			"destinationDir: d}]\n"
			"  strategy:\n"
			"    sourceStrategy:\n"
			"      from: {kind: DockerImage, name: 'r.example.com/s2i@" D1 "'}\n"
			"      pullSecret: {name: pull}\n"
			"      scripts: https://example.com/scripts\n"
			"      incremental: true\n"
			"      forcePull: true\n"
			"  postCommit: {args: ['a\\b', \"c\\nd\"]}\n"
			"  triggeredBy:\n"
			"  - message: Generic WebHook\n"
			"    genericWebHook:\n"
			"      secret: <secret>\n"
			"      revision: {git: {commit: " COMMIT ", message: \"m\\nn\", committer: "
			"{name: Carl}}}\n"
			"  - message: \"Manually\\e[1m triggered\"\n",
			"  phase: Failed\n"
			"  logSnippet: \"one\\ttwo\\nthree\\e[2J\\n\"\n",
			arena),
		.now_s = 1000,
		.is_bold = true,
	};

	(void)state;
	assert_string_equal(described(&view, arena), HEAD
			    "Status:\t\t\033[1mFailed\033[0m\nDuration:\t<none>\n\n"
			    "Build Config:\tcart\nBuild Pod:\t<none>\n\n"
			    "Strategy:\tSource\n"
			    "URL:\t\thttps://git.example.com/cart.git\n"
			    "Dockerfile:\n  FROM a\n          RUN b\n"
			    "From Image:\t\tDockerImage r.example.com/s2i@" D1 "\n"
			    "Scripts:\t\thttps://example.com/scripts\n"
			    "Pull Secret Name:\tpull\n"
			    "Incremental Build:\tyes\n"
			    "Force Pull:\t\tyes\n"
			    "Volumes:\t\t<none>\n"
			    "Image Source:\t\tr.example.com/a@" D1 "\n"
			    "\t\t\t- /a -> b\n\t\t\t- /c -> d\n\t\t\t- as one\n\t\t\t- as two\n"
			    "Post Commit Hook:\t[\"<image-entrypoint>\", \"a\\\\b\", \"c\\nd\"]\n\n"
			    "Build trigger cause:\tGeneric WebHook\n"
			    "Commit:\t\t\t4e5f6a7 (m\n\t\t\tn)\n"
			    "Committer:\t\tCarl\n"
			    "Secret:\t\t\t<secret>\n\n"
			    "Build trigger cause:\tManually\\x1b[1m triggered\n\n"
			    "Log Tail:\tone     two\n\t\tthree\\x1b[2J\n");
	arena_free(arena);
}

static void test_build_describe__of_a_pipeline(void **state)
{
	struct arena *arena = arena_new();
	const struct described_build view = {
		.build = build("  source: {git: {uri: u, ref: main}, contextDir: sub}\n"
			       "  strategy:\n"
			       "    jenkinsPipelineStrategy:\n"
			       "      jenkinsfile: \"node {\\n}\"\n"
			       "      env: [{name: A, value: '1'}]\n",
			       "  phase: New\n  reason: x\n  message: \"why\\nnot\"\n"
			       "  url: https://jenkins.example.com/1\n",
			       arena),
	};

	(void)state;
	assert_string_equal(
		described(&view, arena),
		"Name:\t\tcart-3\nNamespace:\tshop\nLabels:\t\t<none>\n"
		"Annotations:\topenshift.io/build-config.name=cart\n"
		"\t\topenshift.io/build.number=3\n"
		"\t\topenshift.io/jenkins-build-uri=https://jenkins.example.com/1\n\n"
		"Status:\t\tNew (why\\x0anot)\nDuration:\t<none>\n\n"
		"Build Config:\tcart\nBuild Pod:\t<none>\n\n"
		"Strategy:\tJenkinsPipeline\nURL:\t\tu\nRef:\t\tmain\nContextDir:\tsub\n"
		"Jenkinsfile contents:\n  node {\n  }\n"
		"Environment:\tA=1\n\n"
		"Build trigger cause:\t<unknown>\n\n");
	arena_free(arena);
}

static void test_build_describe__of_a_custom_build_without_source(void **state)
{
	struct arena *arena = arena_new();
	const struct described_build view = {
		.build =
			build("  strategy:\n"
			      "    customStrategy:\n"
			      "      from: {kind: DockerImage, name: 'r.example.com/c@" D1 "'}\n"
			      "      exposeDockerSocket: true\n"
			      "      env:\n"
			      "      - {name: A, valueFrom: {fieldRef: {fieldPath: "
			      "metadata.name}}}\n"
			      "      - {name: B, valueFrom: {configMapKeyRef: {name: m, key: k}}}\n"
			      "      - {name: C, valueFrom: {resourceFieldRef: {}}}\n"
			      "  completionDeadlineSeconds: 90\n",
			      "  phase: Running\n  startTimestamp: 1970-01-01T00:10:00Z\n", arena),
		.now_s = 700,
	};

	(void)state;
	assert_string_equal(described(&view, arena),
			    HEAD "Status:\t\tRunning\nStarted:\tThu, 01 Jan 1970 00:10:00 UTC\n"
				 "Duration:\trunning for 1m40s\n\n"
				 "Build Config:\tcart\nBuild Pod:\t<none>\n\n"
				 "Strategy:\t\tCustom\n"
				 "Image Reference:\tDockerImage r.example.com/c@" D1 "\n"
				 "Expose Docker Socket:\tyes\n"
				 "Environment:\t\tA=<metadata.name>\n"
				 "\t\t\tB=<config map m, key k>\n"
				 "\t\t\tC=<unknown>\n"
				 "Empty Source:\t\tno input source provided\n"
				 "Fail Build After:\t1m30s\n\n"
				 "Build trigger cause:\t<unknown>\n\n");
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_build_from__says_what_and_which_revision),
		cmocka_unit_test(test_build_config_from__of_a_custom_one_is_its_image),
		cmocka_unit_test(test_build_status__names_the_reason),
		cmocka_unit_test(test_build_duration__tells_waiting_from_running),
		cmocka_unit_test(test_build_describe__of_a_source_build_from_a_webhook),
		cmocka_unit_test(test_build_describe__of_a_pipeline),
		cmocka_unit_test(test_build_describe__of_a_custom_build_without_source),
	};

	return cmocka_run_group_tests_name("build_report", tests, NULL, NULL);
}
