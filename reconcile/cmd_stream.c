/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_stream.c — `stream list`, `describe` and `lookup`, and the same under oc's names: `get is`, `describe is/NAME`,
 * `describe istag/NAME:TAG`; there build configs and builds too. Columns: openshift.md §5.5.
 */
#include <string.h>

#include "reconcile/build_command.h"
#include "reconcile/commands.h"
#include "reconcile/edit_command.h"
#include "reconcile/look.h"
#include "reconcile/report/human.h"
#include "reconcile/report/stream_report.h"
#include "reconcile/report/tabwriter.h"
#include "reconcile/stream_edit.h"
#include "reconcile/stream_look.h"

static const char *all_tags(const struct stream_status *status, struct arena *arena)
{
	AUTO_BUF cell = BUF_INIT(1 << 20);
	struct strings names;

	stream_tag_names(status, arena, &names);
	for (size_t i = 0; i < names.n; i++)
		buf_printf(&cell, "%s%s", i ? "," : "", names.v[i]);
	return buf_copy(&cell, arena);
}

static void put_rows(struct context *context, const struct entries *list)
{
	struct arena *arena = context->arena;
	bool is_wide = context_is_output(context, "wide");
	bool with_ns = context->options.all_namespaces;
	AUTO_BUF rows = BUF_INIT(64 << 20);

	buf_printf(&rows, "%sNAME\tIMAGE REPOSITORY\tTAGS\tUPDATED\n",
		   with_ns ? "NAMESPACE\t" : "");
	for (size_t i = 0; i < list->n; i++) {
		const struct stream_status *status = list->v[i]->status;
		int64_t updated_s = stream_updated_s(status);
		const char *const cells[] = {
			with_ns ? list->v[i]->ns : NULL,
			list->v[i]->name,
			status->repository ? status->repository : "",
			is_wide ? all_tags(status, arena) : stream_tags_cell(status, arena),
			updated_s ? human_ago(updated_s, context->now_s, arena) : "",
		};

		look_row(cells, COUNTOF(cells), &rows);
	}
	tab_align(buf_text(&rows), &tab_get, &context->out);
}

/* `name` NULL: all of them. */
static int list_streams(struct context *context, const char *name)
{
	struct entries list;
	const struct state_entry *one;
	int code = context_read_state(context);

	if (code != EXIT_DONE)
		return code;
	look_list(context, KIND_IMAGE_STREAM, &list);
	if (name) {
		one = look_one(context, KIND_IMAGE_STREAM, name);
		if (!one)
			return EXIT_ERROR;
		list = (struct entries){ &one, 1, 1 };
	}
	if (context_is_output(context, "name")) /* as oc spells them */
		for (size_t i = 0; i < list.n; i++)
			buf_printf(&context->out, "imagestream.image.openshift.io/%s\n",
				   list.v[i]->name);
	else if (look_print_list(context, &list))
		return EXIT_DONE;
	else if (list.n)
		put_rows(context, &list);
	else
		buf_puts(&context->out, "no image streams found\n");
	return EXIT_DONE;
}

int cmd_stream_list(struct context *context)
{
	return list_streams(context, NULL);
}

/* What a description is of. */
enum described { OF_STREAM, OF_TAG, OF_IMAGE, OF_CONFIG, OF_BUILD };

static int describe(struct context *context, const char *word, enum described what)
{
	struct arena *arena = context->arena;
	const struct state_entry *entry;
	const char *name = word, *part = NULL;
	struct err err = { 0 };
	int code;

	if (what == OF_TAG && !stream_tag_name_parse(word, arena, &name, &part, &err))
		return context_fail(&err, EXIT_USAGE);
	if (what == OF_IMAGE && !stream_image_name_parse(word, arena, &name, &part, &err))
		return context_fail(&err, EXIT_USAGE);
	code = context_read_state(context);
	if (code != EXIT_DONE)
		return code;
	entry = look_one(context, KIND_IMAGE_STREAM, name);
	if (!entry)
		return EXIT_ERROR;
	return what == OF_TAG     ? stream_show_tag(context, entry, part)
	       : what == OF_IMAGE ? stream_show_image(context, entry, part)
				  : stream_show(context, entry);
}

int cmd_stream_describe(struct context *context)
{
	const char *word = context->options.args.v[0];

	return describe(context, word,
			strchr(word, '@')   ? OF_IMAGE
			: strchr(word, ':') ? OF_TAG
					    : OF_STREAM);
}

/* oc's words, singular and plural; false: it is none of them. */
static bool find_word(const char *word, size_t n, enum described *out)
{
	static const struct {
		const char *word;
		enum described what;
	} words[] = { { "is", OF_STREAM },
		      { "imagestream", OF_STREAM },
		      { "imagestreams", OF_STREAM },
		      { "stream", OF_STREAM },
		      { "istag", OF_TAG },
		      { "imagestreamtag", OF_TAG },
		      { "imagestreamtags", OF_TAG },
		      { "isimage", OF_IMAGE },
		      { "imagestreamimage", OF_IMAGE },
		      { "imagestreamimages", OF_IMAGE },
		      { "bc", OF_CONFIG },
		      { "buildconfig", OF_CONFIG },
		      { "buildconfigs", OF_CONFIG },
		      { "build", OF_BUILD },
		      { "builds", OF_BUILD } };

	for (size_t i = 0; i < COUNTOF(words); i++) {
		if (strlen(words[i].word) == n && strncasecmp(words[i].word, word, n) == 0) {
			*out = words[i].what;
			return true;
		}
	}
	return false;
}

/* KIND/NAME or KIND NAME; *name NULL: none is given. ERR_INVALID: both are. */
static bool split_words(const struct strings *args, size_t *n, const char **name, struct err *err)
{
	const char *word = args->v[0];

	*n = strcspn(word, "/");
	*name = word[*n] ? word + *n + 1 : args->n > 1 ? args->v[1] : NULL;
	return !word[*n] || (args->n == 1 && word[*n + 1]) ||
	       err_set(err, ERR_INVALID, "KIND/NAME or KIND NAME is needed");
}

static const char *build_word(struct context *context, const char *name)
{
	return arena_printf(context->arena, "build/%s", name);
}

int cmd_describe(struct context *context)
{
	const struct strings *args = &context->options.args;
	enum described what;
	struct err err = { 0 };
	const char *name;
	size_t n;

	if (!split_words(args, &n, &name, &err))
		return context_fail(&err, EXIT_USAGE);
	if (!find_word(args->v[0], n, &what))
		err_set(&err, ERR_INVALID,
			"'describe' knows is, istag, isimage, bc and build, not '%.*s'; other "
			"kinds are shown by 'reconcile image status', 'builder status', …",
			(int)n, args->v[0]);
	else if (!name)
		err_set(&err, ERR_INVALID, "usage: reconcile describe KIND/NAME");
	else
		return what == OF_CONFIG  ? build_config_show(context, name)
		       : what == OF_BUILD ? build_show(context, build_word(context, name))
					  : describe(context, name, what);
	return context_fail(&err, EXIT_USAGE);
}

int cmd_get(struct context *context)
{
	const struct strings *args = &context->options.args;
	enum described what;
	struct err err = { 0 };
	const char *name;
	size_t n;

	if (!split_words(args, &n, &name, &err))
		return context_fail(&err, EXIT_USAGE);
	if (!find_word(args->v[0], n, &what))
		what = OF_TAG;
	if (what == OF_STREAM)
		return list_streams(context, name);
	if (what == OF_CONFIG)
		return build_config_list(context, name);
	if (what == OF_BUILD)
		return build_list_configs(context, name ? build_word(context, name) : NULL);
	err_set(&err, ERR_INVALID,
		"'get' lists image streams (is), build configs (bc) and builds, not '%.*s'; other "
		"kinds are listed by 'reconcile image list', 'builder list', …",
		(int)n, args->v[0]);
	return context_fail(&err, EXIT_USAGE);
}

int cmd_stream_lookup(struct context *context)
{
	static const char *const keys[] = { "spec", "lookupPolicy", "local", NULL };
	const char *name = context->options.args.v[0], *enabled = context->options.stream.enabled;
	const struct tag_target target = { name, context_ns(context), name, "" };
	const struct manifest_id id = { KIND_IMAGE_STREAM, target.ns, name };
	bool is_on = !enabled || option_is_on(enabled);
	struct stream_place place;
	struct manifests all;
	struct edit_result result = { .all = &all };
	struct err err = { 0 };

	if (!manifests_open(context, &all, &err) || !stream_place_find(&all, &target, &place, &err))
		return context_fail(&err, EXIT_ERROR);
	if (!place.has_stream)
		return edit_absent(context, &id);
	if (!stream_set(&place, keys, node_bool(context->arena, is_on), &err))
		return context_fail(&err, EXIT_ERROR);
	result.what = arena_printf(context->arena,
				   "imagestream.image.openshift.io/%s image lookup updated", name);
	return edit_finish(&result);
}
