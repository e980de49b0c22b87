/* SPDX-License-Identifier: Apache-2.0 */
/* access.c — settings and secrets by server. */
#include "buildexec/source/access.h"

#include <fcntl.h>
#include <string.h>
#include <strings.h>

#include "buildexec/sys/log.h"
#include "buildexec/sys/proc.h"
#include "buildexec/sys/url.h"
#include "model/base/digest.h"
#include "model/kind/credentials.h"

static const char *below(const struct access *access, const char *path, struct arena *arena)
{
	if (!path || path[0] == '/' || !access->base_dir)
		return path;
	return path_join(arena, access->base_dir, path);
}

static struct registry_rule rule_of(const struct access *access,
				    const struct settings_registry *from, struct arena *arena)
{
	struct registry_rule rule = {
		.prefix = from->prefix,
		.layout = below(access, from->layout, arena),
		.location = from->location,
		.ca_file = below(access, from->ca_file, arena),
		.cert_file = below(access, from->cert_file, arena),
		.key_file = below(access, from->key_file, arena),
		.is_insecure = from->is_insecure,
		.is_blocked = from->is_blocked,
	};

	if (from->mirror)
		vec_push(arena, &rule.mirrors, from->mirror);
	return rule;
}

static void add_secret(const char *text)
{
	if (text)
		secret_add(text, strlen(text));
}

static bool add_credential(struct keychain *keychain, const struct request_credential *credential,
			   struct err *err)
{
	add_secret(credential->password);
	add_secret(credential->token);
	if (credential->config)
		return keychain_add_config(keychain, credential->config, strlen(credential->config),
					   err);
	if (credential->server && credential->user)
		keychain_add(keychain, credential->server, credential->user,
			     credential->password ? credential->password : "");
	return true;
}

bool access_registries(const struct access *access, struct arena *arena,
		       struct registry_access *out, struct err *err)
{
	const struct keychain_options options = { .with_files = access->with_user_credentials,
						  .with_helpers = access->with_helpers };

	*out = (struct registry_access){ 0 };
	for (size_t i = 0; i < access->registries->n; i++) {
		const struct settings_registry *from =
			LIST_AT(*access->registries, struct settings_registry, i);

		vec_push(arena, &out->rules.list, rule_of(access, from, arena));
	}
	if (!keychain_open(&options, &out->keychain, err))
		return false;
	for (size_t i = 0; i < access->credentials->n; i++) {
		const struct request_credential *credential =
			LIST_AT(*access->credentials, struct request_credential, i);

		if (!add_credential(out->keychain, credential, err)) {
			registry_access_release(out);
			return err_prefix(err, "registry credentials");
		}
	}
	return true;
}

void registry_access_release(struct registry_access *access)
{
	keychain_close(&access->keychain);
}

/* Files only their owner may read; named after the key, so that the same key is written once. */
static bool write_key(struct tmpdir *keys, const char *what, const char *content,
		      struct arena *arena, const char **path, struct err *err)
{
	struct digest digest = digest_of(content, strlen(content));

	if (!keys->path && !tmpdir_make(NULL, "reconcile-keys", keys, err))
		return err_prefix(err, "cannot keep an ssh key");
	*path = arena_printf(arena, "%s/%s-%.16s", keys->path, what, digest_hex(digest.text));
	return fs_exists(*path) ||
	       fs_write_atomic(AT_FDCWD, *path, content, strlen(content), 0600, false, err);
}

static bool use_login(const struct request_credential *login, struct tmpdir *keys,
		      struct arena *arena, struct git_auth *auth, struct err *err)
{
	auth->user = login->user;
	auth->password = login->password;
	auth->bearer = login->token;
	add_secret(login->password);
	add_secret(login->token);
	if (login->ssh_key &&
	    !write_key(keys, "key", login->ssh_key, arena, &auth->ssh_key_file, err))
		return false;
	return !login->known_hosts || write_key(keys, "known_hosts", login->known_hosts, arena,
						&auth->known_hosts_file, err);
}

static void use_host(const struct access *access, const char *host, struct arena *arena,
		     struct git_auth *auth)
{
	for (size_t i = 0; i < access->git_hosts->n; i++) {
		const struct settings_git *rule =
			LIST_AT(*access->git_hosts, struct settings_git, i);

		if (!rule->host || strcasecmp(rule->host, host) != 0)
			continue;
		auth->ca_file = below(access, rule->ca_file, arena);
		auth->is_insecure = rule->is_insecure;
		if (rule->known_hosts && !auth->known_hosts_file)
			auth->known_hosts_file = below(access, rule->known_hosts, arena);
		return;
	}
}

/*
 * $GIT_SSH_COMMAND as words, for the person's own ssh options: blanks separate, quotes join, a backslash takes the next
 * character as it is. No shell: nothing else has a meaning.
 */
static const char *const *ssh_words(struct arena *arena)
{
	const char *at = proc_getenv("GIT_SSH_COMMAND");
	struct strings words = { 0 };

	while (at && *(at += strspn(at, " \t"))) {
		char *word = arena_alloc(arena, strlen(at) + 1), quote = '\0';
		size_t n = 0;

		for (; *at && (quote || (*at != ' ' && *at != '\t')); at++) {
			if (quote ? *at == quote : *at == '\'' || *at == '"')
				quote = quote ? '\0' : *at;
			else if (*at == '\\' && quote != '\'' && at[1])
				word[n++] = *++at;
			else
				word[n++] = *at;
		}
		vec_push(arena, &words, word);
	}
	vec_push(arena, &words, NULL);
	return words.n > 1 ? words.v : NULL;
}

struct strings access_environment(struct arena *arena)
{
	static const char *const ssh[] = { "SSH_AUTH_SOCK", "GIT_SSH_COMMAND", NULL };
	const char *const *const lists[] = { keychain_variables, ssh };
	struct strings out = { 0 };

	for (size_t i = 0; i < COUNTOF(lists); i++)
		for (const char *const *name = lists[i]; *name; name++) {
			const char *value = proc_getenv(*name);

			if (value)
				vec_push(arena, &out, arena_printf(arena, "%s=%s", *name, value));
		}
	return out;
}

static void add_proxy_secret(const char *proxy, struct arena *arena)
{
	struct err ignored = { 0 };
	struct git_url parsed;

	if (proxy && git_url_parse(proxy, arena, &parsed, &ignored))
		add_secret(parsed.password);
}

bool access_git_options(const struct access *access, const char *url, struct tmpdir *keys,
			struct arena *arena, struct git_wire_options *out, struct err *err)
{
	const struct request_credential *login;
	struct git_url parsed;
	const char *host;

	*out = (struct git_wire_options){ .http_proxy = access->http_proxy,
					  .https_proxy = access->https_proxy,
					  .no_proxy = access->no_proxy };
	add_proxy_secret(access->http_proxy, arena);
	add_proxy_secret(access->https_proxy, arena);
	if (!git_url_parse(url, arena, &parsed, err))
		return false;
	add_secret(parsed.password);
	if (!parsed.host)
		return true;
	out->auth.ssh_argv = ssh_words(arena);
	host = parsed.port ? arena_printf(arena, "%s:%d", parsed.host, parsed.port) : parsed.host;
	login = credential_for_git(access->git_credentials, git_scheme_name(parsed.scheme), host);
	if (login && !use_login(login, keys, arena, &out->auth, err))
		return false;
	use_host(access, host, arena, &out->auth);
	return true;
}

const char *access_git_server(const char *url, struct arena *arena)
{
	struct git_url parsed;
	struct err ignored = { 0 };

	if (!url || !git_url_parse(url, arena, &parsed, &ignored) || !parsed.host)
		return NULL;
	return parsed.port ? arena_printf(arena, "%s://%s:%d", git_scheme_name(parsed.scheme),
					  parsed.host, parsed.port)
			   : arena_printf(arena, "%s://%s", git_scheme_name(parsed.scheme),
					  parsed.host);
}

bool access_git(const struct access *access, const char *url, struct tmpdir *keys,
		struct arena *arena, struct git_wire **out, struct err *err)
{
	struct git_wire_options options;

	return access_git_options(access, url, keys, arena, &options, err) &&
	       git_wire_open(url, &options, out, err);
}

static const struct request_credential *blob_login(const struct access *access,
						   const struct url *url, struct arena *arena)
{
	const char *host = arena_printf(arena, "%s:%d", url->host, url->port);
	bool is_usual_port = url->port == (url->is_https ? 443 : 80);
	const struct request_credential *login;

	if (!access->blob_credentials)
		return NULL;
	login = credential_for_git(access->blob_credentials, url->scheme, host);
	if (!login && is_usual_port)
		login = credential_for_git(access->blob_credentials, url->scheme, url->host);
	return login;
}

/* Files end in a newline, headers must not hold one. */
static bool header_text(const char *text, struct arena *arena, const char **out, struct err *err)
{
	size_t n = text ? strlen(text) : 0;

	*out = NULL;
	if (!text)
		return true;
	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r' || text[n - 1] == ' '))
		n--;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			return err_set(err, ERR_DENIED,
				       "its 'kpack.io/blob' secret holds control characters");
	*out = arena_copy(arena, text, n);
	add_secret(*out); /* as it goes over the wire */
	return true;
}

bool access_blob(const struct access *access, const char *url, const char *auth,
		 struct arena *arena, struct blob_request *out, struct err *err)
{
	const struct request_credential *login;
	struct git_auth trust = { 0 };
	const char *host;
	struct url parsed;

	*out = (struct blob_request){ .url = url };
	if (!url_parse(url, arena, &parsed, err))
		return false;
	add_secret(parsed.password);
	host = parsed.port == (parsed.is_https ? 443 : 80)
		       ? parsed.host
		       : arena_printf(arena, "%s:%d", parsed.host, parsed.port);
	use_host(access, host, arena, &trust);
	out->http =
		(struct http_options){ .ca_file = trust.ca_file, .is_insecure = trust.is_insecure };
	if (!auth || !*auth)
		return true;
	/* GAP(kpack.md §4.4): cloud storage helpers (Azure, Google) are not spoken to. */
	if (strcmp(auth, "secret") != 0)
		return err_set(err, ERR_INVALID,
			       "blob.auth '%s' is not supported; use 'secret' with a secret "
			       "annotated 'kpack.io/blob: %s'",
			       auth, host);
	login = blob_login(access, &parsed, arena);
	if (!login)
		return err_set(err, ERR_DENIED,
			       "no secret of its service account is annotated 'kpack.io/blob: %s'",
			       host);
	add_secret(login->password);
	add_secret(login->token);
	add_secret(login->authorization);
	out->user = login->user;
	out->password = login->password;
	return header_text(login->token, arena, &out->bearer, err) &&
	       header_text(login->authorization, arena, &out->authorization, err);
}
