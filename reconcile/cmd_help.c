/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_help.c — help, version, completion scripts and the man page, all printed from the tables of commands and options. */
#include <string.h>
#include <unistd.h>

#include "buildexec/worker/worker.h"
#include "reconcile/commands.h"

int cmd_version(struct context *context)
{
	buf_puts(&context->out, "reconcile " RECONCILE_VERSION "\n");
	return EXIT_DONE;
}

int cmd_worker(struct context *context)
{
	(void)context;
	return worker_main(STDIN_FILENO, STDOUT_FILENO);
}

int cmd_help(struct context *context)
{
	AUTO_BUF words = BUF_INIT(256);

	for (size_t i = 0; i < context->options.args.n; i++)
		buf_printf(&words, "%s%s", i ? " " : "", context->options.args.v[i]);
	for (size_t i = 0; i < n_commands; i++) {
		if (strcmp(commands[i].words, buf_text(&words)) == 0) {
			help_print(&commands[i], &context->out);
			return EXIT_DONE;
		}
	}
	log_line(LOG_ERROR, "unknown command '%s'; see 'reconcile --help'", buf_text(&words));
	return EXIT_USAGE;
}

/* The first words, or the second words after `first`, each once. */
static void put_words(const char *first, const char *separator, struct buf *out)
{
	const char *before = "";
	size_t n_before = 0;

	for (size_t i = 1; i < n_commands; i++) {
		const char *word = commands[i].words;
		size_t n = strcspn(word, " ");

		if (commands[i].is_hidden)
			continue;
		if (first) {
			if (n != strlen(first) || strncmp(word, first, n) != 0 || !word[n])
				continue;
			word += n + 1;
			n = strlen(word);
		}
		if (n == n_before && strncmp(before, word, n) == 0)
			continue;
		buf_printf(out, "%s%.*s", n_before ? separator : "", (int)n, word);
		before = word;
		n_before = n;
	}
}

static void put_options(struct buf *out)
{
	for (size_t i = 0; i < n_option_rows; i++)
		buf_printf(out, "%s--%s", i ? " " : "", option_rows[i].name);
}

static void put_bash(struct buf *out)
{
	buf_puts(out, "# bash completion of reconcile\n_reconcile() {\n"
		      "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
		      "\tcase $prev in\n");
	for (size_t i = 0; i < n_option_rows; i++)
		if (option_rows[i].choices && option_rows[i].type == OPTION_CHOICE) {
			buf_printf(out, "\t--%s) COMPREPLY=($(compgen -W '", option_rows[i].name);
			for (const char *at = option_rows[i].choices; *at; at++)
				buf_byte(out, *at == '|' ? ' ' : *at);
			buf_puts(out, "' -- \"$cur\")); return ;;\n");
		}
	for (size_t i = 1; i < n_commands; i++) {
		size_t n = strcspn(commands[i].words, " ");

		if (!commands[i].words[n] ||
		    (i > 1 && strncmp(commands[i - 1].words, commands[i].words, n + 1) == 0))
			continue;
		buf_printf(out, "\t%.*s) COMPREPLY=($(compgen -W '", (int)n, commands[i].words);
		AUTO_BUF first = BUF_INIT(64);
		buf_add(&first, commands[i].words, n);
		put_words(buf_text(&first), " ", out);
		buf_puts(out, "' -- \"$cur\")); return ;;\n");
	}
	buf_puts(out, "\tesac\n\tif [[ $cur == -* ]]; then COMPREPLY=($(compgen -W '");
	put_options(out);
	buf_puts(out,
		 "' -- \"$cur\"))\n\telif [[ $COMP_CWORD == 1 ]]; then COMPREPLY=($(compgen -W '");
	put_words(NULL, " ", out);
	buf_puts(out, "' -- \"$cur\") $(compgen -d -- \"$cur\"))\n"
		      "\telse COMPREPLY=($(compgen -f -- \"$cur\")); fi\n}\n"
		      "complete -o filenames -F _reconcile reconcile\n");
}

/* A text between single quotes of zsh and fish. */
static void put_quoted(const char *text, struct buf *out)
{
	buf_byte(out, '\'');
	for (; *text; text++) {
		if (*text == '\'')
			buf_puts(out, "'\\''");
		else
			buf_byte(out, *text);
	}
	buf_byte(out, '\'');
}

static void put_fish(struct buf *out)
{
	buf_puts(out, "# fish completion of reconcile\n");
	for (size_t i = 1; i < n_commands; i++) {
		size_t n = strcspn(commands[i].words, " ");

		if (commands[i].is_hidden)
			continue;
		if (commands[i].words[n])
			buf_printf(out,
				   "complete -c reconcile -n __fish_use_subcommand -a %.*s\n"
				   "complete -c reconcile -n '__fish_seen_subcommand_from %.*s' -a "
				   "%s -d ",
				   (int)n, commands[i].words, (int)n, commands[i].words,
				   commands[i].words + n + 1);
		else
			buf_printf(out, "complete -c reconcile -n __fish_use_subcommand -a %s -d ",
				   commands[i].words);
		put_quoted(commands[i].summary, out);
		buf_byte(out, '\n');
	}
	for (size_t i = 0; i < n_option_rows; i++) {
		buf_printf(out, "complete -c reconcile -l %s", option_rows[i].name);
		if (option_rows[i].letter)
			buf_printf(out, " -s %c", option_rows[i].letter);
		if (option_rows[i].type != OPTION_FLAG && option_rows[i].type != OPTION_MAYBE)
			buf_puts(out, " -r");
		buf_puts(out, " -d ");
		put_quoted(option_rows[i].help, out);
		buf_byte(out, '\n');
	}
}

static void put_zsh(struct buf *out)
{
	buf_puts(out,
		 "#compdef reconcile\n# zsh completion of reconcile, through its bash completion\n"
		 "autoload -U +X bashcompinit && bashcompinit\n");
	put_bash(out);
}

int cmd_completion(struct context *context)
{
	static const struct {
		const char *shell;
		void (*put)(struct buf *out);
	} shells[] = { { "bash", put_bash }, { "zsh", put_zsh }, { "fish", put_fish } };

	for (size_t i = 0; i < COUNTOF(shells); i++) {
		if (strcmp(shells[i].shell, context->options.args.v[0]) == 0) {
			shells[i].put(&context->out);
			return EXIT_DONE;
		}
	}
	log_line(LOG_ERROR, "no completion for '%s': bash, zsh or fish",
		 context->options.args.v[0]);
	return EXIT_USAGE;
}

/* Text of a man page: backslashes, and dots and quotes at the start of a line, mean something there. */
static void put_man_text(const char *text, struct buf *out)
{
	bool is_start = true;

	for (; *text; text++) {
		if (is_start && (*text == '.' || *text == '\''))
			buf_puts(out, "\\&");
		if (*text == '\\')
			buf_puts(out, "\\e");
		else if (*text == '-')
			buf_puts(out, "\\-");
		else
			buf_byte(out, *text);
		is_start = *text == '\n';
	}
	buf_byte(out, '\n');
}

static void put_man_commands(struct buf *out)
{
	buf_puts(out, ".SH COMMANDS\n");
	for (size_t i = 1; i < n_commands; i++) {
		if (commands[i].is_hidden)
			continue;
		buf_printf(out, ".TP\n.B reconcile %s\n.I %s\n.br\n", commands[i].words,
			   commands[i].args);
		put_man_text(commands[i].detail ? commands[i].detail : commands[i].summary, out);
	}
}

static void put_man_options(struct context *context)
{
	struct buf *out = &context->out;

	buf_puts(out, ".SH OPTIONS\n");
	for (size_t i = 0; i < n_option_rows; i++) {
		const struct option_row *row = &option_rows[i];

		buf_puts(out, ".TP\n");
		if (row->letter)
			buf_printf(out, ".BR \\-%c \", \" \\-\\-%s", row->letter, row->name);
		else
			buf_printf(out, ".B \\-\\-%s", row->name);
		if (row->arg)
			buf_printf(out, " \" %s\"", row->arg);
		buf_byte(out, '\n');
		put_man_text(row->help, out);
		buf_printf(out, "Environment: %s\n", option_variable(row, context->arena));
	}
}

int cmd_man(struct context *context)
{
	struct buf *out = &context->out;

	buf_puts(out,
		 ".TH RECONCILE 1\n.SH NAME\nreconcile \\- declarative GitOps reconciler for "
		 "container "
		 "images\n.SH SYNOPSIS\n.B reconcile\n[OPTIONS] [DIR]\n.br\n.B reconcile\nCOMMAND "
		 "[OPTIONS] [ARGUMENTS]\n.SH DESCRIPTION\n");
	put_man_text(commands[0].detail, out);
	put_man_commands(out);
	put_man_options(context);
	buf_puts(out,
		 ".SH EXIT STATUS\n0 converged, or a dry run that could be computed; 1 unexpected "
		 "error; "
		 "2 changes (with \\-\\-detailed\\-exitcode); 3 invalid manifests or settings; 4 "
		 "some "
		 "builds or imports failed; 5 state could not be read or written; 6 changes (with "
		 "\\-\\-expect\\-no\\-changes); 64 wrong usage; 130 interrupted.\n.SH "
		 "EXAMPLES\n.nf\n");
	put_man_text(commands[0].examples, out);
	buf_puts(out, ".fi\n");
	return EXIT_DONE;
}
