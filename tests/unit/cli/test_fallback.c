/* SPDX-License-Identifier: Apache-2.0 */
/* test_fallback.c — what a run could not record is read back from its file as it was, however much it is; damage is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "model/base/digest.h"
#include "model/base/limits.h"
#include "model/kind/settings.h"
#include "reconcile/fallback.h"
#include "unit/cli/folder.h"

#define RUN "01AAAAAAAAAAAAAAAAAAAAAAAA"

struct fixture {
	struct folder folder;
	struct context context;
	struct state_files base;
	struct recorder *recorder;
	struct err err;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	if (folder_make(&f->folder))
		return -1;
	f->base.state.arena = f->folder.arena;
	f->context.arena = f->folder.arena;
	f->context.settings = settings_default(f->folder.arena);
	f->context.cache_dir = folder_path(&f->folder, "cache");
	f->context.options.state_fallback = folder_path(&f->folder, "file.state");
	f->recorder = recorder_new(&(struct recorder_spec){ .arena = f->folder.arena,
							    .base = &f->base,
							    .run_id = RUN,
							    .source_commit = "abc" });
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	recorder_free(&f->recorder);
	folder_release(&f->folder);
	free(f);
	return 0;
}

static void put(struct fixture *f, const char *name)
{
	struct arena *arena = f->folder.arena;
	struct object *object = ARENA_NEW(arena, struct object);
	struct image_status *status = ARENA_NEW(arena, struct image_status);

	object->kind = KIND_IMAGE;
	object->meta = (struct meta){ .name = name, .ns = "shop" };
	object->id = object_id(KIND_IMAGE, "shop", name, arena);
	status->build_counter = 7;
	recorder_put(f->recorder, object, &(struct origin){ 0 }, status, "build #7");
}

static const struct node *read_back(struct fixture *f)
{
	const struct node *out;

	if (!fallback_read(&f->context, f->context.options.state_fallback, &out, &f->err))
		fail_msg("%s", f->err.text);
	return out;
}

static void write_text(struct fixture *f, const char *text, size_t n)
{
	assert_true(fs_write_atomic(AT_FDCWD, f->context.options.state_fallback, text, n, 0600,
				    false, &f->err));
}

static void test_fallback__more_values_than_a_document_may_have(void **state)
{
	enum { OBJECTS = LIMIT_DOC_NODES / 8 };
	struct fixture *f = *state;
	struct recorder *other;
	const struct node *saved;

	for (unsigned i = 0; i < OBJECTS; i++)
		put(f, arena_printf(f->folder.arena, "image%u", i));
	recorder_put_file(f->recorder, "Image/shop/image7", "shop/images/image7/builds/1.yaml",
			  node_new(f->folder.arena, NODE_MAP));
	recorder_put_file(f->recorder, "Image/shop/image7", "shop/images/image7/builds/2.yaml",
			  NULL);
	recorder_put_log(f->recorder, "shop/images/image7/1.log", "one\ntwo\n", 8);
	fallback_write(&f->context, f->recorder, RUN);
	saved = read_back(f);
	assert_int_equal(node_get(saved, "objects")->n, OBJECTS);
	assert_true(node_equal(saved, recorder_save(f->recorder, f->folder.arena)));
	/* and a recorder takes it */
	other = recorder_new(&(struct recorder_spec){ .arena = f->folder.arena,
						      .base = &f->base,
						      .run_id = RUN,
						      .source_commit = "abc" });
	assert_true(recorder_load(other, saved, &f->err));
	assert_true(node_equal(saved, recorder_save(other, f->folder.arena)));
	recorder_free(&other);
}

static void test_fallback__logs_give_way_to_results(void **state)
{
	struct fixture *f = *state;
	char *text = arena_alloc(f->folder.arena, 10001);
	AUTO_BUF out = BUF_INIT(20000);
	AUTO_BUF small = BUF_INIT(4200);
	const struct node *saved;

	memset(text, 'x', 10000);
	text[10000] = '\0';
	put(f, "cart");
	for (unsigned i = 1; i <= 3; i++)
		recorder_put_log(f->recorder,
				 arena_printf(f->folder.arena, "shop/images/cart/%u.log", i), text,
				 i == 3 ? 5 : 10000);
	saved = recorder_save(f->recorder, f->folder.arena);
	fallback_print(&f->context, saved, &out);
	assert_false(out.is_over);
	write_text(f, out.data, out.len);
	saved = read_back(f);
	assert_int_equal(node_get(saved, "objects")->n, 1);
	assert_int_equal(node_get(saved, "logs")->n, 2); /* the first, and the short one */
	fallback_print(&f->context, saved, &small);
	assert_true(small.is_over);
}

/* Lines behind a head that vouches for them. */
static void test_fallback__takes_no_other_lines(void **state)
{
	static const struct {
		const char *body, *says;
	} cases[] = {
		{ "", "does not say what it is of" },
		{ "{\"of\":{}}\n{\"of\":{}}\n", "line 3" },
		{ "{\"object\":{}}\n", "line 2" },
		{ "{\"of\":{}}\n{\"file\":{}}\n", "line 3" },
		{ "{\"of\":{}}\n{\"object\":{}}\n{\"log\":[]}\n", "line 4" },
		{ "{\"of\":{},\"object\":{}}\n", "line 2" },
		{ "{\"of\":{}}\n\n", "line 3" },
		{ "[]", "line 2" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		AUTO_BUF text = BUF_INIT(4096);
		const struct node *out;

		buf_printf(&text,
			   "{\"apiVersion\":\"reconcile.dev/v1\",\"kind\":\"UnrecordedState\","
			   "\"branch\":\"reconcile/state\",\"sha256\":\"%s\"}\n%s",
			   digest_of(cases[i].body, strlen(cases[i].body)).text, cases[i].body);
		write_text(f, text.data, text.len);
		f->err = (struct err){ 0 };
		assert_false(fallback_read(&f->context, f->context.options.state_fallback, &out,
					   &f->err));
		assert_int_equal(f->err.kind, ERR_INVALID);
		if (!strstr(f->err.text, cases[i].says))
			fail_msg("%zu: %s", i, f->err.text);
	}
}

static void test_fallback__refuses_what_is_cut_or_changed(void **state)
{
	struct fixture *f = *state;
	const struct node *out;
	char *text;
	size_t n;

	put(f, "cart");
	fallback_write(&f->context, f->recorder, RUN);
	(void)read_back(f);
	assert_true(fs_read(AT_FDCWD, f->context.options.state_fallback, FALLBACK_BYTES,
			    f->folder.arena, &text, &n, &f->err));
	for (size_t i = 0; i < n; i++) {
		const char kept = text[i];

		write_text(f, text, i);
		assert_false(fallback_read(&f->context, f->context.options.state_fallback, &out,
					   &f->err));
		f->err = (struct err){ 0 };
		text[i] ^= 1;
		write_text(f, text, n);
		text[i] = kept;
		if (fallback_read(&f->context, f->context.options.state_fallback, &out, &f->err))
			fail_msg("another byte %zu was taken", i);
		assert_int_equal(f->err.kind, ERR_INVALID);
		f->err = (struct err){ 0 };
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_fallback__more_values_than_a_document_may_have),
		TEST(test_fallback__logs_give_way_to_results),
		TEST(test_fallback__takes_no_other_lines),
		TEST(test_fallback__refuses_what_is_cut_or_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
