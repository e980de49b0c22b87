/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pin.c — an image reference of a spec, what is recorded about it, and what the registry says now.
 * The pin is the digest of the image manifest for our platform: an index that only gained other platforms is no change.
 */
#include <string.h>

#include "reconcile/plan/rules.h"

const char *pin_digest(const char *pinned)
{
	const char *at = pinned ? strrchr(pinned, '@') : NULL;

	return at ? at + 1 : NULL;
}

const char *image_identifier(const char *image, struct arena *arena)
{
	struct ref ref;
	struct err err = { 0 };

	if (!image || !ref_parse(image, arena, &ref, &err))
		return NULL;
	return ref_identifier(&ref);
}

const char *pin_known(const struct image_pin *pin, const char *image)
{
	if (!pin || !pin->image || !image || strcmp(pin->image, image) != 0)
		return NULL;
	return pin_digest(pin->latest);
}

static struct pin pin_fail(enum err_kind kind, const char *why)
{
	return (struct pin){ .state = PIN_FAILED, .why = why, .why_kind = kind };
}

static struct pin pin_told(const struct planner *p, const struct pin_ask *ask,
			   const struct ref *ref, const struct fact *fact)
{
	const char *known = ask->recorded ? pin_digest(ask->recorded->latest) : NULL;
	const char *digest = fact->image_digest ? fact->image_digest : fact->digest;
	struct pin pin = { .fact = fact, .old = ask->recorded ? ask->recorded->latest : NULL };
	bool is_known = known && ((digest && strcmp(digest, known) == 0) ||
				  (fact->digest && strcmp(fact->digest, known) == 0));

	if (is_known && ask->is_usable) {
		pin.state = PIN_SAME;
		pin.pinned = ask->recorded->latest;
		return pin;
	}
	if (!digest || (ask->wants_labels && !(fact->manifest && fact->config)))
		return pin_fail(ERR_TRANSIENT,
				arena_printf(p->arena,
					     "cannot resolve image '%s': its config was not read",
					     ask->image));
	pin.state = is_known ? PIN_SAME : PIN_MOVED;
	pin.pinned = is_known ? ask->recorded->latest : ref_pinned(ref, digest, p->arena);
	return pin;
}

struct pin pin_resolve(const struct planner *p, const struct pin_ask *asked)
{
	struct pin_ask ask = *asked;
	struct ref ref;
	struct err err = { 0 };
	const struct fact *fact;
	const char *key;

	if (!ask.image)
		return pin_fail(ERR_INVALID, "cannot resolve an image without a name");
	if (!ref_parse(ask.image, p->arena, &ref, &err))
		return pin_fail(ERR_INVALID, arena_printf(p->arena, "cannot resolve image '%s': %s",
							  ask.image, err.text));
	key = query_key_image(ask.image, ask.account.ns, ask.account.name, p->arena);
	fact = fact_find(p->facts, key);
	if (!pin_known(ask.recorded, ask.image))
		ask.recorded = NULL;
	if (fact && fact->is_known)
		return pin_told(p, &ask, &ref, fact);
	if (fact && fact->err.kind != ERR_NONE)
		return pin_fail(fact->err.kind,
				resolve_problem(arena_printf(p->arena, "image '%s'", ask.image),
						&fact->err, p->arena));
	if (ask.recorded && ask.is_usable)
		return (struct pin){ .state = PIN_SAME,
				     .pinned = ask.recorded->latest,
				     .old = ask.recorded->latest };
	return (struct pin){ .state = PIN_UNKNOWN,
			     .old = ask.recorded ? ask.recorded->latest : NULL };
}
