/* SPDX-License-Identifier: Apache-2.0 */
/* fixture_status.c — an Image that was built `round` times, its last builds successes: what most of a state branch is. */
#include <stdlib.h>

#include "model/base/buf.h"
#include "model/base/digest.h"
#include "model/doc/yaml.h"
#include "model/kind/status.h"
#include "tests/bench/fixture.h"

enum { STATUS_MAX = 1 << 16, HISTORY = 3 };
static const int64_t started_s = 1700000000;

static const char *some_digest(const char *what, size_t i, int64_t round, struct arena *arena)
{
	AUTO_BUF text = BUF_INIT(256);

	buf_printf(&text, "%s %zu %lld", what, i, (long long)round);
	return arena_strdup(arena, digest_of(text.data, text.len).text);
}

static const char *pinned(const char *repo, size_t i, int64_t round, struct arena *arena)
{
	return arena_printf(arena, "registry.example.com/%s@%s", repo,
			    some_digest(repo, i, round, arena));
}

static struct attempt *attempt_of(size_t i, int64_t round, struct arena *arena)
{
	static struct buildpack_id buildpacks[] = {
		{ .id = "paketo-buildpacks/ca-certificates", .version = "3.6.3" },
		{ .id = "paketo-buildpacks/bellsoft-liberica", .version = "10.2.6" },
		{ .id = "paketo-buildpacks/maven", .version = "6.15.3" },
		{ .id = "paketo-buildpacks/executable-jar", .version = "6.7.4" },
	};
	const char *ns = fixture_namespace(i, arena), *name = fixture_image(i, arena);
	struct attempt *attempt = ARENA_NEW(arena, struct attempt);
	struct git_source *git = ARENA_NEW(arena, struct git_source);

	git->url = arena_printf(arena, "https://git.example.com/shop/repo-%02zu.git", i);
	git->revision = digest_hex(some_digest("commit", i, round, arena));
	*attempt = (struct attempt){
		.number = round,
		.result = "Succeeded",
		.reason = "COMMIT",
		.build_key = some_digest("key", i, round, arena),
		.source = { .git = git, .sub_path = arena_printf(arena, "services/%s", name) },
		.git_revision = "main",
		.builder = "default",
		.builder_kind = "Builder",
		.builder_image = pinned(arena_printf(arena, "%s/builder", ns), i % 100, 1, arena),
		.run_image = pinned("stacks/jammy", 0, 1, arena),
		.stack_id = "io.buildpacks.stacks.jammy",
		.buildpacks = { buildpacks, COUNTOF(buildpacks) },
		.image = pinned(arena_printf(arena, "%s/%s", ns, name), i, round, arena),
	};
	git->revision = arena_copy(arena, git->revision, 40);
	return attempt;
}

static struct list history_of(size_t i, int64_t round, struct arena *arena)
{
	struct history_entry *entries = arena_array(arena, HISTORY, sizeof(*entries));
	const char *repo =
		arena_printf(arena, "%s/%s", fixture_namespace(i, arena), fixture_image(i, arena));
	size_t n = 0;

	for (int64_t k = round > HISTORY ? round - HISTORY + 1 : 1; k <= round; k++)
		entries[n++] = (struct history_entry){
			.number = k,
			.result = "Succeeded",
			.reason = k == 1 ? "CONFIG" : "COMMIT",
			.image = pinned(repo, i, k, arena),
			.started_s = started_s + k * 86400 + (int64_t)i,
			.finished_s = started_s + k * 86400 + (int64_t)i + 95,
		};
	return (struct list){ entries, n };
}

const char *fixture_status_path(size_t i, struct arena *arena)
{
	return status_path(KIND_IMAGE, fixture_namespace(i, arena), fixture_image(i, arena), arena);
}

const char *fixture_status(size_t i, int64_t round, struct arena *arena)
{
	struct condition conditions[] = {
		{ "Ready", "True", NULL, NULL, started_s + round * 86400 },
		{ "BuilderReady", "True", NULL, NULL, started_s },
		{ "BuilderUpToDate", "True", NULL, NULL, started_s },
	};
	struct attempt *last = attempt_of(i, round, arena);
	struct image_status status = {
		.conditions = { conditions, COUNTOF(conditions) },
		.build_counter = round,
		.latest_build = arena_printf(arena, "%s-build-%lld", fixture_image(i, arena),
					     (long long)round),
		.latest_reason = "COMMIT",
		.latest_image = last->image,
		.latest_stack = last->stack_id,
		.last = last,
		.history = history_of(i, round, arena),
	};
	struct object object = { .kind = KIND_IMAGE,
				 .meta = { .name = fixture_image(i, arena),
					   .ns = fixture_namespace(i, arena) } };
	AUTO_BUF text = BUF_INIT(STATUS_MAX);

	yaml_print(status_encode(&object, &(struct origin){ 0 }, &status, arena), &text);
	return buf_copy(&text, arena);
}
