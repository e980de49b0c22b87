/* SPDX-License-Identifier: Apache-2.0 */
/* quiet.c — one entry per host, behind one lock. */
#include "reconcile/observe/quiet.h"

#include <pthread.h>
#include <stdlib.h>

#include "model/base/map.h"

enum { QUIET_AFTER = 3 };

struct host {
	unsigned n_silent; /* in a row */
	const char *why;
};

struct quiet {
	pthread_mutex_t lock;
	struct arena *arena;
	struct map hosts;
};

struct quiet *quiet_new(void)
{
	struct quiet *quiet = mem_realloc(NULL, sizeof(*quiet));

	*quiet = (struct quiet){ .lock = PTHREAD_MUTEX_INITIALIZER, .arena = arena_new() };
	return quiet;
}

void quiet_free(struct quiet **quiet)
{
	if (!*quiet)
		return;
	pthread_mutex_destroy(&(*quiet)->lock);
	arena_free((*quiet)->arena);
	free(*quiet);
	*quiet = NULL;
}

bool quiet_is(struct quiet *quiet, const char *host, struct arena *arena, const char **why)
{
	const struct host *entry;
	bool is_quiet;

	pthread_mutex_lock(&quiet->lock);
	entry = map_get(&quiet->hosts, host);
	is_quiet = entry && entry->n_silent >= QUIET_AFTER;
	if (is_quiet)
		*why = arena_strdup(arena, entry->why);
	pthread_mutex_unlock(&quiet->lock);
	return is_quiet;
}

void quiet_note(struct quiet *quiet, const char *host, const char *why)
{
	struct host *entry;

	pthread_mutex_lock(&quiet->lock);
	entry = map_get(&quiet->hosts, host);
	if (!entry && why) {
		entry = ARENA_NEW(quiet->arena, struct host);
		map_set(quiet->arena, &quiet->hosts, arena_strdup(quiet->arena, host), entry);
	}
	if (entry && !why)
		entry->n_silent = 0;
	if (entry && why && entry->n_silent < QUIET_AFTER) {
		entry->n_silent++;
		entry->why = arena_strdup(quiet->arena, why);
	}
	pthread_mutex_unlock(&quiet->lock);
}
