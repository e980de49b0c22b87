/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine_store.h — where buildah keeps images and cached layers: folders below <cache>/docker, never the user's own. A name (a build
 * config, an Image) has one; when builds of it run at once, each of them has one. One that grew over STORE_MAX_KIB is emptied before it is used
 * again; one that nobody used for STORE_MAX_AGE_S is removed. The lock beside it has a byte in it while the store is used: one
 * that can be taken and has a byte is of a build that was broken off, whose containers are still there.
 */
#ifndef BUILDEXEC_ENGINE_ENGINE_STORE_H
#define BUILDEXEC_ENGINE_ENGINE_STORE_H

#include "buildexec/task/task.h"

enum { STORE_SLOTS = 16, STORE_MAX_KIB = 10 << 20, STORE_MAX_AGE_S = 14 * 24 * 3600 };

#define ENGINE_TEMP "tmp" /* in a store: its TMPDIR */

struct engine_store {
	const char *dir; /* has "storage" and what else the engine keeps */
	int lock_fd;     /* held while it is used; -1: closed */
	bool is_left;    /* whoever used it before did not clean it */
};

/* `env` is for the programs that look at it and clean it. ERR_CONFLICT when all slots are in use. */
MUST_CHECK bool engine_store_open(struct task *task, const char *name, const struct strings *env,
				  struct engine_store *out, struct err *err);
/* Removes all but the lock. */
MUST_CHECK bool engine_store_empty(struct task *task, const struct strings *env,
				   const struct engine_store *store, struct err *err);
/* Removes what a killed engine left in ENGINE_TEMP: folders with numbers for names. Caches stay. */
MUST_CHECK bool engine_store_clean_temp(struct task *task, const struct strings *env,
					const struct engine_store *store, struct err *err);
/* Removes an engine's containers from a store; false when it could not. */
typedef bool engine_store_clean_fn(void *ctx, const struct engine_store *store);
/* Cleans all stores that were left and that nobody uses. */
void engine_store_clean_others(struct task *task, engine_store_clean_fn *clean, void *ctx);
/* `is_clean`: there are no containers in it. */
void engine_store_close(struct engine_store *store, bool is_clean);

#endif
