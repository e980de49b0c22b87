/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_recorder.c — pending changes against a real repository whose branch others move: what lands, what is theirs, what is
 * lost, and that all that was read stays valid.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "buildexec/sys/git_repo.h"
#include "model/base/limits.h"
#include "model/doc/json.h"
#include "model/kind/build_config_status.h"
#include "model/kind/image_record.h"
#include "reconcile/apply/recorder.h"
#include "unit/cli/folder.h"

/* One run: a store, what it read, a recorder. */
struct side {
	struct store *store, *logs;
	struct state_files base;
	struct recorder *recorder;
	struct strings lost;
};
struct fixture {
	struct folder folder;
	struct side ours, theirs;
	struct err err;
	unsigned n_readmes;
};

static void readme(void *ctx, const struct state *state, struct buf *out)
{
	struct fixture *f = ctx;

	f->n_readmes++;
	for (size_t i = 0; i < state->by_id.n; i++)
		buf_printf(out, "%s\n", state->by_id.items[i].key);
}

static void must(bool is_done, const struct err *err)
{
	if (!is_done)
		fail_msg("%s", err->text);
}

static void open_side(struct fixture *f, struct side *side, const char *run_id)
{
	struct arena *arena = f->folder.arena;
	struct store_place place = { .url = folder_path(&f->folder, "state.git"),
				     .branch = "reconcile/state" };
	struct recorder_spec spec = { .arena = arena,
				      .base = &side->base,
				      .author_name = "reconcile",
				      .author_email = "r@example.com",
				      .run_id = run_id,
				      .source_commit = "0123456789abcdef0123456789abcdef01234567",
				      .retries = 3,
				      .now_s = 1700000000,
				      .readme = readme,
				      .readme_ctx = f };

	must(store_open(&place, &side->store, &f->err), &f->err);
	place.branch = "reconcile/logs";
	place.has_no_history = true;
	must(store_open(&place, &side->logs, &f->err), &f->err);
	must(state_read(side->store, arena, &side->base, &f->err), &f->err);
	spec.store = side->store;
	spec.logs = side->logs;
	side->recorder = recorder_new(&spec);
}

static void close_side(struct side *side)
{
	recorder_free(&side->recorder);
	state_files_release(&side->base);
	store_close(&side->store);
	store_close(&side->logs);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct git_repo *repo;

	*state = f;
	if (folder_make(&f->folder) ||
	    !git_repo_init(folder_path(&f->folder, "state.git"), &repo, &f->err))
		return -1;
	git_repo_close(&repo);
	open_side(f, &f->ours, "01AAAAAAAAAAAAAAAAAAAAAAAA");
	open_side(f, &f->theirs, "01BBBBBBBBBBBBBBBBBBBBBBBB");
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	close_side(&f->ours);
	close_side(&f->theirs);
	folder_release(&f->folder);
	free(f);
	return 0;
}

static const struct object *image(struct fixture *f, const char *name)
{
	struct object *object = ARENA_NEW(f->folder.arena, struct object);

	object->kind = KIND_IMAGE;
	object->meta = (struct meta){ .name = name, .ns = "shop" };
	object->id = object_id(KIND_IMAGE, "shop", name, f->folder.arena);
	return object;
}

/* Image `name` at build `number`, claimed by a run or, with NULL, by nobody. */
static void put(struct fixture *f, struct side *side, const char *name, int64_t number,
		const char *run_id)
{
	struct image_status *status = ARENA_NEW(f->folder.arena, struct image_status);

	status->build_counter = number;
	status->last = ARENA_NEW(f->folder.arena, struct attempt);
	*status->last =
		(struct attempt){ .number = number, .result = "Building", .run_id = run_id };
	recorder_put(side->recorder, image(f, name), &(struct origin){ 0 }, status,
		     arena_printf(f->folder.arena, "Image/shop/%s: build #%d\nForged-Trailer: x",
				  name, (int)number));
}

static bool flush(struct fixture *f, struct side *side, bool is_strict)
{
	side->lost = (struct strings){ 0 };
	f->err = (struct err){ 0 };
	return recorder_flush(side->recorder, "test", is_strict, &side->lost, &f->err);
}

/* The build counter that the branch holds now; -1: no such file. */
static int64_t recorded(struct fixture *f, const char *name)
{
	struct state_files files;
	const struct state_entry *entry;
	int64_t number = -1;

	must(store_refresh(f->theirs.store, &f->err), &f->err);
	must(state_read(f->theirs.store, f->folder.arena, &files, &f->err), &f->err);
	entry = map_get(&files.state.by_id, arena_printf(f->folder.arena, "Image/shop/%s", name));
	if (entry)
		number = ((const struct image_status *)entry->status)->build_counter;
	state_files_release(&files);
	return number;
}

static const char *bytes_at(struct fixture *f, struct store *store, const char *path)
{
	struct store_file file;

	must(store_refresh(store, &f->err), &f->err);
	must(store_read(store, path, f->folder.arena, &file, &f->err), &f->err);
	return file.bytes;
}

/* They go to the tip. */
static void read_theirs(struct fixture *f)
{
	must(store_refresh(f->theirs.store, &f->err), &f->err);
	state_files_release(&f->theirs.base);
	must(state_read(f->theirs.store, f->folder.arena, &f->theirs.base, &f->err), &f->err);
}

/* Cut off it could not be read back, and the state branch with it. The others are recorded all the same. */
static void test_recorder__refuses_a_file_that_would_not_be_read_back(void **state)
{
	struct fixture *f = *state;
	struct image_status *status = ARENA_NEW(f->folder.arena, struct image_status);
	char *name = arena_alloc(f->folder.arena, LIMIT_STATE_BLOB + 1);

	put(f, &f->ours, "cart", 1, NULL);
	must(flush(f, &f->ours, true), &f->err);
	memset(name, 'x', LIMIT_STATE_BLOB);
	status->latest_build = name;
	must(recorder_has_all(f->ours.recorder, &f->err), &f->err);
	recorder_put(f->ours.recorder, image(f, "cart"), &(struct origin){ 0 }, status, "cart");
	put(f, &f->ours, "shop", 2, NULL);
	must(flush(f, &f->ours, true), &f->err);
	assert_int_equal(f->ours.lost.n, 1);
	assert_string_equal(f->ours.lost.v[0], "Image/shop/cart");
	assert_false(recorder_has_all(f->ours.recorder, &f->err));
	assert_int_equal(f->err.kind, ERR_INVALID);
	assert_non_null(strstr(f->err.text, "'shop/images/cart.yaml': it would be larger than"));
	assert_int_equal(recorded(f, "cart"), 1);
	assert_int_equal(recorded(f, "shop"), 2);
}

/* Many small values pass the other limit first. */
static void test_recorder__refuses_more_values_than_would_be_read_back(void **state)
{
	struct fixture *f = *state;
	struct arena *arena = f->folder.arena;
	struct node *root = node_new(arena, NODE_MAP), *list = node_new(arena, NODE_SEQ);

	node_set(arena, root, "list", list);
	for (unsigned i = 0; i < LIMIT_DOC_NODES; i++)
		node_push(list, node_int(arena, 1));
	put(f, &f->ours, "cart", 1, NULL);
	recorder_put_file(f->ours.recorder, "Image/shop/cart", "shop/images/cart/builds/1.yaml",
			  root);
	must(flush(f, &f->ours, false), &f->err);
	assert_false(recorder_has_all(f->ours.recorder, &f->err));
	assert_int_equal(f->err.kind, ERR_INVALID);
	assert_non_null(strstr(f->err.text, "shop/images/cart/builds/1.yaml"));
	assert_int_equal(recorded(f, "cart"), -1);
}

static void test_recorder__makes_one_commit_of_many_objects(void **state)
{
	struct fixture *f = *state;

	put(f, &f->ours, "cart", 1, NULL);
	put(f, &f->ours, "web", 2, NULL);
	assert_true(recorder_has_pending(f->ours.recorder));
	must(flush(f, &f->ours, true), &f->err);
	assert_false(recorder_has_pending(f->ours.recorder));
	assert_int_equal(recorder_n_commits(f->ours.recorder), 1);
	assert_int_equal(recorded(f, "cart"), 1);
	assert_int_equal(recorded(f, "web"), 2);
	assert_string_equal(bytes_at(f, f->theirs.store, "README.md"),
			    "Image/shop/cart\nImage/shop/web\n");
}

static void test_recorder__makes_no_commit_when_no_byte_changes(void **state)
{
	struct fixture *f = *state;
	struct git_id before;

	put(f, &f->ours, "cart", 1, NULL);
	must(flush(f, &f->ours, false), &f->err);
	before = *store_commit_id(f->ours.store);
	put(f, &f->ours, "cart", 1, NULL);
	must(flush(f, &f->ours, false), &f->err);
	must(flush(f, &f->ours, false), &f->err);
	assert_int_equal(recorder_n_commits(f->ours.recorder), 1);
	assert_string_equal(store_commit_id(f->ours.store)->hex, before.hex);
}

static void test_recorder__goes_on_top_of_what_others_did_to_other_objects(void **state)
{
	struct fixture *f = *state;

	put(f, &f->theirs, "web", 7, NULL);
	must(flush(f, &f->theirs, false), &f->err);
	put(f, &f->ours, "cart", 1, NULL);
	must(flush(f, &f->ours, true), &f->err);
	assert_int_equal(f->ours.lost.n, 0);
	assert_int_equal(recorded(f, "web"), 7);
	assert_int_equal(recorded(f, "cart"), 1);
	assert_string_equal(bytes_at(f, f->ours.store, "README.md"),
			    "Image/shop/web\nImage/shop/cart\n");
}

static void test_recorder__leaves_an_object_to_those_who_changed_it(void **state)
{
	struct fixture *f = *state;

	put(f, &f->theirs, "cart", 7, "01BBBBBBBBBBBBBBBBBBBBBBBB");
	must(flush(f, &f->theirs, false), &f->err);
	put(f, &f->ours, "cart", 1, NULL);
	put(f, &f->ours, "web", 1, NULL);
	must(flush(f, &f->ours, false), &f->err);
	assert_int_equal(f->ours.lost.n, 1);
	assert_string_equal(f->ours.lost.v[0], "Image/shop/cart");
	assert_int_equal(recorded(f, "cart"), 7);
	assert_int_equal(recorded(f, "web"), 1);
}

static void test_recorder__gives_up_all_claims_when_one_is_taken(void **state)
{
	struct fixture *f = *state;

	put(f, &f->theirs, "cart", 7, "01BBBBBBBBBBBBBBBBBBBBBBBB");
	must(flush(f, &f->theirs, true), &f->err);
	put(f, &f->ours, "cart", 7, "01AAAAAAAAAAAAAAAAAAAAAAAA");
	put(f, &f->ours, "web", 1, "01AAAAAAAAAAAAAAAAAAAAAAAA");
	assert_false(flush(f, &f->ours, true));
	assert_int_equal(f->err.kind, ERR_CONFLICT);
	assert_false(recorder_has_pending(f->ours.recorder));
	assert_int_equal(recorded(f, "web"), -1);
}

static void test_recorder__writes_over_a_file_that_carries_its_own_claim(void **state)
{
	struct fixture *f = *state;

	put(f, &f->ours, "cart", 3, "01AAAAAAAAAAAAAAAAAAAAAAAA");
	must(flush(f, &f->ours, true), &f->err);
	/* somebody touched the file and left the claim where it was */
	read_theirs(f);
	put(f, &f->theirs, "cart", 4, "01AAAAAAAAAAAAAAAAAAAAAAAA");
	must(flush(f, &f->theirs, false), &f->err);
	put(f, &f->ours, "cart", 5, NULL);
	must(flush(f, &f->ours, false), &f->err);
	assert_int_equal(f->ours.lost.n, 0);
	assert_int_equal(recorded(f, "cart"), 5);
}

/* ---- builds of one build config in two runs (runPolicy Parallel) ---- */

static const struct build_config_status *config_at(const struct side *side)
{
	const struct state_entry *entry = map_get(&side->base.state.by_id, "BuildConfig/shop/cart");

	return entry ? entry->status : NULL;
}

/* The status of a run that planned on `base`, with its own build in this phase. */
static void put_build(struct fixture *f, struct side *side, const struct build_config_status *base,
		      int64_t number, const char *phase)
{
	struct arena *arena = f->folder.arena;
	const char *run_id =
		side == &f->ours ? "01AAAAAAAAAAAAAAAAAAAAAAAA" : "01BBBBBBBBBBBBBBBBBBBBBBBB";
	bool is_over = strcmp(phase, "Running") != 0;
	struct build_config_status *status = ARENA_NEW(arena, struct build_config_status);
	size_t n = base ? base->history.n : 0;
	struct bc_history_entry *all = arena_array(arena, n + 1, sizeof(*all));
	struct object *object = ARENA_NEW(arena, struct object);

	for (size_t i = 0; i < n; i++)
		all[i] = *LIST_AT(base->history, struct bc_history_entry, i);
	all[n] = (struct bc_history_entry){ .number = number,
					    .phase = phase,
					    .policy = "Parallel",
					    .created_s = 1700000000 + number,
					    .finished_s = is_over ? 1700000100 : 0,
					    .lease_s = is_over ? 0 : 1700000900,
					    .run_id = is_over ? NULL : run_id };
	status->history = (struct list){ all, n + 1 };
	status->last_version = number;
	status->last = ARENA_NEW(arena, struct bc_attempt);
	*status->last = (struct bc_attempt){ .number = number,
					     .run_id = run_id,
					     .lease_s = all[n].lease_s };
	object->kind = KIND_BUILD_CONFIG;
	object->meta = (struct meta){ .name = "cart", .ns = "shop" };
	object->id = "BuildConfig/shop/cart";
	recorder_put(side->recorder, object, &(struct origin){ 0 }, status, "BuildConfig");
}

static void must_flush(struct fixture *f, struct side *side, bool is_strict)
{
	must(flush(f, side, is_strict), &f->err);
	assert_int_equal(side->lost.n, 0);
}

/* "1 Complete, 2 Running; last 2", as the branch has it now. */
static const char *builds_at_tip(struct fixture *f)
{
	const struct build_config_status *status;
	AUTO_BUF text = BUF_INIT(4096);
	struct state_files files;

	must(store_refresh(f->theirs.store, &f->err), &f->err);
	must(state_read(f->theirs.store, f->folder.arena, &files, &f->err), &f->err);
	status = ((const struct state_entry *)map_get(&files.state.by_id, "BuildConfig/shop/cart"))
			 ->status;
	for (size_t i = 0; i < status->history.n; i++) {
		const struct bc_history_entry *entry =
			LIST_AT(status->history, struct bc_history_entry, i);

		buf_printf(&text, "%d %s, ", (int)entry->number, entry->phase);
	}
	buf_printf(&text, "last %d of %d", (int)status->last->number, (int)status->last_version);
	state_files_release(&files);
	return buf_copy(&text, f->folder.arena);
}

/* With and without a look at the branch in between; either of them ends first. */
static void test_recorder__results_of_parallel_builds_in_two_runs_are_kept(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 4; i++) {
		const int64_t one = 2 * i + 1, two = one + 1;
		const struct build_config_status *ours, *theirs;

		close_side(&f->ours);
		open_side(f, &f->ours, "01AAAAAAAAAAAAAAAAAAAAAAAA");
		ours = config_at(&f->ours);
		put_build(f, &f->ours, ours, one, "Running");
		must_flush(f, &f->ours, true);
		close_side(&f->theirs);
		open_side(f, &f->theirs, "01BBBBBBBBBBBBBBBBBBBBBBBB");
		theirs = config_at(&f->theirs);
		put_build(f, &f->theirs, theirs, two, "Running");
		must_flush(f, &f->theirs, true);
		if (i & 1)
			must(recorder_look(f->ours.recorder, &f->ours.lost, &f->err), &f->err);
		put_build(f, &f->ours, ours, one, i & 2 ? "Complete" : "Running");
		must_flush(f, &f->ours, false);
		put_build(f, &f->theirs, theirs, two, "Failed");
		must_flush(f, &f->theirs, false);
		if (i & 2)
			continue;
		put_build(f, &f->ours, ours, one, "Complete");
		must_flush(f, &f->ours, false);
	}
	assert_string_equal(builds_at_tip(f),
			    "1 Complete, 2 Failed, 3 Complete, 4 Failed, 5 Complete, 6 Failed, "
			    "7 Complete, 8 Failed, last 8 of 8");
}

/* Whoever found the lease over gave the build up, and built again: that result is the one that counts. */
static void test_recorder__a_build_that_was_given_up_is_lost(void **state)
{
	struct fixture *f = *state;

	put_build(f, &f->ours, NULL, 1, "Running");
	must_flush(f, &f->ours, true);
	close_side(&f->theirs);
	open_side(f, &f->theirs, "01BBBBBBBBBBBBBBBBBBBBBBBB");
	put_build(f, &f->theirs, NULL, 1, "Error");
	must_flush(f, &f->theirs, true);
	put_build(f, &f->ours, NULL, 1, "Complete");
	must(flush(f, &f->ours, false), &f->err);
	assert_int_equal(f->ours.lost.n, 1);
	assert_string_equal(builds_at_tip(f), "1 Error, last 1 of 1");
}

/* A look at the branch brings what others did; what was planned before does not go over it. */
static void test_recorder__what_was_seen_meanwhile_is_not_written_over(void **state)
{
	struct fixture *f = *state;
	struct strings lost = { 0 };

	put(f, &f->ours, "cart", 1, NULL);
	must_flush(f, &f->ours, true);
	read_theirs(f);
	put(f, &f->theirs, "cart", 7, NULL);
	put(f, &f->theirs, "web", 7, NULL);
	must(flush(f, &f->theirs, false), &f->err);
	must(recorder_look(f->ours.recorder, &lost, &f->err), &f->err);
	put(f, &f->ours, "cart", 2, NULL);
	put(f, &f->ours, "web", 2, NULL);
	assert_false(flush(f, &f->ours, true));
	assert_int_equal(f->err.kind, ERR_CONFLICT);
	put(f, &f->ours, "cart", 2, NULL);
	put(f, &f->ours, "pay", 2, NULL);
	must(flush(f, &f->ours, false), &f->err);
	assert_int_equal(f->ours.lost.n, 1);
	assert_int_equal(recorded(f, "cart"), 7);
	assert_int_equal(recorded(f, "web"), 7);
	assert_int_equal(recorded(f, "pay"), 2);
}

static void test_recorder__keeps_what_was_read_before_a_conflict(void **state)
{
	struct fixture *f = *state;
	const struct state_entry *before;
	const struct image_status *status;

	put(f, &f->ours, "cart", 3, NULL);
	must(flush(f, &f->ours, false), &f->err);
	close_side(&f->ours);
	open_side(f, &f->ours, "01AAAAAAAAAAAAAAAAAAAAAAAA");
	before = map_get(&f->ours.base.state.by_id, "Image/shop/cart");
	status = before->status;
	for (int i = 0; i < 3; i++) {
		put(f, &f->theirs, "web", 10 + i, NULL);
		must(flush(f, &f->theirs, false), &f->err);
		put(f, &f->ours, "pay", 1 + i, NULL);
		must(flush(f, &f->ours, false), &f->err);
	}
	/* a plan that was made from it is still in use */
	assert_int_equal(status->build_counter, 3);
	assert_int_equal(status->last->number, 3);
	recorder_free(&f->ours.recorder);
	assert_non_null(map_get(&f->ours.base.state.by_id, "Image/shop/web"));
	assert_non_null(f->ours.base.state.commit);
}

static void test_recorder__deletes_an_object_with_its_records(void **state)
{
	struct fixture *f = *state;
	const struct state_entry gone = { .kind = KIND_IMAGE,
					  .ns = "shop",
					  .name = "cart",
					  .id = "Image/shop/cart",
					  .path = "shop/images/cart.yaml" };
	struct node *record = node_new(f->folder.arena, NODE_MAP);

	put(f, &f->ours, "cart", 1, NULL);
	put(f, &f->ours, "cart2", 1, NULL);
	node_set_text(f->folder.arena, record, "kind", "Build");
	recorder_put_file(f->ours.recorder, "Image/shop/cart", "shop/images/cart/builds/1.yaml",
			  record);
	must(flush(f, &f->ours, false), &f->err);
	assert_non_null(bytes_at(f, f->theirs.store, "shop/images/cart/builds/1.yaml"));
	recorder_delete(f->ours.recorder, &gone, "Image/shop/cart: deleted");
	must(flush(f, &f->ours, false), &f->err);
	assert_null(bytes_at(f, f->theirs.store, "shop/images/cart/builds/1.yaml"));
	assert_int_equal(recorded(f, "cart"), -1);
	assert_int_equal(recorded(f, "cart2"), 1);
	assert_string_equal(bytes_at(f, f->theirs.store, "README.md"), "Image/shop/cart2\n");
}

static void put_record(struct fixture *f, struct side *side, const char *id, char digit,
		       const char *reference)
{
	char hex[65] = { 0 };
	struct image_record record = { .reference = reference, .metadata_version = "1.0" };

	memset(hex, digit, 64);
	record.name = arena_printf(f->folder.arena, "sha256:%s", hex);
	recorder_put_record(side->recorder, id, &record);
}

static const char *record_path(struct fixture *f, char digit)
{
	char hex[65] = { 0 };

	memset(hex, digit, 64);
	return arena_printf(f->folder.arena, "cluster/images/sha256/%s.yaml", hex);
}

static void test_recorder__writes_the_record_of_an_image_once(void **state)
{
	struct fixture *f = *state;
	struct image_record read;
	struct state_files again;

	put(f, &f->ours, "cart", 1, NULL);
	put(f, &f->ours, "web", 1, NULL);
	put_record(f, &f->ours, "Image/shop/cart", 'a', "first");
	put_record(f, &f->ours, "Image/shop/web", 'a', "first");
	must(flush(f, &f->ours, true), &f->err);
	assert_non_null(strstr(bytes_at(f, f->theirs.store, record_path(f, 'a')), "first"));
	/* It is what it is, whoever sees the image again. */
	put(f, &f->ours, "cart", 2, NULL);
	put_record(f, &f->ours, "Image/shop/cart", 'a', "second");
	put_record(f, &f->ours, "Image/shop/cart", 'b', "other");
	must(flush(f, &f->ours, true), &f->err);
	assert_non_null(strstr(bytes_at(f, f->theirs.store, record_path(f, 'a')), "first"));
	assert_non_null(strstr(bytes_at(f, f->theirs.store, record_path(f, 'b')), "other"));
	/* One drops it while another takes it in: it stays. */
	put(f, &f->ours, "cart", 3, NULL);
	put(f, &f->ours, "web", 3, NULL);
	recorder_put_file(f->ours.recorder, "Image/shop/cart", record_path(f, 'b'), NULL);
	put_record(f, &f->ours, "Image/shop/web", 'b', "other");
	must(flush(f, &f->ours, true), &f->err);
	assert_non_null(strstr(bytes_at(f, f->theirs.store, record_path(f, 'b')), "other"));
	must(state_read_image(f->ours.store,
			      arena_printf(f->folder.arena, "sha256:%.64s",
					   record_path(f, 'b') + strlen("cluster/images/sha256/")),
			      f->folder.arena, &read, &f->err),
	     &f->err);
	assert_string_equal(read.reference, "other");
	assert_false(state_read_image(f->ours.store, "sha256:00", f->folder.arena, &read, &f->err));
	assert_int_equal(f->err.kind, ERR_ABSENT);
	/* Reading statuses does not read records. */
	must(state_read(f->ours.store, f->folder.arena, &again, &f->err), &f->err);
	for (size_t i = 0; i < again.files.n; i++)
		assert_null(strstr(again.files.v[i].path, "cluster/images"));
	state_files_release(&again);
}

static void test_recorder__drops_a_record_with_the_object_that_others_changed(void **state)
{
	struct fixture *f = *state;

	put(f, &f->theirs, "cart", 1, NULL);
	must(flush(f, &f->theirs, true), &f->err);
	put(f, &f->ours, "cart", 2, NULL);
	put_record(f, &f->ours, "Image/shop/cart", 'c', "lost");
	put(f, &f->ours, "web", 2, NULL);
	must(flush(f, &f->ours, false), &f->err);
	assert_int_equal(f->ours.lost.n, 1);
	assert_null(bytes_at(f, f->theirs.store, record_path(f, 'c')));
}

static void test_recorder__puts_logs_on_a_branch_of_their_own(void **state)
{
	struct fixture *f = *state;

	recorder_put_log(f->theirs.recorder, "shop/images/web/1.log", "theirs", 6);
	must(flush(f, &f->theirs, false), &f->err);
	recorder_put_log(f->ours.recorder, "shop/images/cart/1.log", "draft", 5);
	recorder_put_log(f->ours.recorder, "shop/images/cart/1.log", "one\n", 4);
	recorder_put_log(f->ours.recorder, "shop/images/cart/2.log", "two\n", 4);
	put(f, &f->ours, "cart", 2, NULL);
	must(flush(f, &f->ours, false), &f->err);
	assert_string_equal(bytes_at(f, f->ours.logs, "shop/images/cart/1.log"), "one\n");
	assert_string_equal(bytes_at(f, f->ours.logs, "shop/images/web/1.log"), "theirs");
	recorder_put_log(f->ours.recorder, "shop/images/cart/1.log", NULL, 0);
	must(flush(f, &f->ours, false), &f->err);
	assert_null(bytes_at(f, f->ours.logs, "shop/images/cart/1.log"));
	assert_string_equal(bytes_at(f, f->ours.logs, "shop/images/cart/2.log"), "two\n");
	assert_null(bytes_at(f, f->ours.store, "shop/images/cart/1.log"));
}

static void test_recorder__lets_no_text_forge_a_trailer(void **state)
{
	struct fixture *f = *state;
	unsigned char id[GIT_ID_HEX / 2];
	struct git_data data;
	struct git_repo *repo;
	const char *text;

	put(f, &f->ours, "cart", 1, NULL);
	must(flush(f, &f->ours, false), &f->err);
	must(git_repo_open(folder_path(&f->folder, "state.git"), false, &repo, &f->err), &f->err);
	assert_true(git_hex_bytes(store_commit_id(f->ours.store)->hex, id, sizeof(id)));
	must(git_objects_need(git_repo_objects(repo), id, GIT_TYPE_COMMIT, f->folder.arena, &data,
			      &f->err),
	     &f->err);
	text = arena_copy(f->folder.arena, (const char *)data.bytes, data.n);
	assert_non_null(strstr(text, "\n\nreconcile: test (0123456)\n\nImage/shop/cart: build #1"));
	assert_null(strstr(text, "\nForged-Trailer:"));
	assert_non_null(strstr(text, "\nReconcile-Run: 01AAAAAAAAAAAAAAAAAAAAAAAA\n"));
	git_repo_close(&repo);
}

static void test_state__that_is_damaged_is_an_error_that_names_the_file(void **state)
{
	static const struct {
		const char *path, *text, *says;
	} rows[] = {
		{ "shop/images/cart.yaml", "status: [", "state file 'shop/images/cart.yaml'" },
		{ "cluster/stacks/base.yaml", "status: 7\n",
		  "state file 'cluster/stacks/base.yaml'" },
		{ "shop/images/cart.yaml", "", "not one document" },
		{ "shop/buildconfigs/cart.yaml",
		  "apiVersion: build.openshift.io/v1\nkind: BuildConfig\nmetadata: {name: cart}\n"
		  "status: {lastVersion: 1, builds: [{number: 2, phase: New}]}\n",
		  "state file 'shop/buildconfigs/cart.yaml': status: 'builds' has a number" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		const struct store_change change = { rows[i].path, rows[i].text,
						     strlen(rows[i].text) };
		const struct store_commit commit = { .changes = &change,
						     .n_changes = 1,
						     .author_name = "x",
						     .author_email = "x@x",
						     .message = "x" };
		const struct store_change undo = { rows[i].path, NULL, 0 };
		struct store_commit back = commit;
		struct state_files files;
		bool made;

		back.changes = &undo;
		must(store_commit(f->ours.store, &commit, &made, &f->err), &f->err);
		if (state_read(f->ours.store, f->folder.arena, &files, &f->err))
			fail_msg("'%s' was read", rows[i].text);
		if (!strstr(f->err.text, rows[i].says))
			fail_msg("%s", f->err.text);
		must(store_commit(f->ours.store, &back, &made, &f->err), &f->err);
	}
}

/* Of a build config at build `number`, that a run has claimed until `lease_s`. */
static void put_config(struct fixture *f, struct side *side, int64_t number, const char *run_id,
		       int64_t lease_s)
{
	struct arena *arena = f->folder.arena;
	struct object *object = ARENA_NEW(arena, struct object);
	struct build_config_status *status = ARENA_NEW(arena, struct build_config_status);
	struct bc_history_entry *entries = arena_array(arena, (size_t)number, sizeof(*entries));

	for (int64_t i = 0; i < number; i++)
		entries[i] = (struct bc_history_entry){ .number = i + 1,
							.phase = "Running",
							.lease_s = i + 1 == number ? lease_s : 0 };
	status->last_version = number;
	status->last = ARENA_NEW(arena, struct bc_attempt);
	*status->last =
		(struct bc_attempt){ .number = number, .run_id = run_id, .lease_s = lease_s };
	status->history = (struct list){ entries, (size_t)number };
	object->kind = KIND_BUILD_CONFIG;
	object->meta = (struct meta){ .name = "cart", .ns = "shop" };
	object->id = "BuildConfig/shop/cart";
	recorder_put(side->recorder, object, &(struct origin){ 0 }, status, "cart");
}

static const struct state_entry *config_of(const struct side *side)
{
	return map_get(&side->base.state.by_id, "BuildConfig/shop/cart");
}

static void test_recorder__knows_its_claim_on_a_build_config(void **state)
{
	struct fixture *f = *state;
	const struct build_config_status *status;
	struct claim claim;

	put_config(f, &f->ours, 1, "01AAAAAAAAAAAAAAAAAAAAAAAA", 1700003600);
	must(flush(f, &f->ours, true), &f->err);
	read_theirs(f);
	/* read back */
	assert_true(status_claim(config_of(&f->theirs), &claim));
	assert_string_equal(claim.run_id, "01AAAAAAAAAAAAAAAAAAAAAAAA");
	assert_int_equal(*claim.lease_s, 1700003600);
	assert_int_equal(*claim.entry_lease_s, 1700003600);
	put_config(f, &f->theirs, 1, "01AAAAAAAAAAAAAAAAAAAAAAAA", 1700003601);
	must(flush(f, &f->theirs, false), &f->err);
	put_config(f, &f->ours, 2, "01AAAAAAAAAAAAAAAAAAAAAAAA", 1700003600);
	must(flush(f, &f->ours, false), &f->err);
	assert_int_equal(f->ours.lost.n, 0);
	/* what another claimed is theirs */
	read_theirs(f);
	status = config_of(&f->theirs)->status;
	assert_int_equal(status->last_version, 2);
	put_config(f, &f->theirs, 3, "01BBBBBBBBBBBBBBBBBBBBBBBB", 1700003600);
	must(flush(f, &f->theirs, false), &f->err);
	put_config(f, &f->ours, 2, NULL, 0);
	must(flush(f, &f->ours, false), &f->err);
	assert_int_equal(f->ours.lost.n, 1);
}

/* A push whose answer was lost: what is there is what we put. */
static void test_recorder__what_is_there_already_is_not_lost(void **state)
{
	struct fixture *f = *state;

	put(f, &f->ours, "cart", 1, NULL);
	put(f, &f->theirs, "cart", 1, NULL);
	must(flush(f, &f->theirs, false), &f->err);
	must(flush(f, &f->ours, true), &f->err);
	assert_int_equal(f->ours.lost.n, 0);
	assert_int_equal(recorder_n_commits(f->ours.recorder), 0);
}

/* What `from` could not record, in a recorder of the same run that knows the tip. */
static struct node *save(struct fixture *f, const struct side *from)
{
	struct node *saved = recorder_save(from->recorder, f->folder.arena);

	assert_non_null(saved);
	return saved;
}

static void reopen(struct fixture *f, struct side *side)
{
	close_side(side);
	*side = (struct side){ 0 };
	open_side(f, side, "01AAAAAAAAAAAAAAAAAAAAAAAA");
}

static void test_recorder__saves_what_did_not_land(void **state)
{
	struct fixture *f = *state;
	struct node *saved;
	size_t n;

	assert_null(recorder_save(f->ours.recorder, f->folder.arena));
	put(f, &f->ours, "cart", 1, NULL);
	must(flush(f, &f->ours, true), &f->err);
	put(f, &f->ours, "cart", 2, NULL);
	put(f, &f->ours, "web", 1, NULL);
	saved = save(f, &f->ours);
	/* meanwhile others have recorded the one */
	read_theirs(f);
	put(f, &f->theirs, "web", 7, NULL);
	put(f, &f->theirs, "pay", 1, NULL);
	must(flush(f, &f->theirs, false), &f->err);
	reopen(f, &f->ours);
	must(recorder_load(f->ours.recorder, saved, &f->err), &f->err);
	must(recorder_drop_landed(f->ours.recorder, &n, &f->err), &f->err);
	assert_int_equal(n, 0);
	must(flush(f, &f->ours, false), &f->err);
	assert_int_equal(f->ours.lost.n, 1);
	assert_string_equal(f->ours.lost.v[0], "Image/shop/web");
	assert_int_equal(recorded(f, "cart"), 2);
	assert_int_equal(recorded(f, "web"), 7);
	assert_int_equal(recorded(f, "pay"), 1);
}

static void test_recorder__loads_only_what_it_saves(void **state)
{
	static const struct {
		const char *key, *value;
	} damages[] = {
		{ "id", "Image/shop/other" },   { "path", "shop/images/other.yaml" },
		{ "path", "../etc/cart.yaml" }, { "path", "x" },
		{ "base", "status: [" },        { "line", NULL },
	};
	struct fixture *f = *state;

	put(f, &f->ours, "cart", 1, NULL);
	for (size_t i = 0; i < COUNTOF(damages); i++) {
		struct node *saved = save(f, &f->ours);
		struct node *object = node_get(saved, "objects")->first;

		if (damages[i].value)
			node_set(f->folder.arena, object, damages[i].key,
				 node_string(f->folder.arena, damages[i].value));
		else
			node_set(f->folder.arena, object, damages[i].key,
				 node_new(f->folder.arena, NODE_NULL));
		reopen(f, &f->ours);
		if (recorder_load(f->ours.recorder, saved, &f->err))
			fail_msg("%s: %s was taken", damages[i].key, damages[i].value);
		assert_int_equal(f->err.kind, ERR_INVALID);
		f->err = (struct err){ 0 };
		put(f, &f->ours, "cart", 1, NULL);
	}
}

/* A file of it that leads elsewhere, and a removal of what is no status. */
static void test_recorder__loads_no_path_outside(void **state)
{
	static const char *const texts[] = {
		"{\"objects\":[{\"id\":\"Image/../x\",\"path\":\"../images/x.yaml\",\"line\":\"\","
		"\"files\":[{\"path\":\"../images/x.yaml\"}]}]}",
		"{\"objects\":[{\"id\":\"Image/shop/x\",\"path\":\"shop/images/x.yaml\",\"line\":"
		"\"\",\"files\":[{\"path\":\"shop/images/x.yaml\"}]}],"
		"\"logs\":[{\"path\":\"../../x\",\"text\":\"\"}]}",
		"{\"objects\":[{\"id\":\"Image/shop/x\",\"path\":\"settings.yaml\",\"line\":\"\","
		"\"files\":[{\"path\":\"settings.yaml\"}]}]}",
		"{\"objects\":[{\"id\":\"Image/shop/x\",\"path\":\"shop/images/y.yaml\",\"line\":"
		"\"\",\"files\":[{\"path\":\"shop/images/y.yaml\"}]}]}",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNTOF(texts); i++) {
		struct node *saved;

		must(json_parse(texts[i], strlen(texts[i]), f->folder.arena, &saved, &f->err),
		     &f->err);
		reopen(f, &f->ours);
		if (recorder_load(f->ours.recorder, saved, &f->err))
			fail_msg("row %zu was taken", i);
		assert_int_equal(f->err.kind, ERR_INVALID);
		f->err = (struct err){ 0 };
	}
}

static void count_moves(void *ctx)
{
	++*(int *)ctx;
}

static void test_recorder__looks_whether_the_branch_moved(void **state)
{
	struct fixture *f = *state;
	struct strings lost = { 0 };
	int n_moves = 0;

	recorder_watch(f->ours.recorder, count_moves, &n_moves);
	must(recorder_look(f->ours.recorder, &lost, &f->err), &f->err);
	assert_int_equal(n_moves, 0);
	put(f, &f->ours, "web", 1, NULL); /* pending */
	put(f, &f->ours, "cart", 1, NULL);
	put(f, &f->theirs, "cart", 7, NULL);
	must(flush(f, &f->theirs, false), &f->err);
	must(recorder_look(f->ours.recorder, &lost, &f->err), &f->err);
	must(recorder_look(f->ours.recorder, &lost, &f->err), &f->err);
	assert_int_equal(n_moves, 1);
	assert_int_equal(lost.n, 1);
	assert_string_equal(lost.v[0], "Image/shop/cart");
	must(flush(f, &f->ours, true), &f->err); /* on top of what was looked at */
	assert_int_equal(recorded(f, "cart"), 7);
	assert_int_equal(recorded(f, "web"), 1);
	/* a commit of ours that meets another's tells as well */
	read_theirs(f);
	put(f, &f->theirs, "pay", 1, NULL);
	must(flush(f, &f->theirs, false), &f->err);
	put(f, &f->ours, "web", 2, NULL);
	must(flush(f, &f->ours, false), &f->err);
	assert_int_equal(n_moves, 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_recorder__refuses_a_file_that_would_not_be_read_back),
		TEST(test_recorder__refuses_more_values_than_would_be_read_back),
		TEST(test_recorder__makes_one_commit_of_many_objects),
		TEST(test_recorder__makes_no_commit_when_no_byte_changes),
		TEST(test_recorder__goes_on_top_of_what_others_did_to_other_objects),
		TEST(test_recorder__leaves_an_object_to_those_who_changed_it),
		TEST(test_recorder__gives_up_all_claims_when_one_is_taken),
		TEST(test_recorder__writes_over_a_file_that_carries_its_own_claim),
		TEST(test_recorder__keeps_what_was_read_before_a_conflict),
		TEST(test_recorder__results_of_parallel_builds_in_two_runs_are_kept),
		TEST(test_recorder__a_build_that_was_given_up_is_lost),
		TEST(test_recorder__what_was_seen_meanwhile_is_not_written_over),
		TEST(test_recorder__deletes_an_object_with_its_records),
		TEST(test_recorder__writes_the_record_of_an_image_once),
		TEST(test_recorder__drops_a_record_with_the_object_that_others_changed),
		TEST(test_recorder__puts_logs_on_a_branch_of_their_own),
		TEST(test_recorder__lets_no_text_forge_a_trailer),
		TEST(test_recorder__knows_its_claim_on_a_build_config),
		TEST(test_recorder__looks_whether_the_branch_moved),
		TEST(test_recorder__what_is_there_already_is_not_lost),
		TEST(test_recorder__saves_what_did_not_land),
		TEST(test_recorder__loads_only_what_it_saves),
		TEST(test_recorder__loads_no_path_outside),
		TEST(test_state__that_is_damaged_is_an_error_that_names_the_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
