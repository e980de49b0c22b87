/* SPDX-License-Identifier: Apache-2.0 */
/* image_filter.c — one row per key. A builder is the one of the last attempt: what is recorded, not what is declared. */
#include "reconcile/image_filter.h"

#include <string.h>
#include <strings.h>

#include "reconcile/plan/plan.h"

/* A value as given: not NUL-terminated. */
struct word {
	const char *text;
	size_t n;
};
typedef bool holds_fn(const struct image_status *status, struct word value);

static bool is_word(const char *text, struct word value)
{
	return text && strlen(text) == value.n && strncasecmp(text, value.text, value.n) == 0;
}

static bool has_builder(const struct image_status *status, const char *kind, struct word value)
{
	const struct attempt *last = status->last;

	return last && last->builder_kind && strcmp(last->builder_kind, kind) == 0 &&
	       last->builder && strlen(last->builder) == value.n &&
	       memcmp(last->builder, value.text, value.n) == 0;
}

static bool is_of_builder(const struct image_status *status, struct word value)
{
	return has_builder(status, "Builder", value);
}

static bool is_of_cluster_builder(const struct image_status *status, struct word value)
{
	return has_builder(status, "ClusterBuilder", value);
}

/* One of the reasons of the newest build; both names of BUILDER count. */
static bool has_reason(const struct image_status *status, struct word value)
{
	const char *at = status->latest_reason;

	if (is_word("BUILDPACK", value))
		value = (struct word){ "BUILDER", 7 };
	while (at && *at) {
		size_t n = strcspn(at, ",");

		if (n == value.n && strncasecmp(at, value.text, n) == 0)
			return true;
		at += n + (at[n] == ',');
	}
	return false;
}

static bool is_ready(const struct image_status *status, struct word value)
{
	const struct condition *ready = condition_find(&status->conditions, "Ready");

	return is_word(ready ? ready->status : "Unknown", value);
}

static const struct {
	const char *key;
	holds_fn *holds;
} rows[] = {
	{ "builder", is_of_builder },
	{ "clusterbuilder", is_of_cluster_builder },
	{ "latest-reason", has_reason },
	{ "ready", is_ready },
};

static holds_fn *find(const char *filter)
{
	const char *equals = strchr(filter, '=');

	for (size_t i = 0; equals && equals[1] && i < COUNTOF(rows); i++)
		if (strlen(rows[i].key) == (size_t)(equals - filter) &&
		    strncmp(rows[i].key, filter, strlen(rows[i].key)) == 0)
			return rows[i].holds;
	return NULL;
}

bool image_filters_check(const struct strings *filters, struct err *err)
{
	for (size_t i = 0; i < filters->n; i++)
		if (!find(filters->v[i]))
			return err_set(
				err, ERR_INVALID,
				"invalid filter argument \"%s\": KEY=VALUE[,VALUE…] with builder, "
				"clusterbuilder, latest-reason or ready",
				filters->v[i]);
	return true;
}

static bool holds_one(const char *filter, const struct image_status *status)
{
	holds_fn *holds = find(filter);
	const char *at = strchr(filter, '=') + 1;

	while (*at) {
		struct word value = { at, strcspn(at, ",") };

		if (holds && holds(status, value))
			return true;
		at += value.n + (at[value.n] == ',');
	}
	return false;
}

bool image_filters_match(const struct strings *filters, const struct image_status *status)
{
	for (size_t i = 0; i < filters->n; i++)
		if (!holds_one(filters->v[i], status))
			return false;
	return true;
}
