/* SPDX-License-Identifier: Apache-2.0 */
/*
 * git_fetch.c — one commit at depth 1. Wants, the depth, at most one commit we hold, and "done" go
 * in a single request, so that v2, v0 and stateless HTTP are one exchange each. Servers that give
 * out only what refs point at get asked for the ref (an annotated tag by its own id); only when the
 * commit is no ref's tip there is the ref's whole history fetched.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "buildexec/sys/fs.h"
#include "buildexec/sys/git_conn.h"
#include "buildexec/sys/git_receive.h"
#include "model/base/limits.h"

enum { PACK_MS = 30 * 60 * 1000 };

struct attempt {
	struct git_wire *wire;
	const struct git_fetch *fetch;
	struct arena *arena;
	VEC(struct git_id) wants;
	bool is_deep; /* with history */
	bool is_recognised;
	struct git_fetch_stats stats;
};

static void add_haves(struct buf *out, const struct attempt *attempt, bool is_v2)
{
	const struct git_id *have = attempt->fetch->have;

	if (have)
		git_pkt_printf(out, "have %s\n", have->hex);
	git_pkt_printf(out, "done\n");
	if (is_v2)
		git_pkt_flush(out);
}

static void add_shallow(struct buf *out, const struct attempt *attempt)
{
	if (attempt->fetch->have)
		git_pkt_printf(out, "shallow %s\n", attempt->fetch->have->hex);
	if (!attempt->is_deep)
		git_pkt_printf(out, "deepen 1\n");
}

static void add_v2(struct buf *out, const struct attempt *attempt)
{
	git_pkt_printf(out, "command=fetch\n");
	git_pkt_printf(out, "agent=reconcile/" RECONCILE_VERSION "\n");
	git_pkt_delim(out);
	git_pkt_printf(out, "ofs-delta\n");
	git_pkt_printf(out, "no-progress\n");
	for (size_t i = 0; i < attempt->wants.n; i++)
		git_pkt_printf(out, "want %s\n", attempt->wants.v[i].hex);
	add_shallow(out, attempt);
	add_haves(out, attempt, true);
}

static void add_v0(struct buf *out, const struct attempt *attempt, const struct git_advert *advert)
{
	for (size_t i = 0; i < attempt->wants.n; i++)
		git_pkt_printf(out, "want %s%s%s%s%s\n", attempt->wants.v[i].hex,
			       i ? "" : " side-band-64k",
			       !i && git_advert_has(advert, "ofs-delta") ? " ofs-delta" : "",
			       !i && git_advert_has(advert, "no-progress") ? " no-progress" : "",
			       !i && git_advert_has(advert, "agent")
				       ? " agent=reconcile/" RECONCILE_VERSION
				       : "");
	add_shallow(out, attempt);
	git_pkt_flush(out);
	add_haves(out, attempt, false);
}

/* Sends the request of either version and stores what comes. */
static bool transfer(struct git_conn *conn, struct attempt *attempt,
		     const struct git_advert *advert, struct err *err)
{
	struct git_pkt_reader *reader = mem_realloc(NULL, sizeof(*reader));
	struct git_receive receive = { .into = attempt->fetch->into,
				       .reader = reader,
				       .arena = attempt->arena,
				       .is_v2 = !advert,
				       .has_shallow_part = !attempt->is_deep,
				       .max_bytes = attempt->wire->options.max_pack_bytes,
				       .progress = BUF_INIT(LIMIT_GIT_MESSAGE) };
	AUTO_BUF head = BUF_INIT(64 << 20);
	bool done;

	git_pkt_reader_init(reader, git_receive_pkt, &receive);
	if (advert)
		add_v0(&head, attempt, advert);
	else
		add_v2(&head, attempt);
	done = !head.is_over || err_set(err, ERR_INVALID, "the server has too many refs");
	done = done &&
	       git_conn_ask(conn, &(struct git_request){ .head = head.data, .n_head = head.len },
			    reader, err) &&
	       git_receive_finish(&receive, err);
	attempt->is_recognised = receive.is_recognised;
	attempt->stats.pack_bytes += receive.stats.pack_bytes;
	attempt->stats.n_objects += receive.stats.n_objects;
	git_receive_release(&receive);
	free(reader);
	return done;
}

static bool is_any_allowed(const struct git_advert *advert)
{
	return git_advert_has(advert, "allow-tip-sha1-in-want") ||
	       git_advert_has(advert, "allow-reachable-sha1-in-want");
}

/* The id to ask for to get the commit: a ref's own when one leads there; false when none does. */
static bool find_tip(const struct git_refs *refs, const struct git_id *commit, struct git_id *out)
{
	for (size_t i = 0; i < refs->n; i++)
		if (git_id_equal(&refs->v[i].id, commit) ||
		    git_id_equal(&refs->v[i].peeled, commit)) {
			*out = refs->v[i].id;
			return true;
		}
	return false;
}

/* History, then: of the ref it was found at, or of all there are. */
static bool want_history(struct attempt *attempt, const struct git_refs *refs, struct err *err)
{
	const char *hint = attempt->fetch->hint_ref;

	attempt->wants.n = 0;
	attempt->is_deep = true;
	for (size_t i = 0; i < refs->n; i++)
		if (!hint || !strcmp(hint, refs->v[i].name))
			vec_push(attempt->arena, &attempt->wants, refs->v[i].id);
	if (attempt->wants.n)
		return true;
	return err_set(err, ERR_ABSENT, "the server does not give out commit %s",
		       attempt->fetch->commit.hex);
}

static void want_one(struct attempt *attempt, struct git_id id)
{
	attempt->wants.n = 0;
	/* Behind a commit that is held, the way from there is short, and servers leave out what that commit has;
	 * at depth 1 they would send everything again unless the pack may be thin, which libgit2 1.5 does not index. */
	attempt->is_deep = attempt->fetch->have != NULL;
	vec_push(attempt->arena, &attempt->wants, id);
}

static bool fetch_v0(struct git_conn *conn, struct attempt *attempt,
		     const struct git_advert *advert, struct err *err)
{
	struct git_id id;

	if (!git_advert_has(advert, "side-band-64k"))
		return err_set(err, ERR_INVALID, "the server's git is too old (no side-band-64k)");
	if (find_tip(&advert->refs, &attempt->fetch->commit, &id))
		want_one(attempt, id);
	else if (is_any_allowed(advert))
		want_one(attempt, attempt->fetch->commit);
	else if (!want_history(attempt, &advert->refs, err))
		return false;
	if (!git_advert_has(advert, "shallow"))
		attempt->is_deep = true;
	return transfer(conn, attempt, advert, err);
}

/* One conversation: over HTTP v2 is spoken unasked, as in git_wire.c. */
static bool converse(struct git_conn *conn, struct attempt *attempt, struct err *err)
{
	struct git_wire *wire = conn->wire;
	struct git_advert advert = { .arena = attempt->arena };

	if (git_wire_is_http(wire) && wire->version != GIT_VERSION_0) {
		if (transfer(conn, attempt, NULL, err)) {
			wire->version = GIT_VERSION_2;
			return true;
		}
		if (wire->version == GIT_VERSION_2 || attempt->is_recognised ||
		    !git_wire_may_be_old(wire, err))
			return false;
		*err = (struct err){ 0 };
	}
	if (!git_conn_advert(conn, &advert, err))
		return false;
	wire->version = advert.is_v2 ? GIT_VERSION_2 : GIT_VERSION_0;
	return advert.is_v2 ? transfer(conn, attempt, NULL, err)
			    : fetch_v0(conn, attempt, &advert, err);
}

static bool try_once(struct attempt *attempt, struct err *err)
{
	struct git_conn conn;
	bool done = git_conn_open(attempt->wire, GIT_UPLOAD_PACK, PACK_MS, &conn, err) &&
		    converse(&conn, attempt, err);

	git_conn_close(&conn);
	return done;
}

static bool try_often(struct attempt *attempt, struct err *err)
{
	for (unsigned i = 0; !try_once(attempt, err); i++) {
		if (!git_wire_retry(attempt->wire, i, err))
			return false;
		*err = (struct err){ 0 };
	}
	return true;
}

/* A v2 server refused the bare id: perhaps it knows a ref that leads there, perhaps history does.
 */
static bool fetch_by_ref(struct attempt *attempt, struct err *err)
{
	struct strings hint = { 0 };
	struct git_refs refs;
	struct git_id id;

	if (attempt->fetch->hint_ref)
		vec_push(attempt->arena, &hint, attempt->fetch->hint_ref);
	if (!git_wire_ask_refs(attempt->wire, &hint, attempt->arena, &refs, err))
		return false;
	if (find_tip(&refs, &attempt->fetch->commit, &id) &&
	    !git_id_equal(&id, &attempt->fetch->commit))
		want_one(attempt, id);
	else if (!want_history(attempt, &refs, err))
		return false;
	return try_often(attempt, err);
}

static bool has_commit(const struct git_fetch *fetch)
{
	unsigned char raw[GIT_ID_RAW];

	git_id_to_raw(&fetch->commit, raw);
	return git_objects_has(git_repo_objects(fetch->into), raw);
}

/* Nothing is copied from a repository on this machine: its objects are borrowed by git's own means.
 */
static bool borrow_local(struct attempt *attempt, struct err *err)
{
	const struct git_fetch *fetch = attempt->fetch;
	struct git_repo *repo;
	const char *path;
	char *text, *real, *line;
	size_t n;
	AUTO_FD lock = -1;
	bool done;

	if (!git_wire_local(attempt->wire, &repo, err))
		return false;
	real = realpath(git_repo_objects_path(repo), NULL);
	if (!real)
		return err_sys(err, errno, "cannot find '%s'", git_repo_objects_path(repo));
	line = arena_printf(attempt->arena, "%s\n", real);
	free(real);
	path = path_join(attempt->arena, git_repo_objects_path(fetch->into), "info/alternates");
	done = git_repo_lock(fetch->into, -1, &lock, err) &&
	       fs_read(AT_FDCWD, path, 1 << 20, attempt->arena, &text, &n, err);
	if (done && !(text && strstr(text, line))) {
		text = arena_printf(attempt->arena, "%s%s", text ? text : "", line);
		done = fs_write_atomic(AT_FDCWD, path, text, strlen(text), 0644, false, err);
	}
	line[strlen(line) - 1] = '\0';
	return done && git_objects_add_folder(git_repo_objects(fetch->into), line, err);
}

bool git_wire_fetch(struct git_wire *wire, const struct git_fetch *fetch,
		    struct git_fetch_stats *stats, struct err *err)
{
	struct attempt attempt = { .wire = wire, .fetch = fetch, .arena = arena_new() };
	bool done;

	*stats = (struct git_fetch_stats){ 0 };
	if (has_commit(fetch)) {
		arena_free(attempt.arena);
		return true;
	}
	if (wire->url.scheme == GIT_SCHEME_LOCAL) {
		done = borrow_local(&attempt, err);
	} else {
		want_one(&attempt, fetch->commit);
		done = try_often(&attempt, err);
		if (!done && !attempt.is_recognised && wire->version == GIT_VERSION_2 &&
		    (err->kind == ERR_ABSENT || err->kind == ERR_INVALID)) {
			*err = (struct err){ 0 };
			done = fetch_by_ref(&attempt, err);
		}
	}
	if (done && !has_commit(fetch))
		done = err_set(err, ERR_ABSENT, "there is no commit %s", fetch->commit.hex);
	*stats = attempt.stats;
	arena_free(attempt.arena);
	return done || git_wire_fail(wire, "fetch from", err);
}
