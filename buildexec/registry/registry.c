/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registry.c — the interface over both backends: finds the place, tries mirrors, and believes no byte before its digest.
 * What a backend can do is in backend.h.
 */
#include "buildexec/registry/registry.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buildexec/registry/backend.h"
#include "buildexec/sys/clock.h"
#include "buildexec/sys/fs.h"
#include "model/base/limits.h"
#include "model/doc/json.h"

bool registry_open(const struct registry_rules *rules, const struct keychain *keychain,
		   struct registry **out, struct err *err)
{
	struct arena *arena = arena_new();
	struct registry *registry = ARENA_NEW(arena, struct registry);

	(void)err;
	registry->arena = arena;
	registry->rules = rules;
	registry->keychain = keychain;
	*out = registry;
	return true;
}

void registry_close(struct registry **registry)
{
	if (!*registry)
		return;
	remote_close(*registry);
	arena_free((*registry)->arena);
	*registry = NULL;
}

static const struct backend *backend_of(const struct place *place)
{
	return place->layout ? &layout_backend : &remote_backend;
}

void registry_set_manner(struct registry *registry, const struct registry_manner *manner)
{
	registry->manner = *manner;
}

const struct registry_refusal *registry_refusal(const struct registry *registry)
{
	return &registry->refusal;
}

/* The manner may make a place insecure that the rules do not. */
static void apply_manner(const struct registry *registry, const struct ref *ref,
			 struct place *place)
{
	if (registry->manner.insecure && strcmp(registry->manner.insecure, ref->registry) == 0)
		place->is_insecure = true;
}

static bool find_place(struct registry *registry, const struct ref *ref, struct arena *arena,
		       struct place *out, struct err *err)
{
	if (!place_find(registry->rules, ref, arena, out, err))
		return false;
	apply_manner(registry, ref, out);
	return true;
}

/* Where to read: a new question, so what was refused before is forgotten. */
static bool find_readable(struct registry *registry, const struct ref *ref, struct arena *arena,
			  struct places *out, struct err *err)
{
	registry->refusal = (struct registry_refusal){ 0 };
	if (!place_find_readable(registry->rules, ref, arena, out, err))
		return false;
	apply_manner(registry, ref, &out->v[out->n - 1]);
	return true;
}

bool registry_is_blocked(const struct registry *registry, const struct ref *ref)
{
	struct arena *arena = arena_new();
	struct err ignored = { 0 };
	struct place place;
	bool is_found = place_find(registry->rules, ref, arena, &place, &ignored);
	bool is_blocked = !is_found && place.rule && place.rule->is_blocked;

	arena_free(arena);
	return is_blocked;
}

enum registry_protocol registry_probe(struct registry *registry, const struct ref *ref)
{
	struct arena *arena = arena_new();
	enum registry_protocol protocol = PROTOCOL_UNKNOWN;
	struct err ignored = { 0 };
	struct place place;

	if (find_place(registry, ref, arena, &place, &ignored) && !place.layout)
		protocol = remote_probe(registry, &place);
	arena_free(arena);
	return protocol;
}

/* A folder is this machine's; all else that fails is a server's part, whatever it did. */
static bool judged(const struct place *place, bool is_done, struct err *err)
{
	return is_done || (place->layout ? false : err_foreign(err));
}

static const char *identifier_of(const struct ref *ref)
{
	return ref->digest ? ref->digest : ref->tag;
}

const char *manifest_media_type(const char *bytes, size_t n, struct arena *arena)
{
	struct err ignored = { 0 };
	struct node *root;
	const char *type;

	if (!json_parse(bytes, n, arena, &root, &ignored) || root->kind != NODE_MAP)
		return NULL;
	type = node_text(root, "mediaType");
	if (type)
		return type;
	if (node_get(root, "manifests"))
		return MEDIA_OCI_INDEX;
	return node_get(root, "layers") ? MEDIA_OCI_MANIFEST : NULL;
}

bool registry_resolve(struct registry *registry, const struct ref *ref, struct arena *arena,
		      struct descriptor *out, struct err *err)
{
	struct places places;

	*out = (struct descriptor){ 0 };
	if (!find_readable(registry, ref, arena, &places, err))
		return false;
	for (size_t i = 0; i < places.n; i++) {
		const struct place *place = &places.v[i];
		struct err failed = { 0 };
		bool is_answered = backend_of(place)->resolve(registry, place, identifier_of(ref),
							      arena, out, &failed);

		if (is_answered && out->digest && ref->digest &&
		    strcmp(out->digest, ref->digest) != 0)
			is_answered = err_set(&failed, ERR_INVALID,
					      "cannot resolve '%s': the server has '%s' there",
					      ref_format(ref, arena), out->digest);
		is_answered = judged(place, is_answered, &failed);
		if (is_answered && out->digest)
			return true;
		*out = (struct descriptor){ 0 };
		/* Only the place itself has the last word, mirrors are a chance. */
		if (i + 1 == places.n) {
			if (!is_answered)
				*err = failed;
			return is_answered;
		}
	}
	return true;
}

/* Its own digest and type for what a backend gave. */
static bool verify_manifest(const struct ref *ref, struct payload *payload, struct arena *arena,
			    struct descriptor *desc, struct err *err)
{
	struct digest digest = digest_of(payload->bytes, payload->n);
	const char *wanted = ref->digest ? ref->digest : payload->digest;

	if (wanted && strcmp(wanted, digest.text) != 0)
		return err_set(
			err, ERR_INVALID,
			"the manifest of '%s' has other bytes: their digest is '%s', not '%s'",
			ref_format(ref, arena), digest.text, wanted);
	if (!payload->media_type)
		payload->media_type = manifest_media_type(payload->bytes, payload->n, arena);
	if (!payload->media_type)
		return err_set(err, ERR_INVALID, "'%s' is no image manifest and no index",
			       ref_format(ref, arena));
	*desc = (struct descriptor){ .media_type = arena_strdup(arena, payload->media_type),
				     .digest = arena_strdup(arena, digest.text),
				     .size_bytes = (int64_t)payload->n };
	return true;
}

static bool read_manifest_from(struct registry *registry, const struct place *place,
			       const struct ref *ref, struct arena *arena, struct descriptor *desc,
			       char **bytes, struct err *err)
{
	struct payload payload;

	if (!backend_of(place)->get_manifest(registry, place, identifier_of(ref), arena, &payload,
					     err))
		return false;
	if (!payload.bytes)
		return err_set(err, ERR_ABSENT, "cannot find the image '%s'",
			       ref_format(ref, arena));
	if (!verify_manifest(ref, &payload, arena, desc, err))
		return false;
	*bytes = arena_copy(arena, payload.bytes, payload.n);
	return true;
}

static bool get_manifest_from(struct registry *registry, const struct place *place,
			      const struct ref *ref, struct arena *arena, struct descriptor *desc,
			      char **bytes, struct err *err)
{
	return judged(place, read_manifest_from(registry, place, ref, arena, desc, bytes, err),
		      err);
}

bool registry_get_manifest(struct registry *registry, const struct ref *ref, struct arena *arena,
			   struct descriptor *desc, char **bytes, struct err *err)
{
	struct places places;
	struct payload known;

	*desc = (struct descriptor){ 0 };
	*bytes = NULL;
	if (!find_readable(registry, ref, arena, &places, err))
		return false;
	if (ref->digest)
		*bytes = shared_recall(registry, ref, ref->digest, arena, &known);
	if (*bytes && known.media_type) {
		*desc = (struct descriptor){ .media_type = known.media_type,
					     .digest = known.digest,
					     .size_bytes = (int64_t)known.n };
		return true;
	}
	for (size_t i = 0; i < places.n; i++) {
		struct err failed = { 0 };

		if (get_manifest_from(registry, &places.v[i], ref, arena, desc, bytes, &failed)) {
			known = (struct payload){ desc->media_type, desc->digest, *bytes,
						  (size_t)desc->size_bytes };
			shared_remember(registry, ref, &known);
			return true;
		}
		*err = failed;
	}
	return false;
}

static bool read_into(struct registry *registry, const struct ref *ref, struct arena *arena,
		      struct blob_sink *sink, struct err *err)
{
	struct places places;

	if (!find_readable(registry, ref, arena, &places, err))
		return false;
	for (size_t i = 0; i < places.n; i++) {
		const struct place *place = &places.v[i];
		struct err failed = { 0 };

		if (i > 0 && !blob_sink_reset(sink)) {
			*err = sink->err;
			return false;
		}
		if (judged(place, backend_of(place)->read_blob(registry, place, sink, &failed),
			   &failed))
			return true;
		*err = failed;
	}
	return false;
}

bool registry_get_blob(struct registry *registry, const struct ref *ref,
		       const struct descriptor *desc, struct arena *arena, char **bytes,
		       struct err *err)
{
	struct blob_sink sink;
	struct payload known;

	*bytes = NULL;
	if (desc->size_bytes < 0 || desc->size_bytes > (int64_t)LIMIT_CONFIG_BYTES)
		return err_set(err, ERR_INVALID,
			       "cannot read the blob '%s': it has %lld bytes, more than %u",
			       desc->digest, (long long)desc->size_bytes, LIMIT_CONFIG_BYTES);
	*bytes = shared_recall(registry, ref, desc->digest, arena, &known);
	if (*bytes && (int64_t)known.n == desc->size_bytes)
		return true;
	blob_sink_init(&sink, desc);
	sink.memory = arena_alloc(arena, (size_t)desc->size_bytes + 1);
	if (!read_into(registry, ref, arena, &sink, err))
		return false;
	*bytes = sink.memory;
	known = (struct payload){ NULL, desc->digest, *bytes, (size_t)desc->size_bytes };
	shared_remember(registry, ref, &known);
	return true;
}

bool registry_fetch_blob_into(struct registry *registry, const struct ref *ref,
			      const struct descriptor *desc, int fd, struct err *err)
{
	struct arena *arena = arena_new();
	struct blob_sink sink;
	bool is_done;

	blob_sink_init(&sink, desc);
	sink.fd = fd;
	sink.buffer = arena_alloc(arena, BLOB_BUFFER);
	is_done = read_into(registry, ref, arena, &sink, err);
	arena_free(arena);
	return is_done;
}

bool registry_fetch_blob(struct registry *registry, const struct ref *ref,
			 const struct descriptor *desc, const char *path, struct err *err)
{
	char temp[PATH_MAX];
	AUTO_FD fd = fs_open_temp(AT_FDCWD, path, O_RDWR, 0644, temp);

	if (fd < 0)
		return err_sys(err, errno, "cannot write '%s'", path);
	if (registry_fetch_blob_into(registry, ref, desc, fd, err)) {
		if (rename(temp, path) == 0)
			return true;
		err_sys(err, errno, "cannot write '%s'", path);
	}
	unlink(temp);
	return false;
}

bool registry_has_manifest(struct registry *registry, const struct ref *ref, bool *out,
			   struct err *err)
{
	struct arena *arena = arena_new();
	struct descriptor desc = { 0 };
	struct place place;
	bool is_done = find_place(registry, ref, arena, &place, err) &&
		       judged(&place,
			      backend_of(&place)->resolve(registry, &place, identifier_of(ref),
							  arena, &desc, err),
			      err);

	*out = is_done && desc.digest && (!ref->digest || strcmp(desc.digest, ref->digest) == 0);
	arena_free(arena);
	return is_done;
}

bool registry_has_blob(struct registry *registry, const struct ref *ref, const char *digest,
		       bool *out, struct err *err)
{
	struct place place;

	*out = false;
	return find_place(registry, ref, registry->arena, &place, err) &&
	       judged(&place, backend_of(&place)->has_blob(registry, &place, digest, out, err),
		      err);
}

bool registry_mount_blob(struct registry *registry, const struct ref *from, const struct ref *to,
			 const struct descriptor *desc, bool *done, struct err *err)
{
	struct place source, target;

	*done = false;
	if (!find_place(registry, from, registry->arena, &source, err) ||
	    !find_place(registry, to, registry->arena, &target, err))
		return false;
	if (backend_of(&source) != backend_of(&target))
		return true;
	return judged(&target,
		      backend_of(&target)->mount_blob(registry, &source, &target, desc, done, err),
		      err);
}

bool registry_put_blob(struct registry *registry, const struct ref *to,
		       const struct descriptor *desc, const void *bytes, const char *path,
		       struct err *err)
{
	const struct blob_source source = { bytes, path };
	struct payload known = { NULL, desc->digest, bytes, (size_t)desc->size_bytes };
	struct place place;

	if (!find_place(registry, to, registry->arena, &place, err) ||
	    !judged(&place, backend_of(&place)->put_blob(registry, &place, desc, &source, err),
		    err))
		return false;
	if (bytes)
		shared_remember(registry, to, &known);
	return true;
}

bool registry_receive_blob(struct registry *registry, const struct ref *from, const struct ref *to,
			   const struct descriptor *desc, bool *done, struct err *err)
{
	struct place place;

	*done = false;
	if (!find_place(registry, to, registry->arena, &place, err))
		return false;
	if (!backend_of(&place)->receive_blob)
		return true;
	*done = true;
	return backend_of(&place)->receive_blob(registry, &place, from, desc, err);
}

bool registry_put_manifest(struct registry *registry, const struct ref *to, const char *media_type,
			   const void *bytes, size_t n, struct err *err)
{
	const struct digest digest = digest_of(bytes, n);
	const struct payload payload = { media_type, digest.text, bytes, n };
	struct place place;

	if (n > LIMIT_MANIFEST_BYTES)
		return err_set(
			err, ERR_INVALID,
			"cannot write the manifest of '%s/%s': it has %zu bytes, more than %u",
			to->registry, to->repo, n, LIMIT_MANIFEST_BYTES);
	if (to->digest && strcmp(to->digest, digest.text) != 0)
		return err_set(err, ERR_INVALID,
			       "cannot write the manifest of '%s/%s': its digest is '%s', not '%s'",
			       to->registry, to->repo, digest.text, to->digest);
	if (!find_place(registry, to, registry->arena, &place, err) ||
	    !judged(&place,
		    backend_of(&place)->put_manifest(registry, &place, to->has_tag ? to->tag : NULL,
						     &payload, err),
		    err))
		return false;
	shared_remember(registry, to, &payload);
	return true;
}

bool registry_list_tags(struct registry *registry, const struct ref *repo, struct arena *arena,
			struct strings *out, struct err *err)
{
	struct places places;

	*out = (struct strings){ 0 };
	if (!find_readable(registry, repo, arena, &places, err))
		return false;
	for (size_t i = 0; i < places.n; i++) {
		struct err failed = { 0 };

		if (judged(&places.v[i],
			   backend_of(&places.v[i])
				   ->list_tags(registry, &places.v[i], arena, out, &failed),
			   &failed))
			return true;
		*out = (struct strings){ 0 };
		*err = failed;
	}
	return false;
}

bool registry_check_write(struct registry *registry, const struct ref *to, struct err *err)
{
	struct place place;

	return find_place(registry, to, registry->arena, &place, err) &&
	       judged(&place, backend_of(&place)->check_write(registry, &place, err), err);
}

/* The reference of the same repository with this digest alone. */
static struct ref pinned(const struct ref *ref, const char *digest)
{
	return (struct ref){ .registry = ref->registry, .repo = ref->repo, .digest = digest };
}

static bool choose_platform(const struct ref *ref, const struct platform *want, const char *json,
			    const struct descriptor *desc, struct arena *arena,
			    const struct descriptor **out, struct err *err)
{
	struct image_index index;

	if (!index_parse(json, (size_t)desc->size_bytes, desc->media_type, arena, &index, err))
		return err_prefix(err, "image '%s'", ref_format(ref, arena));
	*out = index_select(&index, want);
	if (!*out)
		return err_set(err, ERR_ABSENT, "the image '%s' has none for %s/%s%s%s",
			       ref_format(ref, arena), want->os, want->arch,
			       want->variant ? "/" : "", want->variant ? want->variant : "");
	return true;
}

static bool read_config(struct registry *registry, struct remote_image *image, struct arena *arena,
			struct err *err)
{
	const struct descriptor *desc = &image->manifest.config;
	char *json;

	if (!registry_get_blob(registry, &image->ref, desc, arena, &json, err) ||
	    !image_config_parse(json, (size_t)desc->size_bytes, arena, &image->config, err))
		return false;
	if (image->config.diff_ids.n != image->manifest.n_layers)
		return err_set(err, ERR_INVALID, "its manifest has %zu layers, its config %zu",
			       image->manifest.n_layers, image->config.diff_ids.n);
	return true;
}

bool registry_read_image(struct registry *registry, const struct ref *ref,
			 const struct platform *want, struct arena *arena, struct remote_image *out,
			 struct err *err)
{
	struct remote_image image = { .ref = *ref };
	const struct descriptor *chosen;
	char *json;

	*out = (struct remote_image){ 0 };
	if (!registry_get_manifest(registry, ref, arena, &image.desc, &json, err))
		return false;
	image.top_digest = image.desc.digest;
	if (media_is_index(image.desc.media_type)) {
		struct ref child;

		if (!choose_platform(ref, want, json, &image.desc, arena, &chosen, err))
			return false;
		child = pinned(ref, chosen->digest);
		if (!registry_get_manifest(registry, &child, arena, &image.desc, &json, err))
			return err_prefix(err, "image '%s'", ref_format(ref, arena));
	}
	image.ref.digest = image.desc.digest;
	if (!manifest_parse(json, (size_t)image.desc.size_bytes, image.desc.media_type, arena,
			    &image.manifest, err) ||
	    !read_config(registry, &image, arena, err))
		return err_prefix(err, "image '%s'", ref_format(ref, arena));
	*out = image;
	return true;
}
