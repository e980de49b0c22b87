/* SPDX-License-Identifier: Apache-2.0 */
/*
 * contest.h — several ways of doing the same work, run in turns within one program, each run in a process of its own, so
 * that times, cpu and peak memory belong to that way alone. Prints medians and their ratio to the first way: absolute
 * figures drift with the machine, ratios hardly do. Never an assertion about time.
 */
#ifndef TESTS_BENCH_CONTEST_H
#define TESTS_BENCH_CONTEST_H

#include <stdint.h>

#include "model/base/err.h"

/* Returns false with `err` set when the work could not be done or came out wrong; the bench then fails. */
typedef bool contest_fn(void *ctx, struct err *err);

/* clang-format off */
struct entrant {
	const char *name;
	contest_fn *run;
	contest_fn *prepare;  /* untimed, before every run, in the bench's own process; may be NULL */
	void *ctx;
	const char *const *argv; /* instead of run: a program; its standard output is dropped      */
	const char *input;       /* its standard input: a file; NULL: nothing                      */
	/* Filled by contest_run: medians of wall and cpu time, least wall time, greatest memory. */
	double wall_ms, cpu_ms, least_ms, rss_mib;
};
/* clang-format on */

enum { CONTEST_ROUNDS_MAX = 101 };

/* Runs every entrant `rounds` times in turns. Exits with a message when one of them fails. */
void contest_run(struct entrant *entrants, size_t n, unsigned rounds);
/* A table with a ratio to `base` in each row. */
void contest_print(const char *title, const struct entrant *entrants, size_t n,
		   const struct entrant *base);
/* "goal", for the reader: prints whether the figure keeps it. */
void contest_goal(const char *what, double figure, double at_most, const char *unit);

/* A folder for the bench's files, removed by bench_clean; below TMPDIR or /tmp. */
const char *bench_folder(void);
void bench_clean(void);
/* Prints and exits with 1. */
_Noreturn void bench_die(const char *fmt, ...) PRINTF(1, 2);
/* The value of "--name=value" or "--name" in argv, or NULL. */
const char *bench_option(int argc, char **argv, const char *name);
/* Whether a program is installed: it is run with this argv and must exit with 0. */
bool bench_has(const char *const *argv);
/* Milliseconds of the monotonic clock. */
double bench_now_ms(void);

#endif
