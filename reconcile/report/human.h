/* SPDX-License-Identifier: Apache-2.0 */
/*
 * human.h — durations and sizes in the words of docker's units, which oc prints: "About a minute", "251.2 MB". Pure.
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
/* Decimal units, four significant digits: "0 B", "2.898 MB". */
char *human_size(int64_t bytes, struct arena *arena);

#endif
