/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine_store.h — where buildah keeps images and cached layers: folders below <cache>/docker, never the user's own. A name (a build
 * config, an Image) has one; when builds of it run at once, each of them has one. One that grew over STORE_MAX_KIB is emptied before it is used
 * again; one that nobody used for STORE_MAX_AGE_S is removed.
 */
#ifndef BUILDEXEC_ENGINE_ENGINE_STORE_H
#define BUILDEXEC_ENGINE_ENGINE_STORE_H

#include "buildexec/task/task.h"

enum { STORE_SLOTS = 16, STORE_MAX_KIB = 10 << 20, STORE_MAX_AGE_S = 14 * 24 * 3600 };

#define ENGINE_TEMP "tmp" /* in a store: its TMPDIR */

struct engine_store {
	const char *dir; /* has "storage" and what else the engine keeps */
	int lock_fd;     /* held while it is used; -1: closed */
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
void engine_store_close(struct engine_store *store);

#endif
