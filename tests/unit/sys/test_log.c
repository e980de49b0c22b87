/* SPDX-License-Identifier: Apache-2.0 */
/* test_log.c — lines in each format, secrets in each form, foreign text made visible. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <unistd.h>

#include "buildexec/sys/fs.h"
#include "buildexec/sys/log.h"

static void check_redact(const char *text, const char *want)
{
	AUTO_BUF out = BUF_INIT(10000);

	redact(text, strlen(text), &out);
	assert_string_equal(buf_text(&out), want);
}

static void test_redact__masks_every_form(void **state)
{

	static const char *const rows[][2] = {
		{ "password hunter2pass.", "password *****." },
		{ "hunter2pas", "hunter2pas" },
		{ "hunter2passhunter2pass", "**********" },
		{ "token p%2Fq%20r%2Bs%26t", "token *****" },
		{ "token p%2fq%20r%2bs%26t", "token *****" },
		{ "say \"quo\\\"ted\\\\thing\"", "say \"*****\"" },
		/* The last character holds four bits of the secret and two of what follows. */
		{ "b3BlbnNzaC1rZXktbGluZS1vbmU", "*****U" },
		{ "first-line-of-the-key", "*****" },
		{ "https://user:pw@host/x?y=a@b", "https://host/x?y=a@b" },
		{ "https://host/a@b", "https://host/a@b" },
		{ "git+ssh://git@host/x ssh://git:pw@host/x", "git+ssh://git@host/x ssh://host/x" },
		{ "https://a@b@c/", "https://c/" },
	};

	(void)state;
	secret_add("hunter2pass", 11);
	secret_add("p/q r+s&t", 9);
	secret_add("quo\"ted\\thing", 13);
	secret_add("openssh-key-line-one", 20);
	secret_add("first-line-of-the-key\nsecond-line-of-the-key\n", 45);
	secret_add("short", 5);
	for (size_t i = 0; i < COUNTOF(rows); i++)
		check_redact(rows[i][0], rows[i][1]);
	check_redact("short", "short");
}

static void test_redact__masks_base64_at_every_alignment(void **state)
{
	static const char *const encoded[] = {
		"aHVudGVyMnBhc3M=",     /* hunter2pass    */
		"dTpodW50ZXIycGFzcw==", /* u:hunter2pass  */
		"YTpodW50ZXIycGFzcw==", /* a:hunter2pass  */
		"dXM6aHVudGVyMnBhc3M=", /* us:hunter2pass */
		"eDpodW50ZXIycGFzczp5", /* x:hunter2pass:y */
		"eDFodW50ZXIycGFzcw==", /* x1hunter2pass  */
		"eGh1bnRlcjJwYXNz",     /* xhunter2pass   */
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(encoded); i++) {
		AUTO_BUF out = BUF_INIT(1000);

		redact(encoded[i], strlen(encoded[i]), &out);
		assert_non_null(strstr(buf_text(&out), "*****"));
	}
}

static void test_redact_err__keeps_the_kind(void **state)
{
	struct err err = { 0 };

	(void)state;
	err_set(&err, ERR_DENIED, "cannot log in with 'hunter2pass'");
	redact_err(&err);
	assert_string_equal(err.text, "cannot log in with '*****'");
	assert_int_equal(err.kind, ERR_DENIED);
}

static void test_sanitize__shows_what_would_hide(void **state)
{
	static const char *const rows[][2] = {
		{ "plain é 漢 😀", "plain é 漢 😀" },
		{ "\033[2J\r", "\\x1b[2J\\x0d" },
		{ "a\nb\tc", "a\\x0ab\\x09c" },
		{ "\x7f", "\\x7f" },
		{ "\xc2\x9b"
		  "x",
		  "\\u009bx" },
		{ "\xe2\x80\xae"
		  "abc",
		  "\\u202eabc" },
		{ "\xff\xc0\xaf\xed\xa0\x80", "\\xff\\xc0\\xaf\\xed\\xa0\\x80" },
		{ "cut \xe2\x80", "cut \\xe2\\x80" },
		{ "\033]8;;http://x\033\\y", "\\x1b]8;;http://x\\x1b\\y" },
		{ "::set-output name=a::b", "\\x3a:set-output name=a::b" },
		{ "::error a\nb::c", "\\x3a:error a\\x0ab::c" },
		{ "##vso[task.setvariable]", "#\\x23vso[task.setvariable]" },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		AUTO_BUF out = BUF_INIT(1000);

		sanitize(rows[i][0], strlen(rows[i][0]), false, &out);
		assert_string_equal(buf_text(&out), rows[i][1]);
	}
	AUTO_BUF out = BUF_INIT(1000);

	sanitize("a\nb\tc\033", 6, true, &out);
	assert_string_equal(buf_text(&out), "a\nb\tc\\x1b");
}

static void test_hide_commands__leaves_nothing_that_a_ci_obeys(void **state)
{
	static const char *const rows[][2] = {
		{ "::error file=a::b", "\\x3a:error file=a::b" },
		{ "a\n \t::add-mask::b\nc", "a\n \t\\x3a:add-mask::b\nc" },
		{ "\xc2\xa0::stop-commands::b", "\xc2\xa0\\x3a:stop-commands::b" },
		{ "a ::error::b", "a ::error::b" }, /* not at the start of the line */
		{ "::1", "::1" },
		{ "::", "::" },
		{ "::x", "::x" },
		{ "::x\n::", "::x\n::" }, /* a command is one line */
		{ ":::x::y", ":::x::y" },
		{ "x ##vso[a]", "x #\\x23vso[a]" },
		{ "##[error]", "#\\x23[error]" },
		{ "###[group]", "##\\x23[group]" },
		{ "##teamcity[x", "#\\x23teamcity[x" },
		{ "## heading [x]", "## heading [x]" },
		{ "#[x", "#[x" },
		{ "##", "##" },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		AUTO_BUF out = BUF_INIT(1000);

		hide_commands(rows[i][0], strlen(rows[i][0]), &out);
		assert_string_equal(buf_text(&out), rows[i][1]);
	}
}

static void test_log__writes_one_clean_line(void **state)
{
	static const struct {
		struct log_options options;
		enum log_level level;
		const char *want; /* behind a timestamp where there is one */
	} rows[] = {
		{ { LOG_INFO, LOG_TEXT }, LOG_WARN, "reconcile: warning: a \"b\" *****\\x0a\n" },
		{ { LOG_INFO, LOG_TEXT }, LOG_INFO, "reconcile: a \"b\" *****\\x0a\n" },
		{ { LOG_INFO, LOG_TEXT }, LOG_DEBUG, "" },
		{ { LOG_DEBUG, LOG_JSON },
		  LOG_ERROR,
		  ",\"level\":\"error\",\"message\":\"a \\\"b\\\" *****\\\\x0a\"}\n" },
		{ { LOG_DEBUG, LOG_LOGFMT },
		  LOG_DEBUG,
		  " level=debug msg=\"a \\\"b\\\" *****\\\\x0a\"\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct log_options options = rows[i].options;
		char line[1000] = "";
		int ends[2];
		size_t len;

		assert_int_equal(pipe(ends), 0);
		options.fd = ends[1];
		log_init(&options);
		assert_int_equal(log_is_on(rows[i].level), *rows[i].want != '\0');
		log_line(rows[i].level, "a \"b\" %s\n", "hunter2pass");
		close(ends[1]);
		assert_true(read(ends[0], line, sizeof(line) - 1) >= 0);
		close(ends[0]);
		len = strlen(rows[i].want);
		assert_true(strlen(line) >= len);
		assert_string_equal(line + strlen(line) - len, rows[i].want);
		if (options.format == LOG_TEXT)
			assert_int_equal(strlen(line), len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_redact__masks_every_form),
		cmocka_unit_test(test_redact__masks_base64_at_every_alignment),
		cmocka_unit_test(test_redact_err__keeps_the_kind),
		cmocka_unit_test(test_sanitize__shows_what_would_hide),
		cmocka_unit_test(test_hide_commands__leaves_nothing_that_a_ci_obeys),
		cmocka_unit_test(test_log__writes_one_clean_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
