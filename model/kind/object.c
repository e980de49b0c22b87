/* SPDX-License-Identifier: Apache-2.0 */
/*
 * object.c — a document becomes an object: apiVersion and kind pick the row of the kind table,
 * metadata is read the same way for all, the row's field table decodes the rest, and the row's
 * functions adapt old forms and check the rules.
 */
#include <string.h>

#include "model/kind/check.h"
#include "model/kind/metadata.h"
#include "model/kind/rules.h"
#include "model/kind/stream_check.h"
#include "model/kind/workload.h"

static const struct field metadata_fields[] = {
	{ "name", FIELD_STRING, AT(struct meta, name), .is_required = true,
	  POS(struct meta, name_pos),
	  .doc = "The object's name, unique among those of its kind and namespace." },
	{ "namespace", FIELD_STRING, AT(struct meta, ns), .doc = "Default: default." },
	{ "labels", FIELD_STRING_MAP, AT(struct meta, labels), .doc = "For selectors." },
	{ "annotations", FIELD_STRING_MAP, AT(struct meta, annotations),
	  .doc = "Everything else." },
	{ "generateName", FIELD_IGNORED },
	{ "creationTimestamp", FIELD_IGNORED },
	{ "generation", FIELD_IGNORED },
	{ "resourceVersion", FIELD_IGNORED },
	{ "uid", FIELD_IGNORED },
	{ "selfLink", FIELD_IGNORED },
	{ "selflink", FIELD_IGNORED },
	{ "managedFields", FIELD_IGNORED },
	{ "ownerReferences", FIELD_IGNORED },
	{ "finalizers", FIELD_IGNORED },
	{ "deletionTimestamp", FIELD_IGNORED },
	{ "deletionGracePeriodSeconds", FIELD_IGNORED },
	{ "clusterName", FIELD_IGNORED },
	{ 0 },
};
const struct table metadata_table = { "metadata", sizeof(struct meta), metadata_fields };

/* An ImageStreamMapping may name its stream by the stream's repository instead. */
static const struct table *metadata_of(const struct object *object, struct arena *arena)
{
	struct field *fields;
	struct table *table;

	if (object->kind != KIND_IMAGE_STREAM_MAPPING ||
	    !node_text(object->tree, "dockerImageRepository"))
		return &metadata_table;
	fields = arena_array(arena, COUNTOF(metadata_fields), sizeof(*fields));
	memcpy(fields, metadata_fields, sizeof(metadata_fields));
	fields[0].is_required = false;
	table = ARENA_NEW(arena, struct table);
	*table = metadata_table;
	table->fields = fields;
	return table;
}

/* Metadata and spec are taken from the document itself: a FIELD_NODE would copy all of them. */
struct envelope {
	const char *api_version, *kind;
};
static const struct field envelope_fields[] = {
	{ "apiVersion", FIELD_STRING, AT(struct envelope, api_version), .is_required = true },
	{ "kind", FIELD_STRING, AT(struct envelope, kind), .is_required = true },
	{ "metadata", FIELD_IGNORED },
	{ "spec", FIELD_IGNORED },
	{ "status", FIELD_IGNORED },
	{ 0 },
};

static void broken(const struct node *document, const struct source_file *file, struct arena *arena,
		   struct diags *diags)
{
	const char *api_version = node_text(document, "apiVersion"),
		   *kind = node_text(document, "kind");
	const char *names[KINDS], *near;
	const struct node *at = node_get(document, kind ? "kind" : "apiVersion");
	size_t n = 0;

	(void)arena;
	if (!api_version || !kind) {
		diag_add(diags, SEVERITY_ERROR, "missing-field", file, document->pos, 1,
			 "missing field(s): %s", kind ? "apiVersion" : "kind");
		return;
	}
	for (enum kind k = KIND_NONE + 1; k < KINDS; k++)
		if (!kind_info(k)->is_workload)
			names[n++] = kind_name(k);
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], kind) == 0) { /* the kind is right, so the version is not */
			at = node_get(document, "apiVersion");
			diag_add(diags, SEVERITY_ERROR, "unknown-version", file, at->pos,
				 (uint32_t)strlen(api_version), "unknown version '%s' of kind %s",
				 api_version, kind);
			return;
		}
	near = suggest(kind, names, n);
	diag_add(diags, SEVERITY_ERROR, "unknown-kind", file, at->pos, (uint32_t)strlen(kind),
		 "unknown kind '%s' in %s%s%s%s", kind, api_version, near ? "; did you mean '" : "",
		 near ? near : "", near ? "'?" : "");
}

/* A shallow copy whose children may be exchanged; the children themselves stay shared. */
static struct node *copy_level(struct arena *arena, const struct node *map)
{
	struct node *copy = ARENA_NEW(arena, struct node), **link = &copy->first;

	*copy = *map;
	for (const struct node *child = map->first; child; child = child->next) {
		struct node *twin = ARENA_NEW(arena, struct node);

		*twin = *child;
		*link = twin;
		link = &twin->next;
		copy->last = twin;
	}
	return copy;
}

/* 2019's builders named stack and store by a bare string: the same as {name: …}. */
static const struct node *modernise(const struct node *spec, struct arena *arena)
{
	static const char *const refs[] = { "stack", "store" };
	struct node *copy = NULL;

	for (size_t i = 0; i < COUNTOF(refs); i++) {
		const struct node *ref = node_get(spec, refs[i]);

		if (!ref || ref->kind != NODE_STRING)
			continue;
		copy = copy ? copy : copy_level(arena, spec);
		for (struct node *child = copy->first; child; child = child->next) {
			struct node *name;

			if (strcmp(child->key, refs[i]) != 0)
				continue;
			name = ARENA_NEW(arena, struct node);
			*name = *child;
			name->next = NULL;
			name->key = "name";
			child->kind = NODE_MAP;
			child->first = child->last = name;
			child->n = 1;
		}
	}
	return copy ? copy : spec;
}

static bool is_mapping(const struct node *node)
{
	return node && node->kind == NODE_MAP;
}

static void decode_meta(struct object *object, const struct node *metadata, struct arena *arena,
			struct diags *diags)
{
	const struct kind_info *info = kind_info(object->kind);
	struct meta *meta = &object->meta;

	if (metadata || object->kind != KIND_SETTINGS) {
		static const struct node nothing = { .kind = NODE_MAP };
		struct node *empty = ARENA_NEW(arena, struct node);

		*empty = nothing;
		empty->pos = object->pos;
		fields_decode(metadata_of(object, arena), metadata ? metadata : empty, "metadata",
			      meta, arena, object->file, diags);
	}
	if (object->kind == KIND_IMAGE_STREAM_MAPPING)
		mapping_name(object->tree, arena, meta);
	check_names(&(struct checker){ object, arena, diags });
	if (!meta->name)
		meta->name = object->kind == KIND_SETTINGS ? "settings" : "";
	if (info->is_cluster)
		meta->ns = "";
	else if (!meta->ns || !*meta->ns)
		meta->ns = "default";
}

/* Values of a Secret must not be shown, so its diagnostics have no excerpt. */
static const struct source_file *file_of(enum kind kind, const struct source_file *file,
					 struct arena *arena)
{
	struct source_file *veiled;

	if (kind != KIND_SECRET || !file)
		return file;
	veiled = ARENA_NEW(arena, struct source_file);
	veiled->path = file->path;
	return veiled;
}

static void decode_spec(struct object *object, const struct node *spec, struct arena *arena,
			struct diags *diags)
{
	const struct kind_info *info = kind_info(object->kind);
	void *out = arena_alloc(arena, info->spec_table->size);
	size_t errors = diags->n_errors;

	if (info->is_whole) {
		fields_decode(info->spec_table, object->tree, "", out, arena, object->file, diags);
	} else if (!spec || spec->kind == NODE_NULL) {
		/* A stream without one takes what is pushed to it. */
		if (object->kind != KIND_IMAGE_STREAM)
			diag_add(diags, SEVERITY_ERROR, "missing-field", object->file, object->pos,
				 1, "missing field(s): spec");
	} else {
		if (is_mapping(spec) &&
		    (object->kind == KIND_BUILDER || object->kind == KIND_CLUSTER_BUILDER))
			spec = modernise(spec, arena);
		fields_decode(info->spec_table, spec, "spec", out, arena, object->file, diags);
	}
	object->spec = out;
	/* A spec that is no mapping has been said to be none; its fields would all be missing. */
	if (!info->is_whole && !is_mapping(spec) && diags->n_errors != errors)
		return;
	if (info->adapt)
		info->adapt(out, object, arena, diags);
	if (info->check)
		info->check(object, arena, diags);
}

/* A null is an absent value. */
static const struct node *given(const struct node *document, const char *key)
{
	const struct node *value = node_get(document, key);

	return value && value->kind != NODE_NULL ? value : NULL;
}

struct object *object_decode(const struct node *document, const struct source_file *file,
			     struct arena *arena, struct diags *diags)
{
	static const struct table envelope_table = { "document", sizeof(struct envelope),
						     envelope_fields };
	struct envelope envelope = { 0 };
	struct object *object;
	const char *suffix;
	enum kind kind;

	switch (document_class(document, &kind)) {
	case DOCUMENT_BROKEN:
		broken(document, file, arena, diags);
		return NULL;
	case DOCUMENT_LATER:
	case DOCUMENT_FOREIGN:
		return NULL;
	case DOCUMENT_OURS:
		break;
	}
	object = ARENA_NEW(arena, struct object);
	object->kind = kind;
	object->file = file_of(kind, file, arena);
	object->pos = document->pos;
	object->tree = document;
	if (kind_info(kind)->is_workload) {
		object->api_version = node_text(document, "apiVersion");
		workload_decode(object, arena, diags);
		return workload_is_ours(object, arena, diags) ? object : NULL;
	}
	if (kind_info(kind)->is_whole) {
		envelope.api_version = node_text(document, "apiVersion");
	} else {
		fields_decode(&envelope_table, document, "", &envelope, arena, object->file, diags);
	}
	object->api_version = envelope.api_version;
	decode_meta(object, given(document, "metadata"), arena, diags);
	object->id = object_id(kind, object->meta.ns, object->meta.name, arena);
	decode_spec(object, given(document, "spec"), arena, diags);
	suffix = document_suffix(object, arena);
	if (*suffix)
		object->id = arena_printf(arena, "%s%s", object->id, suffix);
	link_prepare(object, arena);
	return object;
}
