/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_layer.c — a tree of N MB exported as a layer in one pass (archive, diff id, gzip, digest, file) against each of its
 * stages alone, the slowest of which is what the export cannot undercut: compressing, already by all cores and from
 * memory. The blob's digest is then checked to be the same on one core and with other numbers of threads.
 * Options: --smoke, --megabytes=N, --rounds=N.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libdeflate.h>

#include "buildexec/image/layer.h"
#include "buildexec/sys/fs.h"
#include "buildexec/sys/pool.h"
#include "tests/bench/contest.h"

enum { PIECE = 1 << 20, FILES_PER_FOLDER = 100, KB = 1000 };

struct work {
	const char *tree, *archive, *blobs;
	enum layer_profile profile;
	size_t threads;
	int level;
};

struct random {
	uint64_t state;
};

static uint32_t next(struct random *r)
{
	r->state = r->state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(r->state >> 33);
}

/* Words, numbers and some bytes of any value: gzip makes about a third of it, as of most layers. */
static void fill(struct random *r, char *out, size_t n)
{
	static const char words[][12] = {
		"return ",  "static ",  "value = ",  "const ",  "\n\t",
		"import ",  "(self, ",  "0x00ff",    "class ",  "buffer",
		"/usr/lib", "version ", "java.util", "public ", "length"
	};
	size_t at = 0;

	while (at < n) {
		uint32_t choice = next(r);
		const char *word = words[choice % COUNTOF(words)];
		size_t len = strlen(word);
		char noise[4];

		if (choice % 5 == 0) {
			memcpy(noise, &(uint32_t){ next(r) }, sizeof(noise));
			word = noise;
			len = sizeof(noise);
		}
		len = len < n - at ? len : n - at;
		memcpy(out + at, word, len);
		at += len;
	}
}

/* Files of 1 KB to 400 KB, most of them small, as a package manager leaves them. */
static void make_tree(const char *tree, size_t n_bytes)
{
	struct random random = { 1 };
	char *content = mem_realloc(NULL, 400 * KB);
	struct arena *arena = arena_new();
	const char *folder = tree;
	struct err err = { 0 };
	size_t made = 0;

	for (size_t i = 0; made < n_bytes; i++) {
		size_t n = KB + next(&random) % (i % 10 ? 20 * KB : 399 * KB);

		if (i % FILES_PER_FOLDER == 0)
			folder = arena_printf(arena, "%s/d%zu", tree, i / FILES_PER_FOLDER);
		fill(&random, content, n);
		if ((i % FILES_PER_FOLDER == 0 && !fs_make_dirs(folder, 0755, &err)) ||
		    !fs_write_atomic(AT_FDCWD, arena_printf(arena, "%s/f%zu", folder, i), content,
				     n, 0644, false, &err))
			bench_die("%s", err.text);
		made += n;
	}
	arena_free(arena);
	free(content);
}

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
	int fd, level;
	size_t n_bytes;
};

static void compress_piece(void *items, size_t i)
{
	const struct pieces *pieces = items;
	static _Thread_local struct libdeflate_compressor *compressor;
	static _Thread_local unsigned char raw[PIECE], packed[PIECE + PIECE / 8];
	ssize_t n = pread(pieces->fd, raw, PIECE, (off_t)(i * PIECE));

	if (!compressor)
		compressor = libdeflate_alloc_compressor(pieces->level);
	if (n <= 0 || !libdeflate_gzip_compress(compressor, raw, (size_t)n, packed, sizeof(packed)))
		abort();
}

static bool run_compress(void *ctx, struct err *err)
{
	const struct work *work = ctx;
	AUTO_FD fd = open(work->archive, O_RDONLY | O_CLOEXEC);
	struct pieces pieces = { .fd = fd, .level = work->level };
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

static void bench_profile(struct work work, const char *title, unsigned rounds)
{
	struct work single = work;

	single.threads = 1;
	struct entrant entrants[] = {
		{ .name = "compressing alone, from memory, all cores",
		  .run = run_compress,
		  .ctx = &work },
		{ .name = "compressing alone, 1 thread", .run = run_compress, .ctx = &single },
		{ .name = "sha-256 of the archive alone", .run = run_hash, .ctx = &work },
		{ .name = "archive of the tree alone", .run = run_archive, .ctx = &work },
		{ .name = "export: everything in one pass, all cores",
		  .run = run_export,
		  .prepare = drop_blobs,
		  .ctx = &work },
		{ .name = "export, 1 thread",
		  .run = run_export,
		  .prepare = drop_blobs,
		  .ctx = &single },
	};

	contest_run(entrants, COUNTOF(entrants), rounds);
	contest_print(title, entrants, COUNTOF(entrants), &entrants[0]);
	contest_goal("export / compressing alone", entrants[4].wall_ms / entrants[0].wall_ms, 1.5,
		     "x");
	contest_goal("memory", entrants[4].rss_mib, 64, " MiB");
	check_digests(work);
}

int main(int argc, char **argv)
{
	bool is_smoke = bench_option(argc, argv, "--smoke") != NULL;
	const char *size = bench_option(argc, argv, "--megabytes"),
		   *rounds = bench_option(argc, argv, "--rounds");
	size_t n = is_smoke ? 3 : size ? strtoul(size, NULL, 10) : 500;
	unsigned n_rounds = is_smoke ? 1 : rounds ? (unsigned)strtoul(rounds, NULL, 10) : 5;
	struct arena *arena = arena_new();
	struct work work = { .profile = LAYER_FAST, .level = 1 };

	work.tree = path_join(arena, bench_folder(), "tree");
	work.archive = path_join(arena, bench_folder(), "archive.tar");
	work.blobs = path_join(arena, bench_folder(), "blobs");
	make_tree(work.tree, n * KB * KB);
	write_archive(&work);
	bench_profile(work, "layer, profile fast (libdeflate 1)", n_rounds);
	work.profile = LAYER_SMALL;
	work.level = 6;
	bench_profile(work, "layer, profile small (libdeflate 6)", is_smoke ? 1 : n_rounds / 2 + 1);
	arena_free(arena);
	bench_clean();
	return 0;
}
