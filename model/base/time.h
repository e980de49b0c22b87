/* SPDX-License-Identifier: Apache-2.0 */
/*
 * time.h — points in time as values: seconds since 1970-01-01T00:00:00Z, UTC, no leap seconds. Reads no clock.
 * Named after the value; the clock is buildexec/sys/clock.h.
 */
#ifndef MODEL_BASE_TIME_H
#define MODEL_BASE_TIME_H

#include <stdint.h>

#include "model/base/arena.h"

enum { TIME_TEXT = 32 };

struct civil {
	int year, month, day, hour, minute, second; /* month and day from 1 */
};

struct civil time_civil(int64_t unix_s);
int64_t time_unix(struct civil civil);

/* "2026-11-22T03:14:55Z" into out, which holds TIME_TEXT. Years 0000 to 9999, others are clamped. */
void time_format(int64_t unix_s, char *out);
/* RFC 3339 with 'Z' or an offset; fractions of a second are cut. False when it is not one. */
bool time_parse(const char *text, int64_t *unix_s);

#endif
