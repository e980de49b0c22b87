/* SPDX-License-Identifier: Apache-2.0 */
/* test_images.c — variables in words, images that a Dockerfile takes from outside, and where instructions stand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "buildexec/engine/expand.h"
#include "buildexec/engine/images.h"

static const struct {
	const char *word, *want; /* NULL: not known */
} words[] = {
	{ "plain", "plain" },
	{ "$A", "one" },
	{ "${A}x", "onex" },
	{ "$A/$B", "one/" },
	{ "$C", NULL },
	{ "${C}", NULL },
	{ "${C:-other}", "other" },
	{ "${C:-$A}", "one" },
	{ "${C-other}", "other" },
	{ "${B:-other}", "other" },
	{ "${B-other}", "" },
	{ "${A:-other}", "one" },
	{ "${A:+set}", "set" },
	{ "${B:+set}", "" },
	{ "${B+set}", "set" },
	{ "${C+set}", "" },
	{ "${A#o}", NULL },
	{ "${A", NULL },
	{ "${}", NULL },
	{ "\\$A", "$A" },
	{ "'$A'", "$A" },
	{ "\"$A b\"", "one b" },
	{ "\"$A", NULL },
	{ "a$", "a$" },
	{ "${C:-${C:-${C:-deep}}}", "deep" },
};

static void test_expand__knows_what_is_known(void **state)
{
	struct arena *arena = arena_new();
	struct pairs values = { 0 };

	(void)state;
	docker_set(&values, "A", "none", arena);
	docker_set(&values, "B", NULL, arena);
	docker_set(&values, "A", "one", arena);
	for (size_t i = 0; i < COUNTOF(words); i++) {
		const char *got = docker_expand(words[i].word, '\\', &values, arena);

		if (!words[i].want != !got || (got && strcmp(got, words[i].want) != 0))
			fail_msg("%s became %s", words[i].word, got ? got : "unknown");
	}
	arena_free(arena);
}

/* "line:name[@platform][*]", a star where it must have that name; "?name" for unknown ones. */
static const struct {
	const char *text, *want;
} files[] = {
	{ "FROM a\n", "1:a" },
	{ "FROM scratch\nCOPY . /\n", "" },
	{ "ARG V=1\nFROM a:$V\n", "2:a:1" },
	{ "ARG V=1\nARG W=$V.2\nFROM a:${W}\n", "3:a:1.2" },
	{ "ARG GIVEN=no\nFROM a:$GIVEN\n", "2:a:yes" },
	{ "ARG GIVEN\nFROM a:$GIVEN\n", "2:a:yes" },
	{ "FROM a:$GIVEN\n", "?a:$GIVEN" },
	{ "FROM a AS one\nFROM ONE\nFROM one AS two\n", "1:a" },
	{ "FROM a AS a\nFROM a\n", "1:a" },
	{ "FROM a\nFROM b\nCOPY --from=0 x y\nCOPY --from=2 x y\n", "1:a 2:b 4:2" },
	{ "FROM a AS s\nFROM b\nCOPY --from=s x y\nCOPY --from=c:2 x y\n", "1:a 2:b 4:c:2" },
	{ "ARG X=out\nFROM a\nARG X\nCOPY --from=$X x y\n", "2:a 4:out" },
	{ "ARG X=out\nFROM a\nARG X=in\nCOPY --from=$X x y\n", "2:a 4:in" },
	{ "ARG X=out\nFROM a\nCOPY --from=$X x y\n", "2:a ?$X" },
	{ "FROM --platform=linux/arm64 a\n", "1:a@linux/arm64" },
	{ "FROM --platform=$BUILDPLATFORM a\n", "1:a@linux/amd64" },
	{ "FROM --platform=$UNKNOWN a\n", "?a" },
	{ "FROM a:${TARGETARCH}\n", "1:a:amd64" },
	{ "FROM a\nRUN --mount=type=bind,from=b:1,target=/x make\n", "1:a 2:b:1*" },
	{ "FROM a AS b\nRUN --network=none --mount=from=b,target=/x make --mount=from=c\n", "1:a" },
};

static const char *shown(const struct docker_images *images, struct arena *arena)
{
	AUTO_BUF out = BUF_INIT(4096);

	for (size_t i = 0; i < images->n; i++) {
		const struct docker_image *one = &images->v[i];

		buf_printf(&out, "%s%u:%s%s%s%s", out.len ? " " : "", one->line, one->name,
			   one->platform ? "@" : "", one->platform ? one->platform : "",
			   one->place.value ? "" : "*");
	}
	for (size_t i = 0; i < images->unknown.n; i++)
		buf_printf(&out, "%s?%s", out.len ? " " : "", images->unknown.v[i]);
	return buf_copy(&out, arena);
}

static void parse(const char *text, struct arena *arena, struct dockerfile *file,
		  struct docker_images *images)
{
	const struct platform host = { .os = "linux", .arch = "amd64" };
	struct pair given = { .key = "GIVEN", .value = "yes" };
	const struct pairs args = { &given, 1, 1 };
	struct err err = { 0 };

	if (!dockerfile_parse(text, strlen(text), arena, file, &err))
		fail_msg("%s: %s", text, err.text);
	docker_images_find(file, &args, &host, arena, images);
}

static void test_images__finds_what_comes_from_outside(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNTOF(files); i++) {
		struct docker_images images;
		struct dockerfile file;

		parse(files[i].text, arena, &file, &images);
		if (strcmp(shown(&images, arena), files[i].want) != 0)
			fail_msg("%s: %s", files[i].text, shown(&images, arena));
	}
	arena_free(arena);
}

static void test_images__replaces_names_and_nothing_else(void **state)
{
	static const char text[] =
		"ARG V=1\nFROM --platform=linux/amd64 \\\n  a:$V as x # no\n# FROM a\n"
		"COPY --from=b:2 --chown=1 c d\nRUN --mount=from=e,target=/e f\nFROM x\n";
	static const char want[] =
		"ARG V=1\nFROM --platform=linux/amd64 \\\n  ID0 as x # no\n# FROM a\n"
		"COPY --from=ID1 --chown=1 c d\nRUN --mount=from=e,target=/e f\nFROM x\n";
	const char *names[] = { "ID0", "ID1", "ID2" };
	const struct strings list = { names, COUNTOF(names), 0 };
	struct arena *arena = arena_new();
	AUTO_BUF out = BUF_INIT(4096);
	struct docker_images images;
	struct dockerfile file;

	(void)state;
	parse(text, arena, &file, &images);
	assert_int_equal(images.n, 3);
	docker_images_replace(&file, &images, &list, &out);
	assert_string_equal(buf_text(&out), want);
	arena_free(arena);
}

static void test_line_of__is_that_of_the_one_instruction(void **state)
{
	static const char text[] = "FROM a\nRUN x\nRUN make \\\n   all\nrun  one  two\nRUN x\n";
	struct arena *arena = arena_new();
	struct docker_images images;
	struct dockerfile file;

	(void)state;
	parse(text, arena, &file, &images);
	assert_int_equal(dockerfile_line_of(&file, "RUN make    all"), 3);
	assert_int_equal(dockerfile_line_of(&file, "RUN one two"), 5);
	assert_int_equal(dockerfile_line_of(&file, "RUN x"), 0);
	assert_int_equal(dockerfile_line_of(&file, "RUN makeall"), 0);
	assert_int_equal(dockerfile_line_of(&file, "COPY x"), 0);
	assert_int_equal(dockerfile_line_of(&file, ""), 0);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expand__knows_what_is_known),
		cmocka_unit_test(test_images__finds_what_comes_from_outside),
		cmocka_unit_test(test_images__replaces_names_and_nothing_else),
		cmocka_unit_test(test_line_of__is_that_of_the_one_instruction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
