/* SPDX-License-Identifier: Apache-2.0 */
/*
 * git_wire.c — handles, asking for refs, and what a revision means. Over HTTP the first question is
 * v2's ls-refs by POST, without looking at capabilities; a server that does not understand it is
 * asked the old way, and remembered.
 */
#include "buildexec/sys/git_wire.h"

#include <stdlib.h>
#include <string.h>

#include "buildexec/sys/clock.h"
#include "buildexec/sys/git_conn.h"
#include "buildexec/sys/log.h"
#include "model/base/limits.h"

enum { REFS_MS = 60000, TRIES = 4, BACKOFF_MS = 200, BACKOFF_MAX_MS = 5000 };

static const char *const *copy_words(struct arena *arena, const char *const *words)
{
	struct strings copy = { 0 };

	for (; words && *words; words++)
		vec_push(arena, &copy, arena_strdup(arena, *words));
	if (copy.n)
		vec_push(arena, &copy, NULL);
	return copy.v;
}

static void copy_options(struct git_wire *wire, const struct git_wire_options *options)
{
	struct git_auth *auth = &wire->options.auth;

	if (options)
		wire->options = *options;
	auth->user = arena_strdup(wire->arena, auth->user);
	auth->password = arena_strdup(wire->arena, auth->password);
	auth->bearer = arena_strdup(wire->arena, auth->bearer);
	auth->ca_file = arena_strdup(wire->arena, auth->ca_file);
	auth->ssh_key_file = arena_strdup(wire->arena, auth->ssh_key_file);
	auth->known_hosts_file = arena_strdup(wire->arena, auth->known_hosts_file);
	auth->ssh_argv = copy_words(wire->arena, auth->ssh_argv);
	wire->options.http_proxy = arena_strdup(wire->arena, wire->options.http_proxy);
	wire->options.https_proxy = arena_strdup(wire->arena, wire->options.https_proxy);
	wire->options.no_proxy = arena_strdup(wire->arena, wire->options.no_proxy);
	/* a URL's own user and password are the nearest choice */
	if (wire->url.password && !auth->bearer) {
		auth->user = wire->url.user ? wire->url.user : "";
		auth->password = wire->url.password;
	}
	if (auth->password)
		secret_add(auth->password, strlen(auth->password));
	if (auth->bearer)
		secret_add(auth->bearer, strlen(auth->bearer));
	if (!wire->options.max_pack_bytes)
		wire->options.max_pack_bytes = LIMIT_GIT_PACK_BYTES;
}

bool git_wire_open(const char *url, const struct git_wire_options *options, struct git_wire **out,
		   struct err *err)
{
	struct git_wire *wire = mem_realloc(NULL, sizeof(*wire));

	*wire = (struct git_wire){ .arena = arena_new() };
	*out = NULL;
	if (!git_url_parse(url, wire->arena, &wire->url, err)) {
		git_wire_close(&wire);
		return false;
	}
	copy_options(wire, options);
	wire->base = wire->url.request;
	wire->is_base_trusted = true;
	wire->version = wire->options.only_v0 ? GIT_VERSION_0 : GIT_VERSION_UNKNOWN;
	*out = wire;
	return true;
}

void git_wire_close(struct git_wire **handle)
{
	struct git_wire *wire = *handle;

	if (!wire)
		return;
	git_repo_close(&wire->local);
	if (wire->http)
		http_close(&wire->http);
	arena_free(wire->arena);
	free(wire);
	*handle = NULL;
}

const struct git_url *git_wire_url(const struct git_wire *wire)
{
	return &wire->url;
}

bool git_wire_local(struct git_wire *wire, struct git_repo **out, struct err *err)
{
	if (!wire->local && !git_repo_open(wire->url.path, false, &wire->local, err))
		return false;
	*out = wire->local;
	return true;
}

bool git_wire_fail(const struct git_wire *wire, const char *intent, struct err *err)
{
	AUTO_BUF text = BUF_INIT(4 * sizeof(err->text));
	enum err_kind kind = err->kind;
	int sys = err->sys;

	sanitize(err->text, strlen(err->text), false, &text);
	err_set(err, kind, "cannot %s '%s': %s", intent, wire->url.canonical, buf_text(&text));
	err->sys = sys;
	return wire->url.scheme == GIT_SCHEME_LOCAL ? false : err_foreign(err);
}

/* http.h retries by itself what never answered; here it is what broke off in the middle. */
bool git_wire_retry(const struct git_wire *wire, unsigned attempt, const struct err *err)
{
	unsigned tries = wire->options.max_tries ? wire->options.max_tries : TRIES;

	if (git_wire_is_http(wire) && tries > 2)
		tries = 2;
	if (err->kind != ERR_TRANSIENT || attempt + 1 >= tries)
		return false;
	clock_sleep_ms(backoff_ms(attempt, BACKOFF_MS, BACKOFF_MAX_MS));
	return true;
}

static void add_ls_refs(struct buf *out, const struct strings *prefixes)
{
	git_pkt_printf(out, "command=ls-refs\n");
	git_pkt_printf(out, "agent=reconcile/" RECONCILE_VERSION "\n");
	git_pkt_delim(out);
	git_pkt_printf(out, "peel\n");
	git_pkt_printf(out, "symrefs\n");
	for (size_t i = 0; prefixes && i < prefixes->n; i++)
		git_pkt_printf(out, "ref-prefix %s\n", prefixes->v[i]);
	git_pkt_flush(out);
}

static bool ask_v2(struct git_conn *conn, struct git_advert *advert, struct err *err)
{
	struct git_pkt_reader *reader = mem_realloc(NULL, sizeof(*reader));
	AUTO_BUF head = BUF_INIT(1 << 20);
	bool done;

	git_pkt_reader_init(reader, git_advert_ls_refs_pkt, advert);
	advert->reader = reader;
	add_ls_refs(&head, advert->prefixes);
	done = !head.is_over || err_set(err, ERR_INVALID, "too many refs are asked for at once");
	done = done &&
	       git_conn_ask(conn, &(struct git_request){ .head = head.data, .n_head = head.len },
			    reader, err);
	free(reader);
	advert->reader = NULL;
	return done;
}

bool git_wire_may_be_old(const struct git_wire *wire, const struct err *err)
{
	if (err->kind == ERR_TRANSIENT) /* a server of v0 that fell over the question */
		return wire->last_status && wire->last_status != 429 && wire->last_status != 503;
	return err->kind == ERR_INVALID || err->kind == ERR_ABSENT;
}

static bool ask_conn(struct git_conn *conn, struct git_advert *advert, struct err *err)
{
	struct git_wire *wire = conn->wire;
	struct git_advert first = *advert;
	bool is_http = git_wire_is_http(wire);

	if (is_http && wire->version != GIT_VERSION_0) {
		if (ask_v2(conn, advert, err)) {
			wire->version = GIT_VERSION_2;
			return true;
		}
		if (wire->version == GIT_VERSION_2 || !git_wire_may_be_old(wire, err))
			return false;
		*advert = first;
		*err = (struct err){ 0 };
	}
	if (!git_conn_advert(conn, advert, err))
		return false;
	wire->version = advert->is_v2 ? GIT_VERSION_2 : GIT_VERSION_0;
	if (!advert->is_v2)
		return true;
	*advert = first;
	return ask_v2(conn, advert, err);
}

bool git_wire_ask_refs(struct git_wire *wire, const struct strings *prefixes, struct arena *arena,
		       struct git_refs *out, struct err *err)
{
	struct git_advert advert = { .arena = arena, .prefixes = prefixes };
	struct git_conn conn;
	struct git_repo *repo;
	bool done;

	*out = (struct git_refs){ 0 };
	if (wire->url.scheme == GIT_SCHEME_LOCAL)
		return git_wire_local(wire, &repo, err) &&
		       git_repo_list_refs(repo, prefixes, arena, out, err);
	done = git_conn_open(wire, GIT_UPLOAD_PACK, REFS_MS, &conn, err) &&
	       ask_conn(&conn, &advert, err);
	git_conn_close(&conn);
	if (done)
		*out = advert.refs;
	return done;
}

bool git_wire_ls_refs(struct git_wire *wire, const struct strings *prefixes, struct arena *arena,
		      struct git_refs *out, struct err *err)
{
	for (unsigned attempt = 0;; attempt++) {
		if (git_wire_ask_refs(wire, prefixes, arena, out, err))
			return true;
		if (!git_wire_retry(wire, attempt, err))
			return git_wire_fail(wire, "read the refs of", err);
		*err = (struct err){ 0 };
	}
}

static void set_revision(struct git_revision *out, enum git_revision_kind kind,
			 const struct git_ref *ref)
{
	out->kind = kind;
	out->ref = ref->name;
	out->id = ref->id;
	out->commit = git_id_is_none(&ref->peeled) ? ref->id : ref->peeled;
}

static enum git_revision_kind kind_of(const char *name)
{
	return !strncmp(name, "refs/tags/", 10) ? GIT_REVISION_TAG : GIT_REVISION_BRANCH;
}

bool git_wire_resolve(struct git_wire *wire, const char *revision, struct arena *arena,
		      struct git_revision *out, struct err *err)
{
	static const char *const folders[] = { "refs/heads/", "refs/tags/" };
	struct strings names = { 0 };
	struct git_refs refs;

	*out = (struct git_revision){ 0 };
	if (git_id_parse(revision, strlen(revision), &out->id)) {
		out->kind = GIT_REVISION_COMMIT;
		out->commit = out->id;
		return true;
	}
	for (size_t i = 0; i < COUNTOF(folders); i++) {
		const char *name = arena_printf(arena, "%s%s", folders[i], revision);

		if (git_ref_is_valid(name))
			vec_push(arena, &names, name);
	}
	if (git_ref_is_valid(revision))
		vec_push(arena, &names, revision);
	if (!strcmp(revision, "HEAD"))
		vec_push(arena, &names, "HEAD");
	if (!names.n)
		return true; /* nothing can be called so */
	if (!git_wire_ls_refs(wire, &names, arena, &refs, err))
		return false;
	for (size_t i = 0; i < names.n && out->kind == GIT_REVISION_NONE; i++) {
		const struct git_ref *ref = git_refs_find(&refs, names.v[i]);

		if (ref)
			set_revision(out, kind_of(ref->name), ref);
	}
	return true;
}
