/* SPDX-License-Identifier: Apache-2.0 */
/* import_edit.c — a stream that is not there, all tags of one that is, or a single tag with the tags it follows. */
#include "reconcile/import_edit.h"

#include <string.h>

#define KEYS(...) ((const char *const[]){ __VA_ARGS__, NULL })

struct import_edit {
	const struct import_request *request;
	struct manifests *all;
	struct stream_place place;
	struct stream_spec spec; /* of the manifest, before */
	struct strings *tags;
	struct err *err;
};

static struct arena *arena_of(const struct import_edit *e)
{
	return e->all->context->arena;
}

bool import_request_parse(const char *text, const struct options *options, const char *ns,
			  struct arena *arena, struct import_request *out, struct err *err)
{
	bool is_all = option_is_on(options->stream.all);
	struct docker_ref ref;

	*out = (struct import_request){
		.text = text, .ns = ns, .options = &options->stream, .flags = &options->tag
	};
	if (!docker_ref_parse(text, arena, &ref, err) || *ref.registry || *ref.ns)
		return err_set(err, ERR_INVALID,
			       "'%s' is no image stream: NAME[:TAG] is wanted; what it is imported "
			       "from is said with --from",
			       text);
	if (*ref.id)
		return err_set(err, ERR_INVALID, "to import images by ID, use the 'tag' command");
	if (*ref.tag && is_all)
		return err_set(err, ERR_INVALID, "cannot specify a tag \"%s\" as well as --all",
			       text);
	out->name = ref.name;
	out->tag = is_all ? NULL : *ref.tag ? ref.tag : "latest";
	return true;
}

static bool find(struct import_edit *e, const char *tag)
{
	const struct tag_target target = { e->request->text, e->request->ns, e->request->name,
					   tag };

	return stream_place_find(e->all, &target, &e->place, e->err);
}

static struct node *flag_node(const struct import_edit *e, const char *flag)
{
	return option_is_on(flag) ? node_bool(arena_of(e), true) : NULL;
}

/* Only what was given changes. */
static bool put_flags(struct import_edit *e)
{
	const struct tag_options *flags = e->request->flags;
	struct stream_place *place = &e->place;

	if (flags->scheduled && !stream_set_tag(place, KEYS("importPolicy", "scheduled"),
						flag_node(e, flags->scheduled), e->err))
		return false;
	if (flags->insecure && !stream_set_tag(place, KEYS("importPolicy", "insecure"),
					       flag_node(e, flags->insecure), e->err))
		return false;
	if (flags->import_mode &&
	    !stream_set_tag(place, KEYS("importPolicy", "importMode"),
			    node_string(arena_of(e), flags->import_mode), e->err))
		return false;
	return !flags->reference_policy ||
	       stream_set_tag(place, KEYS("referencePolicy", "type"),
			      node_string(arena_of(e), strcmp(flags->reference_policy, "local") == 0
							       ? POLICY_LOCAL
							       : POLICY_SOURCE),
			      e->err);
}

/* A tag that is there is marked; the mark needs a value that it has not now. */
static bool import_again(struct import_edit *e, const char *tag)
{
	if (!find(e, tag) || !put_flags(e) || !stream_ask_import(&e->place, e->err))
		return false;
	vec_push(arena_of(e), e->tags, tag);
	return true;
}

static bool import_new(struct import_edit *e, const char *tag, const char *from)
{
	struct object_ref source = { .kind = "DockerImage", .name = from };
	const struct tag_options *flags = e->request->flags;
	const struct tag_ref ref = {
		.name = tag,
		.from = &source,
		.is_insecure = option_is_on(flags->insecure),
		.is_scheduled = option_is_on(flags->scheduled),
		.import_mode = flags->import_mode,
		.reference_policy =
			flags->reference_policy && strcmp(flags->reference_policy, "local") == 0
				? POLICY_LOCAL
				: POLICY_SOURCE,
	};

	if (!tag_name_check(tag, e->err) || !find(e, tag) ||
	    !stream_put_tag(&e->place, &ref, e->err))
		return false;
	vec_push(arena_of(e), e->tags, tag);
	return true;
}

static bool put_repository(struct import_edit *e, const char *repository)
{
	return find(e, "latest") && stream_place_make(&e->place, e->err) &&
	       stream_set(&e->place, KEYS("spec", "dockerImageRepository"),
			  node_string(arena_of(e), repository), e->err);
}

static bool create(struct import_edit *e)
{
	const struct import_request *request = e->request;
	const char *from = request->options->from ? request->options->from : request->text;

	if (!request->options->is_confirmed)
		return err_set(
			e->err, ERR_ABSENT,
			"no image stream named \"%s\" exists, pass --confirm to create and import",
			request->name);
	return request->tag ? import_new(e, request->tag, from) : put_repository(e, from);
}

/* A tag of the stream that comes from an image of a registry. */
static bool is_external(const struct tag_ref *tag)
{
	return tag->from && tag->from->kind && strcmp(tag->from->kind, "DockerImage") == 0 &&
	       !tag->is_reference;
}

static bool import_external(struct import_edit *e)
{
	size_t n = e->tags->n;

	for (size_t i = 0; i < e->spec.tags.n; i++) {
		const struct tag_ref *tag = LIST_AT(e->spec.tags, struct tag_ref, i);

		if (is_external(tag) && !import_again(e, tag->name))
			return false;
	}
	return e->tags->n > n ||
	       err_set(e->err, ERR_ABSENT,
		       "image stream does not have tags pointing to external container images");
}

static bool import_all(struct import_edit *e)
{
	const char *from = e->request->options->from, *now = e->spec.repository;

	if (!from && (!now || !*now))
		return import_external(e);
	if (from && (!now || strcmp(from, now) != 0)) {
		if (e->request->options->is_confirmed)
			return put_repository(e, from) && stream_ask_all(&e->place, e->err);
		if (!now || !*now)
			return err_set(
				e->err, ERR_INVALID,
				"the image stream does not currently import an entire Docker "
				"repository, pass --confirm to update");
		return err_set(e->err, ERR_INVALID,
			       "the image stream has a different import spec \"%s\", pass "
			       "--confirm to update",
			       now);
	}
	return find(e, "latest") && stream_ask_all(&e->place, e->err);
}

/* A tag that is nowhere: of --from, or `latest` of the stream's repository. */
static bool import_absent(struct import_edit *e, const char *tag)
{
	const char *from = e->request->options->from;

	if (!from && strcmp(tag, "latest") == 0)
		from = e->spec.repository;
	if (!from || !*from)
		return err_set(
			e->err, ERR_ABSENT,
			"the tag \"%s\" does not exist on the image stream - choose an "
			"existing tag to import or use the 'tag' command to create a new tag",
			tag);
	return import_new(e, tag, from);
}

static bool check_from(struct import_edit *e, const struct tag_ref *tag)
{
	const char *from = e->request->options->from, *asked = e->request->tag;

	if (!from || strcmp(from, tag->from->name) == 0)
		return true;
	if (strcmp(asked, tag->name) == 0)
		return err_set(
			e->err, ERR_INVALID,
			"the tag \"%s\" points to \"%s\" - use the 'tag' command if you want "
			"to change the source to \"%s\"",
			asked, tag->from->name, from);
	return err_set(e->err, ERR_INVALID,
		       "the tag \"%s\" points to the tag \"%s\" which points to \"%s\" - use the "
		       "'tag' command if you want to change the source to \"%s\"",
		       asked, tag->name, tag->from->name, from);
}

/* Why a followed tag cannot be imported: it leads out of the stream, nowhere, or to something that is no import. */
static bool check_followed(struct import_edit *e, const struct tag_ref *tag)
{
	const char *asked = e->request->tag, *stream, *name;
	const char *from = e->request->options->from;
	struct err err = { 0 };

	if (!tag->from)
		return err_set(e->err, ERR_INVALID,
			       "tag \"%s\" already exists - you must use the 'tag' command if you "
			       "want to change the source to \"%s\"",
			       asked, from ? from : "");
	if (strcmp(tag->from->kind, "DockerImage") == 0)
		return check_from(e, tag);
	if (strcmp(tag->from->kind, "ImageStreamTag") == 0) {
		if (!tag_from_parse(tag->from, arena_of(e), &stream, &name, &err))
			return err_set(e->err, ERR_INVALID,
				       "tag \"%s\" points to an invalid imagestreamtag", asked);
		if ((stream && strcmp(stream, e->request->name) != 0) ||
		    (tag->from->ns && strcmp(tag->from->ns, e->request->ns) != 0))
			return err_set(e->err, ERR_INVALID,
				       "tag \"%s\" points to an imagestreamtag from another "
				       "ImageStream",
				       asked);
	}
	return err_set(e->err, ERR_INVALID,
		       "tag \"%s\" points to existing %s \"%s\", it cannot be re-imported", asked,
		       tag->from->kind, tag->from->name);
}

/* An ImageStreamTag document stands for the stream's own tag of that name. */
static bool read_document(struct import_edit *e, const char *tag, const struct tag_ref **out)
{
	const struct node *node;
	struct tag_ref *ref;

	if (!find(e, tag))
		return false;
	*out = stream_tag(&e->spec, tag);
	if (!e->place.has_tag_document)
		return true;
	node = edit_node(&e->place.holder->file->edit, &e->place.at);
	if (!node || node->kind != NODE_MAP)
		return true;
	ref = ARENA_NEW(arena_of(e), struct tag_ref);
	if (!fields_read(&tag_ref_table, node, ref, arena_of(e), e->err))
		return err_prefix(e->err, "%s", manifest_where(e->place.holder));
	ref->name = arena_strdup(arena_of(e), tag);
	*out = ref;
	return true;
}

static bool import_tag(struct import_edit *e)
{
	const char *asked = e->request->tag;
	const struct tag_ref *tag, *target;
	struct err err = { 0 };

	if (!read_document(e, asked, &tag))
		return false;
	if (!tag)
		return import_absent(e, asked);
	if (!e->place.has_tag_document) {
		if (!tag_follow(&e->spec, e->request->name, asked, arena_of(e), &target, &err))
			return err_set(e->err, ERR_INVALID,
				       "tag \"%s\" on the image stream is a reference to same tag",
				       asked);
		tag = target ? target : tag;
	}
	if (!check_followed(e, tag))
		return false;
	return import_again(e, tag->name);
}

bool import_edit(const struct import_request *request, struct manifests *all, struct strings *tags,
		 struct err *err)
{
	struct import_edit e = { .request = request, .all = all, .tags = tags, .err = err };

	if (!find(&e, request->tag ? request->tag : "latest") ||
	    !stream_place_spec(&e.place, &e.spec, err))
		return false;
	if (!e.place.has_stream && !e.place.has_tag_document)
		return create(&e);
	return request->tag ? import_tag(&e) : import_all(&e);
}
