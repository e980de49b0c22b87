/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_stream.c — manifests of image streams: one row per rule with all that is said and its place (texts: openshift.md §2.2,
 * §2.3), how documents are put together, and the samples of OpenShift's own documents.
 */
#include "manifest.h"

#include <stdio.h>

#include "model/kind/image_record.h"
#include "model/kind/stream.h"

#define D1 "sha256:47463d94eb5c049b2d23b03a9530bf944f8f967a0fe79147dd6b9135bf7dd13d"
#define D2 "sha256:909de62d1f609a717ec433cc25ca5cf00941545c83a01fb31527771e1fab3fc5"

struct row {
	const char *name;
	const char *head;
	const char *rest;
	const char *said;
};

#define IS                                                                                         \
	"apiVersion: image.openshift.io/v1\nkind: ImageStream\nmetadata: {name: web, namespace: "  \
	"shop}\n"
#define TAGS      IS "spec:\n  tags:\n"
#define IST(name) "apiVersion: v1\nkind: ImageStreamTag\nmetadata: {name: '" name "'}\n"
#define ISM       "apiVersion: v1\nkind: ImageStreamMapping\n"
#define ISI                                                                                        \
	"apiVersion: image.openshift.io/v1\nkind: ImageStreamImport\nmetadata: {name: "            \
	"web}\nspec:\n"
#define IMG    "{kind: DockerImage, name: 'r.io/web:1'}"
#define NAME63 "a23456789-b23456789-c23456789-d23456789-e23456789-f23456789-123"
#define TAG_RULE                                                                                   \
	" format, tags must start with an alphanumeric character followed by alphanumeric, '.' "   \
	"or '-' characters, and have a maximum of 128 characters: "
#define FORM        "must be of the form <tag>, <repo>:<tag>, <id>, or <repo>@<id>"
#define SCHEDULED   "only tags pointing to Docker repositories may be scheduled for background import"
#define STREAM_NAME "must match \"[a-z0-9]+(?:[._-][a-z0-9]+)*\"\n"

/* clang-format off */
static const struct row rows[] = {
	{ "stream/good", TAGS,
	  "  - {name: '1', from: " IMG ", importPolicy: {scheduled: true, importMode: PreserveOriginal}}\n"
	  "  - {name: latest, from: {kind: ImageStreamTag, name: '1'}, referencePolicy: {type: Local}}\n"
	  "  - {name: same, from: {kind: ImageStreamTag, name: 'web:1', namespace: shop}}\n"
	  "  - {name: old, from: {kind: ImageStreamImage, name: web@" D1 "}}\n"
	  "  - {name: id, from: {kind: ImageStreamImage, name: '47463d94'}}\n"
	  "  - {name: pinned, from: {kind: DockerImage, name: r.io/web@" D1 "}, importPolicy: {scheduled: true}}\n"
	  "  - {name: pushed, annotations: {description: d}, generation: 0, reference: false}\n"
	  "  - {name: modes, from: " IMG ", importPolicy: {importMode: ''}, referencePolicy: {type: ''}}\n"
	  "  - {name: often, from: " IMG ", importPolicy: {scheduled: true}, annotations: {reconcile.dev/import-interval: 1m}}\n", "" },
	{ "stream/no_spec", IS, "", "" },
	{ "stream/null_spec", IS, "spec: null\n", "" },
	{ "stream/empty_spec", IS, "spec: {}\nstatus: {tags: [{x: y}], anything: 1}\n", "" },
	{ "stream/spec_is_a_list", IS, "spec: []\n", "4:1 error: expected a mapping for 'spec', found a sequence\n" },
	{ "stream/legacy_group", "apiVersion: v1\nkind: ImageStream\nmetadata: {name: web}\n", "", "" },
	{ "stream/name_slash", "apiVersion: v1\nkind: ImageStream\nmetadata: {name: a/b}\n", "",
	  "3:18 error: invalid value: a/b: metadata.name\nmay not contain '/'\n" },
	{ "stream/name_percent", "apiVersion: v1\nkind: ImageStream\nmetadata: {name: a%b}\n", "",
	  "3:18 error: invalid value: a%b: metadata.name\nmay not contain '%'\n" },
	{ "stream/name_upper", "apiVersion: v1\nkind: ImageStream\nmetadata: {name: Web}\n", "",
	  "3:18 error: invalid value: Web: metadata.name\n" STREAM_NAME },
	{ "stream/name_doubled", "apiVersion: v1\nkind: ImageStream\nmetadata: {name: a..b}\n", "",
	  "3:18 error: invalid value: a..b: metadata.name\n" STREAM_NAME },
	{ "stream/name_underscore", "apiVersion: v1\nkind: ImageStream\nmetadata: {name: a_b.c-d}\n", "", "" },
	{ "stream/name_end", "apiVersion: v1\nkind: ImageStream\nmetadata: {name: a-}\n", "",
	  "3:18 error: invalid value: a-: metadata.name\n" STREAM_NAME },
	{ "stream/name_63", "apiVersion: v1\nkind: ImageStream\nmetadata: {name: " NAME63 "}\n", "", "" },
	{ "stream/name_64", "apiVersion: v1\nkind: ImageStream\nmetadata: {name: " NAME63 "4}\n", "",
	  "3:18 error: invalid value: " NAME63 "4: metadata.name\nmust be no more than 63 characters\n" },
	{ "stream/namespace_64", "apiVersion: v1\nkind: ImageStream\nmetadata: {name: a, namespace: " NAME63 "4}\n", "",
	  "3:32 error: invalid value: " NAME63 "4: metadata.namespace\nmust be at most 63 lower case letters, "
	  "digits or '-', and start and end with a letter or digit\n" },
	{ "stream/misspelt", "apiVersion: image.openshift.io/v1\nkind: ImageStraem\n", "",
	  "2:7 error: unknown kind 'ImageStraem' in image.openshift.io/v1; did you mean 'ImageStream'?\n" },
	{ "stream/made_by_the_server", "apiVersion: image.openshift.io/v1\nkind: ImageStreamImage\n", "", "" },
	{ "stream/unknown_field", TAGS, "  - {name: a, form: " IMG "}\n",
	  "6:15 warning: unknown field 'form' in tag; did you mean 'from'?\n" },

	{ "repository/good", IS, "spec: {dockerImageRepository: r.io/a/b}\n", "" },
	{ "repository/format", IS, "spec: {dockerImageRepository: 'https://r.io/a'}\n",
	  "4:31 error: invalid value: https://r.io/a: spec.dockerImageRepository\n"
	  "invalid reference format: 'https://r.io/a': it must have no scheme\n" },
	{ "repository/tag", IS, "spec: {dockerImageRepository: 'r.io/a:1'}\n",
	  "4:31 error: invalid value: r.io/a:1: spec.dockerImageRepository\n"
	  "the repository name may not contain a tag\n" },
	{ "repository/id", IS, "spec: {dockerImageRepository: 'r.io/a@" D1 "'}\n",
	  "4:31 error: invalid value: r.io/a@" D1 ": spec.dockerImageRepository\n"
	  "the repository name may not contain an ID\n" },
	{ "repository/host", IS, "spec: {dockerImageRepository: quay.io}\n",
	  "4:31 error: invalid value: quay.io: spec.dockerImageRepository\n"
	  "it names a registry, and no repository in it\n" },

	{ "tag/no_name", TAGS, "  - from: " IMG "\n", "6:5 error: missing field(s): spec.tags[0].name\n" },
	{ "tag/name", TAGS, "  - {name: -a}\n",
	  "6:12 error: invalid tag \"-a\"" TAG_RULE "spec.tags[0].name\n" },
	{ "tag/twice", TAGS, "  - {name: a}\n  - {name: b}\n  - {name: a}\n",
	  "8:12 error: duplicate tag \"a\": spec.tags[0].name, spec.tags[2].name\n" },
	{ "tag/from_empty", TAGS, "  - {name: a, from: {}}\n",
	  "6:15 error: missing field(s): spec.tags[0].from.kind\n"
	  "valid values are 'DockerImage', 'ImageStreamImage', 'ImageStreamTag'\n"
	  "6:15 error: missing field(s): spec.tags[0].from.name\n" },
	{ "tag/from_kind", TAGS, "  - {name: a, from: {kind: Image, name: x}}\n",
	  "6:28 error: invalid value: Image: spec.tags[0].from.kind\n"
	  "valid values are 'DockerImage', 'ImageStreamImage', 'ImageStreamTag'\n" },
	{ "tag/from_image", TAGS, "  - {name: a, from: {kind: DockerImage, name: 'a b'}}\n",
	  "6:47 error: invalid value: a b: spec.tags[0].from.name\n"
	  "invalid reference format: 'a b': it has a character outside a-z, 0-9, '.', '_', '-' and '/'\n" },
	{ "tag/from_registry", TAGS, "  - {name: a, from: {kind: DockerImage, name: 'localhost:5000'}}\n",
	  "6:47 error: invalid value: localhost:5000: spec.tags[0].from.name\n"
	  "it names a registry, and no image in it\n" },
	{ "tag/from_form", TAGS, "  - {name: a, from: {kind: ImageStreamTag, name: 'a:b:c'}}\n",
	  "6:50 error: invalid value: a:b:c: spec.tags[0].from.name\n" FORM "\n" },
	{ "tag/from_form_half", TAGS, "  - {name: a, from: {kind: ImageStreamTag, name: ':b'}}\n",
	  "6:50 error: invalid value: :b: spec.tags[0].from.name\n" FORM "\n" },
	{ "tag/from_form_id", TAGS, "  - {name: a, from: {kind: ImageStreamTag, name: 'web@" D1 "'}}\n",
	  "6:50 error: invalid value: web@" D1 ": spec.tags[0].from.name\n" FORM "\n" },
	{ "tag/from_image_form", TAGS, "  - {name: a, from: {kind: ImageStreamImage, name: 'a@b@c'}}\n",
	  "6:52 error: invalid value: a@b@c: spec.tags[0].from.name\n" FORM "\n" },
	{ "tag/from_registry_path", TAGS, "  - {name: a, from: {kind: ImageStreamTag, name: 'quay.io/org/app:1'}}\n",
	  "6:50 error: invalid value: quay.io/org/app:1: spec.tags[0].from.name\n" FORM
	  "; it holds a registry path: the kind of an image in a registry is DockerImage\n" },
	{ "tag/from_tag", TAGS, "  - {name: a, from: {kind: ImageStreamTag, name: 'web:-'}}\n",
	  "6:50 error: invalid tag \"-\"" TAG_RULE "spec.tags[0].from.name\n" },
	{ "tag/from_stream", TAGS, "  - {name: a, from: {kind: ImageStreamImage, name: 'Web@1'}}\n",
	  "6:52 error: invalid value: Web@1: spec.tags[0].from.name\n" STREAM_NAME },
	{ "tag/other_stream", TAGS, "  - {name: a, from: {kind: ImageStreamTag, name: 'base:1'}}\n",
	  "6:50 warning: \"base:1\" is a tag of another stream: its image is copied once and not followed "
	  "afterwards: spec.tags[0].from.name\ntracking tags are limited to a single stream\n" },
	{ "tag/other_namespace", TAGS, "  - {name: a, from: {kind: ImageStreamTag, name: 'web:1', namespace: base}}\n",
	  "6:50 warning: \"base/web:1\" is a tag of another stream: its image is copied once and not followed "
	  "afterwards: spec.tags[0].from.name\ntracking tags are limited to a single stream\n" },
	{ "tag/other_image", TAGS, "  - {name: a, from: {kind: ImageStreamImage, name: 'base@" D1 "'}}\n", "" },
	{ "tag/scheduled", TAGS,
	  "  - {name: a, from: {kind: ImageStreamTag, name: b}, importPolicy: {scheduled: true}}\n"
	  "  - {name: b, importPolicy: {scheduled: true}}\n",
	  "6:80 error: invalid value: true: spec.tags[0].importPolicy.scheduled\n" SCHEDULED "\n"
	  "7:41 warning: " SCHEDULED ": spec.tags[1] has no from\n" },
	{ "tag/policies", TAGS,
	  "  - {name: a, from: " IMG ", importPolicy: {importMode: All}, referencePolicy: {type: local}}\n",
	  "6:89 error: invalid value: All: spec.tags[0].importPolicy.importMode\n"
	  "invalid import mode, valid modes are '', 'Legacy', 'PreserveOriginal'\n"
	  "6:119 error: invalid value: local: spec.tags[0].referencePolicy.type\n"
	  "valid values are \"Source\", \"Local\"\n" },
	{ "tag/interval", TAGS,
	  "  - {name: a, from: " IMG ", importPolicy: {scheduled: true}, annotations: {reconcile.dev/import-interval: 59s}}\n"
	  "  - {name: b, from: " IMG ", importPolicy: {scheduled: true}, annotations: {reconcile.dev/import-interval: soon}}\n"
	  "  - {name: c, from: " IMG ", annotations: {reconcile.dev/import-interval: 5m}}\n",
	  "6:140 error: invalid value: 59s: spec.tags[0].annotations[reconcile.dev/import-interval]\nmust be between 1m and 365d\n"
	  "7:140 error: invalid value: soon: spec.tags[1].annotations[reconcile.dev/import-interval]\nmust be a duration such as 5m, 1h or 1d\n"
	  "8:107 warning: spec.tags[2].annotations[reconcile.dev/import-interval] has no effect: the tag is not scheduled "
	  "(spec.tags[2].importPolicy.scheduled)\n" },

	{ "istag/good", IST("web:1"), "tag: {name: '1', from: " IMG "}\nlookupPolicy: {local: true}\n", "" },
	{ "istag/push", IST("web:1"), "tag: null\ngeneration: 3\nimage: {x: y}\nconditions: []\n", "" },
	{ "istag/no_tag", IST("web"), "",
	  "3:18 error: invalid value: web: metadata.name\n\"web\" must be of the form <stream_name>:<tag>: it has no ':'\n" },
	{ "istag/two_tags", IST("web:1:2"), "",
	  "3:18 error: invalid value: web:1:2: metadata.name\n\"web:1:2\" must be of the form <stream_name>:<tag>: it has more than one ':'\n" },
	{ "istag/no_stream", IST(":1"), "",
	  "3:18 error: invalid value: :1: metadata.name\n\":1\" must be of the form <stream_name>:<tag>: nothing is before the ':'\n" },
	{ "istag/image", IST("web@" D1), "",
	  "3:18 error: invalid value: web@" D1 ": metadata.name\n\"web@" D1 "\" must be of the form <stream_name>:<tag>: "
	  "it has an '@', which names an image\n" },
	{ "istag/names", IST("Web:-x"), "",
	  "3:18 error: invalid tag \"-x\"" TAG_RULE "metadata.name\n"
	  "3:18 error: invalid value: Web:-x: metadata.name\n" STREAM_NAME },
	{ "istag/tag_name", IST("web:1"), "tag: {name: '2'}\n",
	  "4:13 error: invalid value: 2: tag.name\nmust match image tag name\n" },
	{ "istag/annotations",
	  "apiVersion: v1\nkind: ImageStreamTag\nmetadata: {name: 'web:1', annotations: {a: b}}\n",
	  "tag: {annotations: {a: c}}\n",
	  "4:7 error: invalid value: tag.annotations\ntag annotations must not be provided or must be equal to the object "
	  "meta annotations\n" },
	{ "istag/annotations_equal",
	  "apiVersion: v1\nkind: ImageStreamTag\nmetadata: {name: 'web:1', annotations: {a: b}}\n",
	  "tag: {annotations: {a: b}}\n", "" },
	{ "istag/from", IST("web:1"), "tag: {from: {kind: ImageStreamTag, name: 'a/b:c'}, importPolicy: {scheduled: true}}\n",
	  "4:42 error: invalid value: a/b:c: tag.from.name\n" FORM
	  "; it holds a registry path: the kind of an image in a registry is DockerImage\n"
	  "4:78 error: invalid value: true: tag.importPolicy.scheduled\n" SCHEDULED "\n" },

	{ "mapping/good", ISM, "metadata: {name: web, creationTimestamp: null}\nimage: {dockerImageReference: 'r.io/web@" D1 "'}\n", "" },
	{ "mapping/by_repository", ISM, "metadata: {}\ndockerImageRepository: r.io/shop/web\nimage: {dockerImageReference: 'r.io/shop/web@" D1 "'}\n", "" },
	{ "mapping/no_stream", ISM, "metadata: {}\nimage: {dockerImageReference: 'r.io/shop/web@" D1 "'}\n",
	  "3:1 error: missing field(s): metadata.name\n" },
	{ "mapping/repository", ISM, "metadata: {}\ndockerImageRepository: R.io\nimage: {dockerImageReference: 'r.io/shop/web@" D1 "'}\n",
	  "4:24 error: invalid value: R.io: dockerImageRepository\ninvalid reference format: 'R.io': the repository's name must be lower case\n" },
	{ "mapping/empty_tag", ISM, "metadata: {name: web}\ntag: ''\nimage: {dockerImageReference: 'r.io/web@" D1 "'}\n",
	  "4:6 error: missing field(s): tag\n" },
	{ "mapping/tag", ISM, "metadata: {name: web}\ntag: a b\nimage: {dockerImageReference: 'r.io/web@" D1 "'}\n",
	  "4:6 error: invalid tag \"a b\"" TAG_RULE "tag\n" },
	{ "mapping/no_image", ISM, "metadata: {name: web}\n", "1:1 error: missing field(s): image\n" },
	{ "mapping/no_reference", ISM, "metadata: {name: web}\nimage: {metadata: {name: " D1 "}}\n",
	  "4:1 error: missing field(s): image.dockerImageReference\n" },
	{ "mapping/no_digest", ISM, "metadata: {name: web}\nimage: {dockerImageReference: 'r.io/web:1'}\n",
	  "4:1 error: missing field(s): image.metadata.name\nthe image's digest, there or in image.dockerImageReference\n" },
	{ "mapping/image_name", ISM, "metadata: {name: web}\nimage: {metadata: {name: a/b}, dockerImageReference: 'r.io/web:1'}\n",
	  "4:26 error: invalid value: a/b: image.metadata.name\nmay not contain '/' or '%', and may not be '.' or '..'\n" },
	{ "mapping/image_digest", ISM, "metadata: {name: web}\nimage: {metadata: {name: 'sha256:12'}, dockerImageReference: 'r.io/web:1'}\n",
	  "4:26 error: invalid value: sha256:12: image.metadata.name\nis no sha256 digest\n" },
	{ "mapping/reference", ISM, "metadata: {name: web}\nimage: {metadata: {name: " D1 "}, dockerImageReference: 'r.io//web:1'}\n",
	  "4:122 error: invalid value: r.io//web:1: image.dockerImageReference\ninvalid reference format: 'r.io//web:1': "
	  "it has an empty part between slashes\n" },
	{ "mapping/layers_and_manifests", ISM,
	  "metadata: {name: web}\nimage:\n  dockerImageReference: 'r.io/web@" D1 "'\n"
	  "  dockerImageLayers: [{name: " D1 ", size: 1}]\n"
	  "  dockerImageManifests: [{digest: " D2 ", mediaType: x, manifestSize: 1, architecture: amd64, os: linux}]\n",
	  "6:3 error: forbidden: image.dockerImageLayers\nmay not be set together with image.dockerImageManifests\n" },
	{ "mapping/manifests", ISM,
	  "metadata: {name: web}\nimage:\n  dockerImageReference: 'r.io/web@" D1 "'\n"
	  "  dockerImageManifests: [{digest: x, mediaType: '', manifestSize: -1}]\n",
	  "6:26 error: missing field(s): image.dockerImageManifests[0].architecture\n"
	  "6:26 error: missing field(s): image.dockerImageManifests[0].os\n"
	  "6:35 error: invalid value: x: image.dockerImageManifests[0].digest\nis no sha256 digest\n"
	  "6:49 error: missing field(s): image.dockerImageManifests[0].mediaType\n"
	  "6:67 error: 'image.dockerImageManifests[0].manifestSize' must be between 0 and 9223372036854775807\n" },
	{ "mapping/layer_size", ISM,
	  "metadata: {name: web}\nimage: {dockerImageReference: 'r.io/web@" D1 "', dockerImageLayers: [{name: a, size: -1}]}\n",
	  "4:151 error: 'image.dockerImageLayers[0].size' must be between 0 and 9223372036854775807\n" },

	{ "import/good", ISI,
	  "  import: true\n  repository: {from: {kind: DockerImage, name: r.io/web}}\n"
	  "  images: [{from: " IMG ", to: {name: a}}, {from: " IMG ", includeManifest: true}]\n", "" },
	{ "import/nothing", ISI, "  import: true\n",
	  "4:1 error: you must specify at least one image or a repository import: spec\n" },
	{ "import/kind", ISI, "  images: [{from: {kind: ImageStreamTag, name: 'a:b'}}]\n",
	  "5:26 error: invalid value: ImageStreamTag: spec.images[0].from.kind\nonly DockerImage is supported\n" },
	{ "import/name", ISI, "  images: [{from: {kind: DockerImage, name: ''}}]\n",
	  "5:45 error: missing field(s): spec.images[0].from.name\n" },
	{ "import/to", ISI, "  images: [{from: " IMG ", to: {name: ''}}, {from: " IMG ", to: {name: .x}}]\n",
	  "5:71 error: missing field(s): spec.images[0].to.name\n"
	  "5:136 error: invalid tag \".x\"" TAG_RULE "spec.images[1].to.name\n" },
	{ "import/digest", ISI, "  images: [{from: {kind: DockerImage, name: r.io/web@" D1 "}}]\n",
	  "5:12 error: missing field(s): spec.images[0].to.name\nan image that is named by its digest needs a tag\n" },
	{ "import/twice", ISI, "  images: [{from: " IMG ", to: {name: '1'}}, {from: " IMG "}]\n",
	  "5:78 error: duplicate tag \"1\": spec.images[0], spec.images[1]\n" },
	{ "import/repository", ISI, "  repository: {from: " IMG "}\n",
	  "5:48 error: invalid value: r.io/web:1: spec.repository.from.name\n"
	  "you must specify an image repository, not a tag or ID\n" },
	{ "import/policies", ISI, "  images: [{from: " IMG ", importPolicy: {importMode: x}, referencePolicy: {type: y}}]\n",
	  "5:87 error: invalid value: x: spec.images[0].importPolicy.importMode\n"
	  "invalid import mode, valid modes are '', 'Legacy', 'PreserveOriginal'\n"
	  "5:115 error: invalid value: y: spec.images[0].referencePolicy.type\nvalid values are \"Source\", \"Local\"\n" },
};
/* clang-format on */

static void check(const struct row *row, bool with_links)
{
	struct loaded l;
	struct buf text = BUF_INIT(1 << 16);

	buf_puts(&text, row->head);
	buf_puts(&text, row->rest);
	manifest_load(&l, buf_text(&text), with_links);
	assert_string_equal(manifest_said(&l), row->said);
	arena_free(l.arena);
	buf_release(&text);
}

static void check_row(void **state)
{
	check(*state, false);
}

/* ---- documents put together ---- */

#define SETTINGS "apiVersion: reconcile.dev/v1\nkind: Settings\nstreams: {registry: r.local}\n---\n"

/* clang-format off */
static const struct row links[] = {
	{ "link/cycle", TAGS,
	  "  - {name: a, from: {kind: ImageStreamTag, name: b}}\n"
	  "  - {name: b, from: {kind: ImageStreamTag, name: 'web:c'}}\n"
	  "---\n"
	  "apiVersion: v1\nkind: ImageStreamTag\nmetadata: {name: 'web:c', namespace: shop}\n"
	  "tag: {from: {kind: ImageStreamTag, name: a, namespace: shop}}\n",
	  "6:50 error: cycle of tags in ImageStream/shop/web: a (m.yaml:6:50) → b (m.yaml:7:50) → c (m.yaml:12:42) → a\n"
	  "7:50 note: b follows c here\n"
	  "12:42 note: c follows a here\n" },
	{ "link/cycle_of_one", TAGS,
	  "  - {name: z, from: {kind: ImageStreamTag, name: a}}\n"
	  "  - {name: a, from: {kind: ImageStreamTag, name: a}}\n",
	  "7:50 error: cycle of tags in ImageStream/shop/web: a (m.yaml:7:50) → a\n" },
	{ "link/same_name_elsewhere_is_no_cycle", TAGS,
	  "  - {name: a, from: {kind: ImageStreamTag, name: 'web:a', namespace: base}}\n"
	  "---\napiVersion: v1\nkind: ImageStream\nmetadata: {name: web, namespace: base}\n",
	  "6:50 warning: \"base/web:a\" is a tag of another stream: its image is copied once and not followed "
	  "afterwards: spec.tags[0].from.name\ntracking tags are limited to a single stream\n" },
	{ "link/declared_twice", TAGS,
	  "  - {name: a}\n---\napiVersion: v1\nkind: ImageStreamTag\nmetadata: {name: 'web:a', namespace: shop}\n",
	  "6:12 note: the tag \"a\" is first declared here\n"
	  "10:18 error: duplicate tag \"a\": ImageStream/shop/web declares it too, in m.yaml, line 6\n" },
	{ "link/same_istag", IST("web:a"), "---\n" IST("web:a"),
	  "3:18 note: ImageStreamTag/default/web:a is first declared here\n"
	  "7:18 error: duplicate ImageStreamTag/default/web:a: also declared in m.yaml, line 1\n" },
	{ "link/missing", TAGS,
	  "  - {name: a, from: {kind: ImageStreamImage, name: bass@" D1 "}}\n"
	  "  - {name: b, from: {kind: ImageStreamTag, name: 'web:1', namespace: other}}\n"
	  "  - {name: c, from: {kind: ImageStreamTag, name: nobody-declares-this-tag}}\n"
	  "---\napiVersion: v1\nkind: ImageStream\nmetadata: {name: base, namespace: shop}\n",
	  "6:52 warning: spec.tags[a].from.name: Not found: \"shop/bass\": no manifest declares this ImageStream; "
	  "did you mean 'base'?\n"
	  "7:50 warning: \"other/web:1\" is a tag of another stream: its image is copied once and not followed "
	  "afterwards: spec.tags[1].from.name\ntracking tags are limited to a single stream\n"
	  "7:50 warning: spec.tags[b].from.name: Not found: \"other/web\": no manifest declares this ImageStream\n" },
	{ "link/local", TAGS, "  - {name: a, from: " IMG ", referencePolicy: {type: Local}}\n",
	  "6:12 warning: spec.tags[a].referencePolicy: Local means the integrated registry, and the settings name none "
	  "(streams.registry): consumers pull from the source\n" },
	{ "link/local_registry", SETTINGS TAGS, "  - {name: a, from: " IMG ", referencePolicy: {type: Local}}\n", "" },
	{ "link/import_of_nothing", ISI, "  images: [{from: " IMG "}]\n",
	  "3:18 warning: ImageStreamImport/default/web@90586eadbd2e imports nothing: its spec.import is false, and there is no "
	  "ImageStream/default/web\n" },
};
/* clang-format on */

static void check_link(void **state)
{
	check(*state, true);
}

static const struct stream_spec *stream_spec_of(const struct loaded *l, const char *ns,
						const char *name)
{
	const struct object *object = model_find(&l->model, KIND_IMAGE_STREAM, ns, name);

	assert_non_null(object);
	return object->spec;
}

#define IMAGE_OF(digest) "image: {dockerImageReference: 'r.io/shop/web@" digest "'}\n"

static void test_stream__documents_are_attached_in_order_of_id(void **state)
{
	struct loaded l;
	const struct stream_spec *spec;
	const struct stream_mapping_spec *mapping;

	(void)state;
	manifest_load(&l,
		      ISM "metadata: {name: web}\ntag: b\n" IMAGE_OF(
			      D1) "---\n" ISM
				  "metadata: {name: web}\n" IMAGE_OF(
					  D2) "---\n" ISM
					      "metadata: {}\ntag: a\ndockerImageRepository: "
					      "r.io/default/web\n" IMAGE_OF(D1) "---\n" IST(
						      "web:2") "lookupPolicy: {local: "
							       "true}\n---\n" IST(
								       "web:1") "---"
										"\n" ISI "  "
										"import:"
										" true\n"
										"  "
										"images:"
										" [{"
										"from:"
										" " IMG "}]\n---"
										"\n" ISI "  "
										"import:"
										" true\n"
										"  "
										"images:"
										" [{"
										"from:"
										" " IMG ", to: "
										"{name: "
										"other}}"
										"]\n---"
										"\n"
										"apiVers"
										"ion: "
										"v1\nkin"
										"d: "
										"ImageSt"
										"ream\nm"
										"etadata"
										": "
										"{name: "
										"web, "
										"namespa"
										"ce: "
										"shop}"
										"\n",
		      true);
	assert_string_equal(manifest_said(&l), "");
	spec = stream_spec_of(&l, "default", "web");
	assert_true(spec->is_local_lookup);
	assert_int_equal(spec->tags.n, 0);
	assert_int_equal(spec->mappings.n, 3);
	assert_string_equal(spec->mappings.v[0]->id, "ImageStreamMapping/default/web:a");
	assert_string_equal(spec->mappings.v[1]->id, "ImageStreamMapping/default/web:b");
	assert_string_equal(spec->mappings.v[2]->id, "ImageStreamMapping/default/web:latest");
	mapping = spec->mappings.v[2]->spec;
	assert_string_equal(mapping->image->name, D2);
	assert_int_equal(spec->tag_documents.n, 2);
	assert_string_equal(spec->tag_documents.v[0]->id, "ImageStreamTag/default/web:1");
	assert_string_equal(spec->tag_documents.v[1]->id, "ImageStreamTag/default/web:2");
	assert_int_equal(spec->imports.n, 2);
	assert_string_not_equal(spec->imports.v[0]->id, spec->imports.v[1]->id);
	spec = stream_spec_of(&l, "shop", "web");
	assert_int_equal(spec->mappings.n + spec->imports.n + spec->tag_documents.n, 0);
	/* The stream that was made stands among the others, in order, at the place of its first document. */
	for (size_t i = 1; i < l.model.objects.n; i++)
		assert_true(strcmp(l.model.objects.v[i - 1]->id, l.model.objects.v[i]->id) < 0);
	for (size_t i = 0; i < l.model.objects.n; i++)
		assert_int_equal(l.model.objects.v[i]->index, i);
	assert_int_equal(model_find(&l.model, KIND_IMAGE_STREAM, "default", "web")->pos.line, 35);
	arena_free(l.arena);
}

static const char *import_key_of(const char *text)
{
	static char key[128];
	struct loaded l;
	const struct stream_import_spec *import;

	manifest_load(&l, text, false);
	assert_string_equal(manifest_said(&l), "");
	import = l.model.objects.v[0]->spec;
	(void)snprintf(key, sizeof(key), "%s", import->key);
	arena_free(l.arena);
	return key;
}

/* The same request in another order or spelling is the same; another one, or one that is asked for again, is not. */
static void test_stream__import_keys(void **state)
{
	char first[128];

	(void)state;
	(void)snprintf(first, sizeof(first), "%s",
		       import_key_of(ISI "  import: true\n  images: [{from: " IMG "}]\n"));
	assert_string_equal(
		first, import_key_of("kind: ImageStreamImport\nspec:\n  images:\n  - from:\n"
				     "      name: r.io/web:1\n      kind: DockerImage\n"
				     "  import: true\nmetadata: {name: web, namespace: default, "
				     "labels: {a: b}}\napiVersion: v1\n"));
	assert_string_not_equal(first, import_key_of(ISI "  import: true\n  images: [{from: " IMG
							 ", to: {name: x}}]\n"));
	assert_string_not_equal(
		first,
		import_key_of(
			"apiVersion: v1\nkind: ImageStreamImport\nmetadata: {name: web, "
			"annotations: {again: '2'}}\nspec: {import: true, images: [{from: " IMG
			"}]}\n"));
}

static void test_stream__a_tag_of_its_own_has_its_documents_annotations(void **state)
{
	struct loaded l;
	const struct stream_tag_spec *own;

	(void)state;
	manifest_load(&l,
		      "apiVersion: v1\nkind: ImageStreamTag\nmetadata:\n  name: web:1\n"
		      "  annotations: {reconcile.dev/import-interval: 5m}\n"
		      "tag: {from: " IMG ", importPolicy: {scheduled: true}}\n",
		      true);
	assert_string_equal(manifest_said(&l), "");
	own = l.model.objects.v[1]->spec;
	assert_string_equal(own->stream, "web");
	assert_string_equal(own->tag_name, "1");
	assert_string_equal(own->tag->name, "1");
	assert_string_equal(own->tag->reference_policy, "Source");
	assert_string_equal(pairs_get(&own->tag->annotations, "reconcile.dev/import-interval"),
			    "5m");
	arena_free(l.arena);
}

int main(void)
{
	const struct CMUnitTest more[] = {
		cmocka_unit_test(test_stream__documents_are_attached_in_order_of_id),
		cmocka_unit_test(test_stream__import_keys),
		cmocka_unit_test(test_stream__a_tag_of_its_own_has_its_documents_annotations),
	};
	struct CMUnitTest tests[COUNTOF(rows) + COUNTOF(links) + COUNTOF(more)];
	size_t n = 0;

	for (size_t i = 0; i < COUNTOF(rows); i++)
		tests[n++] = (struct CMUnitTest){ rows[i].name, check_row, NULL, NULL,
						  (void *)(uintptr_t)&rows[i] };
	for (size_t i = 0; i < COUNTOF(links); i++)
		tests[n++] = (struct CMUnitTest){ links[i].name, check_link, NULL, NULL,
						  (void *)(uintptr_t)&links[i] };
	for (size_t i = 0; i < COUNTOF(more); i++)
		tests[n++] = more[i];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
