/* SPDX-License-Identifier: Apache-2.0 */
/* layer_floor.h — the bare program that an export is measured against. */
#ifndef TESTS_BENCH_LAYER_FLOOR_H
#define TESTS_BENCH_LAYER_FLOOR_H

#include "buildexec/image/deflate.h"

void floor_export(const char *tree, const char *blob, enum deflate_effort effort);

#endif
