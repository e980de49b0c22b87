/* SPDX-License-Identifier: Apache-2.0 */
/* test_select.c — words of the command line into objects: kinds, namespaces, ambiguity, labels. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "reconcile/load.h"
#include "reconcile/select.h"
#include "unit/cli/folder.h"

#define IMAGE(ns, name, labels)                                                                    \
	"---\napiVersion: kpack.io/v1alpha2\nkind: Image\nmetadata: {namespace: " ns               \
	", name: " name ", labels: {" labels "}}\nspec: {tag: r.local/" ns "/" name                \
	", builder: {kind: ClusterBuilder, name: default}, source: {git: {url: https://x/a.git, "  \
	"revision: main}}}\n"

static const char manifests[] = IMAGE("default", "cart", "tier: web") IMAGE(
	"shop", "cart", "tier: db, team: a") IMAGE("shop", "pay", "") IMAGE("shop", "twin", "")
	IMAGE("ops", "twin", "") "---\napiVersion: kpack.io/v1alpha2\nkind: "
				 "ClusterStack\nmetadata: {name: base}\nspec: {id: s, "
				 "buildImage: {image: r.local/b}, runImage: {image: r.local/r}}\n"
				 "---\napiVersion: kpack.io/v1alpha2\nkind: "
				 "ClusterStore\nmetadata: {name: default}\nspec: "
				 "{sources: [{image: r.local/s}]}\n"
				 "---\napiVersion: kpack.io/v1alpha2\nkind: "
				 "ClusterBuilder\nmetadata: {name: default}\nspec: {tag: "
				 "r.local/builder, serviceAccountRef: {name: default, namespace: "
				 "default}, stack: {kind: "
				 "ClusterStack, name: base}, store: {kind: ClusterStore, name: "
				 "default}, order: [{group: [{id: "
				 "x}]}]}\n";

static struct folder folder;
static struct loaded loaded;

static int setup(void **state)
{
	const struct load_spec spec = { .path = (folder_make(&folder), folder.dir.path) };
	struct err err = { 0 };

	(void)state;
	if (!folder_put(&folder, "all.yaml", manifests) ||
	    !load_manifests(&spec, folder.arena, &loaded, &err))
		return -1;
	for (size_t i = 0; i < loaded.diags.list.n; i++)
		print_error("%s\n", loaded.diags.list.v[i].text);
	return loaded.diags.n_errors ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	loaded_release(&loaded);
	folder_release(&folder);
	return 0;
}

static void test_select__finds_objects_by_word(void **state)
{
	static const struct {
		const char *word;
		enum kind kind;
		const char *id, *mistake;
	} rows[] = {
		{ "cart", KIND_IMAGE, "Image/default/cart", NULL },
		{ "shop/cart", KIND_IMAGE, "Image/shop/cart", NULL },
		{ "Image/shop/cart", KIND_NONE, "Image/shop/cart", NULL },
		{ "images/shop/cart", KIND_IMAGE, "Image/shop/cart", NULL },
		{ "image/pay", KIND_NONE, "Image/shop/pay", NULL },
		{ "pay", KIND_IMAGE, "Image/shop/pay", NULL },
		{ "ClusterBuilder/default", KIND_NONE, "ClusterBuilder/default", NULL },
		{ "clusterstack/base", KIND_IMAGE, "ClusterStack/base", NULL },
		{ "twin", KIND_IMAGE, NULL,
		  "'twin' may be Image/ops/twin or Image/shop/twin: say which" },
		{ "ops/twin", KIND_IMAGE, "Image/ops/twin", NULL },
		{ "ops/cart", KIND_IMAGE, NULL, "no manifest declares 'ops/cart'" },
		{ "crat", KIND_IMAGE, NULL, "did you mean 'cart'?" },
		{ "cart", KIND_NONE, NULL, "'cart' does not say a kind" },
		{ "Imago/shop/cart", KIND_IMAGE, NULL, "does not say a kind" },
		{ "Imago/shop/cart", KIND_NONE, NULL, "does not say a kind" },
		{ "Image/shop/cart/12", KIND_IMAGE, NULL, "too many parts" },
		{ "", KIND_IMAGE, NULL, "no manifest declares ''" },
		{ "Image/", KIND_NONE, NULL, "no manifest declares 'Image/'" },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		const struct object *object = NULL;
		struct err err = { 0 };
		bool found = select_object(&loaded.model, rows[i].word, rows[i].kind, folder.arena,
					   &object, &err);

		if (found != (rows[i].id != NULL))
			fail_msg("'%s': %s", rows[i].word, found ? object->id : err.text);
		if (rows[i].id)
			assert_string_equal(object->id, rows[i].id);
		else if (!strstr(err.text, rows[i].mistake))
			fail_msg("'%s': %s", rows[i].word, err.text);
	}
}

/* Ids of what is selected, joined; "*" when nothing restricts. */
static const char *selected(const struct options *options, struct err *err)
{
	struct plan_options plan = { 0 };
	struct selection selection;
	AUTO_BUF out = BUF_INIT(4096);

	if (!select_make(&loaded.model, options, folder.arena, &selection, &plan, err))
		return err->text;
	if (!plan.is_selected)
		return "*";
	for (size_t i = 0; i < loaded.model.objects.n; i++)
		if (plan.is_selected(loaded.model.objects.v[i], plan.select_ctx))
			buf_printf(&out, "%s ", loaded.model.objects.v[i]->id);
	return buf_copy(&out, folder.arena);
}

static void test_selectors__pick_by_labels(void **state)
{
	static const struct {
		const char *selector, *ids;
	} rows[] = {
		{ "tier=web", "Image/default/cart " },
		{ "tier==web", "Image/default/cart " },
		{ " tier = db ", "Image/shop/cart " },
		{ "tier", "Image/default/cart Image/shop/cart " },
		{ "tier,team=a", "Image/shop/cart " },
		{ "tier,!team", "Image/default/cart " },
		{ "tier=none", "" },
		{ "tier,tier!=web", "Image/shop/cart " },
		{ "=x", "-l takes KEY, !KEY, KEY=VALUE or KEY!=VALUE, with commas between them, "
			"not '=x'" },
		{ "a=b,", "-l takes KEY, !KEY, KEY=VALUE or KEY!=VALUE, with commas between them, "
			  "not 'a=b,'" },
		{ "a in (b,c)", "-l takes KEY, !KEY, KEY=VALUE or KEY!=VALUE, with commas between "
				"them, not 'a in (b,c)'" },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct options options = { 0 };
		struct err err = { 0 };

		vec_push(folder.arena, &options.selectors, rows[i].selector);
		assert_string_equal(selected(&options, &err), rows[i].ids);
	}
	assert_string_equal(selected(&(struct options){ 0 }, &(struct err){ 0 }), "*");
}

static void test_only__takes_what_an_object_is_made_of(void **state)
{
	struct options options = { 0 };
	struct err err = { 0 };

	(void)state;
	vec_push(folder.arena, &options.only, "Image/shop/pay");
	assert_string_equal(selected(&options, &err),
			    "ClusterBuilder/default ClusterStack/base ClusterStore/default "
			    "Image/shop/pay ");
	vec_push(folder.arena, &options.only, "Image/shop/none");
	assert_non_null(strstr(selected(&options, &err), "--only: no manifest declares"));
}

static void test_triggers__are_images(void **state)
{
	struct strings words = { 0 };
	const struct strings *ids;
	struct err err = { 0 };

	(void)state;
	assert_true(select_triggers(&loaded.model, &words, folder.arena, &ids, &err));
	assert_null(ids);
	vec_push(folder.arena, &words, "cart");
	vec_push(folder.arena, &words, "Image/shop/pay");
	assert_true(select_triggers(&loaded.model, &words, folder.arena, &ids, &err));
	assert_int_equal(ids->n, 2);
	assert_string_equal(ids->v[1], "Image/shop/pay");
	vec_push(folder.arena, &words, "ClusterBuilder/default");
	assert_false(select_triggers(&loaded.model, &words, folder.arena, &ids, &err));
	assert_string_equal(err.text,
			    "--trigger: 'ClusterBuilder/default' is no image and no build config");
}

#define CONFIG(name, from, to)                                                                     \
	"---\napiVersion: build.openshift.io/v1\nkind: BuildConfig\nmetadata: {name: " name        \
	", namespace: shop}\nspec: {source: {dockerfile: FROM x}, strategy: {dockerStrategy: "     \
	"{from: {kind: ImageStreamTag, name: '" from "'}}}, output: {to: {" to "}}}\n"
#define STREAM(name, tags)                                                                         \
	"---\napiVersion: image.openshift.io/v1\nkind: ImageStream\nmetadata: {name: " name        \
	", namespace: shop}\nspec: {tags: [" tags "]}\n"
#define DEPLOYMENT(name, tag)                                                                      \
	"---\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: " name                     \
	"\n  namespace: shop\n  annotations:\n    image.openshift.io/triggers: "                   \
	"'[{\"from\":{\"kind\":\"ImageStreamTag\",\"name\":\"" tag                                 \
	"\"},\"fieldPath\":\"spec.template.spec.containers[0].image\"}]'\nspec: {template: "       \
	"{spec: {containers: [{name: c, image: x}]}}}\n"

static const char chain[] =
	"apiVersion: reconcile.dev/v1\nkind: Settings\nmetadata: {name: settings}\nstreams: "
	"{registry: r.local}\n" CONFIG("app", "base:1", "kind: ImageStreamTag, name: 'app:latest'")
		CONFIG("next", "app:latest", "kind: ImageStreamTag, name: 'next:latest'") CONFIG(
			"by-image", "app:latest", "kind: DockerImage, name: 'r.local/shop/next:2'")
			STREAM("base", "") STREAM("app", "") STREAM("next", "")
				STREAM("copy", "{name: a, from: {kind: ImageStreamTag, name: "
					       "'app:latest'}}") DEPLOYMENT("web", "copy:a")
					DEPLOYMENT("other", "next:latest");

static void test_start__takes_what_follows_and_no_other_build(void **state)
{
	static const struct {
		const char *name, *ids;
	} rows[] = {
		{ "app", "BuildConfig/shop/app Deployment/shop/web ImageStream/shop/app "
			 "ImageStream/shop/base ImageStream/shop/copy " },
		{ "by-image",
		  "BuildConfig/shop/by-image Deployment/shop/other ImageStream/shop/app "
		  "ImageStream/shop/next " },
	};
	struct folder place;
	const struct load_spec spec = { .path = (folder_make(&place), place.dir.path) };
	struct options options = { 0 };
	struct loaded chained;
	struct err err = { 0 };

	(void)state;
	assert_true(folder_put(&place, "all.yaml", chain));
	assert_true(load_manifests(&spec, place.arena, &chained, &err));
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		const struct object *config =
			model_find(&chained.model, KIND_BUILD_CONFIG, "shop", rows[i].name);
		struct plan_options plan = { 0 };
		struct selection selection;
		AUTO_BUF ids = BUF_INIT(4096);

		assert_non_null(config);
		select_start(&chained.model, config, &options, place.arena, &selection, &plan);
		for (size_t k = 0; k < chained.model.objects.n; k++)
			if (plan.is_selected(chained.model.objects.v[k], plan.select_ctx))
				buf_printf(&ids, "%s ", chained.model.objects.v[k]->id);
		assert_string_equal(buf_text(&ids), rows[i].ids);
	}
	loaded_release(&chained);
	folder_release(&place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_select__finds_objects_by_word),
		cmocka_unit_test(test_selectors__pick_by_labels),
		cmocka_unit_test(test_only__takes_what_an_object_is_made_of),
		cmocka_unit_test(test_triggers__are_images),
		cmocka_unit_test(test_start__takes_what_follows_and_no_other_build),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
