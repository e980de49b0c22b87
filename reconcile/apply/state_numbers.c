/* SPDX-License-Identifier: Apache-2.0 */
/* state_numbers.c — see state_numbers.h. */
#include "reconcile/apply/state_numbers.h"

#include <stdlib.h>
#include <string.h>

#include "model/kind/build_config_status.h"

/* An object and the folder of its records, "shop/images/cart/builds". */
struct counted {
	const char *id;
	int64_t number; /* by its status */
	int64_t found;
};

struct looking {
	struct arena *arena;
	struct map by_folder; /* → struct counted */
	struct map above;     /* the folders that lead there */
};

static int64_t number_of(const struct state *state, const struct step *step)
{
	const void *status = state_status(state, step->id);
	const struct image_status *image = step->kind == KIND_IMAGE ? status : NULL;
	const struct build_config_status *config = step->kind != KIND_IMAGE ? status : NULL;
	int64_t counter = image ? image->build_counter : config ? config->last_version : 0;
	int64_t last = image && image->last     ? image->last->number
		       : config && config->last ? config->last->number
						: 0;

	return last > counter ? last : counter;
}

static void look_for(struct looking *looking, const struct step *step, int64_t number)
{
	struct arena *arena = looking->arena;
	const char *record = plan_record_path(step, 1, arena);
	const char *folder = arena_copy(arena, record, (size_t)(strrchr(record, '/') - record));
	struct counted *counted = ARENA_NEW(arena, struct counted);

	*counted = (struct counted){ .id = step->id, .number = number };
	map_set(arena, &looking->by_folder, folder, counted);
	for (const char *end = strchr(folder, '/'); end; end = strchr(end + 1, '/'))
		map_set(arena, &looking->above, arena_copy(arena, folder, (size_t)(end - folder)),
			counted);
}

static void note_record(struct looking *looking, const char *path)
{
	const char *name = strrchr(path, '/');
	struct counted *counted;
	char *end;
	long long number;

	if (!name || name[1] < '1' || name[1] > '9')
		return;
	counted = map_get(&looking->by_folder,
			  arena_copy(looking->arena, path, (size_t)(name - path)));
	number = strtoll(name + 1, &end, 10);
	if (counted && strcmp(end, ".yaml") == 0 && number <= INT32_MAX && number > counted->found)
		counted->found = number;
}

/* Names are enough: nothing is read. */
static bool want(void *ctx, const char *path, bool is_dir)
{
	struct looking *looking = ctx;

	if (is_dir)
		return map_has(&looking->above, path) || map_has(&looking->by_folder, path);
	note_record(looking, path);
	return false;
}

bool state_find_numbers(struct store *store, const struct plan *plan, struct state *state,
			bool *found, struct err *err)
{
	struct looking looking = { .arena = state->arena };
	struct store_files none;

	*found = false;
	for (size_t i = 0; i < plan->steps.n; i++) {
		const struct step *step = plan->steps.v[i];

		if ((step->kind == KIND_IMAGE || kind_has_builds(step->kind)) &&
		    (step->number || step->n_after))
			look_for(&looking, step, number_of(state, step));
	}
	if (!looking.by_folder.n)
		return true;
	if (!store_read_all(store, want, &looking, state->arena, &none, err))
		return false;
	for (size_t i = 0; i < looking.by_folder.n; i++) {
		struct counted *counted = looking.by_folder.items[i].value;

		if (counted->found <= counted->number)
			continue;
		map_set(state->arena, &state->numbers, counted->id, &counted->found);
		*found = true;
	}
	return true;
}
