/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_schema.c — the printed JSON Schemas have the envelope, the fields of the tables and what
 * the checks ask for.
 */
#include "manifest.h"

#include "model/doc/json.h"

static bool has_text(const struct node *seq, const char *text)
{
	for (const struct node *item = seq && seq->kind == NODE_SEQ ? seq->first : NULL; item;
	     item = item->next)
		if (item->kind == NODE_STRING && strcmp(item->text, text) == 0)
			return true;
	return false;
}

static void test_schema__of_each_kind_has_the_envelope(void **state)
{
	(void)state;
	for (enum kind kind = KIND_NONE + 1; kind < KINDS; kind++) {
		struct arena *arena = arena_new();
		const struct kind_info *info = kind_info(kind);
		const struct node *schema;

		if (info->is_workload) {
			arena_free(arena);
			continue;
		}
		schema = kind_schema(kind, arena);

		assert_string_equal(node_text(schema, "$schema"),
				    "http://json-schema.org/draft-07/schema#");
		assert_string_equal(node_text(schema, "title"), info->name);
		assert_true(has_text(node_get(schema, "required"), "kind"));
		assert_true(
			has_text(node_at(schema, "properties", "kind", "enum", NULL), info->name));
		for (const char *const *old = info->old_names; old && *old; old++)
			assert_true(has_text(node_at(schema, "properties", "kind", "enum", NULL),
					     *old));
		for (const struct field *field = info->spec_table->fields; field->name; field++)
			assert_non_null(info->is_whole
						? node_at(schema, "properties", field->name, NULL)
						: node_at(schema, "properties", "spec",
							  "properties", field->name, NULL));
		arena_free(arena);
	}
}

static void test_schema__knows_what_the_checks_ask_for(void **state)
{
	struct arena *arena = arena_new();
	const struct node *schema = kind_schema(KIND_IMAGE, arena);
	const struct node *spec = node_at(schema, "properties", "spec", NULL);

	(void)state;
	assert_true(has_text(node_get(spec, "required"), "tag"));
	assert_true(has_text(node_get(spec, "required"), "builder"));
	assert_true(has_text(node_get(spec, "required"), "source"));
	assert_int_equal(node_at(spec, "properties", "source", "oneOf", NULL)->n, 4);
	assert_true(
		has_text(node_at(spec, "properties", "builder", "properties", "kind", "enum", NULL),
			 "ClusterBuilder"));
	assert_non_null(node_at(spec, "properties", "serviceAccount", NULL)); /* v1alpha1 */
	assert_true(has_text(node_at(schema, "properties", "apiVersion", "enum", NULL),
			     "kpack.io/v1alpha1"));
	arena_free(arena);
}

static void test_schema__of_all_kinds_chooses_by_kind(void **state)
{
	struct arena *arena = arena_new();
	const struct node *schema = kinds_schema(arena);
	const struct node *branches = node_get(schema, "allOf");
	struct buf text = BUF_INIT(4 << 20), again = BUF_INIT(4 << 20);
	size_t n_schemas = 0;

	(void)state;
	for (enum kind kind = KIND_NONE + 1; kind < KINDS; kind++)
		n_schemas += !kind_info(kind)->is_workload;
	assert_int_equal(branches->n, n_schemas);
	for (const struct node *branch = branches->first; branch; branch = branch->next) {
		const char *ref = node_text(node_get(branch, "then"), "$ref");

		assert_int_equal(strncmp(ref, "#/definitions/", 14), 0);
		assert_non_null(node_at(schema, "definitions", ref + 14, NULL));
	}
	json_print(schema, JSON_PRETTY, &text);
	json_print(kinds_schema(arena), JSON_PRETTY, &again);
	assert_false(text.is_over);
	assert_string_equal(buf_text(&text), buf_text(&again));
	buf_release(&text);
	buf_release(&again);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_schema__of_each_kind_has_the_envelope),
		cmocka_unit_test(test_schema__knows_what_the_checks_ask_for),
		cmocka_unit_test(test_schema__of_all_kinds_chooses_by_kind),
	};

	return cmocka_run_group_tests_name("schema", tests, NULL, NULL);
}
