/* SPDX-License-Identifier: Apache-2.0 */
/* credentials.c — walks the secrets that a service account lists. */
#include "model/kind/credentials.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct gathered {
	struct arena *arena;
	VEC(struct request_credential) registry, git, blob;
};

/* The parts of "[scheme://][user@]host[:port][/path]"; "user@host" alone is ssh. */
struct server {
	const char *scheme, *host;
	size_t n_scheme, n_host;
};

static struct server server_of(const char *text)
{
	const char *mark = strstr(text, "://"), *at = mark ? mark + 3 : text;
	struct server server = { .scheme = text, .n_scheme = mark ? (size_t)(mark - text) : 0 };
	size_t n = strcspn(at, "/");
	const char *user_end = memchr(at, '@', n);

	if (user_end && !mark) {
		server.scheme = "ssh";
		server.n_scheme = 3;
	}
	server.host = user_end ? user_end + 1 : at;
	server.n_host = n - (size_t)(server.host - at);
	return server;
}

static bool is_same_text(const char *a, size_t n_a, const char *b, size_t n_b)
{
	return n_a == n_b && strncasecmp(a, b, n_a) == 0;
}

bool server_is_among(const char *server, const struct strings *allowed)
{
	const struct server wanted = server_of(server ? server : "");

	for (size_t i = 0; i < allowed->n; i++) {
		const struct server one = server_of(allowed->v[i]);

		if (strcmp(allowed->v[i], "*") == 0)
			return true;
		if (wanted.n_host &&
		    is_same_text(one.host, one.n_host, wanted.host, wanted.n_host) &&
		    (!one.n_scheme ||
		     is_same_text(one.scheme, one.n_scheme, wanted.scheme, wanted.n_scheme)))
			return true;
	}
	return false;
}

static const char *value_of(const struct secret_spec *secret, const char *key)
{
	const struct secret_value *value = secret_get(secret, key);

	return value ? value->bytes : NULL;
}

/* All of a Secret is one login: where a value of it may not go, nor does the rest. */
static bool may_go(const struct secret_spec *secret, const char *server)
{
	for (size_t i = 0; i < secret->values.n; i++) {
		const struct strings *servers =
			LIST_AT(secret->values, struct secret_value, i)->servers;

		if (servers && !server_is_among(server, servers))
			return false;
	}
	return true;
}

static bool is_type(const struct secret_spec *secret, const char *type)
{
	return secret->type && strcmp(secret->type, type) == 0;
}

static void add_git(const struct object *object, const struct secret_spec *secret,
		    struct gathered *out)
{
	const char *server = pairs_get(&object->meta.annotations, ANNOTATION_GIT);
	struct request_credential credential = { .server = server };

	if (!server || !may_go(secret, server))
		return;
	if (is_type(secret, SECRET_BASIC_AUTH)) {
		credential.user = value_of(secret, "username");
		credential.password = value_of(secret, "password");
	} else if (is_type(secret, SECRET_SSH_AUTH)) {
		credential.ssh_key = value_of(secret, "ssh-privatekey");
		credential.known_hosts = value_of(secret, "known_hosts");
	} else {
		return;
	}
	vec_push(out->arena, &out->git, credential);
}

/* Of the three ways exactly one, else it is no credential. */
static void add_blob(const struct object *object, const struct secret_spec *secret,
		     struct gathered *out)
{
	const char *server = pairs_get(&object->meta.annotations, ANNOTATION_BLOB);
	struct request_credential credential = {
		.server = server,
		.user = value_of(secret, "username"),
		.password = value_of(secret, "password"),
		.token = value_of(secret, "bearer"),
		.authorization = value_of(secret, "authorization"),
	};
	int n = (credential.user && credential.password) + (credential.token != NULL) +
		(credential.authorization != NULL);

	if (server && n == 1 && may_go(secret, server))
		vec_push(out->arena, &out->blob, credential);
}

static void add_config(const struct secret_spec *secret, const char *key, struct gathered *out)
{
	const struct secret_value *json = secret_get(secret, key);

	if (json)
		vec_push(out->arena, &out->registry,
			 (struct request_credential){ .config = json->bytes });
}

static void add_secret(const struct object *object, struct gathered *out)
{
	const struct secret_spec *secret = object->spec;
	const char *server = pairs_get(&object->meta.annotations, ANNOTATION_DOCKER);

	if (is_type(secret, SECRET_DOCKER_CONFIG_JSON))
		add_config(secret, ".dockerconfigjson", out);
	else if (is_type(secret, SECRET_DOCKER_CFG))
		add_config(secret, ".dockercfg", out);
	else if (is_type(secret, SECRET_BASIC_AUTH) && server && may_go(secret, server))
		vec_push(out->arena, &out->registry,
			 (struct request_credential){ .server = server,
						      .user = value_of(secret, "username"),
						      .password = value_of(secret, "password") });
	add_git(object, secret, out);
	add_blob(object, secret, out);
}

static struct strings secret_names(const struct service_account_spec *account, struct arena *arena)
{
	struct strings names = { 0 };

	for (size_t i = 0; i < account->secrets.n; i++)
		vec_push(arena, &names, account->secrets.v[i]);
	for (size_t i = 0; i < account->image_pull_secrets.n; i++)
		if (!strings_has(&names, account->image_pull_secrets.v[i]))
			vec_push(arena, &names, account->image_pull_secrets.v[i]);
	if (names.n)
		qsort(names.v, names.n, sizeof(*names.v), strings_compare);
	return names;
}

static void add_named(const struct model *model, const char *ns, const char *name,
		      struct gathered *out)
{
	const struct object *secret = model_find(model, KIND_SECRET, ns, name);

	if (secret)
		add_secret(secret, out);
}

void credentials_collect_with(const struct model *model, const struct object_ref *account,
			      const struct list *extra, struct arena *arena,
			      struct credentials *out)
{
	const struct object *object = model_find(model, KIND_SERVICE_ACCOUNT, account->ns,
						 account->name ? account->name : "default");
	struct gathered gathered = { .arena = arena }, pull = { .arena = arena };
	struct strings names = { 0 };

	if (object)
		names = secret_names(object->spec, arena);
	for (size_t i = 0; i < names.n; i++)
		add_named(model, account->ns, names.v[i], &gathered);
	for (size_t i = 0; extra && i < extra->n; i++)
		add_named(model, account->ns, LIST_AT(*extra, struct named, i)->name, &pull);
	for (size_t i = 0; i < pull.registry.n; i++)
		vec_push(arena, &gathered.registry, pull.registry.v[i]);
	*out = (struct credentials){
		.registry = { gathered.registry.v, gathered.registry.n },
		.git = { gathered.git.v, gathered.git.n },
		.blob = { gathered.blob.v, gathered.blob.n },
	};
}

/* By what it holds, as OpenShift does it. */
static void add_source(const struct model *model, const struct build_secrets *secrets,
		       struct gathered *out)
{
	const struct object *object =
		model_find(model, KIND_SECRET, secrets->account->ns, secrets->source);
	struct request_credential login = { .server = secrets->source_server };
	size_t n = out->git.n;

	if (!object)
		return;
	add_secret(object, out);
	/* One that says whose it is goes nowhere else, whatever the source names. */
	if (out->git.n > n || !may_go(object->spec, login.server))
		return;
	login.ssh_key = value_of(object->spec, "ssh-privatekey");
	login.known_hosts = value_of(object->spec, "known_hosts");
	login.password = value_of(object->spec, "password");
	if (!login.password)
		login.password = value_of(object->spec, "token");
	login.user = value_of(object->spec, "username");
	if (login.password && !login.user)
		login.user = "";
	if (login.server && (login.ssh_key || login.password))
		vec_push(out->arena, &out->git, login);
}

static struct list join(const struct list *a, const struct list *b, struct arena *arena)
{
	struct request_credential *all = arena_array(arena, a->n + b->n, sizeof(*all));

	for (size_t i = 0; i < a->n + b->n; i++)
		all[i] = i < a->n ? *LIST_AT(*a, struct request_credential, i)
				  : *LIST_AT(*b, struct request_credential, i - a->n);
	return (struct list){ all, a->n + b->n };
}

void credentials_collect_build(const struct model *model, const struct build_secrets *secrets,
			       struct arena *arena, struct credentials *out)
{
	const struct list *names = secrets->registry;
	struct gathered own = { .arena = arena };
	struct credentials account;

	for (size_t i = 0; names && i < names->n; i++)
		add_named(model, secrets->account->ns, LIST_AT(*names, struct named, i)->name,
			  &own);
	own.git.n = own.blob.n = 0; /* they are for registries */
	if (secrets->source)
		add_source(model, secrets, &own);
	credentials_collect_with(model, secrets->account, NULL, arena, &account);
	*out = (struct credentials){
		.registry = join(&(struct list){ own.registry.v, own.registry.n },
				 &account.registry, arena),
		.git = join(&(struct list){ own.git.v, own.git.n }, &account.git, arena),
		.blob = join(&(struct list){ own.blob.v, own.blob.n }, &account.blob, arena),
	};
}

struct list credentials_of_namespace(const struct model *model, const char *ns, struct arena *arena)
{
	VEC(struct named) names = { 0 };

	for (size_t i = 0; i < model->objects.n; i++) {
		const struct object *object = model->objects.v[i];
		const char *excluded;

		if (object->kind != KIND_SECRET || strcmp(object->meta.ns, ns) != 0)
			continue;
		excluded = pairs_get(&object->meta.annotations, ANNOTATION_NO_PULL);
		if (!excluded || strcmp(excluded, "true") != 0)
			vec_push(arena, &names, (struct named){ .name = object->meta.name });
	}
	return (struct list){ names.v, names.n };
}

void credentials_collect(const struct model *model, const char *ns, const char *account,
			 struct arena *arena, struct credentials *out)
{
	const struct object_ref who = { .ns = ns, .name = account };

	credentials_collect_with(model, &who, NULL, arena, out);
}

/* "https://host/path", "git@host", "host:port": does it stand for this scheme and host? */
static bool is_server(const struct request_credential *credential, const char *scheme,
		      const char *host)
{
	const struct server server = server_of(credential->server);
	bool has_scheme = strstr(credential->server, "://");

	if (has_scheme && (server.n_scheme != strlen(scheme) ||
			   strncmp(server.scheme, scheme, server.n_scheme) != 0))
		return false;
	if (!has_scheme && (strcmp(scheme, "ssh") == 0) != (credential->ssh_key != NULL))
		return false;
	return is_same_text(server.host, server.n_host, host, strlen(host));
}

const struct request_credential *credential_for_git(const struct list *git, const char *scheme,
						    const char *host)
{
	for (size_t i = 0; i < git->n; i++) {
		const struct request_credential *credential =
			LIST_AT(*git, struct request_credential, i);

		if (credential->server && is_server(credential, scheme, host))
			return credential;
	}
	return NULL;
}
