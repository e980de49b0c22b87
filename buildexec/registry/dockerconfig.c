/* SPDX-License-Identifier: Apache-2.0 */
/* dockerconfig.c — reads credentials out of JSON; messages never show what was in it. */
#include "buildexec/registry/dockerconfig.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "model/base/base64.h"
#include "model/base/limits.h"
#include "model/doc/json.h"

#define HUB_KEY "index.docker.io"

bool credential_is_empty(const struct credential *credential)
{
	return !credential->user && !credential->identity_token && !credential->registry_token;
}

static bool is_hub(const char *host)
{
	return strcmp(host, "docker.io") == 0 || strcmp(host, HUB_KEY) == 0 ||
	       strcmp(host, "registry-1.docker.io") == 0;
}

char *auth_key(const char *server, struct arena *arena)
{
	const char *start = strstr(server, "://");
	const char *path;
	char *host;
	size_t n_host, n_path;

	start = start ? start + 3 : server;
	n_host = strcspn(start, "/");
	path = start + n_host;
	n_path = strlen(path);
	while (n_path > 0 && path[n_path - 1] == '/')
		n_path--;
	if (n_path == 3 && (memcmp(path, "/v1", 3) == 0 || memcmp(path, "/v2", 3) == 0))
		n_path = 0;
	host = arena_copy(arena, start, n_host);
	for (char *c = host; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	if (is_hub(host))
		host = arena_strdup(arena, HUB_KEY);
	return arena_printf(arena, "%s%.*s", host, (int)n_path, path);
}

/* '*' stands for any part of one label of the host; the path has no wildcards (kubelet's rule). */
static bool glob(const char *pattern, const char *text)
{
	bool in_path = false;

	for (; *pattern && (*pattern != '*' || in_path); pattern++, text++) {
		if (*pattern != *text)
			return false;
		in_path |= *pattern == '/';
	}
	if (!*pattern)
		return *text == '\0';
	for (;; text++) {
		if (glob(pattern + 1, text))
			return true;
		if (*text == '\0' || *text == '.' || *text == '/' || *text == ':')
			return false;
	}
}

bool auth_key_matches(const char *key, const char *want)
{
	size_t n_stars = 0;

	for (const char *c = key; *c && *c != '/'; c++)
		n_stars += *c == '*';
	/* Nobody writes more, and matching costs grow with each. */
	if (n_stars == 0 || n_stars > 4)
		return strcmp(key, want) == 0;
	return glob(key, want);
}

/* Base64 with or without padding; NULL when it is none. */
static char *decode_base64(const char *text, struct arena *arena)
{
	size_t n = strlen(text);
	struct base64 value;
	const char *padded;

	while (n > 0 && strchr("=\r\n \t", text[n - 1]))
		n--;
	if (n > LIMIT_CONFIG_BYTES)
		return NULL;
	padded = arena_printf(arena, "%.*s%.*s", (int)n, text, (int)((4 - n % 4) % 4), "===");
	return base64_decode(padded, strlen(padded), arena, &value) ? value.bytes : NULL;
}

/* "user:password" in base64. Docker pads old entries with NULs behind the password. */
static bool split_auth(const char *auth, struct arena *arena, struct credential *out)
{
	char *text = decode_base64(auth, arena);
	char *colon = text ? strchr(text, ':') : NULL;

	if (!colon || colon == text)
		return false;
	*colon = '\0';
	out->user = text;
	out->password = colon + 1;
	return true;
}

/* NULL for an empty text too: Docker writes those for "nothing". */
static const char *text_of(const struct node *map, const char *key)
{
	const char *text = node_text(map, key);

	return text && text[0] ? text : NULL;
}

static bool read_entry(const struct node *item, struct arena *arena, struct logins *out,
		       struct err *err)
{
	const char *auth = text_of(item, "auth");
	struct login login = { .key = auth_key(item->key, arena), .server = item->key };
	struct credential *credential = &login.credential;

	if (item->kind != NODE_MAP)
		return err_set(err, ERR_INVALID, "the entry of '%.200s' is %s, not a mapping",
			       item->key, node_kind_name(item->kind));
	credential->identity_token = text_of(item, "identitytoken");
	credential->registry_token = text_of(item, "registrytoken");
	if (auth && !split_auth(auth, arena, credential) && !credential->identity_token)
		return err_set(err, ERR_INVALID,
			       "the auth of '%.200s' is not base64 of user:password", item->key);
	if (!auth) {
		credential->user = text_of(item, "username");
		credential->password = node_text(item, "password");
	}
	if (!credential_is_empty(credential))
		vec_push(arena, out, login);
	return true;
}

static bool read_auths(const struct node *auths, struct arena *arena, struct logins *out,
		       struct err *err)
{
	if (!auths || auths->kind == NODE_NULL)
		return true;
	if (auths->kind != NODE_MAP)
		return err_set(err, ERR_INVALID, "'auths' is %s, not a mapping",
			       node_kind_name(auths->kind));
	for (const struct node *item = auths->first; item; item = item->next)
		if (!read_entry(item, arena, out, err))
			return false;
	return true;
}

static void read_helpers(const struct node *root, struct arena *arena, struct logins *out)
{
	const struct node *helpers = node_get(root, "credHelpers");
	const char *store = text_of(root, "credsStore");

	for (const struct node *item = helpers && helpers->kind == NODE_MAP ? helpers->first : NULL;
	     item; item = item->next)
		if (item->kind == NODE_STRING && item->len > 0)
			vec_push(arena, out,
				 (struct login){ .key = auth_key(item->key, arena),
						 .server = item->key,
						 .helper = item->text });
	if (store)
		vec_push(arena, out, (struct login){ .key = "", .helper = store });
}

/* The old file is the mapping of "auths" alone: its values have "auth". */
static bool read_legacy(const struct node *root, struct arena *arena, struct logins *out,
			struct err *err)
{
	for (const struct node *item = root->first; item; item = item->next)
		if (node_get(item, "auth") && !read_entry(item, arena, out, err))
			return false;
	return true;
}

static bool parse_mapping(const char *json, size_t n, struct arena *arena, struct node **out,
			  struct err *err)
{
	if (n > LIMIT_CONFIG_BYTES)
		return err_set(err, ERR_INVALID, "it is longer than %u bytes", LIMIT_CONFIG_BYTES);
	if (!json_parse(json, n, arena, out, err))
		return false;
	return (*out)->kind == NODE_MAP ||
	       err_set(err, ERR_INVALID, "it is %s, not a mapping", node_kind_name((*out)->kind));
}

bool dockerconfig_parse(const char *json, size_t n, struct arena *arena, struct logins *out,
			struct err *err)
{
	struct node *root;

	*out = (struct logins){ 0 };
	if (!parse_mapping(json, n, arena, &root, err))
		return false;
	/* Helpers of one registry go before what is written for it (docker/cli). */
	read_helpers(root, arena, out);
	if (node_get(root, "auths") || out->n > 0)
		return read_auths(node_get(root, "auths"), arena, out, err);
	return read_legacy(root, arena, out, err);
}

bool cnb_auth_parse(const char *json, size_t n, struct arena *arena, struct logins *out,
		    struct err *err)
{
	struct node *root;

	*out = (struct logins){ 0 };
	if (!parse_mapping(json, n, arena, &root, err))
		return false;
	for (const struct node *item = root->first; item; item = item->next) {
		struct login login = { .key = auth_key(item->key, arena), .server = item->key };
		const char *text = item->kind == NODE_STRING ? item->text : "";

		if (strncasecmp(text, "basic ", 6) == 0) {
			if (!split_auth(text + 6, arena, &login.credential))
				return err_set(
					err, ERR_INVALID,
					"the value of '%.200s' is not base64 of user:password",
					item->key);
		} else if (strncasecmp(text, "bearer ", 7) == 0) {
			login.credential.registry_token = text + 7;
		} else if (strncasecmp(text, "x-identity ", 11) == 0) {
			login.credential.identity_token = text + 11;
		} else {
			return err_set(err, ERR_INVALID,
				       "the value of '%.200s' is not 'Basic …' or 'Bearer …'",
				       item->key);
		}
		vec_push(arena, out, login);
	}
	return true;
}

bool helper_answer_parse(const char *json, size_t n, struct arena *arena, struct credential *out,
			 struct err *err)
{
	const char *user, *secret;
	struct node *root;

	*out = (struct credential){ 0 };
	if (!parse_mapping(json, n, arena, &root, err))
		return false;
	user = text_of(root, "Username");
	secret = text_of(root, "Secret");
	if (!secret)
		return true;
	if (user && strcmp(user, "<token>") == 0)
		out->identity_token = secret;
	else if (user)
		*out = (struct credential){ .user = user, .password = secret };
	return true;
}
