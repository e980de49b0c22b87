/* SPDX-License-Identifier: Apache-2.0 */
/*
 * yaml_printed.h — a fast reader for the one shape of YAML that yaml_print writes: the state branch holds thousands of such
 * files, and every run reads them all. It takes ASCII in block style with plain and double-quoted scalars, and gives up on
 * everything else, so that what it does accept cannot be read in two ways; a general reader then has the word.
 */
#ifndef MODEL_DOC_YAML_PRINTED_H
#define MODEL_DOC_YAML_PRINTED_H

#include "model/doc/node.h"

/*
 * The tree that yaml_parse would give, but for the end positions of its nodes, which are left out. NULL: the text is not of
 * that shape, or has a mistake, or is larger than its limits; ask yaml_parse. Arenas as in yaml_parse_split.
 */
struct node *yaml_parse_printed(const char *text, size_t len, struct arena *trees,
				struct arena *texts);

#endif
