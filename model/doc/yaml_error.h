/* SPDX-License-Identifier: Apache-2.0 */
/* yaml_error.h — what libyaml refuses, said so that the author of the file can mend it. */
#ifndef MODEL_DOC_YAML_ERROR_H
#define MODEL_DOC_YAML_ERROR_H

#include <yaml.h>

#include "model/doc/diag.h"

/* Adds one error for the state that the parser stopped in. */
void yaml_report(const yaml_parser_t *parser, const struct source_file *file, struct diags *diags);
/* UTF-16, and the line ends that only YAML 1.1 knows: libyaml would take them, with other positions
 * or contents. */
bool yaml_check_encoding(const struct source_file *file, struct diags *diags);

#endif
