/* SPDX-License-Identifier: Apache-2.0 */
/*
 * * test_rules.c — one row per rule: what is changed in a manifest that is right, and all that is
 * said then, with its place. Texts: kpack.md §2.4–2.10.
 */
#include "manifest.h"

struct row {
	const char *name;
	const char *head; /* lines before spec's */
	const char *spec;
	const char *said;
};

#define IMAGE       "apiVersion: kpack.io/v1alpha2\nkind: Image\nmetadata: {name: app}\nspec:\n"
#define IMAGE1      "apiVersion: kpack.io/v1alpha1\nkind: Image\nmetadata: {name: app}\nspec:\n"
#define TAG         "  tag: sample/app\n"
#define BUILDER     "  builder: {kind: Builder, name: b}\n"
#define GIT         "  source: {git: {url: 'https://h/x', revision: main}}\n"
#define GOOD        TAG BUILDER GIT
#define KPACK(kind) "apiVersion: kpack.io/v1alpha2\nkind: " kind "\nmetadata: {name: x}\nspec:\n"
#define DIGEST      "sha256:95ff756f0ef0e026440a8523f4bab02fd8b45dc1a8a3a7ba063cefdba5cb9493"
#define LABEL_RULE                                                                                 \
	"a valid label must be an empty string or consist of alphanumeric characters, '-', "       \
	"'_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  "     \
	"or 'my_value',  or '12345', regex used for validation is "                                \
	"'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
#define LONG_NAME "this-image-name-that-is-too-long-some-sha-that-is-long-82cb521d636b28234"

static const struct row rows[] = {
	{ "image/good", IMAGE, GOOD, "" },
	{ "image/tag_missing", IMAGE, BUILDER GIT, "4:1 error: missing field(s): spec.tag\n" },
	{ "image/tag_empty", IMAGE, "  tag: ''\n" BUILDER GIT,
	  "5:8 error: missing field(s): spec.tag\n" },
	{ "image/tag_invalid", IMAGE, "  tag: ftp//x!X\n" BUILDER GIT,
	  "5:8 error: invalid value: ftp//x!X: spec.tag\n" },
	{ "image/tag_with_digest", IMAGE, "  tag: sample/app@" DIGEST "\n" BUILDER GIT,
	  "5:8 error: invalid value: sample/app@" DIGEST ": spec.tag\n" },
	{ "image/additional_tags_invalid", IMAGE,
	  GOOD "  additionalTags: [sample/ok, 'a b', 'sample/x@" DIGEST "']\n",
	  "8:31 error: invalid value: a b: spec.additionalTags[1]\n"
	  "8:38 error: invalid value: sample/x@" DIGEST ": spec.additionalTags[2]\n" },
	{ "image/additional_tags_elsewhere", IMAGE, GOOD "  additionalTags: [gcr.io/foo/bar]\n",
	  "8:3 error: all additionalTags must have the same registry as tag: spec.additionalTags\n"
	  "expected registry: index.docker.io, got: gcr.io\n" },
	{ "image/builder_missing", IMAGE, TAG GIT,
	  "4:1 error: missing field(s): spec.builder.name\n" },
	{ "image/builder_without_name", IMAGE, TAG "  builder: {kind: Builder}\n" GIT,
	  "6:3 error: missing field(s): spec.builder.name\n" },
	{ "image/builder_of_another_kind", IMAGE,
	  TAG "  builder: {kind: FakeBuilder, name: b}\n" GIT,
	  "6:19 error: invalid value: FakeBuilder: spec.builder.kind\n" },
	{ "image/builder_of_no_kind", IMAGE, TAG "  builder: {name: b}\n" GIT,
	  "6:3 error: missing field(s): spec.builder.kind\n" },
	{ "image/source_missing", IMAGE, TAG BUILDER,
	  "4:1 error: expected exactly one, got neither: spec.source.blob, spec.source.git, "
	  "spec.source.local, "
	  "spec.source.registry\n" },
	{ "image/source_twice", IMAGE,
	  TAG BUILDER "  source: {git: {url: u, revision: r}, blob: {url: u}}\n",
	  "7:3 error: expected exactly one, got both: spec.source.blob, spec.source.git\n" },
	{ "image/source_four_times", IMAGE,
	  TAG BUILDER
	  "  source: {git: {url: u}, blob: {url: u}, registry: {image: i}, local: {path: p}}\n",
	  "7:3 error: expected exactly one, got both: spec.source.blob, spec.source.git, "
	  "spec.source.local, "
	  "spec.source.registry\n" },
	{ "image/git_without_url", IMAGE, TAG BUILDER "  source: {git: {revision: r}}\n",
	  "7:12 error: missing field(s): spec.source.git.url\n" },
	{ "image/git_without_revision_is_fine", IMAGE, TAG BUILDER "  source: {git: {url: u}}\n",
	  "" },
	{ "image/blob_without_url", IMAGE, TAG BUILDER "  source: {blob: {url: ''}}\n",
	  "7:24 error: missing field(s): spec.source.blob.url\n" },
	{ "image/blob_auth", IMAGE, TAG BUILDER "  source: {blob: {url: u, auth: magic}}\n",
	  "7:33 error: invalid value: magic: spec.source.blob.auth\nmust be one of '', 'helper', "
	  "or 'secret'\n" },
	{ "image/blob_strip_components", IMAGE,
	  TAG BUILDER "  source: {blob: {url: u, stripComponents: -1}}\n",
	  "7:44 error: expected positive integer got -1: spec.source.blob.stripComponents\n" },
	{ "image/registry_without_image", IMAGE, TAG BUILDER "  source: {registry: {}}\n",
	  "7:12 error: missing field(s): spec.source.registry.image\n" },
	{ "image/registry_image_invalid", IMAGE,
	  TAG BUILDER "  source: {registry: {image: 'NOT@@an!!image'}}\n",
	  "7:30 error: invalid value: NOT@@an!!image: spec.source.registry.image\n" },
	{ "image/local_without_path", IMAGE, TAG BUILDER "  source: {local: {}}\n",
	  "7:12 error: missing field(s): spec.source.local.path\n" },
	{ "image/service_without_name", IMAGE, GOOD "  build: {services: [{kind: Secret}]}\n",
	  "8:22 error: missing field(s): spec.build.services[0].name\n" },
	{ "image/service_name_invalid", IMAGE,
	  GOOD "  build: {services: [{kind: Secret, name: '&'}]}\n",
	  "8:43 error: invalid value: &: spec.build.services[0].name\n" },
	{ "image/service_without_kind", IMAGE, GOOD "  build: {services: [{name: a}]}\n",
	  "8:22 error: missing field(s): spec.build.services[0].kind\n" },
	{ "image/service_twice", IMAGE,
	  GOOD "  build:\n    services:\n    - {name: apm, kind: Secret}\n    - {name: b, kind: "
	       "Secret}\n"
	       "    - {name: apm, kind: Secret}\n",
	  "12:14 error: duplicate service name \"apm\": spec.build.services[0].name, "
	  "spec.build.services[2].name\n" },
	{ "image/service_of_another_kind", IMAGE,
	  GOOD "  build: {services: [{name: a, kind: Provisioned}]}\n",
	  "8:38 warning: service bindings of kind Provisioned are not supported: "
	  "spec.build.services[0].kind\n" },
	{ "image/bindings_in_v1alpha2", IMAGE,
	  GOOD "  build: {cnbBindings: [{name: a, metadataRef: {name: m}}]}\n",
	  "8:11 error: use of this field has been deprecated in v1alpha2, please use v1alpha1 for "
	  "CNB bindings: "
	  "spec.build.cnbBindings\n" },
	{ "image/bindings_in_v1alpha1", IMAGE1,
	  GOOD "  build: {bindings: [{name: a, metadataRef: {name: m}}]}\n", "" },
	{ "image/binding_without_parts", IMAGE1, GOOD "  build: {cnbBindings: [{secretRef: {}}]}\n",
	  "8:25 error: missing field(s): spec.build.cnbBindings[0].metadataRef\n"
	  "8:25 error: missing field(s): spec.build.cnbBindings[0].name\n"
	  "8:26 error: missing field(s): spec.build.cnbBindings[0].secretRef.name\n" },
	{ "image/binding_twice", IMAGE1,
	  GOOD "  build:\n    cnbBindings:\n    - {name: apm, metadataRef: {name: m}}\n    - "
	       "{name: apm, metadataRef: {name: m}}\n",
	  "11:14 error: duplicate binding name \"apm\": spec.build.cnbBindings[0].name, "
	  "spec.build.cnbBindings[1].name\n" },
	{ "image/notary_in_v1alpha2", IMAGE,
	  GOOD "  notary: {v1: {url: u, secretRef: {name: s}}}\n",
	  "8:3 error: use of this field has been deprecated in v1alpha2, please use v1alpha1 for "
	  "notary image signing: "
	  "spec.notary\n" },
	{ "image/notary_without_url", IMAGE1, GOOD "  notary: {v1: {secretRef: {name: s}}}\n",
	  "8:12 error: missing field(s): spec.notary.v1.url\n" },
	{ "image/env_from_secret", IMAGE,
	  GOOD "  build: {env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: k}}}]}\n",
	  "8:39 error: secretKeyRef is not supported for build environment variables: "
	  "spec.build.env[0].valueFrom.secretKeyRef\n" },
	{ "image/node_selector_of_os", IMAGE,
	  GOOD "  build: {nodeSelector: {kubernetes.io/os: linux}}\n",
	  "8:11 error: invalid key name \"kubernetes.io/os\": spec.build.nodeSelector\nos is "
	  "determined automatically\n" },
	{ "image/creation_time", IMAGE, GOOD "  build: {creationTime: yesterday}\n",
	  "8:25 error: invalid value: yesterday: spec.build.creationTime\n" },
	{ "image/creation_time_as_number", IMAGE, GOOD "  build: {creationTime: 1566172801}\n",
	  "" },
	{ "image/quantity", IMAGE, GOOD "  build: {resources: {limits: {cpu: lots}}}\n",
	  "8:37 error: invalid value: lots: spec.build.resources.limits[cpu]\n"
	  "must be a quantity such as 2, 500m, 128M or 1.5Gi\n" },
	{ "image/failed_limit", IMAGE, GOOD "  failedBuildHistoryLimit: 0\n",
	  "8:28 error: build history limit must be greater than 0: "
	  "spec.failedBuildHistoryLimit\n" },
	{ "image/success_limit", IMAGE, GOOD "  successBuildHistoryLimit: -3\n",
	  "8:29 error: build history limit must be greater than 0: "
	  "spec.successBuildHistoryLimit\n" },
	{ "image/two_caches", IMAGE,
	  GOOD "  cache: {volume: {size: 1G}, registry: {tag: sample/cache}}\n",
	  "8:3 error: only one type of cache can be specified: spec.cache.registry, "
	  "spec.cache.volume\n" },
	{ "image/cosign", IMAGE,
	  GOOD "  cosign:\n    annotations:\n    - {name: '', value: v}\n    - {name: n}\n",
	  "10:14 error: missing field(s): spec.cosign.annotations[0].name, "
	  "spec.cosign.annotations[1].value\n" },
	{ "image/name_too_long",
	  "apiVersion: kpack.io/v1alpha2\nkind: Image\nmetadata: {name: " LONG_NAME "}\nspec:\n",
	  GOOD,
	  "3:18 error: invalid image name: " LONG_NAME
	  ", name must be a valid label: metadata.name\n"
	  "must be no more than 63 characters\n" },
	{ "image/name_no_label",
	  "apiVersion: kpack.io/v1alpha2\nkind: Image\nmetadata: {name: 'a b!'}\nspec:\n", GOOD,
	  "3:18 error: invalid image name: a b!, name must be a valid label: "
	  "metadata.name\n" LABEL_RULE "\n" },
	{ "image/name_missing", "apiVersion: kpack.io/v1alpha2\nkind: Image\nmetadata: {}\nspec:\n",
	  GOOD, "3:1 error: missing field(s): metadata.name\n" },
	{ "image/namespace_climbs",
	  "apiVersion: kpack.io/v1alpha2\nkind: Image\nmetadata: {name: a, namespace: "
	  "../x}\nspec:\n",
	  GOOD,
	  "3:32 error: invalid value: ../x: metadata.namespace\n"
	  "must be at most 63 lower case letters, digits or '-', and start and end with a letter "
	  "or digit\n" },
	{ "image/unknown_field", IMAGE, GOOD "  bulid: {}\n",
	  "8:3 warning: unknown field 'bulid' in Image spec; did you mean 'build'?\n" },
	{ "image/several_at_once", IMAGE, "  builder: {kind: FakeBuilder, name: b}\n" GIT,
	  "4:1 error: missing field(s): spec.tag\n5:19 error: invalid value: FakeBuilder: "
	  "spec.builder.kind\n" },
	{ "image/spec_missing", "apiVersion: kpack.io/v1alpha2\nkind: Image\nmetadata: {name: a}\n",
	  "", "1:1 error: missing field(s): spec\n" },
	{ "image/spec_is_a_list",
	  "apiVersion: kpack.io/v1alpha2\nkind: Image\nmetadata: {name: a}\nspec: []\n", "",
	  "4:1 error: expected a mapping for 'spec', found a sequence\n" },

	{ "builder/good", KPACK("Builder"),
	  TAG "  stack: {name: s}\n  order: [{group: [{id: a}]}]\n", "" },
	{ "builder/tag_missing", KPACK("Builder"), "  stack: {name: s}\n",
	  "4:1 error: missing field(s): spec.tag\n" },
	{ "builder/tag_invalid", KPACK("Builder"), "  tag: 'a b'\n  stack: {name: s}\n",
	  "5:8 error: invalid value: a b: spec.tag\n" },
	{ "builder/stack_missing", KPACK("Builder"), TAG,
	  "4:1 error: missing field(s): spec.stack.name\n" },
	{ "builder/stack_kind", KPACK("Builder"), TAG "  stack: {name: s, kind: FakeStack}\n",
	  "6:26 error: invalid value: FakeStack: spec.stack.kind\n" },
	{ "builder/store_kind", KPACK("Builder"),
	  TAG "  stack: {name: s}\n  store: {name: s, kind: FakeStore}\n",
	  "7:26 error: invalid value: FakeStore: spec.store.kind\nmust be one of ClusterStore\n" },
	{ "builder/order_kind", KPACK("Builder"),
	  TAG "  stack: {name: s}\n  order: [{group: [{name: n, kind: FakeBuildpack}]}]\n",
	  "7:36 error: invalid value: FakeBuildpack: spec.order[0].group[0].kind\n"
	  "must be one of Buildpack, ClusterBuildpack\n" },
	{ "builder/order_image", KPACK("Builder"),
	  TAG "  stack: {name: s}\n  order: [{group: [{image: sample/x}]}]\n",
	  "7:28 error: must not set the field(s): spec.order[0].group[0].image reference currently "
	  "not supported\n" },
	{ "builder/order_empty", KPACK("Builder"),
	  TAG "  stack: {name: s}\n  order: [{group: [{optional: true}]}]\n",
	  "7:20 error: expected exactly one, got neither: spec.order[0].group[0].id, "
	  "spec.order[0].group[0].image, "
	  "spec.order[0].group[0].name + kind\n" },
	{ "builder/ready_made", KPACK("Builder"), "  image: sample/builder\n", "" },
	{ "builder/ready_made_and_composed", KPACK("Builder"), TAG "  image: sample/builder\n",
	  "5:8 error: expected exactly one, got both: spec.image, spec.tag\n" },
	{ "clusterbuilder/account_missing", KPACK("ClusterBuilder"), TAG "  stack: {name: s}\n",
	  "4:1 error: missing field(s): spec.serviceAccountRef.name\n" },
	{ "clusterbuilder/account_without_namespace", KPACK("ClusterBuilder"),
	  TAG "  stack: {name: s}\n  serviceAccountRef: {name: a}\n",
	  "7:3 error: missing field(s): spec.serviceAccountRef.namespace\n" },

	{ "stack/empty", KPACK("ClusterStack"), "  {}\n",
	  "4:1 error: missing field(s): spec.buildImage.image\n4:1 error: missing field(s): "
	  "spec.id\n"
	  "4:1 error: missing field(s): spec.runImage.image\n" },
	{ "stack/image_invalid", KPACK("ClusterStack"),
	  "  id: i\n  buildImage: {image: 'x!'}\n  runImage: {image: sample/run}\n",
	  "6:23 error: invalid value: x!: spec.buildImage.image\n" },
	{ "stack/account", KPACK("ClusterStack"),
	  "  id: i\n  buildImage: {image: b}\n  runImage: {image: r}\n  serviceAccountRef: "
	  "{namespace: n}\n",
	  "8:3 error: missing field(s): spec.serviceAccountRef.name\n" },
	{ "store/sources_missing", KPACK("ClusterStore"), "  {}\n",
	  "4:1 error: missing field(s): spec.sources\n" },
	{ "store/sources_empty", KPACK("ClusterStore"), "  sources: []\n",
	  "5:3 error: missing field(s): spec.sources\n" },
	{ "store/source_invalid", KPACK("ClusterStore"),
	  "  sources: [{image: ok}, {image: 'x!'}]\n",
	  "5:26 error: invalid value: x!: spec.sources[1]\n" },
	{ "buildpack/image_missing", KPACK("Buildpack"), "  {}\n",
	  "4:1 error: missing field(s): spec.image\n" },
	{ "clusterbuildpack/image_invalid", KPACK("ClusterBuildpack"), "  image: 'x!'\n",
	  "5:10 error: invalid value: x!: spec.image\n" },
	{ "lifecycle/image_missing", KPACK("ClusterLifecycle"), "  {}\n",
	  "4:1 error: missing field(s): spec.image\n" },

	{ "secret/basic_auth_empty",
	  "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ntype: kubernetes.io/basic-auth\n", "",
	  "1:1 error: missing field(s): data[username], data[password]\n"
	  "a Secret of type kubernetes.io/basic-auth needs one of them\n" },
	{ "secret/basic_auth_password_alone",
	  "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ntype: "
	  "kubernetes.io/basic-auth\nstringData: {password: p}\n",
	  "", "" },
	{ "secret/basic_auth_from_outside",
	  "apiVersion: v1\nkind: Secret\nmetadata: {name: s, annotations: {reconcile.dev/from-env: "
	  "'password=PW, username=USER'}}\n"
	  "type: kubernetes.io/basic-auth\n",
	  "", "" },
	{ "secret/source_without_name",
	  "apiVersion: v1\nkind: Secret\nmetadata: {name: s, annotations: "
	  "{reconcile.dev/from-file: 'token'}}\n",
	  "",
	  "3:60 error: invalid value: token: metadata.annotations[reconcile.dev/from-file]\nmust "
	  "be KEY=NAME[,KEY=NAME…]\n" },
	{ "secret/ssh_auth",
	  "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ntype: "
	  "kubernetes.io/ssh-auth\nstringData: {key: k}\n",
	  "",
	  "1:1 error: missing field(s): data[ssh-privatekey]\na Secret of type "
	  "kubernetes.io/ssh-auth needs it\n" },
	{ "secret/docker_config_no_json",
	  "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ntype: "
	  "kubernetes.io/dockerconfigjson\n"
	  "stringData: {.dockerconfigjson: hunter2}\n",
	  "",
	  "1:1 error: invalid value: <secret contents redacted>: data[.dockerconfigjson]\nmust be "
	  "a JSON object\n" },
	{ "secret/base64", "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {k: 'a!b='}\n",
	  "", "4:11 error: illegal base64 data at input byte 1: data[k]\n" },
	{ "secret/number",
	  "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {pin: 1234}\n", "",
	  "4:19 error: expected a string for 'stringData[pin]', found a number; put it in "
	  "quotes\n" },
	{ "secret/key",
	  "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {../x: a}\n", "",
	  "4:20 error: invalid key name \"../x\": stringData\nmust consist of letters, digits, "
	  "'-', '_' or '.'\n" },

	{ "settings/good", "apiVersion: reconcile.dev/v1\nkind: Settings\n", "", "" },
	{ "settings/unknown", "apiVersion: reconcile.dev/v1\nkind: Settings\nregistires: []\n", "",
	  "3:1 warning: unknown field 'registires' in Settings; did you mean 'registries'?\n" },
	{ "settings/lease", "apiVersion: reconcile.dev/v1\nkind: Settings\nstate: {lease: soon}\n",
	  "",
	  "3:16 error: invalid value: soon: state.lease\nmust be a duration such as 90s, 15m or "
	  "1h30m\n" },
	{ "settings/lease_range",
	  "apiVersion: reconcile.dev/v1\nkind: Settings\nstate: {lease: 5s}\n", "",
	  "3:16 error: invalid value: 5s: state.lease\nmust be between 30s and 7d\n" },
	{ "settings/jobs", "apiVersion: reconcile.dev/v1\nkind: Settings\njobs: 100000\n", "",
	  "3:7 error: 'jobs' must be between 0 and 1024\n" },
	{ "settings/branch",
	  "apiVersion: reconcile.dev/v1\nkind: Settings\nstate: {branch: a..b}\n", "",
	  "3:17 error: invalid value: a..b: state.branch\nmust be the name of a branch\n" },
	{ "settings/prefix_with_scheme",
	  "apiVersion: reconcile.dev/v1\nkind: Settings\nregistries: [{prefix: 'https://x.io'}]\n",
	  "",
	  "3:23 error: invalid value: https://x.io: registries[0].prefix\nmust have no scheme: "
	  "write host[:port][/path]\n" },
	{ "settings/prefix_with_slash",
	  "apiVersion: reconcile.dev/v1\nkind: Settings\nregistries: [{prefix: x.io/}]\n", "",
	  "3:23 error: invalid value: x.io/: registries[0].prefix\nmust not end with '/'\n" },
	{ "settings/layout_and_mirror",
	  "apiVersion: reconcile.dev/v1\nkind: Settings\nregistries:\n- {prefix: x.io, layout: "
	  "./r, mirror: y.io}\n",
	  "",
	  "4:3 error: expected exactly one, got both: registries[0].layout, "
	  "registries[0].mirror\n" },
	{ "settings/prefix_twice",
	  "apiVersion: reconcile.dev/v1\nkind: Settings\nregistries: [{prefix: x.io}, {prefix: "
	  "x.io}]\n",
	  "",
	  "3:39 error: duplicate prefix \"x.io\": registries[0].prefix, registries[1].prefix\n" },

	{ "settings/streams_good",
	  "apiVersion: reconcile.dev/v1\nkind: Settings\nstreams:\n  registry: r.io:5000/p\n"
	  "  publicRegistry: r.example.com\n  interval: 1h\n  historyLimit: 3\n  maxTags: -1\n"
	  "  importMode: PreserveOriginal\n  platform: {os: linux, architecture: arm64}\n"
	  "  allowedRegistries: [{domainName: '*.io:5000', insecure: true}]\n",
	  "", "" },
	{ "settings/streams_interval",
	  "apiVersion: reconcile.dev/v1\nkind: Settings\nstreams: {interval: often}\n", "",
	  "3:21 error: invalid value: often: streams.interval\nmust be a duration such as 90s, 15m "
	  "or 1h30m\n" },
	{ "settings/streams_interval_range",
	  "apiVersion: reconcile.dev/v1\nkind: Settings\nstreams: {interval: 0s}\n", "",
	  "3:21 error: invalid value: 0s: streams.interval\nmust be between 1s and 365d\n" },
	{ "settings/streams_registry",
	  "apiVersion: reconcile.dev/v1\nkind: Settings\nstreams: {registry: 'r.io/x:1'}\n", "",
	  "3:21 error: invalid value: r.io/x:1: streams.registry\nmust have no tag and no "
	  "digest\n" },
	{ "settings/streams_public_alone",
	  "apiVersion: reconcile.dev/v1\nkind: Settings\nstreams: {publicRegistry: r.io}\n", "",
	  "3:27 error: missing field(s): streams.registry, which streams.publicRegistry is another "
	  "name of\n" },
	{ "settings/streams_import_mode",
	  "apiVersion: reconcile.dev/v1\nkind: Settings\nstreams: {importMode: All}\n", "",
	  "3:23 error: unsupported value 'All' for 'streams.importMode'; supported: Legacy, "
	  "PreserveOriginal\n" },
	{ "settings/streams_max_tags",
	  "apiVersion: reconcile.dev/v1\nkind: Settings\nstreams: {maxTags: -2}\n", "",
	  "3:20 error: 'streams.maxTags' must be between -1 and 10000\n" },
	{ "settings/wrong_types",
	  "apiVersion: reconcile.dev/v1\nkind: Settings\nstate: {branch: [], lease: {}}\n"
	  "streams: {interval: [], platform: {os: [], architecture: ''}}\n",
	  "",
	  "3:9 error: expected a string for 'state.branch', found a sequence\n"
	  "3:21 error: expected a string for 'state.lease', found a mapping\n"
	  "4:11 error: expected a string for 'streams.interval', found a sequence\n"
	  "4:36 error: expected a string for 'streams.platform.os', found a sequence\n"
	  "4:58 error: missing field(s): streams.platform.architecture\n" },
	{ "settings/streams_allowed",
	  "apiVersion: reconcile.dev/v1\nkind: Settings\nstreams:\n  allowedRegistries:\n"
	  "  - domainName: a:1:2\n  - domainName: https://r.io\n  - domainName: r.io/x\n"
	  "  - domainName: 'r.io:'\n",
	  "",
	  "5:17 error: invalid value: a:1:2: streams.allowedRegistries[0].domainName\nhas too many "
	  "colons: write host[:port]\n"
	  "6:17 error: invalid value: https://r.io: streams.allowedRegistries[1].domainName\nmust "
	  "have no scheme: write host[:port]\n"
	  "7:17 error: invalid value: r.io/x: streams.allowedRegistries[2].domainName\nmust be "
	  "host[:port], without a path\n"
	  "8:17 error: invalid value: r.io:: streams.allowedRegistries[3].domainName\nmust be of "
	  "the form host[:port]\n" },

	{ "kind/misspelt", "apiVersion: kpack.io/v1alpha2\nkind: Imgae\n", "",
	  "2:7 error: unknown kind 'Imgae' in kpack.io/v1alpha2; did you mean 'Image'?\n" },
	{ "kind/version", "apiVersion: kpack.io/v1beta9\nkind: Image\n", "",
	  "1:13 error: unknown version 'kpack.io/v1beta9' of kind Image\n" },
	{ "kind/no_version", "kind: ClusterStack\n", "",
	  "1:1 error: missing field(s): apiVersion\n" },
	{ "kind/no_kind", "apiVersion: kpack.io/v1alpha2\n", "",
	  "1:1 error: missing field(s): kind\n" },
	{ "kind/foreign", "apiVersion: v2\nname: chart\n", "", "" },
	{ "kind/later", "apiVersion: apps/v1\nkind: Deployment\n", "", "" },
};

static void check_row(void **state)
{
	const struct row *row = *state;
	struct loaded l;
	struct buf text = BUF_INIT(1 << 16);

	buf_puts(&text, row->head);
	buf_puts(&text, row->spec);
	manifest_load(&l, buf_text(&text), false);
	assert_string_equal(manifest_said(&l), row->said);
	arena_free(l.arena);
	buf_release(&text);
}

static void test_rules__values_of_secrets_are_never_shown(void **state)
{
	const char *text =
		"apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ntype: kubernetes.io/dockercfg\n"
		"data: {.dockercfg: hunter2!!, more: hunter2}\nstringData: {pin: [hunter2]}\n"
		"hunter: {a: hunter2}\n";
	const struct diag_style style = { .with_excerpt = true };
	struct buf shown = BUF_INIT(1 << 16);
	struct loaded l;

	(void)state;
	manifest_load(&l, text, true);
	for (size_t i = 0; i < l.diags.list.n; i++)
		diag_render(&l.diags.list.v[i], &style, &shown);
	assert_true(l.diags.n_errors >= 3);
	assert_null(strstr(buf_text(&shown), "hunter2"));
	buf_release(&shown);
	arena_free(l.arena);
}

int main(void)
{
	struct CMUnitTest tests[COUNTOF(rows) + 1];

	for (size_t i = 0; i < COUNTOF(rows); i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, check_row, NULL, NULL,
						(void *)(uintptr_t)&rows[i] };
	tests[COUNTOF(rows)] =
		(struct CMUnitTest)cmocka_unit_test(test_rules__values_of_secrets_are_never_shown);
	return cmocka_run_group_tests_name("rules", tests, NULL, NULL);
}
