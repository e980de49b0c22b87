/* SPDX-License-Identifier: Apache-2.0 */
/* secrets.c — the two annotations of every Secret, then the redactor. */
#include "reconcile/secrets.h"

#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buildexec/sys/fs.h"
#include "buildexec/sys/log.h"
#include "buildexec/sys/proc.h"
#include "model/base/limits.h"
#include "model/kind/credentials.h"
#include "model/kind/settings.h"

struct reading {
	const struct secrets_spec *spec;
	struct arena *arena;
	struct diags *diags;
	const struct object *object;
	VEC(struct secret_value) values;
};

/* "<what> '<name>'<rest>", at the Secret's place */
struct problem {
	enum severity severity;
	const char *what, *rest;
};

static const struct problem bad_variable = { SEVERITY_ERROR, "a Secret cannot take variable",
					     ": only those that begin with '" VARIABLE_PREFIX "'" };
static const struct problem no_variable = { SEVERITY_WARNING, "the Secret lacks a value: variable",
					    " is not set" };
static const struct problem bad_file = {
	SEVERITY_ERROR, "a Secret cannot take file",
	": only those below the folder of the manifests or /run/secrets"
};
static const struct problem no_file = { SEVERITY_WARNING, "the Secret lacks a value: file",
					" is not there" };
static const struct problem unread_file = { SEVERITY_ERROR, "cannot read the file of a Secret",
					    "" };

static void report(const struct reading *r, const struct problem *problem, const char *name)
{
	struct secret_spec *secret = (struct secret_spec *)(uintptr_t)r->object->spec;

	secret->problem = arena_printf(r->arena, "%s: %s '%s'%s", r->object->id, problem->what,
				       name, problem->rest);
	diag_add(r->diags, problem->severity, "secret", r->object->file, r->object->pos, 1,
		 "%s '%s'%s", problem->what, name, problem->rest);
}

static void lack(struct reading *r)
{
	struct secret_spec *secret = (struct secret_spec *)(uintptr_t)r->object->spec;

	secret->is_partial = true;
}

static const char *absolute(const struct reading *r, const char *path)
{
	return path[0] == '/' ? path : path_join(r->arena, r->spec->dir, path);
}

/* The same variable, or the same file. */
static bool is_meant(const struct reading *r, const char *rule, const char *from)
{
	return strcmp(absolute(r, rule), absolute(r, from)) == 0;
}

/* NULL: wherever the manifests say. */
static const struct strings *servers_of(const struct reading *r, const char *from)
{
	static const struct strings nowhere = { 0 };
	const struct list *rules = r->spec->rules;

	for (size_t i = 0; rules && i < rules->n; i++) {
		const struct settings_secret *rule = LIST_AT(*rules, struct settings_secret, i);

		if (is_meant(r, rule->from, from))
			return &rule->servers;
	}
	return r->spec->is_dry_run || (rules && rules->n) ? &nowhere : NULL;
}

static void say_unsent(const struct reading *r, const char *from, const char *server)
{
	diag_add(r->diags, SEVERITY_WARNING, "secret", r->object->file, r->object->pos, 1,
		 "'%s' is not sent to %s: trusted settings (--settings FILE or your own) do not "
		 "allow it under 'secrets'",
		 from, server);
}

/* A login that will not be sent says so: the server would say only that there was none. */
static void check_servers(const struct reading *r, const char *from, const struct strings *servers)
{
	static const char *const annotations[] = { ANNOTATION_DOCKER, ANNOTATION_GIT,
						   ANNOTATION_BLOB };
	const struct secret_spec *secret = r->object->spec;
	const char *type = secret->type ? secret->type : "";
	bool is_login = strcmp(type, SECRET_BASIC_AUTH) == 0 || strcmp(type, SECRET_SSH_AUTH) == 0;

	for (size_t i = 0; i < COUNTOF(annotations); i++) {
		const char *server = pairs_get(&r->object->meta.annotations, annotations[i]);

		is_login = is_login && !server;
		if (server && !server_is_among(server, servers))
			say_unsent(r, from, arena_printf(r->arena, "'%s'", server));
	}
	/* The server is what a build config's source names. */
	if (is_login && !servers->n)
		say_unsent(r, from, "any server");
}

static void put(struct reading *r, const struct secret_source *source, const char *bytes, size_t n)
{
	const char *key = source->key;
	const struct secret_value value = {
		.key = key, .bytes = bytes, .len = n, .servers = servers_of(r, source->from)
	};

	if (value.servers)
		check_servers(r, source->from, value.servers);

	for (size_t i = 0; i < r->values.n; i++) {
		if (strcmp(r->values.v[i].key, key) == 0) {
			r->values.v[i] = value;
			return;
		}
	}
	vec_push(r->arena, &r->values, value);
}

bool secrets_variable_is_allowed(const char *name)
{
	return strncmp(name, VARIABLE_PREFIX, strlen(VARIABLE_PREFIX)) == 0;
}

static void from_env(struct reading *r, const struct secret_source *source)
{
	const char *value;

	if (!secrets_variable_is_allowed(source->from)) {
		report(r, &bad_variable, source->from);
		return;
	}
	if (!r->spec->with_values) {
		lack(r);
		return;
	}
	value = proc_getenv(source->from);
	if (value)
		put(r, source, arena_strdup(r->arena, value), strlen(value));
	else
		report(r, &no_variable, source->from);
}

static bool is_below(const char *folder, const char *path)
{
	size_t n = strlen(folder);

	return strncmp(path, folder, n) == 0 && path[n] == '/';
}

/* Where the path really leads, links followed; a file that is not there is judged by its name. */
bool secrets_file_is_allowed(const char *dir, const char *path)
{
	static const char *const folders[] = { "/run/secrets", "/var/run/secrets" };
	char real[PATH_MAX];
	bool is_there = realpath(path, real) != NULL;

	if (!is_there && strstr(path, "/.."))
		return false;
	if (is_below(dir, is_there ? real : path))
		return true;
	for (size_t i = 0; i < COUNTOF(folders); i++)
		if (is_below(folders[i], is_there ? real : path))
			return true;
	return false;
}

/* One line break at the end is the editor's, not the value's. */
static void from_file(struct reading *r, const struct secret_source *source)
{
	const char *path = absolute(r, source->from);
	struct err err = { 0 };
	char *text = NULL;
	size_t n = 0;

	if (!secrets_file_is_allowed(r->spec->dir, path)) {
		report(r, &bad_file, source->from);
		return;
	}
	if (!r->spec->with_values) {
		lack(r);
		return;
	}
	if (!fs_read(AT_FDCWD, path, LIMIT_FILE_BYTES, r->arena, &text, &n, &err)) {
		report(r, &unread_file, source->from);
		return;
	}
	if (!text) {
		report(r, &no_file, source->from);
		return;
	}
	if (n && text[n - 1] == '\n')
		text[--n] = '\0';
	put(r, source, text, n);
}

static void read_annotation(struct reading *r, const char *name,
			    void (*read)(struct reading *, const struct secret_source *))
{
	const char *rest = pairs_get(&r->object->meta.annotations, name);
	struct secret_source source;

	while (rest && secret_source_next(&rest, r->arena, &source))
		if (source.from && *source.from)
			read(r, &source);
}

static void read_secret(const struct secrets_spec *spec, struct model *model, struct object *object,
			struct diags *diags)
{
	struct secret_spec *secret = (struct secret_spec *)(uintptr_t)object->spec;
	struct reading r = {
		.spec = spec, .arena = model->arena, .diags = diags, .object = object
	};

	for (size_t i = 0; i < secret->values.n; i++)
		vec_push(model->arena, &r.values, *LIST_AT(secret->values, struct secret_value, i));
	read_annotation(&r, ANNOTATION_FROM_ENV, from_env);
	read_annotation(&r, ANNOTATION_FROM_FILE, from_file);
	secret->values = (struct list){ r.values.v, r.values.n };
	for (size_t i = 0; i < r.values.n; i++)
		if (!secret_key_is_public(r.values.v[i].key))
			secret_add(r.values.v[i].bytes, r.values.v[i].len);
}

void secrets_read(const struct secrets_spec *spec, struct model *model, struct diags *diags)
{
	for (size_t i = 0; i < model->objects.n; i++)
		if (model->objects.v[i]->kind == KIND_SECRET)
			read_secret(spec, model, model->objects.v[i], diags);
}
