/* SPDX-License-Identifier: Apache-2.0 */
/* git_advert.c — reads lines "<id> <name>[ attributes]" of both protocol generations. */
#include "buildexec/sys/git_advert.h"

#include <string.h>

#include "buildexec/sys/git_url.h"
#include "model/base/limits.h"

/* Git has about ten. */
enum { CAPABILITIES_MAX = 256 };

static const struct {
	const char *words;
	enum err_kind kind;
} server_words[] = {
	{ "not our ref", ERR_ABSENT },
	{ "not exported", ERR_ABSENT },
	{ "not found", ERR_ABSENT },
	{ "does not exist", ERR_ABSENT },
	{ "no such repository", ERR_ABSENT },
	{ "not appear to be a git", ERR_ABSENT },
	{ "denied", ERR_DENIED },
	{ "not authorized", ERR_DENIED },
	{ "unauthorized", ERR_DENIED },
	{ "too many", ERR_TRANSIENT },
	{ "timed out", ERR_TRANSIENT },
	{ "try again", ERR_TRANSIENT },
};

bool git_server_fail(struct err *err, const char *bytes, size_t n)
{
	enum err_kind kind = ERR_INVALID;

	while (n && (bytes[n - 1] == '\n' || bytes[n - 1] == '\r'))
		n--;
	for (size_t i = 0; i < COUNTOF(server_words) && kind == ERR_INVALID; i++)
		if (memmem(bytes, n, server_words[i].words, strlen(server_words[i].words)))
			kind = server_words[i].kind;
	return err_set(err, kind, "the server says: %.*s", (int)n, bytes);
}

const struct git_ref *git_refs_find(const struct git_refs *refs, const char *name)
{
	for (size_t i = 0; i < refs->n; i++)
		if (!strcmp(refs->v[i].name, name))
			return &refs->v[i];
	return NULL;
}

static bool is_kept(const struct strings *prefixes, const char *name, size_t n)
{
	if (!prefixes || !prefixes->n)
		return true;
	for (size_t i = 0; i < prefixes->n; i++) {
		size_t length = strlen(prefixes->v[i]);

		if (length <= n && !memcmp(prefixes->v[i], name, length))
			return true;
	}
	return false;
}

/* A new row, or NULL when the name is not wanted or none at all. */
static struct git_ref *add_ref(struct git_advert *advert, struct git_id id, const char *name,
			       size_t n)
{
	char *copy;

	if (!is_kept(advert->prefixes, name, n) || memchr(name, '\0', n))
		return NULL;
	copy = arena_copy(advert->arena, name, n);
	if (strcmp(copy, "HEAD") != 0 && !git_ref_is_valid(copy))
		return NULL;
	vec_push(advert->arena, &advert->refs, (struct git_ref){ .name = copy, .id = id });
	return &advert->refs.v[advert->refs.n - 1];
}

static bool count_line(struct git_advert *advert, struct err *err)
{
	if (++advert->n_lines > 2 * LIMIT_REFS)
		return err_set(err, ERR_INVALID, "the server has more than %u refs", LIMIT_REFS);
	return true;
}

/* "<id> <name>[^{}]" */
static bool take_v0_ref(struct git_advert *advert, const char *bytes, size_t n, struct err *err)
{
	struct git_id id;
	const char *name = bytes + GIT_ID_HEX + 1;

	if (n < GIT_ID_HEX + 2 || bytes[GIT_ID_HEX] != ' ' || !git_id_parse(bytes, GIT_ID_HEX, &id))
		return err_set(err, ERR_INVALID, "the server does not list refs as git does");
	n -= GIT_ID_HEX + 1;
	if (n == 15 && !memcmp(name, "capabilities^{}", 15))
		return true; /* an empty repository */
	if (n > 3 && !memcmp(name + n - 3, "^{}", 3)) {
		struct git_ref *last = advert->refs.n ? &advert->refs.v[advert->refs.n - 1] : NULL;

		if (last && strlen(last->name) == n - 3 && !memcmp(last->name, name, n - 3))
			last->peeled = id;
		return true;
	}
	add_ref(advert, id, name, n);
	return true;
}

/* Ids of another length could not even be read. */
static bool check_format(const struct git_advert *advert, struct err *err)
{
	const char *format = git_advert_has(advert, "object-format");

	return !format || strcmp(format, "sha1") == 0 ||
	       err_set(err, ERR_INVALID,
		       "its objects are named by %s; only repositories with sha1 can be used",
		       format);
}

static bool add_capability(struct git_advert *advert, const char *bytes, size_t n, struct err *err)
{
	const char *before = advert->capabilities ? advert->capabilities : "";

	if (strlen(before) + n < GIT_PKT_MAX)
		advert->capabilities = arena_printf(advert->arena, "%s%s%.*s", before,
						    *before ? " " : "", (int)n, bytes);
	return check_format(advert, err);
}

/* symref=HEAD:refs/heads/main */
static void set_head_target(struct git_advert *advert)
{
	const char *head = git_advert_has(advert, "symref");

	for (size_t i = 0; head && i < advert->refs.n; i++)
		if (!strcmp(advert->refs.v[i].name, "HEAD") && !strncmp(head, "HEAD:", 5))
			advert->refs.v[i].target = head + 5;
}

static void finish(struct git_advert *advert)
{
	advert->is_done = true;
	if (advert->reader)
		advert->reader->is_stopped = true;
	if (!advert->capabilities)
		advert->capabilities = "";
	if (!advert->is_v2)
		set_head_target(advert);
}

bool git_advert_pkt(void *ctx, enum git_pkt_kind kind, const char *bytes, size_t n, struct err *err)
{
	struct git_advert *advert = ctx;
	const char *nul, *rest;
	size_t n_rest = n;

	if (kind != GIT_PKT_DATA) {
		if (advert->is_service_seen)
			advert->is_service_seen = false;
		else
			finish(advert);
		return true;
	}
	if ((rest = git_pkt_after(bytes, &n_rest, "ERR ")) != NULL)
		return git_server_fail(err, rest, n_rest);
	n_rest = n;
	if (!advert->n_lines && git_pkt_after(bytes, &n_rest, "# service=")) {
		advert->is_service_seen = true;
		return true;
	}
	n = n && bytes[n - 1] == '\n' ? n - 1 : n;
	if (!count_line(advert, err))
		return false;
	if (advert->n_lines == 1 && n == 9 && !memcmp(bytes, "version 2", 9)) {
		advert->is_v2 = true;
		return true;
	}
	if (advert->is_v2 && advert->n_lines > CAPABILITIES_MAX)
		return err_set(err, ERR_INVALID, "the server has more than %d capabilities",
			       CAPABILITIES_MAX);
	if (advert->is_v2)
		return add_capability(advert, bytes, n, err);
	if ((n == 9 && !memcmp(bytes, "version 1", 9)) || (n > 8 && !memcmp(bytes, "shallow ", 8)))
		return true;
	nul = memchr(bytes, '\0', n);
	if (nul && !advert->capabilities &&
	    !add_capability(advert, nul + 1, n - (size_t)(nul + 1 - bytes), err))
		return false;
	return take_v0_ref(advert, bytes, nul ? (size_t)(nul - bytes) : n, err);
}

static void take_attributes(struct git_advert *advert, struct git_ref *ref, const char *at,
			    const char *end)
{
	while (at < end) {
		size_t n = strcspn(at, " ");

		n = n < (size_t)(end - at) ? n : (size_t)(end - at);
		if (n > 14 && !memcmp(at, "symref-target:", 14))
			ref->target = arena_copy(advert->arena, at + 14, n - 14);
		else if (n == 7 + GIT_ID_HEX && !memcmp(at, "peeled:", 7))
			git_id_parse(at + 7, GIT_ID_HEX, &ref->peeled);
		at += n + 1;
	}
}

bool git_advert_ls_refs_pkt(void *ctx, enum git_pkt_kind kind, const char *bytes, size_t n,
			    struct err *err)
{
	struct git_advert *advert = ctx;
	struct git_ref *ref;
	struct git_id id;
	const char *name, *space, *rest;
	size_t n_rest = n;

	if (kind != GIT_PKT_DATA) {
		advert->is_v2 = kind == GIT_PKT_FLUSH;
		finish(advert);
		return true;
	}
	if ((rest = git_pkt_after(bytes, &n_rest, "ERR ")) != NULL)
		return git_server_fail(err, rest, n_rest);
	n = n && bytes[n - 1] == '\n' ? n - 1 : n;
	if (!count_line(advert, err))
		return false;
	if (n > 7 && !memcmp(bytes, "unborn ", 7))
		return true;
	if (n < GIT_ID_HEX + 2 || bytes[GIT_ID_HEX] != ' ' ||
	    !git_id_parse(bytes, GIT_ID_HEX, &id) || memchr(bytes, '\0', n))
		return err_set(err, ERR_INVALID, "the server does not list refs as git does");
	name = bytes + GIT_ID_HEX + 1;
	space = memchr(name, ' ', n - GIT_ID_HEX - 1);
	ref = add_ref(advert, id, name, space ? (size_t)(space - name) : n - GIT_ID_HEX - 1);
	if (ref && space)
		take_attributes(advert, ref, space + 1, bytes + n);
	return true;
}

const char *git_advert_has(const struct git_advert *advert, const char *name)
{
	const char *at = advert->capabilities ? advert->capabilities : "";
	size_t n_name = strlen(name);

	while (*at) {
		size_t n = strcspn(at, " ");

		if (n >= n_name && !memcmp(at, name, n_name) && (n == n_name || at[n_name] == '='))
			return n == n_name
				       ? ""
				       : arena_copy(advert->arena, at + n_name + 1, n - n_name - 1);
		at += n + (at[n] == ' ');
	}
	return NULL;
}
