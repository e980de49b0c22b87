/* SPDX-License-Identifier: Apache-2.0 */
/*
 * human.h — durations and sizes in the words of docker's units, and times in those of Go, which oc prints: "About a minute",
 * "251.2 MB", "1m2s". Pure.
 * Source: docker/go-units (openshift.md §5); the blank before the unit is that of the requirement's examples.
 */
#ifndef RECONCILE_REPORT_HUMAN_H
#define RECONCILE_REPORT_HUMAN_H

#include <stdint.h>

#include "model/base/arena.h"

/* "Less than a second", "25 hours", "2 weeks". A time to come is less than a second ago. */
char *human_duration(int64_t seconds, struct arena *arena);
/* "5 minutes ago"; "<unknown>" for a time that is not known (0). */
char *human_ago(int64_t then_s, int64_t now_s, struct arena *arena);
/* As Go prints a time.Duration of whole seconds: "0s", "1m2s", "2h0m5s". Less than none is none. */
char *human_span(int64_t seconds, struct arena *arena);
/* As Go prints a time.Time of whole seconds in UTC: "2026-11-22 03:14:55 +0000 UTC"; "<unknown>" for 0. */
char *human_time(int64_t unix_s, struct arena *arena);
/* RFC 1123: "Sun, 22 Nov 2026 03:14:55 UTC" */
char *human_date(int64_t unix_s, struct arena *arena);
/* Decimal units, four significant digits: "0 B", "2.898 MB". */
char *human_size(int64_t bytes, struct arena *arena);

#endif
