/* SPDX-License-Identifier: Apache-2.0 */
/* contest.c — a fork for every run; the child's clock readings come back through shared memory, cpu and memory by wait4. */
#include "tests/bench/contest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "buildexec/sys/clock.h"
#include "buildexec/sys/fs.h"

struct report {
	double wall_ms;
	struct err err;
};

struct sample {
	double wall_ms, cpu_ms, rss_mib;
};

static char folder[256];

void bench_die(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fputs("bench: ", stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
	va_end(args);
	bench_clean();
	exit(1);
}

double bench_now_ms(void)
{
	return (double)clock_mono_us() / 1e3;
}

const char *bench_option(int argc, char **argv, const char *name)
{
	size_t n = strlen(name);

	for (int i = 1; i < argc; i++) {
		if (strncmp(argv[i], name, n) != 0)
			continue;
		if (argv[i][n] == '\0')
			return argv[i] + n;
		if (argv[i][n] == '=')
			return argv[i] + n + 1;
	}
	return NULL;
}

const char *bench_folder(void)
{
	const char *base = getenv("TMPDIR");

	if (folder[0])
		return folder;
	snprintf(folder, sizeof(folder), "%s/reconcile-bench-XXXXXX",
		 base && *base ? base : "/tmp");
	if (!mkdtemp(folder)) {
		folder[0] = '\0';
		bench_die("cannot make a folder: %s", strerror(errno));
	}
	return folder;
}

void bench_clean(void)
{
	struct err err = { 0 };

	if (folder[0] && !fs_remove_tree(folder, &err))
		fprintf(stderr, "bench: %s\n", err.text);
	folder[0] = '\0';
}

_Noreturn static void run_program(const char *const *argv, const char *input)
{
	int in = open(input ? input : "/dev/null", O_RDONLY), out = open("/dev/null", O_WRONLY);

	if (in < 0 || out < 0 || dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0)
		_exit(126);
	execvp(argv[0], (char *const *)(uintptr_t)argv);
	_exit(127);
}

bool bench_has(const char *const *argv)
{
	int status = 0;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0)
		run_program(argv, NULL);
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	       WEXITSTATUS(status) == 0;
}

_Noreturn static void run_here(const struct entrant *entrant, struct report *report)
{
	double start = bench_now_ms();
	bool done = entrant->run(entrant->ctx, &report->err);

	report->wall_ms = bench_now_ms() - start;
	_exit(done ? 0 : 1);
}

static double seconds_of(const struct timeval *t)
{
	return (double)t->tv_sec + (double)t->tv_usec / 1e6;
}

static struct sample run_once(const struct entrant *entrant, struct report *report)
{
	struct rusage usage;
	double start;
	int status;
	pid_t pid;

	*report = (struct report){ 0 };
	if (entrant->prepare && !entrant->prepare(entrant->ctx, &report->err))
		bench_die("cannot prepare %s: %s", entrant->name, report->err.text);
	fflush(NULL);
	start = bench_now_ms();
	pid = fork();
	if (pid == 0 && entrant->argv)
		run_program(entrant->argv, entrant->input);
	if (pid == 0)
		run_here(entrant, report);
	if (pid < 0 || wait4(pid, &status, 0, &usage) != pid)
		bench_die("cannot run %s: %s", entrant->name, strerror(errno));
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		bench_die("%s failed: %s", entrant->name,
			  report->err.kind ? report->err.text : "see its own message");
	return (struct sample){
		.wall_ms = entrant->argv ? bench_now_ms() - start : report->wall_ms,
		.cpu_ms = (seconds_of(&usage.ru_utime) + seconds_of(&usage.ru_stime)) * 1e3,
		.rss_mib = (double)usage.ru_maxrss / 1024,
	};
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), compare_doubles);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static void sum_up(struct entrant *entrant, const struct sample *samples, size_t n, size_t step)
{
	double wall[CONTEST_ROUNDS_MAX], cpu[CONTEST_ROUNDS_MAX];

	entrant->rss_mib = 0;
	for (size_t i = 0; i < n; i++) {
		const struct sample *sample = &samples[i * step];

		wall[i] = sample->wall_ms;
		cpu[i] = sample->cpu_ms;
		if (sample->rss_mib > entrant->rss_mib)
			entrant->rss_mib = sample->rss_mib;
	}
	entrant->wall_ms = median(wall, n);
	entrant->least_ms = wall[0];
	entrant->cpu_ms = median(cpu, n);
}

void contest_run(struct entrant *entrants, size_t n, unsigned rounds)
{
	struct report *report = mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct sample *samples;

	if (report == MAP_FAILED)
		bench_die("cannot share memory: %s", strerror(errno));
	if (rounds > CONTEST_ROUNDS_MAX)
		rounds = CONTEST_ROUNDS_MAX;
	samples = mem_realloc(NULL, n * rounds * sizeof(*samples));
	for (unsigned round = 0; round < rounds; round++)
		for (size_t i = 0; i < n; i++)
			samples[round * n + i] = run_once(&entrants[i], report);
	for (size_t i = 0; i < n; i++)
		sum_up(&entrants[i], samples + i, rounds, n);
	free(samples);
	munmap(report, sizeof(*report));
}

void contest_print(const char *title, const struct entrant *entrants, size_t n,
		   const struct entrant *base)
{
	printf("\n%s\n  %-52s %10s %10s %10s %9s %8s\n", title, "", "wall ms", "least", "cpu ms",
	       "MiB", "ratio");
	for (size_t i = 0; i < n; i++)
		printf("  %-52s %10.1f %10.1f %10.1f %9.1f %7.2fx\n", entrants[i].name,
		       entrants[i].wall_ms, entrants[i].least_ms, entrants[i].cpu_ms,
		       entrants[i].rss_mib, entrants[i].wall_ms / base->wall_ms);
}

void contest_goal(const char *what, double figure, double at_most, const char *unit)
{
	printf("  goal: %s <= %.2f%s: %.2f%s, %s\n", what, at_most, unit, figure, unit,
	       figure <= at_most ? "kept" : "MISSED");
}
