/* SPDX-License-Identifier: Apache-2.0 */
/*
 * subids.h — the further user and group ids that /etc/subuid and /etc/subgid give to a user without root, and a user namespace
 * in which he is root and they are the users 1, 2, … Made by newuidmap and newgidmap, which may. Spec: subuid(5), newuidmap(1).
 */
#ifndef BUILDEXEC_ENGINE_SUBIDS_H
#define BUILDEXEC_ENGINE_SUBIDS_H

#include <sys/types.h>

#include "model/base/arena.h"

struct subids {
	struct arena *arena;
	unsigned long first_uid, n_uids, first_gid, n_gids; /* n_…: 0 when there are none */
};

/* The first range of each file that is this user's; none of both when a file, a range or a program is missing, and as root. */
MUST_CHECK bool subids_read(struct arena *arena, struct subids *out, struct err *err);
/* For a process that waits in a new user namespace. False with errno. */
bool subids_map(const struct subids *ids, pid_t pid);
/* "name:first:count" of a line that is for the user with this name or number. Pure. */
bool subids_parse(const char *text, const char *name, unsigned long id, unsigned long *first,
		  unsigned long *n);

#endif
