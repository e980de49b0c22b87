/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_link.c — references that lead nowhere, objects declared twice, tags pushed twice, and
 * cycles, each with its places.
 */
#include "manifest.h"

#define IMAGE(name, rest)                                                                          \
	"apiVersion: kpack.io/v1alpha2\nkind: Image\nmetadata: {name: " name "}\n"                 \
	"spec: {tag: sample/" name ", builder: {kind: ClusterBuilder, name: default}, " rest       \
	"}\n---\n"
#define LOCAL        "source: {local: {path: .}}"
#define READS(image) "source: {registry: {image: " image "}}"
#define BUILDER                                                                                    \
	"apiVersion: kpack.io/v1alpha2\nkind: ClusterBuilder\nmetadata: {name: default}\n"         \
	"spec: {image: sample/builder}\n---\n"
#define COMPOSED(stack, rest)                                                                      \
	"apiVersion: kpack.io/v1alpha2\nkind: Builder\nmetadata: {name: b, namespace: shop}\n"     \
	"spec:\n  tag: sample/b\n  stack: {name: " stack "}\n" rest "---\n"
#define STACK(name)                                                                                \
	"apiVersion: kpack.io/v1alpha2\nkind: ClusterStack\nmetadata: {name: " name "}\n"          \
	"spec: {id: i, buildImage: {image: x/build}, runImage: {image: x/run}}\n---\n"
#define ACCOUNT(name, secrets)                                                                     \
	"apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: " name "}\n"                       \
	"secrets: [" secrets "]\n---\n"
#define SECRET(name) "apiVersion: v1\nkind: Secret\nmetadata: {name: " name "}\n---\n"

#define CONFIG(source, strategy, rest)                                                             \
	"apiVersion: build.openshift.io/v1\nkind: BuildConfig\nmetadata: {name: c, namespace: "    \
	"shop}\nspec:\n  source: {" source "}\n  strategy: {" strategy "}\n" rest "---\n"
#define STREAM(name)                                                                               \
	"apiVersion: image.openshift.io/v1\nkind: ImageStream\nmetadata: {name: " name             \
	", namespace: shop}\n---\n"
#define FROM_RUBY "sourceStrategy: {from: {kind: ImageStreamTag, name: 'ruby:2'}}"

struct row {
	const char *name, *text, *said;
};

static const struct row rows[] = {
	{ "all_there", BUILDER IMAGE("a", LOCAL), "" },
	{ "builder_missing", IMAGE("a", LOCAL),
	  "4:61 error: cannot find ClusterBuilder/default, which Image/default/a names\n" },
	{ "stack_missing", COMPOSED("base", ""),
	  "6:17 error: cannot find ClusterStack/base, which Builder/shop/b names\n" },
	{ "stack_misspelt", COMPOSED("bsae", "") STACK("base") STACK("other"),
	  "6:17 error: cannot find ClusterStack/bsae, which Builder/shop/b names; did you mean "
	  "'base'?\n"
	  "10:18 note: ClusterStack/base is declared here\n" },
	{ "store_missing", COMPOSED("base", "  store: {name: s}\n") STACK("base"),
	  "7:17 error: cannot find ClusterStore/s, which Builder/shop/b names\n" },
	{ "lifecycle_missing", COMPOSED("base", "  lifecycle: {name: l}\n") STACK("base"),
	  "7:21 error: cannot find ClusterLifecycle/l, which Builder/shop/b names\n" },
	{ "buildpack_missing",
	  COMPOSED("base", "  order: [{group: [{name: bp, kind: Buildpack}]}]\n") STACK("base"),
	  "7:27 error: cannot find Buildpack/shop/bp, which Builder/shop/b names\n" },
	{ "default_account_need_not_exist",
	  BUILDER IMAGE("a", "serviceAccountName: default, " LOCAL), "" },
	{ "named_account_must_exist", BUILDER IMAGE("a", "serviceAccountName: robot, " LOCAL),
	  "9:91 error: cannot find ServiceAccount/default/robot, which Image/default/a names\n" },
	{ "named_account_is_there",
	  BUILDER ACCOUNT("robot", "") IMAGE("a", "serviceAccountName: robot, " LOCAL), "" },
	{ "secret_of_an_account_is_a_warning",
	  ACCOUNT("robot", "{name: gone}, {name: there}") SECRET("there"),
	  "4:18 warning: cannot find Secret/default/gone, which ServiceAccount/default/robot "
	  "names\n" },
	{ "streams_of_a_build_config_are_warnings_once",
	  CONFIG("dockerfile: FROM x", FROM_RUBY,
		 "  output: {to: {kind: ImageStreamTag, name: 'app:latest'}}\n"
		 "  triggers: [{type: ImageChange, imageChange: {}}]\n") STREAM("rubi"),
	  "6:66 warning: cannot find ImageStream/shop/ruby, which BuildConfig/shop/c names; did "
	  "you mean 'rubi'?\n"
	  "7:45 warning: cannot find ImageStream/shop/app, which BuildConfig/shop/c names\n"
	  "12:18 note: ImageStream/shop/rubi is declared here\n" },
	{ "secrets_of_a_build_config_are_warnings",
	  CONFIG("git: {uri: 'https://g/a.git'}, sourceSecret: {name: key}, secrets: [{secret: "
		 "{name: key}}], configMaps: [{configMap: {name: map}}]",
		 "dockerStrategy: {env: [{name: A, valueFrom: {secretKeyRef: {name: env, key: "
		 "k}}}, "
		 "{name: B, valueFrom: {secretKeyRef: {name: may, key: k, optional: true}}}]}",
		 "  output: {pushSecret: {name: push}, to: {kind: DockerImage, name: r/x}}\n"),
	  "5:64 warning: cannot find Secret/shop/key, which BuildConfig/shop/c names\n"
	  "5:136 warning: cannot find ConfigMap/shop/map, which BuildConfig/shop/c names\n"
	  "6:80 warning: cannot find Secret/shop/env, which BuildConfig/shop/c names\n"
	  "7:31 warning: cannot find Secret/shop/push, which BuildConfig/shop/c names\n" },
	{ "service_missing",
	  BUILDER IMAGE("a", "build: {services: [{kind: Secret, name: database}]}, " LOCAL)
		  SECRET("databases"),
	  "9:111 error: cannot find Secret/default/database, which Image/default/a names; did you "
	  "mean 'databases'?\n"
	  "13:18 note: Secret/default/databases is declared here\n" },
	{ "twice", BUILDER IMAGE("a", LOCAL) IMAGE("a", LOCAL),
	  "8:18 note: Image/default/a is first declared here\n"
	  "13:18 error: duplicate Image/default/a: also declared in m.yaml, line 6\n" },
	{ "a_tag_pushed_twice",
	  BUILDER IMAGE("a", LOCAL)
		  IMAGE("b", "additionalTags: ['index.docker.io/sample/a:latest'], " LOCAL),
	  "14:13 warning: Image/default/b and Image/default/a push the same tag "
	  "'index.docker.io/sample/a:latest'\n" },
	{ "an_image_made_of_another", BUILDER IMAGE("a", LOCAL) IMAGE("b", READS("sample/a")), "" },
	{ "an_image_made_of_itself", BUILDER IMAGE("a", READS("sample/a")),
	  "9:98 error: cycle: Image/default/a → Image/default/a\n" },
	{ "a_pinned_image_is_no_cycle",
	  BUILDER IMAGE("a",
			READS("sample/"
			      "a@sha256:"
			      "95ff756f0ef0e026440a8523f4bab02fd8b45dc1a8a3a7ba063cefdba5cb9493")),
	  "" },
	{ "images_made_of_each_other",
	  BUILDER IMAGE("a", READS("sample/b")) IMAGE("b", READS("'sample/a:latest'")),
	  "9:98 note: Image/default/a depends on Image/default/b here\n"
	  "14:98 error: cycle: Image/default/a → Image/default/b → Image/default/a\n" },
	{ "a_builder_that_is_an_image_it_builds",
	  "apiVersion: kpack.io/v1alpha2\nkind: ClusterBuilder\nmetadata: {name: default}\nspec: "
	  "{image: sample/a}\n---\n" IMAGE("a", LOCAL),
	  "4:15 note: ClusterBuilder/default depends on Image/default/a here\n"
	  "9:61 error: cycle: ClusterBuilder/default → Image/default/a → "
	  "ClusterBuilder/default\n" },
};

static void check_row(void **state)
{
	const struct row *row = *state;
	struct loaded l;

	manifest_load(&l, row->text, true);
	assert_string_equal(manifest_said(&l), row->said);
	arena_free(l.arena);
}

static void test_link__a_long_chain_is_an_error_and_no_crash(void **state)
{
	enum { LINKS = 5000 };
	struct buf text = BUF_INIT(4 << 20);
	struct loaded l;

	(void)state;
	buf_puts(&text, BUILDER);
	for (int i = 0; i < LINKS; i++)
		buf_printf(&text,
			   "{apiVersion: kpack.io/v1alpha2, kind: Image, metadata: {name: i%d}, "
			   "spec: {tag: s/i%d, "
			   "builder: {kind: ClusterBuilder, name: default}, source: {registry: "
			   "{image: s/i%d}}}}\n"
			   "---\n",
			   i, i, i + 1);
	manifest_load(&l, buf_text(&text), true);
	assert_true(l.diags.n_errors >= 1);
	assert_non_null(strstr(manifest_said(&l), "a chain of more than 2000 objects"));
	arena_free(l.arena);
	buf_release(&text);
}

int main(void)
{
	struct CMUnitTest tests[COUNTOF(rows) + 1];

	for (size_t i = 0; i < COUNTOF(rows); i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, check_row, NULL, NULL,
						(void *)(uintptr_t)&rows[i] };
	tests[COUNTOF(rows)] = (struct CMUnitTest)cmocka_unit_test(
		test_link__a_long_chain_is_an_error_and_no_crash);
	return cmocka_run_group_tests_name("link", tests, NULL, NULL);
}
