/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shared.c — whether a host that may be without TLS is. To find out costs a handshake and the trust store each time, so that
 * the handles of one owner do it once, the others wait. And, where asked for, small things that are named by their digest.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "buildexec/registry/remote.h"
#include "model/base/map.h"

enum { REMEMBERED_BYTES = 8 << 20 };

struct registry_shared {
	pthread_mutex_t lock;
	struct arena *arena;
	struct map schemes; /* host, with "!" where it is insecure → "https" or "http" */
	bool remembers;
	struct map known; /* "registry/repo@digest" → struct payload */
	size_t known_bytes;
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

void registry_shared_remember(struct registry_shared *shared)
{
	shared->remembers = true;
}

static bool takes_part(const struct registry *registry)
{
	return registry->shared && registry->shared->remembers && !registry->manner.insecure &&
	       !registry->manner.is_anonymous;
}

static char *known_key(const struct ref *ref, const char *digest, struct arena *arena)
{
	return arena_printf(arena, "%s/%s@%s", ref->registry, ref->repo, digest);
}

char *shared_recall(const struct registry *registry, const struct ref *ref, const char *digest,
		    struct arena *arena, struct payload *out)
{
	struct registry_shared *shared = registry->shared;
	const struct payload *known;

	if (!takes_part(registry))
		return NULL;
	pthread_mutex_lock(&shared->lock);
	known = map_get(&shared->known, known_key(ref, digest, arena));
	pthread_mutex_unlock(&shared->lock);
	if (!known)
		return NULL;
	*out = (struct payload){ .media_type = arena_strdup(arena, known->media_type),
				 .digest = arena_strdup(arena, known->digest),
				 .n = known->n };
	return arena_copy(arena, known->bytes, known->n);
}

void shared_remember(const struct registry *registry, const struct ref *ref,
		     const struct payload *payload)
{
	struct registry_shared *shared = registry->shared;
	struct payload *kept;
	char *key;

	if (!takes_part(registry))
		return;
	pthread_mutex_lock(&shared->lock);
	key = known_key(ref, payload->digest, shared->arena);
	if (payload->n <= REMEMBERED_BYTES - shared->known_bytes && !map_has(&shared->known, key)) {
		kept = ARENA_NEW(shared->arena, struct payload);
		*kept = (struct payload){
			.media_type = arena_strdup(shared->arena, payload->media_type),
			.digest = arena_strdup(shared->arena, payload->digest),
			.bytes = arena_copy(shared->arena, payload->bytes, payload->n),
			.n = payload->n
		};
		map_set(shared->arena, &shared->known, key, kept);
		shared->known_bytes += payload->n;
	}
	pthread_mutex_unlock(&shared->lock);
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
