/* SPDX-License-Identifier: Apache-2.0 */
/* run_id.c — ULID: 48 bits of milliseconds and 80 random bits, in Crockford's base 32. */
#include "reconcile/run_id.h"

#include <dirent.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buildexec/sys/clock.h"
#include "buildexec/sys/fs.h"
#include "reconcile/apply/state_read.h"

enum { OLD_S = 7 * 86400, ULID_CHARS = 26, PLACE_MAX = 128 };

void run_id_make(struct run_id *id, int64_t now_s)
{
	static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	uint64_t ms = (uint64_t)now_s * 1000 + (uint64_t)(clock_mono_ms() % 1000);
	unsigned char noise[16];

	*id = (struct run_id){ .fd = -1 };
	random_bytes(noise, sizeof(noise));
	for (size_t i = 0; i < ULID_CHARS; i++) {
		if (i < 10)
			id->text[9 - i] = digits[ms >> (5 * i) & 31];
		else
			id->text[i] = digits[noise[i - 10] & 31];
	}
}

static char *runs_folder(const char *cache_dir, struct arena *arena)
{
	return path_join(arena, cache_dir, "runs");
}

/* A file that can be locked has no owner any more; kept for a while, so that its claims are known to be dead. */
static void sweep(const char *folder, struct arena *arena)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)) != NULL) {
		const char *path = path_join(arena, folder, entry->d_name);
		struct err err = { 0 };
		struct stat st;
		int fd = -1;

		if (entry->d_name[0] == '.' || lstat(path, &st) < 0 ||
		    clock_now_s() - st.st_mtime < OLD_S)
			continue;
		if (fs_lock(path, false, 0, &fd, &err))
			unlink(path);
		fd_close(&fd);
	}
	if (dir)
		closedir(dir);
}

/*
 * The machine, since it was started, and the very file. A cache folder that was copied, as CI systems keep and restore them, or
 * that machines share without sharing locks, has files of runs that live elsewhere, and locks that tell nothing of them.
 */
static bool print_place(int fd, struct arena *arena, const char **out)
{
	char boot[BOOT_ID_TEXT];
	struct stat st;

	clock_boot_id(boot);
	if (fstat(fd, &st) < 0)
		return false;
	*out = arena_printf(arena, "%s %llu:%llu\n", boot, (unsigned long long)st.st_dev,
			    (unsigned long long)st.st_ino);
	return boot[0] != '\0';
}

static bool write_place(int fd, struct arena *arena, struct err *err)
{
	const char *place = "";

	return !print_place(fd, arena, &place) || fd_write_all(fd, place, strlen(place), err);
}

static bool is_its_place(int fd, struct arena *arena)
{
	char text[PLACE_MAX];
	ssize_t n = pread(fd, text, sizeof(text), 0);
	const char *place;

	return print_place(fd, arena, &place) && n == (ssize_t)strlen(place) &&
	       memcmp(text, place, (size_t)n) == 0;
}

bool run_id_claim(struct run_id *id, const char *cache_dir, struct err *err)
{
	struct arena *arena = arena_new();
	const char *folder = runs_folder(cache_dir, arena);
	const char *path = path_join(arena, folder, id->text);
	bool is_done = fs_make_dirs(folder, 0700, err) && fs_lock(path, false, -1, &id->fd, err) &&
		       write_place(id->fd, arena, err);

	if (is_done)
		sweep(folder, arena);
	arena_free(arena);
	return is_done || err_prefix(err, "cannot register this run");
}

static bool is_plain_id(const char *text)
{
	return strlen(text) == ULID_CHARS &&
	       strspn(text, "0123456789ABCDEFGHJKMNPQRSTVWXYZ") == ULID_CHARS;
}

static bool is_dead(const char *folder, const char *run_id, struct arena *arena)
{
	const char *path = path_join(arena, folder, run_id);
	struct err err = { 0 };
	bool is_free;
	int fd = -1;

	if (!is_plain_id(run_id) || !fs_exists(path))
		return false;
	is_free = fs_lock(path, true, 0, &fd, &err) && is_its_place(fd, arena);
	fd_close(&fd);
	return is_free;
}

bool run_id_is_dead(const char *run_id, const char *cache_dir, struct arena *arena)
{
	return run_id && is_dead(runs_folder(cache_dir, arena), run_id, arena);
}

void run_id_judge(const struct run_id *id, const char *cache_dir, struct state *state,
		  struct arena *arena)
{
	const char *folder = runs_folder(cache_dir, arena);

	for (size_t i = 0; i < state->by_id.n; i++) {
		const struct state_entry *entry = state->by_id.items[i].value;
		struct claim claim;

		for (size_t k = 0; status_claim_at(entry, k, &claim); k++) {
			if (!claim.run_id || !*claim.lease_s ||
			    strcmp(claim.run_id, id->text) == 0 ||
			    !is_dead(folder, claim.run_id, arena))
				continue;
			*claim.lease_s = 1;
			if (claim.entry_lease_s)
				*claim.entry_lease_s = 1;
		}
	}
}

void run_id_release(struct run_id *id)
{
	fd_close(&id->fd);
}
