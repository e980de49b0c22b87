/* SPDX-License-Identifier: Apache-2.0 */
/*
 * git_conn.h — one conversation with a service of a git server, over HTTP or a byte stream; for
 * git_wire.c, git_fetch.c and git_push.c. Every exchange is one request and its answer, so that
 * both look alike: HTTP asks by POST, a stream is written to and read from at the same time.
 */
#ifndef BUILDEXEC_SYS_GIT_CONN_H
#define BUILDEXEC_SYS_GIT_CONN_H

#include "buildexec/sys/git_advert.h"
#include "buildexec/sys/git_wire.h"
#include "buildexec/sys/http.h"
#include "buildexec/sys/proc.h"

enum git_service { GIT_UPLOAD_PACK, GIT_RECEIVE_PACK, GIT_SERVICES };
enum git_version { GIT_VERSION_UNKNOWN, GIT_VERSION_0, GIT_VERSION_2 };

struct git_wire {
	struct arena *arena; /* of the url and the copied options */
	struct git_url url;
	struct git_wire_options options;
	enum git_version version; /* of upload-pack */
	struct git_repo *local;   /* opened on first use */
	struct http *http;        /* likewise */
	const char *base;     /* http: where requests go, moved by a redirect of the first GET */
	bool is_base_trusted; /* credentials may go there */
	int last_status;      /* http: of the last answer, 0 when there was none */
};

struct git_stream {
	int fd, err_fd; /* a socket both ways, and ssh's stderr; -1 when there is none */
	struct proc proc;
	struct buf talk; /* what ssh and the far side say on stderr */
	int64_t end_ms;  /* monotonic */
};

struct git_conn {
	struct git_wire *wire;
	enum git_service service;
	bool asks_v2;
	int64_t timeout_ms; /* of the whole conversation */
	struct git_stream stream;
};

struct git_request {
	const char *head, *pack; /* sent one after the other; pack NULL: none */
	size_t n_head, n_pack;
};

const char *git_service_name(enum git_service service);
bool git_wire_is_http(const struct git_wire *wire);

/* Connects a stream; HTTP connects with the first request. Closed in any case by git_conn_close. */
MUST_CHECK bool git_conn_open(struct git_wire *wire, enum git_service service, int64_t timeout_ms,
			      struct git_conn *out, struct err *err);
void git_conn_close(struct git_conn *conn);
/* Reads what the server says first. */
MUST_CHECK bool git_conn_advert(struct git_conn *conn, struct git_advert *advert, struct err *err);
/* Sends, and feeds the answer to `on_pkt` until that stops the reader; an answer that ends before
 * is ERR_TRANSIENT. */
MUST_CHECK bool git_conn_ask(struct git_conn *conn, const struct git_request *request,
			     struct git_pkt_reader *reader, struct err *err);

/* The two ways; used by git_conn.c only. */
MUST_CHECK bool git_http_advert(struct git_conn *conn, struct git_pkt_reader *reader,
				struct err *err);
MUST_CHECK bool git_http_ask(struct git_conn *conn, const struct git_request *request,
			     struct git_pkt_reader *reader, struct err *err);
MUST_CHECK bool git_stream_open_ssh(struct git_conn *conn, struct err *err);
MUST_CHECK bool git_stream_open_tcp(struct git_conn *conn, struct err *err);
MUST_CHECK bool git_stream_ask(struct git_conn *conn, const struct git_request *request,
			       struct git_pkt_reader *reader, struct err *err);
void git_stream_close(struct git_stream *stream);

/* Refs of the server, by whichever version it speaks; no retry. */
MUST_CHECK bool git_wire_ask_refs(struct git_wire *wire, const struct strings *prefixes,
				  struct arena *arena, struct git_refs *out, struct err *err);
/* The repository of a local URL. */
MUST_CHECK bool git_wire_local(struct git_wire *wire, struct git_repo **out, struct err *err);
/* Whether a server that was spoken to in v2 may just not know it: it answered, and neither credentials
 * nor its load are to blame. */
bool git_wire_may_be_old(const struct git_wire *wire, const struct err *err);
/* Whether to try once more after `err`, having waited. */
bool git_wire_retry(const struct git_wire *wire, unsigned attempt, const struct err *err);
/* Puts "'<url>'" before the text and makes foreign bytes in it harmless. Returns false. */
bool git_wire_fail(const struct git_wire *wire, const char *intent, struct err *err);

#endif
