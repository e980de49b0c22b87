/* SPDX-License-Identifier: Apache-2.0 */
/* stream_status.c — the field table of an image stream's file on the state branch: metadata, spec and status. */
#include "model/kind/stream.h"

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
	{ 0 },
};
static const struct table annotation_table = { "annotations", sizeof(struct stream_status),
					       annotation_fields };

static const struct field metadata_fields[] = {
	{ "creationTimestamp", FIELD_TIME, AT(struct stream_status, created_s) },
	{ "generation", FIELD_INT, AT(struct stream_status, generation), .min = 0,
	  .max = INT64_MAX },
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
