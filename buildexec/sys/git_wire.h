/* SPDX-License-Identifier: Apache-2.0 */
/*
 * git_wire.h — a repository that may be elsewhere: ask for refs, fetch a commit, push refs. One
 * interface over smart HTTP(S), ssh (the program of that name), git:// and local repositories (no
 * process, no server). Protocol v2 is spoken where the server does (over HTTP without asking for
 * capabilities first), v0/v1 otherwise. Blocking; one handle per thread and repository; a handle
 * keeps its HTTP connection. Every wait has a limit. Transient failures are retried with full
 * jitter; of a push whose answer is lost the outcome is looked up first.
 * Errors: ERR_ABSENT no such repository or object, ERR_DENIED credentials or trust, ERR_TRANSIENT
 * network, ERR_CONFLICT a ref moved, ERR_INVALID the server's answer or its refusal (a hook's words
 * are in the text). Spec: gitprotocol-v2(5), gitprotocol-pack(5), gitprotocol-http(5).
 */
#ifndef BUILDEXEC_SYS_GIT_WIRE_H
#define BUILDEXEC_SYS_GIT_WIRE_H

#include <stdint.h>

#include "buildexec/sys/git_repo.h"
#include "buildexec/sys/git_url.h"

/* Chosen by the caller for this URL's scheme and host; sent nowhere else. All borrowed until
 * git_wire_open returns. */
struct git_auth {
	/* Basic, http(s); `user` also for ssh when the URL names none */
	const char *user, *password;
	const char *bearer;  /* instead, http(s) */
	const char *ca_file; /* further CA bundle */
	bool is_insecure;    /* no TLS certificate check */
	const char *ssh_key_file, *known_hosts_file;
	bool accepts_new_hosts;      /* StrictHostKeyChecking=accept-new instead of yes */
	const char *const *ssh_argv; /* instead of {"ssh", NULL}: program and first arguments
					(GIT_SSH_COMMAND, split by the caller) */
};

struct git_wire_options {
	struct git_auth auth;
	int64_t connect_timeout_ms;                      /* 0: 10 s                            */
	int64_t stall_timeout_ms;                        /* 0: 30 s without a byte             */
	int64_t total_timeout_ms;                        /* 0: 60 s for refs, 30 min for packs */
	unsigned max_tries;                              /* 0: 4                               */
	uint64_t max_pack_bytes;                         /* 0: LIMIT_GIT_PACK_BYTES            */
	bool only_v0;                                    /* never ask for protocol v2          */
	const char *http_proxy, *https_proxy, *no_proxy; /* as in http.h */
};

struct git_wire;

MUST_CHECK bool git_wire_open(const char *url, const struct git_wire_options *options,
			      struct git_wire **out, struct err *err);
void git_wire_close(struct git_wire **wire);
const struct git_url *git_wire_url(const struct git_wire *wire);

/* Refs whose name starts with a prefix (NULL or none: all), as the server orders them; HEAD with
 * its target when asked for. Names that are no ref names are dropped. */
MUST_CHECK bool git_wire_ls_refs(struct git_wire *wire, const struct strings *prefixes,
				 struct arena *arena, struct git_refs *out, struct err *err);

enum git_revision_kind {
	GIT_REVISION_NONE,
	GIT_REVISION_BRANCH,
	GIT_REVISION_TAG,
	GIT_REVISION_COMMIT
};
struct git_revision {
	enum git_revision_kind kind; /* NONE: no branch or tag of that name, and no commit id */
	const char *ref;             /* the full ref name, NULL for a commit id */
	/* as the ref holds it: an annotated tag's own id (kpack records this one) */
	struct git_id id;
	struct git_id commit; /* what to check out: peeled */
};
/* A branch or tag by short name (a branch wins), a full "refs/…" name, or 40 hex digits (taken as
 * they are, nothing is asked). reference/kpack.md §1.10. */
MUST_CHECK bool git_wire_resolve(struct git_wire *wire, const char *revision, struct arena *arena,
				 struct git_revision *out, struct err *err);

/*
 * Brings one commit with its tree, without its history, into a bare repository (git_repo_init),
 * which may hold many. A commit that is there already costs no question. `hint_ref` (may be NULL):
 * the ref it was found at, for servers that give out refs only; then, and only then, history may
 * come along. `have` (may be NULL): an ancestor that `into` holds; then the commits between come along, and only what they changed.
 */
struct git_fetch {
	struct git_repo *into;
	struct git_id commit;
	const char *hint_ref;
	const struct git_id *have;
};
struct git_fetch_stats {
	uint64_t pack_bytes;
	uint32_t n_objects;
};
MUST_CHECK bool git_wire_fetch(struct git_wire *wire, const struct git_fetch *fetch,
			       struct git_fetch_stats *stats, struct err *err);

/*
 * One to many ref updates in one push, with a pack of what is new. Several are atomic or refused
 * (ERR_INVALID when the server cannot; a local repository takes one).
 */
struct git_update {
	const char *ref;
	struct git_id old_id; /* none: must not exist */
	struct git_id new_id;
};
struct git_push {
	const struct git_update *updates;
	size_t n_updates;
	struct git_pack *pack; /* borrowed, finished by this */
};
MUST_CHECK bool git_wire_push(struct git_wire *wire, const struct git_push *push, struct err *err);

#endif
