/* SPDX-License-Identifier: Apache-2.0 */
/* dependencies.c — one table for all versions: what was called otherwise before is an alias. */
#include "model/kind/dependencies.h"

#include <string.h>

#include "model/kind/check.h"
#include "model/oci/ref.h"

#define GROUP             "kp.kpack.io/"
#define DEFAULT           "default"
#define DEFAULT_LIFECYCLE "default-lifecycle"

/* clang-format off */
#define NAME(type) \
	{ "name", FIELD_STRING, AT(type, name), .is_required = true, .doc = "The object's name." }
/* clang-format on */

static const struct field store_image_fields[] = {
	{ "image", FIELD_STRING, AT(struct image_source, image), .is_required = true,
	  POS(struct image_source, pos), .doc = "The image." },
	{ 0 },
};
static const struct table store_image_table = { "image", sizeof(struct image_source),
						store_image_fields };

static const struct field store_fields[] = {
	NAME(struct dependency_store),
	{ "sources", FIELD_STRUCTS, AT(struct dependency_store, sources),
	  .table = &store_image_table, .doc = "Images that hold buildpacks." },
	{ 0 },
};
static const struct table store_table = { "cluster store", sizeof(struct dependency_store),
					  store_fields, POS(struct dependency_store, pos) };

static const struct field build_image_fields[] = {
	{ "image", FIELD_STRING, AT(struct dependency_stack, build_image), .is_required = true,
	  .doc = "Where builds run." },
	{ 0 },
};
static const struct table build_image_table = { "buildImage", sizeof(struct dependency_stack),
						build_image_fields };
static const struct field run_image_fields[] = {
	{ "image", FIELD_STRING, AT(struct dependency_stack, run_image), .is_required = true,
	  .doc = "What apps stand on." },
	{ 0 },
};
static const struct table run_image_table = { "runImage", sizeof(struct dependency_stack),
					      run_image_fields };

/* Both images lie in the same struct dependency_stack. */
static const struct field stack_fields[] = {
	NAME(struct dependency_stack),
	{ "buildImage", FIELD_STRUCT, 0, .table = &build_image_table, .is_required = true,
	  .doc = "Where builds run." },
	{ "runImage", FIELD_STRUCT, 0, .table = &run_image_table, .is_required = true,
	  .doc = "What apps stand on." },
	{ 0 },
};
static const struct table stack_table = { "cluster stack", sizeof(struct dependency_stack),
					  stack_fields, POS(struct dependency_stack, pos) };

static const struct field release_image_fields[] = {
	NAME(struct dependency_image),
	{ "image", FIELD_STRING, AT(struct dependency_image, image), .is_required = true,
	  .doc = "The image." },
	{ 0 },
};
static const struct table release_image_table = { "image of a release",
						  sizeof(struct dependency_image),
						  release_image_fields,
						  POS(struct dependency_image, pos) };

static const struct field lifecycle_fields[] = {
	{ "image", FIELD_STRING, AT(struct dependency_image, image),
	  POS(struct dependency_image, pos), .doc = "The image." },
	{ 0 },
};
static const struct table lifecycle_table = { "lifecycle", sizeof(struct dependency_image),
					      lifecycle_fields };

static const struct field builder_fields[] = {
	NAME(struct dependency_builder),
	{ "clusterStack", FIELD_STRING, AT(struct dependency_builder, stack), .alias = "stack",
	  .is_required = true, .doc = "The ClusterStack to build on." },
	{ "clusterStore", FIELD_STRING, AT(struct dependency_builder, store), .alias = "store",
	  .doc = "The ClusterStore to take buildpacks from." },
	{ "order", FIELD_STRUCTS, AT(struct dependency_builder, order), .table = &order_group_table,
	  .doc = "Detection order." },
	{ 0 },
};
static const struct table builder_table = { "cluster builder", sizeof(struct dependency_builder),
					    builder_fields, POS(struct dependency_builder, pos) };

static const struct field fields[] = {
	{ "apiVersion", FIELD_STRING, AT(struct dependencies, api_version), .is_required = true },
	{ "kind", FIELD_STRING, AT(struct dependencies, kind), .is_required = true },
	{ "metadata", FIELD_IGNORED },
	{ "defaultClusterLifecycle", FIELD_STRING, AT(struct dependencies, default_lifecycle),
	  .doc = "Which of the lifecycles is the default." },
	{ "defaultClusterStack", FIELD_STRING, AT(struct dependencies, default_stack),
	  .alias = "defaultStack", .doc = "Which of the stacks is the default." },
	{ "defaultClusterBuilder", FIELD_STRING, AT(struct dependencies, default_builder),
	  .doc = "Which of the builders is the default." },
	{ "lifecycle", FIELD_STRUCT, AT(struct dependencies, lifecycle), .table = &lifecycle_table,
	  .doc = "The only lifecycle." },
	{ "clusterLifecycles", FIELD_STRUCTS, AT(struct dependencies, lifecycles),
	  .table = &release_image_table, .doc = "Lifecycles." },
	{ "clusterBuildpacks", FIELD_STRUCTS, AT(struct dependencies, buildpacks),
	  .table = &release_image_table, .doc = "Buildpacks on their own." },
	{ "clusterStores", FIELD_STRUCTS, AT(struct dependencies, stores), .table = &store_table,
	  .alias = "stores", .doc = "Stores." },
	{ "clusterStacks", FIELD_STRUCTS, AT(struct dependencies, stacks), .table = &stack_table,
	  .alias = "stacks", .doc = "Stacks." },
	{ "clusterBuilders", FIELD_STRUCTS, AT(struct dependencies, builders),
	  .table = &builder_table, .doc = "Builders." },
	{ 0 },
};
static const struct table table = { "DependencyDescriptor", sizeof(struct dependencies), fields };

static const struct field order_fields[] = {
	{ "order", FIELD_STRUCTS, AT(struct dependency_builder, order),
	  .table = &order_group_table },
	{ 0 },
};
static const struct table order_table = { "order", sizeof(struct dependency_builder),
					  order_fields };

const struct node *dependencies_order(const struct dependency_builder *builder, struct arena *arena)
{
	return node_get(fields_encode(&order_table, builder, arena), "order");
}

struct reader {
	struct arena *arena;
	const struct source_file *file;
	struct diags *diags;
};

static void fail(const struct reader *r, struct pos pos, const char *text)
{
	diag_add(r->diags, SEVERITY_ERROR, "dependencies", r->file, pos, 1, "%s", text);
}

static void check_reference(const struct reader *r, const char *image, struct pos pos)
{
	struct err err = { 0 };
	struct ref ref;

	if (image && !ref_parse(image, r->arena, &ref, &err))
		fail(r, pos, err.text);
}

static void check_images(const struct reader *r, const struct dependencies *all)
{
	const struct list *images[] = { &all->lifecycles, &all->buildpacks };

	for (size_t k = 0; k < COUNTOF(images); k++)
		for (size_t i = 0; i < images[k]->n; i++) {
			const struct dependency_image *one =
				LIST_AT(*images[k], struct dependency_image, i);

			check_reference(r, one->image, one->pos);
		}
	for (size_t i = 0; i < all->stacks.n; i++) {
		const struct dependency_stack *stack =
			LIST_AT(all->stacks, struct dependency_stack, i);

		check_reference(r, stack->build_image, stack->pos);
		check_reference(r, stack->run_image, stack->pos);
	}
	for (size_t i = 0; i < all->stores.n; i++) {
		const struct list *sources =
			&LIST_AT(all->stores, struct dependency_store, i)->sources;

		for (size_t k = 0; k < sources->n; k++) {
			const struct image_source *source =
				LIST_AT(*sources, struct image_source, k);

			check_reference(r, source->image, source->pos);
		}
	}
}

/* All elements begin with their name. */
struct named_list {
	struct list *list;
	size_t size, pos_offset;
	const char *what;    /* "cluster stack" */
	const char *deflt;   /* name of the default one; NULL: none */
	const char *name_as; /* what the default is called */
};

static const char **name_at(const struct named_list *named, size_t i)
{
	return (const char **)(void *)((char *)named->list->v + i * named->size);
}

/* NULL where it has no name. */
static const char *find(const struct named_list *named, const char *name, size_t *index)
{
	for (*index = 0; *index < named->list->n; (*index)++) {
		const char *here = *name_at(named, *index);

		if (here && strcmp(here, name) == 0)
			return here;
	}
	return NULL;
}

static struct pos pos_at(const struct named_list *named, size_t i)
{
	const char *element = (const char *)named->list->v + i * named->size;

	return *(const struct pos *)(const void *)(element + named->pos_offset);
}

/* They become names of files and are said on terminals. */
static void check_list_names(const struct reader *r, const struct named_list *named)
{
	size_t first;

	for (size_t i = 0; i < named->list->n; i++) {
		const char *name = *name_at(named, i);

		if (!name)
			continue;
		if (!check_name_is_valid(name))
			fail(r, pos_at(named, i),
			     arena_printf(r->arena, "'%s' cannot be the name of a %s", name,
					  named->what));
		else if (find(named, name, &first) && first < i)
			fail(r, pos_at(named, i),
			     arena_printf(r->arena, "%s '%s' is there twice", named->what, name));
	}
}

/* kp's default objects are copies of the one that the descriptor names. */
static void add_default(const struct reader *r, const struct named_list *named)
{
	struct list *list = named->list;
	size_t index, other;
	char *v;

	if (!named->deflt)
		return;
	if (!find(named, named->deflt, &index)) {
		fail(r, (struct pos){ 0 },
		     arena_printf(r->arena, "default %s '%s' not found", named->what,
				  named->deflt));
		return;
	}
	if (find(named, named->name_as, &other))
		return;
	v = arena_array(r->arena, list->n + 1, named->size);
	memcpy(v, list->v, list->n * named->size);
	memcpy(v + list->n * named->size, v + index * named->size, named->size);
	list->v = v;
	list->n++;
	*name_at(named, list->n - 1) = named->name_as;
}

static void add_lifecycle(const struct reader *r, struct dependencies *all)
{
	struct dependency_image *one;

	if (!all->lifecycle.image)
		return;
	if (all->lifecycles.n) {
		fail(r, all->lifecycle.pos, "expected one of lifecycle, clusterLifecycles");
		return;
	}
	one = ARENA_NEW(r->arena, struct dependency_image);
	*one = all->lifecycle;
	one->name = DEFAULT_LIFECYCLE;
	all->lifecycles = (struct list){ one, 1 };
}

static void check_header(const struct reader *r, const struct node *document,
			 const struct dependencies *all)
{
	static const char *const versions[] = { GROUP "v1alpha1", GROUP "v1alpha3", GROUP "v1" };

	if (all->kind && strcmp(all->kind, "DependencyDescriptor") != 0)
		fail(r, document->pos,
		     arena_printf(r->arena, "expected kind DependencyDescriptor, found '%s'",
				  all->kind));
	for (size_t i = 0; all->api_version && i < COUNTOF(versions); i++)
		if (strcmp(versions[i], all->api_version) == 0)
			return;
	fail(r, document->pos,
	     "did not find expected apiVersion, must be one of: " GROUP "v1alpha1, " GROUP
	     "v1alpha3, " GROUP "v1");
}

void dependencies_decode(const struct node *document, const struct source_file *file,
			 struct arena *arena, struct dependencies *out, struct diags *diags)
{
	const struct reader r = { arena, file, diags };
	const struct named_list lists[] = {
		{ &out->lifecycles, sizeof(struct dependency_image),
		  offsetof(struct dependency_image, pos), "cluster lifecycle", NULL,
		  DEFAULT_LIFECYCLE },
		{ &out->buildpacks, sizeof(struct dependency_image),
		  offsetof(struct dependency_image, pos), "cluster buildpack", NULL, NULL },
		{ &out->stores, sizeof(struct dependency_store),
		  offsetof(struct dependency_store, pos), "cluster store", NULL, NULL },
		{ &out->stacks, sizeof(struct dependency_stack),
		  offsetof(struct dependency_stack, pos), "cluster stack", NULL, DEFAULT },
		{ &out->builders, sizeof(struct dependency_builder),
		  offsetof(struct dependency_builder, pos), "cluster builder", NULL, DEFAULT },
	};

	*out = (struct dependencies){ 0 };
	fields_decode(&table, document, "", out, arena, file, diags);
	check_header(&r, document, out);
	add_lifecycle(&r, out);
	check_images(&r, out);
	for (size_t i = 0; i < COUNTOF(lists); i++) {
		struct named_list named = lists[i];

		named.deflt = named.list == &out->lifecycles ? out->default_lifecycle
			      : named.list == &out->stacks   ? out->default_stack
			      : named.list == &out->builders ? out->default_builder
							     : NULL;
		check_list_names(&r, &named);
		add_default(&r, &named);
	}
}
