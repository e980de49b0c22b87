/* SPDX-License-Identifier: Apache-2.0 */
/* test_marker.c — which scalar a marker belongs to, and what is no marker (gitops.md §2.1). */
#include "manifest.h"

#include "model/kind/policy.h"

#define M "{\"$imagepolicy\": \"ns:pol\"}"

static void test_marker__belongs_to_the_value_beside_or_below(void **state)
{
	static const struct {
		const char *text,
			*want;    /* "line:column value ns/name part" of all, one line each */
		const char *said; /* NULL: nothing */
	} rows[] = {
		{ "a: x # " M "\n", "1:4 x ns/pol 0\n" },
		{ "a: x # {\"$imagepolicy\": \"ns:pol:tag\", \"other\": \"y\"}\n",
		  "1:4 x ns/pol 1\n" },
		{ "a: x # {\"$imagepolicy\": \"ns:pol:name\"}\n", "1:4 x ns/pol 2\n" },
		{ "a: x ## {\"$imagepolicy\": \"ns:pol:digest\"}\n", "1:4 x ns/pol 3\n" },
		{ "a: 'x' # " M "\r\nb: y\r\n", "1:4 x ns/pol 0\n" },
		{ "l:\n- x # " M "\n- y\n", "2:3 x ns/pol 0\n" },
		{ "l:\n# " M "\n- x\n", "3:3 x ns/pol 0\n" },
		{ "m:\n  # " M "\n  # more\n  k: x\n", "4:6 x ns/pol 0\n" },
		{ "m: {a: x, b: y} # " M "\n", "1:14 y ns/pol 0\n" },
		{ "m: [x, y] # " M "\nn: 1\n", "1:8 y ns/pol 0\n" },
		{ "a:  # " M "\nb: 1\n", "1:3  ns/pol 0\n" },
		{ "a: x # " M "\n---\nb: y # " M "\n", "1:4 x ns/pol 0\n3:4 y ns/pol 0\n" },
		/* none */
		{ "a: '# " M "'\n", "" },
		{ "a: |\n  b: x # " M "\n", "" },
		{ "a: x # see " M "\n", "" },
		{ "a: x # {\"$imagepolicy\": \"ns:pol\"} more\n", "",
		  "1:8 warning: this marks no field: it is no JSON" },
		{ "a: x # {\"$imagepolicy\": 1}\n", "", "all values must be texts" },
		{ "a: x # {\"$imagepolicy\": \"pol\"}\n", "", "of the form \"NAMESPACE:NAME\"" },
		{ "a: x # {\"$imagepolicy\": \"ns:pol:tga\"}\n", "",
		  "':tga' is none of ':tag', ':name', ':digest'; did you mean 'tag'?" },
		{ "# " M "\n\na: x\n", "", "there is no value that it stands beside or above" },
		{ "a:\n    # " M "\n  b: x\n", "", "there is no value" },
		{ "k: &a x\na: *a # " M "\n", "", "the value is an alias" },
		{ "a: # " M "\n  b: x\n", "", "there is no value" },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct loaded loaded = { .arena = arena_new() };
		struct markers markers = { 0 };
		AUTO_BUF found = BUF_INIT(4096);
		const char *said;

		loaded.file = (struct source_file){ "m.yaml", rows[i].text, strlen(rows[i].text) };
		diags_init(&loaded.diags, loaded.arena);
		markers_find(&loaded.file, loaded.arena, &markers, &loaded.diags);
		for (size_t k = 0; k < markers.n; k++)
			buf_printf(&found, "%u:%u %s %s/%s %d\n", markers.v[k].pos.line,
				   markers.v[k].pos.column, markers.v[k].value, markers.v[k].ns,
				   markers.v[k].name, (int)markers.v[k].part);
		said = manifest_said(&loaded);
		if (strcmp(buf_text(&found), rows[i].want) != 0)
			fail_msg("%s gives %s (%s)", rows[i].text, buf_text(&found), said);
		if (rows[i].said ? !strstr(said, rows[i].said) : *said != '\0')
			fail_msg("%s says %s", rows[i].text, said);
		arena_free(loaded.arena);
	}
}

static const char *said_of(struct loaded *loaded, const char *text)
{
	manifest_load(loaded, text, true);
	return manifest_said(loaded);
}

#define POLICY(spec)                                                                               \
	"apiVersion: image.toolkit.fluxcd.io/v1beta2\nkind: ImagePolicy\nmetadata: {name: "        \
	"p}\nspec: {imageRepositoryRef: {name: r}, " spec "}\n---\n" REPOSITORY
#define REPOSITORY                                                                                 \
	"apiVersion: image.toolkit.fluxcd.io/v1\nkind: ImageRepository\nmetadata: {name: "         \
	"r}\nspec: {image: ghcr.io/a/b, interval: 1m}\n"

static void test_policy__is_checked(void **state)
{
	static const struct {
		const char *text, *said;
	} rows[] = {
		{ POLICY("policy: {semver: {range: 1.x}}"), "" },
		{ POLICY("policy: {alphabetical: {}}, filterTags: {pattern: '^a(?P<x>.)', extract: "
			 "$x}"),
		  "" },
		{ POLICY("policy: {numerical: {order: DESC}}"), "" },
		{ POLICY("policy: {}"), "expected exactly one of spec.policy.semver" },
		{ POLICY("policy: {numerical: {}, alphabetical: {}}"), "expected exactly one of" },
		{ POLICY("policy: {numerical: {order: up}}"), "the order must be 'asc' or 'desc'" },
		{ POLICY("policy: {semver: {range: a.b}}"),
		  "the range 'a.b': improper constraint" },
		{ POLICY("policy: {semver: {range: 1.x}}, filterTags: {pattern: '('}"),
		  "the pattern '(' cannot be read" },
		{ POLICY("policy: {semver: {}}"), "missing field(s): spec.policy.semver.range" },
		{ "apiVersion: image.toolkit.fluxcd.io/v1\nkind: ImageRepository\nmetadata: {name: "
		  "r}\nspec: {image: 'a/b:1'}\n",
		  "a repository is named without tag and digest" },
		{ "apiVersion: image.toolkit.fluxcd.io/v1\nkind: ImagePolicy\nmetadata: {name: "
		  "p}\nspec: {imageRepositoryRef: {name: frnot}, policy: {semver: {range: "
		  "'*'}}}\n---\napiVersion: image.toolkit.fluxcd.io/v1\nkind: "
		  "ImageRepository\nmetadata: {name: front}\nspec: {image: a.io/b}\n",
		  "warning: cannot find ImageRepository/default/frnot, which ImagePolicy/default/p "
		  "names; did you mean 'front'?" },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct loaded loaded;
		const char *said = said_of(&loaded, rows[i].text);

		if (*rows[i].said ? !strstr(said, rows[i].said) : *said != '\0')
			fail_msg("row %zu says: %s", i, said);
		arena_free(loaded.arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_marker__belongs_to_the_value_beside_or_below),
		cmocka_unit_test(test_policy__is_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
