/* SPDX-License-Identifier: Apache-2.0 */
/*
 * git_delta.h — applies one delta of a pack: copies from a base and insertions. Pure; the bytes are
 * foreign. Spec: gitformat-pack(5) "Deltified representation".
 */
#ifndef BUILDEXEC_SYS_GIT_DELTA_H
#define BUILDEXEC_SYS_GIT_DELTA_H

#include <stdbool.h>
#include <stddef.h>

/* The size of the result, and that the delta was made for a base of n_base bytes. */
bool git_delta_size(const unsigned char *delta, size_t n, size_t n_base, size_t *n_out);
/* Fills exactly the n_out bytes that git_delta_size said; false when the delta is damaged. */
bool git_delta_apply(const unsigned char *delta, size_t n, const char *base, size_t n_base,
		     char *out, size_t n_out);

#endif
