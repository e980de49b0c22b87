/* SPDX-License-Identifier: Apache-2.0 */
/* yaml_scalar.c — hand-written matchers for the patterns of both YAML versions; the first character
 * decides most. */
#include "model/doc/yaml_scalar.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "model/doc/utf8.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const char *skip_digits(const char *at)
{
	while (is_digit(*at))
		at++;
	return at;
}

struct word {
	const char *text;
	enum node_kind kind;
	int64_t i;
};

static const struct word words[] = {
	{ "null", NODE_NULL, 0 },  { "Null", NODE_NULL, 0 },  { "NULL", NODE_NULL, 0 },
	{ "~", NODE_NULL, 0 },     { "true", NODE_BOOL, 1 },  { "True", NODE_BOOL, 1 },
	{ "TRUE", NODE_BOOL, 1 },  { "false", NODE_BOOL, 0 }, { "False", NODE_BOOL, 0 },
	{ "FALSE", NODE_BOOL, 0 },
};

static void resolve_word(struct node *node)
{
	if (node->len > 5)
		return;
	for (size_t i = 0; i < COUNTOF(words); i++) {
		if (strcmp(words[i].text, node->text) != 0)
			continue;
		node->kind = words[i].kind;
		node->i = words[i].i;
		return;
	}
}

/* The value of a run of digits; what does not fit becomes a float, as in JSON. */
static void set_int(struct node *node, const char *digits, int base)
{
	errno = 0;
	node->kind = NODE_INT;
	node->i = strtoll(digits, NULL, base);
	if (errno != ERANGE)
		return;
	node->kind = NODE_FLOAT;
	node->f = base == 8 ? INFINITY : strtod(node->text, NULL);
}

/* 0o17 and 0x1F, without sign. */
static bool resolve_prefixed(struct node *node)
{
	static const char octal[] = "01234567", hex[] = "0123456789abcdefABCDEF";
	bool is_octal = node->text[1] == 'o';
	const char *digits = node->text + 2;

	if (node->len < 3 || strspn(digits, is_octal ? octal : hex) != node->len - 2)
		return false;
	set_int(node, digits, is_octal ? 8 : 16);
	return true;
}

static bool is_one_of(const char *text, const char *a, const char *b, const char *c)
{
	return strcmp(text, a) == 0 || strcmp(text, b) == 0 || strcmp(text, c) == 0;
}

static void set_float(struct node *node, double f)
{
	node->kind = NODE_FLOAT;
	node->f = f;
}

/* [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )? */
static bool is_float(const char *at)
{
	bool has_point = *at == '.';
	const char *digits = at += has_point;

	at = skip_digits(at);
	if (at == digits)
		return false;
	if (*at == '.' && !has_point)
		at = skip_digits(at + 1);
	if (*at == 'e' || *at == 'E') {
		at += at[1] == '-' || at[1] == '+' ? 2 : 1;
		digits = at;
		at = skip_digits(at);
		if (at == digits)
			return false;
	}
	return *at == '\0';
}

static void resolve_number(struct node *node)
{
	const char *at = node->text;

	if (at[0] == '0' && (at[1] == 'o' || at[1] == 'x') && resolve_prefixed(node))
		return;
	if (*at == '-' || *at == '+')
		at++;
	if (is_digit(*at) && *skip_digits(at) == '\0')
		set_int(node, node->text, 10);
	else if (is_one_of(at, ".inf", ".Inf", ".INF"))
		set_float(node, *node->text == '-' ? -INFINITY : INFINITY);
	else if (at == node->text && is_one_of(at, ".nan", ".NaN", ".NAN"))
		set_float(node, NAN);
	else if (is_float(at))
		set_float(node, strtod(node->text, NULL));
}

void yaml_resolve(struct node *node)
{
	node->kind = NODE_STRING;
	switch (node->text[0]) {
	case '\0':
		node->kind = node->len ? NODE_STRING : NODE_NULL;
		return;
	case '~':
	case 'n':
	case 'N':
	case 't':
	case 'T':
	case 'f':
	case 'F':
		resolve_word(node);
		return;
	case '-':
	case '+':
	case '.':
		resolve_number(node);
		return;
	default:
		if (is_digit(node->text[0]))
			resolve_number(node);
	}
}

/* Words of YAML 1.1 and 1.2 in any case, and the two keys with a meaning. */
static bool is_special_word(const char *text, size_t len)
{
	static const char *const list[] = {
		"y",    "n", "yes", "no", "on",   "off",   "true",  "false",
		"null", "~", "=",   "<<", ".inf", "+.inf", "-.inf", ".nan",
	};

	if (len > 5)
		return false;
	for (size_t i = 0; i < COUNTOF(list); i++)
		if (strcasecmp(list[i], text) == 0)
			return true;
	return false;
}

/* After the sign, without underscores: integers of any base, and base 60 (12:30:45, 190:20:30.15).
 */
static bool is_old_number(const char *at)
{
	static const char *const digits[] = {
		['b'] = "01", ['o'] = "01234567", ['x'] = "0123456789abcdefABCDEF"
	};
	unsigned char base = (unsigned char)(at[0] == '0' ? at[1] | 0x20 : 0);

	if (base < COUNTOF(digits) && digits[base]) /* "0x_" has none, and is a number to PyYAML */
		return at[2 + strspn(at + 2, digits[base])] == '\0';
	at = skip_digits(at);
	while (*at == ':' && is_digit(at[1]))
		at = skip_digits(at + 1);
	if (*at == '.')
		at = skip_digits(at + 1);
	return *at == '\0';
}

/* What a YAML 1.1 reader may take for a number. Underscores may stand anywhere in it. */
static bool looks_like_number(const char *text, size_t len)
{
	char copy[64];
	size_t n = 0;
	const char *at = copy;

	if (!is_digit(text[0]) && !strchr("+-.", text[0]))
		return false;
	if (len >= sizeof(copy)) /* long runs of these characters are quoted unseen */
		return strspn(text, "0123456789abcdefABCDEFoOxX_.:+-") == len;
	for (size_t i = 0; i < len; i++)
		if (text[i] != '_')
			copy[n++] = text[i];
	copy[n] = '\0';
	if (*at == '-' || *at == '+')
		at++;
	if (!is_digit(*at) && *at != '.')
		return false;
	return is_float(at) || is_old_number(at);
}

/* 2026-11-22, and anything that goes on with a time. */
static bool looks_like_date(const char *at)
{
	const char *start = at;

	at = skip_digits(at);
	if (at - start != 4 || *at != '-' || !is_digit(at[1]))
		return false;
	at = skip_digits(at + 1);
	if (*at != '-' || !is_digit(at[1]))
		return false;
	at = skip_digits(at + 1);
	return *at == '\0' ||
	       ((*at == 'T' || *at == 't' || *at == ' ' || *at == '\t') && is_digit(at[1]));
}

static bool has_syntax(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] == ':' && (i + 1 == len || text[i + 1] == ' '))
			return true;
		if (text[i] == '#' && text[i - 1] == ' ')
			return true;
	}
	return false;
}

static bool starts_badly(const char *text, size_t len)
{
	if (strchr(" ?:,[]{}#&*!|>'\"%@`", text[0]))
		return true;
	if (text[0] == '-' && (len == 1 || text[1] == ' '))
		return true;
	return strncmp(text, "---", 3) == 0 || strncmp(text, "...", 3) == 0;
}

bool yaml_is_plain_safe(const char *text, size_t len)
{
	if (!len || text[len - 1] == ' ' || memchr(text, '\0', len) || starts_badly(text, len))
		return false;
	for (size_t at = 0; at < len;) {
		uint32_t c;
		size_t n = utf8_get(text + at, len - at, &c);

		if (!n || utf8_is_control(c))
			return false;
		at += n;
	}
	return !has_syntax(text, len) && !is_special_word(text, len) &&
	       !looks_like_number(text, len) && !looks_like_date(text);
}
