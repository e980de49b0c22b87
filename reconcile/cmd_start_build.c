/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_start_build.c — `start-build`: the main job for one build config, with a start of its own. It runs to the end: this tool
 * has nobody who would build later. Messages: openshift.md §5.5.
 */
#include <string.h>

#include "reconcile/commands.h"
#include "reconcile/start.h"

/* "cart", "bc/cart", "buildconfig/cart" */
static bool read_name(const char *word, struct arena *arena, const char **out, struct err *err)
{
	const char *slash = strchr(word, '/');
	enum kind kind = KIND_BUILD_CONFIG;

	*out = slash ? slash + 1 : word;
	if (slash) {
		const char *given = arena_copy(arena, word, (size_t)(slash - word));

		kind = kind_by_word(given);
		if (strncmp(given, "build", 5) == 0 && kind != KIND_BUILD_CONFIG)
			return err_set(err, ERR_INVALID, "use --from-build to rerun your builds");
	}
	return (kind == KIND_BUILD_CONFIG && **out && !strchr(*out, '/')) ||
	       err_set(err, ERR_INVALID, "invalid resource provided: %s", word);
}

static void put_hook(struct context *context, const char *filter,
		     const struct build_trigger *trigger)
{
	static const char *const types[] = { TRIGGER_GENERIC, TRIGGER_GITHUB, TRIGGER_GITLAB,
					     TRIGGER_BITBUCKET };
	const struct webhook *const hooks[] = { trigger->generic, trigger->github, trigger->gitlab,
						trigger->bitbucket };
	static const char *const words[] = { "generic", "github", "gitlab", "bitbucket" };

	for (size_t i = 0; i < COUNTOF(types); i++) {
		if (!hooks[i] || strcmp(trigger->type, types[i]) != 0 ||
		    (strcmp(filter, "all") != 0 && strcmp(filter, words[i]) != 0))
			continue;
		buf_printf(&context->out, "%s\t%s\n", words[i],
			   hooks[i]->secret_ref ? arena_printf(context->arena, "secret \"%s\"",
							       hooks[i]->secret_ref->name)
						: "secret <secret>");
	}
}

static int list_webhooks(struct build_starter *starter, struct context *context)
{
	const struct build_config_spec *spec;
	const struct object *config;
	struct err err = { 0 };
	int code = context_load(context);

	if (code != EXIT_DONE)
		return code;
	if (!starter_find(starter, &context->loaded.model, &config, &err))
		return context_fail(&err, EXIT_ERROR);
	spec = config->spec;
	for (size_t i = 0; i < spec->triggers.n; i++)
		put_hook(context, context->options.start.list_webhooks,
			 LIST_AT(spec->triggers, struct build_trigger, i));
	log_line(LOG_INFO,
		 "nobody listens here: CI serves webhooks; it runs 'reconcile' when a push comes, "
		 "and 'reconcile start-build %s' for anything else",
		 starter->name);
	return EXIT_DONE;
}

static struct options run_options(const struct options *mine, const char *dir,
				  struct build_starter *starter, struct arena *arena)
{
	struct options options = *mine;

	options.args = (struct strings){ 0 };
	vec_push(arena, &options.args, dir);
	options.output = NULL;
	options.is_waiting = false;
	options.starter = starter;
	return options;
}

int cmd_start_build(struct context *context)
{
	const struct options *options = &context->options;
	const size_t n_names = options->start.from_build ? 0 : 1;
	const bool has_name = options->args.n >= 1 && n_names;
	struct build_starter starter = { .options = &options->start,
					 .ns = context_ns(context),
					 .is_name_alone = context_is_output(context, "name"),
					 .source = { .lock_fd = -1 } };
	struct context run;
	struct options inner;
	struct err err = { 0 };
	int code;

	if (options->args.n > n_names + 1)
		err_set(&err, ERR_INVALID,
			"unexpected argument '%s': a build that is run again has "
			"its name from --from-build",
			options->args.v[n_names + 1]);
	if (err.kind || !start_options_check(&options->start, has_name, &err) ||
	    (has_name && !read_name(options->args.v[0], context->arena, &starter.name, &err)))
		return context_fail(&err, EXIT_USAGE);
	inner = run_options(options, options->args.n > n_names ? options->args.v[n_names] : ".",
			    &starter, context->arena);
	context_init(&run, &commands[0], &inner, context->arena);
	code = options->start.list_webhooks ? list_webhooks(&starter, &run) : cmd_run(&run);
	code = context_flush(&run, code);
	starter_release(&starter);
	context_release(&run);
	return code;
}
