/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_samples.c — manifests of every kind, in every version and old form, load without a word and
 * mean the same.
 */
#include "manifest.h"

static const char *const current =
	"apiVersion: kpack.io/v1alpha2\n"
	"kind: ClusterStack\n"
	"metadata: {name: base}\n"
	"spec:\n"
	"  id: io.example.stacks.small\n"
	"  serviceAccountRef: {name: puller, namespace: infra}\n"
	"  buildImage: {image: registry.example.com/stacks/build:small}\n"
	"  runImage: {image: registry.example.com/stacks/run:small}\n"
	"---\n"
	"apiVersion: kpack.io/v1alpha2\n"
	"kind: ClusterStore\n"
	"metadata: {name: all}\n"
	"spec:\n"
	"  sources:\n"
	"  - image: registry.example.com/buildpacks/java\n"
	"  - image: registry.example.com/buildpacks/node@sha256:"
	"95ff756f0ef0e026440a8523f4bab02fd8b45dc1a8a3a7ba063cefdba5cb9493\n"
	"---\n"
	"apiVersion: kpack.io/v1alpha2\n"
	"kind: Buildpack\n"
	"metadata: {name: own, namespace: shop}\n"
	"spec: {image: registry.example.com/shop/buildpack, serviceAccountName: default}\n"
	"---\n"
	"apiVersion: kpack.io/v1alpha2\n"
	"kind: ClusterBuildpack\n"
	"metadata: {name: go}\n"
	"spec: {image: 'registry.example.com/buildpacks/go:1.2'}\n"
	"---\n"
	"apiVersion: kpack.io/v1alpha2\n"
	"kind: ClusterLifecycle\n"
	"metadata: {name: default-lifecycle}\n"
	"spec: {image: example/lifecycle}\n"
	"---\n"
	"apiVersion: kpack.io/v1alpha2\n"
	"kind: Builder\n"
	"metadata: {name: mine, namespace: shop}\n"
	"spec:\n"
	"  tag: registry.example.com/shop/builder\n"
	"  stack: {name: base, kind: ClusterStack}\n"
	"  store: {name: all}\n"
	"  lifecycle: {name: default-lifecycle, kind: ClusterLifecycle}\n"
	"  order:\n"
	"  - group:\n"
	"    - id: acme/java\n"
	"    - {id: acme/extra, version: 1.2.3, optional: true}\n"
	"  - group:\n"
	"    - {name: own, kind: Buildpack}\n"
	"    - {name: go, kind: ClusterBuildpack, id: acme/go}\n"
	"  additionalLabels: {team: shop}\n"
	"---\n"
	"apiVersion: kpack.io/v1alpha2\n"
	"kind: ClusterBuilder\n"
	"metadata: {name: default}\n"
	"spec:\n"
	"  tag: registry.example.com/builders/default\n"
	"  stack: {name: base, kind: ClusterStack}\n"
	"  store: {name: all, kind: ClusterStore}\n"
	"  serviceAccountRef: {name: default, namespace: infra}\n"
	"  order: [{group: [{id: acme/java}]}]\n"
	"---\n"
	"apiVersion: kpack.io/v1alpha2\n"
	"kind: Image\n"
	"metadata:\n"
	"  name: cart\n"
	"  namespace: shop\n"
	"  labels: {app: cart}\n"
	"  creationTimestamp: null\n"
	"spec:\n"
	"  tag: registry.example.com/shop/cart\n"
	"  additionalTags: ['registry.example.com/shop/cart:stable', registry.example.com/other]\n"
	"  serviceAccountName: robot\n"
	"  builder: {kind: Builder, name: mine}\n"
	"  cache: {volume: {size: 1.5Gi, storageClassName: fast}}\n"
	"  failedBuildHistoryLimit: 5\n"
	"  successBuildHistoryLimit: 6\n"
	"  imageTaggingStrategy: None\n"
	"  projectDescriptorPath: deploy/project.toml\n"
	"  defaultProcess: web\n"
	"  cosign: {annotations: [{name: a, value: b}]}\n"
	"  source:\n"
	"    git: {url: git@git.example.com:shop/cart.git, revision: main, initializeSubmodules: "
	"true}\n"
	"    subPath: app\n"
	"  build:\n"
	"    env: [{name: BP_X, value: '8.*'}]\n"
	"    services: [{name: db, kind: Secret, apiVersion: v1}]\n"
	"    resources: {limits: {cpu: 1, memory: 1G}, requests: {cpu: 0.25, memory: 512M}}\n"
	"    tolerations: [{key: k, operator: Exists, effect: NoSchedule}]\n"
	"    nodeSelector: {disktype: ssd}\n"
	"    affinity: {nodeAffinity: {}}\n"
	"    buildTimeout: 1600\n"
	"    creationTime: now\n"
	"status: {observedGeneration: 3}\n"
	"---\n"
	"apiVersion: v1\n"
	"kind: Secret\n"
	"metadata: {name: db, namespace: shop}\n"
	"type: Opaque\n"
	"stringData: {type: mysql, password: ''}\n"
	"---\n"
	"apiVersion: v1\n"
	"kind: Secret\n"
	"metadata: {name: registry, namespace: shop, annotations: {kpack.io/docker: "
	"registry.example.com}}\n"
	"type: kubernetes.io/basic-auth\n"
	"stringData: {username: u, password: p}\n"
	"---\n"
	"apiVersion: v1\n"
	"kind: ServiceAccount\n"
	"metadata: {name: robot, namespace: shop}\n"
	"secrets: [{name: registry}]\n"
	"imagePullSecrets: [{name: registry}]\n"
	"---\n"
	"apiVersion: v1\n"
	"kind: ServiceAccount\n"
	"metadata: {name: puller, namespace: infra}\n"
	"---\n"
	"apiVersion: v1\n"
	"kind: ConfigMap\n"
	"metadata: {name: notes, namespace: shop}\n"
	"data: {kind: mysql, provider: ''}\n"
	"---\n"
	"apiVersion: reconcile.dev/v1\n"
	"kind: Settings\n"
	"state: {repository: ../state.git, branch: state, lease: 1h30m, author: {name: Robot}}\n"
	"registries:\n"
	"- {prefix: registry.local, layout: ./registry}\n"
	"- {prefix: docker.io, mirror: mirror.example.com/hub}\n"
	"- {prefix: '127.0.0.1:5000', insecure: true}\n"
	"- {prefix: '*.corp.example.com', caFile: ca.pem}\n"
	"git: [{host: 'git.example.com:8443', caFile: ca.pem}]\n"
	"jobs: 4\n"
	"compression: small\n";

static void test_samples__of_every_kind_load_without_a_word(void **state)
{
	struct loaded l;
	const struct object *object;
	const struct image_spec *image;
	const struct builder_spec *builder;

	(void)state;
	manifest_load(&l, current, true);
	assert_string_equal(manifest_said(&l), "");
	assert_int_equal(l.model.objects.n, 14);

	object = model_find(&l.model, KIND_IMAGE, "shop", "cart");
	assert_non_null(object);
	assert_string_equal(object->id, "Image/shop/cart");
	assert_string_equal(pairs_get(&object->meta.labels, "app"), "cart");
	image = object->spec;
	assert_string_equal(image->tag, "registry.example.com/shop/cart");
	assert_int_equal(image->additional_tags.n, 2);
	assert_string_equal(image->builder.kind, "Builder");
	assert_string_equal(image->service_account, "robot");
	assert_string_equal(image->source.git->revision, "main");
	assert_true(image->source.git->has_submodules);
	assert_string_equal(image->source.sub_path, "app");
	assert_string_equal(image->cache.volume_size, "1.5Gi");
	assert_true(image->cache.has_volume);
	assert_int_equal(image->failed_limit, 5);
	assert_int_equal(image->success_limit, 6);
	assert_string_equal(image->tagging, "None");
	assert_string_equal(image->default_process, "web");
	assert_string_equal(image->project_descriptor, "deploy/project.toml");
	assert_string_equal(pairs_get(&image->build.resources.limits, "cpu"), "1");
	assert_string_equal(pairs_get(&image->build.resources.requests, "cpu"), "0.25");
	assert_int_equal(image->build.timeout_s, 1600);
	assert_string_equal(image->build.creation_time, "now");
	assert_string_equal(LIST_AT(image->build.env, struct env_var, 0)->value, "8.*");

	builder = model_find(&l.model, KIND_BUILDER, "shop", "mine")->spec;
	assert_string_equal(builder->stack.name, "base");
	assert_string_equal(builder->store.kind, "ClusterStore");
	assert_int_equal(builder->order.n, 2);
	assert_string_equal(builder->service_account, "default");
	assert_string_equal(pairs_get(&builder->additional_labels, "team"), "shop");

	assert_string_equal(l.model.settings->state_branch, "state");
	assert_int_equal(l.model.settings->lease_s, 5400);
	assert_string_equal(l.model.settings->author_name, "Robot");
	assert_string_equal(l.model.settings->author_email, "reconcile@localhost");
	assert_int_equal(l.model.settings->registries.n, 4);
	assert_string_equal(l.model.settings->compression, "small");
	assert_int_equal(l.model.settings->push_retries, 10);
	arena_free(l.arena);
}

static void test_samples__order_is_by_id(void **state)
{
	struct loaded l;

	(void)state;
	manifest_load(&l, current, true);
	for (size_t i = 1; i < l.model.objects.n; i++)
		assert_true(strcmp(l.model.objects.v[i - 1]->id, l.model.objects.v[i]->id) < 0);
	arena_free(l.arena);
}

static void test_samples__forms_of_v1alpha1_load_as_the_new_ones(void **state)
{
	const char *text =
		"apiVersion: kpack.io/v1alpha1\n"
		"kind: Image\n"
		"metadata: {name: old}\n"
		"spec:\n"
		"  tag: sample/app\n"
		"  builder: {kind: CustomClusterBuilder, name: default}\n"
		"  serviceAccount: robot\n"
		"  cacheSize: 1.5Gi\n"
		"  notary: {v1: {url: 'https://n.example.com', secretRef: {name: s}}}\n"
		"  source: {git: {url: 'https://git.example.com/a.git', revision: master}}\n"
		"  build:\n"
		"    bindings:\n"
		"    - name: settings\n"
		"      metadataRef: {name: meta}\n"
		"      secretRef: {name: values}\n"
		"---\n"
		"apiVersion: kpack.io/v1alpha1\n"
		"kind: CustomClusterBuilder\n"
		"metadata: {name: default}\n"
		"spec:\n"
		"  tag: sample/builder\n"
		"  stack: {name: base, kind: ClusterStack}\n"
		"  store: {name: all, kind: ClusterStore}\n"
		"  serviceAccountRef: {name: default, namespace: default}\n"
		"  order: [{group: [{id: acme/a}]}]\n"
		"---\n"
		"apiVersion: kpack.io/v1alpha1\n"
		"kind: CustomBuilder\n"
		"metadata: {name: mine}\n"
		"spec: {tag: sample/mine, serviceAccount: robot, stack: {name: base}, store: "
		"{name: all}}\n";
	struct loaded l;
	const struct image_spec *image;
	const struct binding *binding;

	(void)state;
	manifest_load(&l, text, false);
	assert_string_equal(manifest_said(&l), "");
	image = model_find(&l.model, KIND_IMAGE, "", "old")->spec;
	assert_string_equal(image->builder.kind, "ClusterBuilder");
	assert_string_equal(image->service_account, "robot");
	assert_string_equal(image->cache.volume_size, "1.5Gi");
	assert_true(image->cache.has_volume);
	binding = LIST_AT(image->build.bindings, struct binding, 0);
	assert_string_equal(binding->metadata_name, "meta");
	assert_string_equal(binding->secret_name, "values");
	assert_non_null(model_find(&l.model, KIND_CLUSTER_BUILDER, "", "default"));
	assert_non_null(model_find(&l.model, KIND_BUILDER, "default", "mine"));
	arena_free(l.arena);
}

static void test_samples__annotations_of_a_converted_image_count(void **state)
{
	const char *text = "apiVersion: kpack.io/v1alpha1\n"
			   "kind: Image\n"
			   "metadata:\n"
			   "  name: old\n"
			   "  annotations:\n"
			   "    kpack.io/services: '[{\"kind\":\"Secret\",\"name\":\"db\"}]'\n"
			   "    kpack.io/nodeSelector: '{\"disktype\":\"ssd\"}'\n"
			   "    kpack.io/cosignAnnotation: '[{\"name\":\"a\",\"value\":\"b\"}]'\n"
			   "    kpack.io/buildTimeout: \"1600\"\n"
			   "    kpack.io/defaultProcess: web\n"
			   "    kpack.io/cache.registry.tag: sample/cache\n"
			   "    kpack.io/affinity: '{'\n"
			   "spec:\n"
			   "  tag: sample/app\n"
			   "  builder: {kind: Builder, name: b}\n"
			   "  source: {blob: {url: 'https://example.com/a.jar'}}\n";
	struct loaded l;
	const struct image_spec *image;

	(void)state;
	manifest_load(&l, text, false);
	assert_int_equal(l.diags.n_errors, 1);
	assert_int_equal(l.diags.list.v[0].pos.line, 12);
	image = model_find(&l.model, KIND_IMAGE, "", "old")->spec;
	assert_int_equal(image->build.services.n, 1);
	assert_string_equal(LIST_AT(image->build.services, struct object_ref, 0)->name, "db");
	assert_string_equal(node_text(image->build.node_selector, "disktype"), "ssd");
	assert_int_equal(node_get(image->cosign, "annotations")->n, 1);
	assert_int_equal(image->build.timeout_s, 1600);
	assert_string_equal(image->default_process, "web");
	assert_string_equal(image->cache.registry_tag, "sample/cache");
	assert_true(image->cache.has_registry);
	assert_false(image->cache.has_volume);
	arena_free(l.arena);
}

static void test_samples__forms_of_2019_and_2020_load_too(void **state)
{
	const char *text =
		"apiVersion: experimental.kpack.pivotal.io/v1alpha1\n"
		"kind: Store\n"
		"metadata: {name: all}\n"
		"spec: {sources: [{image: sample/buildpacks}]}\n"
		"---\n"
		"apiVersion: experimental.kpack.pivotal.io/v1alpha1\n"
		"kind: Stack\n"
		"metadata: {name: base}\n"
		"spec: {id: s, buildImage: {image: sample/build}, runImage: {image: sample/run}}\n"
		"---\n"
		"apiVersion: experimental.kpack.pivotal.io/v1alpha1\n"
		"kind: CustomBuilder\n"
		"metadata: {name: mine}\n"
		"spec:\n"
		"  tag: sample/mine\n"
		"  serviceAccount: default\n"
		"  stack: base\n"
		"  store: all\n"
		"  order: [{group: [{id: acme/a}]}]\n"
		"---\n"
		"apiVersion: build.pivotal.io/v1alpha1\n"
		"kind: ClusterBuilder\n"
		"metadata: {name: ready}\n"
		"spec: {image: 'sample/cnb:bionic', updatePolicy: polling}\n"
		"---\n"
		"apiVersion: build.pivotal.io/v1alpha1\n"
		"kind: Image\n"
		"metadata: {name: app}\n"
		"spec:\n"
		"  tag: sample/app\n"
		"  cacheSize: 2Gi\n"
		"  builder: {name: ready, kind: ClusterClusterBuilder}\n"
		"  source: {git: {url: 'https://git.example.com/a.git'}}\n";
	struct loaded l;
	const struct builder_spec *builder;

	(void)state;
	manifest_load(&l, text, true);
	assert_string_equal(manifest_said(&l), "");
	builder = model_find(&l.model, KIND_BUILDER, NULL, "mine")->spec;
	assert_string_equal(builder->stack.name, "base");
	assert_string_equal(builder->store.name, "all");
	assert_string_equal(builder->store.kind, "ClusterStore");
	builder = model_find(&l.model, KIND_CLUSTER_BUILDER, NULL, "ready")->spec;
	assert_string_equal(builder->image, "sample/cnb:bionic");
	arena_free(l.arena);
}

static const char *const minimal = "apiVersion: kpack.io/v1alpha2\n"
				   "kind: Image\n"
				   "metadata: {name: app}\n"
				   "spec:\n"
				   "  tag: sample/app\n"
				   "  builder: {kind: ClusterBuilder, name: default}\n"
				   "  source: {local: {path: ./app}}\n";

static void test_samples__defaults_are_kpacks(void **state)
{
	struct loaded l;
	const struct object *object;
	const struct image_spec *image;

	(void)state;
	manifest_load(&l, minimal, false);
	assert_string_equal(manifest_said(&l), "");
	object = model_find(&l.model, KIND_IMAGE, "default", "app");
	image = object->spec;
	assert_string_equal(object->meta.ns, "default");
	assert_string_equal(image->service_account, "default");
	assert_string_equal(image->tagging, "BuildNumber");
	assert_int_equal(image->failed_limit, 10);
	assert_int_equal(image->success_limit, 10);
	assert_true(image->cache.has_volume);
	assert_string_equal(image->cache.volume_size, "2G");
	assert_string_equal(image->source.local->path, "./app");
	assert_int_equal(image->tag_pos.line, 5);
	assert_int_equal(image->builder.pos.line, 6);
	assert_string_equal(l.model.settings->state_branch, "reconcile/state");
	assert_int_equal(l.model.settings->lease_s, 900);
	arena_free(l.arena);
}

static void test_samples__secret_values_are_decoded_and_stringData_wins(void **state)
{
	const char *text = "apiVersion: v1\n"
			   "kind: Secret\n"
			   "metadata: {name: s}\n"
			   "data:\n"
			   "  user: YWxpY2U=\n"
			   "  empty: ''\n"
			   "  bytes: AAEC/w==\n"
			   "  word: |\n"
			   "    Zmlyc3Q\n"
			   "    gbGluZQ==\n"
			   "stringData: {user: bob}\n";
	struct loaded l;
	const struct secret_spec *secret;

	(void)state;
	manifest_load(&l, text, true);
	assert_string_equal(manifest_said(&l), "");
	secret = model_find(&l.model, KIND_SECRET, "", "s")->spec;
	assert_string_equal(secret->type, "Opaque");
	assert_string_equal(secret_get(secret, "user")->bytes, "bob");
	assert_int_equal(secret_get(secret, "empty")->len, 0);
	assert_int_equal(secret_get(secret, "bytes")->len, 4);
	assert_memory_equal(secret_get(secret, "bytes")->bytes, "\0\1\2\377", 4);
	assert_string_equal(secret_get(secret, "word")->bytes, "first line");
	assert_null(secret_get(secret, "other"));
	arena_free(l.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_samples__of_every_kind_load_without_a_word),
		cmocka_unit_test(test_samples__order_is_by_id),
		cmocka_unit_test(test_samples__forms_of_v1alpha1_load_as_the_new_ones),
		cmocka_unit_test(test_samples__annotations_of_a_converted_image_count),
		cmocka_unit_test(test_samples__forms_of_2019_and_2020_load_too),
		cmocka_unit_test(test_samples__defaults_are_kpacks),
		cmocka_unit_test(test_samples__secret_values_are_decoded_and_stringData_wins),
	};

	return cmocka_run_group_tests_name("samples", tests, NULL, NULL);
}
