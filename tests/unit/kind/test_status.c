/* SPDX-License-Identifier: Apache-2.0 */
/*
 * * test_status.c — statuses, build records, requests and events survive printing and reading;
 * what is wrong is refused by name. The round trip fills every field of every table by its type,
 * so a field that is lost is seen.
 */
#include "manifest.h"

#include "model/doc/json.h"
#include "model/kind/build_request.h"

#define D1 "sha256:95ff756f0ef0e026440a8523f4bab02fd8b45dc1a8a3a7ba063cefdba5cb9493"
#define D2 "sha256:5058ceb9a562ec647ea5a41008b0d11e32a56e13e8c9ec20c4db63d220373e33"

struct filler {
	struct arena *arena;
	uint32_t seed;
};

static uint32_t next(struct filler *f)
{
	f->seed = f->seed * 1664525u + 1013904223u;
	return f->seed >> 8;
}

static const char *a_text(struct filler *f)
{
	static const char *const hard[] = { "yes", "0x1F",          "null", "~",   "a: b",
					    "#x",  "line\nbreak\n", "é\"'", " x ", "-",
					    "1e3", "trail\n\n",     "" };

	return next(f) % 3 ? arena_printf(f->arena, "text-%u", next(f) % 100000)
			   : hard[next(f) % COUNTOF(hard)];
}

static void fill(struct filler *f, const struct table *table, char *out);

static void fill_one(struct filler *f, const struct field *field, char *at)
{
	const char **text = (void *)at;
	struct strings *strings = (void *)at;
	struct pairs *pairs = (void *)at;
	struct list *list = (void *)at;
	const struct node **node = (void *)at;
	size_t n = next(f) % 3, n_values = 0;

	switch (field->type) {
	case FIELD_STRING:
	case FIELD_TEXT:
		*text = a_text(f);
		break;
	case FIELD_ENUM:
		while (field->values[n_values])
			n_values++;
		*text = field->values[next(f) % n_values];
		break;
	case FIELD_BOOL:
		*(bool *)at = next(f) % 2;
		break;
	case FIELD_INT:
		*(int64_t *)(void *)at = field->min ? field->min : next(f) % 256;
		break;
	case FIELD_TIME:
		*(int64_t *)(void *)at = 1 + next(f);
		break;
	case FIELD_STRUCT:
		fill(f, field->table, at);
		break;
	case FIELD_STRUCT_PTR:
		*(void **)(void *)at = arena_alloc(f->arena, field->table->size);
		fill(f, field->table, *(void **)(void *)at);
		break;
	case FIELD_STRINGS:
		for (size_t i = 0; i < n; i++)
			vec_push(f->arena, strings, a_text(f));
		break;
	case FIELD_STRUCTS:
		list->n = n;
		list->v = arena_array(f->arena, n, field->table->size);
		for (size_t i = 0; i < n; i++)
			fill(f, field->table, (char *)list->v + i * field->table->size);
		break;
	case FIELD_STRING_MAP:
		for (size_t i = 0; i < n; i++)
			vec_push(f->arena, pairs,
				 (struct pair){
					 arena_printf(f->arena, "key-%zu", i), a_text(f), { 0 } });
		break;
	case FIELD_NODE:
		*node = node_string(f->arena, a_text(f));
		break;
	case FIELD_IGNORED:
	case FIELD_TYPES:
		break;
	}
}

static void fill(struct filler *f, const struct table *table, char *out)
{
	for (const struct field *field = table->fields; field->name; field++)
		if (field->is_required || field->type == FIELD_STRUCT || next(f) % 4)
			fill_one(f, field, out + field->offset);
}

static struct node *through_yaml(const struct node *tree, struct arena *arena)
{
	struct buf text = BUF_INIT(1 << 20), again = BUF_INIT(1 << 20);
	struct documents documents = { 0 };
	struct source_file file;
	struct diags diags;

	yaml_print(tree, &text);
	assert_false(text.is_over);
	file = (struct source_file){ "s.yaml", arena_strdup(arena, buf_text(&text)), text.len };
	diags_init(&diags, arena);
	yaml_parse(&file, arena, &documents, &diags);
	assert_int_equal(diags.n_errors, 0);
	assert_int_equal(documents.n, 1);
	yaml_print(documents.v[0], &again);
	assert_string_equal(buf_text(&again), buf_text(&text));
	buf_release(&text);
	buf_release(&again);
	return documents.v[0];
}

static struct node *through_json(const struct node *tree, struct arena *arena)
{
	struct buf text = BUF_INIT(1 << 20);
	struct err err = { 0 };
	struct node *out;

	json_print(tree, JSON_COMPACT, &text);
	assert_true(json_parse(buf_text(&text), text.len, arena, &out, &err));
	buf_release(&text);
	return out;
}

static void test_status__every_field_of_every_table_survives(void **state)
{
	static const struct table *const tables[] = {
		&stack_status_table,   &store_status_table, &lifecycle_status_table,
		&builder_status_table, &image_status_table, &attempt_table,
		&build_request_table,  &build_event_table,  &build_config_status_table,
	};

	(void)state;
	for (uint32_t round = 0; round < 60; round++)
		for (size_t i = 0; i < COUNTOF(tables); i++) {
			struct arena *arena = arena_new();
			struct filler f = { arena, round * 7919 + (uint32_t)i };
			char *value = arena_alloc(arena, tables[i]->size);
			char *back = arena_alloc(arena, tables[i]->size);
			struct err err = { 0 };
			struct node *tree, *read;

			fill(&f, tables[i], value);
			tree = fields_encode(tables[i], value, arena);
			read = round % 2 ? through_yaml(tree, arena) : through_json(tree, arena);
			assert_true(node_equal(tree, read));
			if (!fields_read(tables[i], read, back, arena, &err))
				fail_msg("%s: %s", tables[i]->name, err.text);
			/* Absent fields of a build config's spec come back as their defaults: once. */
			if (tables[i] == &build_request_table) {
				tree = fields_encode(tables[i], back, arena);
				back = arena_alloc(arena, tables[i]->size);
				assert_true(fields_read(tables[i], tree, back, arena, &err));
			}
			assert_true(node_equal(tree, fields_encode(tables[i], back, arena)));
			arena_free(arena);
		}
}

static struct object object_of(enum kind kind, struct arena *arena)
{
	const char *ns = kind_info(kind)->is_cluster ? "" : "shop";

	return (struct object){ .kind = kind,
				.meta = { .name = "x", .ns = ns },
				.id = object_id(kind, ns, "x", arena) };
}

static void test_status__an_empty_one_survives_for_every_kind(void **state)
{
	(void)state;
	for (enum kind kind = KIND_NONE + 1; kind < KINDS; kind++) {
		struct arena *arena = arena_new();
		struct object object = object_of(kind, arena);
		void *zero = arena_alloc(arena, 4096), *back;
		struct err err = { 0 };
		struct node *tree;

		if (!kind_info(kind)->state_folder) {
			arena_free(arena);
			continue;
		}
		tree = through_yaml(
			status_encode(&object, &(struct origin){ "h/x", "a.yaml" }, zero, arena),
			arena);
		if (!status_read(kind, tree, arena, &back, &err))
			fail_msg("%s: %s", kind_name(kind), err.text);
		assert_non_null(back);
		assert_string_equal(origin_read(tree).manifest, "a.yaml");
		arena_free(arena);
	}
}

static void test_status__an_image_looks_like_kpacks(void **state)
{
	struct arena *arena = arena_new();
	struct object object = object_of(KIND_IMAGE, arena);
	struct condition ready = { "Ready", "True", "UpToDate", NULL, 1795317320 };
	struct git_source git = { .url = "https://h/x", .revision = "4e5f6a7" };
	struct attempt last = { .number = 12,
				.result = "Succeeded",
				.reason = "COMMIT",
				.build_key = D1,
				.source = { .git = &git },
				.git_revision = "main",
				.image = "r.example.com/shop/x@" D2 };
	struct history_entry entry = { 12,         "Succeeded",
				       "COMMIT",   "r.example.com/shop/x@" D2,
				       1795317295, 1795317320 };
	const char *tag = "r.example.com/shop/x";
	struct image_status status = {
		.conditions = { &ready, 1 },
		.build_counter = 12,
		.latest_build = "x-build-12",
		.latest_reason = "COMMIT",
		.latest_image = "r.example.com/shop/x@" D2,
		.tags = { &tag, 1, 1 },
		.last = &last,
		.history = { &entry, 1 },
	};
	struct buf text = BUF_INIT(1 << 16);

	(void)state;
	yaml_print(status_encode(&object, &(struct origin){ 0 }, &status, arena), &text);
	assert_string_equal(buf_text(&text), "apiVersion: kpack.io/v1alpha2\n"
					     "kind: Image\n"
					     "metadata:\n"
					     "  name: x\n"
					     "  namespace: shop\n"
					     "status:\n"
					     "  conditions:\n"
					     "  - type: Ready\n"
					     "    status: \"True\"\n"
					     "    reason: UpToDate\n"
					     "    lastTransitionTime: \"2026-11-22T03:15:20Z\"\n"
					     "  latestBuildRef: x-build-12\n"
					     "  latestBuildReason: COMMIT\n"
					     "  latestImage: r.example.com/shop/x@" D2 "\n"
					     "  buildCounter: 12\n"
					     "  tags:\n"
					     "  - r.example.com/shop/x\n"
					     "  lastAttempt:\n"
					     "    number: 12\n"
					     "    result: Succeeded\n"
					     "    reason: COMMIT\n"
					     "    buildKey: " D1 "\n"
					     "    source:\n"
					     "      git:\n"
					     "        url: https://h/x\n"
					     "        revision: 4e5f6a7\n"
					     "    followed:\n"
					     "      revision: main\n"
					     "    image: r.example.com/shop/x@" D2 "\n"
					     "  builds:\n"
					     "  - number: 12\n"
					     "    result: Succeeded\n"
					     "    reason: COMMIT\n"
					     "    image: r.example.com/shop/x@" D2 "\n"
					     "    startedAt: \"2026-11-22T03:14:55Z\"\n"
					     "    finishedAt: \"2026-11-22T03:15:20Z\"\n");
	buf_release(&text);
	arena_free(arena);
}

#define FILE_OF(kind, status)                                                                      \
	"apiVersion: kpack.io/v1alpha2\nkind: " kind "\nmetadata: {name: x}\nstatus: " status "\n"

static const struct {
	enum kind kind;
	const char *text, *said;
} refused[] = {
	{ KIND_IMAGE, "[]\n", "'apiVersion' is not of kpack.io" },
	{ KIND_IMAGE, "apiVersion: v1\nkind: Image\n", "'apiVersion' is not of kpack.io" },
	{ KIND_IMAGE, FILE_OF("Builder", "{}"), "'kind' is 'Builder', not 'Image'" },
	{ KIND_IMAGE, "apiVersion: kpack.io/v1alpha2\nkind: Image\nstatus: {}\n",
	  "'metadata.name' is missing" },
	{ KIND_IMAGE, "apiVersion: kpack.io/v1alpha2\nkind: Image\nmetadata: {name: x}\n",
	  "'status' is missing" },
	{ KIND_IMAGE, FILE_OF("Image", "{latestImage: a/b}"),
	  "status: 'latestImage' has no digest" },
	{ KIND_IMAGE, FILE_OF("Image", "{lastAttempt: {buildKey: x}}"),
	  "status: lastAttempt: 'buildKey' is no sha256 digest" },
	{ KIND_IMAGE, FILE_OF("Image", "{tags: ['A B']}"), "status: 'tags[0]' is no tag" },
	{ KIND_IMAGE, FILE_OF("Image", "{buildCounter: -1}"),
	  "status: 'buildCounter' must be between 0 and 2147483647" },
	{ KIND_IMAGE,
	  FILE_OF("Image", "{builds: [{number: 2, result: Failed}, {number: 2, result: Failed}]}"),
	  "status: 'builds' is not in the order of its numbers" },
	{ KIND_IMAGE, FILE_OF("Image", "{conditions: [{type: Ready, status: Maybe}]}"),
	  "status: unsupported value 'Maybe' for 'conditions[0].status'; supported: True, False, "
	  "Unknown" },
	{ KIND_CLUSTER_STORE, FILE_OF("ClusterStore", "{buildpacks: [{id: a, diffId: sha256:00}]}"),
	  "status: 'buildpacks[].diffId' is no sha256 digest" },
	{ KIND_CLUSTER_STORE, FILE_OF("ClusterStore", "{buildpacks: [{id: a, size: -5}]}"),
	  "status: 'buildpacks[0].size' must be between 0 and 9223372036854775807" },
	{ KIND_CLUSTER_STACK, FILE_OF("ClusterStack", "{runImage: {latestImage: a/b}}"),
	  "status: 'runImage.latestImage' has no digest" },
	{ KIND_BUILDER, FILE_OF("Builder", "{composeKey: md5:1}"),
	  "status: 'composeKey' is no sha256 digest" },
	{ KIND_SECRET, FILE_OF("Secret", "{}"), "Secret has no status" },
};

static struct node *parse(const char *text, struct arena *arena)
{
	struct documents documents = { 0 };
	struct source_file file = { "s.yaml", text, strlen(text) };
	struct diags diags;

	diags_init(&diags, arena);
	yaml_parse(&file, arena, &documents, &diags);
	assert_int_equal(diags.n_errors, 0);
	assert_int_equal(documents.n, 1);
	return documents.v[0];
}

static void test_status__what_is_wrong_is_refused_by_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNTOF(refused); i++) {
		struct arena *arena = arena_new();
		struct err err = { 0 };
		void *out;

		assert_false(status_read(refused[i].kind, parse(refused[i].text, arena), arena,
					 &out, &err));
		assert_string_equal(err.text, refused[i].said);
		assert_int_equal(err.kind, ERR_INVALID);
		assert_null(out);
		arena_free(arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status__every_field_of_every_table_survives),
		cmocka_unit_test(test_status__an_empty_one_survives_for_every_kind),
		cmocka_unit_test(test_status__an_image_looks_like_kpacks),
		cmocka_unit_test(test_status__what_is_wrong_is_refused_by_name),
	};

	return cmocka_run_group_tests_name("status", tests, NULL, NULL);
}
