/* SPDX-License-Identifier: Apache-2.0 */
/* rules.h — the functions of the kind table's rows; nobody else calls them. `spec` is the kind's
 * own struct. */
#ifndef MODEL_KIND_RULES_H
#define MODEL_KIND_RULES_H

#include "model/kind/kind.h"

void image_adapt(void *spec, const struct object *object, struct arena *arena, struct diags *diags);
void image_spec_check(const struct object *object, struct arena *arena, struct diags *diags);
void builder_spec_check(const struct object *object, struct arena *arena, struct diags *diags);
void stack_spec_check(const struct object *object, struct arena *arena, struct diags *diags);
void store_spec_check(const struct object *object, struct arena *arena, struct diags *diags);
void buildpack_spec_check(const struct object *object, struct arena *arena, struct diags *diags);
void stream_adapt(void *spec, const struct object *object, struct arena *arena,
		  struct diags *diags);
void stream_spec_check(const struct object *object, struct arena *arena, struct diags *diags);
void stream_tag_adapt(void *spec, const struct object *object, struct arena *arena,
		      struct diags *diags);
void stream_tag_check(const struct object *object, struct arena *arena, struct diags *diags);
void stream_mapping_adapt(void *spec, const struct object *object, struct arena *arena,
			  struct diags *diags);
void stream_mapping_check(const struct object *object, struct arena *arena, struct diags *diags);
void stream_import_adapt(void *spec, const struct object *object, struct arena *arena,
			 struct diags *diags);
void stream_import_check(const struct object *object, struct arena *arena, struct diags *diags);
void build_config_adapt(void *spec, const struct object *object, struct arena *arena,
			struct diags *diags);
void build_config_check(const struct object *object, struct arena *arena, struct diags *diags);
void build_adapt(void *spec, const struct object *object, struct arena *arena, struct diags *diags);
void build_check(const struct object *object, struct arena *arena, struct diags *diags);
void secret_adapt(void *spec, const struct object *object, struct arena *arena,
		  struct diags *diags);
void secret_check(const struct object *object, struct arena *arena, struct diags *diags);
void service_account_adapt(void *spec, const struct object *object, struct arena *arena,
			   struct diags *diags);
void config_map_check(const struct object *object, struct arena *arena, struct diags *diags);
void settings_adapt(void *spec, const struct object *object, struct arena *arena,
		    struct diags *diags);
void policy_spec_check(const struct object *object, struct arena *arena, struct diags *diags);
void repository_spec_check(const struct object *object, struct arena *arena, struct diags *diags);
void settings_check(const struct object *object, struct arena *arena, struct diags *diags);

/*
 * What model_link needs of one object, prepared where objects are decoded by all cores and the tree is still there: where
 * its references are written, and the tags it pushes in the form that is compared.
 */
void link_prepare(struct object *object, struct arena *arena);

/*
 * The documents that act on image streams, attached to them; streams that only such documents name are made. Objects are
 * sorted by id before and have to be sorted again after it when it says so.
 */
bool link_streams(struct model *model, struct diags *diags);

#endif
