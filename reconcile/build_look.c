/* SPDX-License-Identifier: Apache-2.0 */
/* build_look.c — every build of the histories, compared by name. */
#include "reconcile/build_look.h"

#include <string.h>

#include "model/kind/build_name.h"

enum { NAMES_SHOWN = 8 };

static char *number_text(int64_t number, struct arena *arena)
{
	return arena_printf(arena, "%lld", (long long)number);
}

char *build_ref_name(const struct build_ref *ref, struct arena *arena)
{
	char *number = number_text(ref->number, arena);

	if (ref->owner->kind == KIND_BUILD)
		return arena_strdup(arena, ref->owner->name);
	if (ref->owner->kind == KIND_BUILD_CONFIG)
		return build_name(ref->owner->name, number, arena);
	return child_name(ref->owner->name, arena_printf(arena, "-build-%s", number), arena);
}

char *build_ref_id(const struct build_ref *ref, struct arena *arena)
{
	return arena_printf(arena, "Build/%s/%s", ref->owner->ns, build_ref_name(ref, arena));
}

void build_refs_of(struct context *context, const struct state_entry *owner, build_ref_vec *out)
{
	const struct build_config_status *config = owner->status;
	const struct image_status *image = owner->status;
	const bool is_config = kind_has_builds(owner->kind);
	const struct list *history = is_config ? &config->history : &image->history;
	const bool is_one = owner->kind == KIND_BUILD && history->n;

	for (size_t i = is_one ? history->n - 1 : 0; i < history->n; i++)
		vec_push(context->arena, out,
			 (struct build_ref){
				 owner,
				 is_config ? LIST_AT(*history, struct bc_history_entry, i)->number
					   : LIST_AT(*history, struct history_entry, i)->number });
}

struct build_ref build_newest(const struct state_entry *owner)
{
	const struct build_config_status *config = owner->status;
	const struct image_status *image = owner->status;
	struct build_ref ref = { owner, 0 };

	if (kind_has_builds(owner->kind))
		ref.number = config->last_version;
	else if (image->last)
		ref.number = image->last->number;
	return ref;
}

bool build_word_parse(const char *word, struct arena *arena, struct build_word *out,
		      struct err *err)
{
	const char *slash = strchr(word, '/'), *second;

	*out = (struct build_word){ .name = word };
	if (!slash)
		return *word || err_set(err, ERR_INVALID, "a name is needed");
	out->kind = kind_by_word(arena_copy(arena, word, strcspn(word, "./")));
	out->name = slash + 1;
	second = strchr(out->name, '/');
	if (second) {
		out->ns = arena_copy(arena, out->name, (size_t)(second - out->name));
		out->name = second + 1;
	}
	if ((out->kind == KIND_IMAGE || out->kind == KIND_BUILD_CONFIG ||
	     out->kind == KIND_BUILD) &&
	    *out->name && !strchr(out->name, '/'))
		return true;
	return err_set(err, ERR_INVALID,
		       "'%s' is no build: NAME, bc/NAME, image/NAME or build/NAME is needed", word);
}

/* What may be meant, and how to say it without doubt. */
struct search {
	struct context *context;
	const struct build_word *word;
	bool with_builds; /* not only what has builds */
	build_ref_vec found;
	struct strings ways, names;
};

static void add_found(struct search *s, struct build_ref ref, bool is_owner)
{
	struct arena *arena = s->context->arena;
	const char *kind = ref.owner->kind == KIND_IMAGE   ? "image"
			   : ref.owner->kind == KIND_BUILD ? "build"
							   : "bc";
	const char *way = arena_printf(arena, "%s/%s", kind, ref.owner->name);

	if (!is_owner)
		way = arena_printf(arena, "%s -b %lld", way, (long long)ref.number);
	if (!context_ns(s->context))
		way = arena_printf(arena, "%s -n %s", way, ref.owner->ns);
	vec_push(arena, &s->found, ref);
	vec_push(arena, &s->ways, way);
}

static void look_at(struct search *s, const struct state_entry *owner)
{
	const struct context *context = s->context;
	const enum kind kind = s->word->kind;
	build_ref_vec builds = { 0 };

	if (kind == KIND_NONE || kind == owner->kind) {
		struct build_ref ref = build_newest(owner);

		vec_push(context->arena, &s->names, owner->name);
		if (context->options.build)
			ref.number = context->options.build;
		if (strcmp(owner->name, s->word->name) == 0)
			add_found(s, ref, true);
	}
	if (owner->kind == KIND_BUILD || !s->with_builds || context->options.build ||
	    (kind != KIND_NONE && kind != KIND_BUILD))
		return;
	build_refs_of(s->context, owner, &builds);
	for (size_t i = 0; i < builds.n; i++) {
		const char *name = build_ref_name(&builds.v[i], context->arena);

		vec_push(context->arena, &s->names, name);
		if (strcmp(name, s->word->name) == 0)
			add_found(s, builds.v[i], false);
	}
}

static void search(struct search *s)
{
	static const enum kind kinds[] = { KIND_IMAGE, KIND_BUILD_CONFIG, KIND_BUILD };
	struct context *context = s->context;
	const char *ns = context->options.ns;
	const bool is_all = context->options.all_namespaces;
	struct entries owners;

	if (s->word->ns) {
		context->options.ns = s->word->ns;
		context->options.all_namespaces = false;
	}
	for (size_t i = 0; i < COUNTOF(kinds); i++) {
		look_list(context, kinds[i], &owners);
		for (size_t k = 0; k < owners.n; k++)
			look_at(s, owners.v[k]);
	}
	context->options.ns = ns;
	context->options.all_namespaces = is_all;
}

static void say_missing(struct search *s)
{
	const struct context *context = s->context;
	const enum kind kind = s->word->kind;
	const char *what = kind != KIND_NONE ? kind_name(kind)
			   : s->with_builds  ? "build, Image or BuildConfig"
					     : "Image or BuildConfig";
	const char *near = suggest(s->word->name, s->names.v, s->names.n);
	const char *ns = s->word->ns ? s->word->ns : context_ns(context);

	if (near)
		log_line(LOG_ERROR, "no %s \"%s\" is recorded; did you mean \"%s\"?", what,
			 s->word->name, near);
	else
		log_line(LOG_ERROR, "no %s \"%s\" is recorded%s%s", what, s->word->name,
			 ns ? " in namespace " : "", ns ? ns : "");
}

static void say_several(struct search *s)
{
	AUTO_BUF text = BUF_INIT(1 << 16);

	for (size_t i = 0; i < s->ways.n && i < NAMES_SHOWN; i++)
		buf_printf(&text, "%s%s", i ? ", " : "", s->ways.v[i]);
	if (s->ways.n > NAMES_SHOWN)
		buf_puts(&text, ", …");
	log_line(LOG_ERROR, "\"%s\" may be any of: %s; say which one is meant", s->word->name,
		 buf_text(&text));
}

/* Exactly one. */
static bool is_clear(struct search *s)
{
	if (s->found.n == 1)
		return true;
	if (s->found.n)
		say_several(s);
	else
		say_missing(s);
	return false;
}

bool build_owner_find(struct context *context, const struct build_word *word,
		      const struct state_entry **out)
{
	struct search s = { .context = context, .word = word };

	*out = NULL;
	search(&s);
	if (!is_clear(&s))
		return false;
	*out = s.found.v[0].owner;
	return true;
}

bool build_find(struct context *context, const struct build_word *word, struct build_ref *out)
{
	struct search s = { .context = context, .word = word, .with_builds = true };

	*out = (struct build_ref){ 0 };
	search(&s);
	if (!is_clear(&s))
		return false;
	*out = s.found.v[0];
	if (!out->number)
		buf_puts(&context->out, "no builds found\n");
	return out->number != 0;
}

bool build_read_config(struct context *context, const struct build_ref *ref, struct bc_build *out,
		       const struct node **document, struct err *err)
{
	const char *path = bc_build_path(ref->owner->kind, ref->owner->ns, ref->owner->name,
					 ref->number, context->arena);
	struct node *node;

	*document = NULL;
	*out = (struct bc_build){ 0 };
	if (!state_read_record(context->store, path, context->arena, &node, err))
		return false;
	if (node && !bc_build_read(node, context->arena, out, err))
		return err_prefix(err, "state file '%s'", path);
	*document = node;
	return true;
}
