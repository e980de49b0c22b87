/* SPDX-License-Identifier: Apache-2.0 */
/* test_job_xml.c — a pipeline's job as XML, and whose a job is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "buildexec/pipeline/job_xml.h"

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

static void test_text__has_no_markup(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "", "" },
		{ "plain, tab\t and line\n", "plain, tab\t and line\n" },
		{ "<a b='c' d=\"e\">&amp;</a>",
		  "&#60;a b=&#39;c&#39; d=&#34;e&#34;&#62;&#38;amp;&#60;/a&#62;" },
		{ "]]>", "]]&#62;" },
		{ "\r\n\x1b[1m\x7f", "&#13;\n&#27;[1m&#127;" },
		{ "\xc2\x85\xe2\x80\xa8", "&#133;&#8232;" },
		{ "\xc3\xbc\xf0\x9f\x98\x80", "\xc3\xbc\xf0\x9f\x98\x80" },
		{ "\xef\xbf\xbe\xef\xbf\xbf", "\xef\xbf\xbd\xef\xbf\xbd" },
		{ "a\xff\xc3", "a\xef\xbf\xbd\xef\xbf\xbd" },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		AUTO_BUF out = BUF_INIT(1024);

		xml_text(rows[i].text, &out);
		assert_string_equal(buf_text(&out), rows[i].want);
	}
}

static struct env_var env[] = { { .name = "PLAIN", .value = "a<b" },
				{ .name = "SECRET", .value = "x-s3cr3t-y" },
				{ .name = "RECONCILE_BUILD_KEY", .value = "mine" } };
static const char *hidden[] = { "s3cr3t" };

static const char *config_of(const struct bc_request *config, const char *credentials,
			     struct arena *arena)
{
	struct err err = { 0 };
	const char *xml;

	if (!job_config(config, credentials, arena, &xml, &err))
		fail_msg("%s", err.text);
	return xml;
}

static void test_inline__is_a_script_with_parameters(void **state)
{
	struct pipeline_strategy pipeline = { .text = "node { echo 'a' }",
					      .env = { env, COUNTOF(env) } };
	struct bc_request config = { .config = "cart",
				     .ns = "shop",
				     .spec.strategy.pipeline = &pipeline,
				     .hidden = { hidden, 1, 1 } };
	const char *xml = config_of(&config, NULL, *state);
	static const char *const want[] = {
		"<?xml version='1.1' encoding='UTF-8'?>\n<flow-definition>\n",
		"reconcile BuildConfig shop/cart sha256:",
		"<name>PLAIN</name>\n<description></description>\n"
		"<defaultValue>a&#60;b</defaultValue>",
		"<hudson.model.PasswordParameterDefinition>\n<name>SECRET</name>\n<description/>\n"
		"</hudson.model.PasswordParameterDefinition>",
		"<script>node { echo &#39;a&#39; }</script>\n<sandbox>true</sandbox>",
	};

	for (size_t i = 0; i < COUNTOF(want); i++)
		if (!strstr(xml, want[i]))
			fail_msg("not in the config: %s\n%s", want[i], xml);
	assert_null(strstr(xml, "s3cr3t"));
	assert_null(strstr(xml, "mine"));
	assert_null(strstr(xml, "RECONCILE_COMMIT"));
}

static void test_git__goes_without_passwords(void **state)
{
	static const struct {
		const char *uri, *want;
	} rows[] = {
		{ "https://me:pw@git.test/a.git", "<url>https://git.test/a.git</url>" },
		{ "ssh://git:pw@git.test:22/a.git", "<url>ssh://git@git.test:22/a.git</url>" },
		{ "ssh://git@git.test/a.git", "<url>ssh://git@git.test/a.git</url>" },
		{ "git@git.test:a/b.git", "<url>git@git.test:a/b.git</url>" },
		{ "file:///srv/a@b:c.git", "<url>file:///srv/a@b:c.git</url>" },
	};

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct build_git git = { .uri = rows[i].uri, .ref = "main" };
		struct pipeline_strategy pipeline = { 0 };
		struct bc_request config = { .config = "cart",
					     .spec.strategy.pipeline = &pipeline,
					     .spec.source.git = &git };
		const char *xml = config_of(&config, NULL, *state);

		if (!strstr(xml, rows[i].want))
			fail_msg("not in the config: %s\n%s", rows[i].want, xml);
		assert_null(strstr(xml, "pw"));
		assert_null(strstr(xml, "<refspec>"));
		assert_non_null(strstr(xml, "<scriptPath>Jenkinsfile</scriptPath>"));
		assert_non_null(strstr(xml, "<name>${RECONCILE_COMMIT}</name>"));
	}
}

static void test_nothing_to_run__is_refused(void **state)
{
	struct pipeline_strategy pipeline = { 0 };
	struct bc_request config = { .config = "cart", .spec.strategy.pipeline = &pipeline };
	struct err err = { 0 };
	const char *xml;

	assert_false(job_config(&config, NULL, *state, &xml, &err));
	assert_int_equal(err.kind, ERR_INVALID);
}

static void test_state__tells_whose_a_job_is(void **state)
{
	struct pipeline_strategy pipeline = { .text = "a" };
	struct bc_request config = { .config = "cart",
				     .ns = "shop",
				     .spec.strategy.pipeline = &pipeline };
	struct bc_request other = config;
	char *xml = arena_strdup(*state, config_of(&config, NULL, *state));
	const char *mark;
	struct err err = { 0 };

	assert_true(job_mark(&config, *state, &mark, &err));
	assert_int_equal(job_state(xml, &config, mark), JOB_CURRENT);
	assert_int_equal(job_state(config_of(&config, "id", *state), &config, mark), JOB_CURRENT);
	assert_int_equal(job_state("<flow-definition/>", &config, mark), JOB_FOREIGN);
	assert_int_equal(job_state("reconcile BuildConfig shop/car", &config, mark), JOB_FOREIGN);
	pipeline.text = "b";
	assert_int_equal(job_state(config_of(&config, NULL, *state), &config, mark), JOB_CHANGED);
	pipeline.text = "a";
	pipeline.env = (struct list){ env, 1 };
	xml = arena_strdup(*state, config_of(&config, NULL, *state));
	assert_true(job_mark(&config, *state, &mark, &err));
	assert_int_equal(job_state(xml, &config, mark), JOB_CURRENT);
	*strstr(xml, "<name>PLAIN") = '[';
	assert_int_equal(job_state(xml, &config, mark), JOB_CHANGED);
	other.config = "cart2";
	assert_int_equal(job_state(config_of(&other, NULL, *state), &config, mark), JOB_FOREIGN);
}

static void test_credentials__are_ids_and_nothing_else(void **state)
{
	static const struct {
		const char *xml, *want;
	} rows[] = {
		{ "<a><credentialsId>git-login_1.x</credentialsId></a>", "git-login_1.x" },
		{ "<a><credentialsId></credentialsId></a>", NULL },
		{ "<a><credentialsId>a&lt;b</credentialsId></a>", NULL },
		{ "<a><credentialsId>a", NULL },
		{ "<a/>", NULL },
	};

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		const char *got = job_credentials(rows[i].xml, *state);

		if (rows[i].want)
			assert_string_equal(got, rows[i].want);
		else
			assert_null(got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text__has_no_markup),
		cmocka_unit_test(test_inline__is_a_script_with_parameters),
		cmocka_unit_test(test_git__goes_without_passwords),
		cmocka_unit_test(test_nothing_to_run__is_refused),
		cmocka_unit_test(test_state__tells_whose_a_job_is),
		cmocka_unit_test(test_credentials__are_ids_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
