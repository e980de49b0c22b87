/* SPDX-License-Identifier: Apache-2.0 */
/*
 * toml_scalar.c — booleans, integers, floats and the four kinds of dates and times, each from one
 * token. The token is what stands up to the next blank, comma, bracket, comment or line end; see
 * toml.c. Spec: toml.io/en/v1.0.0 "Integer", "Float", "Boolean", "Offset Date-Time" and following;
 * RFC 3339.
 */
#include "model/doc/toml_scalar.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The longest float text that is read; more digits than this say nothing in a double. */
enum { NUMBER_MAX = 400 };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_text(const char *token, size_t len, const char *word)
{
	return len == strlen(word) && memcmp(token, word, len) == 0;
}

/* n digits at `at`, as a number in lo … hi. */
static bool take_digits(const char *text, size_t len, size_t *at, int n, int lo_hi[2], int *value)
{
	*value = 0;
	for (int i = 0; i < n; i++, (*at)++) {
		if (*at >= len || !is_digit(text[*at]))
			return false;
		*value = *value * 10 + (text[*at] - '0');
	}
	return *value >= lo_hi[0] && *value <= lo_hi[1];
}

static bool take_char(const char *text, size_t len, size_t *at, const char *any)
{
	if (*at >= len || !strchr(any, text[*at]))
		return false;
	(*at)++;
	return true;
}

static int days_in(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && is_leap);
}

static bool take_date(const char *text, size_t len, size_t *at)
{
	int year, month, day;

	return take_digits(text, len, at, 4, (int[]){ 0, 9999 }, &year) &&
	       take_char(text, len, at, "-") &&
	       take_digits(text, len, at, 2, (int[]){ 1, 12 }, &month) &&
	       take_char(text, len, at, "-") &&
	       take_digits(text, len, at, 2, (int[]){ 1, 31 }, &day) && day <= days_in(year, month);
}

static bool take_time(const char *text, size_t len, size_t *at, struct toml_moment *out)
{
	int part;

	if (!take_digits(text, len, at, 2, (int[]){ 0, 23 }, &part) ||
	    !take_char(text, len, at, ":") ||
	    !take_digits(text, len, at, 2, (int[]){ 0, 59 }, &part) ||
	    !take_char(text, len, at, ":") ||
	    !take_digits(text, len, at, 2, (int[]){ 0, 59 }, &part))
		return false;
	out->fraction_at = *at;
	if (take_char(text, len, at, ".")) {
		size_t start = *at;

		while (*at < len && is_digit(text[*at]))
			(*at)++;
		return *at > start;
	}
	return true;
}

static bool take_offset(const char *text, size_t len, size_t *at)
{
	int part;

	if (take_char(text, len, at, "Zz"))
		return true;
	return take_char(text, len, at, "+-") &&
	       take_digits(text, len, at, 2, (int[]){ 0, 23 }, &part) &&
	       take_char(text, len, at, ":") &&
	       take_digits(text, len, at, 2, (int[]){ 0, 59 }, &part);
}

bool toml_moment_parse(const char *text, size_t len, struct toml_moment *out)
{
	size_t at = 0;

	*out = (struct toml_moment){ .end = len };
	if (len > 4 && text[4] == '-') {
		if (!take_date(text, len, &at))
			return false;
		out->has_date = true;
		if (at == len)
			return true;
		if (!take_char(text, len, &at, "Tt "))
			return false;
	}
	out->has_time = true;
	out->time_at = at;
	if (!take_time(text, len, &at, out))
		return false;
	out->offset_at = at;
	if (out->has_date && at < len) {
		out->has_offset = true;
		if (!take_offset(text, len, &at))
			return false;
	}
	return at == len;
}

static int digit_value(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 99;
}

/* Digits of `base` with single underscores between them; the value with the sign must fit 64 bits.
 */
static bool read_digits(const char *text, size_t len, int base, bool is_negative, int64_t *value)
{
	bool after_digit = false;

	*value = 0;
	for (size_t i = 0; i < len; i++) {
		int digit = digit_value(text[i]);

		if (text[i] == '_') {
			if (!after_digit || i + 1 == len)
				return false;
			after_digit = false;
			continue;
		}
		if (digit >= base || __builtin_mul_overflow(*value, base, value) ||
		    __builtin_add_overflow(*value, is_negative ? -digit : digit, value))
			return false;
		after_digit = true;
	}
	return after_digit;
}

static bool read_int(const char *token, size_t len, int64_t *value)
{
	bool has_sign = token[0] == '+' || token[0] == '-';
	const char *digits = token + has_sign;
	size_t n = len - has_sign;

	if (n > 2 && !has_sign && digits[0] == '0') {
		int base = digits[1] == 'x' ? 16 : digits[1] == 'o' ? 8 : digits[1] == 'b' ? 2 : 0;

		return base && read_digits(digits + 2, n - 2, base, false, value);
	}
	if (n > 1 && digits[0] == '0')
		return false;
	return read_digits(digits, n, 10, token[0] == '-', value);
}

/* Copies a run of digits without its underscores; false when there is none or an underscore is
 * misplaced. */
static bool copy_digits(const char *token, size_t len, size_t *at, char *out, size_t *n)
{
	size_t start = *at;

	while (*at < len && (is_digit(token[*at]) || token[*at] == '_')) {
		if (token[*at] == '_') {
			if (*at == start || *at + 1 >= len || !is_digit(token[*at + 1]) ||
			    !is_digit(token[*at - 1]))
				return false;
		} else {
			out[(*n)++] = token[*at];
		}
		(*at)++;
	}
	return *at > start;
}

static bool read_float(const char *token, size_t len, double *value)
{
	char text[NUMBER_MAX + 1];
	size_t at = 0, n = 0, first;
	bool has_part = false;

	if (len > NUMBER_MAX)
		return false;
	if (take_char(token, len, &at, "+-"))
		text[n++] = token[0];
	first = n;
	if (!copy_digits(token, len, &at, text, &n) || (n - first > 1 && text[first] == '0'))
		return false;
	if (take_char(token, len, &at, ".")) {
		text[n++] = '.';
		if (!copy_digits(token, len, &at, text, &n))
			return false;
		has_part = true;
	}
	if (take_char(token, len, &at, "eE")) {
		text[n++] = 'e';
		if (take_char(token, len, &at, "+-"))
			text[n++] = token[at - 1];
		if (!copy_digits(token, len, &at, text, &n))
			return false;
		has_part = true;
	}
	if (!has_part || at != len)
		return false;
	text[n] = '\0';
	*value = strtod(text, NULL);
	return *value - *value == 0; /* finite: too large a number is no number */
}

static bool read_special_float(const char *token, size_t len, double *value)
{
	bool has_sign = token[0] == '+' || token[0] == '-';

	if (is_text(token + has_sign, len - has_sign, "inf"))
		*value = __builtin_inf();
	else if (is_text(token + has_sign, len - has_sign, "nan"))
		*value = __builtin_nan("");
	else
		return false;
	if (token[0] == '-')
		*value = -*value;
	return true;
}

bool toml_scalar(const char *token, size_t len, struct node *node, const char **problem)
{
	struct toml_moment moment;

	*problem = "a value is missing";
	if (len == 0)
		return false;
	if (is_text(token, len, "true") || is_text(token, len, "false")) {
		node->kind = NODE_BOOL;
		node->i = token[0] == 't';
		return true;
	}
	if (read_int(token, len, &node->i)) {
		node->kind = NODE_INT;
		return true;
	}
	if (read_special_float(token, len, &node->f) || read_float(token, len, &node->f)) {
		node->kind = NODE_FLOAT;
		return true;
	}
	if (toml_moment_parse(token, len, &moment)) {
		node->kind = NODE_DATETIME;
		return true;
	}
	*problem = is_digit(token[0]) || strchr("+-.", token[0]) ? "malformed number, date or time"
								 : "a text needs quotes";
	return false;
}
