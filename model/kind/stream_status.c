/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream_status.c — the field table of an image stream's file on the state branch: metadata, spec and status; and what must
 * hold of a file that was read back, which anybody who can push to the branch may have written.
 */
#include <string.h>

#include "model/base/digest.h"
#include "model/base/limits.h"
#include "model/kind/status_tables.h"
#include "model/kind/stream.h"
#include "model/oci/docker_ref.h"
#include "model/oci/ref.h"

static const struct field event_fields[] = {
	{ "created", FIELD_TIME, AT(struct tag_event, created_s) },
	{ "dockerImageReference", FIELD_STRING, AT(struct tag_event, reference),
	  .is_required = true },
	{ "image", FIELD_STRING, AT(struct tag_event, image), .deflt = "" },
	{ "generation", FIELD_INT, AT(struct tag_event, generation), .min = 0, .max = INT64_MAX,
	  .is_required = true },
	{ 0 },
};
static const struct table event_table = { "tag event", sizeof(struct tag_event), event_fields };

static const struct field condition_fields[] = {
	{ "type", FIELD_STRING, AT(struct tag_condition, type), .is_required = true },
	{ "status", FIELD_STRING, AT(struct tag_condition, status), .is_required = true },
	{ "reason", FIELD_STRING, AT(struct tag_condition, reason) },
	{ "message", FIELD_STRING, AT(struct tag_condition, message) },
	{ "lastTransitionTime", FIELD_TIME, AT(struct tag_condition, changed_s) },
	{ "generation", FIELD_INT, AT(struct tag_condition, generation), .min = 0,
	  .max = INT64_MAX },
	{ "tries", FIELD_INT, AT(struct tag_condition, tries), .min = 0, .max = INT32_MAX },
	{ 0 },
};
static const struct table tag_condition_table = { "tag condition", sizeof(struct tag_condition),
						  condition_fields };

static const struct field push_fields[] = {
	{ "from", FIELD_STRING, AT(struct tag_push, from), .is_required = true },
	{ "image", FIELD_STRING, AT(struct tag_push, image), .is_required = true },
	{ 0 },
};
static const struct table push_table = { "push", sizeof(struct tag_push), push_fields };

static const struct field history_fields[] = {
	{ "tag", FIELD_STRING, AT(struct tag_history, tag), .is_required = true },
	{ "items", FIELD_STRUCTS, AT(struct tag_history, items), &event_table },
	{ "conditions", FIELD_STRUCTS, AT(struct tag_history, conditions), &tag_condition_table },
	{ "pushes", FIELD_STRUCTS, AT(struct tag_history, pushes), &push_table },
	{ "sourceDigest", FIELD_STRING, AT(struct tag_history, source_digest) },
	{ 0 },
};
static const struct table history_table = { "tag", sizeof(struct tag_history), history_fields };

static const struct field annotation_fields[] = {
	{ "openshift.io/image.dockerRepositoryCheck", FIELD_STRING,
	  AT(struct stream_status, checked) },
	{ "reconcile.dev/import", FIELD_STRING, AT(struct stream_status, asked) },
	{ 0 },
};
static const struct table annotation_table = { "annotations", sizeof(struct stream_status),
					       annotation_fields };

static const struct field metadata_fields[] = {
	{ "creationTimestamp", FIELD_TIME, AT(struct stream_status, created_s) },
	/* it is counted on from here */
	{ "generation", FIELD_INT, AT(struct stream_status, generation), .min = 0,
	  .max = INT64_MAX / 2 },
	{ "annotations", FIELD_STRUCT, 0, &annotation_table },
	{ 0 },
};
static const struct table stream_metadata_table = { "metadata", sizeof(struct stream_status),
						    metadata_fields };

static const struct field status_fields[] = {
	{ "dockerImageRepository", FIELD_STRING, AT(struct stream_status, repository) },
	{ "publicDockerImageRepository", FIELD_STRING,
	  AT(struct stream_status, public_repository) },
	{ "tags", FIELD_STRUCTS, AT(struct stream_status, tags), &history_table },
	{ "repositoryTries", FIELD_INT, AT(struct stream_status, repository_tries), .min = 0,
	  .max = INT32_MAX },
	{ "answeredImports", FIELD_STRINGS, AT(struct stream_status, answered) },
	{ 0 },
};
static const struct table status_table = { "ImageStream status", sizeof(struct stream_status),
					   status_fields };

static const struct field file_fields[] = {
	{ "metadata", FIELD_STRUCT, 0, &stream_metadata_table },
	{ "spec", FIELD_STRUCT, AT(struct stream_status, spec), &stream_spec_table },
	{ "status", FIELD_STRUCT, 0, &status_table },
	{ 0 },
};
const struct table stream_status_table = { "ImageStream", sizeof(struct stream_status),
					   file_fields };

/* ---- what must hold ---- */

enum { PLAIN_ID_MAX = 128 };

/* A digest, or an id of a registry of version 1; "" where none is. */
static bool id_holds(const char *id)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";

	return !*id || digest_is_valid(id) ||
	       (strlen(id) <= PLAIN_ID_MAX && !id[strspn(id, plain)]);
}

static bool ref_holds(const char *field, const char *text, struct arena *arena, struct err *err)
{
	struct docker_ref ref;
	struct err why = { 0 };

	if (!docker_ref_parse(text, arena, &ref, &why))
		return err_set(err, ERR_INVALID, "'%s': %s", field, why.text);
	return true;
}

static bool repository_holds(const char *field, const char *text, struct arena *arena,
			     struct err *err)
{
	struct docker_ref ref;
	struct err why = { 0 };

	if (!text)
		return true;
	if (!docker_ref_parse(text, arena, &ref, &why))
		return err_set(err, ERR_INVALID, "'%s': %s", field, why.text);
	if (!*ref.name || *ref.tag || *ref.id)
		return err_set(err, ERR_INVALID, "'%s' is no repository", field);
	return true;
}

static bool event_holds(const struct tag_event *event, struct arena *arena, struct err *err)
{
	if (!ref_holds("items[].dockerImageReference", event->reference, arena, err))
		return false;
	if (!id_holds(event->image))
		return err_set(err, ERR_INVALID, "'items[].image' is no digest and no id");
	return true;
}

static bool history_holds(const struct tag_history *history, struct arena *arena, struct err *err)
{
	if (!ref_tag_is_valid(history->tag))
		return err_set(err, ERR_INVALID, "it is the name of no tag");
	if (history->items.n > LIMIT_TAG_ITEMS || history->pushes.n > LIMIT_TAG_ITEMS ||
	    history->conditions.n > LIMIT_TAG_ITEMS)
		return err_set(err, ERR_INVALID, "more than %u items", LIMIT_TAG_ITEMS);
	for (size_t i = 0; i < history->items.n; i++)
		if (!event_holds(LIST_AT(history->items, struct tag_event, i), arena, err))
			return false;
	for (size_t i = 0; i < history->pushes.n; i++)
		if (!id_holds(LIST_AT(history->pushes, struct tag_push, i)->image))
			return err_set(err, ERR_INVALID, "'pushes[].image' is no digest");
	if (history->source_digest && !digest_is_valid(history->source_digest))
		return err_set(err, ERR_INVALID, "'sourceDigest' is no sha256 digest");
	return true;
}

static bool is_one_of(const char *text, const char *const *values)
{
	for (; text && *values; values++)
		if (strcmp(text, *values) == 0)
			return true;
	return !text;
}

static bool tag_holds(const struct tag_ref *tag, struct arena *arena, struct err *err)
{
	static const char *const modes[] = { IMPORT_LEGACY, IMPORT_PRESERVE, NULL };
	static const char *const policies[] = { POLICY_SOURCE, POLICY_LOCAL, NULL };
	const struct object_ref *from = tag->from;
	const char *stream, *name;

	if (!tag->name || !ref_tag_is_valid(tag->name))
		return err_set(err, ERR_INVALID, "it is the name of no tag");
	if (!is_one_of(tag->import_mode, modes))
		return err_set(err, ERR_INVALID, "'importPolicy.importMode' is unknown");
	if (!is_one_of(tag->reference_policy, policies))
		return err_set(err, ERR_INVALID, "'referencePolicy.type' is unknown");
	if (!from)
		return true;
	if (!from->name || !from->kind)
		return err_set(err, ERR_INVALID, "'from' has no kind or no name");
	if (strcmp(from->kind, "DockerImage") == 0)
		return ref_holds("from.name", from->name, arena, err);
	if (strcmp(from->kind, "ImageStreamTag") != 0 &&
	    strcmp(from->kind, "ImageStreamImage") != 0)
		return err_set(err, ERR_INVALID, "'from.kind' is unknown");
	return tag_from_parse(from, arena, &stream, &name, err);
}

/* Names that come twice would make two answers to every question. */
static bool is_new(struct map *seen, const char *name, struct arena *arena)
{
	static char present;

	if (map_has(seen, name))
		return false;
	map_set(arena, seen, name, &present);
	return true;
}

static bool spec_holds(const struct stream_spec *spec, struct arena *arena, struct err *err)
{
	struct map seen = { 0 };

	if (spec->tags.n > LIMIT_STREAM_TAGS)
		return err_set(err, ERR_INVALID, "more than %u tags", LIMIT_STREAM_TAGS);
	if (spec->repository &&
	    !ref_holds("spec.dockerImageRepository", spec->repository, arena, err))
		return false;
	for (size_t i = 0; i < spec->tags.n; i++) {
		const struct tag_ref *tag = LIST_AT(spec->tags, struct tag_ref, i);

		if (!tag_holds(tag, arena, err))
			return err_prefix(err, "spec.tags[%zu]", i);
		if (!is_new(&seen, tag->name, arena))
			return err_set(err, ERR_INVALID, "spec.tags[%zu]: the tag is there twice",
				       i);
	}
	return true;
}

bool stream_holds(const struct stream_status *status, struct arena *arena, struct err *err)
{
	struct map seen = { 0 };

	if (!spec_holds(&status->spec, arena, err) ||
	    !repository_holds("dockerImageRepository", status->repository, arena, err) ||
	    !repository_holds("publicDockerImageRepository", status->public_repository, arena, err))
		return false;
	if (status->tags.n > LIMIT_STREAM_TAGS)
		return err_set(err, ERR_INVALID, "more than %u tags", LIMIT_STREAM_TAGS);
	for (size_t i = 0; i < status->tags.n; i++) {
		const struct tag_history *history = LIST_AT(status->tags, struct tag_history, i);

		if (!history_holds(history, arena, err))
			return err_prefix(err, "tags[%zu]", i);
		if (!is_new(&seen, history->tag, arena))
			return err_set(err, ERR_INVALID, "tags[%zu]: the tag is there twice", i);
	}
	for (size_t i = 0; i < status->answered.n; i++)
		if (!digest_is_valid(status->answered.v[i]))
			return err_set(err, ERR_INVALID, "answeredImports[%zu] is no digest", i);
	return true;
}
