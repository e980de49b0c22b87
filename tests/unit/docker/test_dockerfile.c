/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_dockerfile.c — instructions are found where an engine finds them, and changes touch nothing else. The rows of `changed`
 * up to "two replacements" are the cases that OpenShift's builder is tested with.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "buildexec/docker/dockerfile_change.h"

static const struct dockerfile *parse(const char *text, struct arena *arena)
{
	struct dockerfile *file = ARENA_NEW(arena, struct dockerfile);
	struct err err = { 0 };

	if (!dockerfile_parse(text, strlen(text), arena, file, &err))
		fail_msg("%s: %s", text, err.text);
	return file;
}

/* "FROM@1(image,stage,platform) COPY@2(from)", for people. */
static const char *shown(const struct dockerfile *file, struct arena *arena)
{
	AUTO_BUF out = BUF_INIT(1 << 16);

	for (size_t i = 0; i < file->n; i++) {
		const struct docker_instruction *one = &file->v[i];

		buf_printf(&out, "%s%s@%u", i ? " " : "", one->name, one->line);
		if (one->image.value)
			buf_printf(&out, "(%s%s%s%s%s)", one->image.value,
				   one->stage.value ? "," : "",
				   one->stage.value ? one->stage.value : "",
				   one->platform.value ? "," : "",
				   one->platform.value ? one->platform.value : "");
	}
	return buf_copy(&out, arena);
}

/* clang-format off */
static const struct {
	const char *name, *text, *want;
} found[] = {
	{ "nothing", "", "" },
	{ "only a comment", "# no FROM instruction", "" },
	{ "one", "FROM a", "FROM@1(a)" },
	{ "lower case and blanks", "  from\t a  As   b \n", "FROM@1(a,b)" },
	{ "arg before from", "ARG X=1\nFROM a:$X\nRUN b\n", "ARG@1 FROM@2(a:$X) RUN@3" },
	{ "platform", "FROM --platform=linux/arm64 --other a AS b\n", "FROM@1(a,b,linux/arm64)" },
	{ "platform by variable", "FROM --platform=$BUILDPLATFORM a\n", "FROM@1(a,$BUILDPLATFORM)" },
	{ "comments", "# FROM x\n  # FROM y\nFROM a\n#FROM z\n", "FROM@3(a)" },
	{ "continued", "FROM \\\n  a \\\n  AS b\nRUN x\n", "FROM@1(a,b) RUN@4" },
	{ "continued in the middle of a word", "FROM al\\\npine\n", "FROM@1(alpine)" },
	{ "blanks behind the escape", "FROM \\  \t\n  a\n", "FROM@1(a)" },
	{ "a comment in a continuation", "RUN a \\\n# FROM x\n  && b\nFROM c\n", "RUN@1 FROM@4(c)" },
	{ "an empty line in a continuation", "RUN a \\\n\n  && b\nFROM c\n", "RUN@1 FROM@4(c)" },
	{ "a from inside a run", "RUN echo \\\nFROM x\nFROM c\n", "RUN@1 FROM@3(c)" },
	{ "escape directive", "# escape=`\nFROM c `\n AS d\nRUN dir c:\\\nFROM e\n", "FROM@2(c,d) RUN@4 FROM@5(e)" },
	{ "escape directive behind another", "# syntax=docker/dockerfile:1\n#  ESCAPE = ` \nFROM c `\n AS d\n", "FROM@3(c,d)" },
	{ "no directive behind a comment", "# hello\n# escape=`\nFROM c\nRUN a `\nFROM d\n", "FROM@3(c) RUN@4 FROM@5(d)" },
	{ "no directive behind an empty line", "\n# escape=`\nRUN a `\nFROM d\n", "RUN@3 FROM@4(d)" },
	{ "here-document", "FROM a\nRUN <<EOF\nFROM x\nEOF\nRUN y\n", "FROM@1(a) RUN@2 RUN@5" },
	{ "here-document with tabs", "RUN cat <<-EOF\n\tFROM x\n\tEOF\nFROM a\n", "RUN@1 FROM@4(a)" },
	{ "tabs do not end one without the dash", "RUN <<E\n\tE\nE\nFROM a\n", "RUN@1 FROM@4(a)" },
	{ "quoted name", "RUN <<\"EOF\" cat\nEOF\" \nEOF\nFROM a\n", "RUN@1 FROM@4(a)" },
	{ "two here-documents", "COPY <<one <<two /\nFROM x\ntwo\none\nFROM y\ntwo\nFROM a\n", "COPY@1 FROM@7(a)" },
	{ "descriptor", "RUN 3<<EOF\nFROM x\nEOF\nFROM a\n", "RUN@1 FROM@4(a)" },
	{ "a here-string is none", "RUN cat <<<EOF\nFROM a\n", "RUN@1 FROM@2(a)" },
	{ "quoted is none", "RUN echo \"<<EOF\" '<<EOF'\nFROM a\n", "RUN@1 FROM@2(a)" },
	{ "in the middle of a word is none", "RUN echo a<<EOF\nFROM a\n", "RUN@1 FROM@2(a)" },
	{ "escaped quote", "RUN echo \\\" <<EOF\nFROM x\nEOF\nFROM a\n", "RUN@1 FROM@4(a)" },
	{ "not in env", "ENV A=<<EOF B=<<EOF\nENV C <<EOF\nFROM a\n", "ENV@1 ENV@2 FROM@3(a)" },
	{ "onbuild", "ONBUILD RUN <<EOF\nFROM x\nEOF\nFROM a\n", "ONBUILD@1 FROM@4(a)" },
	{ "copy", "COPY --chown=1 --from=b /a /b\n", "COPY@1(b)" },
	{ "copy without", "COPY -from=b /a /b\nCOPY /a --from=b\n", "COPY@1 COPY@2" },
	{ "crlf", "FROM a\r\nRUN b \\\r\n c\r\nFROM d AS e\r\n", "FROM@1(a) RUN@2 FROM@4(d,e)" },
	{ "byte order mark", "\xef\xbb\xbf" "FROM a\n", "FROM@1(a)" },
	{ "dangling escape", "FROM a\nRUN b \\\n", "FROM@1(a) RUN@2" },
};
/* clang-format on */

static void test_dockerfile__instructions_are_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNTOF(found); i++) {
		struct arena *arena = arena_new();
		const char *got = shown(parse(found[i].text, arena), arena);

		if (strcmp(got, found[i].want) != 0)
			fail_msg("%s: %s, not %s", found[i].name, got, found[i].want);
		arena_free(arena);
	}
}

/* clang-format off */
static const struct {
	const char *text, *want;
} refused[] = {
	{ "RUN a\nFROM\n", "line 2 of the Dockerfile: FROM has no image" },
	{ "FROM --platform=x\n", "line 1 of the Dockerfile: FROM has no image" },
	{ "FROM a\nRUN b \\\\\n", "line 2 of the Dockerfile: the last instruction ends in several \\" },
	{ "FROM \\ \\\n", "line 1 of the Dockerfile: the last instruction ends in several \\" },
	{ "# escape=x\n", "line 1 of the Dockerfile: the escape directive takes \\ or `" },
	{ "FROM a\nRUN <<EOF\nx\n", "line 2 of the Dockerfile: the here-document 'EOF' has no end" },
};
/* clang-format on */

static void test_dockerfile__mistakes_are_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNTOF(refused); i++) {
		struct arena *arena = arena_new();
		struct dockerfile file;
		struct err err = { 0 };

		assert_false(dockerfile_parse(refused[i].text, strlen(refused[i].text), arena,
					      &file, &err));
		assert_int_equal(err.kind, ERR_INVALID);
		assert_string_equal(err.text, refused[i].want);
		arena_free(arena);
	}
}

static void test_dockerfile__nul_bytes_and_huge_texts_are_refused(void **state)
{
	struct arena *arena = arena_new();
	char *huge = arena_alloc(arena, DOCKERFILE_MAX_BYTES + 1);
	struct dockerfile file;
	struct err err = { 0 };

	(void)state;
	assert_false(dockerfile_parse("FROM a\0b", 8, arena, &file, &err));
	assert_string_equal(err.text, "the Dockerfile has NUL bytes");
	memset(huge, '\n', DOCKERFILE_MAX_BYTES + 1);
	assert_false(dockerfile_parse(huge, DOCKERFILE_MAX_BYTES + 1, arena, &file, &err));
	assert_string_equal(err.text, "the Dockerfile has more than 4194304 bytes");
	assert_true(dockerfile_parse(huge, DOCKERFILE_MAX_BYTES, arena, &file, &err));
	arena_free(arena);
}

/* clang-format off */
static const struct {
	const char *name, *text, *from;
	struct pair images[4];
	const char *want; /* NULL: as it was */
} changed[] = {
	{ "arg", "ARG C=golang:latest\nFROM $C\nRUN echo \"hello world\"\n", NULL, { { 0 } }, NULL },
	{ "commented", "FROM scratch\n# FROM busybox\nRUN x\n", NULL, { { 0 } }, NULL },
	{ "two stages", "FROM scratch as test\nFROM busybox\nCOPY --from=test /a /b\nCOPY --from=nginx /a /c\n", NULL, { { 0 } }, NULL },
	{ "one dash is no flag", "FROM scratch as test\nCOPY -from=test /a /b\n", NULL, { { "test", "n" } }, NULL },
	{ "another name", "FROM scratch as test\nCOPY --from=test:latest /a /b\n", NULL, { { "test", "nginx:latest" } }, NULL },
	{ "a stage is no image", "FROM scratch as test\nFROM other\nCOPY --from=test /a /b\n", NULL, { { "test", "nginx:latest" } }, NULL },
	{ "exact name", "FROM scratch as test\nCOPY --from=test:latest /a /b\n", NULL, { { "test:latest", "nginx:latest" } },
	  "FROM scratch as test\nCOPY --from=nginx:latest /a /b\n" },
	{ "from wins over as", "FROM scratch as test\nCOPY --from=test:latest /a /b\n", "from-image:v1",
	  { { "scratch", "nginx:latest" }, { "test:latest", "nginx:latest" } },
	  "FROM from-image:v1 as test\nCOPY --from=nginx:latest /a /b\n" },
	{ "as replaces the new from", "FROM scratch as test\nCOPY --from=test:latest /a /b\n", "from-image:v1",
	  { { "scratch", "nginx:latest" }, { "test:latest", "nginx:latest" }, { "from-image:v1", "nginx:latest" } },
	  "FROM nginx:latest as test\nCOPY --from=nginx:latest /a /b\n" },
	{ "both stages", "FROM test\nFROM scratch as test\nCOPY --from=test /a /b\n", NULL,
	  { { "test", "nginx:latest" }, { "scratch", "nginx:latest" } },
	  "FROM nginx:latest\nFROM nginx:latest as test\nCOPY --from=test /a /b\n" },
	{ "a stage of later on", "FROM other\nCOPY --from=test /a /b\nFROM scratch as test\nCOPY --from=test /a /b\n", NULL,
	  { { "test", "nginx:latest" }, { "scratch", "nginx:latest" } },
	  "FROM other\nCOPY --from=nginx:latest /a /b\nFROM nginx:latest as test\nCOPY --from=test /a /b\n" },
	{ "two replacements", "FROM other\nCOPY --from=test /a /b\nFROM scratch as test\nCOPY --from=test /a /b\n", "nginx:v1",
	  { { "test", "nginx:latest" }, { "scratch", "nginx:latest" } },
	  "FROM other\nCOPY --from=nginx:latest /a /b\nFROM nginx:v1 as test\nCOPY --from=test /a /b\n" },
	{ "only the last from", "FROM a AS one\nRUN x\nFROM b\nRUN y", "c", { { 0 } }, "FROM a AS one\nRUN x\nFROM c\nRUN y" },
	{ "flags and case stay", "from   --platform=linux/amd64\ta\tAS  one # not a comment\n", "c", { { 0 } },
	  "from   --platform=linux/amd64\tc\tAS  one # not a comment\n" },
	{ "over lines", "FROM --platform=x \\\n # why\n  al\\\npine \\\n AS b\n", "c", { { 0 } }, "FROM --platform=x \\\n # why\n  c \\\n AS b\n" },
	{ "stages have any case", "FROM a AS Test\nCOPY --from=tEST /a /b\nCOPY --from=0 /a /b\n", NULL, { { "tEST", "n" }, { "0", "n" } }, NULL },
	{ "in a here-document", "FROM a\nRUN <<EOF\nCOPY --from=x\nEOF\nCOPY --chown=1 --from=x /a /b\n", NULL, { { "x", "y" } },
	  "FROM a\nRUN <<EOF\nCOPY --from=x\nEOF\nCOPY --chown=1 --from=y /a /b\n" },
};
/* clang-format on */

static struct docker_changes changes_of(const char *from, const struct pair *images, size_t max)
{
	struct docker_changes changes = { .from = from };

	changes.images.v = (struct pair *)(uintptr_t)images;
	while (changes.images.n < max && images[changes.images.n].key)
		changes.images.n++;
	return changes;
}

static char *change(const char *text, const struct docker_changes *changes, struct arena *arena)
{
	AUTO_BUF out = BUF_INIT(DOCKERFILE_OUT_MAX_BYTES);
	struct err err = { 0 };

	if (!dockerfile_change(parse(text, arena), changes, &out, &err))
		fail_msg("%s: %s", text, err.text);
	return buf_copy(&out, arena);
}

static void test_dockerfile__images_are_replaced(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNTOF(changed); i++) {
		const struct docker_changes changes =
			changes_of(changed[i].from, changed[i].images, COUNTOF(changed[i].images));
		const char *want = changed[i].want ? changed[i].want : changed[i].text;
		struct arena *arena = arena_new();
		const char *got = change(changed[i].text, &changes, arena);

		if (strcmp(got, want) != 0)
			fail_msg("%s: %s, not %s", changed[i].name, got, want);
		arena_free(arena);
	}
}

static struct docker_pair env[] = { { "A", "1", false }, { "PATH", "/b:$PATH", true } };
static struct docker_pair last_env[] = { { "OPENSHIFT_BUILD_NAME", "x-1", false } };
static struct docker_pair labels[] = { { "l", "$HOME \"q\" \\ é\nend\t.", false },
				       { "io.x", "", false },
				       { "n", NULL, false } };
#define ENV_LINE "ENV \"A\"=\"1\" \"PATH\"=\"/b:$PATH\"\n"
#define LAST_LINES                                                                                 \
	"ENV \"OPENSHIFT_BUILD_NAME\"=\"x-1\"\n"                                                   \
	"LABEL \"l\"=\"\\$HOME \\\"q\\\" \\\\ é\\nend\t.\" \"io.x\"=\"\" \"n\"=\"\"\n"

/* clang-format off */
static const struct {
	const char *name, *text, *want;
} added[] = {
	{ "one stage", "FROM a\nRUN x\n", "FROM a\n" ENV_LINE "RUN x\n" LAST_LINES },
	{ "after every from", "ARG V\nFROM a\nRUN x\nFROM b AS c\n# end\n",
	  "ARG V\nFROM a\n" ENV_LINE "RUN x\nFROM b AS c\n" ENV_LINE "# end\n" LAST_LINES },
	{ "no line break at the end", "FROM a", "FROM a\n" ENV_LINE LAST_LINES },
	{ "none behind a run", "FROM a\nRUN x", "FROM a\n" ENV_LINE "RUN x\n" LAST_LINES },
	{ "behind a continued from", "FROM \\\n a\nRUN x\n", "FROM \\\n a\n" ENV_LINE "RUN x\n" LAST_LINES },
	{ "behind a here-document", "FROM a\nRUN <<E\nFROM b\nE\n", "FROM a\n" ENV_LINE "RUN <<E\nFROM b\nE\n" LAST_LINES },
	/* What follows must not become part of the instruction that the escape would continue. */
	{ "dangling escape", "FROM a\nRUN x \\\n", "FROM a\n" ENV_LINE "RUN x \n" LAST_LINES },
	{ "dangling escape before comments", "FROM a\nRUN x \\\n\n# c\n", "FROM a\n" ENV_LINE "RUN x \n\n# c\n" LAST_LINES },
	{ "several dangling escapes", "FROM a\nRUN x \\\n \\\n", "FROM a\n" ENV_LINE "RUN x \n \n" LAST_LINES },
	{ "dangling escapes and a comment with one", "FROM a \\\n # c\\\n\\\n", "FROM a \n # c\\\n\n" ENV_LINE LAST_LINES },
	{ "dangling escape of a from", "FROM a \\\n", "FROM a \n" ENV_LINE LAST_LINES },
	{ "dangling escape without a line break", "FROM a \\", "FROM a \n" ENV_LINE LAST_LINES },
};
/* clang-format on */

static void test_dockerfile__variables_and_labels_are_added(void **state)
{
	const struct docker_changes changes = { .env = { env, COUNTOF(env) },
						.last_env = { last_env, COUNTOF(last_env) },
						.labels = { labels, COUNTOF(labels) } };

	(void)state;
	for (size_t i = 0; i < COUNTOF(added); i++) {
		struct arena *arena = arena_new();
		const char *got = change(added[i].text, &changes, arena);

		if (strcmp(got, added[i].want) != 0)
			fail_msg("%s: %s, not %s", added[i].name, got, added[i].want);
		arena_free(arena);
	}
}

static void test_dockerfile__quotes_with_the_file_s_own_escape_and_line_breaks(void **state)
{
	struct docker_pair one[] = { { "l", "a\\b `c` \"d\" $e\r\n\x01", false } };
	const struct docker_changes changes = { .labels = { one, 1 } };
	struct arena *arena = arena_new();

	(void)state;
	assert_string_equal(change("# escape=`\r\nFROM a\r\n", &changes, arena),
			    "# escape=`\r\nFROM a\r\n"
			    "LABEL \"l\"=\"a\\b ``c`` `\"d`\" `$e\\r\\n\\x01\"\r\n");
	arena_free(arena);
}

static void test_dockerfile__changes_that_do_not_fit_are_refused(void **state)
{
	static const char *const bad[] = { "", "a b", "a\nRUN x", "a\"", "a\\" };
	struct arena *arena = arena_new();
	AUTO_BUF out = BUF_INIT(100), small = BUF_INIT(10);
	struct docker_changes changes = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_false(
		dockerfile_change(parse("# no FROM instruction", arena), &changes, &out, &err));
	assert_string_equal(err.text, "no FROM instruction in the Dockerfile");
	for (size_t i = 0; i < COUNTOF(bad); i++) {
		struct pair image = { .key = "x", .value = bad[i] };

		changes = (struct docker_changes){ .from = bad[i] };
		assert_false(dockerfile_change(parse("FROM a\n", arena), &changes, &out, &err));
		changes = (struct docker_changes){ .images = { &image, 1, 1 } };
		assert_false(dockerfile_change(parse("FROM a\n", arena), &changes, &out, &err));
	}
	changes = (struct docker_changes){ .from = "a-long-image" };
	assert_false(dockerfile_change(parse("FROM a\n", arena), &changes, &small, &err));
	assert_string_equal(err.text, "the changed Dockerfile is too long");
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dockerfile__instructions_are_found),
		cmocka_unit_test(test_dockerfile__mistakes_are_named),
		cmocka_unit_test(test_dockerfile__nul_bytes_and_huge_texts_are_refused),
		cmocka_unit_test(test_dockerfile__images_are_replaced),
		cmocka_unit_test(test_dockerfile__variables_and_labels_are_added),
		cmocka_unit_test(
			test_dockerfile__quotes_with_the_file_s_own_escape_and_line_breaks),
		cmocka_unit_test(test_dockerfile__changes_that_do_not_fit_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
