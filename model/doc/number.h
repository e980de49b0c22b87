/* SPDX-License-Identifier: Apache-2.0 */
/* number.h — floats as text: the shortest digits that read back the same, in the forms that the
 * printers need. */
#ifndef MODEL_DOC_NUMBER_H
#define MODEL_DOC_NUMBER_H

enum { NUMBER_TEXT = 40 };

/* Finite floats only. Always has '.', so that YAML 1.1, YAML 1.2, TOML and JSON all read a float:
 * "3.0", "1.5e-9", "1.0e+21". */
void number_format(double f, char *out);
/* As Go's encoding/json: "3", "1.5e-9", "1e+21"; exponents from 1e21 on and below 1e-6. */
void number_format_go(double f, char *out);

#endif
