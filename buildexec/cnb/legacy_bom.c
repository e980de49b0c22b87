/* SPDX-License-Identifier: Apache-2.0 */
/* legacy_bom.c — entries are requirements with the buildpack that states them. */
#include "buildexec/cnb/legacy_bom.h"

#include "buildexec/cnb/value.h"
#include "model/doc/json.h"

void boms_add(struct boms *boms, const struct plan_requires *requires,
	      const struct bp_element *buildpack, struct arena *arena)
{
	for (size_t i = 0; i < requires->n; i++)
		vec_push(arena, boms,
			 (struct bom_entry){
				 requires->v[i],
				 { .id = buildpack->id, .version = buildpack->version } });
}

bool boms_decode(const struct node *tree, const struct bp_element *buildpack, struct arena *arena,
		 struct boms *out, struct err *err)
{
	struct plan_requires requires;

	if (!plan_requires_decode(tree, "bom", false, arena, &requires, err))
		return false;
	boms_add(out, &requires, buildpack, arena);
	return true;
}

static struct node *entry_encode(const struct bom_entry *entry, bool with_null, struct arena *arena)
{
	struct node *map = node_new(arena, NODE_MAP), *buildpack = node_new(arena, NODE_MAP);
	struct node *metadata = NULL;

	if (entry->require.metadata) {
		metadata = node_clone(arena, entry->require.metadata);
		node_sort_keys(metadata);
	} else if (with_null) {
		metadata = node_new(arena, NODE_NULL);
	}
	node_set_text(arena, map, "name", entry->require.name);
	if (metadata)
		node_set(arena, map, "metadata", metadata);
	node_set_text(arena, buildpack, "id", entry->buildpack.id);
	node_set_text(arena, buildpack, "version", entry->buildpack.version);
	node_set(arena, map, "buildpack", buildpack);
	return map;
}

struct node *boms_encode(const struct boms *boms, struct arena *arena)
{
	struct node *seq = node_new(arena, NODE_SEQ);

	for (size_t i = 0; i < boms->n; i++)
		node_push(seq, entry_encode(&boms->v[i], false, arena));
	return seq;
}

void boms_print_json(const struct boms *boms, struct arena *arena, struct buf *out)
{
	struct node *seq = node_new(arena, boms->n ? NODE_SEQ : NODE_NULL);

	for (size_t i = 0; i < boms->n; i++)
		node_push(seq, entry_encode(&boms->v[i], true, arena));
	json_print(seq, JSON_GO, out);
	buf_byte(out, '\n');
}
