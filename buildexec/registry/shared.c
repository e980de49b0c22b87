/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shared.c — whether a host that may be without TLS is. To find out costs a handshake and the trust store each time, so that
 * the handles of one owner do it once, the others wait.
 */
#include <pthread.h>
#include <stdlib.h>

#include "buildexec/registry/remote.h"
#include "model/base/map.h"

struct registry_shared {
	pthread_mutex_t lock;
	struct arena *arena;
	struct map schemes; /* host, with "!" where it is insecure → "https" or "http" */
};

struct registry_shared *registry_shared_new(void)
{
	struct registry_shared *shared = mem_realloc(NULL, sizeof(*shared));

	*shared =
		(struct registry_shared){ .lock = PTHREAD_MUTEX_INITIALIZER, .arena = arena_new() };
	return shared;
}

void registry_shared_free(struct registry_shared **shared)
{
	if (!*shared)
		return;
	pthread_mutex_destroy(&(*shared)->lock);
	arena_free((*shared)->arena);
	free(*shared);
	*shared = NULL;
}

void registry_share(struct registry *registry, struct registry_shared *shared)
{
	registry->shared = shared;
}

bool remote_scheme(struct registry_shared *shared, struct endpoint *endpoint,
		   remote_scheme_fn *find, struct arena *arena, const char **out, struct err *err)
{
	const char *key;
	bool is_done;

	if (!shared)
		return find(endpoint, arena, out, err);
	key = arena_printf(arena, "%s%s", endpoint->host, endpoint->is_insecure ? "!" : "");
	pthread_mutex_lock(&shared->lock);
	*out = map_get(&shared->schemes, key);
	is_done = *out || find(endpoint, arena, out, err);
	if (is_done)
		map_set(shared->arena, &shared->schemes, arena_strdup(shared->arena, key),
			(void *)(uintptr_t)*out);
	pthread_mutex_unlock(&shared->lock);
	return is_done;
}
