/* SPDX-License-Identifier: Apache-2.0 */
/*
 * yaml_scalar.h — what a plain scalar means. Reading follows the YAML 1.2 core schema (spec 1.2.2
 * §10.3.2); printing also asks what YAML 1.1 readers (Go's yaml.v2, PyYAML) would make of the same
 * text.
 */
#ifndef MODEL_DOC_YAML_SCALAR_H
#define MODEL_DOC_YAML_SCALAR_H

#include "model/doc/node.h"

/* Sets kind and value of a scalar from its text, as if it were plain. */
void yaml_resolve(struct node *node);
/* True when the text, written plain, is a string for every reader, stands on one line and has no
 * syntax of YAML in it. */
bool yaml_is_plain_safe(const char *text, size_t len);

#endif
