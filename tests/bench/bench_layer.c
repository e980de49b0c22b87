/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_layer.c — a tree of N MB exported as a layer in one pass (archive, diff id, gzip, digest, file) against a bare
 * program that does the same (layer_floor.h), against compressing alone, and against what people use: tar with pigz or
 * gzip. The blob's digest is then checked to be the same on one core and with other numbers of threads.
 * Options: --smoke, --megabytes=N, --rounds=N; --tree=FOLDER for files of yours instead of made ones.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buildexec/image/deflate.h"
#include "buildexec/image/layer.h"
#include "buildexec/sys/fs.h"
#include "buildexec/sys/pool.h"
#include "tests/bench/contest.h"
#include "tests/bench/fixture_tree.h"
#include "tests/bench/layer_floor.h"

enum { PIECE = 1 << 20, KB = 1000 };

struct work {
	const char *tree, *archive, *blobs, *floor, *peer;
	enum layer_profile profile;
	size_t threads;
	enum deflate_effort effort;
};

static bool add_tree(const struct work *work, struct tar *tar, struct err *err)
{
	struct tar_map map = { work->tree, "/layers/bench" };
	struct tar_owner owner = { 1000, 1000, TAR_FIXED_MTIME_S };

	return tar_add_tree(tar, &map, &owner, err);
}

static bool export(const struct work *work, struct layer_result *out, struct err *err)
{
	struct layer_options options = { work->blobs, work->profile, work->threads };
	AUTO_LAYER *layer = NULL;

	return layer_open(&options, &layer, err) && add_tree(work, layer_tar(layer), err) &&
	       layer_commit(&layer, out, err);
}

static bool run_export(void *ctx, struct err *err)
{
	struct layer_result result;

	return export(ctx, &result, err);
}

static bool run_floor(void *ctx, struct err *err)
{
	const struct work *work = ctx;

	(void)err;
	floor_export(work->tree, work->floor, work->effort);
	return true;
}

static bool drop(void *ctx, const void *bytes, size_t n, struct err *err)
{
	(void)ctx, (void)bytes, (void)n, (void)err;
	return true;
}

static bool run_archive(void *ctx, struct err *err)
{
	struct tar tar = { .sink = drop };

	return add_tree(ctx, &tar, err) && tar_finish(&tar, err);
}

static bool write_to(void *ctx, const void *bytes, size_t n, struct err *err)
{
	return fd_write_all(*(int *)ctx, bytes, n, err);
}

static void write_archive(const struct work *work)
{
	AUTO_FD fd = open(work->archive, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	struct tar tar = { .sink = write_to, .ctx = &fd };
	struct err err = { 0 };

	if (fd < 0 || !add_tree(work, &tar, &err) || !tar_finish(&tar, &err))
		bench_die("cannot write '%s': %s", work->archive, err.text);
}

struct pieces {
	int fd;
	enum deflate_effort effort;
};

static void compress_piece(void *items, size_t i)
{
	const struct pieces *pieces = items;
	static _Thread_local struct deflater *deflater;
	static _Thread_local unsigned char raw[PIECE], *packed;
	ssize_t n = pread(pieces->fd, raw, PIECE, (off_t)(i * PIECE));

	if (!deflater) {
		deflater = deflater_new(pieces->effort);
		packed = mem_realloc(NULL, deflater_bound(PIECE));
	}
	if (n <= 0 || !deflater_gzip(deflater, raw, (size_t)n, packed))
		abort();
}

static bool run_compress(void *ctx, struct err *err)
{
	const struct work *work = ctx;
	AUTO_FD fd = open(work->archive, O_RDONLY | O_CLOEXEC);
	struct pieces pieces = { .fd = fd, .effort = work->effort };
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(err, ERR_SYSTEM, "cannot read '%s'", work->archive);
	pool_each(work->threads, ((size_t)st.st_size + PIECE - 1) / PIECE, compress_piece, &pieces);
	return true;
}

static bool run_hash(void *ctx, struct err *err)
{
	const struct work *work = ctx;
	AUTO_FD fd = open(work->archive, O_RDONLY | O_CLOEXEC);
	static unsigned char raw[PIECE];
	struct sha256 hash;
	ssize_t n;

	sha256_init(&hash);
	while ((n = read(fd, raw, sizeof(raw))) > 0)
		sha256_update(&hash, raw, (size_t)n);
	(void)sha256_final(&hash);
	return n == 0 || err_set(err, ERR_SYSTEM, "cannot read '%s'", work->archive);
}

static bool drop_blobs(void *ctx, struct err *err)
{
	const struct work *work = ctx;

	return fs_remove_tree(work->blobs, err);
}

static void check_digests(struct work work)
{
	static const size_t threads[] = { 0, 1, 2, 8 };
	struct layer_result first, result;
	struct err err = { 0 };
	cpu_set_t all, one;

	if (!export(&work, &first, &err))
		bench_die("%s", err.text);
	printf("  %.0f MB of archive, blob of %.0f MB, %s\n", (double)first.tar_bytes / 1e6,
	       (double)first.size_bytes / 1e6, first.digest.text);
	for (size_t i = 0; i < COUNTOF(threads); i++) {
		work.threads = threads[i];
		if (!export(&work, &result, &err))
			bench_die("%s", err.text);
		if (strcmp(result.digest.text, first.digest.text) != 0)
			bench_die("the digest with %zu threads is %s", threads[i],
				  result.digest.text);
	}
	work.threads = 0;
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	if (sched_getaffinity(0, sizeof(all), &all) == 0 &&
	    sched_setaffinity(0, sizeof(one), &one) == 0) {
		if (!export(&work, &result, &err) ||
		    strcmp(result.digest.text, first.digest.text) != 0)
			bench_die("the digest on one core is %s", result.digest.text);
		sched_setaffinity(0, sizeof(all), &all);
	}
	printf("  the digest is the same on one core and with 1, 2 and 8 threads\n");
}

/* A shell command's figures are as good as the program's: tar and the compressor run side by side. */
static const char *const *shell(struct arena *arena, const char *command)
{
	const char **argv = arena_array(arena, 4, sizeof(*argv));

	argv[0] = "sh";
	argv[1] = "-c";
	argv[2] = command;
	return argv;
}

static double size_of(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		bench_die("cannot look at '%s'", path);
	return (double)st.st_size;
}

enum { FLOOR, COMPRESS, HASH, ARCHIVE, PEER, EXPORT, EXPORT_1, ENTRANTS };

struct profile {
	const char *title, *peer_name, *peer;
	double peer_share, size_share;
};

/* What gzip -6 makes of the tree, and the blob beside it. */
static void compare_sizes(struct work *work, const struct profile *profile, struct arena *arena)
{
	const char *file = path_join(arena, bench_folder(), "gzip-6");
	struct layer_result result;
	struct err err = { 0 };

	if (!bench_has(shell(arena, arena_printf(arena, "tar -C %s -cf - . | gzip -6 >%s",
						 work->tree, file))) ||
	    !export(work, &result, &err))
		bench_die("cannot compare with gzip: %s", err.text);
	contest_goal("size / gzip -6", (double)result.size_bytes / size_of(file),
		     profile->size_share, "x");
}

static void bench_profile(struct work work, const struct profile *profile, unsigned rounds)
{
	struct arena *arena = arena_new();
	struct work single = work;
	const char *peer = arena_printf(arena, "tar -C %s -cf - . | %s >%s", work.tree,
					profile->peer, work.peer);

	single.threads = 1;
	struct entrant entrants[ENTRANTS] = {
		[FLOOR] = { .name = "floor: a bare program that does the same, all cores",
			    .run = run_floor,
			    .ctx = &work },
		[COMPRESS] = { .name = "compressing alone, from memory, all cores",
			       .run = run_compress,
			       .ctx = &work },
		[HASH] = { .name = "sha-256 of the archive alone", .run = run_hash, .ctx = &work },
		[ARCHIVE] = { .name = "archive of the tree alone",
			      .run = run_archive,
			      .ctx = &work },
		[PEER] = { .name = profile->peer_name, .argv = shell(arena, peer) },
		[EXPORT] = { .name = "export: everything in one pass, all cores",
			     .run = run_export,
			     .prepare = drop_blobs,
			     .ctx = &work },
		[EXPORT_1] = { .name = "export, 1 thread",
			       .run = run_export,
			       .prepare = drop_blobs,
			       .ctx = &single },
	};

	contest_run(entrants, ENTRANTS, rounds);
	contest_print(profile->title, entrants, ENTRANTS, &entrants[FLOOR]);
	contest_goal("export / floor", entrants[EXPORT].least_ms / entrants[FLOOR].least_ms, 1.2,
		     "x of the least times");
	contest_goal("export / compressing alone",
		     entrants[EXPORT].wall_ms / entrants[COMPRESS].wall_ms, 1.5, "x");
	contest_goal("export / peer", entrants[EXPORT].least_ms / entrants[PEER].least_ms,
		     profile->peer_share, "x of the least times");
	compare_sizes(&work, profile, arena);
	contest_goal("memory", entrants[EXPORT].rss_mib, 45, " MiB");
	check_digests(work);
	arena_free(arena);
}

int main(int argc, char **argv)
{
	bool is_smoke = bench_option(argc, argv, "--smoke") != NULL;
	const char *size = bench_option(argc, argv, "--megabytes"),
		   *given = bench_option(argc, argv, "--tree"),
		   *rounds = bench_option(argc, argv, "--rounds");
	size_t n = is_smoke ? 3 : size ? strtoul(size, NULL, 10) : 500;
	unsigned n_rounds = is_smoke ? 1 : rounds ? (unsigned)strtoul(rounds, NULL, 10) : 5;
	struct arena *arena = arena_new();
	struct work work = { .profile = LAYER_FAST, .effort = DEFLATE_FAST };
	static const struct profile fast = { "layer, profile fast", "tar | pigz -p2", "pigz -p2",
					     0.15, 1.17 };
	static const struct profile small = { "layer, profile small", "tar | gzip -6", "gzip -6",
					      0.2, 1.0 };
	const char *const pigz[] = { "pigz", "--version", NULL };

	work.tree = path_join(arena, bench_folder(), "tree");
	work.archive = path_join(arena, bench_folder(), "archive.tar");
	work.blobs = path_join(arena, bench_folder(), "blobs");
	work.floor = path_join(arena, bench_folder(), "floor.gz");
	work.peer = path_join(arena, bench_folder(), "peer.gz");
	if (!bench_has(pigz)) {
		printf("skipped: there is no pigz here\n");
		return 77;
	}
	if (given)
		work.tree = given;
	else
		bench_tree(work.tree, n * KB * KB, 1);
	write_archive(&work);
	bench_profile(work, &fast, n_rounds);
	work.profile = LAYER_SMALL;
	work.effort = DEFLATE_SMALL;
	bench_profile(work, &small, is_smoke ? 1 : n_rounds / 2 + 1);
	arena_free(arena);
	bench_clean();
	return 0;
}
