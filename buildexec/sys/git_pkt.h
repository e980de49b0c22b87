/* SPDX-License-Identifier: Apache-2.0 */
/*
 * git_pkt.h — pkt-lines: the framing of git's protocols, and the side band inside them.
 * The reader is pushed bytes as they come, in pieces of any size, and calls back once per packet,
 * so that the same code serves HTTP answers, pipes and sockets. Spec: gitprotocol-common(5)
 * "pkt-line Format", gitprotocol-v2(5).
 */
#ifndef BUILDEXEC_SYS_GIT_PKT_H
#define BUILDEXEC_SYS_GIT_PKT_H

#include "model/base/buf.h"

enum { GIT_PKT_MAX = 65520, GIT_PKT_DATA_MAX = GIT_PKT_MAX - 4 };

enum git_pkt_kind { GIT_PKT_DATA, GIT_PKT_FLUSH, GIT_PKT_DELIM, GIT_PKT_END, GIT_PKT_KINDS };

/* Returns false, with *err set, to stop reading. `bytes` are lent for the call. */
typedef bool git_pkt_fn(void *ctx, enum git_pkt_kind kind, const char *bytes, size_t n,
			struct err *err);

struct git_pkt_reader {
	git_pkt_fn *on_pkt;
	void *ctx;
	bool is_stopped; /* set by the callback: bytes after this packet are not read */
	size_t need;     /* length of the packet being gathered, 0 while its head is  */
	size_t have;
	char bytes[GIT_PKT_MAX + 1];
};

void git_pkt_reader_init(struct git_pkt_reader *reader, git_pkt_fn *on_pkt, void *ctx);
/* ERR_INVALID for a length that is none; else what the callback says. */
MUST_CHECK bool git_pkt_feed(struct git_pkt_reader *reader, const char *bytes, size_t n,
			     struct err *err);
/* True between two packets: an end of input here cuts nothing. */
bool git_pkt_is_between(const struct git_pkt_reader *reader);

/* Writers append to `out`; a line gets no newline of its own. n is at most GIT_PKT_DATA_MAX. */
void git_pkt_add(struct buf *out, const void *bytes, size_t n);
void git_pkt_printf(struct buf *out, const char *fmt, ...) PRINTF(2, 3);
void git_pkt_flush(struct buf *out);
void git_pkt_delim(struct buf *out);

/*
 * One packet of side-band-64k: data goes to *data, progress is kept (bounded) for messages, band 3
 * is the server's error. Spec: gitprotocol-pack(5) "Packfile Data".
 */
struct git_band {
	const char *data; /* lent; NULL when the packet carried none */
	size_t n;
	struct buf *progress; /* borrowed; may be NULL */
};
MUST_CHECK bool git_band_split(struct git_band *band, const char *bytes, size_t n, struct err *err);

/* The line without its newline, if it is `prefix` and more: a pointer behind the prefix, *n
 * shortened; else NULL. */
const char *git_pkt_after(const char *bytes, size_t *n, const char *prefix);

#endif
