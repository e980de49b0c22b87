/* SPDX-License-Identifier: Apache-2.0 */
/*
 * value.h — typed reading of the TOML that buildpacks and platforms write. Absent keys give zero
 * values, unknown keys pass, another type than expected is an ERR_INVALID that names line, column and key.
 * Texts are lent from the tree; a text with a NUL inside is refused, since they all become names,
 * paths or arguments.
 */
#ifndef BUILDEXEC_CNB_VALUE_H
#define BUILDEXEC_CNB_VALUE_H

#include "model/base/vec.h"
#include "model/doc/node.h"

/*
 * The child of a table under that name, or under one that differs in case only: so the reference finds the fields of its
 * structures (BurntSushi/toml, unifyStruct). NULL when there is none.
 */
const struct node *value_get(const struct node *map, const char *key);
MUST_CHECK bool value_text(const struct node *map, const char *key, const char **out,
			   struct err *err);
MUST_CHECK bool value_bool(const struct node *map, const char *key, bool *out, struct err *err);
/* An array of texts. */
MUST_CHECK bool value_texts(const struct node *map, const char *key, struct arena *arena,
			    struct strings *out, struct err *err);
/* A table, or NULL. */
MUST_CHECK bool value_table(const struct node *map, const char *key, const struct node **out,
			    struct err *err);
/* A table of anything, or NULL: one of another type is passed over, as the reference does (BurntSushi/toml, unifyMap). */
const struct node *value_free_table(const struct node *map, const char *key);
/* An array of tables (its first element, or NULL). */
MUST_CHECK bool value_tables(const struct node *map, const char *key, const struct node **first,
			     struct err *err);
/* False: "line 3, column 8: 'key' must be <what>". */
bool value_fail(const struct node *node, const char *key, const char *what, struct err *err);

#endif
