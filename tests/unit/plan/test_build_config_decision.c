/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_build_config_decision.c — the decision about a build config, exhaustively: every set of facts against the documented
 * order of gates; every row decides something and can be told in words. And URLs without their logins.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "reconcile/plan/rules_build_config.h"

#define FACTS     15
#define RULES_MAX 32

static enum build_config_verdict wanted(unsigned facts)
{
	if (facts & (BC_ASKED | BC_FIRED))
		return BC_MAKE;
	return facts & BC_NEW ? BC_RESUME : BC_RETRY;
}

static enum build_config_verdict documented(unsigned facts)
{
	bool is_wanted = (facts & BC_WANTED) != 0;

	if (facts & BC_CHANGED)
		return BC_IMMUTABLE;
	if (facts & BC_PAUSED)
		return facts & BC_ASKED ? BC_REFUSE : BC_REST;
	if (facts & BC_UNSENT)
		return facts & BC_ASKED ? BC_NO_BINARY : BC_BINARY;
	if (facts & BC_RUNNING)
		return BC_WAIT;
	if ((facts & BC_FORBIDDEN) && is_wanted)
		return BC_FORBID;
	if ((facts & BC_SOURCE_FAILED) && (is_wanted || (facts & BC_FOLLOWS)))
		return BC_UNREADY;
	/* What was sent along was sent with a start, which is a wish of its own. */
	if ((facts & BC_LACKING) && (facts & BC_SENT))
		return BC_FAIL;
	if ((facts & BC_LACKING) && is_wanted)
		return BC_NEW_BUILD;
	if (is_wanted)
		return wanted(facts);
	return facts & BC_LAST_FAILED ? BC_FAILED : BC_CURRENT;
}

static void test_rules__decide_every_set_of_facts_as_documented(void **state)
{
	bool is_reached[BC_VERDICTS] = { false };
	const char *rows[RULES_MAX] = { NULL };
	size_t n_rows = 0;

	(void)state;
	for (unsigned facts = 0; facts < 1u << FACTS; facts++) {
		const struct build_config_rule *rule = build_config_rule_find(facts);
		size_t i = 0;

		if (rule->verdict != documented(facts))
			fail_msg("facts 0x%x: rule %s gives verdict %d, documented is %d", facts,
				 rule->id, (int)rule->verdict, (int)documented(facts));
		is_reached[rule->verdict] = true;
		while (i < n_rows && rows[i] != rule->id)
			i++;
		if (i == n_rows)
			rows[n_rows++] = rule->id;
	}
	for (size_t i = 0; i < BC_VERDICTS; i++)
		assert_true(is_reached[i]);
	assert_int_equal(n_rows, 17); /* no row is hidden by those above it */
	for (size_t i = 0; i < n_rows; i++)
		assert_string_equal(rule_text(rows[i]), build_config_rule_text(rows[i]));
	assert_null(rule_text("B99"));
	assert_null(rule_text(NULL));
}

static void test_urls__lose_their_login(void **state)
{
	static const struct {
		const char *url, *shown;
	} rows[] = {
		{ "https://git.local/a.git", "https://git.local/a.git" },
		{ "https://joe:word@git.local/a.git", "https://git.local/a.git" },
		{ "https://token@git.local/a.git", "https://git.local/a.git" },
		{ "https://a@b:c@git.local/a@b.git", "https://git.local/a@b.git" },
		{ "https://git.local/a@b.git", "https://git.local/a@b.git" },
		{ "https://git.local?x=a@b", "https://git.local?x=a@b" },
		{ "ssh://git@git.local/a.git", "ssh://git@git.local/a.git" },
		{ "ssh://git:word@git.local:22/a.git", "ssh://git@git.local:22/a.git" },
		{ "git+ssh://git:word@git.local/a.git", "git+ssh://git@git.local/a.git" },
		{ "git@git.local:a.git", "git@git.local:a.git" },
		{ "://a:b@c", "://c" },
		{ "https://:@", "https://" },
		{ "../a.git", "../a.git" },
		{ "", "" },
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++)
		assert_string_equal(url_without_login(rows[i].url, arena), rows[i].shown);
	assert_null(url_without_login(NULL, arena));
	arena_free(arena);
}

static void test_texts__lose_the_logins_of_their_urls(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	assert_string_equal(
		text_without_logins("cannot resolve 'main' of 'https://a:b@c/d.git': (http://x@y)",
				    arena),
		"cannot resolve 'main' of 'https://c/d.git': (http://y)");
	assert_string_equal(text_without_logins("  mail a@b:  no", arena), "  mail a@b:  no");
	assert_string_equal(text_without_logins("", arena), "");
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules__decide_every_set_of_facts_as_documented),
		cmocka_unit_test(test_urls__lose_their_login),
		cmocka_unit_test(test_texts__lose_the_logins_of_their_urls),
	};

	return cmocka_run_group_tests_name("build config decision", tests, NULL, NULL);
}
