/* SPDX-License-Identifier: Apache-2.0 */
/* test_tag_source.c — what the words and flags of `tag` mean: one row per case of openshift.md §5.3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "reconcile/tag_source.h"

#define ID     "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define LONG10 "0123456789"
#define LONG   LONG10 LONG10 LONG10 LONG10 LONG10 LONG10 LONG10 LONG10 LONG10 LONG10 LONG10 LONG10

/* What one command line comes to: the tag that is written and what is said, or the error. */
struct row {
	const char *source, *target;
	struct tag_options options;
	const char *kind, *from, *from_ns, *said; /* NULL kind: an error */
	const char *error;
};

/* python:3.5 is ID, python:ref a reference, python:empty nothing. */
static const struct stream_status *python(void)
{
	static struct tag_event event = { 1, "docker.io/library/python@" ID, ID, 1 };
	static struct tag_event reference = { 1, "quay.io/x/python:1", "", 1 };
	static struct tag_condition failed = { .type = "ImportSuccess", .status = "False" };
	static struct tag_history tags[] = {
		{ .tag = "3.5", .items = { &event, 1 } },
		{ .tag = "ref", .items = { &reference, 1 } },
		{ .tag = "empty", .conditions = { &failed, 1 } },
	};
	static struct stream_status status = { .tags = { tags, 3 } };

	return &status;
}

static bool run(const struct row *row, struct arena *arena, struct tag_ref **ref, char **said,
		struct err *err)
{
	struct tag_source source;
	struct tag_target target;
	struct tag_request request = { .options = &row->options,
				       .source = &source,
				       .targets = &target,
				       .n_targets = 1,
				       .ns = "default" };

	if (!tag_source_parse(row->source, row->options.source, arena, &source, err) ||
	    !tag_target_parse(row->target, "default", arena, &target, err) ||
	    !tag_request_check(&request, err))
		return false;
	if (!row->options.is_alias &&
	    !tag_source_pin(&source, strcmp(source.ref.name, "python") == 0 ? python() : NULL,
			    arena, err))
		return false;
	*ref = tag_request_ref(&request, &target, arena);
	*said = tag_request_message(&request, &target, arena);
	return true;
}

static const struct row rows[] = {
	/* the requirement's commands */
	{ "python:3.5",
	  "python:latest",
	  { 0 },
	  "ImageStreamImage",
	  "python@" ID,
	  NULL,
	  "Tag python:latest set to python@" ID ".",
	  NULL },
	{ "docker.io/python:3.6.0",
	  "python:3.6",
	  { 0 },
	  "DockerImage",
	  "docker.io/python:3.6.0",
	  NULL,
	  "Tag python:3.6 set to docker.io/python:3.6.0.",
	  NULL },
	{ "docker.io/python:3.6.0",
	  "python:3.6",
	  { .scheduled = "true" },
	  "DockerImage",
	  "docker.io/python:3.6.0",
	  NULL,
	  "Tag python:3.6 set to import docker.io/python:3.6.0 periodically.",
	  NULL },
	/* sources */
	{ "centos/python-35-centos7",
	  "python:3.5",
	  { 0 },
	  "DockerImage",
	  "centos/python-35-centos7",
	  NULL,
	  "Tag python:3.5 set to centos/python-35-centos7.",
	  NULL },
	{ "python@" ID,
	  "python:latest",
	  { 0 },
	  "ImageStreamImage",
	  "python@" ID,
	  NULL,
	  "Tag python:latest set to python@" ID ".",
	  NULL },
	{ "python@sha256:0123",
	  "python:latest",
	  { 0 },
	  "ImageStreamImage",
	  "python@" ID,
	  NULL,
	  "Tag python:latest set to python@" ID ".",
	  NULL },
	{ "python@0123",
	  "python:latest",
	  { 0 },
	  "ImageStreamImage",
	  "python@" ID,
	  NULL,
	  "Tag python:latest set to python@" ID ".",
	  NULL },
	{ "python:ref",
	  "web:1",
	  { 0 },
	  "DockerImage",
	  "quay.io/x/python:1",
	  NULL,
	  "Tag web:1 set to quay.io/x/python:1.",
	  NULL },
	{ "docker.io/library/python@" ID,
	  "python:1",
	  { 0 },
	  "DockerImage",
	  "docker.io/library/python@" ID,
	  NULL,
	  "Tag python:1 set to docker.io/library/python@" ID ".",
	  NULL },
	{ "python:3.5",
	  "python:x",
	  { .source = "docker" },
	  "DockerImage",
	  "python:3.5",
	  NULL,
	  "Tag python:x set to python:3.5.",
	  NULL },
	{ "python:3.5",
	  "python:x",
	  { .source = "ISTag" },
	  "ImageStreamImage",
	  "python@" ID,
	  NULL,
	  "Tag python:x set to python@" ID ".",
	  NULL },
	{ "other/python:3.5",
	  "python:x",
	  { 0 },
	  "ImageStreamImage",
	  "python@" ID,
	  "other",
	  "Tag python:x set to other/python@" ID ".",
	  NULL },
	/* destinations */
	{ "python:3.5",
	  "shop/python:x",
	  { 0 },
	  "ImageStreamImage",
	  "python@" ID,
	  "default",
	  "Tag shop/python:x set to python@" ID ".",
	  NULL },
	{ "docker.io/a:1",
	  "shop/a:x",
	  { .scheduled = "true" },
	  "DockerImage",
	  "docker.io/a:1",
	  NULL,
	  "Tag shop/a:x set to docker.io/a:1 periodically.",
	  NULL },
	{ "docker.io/a:1",
	  "a:",
	  { 0 },
	  "DockerImage",
	  "docker.io/a:1",
	  NULL,
	  "Tag a: set to docker.io/a:1.",
	  NULL },
	{ "docker.io/a:1",
	  "default/a:x",
	  { .scheduled = "false" },
	  "DockerImage",
	  "docker.io/a:1",
	  NULL,
	  "Tag a:x set to docker.io/a:1.",
	  NULL },
	/* alias */
	{ "python:3.5",
	  "python:latest",
	  { .is_alias = true },
	  "ImageStreamTag",
	  "python:3.5",
	  NULL,
	  "Tag python:latest set up to track python:3.5.",
	  NULL },
	{ "python:nowhere",
	  "python:latest",
	  { .is_alias = true },
	  "ImageStreamTag",
	  "python:nowhere",
	  NULL,
	  "Tag python:latest set up to track python:nowhere.",
	  NULL },
	{ "python:3.5",
	  "web:latest",
	  { .is_alias = true },
	  .error = "cannot set alias across different Image Streams" },
	{ "other/python:3.5",
	  "python:latest",
	  { .is_alias = true },
	  .error = "cannot set alias across different Image Streams" },
	{ "python:3.5",
	  "python:latest",
	  { .is_alias = true, .scheduled = "true" },
	  .error = "cannot set a container image tag as an alias and also set import flags" },
	{ "python:3.5",
	  "python:latest",
	  { .is_alias = true, .insecure = "true" },
	  .error = "cannot set a container image tag as an alias and also set import flags" },
	/* what does not go together */
	{ "python:3.5",
	  "python:latest",
	  { .scheduled = "true" },
	  .error = "only container images can have importing flags set" },
	{ "python@" ID,
	  "python:latest",
	  { .insecure = "true" },
	  .error = "only container images can have importing flags set" },
	{ "docker.io/python:3.5",
	  "python:latest",
	  { .source = "istag" },
	  .error = "server in SOURCE is only allowed when providing a container image" },
	{ "python",
	  "python:latest",
	  { .source = "istag" },
	  .error = "--source=ImageStreamTag requires a valid <name>:<tag> in SOURCE" },
	{ "python:3.5",
	  "python:latest",
	  { .source = "isimage" },
	  .error = "--source=ImageStreamImage requires a valid <name>@<id> in SOURCE" },
	{ "python:3.5",
	  "python:latest",
	  { .source = "git" },
	  .error = "invalid source \"git\"; valid values are docker, dockerimage, "
		   "imagestreamimage, imagestreamtag, isimage, istag" },
	{ "python:empty",
	  "python:latest",
	  { 0 },
	  .error = "\"python:empty\" is not currently pointing to an image, cannot use it as the "
		   "source of a tag" },
	{ "python:nowhere",
	  "python:latest",
	  { 0 },
	  .error = "\"python:nowhere\" is not currently pointing to an image, cannot use it as the "
		   "source of a tag" },
	{ "ruby:1",
	  "python:latest",
	  { 0 },
	  .error = "\"ruby:1\" is not currently pointing to an image, cannot use it as the source "
		   "of a tag" },
	{ "docker.io/a:1",
	  "python",
	  { 0 },
	  .error = "\"python\" must be of the form <stream_name>:<tag>" },
	{ "docker.io/a:1", ":x", { 0 }, .error = "\":x\" must be of the form <stream_name>:<tag>" },
	{ "docker.io/a:1", "a/b/c:x", { 0 }, .error = "invalid image stream \"a/b/c:x\"" },
	{ "docker.io/a:1",
	  "/c:x",
	  { 0 },
	  .error = "invalid namespace \"\" for image stream \"/c:x\"" },
	{ "docker.io/a:1",
	  "a:.x",
	  { 0 },
	  .error = "invalid tag \".x\" format, tags must start with an alphanumeric character "
		   "followed by alphanumeric, '.' or '-' "
		   "characters, and have a maximum of 128 characters" },
};

static void check(void **state)
{
	const struct row *row = *state;
	struct arena *arena = arena_new();
	struct tag_ref *ref;
	char *said;
	struct err err = { 0 };

	if (!run(row, arena, &ref, &said, &err)) {
		assert_string_equal(err.text, row->error ? row->error : "(no error)");
	} else {
		assert_null(row->error);
		assert_string_equal(ref->from->kind, row->kind);
		assert_string_equal(ref->from->name, row->from);
		assert_string_equal(ref->from->ns ? ref->from->ns : "",
				    row->from_ns ? row->from_ns : "");
		assert_string_equal(said, row->said);
	}
	arena_free(arena);
}

static void test_tag_target_parse__takes_what_may_be_deleted(void **state)
{
	struct arena *arena = arena_new();
	struct tag_target target;
	struct err err = { 0 };

	(void)state;
	assert_true(tag_target_parse("shop/python:a:b", "default", arena, &target, &err));
	assert_string_equal(target.ns, "shop");
	assert_string_equal(target.stream, "python");
	assert_string_equal(target.tag, "a:b");
	assert_false(tag_name_check(target.tag, &err));
	assert_true(tag_name_check("_" LONG "1234567", &err));
	assert_false(tag_name_check("_" LONG "12345678", &err));
	arena_free(arena);
}

static void test_tag_request_check__deletes_without_other_flags(void **state)
{
	static const struct {
		struct tag_options options;
		const char *error;
	} cases[] = {
		{ { .is_delete = true }, "" },
		{ { .is_delete = true, .is_alias = true },
		  "--alias and --delete may not be both specified" },
		{ { .is_delete = true, .source = "istag" },
		  "cannot specify a source kind when deleting" },
		{ { .is_delete = true, .scheduled = "true" },
		  "cannot set flags for importing images when deleting a tag" },
		{ { .is_delete = true, .is_reference = true },
		  "cannot set flags for importing images when deleting a tag" },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(cases); i++) {
		const struct tag_request request = { .options = &cases[i].options,
						     .ns = "default" };
		struct err err = { 0 };

		assert_int_equal(tag_request_check(&request, &err), !*cases[i].error);
		assert_string_equal(err.text, cases[i].error);
	}
}

static void test_tag_request_ref__has_the_flags(void **state)
{
	const struct row row = { .source = "docker.io/a:1",
				 .target = "a:1",
				 .options = { .is_reference = true,
					      .insecure = "true",
					      .scheduled = "true",
					      .import_mode = "PreserveOriginal",
					      .reference_policy = "local" } };
	struct arena *arena = arena_new();
	struct tag_ref *ref;
	char *said;
	struct err err = { 0 };

	(void)state;
	assert_true(run(&row, arena, &ref, &said, &err));
	assert_true(ref->is_reference && ref->is_insecure && ref->is_scheduled);
	assert_string_equal(ref->import_mode, "PreserveOriginal");
	assert_string_equal(ref->reference_policy, "Local");
	assert_string_equal(ref->name, "1");
	arena_free(arena);
}

int main(void)
{
	struct CMUnitTest tests[COUNTOF(rows) + 3];
	size_t n = 0;

	for (; n < COUNTOF(rows); n++)
		tests[n] = (struct CMUnitTest){ rows[n].target, check, NULL, NULL,
						(void *)(uintptr_t)&rows[n] };
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(
		test_tag_target_parse__takes_what_may_be_deleted);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(
		test_tag_request_check__deletes_without_other_flags);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_tag_request_ref__has_the_flags);
	return cmocka_run_group_tests_name("tag_source", tests, NULL, NULL);
}
