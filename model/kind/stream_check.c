/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream_check.c — rules of ImageStream and ImageStreamTag beyond their tables, and of names. Texts: openshift-apiserver
 * image validation (openshift.md §2.2, §2.3).
 */
#include "model/kind/stream_check.h"

#include <string.h>

#include "model/base/limits.h"
#include "model/kind/rules.h"
#include "model/kind/settings.h"
#include "model/oci/docker_ref.h"
#include "model/oci/ref.h"

enum { NAME_MAX_CHARS = 63, INTERVAL_MIN_S = 60, INTERVAL_MAX_S = 365 * 24 * 3600 };

const char *stream_name_mistake(const char *name)
{
	bool was_separator = true;

	if (strchr(name, '/'))
		return "may not contain '/'";
	if (strchr(name, '%'))
		return "may not contain '%'";
	if (strlen(name) > NAME_MAX_CHARS)
		return "must be no more than 63 characters";
	for (const char *p = name;; p++) {
		bool is_separator = strchr("._-", *p); /* and the end */

		if ((is_separator && was_separator) ||
		    (!is_separator && !(*p >= 'a' && *p <= 'z') && !(*p >= '0' && *p <= '9')))
			return "must match \"[a-z0-9]+(?:[._-][a-z0-9]+)*\"";
		if (!*p)
			return NULL;
		was_separator = is_separator;
	}
}

void check_tag_name(const struct checker *c, const char *path, const char *tag)
{
	if (!ref_tag_is_valid(tag))
		check_fail(c, path,
			   "invalid tag \"%s\" format, tags must start with an alphanumeric "
			   "character followed by alphanumeric, '.' or '-' characters, and have a "
			   "maximum of 128 characters: %s",
			   tag, path);
}

void stream_names_check(const struct checker *c)
{
	static const char path[] = "metadata.name";
	const char *name = c->object->meta.name, *tag = NULL, *mistake;
	struct err err = { 0 };

	if (!check_filled(c, path, name))
		return;
	if (c->object->kind == KIND_IMAGE_STREAM_TAG &&
	    !stream_tag_name_parse(name, c->arena, &name, &tag, &err)) {
		check_invalid(c, path, c->object->meta.name, err.text);
		return;
	}
	mistake = stream_name_mistake(name);
	if (mistake)
		check_invalid(c, path, c->object->meta.name, mistake);
	if (tag)
		check_tag_name(c, path, tag);
}

/* ---- tags ---- */

static bool is_kind(const struct object_ref *from, const char *kind)
{
	return from && from->kind && strcmp(from->kind, kind) == 0;
}

void check_docker_image(const struct checker *c, const char *path, const char *name)
{
	struct docker_ref ref;
	struct err err = { 0 };

	if (!docker_ref_parse(name, c->arena, &ref, &err))
		check_invalid(c, path, name, err.text);
	else if (!*ref.name)
		check_invalid(c, path, name, "it names a registry, and no image in it");
}

/* The parts of a reference into a stream; tracking another stream's tag is not what it looks like. */
static void check_stream_from(const struct checker *c, const char *path, const struct tag_ref *tag)
{
	const char *stream, *name, *mistake;
	const char *at = arena_printf(c->arena, "%s.from.name", path);
	struct err err = { 0 };

	if (!tag_from_parse(tag->from, c->arena, &stream, &name, &err)) {
		check_invalid(c, at, tag->from->name, err.text);
		return;
	}
	mistake = stream ? stream_name_mistake(stream) : NULL;
	if (mistake)
		check_invalid(c, at, tag->from->name, mistake);
	if (!is_kind(tag->from, "ImageStreamTag"))
		return;
	check_tag_name(c, at, name);
	if (tag->from->ns || (stream && strcmp(stream, stream_of(c->object)) != 0))
		check_warn(
			c, at,
			"\"%s%s%s\" is a tag of another stream: its image is copied once and not "
			"followed afterwards: %s\ntracking tags are limited to a single stream",
			tag->from->ns ? tag->from->ns : "", tag->from->ns ? "/" : "",
			tag->from->name, at);
}

static void check_from(const struct checker *c, const char *path, const struct tag_ref *tag)
{
	static const char kinds[] =
		"valid values are 'DockerImage', 'ImageStreamImage', 'ImageStreamTag'";
	const char *kind_at = arena_printf(c->arena, "%s.from.kind", path);
	const char *name_at = arena_printf(c->arena, "%s.from.name", path);
	const struct object_ref *from = tag->from;
	bool is_image = is_kind(from, "DockerImage");
	bool has_name = check_present(c, name_at, from->name);

	if (!from->kind || !*from->kind)
		check_fail(c, kind_at, "missing field(s): %s\n%s", kind_at, kinds);
	else if (!is_image && !is_kind(from, "ImageStreamTag") &&
		 !is_kind(from, "ImageStreamImage"))
		check_invalid(c, kind_at, from->kind, kinds);
	else if (has_name && is_image)
		check_docker_image(c, name_at, from->name);
	else if (has_name)
		check_stream_from(c, path, tag);
	if (tag->is_scheduled && !is_image)
		check_invalid(c, arena_printf(c->arena, "%s.importPolicy.scheduled", path), "true",
			      "only tags pointing to Docker repositories may be scheduled for "
			      "background import");
}

void check_policies(const struct checker *c, const char *path, const char *import_mode,
		    const char *reference_policy)
{
	if (import_mode && *import_mode && strcmp(import_mode, IMPORT_LEGACY) != 0 &&
	    strcmp(import_mode, IMPORT_PRESERVE) != 0)
		check_invalid(c, arena_printf(c->arena, "%s.importPolicy.importMode", path),
			      import_mode,
			      "invalid import mode, valid modes are '', 'Legacy', "
			      "'PreserveOriginal'");
	if (reference_policy && *reference_policy && strcmp(reference_policy, POLICY_SOURCE) != 0 &&
	    strcmp(reference_policy, POLICY_LOCAL) != 0)
		check_invalid(c, arena_printf(c->arena, "%s.referencePolicy.type", path),
			      reference_policy, "valid values are \"Source\", \"Local\"");
}

static void check_interval(const struct checker *c, const char *path, const struct tag_ref *tag)
{
	const char *text = pairs_get(&tag->annotations, IMPORT_INTERVAL);
	const char *at = arena_printf(c->arena, "%s.annotations[%s]", path, IMPORT_INTERVAL);
	int64_t seconds;

	if (!text)
		return;
	if (!duration_parse(text, &seconds))
		check_invalid(c, at, text, "must be a duration such as 5m, 1h or 1d");
	else if (seconds < INTERVAL_MIN_S || seconds > INTERVAL_MAX_S)
		check_invalid(c, at, text, "must be between 1m and 365d");
	else if (!tag->is_scheduled)
		check_warn(c, at,
			   "%s has no effect: the tag is not scheduled (%s.importPolicy.scheduled)",
			   at, path);
}

static void check_tag_ref(const struct checker *c, const char *path, const struct tag_ref *tag)
{
	if (tag->from)
		check_from(c, path, tag);
	else if (tag->is_scheduled)
		check_warn(c, arena_printf(c->arena, "%s.importPolicy.scheduled", path),
			   "only tags pointing to Docker repositories may be scheduled for "
			   "background import: %s has no from",
			   path);
	check_policies(c, path, tag->import_mode, tag->reference_policy);
	check_interval(c, path, tag);
}

static const char *absent_if_empty(const char *text)
{
	return text && *text ? text : NULL;
}

/* "" is the default, as it is upstream; a stream's own namespace need not be written. */
static void adapt_tag(struct tag_ref *tag, const struct object *object)
{
	tag->import_mode = absent_if_empty(tag->import_mode);
	if (!absent_if_empty(tag->reference_policy))
		tag->reference_policy = POLICY_SOURCE;
	if (tag->from &&
	    (!absent_if_empty(tag->from->ns) || strcmp(tag->from->ns, object->meta.ns) == 0))
		tag->from->ns = NULL;
}

/* ---- ImageStream ---- */

void stream_adapt(void *spec, const struct object *object, struct arena *arena, struct diags *diags)
{
	struct stream_spec *stream = spec;

	(void)arena;
	(void)diags;
	stream->repository = absent_if_empty(stream->repository);
	for (size_t i = 0; i < stream->tags.n; i++)
		adapt_tag(LIST_AT(stream->tags, struct tag_ref, i), object);
}

static void check_repository(const struct checker *c, const char *repository)
{
	static const char path[] = "spec.dockerImageRepository";
	struct docker_ref ref;
	struct err err = { 0 };

	if (!docker_ref_parse(repository, c->arena, &ref, &err))
		check_invalid(c, path, repository, err.text);
	else if (*ref.id)
		check_invalid(c, path, repository, "the repository name may not contain an ID");
	else if (*ref.tag)
		check_invalid(c, path, repository, "the repository name may not contain a tag");
	else if (!*ref.name)
		check_invalid(c, path, repository, "it names a registry, and no repository in it");
}

void stream_spec_check(const struct object *object, struct arena *arena, struct diags *diags)
{
	const struct checker c = { object, arena, diags };
	const struct stream_spec *spec = object->spec;
	struct map seen = { 0 };

	if (spec->repository)
		check_repository(&c, spec->repository);
	if (spec->tags.n > LIMIT_STREAM_TAGS)
		check_fail(&c, "spec.tags", "more than %u tags: spec.tags", LIMIT_STREAM_TAGS);
	for (size_t i = 0; i < spec->tags.n; i++) {
		const struct tag_ref *tag = LIST_AT(spec->tags, struct tag_ref, i);
		const char *path = arena_printf(arena, "spec.tags[%zu]", i);
		const char *name_at = arena_printf(arena, "%s.name", path), *before;

		check_tag_ref(&c, path, tag);
		if (!check_present(&c, name_at, tag->name))
			continue;
		check_tag_name(&c, name_at, tag->name);
		before = map_get(&seen, tag->name);
		if (before)
			check_fail(&c, name_at, "duplicate tag \"%s\": %s, %s", tag->name, before,
				   name_at);
		else
			map_set(arena, &seen, tag->name, arena_strdup(arena, name_at));
	}
}

/* ---- ImageStreamTag ---- */

void stream_tag_adapt(void *spec, const struct object *object, struct arena *arena,
		      struct diags *diags)
{
	const struct checker c = { object, arena, diags };
	struct stream_tag_spec *own = spec;
	struct err err = { 0 };

	if (!stream_tag_name_parse(object->meta.name, arena, &own->stream, &own->tag_name, &err))
		own->stream = own->tag_name = ""; /* check_names has said it */
	if (!own->tag)
		return;
	if (own->tag->name && *own->tag->name && strcmp(own->tag->name, own->tag_name) != 0)
		check_invalid(&c, "tag.name", own->tag->name, "must match image tag name");
	own->tag->name = own->tag_name;
	if (own->tag->annotations.n &&
	    !pairs_equal(&own->tag->annotations, &object->meta.annotations))
		check_fail(
			&c, "tag.annotations",
			"invalid value: tag.annotations\ntag annotations must not be provided or "
			"must be equal to the object meta annotations");
	own->tag->annotations = object->meta.annotations;
	if (own->tag->pos.line == 0)
		own->tag->pos = object->meta.name_pos;
	adapt_tag(own->tag, object);
}

void stream_tag_check(const struct object *object, struct arena *arena, struct diags *diags)
{
	const struct checker c = { object, arena, diags };
	const struct stream_tag_spec *own = object->spec;

	if (own->tag)
		check_tag_ref(&c, "tag", own->tag);
}

const char *stream_of(const struct object *object)
{
	const struct stream_tag_spec *own = object->spec;

	return object->kind == KIND_IMAGE_STREAM_TAG ? own->stream : object->meta.name;
}
