/* SPDX-License-Identifier: Apache-2.0 */
/*
 * redact.c — the secrets of this process and the forms in which they may come out: as they are,
 * line by line (keys), JSON-escaped, URL-encoded, and base64 at each of the three alignments (a
 * password inside an encoded "user:password"). The longest form wins at each place. Secrets are
 * kept until the process ends.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "buildexec/sys/log.h"

enum { SECRET_MIN = 6, LINE_MIN = 16, SECRET_MAX = 1 << 20 };

static const char mask[] = "*****";

struct form {
	char *bytes;
	size_t n;
};

static struct {
	pthread_rwlock_t lock;
	struct form *forms; /* longest first */
	size_t n, cap;
	unsigned char starts[256]; /* which bytes begin a form */
} secrets = { .lock = PTHREAD_RWLOCK_INITIALIZER };

static void insert(const char *bytes, size_t n)
{
	size_t at = 0;

	if (n < SECRET_MIN)
		return;
	for (; at < secrets.n && secrets.forms[at].n >= n; at++)
		if (secrets.forms[at].n == n && memcmp(secrets.forms[at].bytes, bytes, n) == 0)
			return;
	if (secrets.n == secrets.cap) {
		secrets.cap = secrets.cap ? 2 * secrets.cap : 16;
		secrets.forms = mem_realloc(secrets.forms, secrets.cap * sizeof(*secrets.forms));
	}
	memmove(secrets.forms + at + 1, secrets.forms + at,
		(secrets.n - at) * sizeof(*secrets.forms));
	secrets.forms[at] = (struct form){ mem_realloc(NULL, n), n };
	memcpy(secrets.forms[at].bytes, bytes, n);
	secrets.starts[(unsigned char)bytes[0]] = 1;
	secrets.n++;
}

static void insert_buf(const struct buf *buf)
{
	insert(buf_text(buf), buf->len);
}

static void add_lines(const char *value, size_t n)
{
	const char *end = value + n;

	while (value < end) {
		const char *stop = memchr(value, '\n', (size_t)(end - value));
		size_t len = (size_t)((stop ? stop : end) - value);

		if (len >= LINE_MIN)
			insert(value, len);
		value += len + 1;
	}
}

static void add_json_form(const char *value, size_t n)
{
	AUTO_BUF out = BUF_INIT(6 * (size_t)SECRET_MAX);

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)value[i];

		if (c == '"' || c == '\\')
			buf_printf(&out, "\\%c", c);
		else if (c == '\n')
			buf_puts(&out, "\\n");
		else if (c == '\t')
			buf_puts(&out, "\\t");
		else if (c == '\r')
			buf_puts(&out, "\\r");
		else if (c < 0x20)
			buf_printf(&out, "\\u%04x", c);
		else
			buf_byte(&out, (char)c);
	}
	insert_buf(&out);
}

static bool is_unreserved(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       strchr("-._~", c);
}

static void add_url_form(const char *value, size_t n, const char *fmt)
{
	AUTO_BUF out = BUF_INIT(3 * (size_t)SECRET_MAX);

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)value[i];

		if (c && is_unreserved(c))
			buf_byte(&out, (char)c);
		else
			buf_printf(&out, *fmt == 'x' ? "%%%02x" : "%%%02X", c);
	}
	insert_buf(&out);
}

/*
 * The base64 text of the value when `shift` bytes (0, 1, 2) stand before it in the encoded whole.
 * Characters that also depend on bytes outside the value are left out.
 */
static void add_base64_form(const char *value, size_t n, unsigned shift, const char *last_two)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	size_t first_bit = (6 - shift * 8 % 6) % 6; /* of the value, at the start of a digit */
	AUTO_BUF out = BUF_INIT(2 * (size_t)SECRET_MAX);

	for (size_t bit = first_bit; bit + 6 <= n * 8; bit += 6) {
		unsigned pair = (unsigned)(unsigned char)value[bit / 8] << 8;
		unsigned v;

		if (bit / 8 + 1 < n)
			pair |= (unsigned char)value[bit / 8 + 1];
		v = pair >> (10 - bit % 8) & 63u;
		buf_byte(&out, v < 62 ? digits[v] : last_two[v - 62]);
	}
	insert_buf(&out);
}

void secret_add(const char *value, size_t n)
{
	if (!value || n < SECRET_MIN || n > SECRET_MAX)
		return;
	pthread_rwlock_wrlock(&secrets.lock);
	insert(value, n);
	if (memchr(value, '\n', n))
		add_lines(value, n);
	add_json_form(value, n);
	add_url_form(value, n, "X");
	add_url_form(value, n, "x");
	for (unsigned shift = 0; shift < 3; shift++) {
		add_base64_form(value, n, shift, "+/");
		add_base64_form(value, n, shift, "-_");
	}
	pthread_rwlock_unlock(&secrets.lock);
}

/* Bytes of the longest secret that begins at `text`, or 0. */
static size_t secret_at(const char *text, size_t n)
{
	if (!secrets.starts[(unsigned char)text[0]])
		return 0;
	for (size_t i = 0; i < secrets.n; i++) {
		const struct form *form = &secrets.forms[i];

		if (form->n <= n && memcmp(form->bytes, text, form->n) == 0)
			return form->n;
	}
	return 0;
}

static bool ends_authority(char c)
{
	return (unsigned char)c <= ' ' || strchr("/?#\"'<>\\", c);
}

/*
 * Bytes of userinfo with its '@' behind "://". The user of ssh:// without a password is a name that
 * people need
 * ("git"), everywhere else it may be a token.
 */
static size_t userinfo_at(const char *text, size_t n, bool is_ssh)
{
	size_t end = 0, userinfo = 0;

	for (; end < n && !ends_authority(text[end]); end++)
		if (text[end] == '@')
			userinfo = end + 1;
	if (is_ssh && !memchr(text, ':', userinfo))
		return 0;
	return userinfo;
}

size_t redact_head(const char *text, size_t n, size_t head, struct buf *out)
{
	size_t i = 0;

	pthread_rwlock_rdlock(&secrets.lock);
	while (i < head && i < n) {
		size_t len = secret_at(text + i, n - i);

		if (len) {
			buf_puts(out, mask);
			i += len;
		} else if (n - i > 3 && memcmp(text + i, "://", 3) == 0) {
			bool is_ssh = i >= 3 && memcmp(text + i - 3, "ssh", 3) == 0;

			buf_add(out, "://", 3);
			i += 3;
			i += userinfo_at(text + i, n - i, is_ssh);
		} else {
			buf_byte(out, text[i++]);
		}
	}
	pthread_rwlock_unlock(&secrets.lock);
	return i;
}

void redact(const char *text, size_t n, struct buf *out)
{
	redact_head(text, n, n, out);
}

void redact_err(struct err *err)
{
	AUTO_BUF out = BUF_INIT(8 * sizeof(err->text));
	enum err_kind kind = err->kind;
	int sys = err->sys;

	redact(err->text, strlen(err->text), &out);
	err_set(err, kind, "%s", buf_text(&out));
	err->sys = sys;
}
