/* SPDX-License-Identifier: Apache-2.0 */
/*
 * semver.c — order of versions, as lenient in what it takes as kpack's reader: a leading 'v', and one to three numbers.
 * Spec: semver.org 2.0.0 §9–11.
 */
#include "model/oci/semver.h"

#include <string.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
}

/* Identifiers between dots, none empty. Advances *at to the end. */
static bool identifiers(const char **at)
{
	for (;;) {
		const char *start = *at;

		while (is_word(**at))
			(*at)++;
		if (*at == start)
			return false;
		if (**at != '.')
			return true;
		(*at)++;
	}
}

static bool number(const char **at, uint64_t *out)
{
	const char *start = *at;
	uint64_t value = 0;

	while (is_digit(**at)) {
		if (*at - start >= 18)
			return false;
		value = value * 10 + (uint64_t)(**at - '0');
		(*at)++;
	}
	*out = value;
	return *at > start;
}

bool semver_parse(const char *at, struct semver *out)
{
	*out = (struct semver){ 0 };
	if (*at == 'v')
		at++;
	for (size_t i = 0; i < 3; i++) {
		if (!number(&at, &out->part[i]))
			return false;
		out->n_parts = i + 1;
		if (*at != '.')
			break;
		if (i == 2)
			return false;
		at++;
	}
	if (*at == '-') {
		out->pre = ++at;
		if (!identifiers(&at))
			return false;
		out->n_pre = (size_t)(at - out->pre);
	}
	if (*at == '+') {
		at++;
		if (!identifiers(&at))
			return false;
	}
	return *at == '\0';
}

bool semver_is_valid(const char *text)
{
	struct semver version;

	return text && semver_parse(text, &version);
}

/* Numbers by value and before words; words by bytes. */
static int compare_identifier(const char *a, size_t na, const char *b, size_t nb)
{
	bool a_number = strspn(a, "0123456789") >= na, b_number = strspn(b, "0123456789") >= nb;
	int order;

	if (a_number != b_number)
		return a_number ? -1 : 1;
	if (a_number) {
		while (na > 1 && *a == '0') {
			a++;
			na--;
		}
		while (nb > 1 && *b == '0') {
			b++;
			nb--;
		}
		if (na != nb)
			return na < nb ? -1 : 1;
	}
	order = memcmp(a, b, na < nb ? na : nb);
	if (order != 0 || na == nb)
		return order;
	return na < nb ? -1 : 1;
}

static size_t identifier_len(const char *at, size_t n)
{
	const char *dot = memchr(at, '.', n);

	return dot ? (size_t)(dot - at) : n;
}

static int compare_pre(const struct semver *a, const struct semver *b)
{
	size_t i = 0, k = 0;

	if (a->n_pre == 0 || b->n_pre == 0)
		return a->n_pre == b->n_pre ? 0 : a->n_pre == 0 ? 1 : -1;
	while (i < a->n_pre && k < b->n_pre) {
		size_t na = identifier_len(a->pre + i, a->n_pre - i);
		size_t nb = identifier_len(b->pre + k, b->n_pre - k);
		int order = compare_identifier(a->pre + i, na, b->pre + k, nb);

		if (order != 0)
			return order;
		i += na + 1;
		k += nb + 1;
	}
	if (i < a->n_pre)
		return 1;
	return k < b->n_pre ? -1 : 0;
}

int semver_order(const struct semver *a, const struct semver *b)
{
	for (size_t i = 0; i < 3; i++) {
		if (a->part[i] != b->part[i])
			return a->part[i] < b->part[i] ? -1 : 1;
	}
	return compare_pre(a, b);
}

int semver_compare(const char *a, const char *b)
{
	struct semver x, y;

	if (!semver_parse(a, &x) || !semver_parse(b, &y))
		BUG("versions are compared that were not checked");
	return semver_order(&x, &y);
}
