/* SPDX-License-Identifier: Apache-2.0 */
/*
 * git_advert.h — what a git server says first: its protocol version, capabilities and (v0, v1) its
 * refs; and the answer to v2's ls-refs. Packet callbacks for git_pkt.h; no i/o. Names that are no
 * ref names are dropped, not refused: they are the server's affair. Spec: gitprotocol-pack(5)
 * "Reference Discovery", gitprotocol-v2(5).
 */
#ifndef BUILDEXEC_SYS_GIT_ADVERT_H
#define BUILDEXEC_SYS_GIT_ADVERT_H

#include "buildexec/sys/git_pkt.h"
#include "buildexec/sys/git_repo.h"

struct git_advert {
	struct git_pkt_reader *reader; /* stopped at the end */
	struct arena *arena;
	const struct strings *prefixes; /* refs to keep; NULL: all */
	struct git_refs refs;
	const char *capabilities; /* v0: the words; v2: the lines, joined by blanks; "" when none */
	size_t n_lines;
	bool is_v2;
	bool is_service_seen; /* inside smart HTTP's "# service=" part */
	bool is_done;
};

/* Callback with a struct git_advert as context. */
git_pkt_fn git_advert_pkt;
/* Callback for the answer to ls-refs; is_v2 is set once an answer was recognised. */
git_pkt_fn git_advert_ls_refs_pkt;
/* The value behind "name=", "" for a bare name, NULL when it is not offered. Results in the arena.
 */
const char *git_advert_has(const struct git_advert *advert, const char *name);
/* A kept ref by name, or NULL. */
const struct git_ref *git_refs_find(const struct git_refs *refs, const char *name);
/* "ERR …" of a server as an error of the kind its words suggest. */
bool git_server_fail(struct err *err, const char *bytes, size_t n);

#endif
