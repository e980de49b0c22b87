/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_stream_view.c — due times, image triggers, whose pushes land where, and that nothing to do costs next to nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/base/time.h"
#include "reconcile/plan/stream_generation.h"

#define DIGEST "sha256:1111111111111111111111111111111111111111111111111111111111111111"

struct due_row {
	const char *what;
	bool is_scheduled, is_reference;
	const char *image, *interval, *checked;     /* checked: the annotation */
	int64_t event_s, condition_s, remembered_s; /* 0: none */
	int64_t due_s;
};

static void test_due__is_an_interval_after_the_last_check(void **state)
{
	static const struct due_row rows[] = {
		{ "not scheduled", false, false, "docker.io/x:1", NULL, NULL, 1000, 0, 0, 0 },
		{ "a reference", true, true, "docker.io/x:1", NULL, NULL, 1000, 0, 0, 0 },
		{ "event", true, false, "docker.io/x:1", NULL, NULL, 1000, 0, 0, 1900 },
		{ "condition", true, false, "docker.io/x:1", NULL, NULL, 1000, 2000, 0, 2900 },
		{ "memory", true, false, "docker.io/x:1", NULL, NULL, 1000, 2000, 3000, 3900 },
		{ "annotation", true, false, "docker.io/x:1", NULL, "1970-01-01T01:00:00Z", 1000, 0,
		  0, 4500 },
		{ "free text there", true, false, "docker.io/x:1", NULL, "import failed", 1000, 0,
		  0, 1900 },
		{ "own interval", true, false, "docker.io/x:1", "1h", NULL, 1000, 0, 0, 4600 },
		{ "a bad one", true, false, "docker.io/x:1", "soon", NULL, 1000, 0, 0, 1900 },
		{ "never", true, false, "docker.io/x:1", NULL, NULL, 0, 0, 0, 1 },
		{ "a digest, not yet", true, false, "docker.io/x@" DIGEST, NULL, NULL, 0, 100, 0,
		  1000 },
		{ "a digest, imported", true, false, "docker.io/x@" DIGEST, NULL, NULL, 1000, 0, 0,
		  0 },
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		const struct due_row *row = &rows[i];
		struct pair interval = { ANNOTATION_IMPORT_INTERVAL, row->interval, { 0 } };
		struct object_ref from = { .kind = "DockerImage", .name = row->image };
		struct tag_ref ref = { .name = "t",
				       .from = &from,
				       .is_scheduled = row->is_scheduled,
				       .is_reference = row->is_reference,
				       .annotations = { &interval, row->interval ? 1 : 0, 1 } };
		struct stream_spec spec = { .tags = { &ref, 1 } };
		struct object stream = { .meta = { .ns = "shop", .name = "s" }, .spec = &spec };
		struct tag_event top = { row->event_s, "docker.io/x@" DIGEST, DIGEST, 1 };
		struct tag_condition condition = { .type = CONDITION_IMPORT,
						   .changed_s = row->condition_s };
		struct tag_history history = { .tag = "t",
					       .items = { &top, row->event_s ? 1 : 0 },
					       .conditions = { &condition,
							       row->condition_s ? 1 : 0 } };
		struct stream_status status = { .checked = row->checked, .tags = { &history, 1 } };
		struct tag_at at = { &stream, &status, "t" };
		struct settings_streams settings = { .interval_s = 900 };
		int64_t remembered_s = row->remembered_s;
		struct map checks = { 0 };

		if (remembered_s)
			map_set(arena, &checks, "shop/s:t", &remembered_s);
		print_message("%s\n", row->what);
		assert_int_equal(stream_due_s(&at, &settings, &checks, arena), row->due_s);
	}
	arena_free(arena);
}

static void test_watches__are_read_as_upstream_reads_them(void **state)
{
	static const char json[] =
		"[{\"from\":{\"kind\":\"ImageStreamTag\",\"name\":\"s:t\"},\"fieldPath\":\"spec\"},"
		"{\"from\":{\"kind\":\"ImageStreamTag\",\"name\":\"s:u\",\"namespace\":\"other\"},"
		"\"paused\":true},"
		"{\"from\":{\"kind\":\"ImageStreamTag\",\"name\":\"s:v\",\"apiVersion\":\"acme/"
		"v1\"}},"
		"{\"from\":{\"kind\":\"DockerImage\",\"name\":\"x\"}}]";
	static const char *const wrong[] = {
		"",
		"{}",
		"[1]",
		"[{\"from\":{\"kind\":\"ImageStreamTag\",\"name\":\"s\"}}]",
		"[{\"from\":{\"kind\":\"ImageStreamTag\",\"name\":\"s:t\"},\"paused\":\"true\"}]",
	};
	struct arena *arena = arena_new();
	struct list watches;
	struct err err = { 0 };

	(void)state;
	assert_true(watches_parse(json, "shop", arena, &watches, &err));
	assert_int_equal(watches.n, 2);
	assert_string_equal(LIST_AT(watches, struct image_watch, 0)->ns, "shop");
	assert_string_equal(LIST_AT(watches, struct image_watch, 0)->stream, "s");
	assert_string_equal(LIST_AT(watches, struct image_watch, 0)->tag, "t");
	assert_string_equal(LIST_AT(watches, struct image_watch, 0)->field_path, "spec");
	assert_string_equal(LIST_AT(watches, struct image_watch, 1)->ns, "other");
	assert_true(LIST_AT(watches, struct image_watch, 1)->is_paused);
	for (size_t i = 0; i < COUNTOF(wrong); i++) {
		assert_false(watches_parse(wrong[i], "shop", arena, &watches, &err));
		assert_int_equal(err.kind, ERR_INVALID);
	}
	arena_free(arena);
}

static void test_pushes__land_in_the_stream_of_the_repository(void **state)
{
	static const struct {
		const char *reference, *id, *tag; /* id NULL: it lands nowhere */
	} rows[] = {
		{ "reg.local:5000/x/shop/web", "ImageStream/shop/web", "latest" },
		{ "reg.local:5000/x/shop/web:v1", "ImageStream/shop/web", "v1" },
		{ "reg.local:5000/x/shop", NULL, NULL },
		{ "reg.local:5000/x/shop/web/more:v1", NULL, NULL },
		{ "reg.local:5000/xy/shop/web", NULL, NULL },
		{ "reg.local/x/shop/web", NULL, NULL },
		{ "reg.local:5000/x/shop/web@" DIGEST, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct arena *arena = arena_new();
		struct settings settings = { .streams.registry = "reg.local:5000/x" };
		struct image_spec spec = { .tag = rows[i].reference };
		struct object image = { .kind = KIND_IMAGE,
					.id = "Image/shop/web",
					.meta = { .ns = "shop", .name = "web" },
					.spec = &spec };
		struct object *objects[] = { &image };
		struct model model = { .arena = arena,
				       .objects = { objects, 1, 1 },
				       .settings = &settings };
		struct stream_world world = { .model = &model, .arena = arena };
		const struct pushers *found;

		pushers_index(&world);
		assert_int_equal(world.pushers.n, rows[i].id ? 1 : 0);
		found = rows[i].id ? map_get(&world.pushers, rows[i].id) : NULL;
		if (rows[i].id) {
			assert_non_null(found);
			assert_string_equal(found->list.v[0].tag, rows[i].tag);
		}
		arena_free(arena);
	}
}

enum { STREAMS = 1000, TAGS = 5 };

static struct object *stream_make(struct arena *arena, size_t number)
{
	struct object *object = ARENA_NEW(arena, struct object);
	struct stream_spec *spec = ARENA_NEW(arena, struct stream_spec);
	struct tag_ref *refs = arena_array(arena, TAGS, sizeof(*refs));

	for (size_t i = 0; i < TAGS; i++) {
		struct object_ref *from = ARENA_NEW(arena, struct object_ref);

		refs[i].name = arena_printf(arena, "t%zu", i);
		refs[i].from = from;
		refs[i].reference_policy = POLICY_SOURCE;
		refs[i].is_scheduled = i > 0;
		from->kind = i > 0 ? "DockerImage" : "ImageStreamTag";
		from->name = i > 0 ? arena_printf(arena, "docker.io/x%zu:%zu", number, i) : "t1";
	}
	spec->tags = (struct list){ refs, TAGS };
	*object = (struct object){ .kind = KIND_IMAGE_STREAM,
				   .meta = { .name = arena_printf(arena, "s%04zu", number),
					     .ns = "shop" },
				   .spec = spec };
	object->id = object_id(KIND_IMAGE_STREAM, "shop", object->meta.name, arena);
	return object;
}

/* As it is when all was imported at `now_s`. */
static void stream_record(struct arena *arena, struct state *state, const struct object *object,
			  int64_t now_s)
{
	const struct stream_spec *spec = object->spec;
	struct stream_status *status = ARENA_NEW(arena, struct stream_status);
	struct state_entry *entry = ARENA_NEW(arena, struct state_entry);
	struct tag_history *histories = arena_array(arena, TAGS, sizeof(*histories));
	struct tag_ref *refs = arena_array(arena, TAGS, sizeof(*refs));

	for (size_t i = 0; i < TAGS; i++) {
		struct tag_event *event = ARENA_NEW(arena, struct tag_event);

		refs[i] = *LIST_AT(spec->tags, struct tag_ref, i);
		refs[i].generation = 2;
		refs[i].has_generation = true;
		*event = (struct tag_event){ now_s, "docker.io/library/x@" DIGEST, DIGEST, 2 };
		histories[i] = (struct tag_history){ .tag = refs[i].name, .items = { event, 1 } };
	}
	*status = (struct stream_status){ .created_s = now_s,
					  .generation = 2,
					  .checked = "1970-01-01T00:16:40Z",
					  .spec.tags = { refs, TAGS },
					  .tags = { histories, TAGS } };
	*entry = (struct state_entry){ .kind = KIND_IMAGE_STREAM,
				       .ns = object->meta.ns,
				       .name = object->meta.name,
				       .id = object->id,
				       .status = status };
	map_set(arena, &state->by_id, object->id, entry);
}

/* The recorded status itself is given back: nothing is copied, encoded or compared as a tree. */
static void test_nothing_to_do__is_seen_without_looking_at_trees(void **state)
{
	struct arena *arena = arena_new(), *work = arena_new();
	struct model model = { 0 };
	struct state recorded = { .arena = arena };
	struct facts facts = { 0 };
	struct plan_options options = { .now_s = 1100 };
	struct queries queries;
	struct plan plan;

	(void)state;
	model_init(&model, arena);
	for (size_t i = 0; i < STREAMS; i++) {
		struct object *object = stream_make(arena, i);

		vec_push(arena, &model.objects, object);
		map_set(arena, &model.by_id, object->id, object);
		stream_record(arena, &recorded, object, 1000);
	}
	queries_make(&model, &recorded, &options, work, &queries);
	assert_int_equal(queries.list.n, 0);
	plan_make(&model, &recorded, &facts, &options, work, &plan);
	assert_int_equal(plan.steps.n, STREAMS);
	assert_int_equal(plan.n_unchanged, STREAMS);
	for (size_t i = 0; i < STREAMS; i++)
		assert_ptr_equal(plan.steps.v[i]->status,
				 state_status(&recorded, plan.steps.v[i]->id));
	assert_in_range(arena_used(work), 1, STREAMS * 24u * 1024u);
	options.now_s = 5000; /* all that is scheduled is due */
	queries_make(&model, &recorded, &options, work, &queries);
	assert_int_equal(queries.list.n, STREAMS * (TAGS - 1));
	arena_free(work);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_due__is_an_interval_after_the_last_check),
		cmocka_unit_test(test_watches__are_read_as_upstream_reads_them),
		cmocka_unit_test(test_pushes__land_in_the_stream_of_the_repository),
		cmocka_unit_test(test_nothing_to_do__is_seen_without_looking_at_trees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
