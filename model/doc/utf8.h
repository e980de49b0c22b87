/* SPDX-License-Identifier: Apache-2.0 */
/*
 * utf8.h — one character at a time of UTF-8 text (RFC 3629): overlong forms, surrogates and
 * anything past U+10FFFF are refused. Also what the readers and printers of this row need to know
 * about single characters.
 */
#ifndef MODEL_DOC_UTF8_H
#define MODEL_DOC_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The bytes of the character at `text`, of which n are left, and the character; 0 when there is no
 * well-formed one. */
size_t utf8_get(const char *text, size_t n, uint32_t *c);
/* Writes a Unicode scalar value (1 to 4 bytes) and returns the number of bytes. */
size_t utf8_put(uint32_t c, char *out);
/* Characters of a text; a malformed byte counts as one. */
size_t utf8_count(const char *text, size_t n);
/* Columns on a terminal: 0 for combining marks, 2 for East Asian wide characters, else 1. */
unsigned utf8_width(uint32_t c);
/* Controls (C0, DEL, C1), line separators and marks that change the direction of text: never shown
 * raw to people. */
bool utf8_is_control(uint32_t c);

#endif
