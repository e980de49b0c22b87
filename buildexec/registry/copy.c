/* SPDX-License-Identifier: Apache-2.0 */
/*
 * copy.c — whole images from one place to another: blobs first, then manifests, an index last, so that whoever sees a
 * name finds all that it names. Bytes are moved only where mounting is not possible.
 */
#include <string.h>

#include "buildexec/registry/backend.h"
#include "buildexec/registry/registry.h"
#include "buildexec/sys/fs.h"
#include "model/base/digest.h"

/* An index of indexes is read by nobody; deeper is an attack. */
enum { MAX_DEPTH = 2 };

struct copy {
	struct registry *registry;
	const struct ref *from, *to;
	struct arena *arena;
	const char *temp_dir; /* for blobs on their way */
};

static struct ref pinned(const struct ref *ref, const char *digest)
{
	return (struct ref){ .registry = ref->registry, .repo = ref->repo, .digest = digest };
}

/* Layers that must not be handed on are left to the reader, as the image-spec says. */
static bool is_foreign(const struct descriptor *desc)
{
	return strstr(desc->media_type, "nondistributable") ||
	       strstr(desc->media_type, ".foreign.");
}

static bool copy_blob(const struct copy *copy, const struct descriptor *desc, struct err *err)
{
	const char *path;
	bool is_there = false;

	if (is_foreign(desc))
		return true;
	if (!registry_mount_blob(copy->registry, copy->from, copy->to, desc, &is_there, err))
		return false;
	if (is_there)
		return true;
	if (!registry_has_blob(copy->registry, copy->to, desc->digest, &is_there, err))
		return false;
	if (is_there)
		return true;
	if (!registry_receive_blob(copy->registry, copy->from, copy->to, desc, &is_there, err))
		return false;
	if (is_there)
		return true;
	path = path_join(copy->arena, copy->temp_dir, digest_hex(desc->digest));
	if (!registry_fetch_blob(copy->registry, copy->from, desc, path, err))
		return false;
	if (!registry_put_blob(copy->registry, copy->to, desc, NULL, path, err))
		return false;
	return fs_remove_tree(path, err);
}

static bool copy_blobs(const struct copy *copy, const struct manifest *manifest, struct err *err)
{
	for (size_t i = 0; i < manifest->n_layers; i++)
		if (!copy_blob(copy, &manifest->layers[i], err))
			return false;
	return copy_blob(copy, &manifest->config, err);
}

static bool copy_tree(const struct copy *copy, const struct ref *from, const struct ref *to,
		      int depth, struct err *err);

static bool copy_children(const struct copy *copy, const struct image_index *index, int depth,
			  struct err *err)
{
	if (depth == MAX_DEPTH)
		return err_set(err, ERR_INVALID, "indexes within indexes are nested too deeply");
	for (size_t i = 0; i < index->n_manifests; i++) {
		const char *digest = index->manifests[i].digest;
		const struct ref from = pinned(copy->from, digest), to = pinned(copy->to, digest);

		if (!copy_tree(copy, &from, &to, depth + 1, err))
			return false;
	}
	return true;
}

static bool copy_tree(const struct copy *copy, const struct ref *from, const struct ref *to,
		      int depth, struct err *err)
{
	struct image_index index;
	struct manifest manifest;
	struct descriptor desc;
	bool is_done;
	char *json;
	size_t n;

	if (!registry_get_manifest(copy->registry, from, copy->arena, &desc, &json, err))
		return false;
	n = (size_t)desc.size_bytes;
	if (media_is_index(desc.media_type))
		is_done = index_parse(json, n, desc.media_type, copy->arena, &index, err) &&
			  copy_children(copy, &index, depth, err);
	else
		is_done = manifest_parse(json, n, desc.media_type, copy->arena, &manifest, err) &&
			  copy_blobs(copy, &manifest, err);
	return is_done && registry_put_manifest(copy->registry, to, desc.media_type, json, n, err);
}

bool registry_copy(struct registry *registry, const struct ref *from, const struct ref *to,
		   struct err *err)
{
	struct copy copy = { .registry = registry, .from = from, .to = to };
	AUTO_TMPDIR temp = { 0 };
	bool is_done;

	if (!tmpdir_make(NULL, "reconcile-copy", &temp, err))
		return false;
	copy.temp_dir = temp.path;
	copy.arena = arena_new();
	is_done = copy_tree(&copy, from, to, 0, err) ||
		  err_prefix(err, "cannot copy '%s' to '%s'", ref_format(from, copy.arena),
			     ref_format(to, copy.arena));
	arena_free(copy.arena);
	return is_done;
}
