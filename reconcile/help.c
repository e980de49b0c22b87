/* SPDX-License-Identifier: Apache-2.0 */
/* help.c — help texts from the tables of options and commands. */
#include <string.h>

#include "reconcile/options.h"

enum { NAME_WIDTH = 30, TEXT_WIDTH = 98 };

/* Wraps at blanks, continuation lines start at `indent`. */
static void put_wrapped(const char *text, size_t column, size_t indent, struct buf *out)
{
	while (*text) {
		size_t n = strcspn(text, " \n");

		if (column > indent && column + 1 + n > TEXT_WIDTH) {
			buf_printf(out, "\n%*s", (int)indent, "");
			column = indent;
		} else if (column > indent) {
			buf_byte(out, ' ');
			column++;
		}
		buf_add(out, text, n);
		column += n;
		text += n;
		if (*text == '\n') {
			buf_printf(out, "\n%*s", (int)indent, "");
			column = indent;
		}
		text += *text != '\0';
	}
	buf_byte(out, '\n');
}

static void put_option(const struct option_row *row, const struct command *command, struct buf *out)
{
	size_t start = out->len, width;

	buf_puts(out, "  ");
	if (row->letter)
		buf_printf(out, "-%c, ", row->letter);
	else
		buf_puts(out, "    ");
	buf_printf(out, "--%s", row->name);
	if (row->type == OPTION_MAYBE)
		buf_printf(out, "[=%s]", row->arg);
	else if (strcmp(row->name, "output") == 0)
		buf_printf(out, " %s", command_outputs(command));
	else if (row->arg)
		buf_printf(out, " %s", row->type == OPTION_CHOICE ? row->choices : row->arg);
	width = out->len - start;
	if (width + 2 > NAME_WIDTH)
		buf_printf(out, "\n%*s", NAME_WIDTH, "");
	else
		buf_printf(out, "%*s", (int)(NAME_WIDTH - width), "");
	put_wrapped(row->help, NAME_WIDTH, NAME_WIDTH, out);
}

static void put_options(const struct command *command, struct buf *out)
{
	buf_puts(out, "\nOptions:\n");
	for (size_t i = 0; i < n_option_rows; i++)
		if (option_takes(command, &option_rows[i]))
			put_option(&option_rows[i], command, out);
	buf_puts(out, "\nEvery option has an environment variable: --state-branch is "
		      "RECONCILE_STATE_BRANCH.\n");
}

static void put_examples(const char *examples, struct buf *out)
{
	if (!examples)
		return;
	buf_puts(out, "\nExamples:\n");
	while (*examples) {
		size_t n = strcspn(examples, "\n");

		buf_printf(out, "  %.*s\n", (int)n, examples);
		examples += n + (examples[n] == '\n');
	}
}

static void put_commands(struct buf *out)
{
	buf_puts(out, "\nCommands:\n");
	for (size_t i = 1; i < n_commands; i++) {
		size_t start = out->len, width;

		if (commands[i].is_hidden)
			continue;
		buf_printf(out, "  %s %s", commands[i].words, commands[i].args);
		width = out->len - start;
		if (width >= NAME_WIDTH)
			buf_byte(out, '\n');
		buf_printf(out, "%*s", (int)(NAME_WIDTH - (width < NAME_WIDTH ? width : 0)), "");
		put_wrapped(commands[i].summary, NAME_WIDTH, NAME_WIDTH, out);
	}
	buf_puts(out,
		 "\nExit codes: 0 converged, or a dry run that could be computed; 1 unexpected "
		 "error; "
		 "2 changes (--detailed-exitcode);\n3 invalid manifests or settings; 4 some builds "
		 "failed; 5 state could not be read or written; 6 changes\n(--expect-no-changes); "
		 "64 wrong usage; 130 interrupted.\n");
}

void help_print(const struct command *command, struct buf *out)
{
	if (!command)
		command = &commands[0];
	buf_printf(out, "Usage: reconcile%s%s [OPTIONS] %s\n\n", *command->words ? " " : "",
		   command->words, command->args);
	put_wrapped(command->detail ? command->detail : command->summary, 0, 0, out);
	if (command == &commands[0])
		put_commands(out);
	put_options(command, out);
	put_examples(command->examples, out);
}
