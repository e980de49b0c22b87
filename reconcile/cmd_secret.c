/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_secret.c — `secret create`, `delete` and `list` (kpack.md §5.6). The Secret that is written says where its value comes
 * from (reconcile.dev/from-env, from-file); no value is ever read here.
 */
#include <string.h>

#include "model/base/base64.h"
#include "model/doc/json.h"
#include "model/kind/credentials.h"
#include "reconcile/commands.h"
#include "reconcile/edit_command.h"
#include "reconcile/login.h"
#include "reconcile/look.h"
#include "reconcile/object_edit.h"
#include "reconcile/report/table.h"

/* A Secret and the service account that lists it. */
struct job {
	struct context *context;
	struct manifests all;
	struct manifest_id id, account_id;
	struct declared secret, account;
	bool is_found, has_account;
	struct err *err;
};

static bool begin(struct context *context, struct job *job, struct err *err)
{
	const struct options *options = &context->options;
	const char *account = options->object.service_account;

	*job = (struct job){ .context = context, .err = err };
	job->id = (struct manifest_id){ KIND_SECRET, context_ns(context),
					options->args.n ? options->args.v[0] : NULL };
	job->account_id = (struct manifest_id){ KIND_SERVICE_ACCOUNT, context_ns(context),
						account ? account : "default" };
	return manifests_open(context, &job->all, err) &&
	       (!job->id.name ||
		manifest_find(&job->all, &job->id, &job->secret, &job->is_found, err)) &&
	       manifest_find(&job->all, &job->account_id, &job->account, &job->has_account, err);
}

static bool put(struct job *job, const struct declared *manifest, struct edit_path at,
		const char *text)
{
	return !text || edit_set(&manifest->file->edit, &at, node_string(job->context->arena, text),
				 job->err);
}

static bool write_secret(struct job *job, const struct login *login,
			 const struct login_source *source)
{
	const struct declared *secret = &job->secret;
	const char *from = source->file ? source->file : source->variable;
	struct edit_path annotations, data;

	if (!manifest_new(&job->all, &job->id, job->context->options.ns != NULL, &job->secret,
			  job->err))
		return false;
	annotations = edit_key(&secret->at, "metadata");
	annotations = edit_key(&annotations, "annotations");
	data = edit_key(&secret->at, "stringData");
	return put(job, secret, edit_key(&annotations, login->annotation), login->target) &&
	       put(job, secret,
		   edit_key(&annotations,
			    source->file ? ANNOTATION_FROM_FILE : ANNOTATION_FROM_ENV),
		   arena_printf(job->context->arena, "%s=%s", login->key, from)) &&
	       put(job, secret, edit_key(&secret->at, "type"), login->type) &&
	       put(job, secret, edit_key(&data, "username"), login->user);
}

static bool is_named(const struct node *item, const void *wanted)
{
	const char *name = node_text(item, "name");

	return name && strcmp(name, wanted) == 0;
}

static struct object_edit account_edit(struct job *job)
{
	return (struct object_edit){ .context = job->context,
				     .all = &job->all,
				     .manifest = &job->account,
				     .spec = job->account.at,
				     .err = job->err };
}

static bool list_in_account(struct job *job, const char *field)
{
	const struct object_edit e = account_edit(job);
	const struct edit_path list = edit_key(&e.spec, field);
	struct node *item = node_new(job->context->arena, NODE_MAP);
	size_t at;

	node_set_text(job->context->arena, item, "name", job->id.name);
	return object_find_item(&e, &list, is_named, job->id.name, &at) ||
	       object_append(&e, &list, item);
}

static bool take_from_account(struct job *job, const char *field)
{
	const struct object_edit e = account_edit(job);
	const struct edit_path list = edit_key(&e.spec, field);
	size_t at;

	return !object_find_item(&e, &list, is_named, job->id.name, &at) ||
	       object_remove_item(&e, &list, at);
}

static int finish(struct job *job, const char *verb)
{
	const struct declared *const shown[] = { &job->secret, &job->account };
	const struct edit_result result = {
		.all = &job->all,
		.shown = shown,
		.n_shown = job->secret.is_gone ? 0 : 2,
		.what = arena_printf(job->context->arena, "Secret \"%s\" %s", job->id.name, verb),
	};

	return edit_finish(&result);
}

static void say_source(struct job *job, const struct login *login,
		       const struct login_source *source)
{
	const char *what = strcmp(login->key, "password") == 0 ? "the password" : "the private key";

	if (source->variable && source->left)
		edit_note(job->context,
			  "When reconcile runs, the variable %s has to hold the contents of '%s'",
			  source->variable, source->left);
	else if (source->variable)
		edit_note(job->context, "When reconcile runs, the variable %s has to hold %s",
			  source->variable, what);
	else
		edit_note(job->context, "When reconcile runs, the file '%s' has to hold %s",
			  source->file, what);
	if (source->file && source->file[0] != '/')
		log_line(LOG_WARN, "'%s' lies in the folder of the manifests: keep it out of git",
			 source->file);
}

static int create(struct job *job)
{
	struct context *context = job->context;
	const struct secret_options *options = &context->options.secret;
	const struct login_place place = { job->all.dir, job->id.ns, job->id.name };
	struct login_source source;
	struct login login;
	int code;

	if (!login_read(options, context->arena, &login, job->err) ||
	    !login_find_source(&login, options, &place, context->arena, &source, job->err))
		return context_fail(job->err, EXIT_USAGE);
	if (!write_secret(job, &login, &source) ||
	    (!job->has_account &&
	     !manifest_new(&job->all, &job->account_id, context->options.ns != NULL, &job->account,
			   job->err)) ||
	    !list_in_account(job, "secrets") ||
	    (strcmp(login.annotation, ANNOTATION_DOCKER) == 0 &&
	     !list_in_account(job, "imagePullSecrets")))
		return context_fail(job->err, EXIT_ERROR);
	code = finish(job, "created");
	if (code == EXIT_DONE)
		say_source(job, &login, &source);
	return code;
}

int cmd_secret_create(struct context *context)
{
	struct err err = { 0 };
	struct job job;

	if (!begin(context, &job, &err))
		return context_fail(&err, EXIT_ERROR);
	return job.is_found ? edit_exists(&job.id, &job.secret) : create(&job);
}

int cmd_secret_delete(struct context *context)
{
	struct err err = { 0 };
	struct job job;

	if (!begin(context, &job, &err))
		return context_fail(&err, EXIT_ERROR);
	if (!job.is_found)
		return edit_absent(context, &job.id);
	/* The account first: taking a document away moves those behind it. */
	if ((job.has_account && (!take_from_account(&job, "secrets") ||
				 !take_from_account(&job, "imagePullSecrets"))) ||
	    !manifest_remove(&job.secret, &err))
		return context_fail(&err, EXIT_ERROR);
	return finish(&job, "deleted");
}

/* The servers of a docker config.json; nothing of its values. */
static const char *config_servers(const struct node *secret, struct arena *arena)
{
	const char *text = node_text(node_get(secret, "stringData"), ".dockerconfigjson");
	const char *coded = node_text(node_get(secret, "data"), ".dockerconfigjson");
	AUTO_BUF out = BUF_INIT(1 << 16);
	struct base64 decoded;
	struct err ignored = { 0 };
	struct node *config;
	const struct node *auths;

	if (!text && coded && base64_decode(coded, strlen(coded), arena, &decoded))
		text = decoded.bytes;
	if (!text || !json_parse(text, strlen(text), arena, &config, &ignored))
		return NULL;
	auths = node_get(config, "auths");
	for (const struct node *c = auths && auths->kind == NODE_MAP ? auths->first : NULL; c;
	     c = c->next)
		buf_printf(&out, "%s%s", out.len ? ", " : "", c->key);
	return out.len ? buf_copy(&out, arena) : NULL;
}

static const char *target_of(const struct node *secret, struct arena *arena)
{
	static const char *const names[] = { ANNOTATION_DOCKER, ANNOTATION_GIT, ANNOTATION_BLOB };
	const struct node *annotations = node_at(secret, "metadata", "annotations", NULL);
	const char *target = NULL;

	for (size_t i = 0; i < COUNTOF(names) && !target; i++)
		target = node_text(annotations, names[i]);
	if (!target)
		target = config_servers(secret, arena);
	return target ? target : "--";
}

static void collect(const struct node *list, struct arena *arena, struct strings *names)
{
	for (const struct node *c = list && list->kind == NODE_SEQ ? list->first : NULL; c;
	     c = c->next) {
		const char *name = node_text(c, "name");

		if (name && !strings_has(names, name))
			vec_push(arena, names, name);
	}
}

static bool find_targets(struct job *job, const struct strings *names, const char **targets)
{
	for (size_t i = 0; i < names->n; i++) {
		job->id.name = names->v[i];
		if (!manifest_find(&job->all, &job->id, &job->secret, &job->is_found, job->err))
			return false;
		targets[i] = job->is_found
				     ? target_of(manifest_node(&job->secret), job->context->arena)
				     : "--";
	}
	return true;
}

static bool print_list(struct context *context, const struct strings *names,
		       const char *const *targets)
{
	struct node *list = node_new(context->arena, NODE_SEQ);

	for (size_t i = 0; i < names->n; i++) {
		struct node *item = node_new(context->arena, NODE_MAP);

		node_set_text(context->arena, item, "name", names->v[i]);
		node_set_text(context->arena, item, "target", targets[i]);
		node_push(list, item);
	}
	return look_print(context, list);
}

int cmd_secret_list(struct context *context)
{
	static const char *const header[] = { "NAME", "TARGET" };
	struct strings names = { 0 };
	struct text_table table;
	struct err err = { 0 };
	const char **targets;
	struct job job;

	if (!begin(context, &job, &err))
		return context_fail(&err, EXIT_ERROR);
	if (job.has_account) {
		collect(node_get(job.account.before, "secrets"), context->arena, &names);
		collect(node_get(job.account.before, "imagePullSecrets"), context->arena, &names);
	}
	targets = arena_array(context->arena, names.n + 1, sizeof(*targets));
	if (!find_targets(&job, &names, targets))
		return context_fail(&err, EXIT_ERROR);
	if (print_list(context, &names, targets))
		return EXIT_DONE;
	if (!names.n) {
		buf_puts(&context->out, "no secrets found\n");
		return EXIT_DONE;
	}
	text_table_init(&table, context->arena, header, COUNTOF(header));
	for (size_t i = 0; i < names.n; i++)
		text_table_add(&table, (const char *const[]){ names.v[i], targets[i] });
	text_table_print(&table, &context->out);
	return EXIT_DONE;
}
