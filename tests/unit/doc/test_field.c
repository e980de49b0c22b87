/* SPDX-License-Identifier: Apache-2.0 */
/* test_field.c — decoding with every mistake reported, reading of machine-made trees, encoding, JSON Schema. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/base/limits.h"
#include "model/doc/field.h"
#include "model/doc/json.h"
#include "model/doc/yaml.h"

struct port {
	struct pos pos;
	const char *name;
	int64_t number;
};
struct limits {
	int64_t history;
	bool keeps_logs;
	const char *policy;
};
struct source {
	const char *url, *revision;
};
struct thing {
	const char *name, *size, *color;
	struct pos name_pos;
	bool is_on, is_on_given;
	int64_t count, level;
	int64_t since;
	struct limits limits;
	struct source *source;
	struct strings tags;
	struct list ports;
	struct pairs labels;
	const struct node *extra;
};

static const char *const colors[] = { "red", "green", "blue", NULL };
/* clang-format off */
static const struct field port_fields[] = {
	{ "name",   FIELD_STRING, AT(struct port, name), .is_required = true },
	{ "number", FIELD_INT,    AT(struct port, number), .is_required = true, .min = 1, .max = 65535 },
	{ 0 },
};
static const struct table port_table = { "Port", sizeof(struct port), port_fields, POS(struct port, pos) };
static const struct field limits_fields[] = {
	{ "history",  FIELD_INT,  AT(struct limits, history), .deflt = "10", .min = 1 },
	{ "keepLogs", FIELD_BOOL, AT(struct limits, keeps_logs), .deflt = "true" },
	{ "policy",   FIELD_ENUM, AT(struct limits, policy), .values = colors, .deflt = "red" },
	{ 0 },
};
static const struct table limits_table = { "Limits", sizeof(struct limits), limits_fields };
static const struct field source_fields[] = {
	{ "url",      FIELD_STRING, AT(struct source, url), .is_required = true, .doc = "Where it is." },
	{ "revision", FIELD_STRING, AT(struct source, revision), .deflt = "main" },
	{ 0 },
};
static const struct table source_table = { "Source", sizeof(struct source), source_fields };
static const struct field thing_fields[] = {
	{ "name",    FIELD_STRING,     AT(struct thing, name), .is_required = true, POS(struct thing, name_pos) },
	{ "size",    FIELD_TEXT,       AT(struct thing, size) },
	{ "color",   FIELD_ENUM,       AT(struct thing, color), .values = colors, .alias = "colour" },
	{ "on",      FIELD_BOOL,       AT(struct thing, is_on), .has_given = true,
	                               .given_offset = offsetof(struct thing, is_on_given) },
	{ "count",   FIELD_INT,        AT(struct thing, count) },
	{ "level",   FIELD_INT,        AT(struct thing, level), .min = 1 },
	{ "since",   FIELD_TIME,       AT(struct thing, since) },
	{ "limits",  FIELD_STRUCT,     AT(struct thing, limits), .table = &limits_table },
	{ "source",  FIELD_STRUCT_PTR, AT(struct thing, source), .table = &source_table },
	{ "tags",    FIELD_STRINGS,    AT(struct thing, tags) },
	{ "ports",   FIELD_STRUCTS,    AT(struct thing, ports), .table = &port_table },
	{ "labels",  FIELD_STRING_MAP, AT(struct thing, labels) },
	{ "extra",   FIELD_NODE,       AT(struct thing, extra) },
	{ "status",  FIELD_IGNORED },
	{ 0 },
};
static const struct table thing_table = { "Thing spec", sizeof(struct thing), thing_fields };
/* clang-format on */

struct decoded {
	struct arena *arena;
	struct source_file file;
	struct diags diags;
	struct thing thing;
};

static void decode(struct decoded *d, const char *yaml, bool is_strict)
{
	struct arena *trees = arena_new();
	struct documents documents;

	*d = (struct decoded){ .arena = arena_new(), .file = { "t.yaml", yaml, strlen(yaml) } };
	diags_init(&d->diags, d->arena);
	d->diags.is_strict = is_strict;
	yaml_parse_split(&d->file, trees, d->arena, &documents, &d->diags);
	assert_int_equal(documents.n, 1);
	fields_decode(&thing_table, documents.v[0], "spec", &d->thing, d->arena, &d->file,
		      &d->diags);
	arena_free(trees); /* a struct that still needs it is seen by the sanitizer */
}

/* "line:column+width error|warning text", one a line. */
static const char *problems(struct decoded *d)
{
	AUTO_BUF text = BUF_INIT(10000);

	diags_sort(&d->diags);
	for (size_t i = 0; i < d->diags.list.n; i++) {
		const struct diag *diag = &d->diags.list.v[i];

		buf_printf(&text, "%u:%u+%u %s %s\n", diag->pos.line, diag->pos.column, diag->width,
			   diag->severity == SEVERITY_ERROR ? "error" : "warning", diag->text);
	}
	return buf_copy(&text, d->arena);
}

static const char full[] = "name: a\n"
			   "size: 12\n"
			   "colour: green\n"
			   "on: false\n"
			   "count: -7\n"
			   "level: 1\n"
			   "since: 2026-11-22T03:14:55Z\n"
			   "limits: {keepLogs: false}\n"
			   "source: {url: u}\n"
			   "tags: [x, \"1\"]\n"
			   "ports:\n"
			   "- {name: http, number: 80}\n"
			   "- {number: 443, name: https}\n"
			   "labels: {b: \"2\", a: one, c: }\n"
			   "extra: {any: [thing, 1]}\n"
			   "status: {x: y}\n";

static void test_fields_decode__fills_every_type(void **state)
{
	struct decoded d;
	struct thing *t = &d.thing;

	(void)state;
	decode(&d, full, true);
	assert_string_equal(problems(&d), "");
	assert_string_equal(t->name, "a");
	assert_int_equal(t->name_pos.column, 7);
	assert_string_equal(t->size, "12");
	assert_ptr_equal(t->color, colors[1]);
	assert_false(t->is_on);
	assert_true(t->is_on_given);
	assert_int_equal(t->count, -7);
	assert_int_equal(t->since, 1795317295);
	assert_int_equal(t->limits.history, 10);
	assert_false(t->limits.keeps_logs);
	assert_string_equal(t->limits.policy, "red");
	assert_string_equal(t->source->url, "u");
	assert_string_equal(t->source->revision, "main");
	assert_int_equal(t->tags.n, 2);
	assert_string_equal(t->tags.v[1], "1");
	assert_int_equal(t->ports.n, 2);
	assert_string_equal(LIST_AT(t->ports, struct port, 1)->name, "https");
	assert_int_equal(LIST_AT(t->ports, struct port, 1)->number, 443);
	assert_int_equal(LIST_AT(t->ports, struct port, 1)->pos.line, 13);
	assert_string_equal(pairs_get(&t->labels, "a"), "one");
	assert_string_equal(pairs_get(&t->labels, "c"), "");
	assert_null(pairs_get(&t->labels, "z"));
	assert_string_equal(node_get(t->extra, "any")->first->text, "thing");
	arena_free(d.arena);
}

static void test_fields_decode__takes_null_for_absent_and_fills_defaults(void **state)
{
	struct decoded d;

	(void)state;
	decode(&d, "name: a\nsize: ~\ncolor:\nsource: null\ntags:\nlimits:\n", true);
	assert_string_equal(problems(&d), "");
	assert_null(d.thing.size);
	assert_null(d.thing.color);
	assert_null(d.thing.source);
	assert_false(d.thing.is_on_given);
	assert_int_equal(d.thing.limits.history, 10);
	assert_true(d.thing.limits.keeps_logs);
	arena_free(d.arena);
}

static void test_fields_decode__reports_every_mistake(void **state)
{
	static const struct {
		const char *yaml, *problems;
	} rows[] = {
		{ "nam: a\nzzz: 1\n",
		  "1:1+1 error missing field(s): spec.name\n"
		  "1:1+3 warning unknown field 'nam' in Thing spec; did you mean 'name'?\n"
		  "2:1+3 warning unknown field 'zzz' in Thing spec\n" },
		{ "name: 1.20\nsize: [1]\ncolor: 1\non: 'yes'\n",
		  "1:7+4 error expected a string for 'spec.name', found a number; put it in "
		  "quotes: \"1.20\"\n"
		  "2:1+4 error expected a string for 'spec.size', found a sequence\n"
		  "3:8+1 error expected a string for 'spec.color', found a number; put it in "
		  "quotes: \"1\"\n"
		  "4:5+5 error expected true or false for 'spec.on', found a string\n" },
		{ "name: a\ncolor: gren\n",
		  "2:8+4 error unsupported value 'gren' for 'spec.color'; "
		  "supported: red, green, blue; did you mean 'green'?\n" },
		{ "name: a\ncolor: pink\n",
		  "2:8+4 error unsupported value 'pink' for 'spec.color'; "
		  "supported: red, green, blue\n" },
		{ "name: a\ncolor: red\ncolour: red\n",
		  "3:1+6 error 'color' and 'colour' are two spellings of one field; give one of "
		  "them\n" },
		{ "name: a\ncount: '1'\nlevel: 0\nlimits: {history: 0}\nsince: today\n",
		  "2:8+3 error expected a whole number for 'spec.count', found a string\n"
		  "3:8+1 error 'spec.level' must be at least 1\n"
		  "4:19+1 error 'spec.limits.history' must be at least 1\n"
		  "5:8+5 error 'spec.since' is no RFC 3339 time, as in 2026-11-22T03:14:55Z\n" },
		{ "name: a\nports:\n- {}\n- {name: b, number: 70000}\n- x\n- name: c\n  nmber: 1\n",
		  "3:3+1 error missing field(s): spec.ports[0].name, spec.ports[0].number\n"
		  "4:21+5 error 'spec.ports[1].number' must be between 1 and 65535\n"
		  "5:3+1 error expected a mapping for 'spec.ports[2]', found a string\n"
		  "6:3+1 error missing field(s): spec.ports[3].number\n"
		  "7:3+5 warning unknown field 'nmber' in Port; did you mean 'number'?\n" },
		{ "name: a\nsource:\n  revision: x\ntags: x\nports: {}\nlabels: [a]\n",
		  "2:1+6 error missing field(s): spec.source.url\n"
		  "4:7+1 error expected a sequence of strings for 'spec.tags', found a string\n"
		  "5:1+5 error expected a sequence for 'spec.ports', found a mapping\n"
		  "6:1+6 error expected a mapping of strings for 'spec.labels', found a "
		  "sequence\n" },
		{ "name: a\ntags: [a, 1, {}]\nlabels: {a: 1, b: x, c: [y]}\n",
		  "2:11+1 error expected a string for 'spec.tags[1]', found a number; put it in "
		  "quotes: \"1\"\n"
		  "2:14+1 error expected a string for 'spec.tags[2]', found a mapping\n"
		  "3:13+1 error expected a string for 'spec.labels.a', found a number; put it in "
		  "quotes: \"1\"\n"
		  "3:22+1 error expected a string for 'spec.labels.c', found a sequence\n" },
		{ "name: \"a\\0b\"\n", "1:7+6 error U+0000 in the text of 'spec.name'\n" },
		{ "[]", "1:1+1 error expected a mapping for 'spec', found a sequence\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct decoded d;

		decode(&d, rows[i].yaml, false);
		assert_string_equal(problems(&d), rows[i].problems);
		arena_free(d.arena);
	}
}

static void test_fields_decode__is_strict_about_unknown_fields_when_asked(void **state)
{
	struct decoded d;
	AUTO_BUF text = BUF_INIT(1000);
	const struct diag_style style = { .with_excerpt = true };

	(void)state;
	decode(&d, "name: a\nlimits:\n  \xC3\xA9hist: 1\n", true);
	assert_int_equal(d.diags.n_errors, 1);
	diag_render(&d.diags.list.v[0], &style, &text);
	assert_string_equal(text.data, "t.yaml:3:3: error: unknown field '\xC3\xA9hist' in Limits\n"
				       "    3 |   \xC3\xA9hist: 1\n"
				       "      |   ^~~~~\n");
	assert_string_equal(d.diags.list.v[0].code, "unknown-field");
	arena_free(d.arena);
}

static bool read_json(const char *json, struct thing *out, struct arena *arena, struct err *err)
{
	struct node *node;

	if (!json_parse(json, strlen(json), arena, &node, err))
		fail_msg("%s", err->text);
	return fields_read(&thing_table, node, out, arena, err);
}

static void test_fields_read__passes_unknown_fields_and_fails_at_the_first_mistake(void **state)
{
	static const struct {
		const char *json, *text;
	} rows[] = {
		{ "{\"name\":\"a\",\"zzz\":1}", NULL },
		{ "{\"zzz\":1}", "missing field(s): name" },
		{ "{\"name\":1,\"count\":\"x\"}",
		  "expected a string for 'name', found a number; put it in quotes: \"1\"" },
		{ "{\"name\":\"a\",\"ports\":[{\"name\":\"b\"}]}",
		  "missing field(s): ports[0].number" },
		{ "[]", "expected a mapping, found a sequence" },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		static const struct thing zero;
		struct arena *arena = arena_new();
		struct thing thing = { 0 };
		struct err err = { 0 };

		assert_int_equal(read_json(rows[i].json, &thing, arena, &err), !rows[i].text);
		if (rows[i].text) {
			assert_int_equal(err.kind, ERR_INVALID);
			assert_string_equal(err.text, rows[i].text);
			assert_memory_equal(&thing, &zero, sizeof(zero));
		}
		arena_free(arena);
	}
}

/* struct → tree → struct → tree: both trees are equal, and the text is the one wanted. */
static void check_encoded(const struct thing *thing, struct arena *arena, const char *wanted)
{
	struct node *tree = fields_encode(&thing_table, thing, arena);
	struct thing back = { 0 };
	AUTO_BUF text = BUF_INIT(10000);
	struct err err;

	json_print(tree, JSON_COMPACT, &text);
	assert_string_equal(text.data, wanted);
	if (!fields_read(&thing_table, tree, &back, arena, &err))
		fail_msg("%s", err.text);
	assert_true(node_equal(fields_encode(&thing_table, &back, arena), tree));
}

static void test_fields_encode__gives_what_was_decoded(void **state)
{
	struct decoded d;

	(void)state;
	decode(&d, full, true);
	check_encoded(
		&d.thing, d.arena,
		"{\"name\":\"a\",\"size\":\"12\",\"color\":\"green\",\"on\":false,\"count\":-7,"
		"\"level\":1,\"since\":\"2026-11-22T03:14:55Z\",\"limits\":{\"history\":10,"
		"\"keepLogs\":false,\"policy\":\"red\"},\"source\":{\"url\":\"u\","
		"\"revision\":\"main\"},\"tags\":[\"x\",\"1\"],\"ports\":[{\"name\":\"http\","
		"\"number\":80},{\"name\":\"https\",\"number\":443}],\"labels\":{\"b\":\"2\","
		"\"a\":\"one\",\"c\":\"\"},\"extra\":{\"any\":[\"thing\",1]}}");
	arena_free(d.arena);
}

static void test_fields_encode__leaves_out_what_is_absent(void **state)
{
	struct arena *arena = arena_new();
	struct thing thing = { .name = "a", .limits = { 10, true, "red" } };
	struct port port = { .name = "p" };

	(void)state;
	check_encoded(&thing, arena,
		      "{\"name\":\"a\",\"limits\":{\"history\":10,\"keepLogs\":true,\"policy\":"
		      "\"red\"}}");
	thing.is_on = true; /* set by the program, not written */
	thing.source = &(struct source){ .url = "u", .revision = "main" };
	thing.limits.keeps_logs = false; /* must be there: absent would be true */
	check_encoded(&thing, arena,
		      "{\"name\":\"a\",\"on\":true,\"limits\":{\"history\":10,\"keepLogs\":false,"
		      "\"policy\":\"red\"},\"source\":{\"url\":\"u\",\"revision\":\"main\"}}");
	assert_int_equal(fields_encode(&port_table, &port, arena)->n, 2);
	arena_free(arena);
}

static void test_fields_schema__says_what_decoding_takes(void **state)
{
	struct arena *arena = arena_new();
	AUTO_BUF text = BUF_INIT(10000);

	(void)state;
	json_print(fields_schema(&source_table, arena), JSON_COMPACT, &text);
	assert_string_equal(
		text.data,
		"{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"title\":"
		"\"Source\",\"type\":\"object\",\"properties\":{\"url\":{\"description\":"
		"\"Where it is.\",\"type\":\"string\"},\"revision\":{\"type\":\"string\","
		"\"default\":\"main\"}},\"required\":[\"url\"],\"additionalProperties\":"
		"false}");
	arena_free(arena);
}

static void check_at(const struct node *schema, const char *property, const char *wanted)
{
	AUTO_BUF text = BUF_INIT(10000);

	json_print(node_at(schema, "properties", property, NULL), JSON_COMPACT, &text);
	assert_string_equal(text.data, wanted);
}

static void test_fields_schema__has_a_shape_for_every_type(void **state)
{
	static const struct {
		const char *property, *schema;
	} rows[] = {
		{ "name", "{\"type\":\"string\"}" },
		{ "size", "{\"type\":[\"string\",\"number\",\"boolean\"]}" },
		{ "color", "{\"type\":\"string\",\"enum\":[\"red\",\"green\",\"blue\"]}" },
		{ "colour",
		  "{\"type\":\"string\",\"enum\":[\"red\",\"green\",\"blue\"],\"description\":"
		  "\"Old spelling of 'color'.\",\"deprecated\":true}" },
		{ "on", "{\"type\":\"boolean\"}" },
		{ "count", "{\"type\":\"integer\"}" },
		{ "level", "{\"type\":\"integer\",\"minimum\":1}" },
		{ "since", "{\"type\":\"string\",\"format\":\"date-time\"}" },
		{ "limits",
		  "{\"type\":\"object\",\"properties\":{\"history\":{\"type\":\"integer\","
		  "\"default\":10,\"minimum\":1},\"keepLogs\":{\"type\":\"boolean\",\"default\":"
		  "true},"
		  "\"policy\":{\"type\":\"string\",\"default\":\"red\",\"enum\":[\"red\",\"green\","
		  "\"blue\"]}},\"additionalProperties\":false}" },
		{ "tags", "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}" },
		{ "ports",
		  "{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"name\":"
		  "{\"type\":\"string\"},\"number\":{\"type\":\"integer\",\"minimum\":1,"
		  "\"maximum\":"
		  "65535}},\"required\":[\"name\",\"number\"],\"additionalProperties\":false}}" },
		{ "labels",
		  "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}}" },
		{ "extra", "{}" },
		{ "status", "{}" },
	};
	struct arena *arena = arena_new();
	const struct node *schema = fields_schema(&thing_table, arena);

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++)
		check_at(schema, rows[i].property, rows[i].schema);
	arena_free(arena);
}

static void test_fields_decode__stays_fast_with_very_many_unknown_fields(void **state)
{
	AUTO_BUF yaml = BUF_INIT(8u << 20);
	struct decoded d;

	(void)state;
	buf_puts(&yaml, "name: a\n");
	for (int i = 0; i < 100000; i++)
		buf_printf(&yaml, "some-unknown-field-with-a-long-name-%d: 1\n", i);
	decode(&d, yaml.data, false);
	assert_int_equal(d.diags.n_warnings, 100000);
	assert_int_equal(d.diags.list.n, LIMIT_DIAGS);
	arena_free(d.arena);
}

static void test_pairs__compare_without_order(void **state)
{
	struct pair ab[] = { { "a", "1", { 0 } }, { "b", "2", { 0 } } };
	struct pair ba[] = { { "b", "2", { 0 } }, { "a", "1", { 0 } } };
	struct pair ac[] = { { "a", "1", { 0 } }, { "c", "2", { 0 } } };
	struct pairs x = { ab, 2, 2 }, y = { ba, 2, 2 }, z = { ac, 2, 2 }, one = { ab, 1, 1 };

	(void)state;
	assert_true(pairs_equal(&x, &y));
	assert_false(pairs_equal(&x, &z));
	assert_false(pairs_equal(&x, &one));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields_decode__fills_every_type),
		cmocka_unit_test(test_fields_decode__takes_null_for_absent_and_fills_defaults),
		cmocka_unit_test(test_fields_decode__reports_every_mistake),
		cmocka_unit_test(test_fields_decode__is_strict_about_unknown_fields_when_asked),
		cmocka_unit_test(
			test_fields_read__passes_unknown_fields_and_fails_at_the_first_mistake),
		cmocka_unit_test(test_fields_encode__gives_what_was_decoded),
		cmocka_unit_test(test_fields_encode__leaves_out_what_is_absent),
		cmocka_unit_test(test_fields_schema__says_what_decoding_takes),
		cmocka_unit_test(test_fields_schema__has_a_shape_for_every_type),
		cmocka_unit_test(test_fields_decode__stays_fast_with_very_many_unknown_fields),
		cmocka_unit_test(test_pairs__compare_without_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
