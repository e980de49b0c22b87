/* SPDX-License-Identifier: Apache-2.0 */
/* look.c — selection and output shared by the looking commands. */
#include "reconcile/look.h"

#include <stdlib.h>
#include <string.h>

#include "buildexec/sys/fs.h"
#include "model/base/time.h"
#include "model/doc/json.h"
#include "model/doc/yaml.h"
#include "reconcile/report/table.h"

enum { CELL_BYTES = 1 << 20 };

static int by_name(const void *a, const void *b)
{
	const struct state_entry *const *left = a, *const *right = b;
	int order = strcmp((*left)->ns, (*right)->ns);

	return order ? order : strcmp((*left)->name, (*right)->name);
}

void look_list(struct context *context, enum kind kind, struct entries *out)
{
	const struct map *all = &context->state.state.by_id;
	const char *ns = kind_info(kind)->is_cluster ? NULL : context_ns(context);

	*out = (struct entries){ 0 };
	for (size_t i = 0; i < all->n; i++) {
		const struct state_entry *entry = all->items[i].value;

		if (entry->kind == kind && (!ns || strcmp(entry->ns, ns) == 0))
			vec_push(context->arena, out, entry);
	}
	if (out->n)
		qsort(out->v, out->n, sizeof(*out->v), by_name);
}

const struct state_entry *look_one(struct context *context, enum kind kind, const char *name)
{
	const char *near, *word = kind_name(kind);
	struct strings names = { 0 };
	struct entries list;

	look_list(context, kind, &list);
	for (size_t i = 0; i < list.n; i++) {
		if (strcmp(list.v[i]->name, name) == 0)
			return list.v[i];
		vec_push(context->arena, &names, list.v[i]->name);
	}
	near = suggest(name, names.v, names.n);
	if (near)
		log_line(LOG_ERROR, "no %s \"%s\" is recorded; did you mean \"%s\"?", word, name,
			 near);
	else
		log_line(LOG_ERROR, "no %s \"%s\" is recorded%s%s", word, name,
			 context_ns(context) && !kind_info(kind)->is_cluster ? " in namespace "
									     : "",
			 context_ns(context) && !kind_info(kind)->is_cluster ? context_ns(context)
									     : "");
	return NULL;
}

const struct node *look_document(struct context *context, const struct state_entry *entry)
{
	const char *bytes = map_get(&context->state.bytes_by_path, entry->path);
	struct source_file file = { .path = entry->path,
				    .text = bytes,
				    .len = bytes ? strlen(bytes) : 0 };
	struct documents documents = { 0 };
	struct diags diags;

	diags_init(&diags, context->arena);
	if (bytes)
		yaml_parse(&file, context->arena, &documents, &diags);
	if (documents.n == 1)
		return documents.v[0];
	log_line(LOG_ERROR, "state file '%s' cannot be read", entry->path);
	return NULL;
}

const struct model *look_manifests(struct context *context)
{
	const struct load_spec spec = { .path = context_dir(context),
					.settings = context->options.settings };
	struct loaded *loaded;
	struct err err = { 0 };

	if (context->is_loaded)
		return &context->loaded.model;
	if (!context->options.manifests && !fs_exists(".git") && !fs_exists("reconcile.yaml"))
		return NULL;
	loaded = ARENA_NEW(context->arena, struct loaded);
	if (!load_manifests(&spec, context->arena, loaded, &err)) {
		log_line(LOG_DEBUG, "manifests are not at hand: %s", err.text);
		return NULL;
	}
	context->loaded = *loaded; /* released with the context */
	context->is_loaded = true;
	return &context->loaded.model;
}

bool look_print(struct context *context, const struct node *document)
{
	if (context_is_output(context, "json")) {
		json_print(document, JSON_PRETTY, &context->out);
		buf_byte(&context->out, '\n');
		return true;
	}
	if (context_is_output(context, "yaml")) {
		yaml_print(document, &context->out);
		return true;
	}
	return false;
}

bool look_is_document(const struct context *context)
{
	return context_is_output(context, "json") || context_is_output(context, "yaml");
}

struct node *look_items(struct context *context, struct node *items)
{
	struct node *list = node_new(context->arena, NODE_MAP);

	node_set_text(context->arena, list, "apiVersion", "v1");
	node_set_text(context->arena, list, "kind", "List");
	node_set(context->arena, list, "items", items);
	return list;
}

static bool print_names(struct context *context, const struct state_entry *const *entries, size_t n)
{
	if (!context_is_output(context, "name"))
		return false;
	for (size_t i = 0; i < n; i++)
		buf_printf(&context->out, "%s\n", entries[i]->id);
	return true;
}

bool look_print_one(struct context *context, const struct state_entry *entry)
{
	return print_names(context, &entry, 1) ||
	       (look_is_document(context) && look_print(context, look_document(context, entry)));
}

bool look_print_list(struct context *context, const struct entries *entries)
{
	struct node *items;

	if (print_names(context, entries->v, entries->n))
		return true;
	if (!look_is_document(context))
		return false;
	items = node_new(context->arena, NODE_SEQ);
	for (size_t i = 0; i < entries->n; i++) {
		const struct node *document = look_document(context, entries->v[i]);

		if (document)
			node_push(items, node_clone(context->arena, document));
	}
	return look_print(context, look_items(context, items));
}

void look_row(const char *const *cells, size_t n, struct buf *rows)
{
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		AUTO_BUF clean = BUF_INIT(CELL_BYTES);

		if (!cells[i])
			continue;
		sanitize(cells[i], strlen(cells[i]), false, &clean);
		buf_printf(rows, "%s%s", any ? "\t" : "", buf_text(&clean));
		any = true;
	}
	buf_byte(rows, '\n');
}

char *look_time(struct context *context, int64_t unix_s)
{
	char text[TIME_TEXT];

	if (!unix_s)
		return arena_strdup(context->arena, "--");
	time_format(unix_s, text);
	text[10] = ' ';
	text[19] = '\0';
	return arena_strdup(context->arena, text);
}

static void put_buildpacks(struct context *context, const struct list *buildpacks, size_t n_columns)
{
	static const char *const header[] = { "BUILDPACK ID", "BUILDPACK VERSION", "HOMEPAGE" };
	struct text_table table;

	if (!buildpacks->n)
		return;
	text_table_init(&table, context->arena, header, n_columns);
	for (size_t i = 0; i < buildpacks->n; i++) {
		const struct buildpack_id *id = LIST_AT(*buildpacks, struct buildpack_id, i);
		const char *const cells[] = { id->id, id->version, id->homepage };

		text_table_add(&table, cells);
	}
	text_table_print(&table, &context->out);
}

void look_buildpacks(struct context *context, const struct list *buildpacks)
{
	put_buildpacks(context, buildpacks, 3);
}

void look_used_buildpacks(struct context *context, const struct list *buildpacks)
{
	put_buildpacks(context, buildpacks, context_is_output(context, "wide") ? 3 : 2);
}
