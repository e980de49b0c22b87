/* SPDX-License-Identifier: Apache-2.0 */
/*
 * md5.h — MD5 of a short text as hex. Only for names that other systems derive with it (knative
 * ChildName); nothing that must resist forgery may use it. Spec: RFC 1321.
 */
#ifndef MODEL_BASE_MD5_H
#define MODEL_BASE_MD5_H

#include <stddef.h>

enum { MD5_HEX = 32 };

/* 32 lower-case hex digits and a NUL into out. */
void md5_hex(const void *bytes, size_t n, char out[MD5_HEX + 1]);

#endif
