/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream_tables.c — the field tables of image streams, of the documents that act on them, and of what is recorded.
 * Source: OpenShift image API (openshift.md §2.1). The recorded file is the object as OpenShift would show it.
 */
#include "model/kind/image_record.h"
#include "model/kind/stream.h"

static const struct field import_policy_fields[] = {
	{ "insecure", FIELD_BOOL, AT(struct tag_ref, is_insecure),
	  .doc = "Plain HTTP and unknown certificates will do." },
	{ "scheduled", FIELD_BOOL, AT(struct tag_ref, is_scheduled),
	  .doc = "Imported again and again, every 15 minutes unless the settings say otherwise." },
	{ "importMode", FIELD_STRING, AT(struct tag_ref, import_mode),
	  .doc = "Legacy: one image of an index. PreserveOriginal: the index." },
	{ 0 },
};
static const struct table import_policy_table = { "import policy", sizeof(struct tag_ref),
						  import_policy_fields };

static const struct field reference_policy_fields[] = {
	{ "type", FIELD_STRING, AT(struct tag_ref, reference_policy), .deflt = "Source",
	  .doc = "Source: consumers pull from where the image is. Local: from the integrated "
		 "registry." },
	{ 0 },
};
static const struct table reference_policy_table = { "reference policy", sizeof(struct tag_ref),
						     reference_policy_fields };

static const struct field tag_ref_fields[] = {
	/* An ImageStreamTag has it in its metadata, so the rules of the kinds require it. */
	{ "name", FIELD_STRING, AT(struct tag_ref, name), POS(struct tag_ref, pos),
	  .doc = "The tag." },
	{ "annotations", FIELD_STRING_MAP, AT(struct tag_ref, annotations),
	  .doc = "Of the tag: description, tags, supports, preferred platform." },
	{ "from", FIELD_STRUCT_PTR, AT(struct tag_ref, from), .table = &object_ref_table,
	  .doc = "DockerImage, ImageStreamTag or ImageStreamImage. Absent: pushes land here." },
	{ "reference", FIELD_BOOL, AT(struct tag_ref, is_reference),
	  .doc = "The source is handed out as it is and never imported." },
	{ "generation", FIELD_INT, AT(struct tag_ref, generation), .min = 0, .max = INT64_MAX,
	  .has_given = true, .given_offset = AT(struct tag_ref, has_generation),
	  .doc = "0 asks for an import; other numbers are not the manifest's to choose." },
	{ "importPolicy", FIELD_STRUCT, 0, .table = &import_policy_table,
	  .doc = "How the image is imported." },
	{ "referencePolicy", FIELD_STRUCT, 0, .table = &reference_policy_table,
	  .doc = "What consumers pull." },
	{ 0 },
};
const struct table tag_ref_table = { "tag", sizeof(struct tag_ref), tag_ref_fields,
				     POS(struct tag_ref, pos) };

static const struct field stream_lookup_fields[] = {
	{ "local", FIELD_BOOL, AT(struct stream_spec, is_local_lookup),
	  .doc = "Short names in workloads of the namespace mean this stream." },
	{ 0 },
};
static const struct table stream_lookup_table = { "lookup policy", sizeof(struct stream_spec),
						  stream_lookup_fields };

static const struct field stream_spec_fields[] = {
	{ "lookupPolicy", FIELD_STRUCT, 0, .table = &stream_lookup_table,
	  .doc = "Who may use the stream by its short name." },
	{ "dockerImageRepository", FIELD_STRING, AT(struct stream_spec, repository),
	  POS(struct stream_spec, repository_pos),
	  .doc = "A repository whose tags are imported once." },
	{ "tags", FIELD_STRUCTS, AT(struct stream_spec, tags), .table = &tag_ref_table,
	  .doc = "What the stream's tags point at." },
	{ 0 },
};
const struct table stream_spec_table = { "ImageStream spec", sizeof(struct stream_spec),
					 stream_spec_fields };

static const struct field tag_lookup_fields[] = {
	{ "local", FIELD_BOOL, AT(struct stream_tag_spec, is_local_lookup),
	  .doc = "Short names in workloads of the namespace mean this stream." },
	{ 0 },
};
static const struct table tag_lookup_table = { "lookup policy", sizeof(struct stream_tag_spec),
					       tag_lookup_fields };

static const struct field stream_tag_fields[] = {
	{ "apiVersion", FIELD_IGNORED },
	{ "kind", FIELD_IGNORED },
	{ "metadata", FIELD_IGNORED },
	{ "tag", FIELD_STRUCT_PTR, AT(struct stream_tag_spec, tag), .table = &tag_ref_table,
	  .doc = "What the tag points at." },
	{ "lookupPolicy", FIELD_STRUCT, 0, .table = &tag_lookup_table,
	  .doc = "Who may use the stream by its short name." },
	{ "generation", FIELD_IGNORED },
	{ "conditions", FIELD_IGNORED },
	{ "image", FIELD_IGNORED },
	{ 0 },
};
const struct table stream_tag_table = { "ImageStreamTag", sizeof(struct stream_tag_spec),
					stream_tag_fields };

static const struct field layer_fields[] = {
	{ "name", FIELD_STRING, AT(struct image_layer, name), .is_required = true,
	  .doc = "Its digest." },
	{ "size", FIELD_INT, AT(struct image_layer, size_bytes), .min = 0, .max = INT64_MAX,
	  .is_required = true, .doc = "In bytes." },
	{ "mediaType", FIELD_STRING, AT(struct image_layer, media_type), .doc = "Its type." },
	{ 0 },
};
static const struct table layer_table = { "image layer", sizeof(struct image_layer), layer_fields };

static const struct field submanifest_fields[] = {
	{ "digest", FIELD_STRING, AT(struct image_submanifest, digest), .is_required = true,
	  .doc = "Of the manifest." },
	{ "mediaType", FIELD_STRING, AT(struct image_submanifest, media_type), .is_required = true,
	  .doc = "Its type." },
	{ "manifestSize", FIELD_INT, AT(struct image_submanifest, size_bytes), .min = 0,
	  .max = INT64_MAX, .doc = "In bytes." },
	{ "architecture", FIELD_STRING, AT(struct image_submanifest, arch), .doc = "amd64, …" },
	{ "os", FIELD_STRING, AT(struct image_submanifest, os), .doc = "linux, …" },
	{ "variant", FIELD_STRING, AT(struct image_submanifest, variant), .doc = "v8, …" },
	{ 0 },
};
static const struct table submanifest_table = { "image manifest", sizeof(struct image_submanifest),
						submanifest_fields };

static const struct field record_meta_fields[] = {
	{ "name", FIELD_STRING, AT(struct image_record, name), .doc = "The image's digest." },
	{ "annotations", FIELD_STRING_MAP, AT(struct image_record, annotations),
	  .doc = "Of the image." },
	{ "creationTimestamp", FIELD_IGNORED },
	{ "generation", FIELD_IGNORED },
	{ "labels", FIELD_IGNORED },
	{ "namespace", FIELD_IGNORED },
	{ "resourceVersion", FIELD_IGNORED },
	{ "selfLink", FIELD_IGNORED },
	{ "uid", FIELD_IGNORED },
	{ 0 },
};
static const struct table record_meta_table = { "image metadata", sizeof(struct image_record),
						record_meta_fields };

static const struct field image_record_fields[] = {
	{ "apiVersion", FIELD_IGNORED },
	{ "kind", FIELD_IGNORED },
	{ "metadata", FIELD_STRUCT, 0, .table = &record_meta_table, .doc = "The image's name." },
	{ "dockerImageReference", FIELD_STRING, AT(struct image_record, reference),
	  .doc = "Where it lies, with its digest." },
	{ "dockerImageMetadata", FIELD_NODE, AT(struct image_record, metadata),
	  .doc = "Its configuration, in Docker's shape." },
	{ "dockerImageMetadataVersion", FIELD_STRING, AT(struct image_record, metadata_version),
	  .deflt = "1.0", .doc = "Of dockerImageMetadata." },
	{ "dockerImageLayers", FIELD_STRUCTS, AT(struct image_record, layers),
	  .table = &layer_table, .doc = "Base first." },
	{ "dockerImageManifests", FIELD_STRUCTS, AT(struct image_record, manifests),
	  .table = &submanifest_table, .doc = "Of an index that was kept whole." },
	{ "dockerImageManifestMediaType", FIELD_STRING, AT(struct image_record, media_type),
	  .doc = "Of the manifest." },
	{ "dockerImageManifest", FIELD_IGNORED },
	{ "dockerImageConfig", FIELD_IGNORED },
	{ "dockerImageSignatures", FIELD_IGNORED },
	{ "signatures", FIELD_IGNORED },
	{ 0 },
};
const struct table image_record_table = { "image", sizeof(struct image_record),
					  image_record_fields };

static const struct field stream_mapping_fields[] = {
	{ "apiVersion", FIELD_IGNORED },
	{ "kind", FIELD_IGNORED },
	{ "metadata", FIELD_IGNORED },
	{ "tag", FIELD_STRING, AT(struct stream_mapping_spec, tag), .deflt = "latest",
	  .doc = "Where the image goes." },
	{ "image", FIELD_STRUCT_PTR, AT(struct stream_mapping_spec, image),
	  .table = &image_record_table, .is_required = true, .doc = "The image that was pushed." },
	{ "dockerImageRepository", FIELD_STRING, AT(struct stream_mapping_spec, repository),
	  .doc = "The stream's repository, where metadata names no stream." },
	{ 0 },
};
const struct table stream_mapping_table = { "ImageStreamMapping",
					    sizeof(struct stream_mapping_spec),
					    stream_mapping_fields };

static const struct field item_policy_fields[] = {
	{ "insecure", FIELD_BOOL, AT(struct import_item, is_insecure),
	  .doc = "Plain HTTP and unknown certificates will do." },
	{ "scheduled", FIELD_BOOL, AT(struct import_item, is_scheduled),
	  .doc = "Imported again and again." },
	{ "importMode", FIELD_STRING, AT(struct import_item, import_mode),
	  .doc = "Legacy: one image of an index. PreserveOriginal: the index." },
	{ 0 },
};
static const struct table item_policy_table = { "import policy", sizeof(struct import_item),
						item_policy_fields };
static const struct field item_reference_fields[] = {
	{ "type", FIELD_STRING, AT(struct import_item, reference_policy), .deflt = "Source",
	  .doc = "What consumers pull." },
	{ 0 },
};
static const struct table item_reference_table = { "reference policy", sizeof(struct import_item),
						   item_reference_fields };
static const struct field item_to_fields[] = {
	{ "name", FIELD_STRING, AT(struct import_item, to), .doc = "The tag." },
	{ 0 },
};
static const struct table item_to_table = { "import target", sizeof(struct import_item),
					    item_to_fields };

static const struct field import_item_fields[] = {
	{ "from", FIELD_STRUCT, AT(struct import_item, from), .table = &object_ref_table,
	  POS(struct import_item, pos), .doc = "A DockerImage." },
	{ "to", FIELD_STRUCT, 0, .table = &item_to_table, .doc = "The tag it becomes." },
	{ "importPolicy", FIELD_STRUCT, 0, .table = &item_policy_table,
	  .doc = "How the image is imported." },
	{ "referencePolicy", FIELD_STRUCT, 0, .table = &item_reference_table,
	  .doc = "What consumers pull." },
	{ "includeManifest", FIELD_BOOL, AT(struct import_item, with_manifest),
	  .doc = "Accepted; manifests are not recorded." },
	{ 0 },
};
static const struct table import_item_table = { "import", sizeof(struct import_item),
						import_item_fields, POS(struct import_item, pos) };

static const struct field stream_import_fields[] = {
	{ "import", FIELD_BOOL, AT(struct stream_import_spec, is_import),
	  .doc = "The stream takes the images; else they are only looked up." },
	{ "repository", FIELD_STRUCT_PTR, AT(struct stream_import_spec, repository),
	  .table = &import_item_table, .doc = "All tags of a repository." },
	{ "images", FIELD_STRUCTS, AT(struct stream_import_spec, images),
	  .table = &import_item_table, .doc = "Single images." },
	{ 0 },
};
const struct table stream_import_table = { "ImageStreamImport spec",
					   sizeof(struct stream_import_spec),
					   stream_import_fields };
