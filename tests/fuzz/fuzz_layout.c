/* links: exec_registry */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_layout.c — an OCI layout that somebody else filled: its index.json, then blobs, each ended by the byte 255. The bytes 1 to 8
 * stand for the digest of that blob, 17 to 24 for its size, so that what is read is read past the digests. Every tag and blob is
 * asked for. A new tag leaves every other one what it was.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "buildexec/registry/registry.h"
#include "buildexec/sys/fs.h"
#include "model/base/digest.h"
#include "tests/fuzz/folder.h"

#define REPOSITORY "local.test/a"
#define EMPTY      "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

enum { BLOBS_MAX = 8, DIGEST_MARK = 1, SIZE_MARK = 17, BLOB_BYTES = 1 << 20, TAGS_MAX = 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
	struct arena *arena;
	struct registry *registry;
	size_t n;
	struct buf blobs[BLOBS_MAX + 1]; /* the index first */
	struct digest digests[BLOBS_MAX + 1];
};

/* Blobs name those behind them: the last is whole first. */
static void fill(struct world *world, size_t i, const struct fuzz_part *part)
{
	struct buf *out = &world->blobs[i];

	*out = BUF_INIT(BLOB_BYTES);
	for (size_t k = 0; k < part->size; k++) {
		uint8_t c = part->data[k];
		size_t digest = c - (size_t)DIGEST_MARK + 1, length = c - (size_t)SIZE_MARK + 1;

		if (c >= DIGEST_MARK && digest > i && digest < world->n)
			buf_puts(out, world->digests[digest].text);
		else if (c >= SIZE_MARK && length > i && length < world->n)
			buf_printf(out, "%zu", world->blobs[length].len);
		else
			buf_byte(out, (char)c);
	}
	world->digests[i] = digest_of(buf_text(out), out->len);
}

static void write_layout(struct world *world, const uint8_t *data, size_t size)
{
	struct fuzz_part parts[BLOBS_MAX + 1];
	struct err err = { 0 };
	const char *blobs =
		path_join(world->arena, fuzz_folder(), "layout/" REPOSITORY "/blobs/sha256");

	world->n = fuzz_parts(data, size, parts, COUNTOF(parts));
	if (!fs_make_dirs(blobs, 0755, &err))
		abort();
	for (size_t i = world->n; i-- > 0;) {
		const char *name;

		fill(world, i, &parts[i]);
		name = i == 0 ? "index.json"
			      : arena_printf(world->arena, "blobs/sha256/%s",
					     digest_hex(world->digests[i].text));
		fuzz_folder_file(arena_printf(world->arena, "layout/" REPOSITORY "/%s", name),
				 (const uint8_t *)buf_text(&world->blobs[i]), world->blobs[i].len);
	}
}

/* NULL: it cannot be read. */
static const char *read_ref(struct world *world, const char *text)
{
	struct descriptor desc, again;
	struct err err = { 0 };
	struct ref ref;
	char *bytes;

	if (!ref_parse(text, world->arena, &ref, &err))
		return NULL;
	if (!registry_resolve(world->registry, &ref, world->arena, &desc, &err)) {
		if (err.kind == ERR_NONE)
			BUG("a failure without an error");
		return NULL;
	}
	if (desc.digest && !digest_is_valid(desc.digest))
		BUG("'%s' is no digest", desc.digest);
	err = (struct err){ 0 };
	if (!registry_get_manifest(world->registry, &ref, world->arena, &again, &bytes, &err))
		return desc.digest;
	if (strcmp(digest_of(bytes, (size_t)again.size_bytes).text, again.digest) != 0)
		BUG("'%s' has another digest", text);
	return desc.digest;
}

static void read_blobs(struct world *world, const struct ref *repo)
{
	for (size_t i = 1; i < world->n; i++) {
		const struct descriptor desc = { .media_type = MEDIA_OCI_CONFIG,
						 .digest = world->digests[i].text,
						 .size_bytes = (int64_t)world->blobs[i].len };
		struct err err = { 0 };
		char *bytes;
		bool is_there;

		if (!registry_has_blob(world->registry, repo, desc.digest, &is_there, &err) ||
		    !is_there)
			BUG("blob %zu is not there", i);
		if (!registry_get_blob(world->registry, repo, &desc, world->arena, &bytes, &err))
			BUG("blob %zu: %s", i, err.text);
		(void)read_ref(world, arena_printf(world->arena, REPOSITORY "@%s", desc.digest));
	}
}

static void check_tags(struct world *world, const struct ref *repo)
{
	static const char text[] = "{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_OCI_MANIFEST
				   "\",\"config\":{\"mediaType\":\"" MEDIA_OCI_CONFIG
				   "\",\"digest\":\"" EMPTY "\",\"size\":0},\"layers\":[]}";
	const char *before[TAGS_MAX] = { 0 };
	struct strings tags = { 0 };
	struct err err = { 0 };

	if (!registry_list_tags(world->registry, repo, world->arena, &tags, &err))
		return;
	for (size_t i = 0; i < tags.n && i < TAGS_MAX; i++)
		before[i] =
			read_ref(world, arena_printf(world->arena, REPOSITORY ":%s", tags.v[i]));
	if (!registry_put_manifest(world->registry, repo, MEDIA_OCI_MANIFEST, text,
				   sizeof(text) - 1, &err))
		return;
	for (size_t i = 0; i < tags.n && i < TAGS_MAX; i++) {
		const char *now =
			read_ref(world, arena_printf(world->arena, REPOSITORY ":%s", tags.v[i]));

		if (strcmp(tags.v[i], repo->tag) != 0 &&
		    (!before[i] != !now || (now && strcmp(now, before[i]) != 0)))
			BUG("the tag '%s' has changed", tags.v[i]);
	}
	if (!read_ref(world, arena_printf(world->arena, REPOSITORY ":%s", repo->tag)))
		BUG("the new tag cannot be read");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world world = { .arena = arena_new() };
	struct registry_rules rules = { 0 };
	struct err err = { 0 };
	struct ref repo;

	write_layout(&world, data, size);
	vec_push(world.arena, &rules.list,
		 (struct registry_rule){
			 .prefix = "local.test",
			 .layout = path_join(world.arena, fuzz_folder_path(), "layout") });
	if (!registry_open(&rules, NULL, &world.registry, &err) ||
	    !ref_parse(REPOSITORY ":new", world.arena, &repo, &err))
		abort();
	read_blobs(&world, &repo);
	check_tags(&world, &repo);
	if (fuzz_folder_names() != 1)
		BUG("something is beside the layout");
	registry_close(&world.registry);
	for (size_t i = 0; i < world.n; i++)
		buf_release(&world.blobs[i]);
	arena_free(world.arena);
	return 0;
}
