/* SPDX-License-Identifier: Apache-2.0 */
/* select.c — words of the command line into objects. */
#include "reconcile/select.h"

#include <string.h>

#include "reconcile/parts.h"

static bool not_found(const struct model *model, const char *word, enum kind kind,
		      struct arena *arena, struct err *err)
{
	struct strings names = { 0 };
	const char *near;

	for (size_t i = 0; i < model->objects.n; i++)
		if (kind == KIND_NONE || model->objects.v[i]->kind == kind)
			vec_push(arena, &names, model->objects.v[i]->meta.name);
	near = suggest(strrchr(word, '/') ? strrchr(word, '/') + 1 : word, names.v, names.n);
	if (near)
		return err_set(err, ERR_INVALID, "no manifest declares '%s'; did you mean '%s'?",
			       word, near);
	return err_set(err, ERR_INVALID, "no manifest declares '%s'", word);
}

/* Splits at most three parts; the kind is the first when it is one. */
bool select_object(const struct model *model, const char *word, enum kind kind, struct arena *arena,
		   const struct object **out, struct err *err)
{
	char *copy = arena_strdup(arena, word);
	const char *parts[3] = { 0 }, *ns = NULL;
	size_t n = 0;

	for (char *at = copy; at && n < 3; n++) {
		char *slash = n < 2 ? strchr(at, '/') : NULL;

		if (slash)
			*slash = '\0';
		parts[n] = at;
		at = slash ? slash + 1 : NULL;
	}
	if (n > 1 && kind_by_word(parts[0]) != KIND_NONE) {
		kind = kind_by_word(parts[0]);
		memmove(parts, parts + 1, sizeof(parts) - sizeof(*parts));
		n--;
	}
	if (kind == KIND_NONE)
		return err_set(err, ERR_INVALID,
			       "'%s' does not say a kind: write KIND/NAME or KIND/NS/NAME", word);
	if (n == 2)
		ns = parts[0];
	*out = model_find(model, kind,
			  kind_info(kind)->is_cluster ? ""
			  : ns                        ? ns
						      : "default",
			  parts[n - 1]);
	for (size_t i = 0; !*out && !ns && i < model->objects.n; i++) {
		const struct object *object = model->objects.v[i];

		if (object->kind == kind && strcmp(object->meta.name, parts[n - 1]) == 0)
			*out = object;
	}
	return *out || not_found(model, word, kind, arena, err);
}

static void add(struct selection *out, struct arena *arena, const struct object *object)
{
	struct object_list parts = { 0 };

	if (map_has(&out->ids, object->id))
		return;
	map_set(arena, &out->ids, object->id, (void *)(uintptr_t)object);
	object_parts(out->model, object, arena, &parts);
	for (size_t i = 0; i < parts.n; i++)
		add(out, arena, parts.v[i]);
}

/* "key", "key=value", "key==value", "key!=value" */
static bool has_label(const struct object *object, const char *selector, struct arena *arena)
{
	const char *equals = strchr(selector, '=');
	bool is_not = equals && equals > selector && equals[-1] == '!';
	size_t n = equals ? (size_t)(equals - selector) - is_not : strlen(selector);
	const char *value = pairs_get(&object->meta.labels, arena_copy(arena, selector, n));

	if (!equals)
		return value != NULL;
	equals += equals[1] == '=' ? 2 : 1;
	return is_not ? !value || strcmp(value, equals) != 0 : value && strcmp(value, equals) == 0;
}

static bool is_selected(const struct object *object, void *ctx)
{
	const struct selection *selection = ctx;
	struct arena *arena;
	bool fits = true;

	if (selection->ids.n && !map_has(&selection->ids, object->id))
		return false;
	if (!selection->selectors->n)
		return true;
	arena = arena_new();
	for (size_t i = 0; i < selection->selectors->n && fits; i++)
		fits = has_label(object, selection->selectors->v[i], arena);
	arena_free(arena);
	return fits;
}

bool select_make(const struct model *model, const struct options *options, struct arena *arena,
		 struct selection *out, struct plan_options *plan, struct err *err)
{
	*out = (struct selection){ .model = model, .selectors = &options->selectors };
	for (size_t i = 0; i < options->only.n; i++) {
		const struct object *object;

		if (!select_object(model, options->only.v[i], KIND_NONE, arena, &object, err))
			return err_prefix(err, "--only");
		add(out, arena, object);
	}
	if (options->only.n || options->selectors.n) {
		plan->is_selected = is_selected;
		plan->select_ctx = out;
	}
	return true;
}

bool select_triggers(const struct model *model, const struct strings *words, struct arena *arena,
		     const struct strings **out, struct err *err)
{
	struct strings *ids = ARENA_NEW(arena, struct strings);

	*out = NULL;
	for (size_t i = 0; i < words->n; i++) {
		const struct object *object;

		if (!select_object(model, words->v[i], KIND_IMAGE, arena, &object, err))
			return err_prefix(err, "--trigger");
		vec_push(arena, ids, object->id);
	}
	if (ids->n)
		*out = ids;
	return true;
}
