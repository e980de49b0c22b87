/* SPDX-License-Identifier: Apache-2.0 */
/* plan_report.c — rows with columns as wide as their widest entry; colour carries no meaning of its own. */
#include "reconcile/report/plan_report.h"

#include <string.h>

#include "buildexec/sys/log.h"
#include "model/doc/json.h"

enum { SHORT_HEX = 12, REASON_WIDTH = 10 };

/* One row per action: how it is printed, counted and coloured. */
static const struct {
	const char *one, *many, *color;
} words[] = {
	[ACTION_NONE] = { "unchanged", "unchanged", "" },
	[ACTION_RESOLVE] = { "update", "updates", "\033[36m" },
	[ACTION_COMPOSE] = { "composed", "composed", "\033[36m" },
	[ACTION_BUILD] = { "build", "builds", "\033[32m" },
	[ACTION_REBASE] = { "rebase", "rebases", "\033[32m" },
	[ACTION_TAG] = { "tag", "tags", "\033[32m" },
	[ACTION_DELETE] = { "deletion", "deletions", "\033[31m" },
	[ACTION_IMPORT] = { "import", "imports", "\033[36m" },
	[ACTION_MIRROR] = { "copy", "copies", "\033[36m" },
	[ACTION_EDIT] = { "edit", "edits", "\033[36m" },
};
_Static_assert(COUNTOF(words) == ACTIONS, "every action has words");

static const char blocked_color[] = "\033[33m", failed_color[] = "\033[31m", plain[] = "\033[0m";

char *object_label(const char *id, struct arena *arena)
{
	char *label = arena_strdup(arena, id), *slash = strchr(label, '/');

	if (slash)
		*slash = ' ';
	return label;
}

char *short_digest(const char *text, struct arena *arena)
{
	const char *at = strstr(text, "sha256:");

	if (!at || strlen(at) < strlen("sha256:") + SHORT_HEX)
		return arena_strdup(arena, text);
	return arena_printf(arena, "sha256:%.*s…", SHORT_HEX, at + strlen("sha256:"));
}

static bool is_shown(const struct step *step)
{
	return step->blocked || step->action != ACTION_NONE || step->is_unknown || step->moves.n;
}

/* Characters, not bytes: continuation bytes do not count. */
static size_t width_of(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xC0) != 0x80;
	return n;
}

static const char *phrase_of(const struct step *step, struct arena *arena)
{
	if (step->blocked)
		return "blocked";
	if (step->action == ACTION_BUILD || step->action == ACTION_REBASE)
		return arena_printf(arena, "%s #%lld", action_name(step->action),
				    (long long)step->number);
	if ((step->action == ACTION_RESOLVE || step->action == ACTION_EDIT) && step->summary)
		return step->summary;
	if (step->action == ACTION_NONE && step->is_unknown)
		return "unknown";
	return action_name(step->action);
}

/* Text that is said of values that move. */
static const char *arrow(const char *old_value, const char *new_value, struct arena *arena)
{
	return arena_printf(arena, "%s → %s", old_value ? short_digest(old_value, arena) : "(none)",
			    new_value ? short_digest(new_value, arena) : "(none)");
}

static const char *detail_of(const struct step *step, struct arena *arena)
{
	const char *reasons = changes_reasons(&step->changes, arena);

	if (step->blocked)
		return step->blocked;
	if (step->is_unknown && step->action == ACTION_NONE)
		return "never recorded; an offline run asks nobody";
	if (*reasons)
		return reason_primary(reasons, arena);
	if (step->old_value || step->new_value)
		return arrow(step->old_value, step->new_value, arena);
	return "";
}

static void put_clean(const char *text, struct buf *out)
{
	sanitize(text, strlen(text), false, out);
}

static void put_padded(const char *text, size_t width, struct buf *out)
{
	size_t n = width_of(text);

	put_clean(text, out);
	buf_printf(out, "%*s", n < width ? (int)(width - n) : 0, "");
}

/* A line of the plan: what it is about, what happens to it, and more. */
struct row {
	const char *label, *phrase, *detail, *color;
};

static struct row move_row(const struct step *step, const struct tag_move *move,
			   struct arena *arena)
{
	struct row row = {
		.label = arena_printf(arena, "ImageStreamTag %s/%s:%s", step->ns ? step->ns : "",
				      step->name ? step->name : "", move->tag),
		.phrase = move->verb,
		.color = words[step->action].color,
	};

	if (move->failure) {
		row.phrase = arena_printf(arena, "%s failed", move->verb);
		row.detail = move->failure;
		row.color = failed_color;
	} else if (!move->new_image && strcmp(move->verb, "delete") != 0) {
		row.detail = move->source ? arena_printf(arena, "from %s", move->source) : "";
	} else {
		row.detail = arrow(move->old_image, move->new_image, arena);
	}
	return row;
}

/* "Deployment shop/web (web.yaml:17:18)": where the edit is. */
static struct row edit_row(const struct step *step, const struct image_edit *edit,
			   struct arena *arena)
{
	return (struct row){
		.label = arena_printf(arena, "%s (%s:%u:%u)", object_label(step->id, arena),
				      edit->file, edit->pos.line, edit->pos.column),
		.phrase = phrase_of(step, arena),
		.detail = arrow(edit->old_text && *edit->old_text ? edit->old_text : NULL,
				edit->new_text, arena),
		.color = words[step->action].color
	};
}

/* Also where all of them failed. */
static bool has_tag_rows(const struct step *step)
{
	return step->moves.n && (!step->blocked || step->is_failure);
}

/* A stream is shown by its tags, edits by their places, one line each; all else by itself. */
static size_t n_rows(const struct step *step)
{
	if (has_tag_rows(step))
		return step->moves.n;
	return step->edits.n && !step->blocked ? step->edits.n : 1;
}

static struct row row_of(const struct step *step, size_t i, struct arena *arena)
{
	if (has_tag_rows(step))
		return move_row(step, LIST_AT(step->moves, struct tag_move, i), arena);
	if (!step->blocked && step->edits.n)
		return edit_row(step, LIST_AT(step->edits, struct image_edit, i), arena);
	return (struct row){ .label = object_label(step->id, arena),
			     .phrase = phrase_of(step, arena),
			     .detail = detail_of(step, arena),
			     .color = step->blocked ? blocked_color : words[step->action].color };
}

static void put_row(const struct row *row, const size_t *widths, const struct report_style *style,
		    struct buf *out)
{
	bool has_color = style->with_color && *row->color;

	put_padded(row->label, widths[0] + 2, out);
	buf_puts(out, has_color ? row->color : "");
	put_padded(row->phrase, widths[1] + 2, out);
	buf_puts(out, has_color ? plain : "");
	put_clean(row->detail, out);
	while (out->len && out->data[out->len - 1] == ' ')
		out->data[--out->len] = '\0';
	buf_byte(out, '\n');
}

/* When a value that is not known yet will be. */
static void put_when(const struct step *step, struct arena *arena, struct buf *out)
{
	if (step->n_after) {
		buf_puts(out, " (known after ");
		put_clean(object_label(step->after[0]->id, arena), out);
		buf_puts(out, ")\n");
	} else {
		buf_puts(out, step->action == ACTION_COMPOSE ? " (known when it is composed)\n"
							     : " (known when servers are asked)\n");
	}
}

static void put_diff(const char *text, const struct report_style *style, struct buf *out)
{
	while (*text) {
		size_t n = strcspn(text, "\n"), shown = n;
		const char *color = *text == '-' ? "\033[31m" : *text == '+' ? "\033[32m" : "";

		while (shown && text[shown - 1] == '\r')
			shown--;
		buf_puts(out, "  ");
		buf_puts(out, style->with_color ? color : "");
		sanitize(text, shown, false, out);
		buf_puts(out, style->with_color && *color ? plain : "");
		buf_byte(out, '\n');
		text += n + (text[n] == '\n');
	}
}

static void put_step(const struct step *step, const size_t *widths,
		     const struct report_style *style, struct arena *arena, struct buf *out)
{
	for (size_t i = 0; i < n_rows(step); i++) {
		const struct row row = row_of(step, i, arena);

		put_row(&row, widths, style, out);
	}
	for (size_t i = 0; i < step->changes.list.n; i++) {
		const struct change *change = &step->changes.list.v[i];

		buf_printf(out, "  %-*s", REASON_WIDTH, reason_name(change->reason));
		put_clean(change->text ? change->text : "", out);
		buf_byte(out, '\n');
	}
	for (size_t i = 0; i < step->unknown.n && !step->is_folded; i++) {
		buf_puts(out, "  ");
		put_clean(step->unknown.v[i], out);
		put_when(step, arena, out);
	}
	if (style->diffs && map_has(style->diffs, step->id))
		put_diff(map_get(style->diffs, step->id), style, out);
}

static void widen(const char *text, size_t *width)
{
	size_t n = width_of(text);

	if (n > *width)
		*width = n;
}

void plan_text(const struct plan *plan, const struct report_style *style, struct buf *out)
{
	struct arena *arena = arena_new();
	size_t widths[2] = { 0, 0 };
	bool any = false;

	for (size_t i = 0; i < plan->steps.n; i++) {
		const struct step *step = plan->steps.v[i];

		for (size_t k = 0; is_shown(step) && k < n_rows(step); k++) {
			const struct row row = row_of(step, k, arena);

			any = true;
			widen(row.label, &widths[0]);
			widen(row.phrase, &widths[1]);
		}
	}
	for (size_t i = 0; i < plan->steps.n; i++)
		if (is_shown(plan->steps.v[i]))
			put_step(plan->steps.v[i], widths, style, arena, out);
	if (any)
		buf_byte(out, '\n');
	plan_summary(plan, out);
	arena_free(arena);
}

/* Streams count by their tags: those that move, and *n_failed that could not. */
static size_t count_of(const struct plan *plan, enum action action, size_t *n_failed)
{
	size_t n = plan->counts[action];

	if (action != ACTION_IMPORT && action != ACTION_MIRROR)
		return n;
	for (size_t i = 0; i < plan->steps.n; i++) {
		const struct step *step = plan->steps.v[i];

		if (step->action != action || step->blocked || !step->moves.n)
			continue;
		n += step->moves.n - 1;
		for (size_t k = 0; k < step->moves.n; k++) {
			if (!LIST_AT(step->moves, struct tag_move, k)->failure)
				continue;
			n--;
			++*n_failed;
		}
	}
	return n;
}

void plan_summary(const struct plan *plan, struct buf *out)
{
	static const enum action order[] = { ACTION_BUILD,   ACTION_REBASE, ACTION_COMPOSE,
					     ACTION_RESOLVE, ACTION_TAG,    ACTION_IMPORT,
					     ACTION_MIRROR,  ACTION_EDIT,   ACTION_DELETE };
	size_t n_failed = 0;
	bool any = false;

	for (size_t i = 0; i < COUNTOF(order); i++) {
		size_t n = count_of(plan, order[i], &n_failed);

		if (!n)
			continue;
		buf_printf(out, "%s%zu %s", any ? ", " : "", n,
			   n == 1 ? words[order[i]].one : words[order[i]].many);
		any = true;
	}
	if (n_failed)
		buf_printf(out, "%s%zu failed import%s", any ? ", " : "", n_failed,
			   n_failed == 1 ? "" : "s");
	any = any || n_failed;
	if (plan->n_blocked)
		buf_printf(out, "%s%zu blocked", any ? ", " : "", plan->n_blocked);
	if (any || plan->n_blocked)
		buf_printf(out, "; %zu unchanged.\n", plan->n_unchanged);
	else
		buf_printf(out, "Nothing to do: %zu unchanged.\n", plan->n_unchanged);
}

bool plan_has_changes(const struct plan *plan)
{
	for (size_t i = 0; i < plan->steps.n; i++)
		if (is_shown(plan->steps.v[i]))
			return true;
	return false;
}

static struct node *changes_node(const struct changes *changes, struct arena *arena)
{
	struct node *list = node_new(arena, NODE_SEQ);

	for (size_t i = 0; i < changes->list.n; i++) {
		const struct change *change = &changes->list.v[i];
		struct node *item = node_new(arena, NODE_MAP);

		node_set_text(arena, item, "reason", reason_name(change->reason));
		node_set(arena, item, "old",
			 change->old_value ? node_clone(arena, change->old_value)
					   : node_new(arena, NODE_NULL));
		node_set(arena, item, "new",
			 change->new_value ? node_clone(arena, change->new_value)
					   : node_new(arena, NODE_NULL));
		node_set_text(arena, item, "text", change->text);
		node_push(list, item);
	}
	return list;
}

static struct node *after_node(const struct step *step, struct arena *arena)
{
	struct node *list = node_new(arena, NODE_SEQ);

	for (size_t i = 0; i < step->n_after; i++)
		node_push(list, node_string(arena, step->after[i]->id));
	return list;
}

static struct node *strings_node(const struct strings *strings, struct arena *arena)
{
	struct node *list = node_new(arena, NODE_SEQ);

	for (size_t i = 0; i < strings->n; i++)
		node_push(list, node_string(arena, strings->v[i]));
	return list;
}

static struct node *edits_node(const struct list *edits, struct arena *arena)
{
	struct node *list = node_new(arena, NODE_SEQ);

	for (size_t i = 0; i < edits->n; i++) {
		const struct image_edit *edit = LIST_AT(*edits, struct image_edit, i);
		struct node *item = node_new(arena, NODE_MAP);

		node_set_text(arena, item, "file", edit->file);
		node_set(arena, item, "line", node_int(arena, edit->pos.line));
		node_set(arena, item, "column", node_int(arena, edit->pos.column));
		node_set_text(arena, item, "field", edit->what);
		node_set_text(arena, item, "old", edit->old_text);
		node_set_text(arena, item, "new", edit->new_text);
		node_push(list, item);
	}
	return list;
}

static struct node *moves_node(const struct step *step, struct arena *arena)
{
	struct node *list = node_new(arena, NODE_SEQ);

	for (size_t i = 0; i < step->moves.n; i++) {
		const struct tag_move *move = LIST_AT(step->moves, struct tag_move, i);
		struct node *item = node_new(arena, NODE_MAP);

		node_set_text(arena, item, "tag", move->tag);
		node_set_text(arena, item, "verb", move->verb);
		node_set_text(arena, item, "old", move->old_image);
		node_set_text(arena, item, "new", move->new_image);
		node_set_text(arena, item, "source", move->source);
		node_set_text(arena, item, "failure", move->failure);
		node_push(list, item);
	}
	return list;
}

static struct node *mirrors_node(const struct step *step, struct arena *arena)
{
	struct node *list = node_new(arena, NODE_SEQ);

	for (size_t i = 0; i < step->mirrors.n; i++) {
		const struct mirror *mirror = LIST_AT(step->mirrors, struct mirror, i);
		struct node *item = node_new(arena, NODE_MAP);

		node_set_text(arena, item, "from", mirror->from);
		node_set_text(arena, item, "to", mirror->to);
		node_push(list, item);
	}
	return list;
}

struct node *plan_step_node(const struct step *step, struct arena *arena)
{
	struct node *item = node_new(arena, NODE_MAP);

	node_set_text(arena, item, "object", step->id);
	node_set_text(arena, item, "action", step->blocked ? "blocked" : action_name(step->action));
	if (step->number)
		node_set(arena, item, "number", node_int(arena, step->number));
	node_set_text(arena, item, "summary", step->summary);
	node_set(arena, item, "changes", changes_node(&step->changes, arena));
	node_set_text(arena, item, "blocked", step->blocked);
	node_set_text(arena, item, "old", step->old_value);
	node_set_text(arena, item, "new", step->new_value);
	node_set_text(arena, item, "rule", step->rule);
	node_set_text(arena, item, "buildKey", step->build_key);
	if (step->tags.n)
		node_set(arena, item, "tags", strings_node(&step->tags, arena));
	if (step->moves.n)
		node_set(arena, item, "moves", moves_node(step, arena));
	if (step->mirrors.n)
		node_set(arena, item, "mirrors", mirrors_node(step, arena));
	if (step->unknown.n)
		node_set(arena, item, "unknown", strings_node(&step->unknown, arena));
	if (step->edits.n)
		node_set(arena, item, "edits", edits_node(&step->edits, arena));
	if (step->n_after)
		node_set(arena, item, "dependsOn", after_node(step, arena));
	if (step->object && step->object->file) {
		node_set_text(arena, item, "file", step->object->file->path);
		node_set(arena, item, "line", node_int(arena, step->object->pos.line));
	}
	return item;
}

struct node *plan_node(const struct plan *plan, const struct report_origin *origin,
		       struct arena *arena)
{
	struct node *root = node_new(arena, NODE_MAP), *summary = node_new(arena, NODE_MAP);
	struct node *items = node_new(arena, NODE_SEQ);

	node_set(arena, root, "formatVersion", node_int(arena, 1));
	node_set_text(arena, root, "sourceCommit", origin->source_commit);
	node_set_text(arena, root, "stateCommit", origin->state_commit);
	node_set(arena, root, "offline", node_bool(arena, origin->is_offline));
	for (enum action action = ACTION_RESOLVE; action < ACTIONS; action++)
		node_set(arena, summary, action_name(action),
			 node_int(arena, (int64_t)plan->counts[action]));
	node_set(arena, summary, "blocked", node_int(arena, (int64_t)plan->n_blocked));
	node_set(arena, summary, "unchanged", node_int(arena, (int64_t)plan->n_unchanged));
	node_set(arena, root, "summary", summary);
	for (size_t i = 0; i < plan->steps.n; i++)
		if (is_shown(plan->steps.v[i]))
			node_push(items, plan_step_node(plan->steps.v[i], arena));
	node_set(arena, root, "steps", items);
	node_set(arena, root, "notices", strings_node(&plan->notices, arena));
	return root;
}

void plan_json(const struct plan *plan, const struct report_origin *origin, struct arena *arena,
	       struct buf *out)
{
	json_print(plan_node(plan, origin, arena), JSON_PRETTY, out);
	buf_byte(out, '\n');
}
