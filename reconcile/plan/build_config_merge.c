/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build_config_merge.c — three ways, build by build: what we changed is ours, all else is theirs; what is kept of the newest
 * build goes with the higher number.
 */
#include "reconcile/plan/build_config_merge.h"

#include <string.h>

#include "reconcile/plan/rules_build_config.h"

static const struct bc_history_entry *entry_of(const struct build_config_status *status,
					       int64_t number)
{
	for (size_t i = 0; status && i < status->history.n; i++) {
		const struct bc_history_entry *entry =
			LIST_AT(status->history, struct bc_history_entry, i);

		if (entry->number == number)
			return entry;
	}
	return NULL;
}

static bool is_entry_equal(const struct bc_history_entry *a, const struct bc_history_entry *b)
{
	return a && b && text_equal(a->phase, b->phase) && text_equal(a->reason, b->reason) &&
	       text_equal(a->image, b->image) && text_equal(a->run_id, b->run_id) &&
	       a->started_s == b->started_s && a->finished_s == b->finished_s &&
	       a->lease_s == b->lease_s;
}

static bool is_claimed_by(const struct build_config_status *status, const char *run_id)
{
	for (size_t i = 0; status && i < status->history.n; i++) {
		const struct bc_history_entry *entry =
			LIST_AT(status->history, struct bc_history_entry, i);

		if (entry->lease_s && entry->run_id && strcmp(entry->run_id, run_id) == 0)
			return true;
	}
	return false;
}

/* Theirs without what our limits dropped, and with what we changed. */
static struct list merged_history(const struct build_config_status *base,
				  const struct build_config_status *ours,
				  const struct build_config_status *theirs, struct arena *arena)
{
	struct bc_history_entry *kept = arena_array(arena, theirs->history.n, sizeof(*kept));
	struct list out = { kept, 0 };

	for (size_t i = 0; i < theirs->history.n; i++) {
		const struct bc_history_entry *entry =
			LIST_AT(theirs->history, struct bc_history_entry, i);
		const struct bc_history_entry *was = entry_of(base, entry->number);

		if (!was || entry_of(ours, entry->number) || !is_entry_equal(was, entry))
			kept[out.n++] = *entry;
	}
	for (size_t i = 0; i < ours->history.n; i++) {
		const struct bc_history_entry *entry =
			LIST_AT(ours->history, struct bc_history_entry, i);

		if (!is_entry_equal(entry_of(base, entry->number), entry))
			out = config_history_put(&out, entry, arena);
	}
	return out;
}

const struct build_config_status *config_merge(const struct build_config_status *base,
					       const struct build_config_status *ours,
					       const struct build_config_status *theirs,
					       const char *run_id, struct arena *arena)
{
	struct build_config_status *out;

	if (!is_claimed_by(theirs, run_id))
		return NULL;
	out = ARENA_NEW(arena, struct build_config_status);
	*out = *theirs;
	if (!theirs->last || (ours->last && ours->last->number >= theirs->last->number)) {
		out->last = ours->last;
		out->conditions = ours->conditions;
		out->config_digest = ours->config_digest;
		out->triggers = ours->triggers;
	}
	if (ours->last_version > out->last_version)
		out->last_version = ours->last_version;
	if (!base || !text_equal(base->output_image, ours->output_image)) {
		out->output_reference = ours->output_reference;
		out->output_image = ours->output_image;
	}
	out->history = merged_history(base, ours, theirs, arena);
	return out;
}
