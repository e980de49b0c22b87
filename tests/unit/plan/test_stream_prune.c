/* SPDX-License-Identifier: Apache-2.0 */
/* test_stream_prune.c — which entries of histories and which records are dropped (openshift.md §5.7). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "reconcile/plan/stream_prune.h"

#define NOW 1000000

struct world {
	struct arena *arena;
	struct state state;
	struct stream_status status;
	struct tag_history histories[2];
	struct map used_tags, used_images, records;
	struct prune_input in;
	struct prune_result out;
};

/* Events "a", "b", … newest first; `ages` in hours. The first tag is "t", without a spec. */
static void tag_set(struct world *w, size_t at, const char *images, const int64_t *ages)
{
	size_t n = strlen(images);
	struct tag_event *events = arena_array(w->arena, n, sizeof(*events));

	for (size_t i = 0; i < n; i++) {
		events[i] = (struct tag_event){ .created_s = NOW - ages[i] * 3600,
						.image = arena_copy(w->arena, images + i, 1),
						.generation = 1 };
		events[i].reference =
			arena_printf(w->arena, "reg.local/shop/s@%s", events[i].image);
		map_set(w->arena, &w->records, events[i].image, NULL);
	}
	w->histories[at] = (struct tag_history){ .tag = at ? "u" : "t", .items = { events, n } };
	w->status.tags = (struct list){ w->histories, at + 1 };
}

static void world_begin(struct world *w)
{
	static struct state_entry entry = {
		.kind = KIND_IMAGE_STREAM, .ns = "shop", .name = "s", .id = "ImageStream/shop/s"
	};

	*w = (struct world){ .arena = arena_new() };
	w->status.repository = "reg.local/shop/s";
	entry.status = &w->status;
	map_set(w->arena, &w->state.by_id, entry.id, &entry);
	w->in = (struct prune_input){ .state = &w->state,
				      .used_tags = &w->used_tags,
				      .used_images = &w->used_images,
				      .records = &w->records,
				      .now_s = NOW,
				      .keep_revisions = 3,
				      .keep_younger_s = 3600,
				      .all = true };
}

/* "left of t|dropped|records deleted" */
static const char *pruned(struct world *w)
{
	const struct stream_status *status = &w->status;
	const struct prune_stream *gone = NULL;
	const char *text = "";

	stream_prune(&w->in, w->arena, &w->out);
	if (w->out.streams.n > 0) {
		gone = LIST_AT(w->out.streams, struct prune_stream, 0);
		status = gone->status;
	}
	for (size_t i = 0; i < status->tags.n; i++) {
		const struct tag_history *history = LIST_AT(status->tags, struct tag_history, i);

		text = arena_printf(w->arena, "%s%s:", text, history->tag);
		for (size_t k = 0; k < history->items.n; k++)
			text = arena_printf(w->arena, "%s%s", text,
					    LIST_AT(history->items, struct tag_event, k)->image);
	}
	text = arena_printf(w->arena, "%s|", text);
	for (size_t i = 0; gone && i < gone->items.n; i++)
		text = arena_printf(w->arena, "%s%s", text,
				    LIST_AT(gone->items, struct prune_item, i)->event->image);
	text = arena_printf(w->arena, "%s|", text);
	for (size_t i = 0; i < w->out.images.n; i++)
		text = arena_printf(w->arena, "%s%s", text, w->out.images.v[i]);
	return text;
}

static const int64_t old[] = { 10, 20, 30, 40, 50 };

static void test_revisions__beyond_the_limit_go_with_their_records(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w);
	tag_set(&w, 0, "abcde", old);
	assert_string_equal(pruned(&w), "t:abc|de|de");
	assert_int_equal(w.out.n_items, 2);
	w.in.keep_revisions = 5;
	assert_string_equal(pruned(&w), "t:abcde||");
	arena_free(w.arena);
}

static void test_what_is_in_use__stays(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w);
	w.in.keep_revisions = 0;
	tag_set(&w, 0, "abcde", old);
	map_set(w.arena, &w.used_images, "d", &w);
	assert_string_equal(pruned(&w), "t:d|abce|abce");
	map_set(w.arena, &w.used_tags, "shop/s:t", &w);
	assert_string_equal(pruned(&w), "t:ad|bce|bce");
	arena_free(w.arena);
}

static void test_what_is_young__stays(void **state)
{
	static const int64_t ages[] = { 0, 0, 10, 20, 30 };
	struct world w;

	(void)state;
	world_begin(&w);
	w.in.keep_revisions = 0;
	tag_set(&w, 0, "abcde", ages);
	assert_string_equal(pruned(&w), "t:ab|cde|cde");
	w.status.created_s = NOW - 10;
	assert_string_equal(pruned(&w), "t:abcde||");
	arena_free(w.arena);
}

static void test_records__that_another_tag_names_stay(void **state)
{
	int64_t young_s = NOW - 5;
	struct world w;

	(void)state;
	world_begin(&w);
	w.in.keep_revisions = 1;
	tag_set(&w, 0, "abc", old);
	tag_set(&w, 1, "cx", old);
	map_set(w.arena, &w.records, "orphan", NULL);
	map_set(w.arena, &w.records, "young", &young_s);
	map_set(w.arena, &w.used_images, "x", &w);
	assert_string_equal(pruned(&w), "t:au:cx|bc|borphan");
	arena_free(w.arena);
}

static void test_entries__without_a_record_go_first(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w);
	tag_set(&w, 0, "abc", old);
	w.records = (struct map){ 0 };
	map_set(w.arena, &w.records, "a", NULL);
	assert_string_equal(pruned(&w), "t:a|bc|");
	w.in.records = NULL; /* not known */
	assert_string_equal(pruned(&w), "t:abc||");
	arena_free(w.arena);
}

static void test_tags__that_would_come_back_keep_their_newest(void **state)
{
	struct tag_ref spec = { .name = "t" };
	struct tag_push push = { "Image/shop/s", "a" };
	struct world w;

	(void)state;
	world_begin(&w);
	w.in.keep_revisions = 0;
	tag_set(&w, 0, "ab", old);
	assert_string_equal(pruned(&w), "|ab|ab");
	assert_string_equal(LIST_AT(w.out.streams, struct prune_stream, 0)->tags.v[0], "t");
	w.status.spec.tags = (struct list){ &spec, 1 };
	assert_string_equal(pruned(&w), "t:a|b|b");
	w.status.spec.tags = (struct list){ 0 };
	w.histories[0].pushes = (struct list){ &push, 1 };
	assert_string_equal(pruned(&w), "t:a|b|b");
	arena_free(w.arena);
}

static void test_without_all__only_the_integrated_registry_is_pruned(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w);
	w.in.all = false;
	w.in.keep_revisions = 1;
	tag_set(&w, 0, "abc", old);
	LIST_AT(w.histories[0].items, struct tag_event, 1)->reference = "docker.io/x@b";
	assert_string_equal(pruned(&w), "t:ab|c|c");
	arena_free(w.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_revisions__beyond_the_limit_go_with_their_records),
		cmocka_unit_test(test_what_is_in_use__stays),
		cmocka_unit_test(test_what_is_young__stays),
		cmocka_unit_test(test_records__that_another_tag_names_stay),
		cmocka_unit_test(test_entries__without_a_record_go_first),
		cmocka_unit_test(test_tags__that_would_come_back_keep_their_newest),
		cmocka_unit_test(test_without_all__only_the_integrated_registry_is_pruned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
