/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_build_records.c — what is recorded of build configs and of their builds: files with every field print as they were read,
 * byte by byte, and what is wrong in them is refused by name.
 */
#include "manifest.h"

#include "model/kind/build_config_status.h"

#define D1 "sha256:95ff756f0ef0e026440a8523f4bab02fd8b45dc1a8a3a7ba063cefdba5cb9493"
#define D2 "sha256:5058ceb9a562ec647ea5a41008b0d11e32a56e13e8c9ec20c4db63d220373e33"

static const char *const status_file = "apiVersion: build.openshift.io/v1\n"
				       "kind: BuildConfig\n"
				       "metadata:\n"
				       "  name: cart\n"
				       "  namespace: shop\n"
				       "status:\n"
				       "  conditions:\n"
				       "  - type: Ready\n"
				       "    status: \"True\"\n"
				       "    reason: Complete\n"
				       "    message: done\n"
				       "    lastTransitionTime: \"2026-11-22T03:15:20Z\"\n"
				       "  lastVersion: 3\n"
				       "  imageChangeTriggers:\n"
				       "  - lastTriggeredImageID: r.example.com/base@" D1 "\n"
				       "    from:\n"
				       "      namespace: other\n"
				       "      name: base:1\n"
				       "    lastTriggerTime: \"2026-11-22T03:15:20Z\"\n"
				       "  - from:\n"
				       "      name: base:2\n"
				       "  configDigest: " D2 "\n"
				       "  lastBuild:\n"
				       "    number: 3\n"
				       "    reason: IMAGE\n"
				       "    triggeredBy:\n"
				       "    - message: Image change\n"
				       "      imageChangeBuild:\n"
				       "        imageID: r.example.com/base@" D1 "\n"
				       "        fromRef:\n"
				       "          kind: ImageStreamTag\n"
				       "          name: base:1\n"
				       "    once: true\n"
				       "  output:\n"
				       "    reference: r.example.com/shop/cart:latest\n"
				       "    image: r.example.com/shop/cart@" D2 "\n"
				       "  builds:\n"
				       "  - number: 2\n"
				       "    phase: Failed\n"
				       "    reason: FetchSourceFailed\n"
				       "    cause: Build configuration change\n"
				       "    runPolicy: Serial\n"
				       "  - number: 3\n"
				       "    phase: Complete\n"
				       "    strategy: Docker\n"
				       "    cause: Image change\n"
				       "    runPolicy: Parallel\n"
				       "    commit: 4e5f\n"
				       "    image: r.example.com/shop/cart@" D1 "\n"
				       "    buildKey: " D2 "\n"
				       "    createdAt: \"2026-11-22T03:14:00Z\"\n"
				       "    startedAt: \"2026-11-22T03:14:55Z\"\n"
				       "    finishedAt: \"2026-11-22T03:15:20Z\"\n";

static const char *const build_file =
	"apiVersion: build.openshift.io/v1\n"
	"kind: Build\n"
	"metadata:\n"
	"  name: cart-3\n"
	"  namespace: shop\n"
	"  creationTimestamp: \"2026-11-22T03:14:00Z\"\n"
	"  annotations:\n"
	"    openshift.io/build-config.name: cart\n"
	"    openshift.io/build.clone-of: cart-2\n"
	"    openshift.io/build.number: \"3\"\n"
	"  labels:\n"
	"    team: shop\n"
	"    buildconfig: cart\n"
	"    openshift.io/build-config.name: cart\n"
	"    openshift.io/build.start-policy: Serial\n"
	"spec:\n"
	"  serviceAccount: builder\n"
	"  source:\n"
	"    type: Git\n"
	"    dockerfile: |\n"
	"      FROM a\n"
	"      RUN b\n"
	"    git:\n"
	"      uri: https://git.example.com/shop/cart.git\n"
	"      ref: main\n"
	"      httpProxy: http://p:1\n"
	"      httpsProxy: http://p:2\n"
	"      noProxy: h\n"
	"    images:\n"
	"    - from:\n"
	"        kind: DockerImage\n"
	"        name: r.example.com/assets@" D1 "\n"
	"      as:\n"
	"      - assets\n"
	"      paths:\n"
	"      - sourcePath: /a/.\n"
	"        destinationDir: b\n"
	"      pullSecret:\n"
	"        name: pull\n"
	"    contextDir: app\n"
	"    sourceSecret:\n"
	"      name: git\n"
	"    secrets:\n"
	"    - secret:\n"
	"        name: s\n"
	"      destinationDir: d\n"
	"    configMaps:\n"
	"    - configMap:\n"
	"        name: c\n"
	"  revision:\n"
	"    type: Git\n"
	"    git:\n"
	"      commit: 4e5f\n"
	"      author:\n"
	"        name: A\n"
	"        email: a@example.com\n"
	"      committer:\n"
	"        name: C\n"
	"      message: words\n"
	"  strategy:\n"
	"    type: Docker\n"
	"    dockerStrategy:\n"
	"      from:\n"
	"        kind: DockerImage\n"
	"        name: r.example.com/base@" D1 "\n"
	"      noCache: true\n"
	"      env:\n"
	"      - name: A\n"
	"        value: \"1\"\n"
	"      - name: B\n"
	"        valueFrom:\n"
	"          secretKeyRef:\n"
	"            name: s\n"
	"            key: k\n"
	"      dockerfilePath: d/Dockerfile\n"
	"      buildArgs:\n"
	"      - name: C\n"
	"        value: \"\"\n"
	"      imageOptimizationPolicy: SkipLayers\n"
	"      volumes:\n"
	"      - name: v\n"
	"        source:\n"
	"          type: Secret\n"
	"          secret:\n"
	"            secretName: s\n"
	"            items:\n"
	"            - key: k\n"
	"              path: p\n"
	"              mode: 0\n"
	"            defaultMode: 256\n"
	"            optional: true\n"
	"        mounts:\n"
	"        - destinationPath: /v\n"
	"  output:\n"
	"    to:\n"
	"      kind: DockerImage\n"
	"      name: r.example.com/shop/cart:latest\n"
	"    pushSecret:\n"
	"      name: push\n"
	"    imageLabels:\n"
	"    - name: l\n"
	"      value: any text\n"
	"  resources:\n"
	"    limits:\n"
	"      cpu: 1\n"
	"      memory: 1Gi\n"
	"  postCommit:\n"
	"    args:\n"
	"    - -x\n"
	"    script: test\n"
	"  completionDeadlineSeconds: 60\n"
	"  nodeSelector:\n"
	"    a: b\n"
	"  mountTrustedCA: true\n"
	"  triggeredBy:\n"
	"  - message: Image change\n"
	"    imageChangeBuild:\n"
	"      imageID: r.example.com/base@" D1 "\n"
	"      fromRef:\n"
	"        kind: ImageStreamTag\n"
	"        name: base:1\n"
	"  - message: GitHub WebHook\n"
	"    githubWebHook:\n"
	"      revision:\n"
	"        git:\n"
	"          commit: 4e5f\n"
	"      secret: <secret>\n"
	"status:\n"
	"  phase: Failed\n"
	"  cancelled: true\n"
	"  reason: PushImageToRegistryFailed\n"
	"  message: Failed to push the image to the registry.\n"
	"  startTimestamp: \"2026-11-22T03:14:55Z\"\n"
	"  completionTimestamp: \"2026-11-22T03:15:20Z\"\n"
	"  duration: 25000000000\n"
	"  outputDockerImageReference: r.example.com/shop/cart:latest\n"
	"  config:\n"
	"    kind: BuildConfig\n"
	"    name: cart\n"
	"    namespace: shop\n"
	"  output:\n"
	"    to:\n"
	"      imageDigest: " D2 "\n"
	"  stages:\n"
	"  - name: FetchInputs\n"
	"    startTime: \"2026-11-22T03:14:55Z\"\n"
	"    durationMilliseconds: 1200\n"
	"    steps:\n"
	"    - name: FetchGitSource\n"
	"      startTime: \"2026-11-22T03:14:55Z\"\n"
	"      durationMilliseconds: 1100\n"
	"  logSnippet: |-\n"
	"    one\n"
	"    two\n"
	"  conditions:\n"
	"  - type: New\n"
	"    status: \"False\"\n"
	"    lastUpdateTime: \"2026-11-22T03:14:00Z\"\n"
	"    lastTransitionTime: \"2026-11-22T03:14:00Z\"\n"
	"  - type: Failed\n"
	"    status: \"True\"\n"
	"    lastUpdateTime: \"2026-11-22T03:15:20Z\"\n"
	"    lastTransitionTime: \"2026-11-22T03:15:20Z\"\n"
	"    reason: PushImageToRegistryFailed\n"
	"    message: Failed to push the image to the registry.\n"
	"  buildKey: " D1 "\n"
	"  run:\n"
	"    id: 01JD\n"
	"    source: 9d0e1f2\n"
	"    lease: \"2026-11-22T03:25:20Z\"\n"
	"  failure:\n"
	"    kind: transient\n"
	"    tries: 2\n"
	"  log: shop/buildconfigs/cart/3.log\n"
	"  adopted: true\n";

static const struct node *parse(const char *text, struct arena *arena)
{
	struct documents documents = { 0 };
	const struct source_file file = { "s.yaml", text, strlen(text) };
	struct diags diags;

	diags_init(&diags, arena);
	yaml_parse(&file, arena, &documents, &diags);
	assert_int_equal(diags.n_errors, 0);
	assert_int_equal(documents.n, 1);
	return documents.v[0];
}

static const char *print(const struct node *node, struct arena *arena)
{
	AUTO_BUF out = BUF_INIT(1 << 20);

	yaml_print(node, &out);
	return buf_copy(&out, arena);
}

/* The text with one piece exchanged. */
static const char *with(const char *text, const char *from, const char *to, struct arena *arena)
{
	const char *at = strstr(text, from);

	if (!at)
		fail_msg("'%s' is not in the file", from);
	return arena_printf(arena, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

static void test_build_config_status__prints_as_it_was_read(void **state)
{
	struct arena *arena = arena_new();
	const struct object object = { .kind = KIND_BUILD_CONFIG,
				       .meta = { .name = "cart", .ns = "shop" } };
	const struct origin origin = { 0 };
	const struct build_config_status *status;
	struct err err = { 0 };
	void *read;

	(void)state;
	if (!status_read(KIND_BUILD_CONFIG, parse(status_file, arena), arena, &read, &err))
		fail_msg("%s", err.text);
	status = read;
	assert_int_equal(status->last_version, 3);
	assert_string_equal(LIST_AT(status->triggers, struct image_change_status, 0)->ns, "other");
	assert_int_equal(LIST_AT(status->history, struct bc_history_entry, 1)->number, 3);
	assert_string_equal(print(status_encode(&object, &origin, status, arena), arena),
			    status_file);
	assert_string_equal(status_path(KIND_BUILD_CONFIG, "shop", "cart", arena),
			    "shop/buildconfigs/cart.yaml");
	assert_string_equal(bc_build_path(KIND_BUILD_CONFIG, "shop", "cart", 3, arena),
			    "shop/buildconfigs/cart/builds/3.yaml");
	assert_string_equal(bc_build_path(KIND_BUILD_CONFIG, "", "cart", 3, arena),
			    "default/buildconfigs/cart/builds/3.yaml");
	arena_free(arena);
}

/* clang-format off */
static const struct {
	const char *from, *to, *why;
} bad_statuses[] = {
	{ "lastVersion: 3", "lastVersion: 2", "status: 'builds' has a number above 'lastVersion'" },
	{ "  lastVersion: 3\n", "", "status: missing field(s): lastVersion" },
	{ "lastVersion: 3", "lastVersion: -3", "status: 'lastVersion' must be between 0 and 2147483647" },
	{ "number: 2", "number: 3", "status: 'builds' is not in the order of its numbers" },
	{ "phase: Failed", "phase: Done", "status: unsupported value 'Done' for 'builds[0].phase'; supported: New, Pending, Running, Complete, Failed, Error, Cancelled" },
	{ "configDigest: " D2, "configDigest: x", "status: 'configDigest' is no sha256 digest" },
	{ "buildKey: " D2, "buildKey: x", "status: 'builds[].buildKey' is no sha256 digest" },
	{ "          name: base:1\n", "", "status: 'lastBuild.triggeredBy' has an image without its tag" },
	{ "reference: r.example.com/shop/cart:latest", "reference: R//", NULL },
	{ "shop/cart@" D2, "shop/cart:1", "status: 'output.image' has no digest" },
	{ "shop/cart@" D1, "shop/cart:1", "status: 'builds[].image' has no digest" },
	{ "lastTriggeredImageID: r", "lastTriggeredImageID: R//", NULL },
	{ "      name: base:2\n", "      namespace: a\n", NULL },
	{ "kind: BuildConfig", "kind: Build", "'kind' is 'Build', not 'BuildConfig'" },
	{ "build.openshift.io/v1", "kpack.io/v1alpha2", "'apiVersion' is not of build.openshift.io" },
};
static const struct {
	const char *from, *to, *why;
} bad_builds[] = {
	{ "build.number: \"3\"", "build.number: \"03\"", "'openshift.io/build.number' is no build number" },
	{ "build.number: \"3\"", "build.number: x", "'openshift.io/build.number' is no build number" },
	{ "    openshift.io/build.number: \"3\"\n", "", NULL },
	{ "    openshift.io/build-config.name: cart\n    openshift.io/build.clone", "    openshift.io/build.clone", NULL },
	{ "phase: Failed", "phase: Done", NULL },
	{ "  phase: Failed\n", "", "missing field(s): status.phase" },
	{ "imageDigest: " D2, "imageDigest: x", "'status.output.to.imageDigest' is no sha256 digest" },
	{ "outputDockerImageReference: r", "outputDockerImageReference: R//", NULL },
	{ "buildKey: " D1, "buildKey: x", "'status.buildKey' is no sha256 digest" },
	{ "    dockerStrategy:\n", "    jenkinsPipelineStrategy: {}\n    dockerStrategy:\n", "'spec.strategy' is not exactly one" },
	{ "  - type: New\n", "  - type: Failed\n", "'status.conditions' has 'Failed' twice" },
	{ "status: \"False\"", "status: No", NULL },
	{ "duration: 25000000000", "duration: -1", NULL },
	{ "kind: Build\n", "kind: Built\n", "'kind' is 'Built', not 'Build'" },
};
/* clang-format on */

static void test_build_config_status__mistakes_are_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNTOF(bad_statuses); i++) {
		struct arena *arena = arena_new();
		struct err err = { 0 };
		void *read;

		assert_false(status_read(
			KIND_BUILD_CONFIG,
			parse(with(status_file, bad_statuses[i].from, bad_statuses[i].to, arena),
			      arena),
			arena, &read, &err));
		assert_int_equal(err.kind, ERR_INVALID);
		if (bad_statuses[i].why)
			assert_string_equal(err.text, bad_statuses[i].why);
		arena_free(arena);
	}
}

static void test_bc_build__prints_as_it_was_read(void **state)
{
	struct arena *arena = arena_new();
	struct bc_history_entry entry;
	struct bc_build build;
	struct err err = { 0 };

	(void)state;
	if (!bc_build_read(parse(build_file, arena), arena, &build, &err))
		fail_msg("%s", err.text);
	assert_string_equal(print(bc_build_encode(&build, arena), arena), build_file);
	assert_int_equal(build.number, 3);
	assert_string_equal(build.config, "cart");
	assert_string_equal(pairs_get(&build.spec.common.resources.limits, "cpu"), "1");
	entry = bc_history_of(&build, arena);
	assert_int_equal(entry.number, 3);
	assert_string_equal(entry.phase, "Failed");
	assert_string_equal(entry.strategy, "Docker");
	assert_string_equal(entry.cause, "Image change");
	assert_string_equal(entry.policy, "Serial");
	assert_string_equal(entry.commit, "4e5f");
	assert_string_equal(entry.image, "r.example.com/shop/cart@" D2);
	assert_string_equal(entry.build_key, D1);
	arena_free(arena);
}

static void test_bc_build__mistakes_are_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNTOF(bad_builds); i++) {
		struct arena *arena = arena_new();
		struct bc_build build;
		struct err err = { 0 };

		if (bc_build_read(
			    parse(with(build_file, bad_builds[i].from, bad_builds[i].to, arena),
				  arena),
			    arena, &build, &err))
			fail_msg("'%s' is read", bad_builds[i].to);
		assert_int_equal(err.kind, ERR_INVALID);
		if (bad_builds[i].why)
			assert_string_equal(err.text, bad_builds[i].why);
		arena_free(arena);
	}
}

static void test_bc_build__durations_are_those_of_ended_builds(void **state)
{
	/* clang-format off */
	static const struct {
		int64_t started_s, finished_s;
		const char *want;
	} rows[] = {
		{ 100, 125, "25000000000" }, { 100, 0, NULL }, { 0, 125, NULL }, { 125, 100, NULL }, { 100, 100, NULL },
		{ 1, INT64_MAX, NULL },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct arena *arena = arena_new();
		struct bc_build build;
		struct err err = { 0 };
		const struct node *duration;

		assert_true(bc_build_read(parse(build_file, arena), arena, &build, &err));
		build.started_s = rows[i].started_s;
		build.finished_s = rows[i].finished_s;
		duration = node_at(bc_build_encode(&build, arena), "status", "duration", NULL);
		if (rows[i].want)
			assert_int_equal(duration->i, strtoll(rows[i].want, NULL, 10));
		else
			assert_null(duration);
		arena_free(arena);
	}
}

static void test_bc_build__conditions_follow_the_phase(void **state)
{
	struct arena *arena = arena_new();
	struct bc_build build = { 0 };
	const struct bc_condition *c;

	(void)state;
	bc_build_set_phase(&build, "New", 10, arena);
	bc_build_set_phase(&build, "Running", 20, arena);
	bc_build_set_phase(&build, "Running", 25, arena);
	build.reason = "CancelledBuild";
	bc_build_set_phase(&build, "Cancelled", 30, arena);
	assert_string_equal(build.phase, "Cancelled");
	assert_int_equal(build.conditions.n, 3);
	c = build.conditions.v;
	assert_string_equal(c[0].type, "New");
	assert_string_equal(c[0].status, "False");
	assert_int_equal(c[0].changed_s, 20);
	assert_string_equal(c[1].type, "Running");
	assert_string_equal(c[1].status, "False");
	assert_int_equal(c[1].changed_s, 30);
	assert_null(c[1].reason);
	assert_string_equal(c[2].type, "Cancelled");
	assert_string_equal(c[2].status, "True");
	assert_string_equal(c[2].reason, "CancelledBuild");
	assert_int_equal(c[2].updated_s, 30);
	arena_free(arena);
}

static void test_bc_history__images_lose_their_tag(void **state)
{
	static const struct {
		const char *reference, *want;
	} rows[] = {
		{ "h:5000/a/b:c", "h:5000/a/b@" D1 },
		{ "h:5000/a/b", "h:5000/a/b@" D1 },
		{ "a:b", "a@" D1 },
		{ "h/a@" D2, "h/a@" D1 },
		{ NULL, NULL },
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		const struct bc_build build = { .output_reference = rows[i].reference,
						.output_digest = D1 };
		const char *image = bc_history_of(&build, arena).image;

		if (rows[i].want)
			assert_string_equal(image, rows[i].want);
		else
			assert_null(image);
	}
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_build_config_status__prints_as_it_was_read),
		cmocka_unit_test(test_build_config_status__mistakes_are_named),
		cmocka_unit_test(test_bc_build__prints_as_it_was_read),
		cmocka_unit_test(test_bc_build__mistakes_are_named),
		cmocka_unit_test(test_bc_build__durations_are_those_of_ended_builds),
		cmocka_unit_test(test_bc_build__conditions_follow_the_phase),
		cmocka_unit_test(test_bc_history__images_lose_their_tag),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
