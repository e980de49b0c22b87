/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool.h — the same work on many items by a few threads. `work(items, i)` is called once for each i < n, in no order, and
 * must touch only its own item. Returns when all are done. n_threads 0: the number of cores.
 */
#ifndef BUILDEXEC_SYS_POOL_H
#define BUILDEXEC_SYS_POOL_H

#include <stddef.h>

typedef void pool_work_fn(void *items, size_t i);
void pool_each(size_t n_threads, size_t n, pool_work_fn *work, void *items);
size_t pool_cores(void); /* usable by this process */

#endif
