/* SPDX-License-Identifier: Apache-2.0 */
/*
 * git_receive.h — the answer to a fetch: shallow lines, then a pack on the side band, indexed while
 * it comes. A packet callback over libgit2's indexer, which checks every object's name and the
 * pack's sum. Nothing is visible in the repository before git_receive_finish. Spec:
 * gitprotocol-v2(5) "fetch", gitprotocol-pack(5) "Packfile Data".
 */
#ifndef BUILDEXEC_SYS_GIT_RECEIVE_H
#define BUILDEXEC_SYS_GIT_RECEIVE_H

#include <git2/indexer.h>

#include "buildexec/sys/git_pkt.h"
#include "buildexec/sys/git_wire.h"

struct git_receive {
	struct git_repo *into;
	struct git_pkt_reader *reader; /* stopped at the end */
	struct arena *arena;
	bool is_v2;
	bool has_shallow_part; /* v0: asked with "deepen", so the shallow lines end with a flush of
				  their own */
	uint64_t max_bytes;

	bool is_recognised; /* an answer to this command, whatever it says */
	bool is_in_pack;
	struct git_indexer *indexer;
	git_indexer_progress
		indexed; /* one for all its calls: the count of objects is kept in it */
	unsigned char
		head[12]; /* of the pack, gathered first: its count decides whether there is one */
	struct git_fetch_stats stats;
	VEC(struct git_id) shallow, unshallow;
	struct buf progress;
};

/* Callback with a struct git_receive as context. */
git_pkt_fn git_receive_pkt;
/* Puts the pack into the repository and the shallow lines into its list, in an order that a kill
 * cannot hurt. */
MUST_CHECK bool git_receive_finish(struct git_receive *receive, struct err *err);
/* Drops what was not finished. */
void git_receive_release(struct git_receive *receive);

#endif
