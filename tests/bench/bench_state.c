/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_state.c — the state branch with N images in 100 namespaces, 1 to 2 KB each: reading all statuses against git
 * ls-tree | cat-file of the same repository, and committing 1,000 changed ones against git fast-import of the same bytes,
 * everything included: opening, the ref update, the syncs. Also what one commit of one change adds to the repository.
 * Options: --smoke, --images=N, --rounds=N, --repo=F (made when absent, kept), --profile=read|typed|commit (that alone, for perf and callgrind).
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "buildexec/sys/fs.h"
#include "buildexec/sys/git_repo.h"
#include "buildexec/sys/proc.h"
#include "model/base/limits.h"
#include "reconcile/apply/state_read.h"
#include "reconcile/store/store.h"
#include "tests/bench/contest.h"
#include "tests/bench/fixture.h"

static const char branch[] = "reconcile/state";

struct work {
	const char *repo;   /* read here                       */
	const char *copy;   /* committed to here               */
	const char *stream; /* of fast-import: the same change */
	size_t n_images, n_changed;
};

static void run(const char *const *argv)
{
	struct proc_spec spec = { .argv = argv };
	struct proc_result result;
	struct err err = { 0 };

	if (!proc_run(&spec, &result, &err))
		bench_die("%s", err.text);
	if (result.exit_code != 0)
		bench_die("%s failed", argv[0]);
}

static bool open_store(const char *repo, struct store **out, struct err *err)
{
	struct store_place place = { .url = repo, .branch = branch };

	return store_open(&place, out, err);
}

/* Statuses of the first n images; a real change touches some namespaces and not others. */
static struct store_change *changes_of(size_t n, int64_t round, struct arena *arena)
{
	struct store_change *changes = arena_array(arena, n, sizeof(*changes));

	for (size_t i = 0; i < n; i++) {
		struct arena *scratch = arena_new();

		changes[i].path = fixture_status_path(i, arena);
		changes[i].bytes = arena_strdup(arena, fixture_status(i, round, scratch));
		changes[i].n = strlen(changes[i].bytes);
		arena_free(scratch);
	}
	return changes;
}

static bool commit(const char *repo, const struct store_change *changes, size_t n, struct err *err)
{
	struct store_commit spec = { .changes = changes,
				     .n_changes = n,
				     .author_name = "reconcile",
				     .author_email = "reconcile@localhost",
				     .time_s = 1700000000,
				     .message = "reconcile: bench\n" };
	struct store *store;
	bool made, done;

	if (!open_store(repo, &store, err))
		return false;
	done = store_commit(store, &spec, &made, err) &&
	       (made || err_set(err, ERR_INVALID, "nothing was committed"));
	store_close(&store);
	return done;
}

static bool read_bytes(void *ctx, struct err *err)
{
	const struct work *work = ctx;
	struct arena *arena = arena_new();
	struct store_files files;
	struct store *store;
	bool done;

	if (!open_store(work->repo, &store, err))
		return false;
	done = store_read_all(store, NULL, NULL, arena, &files, err) &&
	       (files.n == work->n_images ||
		err_set(err, ERR_INVALID, "%zu files read of %zu", files.n, work->n_images));
	store_close(&store);
	arena_free(arena);
	return done;
}

static bool read_typed(void *ctx, struct err *err)
{
	const struct work *work = ctx;
	struct arena *arena = arena_new();
	struct state_files files;
	struct store *store;
	bool done;

	if (!open_store(work->repo, &store, err))
		return false;
	done = state_read(store, arena, &files, err) &&
	       (files.state.by_id.n == work->n_images ||
		err_set(err, ERR_INVALID, "%zu statuses read of %zu", files.state.by_id.n,
			work->n_images));
	if (done)
		state_files_release(&files);
	store_close(&store);
	arena_free(arena);
	return done;
}

/* The changes were made by the parent: only the commit is measured. */
struct commit_work {
	const char *from, *repo;
	const struct store_change *changes;
	size_t n;
};

static bool fresh_copy(void *ctx, struct err *err)
{
	const struct commit_work *work = ctx;
	const char *argv[] = { "cp", "-a", work->from, work->repo, NULL };

	if (!fs_remove_tree(work->repo, err))
		return false;
	run(argv);
	return true;
}

static bool commit_changes(void *ctx, struct err *err)
{
	const struct commit_work *work = ctx;

	return commit(work->repo, work->changes, work->n, err);
}

static void write_stream(const struct commit_work *work, const char *path, struct arena *arena)
{
	AUTO_BUF text = BUF_INIT(1 << 28);
	struct err err = { 0 };

	buf_printf(
		&text,
		"commit refs/heads/%s\ncommitter reconcile <reconcile@localhost> 1700000000 +0000\n"
		"data 17\nreconcile: bench\n\nfrom refs/heads/%s^0\n",
		branch, branch);
	for (size_t i = 0; i < work->n; i++) {
		buf_printf(&text, "M 100644 inline %s\ndata %zu\n", work->changes[i].path,
			   work->changes[i].n);
		buf_add(&text, work->changes[i].bytes, work->changes[i].n);
		buf_add(&text, "\n", 1);
	}
	(void)arena;
	if (!fs_write_atomic(AT_FDCWD, path, text.data, text.len, 0644, false, &err))
		bench_die("%s", err.text);
}

static uint64_t bytes_below(const char *path, struct arena *arena)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	uint64_t sum = 0;
	struct stat st;

	while (dir && (entry = readdir(dir)) != NULL) {
		const char *below = path_join(arena, path, entry->d_name);

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		    lstat(below, &st) < 0)
			continue;
		sum += S_ISDIR(st.st_mode) ? bytes_below(below, arena) : (uint64_t)st.st_size;
	}
	if (dir)
		closedir(dir);
	return sum;
}

static void make_repo(const struct work *work, struct arena *arena)
{
	struct store_change *changes = changes_of(work->n_images, 7, arena);
	struct git_repo *repo;
	struct err err = { 0 };
	double size = 0;

	for (size_t i = 0; i < work->n_images; i++)
		size += (double)changes[i].n;
	if (!git_repo_init(work->repo, &repo, &err))
		bench_die("%s", err.text);
	git_repo_close(&repo);
	if (!commit(work->repo, changes, work->n_images, &err))
		bench_die("%s", err.text);
	printf("\nstate: %zu statuses of %.0f bytes in %d namespaces\n", work->n_images,
	       size / (double)work->n_images, FIXTURE_NAMESPACES);
}

static void bench_read(struct work *work, unsigned rounds, struct arena *arena)
{
	const char *pipeline = arena_printf(arena,
					    "git -C %s ls-tree -r --object-only %s | "
					    "git -C %s cat-file --batch",
					    work->repo, branch, work->repo);
	const char *argv[] = { "sh", "-c", pipeline, NULL };
	struct entrant entrants[] = {
		{ .name = "git ls-tree -r | git cat-file --batch", .argv = argv },
		{ .name = "store_read_all: all files' bytes", .run = read_bytes, .ctx = work },
		{ .name = "state_read: decoded and checked", .run = read_typed, .ctx = work },
	};

	contest_run(entrants, COUNTOF(entrants), rounds);
	contest_print("reading all statuses", entrants, COUNTOF(entrants), &entrants[0]);
	contest_goal("reading / cat-file", entrants[1].wall_ms / entrants[0].wall_ms, 0.5, "x");
}

static void bench_commit(struct work *work, unsigned rounds, struct arena *arena)
{
	struct commit_work ours = { .from = work->repo,
				    .repo = work->copy,
				    .changes = changes_of(work->n_changed, 8, arena),
				    .n = work->n_changed };
	const char *loose[] = { "git", "-C", work->copy, "fast-import", "--quiet", NULL };
	const char *packed[] = {
		"git",         "-C",      work->copy, "-c", "fastimport.unpackLimit=0",
		"fast-import", "--quiet", NULL
	};
	struct entrant entrants[] = {
		{ .name = "git fast-import, keeping the pack",
		  .argv = packed,
		  .input = work->stream,
		  .prepare = fresh_copy,
		  .ctx = &ours },
		{ .name = "git fast-import",
		  .argv = loose,
		  .input = work->stream,
		  .prepare = fresh_copy,
		  .ctx = &ours },
		{ .name = "store_commit",
		  .run = commit_changes,
		  .prepare = fresh_copy,
		  .ctx = &ours },
	};
	const struct entrant *best = &entrants[0];
	char title[100];

	write_stream(&ours, work->stream, arena);
	contest_run(entrants, COUNTOF(entrants), rounds);
	if (entrants[1].wall_ms < best->wall_ms)
		best = &entrants[1];
	snprintf(title, sizeof(title), "one commit of %zu changed statuses", work->n_changed);
	contest_print(title, entrants, COUNTOF(entrants), best);
	contest_goal("commit / fast-import", entrants[2].wall_ms / best->wall_ms, 0.25, "x");
}

static void bench_growth(struct work *work, struct arena *arena)
{
	struct commit_work ours = {
		.from = work->repo, .repo = work->copy, .changes = changes_of(1, 8, arena), .n = 1
	};
	struct err err = { 0 };
	uint64_t before;

	if (!fresh_copy(&ours, &err))
		bench_die("%s", err.text);
	before = bytes_below(work->copy, arena);
	if (!commit(work->copy, ours.changes, 1, &err))
		bench_die("%s", err.text);
	contest_goal("bytes added by a commit of one change (pack and index)",
		     (double)(bytes_below(work->copy, arena) - before) / 1000, 10, " KB");
}

static int profile(const char *what, struct work *work, struct arena *arena)
{
	struct commit_work ours = { .repo = work->repo, .n = work->n_changed };
	struct err err = { 0 };
	double start;
	bool done;

	if (strcmp(what, "commit") == 0)
		ours.changes = changes_of(work->n_changed, 8, arena);
	start = bench_now_ms();
	done = strcmp(what, "read") == 0    ? read_bytes(work, &err)
	       : strcmp(what, "typed") == 0 ? read_typed(work, &err)
					    : commit_changes(&ours, &err);

	printf("%s: %.1f ms %s\n", what, bench_now_ms() - start, done ? "" : err.text);
	return !done;
}

int main(int argc, char **argv)
{
	bool is_smoke = bench_option(argc, argv, "--smoke") != NULL;
	const char *images = bench_option(argc, argv, "--images"),
		   *rounds = bench_option(argc, argv, "--rounds"),
		   *alone = bench_option(argc, argv, "--profile");
	unsigned n_rounds = is_smoke ? 1 : rounds ? (unsigned)strtoul(rounds, NULL, 10) : 9;
	struct arena *arena = arena_new(), *setup = arena_new();
	struct work work = { .n_images = is_smoke ? 20
					 : images ? strtoul(images, NULL, 10)
						  : 10000 };
	int code = 0;

	work.repo = path_join(arena, bench_folder(), "state.git");
	work.n_changed = work.n_images < 1000 ? work.n_images : 1000;
	work.copy = path_join(arena, bench_folder(), "copy.git");
	work.stream = path_join(arena, bench_folder(), "stream");
	if (bench_option(argc, argv, "--repo"))
		work.repo = bench_option(argc, argv, "--repo");
	if (!fs_exists(work.repo))
		make_repo(&work, setup);
	arena_free(setup);
	if (alone) {
		code = profile(alone, &work, arena);
	} else {
		bench_read(&work, n_rounds, arena);
		bench_commit(&work, n_rounds, arena);
		bench_growth(&work, arena);
	}
	arena_free(arena);
	bench_clean();
	return code;
}
