/* SPDX-License-Identifier: Apache-2.0 */
/* test_answer.c — answers of a Jenkins server, as its documentation shows them, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "buildexec/pipeline/answer.h"
#include "model/doc/json.h"

static int set_up(void **state)
{
	*state = arena_new();
	return 0;
}

static int tear_down(void **state)
{
	arena_free(*state);
	return 0;
}

#define READ(fn, text, out, err) fn((text), strlen(text), *state, (out), (err))

static void test_crumb__is_a_header(void **state)
{
	static const struct {
		const char *json;
		bool is_good;
	} rows[] = {
		{ "{\"_class\":\"hudson.security.csrf.DefaultCrumbIssuer\",\"crumb\":\"628e6e\","
		  "\"crumbRequestField\":\"Jenkins-Crumb\"}",
		  true },
		{ "{\"crumb\":\"a\\r\\nX-Evil: 1\",\"crumbRequestField\":\"Jenkins-Crumb\"}",
		  false },
		{ "{\"crumb\":\"a\",\"crumbRequestField\":\"Host: evil\\nX\"}", false },
		{ "{\"crumb\":\"a\",\"crumbRequestField\":\"two words\"}", false },
		{ "{\"crumb\":\"\",\"crumbRequestField\":\"Jenkins-Crumb\"}", false },
		{ "{\"crumb\":\"a\"}", false },
		{ "{\"crumb\":1,\"crumbRequestField\":\"Jenkins-Crumb\"}", false },
		{ "[]", false },
		{ "<html>", false },
		{ "", false },
	};
	struct crumb crumb;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct err err = { 0 };

		assert_int_equal(READ(answer_crumb, rows[i].json, &crumb, &err), rows[i].is_good);
		assert_int_equal(err.kind, rows[i].is_good ? ERR_NONE : ERR_INVALID);
		if (!rows[i].is_good)
			assert_null(crumb.field);
	}
}

#define LEFT_ITEM                                                                                  \
	"{\"_class\":\"hudson.model.Queue$LeftItem\",\"actions\":[{\"_class\":"                    \
	"\"hudson.model.ParametersAction\",\"parameters\":[{\"_class\":"                           \
	"\"hudson.model.StringParameterValue\",\"name\":\"a\",\"value\":\"2\"}]},{}],\"blocked\":" \
	"false,\"id\":14,\"inQueueSince\":1524061515284,\"params\":\"\\na=2\",\"task\":{},"        \
	"\"url\":\"queue/item/14/\",\"why\":null,\"cancelled\":false,\"executable\":{\"_class\":"  \
	"\"org.jenkinsci.plugins.workflow.job.WorkflowRun\",\"number\":7,\"url\":\"u\"}}"

static void test_queue_item__waits_starts_or_is_cancelled(void **state)
{
	struct queue_item item;
	struct err err = { 0 };

	assert_true(READ(answer_queue_item, LEFT_ITEM, &item, &err));
	assert_int_equal(item.id, 14);
	assert_false(item.is_cancelled);
	assert_int_equal(item.executable->number, 7);
	assert_string_equal(answer_parameter(item.actions, "a"), "2");
	assert_null(answer_parameter(item.actions, "b"));
	assert_true(READ(answer_queue_item,
			 "{\"id\":5,\"why\":\"In the quiet period\",\"executable\":null}", &item,
			 &err));
	assert_null(item.executable);
	assert_string_equal(item.why, "In the quiet period");
	assert_true(READ(answer_queue_item, "{\"id\":5,\"cancelled\":true}", &item, &err));
	assert_true(item.is_cancelled);
	assert_false(
		READ(answer_queue_item, "{\"id\":5,\"executable\":{\"number\":0}}", &item, &err));
}

static void test_runs__have_number_state_and_parameters(void **state)
{
	struct err err = { 0 };
	struct list runs;
	const struct pipeline_run *run;

	assert_true(
		READ(answer_runs,
		     "{\"_class\":\"x\",\"builds\":[{\"number\":3,\"building\":true,\"result\":"
		     "null,\"queueId\":9,\"actions\":[null,{},3,{\"parameters\":[{\"name\":\"k\","
		     "\"value\":true},{\"name\":\"s\",\"value\":\"v\"}]}]},{\"number\":2,"
		     "\"building\":false,\"result\":\"SUCCESS\",\"queueId\":-1}]}",
		     &runs, &err));
	assert_int_equal(runs.n, 2);
	run = LIST_AT(runs, struct pipeline_run, 0);
	assert_true(run->is_building);
	assert_null(run->result);
	assert_null(answer_parameter(run->actions, "k"));
	assert_string_equal(answer_parameter(run->actions, "s"), "v");
	run = LIST_AT(runs, struct pipeline_run, 1);
	assert_string_equal(run->result, "SUCCESS");
	assert_null(answer_parameter(run->actions, "k"));
	assert_true(READ(answer_runs, "{}", &runs, &err));
	assert_int_equal(runs.n, 0);
	assert_false(READ(answer_runs, "{\"builds\":[{}]}", &runs, &err));
	assert_non_null(strstr(err.text, "the answer is no job"));
}

static void test_folder__is_told_by_its_class(void **state)
{
	struct err err = { 0 };
	bool is_folder;

	assert_true(READ(answer_is_folder,
			 "{\"_class\":\"com.cloudbees.hudson.plugins.folder.Folder\"}", &is_folder,
			 &err));
	assert_true(is_folder);
	assert_true(READ(answer_is_folder,
			 "{\"_class\":\"org.jenkinsci.plugins.workflow.job.WorkflowJob\"}",
			 &is_folder, &err));
	assert_false(is_folder);
	assert_true(READ(answer_is_folder, "{}", &is_folder, &err));
	assert_false(is_folder);
}

static void test_stages__have_times_that_can_be_recorded(void **state)
{
	AUTO_BUF text = BUF_INIT(1 << 20);
	struct err err = { 0 };
	struct list stages;
	const struct build_stage *stage;

	assert_true(
		READ(answer_stages,
		     "{\"id\":\"16\",\"status\":\"SUCCESS\",\"stages\":[{\"_links\":{},\"id\":"
		     "\"5\",\"name\":"
		     "\"Build\",\"status\":\"SUCCESS\",\"startTimeMillis\":1413461275770,"
		     "\"durationMillis\":5228},{\"name\":\"a\\u001b\\u202eb\",\"startTimeMillis\":"
		     "9223372036854775807,\"durationMillis\":-1},{\"startTimeMillis\":-5}]}",
		     &stages, &err));
	assert_int_equal(stages.n, 3);
	stage = LIST_AT(stages, struct build_stage, 0);
	assert_string_equal(stage->name, "Build");
	assert_int_equal(stage->started_s, 1413461275);
	assert_int_equal(stage->ms, 5228);
	stage = LIST_AT(stages, struct build_stage, 1);
	assert_string_equal(stage->name, "a??b");
	assert_int_equal(stage->started_s, 253402300799);
	assert_int_equal(stage->ms, 0);
	assert_int_equal(LIST_AT(stages, struct build_stage, 2)->started_s, 0);

	buf_puts(&text, "{\"stages\":[");
	for (int i = 0; i < 2 * ANSWER_STAGES; i++)
		buf_printf(&text, "%s{\"name\":\"%0*d\"}", i ? "," : "", 1000, i);
	buf_puts(&text, "]}");
	assert_true(READ(answer_stages, buf_text(&text), &stages, &err));
	assert_int_equal(stages.n, ANSWER_STAGES);
	assert_int_equal(strlen(LIST_AT(stages, struct build_stage, 0)->name), ANSWER_STAGE_NAME);
}

static void test_queue_id__is_the_last_word_of_the_place(void **state)
{
	static const struct {
		const char *location;
		int64_t want;
	} rows[] = {
		{ "http://jenkins:8080/queue/item/63/", 63 },
		{ "https://other.test/jenkins/queue/item/7", 7 },
		{ "/queue/item/0012/", 12 },
		{ "http://jenkins/queue/item/", 0 },
		{ "http://jenkins/queue/item/-1/", 0 },
		{ "http://jenkins/queue/item/1x", 0 },
		{ "http://jenkins/queue/item/99999999999999999999/", 0 },
		{ "http://jenkins/job/a/", 0 },
		{ "", 0 },
		{ NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++)
		assert_int_equal(answer_queue_id(rows[i].location), rows[i].want);
}

static void test_cookie__is_name_and_value_alone(void **state)
{
	assert_string_equal(answer_cookie("JSESSIONID.ab=node01; Path=/; HttpOnly", *state),
			    "JSESSIONID.ab=node01");
	assert_string_equal(answer_cookie("a=", *state), "a=");
	assert_null(answer_cookie("=b; Path=/", *state));
	assert_null(answer_cookie("nothing", *state));
	assert_null(answer_cookie("a=\x01", *state));
	assert_null(answer_cookie("", *state));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_crumb__is_a_header),
		cmocka_unit_test(test_queue_item__waits_starts_or_is_cancelled),
		cmocka_unit_test(test_runs__have_number_state_and_parameters),
		cmocka_unit_test(test_folder__is_told_by_its_class),
		cmocka_unit_test(test_stages__have_times_that_can_be_recorded),
		cmocka_unit_test(test_queue_id__is_the_last_word_of_the_place),
		cmocka_unit_test(test_cookie__is_name_and_value_alone),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
