/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store.c — one branch, read through the object reader, written as one pack per commit.
 * Local: objects are read and written in the repository itself. Remote: a bare mirror, named after
 * the URL's hash, holds the branch's tip; objects that are pushed are put there too, so that a
 * commit needs no fetch afterwards.
 */
#include "reconcile/store/store.h"

#include <stdlib.h>
#include <string.h>

#include "buildexec/sys/fs.h"
#include "buildexec/sys/git_export.h"
#include "buildexec/sys/git_pack.h"
#include "buildexec/sys/log.h"
#include "buildexec/sys/pool.h"
#include "model/base/digest.h"
#include "model/base/limits.h"

enum { LOCK_WAIT_MS = 60000, MIRROR_NAME = 24, PARTS_MAX = 16, FILES_PER_PART = 1000 };

struct store {
	struct arena *arena;
	const char *ref; /* "refs/heads/…" */
	bool has_no_history, is_local, is_offline;
	struct git_wire *wire;
	struct git_repo *repo; /* the repository, or the mirror of it */
	struct git_id commit, tree;
	struct git_id base; /* what an absent branch begins at; none: nothing */
	bool is_new;        /* the branch is absent, `commit` is the base */
};

static bool open_repo(struct store *store, const struct store_place *spec, struct err *err)
{
	const struct git_url *url = git_wire_url(store->wire);
	const char *path;

	store->is_local = url->scheme == GIT_SCHEME_LOCAL;
	if (store->is_local)
		return git_repo_open(url->path, false, &store->repo, err);
	if (!spec->cache_dir)
		return err_set(err, ERR_INVALID,
			       "a state repository on a server needs a cache folder");
	path = arena_printf(store->arena, "%s/%.*s.git", spec->cache_dir, MIRROR_NAME,
			    digest_hex(digest_of(url->canonical, strlen(url->canonical)).text));
	if (!spec->is_offline)
		return git_repo_init(path, &store->repo, err);
	if (!fs_is_dir(path))
		return err_set(
			err, ERR_ABSENT,
			"it is on a server and was never read on this machine; an offline run "
			"asks nobody");
	return git_repo_open(path, false, &store->repo, err);
}

bool store_open(const struct store_place *spec, struct store **out, struct err *err)
{
	struct store *store = mem_realloc(NULL, sizeof(*store));

	*store = (struct store){ .arena = arena_new(),
				 .has_no_history = spec->has_no_history,
				 .is_offline = spec->is_offline };
	*out = NULL;
	if (spec->base)
		(void)git_id_parse(spec->base, strlen(spec->base), &store->base);
	store->ref = arena_printf(store->arena, "refs/heads/%s", spec->branch);
	if (!git_ref_is_valid(store->ref)) {
		err_set(err, ERR_INVALID, "'%s' is no name for a branch", spec->branch);
		store_close(&store);
		return false;
	}
	if (!git_wire_open(spec->url, spec->wire, &store->wire, err) ||
	    !open_repo(store, spec, err) || !store_refresh(store, err)) {
		err_prefix(err, "%s '%s'", spec->what ? spec->what : "state branch", spec->branch);
		store_close(&store);
		return false;
	}
	*out = store;
	return true;
}

void store_close(struct store **handle)
{
	struct store *store = *handle;

	if (!store)
		return;
	git_wire_close(&store->wire);
	git_repo_close(&store->repo);
	arena_free(store->arena);
	free(store);
	*handle = NULL;
}

const struct git_id *store_commit_id(const struct store *store)
{
	return &store->commit;
}

const struct git_id *store_tree_id(const struct store *store)
{
	return &store->tree;
}

static bool read_remote_tip(struct store *store, struct git_id *tip, struct err *err)
{
	struct arena *arena = arena_new();
	struct strings names = { 0 };
	struct git_refs refs;
	bool done;

	*tip = (struct git_id){ 0 };
	vec_push(arena, &names, store->ref);
	done = git_wire_ls_refs(store->wire, &names, arena, &refs, err);
	for (size_t i = 0; done && i < refs.n; i++)
		if (!strcmp(refs.v[i].name, store->ref))
			*tip = refs.v[i].id;
	arena_free(arena);
	return done;
}

/* What the mirror had last is offered, so that only the difference comes. */
static bool fetch_tip(struct store *store, const struct git_id *tip, struct err *err)
{
	struct git_fetch fetch = { .into = store->repo, .commit = *tip, .hint_ref = store->ref };
	struct git_fetch_stats stats;
	struct git_id mirrored;

	if (!git_repo_read_ref(store->repo, store->ref, &mirrored, err))
		return false;
	/* Without a history nothing leads from the one to the other, and nothing is gained by it. */
	if (!git_id_is_none(&mirrored) && !store->has_no_history)
		fetch.have = &mirrored;
	if (git_wire_fetch(store->wire, &fetch, &stats, err))
		return true;
	/*
	 * The mirror may be ahead of the tip that we were told, by another process: then it is no ancestor. And a difference that
	 * cannot be put together here (a server's thin pack) is asked for as a whole.
	 */
	if (!fetch.have ||
	    (err->kind != ERR_ABSENT && err->kind != ERR_INVALID && err->kind != ERR_SYSTEM))
		return false;
	*err = (struct err){ 0 };
	fetch.have = NULL;
	return git_wire_fetch(store->wire, &fetch, &stats, err);
}

/* The mirror's own ref is a hint of what it holds; another process may be ahead, and that is fine.
 */
static bool note_mirror(struct store *store, const struct git_id *tip, struct err *err)
{
	struct git_id mirrored;
	AUTO_FD lock = -1;

	if (store->is_local)
		return true;
	if (!git_repo_lock(store->repo, LOCK_WAIT_MS, &lock, err) ||
	    !git_repo_read_ref(store->repo, store->ref, &mirrored, err))
		return false;
	return git_id_equal(&mirrored, tip) ||
	       git_repo_swap_ref(store->repo, store->ref, &mirrored, tip, err);
}

/* The commit that the branch will begin at, as if it were its tip. */
static bool read_base(struct store *store, struct err *err)
{
	struct git_fetch fetch = { .into = store->repo, .commit = store->base };
	struct git_fetch_stats stats;

	if (store->is_new)
		return true;
	if (!store->is_local && !store->is_offline &&
	    !git_wire_fetch(store->wire, &fetch, &stats, err))
		return err_prefix(err, "the branch is to begin at commit %.7s, which cannot be had",
				  store->base.hex);
	if (!git_tree_of_commit(git_repo_objects(store->repo), &store->base, &store->tree, err))
		return false;
	store->commit = store->base;
	store->is_new = true;
	return true;
}

bool store_refresh(struct store *store, struct err *err)
{
	struct git_id tip, tree = { 0 };

	if (store->is_local || store->is_offline
		    ? !git_repo_read_ref(store->repo, store->ref, &tip, err)
		    : !read_remote_tip(store, &tip, err))
		return false;
	if (git_id_is_none(&tip) && !git_id_is_none(&store->base))
		return read_base(store, err);
	if (git_id_equal(&tip, &store->commit)) {
		store->is_new = false;
		return true;
	}
	if (!git_id_is_none(&tip)) {
		if (!store->is_local && !store->is_offline &&
		    (!fetch_tip(store, &tip, err) || !note_mirror(store, &tip, err)))
			return false;
		if (!git_tree_of_commit(git_repo_objects(store->repo), &tip, &tree, err))
			return false;
	}
	store->commit = tip;
	store->tree = tree;
	store->is_new = false;
	return true;
}

struct found {
	size_t file; /* index into the result */
	uint64_t place;
	const unsigned char *raw; /* in the tree's bytes, in the caller's arena */
};

struct walk {
	struct git_objects *objects;
	store_want_fn *want;
	void *ctx;
	struct arena *arena;
	struct store_files *files;
	VEC(struct found) found;
};

static bool walk_folder(struct walk *walk, const unsigned char *raw, const char *path,
			unsigned depth, struct err *err);

static bool walk_entry(struct walk *walk, const char *folder, const struct git_entry *entry,
		       unsigned depth, struct err *err)
{
	bool is_dir = entry->mode == GIT_MODE_DIR;
	size_t n_folder = strlen(folder);
	char *path;

	path = arena_alloc(walk->arena, n_folder + entry->n_name + 2);
	memcpy(path, folder, n_folder);
	memcpy(path + n_folder, entry->name, entry->n_name);
	if (walk->want && !walk->want(walk->ctx, path, is_dir))
		return true;
	if (is_dir) {
		path[n_folder + entry->n_name] = '/';
		return walk_folder(walk, entry->raw, path, depth + 1, err);
	}
	if ((entry->mode & 0170000) != 0100000)
		return err_set(err, ERR_INVALID, "'%s' is a link or a submodule, not a file", path);
	vec_push(walk->arena, walk->files, (struct store_file){ .path = path });
	vec_push(walk->arena, &walk->found,
		 (struct found){ walk->files->n - 1, git_objects_place(walk->objects, entry->raw),
				 entry->raw });
	return true;
}

static bool walk_folder(struct walk *walk, const unsigned char *raw, const char *path,
			unsigned depth, struct err *err)
{
	struct git_data tree;
	struct git_entry entry;
	size_t pos = 0;

	if (depth > LIMIT_GIT_DEPTH)
		return err_set(err, ERR_INVALID, "the state has folders deeper than %u",
			       LIMIT_GIT_DEPTH);
	if (!git_objects_need(walk->objects, raw, GIT_TYPE_TREE, walk->arena, &tree, err))
		return false;
	while (git_entry_next(tree.bytes, tree.n, &pos, &entry))
		if (!walk_entry(walk, path, &entry, depth, err))
			return false;
	return pos == tree.n ||
	       err_set(err, ERR_INVALID, "the state's folder '%s' is damaged", path);
}

static int compare_places(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	return x->place < y->place ? -1 : x->place > y->place;
}

/* A stretch of what was found, read by one thread into an arena and through a reader of its own. */
struct part {
	const struct walk *walk;
	size_t first, last;
	struct git_objects *objects;
	struct arena *arena;
	struct err err;
};

static void read_part(void *items, size_t index)
{
	struct part *part = &((struct part *)items)[index];
	const struct walk *walk = part->walk;

	for (size_t i = part->first; i < part->last; i++) {
		struct store_file *file = &walk->files->v[walk->found.v[i].file];
		struct git_data blob;

		if (!git_objects_need(part->objects, walk->found.v[i].raw, GIT_TYPE_BLOB,
				      part->arena, &blob, &part->err)) {
			err_prefix(&part->err, "cannot read '%s'", file->path);
			return;
		}
		if (blob.n > LIMIT_STATE_BLOB) {
			err_set(&part->err, ERR_INVALID, "'%s' has %zu bytes, more than %u MiB",
				file->path, blob.n, LIMIT_STATE_BLOB >> 20);
			return;
		}
		file->bytes = blob.bytes;
		file->n = blob.n;
	}
}

/* The first part reads with the store's own reader into the caller's arena: few files need no more. */
static bool open_parts(struct walk *walk, const char *objects_path, struct part *parts, size_t n,
		       struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		parts[i] = (struct part){ .walk = walk,
					  .first = walk->found.n * i / n,
					  .last = walk->found.n * (i + 1) / n,
					  .objects = walk->objects,
					  .arena = walk->arena };
		if (!i)
			continue;
		if (!git_objects_open(objects_path, &parts[i].objects, err))
			return false;
		parts[i].arena = arena_new();
	}
	return true;
}

static bool close_parts(struct walk *walk, struct part *parts, size_t n, struct err *err)
{
	bool done = true;

	for (size_t i = 0; i < n && parts[i].arena; i++) {
		if (done && parts[i].err.kind) {
			*err = parts[i].err;
			done = false;
		}
		if (!i)
			continue;
		git_objects_close(&parts[i].objects);
		arena_adopt(walk->arena, parts[i].arena);
	}
	return done;
}

/* In the order of the disk, which is also the order in which deltas find their bases in the cache;
 * by all cores when there is much to inflate. */
static bool read_found(struct walk *walk, const char *objects_path, struct err *err)
{
	struct part parts[PARTS_MAX] = { 0 };
	size_t n = pool_cores();
	bool done;

	if (walk->found.n)
		qsort(walk->found.v, walk->found.n, sizeof(*walk->found.v), compare_places);
	n = n > PARTS_MAX ? PARTS_MAX : n;
	n = walk->found.n < n * FILES_PER_PART ? walk->found.n / FILES_PER_PART + 1 : n;
	done = open_parts(walk, objects_path, parts, n, err);
	if (done)
		pool_each(n, n, read_part, parts);
	return close_parts(walk, parts, n, err) && done;
}

bool store_read_all(struct store *store, store_want_fn *want, void *ctx, struct arena *arena,
		    struct store_files *out, struct err *err)
{
	struct walk walk = { git_repo_objects(store->repo), want, ctx, arena, out };
	unsigned char raw[GIT_ID_RAW];

	*out = (struct store_files){ 0 };
	if (git_id_is_none(&store->tree))
		return true;
	git_id_to_raw(&store->tree, raw);
	if (!walk_folder(&walk, raw, "", 0, err) ||
	    !read_found(&walk, git_repo_objects_path(store->repo), err)) {
		*out = (struct store_files){ 0 };
		return false;
	}
	return true;
}

bool store_read(struct store *store, const char *path, struct arena *arena, struct store_file *out,
		struct err *err)
{
	struct git_data blob;

	*out = (struct store_file){ .path = path };
	if (git_id_is_none(&store->tree))
		return true;
	if (!git_read_path(git_repo_objects(store->repo), &store->tree, path, arena, &blob, err))
		return err_prefix(err, "cannot read '%s'", path);
	out->bytes = blob.bytes;
	out->n = blob.n;
	return true;
}

static bool edit_tree(struct store *store, const struct store_commit *commit, struct git_pack *pack,
		      struct git_id *tree, struct err *err)
{
	struct arena *arena = arena_new();
	struct git_change *changes = arena_array(arena, commit->n_changes, sizeof(*changes));
	bool done;

	for (size_t i = 0; i < commit->n_changes; i++)
		changes[i] = (struct git_change){ .path = commit->changes[i].path,
						  .bytes = commit->changes[i].bytes,
						  .n = commit->changes[i].n,
						  .is_deleted = !commit->changes[i].bytes };
	done = git_pack_edit(pack, git_repo_objects(store->repo), &store->tree,
			     &(struct git_changes){ changes, commit->n_changes }, tree, err);
	arena_free(arena);
	return done;
}

/* Behind a successful push: what was sent is kept, too, so that reading it needs no fetch. */
static bool keep_in_mirror(struct store *store, struct git_pack *pack, const struct git_id *id,
			   struct err *err)
{
	AUTO_FD lock = -1;

	if (!git_repo_lock(store->repo, LOCK_WAIT_MS, &lock, err) ||
	    !git_pack_store(pack, git_repo_objects_path(store->repo), err))
		return false;
	fd_close(&lock);
	return note_mirror(store, id, err);
}

static bool is_tree_empty(const struct git_id *tree)
{
	unsigned char raw[GIT_ID_RAW];
	struct git_id empty;

	git_id_hash(GIT_TYPE_TREE, "", 0, raw);
	empty = git_id_from_raw(raw);
	return git_id_equal(tree, &empty);
}

static bool push_commit(struct store *store, struct git_pack *pack, const struct git_id *id,
			struct err *err)
{
	struct git_update update = { .ref = store->ref, .new_id = *id };
	struct git_push push = { .updates = &update, .n_updates = 1, .pack = pack };
	struct err later = { 0 };

	if (!store->is_new)
		update.old_id = store->commit;
	if (!git_wire_push(store->wire, &push, err))
		return false;
	/* The commit has landed; a mirror that cannot be written only costs the next run a fetch.
	 */
	if (!store->is_local && !keep_in_mirror(store, pack, id, &later))
		log_line(LOG_DEBUG, "the mirror of '%s' is behind: %s", store->ref, later.text);
	return true;
}

void store_sweep(struct store *store)
{
	git_repo_sweep(store->repo);
}

static bool fold(struct store *store, struct err *err)
{
	AUTO_FD lock = -1;

	if (git_objects_n_packs(git_repo_objects(store->repo)) <= GIT_PACKS_MAX)
		return true;
	return git_repo_lock(store->repo, LOCK_WAIT_MS, &lock, err) &&
	       git_pack_fold(git_repo_objects_path(store->repo), err);
}

static bool sign(const struct store_commit *commit, struct git_commit_spec *spec,
		 struct arena *arena, struct err *err)
{
	AUTO_BUF text = BUF_INIT(LIMIT_GIT_TREE);

	if (!commit->sign)
		return true;
	return git_commit_text(spec, &text, err) &&
	       commit->sign(commit->sign_ctx, buf_text(&text), text.len, arena, &spec->signature,
			    err);
}

static bool make_commit(struct store *store, const struct store_commit *commit,
			struct git_pack *pack, bool *made, struct err *err)
{
	struct git_commit_spec spec = { .name = commit->author_name,
					.email = commit->author_email,
					.time_s = commit->time_s,
					.message = commit->message };
	struct git_id id;

	if (!edit_tree(store, commit, pack, &spec.tree, err))
		return false;
	if (git_id_equal(&spec.tree, &store->tree) ||
	    (git_id_is_none(&store->commit) && is_tree_empty(&spec.tree)))
		return true;
	if (!store->has_no_history)
		spec.parent = store->commit;
	if (!sign(commit, &spec, store->arena, err) ||
	    !git_pack_add_commit(pack, &spec, &id, err) || !push_commit(store, pack, &id, err))
		return false;
	store->is_new = false;
	store->commit = id;
	store->tree = spec.tree;
	*made = true;
	git_objects_rescan(git_repo_objects(store->repo));
	return true;
}

bool store_commit(struct store *store, const struct store_commit *commit, bool *made,
		  struct err *err)
{
	struct git_pack *pack = git_pack_new();
	struct err later = { 0 };
	bool done;

	*made = false;
	done = make_commit(store, commit, pack, made, err);
	git_pack_free(&pack);
	/* Housekeeping must not make a landed commit look failed; what is left undone is done next
	 * time. */
	if (done && *made && !fold(store, &later))
		log_line(LOG_DEBUG, "packs of '%s' are left as they are: %s", store->ref,
			 later.text);
	return done || err_prefix(err, "cannot commit to '%s'", store->ref + strlen("refs/heads/"));
}
