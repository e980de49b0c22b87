/* SPDX-License-Identifier: Apache-2.0 */
/* step.c — what the rules share about steps, accounts and texts. See rules.h. */
#include <string.h>

#include "model/base/limits.h"
#include "model/kind/build_config.h"
#include "reconcile/plan/rules.h"

/* As buildexec/cnb/api.c has them. */
const struct lifecycle_apis *own_lifecycle_apis(struct arena *arena)
{
	static const struct {
		unsigned first, last;
	} buildpack = { 2, 12 }, platform = { 7, 15 };
	struct lifecycle_apis *own = ARENA_NEW(arena, struct lifecycle_apis);

	for (unsigned minor = buildpack.first; minor <= buildpack.last; minor++)
		vec_push(arena, &own->buildpack_supported, arena_printf(arena, "0.%u", minor));
	for (unsigned minor = platform.first; minor <= platform.last; minor++)
		vec_push(arena, &own->platform_supported, arena_printf(arena, "0.%u", minor));
	return own;
}

struct account account_named(const struct model *model, const char *ns, const char *name)
{
	const struct object *account;

	if (!ns)
		return (struct account){ 0 };
	if (!name || !name[0])
		name = "default";
	account = model_find(model, KIND_SERVICE_ACCOUNT, ns, name);
	if (!account)
		return (struct account){ 0 };
	return (struct account){ .ns = account->meta.ns, .name = account->meta.name };
}

static struct account account_referred(const struct model *model, const struct object_ref *ref)
{
	return ref->name ? account_named(model, ref->ns, ref->name) : (struct account){ 0 };
}

struct account account_of(const struct model *model, const struct object *object)
{
	const struct builder_spec *builder = object->spec;
	const struct buildpack_spec *buildpack = object->spec;

	if (object->kind == KIND_IMAGE)
		return account_named(model, object->meta.ns,
				     ((const struct image_spec *)object->spec)->service_account);
	if (kind_has_builds(object->kind))
		return account_named(
			model, object->meta.ns,
			((const struct build_config_spec *)object->spec)->common.service_account);
	if (object->kind == KIND_BUILDER)
		return account_named(model, object->meta.ns, builder->service_account);
	if (object->kind == KIND_CLUSTER_BUILDER)
		return account_referred(model, &builder->account_ref);
	if (object->kind == KIND_BUILDPACK)
		return account_named(model, object->meta.ns, buildpack->service_account);
	if (object->kind == KIND_CLUSTER_BUILDPACK || object->kind == KIND_CLUSTER_LIFECYCLE)
		return account_referred(model, &buildpack->account_ref);
	if (object->kind == KIND_CLUSTER_STACK)
		return account_referred(model,
					&((const struct stack_spec *)object->spec)->account_ref);
	if (object->kind == KIND_CLUSTER_STORE)
		return account_referred(model,
					&((const struct store_spec *)object->spec)->account_ref);
	return (struct account){ 0 };
}

struct account account_with(const struct model *model, const struct object *object,
			    const struct named *secret, struct arena *arena)
{
	struct account account = account_of(model, object);

	if (!secret || !secret->name)
		return account;
	return (struct account){ object->meta.ns,
				 arena_printf(arena, "%s+%s", account.name ? account.name : "",
					      secret->name) };
}

const char *manifest_dir(const struct object *object, struct arena *arena)
{
	const char *path = object->file ? object->file->path : NULL;
	const char *slash = path ? strrchr(path, '/') : NULL;

	if (!slash)
		return ".";
	return arena_copy(arena, path, slash == path ? 1 : (size_t)(slash - path));
}

const char *git_location(const char *url, const struct object *object, struct arena *arena)
{
	if (strncmp(url, "./", 2) != 0 && strncmp(url, "../", 3) != 0)
		return url;
	return arena_printf(arena, "%s/%s", manifest_dir(object, arena), url);
}

const char *sub_path_clean(const char *sub_path, struct arena *arena)
{
	size_t n;

	if (!sub_path)
		return "";
	while (sub_path[0] == '/' || (sub_path[0] == '.' && sub_path[1] == '/'))
		sub_path += sub_path[0] == '/' ? 1 : 2;
	n = strlen(sub_path);
	while (n > 0 && sub_path[n - 1] == '/')
		n--;
	if (n == 1 && sub_path[0] == '.')
		n = 0;
	return sub_path[n] ? arena_copy(arena, sub_path, n) : sub_path;
}

struct step *step_find(const struct planner *p, enum kind kind, const char *ns, const char *name)
{
	return name ? map_get(&p->plan->by_id, object_id(kind, ns, name, p->arena)) : NULL;
}

const void *recorded_status(const struct planner *p, const struct object *object)
{
	return state_status(p->state, object->id);
}

void step_block(struct step *step, struct stop stop, const char *why)
{
	step->action = ACTION_NONE;
	step->summary = NULL;
	step->old_value = step->new_value = NULL;
	step->blocked = why;
	step->blocked_kind = stop.kind;
	step->is_failure = stop.is_failure;
}

bool step_stays_unready(struct step *step, const struct list *conditions)
{
	const struct condition *ready = condition_find(conditions, "Ready");

	if (!ready || strcmp(ready->status, COND_FALSE) != 0)
		return false;
	step_block(step, (struct stop){ ERR_NONE, false },
		   ready->message ? ready->message : "it was not ready");
	return true;
}

const char *resolve_problem(const char *what, const struct err *err, struct arena *arena)
{
	if (strncmp(err->text, "cannot resolve", 14) == 0)
		return arena_strdup(arena, err->text);
	return arena_printf(arena, "cannot resolve %s: %s", what, err->text);
}

void step_wait_for(struct step *step, const struct step *other, struct arena *arena)
{
	const struct step **after = arena_array(arena, step->n_after + 1, sizeof(*after));

	for (size_t i = 0; i < step->n_after; i++) {
		if (step->after[i] == other)
			return;
	}
	if (step->n_after > 0)
		memcpy(after, step->after, step->n_after * sizeof(*after));
	after[step->n_after++] = other;
	step->after = after;
}

void step_mark(struct step *step, struct build_mark mark, struct arena *arena)
{
	struct build_mark *marks = arena_array(arena, step->marks.n + 1, sizeof(*marks));

	for (size_t i = 0; i < step->marks.n; i++)
		marks[i] = *LIST_AT(step->marks, struct build_mark, i);
	marks[step->marks.n] = mark;
	step->marks = (struct list){ marks, step->marks.n + 1 };
}

void step_unknown(struct step *step, const char *what, struct arena *arena)
{
	if (!strings_has(&step->unknown, what))
		vec_push(arena, &step->unknown, what);
}

/* Keeps the order of record and one change per reason. */
void change_add(struct changes *changes, struct change change, struct arena *arena)
{
	size_t at = 0;

	while (at < changes->list.n && changes->list.v[at].reason < change.reason)
		at++;
	if (at < changes->list.n && changes->list.v[at].reason == change.reason)
		return;
	vec_push(arena, &changes->list, change);
	for (size_t i = changes->list.n - 1; i > at; i--)
		changes->list.v[i] = changes->list.v[i - 1];
	changes->list.v[at] = change;
}

bool changes_has(const struct changes *changes, enum reason reason)
{
	for (size_t i = 0; i < changes->list.n; i++) {
		if (changes->list.v[i].reason == reason)
			return true;
	}
	return false;
}

char *strings_join(const struct strings *list, const char *between, struct arena *arena)
{
	AUTO_BUF text = BUF_INIT(LIMIT_LABEL_BYTES);

	for (size_t i = 0; i < list->n; i++)
		buf_printf(&text, "%s%s", i > 0 ? between : "", list->v[i]);
	return buf_copy(&text, arena);
}

char *short_id(const char *id, struct arena *arena)
{
	size_t prefix = strncmp(id, "sha256:", 7) == 0 ? 7 : 0;

	if (strlen(id) <= prefix + 12)
		return arena_strdup(arena, id);
	return prefix ? arena_printf(arena, "%.11s…", id) : arena_printf(arena, "%.7s", id);
}

bool text_equal(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}
