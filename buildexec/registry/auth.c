/* SPDX-License-Identifier: Apache-2.0 */
/*
 * auth.c — the realm of a challenge comes from the network, so it is not believed: it must be https (unless the registry
 * itself is not), and a password goes only to hosts of the registry's own domain or those that the settings name.
 */
#include "buildexec/registry/auth.h"

#include <string.h>

#include "buildexec/registry/remote_error.h"
#include "buildexec/sys/clock.h"
#include "buildexec/sys/log.h"
#include "buildexec/sys/url.h"
#include "model/doc/json.h"

#define CLIENT_ID "reconcile"

enum {
	TOKEN_BODY_BYTES = 1 << 20, /* some tokens list hundreds of scopes */
	TOKEN_LIFE_S = 60,          /* the specification's default and least */
	TOKEN_LIFE_MAX_S = 24 * 3600,
	MAX_CHALLENGES = 8,
};

static bool find_credential(const struct auth *auth, const char *repo, struct arena *arena,
			    struct credential *out)
{
	*out = (struct credential){ 0 };
	return auth->keychain && keychain_find(auth->keychain, auth->host, repo, arena, out);
}

bool auth_has_credentials(const struct auth *auth, const char *repo, struct arena *arena)
{
	struct credential credential;

	return find_credential(auth, repo, arena, &credential);
}

/* The scopes of a need, in one fixed order. */
static void need_scopes(const struct auth_need *need, struct arena *arena, struct strings *out)
{
	if (need->actions)
		vec_push(arena, out,
			 arena_printf(arena, "repository:%s:%s", need->repo, need->actions));
	if (need->from)
		vec_push(arena, out, arena_printf(arena, "repository:%s:pull", need->from));
}

static const char *joined(const struct strings *scopes, struct arena *arena)
{
	const char *text = "";

	for (size_t i = 0; i < scopes->n; i++)
		text = arena_printf(arena, "%s%s%s", text, i ? " " : "", scopes->v[i]);
	return text;
}

/* Tokens of other users of the same registry must not be mixed up: who asks is part of the key, by repository. */
static const char *token_key(const struct auth_need *need, struct arena *arena)
{
	struct strings scopes = { 0 };

	need_scopes(need, arena, &scopes);
	return arena_printf(arena, "%s %s", need->repo, joined(&scopes, arena));
}

static const char *cached_token(const struct auth *auth, const char *key)
{
	for (size_t i = 0; i < auth->tokens.n; i++)
		if (strcmp(auth->tokens.v[i].scope, key) == 0 &&
		    auth->tokens.v[i].until_ms > clock_mono_ms())
			return auth->tokens.v[i].text;
	return NULL;
}

static void keep_token(struct auth *auth, const char *key, const char *text, int64_t life_s)
{
	struct token token = { .scope = key,
			       .text = arena_strdup(auth->arena, text),
			       /* A tenth less, so that it does not end on its way. */
			       .until_ms = clock_mono_ms() + life_s * 900 };

	for (size_t i = 0; i < auth->tokens.n; i++) {
		if (strcmp(auth->tokens.v[i].scope, key) == 0) {
			token.scope = auth->tokens.v[i].scope;
			auth->tokens.v[i] = token;
			return;
		}
	}
	token.scope = arena_strdup(auth->arena, key);
	vec_push(auth->arena, &auth->tokens, token);
}

static bool is_allowed_host(const struct auth *auth, const char *host)
{
	if (host_is_related(auth->host, host))
		return true;
	return auth->rule && strings_has(&auth->rule->auth_hosts, host);
}

static bool check_realm(const struct auth *auth, const struct url *realm, bool with_credentials,
			struct err *err)
{
	if (!realm->is_https && !auth->is_plain)
		return err_set(err, ERR_DENIED,
			       "cannot ask for a token: '%s' names the realm '%s', which is not "
			       "https",
			       auth->host, realm->host);
	if (with_credentials && !is_allowed_host(auth, realm->host))
		return err_set(
			err, ERR_DENIED,
			"cannot ask for a token: '%s' names the realm '%s', which is no host "
			"of its own domain and not among authHosts",
			auth->host, realm->host);
	return true;
}

/* Settings for the registry's host (no verification, client certificates) do not hold for others. */
static bool realm_client(struct auth *auth, const struct url *realm, struct arena *arena,
			 struct http **out, struct err *err)
{
	struct http_options options = { .ca_file = auth->rule ? auth->rule->ca_file : NULL };
	struct url own;

	*out = auth->http;
	if (url_parse(arena_printf(arena, "https://%s/", auth->host), arena, &own, err) &&
	    strcmp(own.host, realm->host) == 0)
		return true;
	if (!auth->realm_http && !http_open(&options, &auth->realm_http, err))
		return false;
	*out = auth->realm_http;
	return true;
}

static bool token_is_clean(const char *text)
{
	for (const unsigned char *c = (const unsigned char *)text; *c; c++)
		if (*c <= ' ' || *c > '~')
			return false;
	return text[0] != '\0';
}

bool token_answer_parse(const char *json, size_t n, struct arena *arena, const char **text,
			int64_t *life_s, struct err *err)
{
	const struct node *life;
	struct node *root;

	if (!json_parse(json, n, arena, &root, err))
		return false;
	*text = node_text(root, "token");
	if (!*text || !**text)
		*text = node_text(root, "access_token");
	if (!*text || !token_is_clean(*text))
		return err_set(err, ERR_INVALID, "the answer has none");
	life = node_get(root, "expires_in");
	*life_s = life && life->kind == NODE_INT ? life->i : 0;
	if (*life_s < TOKEN_LIFE_S)
		*life_s = TOKEN_LIFE_S;
	if (*life_s > TOKEN_LIFE_MAX_S)
		*life_s = TOKEN_LIFE_MAX_S;
	return true;
}

static bool read_token(const struct auth *auth, const struct http_response *response,
		       struct arena *arena, const char **text, int64_t *life_s, struct err *err)
{
	if (!token_answer_parse(response->body, response->body_len, arena, text, life_s, err))
		return err_prefix(err, "cannot read the token for '%s'", auth->host);
	secret_add(*text, strlen(*text));
	return true;
}

struct token_call {
	const struct url *realm;
	const struct strings *scopes;
	const struct credential *credential;
};

static void add_form(struct buf *form, const char *name, const char *value)
{
	if (form->len > 0)
		buf_byte(form, '&');
	buf_puts(form, name);
	buf_byte(form, '=');
	url_encode(value, form);
}

/* An identity token is an OAuth2 refresh token: exchanged by POST, with all scopes in one field. */
static bool post_for_token(struct auth *auth, struct http *http, const struct token_call *call,
			   struct arena *arena, struct http_response *out, struct err *err)
{
	AUTO_BUF form = BUF_INIT(TOKEN_BODY_BYTES);
	struct strings headers = { 0 };
	struct http_request request = { .method = "POST",
					.url = call->realm->text,
					.headers = &headers,
					.max_body = TOKEN_BODY_BYTES,
					/* The body is a secret: it must not follow a redirect. */
					.no_redirects = true };

	vec_push(arena, &headers, "Content-Type: application/x-www-form-urlencoded");
	add_form(&form, "grant_type", "refresh_token");
	add_form(&form, "client_id", CLIENT_ID);
	add_form(&form, "service", auth->asked.service ? auth->asked.service : "");
	add_form(&form, "scope", joined(call->scopes, arena));
	add_form(&form, "refresh_token", call->credential->identity_token);
	request.body = buf_text(&form);
	request.body_len = form.len;
	return http_send(http, &request, arena, out, err);
}

static bool get_token(struct auth *auth, struct http *http, const struct token_call *call,
		      struct arena *arena, struct http_response *out, struct err *err)
{
	AUTO_BUF url = BUF_INIT(TOKEN_BODY_BYTES);
	struct http_request request = { .method = "GET",
					.user = call->credential->user,
					.password = call->credential->password,
					.max_body = TOKEN_BODY_BYTES };

	buf_puts(&url, call->realm->text);
	if (auth->asked.service)
		url_add_query(&url, "service", auth->asked.service);
	for (size_t i = 0; i < call->scopes->n; i++)
		url_add_query(&url, "scope", call->scopes->v[i]);
	request.url = buf_copy(&url, arena);
	return http_send(http, &request, arena, out, err);
}

static bool fetch_token(struct auth *auth, const struct auth_need *need,
			const struct credential *credential, struct arena *arena,
			struct http_response *response, struct err *err)
{
	bool with_credentials = credential->user || credential->identity_token;
	struct strings scopes = { 0 };
	struct url realm;
	struct token_call call = { &realm, &scopes, credential };
	struct http *http;

	if (!auth->asked.realm || !url_parse(auth->asked.realm, arena, &realm, err))
		return err_set(err, ERR_INVALID,
			       "cannot ask for a token: '%s' names no usable realm", auth->host);
	if (!check_realm(auth, &realm, with_credentials, err) ||
	    !realm_client(auth, &realm, arena, &http, err))
		return false;
	need_scopes(need, arena, &scopes);
	return credential->identity_token ? post_for_token(auth, http, &call, arena, response, err)
					  : get_token(auth, http, &call, arena, response, err);
}

static bool bearer(struct auth *auth, const struct auth_need *need, struct arena *arena,
		   struct http_request *request, struct err *err)
{
	const char *key = token_key(need, arena);
	struct http_response response;
	struct credential credential;
	const char *text = NULL;
	int64_t life_s = 0;

	find_credential(auth, need->repo, arena, &credential);
	request->bearer =
		credential.registry_token ? credential.registry_token : cached_token(auth, key);
	if (request->bearer)
		return true;
	if (!fetch_token(auth, need, &credential, arena, &response, err))
		return false;
	if (response.status != 200) {
		remote_note(&response, arena, auth->refusal);
		auth->refusal->has_credentials = credential.user || credential.identity_token;
		return remote_fail(&response,
				   arena_printf(arena, "cannot get a token for '%s/%s'", auth->host,
						need->repo),
				   arena, err);
	}
	if (!read_token(auth, &response, arena, &text, &life_s, err))
		return false;
	keep_token(auth, key, text, life_s);
	request->bearer = arena_strdup(arena, text);
	return true;
}

bool auth_apply(struct auth *auth, const struct auth_need *need, struct arena *arena,
		struct http_request *request, struct err *err)
{
	struct credential credential;

	request->user = request->password = request->bearer = NULL;
	if (!auth->asked.scheme)
		return true;
	if (strcmp(auth->asked.scheme, "bearer") == 0)
		return bearer(auth, need, arena, request, err);
	if (!find_credential(auth, need->repo, arena, &credential))
		return true;
	request->user = credential.user;
	request->password = credential.password;
	/* Without a token server, a token is what a password would be. */
	request->bearer = credential.user ? NULL : credential.registry_token;
	return true;
}

static void drop_token(struct auth *auth, const char *key)
{
	for (size_t i = 0; i < auth->tokens.n; i++)
		if (strcmp(auth->tokens.v[i].scope, key) == 0)
			auth->tokens.v[i].until_ms = 0;
}

/* Bearer where it is offered, else Basic. */
static const struct challenge *choose(const struct challenge *list, size_t n)
{
	const struct challenge *basic = NULL;

	for (size_t i = 0; i < n; i++) {
		if (strcmp(list[i].scheme, "bearer") == 0 && list[i].realm)
			return &list[i];
		if (strcmp(list[i].scheme, "basic") == 0)
			basic = &list[i];
	}
	return basic;
}

bool auth_learn(struct auth *auth, const struct auth_need *need, struct arena *arena,
		const struct http_response *response)
{
	struct challenge list[MAX_CHALLENGES];
	const struct challenge *chosen;
	size_t n = 0;

	for (size_t i = 0; n < MAX_CHALLENGES; i++) {
		const char *value = http_header_at(response, "WWW-Authenticate", i);

		if (!value)
			break;
		n += header_challenges(value, arena, list + n, MAX_CHALLENGES - n);
	}
	chosen = choose(list, n);
	if (!chosen)
		return false;
	drop_token(auth, token_key(need, arena));
	auth->asked.scheme = arena_strdup(auth->arena, chosen->scheme);
	auth->asked.realm = arena_strdup(auth->arena, chosen->realm);
	auth->asked.service = arena_strdup(auth->arena, chosen->service);
	return true;
}

void auth_release(struct auth *auth)
{
	http_close(&auth->realm_http);
}
