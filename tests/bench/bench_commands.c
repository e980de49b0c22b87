/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_commands.c — whole commands in turns, for benches that are scripts: bench_commands --title=T [--rounds=N] NAME
 * COMMAND [NAME COMMAND]…. The commands are run by sh; the first is what the others are compared with. A command may be
 * "PREPARATION ;; COMMAND", whose first part is not measured. --goal=A/B:X says that the least time of command A (from 1)
 * should be at most X of B's, or with --goal=A:X, X ms; --memory=X that none of those A may use more MiB.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/base/arena.h"
#include "tests/bench/contest.h"

enum { COMMANDS_MAX = 16 };

static bool prepare(void *ctx, struct err *err)
{
	const char *const argv[] = { "sh", "-c", ctx, NULL };

	return !ctx || bench_has(argv) || err_set(err, ERR_INVALID, "'%s' failed", (char *)ctx);
}

static const char *after(const char *text, const char *mark)
{
	const char *at = strstr(text, mark);

	return at ? at + strlen(mark) : text;
}

/* One --goal=…: what it is about, and how it went. */
static void print_goal(const struct entrant *entrants, size_t n, const char *text, double max_mib)
{
	char *end;
	size_t a = strtoul(text, &end, 10), b = *end == '/' ? strtoul(end + 1, &end, 10) : 0;
	const struct entrant *entrant = &entrants[a - 1];
	double at_most = strtod(end + 1, NULL);

	if (a < 1 || a > n || b > n || *end != ':')
		bench_die("not a goal: '%s'", text);
	if (b)
		contest_goal(entrant->name, entrant->least_ms / entrants[b - 1].least_ms, at_most,
			     "x of the least times");
	else
		contest_goal(entrant->name, entrant->least_ms, at_most, " ms");
	if (max_mib > 0)
		contest_goal("its memory", entrant->rss_mib, max_mib, " MiB");
}

int main(int argc, char **argv)
{
	const char *title = bench_option(argc, argv, "--title"),
		   *rounds = bench_option(argc, argv, "--rounds"),
		   *memory = bench_option(argc, argv, "--memory");
	struct entrant entrants[COMMANDS_MAX] = { 0 };
	const char *shells[COMMANDS_MAX][4];
	struct arena *arena = arena_new();
	size_t n = 0;

	for (int i = 1; i + 1 < argc && n < COMMANDS_MAX; i++) {
		const char *command;

		if (strncmp(argv[i], "--", 2) == 0)
			continue;
		command = after(argv[i + 1], ";;");
		shells[n][0] = "sh";
		shells[n][1] = "-c";
		shells[n][2] = command;
		shells[n][3] = NULL;
		entrants[n].name = argv[i];
		entrants[n].argv = shells[n];
		entrants[n].prepare = prepare;
		if (command != argv[i + 1])
			entrants[n].ctx =
				arena_copy(arena, argv[i + 1], (size_t)(command - argv[i + 1]) - 2);
		n++, i++;
	}
	if (!n)
		bench_die("usage: bench_commands --title=T [--rounds=N] NAME COMMAND …");
	contest_run(entrants, n, rounds ? (unsigned)strtoul(rounds, NULL, 10) : 9);
	contest_print(title ? title : "", entrants, n, &entrants[0]);
	for (int i = 1; i < argc; i++)
		if (strncmp(argv[i], "--goal=", 7) == 0)
			print_goal(entrants, n, argv[i] + 7, memory ? strtod(memory, NULL) : 0);
	arena_free(arena);
	return 0;
}
