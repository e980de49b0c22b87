/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layout.c — repositories as OCI image layouts in folders:
 * <layout>/<registry>/<repo>/{oci-layout,index.json,blobs/sha256/}. Blobs are written beside their
 * place and renamed, so a name always has whole bytes. index.json is the only file that changes:
 * read, changed and renamed into place under a lock. Entries of others in it are kept as they are.
 * Spec: opencontainers/image-spec image-layout.md.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buildexec/registry/backend.h"
#include "buildexec/sys/clock.h"
#include "buildexec/sys/fs.h"
#include "model/base/limits.h"
#include "model/base/map.h"
#include "model/doc/json.h"

#define REF_NAME  "org.opencontainers.image.ref.name"
#define LOCK_FILE ".lock"

enum { LOCK_TIMEOUT_MS = 60000 };

static char *blob_path(const struct place *place, const char *digest, struct arena *arena)
{
	return arena_printf(arena, "%s/blobs/sha256/%s", place->layout, digest_hex(digest));
}

static bool make_layout(const struct place *place, struct arena *arena, struct err *err)
{
	static const char text[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
	const char *path = path_join(arena, place->layout, "oci-layout");

	if (fs_exists(path))
		return true;
	return fs_make_dirs(path_join(arena, place->layout, "blobs/sha256"), 0755, err) &&
	       fs_write_atomic(AT_FDCWD, path, text, sizeof(text) - 1, 0644, false, err);
}

static bool read_index(const struct place *place, struct arena *arena, struct node **out,
		       struct err *err)
{
	const char *path = path_join(arena, place->layout, "index.json");
	const struct node *list;
	char *json;
	size_t n;

	*out = NULL;
	/* Others may have made the folder: a pipe of that name must not make us wait. */
	if (!fs_read_plain(path, LIMIT_HTTP_BODY, arena, &json, &n, err))
		return false;
	if (!json)
		return true;
	if (!json_parse(json, n, arena, out, err))
		return err_prefix(err, "cannot read '%s'", path);
	list = node_get(*out, "manifests");
	if (!list || list->kind != NODE_SEQ)
		return err_set(err, ERR_INVALID, "cannot read '%s': it has no list 'manifests'",
			       path);
	return true;
}

static const char *entry_tag(const struct node *entry)
{
	return node_text(node_get(entry, "annotations"), REF_NAME);
}

/* The last one wins, as for others who read layouts with a name twice. */
static const struct node *find_entry(const struct node *index, const char *tag, const char *digest)
{
	const struct node *list = node_get(index, "manifests");
	const struct node *found = NULL;

	for (const struct node *entry = list ? list->first : NULL; entry; entry = entry->next) {
		const char *own = tag ? entry_tag(entry) : node_text(entry, "digest");

		if (own && strcmp(own, tag ? tag : digest) == 0)
			found = entry;
	}
	return found;
}

static bool read_entry(const struct place *place, const struct node *entry, struct descriptor *out,
		       struct err *err)
{
	const struct node *size = node_get(entry, "size");
	struct descriptor desc = { .media_type = node_text(entry, "mediaType"),
				   .digest = node_text(entry, "digest"),
				   .size_bytes = size && size->kind == NODE_INT ? size->i : -1 };

	if (!desc.media_type || !desc.digest || !digest_is_valid(desc.digest) ||
	    desc.size_bytes < 0)
		return err_set(err, ERR_INVALID,
			       "cannot read the layout '%s': an entry of index.json has no valid "
			       "type, digest and size",
			       place->layout);
	*out = desc;
	return true;
}

static bool layout_get_manifest(struct registry *registry, const struct place *place,
				const char *identifier, struct arena *arena, struct payload *out,
				struct err *err)
{
	const bool is_digest = digest_is_valid(identifier);
	struct descriptor desc = { .digest = is_digest ? identifier : NULL };
	const struct node *entry;
	struct node *index;
	char *bytes;
	size_t n;

	(void)registry;
	*out = (struct payload){ 0 };
	if (!read_index(place, arena, &index, err))
		return false;
	entry = find_entry(index, is_digest ? NULL : identifier, identifier);
	if (entry && !read_entry(place, entry, &desc, err))
		return false;
	/* A digest without an entry may still be there: the child of an index, or what a tag was
	 * before. */
	if (!desc.digest)
		return true;
	if (!fs_read_plain(blob_path(place, desc.digest, arena), LIMIT_MANIFEST_BYTES, arena,
			   &bytes, &n, err))
		return err_prefix(err, "cannot read the layout '%s'", place->layout);
	if (!bytes && !is_digest)
		return err_set(err, ERR_INVALID,
			       "cannot read the layout '%s': the manifest '%s' of '%s' is missing",
			       place->layout, desc.digest, identifier);
	if (bytes)
		*out = (struct payload){ desc.media_type, desc.digest, bytes, n };
	return true;
}

static bool layout_resolve(struct registry *registry, const struct place *place,
			   const char *identifier, struct arena *arena, struct descriptor *out,
			   struct err *err)
{
	struct payload payload;

	if (!layout_get_manifest(registry, place, identifier, arena, &payload, err))
		return false;
	if (!payload.bytes)
		return true;
	*out = (struct descriptor){ .media_type = payload.media_type,
				    .digest = arena_strdup(arena, payload.digest),
				    .size_bytes = (int64_t)payload.n };
	if (!out->media_type)
		out->media_type = manifest_media_type(payload.bytes, payload.n, arena);
	return true;
}

static bool layout_read_blob(struct registry *registry, const struct place *place,
			     struct blob_sink *sink, struct err *err)
{
	char *path = blob_path(place, sink->want->digest, registry->arena);
	AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, errno, "cannot read the blob '%s' of '%s'", sink->want->digest,
			       place->shown);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_INVALID, "the blob '%s' of '%s' is no plain file",
			       sink->want->digest, place->shown);
	return blob_sink_copy(sink, fd, err);
}

static bool layout_has_blob(struct registry *registry, const struct place *place,
			    const char *digest, bool *out, struct err *err)
{
	struct stat st;

	if (stat(blob_path(place, digest, registry->arena), &st) == 0) {
		*out = S_ISREG(st.st_mode);
		return true;
	}
	*out = false;
	return errno == ENOENT || errno == ENOTDIR ||
	       err_sys(err, errno, "cannot look for the blob '%s' in '%s'", digest, place->layout);
}

static bool has_whole_blob(const struct place *place, const struct descriptor *desc,
			   struct arena *arena)
{
	struct stat st;

	return stat(blob_path(place, desc->digest, arena), &st) == 0 && S_ISREG(st.st_mode) &&
	       st.st_size == desc->size_bytes;
}

static bool layout_mount_blob(struct registry *registry, const struct place *from,
			      const struct place *to, const struct descriptor *desc, bool *done,
			      struct err *err)
{
	struct arena *arena = registry->arena;

	*done = true;
	if (has_whole_blob(to, desc, arena))
		return true;
	*done = has_whole_blob(from, desc, arena);
	if (!*done)
		return true;
	if (!make_layout(to, arena, err))
		return false;
	/* Both names are of bytes that never change; another file system, or no right to link: copy
	 * instead. */
	*done = link(blob_path(from, desc->digest, arena), blob_path(to, desc->digest, arena)) ==
			0 ||
		(errno == EEXIST && has_whole_blob(to, desc, arena));
	return true;
}

/* A file of our own in the layout's folder, on the file system of its blobs. */
static bool open_temp(const struct place *place, struct arena *arena, char *temp, int *fd,
		      struct err *err)
{
	*fd = fs_open_temp(AT_FDCWD, arena_printf(arena, "%s/", place->layout), O_RDWR, 0644, temp);
	return *fd >= 0 || err_sys(err, errno, "cannot write into '%s'", place->layout);
}

static bool fill_temp(int fd, const struct descriptor *desc, const struct blob_source *source,
		      struct err *err)
{
	struct blob_sink sink;

	blob_sink_init(&sink, desc);
	sink.fd = fd;
	if (source->bytes) {
		if (blob_sink_write(&sink, source->bytes, (size_t)desc->size_bytes))
			return blob_sink_finish(&sink, err);
		*err = sink.err;
		return false;
	}
	{
		AUTO_FD in = open(source->path, O_RDONLY | O_CLOEXEC);

		if (in < 0)
			return err_sys(err, errno, "cannot read the blob '%s' from '%s'",
				       desc->digest, source->path);
		return blob_sink_copy(&sink, in, err);
	}
}

static bool name_blob(const struct place *place, const struct descriptor *desc, const char *temp,
		      struct arena *arena, struct err *err)
{
	int sys;

	if (rename(temp, blob_path(place, desc->digest, arena)) == 0)
		return true;
	sys = errno;
	unlink(temp);
	return err_sys(err, sys, "cannot store the blob '%s' in '%s'", desc->digest, place->layout);
}

static bool layout_receive_blob(struct registry *registry, const struct place *place,
				const struct ref *from, const struct descriptor *desc,
				struct err *err)
{
	AUTO_FD fd = -1;
	char temp[PATH_MAX];

	if (!make_layout(place, registry->arena, err) ||
	    !open_temp(place, registry->arena, temp, &fd, err))
		return false;
	if (!registry_fetch_blob_into(registry, from, desc, fd, err)) {
		unlink(temp);
		return false;
	}
	return name_blob(place, desc, temp, registry->arena, err);
}

static bool layout_put_blob(struct registry *registry, const struct place *place,
			    const struct descriptor *desc, const struct blob_source *source,
			    struct err *err)
{
	struct arena *arena = registry->arena;
	AUTO_FD fd = -1;
	char temp[PATH_MAX];

	if (has_whole_blob(place, desc, arena))
		return true;
	if (!make_layout(place, arena, err) || !open_temp(place, arena, temp, &fd, err))
		return false;
	if (!fill_temp(fd, desc, source, err)) {
		unlink(temp);
		return false;
	}
	return name_blob(place, desc, temp, arena, err);
}

static struct node *entry_node(const struct payload *payload, const char *tag, struct arena *arena)
{
	struct node *entry = node_new(arena, NODE_MAP);
	struct node *annotations = node_new(arena, NODE_MAP);

	node_set_text(arena, entry, "mediaType", payload->media_type);
	node_set_text(arena, entry, "digest", payload->digest);
	node_set(arena, entry, "size", node_int(arena, (int64_t)payload->n));
	node_set_text(arena, annotations, REF_NAME, tag);
	node_set(arena, entry, "annotations", annotations);
	return entry;
}

/* The index with the tag's entry replaced; the others stay, in their order. */
static struct node *retag(struct node *index, const struct payload *payload, const char *tag,
			  struct arena *arena)
{
	struct node *list = node_new(arena, NODE_SEQ);
	const struct node *old = node_get(index, "manifests");

	if (!index) {
		index = node_new(arena, NODE_MAP);
		node_set(arena, index, "schemaVersion", node_int(arena, 2));
		node_set_text(arena, index, "mediaType", MEDIA_OCI_INDEX);
	}
	for (const struct node *entry = old ? old->first : NULL; entry; entry = entry->next) {
		const char *own = entry_tag(entry);

		if (!own || strcmp(own, tag) != 0)
			node_push(list, node_clone(arena, entry));
	}
	node_push(list, entry_node(payload, tag, arena));
	node_set(arena, index, "manifests", list);
	return index;
}

static bool write_tag(const struct place *place, const char *tag, const struct payload *payload,
		      struct arena *arena, struct err *err)
{
	const char *path = path_join(arena, place->layout, "index.json");
	AUTO_BUF json = BUF_INIT(LIMIT_HTTP_BODY);
	const struct node *entry;
	struct node *index;
	const char *own;

	if (!read_index(place, arena, &index, err))
		return false;
	entry = find_entry(index, tag, NULL);
	own = entry ? node_text(entry, "digest") : NULL;
	if (own && strcmp(own, payload->digest) == 0)
		return true;
	json_print(retag(index, payload, tag, arena), JSON_GO, &json);
	if (json.is_over)
		return err_set(err, ERR_INVALID,
			       "cannot tag '%s:%s': index.json would pass %u bytes", place->shown,
			       tag, LIMIT_HTTP_BODY);
	return fs_write_atomic(AT_FDCWD, path, buf_text(&json), json.len, 0644, true, err);
}

static bool layout_put_manifest(struct registry *registry, const struct place *place,
				const char *tag, const struct payload *payload, struct err *err)
{
	const struct descriptor desc = { .digest = payload->digest,
					 .size_bytes = (int64_t)payload->n };
	const struct blob_source source = { .bytes = payload->bytes };
	struct arena *arena;
	AUTO_FD lock = -1;
	bool is_done;

	if (!layout_put_blob(registry, place, &desc, &source, err))
		return false;
	if (!tag)
		return true;
	arena = arena_new();
	is_done = fs_lock(path_join(arena, place->layout, LOCK_FILE), false, LOCK_TIMEOUT_MS, &lock,
			  err) &&
		  write_tag(place, tag, payload, arena, err);
	if (is_done)
		fs_sweep_files(place->layout);
	arena_free(arena);
	return is_done;
}

static bool layout_list_tags(struct registry *registry, const struct place *place,
			     struct arena *arena, struct strings *out, struct err *err)
{
	const struct node *list;
	struct map seen = { 0 };
	struct node *index;

	(void)registry;
	if (!read_index(place, arena, &index, err))
		return false;
	if (!index)
		return err_set(err, ERR_ABSENT,
			       "cannot list the tags of '%s': there is no layout '%s'",
			       place->shown, place->layout);
	list = node_get(index, "manifests");
	for (const struct node *entry = list->first; entry; entry = entry->next) {
		const char *tag = entry_tag(entry);

		if (!tag || !ref_tag_is_valid(tag) || map_has(&seen, tag))
			continue;
		map_set(arena, &seen, tag, NULL);
		vec_push(arena, out, tag);
	}
	return true;
}

static bool layout_check_write(struct registry *registry, const struct place *place,
			       struct err *err)
{
	char temp[PATH_MAX];
	AUTO_FD fd = -1;

	if (!make_layout(place, registry->arena, err) ||
	    !open_temp(place, registry->arena, temp, &fd, err))
		return false;
	unlink(temp);
	/* What is adopted is not pushed again: nobody else would meet what a killed push left. */
	fs_sweep_files(place->layout);
	return true;
}

const struct backend layout_backend = {
	.resolve = layout_resolve,
	.get_manifest = layout_get_manifest,
	.read_blob = layout_read_blob,
	.has_blob = layout_has_blob,
	.mount_blob = layout_mount_blob,
	.put_blob = layout_put_blob,
	.receive_blob = layout_receive_blob,
	.put_manifest = layout_put_manifest,
	.list_tags = layout_list_tags,
	.check_write = layout_check_write,
};
