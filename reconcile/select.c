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

/* What a word names: KIND/NS/NAME, with the first two left out where they can be. */
struct wanted {
	enum kind kind;
	const char *ns, *name; /* ns NULL: not said */
};

static bool read_word(const char *word, enum kind kind, struct arena *arena, struct wanted *out,
		      struct err *err)
{
	const char *parts[3] = { 0 };
	size_t n = 0, at = 0;

	for (char *rest = arena_strdup(arena, word); rest && n < COUNTOF(parts); n++) {
		char *slash = strchr(rest, '/');

		parts[n] = rest;
		if (slash)
			*slash = '\0';
		rest = slash ? slash + 1 : NULL;
		if (rest && n + 1 == COUNTOF(parts))
			return err_set(err, ERR_INVALID,
				       "'%s' has too many parts: write KIND/NS/NAME", word);
	}
	if (n > 1 && kind_by_word(parts[0]) != KIND_NONE) {
		kind = kind_by_word(parts[0]);
		at = 1;
	}
	if (kind == KIND_NONE || n - at > 2)
		return err_set(err, ERR_INVALID,
			       "'%s' does not say a kind: write KIND/NAME or KIND/NS/NAME", word);
	*out = (struct wanted){ kind, n - at == 2 ? parts[at] : NULL, parts[n - 1] };
	return true;
}

bool select_object(const struct model *model, const char *word, enum kind kind, struct arena *arena,
		   const struct object **out, struct err *err)
{
	const struct object *other = NULL;
	struct wanted wanted = { KIND_NONE, NULL, NULL };

	*out = NULL;
	if (!read_word(word, kind, arena, &wanted, err))
		return false;
	*out = model_find(model, wanted.kind, wanted.ns ? wanted.ns : "default", wanted.name);
	/* Without a namespace: the default one's, else the only one of that name. */
	for (size_t i = 0; !*out && !wanted.ns && i < model->objects.n; i++) {
		const struct object *object = model->objects.v[i];

		if (object->kind != wanted.kind || strcmp(object->meta.name, wanted.name) != 0)
			continue;
		if (other)
			return err_set(err, ERR_INVALID, "'%s' may be %s or %s: say which", word,
				       other->id, object->id);
		other = object;
	}
	if (!*out)
		*out = other;
	return *out || not_found(model, word, wanted.kind, arena, err);
}

static void add(struct selection *out, struct arena *arena, const struct object *object)
{
	struct object_list parts = { 0 };

	if (map_has(&out->ids, object->id))
		return;
	map_set(arena, &out->ids, object->id, (void *)(uintptr_t)object);
	object_parts(out->model, object, arena, &parts);
	for (size_t i = 0; i < parts.n; i++) /* asking for a stream asks for no build */
		if (object->kind != KIND_IMAGE_STREAM || parts.v[i]->kind == KIND_IMAGE_STREAM)
			add(out, arena, parts.v[i]);
}

static char *trimmed(struct arena *arena, const char *text, size_t n)
{
	while (n && *text == ' ') {
		text++;
		n--;
	}
	while (n && text[n - 1] == ' ')
		n--;
	return arena_copy(arena, text, n);
}

/* "key", "!key", "key=value", "key==value", "key!=value" */
static bool fits_one(const struct object *object, const char *text, size_t n, struct arena *arena)
{
	const char *term = trimmed(arena, text, n), *equals = strchr(term, '=');
	bool is_not = equals && equals > term && equals[-1] == '!';
	const char *key, *value, *want;

	if (!equals && *term == '!')
		return !pairs_get(&object->meta.labels, trimmed(arena, term + 1, strlen(term + 1)));
	if (!equals)
		return pairs_get(&object->meta.labels, term) != NULL;
	key = trimmed(arena, term, (size_t)(equals - term) - is_not);
	want = equals + (equals[1] == '=' ? 2 : 1);
	want = trimmed(arena, want, strlen(want));
	value = pairs_get(&object->meta.labels, key);
	return (value && strcmp(value, want) == 0) != is_not;
}

/* Terms between commas must all hold. */
static bool fits_selector(const struct object *object, const char *selector, struct arena *arena)
{
	for (;;) {
		size_t n = strcspn(selector, ",");

		if (!fits_one(object, selector, n, arena))
			return false;
		if (!selector[n])
			return true;
		selector += n + 1;
	}
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
		fits = fits_selector(object, selection->selectors->v[i], arena);
	arena_free(arena);
	return fits;
}

/* An empty key selects nothing by mistake. */
static bool check_selector(const char *selector, struct err *err)
{
	const char *at = selector;

	for (;;) {
		size_t blanks = strspn(at, " !"), n = strcspn(at, ",");

		if (strcspn(at + blanks, "=!,") == 0 || strchr(selector, '('))
			return err_set(err, ERR_INVALID,
				       "-l takes KEY, !KEY, KEY=VALUE or KEY!=VALUE, with commas "
				       "between them, not '%s'",
				       selector);
		if (!at[n])
			return true;
		at += n + 1;
	}
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
	for (size_t i = 0; i < options->selectors.n; i++)
		if (!check_selector(options->selectors.v[i], err))
			return false;
	if (options->only.n || options->selectors.n) {
		plan->is_selected = is_selected;
		plan->select_ctx = out;
	}
	return true;
}

static bool may_take(const struct object *object)
{
	return object->kind == KIND_IMAGE_STREAM || object->kind == KIND_IMAGE_POLICY ||
	       kind_info(object->kind)->is_workload;
}

static bool is_made_of(const struct model *model, const struct object *object,
		       const struct map *makers)
{
	struct arena *arena = arena_new();
	struct object_list parts = { 0 };
	bool is_found = false;

	object_parts(model, object, arena, &parts);
	for (size_t i = 0; i < parts.n && !is_found; i++)
		is_found = map_has(makers, parts.v[i]->id);
	arena_free(arena);
	return is_found;
}

/* Streams may copy from streams: again until nothing joins. */
static void add_takers(struct selection *out, const struct object *config, struct arena *arena)
{
	struct map makers = { 0 };
	size_t n = 0;

	map_set(arena, &makers, config->id, out);
	while (n != makers.n) {
		n = makers.n;
		for (size_t i = 0; i < out->model->objects.n; i++) {
			const struct object *object = out->model->objects.v[i];

			if (!may_take(object) || map_has(&makers, object->id) ||
			    !is_made_of(out->model, object, &makers))
				continue;
			map_set(arena, &makers, object->id, out);
			map_set(arena, &out->ids, object->id, (void *)(uintptr_t)object);
		}
	}
}

void select_start(const struct model *model, const struct object *config,
		  const struct options *options, struct arena *arena, struct selection *out,
		  struct plan_options *plan)
{
	*out = (struct selection){ .model = model, .selectors = &options->selectors };
	add(out, arena, config);
	add_takers(out, config, arena);
	plan->is_selected = is_selected;
	plan->select_ctx = out;
}

bool select_triggers(const struct model *model, const struct strings *words, struct arena *arena,
		     const struct strings **out, struct err *err)
{
	struct strings *ids = ARENA_NEW(arena, struct strings);

	*out = NULL;
	for (size_t i = 0; i < words->n; i++) {
		const struct object *object;
		struct err ignored = { 0 };

		if (!select_object(model, words->v[i], KIND_IMAGE, arena, &object, err) &&
		    !select_object(model, words->v[i], KIND_BUILD_CONFIG, arena, &object, &ignored))
			return err_prefix(err, "--trigger");
		if (object->kind != KIND_IMAGE && !kind_has_builds(object->kind))
			return err_set(err, ERR_INVALID,
				       "--trigger: '%s' is no image and no build config",
				       object->id);
		vec_push(arena, ids, object->id);
	}
	if (ids->n)
		*out = ids;
	return true;
}
