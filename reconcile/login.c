/* SPDX-License-Identifier: Apache-2.0 */
/* login.c — rules between the options, one function per kind of login. */
#include "reconcile/login.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "buildexec/sys/fs.h"
#include "model/kind/credentials.h"
#include "reconcile/secrets.h"

#define DOCKER_HUB "https://index.docker.io/v1/"

static void registry_login(const char *server, const char *user, struct login *out)
{
	*out = (struct login){ .type = SECRET_BASIC_AUTH,
			       .annotation = ANNOTATION_DOCKER,
			       .target = server,
			       .user = user,
			       .key = "password" };
}

static bool starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

/* Matched by host, so a path behind it says nothing. */
static const char *without_path(const char *url, struct arena *arena)
{
	const char *mark = strstr(url, "://"), *host = mark ? mark + 3 : url;

	return arena_copy(arena, url, (size_t)(host - url) + strcspn(host, mark ? "/" : ":/"));
}

static bool git_login(const struct secret_options *o, struct arena *arena, struct login *out,
		      struct err *err)
{
	const char *url = o->git_url;
	bool is_http = starts_with(url, "https://") || starts_with(url, "http://");
	bool is_ssh = starts_with(url, "ssh://") || (!strstr(url, "://") && strchr(url, '@'));

	if (!o->git_user == !o->git_ssh_key)
		return err_set(err, ERR_INVALID, "must provide one of git-user or git-ssh-key");
	if (o->git_ssh_key && !is_ssh)
		return err_set(err, ERR_INVALID,
			       "must provide a valid git url for SSH (ex. git@github.com)");
	if (o->git_user && !is_http)
		return err_set(err, ERR_INVALID,
			       "must provide a valid git url for basic auth (ex. "
			       "https://github.com)");
	if (is_http && strcspn(url, "@") < strlen(without_path(url, arena)))
		return err_set(err, ERR_INVALID,
			       "--git-url must not hold a user or password: use --git-user");
	*out = (struct login){ .type = o->git_user ? SECRET_BASIC_AUTH : SECRET_SSH_AUTH,
			       .annotation = ANNOTATION_GIT,
			       .target = without_path(url, arena),
			       .user = o->git_user,
			       .key = o->git_user ? "password" : "ssh-privatekey",
			       .file = o->git_ssh_key };
	return true;
}

bool login_read(const struct secret_options *o, struct arena *arena, struct login *out,
		struct err *err)
{
	int n = (o->dockerhub != NULL) + (o->gcr != NULL) + (o->registry != NULL) +
		(o->git_url != NULL);

	if (n != 1)
		return err_set(err, ERR_INVALID,
			       "secret must be one of dockerhub, gcr, registry, or git-url");
	if (!o->registry != !o->registry_user)
		return err_set(err, ERR_INVALID, "--registry and --registry-user go together");
	if (!o->git_url && (o->git_user || o->git_ssh_key))
		return err_set(err, ERR_INVALID, "--git-user and --git-ssh-key go with --git-url");
	if (o->git_url)
		return git_login(o, arena, out, err);
	if (o->registry && strchr(o->registry, '@'))
		return err_set(err, ERR_INVALID,
			       "--registry must not hold a user or password: use --registry-user");
	registry_login(o->dockerhub ? DOCKER_HUB
		       : o->gcr     ? "gcr.io"
				    : o->registry,
		       o->dockerhub ? o->dockerhub
		       : o->gcr     ? "_json_key"
				    : o->registry_user,
		       out);
	out->file = o->gcr;
	return true;
}

/* RECONCILE_SECRET_SHOP_MY_GIT for shop/my-git; of namespace default without it. */
static const char *variable_of(const struct login_place *place, struct arena *arena)
{
	bool is_default = strcmp(place->ns, "default") == 0;
	char *name = arena_printf(arena, VARIABLE_PREFIX "%s%s%s", is_default ? "" : place->ns,
				  is_default ? "" : "_", place->name);

	for (char *c = name; *c; c++)
		*c = (char)(isalnum((unsigned char)*c) ? toupper((unsigned char)*c) : '_');
	return name;
}

/* As the annotation names it: below the manifests' folder relative to it. NULL: it may not be used. */
static const char *file_from_manifests(const struct login_place *place, const char *path,
				       struct arena *arena)
{
	char real[PATH_MAX];
	const char *absolute = path;
	size_t n = strlen(place->dir);

	if (path[0] != '/')
		absolute = realpath(path, real) ? arena_strdup(arena, real)
						: path_join(arena, place->dir, path);
	if (strpbrk(absolute, ",\n") || !secrets_file_is_allowed(place->dir, absolute))
		return NULL;
	if (starts_with(absolute, place->dir) && absolute[n] == '/')
		return absolute + n + 1;
	return absolute;
}

bool login_find_source(const struct login *login, const struct secret_options *options,
		       const struct login_place *place, struct arena *arena,
		       struct login_source *out, struct err *err)
{
	const char *file = options->from_file ? options->from_file : login->file;

	*out = (struct login_source){ 0 };
	if (options->from_env && options->from_file)
		return err_set(err, ERR_INVALID, "cannot use --from-env and --from-file together");
	if (options->from_env && (!secrets_variable_is_allowed(options->from_env) ||
				  strpbrk(options->from_env, ",=\n ")))
		return err_set(err, ERR_INVALID,
			       "a Secret cannot take variable '%s': only those that begin with "
			       "'" VARIABLE_PREFIX "'",
			       options->from_env);
	if (file && !options->from_env)
		out->file = file_from_manifests(place, file, arena);
	if (options->from_file && !out->file)
		return err_set(err, ERR_INVALID,
			       "a Secret cannot take file '%s': only those below the folder of the "
			       "manifests or /run/secrets",
			       options->from_file);
	if (out->file)
		return true;
	out->left = login->file;
	out->variable = options->from_env ? options->from_env : variable_of(place, arena);
	return true;
}
