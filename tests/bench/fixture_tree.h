/* SPDX-License-Identifier: Apache-2.0 */
/* fixture_tree.h — a folder like that of a layer: files of 1 KB to 400 KB, most of them small, of which gzip makes a third. */
#ifndef TESTS_BENCH_FIXTURE_TREE_H
#define TESTS_BENCH_FIXTURE_TREE_H

#include <stddef.h>
#include <stdint.h>

/* Always the same for a seed. Exits with a message on failure. */
void bench_tree(const char *tree, size_t n_bytes, uint64_t seed);

#endif
