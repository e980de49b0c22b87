/* SPDX-License-Identifier: Apache-2.0 */
/*
 * git_push.c — ref updates with their old values: the server compares them under its own lock,
 * which is the whole compare-and-swap. A refusal is told apart by looking again: a ref that moved
 * is a conflict, one that did not was refused for a reason. Likewise when the answer is lost: the
 * refs say whether the push arrived; a hook that fails afterwards, or a page of something in
 * between, is no answer either. Spec: gitprotocol-pack(5) "Pushing Data To a Server", "Report
 * Status".
 */
#include <stdlib.h>
#include <string.h>

#include "buildexec/sys/fs.h"
#include "buildexec/sys/git_conn.h"
#include "buildexec/sys/git_pack.h"
#include "model/base/limits.h"

enum { PUSH_MS = 10 * 60 * 1000, LOCK_WAIT_MS = 60000 };
static const char zero_id[] = "0000000000000000000000000000000000000000";

struct report {
	const struct git_push *push;
	struct git_pkt_reader *outer, *inner;
	bool has_bands;
	bool is_unpacked;
	bool *is_ok;        /* of each update */
	struct buf refusal; /* "<ref> <reason>" of the first "ng", or what unpacking said */
	struct buf progress;
};

static void take_ok(struct report *report, const char *ref, size_t n)
{
	for (size_t i = 0; i < report->push->n_updates; i++) {
		const char *ours = report->push->updates[i].ref;

		if (strlen(ours) == n && !memcmp(ours, ref, n))
			report->is_ok[i] = true;
	}
}

static bool is_done(const struct report *report)
{
	for (size_t i = 0; i < report->push->n_updates; i++)
		if (!report->is_ok[i])
			return false;
	return report->is_unpacked;
}

static bool take_report(void *ctx, enum git_pkt_kind kind, const char *bytes, size_t n,
			struct err *err)
{
	struct report *report = ctx;
	size_t n_rest = n;
	const char *rest;

	if (kind != GIT_PKT_DATA) {
		if (!report->has_bands)
			report->outer->is_stopped = true;
		return true;
	}
	if ((rest = git_pkt_after(bytes, &n_rest, "ERR ")) != NULL)
		return git_server_fail(err, rest, n_rest);
	n_rest = n;
	if ((rest = git_pkt_after(bytes, &n_rest, "unpack ")) != NULL) {
		report->is_unpacked = n_rest == 2 && !memcmp(rest, "ok", 2);
		if (!report->is_unpacked)
			buf_printf(&report->refusal, "unpacking failed: %.*s", (int)n_rest, rest);
		return true;
	}
	n_rest = n;
	if ((rest = git_pkt_after(bytes, &n_rest, "ng ")) != NULL && !report->refusal.len)
		buf_add(&report->refusal, rest, n_rest);
	n_rest = n;
	if ((rest = git_pkt_after(bytes, &n_rest, "ok ")) != NULL)
		take_ok(report, rest, n_rest);
	return true;
}

static bool take_outer(void *ctx, enum git_pkt_kind kind, const char *bytes, size_t n,
		       struct err *err)
{
	struct report *report = ctx;
	struct git_band band = { .progress = &report->progress };
	size_t n_rest = n;
	const char *rest;

	if (!report->has_bands)
		return take_report(ctx, kind, bytes, n, err);
	if (kind != GIT_PKT_DATA) {
		report->outer->is_stopped = true;
		return true;
	}
	if ((rest = git_pkt_after(bytes, &n_rest, "ERR ")) != NULL)
		return git_server_fail(err, rest, n_rest);
	if (!git_band_split(&band, bytes, n, err))
		return false;
	return !band.data || git_pkt_feed(report->inner, band.data, band.n, err);
}

static bool conflict(struct err *err, const struct git_update *update, const struct git_id *now)
{
	return err_set(err, ERR_CONFLICT, "ref '%s' moved: it is %s, not %s", update->ref,
		       git_id_is_none(now) ? "gone" : now->hex,
		       git_id_is_none(&update->old_id) ? "absent" : update->old_id.hex);
}

static struct git_id id_of(const struct git_refs *refs, const char *name)
{
	const struct git_ref *ref = git_refs_find(refs, name);

	return ref ? ref->id : (struct git_id){ 0 };
}

static bool check_old(const struct git_push *push, const struct git_refs *refs, struct err *err)
{
	for (size_t i = 0; i < push->n_updates; i++) {
		struct git_id now = id_of(refs, push->updates[i].ref);

		if (!git_id_equal(&now, &push->updates[i].old_id))
			return conflict(err, &push->updates[i], &now);
	}
	return true;
}

static bool add_commands(struct buf *out, const struct git_push *push,
			 const struct git_advert *advert, struct report *report, struct err *err)
{
	AUTO_BUF line = BUF_INIT(GIT_PKT_DATA_MAX);
	bool is_atomic = push->n_updates > 1;

	if (!git_advert_has(advert, "report-status"))
		return err_set(err, ERR_INVALID, "the server's git is too old (no report-status)");
	if (is_atomic && !git_advert_has(advert, "atomic"))
		return err_set(err, ERR_INVALID, "the server cannot move several refs at once");
	report->has_bands = git_advert_has(advert, "side-band-64k") != NULL;
	for (size_t i = 0; i < push->n_updates; i++) {
		const struct git_update *update = &push->updates[i];

		buf_clear(&line);
		buf_printf(&line, "%s %s %s",
			   git_id_is_none(&update->old_id) ? zero_id : update->old_id.hex,
			   update->new_id.hex, update->ref);
		if (!i) {
			buf_byte(&line, '\0');
			buf_printf(&line, " report-status%s%s",
				   report->has_bands ? " side-band-64k" : "",
				   is_atomic ? " atomic" : "");
			if (git_advert_has(advert, "agent"))
				buf_puts(&line, " agent=reconcile/" RECONCILE_VERSION);
		}
		git_pkt_add(out, line.data, line.len);
	}
	git_pkt_flush(out);
	return !out->is_over || err_set(err, ERR_INVALID, "too many refs are pushed at once");
}

/* *is_sent: from here on the server may have done it. */
static bool converse(struct git_conn *conn, const struct git_push *push, struct report *report,
		     bool *is_sent, struct err *err)
{
	struct git_advert advert = { .arena = arena_new() };
	struct git_request request = { 0 };
	AUTO_BUF head = BUF_INIT(16 << 20);
	bool done = git_conn_advert(conn, &advert, err) && check_old(push, &advert.refs, err) &&
		    add_commands(&head, push, &advert, report, err);

	arena_free(advert.arena);
	if (!done)
		return false;
	request.head = head.data;
	request.n_head = head.len;
	if (push->pack)
		request.pack = git_pack_bytes(push->pack, &request.n_pack);
	*is_sent = true;
	return git_conn_ask(conn, &request, report->outer, err);
}

/* Where our refs are now: at the new ids (1), at the old ones (0), or elsewhere (-1, *err is the
 * conflict). */
static bool look_again(struct git_wire *wire, const struct git_push *push, int *where,
		       struct err *err)
{
	struct arena *arena = arena_new();
	struct strings names = { 0 };
	struct git_refs refs;
	size_t n_new = 0, n_old = 0;
	bool done;

	for (size_t i = 0; i < push->n_updates; i++)
		vec_push(arena, &names, push->updates[i].ref);
	done = git_wire_ask_refs(wire, &names, arena, &refs, err);
	for (size_t i = 0; done && i < push->n_updates; i++) {
		struct git_id now = id_of(&refs, push->updates[i].ref);

		n_new += git_id_equal(&now, &push->updates[i].new_id);
		n_old += git_id_equal(&now, &push->updates[i].old_id);
	}
	*where = n_new == push->n_updates ? 1 : n_old == push->n_updates ? 0 : -1;
	if (done && *where < 0)
		done = check_old(push, &refs, err);
	arena_free(arena);
	return done;
}

static const struct {
	const char *words;
	enum err_kind kind;
} refusals[] = {
	{ "failed to update ref",
	  ERR_CONFLICT }, /* its lock was held, or the old value was not the one */
	{ "cannot lock", ERR_CONFLICT },
	{ "failed to lock", ERR_CONFLICT },
	{ "fetch first", ERR_CONFLICT },
	{ "stale", ERR_CONFLICT },
	{ "already exists", ERR_CONFLICT },
	{ "protected", ERR_DENIED },
	{ "denied", ERR_DENIED },
	{ "prohibited", ERR_DENIED },
	{ "not allowed", ERR_DENIED },
	{ "non-fast-forward", ERR_DENIED },
	{ "permission", ERR_DENIED },
};

static bool refused(struct git_wire *wire, const struct git_push *push, struct report *report,
		    struct err *err)
{
	const char *reason = buf_text(&report->refusal), *talk = buf_text(&report->progress);
	enum err_kind kind = ERR_INVALID;
	struct err ignored = { 0 };
	int where;

	if (!look_again(wire, push, &where, err)) {
		if (err->kind == ERR_CONFLICT)
			return false;
		where = 0;
	}
	*err = ignored;
	/* Sent twice, by a client or a proxy that lost the first answer: what is refused is the second. */
	if (where == 1)
		return true;
	for (size_t i = 0; i < COUNTOF(refusals) && kind == ERR_INVALID; i++)
		if (strstr(reason, refusals[i].words))
			kind = refusals[i].kind;
	if (!*reason)
		reason = "it does not say that it moved the ref";
	if (!*talk)
		return err_set(err, kind, "the server refuses: %s", reason);
	return err_set(err, kind, "the server refuses: %s (%.*s)", reason,
		       (int)strcspn(talk, "\r\n"), talk);
}

/* Stays set over the tries of one push: a ref that has moved may have been moved by an earlier one. */
static bool push_remote(struct git_wire *wire, const struct git_push *push, struct report *report,
			bool *is_sent, struct err *err)
{
	struct git_conn conn;
	bool done;
	int where = 0;

	done = git_conn_open(wire, GIT_RECEIVE_PACK, PUSH_MS, &conn, err) &&
	       converse(&conn, push, report, is_sent, err);
	git_conn_close(&conn);
	if (!done && *is_sent) {
		struct err lost = *err;
		bool is_final = lost.kind != ERR_TRANSIENT && lost.kind != ERR_CONFLICT;

		if (!look_again(wire, push, &where, err)) {
			if (is_final && err->kind != ERR_CONFLICT)
				*err = lost;
			return false;
		}
		if (where != 1)
			*err = lost;
		return where == 1;
	}
	if (!done)
		return false;
	if (is_done(report))
		return true;
	return refused(wire, push, report, err);
}

static bool push_local(struct git_wire *wire, const struct git_push *push, struct err *err)
{
	const struct git_update *update = &push->updates[0];
	struct git_repo *repo;
	struct git_id now;
	AUTO_FD lock = -1;

	if (push->n_updates != 1)
		return err_set(err, ERR_INVALID, "a local repository takes one ref at a time");
	if (!git_wire_local(wire, &repo, err) || !git_repo_lock(repo, LOCK_WAIT_MS, &lock, err) ||
	    !git_repo_read_ref(repo, update->ref, &now, err))
		return false;
	if (!git_id_equal(&now, &update->old_id)) /* spares a pack that nobody would need */
		return conflict(err, update, &now);
	if (push->pack && !git_pack_store(push->pack, git_repo_objects_path(repo), err))
		return false;
	return git_repo_swap_ref(repo, update->ref, &update->old_id, &update->new_id, err);
}

/* Again is safe: the old values are compared. */
static bool push_often(struct git_wire *wire, const struct git_push *push, struct report *report,
		       struct err *err)
{
	bool is_sent = false;

	for (unsigned attempt = 0;; attempt++) {
		git_pkt_reader_init(report->outer, take_outer, report);
		git_pkt_reader_init(report->inner, take_report, report);
		buf_clear(&report->refusal);
		buf_clear(&report->progress);
		report->is_unpacked = false;
		memset(report->is_ok, 0, push->n_updates * sizeof(*report->is_ok));
		if (push_remote(wire, push, report, &is_sent, err))
			return true;
		if (!git_wire_retry(wire, attempt, err))
			return false;
		*err = (struct err){ 0 };
	}
}

bool git_wire_push(struct git_wire *wire, const struct git_push *push, struct err *err)
{
	struct report report = { .push = push,
				 .refusal = BUF_INIT(GIT_PKT_MAX),
				 .progress = BUF_INIT(LIMIT_GIT_MESSAGE) };
	bool done;

	for (size_t i = 0; i < push->n_updates; i++)
		if (!git_ref_is_valid(push->updates[i].ref) ||
		    git_id_is_none(&push->updates[i].new_id))
			return err_set(err, ERR_INVALID, "'%s' cannot be pushed",
				       push->updates[i].ref);
	if (wire->url.scheme == GIT_SCHEME_LOCAL)
		return push_local(wire, push, err) || git_wire_fail(wire, "push to", err);
	report.outer = mem_realloc(NULL, sizeof(*report.outer));
	report.inner = mem_realloc(NULL, sizeof(*report.inner));
	report.is_ok = mem_realloc(NULL, push->n_updates * sizeof(*report.is_ok));
	done = push_often(wire, push, &report, err);
	free(report.outer);
	free(report.inner);
	free(report.is_ok);
	buf_release(&report.refusal);
	buf_release(&report.progress);
	return done || git_wire_fail(wire, "push to", err);
}
