/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool.c — threads take the next index from one atomic counter until none is left. The caller works
 * too, so that one thread less is made and a machine without threads still gets its work done.
 */
#include "buildexec/sys/pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

enum { THREADS_MAX = 64 };

struct job {
	atomic_size_t next;
	size_t n;
	pool_work_fn *work;
	void *items;
};

static void *run(void *arg)
{
	struct job *job = arg;
	size_t i;

	while ((i = atomic_fetch_add(&job->next, 1)) < job->n)
		job->work(job->items, i);
	return NULL;
}

void pool_each(size_t n_threads, size_t n, pool_work_fn *work, void *items)
{
	struct job job = { .n = n, .work = work, .items = items };
	pthread_t threads[THREADS_MAX];
	size_t made = 0;

	if (!n_threads)
		n_threads = pool_cores();
	if (n_threads > n)
		n_threads = n;
	if (n_threads > THREADS_MAX)
		n_threads = THREADS_MAX;
	/* A thread that cannot be made is no failure: the others take its share. */
	while (made + 1 < n_threads && pthread_create(&threads[made], NULL, run, &job) == 0)
		made++;
	run(&job);
	for (size_t i = 0; i < made; i++)
		pthread_join(threads[i], NULL);
}

size_t pool_cores(void)
{
	cpu_set_t set;
	long online;

	if (sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 0)
		return (size_t)CPU_COUNT(&set);
	online = sysconf(_SC_NPROCESSORS_ONLN); /* more than 1024 CPUs do not fit the set */
	return online > 0 ? (size_t)online : 1;
}
