/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_stream_report.c — streams and images as the requirement document shows them, and oc's own test vectors.
 * The document was printed: long lines are wrapped (joined again here), and the tabs that oc writes were turned into blanks,
 * of another number in every example (21 and 22 columns in one). So its examples are compared with each run of blanks and tabs
 * as one, line by line, and one of them also byte by byte as oc's tabwriter writes it. Its digests are cut short; they are
 * filled up with zeros here, since what is recorded is checked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/base/time.h"
#include "model/doc/yaml.h"
#include "model/kind/status.h"
#include "reconcile/report/stream_report.h"

#define DIGEST  "sha256:49c18358df82f4577386404991c51a9559f243e0b1bdc366df25000000000000"
#define FULL(c) "sha256:" c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c

static const struct node *parse(const char *text, struct arena *arena)
{
	struct source_file file = { .path = "test.yaml", .text = text, .len = strlen(text) };
	struct documents documents = { 0 };
	struct diags diags;

	diags_init(&diags, arena);
	yaml_parse(&file, arena, &documents, &diags);
	assert_int_equal(diags.n_errors, 0);
	assert_int_equal(documents.n, 1);
	return documents.v[0];
}

static struct stream_status *stream(const char *text, struct arena *arena)
{
	void *status;
	struct err err = { 0 };

	if (!status_read(KIND_IMAGE_STREAM, parse(text, arena), arena, &status, &err))
		fail_msg("%s", err.text);
	return status;
}

static int64_t at(const char *text)
{
	int64_t time_s = 0;

	assert_true(time_parse(text, &time_s));
	return time_s;
}

/* Each run of blanks and tabs is one blank. */
static char *squeezed(const char *text, struct arena *arena)
{
	struct buf out = BUF_INIT(1 << 20);
	char *copy;

	for (; *text; text++) {
		bool is_blank = *text == ' ' || *text == '\t';

		if (!is_blank || (text[1] != ' ' && text[1] != '\t'))
			buf_byte(&out, is_blank ? ' ' : *text);
	}
	copy = buf_copy(&out, arena);
	buf_release(&out);
	return copy;
}

static const char *described(const struct described_stream *view, struct arena *arena)
{
	struct buf out = BUF_INIT(1 << 20);
	const char *text;

	stream_describe(view, arena, &out);
	text = buf_copy(&out, arena);
	buf_release(&out);
	return text;
}

static const char one_tag[] =
	"apiVersion: image.openshift.io/v1\nkind: ImageStream\n"
	"metadata:\n  name: python\n  namespace: default\n"
	"  creationTimestamp: \"2017-10-02T17:05:11Z\"\n  generation: 1\n"
	"  annotations: {openshift.io/image.dockerRepositoryCheck: \"2017-10-02T17:05:11Z\"}\n"
	"spec:\n  tags:\n  - name: \"3.5\"\n    generation: 1\n"
	"    from: {kind: DockerImage, name: centos/python-35-centos7}\n"
	"status:\n  dockerImageRepository: docker-registry.default.svc:5000/default/python\n"
	"  tags:\n  - tag: \"3.5\"\n    items:\n"
	"    - {created: \"2017-10-02T17:05:11Z\", generation: 2, image: \"" DIGEST "\",\n"
	"       dockerImageReference: \"centos/python-35-centos7@" DIGEST "\"}\n";

static void test_stream_describe__reads_like_the_requirement(void **state)
{
	static const char want[] =
		"Name:                python\n"
		"Namespace:           default\n"
		"Created:              About a minute ago\n"
		"Labels:               <none>\n"
		"Annotations:          "
		"openshift.io/image.dockerRepositoryCheck=2017-10-02T17:05:11Z\n"
		"Docker Pull Spec:     docker-registry.default.svc:5000/default/python\n"
		"Image Lookup:         local=false\n"
		"Unique Images:        1\n"
		"Tags:                 1\n"
		"\n"
		"3.5\n"
		"  tagged from centos/python-35-centos7\n"
		"\n"
		"  * centos/python-35-centos7@" DIGEST "\n"
		"    About a minute ago\n";
	struct arena *arena = arena_new();
	const struct described_stream view = { .ns = "default",
					       .name = "python",
					       .status = stream(one_tag, arena),
					       .now_s = at("2017-10-02T17:06:15Z") };

	(void)state;
	assert_string_equal(squeezed(described(&view, arena), arena), squeezed(want, arena));
	arena_free(arena);
}

static void test_stream_describe__has_the_bytes_of_oc(void **state)
{
	static const char want[] =
		"Name:\t\t\tpython\n"
		"Namespace:\t\tdefault\n"
		"Created:\t\tAbout a minute ago\n"
		"Labels:\t\t\t<none>\n"
		"Annotations:\t\topenshift.io/image.dockerRepositoryCheck=2017-10-02T17:05:11Z\n"
		"Docker Pull Spec:\tdocker-registry.default.svc:5000/default/python\n"
		"Image Lookup:\t\tlocal=false\n"
		"Unique Images:\t\t1\n"
		"Tags:\t\t\t1\n"
		"\n"
		"3.5\n"
		"  tagged from centos/python-35-centos7\n"
		"\n"
		"  * centos/python-35-centos7@" DIGEST "\n"
		"      About a minute ago\n";
	struct arena *arena = arena_new();
	const struct described_stream view = { .ns = "default",
					       .name = "python",
					       .status = stream(one_tag, arena),
					       .now_s = at("2017-10-02T17:06:15Z") };

	(void)state;
	assert_string_equal(described(&view, arena), want);
	arena_free(arena);
}

/* After `tag python:3.5 python:latest`: one image, two tags, latest first. */
static void test_stream_describe__shows_a_tag_of_a_tag(void **state)
{
	static const char text[] =
		"apiVersion: image.openshift.io/v1\nkind: ImageStream\n"
		"metadata:\n  name: python\n  namespace: default\n"
		"  creationTimestamp: \"2017-10-02T17:05:11Z\"\n  generation: 2\n"
		"  annotations: {openshift.io/image.dockerRepositoryCheck: "
		"\"2017-10-02T17:05:11Z\"}\n"
		"spec:\n  tags:\n  - name: \"3.5\"\n    generation: 1\n"
		"    from: {kind: DockerImage, name: centos/python-35-centos7}\n"
		"  - name: latest\n    generation: 2\n"
		"    from: {kind: ImageStreamImage, name: \"python@" DIGEST "\"}\n"
		"status:\n  dockerImageRepository: "
		"docker-registry.default.svc:5000/default/python\n"
		"  tags:\n  - tag: \"3.5\"\n    items:\n"
		"    - {created: \"2017-10-02T17:05:11Z\", generation: 2, image: \"" DIGEST "\",\n"
		"       dockerImageReference: \"centos/python-35-centos7@" DIGEST "\"}\n"
		"  - tag: latest\n    items:\n"
		"    - {created: \"2017-10-02T17:09:00Z\", generation: 2, image: \"" DIGEST "\",\n"
		"       dockerImageReference: \"centos/python-35-centos7@" DIGEST "\"}\n";
	static const char want[] =
		"Name:                python\n"
		"Namespace:           default\n"
		"Created:             5 minutes ago\n"
		"Labels:              <none>\n"
		"Annotations:         "
		"openshift.io/image.dockerRepositoryCheck=2017-10-02T17:05:11Z\n"
		"Docker Pull Spec:    docker-registry.default.svc:5000/default/python\n"
		"Image Lookup:        local=false\n"
		"Unique Images:       1\n"
		"Tags:                2\n"
		"\n"
		"latest\n"
		"  tagged from python@" DIGEST "\n"
		"\n"
		"  * centos/python-35-centos7@" DIGEST "\n"
		"    About a minute ago\n"
		"\n"
		"3.5\n"
		"  tagged from centos/python-35-centos7\n"
		"\n"
		"  * centos/python-35-centos7@" DIGEST "\n"
		"    5 minutes ago\n";
	struct arena *arena = arena_new();
	const struct described_stream view = { .ns = "default",
					       .name = "python",
					       .status = stream(text, arena),
					       .now_s = at("2017-10-02T17:10:15Z") };

	(void)state;
	assert_string_equal(squeezed(described(&view, arena), arena), squeezed(want, arena));
	arena_free(arena);
}

/* The first example: two images, labels and annotations of the manifest beside the recorded one. */
static void test_stream_describe__shows_labels_and_annotations(void **state)
{
#define IMAGE_34 "sha256:28178e2352d31f240de1af1370be855db33ae9782de737bb005247d8791a54d0"
#define IMAGE_35 "sha256:2efb79ca3ac9c9145a63675fb0c09220ab3b8d4005d35e0644417ee552548b10"
	static const char text[] =
		"apiVersion: image.openshift.io/v1\nkind: ImageStream\n"
		"metadata:\n  name: python\n  namespace: imagestream\n"
		"  creationTimestamp: \"2017-10-02T18:48:30Z\"\n  generation: 2\n"
		"  annotations: {openshift.io/image.dockerRepositoryCheck: "
		"\"2017-10-03T19:48:00Z\"}\n"
		"spec:\n  tags:\n"
		"  - {name: \"35\", generation: 1, from: {kind: DockerImage, name: "
		"centos/python-35-centos7}}\n"
		"  - {name: \"34\", generation: 2, from: {kind: DockerImage, name: "
		"centos/python-34-centos7}}\n"
		"status:\n  dockerImageRepository: "
		"docker-registry.default.svc:5000/imagestream/python\n"
		"  tags:\n  - tag: \"34\"\n    items:\n"
		"    - {created: \"2017-10-03T19:48:00Z\", generation: 3, image: \"" IMAGE_34
		"\",\n"
		"       dockerImageReference: \"centos/python-34-centos7@" IMAGE_34 "\"}\n"
		"  - tag: \"35\"\n    items:\n"
		"    - {created: \"2017-10-03T19:48:07Z\", generation: 2, image: \"" IMAGE_35
		"\",\n"
		"       dockerImageReference: \"centos/python-35-centos7@" IMAGE_35 "\"}\n";
	static const char want[] =
		"Name:                python\n"
		"Namespace:           imagestream\n"
		"Created:             25 hours ago\n"
		"Labels:              app=python\n"
		"Annotations:         openshift.io/generated-by=OpenShiftWebConsole\n"
		"                    "
		"openshift.io/image.dockerRepositoryCheck=2017-10-03T19:48:00Z\n"
		"Docker Pull Spec:    docker-registry.default.svc:5000/imagestream/python\n"
		"Image Lookup:        local=false\n"
		"Unique Images:       2\n"
		"Tags:                2\n"
		"\n"
		"34\n"
		"  tagged from centos/python-34-centos7\n"
		"\n"
		"  * centos/python-34-centos7@" IMAGE_34 "\n"
		"    14 seconds ago\n"
		"\n"
		"35\n"
		"  tagged from centos/python-35-centos7\n"
		"\n"
		"  * centos/python-35-centos7@" IMAGE_35 "\n"
		"    7 seconds ago\n";
	struct arena *arena = arena_new();
	struct pair labels[] = { { .key = "app", .value = "python" } };
	struct pair annotations[] = { { .key = "openshift.io/generated-by",
					.value = "OpenShiftWebConsole" } };
	const struct meta meta = { .labels = { labels, 1, 1 },
				   .annotations = { annotations, 1, 1 } };
	const struct described_stream view = { .ns = "imagestream",
					       .name = "python",
					       .meta = &meta,
					       .status = stream(text, arena),
					       .now_s = at("2017-10-03T19:48:14Z") };

	(void)state;
	assert_string_equal(squeezed(described(&view, arena), arena), squeezed(want, arena));
	arena_free(arena);
}

static void has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("not in the description: %s\n---\n%s", part, text);
}

/* All forms of tags, as oc's TestFormatImageStreamTags has them. */
static void test_stream_describe__knows_all_forms_of_tags(void **state)
{
	static const char text[] =
		"apiVersion: image.openshift.io/v1\nkind: ImageStream\n"
		"metadata: {name: mysql, namespace: foo, generation: 9}\n"
		"spec:\n  tags:\n"
		"  - name: spec1\n    generation: 3\n"
		"    annotations: {description: \"A\\e[31m database\", tags: \"builder,sql\", "
		"supports: \"mysql:5\", sampleRepo: \"https://example.com/x.git\"}\n"
		"    from: {kind: ImageStreamTag, name: \"bar:latest\", namespace: foo2}\n"
		"  - name: spec2\n    generation: 2\n    importPolicy: {insecure: true}\n"
		"    referencePolicy: {type: Local}\n"
		"    from: {kind: ImageStreamImage, name: \"latest@" FULL(
			"e5") "\", namespace: "
			      "mysql}\n"
			      "  - name: spec3\n    generation: 1\n    importPolicy: {scheduled: "
			      "true}\n"
			      "    from: {kind: DockerImage, name: mysql}\n"
			      "  - name: spec4\n    generation: 1\n    reference: true\n"
			      "    from: {kind: DockerImage, name: \"mysql:2\"}\n"
			      "  - name: spec5\n"
			      "  - name: alias\n    generation: 1\n"
			      "    from: {kind: ImageStreamTag, name: spec3}\n"
			      "status:\n  tags:\n"
			      "  - tag: default\n    items:\n"
			      "    - {created: \"2015-03-24T09:38:00Z\", generation: 1, image: "
			      "\"" FULL(
				      "c1") "\",\n"
					    "       dockerImageReference: "
					    "\"localhost:5000/foo/bar@" FULL(
						    "c2") "\"}\n"
							  "    - {created: "
							  "\"2015-03-23T07:38:00Z\", generation: "
							  "1, image: \"" FULL(
								  "c3") "\",\n"
									"       "
									"dockerImageReference: "
									"\"localhost:5000/foo/"
									"bar@" FULL(
										"c3") "\"}\n"
										      "  - tag: "
										      "spec3\n    "
										      "items:\n"
										      "    - "
										      "{created: "
										      "\"2015-03-"
										      "24T09:38:"
										      "00Z\", "
										      "generation: "
										      "1, image: "
										      "\"\",\n"
										      "       "
										      "dockerImageR"
										      "eference: "
										      "\"mysql:1\"}"
										      "\n"
										      "  - tag: "
										      "spec2\n    "
										      "conditions:"
										      "\n"
										      "    - "
										      "{type: "
										      "ImportSucces"
										      "s, status: "
										      "\"False\", "
										      "reason: "
										      "NotFound, "
										      "generation: "
										      "1,\n"
										      "       "
										      "message: "
										      "Image not "
										      "found due "
										      "to error, "
										      "lastTransiti"
										      "onTime: "
										      "\"2015-03-"
										      "24T09:28:"
										      "00Z\"}\n";
	struct arena *arena = arena_new();
	const struct described_stream view = { .ns = "foo",
					       .name = "mysql",
					       .status = stream(text, arena),
					       .now_s = at("2015-03-24T09:48:00Z") };
	const char *got = described(&view, arena);

	(void)state;
	has(got, "\nUnique Images:\t\t3\nTags:\t\t\t7\n\n");
	has(got, "\ndefault\n  no spec tag\n\n  * localhost:5000/foo/bar@" FULL(
			 "c2") "\n      10 minutes ago\t" FULL("c1") "\n    "
								     "localhost:5000/foo/"
								     "bar@" FULL("c3") "\n  "
										       "    "
										       "26 "
										       "hour"
										       "s "
										       "ago"
										       "\n");
	has(got, "\nspec1\n  tagged from foo2/bar:latest\n\n  A\\x1b[31m database\n  Tags: "
		 "builder, sql\n  Supports: mysql:5\n  Example Repo: "
		 "https://example.com/x.git\n\n  ~ importing latest image ...\n");
	has(got, "\nspec2\n  tagged from mysql/latest@" FULL(
			 "e5") "\n    will use insecure HTTPS or HTTP connections\n    "
			       "prefer registry pullthrough when referencing this tag\n\n  "
			       "~ importing latest image ...\n  ! error: Import failed "
			       "(NotFound): Image not found due to error\n      20 minutes "
			       "ago\n");
	has(got, "\nspec3 (alias)\n  updates automatically from registry mysql\n\n  * "
		 "mysql:1\n      10 minutes ago\n");
	has(got, "\nspec4\n  reference to registry mysql:2\n\n");
	has(got, "\nspec5\n  tag without source image\n\n");
	assert_null(strstr(got, "\nalias\n"));
	assert_null(strstr(got, "Created:"));
	arena_free(arena);
}

static int64_t due_in_an_hour(void *ctx, const char *tag)
{
	(void)ctx;
	return strcmp(tag, "3.5") == 0 ? 1506963911 + 3600 : 0;
}

static void test_stream_describe__says_when_a_check_is_due(void **state)
{
	struct arena *arena = arena_new();
	struct described_stream view = { .ns = "default",
					 .name = "python",
					 .status = stream(one_tag, arena),
					 .now_s = 1506963911,
					 .due_s = due_in_an_hour };

	(void)state;
	assert_non_null(strstr(described(&view, arena),
			       "    next check due 2017-10-02T18:05:11Z (in About an hour)\n\n"));
	view.now_s += 2 * 3600;
	assert_non_null(strstr(described(&view, arena),
			       "    next check due 2017-10-02T18:05:11Z (with the next run)\n"));
	arena_free(arena);
}

static void test_stream_describe__has_no_tags(void **state)
{
	struct arena *arena = arena_new();
	const struct described_stream view = {
		.ns = "default",
		.name = "empty",
		.status = stream("apiVersion: image.openshift.io/v1\nkind: ImageStream\n"
				 "metadata: {name: empty, namespace: default}\nstatus: {}\n",
				 arena)
	};

	(void)state;
	assert_string_equal(described(&view, arena), "Name:\t\t\tempty\nNamespace:\t\tdefault\n"
						     "Labels:\t\t\t<none>\nAnnotations:\t\t<none>\n"
						     "Docker Pull Spec:\t<none>\n"
						     "Image Lookup:\t\tlocal=false\n"
						     "Tags:\t\t\t<none>\n");
	arena_free(arena);
}

static void test_stream_tags_cell__is_forty_wide(void **state)
{
	static const char text[] =
		"apiVersion: image.openshift.io/v1\nkind: ImageStream\n"
		"metadata: {name: x, namespace: default}\nspec:\n  tags:\n"
		"  - {name: \"10.1.1\"}\n  - {name: \"10.1.2\"}\n  - {name: \"10.1.3\"}\n"
		"  - {name: \"10.1.4\"}\n  - {name: \"10.1.5\"}\n  - {name: \"10.1.6\"}\n"
		"  - {name: latest}\nstatus: {}\n";
	struct arena *arena = arena_new();
	struct stream_status *status = stream(text, arena);

	(void)state;
	assert_string_equal(stream_tags_cell(status, arena),
			    "latest,10.1.6,10.1.5,10.1.4,10.1.3 + 2 more...");
	status->spec.tags.n = 2;
	assert_string_equal(stream_tags_cell(status, arena), "10.1.2,10.1.1");
	assert_int_equal(stream_updated_s(status), 0);
	arena_free(arena);
}

/* `oc describe istag/python:latest` of the requirement document. */
static void test_image_describe__reads_like_the_requirement(void **state)
{
	static const char text[] =
		"apiVersion: image.openshift.io/v1\nkind: Image\nmetadata: {name: \"" DIGEST "\"}\n"
		"dockerImageReference: \"centos/python-35-centos7@" DIGEST "\"\n"
		"dockerImageLayers:\n"
		"- {name: \"sha256:a\", size: 2898000}\n- {name: \"sha256:b\", size: 176000000}\n"
		"- {name: \"sha256:c\", size: 72260000}\n- {name: \"sha256:d\", size: 0}\n"
		"dockerImageMetadata:\n  kind: DockerImage\n  apiVersion: \"1.0\"\n"
		"  Architecture: amd64\n  Created: \"2017-09-15T10:00:00Z\"\n  Size: 251212345\n"
		"  Config:\n    Entrypoint: [container-entrypoint]\n"
		"    Cmd: [/bin/sh, -c, $STI_SCRIPTS_PATH/usage]\n"
		"    WorkingDir: /opt/app-root/src\n    User: \"1001\"\n"
		"    ExposedPorts: {8080/tcp: {}}\n    Labels: {build-date: \"20170801\"}\n";
	static const char want[] = "Image Name:          " DIGEST "\n"
				   "Docker Image:        centos/python-35-centos7@" DIGEST "\n"
				   "Name:                " DIGEST "\n"
				   "Created:              2 minutes ago\n"
				   "Image Size:           251.2 MB (first layer 2.898 MB, last "
				   "binary layer 72.26 MB)\n"
				   "Image Created:        2 weeks ago\n"
				   "Author:               <none>\n"
				   "Arch:                 amd64\n"
				   "Entrypoint:           container-entrypoint\n"
				   "Command:              /bin/sh -c $STI_SCRIPTS_PATH/usage\n"
				   "Working Dir:          /opt/app-root/src\n"
				   "User:                 1001\n"
				   "Exposes Ports:        8080/tcp\n"
				   "Docker Labels:        build-date=20170801\n";
	struct arena *arena = arena_new();
	const struct tag_event event = { .created_s = at("2017-10-02T17:05:11Z") };
	struct described_image view = { .name = DIGEST,
					.event = &event,
					.now_s = at("2017-10-02T17:07:15Z") };
	struct image_record record;
	struct buf out = BUF_INIT(1 << 16);
	struct err err = { 0 };

	(void)state;
	if (!image_record_read(parse(text, arena), arena, &record, &err))
		fail_msg("%s", err.text);
	view.record = &record;
	image_describe(&view, arena, &out);
	assert_string_equal(squeezed(buf_text(&out), arena), squeezed(want, arena));
	buf_clear(&out);
	view.is_verbose = true;
	image_describe(&view, arena, &out);
	assert_non_null(strstr(buf_text(&out), "\nLayers:\t\t2.898 MB\tsha256:a\n"
					       "\t\t176 MB\t\tsha256:b\n"));
	buf_release(&out);
	arena_free(arena);
}

static void test_image_describe__shows_the_images_of_an_index(void **state)
{
	static const char text[] =
		"apiVersion: image.openshift.io/v1\nkind: Image\nmetadata: {name: \"" FULL(
			"aa") "\"}\n"
			      "dockerImageReference: \"docker.io/library/python@" FULL(
				      "aa") "\"\n"
					    "dockerImageManifests:\n"
					    "- {digest: \"" FULL(
						    "bb") "\", mediaType: x, os: linux, "
							  "architecture: amd64}\n"
							  "- {digest: \"" FULL(
								  "cc") "\", mediaType: x, os: "
									"linux, architecture: "
									"arm64, variant: v8}\n";
	struct arena *arena = arena_new();
	struct described_image view = { .name = FULL("aa"), .now_s = 0 };
	struct image_record record;
	struct buf out = BUF_INIT(1 << 16);
	struct err err = { 0 };

	(void)state;
	if (!image_record_read(parse(text, arena), arena, &record, &err))
		fail_msg("%s", err.text);
	view.record = &record;
	image_describe(&view, arena, &out);
	assert_string_equal(
		buf_text(&out),
		"Image Name:\t" FULL(
			"aa") "\n"
			      "Docker Image:\tdocker.io/library/python@" FULL(
				      "aa") "\n"
					    "Name:\t\t" FULL(
						    "aa") "\n"
							  "Manifests:\tlinux/amd64\t" FULL(
								  "bb") "\n"
									"\t\tlinux/arm64/v8\t" FULL(
										"cc") "\n");
	buf_release(&out);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stream_describe__reads_like_the_requirement),
		cmocka_unit_test(test_stream_describe__has_the_bytes_of_oc),
		cmocka_unit_test(test_stream_describe__shows_a_tag_of_a_tag),
		cmocka_unit_test(test_stream_describe__shows_labels_and_annotations),
		cmocka_unit_test(test_stream_describe__knows_all_forms_of_tags),
		cmocka_unit_test(test_stream_describe__says_when_a_check_is_due),
		cmocka_unit_test(test_stream_describe__has_no_tags),
		cmocka_unit_test(test_stream_tags_cell__is_forty_wide),
		cmocka_unit_test(test_image_describe__reads_like_the_requirement),
		cmocka_unit_test(test_image_describe__shows_the_images_of_an_index),
	};

	return cmocka_run_group_tests_name("stream_report", tests, NULL, NULL);
}
