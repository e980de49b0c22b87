/* SPDX-License-Identifier: Apache-2.0 */
/* fixture.c — one text per image, printed with its number in the places where teams differ. */
#include "tests/bench/fixture.h"

#include <fcntl.h>
#include <string.h>

#include "buildexec/sys/fs.h"
#include "model/base/buf.h"

enum { TEXT_MAX = 1 << 16 };

static const char base_text[] = "apiVersion: kpack.io/v1alpha2\n"
				"kind: ClusterStack\n"
				"metadata:\n"
				"  name: base\n"
				"spec:\n"
				"  id: io.buildpacks.stacks.jammy\n"
				"  buildImage:\n"
				"    image: registry.example.com/stacks/jammy:build\n"
				"  runImage:\n"
				"    image: registry.example.com/stacks/jammy:run\n"
				"---\n"
				"apiVersion: kpack.io/v1alpha2\n"
				"kind: ClusterStore\n"
				"metadata:\n"
				"  name: default\n"
				"spec:\n"
				"  sources:\n"
				"  - image: registry.example.com/buildpacks/java:9.1.0\n"
				"  - image: registry.example.com/buildpacks/nodejs:2.4.1\n";

static const char builder_text[] = "apiVersion: kpack.io/v1alpha2\n"
				   "kind: Builder\n"
				   "metadata:\n"
				   "  name: default\n"
				   "  namespace: %s\n"
				   "spec:\n"
				   "  tag: registry.example.com/%s/builder\n"
				   "  serviceAccountName: builds\n"
				   "  stack:\n"
				   "    name: base\n"
				   "    kind: ClusterStack\n"
				   "  store:\n"
				   "    name: default\n"
				   "    kind: ClusterStore\n"
				   "  order:\n"
				   "  - group:\n"
				   "    - id: paketo-buildpacks/java\n"
				   "  - group:\n"
				   "    - id: paketo-buildpacks/nodejs\n"
				   "---\n"
				   "apiVersion: v1\n"
				   "kind: ServiceAccount\n"
				   "metadata:\n"
				   "  name: builds\n"
				   "  namespace: %s\n";

static const char image_text[] = "apiVersion: kpack.io/v1alpha2\n"
				 "kind: Image\n"
				 "metadata:\n"
				 "  name: %s\n"
				 "  namespace: %s\n"
				 "  labels:\n"
				 "    app.kubernetes.io/name: %s\n"
				 "    app.kubernetes.io/part-of: shop\n"
				 "    team: %s\n"
				 "  annotations:\n"
				 "    example.com/owner: \"%s@example.com\"\n"
				 "spec:\n"
				 "  tag: registry.example.com/%s/%s\n"
				 "  additionalTags:\n"
				 "  - registry.example.com/%s/%s:stable\n"
				 "  serviceAccountName: builds\n"
				 "  builder:\n"
				 "    name: default\n"
				 "    kind: Builder\n"
				 "  failedBuildHistoryLimit: 3\n"
				 "  successBuildHistoryLimit: 3\n"
				 "  source:\n"
				 "    git:\n"
				 "      url: %s/repo-%02zu.git\n"
				 "      revision: main\n"
				 "    subPath: services/%s\n"
				 "  cache:\n"
				 "    volume:\n"
				 "      size: 2Gi\n"
				 "  build:\n"
				 "    env:\n"
				 "    - name: BP_JVM_VERSION\n"
				 "      value: \"17\"\n"
				 "    - name: BP_MAVEN_BUILD_ARGUMENTS\n"
				 "      value: -Dmaven.test.skip=true package\n"
				 "    resources:\n"
				 "      limits:\n"
				 "        cpu: 500m\n"
				 "        memory: 1Gi\n";

const char *fixture_namespace(size_t i, struct arena *arena)
{
	return arena_printf(arena, "team-%02zu", i % FIXTURE_NAMESPACES);
}

const char *fixture_image(size_t i, struct arena *arena)
{
	return arena_printf(arena, "service-%05zu", i);
}

static bool put(const char *folder, const char *name, const struct buf *text, struct arena *arena,
		struct err *err)
{
	return fs_write_atomic(AT_FDCWD, path_join(arena, folder, name), text->data, text->len,
			       0644, false, err);
}

static bool write_image(const struct fixture *fixture, const char *folder, size_t i,
			struct err *err)
{
	struct arena *arena = arena_new();
	AUTO_BUF text = BUF_INIT(TEXT_MAX);
	const char *ns = fixture_namespace(i, arena), *name = fixture_image(i, arena);
	const char *git = fixture->git_base ? fixture->git_base : "https://git.example.com/shop";
	size_t repo = fixture->n_repos ? i % fixture->n_repos : i;
	bool done;

	buf_printf(&text, image_text, name, ns, name, ns, ns, ns, name, ns, name, git, repo, name);
	done = put(path_join(arena, folder, ns), arena_printf(arena, "%s.yaml", name), &text, arena,
		   err);
	arena_free(arena);
	return done;
}

static bool write_namespace(const char *folder, size_t i, struct err *err)
{
	struct arena *arena = arena_new();
	AUTO_BUF text = BUF_INIT(TEXT_MAX);
	const char *ns = fixture_namespace(i, arena), *place = path_join(arena, folder, ns);
	bool done;

	buf_printf(&text, builder_text, ns, ns, ns);
	done = fs_make_dirs(place, 0755, err) && put(place, "builder.yaml", &text, arena, err);
	arena_free(arena);
	return done;
}

bool fixture_write(const struct fixture *fixture, const char *folder, struct err *err)
{
	struct arena *arena = arena_new();
	AUTO_BUF text = BUF_INIT(TEXT_MAX);
	bool done;

	buf_add(&text, base_text, strlen(base_text));
	done = fs_make_dirs(folder, 0755, err) && put(folder, "base.yaml", &text, arena, err);
	for (size_t i = 0; done && i < FIXTURE_NAMESPACES && i < fixture->n_images; i++)
		done = write_namespace(folder, i, err);
	for (size_t i = 0; done && i < fixture->n_images; i++)
		done = write_image(fixture, folder, i, err);
	arena_free(arena);
	return done;
}
