/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quiet.h — registries that give no answer are not asked a thousand times: after a few questions in a row that came to
 * nothing, those that follow get the same answer at once. Shared by threads.
 */
#ifndef RECONCILE_OBSERVE_QUIET_H
#define RECONCILE_OBSERVE_QUIET_H

#include "model/base/arena.h"

struct quiet;
struct quiet *quiet_new(void);
void quiet_free(struct quiet **quiet);
/* Why nobody asks this host any more, in *why (of the arena); false: ask. */
bool quiet_is(struct quiet *quiet, const char *host, struct arena *arena, const char **why);
/* `why` NULL: it answered. */
void quiet_note(struct quiet *quiet, const char *host, const char *why);

#endif
