/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_extend_rule.c — what Dockerfiles of image extensions may say, which run image several of them choose, and what images
 * say. The words of refusals and warnings are the reference's where it has them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "buildexec/cnb/extend_rule.h"
#include "model/base/buf.h"
#include "model/doc/toml.h"

#define HEAD "ARG base_image\nFROM ${base_image}\n"

static struct extend_file file_of(enum extend_kind kind, const char *text, struct arena *arena)
{
	struct extend_file file = { .kind = kind, .id = "a/b", .version = "1" };
	struct err err = { 0 };

	if (!dockerfile_parse(text, strlen(text), arena, &file.text, &err))
		fail_msg("%s: %s", text, err.text);
	return file;
}

/* clang-format off */
static const struct {
	const char *name;
	enum extend_kind kind;
	const char *text, *want; /* "base=… changes" and warnings, or the refusal */
} checked[] = {
	{ "nothing but FROM", EXTEND_BUILD, HEAD, "" },
	{ "a command", EXTEND_BUILD, HEAD "RUN a\n", "changes" },
	{ "a default for the base", EXTEND_BUILD, "ARG base_image=x\nFROM ${base_image}\nRUN a\n", "changes" },
	{ "a stage with a name", EXTEND_BUILD, "ARG base_image\nFROM ${base_image} AS it\nRUN a\n", "changes" },
	{ "small letters", EXTEND_BUILD, "arg base_image\nfrom ${base_image}\nrun a\n", "changes" },
	{ "all that is advised", EXTEND_BUILD, HEAD "ADD a b\nARG c\nCOPY a b\nENV a=b\nLABEL a=b\nRUN a\nSHELL [\"a\"]\nUSER a\nWORKDIR /a\n", "changes" },
	{ "no ARG", EXTEND_BUILD, "FROM ${base_image}\n", "build.Dockerfile did not start with required ARG command (ARG base_image)" },
	{ "another ARG", EXTEND_BUILD, "ARG other\nFROM ${base_image}\n", "build.Dockerfile did not start with required ARG command (ARG base_image)" },
	{ "an ARG with a longer name", EXTEND_BUILD, "ARG base_image_2\nFROM ${base_image}\n", "build.Dockerfile did not start with required ARG command (ARG base_image)" },
	{ "two ARGs", EXTEND_BUILD, "ARG base_image\nARG other\nFROM ${base_image}\n", "build.Dockerfile did not start with required ARG command (ARG base_image)" },
	{ "another base", EXTEND_BUILD, "ARG base_image\nFROM a\n", "build.Dockerfile did not contain required FROM ${base_image} command" },
	{ "without braces", EXTEND_BUILD, "ARG base_image\nFROM $base_image\n", "build.Dockerfile did not contain required FROM ${base_image} command" },
	{ "two stages", EXTEND_BUILD, HEAD "FROM a\n", "build.Dockerfile is not permitted to use multistage build" },
	{ "no stage", EXTEND_BUILD, "ARG base_image\n", "build.Dockerfile should have at least one stage" },
	{ "empty", EXTEND_BUILD, "", "build.Dockerfile should have at least one stage" },
	{ "unknown", EXTEND_BUILD, HEAD "MAKE a\n", "build.Dockerfile: line 3: unknown instruction: MAKE" },
	{ "not advised", EXTEND_BUILD, HEAD "EXPOSE 1\nCMD a\n",
	  "changes; build.Dockerfile command EXPOSE on line 3 is not recommended; build.Dockerfile command CMD on line 4 is not recommended" },
	{ "a file for the run image", EXTEND_RUN, HEAD "RUN a\n", "changes" },
	{ "without its ARG", EXTEND_RUN, "FROM ${base_image}\nRUN a\n", "changes" },
	{ "another run image", EXTEND_RUN, "FROM r/other:1\n", "base=r/other:1" },
	{ "another one, changed", EXTEND_RUN, "FROM r/other:1\nRUN a\n", "base=r/other:1 changes" },
	{ "only ARG behind it", EXTEND_RUN, "FROM r/other:1\nARG a\n", "base=r/other:1 changes" },
	{ "ARGs before it", EXTEND_RUN, "ARG a\nARG b\nFROM ${base_image}\n", "" },
	{ "by a variable", EXTEND_RUN, "ARG a\nFROM r/${a}\n", "run.Dockerfile begins with FROM r/${a}: it may be an image or ${base_image}" },
	{ "two run images", EXTEND_RUN, "FROM a\nFROM b\n", "run.Dockerfile is not permitted to use multistage build" },
	{ "no run image", EXTEND_RUN, "# nothing\n", "run.Dockerfile should have at least one stage" },
	{ "RUN before FROM", EXTEND_RUN, "RUN a\nFROM b\n", "run.Dockerfile: line 1: RUN stands before FROM" },
};
/* clang-format on */

static void test_check__table(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNTOF(checked); i++) {
		struct arena *arena = arena_new();
		struct extend_file file = file_of(checked[i].kind, checked[i].text, arena);
		struct strings warnings = { 0 };
		AUTO_BUF got = BUF_INIT(4096);
		struct err err = { 0 };

		if (!extend_file_check(&file, arena, &warnings, &err)) {
			assert_int_equal(err.kind, ERR_INVALID);
			buf_puts(&got, err.text);
		} else {
			if (file.new_base)
				buf_printf(&got, "base=%s", file.new_base);
			if (file.has_changes)
				buf_printf(&got, "%schanges", got.len ? " " : "");
			for (size_t k = 0; k < warnings.n; k++)
				buf_printf(&got, "; %s", warnings.v[k]);
		}
		if (strcmp(buf_text(&got), checked[i].want) != 0)
			fail_msg("%s: '%s', not '%s'", checked[i].name, buf_text(&got),
				 checked[i].want);
		arena_free(arena);
	}
}

/* Files of a group as letters: b build, r run on what there is, x y run on that image, X Y the same with changes. */
static const struct {
	const char *files, *ignored;
	char chosen; /* 0: none */
	bool build, run;
} choices[] = {
	{ "", "", 0, false, false },       { "b", "", 0, true, false },
	{ "r", "", 0, false, true },       { "rbr", "", 0, true, true },
	{ "x", "", 'x', false, false },    { "rx", "r", 'x', false, false },
	{ "xr", "", 'x', false, true },    { "X", "", 'X', false, true },
	{ "rXr", "r", 'X', false, true },  { "xy", "x", 'y', false, false },
	{ "XbyB", "X", 'y', true, false }, { "Xrbyr", "Xr", 'y', true, true },
};

static void test_choose_run__the_last_other_image_wins(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNTOF(choices); i++) {
		struct arena *arena = arena_new();
		struct extend_files files = { 0 };
		const struct extend_file *chosen;
		AUTO_BUF ignored = BUF_INIT(64);
		struct strings warnings = { 0 };
		struct err err = { 0 };

		for (const char *p = choices[i].files; *p; p++) {
			bool is_build = *p == 'b' || *p == 'B', is_base = is_build || *p == 'r';
			const char *text = is_base ? HEAD "RUN a\n"
						   : arena_printf(arena, "FROM %c\n%s", *p | 0x20,
								  *p < 'a' ? "RUN a\n" : "");
			struct extend_file file =
				file_of(is_build ? EXTEND_BUILD : EXTEND_RUN, text, arena);

			file.id = arena_printf(arena, "%c", *p);
			assert_true(extend_file_check(&file, arena, &warnings, &err));
			vec_push(arena, &files, file);
		}
		chosen = extend_choose_run(&files);
		assert_int_equal(chosen ? chosen->id[0] : 0, choices[i].chosen);
		for (size_t k = 0; k < files.n; k++)
			if (files.v[k].is_ignored)
				buf_puts(&ignored, files.v[k].id);
		assert_string_equal(buf_text(&ignored), choices[i].ignored);
		assert_int_equal(extend_is_due(&files, EXTEND_BUILD), choices[i].build);
		assert_int_equal(extend_is_due(&files, EXTEND_RUN), choices[i].run);
		arena_free(arena);
	}
}

/* clang-format off */
static const struct {
	const char *toml, *want;
} configs[] = {
	{ "", "" },
	{ "[[build.args]]\nname = \"a\"\nvalue = \"1\"\n[[run.args]]\nname = \"b\"\nvalue = \"\"\n", "build a=1 run b=" },
	{ "[build]\n[run]\n", "" },
	{ "[[run.args]]\nname = \"a\"\nvalue = \"1\"\n[[run.args]]\nname = \"b\"\nvalue = \"2\"\n", "run a=1 run b=2" },
	{ "[[run.args]]\nname = \"build_id\"\nvalue = \"1\"\n", "extend-config.toml: invalid content: arg with name 'build_id' is not allowed" },
	{ "[[run.args]]\nname = \"user_id\"\nvalue = \"1\"\n", "extend-config.toml: invalid content: arg with name 'user_id' is not allowed" },
	{ "[[run.args]]\nname = \"group_id\"\nvalue = \"1\"\n", "extend-config.toml: invalid content: arg with name 'group_id' is not allowed" },
	{ "[[run.args]]\nvalue = \"1\"\n", "extend-config.toml: an argument lacks name or value" },
	{ "[[run.args]]\nname = \"a\"\n", "extend-config.toml: an argument lacks name or value" },
	{ "[[run.args]]\nname = \"a\"\nvalue = 1\n", "extend-config.toml: an argument lacks name or value" },
	{ "run = 1\n", "extend-config.toml: 'run.args' is no list of tables" },
	{ "[run]\nargs = \"a\"\n", "extend-config.toml: 'run.args' is no list of tables" },
	{ "[run]\nargs = [1]\n", "extend-config.toml: an argument lacks name or value" },
};
/* clang-format on */

static void test_config__table(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNTOF(configs); i++) {
		struct arena *arena = arena_new();
		AUTO_BUF got = BUF_INIT(4096);
		struct err err = { 0 };
		struct node *toml;

		assert_true(
			toml_parse(configs[i].toml, strlen(configs[i].toml), arena, &toml, &err));
		for (int kind = 0; kind < EXTEND_KINDS; kind++) {
			struct pairs args;

			if (!extend_config_read(toml, (enum extend_kind)kind, arena, &args, &err)) {
				buf_puts(&got, err.text);
				break;
			}
			for (size_t k = 0; k < args.n; k++)
				buf_printf(&got, "%s%s %s=%s", got.len ? " " : "",
					   extend_kind_name((enum extend_kind)kind), args.v[k].key,
					   args.v[k].value);
		}
		assert_string_equal(buf_text(&got), configs[i].want);
		arena_free(arena);
	}
}

static void test_images__what_they_say(void **state)
{
	static const struct {
		const char *label;
		bool want;
	} labels[] = { { NULL, false },  { "true", true }, { "1", true },
		       { "True", true }, { "t", true },    { "false", false },
		       { "yes", false }, { "", false },    { "tRUE", false } };
	static const struct {
		const char *user, *uid, *gid;
		bool is_root;
	} users[] = { { NULL, "", "", false },
		      { "", "", "", false },
		      { "0", "0", "", true },
		      { "root:root", "root", "root", true },
		      { "1001:1000", "1001", "1000", false },
		      { "cnb", "cnb", "", false },
		      { "1:2:3", "1", "2", false } };
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNTOF(labels); i++) {
		struct pairs pairs = { 0 };

		if (labels[i].label)
			vec_push(arena, &pairs,
				 (struct pair){ .key = "io.buildpacks.rebasable",
						.value = labels[i].label });
		assert_int_equal(extend_is_rebasable(&pairs), labels[i].want);
	}
	for (size_t i = 0; i < COUNTOF(users); i++) {
		const char *uid, *gid;

		extend_split_user(users[i].user, arena, &uid, &gid);
		assert_string_equal(uid, users[i].uid);
		assert_string_equal(gid, users[i].gid);
		assert_int_equal(extend_is_root(uid), users[i].is_root);
	}
	arena_free(arena);
}

static void test_declares__names_of_ARG(void **state)
{
	struct arena *arena = arena_new();
	const struct extend_file file =
		file_of(EXTEND_RUN, "ARG a=1 b\nFROM x\nARG c=d e\n# ARG f\nRUN ARG g\n", arena);

	(void)state;
	for (const char *p = "abcdefg"; *p; p++) {
		const char name[] = { *p, '\0' };

		assert_int_equal(extend_declares(&file.text, name), strchr("abce", *p) != NULL);
	}
	arena_free(arena);
}

static void test_layers__are_named_by_their_instructions(void **state)
{
	struct arena *arena = arena_new();
	const struct extend_file file = file_of(
		EXTEND_RUN, HEAD "RUN a && \\\n  b\nENV c=d\nWORKDIR /e\ncopy f g\n", arena);
	static const struct {
		size_t n;
		const char *want;
	} rows[] = {
		{ 0, "" },
		{ 1, "run.Dockerfile|" },
		{ 2, "RUN a &&   b|COPY f g|" },
		{ 3, "RUN a &&   b|WORKDIR /e|COPY f g|" },
		{ 4, "run.Dockerfile|run.Dockerfile|run.Dockerfile|run.Dockerfile|" },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct strings names = { 0 };
		AUTO_BUF want = BUF_INIT(1024), got = BUF_INIT(1024);
		char *text = arena_strdup(arena, rows[i].want), *end;

		for (; (end = strchr(text, '|')) != NULL; text = end + 1)
			buf_printf(&want, "Layer: '%.*s', Created by extension: a/b\n",
				   (int)(end - text), text);
		extend_name_layers(&file, rows[i].n, arena, &names);
		for (size_t k = 0; k < names.n; k++)
			buf_printf(&got, "%s\n", names.v[k]);
		assert_string_equal(buf_text(&got), buf_text(&want));
	}
	arena_free(arena);
}

static void test_uuid__has_its_form(void **state)
{
	struct arena *arena = arena_new();
	const char *one = extend_uuid("a", arena);

	(void)state;
	assert_string_equal(one, "ca978112-ca1b-8bdc-aafa-c231b39a23dc");
	assert_string_equal(one, extend_uuid("a", arena));
	assert_string_not_equal(one, extend_uuid("b", arena));
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check__table),
		cmocka_unit_test(test_choose_run__the_last_other_image_wins),
		cmocka_unit_test(test_config__table),
		cmocka_unit_test(test_images__what_they_say),
		cmocka_unit_test(test_declares__names_of_ARG),
		cmocka_unit_test(test_layers__are_named_by_their_instructions),
		cmocka_unit_test(test_uuid__has_its_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
