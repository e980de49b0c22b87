/* SPDX-License-Identifier: Apache-2.0 */
/* stream_edit.c — one value after another, each where it stands; the documents around them are never rewritten. */
#include "reconcile/stream_edit.h"

#include <stdlib.h>
#include <string.h>

#include "model/base/time.h"

#define IMPORT    "reconcile.dev/import"
#define DELETED   "reconcile.dev/deleted-tags"
#define KEYS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static struct arena *arena_of(const struct stream_place *place)
{
	return place->all->context->arena;
}

static struct edit_path below(struct edit_path at, const char *const *keys)
{
	for (; *keys; keys++)
		at = edit_key(&at, *keys);
	return at;
}

/* Where in spec.tags; false: it is not there, and *out is the list. */
static bool find_item(const struct declared *document, const char *tag, struct edit_path *out)
{
	struct edit_path list = below(document->at, KEYS("spec", "tags"));
	const struct node *tags = edit_node(&document->file->edit, &list);
	size_t i = 0;

	*out = list;
	if (!tags || tags->kind != NODE_SEQ)
		return false;
	for (const struct node *item = tags->first; item; item = item->next, i++) {
		const char *name = node_text(item, "name");

		if (name && strcmp(name, tag) == 0) {
			*out = edit_item(&list, i);
			return true;
		}
	}
	return false;
}

bool stream_place_find(struct manifests *all, const struct tag_target *target,
		       struct stream_place *out, struct err *err)
{
	struct arena *arena = all->context->arena;
	const struct manifest_id stream = { KIND_IMAGE_STREAM, target->ns, target->stream };
	const struct manifest_id tag = { KIND_IMAGE_STREAM_TAG, target->ns,
					 arena_printf(arena, "%s:%s", target->stream,
						      target->tag) };

	*out = (struct stream_place){
		.all = all, .ns = target->ns, .stream = target->stream, .tag = target->tag
	};
	if (!manifest_find(all, &stream, &out->document, &out->has_stream, err) ||
	    !manifest_find(all, &tag, &out->tag_document, &out->has_tag_document, err))
		return false;
	out->holder = &out->document;
	if (out->has_stream)
		out->has_tag = find_item(&out->document, target->tag, &out->at);
	if (!out->has_tag_document) /* it wins over the stream's own */
		return true;
	out->holder = &out->tag_document;
	out->at = edit_key(&out->tag_document.at, "tag");
	out->has_tag = true;
	return true;
}

bool stream_place_make(struct stream_place *place, struct err *err)
{
	const struct manifest_id id = { KIND_IMAGE_STREAM, place->ns, place->stream };
	bool with_ns = place->all->context->options.ns || strcmp(place->ns, "default") != 0;

	if (place->has_stream)
		return true;
	if (!manifest_new(place->all, &id, with_ns, &place->document, err))
		return false;
	place->has_stream = place->is_new = true;
	if (!place->has_tag)
		place->at = below(place->document.at, KEYS("spec", "tags"));
	return true;
}

bool stream_place_spec(const struct stream_place *place, struct stream_spec *out, struct err *err)
{
	struct edit_path at;
	const struct node *spec;

	*out = (struct stream_spec){ 0 };
	if (!place->has_stream)
		return true;
	at = edit_key(&place->document.at, "spec");
	spec = edit_node(&place->document.file->edit, &at);
	if (!spec || spec->kind != NODE_MAP ||
	    fields_read(&stream_spec_table, spec, out, arena_of(place), err))
		return true;
	return err_prefix(err, "%s", manifest_where(&place->document));
}

static bool set_at(const struct declared *document, const struct edit_path *at,
		   const struct node *value, struct err *err)
{
	struct edit *edit = &document->file->edit;

	if (value)
		return edit_set(edit, at, value, err);
	return !edit_node(edit, at) || edit_remove(edit, at, err);
}

bool stream_set(struct stream_place *place, const char *const *keys, const struct node *value,
		struct err *err)
{
	struct edit_path at = below(place->document.at, keys);

	return set_at(&place->document, &at, value, err);
}

bool stream_set_tag(struct stream_place *place, const char *const *keys, const struct node *value,
		    struct err *err)
{
	struct edit_path at = below(place->at, keys);

	return set_at(place->holder, &at, value, err);
}

/* The run's time; with a count when that stands there already. */
static const char *fresh_value(const struct stream_place *place, const struct declared *document,
			       const struct edit_path *at)
{
	const struct node *now = edit_node(&document->file->edit, at);
	char time[TIME_TEXT];
	const char *value = time;

	time_format(place->all->context->now_s, time);
	for (unsigned i = 2; now && now->text && strcmp(now->text, value) == 0; i++)
		value = arena_printf(arena_of(place), "%s-%u", time, i);
	return arena_strdup(arena_of(place), value);
}

static bool ask(struct stream_place *place, const struct declared *document, struct edit_path at,
		struct err *err)
{
	struct edit_path key = below(at, KEYS("annotations", IMPORT));

	return set_at(document, &key,
		      node_string(arena_of(place), fresh_value(place, document, &key)), err);
}

/* The annotations of an ImageStreamTag document are the tag's. */
bool stream_ask_import(struct stream_place *place, struct err *err)
{
	if (place->holder == &place->tag_document)
		return ask(place, place->holder, edit_key(&place->tag_document.at, "metadata"),
			   err);
	return ask(place, place->holder, place->at, err);
}

bool stream_ask_all(struct stream_place *place, struct err *err)
{
	return ask(place, &place->document, edit_key(&place->document.at, "metadata"), err);
}

/* Names with commas between them, sorted, each once; `tag` among them or not. NULL: none is left. */
static const char *with_name(const struct stream_place *place, const char *list, const char *tag,
			     bool is_wanted)
{
	struct arena *arena = arena_of(place);
	struct strings names = { 0 };
	AUTO_BUF out = BUF_INIT(1 << 20);

	for (const char *at = list ? list : ""; *at; at += *at == ',') {
		size_t n = strcspn(at, ",");
		const char *name = arena_copy(arena, at, n);

		if (n && strcmp(name, tag) != 0 && !strings_has(&names, name))
			vec_push(arena, &names, name);
		at += n;
	}
	if (is_wanted)
		vec_push(arena, &names, tag);
	if (!names.n)
		return NULL;
	qsort(names.v, names.n, sizeof(*names.v), strings_compare);
	for (size_t i = 0; i < names.n; i++)
		buf_printf(&out, "%s%s", i ? "," : "", names.v[i]);
	return buf_copy(&out, arena);
}

/* The list of deleted tags of the ImageStream, with or without this one. */
static bool mark_deleted(struct stream_place *place, bool is_deleted, struct err *err)
{
	struct edit_path all = below(place->document.at, KEYS("metadata", "annotations"));
	struct edit_path at = edit_key(&all, DELETED);
	const struct edit *edit = &place->document.file->edit;
	const struct node *now = edit_node(edit, &at);
	const char *list = with_name(place, now ? now->text : NULL, place->tag, is_deleted);

	if (!now && !list)
		return true;
	if (list)
		return set_at(&place->document, &at, node_string(arena_of(place), list), err);
	if (edit_node(edit, &all)->n == 1)
		return set_at(&place->document, &all, NULL, err);
	return set_at(&place->document, &at, NULL, err);
}

static struct node *text(const struct stream_place *place, const char *value)
{
	return value ? node_string(arena_of(place), value) : NULL;
}

static struct node *flag(const struct stream_place *place, bool value)
{
	return value ? node_bool(arena_of(place), true) : NULL;
}

static bool put_from(struct stream_place *place, const struct object_ref *from, struct err *err)
{
	const char *const rows[][2] = { { "kind", from->kind },
					{ "name", from->name },
					{ "namespace", from->ns } };
	struct edit_path at = edit_key(&place->at, "from");
	const struct node *now = edit_node(&place->holder->file->edit, &at);

	if (!now || now->kind != NODE_MAP)
		return set_at(place->holder, &at,
			      fields_encode(&object_ref_table, from, arena_of(place)), err);
	for (size_t i = 0; i < COUNTOF(rows); i++)
		if (!stream_set_tag(place, KEYS("from", rows[i][0]), text(place, rows[i][1]), err))
			return false;
	return true;
}

static bool put_import_policy(struct stream_place *place, const struct tag_ref *ref,
			      struct err *err)
{
	if (!ref->is_insecure && !ref->is_scheduled && !ref->import_mode)
		return stream_set_tag(place, KEYS("importPolicy"), NULL, err);
	return stream_set_tag(place, KEYS("importPolicy", "insecure"),
			      flag(place, ref->is_insecure), err) &&
	       stream_set_tag(place, KEYS("importPolicy", "scheduled"),
			      flag(place, ref->is_scheduled), err) &&
	       stream_set_tag(place, KEYS("importPolicy", "importMode"),
			      text(place, ref->import_mode), err);
}

static bool put_reference_policy(struct stream_place *place, const struct tag_ref *ref,
				 struct err *err)
{
	if (strcmp(ref->reference_policy, POLICY_LOCAL) == 0)
		return stream_set_tag(place, KEYS("referencePolicy", "type"),
				      text(place, POLICY_LOCAL), err);
	return stream_set_tag(place, KEYS("referencePolicy"), NULL, err);
}

/* Defaults are not written. */
static struct node *tag_node(const struct stream_place *place, const struct tag_ref *ref)
{
	struct arena *arena = arena_of(place);
	struct tag_ref bare = *ref;
	struct node *all, *node = node_new(arena, NODE_MAP);

	all = fields_encode(&tag_ref_table, &bare, arena);
	for (const struct node *child = all->first; child; child = child->next)
		if (strcmp(child->key, "referencePolicy") != 0 ||
		    strcmp(ref->reference_policy, POLICY_LOCAL) == 0)
			node_append(arena, node, child->key, node_clone(arena, child));
	return node;
}

bool stream_put_tag(struct stream_place *place, const struct tag_ref *ref, struct err *err)
{
	bool is_import = strcmp(ref->from->kind, "DockerImage") == 0 && !ref->is_reference;

	if (!stream_place_make(place, err) || !mark_deleted(place, false, err))
		return false;
	if (!place->has_tag)
		return edit_append(&place->document.file->edit, &place->at, tag_node(place, ref),
				   err);
	return put_from(place, ref->from, err) &&
	       stream_set_tag(place, KEYS("reference"), flag(place, ref->is_reference), err) &&
	       put_import_policy(place, ref, err) && put_reference_policy(place, ref, err) &&
	       (!is_import || stream_ask_import(place, err));
}

bool stream_drop_tag(struct stream_place *place, struct err *err)
{
	struct edit_path item;

	if (place->has_stream && find_item(&place->document, place->tag, &item) &&
	    !edit_remove(&place->document.file->edit, &item, err))
		return false;
	if (place->has_stream && !mark_deleted(place, true, err))
		return false;
	return !place->has_tag_document || manifest_remove(&place->tag_document, err);
}
