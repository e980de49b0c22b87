/* SPDX-License-Identifier: Apache-2.0 */
/* number.c — "%.Ne" with the smallest N that survives strtod gives the digits; the rest is placing
 * the point. */
#include "model/doc/number.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

struct digits {
	bool is_negative;
	int n;        /* digits, at least one; no zeros at the end */
	int exponent; /* of ten, of the first digit                */
	char text[20];
};

static struct digits shortest(double f)
{
	struct digits d = { 0 };
	char text[NUMBER_TEXT];
	const char *at = text;

	for (int precision = 0; precision <= 16; precision++) {
		snprintf(text, sizeof(text), "%.*e", precision, f);
		if (strtod(text, NULL) == f)
			break;
	}
	if (*at == '-') {
		d.is_negative = true;
		at++;
	}
	for (; *at != 'e'; at++)
		if (*at != '.')
			d.text[d.n++] = *at;
	while (d.n > 1 && d.text[d.n - 1] == '0')
		d.n--;
	d.exponent = (int)strtol(at + 1, NULL, 10);
	return d;
}

static char *put_zeros(char *to, int n)
{
	while (n-- > 0)
		*to++ = '0';
	return to;
}

static char *put_digits(char *to, const struct digits *d, int from, int n)
{
	for (int i = from; i < from + n; i++)
		*to++ = d->text[i];
	return to;
}

/* Without exponent: 0.00123, 123.4, 12300; `with_point` makes the last 12300.0. Needs exponents of
 * −7 … 21. */
static void put_plain(char *to, const struct digits *d, bool with_point)
{
	int whole = d->exponent + 1; /* digits before the point */

	if (whole <= 0) {
		*to++ = '0';
		*to++ = '.';
		to = put_zeros(to, -whole);
		to = put_digits(to, d, 0, d->n);
	} else if (d->n <= whole) {
		to = put_digits(to, d, 0, d->n);
		to = put_zeros(to, whole - d->n);
		if (with_point) {
			*to++ = '.';
			*to++ = '0';
		}
	} else {
		to = put_digits(to, d, 0, whole);
		*to++ = '.';
		to = put_digits(to, d, whole, d->n - whole);
	}
	*to = '\0';
}

static void put_exponent(char *to, const struct digits *d, bool with_point)
{
	*to++ = d->text[0];
	if (d->n > 1 || with_point)
		*to++ = '.';
	to = put_digits(to, d, 1, d->n - 1);
	if (d->n == 1 && with_point)
		*to++ = '0';
	snprintf(to, 8, "e%+d", d->exponent);
}

static void put(double f, bool with_point, char *out)
{
	struct digits d = shortest(f);

	if (d.is_negative)
		*out++ = '-';
	if (d.exponent < -6 || d.exponent >= 21)
		put_exponent(out, &d, with_point);
	else
		put_plain(out, &d, with_point);
}

void number_format(double f, char *out)
{
	put(f, true, out);
}

void number_format_go(double f, char *out)
{
	put(f, false, out);
}
