/* SPDX-License-Identifier: Apache-2.0 */
/* test_bom.c — files of the SBOM layer and the legacy list as one list of components. */
#include "buildexec/cnb/bom.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/base/buf.h"
#include "model/doc/json.h"

struct file {
	const char *path, *json;
};
struct row {
	const char *name;
	struct file files[4];
	const char *want; /* "name|version|license|purl|buildpack|layer" per line */
};

/* clang-format off */
static const struct row rows[] = {
	{ "cyclonedx", { { "acme_node/modules/sbom.cdx.json",
	    "{\"bomFormat\":\"CycloneDX\",\"components\":[{\"name\":\"left-pad\",\"version\":\"1.3.0\",\"purl\":\"pkg:npm/left-pad@1.3.0\","
	    "\"licenses\":[{\"license\":{\"id\":\"WTFPL\"}},{\"license\":{\"name\":\"Own\"}},{\"expression\":\"MIT OR X\"}]}]}" } },
	  "left-pad|1.3.0|WTFPL, Own, MIT OR X|pkg:npm/left-pad@1.3.0|acme/node|modules\n" },
	{ "syft", { { "acme_node/sbom.syft.json",
	    "{\"artifacts\":[{\"name\":\"go\",\"version\":\"1.20\",\"licenses\":[\"BSD\",{\"value\":\"MIT\"},{\"spdxExpression\":\"ISC\",\"value\":\"x\"}]}]}" } },
	  "go|1.20|BSD, MIT, ISC|-|acme/node|-\n" },
	{ "spdx", { { "other/layer/sbom.spdx.json",
	    "{\"packages\":[{\"name\":\"zlib\",\"versionInfo\":\"1.2\",\"licenseConcluded\":\"NOASSERTION\",\"licenseDeclared\":\"Zlib\"}]}" } },
	  "zlib|1.2|Zlib|-|other|layer\n" },
	{ "a_layer_described_thrice_counts_once", {
	    { "a/l/sbom.spdx.json", "{\"packages\":[{\"name\":\"spdx\"}]}" },
	    { "a/l/sbom.syft.json", "{\"artifacts\":[{\"name\":\"syft\"}]}" },
	    { "a/l/sbom.cdx.json", "{\"components\":[{\"name\":\"cdx\"}]}" },
	    { "a/m/sbom.syft.json", "{\"artifacts\":[{\"name\":\"other layer\"}]}" } },
	  "cdx|-|-|-|a|l\nother layer|-|-|-|a|m\n" },
	{ "legacy_of_file_and_label_counts_once", {
	    { "", "[{\"name\":\"jre\",\"metadata\":{\"version\":\"11\",\"licenses\":[{\"type\":\"x\"}]},\"buildpack\":{\"id\":\"acme/java\",\"version\":\"1\"}}]" },
	    { "sbom.legacy.json", "[{\"name\":\"jre\"}]" } },
	  "jre|11|-|-|acme/java|-\n" },
	{ "null_is_none", { { "sbom.legacy.json", "null" }, { "", "null" } }, "" },
	{ "other_shapes_give_none", {
	    { "a/l/sbom.cdx.json", "{\"components\":{\"name\":\"x\"}}" }, { "a/m/sbom.cdx.json", "[1]" },
	    { "a/n/sbom.cdx.json", "{\"components\":[1,null,{\"version\":\"1\"},{\"name\":7}]}" }, { "a/o/sbom.xml", "{}" } }, "" },
	{ "folders_of_two_ids", { { "acme_node_x/l/sbom.cdx.json", "{\"components\":[{\"name\":\"x\"}]}" } }, "x|-|-|-|acme_node_x|l\n" },
};
/* clang-format on */

static const char *text_or(const char *text)
{
	return text ? text : "-";
}

static void check(void **state)
{
	const struct row *row = *state;
	struct arena *arena = arena_new();
	AUTO_BUF got = BUF_INIT(1 << 16);
	struct bom bom = { 0 };
	struct err err = { 0 };

	vec_push(arena, &bom.buildpacks, "acme/nodejs");
	vec_push(arena, &bom.buildpacks, "acme/node");
	for (size_t i = 0; i < COUNTOF(row->files) && row->files[i].path; i++) {
		struct node *json;

		assert_true(json_parse(row->files[i].json, strlen(row->files[i].json), arena, &json,
				       &err));
		bom_add(&bom, row->files[i].path, json, arena);
	}
	bom_list(&bom, arena);
	for (size_t i = 0; i < bom.components.n; i++) {
		const struct bom_component *c = &bom.components.v[i];

		buf_printf(&got, "%s|%s|%s|%s|%s|%s\n", c->name, text_or(c->version),
			   text_or(c->license), text_or(c->purl), text_or(c->buildpack),
			   text_or(c->layer));
	}
	assert_string_equal(buf_text(&got), row->want);
	arena_free(arena);
}

int main(void)
{
	struct CMUnitTest tests[COUNTOF(rows)];

	for (size_t i = 0; i < COUNTOF(rows); i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, check, NULL, NULL,
						(void *)(uintptr_t)&rows[i] };
	return cmocka_run_group_tests_name("bom", tests, NULL, NULL);
}
