/* SPDX-License-Identifier: Apache-2.0 */
/* reach.c — see reach.h. */
#include "buildexec/registry/reach.h"

#include <string.h>

#include "buildexec/registry/place.h"

bool reach_find(const struct registry_rules *rules, const struct ref *ref, struct arena *arena,
		struct reach *out, struct err *err)
{
	struct place place;

	*out = (struct reach){ 0 };
	if (!place_find(rules, ref, arena, &place, err))
		return false;
	out->folder = place.layout;
	if (!place.layout && place.rule && place.rule->location)
		out->host = place.host;
	return true;
}
