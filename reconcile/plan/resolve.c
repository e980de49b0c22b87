/* SPDX-License-Identifier: Apache-2.0 */
/* resolve.c — see resolve.h. */
#include "reconcile/plan/resolve.h"

#include <stdlib.h>
#include <string.h>

#include "model/base/limits.h"
#include "model/base/map.h"
#include "reconcile/plan/rules.h"

struct resolving {
	const struct shelves *shelves;
	struct arena *arena;
	struct resolved *out;
	struct map seen; /* id@version → itself */
	struct err *err;
};
typedef VEC(const struct store_buildpack *) found_list;

static void match(const struct shelf *shelf, const char *id, struct arena *arena, found_list *out)
{
	for (size_t i = 0; i < shelf->buildpacks->n; i++) {
		const struct store_buildpack *bp =
			LIST_AT(*shelf->buildpacks, struct store_buildpack, i);

		if (strcmp(bp->id, id) == 0)
			vec_push(arena, out, bp);
	}
}

/* The wanted version, or the highest; of equal ones the last. */
static const struct store_buildpack *choose(struct resolving *r, const found_list *found,
					    const char *id, const char *version)
{
	const struct store_buildpack *best = NULL;

	if (found->n == 0) {
		if (version)
			err_set(r->err, ERR_INVALID,
				"could not find buildpack with id '%s' and version '%s'", id,
				version);
		else
			err_set(r->err, ERR_INVALID, "could not find buildpack with id '%s'", id);
		return NULL;
	}
	for (size_t i = 0; i < found->n; i++) {
		if (version && strcmp(found->v[i]->version, version) == 0)
			return found->v[i];
		if (version)
			continue;
		if (!semver_is_valid(found->v[i]->version)) {
			err_set(r->err, ERR_INVALID,
				"cannot tell the highest version of buildpack '%s': '%s' is no "
				"semantic version",
				id, found->v[i]->version);
			return NULL;
		}
		if (!best || semver_compare(found->v[i]->version, best->version) >= 0)
			best = found->v[i];
	}
	if (!best)
		err_set(r->err, ERR_INVALID,
			"could not find buildpack with id '%s' and version '%s'", id, version);
	return best;
}

/* The first of namespace, cluster and store that knows the id decides. */
static const struct store_buildpack *find_anywhere(struct resolving *r, const char *id,
						   const char *version)
{
	found_list found = { 0 };

	for (size_t i = 0; i < r->shelves->own.n; i++)
		match(&r->shelves->own.v[i], id, r->arena, &found);
	if (found.n > 0)
		return choose(r, &found, id, version);
	for (size_t i = 0; i < r->shelves->cluster.n; i++)
		match(&r->shelves->cluster.v[i], id, r->arena, &found);
	if (found.n > 0)
		return choose(r, &found, id, version);
	for (size_t i = 0; i < r->shelves->store.n; i++)
		match(&r->shelves->store.v[i], id, r->arena, &found);
	return choose(r, &found, id, version);
}

static bool is_child(const struct list *all, const struct store_buildpack *wanted)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct store_buildpack *bp = LIST_AT(*all, struct store_buildpack, i);

		for (size_t g = 0; g < bp->order.n; g++) {
			const struct list *group =
				&LIST_AT(bp->order, struct order_group, g)->group;

			for (size_t k = 0; k < group->n; k++) {
				const struct order_entry *e =
					LIST_AT(*group, struct order_entry, k);

				if (text_equal(e->id, wanted->id) &&
				    text_equal(e->version, wanted->version))
					return true;
			}
		}
	}
	return false;
}

static const struct store_buildpack *root_of(struct resolving *r, const struct list *all)
{
	const struct store_buildpack *root = NULL;
	size_t n = 0;

	for (size_t i = 0; i < all->n; i++) {
		const struct store_buildpack *bp = LIST_AT(*all, struct store_buildpack, i);

		if (is_child(all, bp))
			continue;
		root = bp;
		n++;
	}
	if (n == 1)
		return root;
	err_set(r->err, ERR_INVALID, "unexpected number of root buildpacks: %zu", n);
	return NULL;
}

static const struct store_buildpack *find_in_resource(struct resolving *r,
						      const struct order_entry *entry)
{
	bool is_own = text_equal(entry->kind, "Buildpack");
	const struct shelf *v = is_own ? r->shelves->own.v : r->shelves->cluster.v;
	size_t n = is_own ? r->shelves->own.n : r->shelves->cluster.n;
	found_list found = { 0 };

	if (!is_own && !text_equal(entry->kind, "ClusterBuildpack")) {
		err_set(r->err, ERR_INVALID, "kind must be either Buildpack or ClusterBuildpack");
		return NULL;
	}
	for (size_t i = 0; i < n; i++) {
		if (strcmp(v[i].name, entry->name) != 0)
			continue;
		if (!entry->id)
			return root_of(r, v[i].buildpacks);
		match(&v[i], entry->id, r->arena, &found);
		return choose(r, &found, entry->id, entry->version);
	}
	err_set(r->err, ERR_INVALID,
		is_own ? "no buildpack with name '%s'" : "no cluster buildpack with name '%s'",
		entry->name);
	return NULL;
}

static const struct store_buildpack *find_entry(struct resolving *r,
						const struct order_entry *entry)
{
	if (entry->name)
		return find_in_resource(r, entry);
	if (!entry->id) {
		err_set(r->err, ERR_INVALID, "an entry of the order names neither id nor resource");
		return NULL;
	}
	return find_anywhere(r, entry->id, entry->version);
}

/* The buildpack, and what its order needs. A buildpack that was seen is not entered again, so cycles end. */
static bool collect(struct resolving *r, const struct store_buildpack *bp, size_t depth)
{
	const char *key = arena_printf(r->arena, "%s@%s", bp->id, bp->version);

	if (map_has(&r->seen, key))
		return true;
	if (depth > LIMIT_ORDER_DEPTH)
		return err_set(r->err, ERR_INVALID,
			       "buildpacks contain each other more than %u deep at '%s'",
			       LIMIT_ORDER_DEPTH, key);
	map_set(r->arena, &r->seen, key, r);
	vec_push(r->arena, &r->out->buildpacks, bp);
	for (size_t g = 0; g < bp->order.n; g++) {
		const struct list *group = &LIST_AT(bp->order, struct order_group, g)->group;

		for (size_t k = 0; k < group->n; k++) {
			const struct order_entry *entry = LIST_AT(*group, struct order_entry, k);
			const struct store_buildpack *child =
				find_anywhere(r, entry->id, entry->version);

			if (!child || !collect(r, child, depth + 1))
				return false;
		}
	}
	return true;
}

static int compare_size(const void *a, const void *b)
{
	const struct store_buildpack *x = *(const struct store_buildpack *const *)a;
	const struct store_buildpack *y = *(const struct store_buildpack *const *)b;
	int order;

	if (x->size_bytes != y->size_bytes)
		return x->size_bytes > y->size_bytes ? -1 : 1;
	order = strcmp(y->id, x->id);
	return order != 0 ? order : strcmp(y->version, x->version);
}

static bool resolve_group(struct resolving *r, const struct order_group *group,
			  struct order_group *out)
{
	struct order_entry *entries = arena_array(r->arena, group->group.n, sizeof(*entries));

	out->group.v = entries;
	for (size_t k = 0; k < group->group.n; k++) {
		const struct order_entry *entry = LIST_AT(group->group, struct order_entry, k);
		const struct store_buildpack *bp = find_entry(r, entry);

		if (!bp || !collect(r, bp, 0))
			return false;
		entries[out->group.n++] = (struct order_entry){ .id = bp->id,
								.version = bp->version,
								.is_optional = entry->is_optional };
	}
	return true;
}

bool order_resolve(const struct list *order, const struct shelves *shelves, struct arena *arena,
		   struct resolved *out, struct err *err)
{
	struct resolving r = { .shelves = shelves, .arena = arena, .out = out, .err = err };
	struct order_group *groups = arena_array(arena, order->n, sizeof(*groups));

	*out = (struct resolved){ .order = { groups, order->n } };
	for (size_t g = 0; g < order->n; g++) {
		if (!resolve_group(&r, LIST_AT(*order, struct order_group, g), &groups[g])) {
			*out = (struct resolved){ 0 };
			return false;
		}
	}
	if (out->buildpacks.n > 1)
		qsort(out->buildpacks.v, out->buildpacks.n, sizeof(*out->buildpacks.v),
		      compare_size);
	return true;
}

/* APIs are "major.minor"; an absent major is 0, as in old buildpacks. */
static bool api_at_least(const char *api, int major, int minor)
{
	char *end;
	long a = strtol(api ? api : "0.0", &end, 10), b = 0;

	if (*end == '.')
		b = strtol(end + 1, NULL, 10);
	return a > major || (a == major && b >= minor);
}

static bool has_api(const struct lifecycle_apis *apis, const char *api)
{
	return api && (strings_has(&apis->buildpack_supported, api) ||
		       strings_has(&apis->buildpack_deprecated, api));
}

/* From platform API 0.7 on, "build:" and "run:" no longer tell mixins apart. */
static bool is_relaxed(const struct lifecycle_apis *apis)
{
	for (size_t i = 0; i < apis->platform_supported.n; i++) {
		if (api_at_least(apis->platform_supported.v[i], 0, 7))
			return true;
	}
	return false;
}

static const char *bare(const char *mixin)
{
	if (strncmp(mixin, "build:", 6) == 0)
		return mixin + 6;
	return strncmp(mixin, "run:", 4) == 0 ? mixin + 4 : mixin;
}

static bool has_mixin(const struct strings *mixins, const char *wanted, bool relaxed)
{
	for (size_t i = 0; i < mixins->n; i++) {
		if (strcmp(relaxed ? bare(mixins->v[i]) : mixins->v[i],
			   relaxed ? bare(wanted) : wanted) == 0)
			return true;
	}
	return false;
}

static bool check_mixins(const struct buildpack_stack *stack, const struct base *base,
			 struct arena *arena, struct err *err)
{
	bool relaxed = is_relaxed(base->apis);
	struct strings missing = { 0 };

	for (size_t i = 0; i < stack->mixins.n; i++) {
		if (!has_mixin(base->mixins, stack->mixins.v[i], relaxed))
			vec_push(arena, &missing, stack->mixins.v[i]);
	}
	if (missing.n == 0)
		return true;
	return err_set(err, ERR_INVALID, "stack missing mixin(s): %s",
		       strings_join(&missing, ", ", arena));
}

static bool check_stacks(const struct store_buildpack *bp, const struct base *base,
			 struct arena *arena, struct err *err)
{
	if (bp->stacks.n == 0)
		return true;
	for (size_t i = 0; i < bp->stacks.n; i++) {
		const struct buildpack_stack *stack =
			LIST_AT(bp->stacks, struct buildpack_stack, i);

		if (text_equal(stack->id, base->stack_id) ||
		    (text_equal(stack->id, "*") && api_at_least(bp->api, 0, 5)))
			return check_mixins(stack, base, arena, err);
	}
	return err_set(err, ERR_INVALID, "stack %s is not supported", base->stack_id);
}

bool buildpack_suits(const struct store_buildpack *bp, const struct base *base, struct arena *arena,
		     struct err *err)
{
	struct strings apis = { 0 };

	if (bp->order.n > 0)
		return true; /* a composite only names others */
	if (has_api(base->apis, bp->api)) {
		if (check_stacks(bp, base, arena, err))
			return true;
		return err_prefix(err, "validating buildpack %s@%s", bp->id, bp->version);
	}
	for (size_t i = 0; i < base->apis->buildpack_deprecated.n; i++)
		vec_push(arena, &apis, base->apis->buildpack_deprecated.v[i]);
	for (size_t i = 0; i < base->apis->buildpack_supported.n; i++)
		vec_push(arena, &apis, base->apis->buildpack_supported.v[i]);
	return err_set(err, ERR_INVALID,
		       "validating buildpack %s@%s: unsupported buildpack api: %s, expecting: %s",
		       bp->id, bp->version, bp->api ? bp->api : "",
		       strings_join(&apis, ", ", arena));
}
