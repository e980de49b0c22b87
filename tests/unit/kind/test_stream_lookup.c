/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_stream_lookup.c — what is recorded of a stream: finding tags and images in it, what consumers pull, how names are
 * read, and that a file is read back as it was written, or refused.
 */
#include "manifest.h"

#include "model/kind/status.h"
#include "model/kind/stream.h"

#define HEX1 "47463d94eb5c049b2d23b03a9530bf944f8f967a0fe79147dd6b9135bf7dd13d"
#define HEX3 "909de62d1f609a717ec433cc25ca5cf00941545c83a01fb31527771e1fab3fc5"
#define D1   "sha256:" HEX1
#define D3   "sha256:" HEX3
#define HEAD                                                                                       \
	"apiVersion: image.openshift.io/v1\n"                                                      \
	"kind: ImageStream\n"                                                                      \
	"metadata:\n"                                                                              \
	"  name: web\n"                                                                            \
	"  namespace: shop\n"

static const char *const recorded =
	HEAD "  creationTimestamp: \"2026-01-02T03:04:05Z\"\n"
	     "  generation: 4\n"
	     "  annotations:\n"
	     "    openshift.io/image.dockerRepositoryCheck: \"2026-01-02T03:04:05Z\"\n"
	     "spec:\n"
	     "  lookupPolicy:\n"
	     "    local: true\n"
	     "  tags:\n"
	     "  - name: latest\n"
	     "    from:\n"
	     "      kind: ImageStreamTag\n"
	     "      name: \"1\"\n"
	     "    generation: 2\n"
	     "    referencePolicy:\n"
	     "      type: Local\n"
	     "  - name: \"1\"\n"
	     "    annotations:\n"
	     "      description: the first\n"
	     "    from:\n"
	     "      kind: DockerImage\n"
	     "      name: r.io/web:1\n"
	     "    generation: 4\n"
	     "    importPolicy:\n"
	     "      scheduled: true\n"
	     "    referencePolicy:\n"
	     "      type: Source\n"
	     "  - name: ref\n"
	     "    from:\n"
	     "      kind: DockerImage\n"
	     "      name: r.io/web:ref\n"
	     "    reference: true\n"
	     "    generation: 1\n"
	     "    referencePolicy:\n"
	     "      type: Local\n"
	     "status:\n"
	     "  dockerImageRepository: r.local/shop/web\n"
	     "  publicDockerImageRepository: r.example.com/shop/web\n"
	     "  tags:\n"
	     "  - tag: \"1\"\n"
	     "    items:\n"
	     "    - created: \"2026-01-02T03:04:07Z\"\n"
	     "      dockerImageReference: r.io/web@" D1 "\n"
	     "      image: " D1 "\n"
	     "      generation: 4\n"
	     "    - created: \"2026-01-02T03:04:05Z\"\n"
	     "      dockerImageReference: r.io/web@" D3 "\n"
	     "      image: " D3 "\n"
	     "      generation: 1\n"
	     "    pushes:\n"
	     "    - from: Image/shop/web\n"
	     "      image: " D3 "\n"
	     "    sourceDigest: " D3 "\n"
	     "  - tag: broken\n"
	     "    conditions:\n"
	     "    - type: ImportSuccess\n"
	     "      status: \"False\"\n"
	     "      reason: NotFound\n"
	     "      message: no such image\n"
	     "      lastTransitionTime: \"2026-01-02T03:04:05Z\"\n"
	     "      generation: 2\n"
	     "      tries: 3\n"
	     "  - tag: latest\n"
	     "    items:\n"
	     "    - created: \"2026-01-02T03:04:05Z\"\n"
	     "      dockerImageReference: r.io/web@" D3 "\n"
	     "      image: " D3 "\n"
	     "      generation: 2\n"
	     "    - created: \"2026-01-02T03:04:06Z\"\n"
	     "      dockerImageReference: r.io/older@" D1 "\n"
	     "      image: " D1 "\n"
	     "      generation: 1\n"
	     "  - tag: old\n"
	     "    items:\n"
	     "    - dockerImageReference: old.io/web:12345\n"
	     "      image: \"12345\"\n"
	     "      generation: 1\n"
	     "    - dockerImageReference: old.io/web:123456\n"
	     "      image: \"123456\"\n"
	     "      generation: 1\n"
	     "  - tag: ref\n"
	     "    items:\n"
	     "    - created: \"2026-01-02T03:04:05Z\"\n"
	     "      dockerImageReference: r.io/web:ref\n"
	     "      image: \"\"\n"
	     "      generation: 1\n"
	     "  answeredImports:\n"
	     "  - " D1 "\n";

static const struct node *document_of(const char *text, struct arena *arena)
{
	const struct source_file file = { "state.yaml", text, strlen(text) };
	struct documents documents = { 0 };
	struct diags diags;

	diags_init(&diags, arena);
	yaml_parse(&file, arena, &documents, &diags);
	assert_int_equal(diags.n_errors, 0);
	assert_int_equal(documents.n, 1);
	return documents.v[0];
}

static const struct stream_status *read_status(const char *text, struct arena *arena)
{
	struct err err = { 0 };
	void *status;

	if (!status_read(KIND_IMAGE_STREAM, document_of(text, arena), arena, &status, &err))
		fail_msg("%s", err.text);
	return status;
}

static char *print_status(const struct stream_status *status, struct arena *arena)
{
	const struct object object = { .kind = KIND_IMAGE_STREAM, .meta = { "web", "shop" } };
	struct buf text = BUF_INIT(1 << 20);
	char *copy;

	yaml_print(status_encode(&object, &(struct origin){ 0 }, status, arena), &text);
	copy = buf_copy(&text, arena);
	buf_release(&text);
	return copy;
}

static void test_status__is_read_back_as_it_was_written(void **state)
{
	struct arena *arena = arena_new();
	const char *once = print_status(read_status(recorded, arena), arena);

	(void)state;
	assert_string_equal(once, recorded);
	assert_string_equal(print_status(read_status(once, arena), arena), once);
	arena_free(arena);
}

static void test_lookup__tags(void **state)
{
	struct arena *arena = arena_new();
	const struct stream_status *status = read_status(recorded, arena);

	(void)state;
	assert_string_equal(stream_tag(&status->spec, "1")->from->name, "r.io/web:1");
	assert_null(stream_tag(&status->spec, "2"));
	assert_int_equal(stream_history(status, "old")->items.n, 2);
	assert_null(stream_history(status, "none"));
	assert_string_equal(stream_current(status, "1")->image, D1);
	assert_string_equal(stream_current(status, "")->image, D3);
	assert_string_equal(stream_current(status, "latest")->image, D3);
	assert_null(stream_current(status, "broken"));
	assert_null(stream_current(status, "none"));
	arena_free(arena);
}

static void test_lookup__pull_specs(void **state)
{
	struct arena *arena = arena_new();
	const struct stream_status *status = read_status(recorded, arena);
	struct stream_status outside = *status;

	(void)state;
	assert_string_equal(stream_pull_spec(status, "1", arena), "r.io/web@" D1);
	assert_string_equal(stream_pull_spec(status, "latest", arena), "r.local/shop/web@" D3);
	assert_string_equal(stream_pull_spec(status, "", arena), "r.local/shop/web@" D3);
	assert_string_equal(stream_pull_spec(status, "ref", arena), "r.io/web:ref");
	assert_string_equal(stream_pull_spec(status, "old", arena), "old.io/web:12345");
	assert_null(stream_pull_spec(status, "broken", arena));
	assert_null(stream_pull_spec(status, "none", arena));
	outside.repository = NULL;
	assert_string_equal(stream_pull_spec(&outside, "latest", arena), "r.io/web@" D3);
	arena_free(arena);
}

static void test_lookup__images(void **state)
{
	static const struct {
		const char *id, *reference;
	} found[] = {
		{ D3, "r.io/web@" D3 },
		{ HEX3, "r.io/web@" D3 },
		{ "909", "r.io/web@" D3 },
		{ "sha256:909", "r.io/web@" D3 },
		{ "47463d94", "r.io/web@" D1 }, /* at another tag as well, and older there */
		{ "123456", "old.io/web:123456" },
		{ "12345", "old.io/web:12345" }, /* in full, though another begins so */
	};
	static const char *const absent[] = { "", "x", "09de", "sha512:909", "r.io/web:ref" };
	struct arena *arena = arena_new();
	const struct stream_status *status = read_status(recorded, arena);
	const struct tag_event *event;
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNTOF(found); i++) {
		if (!stream_find_image(status, found[i].id, &event, &err))
			fail_msg("%s: %s", found[i].id, err.text);
		assert_string_equal(event->reference, found[i].reference);
	}
	for (size_t i = 0; i < COUNTOF(absent); i++) {
		assert_false(stream_find_image(status, absent[i], &event, &err));
		assert_int_equal(err.kind, ERR_ABSENT);
		assert_null(event);
	}
	assert_false(stream_find_image(status, "1234", &event, &err));
	assert_int_equal(err.kind, ERR_CONFLICT);
	assert_string_equal(err.text, "multiple images match the prefix \"1234\": 12345, 123456");
	assert_false(stream_find_image(status, "sha256:", &event, &err));
	assert_string_equal(err.text, "multiple images match the prefix \"sha256:\": " D1 ", " D3);
	arena_free(arena);
}

static void test_names(void **state)
{
	static const struct {
		const char *text, *problem;
	} bad_tags[] = {
		{ "web", "it has no ':'" },
		{ "", "it has no ':'" },
		{ "a:b:c", "it has more than one ':'" },
		{ ":b", "nothing is before the ':'" },
		{ "a:", "nothing is behind the ':'" },
		{ "a:b@" D1, "it has an '@'" },
		{ "ns/a:b", "may not contain '/'" },
	},
	  bad_images[] = {
		  { "web", "it has no '@'" },
		  { "a@b@c", "it has more than one '@'" },
		  { "@b", "nothing is before the '@'" },
		  { "a@", "nothing is behind the '@'" },
	  };
	struct arena *arena = arena_new();
	const char *stream, *name;
	struct err err = { 0 };

	(void)state;
	assert_true(stream_tag_name_parse("web:1.2-3", arena, &stream, &name, &err));
	assert_string_equal(stream, "web");
	assert_string_equal(name, "1.2-3");
	assert_true(stream_image_name_parse("web@" D1, arena, &stream, &name, &err));
	assert_string_equal(stream, "web");
	assert_string_equal(name, D1);
	for (size_t i = 0; i < COUNTOF(bad_tags); i++) {
		assert_false(stream_tag_name_parse(bad_tags[i].text, arena, &stream, &name, &err));
		assert_int_equal(err.kind, ERR_INVALID);
		if (!strstr(err.text, bad_tags[i].problem))
			fail_msg("%s", err.text);
	}
	for (size_t i = 0; i < COUNTOF(bad_images); i++) {
		assert_false(
			stream_image_name_parse(bad_images[i].text, arena, &stream, &name, &err));
		if (!strstr(err.text, bad_images[i].problem))
			fail_msg("%s", err.text);
	}
	arena_free(arena);
}

static void test_from(void **state)
{
	static const struct {
		const char *kind, *from, *stream, *name;
	} good[] = {
		{ "ImageStreamTag", "1.0", NULL, "1.0" },
		{ "ImageStreamTag", "web:1.0", "web", "1.0" },
		{ "ImageStreamImage", "web@" D1, "web", D1 },
		{ "ImageStreamImage", D1, NULL, D1 },
		{ "ImageStreamImage", "web@12345", "web", "12345" },
		{ "ImageStreamImage", "12345", NULL, "12345" },
	};
	static const struct {
		const char *kind, *from;
	} bad[] = {
		{ "ImageStreamTag", "" },           { "ImageStreamTag", "a:b:c" },
		{ "ImageStreamTag", ":b" },         { "ImageStreamTag", "a:" },
		{ "ImageStreamTag", "a@" D1 },      { "ImageStreamTag", "r.io/a:b" },
		{ "ImageStreamImage", "a@b@c" },    { "ImageStreamImage", "@b" },
		{ "ImageStreamImage", "r.io/a@b" }, { "ImageStreamImage", "a@" },
	};
	struct arena *arena = arena_new();
	const char *stream, *name;
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNTOF(good); i++) {
		const struct object_ref from = { .kind = good[i].kind, .name = good[i].from };

		assert_true(tag_from_parse(&from, arena, &stream, &name, &err));
		assert_string_equal(name, good[i].name);
		if (good[i].stream)
			assert_string_equal(stream, good[i].stream);
		else
			assert_null(stream);
	}
	for (size_t i = 0; i < COUNTOF(bad); i++) {
		const struct object_ref from = { .kind = bad[i].kind, .name = bad[i].from };

		assert_false(tag_from_parse(&from, arena, &stream, &name, &err));
		assert_int_equal(err.kind, ERR_INVALID);
		assert_non_null(strstr(err.text, "must be of the form <tag>, <repo>:<tag>, <id>, "
						 "or <repo>@<id>"));
		assert_int_equal(strstr(err.text, "registry path") != NULL,
				 strchr(bad[i].from, '/') != NULL);
	}
	arena_free(arena);
}

static void test_follow(void **state)
{
	struct loaded l;
	const struct stream_spec *spec;
	const struct tag_ref *tag;
	struct err err = { 0 };

	(void)state;
	manifest_load(
		&l,
		"apiVersion: v1\nkind: ImageStream\nmetadata: {name: web}\nspec:\n  tags:\n"
		"  - {name: a, from: {kind: ImageStreamTag, name: b}}\n"
		"  - {name: b, from: {kind: ImageStreamTag, name: 'web:c', namespace: default}}\n"
		"  - {name: c, from: {kind: DockerImage, name: r.io/web}}\n"
		"  - {name: p, from: {kind: ImageStreamTag, name: pushed}}\n"
		"  - {name: o, from: {kind: ImageStreamTag, name: 'other:o'}}\n"
		"  - {name: n, from: {kind: ImageStreamTag, name: 'web:n', namespace: x}}\n"
		"  - {name: s, from: {kind: ImageStreamTag, name: x}}\n"
		"  - {name: x, from: {kind: ImageStreamTag, name: y}}\n"
		"  - {name: y, from: {kind: ImageStreamTag, name: x}}\n",
		false);
	spec = l.model.objects.v[0]->spec;
	assert_true(tag_follow(spec, "web", "a", l.arena, &tag, &err));
	assert_ptr_equal(tag, stream_tag(spec, "c"));
	assert_true(tag_follow(spec, "web", "c", l.arena, &tag, &err));
	assert_ptr_equal(tag, stream_tag(spec, "c"));
	assert_true(tag_follow(spec, "web", "o", l.arena, &tag, &err));
	assert_ptr_equal(tag, stream_tag(spec, "o"));
	assert_true(tag_follow(spec, "web", "n", l.arena, &tag, &err));
	assert_ptr_equal(tag, stream_tag(spec, "n"));
	assert_true(tag_follow(spec, "web", "p", l.arena, &tag, &err));
	assert_string_equal(tag->name, "pushed");
	assert_null(tag->from);
	assert_true(tag_follow(spec, "web", "nothing", l.arena, &tag, &err));
	assert_string_equal(tag->name, "nothing");
	assert_false(tag_follow(spec, "web", "s", l.arena, &tag, &err));
	assert_int_equal(err.kind, ERR_INVALID);
	assert_string_equal(err.text, "tags follow each other: x → y → x");
	assert_null(tag);
	arena_free(l.arena);
}

/* ---- what anybody who can push to the branch may write ---- */

#define TAG(name, rest) HEAD "status:\n  tags:\n  - {tag: " name ", " rest "}\n"
#define SPEC(tag)       HEAD "spec:\n  tags: [" tag "]\n"
#define EVENT           "generation: 1, dockerImageReference: r.io/a"

/* clang-format off */
static const struct { const char *text, *problem; } refused[] = {
	{ TAG("a", "items: [{generation: 1, image: ''}]"), "dockerImageReference" },
	{ TAG("a", "items: [{generation: 1, dockerImageReference: '../../etc'}]"), "invalid reference format" },
	{ TAG("a", "items: [{generation: -1, dockerImageReference: r.io/a}]"), "generation" },
	{ TAG("a", "items: [{dockerImageReference: r.io/a}]"), "generation" },
	{ TAG("a", "items: [{" EVENT ", image: 'sha256:12'}]"), "is no digest and no id" },
	{ TAG("a", "items: [{" EVENT ", image: ../x}]"), "is no digest and no id" },
	{ TAG("a", "items: [{" EVENT ", created: never}]"), "created" },
	{ TAG("../a", "items: []"), "name of no tag" },
	{ TAG("a", "pushes: [{from: x, image: a b}]"), "pushes[].image" },
	{ TAG("a", "sourceDigest: '12'"), "sourceDigest" },
	{ TAG("a", "items: []") "  - {tag: a}\n", "there twice" },
	{ HEAD "status: {dockerImageRepository: 'r.io/a:1'}\n", "is no repository" },
	{ HEAD "status: {publicDockerImageRepository: r.io}\n", "is no repository" },
	{ HEAD "status: {answeredImports: [x]}\n", "answeredImports[0]" },
	{ SPEC("{name: a}, {name: a}"), "there twice" },
	{ SPEC("{from: {kind: DockerImage, name: a}}"), "name of no tag" },
	{ SPEC("{name: a, from: {kind: Image, name: a}}"), "from.kind" },
	{ SPEC("{name: a, from: {kind: DockerImage}}"), "no name" },
	{ SPEC("{name: a, from: {kind: DockerImage, name: 'a b'}}"), "invalid reference format" },
	{ SPEC("{name: a, from: {kind: ImageStreamTag, name: 'a:b:c'}}"), "must be of the form" },
	{ SPEC("{name: a, importPolicy: {importMode: x}}"), "importMode" },
	{ SPEC("{name: a, referencePolicy: {type: x}}"), "referencePolicy" },
	{ HEAD "spec: {dockerImageRepository: 'a b'}\n", "invalid reference format" },
	{ "apiVersion: v1\nkind: ImageStream\nmetadata: {name: web}\n", "apiVersion" },
};
/* clang-format on */

static void test_status__what_does_not_hold_is_refused(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNTOF(refused); i++) {
		struct err err = { 0 };
		void *status;

		if (status_read(KIND_IMAGE_STREAM, document_of(refused[i].text, arena), arena,
				&status, &err))
			fail_msg("accepted: %s", refused[i].text);
		assert_int_equal(err.kind, ERR_INVALID);
		if (!strstr(err.text, refused[i].problem))
			fail_msg("%s\n%s", refused[i].text, err.text);
	}
	/* Somebody else's files hold generations in any order, and images that the reference does not name. */
	read_status(TAG("a", "items: [{" EVENT ", image: " D1 "}, {generation: 9, "
			     "dockerImageReference: r.io/a@" D1 ", image: " D3 "}]"),
		    arena);
	read_status(HEAD, arena);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status__is_read_back_as_it_was_written),
		cmocka_unit_test(test_lookup__tags),
		cmocka_unit_test(test_lookup__pull_specs),
		cmocka_unit_test(test_lookup__images),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_from),
		cmocka_unit_test(test_follow),
		cmocka_unit_test(test_status__what_does_not_hold_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
