/* SPDX-License-Identifier: Apache-2.0 */
/*
 * builder.c — the field tables of builders and of the parts they are composed of, and their rules
 * with kpack's texts. Source: kpack.io/v1alpha2 (kpack.md §2.6–2.10). Ours: spec.image names a
 * ready-made builder, as in 2019's kpack.
 */
#include "model/kind/builder.h"

#include <string.h>

#include "model/kind/check.h"
#include "model/kind/rules.h"

/* clang-format off */
#define REF_FIELDS \
	{ "name", FIELD_STRING, AT(struct object_ref, name), POS(struct object_ref, pos), \
	  .doc = "The object's name." }, \
	{ "namespace", FIELD_STRING, AT(struct object_ref, ns), \
	  .doc = "Not used: the kind has no namespace." }, \
	{ "apiVersion", FIELD_STRING, AT(struct object_ref, api_version), \
	  .doc = "The object's apiVersion." }, \
	{ "uid", FIELD_IGNORED }, \
	{ "resourceVersion", FIELD_IGNORED }, \
	{ "fieldPath", FIELD_IGNORED }
/* clang-format on */

static const struct field stack_ref_fields[] = {
	{ "kind", FIELD_STRING, AT(struct object_ref, kind), .deflt = "ClusterStack",
	  .doc = "ClusterStack." },
	REF_FIELDS,
	{ 0 },
};
static const struct table stack_ref_table = { "stack reference", sizeof(struct object_ref),
					      stack_ref_fields };

static const struct field store_ref_fields[] = {
	{ "kind", FIELD_STRING, AT(struct object_ref, kind), .deflt = "ClusterStore",
	  .doc = "ClusterStore." },
	REF_FIELDS,
	{ 0 },
};
static const struct table store_ref_table = { "store reference", sizeof(struct object_ref),
					      store_ref_fields };

static const struct field lifecycle_ref_fields[] = {
	{ "kind", FIELD_STRING, AT(struct object_ref, kind), .deflt = "ClusterLifecycle",
	  .doc = "ClusterLifecycle." },
	REF_FIELDS,
	{ 0 },
};
static const struct table lifecycle_ref_table = { "lifecycle reference", sizeof(struct object_ref),
						  lifecycle_ref_fields };

static const struct field account_ref_fields[] = {
	{ "name", FIELD_STRING, AT(struct object_ref, name), POS(struct object_ref, pos),
	  .doc = "A ServiceAccount." },
	{ "namespace", FIELD_STRING, AT(struct object_ref, ns), .doc = "Its namespace." },
	{ "kind", FIELD_IGNORED },
	{ "apiVersion", FIELD_IGNORED },
	{ "uid", FIELD_IGNORED },
	{ 0 },
};
static const struct table account_ref_table = { "service account reference",
						sizeof(struct object_ref), account_ref_fields };

static const struct field order_entry_fields[] = {
	{ "id", FIELD_STRING, AT(struct order_entry, id), POS(struct order_entry, pos),
	  .doc = "The buildpack's id." },
	{ "version", FIELD_STRING, AT(struct order_entry, version),
	  .doc = "Its version. Default: the highest." },
	{ "optional", FIELD_BOOL, AT(struct order_entry, is_optional),
	  .doc = "The group passes without it." },
	{ "name", FIELD_STRING, AT(struct order_entry, name), POS(struct order_entry, pos),
	  .doc = "A Buildpack or ClusterBuildpack object." },
	{ "kind", FIELD_STRING, AT(struct order_entry, kind),
	  .doc = "Buildpack or ClusterBuildpack." },
	{ "image", FIELD_STRING, AT(struct order_entry, image), .doc = "Not supported." },
	{ "apiVersion", FIELD_IGNORED },
	{ "namespace", FIELD_IGNORED },
	{ 0 },
};
static const struct table order_entry_table = { "buildpack", sizeof(struct order_entry),
						order_entry_fields };

static const struct field order_group_fields[] = {
	{ "group", FIELD_STRUCTS, AT(struct order_group, group), .table = &order_entry_table,
	  .doc = "Buildpacks that are tried together." },
	{ 0 },
};
const struct table order_group_table = { "order", sizeof(struct order_group), order_group_fields };

/* clang-format off */
#define BUILDER_FIELDS \
	{ "tag", FIELD_STRING, AT(struct builder_spec, tag), POS(struct builder_spec, tag_pos), \
	  .doc = "Where the builder image is pushed." }, \
	{ "stack", FIELD_STRUCT, AT(struct builder_spec, stack), .table = &stack_ref_table, \
	  POS(struct builder_spec, stack.pos), .doc = "The ClusterStack to build on." }, \
	{ "store", FIELD_STRUCT, AT(struct builder_spec, store), .table = &store_ref_table, \
	  POS(struct builder_spec, store.pos), \
	  .doc = "The ClusterStore to take buildpacks from." }, \
	{ "lifecycle", FIELD_STRUCT, AT(struct builder_spec, lifecycle), \
	  .table = &lifecycle_ref_table, POS(struct builder_spec, lifecycle.pos), \
	  .doc = "A ClusterLifecycle. Default: the built-in one." }, \
	{ "order", FIELD_STRUCTS, AT(struct builder_spec, order), .table = &order_group_table, \
	  POS(struct builder_spec, order_pos), \
	  .doc = "Groups of buildpacks, in the order they are tried." }, \
	{ "additionalLabels", FIELD_STRING_MAP, AT(struct builder_spec, additional_labels), \
	  .doc = "Labels of the builder image." }, \
	{ "image", FIELD_STRING, AT(struct builder_spec, image), \
	  .doc = "A ready-made builder image; tag, stack, store and order must be absent then." }, \
	{ "imagePullSecrets", FIELD_IGNORED }, \
	{ "updatePolicy", FIELD_IGNORED }
/* clang-format on */

static const struct field builder_fields[] = {
	BUILDER_FIELDS,
	{ "serviceAccountName", FIELD_STRING, AT(struct builder_spec, service_account),
	  .deflt = "default", .alias = "serviceAccount",
	  .doc = "Whose secrets are used to read and push." },
	{ 0 },
};
const struct table builder_spec_table = { "Builder spec", sizeof(struct builder_spec),
					  builder_fields };

static const struct field cluster_builder_fields[] = {
	BUILDER_FIELDS,
	{ "serviceAccountRef", FIELD_STRUCT, AT(struct builder_spec, account_ref),
	  .table = &account_ref_table, .doc = "Whose secrets are used to read and push." },
	{ 0 },
};
const struct table cluster_builder_spec_table = { "ClusterBuilder spec",
						  sizeof(struct builder_spec),
						  cluster_builder_fields };

static const struct field build_image_fields[] = {
	{ "image", FIELD_STRING, AT(struct stack_spec, build_image), .doc = "The image." },
	{ 0 },
};
static const struct table build_image_table = { "buildImage", sizeof(struct stack_spec),
						build_image_fields };
static const struct field run_image_fields[] = {
	{ "image", FIELD_STRING, AT(struct stack_spec, run_image), .doc = "The image." },
	{ 0 },
};
static const struct table run_image_table = { "runImage", sizeof(struct stack_spec),
					      run_image_fields };

/* Both images lie in the same struct stack_spec. */
static const struct field stack_fields[] = {
	{ "id", FIELD_STRING, AT(struct stack_spec, id), .is_required = true,
	  .doc = "The stack id that both images carry." },
	{ "buildImage", FIELD_STRUCT, 0, .table = &build_image_table, .doc = "Where builds run." },
	{ "runImage", FIELD_STRUCT, 0, .table = &run_image_table, .doc = "What apps stand on." },
	{ "serviceAccountRef", FIELD_STRUCT, AT(struct stack_spec, account_ref),
	  .table = &account_ref_table, .doc = "Whose secrets are used to read the images." },
	{ 0 },
};
const struct table stack_spec_table = { "ClusterStack spec", sizeof(struct stack_spec),
					stack_fields };

static const struct field image_source_fields[] = {
	{ "image", FIELD_STRING, AT(struct image_source, image), .is_required = true,
	  POS(struct image_source, pos), .doc = "An image that holds buildpacks." },
	{ 0 },
};
static const struct table image_source_table = { "store source", sizeof(struct image_source),
						 image_source_fields };

static const struct field store_fields[] = {
	{ "sources", FIELD_STRUCTS, AT(struct store_spec, sources), .table = &image_source_table,
	  .is_required = true, .doc = "Images that hold buildpacks." },
	{ "serviceAccountRef", FIELD_STRUCT, AT(struct store_spec, account_ref),
	  .table = &account_ref_table, .doc = "Whose secrets are used to read the images." },
	{ 0 },
};
const struct table store_spec_table = { "ClusterStore spec", sizeof(struct store_spec),
					store_fields };

/* clang-format off */
#define BUILDPACK_IMAGE \
	{ "image", FIELD_STRING, AT(struct buildpack_spec, image), .is_required = true, \
	  .doc = "The image." }
/* clang-format on */
/* clang-format off */
#define BUILDPACK_ACCOUNT_REF \
	{ "serviceAccountRef", FIELD_STRUCT, AT(struct buildpack_spec, account_ref), \
	  .table = &account_ref_table, .doc = "Whose secrets are used to read the image." }
/* clang-format on */

static const struct field buildpack_fields[] = {
	BUILDPACK_IMAGE,
	{ "serviceAccountName", FIELD_STRING, AT(struct buildpack_spec, service_account),
	  .deflt = "default", .doc = "Whose secrets are used to read the image." },
	{ 0 },
};
const struct table buildpack_spec_table = { "Buildpack spec", sizeof(struct buildpack_spec),
					    buildpack_fields };

static const struct field cluster_buildpack_fields[] = { BUILDPACK_IMAGE,
							 BUILDPACK_ACCOUNT_REF,
							 { 0 } };
const struct table cluster_buildpack_spec_table = { "ClusterBuildpack spec",
						    sizeof(struct buildpack_spec),
						    cluster_buildpack_fields };
const struct table lifecycle_spec_table = { "ClusterLifecycle spec", sizeof(struct buildpack_spec),
					    cluster_buildpack_fields };

static void check_kind(const struct checker *c, const char *path, const char *kind,
		       const char *const *allowed, const char *details)
{
	const char *at = arena_printf(c->arena, "%s.kind", path);

	for (; *allowed; allowed++)
		if (kind && strcmp(kind, *allowed) == 0)
			return;
	if (check_present(c, at, kind))
		check_invalid(c, at, kind, details);
}

static void check_order_entry(const struct checker *c, const char *path,
			      const struct order_entry *entry)
{
	static const char *const kinds[] = { "Buildpack", "ClusterBuildpack", NULL };

	if (entry->name || entry->kind) {
		check_present(c, arena_printf(c->arena, "%s.name", path), entry->name);
		check_kind(c, path, entry->kind, kinds,
			   "must be one of Buildpack, ClusterBuildpack");
	}
	if (entry->image && *entry->image)
		check_fail(c, arena_printf(c->arena, "%s.image", path),
			   "must not set the field(s): %s.image reference currently not supported",
			   path);
	else if (!entry->id && !entry->name && !entry->kind)
		check_fail(c, path,
			   "expected exactly one, got neither: %s.id, %s.image, %s.name + kind",
			   path, path, path);
}

static void check_order(const struct checker *c, const struct list *order)
{
	for (size_t i = 0; i < order->n; i++) {
		const struct order_group *group = LIST_AT(*order, struct order_group, i);

		for (size_t j = 0; j < group->group.n; j++)
			check_order_entry(
				c, arena_printf(c->arena, "spec.order[%zu].group[%zu]", i, j),
				LIST_AT(group->group, struct order_entry, j));
	}
}

/* Nothing is composed: what says how to compose has no meaning beside the image. */
static void check_ready_made(const struct checker *c, const struct builder_spec *spec)
{
	static const char *const others[] = { "spec.tag", "spec.stack", "spec.store",
					      "spec.lifecycle", "spec.order" };
	bool exact;

	check_image(c, "spec.image", spec->image);
	for (size_t i = 0; i < COUNTOF(others); i++) {
		check_locate(c->object->tree, others[i], &exact);
		if (exact)
			check_fail(c, others[i], "expected exactly one, got both: spec.image, %s",
				   others[i]);
	}
}

static void check_composed(const struct checker *c, const struct builder_spec *spec)
{
	static const char *const stacks[] = { "ClusterStack", "Stack", NULL };
	static const char *const stores[] = { "ClusterStore", "Store", NULL };
	static const char *const lifecycles[] = { "ClusterLifecycle", NULL };
	bool exact;

	if (check_present(c, "spec.tag", spec->tag))
		check_tag(c, "spec.tag", spec->tag);
	if (check_present(c, "spec.stack.name", spec->stack.name))
		check_kind(c, "spec.stack", spec->stack.kind, stacks, NULL);
	check_locate(c->object->tree, "spec.store", &exact);
	if (exact) {
		check_present(c, "spec.store.name", spec->store.name);
		check_kind(c, "spec.store", spec->store.kind, stores,
			   "must be one of ClusterStore");
	}
	if (spec->lifecycle.name)
		check_kind(c, "spec.lifecycle", spec->lifecycle.kind, lifecycles,
			   "must be one of ClusterLifecycle");
	check_order(c, &spec->order);
}

void builder_spec_check(const struct object *object, struct arena *arena, struct diags *diags)
{
	const struct checker c = { object, arena, diags };
	const struct builder_spec *spec = object->spec;

	if (spec->image && *spec->image) {
		check_ready_made(&c, spec);
		return;
	}
	check_composed(&c, spec);
	if (object->kind != KIND_CLUSTER_BUILDER)
		return;
	if (check_present(&c, "spec.serviceAccountRef.name", spec->account_ref.name))
		check_present(&c, "spec.serviceAccountRef.namespace", spec->account_ref.ns);
}

void stack_spec_check(const struct object *object, struct arena *arena, struct diags *diags)
{
	const struct checker c = { object, arena, diags };
	const struct stack_spec *spec = object->spec;

	check_account_ref(&c, "spec.serviceAccountRef", &spec->account_ref);
	check_filled(&c, "spec.id", spec->id);
	check_present(&c, "spec.buildImage.image", spec->build_image);
	check_image(&c, "spec.buildImage.image", spec->build_image);
	check_present(&c, "spec.runImage.image", spec->run_image);
	check_image(&c, "spec.runImage.image", spec->run_image);
}

void store_spec_check(const struct object *object, struct arena *arena, struct diags *diags)
{
	const struct checker c = { object, arena, diags };
	const struct store_spec *spec = object->spec;
	bool exact;

	check_account_ref(&c, "spec.serviceAccountRef", &spec->account_ref);
	check_locate(object->tree, "spec.sources", &exact);
	if (!spec->sources.n && exact)
		check_fail(&c, "spec.sources", "missing field(s): spec.sources");
	for (size_t i = 0; i < spec->sources.n; i++) {
		const struct image_source *source = LIST_AT(spec->sources, struct image_source, i);
		const char *path = arena_printf(arena, "spec.sources[%zu]", i);

		if (source->image && !*source->image)
			check_invalid(&c, path, source->image, NULL);
		check_image(&c, path, source->image);
	}
}

/* Also of ClusterBuildpack and ClusterLifecycle: one image. */
void buildpack_spec_check(const struct object *object, struct arena *arena, struct diags *diags)
{
	const struct checker c = { object, arena, diags };
	const struct buildpack_spec *spec = object->spec;

	check_account_ref(&c, "spec.serviceAccountRef", &spec->account_ref);
	check_filled(&c, "spec.image", spec->image);
	check_image(&c, "spec.image", spec->image);
}
