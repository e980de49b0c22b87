/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link_streams.c — image streams and the documents that act on them, put together: who declares which tag, which tags follow
 * which, and what is named and not there. A stream that only such documents name is made.
 */
#include <string.h>

#include "model/kind/rules.h"
#include "model/kind/settings.h"
#include "model/kind/stream_check.h"

/* A tag, and the document that declares it. */
struct declared {
	const struct tag_ref *tag;
	const struct object *by;
	const char *next; /* the tag of the same stream that it follows; NULL: none */
	enum { TAG_NEW, TAG_OPEN, TAG_DONE } state;
};
struct stream_link {
	struct object *object;
	struct stream_spec *spec; /* the object's, which is being filled */
	VEC(struct declared) tags;
};
struct streams {
	struct model *model;
	struct arena *arena;
	struct diags *diags;
	struct map by_id; /* id of the ImageStream → struct stream_link */
	VEC(struct stream_link *) list;
};

static struct stream_link *add_stream(struct streams *s, struct object *object)
{
	struct stream_link *link = ARENA_NEW(s->arena, struct stream_link);

	link->object = object;
	link->spec = ARENA_NEW(s->arena, struct stream_spec);
	if (object->spec)
		*link->spec = *(const struct stream_spec *)object->spec;
	object->spec = link->spec;
	map_set(s->arena, &s->by_id, object->id, link);
	vec_push(s->arena, &s->list, link);
	return link;
}

/* What the document says of the stream's name is all that is known of it. */
static struct stream_link *make_stream(struct streams *s, const struct object *by)
{
	struct object *object = ARENA_NEW(s->arena, struct object);

	object->kind = KIND_IMAGE_STREAM;
	object->meta.name = stream_of(by);
	object->meta.ns = by->meta.ns;
	object->meta.name_pos = by->meta.name_pos;
	object->id = object_id(object->kind, object->meta.ns, object->meta.name, s->arena);
	object->file = by->file;
	object->pos = by->pos;
	object->api_version = by->api_version;
	vec_push(s->arena, &s->model->objects, object);
	map_set(s->arena, &s->model->by_id, object->id, object);
	return add_stream(s, object);
}

static struct stream_link *stream_for(struct streams *s, const struct object *by)
{
	const char *id = object_id(KIND_IMAGE_STREAM, by->meta.ns, stream_of(by), s->arena);
	struct stream_link *link = map_get(&s->by_id, id);
	const struct stream_import_spec *import = by->spec;

	if (link || !*stream_of(by))
		return link;
	if (by->kind == KIND_IMAGE_STREAM_IMPORT && !import->is_import) {
		diag_add(s->diags, SEVERITY_WARNING, "missing-object", by->file, by->meta.name_pos,
			 (uint32_t)strlen(by->meta.name),
			 "%s imports nothing: its spec.import is false, and there is no %s", by->id,
			 id);
		return NULL;
	}
	return make_stream(s, by);
}

static void attach(struct streams *s, const struct object *by)
{
	struct stream_link *link;

	if (by->kind != KIND_IMAGE_STREAM_TAG && by->kind != KIND_IMAGE_STREAM_MAPPING &&
	    by->kind != KIND_IMAGE_STREAM_IMPORT)
		return;
	link = stream_for(s, by);
	if (!link)
		return;
	if (by->kind == KIND_IMAGE_STREAM_TAG) {
		const struct stream_tag_spec *own = by->spec;

		vec_push(s->arena, &link->spec->tag_documents, by);
		link->spec->is_local_lookup |= own->is_local_lookup;
	} else if (by->kind == KIND_IMAGE_STREAM_MAPPING) {
		vec_push(s->arena, &link->spec->mappings, by);
	} else {
		vec_push(s->arena, &link->spec->imports, by);
	}
}

/* ---- tags ---- */

static struct pos tag_pos(const struct declared *tag)
{
	return tag->tag->pos.line ? tag->tag->pos : tag->by->meta.name_pos;
}

static struct pos from_pos(const struct declared *tag)
{
	return tag->tag->from->pos.line ? tag->tag->from->pos : tag_pos(tag);
}

static void declare(struct streams *s, struct stream_link *link, const struct tag_ref *tag,
		    const struct object *by)
{
	vec_push(s->arena, &link->tags,
		 (struct declared){ tag, by, tag_followed(tag, link->object->meta.name, s->arena),
				    TAG_NEW });
}

static void collect_tags(struct streams *s, struct stream_link *link)
{
	const struct stream_spec *spec = link->spec;

	for (size_t i = 0; i < spec->tags.n; i++) {
		const struct tag_ref *tag = LIST_AT(spec->tags, struct tag_ref, i);

		if (tag->name)
			declare(s, link, tag, link->object);
	}
	for (size_t i = 0; i < spec->tag_documents.n; i++) {
		const struct object *by = spec->tag_documents.v[i];
		const struct stream_tag_spec *own = by->spec;
		struct tag_ref *alone = ARENA_NEW(s->arena, struct tag_ref);

		alone->name = own->tag_name;
		alone->pos = by->meta.name_pos;
		declare(s, link, own->tag ? own->tag : alone, by);
	}
}

static void twice(struct streams *s, const struct declared *before, const struct declared *again)
{
	uint32_t width = (uint32_t)strlen(again->tag->name);

	diag_add(s->diags, SEVERITY_ERROR, "duplicate-object", again->by->file, tag_pos(again),
		 width, "duplicate tag \"%s\": %s declares it too, in %s, line %u",
		 again->tag->name, before->by->id,
		 before->by->file ? before->by->file->path : "another place", tag_pos(before).line);
	diag_add(s->diags, SEVERITY_NOTE, "duplicate-object", before->by->file, tag_pos(before),
		 width, "the tag \"%s\" is first declared here", before->tag->name);
}

/* name → struct declared; a tag of the spec and an ImageStreamTag of the same name are one too many. */
static void index_tags(struct streams *s, struct stream_link *link, struct map *by_name)
{
	for (size_t i = 0; i < link->tags.n; i++) {
		struct declared *tag = &link->tags.v[i];
		const struct declared *before = map_get(by_name, tag->tag->name);

		if (!before)
			map_set(s->arena, by_name, tag->tag->name, tag);
		else if (before->by != tag->by) /* else the stream's own rules have said it */
			twice(s, before, tag);
	}
}

/* "file:line:column" */
static const char *place(const struct streams *s, const struct declared *tag)
{
	struct pos pos = from_pos(tag);

	return arena_printf(s->arena, "%s:%u:%u", tag->by->file ? tag->by->file->path : "?",
			    pos.line, pos.column);
}

static void report_cycle(struct streams *s, const struct stream_link *link,
			 const struct map *by_name, const struct declared *first)
{
	const struct declared *at = first;
	const char *text = "";

	do {
		text = arena_printf(s->arena, "%s%s (%s) → ", text, at->tag->name, place(s, at));
		at = map_get(by_name, at->next);
	} while (at != first);
	diag_add(s->diags, SEVERITY_ERROR, "cycle", first->by->file, from_pos(first),
		 (uint32_t)strlen(first->tag->from->name), "cycle of tags in %s: %s%s",
		 link->object->id, text, first->tag->name);
	for (at = map_get(by_name, first->next); at != first; at = map_get(by_name, at->next))
		diag_add(s->diags, SEVERITY_NOTE, "cycle", at->by->file, from_pos(at),
			 (uint32_t)strlen(at->tag->from->name), "%s follows %s here", at->tag->name,
			 at->next);
}

/* Every tag follows one other at most, so a walk ends at a tag that was seen, or at none. */
static void find_cycles(struct streams *s, struct stream_link *link, const struct map *by_name)
{
	for (size_t i = 0; i < link->tags.n; i++) {
		struct declared *at = &link->tags.v[i];

		while (at && at->state == TAG_NEW) {
			at->state = TAG_OPEN;
			at = at->next ? map_get(by_name, at->next) : NULL;
		}
		if (at && at->state == TAG_OPEN)
			report_cycle(s, link, by_name, at);
		for (at = &link->tags.v[i]; at && at->state == TAG_OPEN;) {
			at->state = TAG_DONE;
			at = at->next ? map_get(by_name, at->next) : NULL;
		}
	}
}

/* The stream of another name or namespace that the tag copies from is one that was declared. */
static void check_other(struct streams *s, const struct stream_link *link,
			const struct declared *tag)
{
	const struct object_ref *from = tag->tag->from;
	const char *stream, *name, *ns, *near;
	VEC(const char *) names = { 0 };
	struct err err = { 0 };

	if (!from || !from->kind || strncmp(from->kind, "ImageStream", 11) != 0 ||
	    !tag_from_parse(from, s->arena, &stream, &name, &err))
		return;
	ns = from->ns ? from->ns : link->object->meta.ns;
	stream = stream ? stream : link->object->meta.name;
	if (map_has(&s->by_id, object_id(KIND_IMAGE_STREAM, ns, stream, s->arena)))
		return;
	for (size_t i = 0; i < s->list.n; i++)
		if (strcmp(s->list.v[i]->object->meta.ns, ns) == 0)
			vec_push(s->arena, &names, s->list.v[i]->object->meta.name);
	near = suggest(stream, names.v, names.n);
	diag_add(s->diags, SEVERITY_WARNING, "missing-object", tag->by->file, from_pos(tag),
		 (uint32_t)strlen(from->name),
		 "spec.tags[%s].from.name: Not found: \"%s/%s\": no manifest declares this "
		 "ImageStream%s%s%s",
		 tag->tag->name, ns, stream, near ? "; did you mean '" : "", near ? near : "",
		 near ? "'?" : "");
}

static void check_local(struct streams *s, const struct declared *tag)
{
	const char *policy = tag->tag->reference_policy;

	if (!policy || strcmp(policy, POLICY_LOCAL) != 0 || s->model->settings->streams.registry)
		return;
	diag_add(s->diags, SEVERITY_WARNING, "no-registry", tag->by->file, tag_pos(tag),
		 (uint32_t)strlen(tag->tag->name),
		 "spec.tags[%s].referencePolicy: Local means the integrated registry, and the "
		 "settings name none (streams.registry): consumers pull from the source",
		 tag->tag->name);
}

static void link_stream(struct streams *s, struct stream_link *link)
{
	struct map by_name = { 0 };

	collect_tags(s, link);
	index_tags(s, link, &by_name);
	find_cycles(s, link, &by_name);
	for (size_t i = 0; i < link->tags.n; i++) {
		check_other(s, link, &link->tags.v[i]);
		check_local(s, &link->tags.v[i]);
	}
}

bool link_streams(struct model *model, struct diags *diags)
{
	struct streams s = { .model = model, .arena = model->arena, .diags = diags };
	size_t n = model->objects.n;

	for (size_t i = 0; i < n; i++)
		if (model->objects.v[i]->kind == KIND_IMAGE_STREAM)
			add_stream(&s, model->objects.v[i]);
	for (size_t i = 0; i < n; i++)
		attach(&s, model->objects.v[i]);
	for (size_t i = 0; i < s.list.n; i++)
		link_stream(&s, s.list.v[i]);
	return model->objects.n != n;
}
