/* SPDX-License-Identifier: Apache-2.0 */
/* credentials.c — walks the secrets that a service account lists. */
#include "model/kind/credentials.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *value_of(const struct secret_spec *secret, const char *key)
{
	const struct secret_value *value = secret_get(secret, key);

	return value ? value->bytes : NULL;
}

static bool is_type(const struct secret_spec *secret, const char *type)
{
	return secret->type && strcmp(secret->type, type) == 0;
}

/* "https://host/path", "git@host", "host:port" → scheme and host. */
static struct git_login git_server(const char *annotation, struct arena *arena)
{
	struct git_login login = { 0 };
	const char *mark = strstr(annotation, "://"), *host = annotation, *at;

	if (mark) {
		login.scheme = arena_copy(arena, annotation, (size_t)(mark - annotation));
		host = mark + 3;
	}
	at = strchr(host, '@');
	if (at && at < host + strcspn(host, "/")) {
		if (!login.scheme)
			login.scheme = "ssh";
		host = at + 1;
	}
	login.host = arena_copy(arena, host, strcspn(host, "/"));
	return login;
}

static void add_git(const struct object *object, const struct secret_spec *secret,
		    struct arena *arena, struct credentials *out)
{
	const char *server = pairs_get(&object->meta.annotations, ANNOTATION_GIT);
	struct git_login login;

	if (!server)
		return;
	login = git_server(server, arena);
	if (is_type(secret, SECRET_BASIC_AUTH)) {
		login.user = value_of(secret, "username");
		login.password = value_of(secret, "password");
	} else if (is_type(secret, SECRET_SSH_AUTH)) {
		login.scheme = "ssh";
		login.ssh_key = value_of(secret, "ssh-privatekey");
		login.known_hosts = value_of(secret, "known_hosts");
	} else {
		return;
	}
	vec_push(arena, &out->git, login);
}

static void add_docker_config(const struct secret_spec *secret, const char *key,
			      struct arena *arena, struct credentials *out)
{
	const struct secret_value *value = secret_get(secret, key);

	if (value)
		vec_push(arena, &out->configs, (struct docker_config){ value->bytes, value->len });
}

static void add_secret(const struct object *object, struct arena *arena, struct credentials *out)
{
	const struct secret_spec *secret = object->spec;
	const char *server = pairs_get(&object->meta.annotations, ANNOTATION_DOCKER);

	if (is_type(secret, SECRET_DOCKER_CONFIG_JSON))
		add_docker_config(secret, ".dockerconfigjson", arena, out);
	else if (is_type(secret, SECRET_DOCKER_CFG))
		add_docker_config(secret, ".dockercfg", arena, out);
	else if (is_type(secret, SECRET_BASIC_AUTH) && server)
		vec_push(arena, &out->logins,
			 (struct registry_login){ server, value_of(secret, "username"),
						  value_of(secret, "password") });
	add_git(object, secret, arena, out);
}

void credentials_collect(const struct model *model, const char *ns, const char *account,
			 struct arena *arena, struct credentials *out)
{
	const struct object *object =
		model_find(model, KIND_SERVICE_ACCOUNT, ns, account ? account : "default");
	const struct service_account_spec *spec;
	struct strings names = { 0 };

	*out = (struct credentials){ 0 };
	if (!object)
		return;
	spec = object->spec;
	for (size_t i = 0; i < spec->secrets.n; i++)
		vec_push(arena, &names, spec->secrets.v[i]);
	for (size_t i = 0; i < spec->image_pull_secrets.n; i++)
		if (!strings_has(&names, spec->image_pull_secrets.v[i]))
			vec_push(arena, &names, spec->image_pull_secrets.v[i]);
	if (names.n)
		qsort(names.v, names.n, sizeof(*names.v), strings_compare);
	for (size_t i = 0; i < names.n; i++) {
		const struct object *secret = model_find(model, KIND_SECRET, ns, names.v[i]);

		if (secret)
			add_secret(secret, arena, out);
	}
}

const struct git_login *credentials_git(const struct credentials *credentials, const char *scheme,
					const char *host)
{
	for (size_t i = 0; i < credentials->git.n; i++) {
		const struct git_login *login = &credentials->git.v[i];
		bool fits = login->scheme ? strcmp(login->scheme, scheme) == 0
					  : strcmp(scheme, "ssh") != 0;

		if (fits && strcasecmp(login->host, host) == 0)
			return login;
	}
	return NULL;
}
