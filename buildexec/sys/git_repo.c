/* SPDX-License-Identifier: Apache-2.0 */
/*
 * git_repo.c — the plain case (a repository of this user, without extensions) is opened by a look at
 * its files. libgit2, whose start costs as much as reading some thousand statuses, judges all others
 * (linked work trees, other owners, new formats), lists refs and reads the configuration.
 */
#include "buildexec/sys/git_repo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <git2.h>

#include "buildexec/sys/fs.h"
#include "buildexec/sys/git_lib.h"
#include "buildexec/sys/git_url.h"
#include "model/base/limits.h"

enum { TAGS_OF_TAGS = 8 };

struct git_repo {
	git_repository *repo; /* NULL until it is needed */
	bool is_plain;
	struct arena *arena; /* the paths */
	const char *path, *objects_path, *workdir;
	struct git_objects *objects;
};

static const char *trim(struct arena *arena, const char *path)
{
	size_t n = path ? strlen(path) : 0;

	while (n > 1 && path[n - 1] == '/')
		n--;
	return path ? arena_copy(arena, path, n) : NULL;
}

/* Takes the arena over, and what is in it. */
static bool finish_open(struct git_repo *repo, struct git_repo **out, struct err *err)
{
	struct git_repo *copy = mem_realloc(NULL, sizeof(*copy));

	*copy = *repo;
	copy->objects_path = path_join(copy->arena, copy->path, "objects");
	if (!git_objects_open(copy->objects_path, &copy->objects, err)) {
		git_repo_close(&copy);
		return false;
	}
	*out = copy;
	return true;
}

/* True for a repository's folder that libgit2 would open without further thought. */
static bool is_plain_dir(const char *dir, struct arena *arena)
{
	static const char *const odd[] = { "extensions", "include", "worktree", "[unset" };
	const char *config = path_join(arena, dir, "config");
	struct err ignored = { 0 };
	struct stat st;
	char *text;
	size_t n;

	if (stat(dir, &st) < 0 || st.st_uid != geteuid() ||
	    !fs_is_dir(path_join(arena, dir, "objects")) ||
	    !fs_is_dir(path_join(arena, dir, "refs")) ||
	    !fs_exists(path_join(arena, dir, "HEAD")) ||
	    fs_exists(path_join(arena, dir, "commondir")))
		return false;
	if (!fs_read(AT_FDCWD, config, LIMIT_GIT_MESSAGE, arena, &text, &n, &ignored) || !text)
		return false;
	for (size_t i = 0; i < COUNTOF(odd); i++)
		if (strcasestr(text, odd[i]))
			return false;
	return true;
}

/* The folder itself, or the ".git" in it. */
static bool find_plain(struct git_repo *repo, const char *path)
{
	const char *inner = path_join(repo->arena, path, ".git");
	struct stat st;

	if (is_plain_dir(path, repo->arena)) {
		repo->path = trim(repo->arena, path);
		return true;
	}
	if (stat(path, &st) < 0 || st.st_uid != geteuid() || !is_plain_dir(inner, repo->arena))
		return false;
	repo->path = inner;
	repo->workdir = trim(repo->arena, path);
	return true;
}

/* Upwards until there is something: if that is not plain, libgit2 decides. */
static bool search_plain(struct git_repo *repo, const char *path)
{
	char *at = realpath(path, NULL), *slash = at;
	bool found = false;

	while (at && !(found = find_plain(repo, at))) {
		slash = strrchr(at, '/');
		if (!slash || slash == at || fs_exists(path_join(repo->arena, at, ".git")))
			break;
		*slash = '\0';
	}
	free(at);
	return found;
}

void git_repo_trust_all(bool is_trusting)
{
	git_lib_start();
	git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, !is_trusting);
}

/* libgit2 1.5 says "not found" of the setting that would allow it, where the user has settings, but not that one. */
static bool is_others(int code)
{
	const git_error *last = git_error_last();

	return code == GIT_EOWNER || (code == GIT_ENOTFOUND && last && last->message &&
				      strstr(last->message, "safe.directory"));
}

static bool open_fail(struct err *err, int code, const char *path)
{
	if (is_others(code))
		return err_set(err, ERR_DENIED,
			       "git repository '%s' belongs to another user; if you trust it, use "
			       "--trust-repositories, or run "
			       "'git config --global --add safe.directory %s'",
			       path, path);
	if (code == GIT_ENOTFOUND)
		return err_set(err, ERR_ABSENT, "there is no git repository at '%s'", path);
	(void)git_lib_fail(err, code, "open git repository '%s'", path);
	if (strcasestr(err->text, "objectformat"))
		return err_set(
			err, ERR_INVALID,
			"the objects of git repository '%s' are not named by sha1; only such "
			"repositories can be used",
			path);
	return false;
}

static bool open_lib(struct git_repo *repo, const char *path, bool is_search, struct err *err)
{
	int rc;

	git_lib_start();
	rc = git_repository_open_ext(&repo->repo, path,
				     is_search ? 0 : GIT_REPOSITORY_OPEN_NO_SEARCH, NULL);
	return rc >= 0 || open_fail(err, rc, path);
}

bool git_repo_open(const char *path, bool is_search, struct git_repo **out, struct err *err)
{
	struct git_repo repo = { .arena = arena_new() };

	*out = NULL;
	repo.is_plain = is_search ? search_plain(&repo, path) : find_plain(&repo, path);
	if (!repo.is_plain) {
		if (!open_lib(&repo, path, is_search, err)) {
			arena_free(repo.arena);
			return false;
		}
		repo.path = trim(repo.arena, git_repository_commondir(repo.repo));
		repo.workdir = trim(repo.arena, git_repository_workdir(repo.repo));
	}
	return finish_open(&repo, out, err);
}

/* libgit2's handle, from now on there. */
static bool need_lib(struct git_repo *repo, struct err *err)
{
	return repo->repo || open_lib(repo, repo->path, false, err);
}

/* Made aside and moved into place, so that others see all of it or nothing. */
static bool make_bare(const char *path, struct err *err)
{
	AUTO_TMPDIR temp = { 0 };
	git_repository *lib = NULL;
	struct arena *arena = arena_new();
	const char *base = trim(arena, path);
	char *parent = arena_strdup(arena, base), *slash = strrchr(parent, '/');
	int rc;
	bool done;

	if (slash)
		*slash = '\0';
	parent = slash == parent ? arena_strdup(arena, "/")
		 : slash         ? parent
				 : arena_strdup(arena, ".");
	done = fs_make_dirs(parent, 0777, err) && tmpdir_make(parent, "git-init", &temp, err);
	if (done) {
		const char *inner = path_join(arena, temp.path, "repo");

		git_lib_start();
		rc = git_repository_init(&lib, inner, true);
		git_repository_free(lib);
		if (rc < 0)
			done = git_lib_fail(err, rc, "make git repository '%s'", path);
		else if (rename(inner, base) < 0 && errno != ENOTEMPTY && errno != EEXIST)
			done = err_sys(err, errno, "cannot make git repository '%s'", path);
	}
	arena_free(arena);
	return done;
}

bool git_repo_init(const char *path, struct git_repo **out, struct err *err)
{
	*out = NULL;
	if (!fs_is_dir(path) && !make_bare(path, err))
		return false;
	return git_repo_open(path, false, out, err);
}

void git_repo_close(struct git_repo **handle)
{
	struct git_repo *repo = *handle;

	if (!repo)
		return;
	git_objects_close(&repo->objects);
	git_repository_free(repo->repo);
	arena_free(repo->arena);
	free(repo);
	*handle = NULL;
}

const char *git_repo_path(const struct git_repo *repo)
{
	return repo->path;
}

const char *git_repo_objects_path(const struct git_repo *repo)
{
	return repo->objects_path;
}

const char *git_repo_workdir(const struct git_repo *repo)
{
	return repo->workdir;
}

struct git_objects *git_repo_objects(struct git_repo *repo)
{
	return repo->objects;
}

bool git_repo_config(struct git_repo *repo, const char *key, struct arena *arena, const char **out,
		     struct err *err)
{
	git_config *config = NULL;
	const char *value = NULL;
	int rc;

	*out = NULL;
	if (!need_lib(repo, err))
		return false;
	rc = git_repository_config_snapshot(&config, repo->repo);
	if (!rc)
		rc = git_config_get_string(&value, config, key);
	if (!rc)
		*out = arena_strdup(arena, value);
	git_config_free(config);
	if (rc == GIT_ENOTFOUND)
		return true;
	return !rc || git_lib_fail(err, rc, "read git configuration '%s'", key);
}

/* "git sparse-checkout" writes to the work tree's own configuration, which the library does not read. */
bool git_repo_is_sparse(struct git_repo *repo, bool *out, struct err *err)
{
	struct arena *arena = arena_new();
	git_config *config = NULL;
	const char *value = NULL, *own;
	int is_true = 0;
	bool is_done = git_repo_config(repo, "core.sparsecheckout", arena, &value, err);

	*out = is_done && value && strcmp(value, "true") == 0;
	own = is_done ? path_join(arena, git_repository_path(repo->repo), "config.worktree") : NULL;
	if (own && fs_exists(own) && !git_config_open_ondisk(&config, own) &&
	    !git_config_get_bool(&is_true, config, "core.sparsecheckout"))
		*out = is_true;
	git_config_free(config);
	arena_free(arena);
	return is_done;
}

bool git_repo_read_ref(struct git_repo *repo, const char *name, struct git_id *out, struct err *err)
{
	git_oid oid;
	int rc;

	*out = (struct git_id){ 0 };
	if (repo->is_plain)
		return git_ref_read_file(repo->path, name, out, err);
	rc = git_reference_name_to_id(&oid, repo->repo, name);
	if (rc == GIT_ENOTFOUND)
		return true;
	if (rc < 0)
		return git_lib_fail(err, rc, "read ref '%s'", name);
	*out = git_id_from_raw(oid.id);
	return true;
}

/* A tag's commit, through tags of tags. What cannot be read stays unpeeled. */
static struct git_id peel(struct git_repo *repo, const struct git_id *id)
{
	struct arena *arena = arena_new();
	struct git_id at = *id, target;
	struct err ignored = { 0 };
	enum git_type type = GIT_TYPE_TAG;

	for (int depth = 0; depth < TAGS_OF_TAGS && type == GIT_TYPE_TAG; depth++) {
		unsigned char raw[GIT_ID_RAW];
		struct git_data tag;

		git_id_to_raw(&at, raw);
		if (!git_objects_read(repo->objects, raw, LIMIT_GIT_TREE, arena, &tag, &ignored) ||
		    tag.type != GIT_TYPE_TAG || !git_tag_parse(&tag, &target, &type, &ignored))
			break;
		at = target;
	}
	arena_free(arena);
	return git_id_equal(&at, id) ? (struct git_id){ 0 } : at;
}

static bool is_wanted(const struct strings *prefixes, const char *name)
{
	if (!prefixes || !prefixes->n)
		return true;
	for (size_t i = 0; i < prefixes->n; i++)
		if (!strncmp(name, prefixes->v[i], strlen(prefixes->v[i])))
			return true;
	return false;
}

/* Unborn and broken refs have no object: left out, as a server does. */
static void add_ref(struct git_repo *repo, const git_reference *ref, struct arena *arena,
		    struct git_refs *out)
{
	const char *name = git_reference_name(ref), *target = git_reference_symbolic_target(ref);
	struct git_ref row = { .name = arena_strdup(arena, name),
			       .target = arena_strdup(arena, target) };
	git_oid oid;

	if (git_reference_name_to_id(&oid, repo->repo, name) < 0)
		return;
	row.id = git_id_from_raw(oid.id);
	if (!strncmp(name, "refs/tags/", 10))
		row.peeled = peel(repo, &row.id);
	vec_push(arena, out, row);
}

static int compare_refs(const void *a, const void *b)
{
	return strcmp(((const struct git_ref *)a)->name, ((const struct git_ref *)b)->name);
}

bool git_repo_list_refs(struct git_repo *repo, const struct strings *prefixes, struct arena *arena,
			struct git_refs *out, struct err *err)
{
	git_reference_iterator *iterator = NULL;
	git_reference *ref = NULL;
	int rc;

	*out = (struct git_refs){ 0 };
	if (!need_lib(repo, err))
		return false;
	if (is_wanted(prefixes, "HEAD") && !git_reference_lookup(&ref, repo->repo, "HEAD")) {
		add_ref(repo, ref, arena, out);
		git_reference_free(ref);
	}
	rc = git_reference_iterator_new(&iterator, repo->repo);
	while (!rc && (rc = git_reference_next(&ref, iterator)) == 0) {
		if (is_wanted(prefixes, git_reference_name(ref)))
			add_ref(repo, ref, arena, out);
		git_reference_free(ref);
		if (out->n > LIMIT_REFS)
			rc = GIT_EINVALIDSPEC;
	}
	git_reference_iterator_free(iterator);
	if (rc != GIT_ITEROVER)
		return git_lib_fail(err, rc, "list the refs of '%s'", repo->path);
	if (out->n)
		qsort(out->v, out->n, sizeof(*out->v), compare_refs);
	return true;
}

bool git_repo_lock(struct git_repo *repo, int64_t timeout_ms, int *fd, struct err *err)
{
	struct arena *arena = arena_new();
	bool done =
		fs_lock(path_join(arena, repo->path, "reconcile.lock"), false, timeout_ms, fd, err);

	arena_free(arena);
	return done || err_prefix(err, "cannot lock git repository '%s'", repo->path);
}
