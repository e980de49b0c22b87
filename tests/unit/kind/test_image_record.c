/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_image_record.c — what is kept of an image: made of manifest and config, written and read back; what people are shown of
 * it, also of metadata whose keys stand in the wrong place; and the samples of OpenShift's documents.
 */
#include "manifest.h"

#include "model/kind/image_record.h"
#include "model/kind/stream.h"

#define HEX1 "47463d94eb5c049b2d23b03a9530bf944f8f967a0fe79147dd6b9135bf7dd13d"
#define HEX2 "909de62d1f609a717ec433cc25ca5cf00941545c83a01fb31527771e1fab3fc5"
#define HEX3 "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"
#define D1   "sha256:" HEX1
#define D2   "sha256:" HEX2
#define D3   "sha256:" HEX3

static const char config_json[] =
	"{\"architecture\":\"arm64\",\"variant\":\"v8\",\"os\":\"linux\",\"author\":\"Ann\","
	"\"created\":\"2026-01-02T03:04:05Z\",\"docker_version\":\"20.10\","
	"\"config\":{\"User\":\"1001\",\"WorkingDir\":\"/app\",\"Entrypoint\":[\"/run\"],"
	"\"Cmd\":[\"-v\",\"x\"],\"Env\":[\"B=2\",\"A=1\"],\"ExposedPorts\":{\"8080/tcp\":{},"
	"\"443/tcp\":{}},\"Volumes\":{\"/data\":{}},\"Labels\":{\"z\":\"1\",\"author\":\"label\"}},"
	"\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" D1 "\",\"" D1 "\",\"" D2 "\"]}}";

static struct image_record *make_record(struct arena *arena)
{
	struct descriptor layers[] = {
		{ .media_type = MEDIA_OCI_LAYER_GZIP, .digest = D3, .size_bytes = 100 },
		{ .media_type = MEDIA_OCI_LAYER_GZIP, .digest = D3, .size_bytes = 100 },
		{ .media_type = MEDIA_OCI_LAYER_GZIP, .digest = D2, .size_bytes = 30 },
	};
	const struct manifest manifest = {
		.media_type = MEDIA_OCI_MANIFEST,
		.config = { .digest = D2, .size_bytes = 7 },
		.layers = layers,
		.n_layers = COUNTOF(layers),
	};
	struct image_config config;
	struct err err = { 0 };

	if (!image_config_parse(config_json, strlen(config_json), arena, &config, &err))
		fail_msg("%s", err.text);
	return image_record_make("r.io/web@" D1, D1, &manifest, &config, arena);
}

static char *print(const struct node *node, struct arena *arena)
{
	struct buf text = BUF_INIT(1 << 20);
	char *copy;

	yaml_print(node, &text);
	copy = buf_copy(&text, arena);
	buf_release(&text);
	return copy;
}

static const char *const written = "apiVersion: image.openshift.io/v1\n"
				   "kind: Image\n"
				   "metadata:\n"
				   "  name: " D1 "\n"
				   "dockerImageReference: r.io/web@" D1 "\n"
				   "dockerImageMetadata:\n"
				   "  Architecture: arm64\n"
				   "  Author: Ann\n"
				   "  Config:\n"
				   "    Cmd:\n"
				   "    - -v\n"
				   "    - x\n"
				   "    Entrypoint:\n"
				   "    - /run\n"
				   "    Env:\n"
				   "    - B=2\n"
				   "    - A=1\n"
				   "    ExposedPorts:\n"
				   "      443/tcp: {}\n"
				   "      8080/tcp: {}\n"
				   "    Labels:\n"
				   "      author: label\n"
				   "      z: \"1\"\n"
				   "    User: \"1001\"\n"
				   "    Volumes:\n"
				   "      /data: {}\n"
				   "    WorkingDir: /app\n"
				   "  Created: \"2026-01-02T03:04:05Z\"\n"
				   "  DockerVersion: \"20.10\"\n"
				   "  Id: " D2 "\n"
				   "  Os: linux\n"
				   "  Size: 137\n"
				   "  Variant: v8\n"
				   "  apiVersion: \"1.0\"\n"
				   "  kind: DockerImage\n"
				   "dockerImageMetadataVersion: \"1.0\"\n"
				   "dockerImageLayers:\n"
				   "- name: " D3 "\n"
				   "  size: 100\n"
				   "  mediaType: " MEDIA_OCI_LAYER_GZIP "\n"
				   "- name: " D3 "\n"
				   "  size: 100\n"
				   "  mediaType: " MEDIA_OCI_LAYER_GZIP "\n"
				   "- name: " D2 "\n"
				   "  size: 30\n"
				   "  mediaType: " MEDIA_OCI_LAYER_GZIP "\n"
				   "dockerImageManifestMediaType: " MEDIA_OCI_MANIFEST "\n";

static struct image_record read_record(const char *text, struct arena *arena, struct err *err)
{
	const struct source_file file = { "state.yaml", text, strlen(text) };
	struct documents documents = { 0 };
	struct image_record record;
	struct diags diags;

	diags_init(&diags, arena);
	yaml_parse(&file, arena, &documents, &diags);
	assert_int_equal(diags.n_errors, 0);
	*err = (struct err){ 0 };
	if (!image_record_read(documents.v[0], arena, &record, err))
		assert_null(record.name);
	return record;
}

static void test_record__is_docker_shaped(void **state)
{
	struct arena *arena = arena_new();
	struct image_record *record = make_record(arena), again;
	struct err err;

	(void)state;
	assert_string_equal(print(image_record_encode(record, arena), arena), written);
	again = read_record(written, arena, &err);
	assert_int_equal(err.kind, ERR_NONE);
	assert_string_equal(print(image_record_encode(&again, arena), arena), written);
	arena_free(arena);
}

static void test_record__of_an_index(void **state)
{
	struct descriptor manifests[] = {
		{ .media_type = MEDIA_OCI_MANIFEST,
		  .digest = D2,
		  .size_bytes = 10,
		  .platform = { "linux", "arm64", "v8", NULL } },
		{ .media_type = MEDIA_OCI_MANIFEST,
		  .digest = D3,
		  .size_bytes = 0,
		  .platform = { "linux", "amd64", NULL, NULL } },
	};
	const struct image_index index = { MEDIA_OCI_INDEX, manifests, COUNTOF(manifests) };
	struct arena *arena = arena_new();
	struct image_record *record = image_record_index("r.io/web@" D1, D1, &index, arena), again;
	struct image_facts facts;
	struct err err;
	const char *text = print(image_record_encode(record, arena), arena);

	(void)state;
	assert_string_equal(text, "apiVersion: image.openshift.io/v1\n"
				  "kind: Image\n"
				  "metadata:\n"
				  "  name: " D1 "\n"
				  "dockerImageReference: r.io/web@" D1 "\n"
				  "dockerImageMetadataVersion: \"1.0\"\n"
				  "dockerImageManifests:\n"
				  "- digest: " D2 "\n"
				  "  mediaType: " MEDIA_OCI_MANIFEST "\n"
				  "  manifestSize: 10\n"
				  "  architecture: arm64\n"
				  "  os: linux\n"
				  "  variant: v8\n"
				  "- digest: " D3 "\n"
				  "  mediaType: " MEDIA_OCI_MANIFEST "\n"
				  "  architecture: amd64\n"
				  "  os: linux\n"
				  "dockerImageManifestMediaType: " MEDIA_OCI_INDEX "\n");
	again = read_record(text, arena, &err);
	assert_int_equal(err.kind, ERR_NONE);
	assert_string_equal(print(image_record_encode(&again, arena), arena), text);
	image_facts_read(&again, arena, &facts);
	assert_null(facts.arch);
	assert_int_equal(facts.size_bytes, 0);
	arena_free(arena);
}

static void test_record__paths(void **state)
{
	static const struct {
		const char *name, *path;
	} paths[] = {
		{ D1, "cluster/images/sha256/" HEX1 ".yaml" },
		{ "12345", "cluster/images/other/12345.yaml" },
		{ "../../x", "cluster/images/other/%2E.%2F..%2Fx.yaml" },
		{ ".git", "cluster/images/other/%2Egit.yaml" },
		{ "sha256:12", "cluster/images/other/sha256%3A12.yaml" },
		{ "A%\n", "cluster/images/other/%41%25%0A.yaml" },
		{ "", "cluster/images/other/"
		      "+e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855.yaml" },
	};
	struct arena *arena = arena_new();
	char *longest = arena_alloc(arena, 5000);

	(void)state;
	for (size_t i = 0; i < COUNTOF(paths); i++)
		assert_string_equal(image_record_path(paths[i].name, arena), paths[i].path);
	memset(longest, 'a', 4999);
	assert_true(strlen(image_record_path(longest, arena)) < 120);
	arena_free(arena);
}

#define RECORD "apiVersion: image.openshift.io/v1\nkind: Image\nmetadata: {name: " D1 "}\n"

static void test_record__what_does_not_hold_is_refused(void **state)
{
	static const struct {
		const char *text, *problem;
	} refused[] = {
		{ RECORD, "'dockerImageReference' is missing" },
		{ RECORD "dockerImageReference: ../x\n", "invalid reference format" },
		{ RECORD "dockerImageReference: a\ndockerImageMetadata: [1]\n", "not a mapping" },
		{ RECORD "dockerImageReference: a\ndockerImageLayers: [{name: x, size: -1}]\n",
		  "size" },
		{ RECORD "dockerImageReference: a\ndockerImageManifests: [{digest: x, mediaType: "
			 "y}]\n",
		  "no sha256 digest" },
		{ "apiVersion: image.openshift.io/v1\nkind: Image\nmetadata: {name: a/b}\n"
		  "dockerImageReference: a\n",
		  "the name of no image" },
		{ "apiVersion: kpack.io/v1alpha2\nkind: Image\nmetadata: {name: x}\n"
		  "dockerImageReference: a\n",
		  "'apiVersion' is not of image.openshift.io" },
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNTOF(refused); i++) {
		struct err err;

		read_record(refused[i].text, arena, &err);
		assert_int_equal(err.kind, ERR_INVALID);
		if (!strstr(err.text, refused[i].problem))
			fail_msg("%s\n%s", refused[i].text, err.text);
	}
	arena_free(arena);
}

static void test_facts__of_a_record_of_ours(void **state)
{
	struct arena *arena = arena_new();
	struct image_record *record = make_record(arena);
	struct image_facts facts;

	(void)state;
	image_facts_read(record, arena, &facts);
	assert_string_equal(facts.id, D2);
	assert_string_equal(facts.created, "2026-01-02T03:04:05Z");
	assert_string_equal(facts.author, "Ann");
	assert_string_equal(facts.arch, "arm64");
	assert_string_equal(facts.os, "linux");
	assert_string_equal(facts.user, "1001");
	assert_string_equal(facts.working_dir, "/app");
	assert_string_equal(facts.docker_version, "20.10");
	assert_int_equal(facts.entrypoint.n, 1);
	assert_int_equal(facts.cmd.n, 2);
	assert_string_equal(facts.cmd.v[0], "-v");
	assert_string_equal(facts.env.v[0], "B=2");
	assert_string_equal(facts.exposed_ports.v[1], "8080/tcp");
	assert_string_equal(facts.volumes.v[0], "/data");
	assert_string_equal(pairs_get(&facts.labels, "z"), "1");
	assert_int_equal(facts.size_bytes, 137);
	arena_free(arena);
}

/* OCI's spelling is read; labels are not mistaken for fields; layers are counted where no size is said. */
static void test_facts__of_other_spellings(void **state)
{
	struct arena *arena = arena_new();
	struct image_record record;
	struct image_facts facts;
	struct err err;

	(void)state;
	record = read_record(RECORD
			     "dockerImageReference: a\n"
			     "dockerImageMetadata:\n"
			     "  architecture: amd64\n"
			     "  os: linux\n"
			     "  created: 2026-01-02T03:04:05Z\n"
			     "  config:\n"
			     "    User: 7\n"
			     "    Labels: {Author: no, author: no, Id: no, Size: 5, on: true}\n"
			     "  ContainerConfig: {WorkingDir: /build, Cmd: [make]}\n"
			     "dockerImageLayers:\n"
			     "- {name: a, size: 10}\n- {name: b, size: 5}\n- {name: a, size: 10}\n",
			     arena, &err);
	assert_int_equal(err.kind, ERR_NONE);
	image_facts_read(&record, arena, &facts);
	assert_string_equal(facts.arch, "amd64");
	assert_string_equal(facts.os, "linux");
	assert_string_equal(facts.created, "2026-01-02T03:04:05Z");
	assert_string_equal(facts.user, "7");
	assert_null(facts.author);
	assert_null(facts.id);
	assert_int_equal(facts.labels.n, 5);
	assert_int_equal(facts.size_bytes, 15);
	assert_string_equal(facts.working_dir, "/build"); /* better than nothing */
	arena_free(arena);
}

/* ---- samples ---- */

static void test_sample__stream(void **state)
{
	static const char text[] =
		"apiVersion: v1\n"
		"kind: ImageStream\n"
		"metadata:\n"
		"  annotations:\n"
		"    openshift.io/generated-by: OpenShiftNewApp\n"
		"  creationTimestamp: 2017-09-29T13:33:49Z\n"
		"  generation: 1\n"
		"  labels:\n"
		"    app: ruby-sample-build\n"
		"    template: application-template-stibuild\n"
		"  name: origin-ruby-sample\n"
		"  namespace: test\n"
		"  resourceVersion: \"633\"\n"
		"  selflink: /oapi/v1/namespaces/test/imagestreams/origin-ruby-sample\n"
		"  uid: ee2b9405-c68c-11e5-8a99-525400f25e34\n"
		"spec: {}\n"
		"status:\n"
		"  dockerImageRepository: 172.30.56.218:5000/test/origin-ruby-sample\n"
		"  tags:\n"
		"    - items:\n"
		"        - created: 2017-09-02T10:15:09Z\n"
		"          dockerImageReference: 172.30.56.218:5000/test/origin-ruby-sample@" D1
		"\n"
		"          generation: 2\n"
		"          image: " D2 "\n"
		"        - created: 2017-09-29T13:40:11Z\n"
		"          dockerImageReference: 172.30.56.218:5000/test/origin-ruby-sample@" D2
		"\n"
		"          generation: 1\n"
		"          image: " D1 "\n"
		"          tag: latest\n";
	struct loaded l;
	const struct object *object;

	(void)state;
	manifest_load(&l, text, true);
	assert_string_equal(manifest_said(&l), "");
	object = model_find(&l.model, KIND_IMAGE_STREAM, "test", "origin-ruby-sample");
	assert_non_null(object);
	assert_int_equal(((const struct stream_spec *)object->spec)->tags.n, 0);
	assert_string_equal(pairs_get(&object->meta.labels, "app"), "ruby-sample-build");
	arena_free(l.arena);
}

#define MAPPING_HEAD                                                                               \
	"apiVersion: v1\n"                                                                         \
	"kind: ImageStreamMapping\n"                                                               \
	"metadata:\n"                                                                              \
	"  creationTimestamp: null\n"                                                              \
	"  name: origin-ruby-sample\n"                                                             \
	"  namespace: test\n"                                                                      \
	"tag: latest\n"                                                                            \
	"image:\n"                                                                                 \
	"  dockerImageLayers:\n"                                                                   \
	"    - name: " D3 "\n"                                                                     \
	"      size: 0\n"                                                                          \
	"    - name: sha256:ee1dd2cb6df21971f4af6de0f1d7782b81fb63156801cfde2bb47b4247c23c29\n"    \
	"      size: 196634330\n"                                                                  \
	"    - name: " D3 "\n"                                                                     \
	"      size: 0\n"                                                                          \
	"    - name: " D3 "\n"                                                                     \
	"      size: 0\n"                                                                          \
	"    - name: sha256:ca062656bff07f18bff46be00f40cfbb069687ec124ac0aa038fd676cfaea092\n"    \
	"      size: 177723024\n"                                                                  \
	"  dockerImageMetadata:\n"                                                                 \
	"    Architecture: amd64\n"                                                                \
	"    Config:\n"                                                                            \
	"      Cmd:\n"                                                                             \
	"        - /usr/libexec/s2i/run\n"                                                         \
	"      Entrypoint:\n"                                                                      \
	"        - container-entrypoint\n"                                                         \
	"      Env:\n"                                                                             \
	"        - RACK_ENV=production\n"                                                          \
	"        - OPENSIFT_BUILD_NAMESPACE=test\n"                                                \
	"        - STI_SCRIPTS_URL=image:///usr/libexec/s2i\n"                                     \
	"        - PROMPT_COMMAND=. /opt/app-root/etc/scl_enable\n"

/* Ports and labels, with their indentation; the container that built it; what is known besides. */
#define PORTS_AND_LABELS(in)                                                                       \
	in "ExposedPorts:\n" in "  8080/tcp: {}\n" in "Labels:\n" in                               \
	   "  build-date: 2015-12-23\n" in                                                         \
	   "  io.openshift.build.commit.message: 'Merge pull request #51 from "                    \
	   "php-coder/fix_url_and_sti'\n" in "  io.openshift.tags: builder,ruby,ruby22\n" in       \
	   "  license: GPLv2\n"
#define USER_AND_FOLDER(in) in "User: \"1001\"\n" in "WorkingDir: /opt/app-root/src\n"
#define CONTAINER(in)                                                                              \
	in "Container: 86e9a4a3c760271671ab913616c51c9f3cea846ca524bf07c04a6f6c9e103a76\n" in      \
	   "ContainerConfig:\n" in "  AttachStdout: true\n" in "  Cmd:\n" in "  - /bin/sh\n" in    \
	   "  - -c\n" in "  - tar -C /tmp -xf - && /usr/libexec/s2i/assemble\n" in                 \
	   "  User: \"0\"\n" in "  WorkingDir: /\n"
#define BESIDES(in)                                                                                \
	in "Created: 2016-01-29T13:40:00Z\n" in "DockerVersion: 1.8.2.fc21\n" in                   \
	   "Id: 9d7fd5e2d15495802028c569d544329f4286dcd1c9c085ff5699218dbaa69b43\n" in             \
	   "Parent: 57b08d979c86f4500dc8cad639c9518744c8dd39447c055a3517dc9c18d6fccd\n" in         \
	   "Size: 441976279\n" in "apiVersion: \"1.0\"\n" in "kind: DockerImage\n"
#define REFERENCE(in)                                                                              \
	in "dockerImageMetadataVersion: \"1.0\"\n" in                                              \
	   "dockerImageReference: 172.30.56.218:5000/test/origin-ruby-sample@" D1 "\n"

static const char mapping_sample[] = MAPPING_HEAD PORTS_AND_LABELS("      ")
	USER_AND_FOLDER("      ") CONTAINER("    ") BESIDES("    ") REFERENCE("  ");

/* As it is printed, with keys that slipped: ports and labels beside Config, all that follows a page break below Labels. */
static const char misplaced_sample[] = MAPPING_HEAD PORTS_AND_LABELS("    ")
	USER_AND_FOLDER("      ") CONTAINER("      ") BESIDES("        ") REFERENCE("        ");

static void check_mapping(struct loaded *l)
{
	const struct stream_mapping_spec *mapping;
	const struct stream_spec *stream;
	struct image_facts facts;
	const struct object *object =
		model_find(&l->model, KIND_IMAGE_STREAM, "test", "origin-ruby-sample");

	assert_non_null(object);
	stream = object->spec;
	assert_int_equal(stream->mappings.n, 1);
	mapping = stream->mappings.v[0]->spec;
	assert_string_equal(mapping->tag, "latest");
	assert_string_equal(mapping->image->name, D1);
	assert_string_equal(mapping->image->reference,
			    "172.30.56.218:5000/test/origin-ruby-sample@" D1);
	assert_int_equal(mapping->image->layers.n, 5);
	image_facts_read(mapping->image, l->arena, &facts);
	assert_string_equal(facts.arch, "amd64");
	assert_string_equal(facts.cmd.v[0], "/usr/libexec/s2i/run");
	assert_string_equal(facts.entrypoint.v[0], "container-entrypoint");
	assert_int_equal(facts.env.n, 4);
	assert_string_equal(facts.exposed_ports.v[0], "8080/tcp");
	assert_string_equal(pairs_get(&facts.labels, "io.openshift.tags"), "builder,ruby,ruby22");
	assert_string_equal(pairs_get(&facts.labels, "build-date"), "2015-12-23");
	assert_string_equal(facts.user, "1001");
	assert_string_equal(facts.working_dir, "/opt/app-root/src");
	assert_string_equal(facts.created, "2016-01-29T13:40:00Z");
	assert_string_equal(facts.docker_version, "1.8.2.fc21");
	assert_string_equal(facts.id,
			    "9d7fd5e2d15495802028c569d544329f4286dcd1c9c085ff5699218dbaa69b43");
	assert_int_equal(facts.size_bytes, 441976279);
	assert_null(facts.author);
}

static void test_sample__mapping(void **state)
{
	struct loaded l;

	(void)state;
	manifest_load(&l, mapping_sample, true);
	assert_string_equal(manifest_said(&l), "");
	check_mapping(&l);
	arena_free(l.arena);
}

static void test_sample__mapping_with_misplaced_keys(void **state)
{
	struct loaded l;

	(void)state;
	manifest_load(&l, misplaced_sample, true);
	assert_string_equal(manifest_said(&l),
			    "20:3 warning: dockerImageReference is written below "
			    "image.dockerImageMetadata, and belongs beside it: "
			    "image.dockerImageReference\n");
	check_mapping(&l);
	arena_free(l.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_record__is_docker_shaped),
		cmocka_unit_test(test_record__of_an_index),
		cmocka_unit_test(test_record__paths),
		cmocka_unit_test(test_record__what_does_not_hold_is_refused),
		cmocka_unit_test(test_facts__of_a_record_of_ours),
		cmocka_unit_test(test_facts__of_other_spellings),
		cmocka_unit_test(test_sample__stream),
		cmocka_unit_test(test_sample__mapping),
		cmocka_unit_test(test_sample__mapping_with_misplaced_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
