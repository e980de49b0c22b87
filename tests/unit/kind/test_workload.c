/* SPDX-License-Identifier: Apache-2.0 */
/* test_workload.c — image fields and triggers of workloads: field paths, the annotation, DeploymentConfigs, twins. */
#include "manifest.h"

#include <stdio.h>

#include "model/kind/workload.h"

static const struct workload_container containers[] = {
	{ .name = "init", .is_init = true },
	{ .name = "both", .is_init = true },
	{ .name = "web" },
	{ .name = "both" },
};

static void test_field_path__finds_the_container_or_says_why_not(void **state)
{
#define POD "spec.template.spec."
	static const struct {
		enum kind kind;
		const char *path;
		int want; /* index; -1: not ours */
		const char *error;
	} rows[] = {
		{ KIND_DEPLOYMENT, POD "containers[0].image", 2 },
		{ KIND_DEPLOYMENT, POD "containers[1].image", 3 },
		{ KIND_DEPLOYMENT, POD "initContainers[1].image", 1 },
		{ KIND_DEPLOYMENT, POD "containers[?(@.name==\"web\")].image", 2 },
		{ KIND_DEPLOYMENT, POD "initContainers[?(@.name==\"web\")].image", 2 },
		{ KIND_DEPLOYMENT, POD "containers[?(@.name==\"both\")].image", 1 },
		{ KIND_POD, "spec.containers[0].image", 2 },
		{ KIND_POD_TEMPLATE, "template.spec.containers[0].image", 2 },
		{ KIND_CRON_JOB, "spec.jobTemplate.spec.template.spec.containers[0].image", 2 },
		{ KIND_REPLICATION_CONTROLLER, POD "containers[0].image", 2 },
		{ KIND_DEPLOYMENT, "spec.containers[0].image", -1 },
		{ KIND_DEPLOYMENT, "spec.template.specs.containers[0].image", -1 },
		{ KIND_DEPLOYMENT, "", -1 },
		{ KIND_DEPLOYMENT, POD "containers[2].image", 0,
		  "no such container: " POD "containers[2].image" },
		{ KIND_DEPLOYMENT, POD "containers[9999999999].image", 0, "no such container: " },
		{ KIND_DEPLOYMENT, POD "containers[?(@.name==\"x\")].image", 0,
		  "no such container: " },
		{ KIND_DEPLOYMENT, POD "containers[0].imagePullPolicy", 0,
		  "field path is not valid: " },
		{ KIND_DEPLOYMENT, POD "containers[0]", 0, "field path is not valid: " },
		{ KIND_DEPLOYMENT, POD "containers[].image", 0, "field path is not valid: " },
		{ KIND_DEPLOYMENT, POD "containers[-1].image", 0, "field path is not valid: " },
		{ KIND_DEPLOYMENT, POD "containers[?(@.name=='web')].image", 0,
		  "field path is not valid: " },
		{ KIND_DEPLOYMENT, POD "containers[?(@.name == \"web\")].image", 0,
		  "field path is not valid: " },
		{ KIND_DEPLOYMENT, POD "containers[?(@.name==\"\")].image", 0,
		  "field path is not valid: " },
		{ KIND_DEPLOYMENT, POD "containers[?(@.name==\"web\"].image", 0,
		  "field path is not valid: " },
		{ KIND_DEPLOYMENT, POD "volumes[0].image", 0, "field path is not valid: " },
	};
	const struct list list = { (void *)(uintptr_t)containers, COUNTOF(containers) };

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct err err = { 0 };
		size_t found = 99;
		bool is_ours;
		bool is_good =
			field_path_find(rows[i].path, rows[i].kind, &list, &found, &is_ours, &err);

		if (is_good != !rows[i].error)
			fail_msg("%s: %s", rows[i].path, err.text);
		if (rows[i].error)
			assert_int_equal(strncmp(err.text, rows[i].error, strlen(rows[i].error)),
					 0);
		else
			assert_int_equal(is_ours ? (int)found : -1, rows[i].want);
	}
}

#define DEPLOYMENT(annotation)                                                                     \
	"apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n  annotations:\n"          \
	"    image.openshift.io/triggers: '" annotation "'\nspec: {template: {spec: {containers: " \
	"[{name: a, image: x, anything: 1}, {name: b}]}}}\n"
#define FROM "\"from\":{\"kind\":\"ImageStreamTag\",\"name\":\"s:t\"}"
#define PATH "\"fieldPath\":\"spec.template.spec.containers[0].image\""

static void test_annotation__is_checked_at_its_place(void **state)
{
	static const struct {
		const char *text;
		size_t n_triggers;
		const char *said; /* part of it; NULL: nothing */
	} rows[] = {
		{ DEPLOYMENT("[{" FROM "," PATH "}]"), 1, NULL },
		{ DEPLOYMENT(""), 0, NULL },
		{ DEPLOYMENT("[]"), 0, NULL },
		{ DEPLOYMENT("[{" FROM "," PATH ",\"paused\":true}]"), 1, NULL },
		{ DEPLOYMENT("[{"), 0,
		  "6:34 error: annotation 'image.openshift.io/triggers' of Deployment/default/web "
		  "is no JSON list" },
		{ DEPLOYMENT("{}"), 0, "is no JSON list: a mapping" },
		{ DEPLOYMENT("[1]"), 0,
		  "error: annotation 'image.openshift.io/triggers' of Deployment/default/web: item "
		  "1: it is no object" },
		{ DEPLOYMENT("[{" FROM "}]"), 0, "it has no text 'fieldPath'" },
		{ DEPLOYMENT("[{" FROM "," PATH ",\"paused\":\"true\"}]"), 0,
		  "'paused' must be true or false" },
		{ DEPLOYMENT("[{" FROM "," PATH "},{" FROM "," PATH "}]"), 1,
		  "item 2: duplicate triggers are not allowed" },
		{ DEPLOYMENT("[{" FROM "," PATH "},{" FROM
			     ",\"fieldPath\":\"spec.template.spec.containers[?(@.name==\\\"a\\\")]."
			     "image\"}]"),
		  1,
		  "warning: annotation 'image.openshift.io/triggers' of Deployment/default/web: "
		  "item 2: it is passed over: another trigger has this container" },
		{ DEPLOYMENT("[{\"from\":{\"kind\":\"DockerImage\",\"name\":\"x\"}," PATH "}]"), 0,
		  "warning: annotation" },
		{ DEPLOYMENT("[{\"from\":{\"kind\":\"ImageStreamTag\",\"apiVersion\":\"v2\","
			     "\"name\":\"s:t\"}," PATH "}]"),
		  0, "from.apiVersion is 'v2'" },
		{ DEPLOYMENT("[{\"from\":{\"kind\":\"ImageStreamTag\",\"name\":\"s\"}," PATH "}]"),
		  0, "it is passed over: from.name" },
		{ DEPLOYMENT("[{" FROM ",\"fieldPath\":\"spec.containers[0].image\"}]"), 0,
		  "must begin with 'spec.template.spec.'" },
		{ DEPLOYMENT("[{" FROM
			     ",\"fieldPath\":\"spec.template.spec.containers[7].image\"}]"),
		  0,
		  "error: annotation 'image.openshift.io/triggers' of Deployment/default/web: item "
		  "1: no such container: spec.template.spec.containers[7].image" },
		{ DEPLOYMENT("[{" FROM
			     ",\"fieldPath\":\"spec.template.spec.containers[1].image\"}]"),
		  1, "the container has no 'image' that could be set" },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct loaded loaded;
		const struct workload *workload;
		char *said;

		manifest_load(&loaded, rows[i].text, false);
		said = manifest_said(&loaded);
		if (rows[i].said ? !strstr(said, rows[i].said) : *said != '\0')
			fail_msg("row %zu says: %s", i, said);
		workload = loaded.model.objects.v[0]->spec;
		assert_int_equal(workload->triggers.n, rows[i].n_triggers);
		arena_free(loaded.arena);
	}
}

static void test_workload__is_read_leniently(void **state)
{
	static const char *const texts[] = {
		"apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {a: 1}}\nspec: 1\n",
		"apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [1, {image: "
		"7}, {image: [a]}]}\n",
		"apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: x}\nspec: {template: "
		"{}}\n",
		"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d, what: ever}\nwhat: "
		"ever\n",
	};
	struct loaded loaded;

	(void)state;
	for (size_t i = 0; i < COUNTOF(texts); i++) {
		manifest_load(&loaded, texts[i], true);
		assert_string_equal(manifest_said(&loaded), "");
		assert_int_equal(loaded.model.objects.n, 1);
		arena_free(loaded.arena);
	}
	manifest_load(&loaded,
		      "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: '{{ x }}'}\n", true);
	assert_string_equal(manifest_said(&loaded), "");
	assert_int_equal(loaded.model.objects.n, 0);
	arena_free(loaded.arena);
}

static void test_workload__may_be_declared_in_several_places(void **state)
{
	struct loaded loaded;
	const struct object *first;

	(void)state;
	manifest_load(&loaded,
		      "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n---\napiVersion: v1\nkind: "
		      "Pod\nmetadata: "
		      "{name: p}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: p}\n",
		      true);
	assert_string_equal(manifest_said(&loaded), "");
	assert_int_equal(loaded.model.objects.n, 3);
	first = model_find(&loaded.model, KIND_POD, "default", "p");
	assert_null(first->twin_of);
	assert_string_equal(loaded.model.objects.v[1]->id, "Pod/default/p@m.yaml:5");
	assert_ptr_equal(loaded.model.objects.v[1]->twin_of, first);
	assert_string_equal(loaded.model.objects.v[2]->id, "Pod/default/p@m.yaml:9");
	arena_free(loaded.arena);
}

#define DC(triggers, image, command)                                                               \
	"apiVersion: v1\nkind: DeploymentConfig\nmetadata: {name: d}\nspec:\n" triggers            \
	"  template: {spec: {containers: [{name: a, image: " image ", command: [" command          \
	"]}]}}\n"
#define ICT                                                                                        \
	"  triggers: [{type: ImageChange, imageChangeParams: {automatic: true, containerNames: "   \
	"[a, z], lastTriggeredImage: l, from: {kind: ImageStreamTag, name: 's:t', namespace: "     \
	"n}}}]\n"

static const char *template_of(const char *text)
{
	static char digest[80];
	struct loaded loaded;
	const struct workload *workload;

	manifest_load(&loaded, text, false);
	workload = loaded.model.objects.v[0]->spec;
	snprintf(digest, sizeof(digest), "%s", workload->template_digest);
	arena_free(loaded.arena);
	return digest;
}

static void test_deployment_config__has_triggers_of_its_own(void **state)
{
	struct loaded loaded;
	const struct workload *workload;
	const struct workload_trigger *trigger;
	char first[80];

	(void)state;
	manifest_load(&loaded, DC(ICT, "x", "y"), false);
	assert_non_null(
		strstr(manifest_said(&loaded), "DeploymentConfig/default/d has no container 'z'"));
	workload = loaded.model.objects.v[0]->spec;
	assert_false(workload->has_config_trigger);
	assert_int_equal(workload->triggers.n, 1);
	trigger = workload->triggers.v;
	assert_true(trigger->is_automatic);
	assert_string_equal(trigger->ns, "n");
	assert_string_equal(trigger->stream, "s");
	assert_string_equal(trigger->tag, "t");
	assert_string_equal(trigger->last_image, "l");
	assert_int_equal(trigger->n_containers, 1);
	arena_free(loaded.arena);
	manifest_load(&loaded, DC("", "x", "y"), false);
	workload = loaded.model.objects.v[0]->spec;
	assert_true(workload->has_config_trigger); /* the default */
	arena_free(loaded.arena);
	manifest_load(&loaded, DC("  triggers: []\n", "x", "y"), false);
	workload = loaded.model.objects.v[0]->spec;
	assert_false(workload->has_config_trigger);
	arena_free(loaded.arena);
	strcpy(first, template_of(DC(ICT, "x", "y")));
	assert_string_equal(first, template_of(DC(ICT, "other", "y"))); /* the trigger's */
	assert_string_not_equal(first, template_of(DC(ICT, "x", "z")));
	strcpy(first, template_of(DC("", "x", "y")));
	assert_string_not_equal(first, template_of(DC("", "other", "y")));
}

static void test_short_name__is_one_part(void **state)
{
	static const struct {
		const char *image, *stream, *tag;
	} rows[] = {
		{ "php", "php", "latest" },
		{ "php:7.4", "php", "7.4" },
		{ "docker.io/php", NULL, NULL },
		{ "a/b:c", NULL, NULL },
		{ "", NULL, NULL },
		{ "php:", NULL, NULL },
		{ "php@sha256:0", NULL, NULL },
		{ "h:1:2", NULL, NULL },
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		const char *stream, *tag;

		assert_int_equal(short_name_split(rows[i].image, arena, &stream, &tag),
				 rows[i].stream != NULL);
		if (!rows[i].stream)
			continue;
		assert_string_equal(stream, rows[i].stream);
		assert_string_equal(tag, rows[i].tag);
	}
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_field_path__finds_the_container_or_says_why_not),
		cmocka_unit_test(test_annotation__is_checked_at_its_place),
		cmocka_unit_test(test_workload__is_read_leniently),
		cmocka_unit_test(test_workload__may_be_declared_in_several_places),
		cmocka_unit_test(test_deployment_config__has_triggers_of_its_own),
		cmocka_unit_test(test_short_name__is_one_part),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
