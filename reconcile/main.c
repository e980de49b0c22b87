/* SPDX-License-Identifier: Apache-2.0 */
/* main.c — takes the environment, finds the command, runs it, writes its result. */
#include <string.h>
#include <unistd.h>

#include "buildexec/sys/log.h"
#include "buildexec/sys/proc.h"
#include "reconcile/context.h"

extern char **environ;

static int index_of(const char *word, const char *const *words, int n, int otherwise)
{
	for (int i = 0; word && i < n; i++)
		if (strcmp(words[i], word) == 0)
			return i;
	return otherwise;
}

static void init_log(const struct options *options)
{
	static const char *const levels[] = { "error", "warn", "info", "debug" };
	static const char *const formats[] = { "text", "json", "logfmt" };
	int level = index_of(options->log_level, levels, LOG_LEVELS,
			     options->is_verbose ? LOG_DEBUG : LOG_INFO);
	int format = index_of(options->log_format, formats, LOG_FORMATS, LOG_TEXT);
	const char *none = proc_getenv("NO_COLOR");
	bool with_color = options->color
				  ? strcmp(options->color, "always") == 0 ||
					    (strcmp(options->color, "auto") == 0 && isatty(2))
				  : isatty(2);

	log_init(&(struct log_options){ .level = (enum log_level)level,
					.format = (enum log_format)format,
					.with_color = with_color && !(none && *none),
					.with_time = format != LOG_TEXT,
					.fd = STDERR_FILENO });
}

static int run(const struct command *command, const struct options *options, struct arena *arena)
{
	struct context context;
	int code = EXIT_DONE;

	context_init(&context, command, options, arena);
	if (options->version)
		buf_puts(&context.out, "reconcile " RECONCILE_VERSION "\n");
	else if (options->help)
		help_print(command, &context.out);
	else
		code = command->run(&context);
	code = context_flush(&context, code);
	context_release(&context);
	return code;
}

int main(int argc, char **argv)
{
	struct arena *arena;
	const struct command *command;
	struct options options;
	struct err err = { 0 };
	int code;

	if (!proc_begin())
		return EXIT_ERROR;
	arena = arena_new();
	proc_set_environment((const char *const *)environ);
	log_init(&(struct log_options){ .level = LOG_INFO, .fd = STDERR_FILENO });
	if (options_parse(argc, (const char *const *)argv, arena, &command, &options, &err)) {
		init_log(&options);
		code = run(command, &options, arena);
	} else {
		log_line(LOG_ERROR, "%s", err.text);
		log_line(LOG_ERROR, "see 'reconcile --help'");
		code = EXIT_USAGE;
	}
	arena_free(arena);
	return code;
}
