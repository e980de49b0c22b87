/* SPDX-License-Identifier: Apache-2.0 */
/* git_pkt.c — pkt-lines: four hex digits of length, themselves counted, then the bytes; 0000 to
 * 0002 are marks. */
#include "buildexec/sys/git_pkt.h"

#include <stdio.h>
#include <string.h>

#include "buildexec/sys/git_id.h"

void git_pkt_reader_init(struct git_pkt_reader *reader, git_pkt_fn *on_pkt, void *ctx)
{
	reader->on_pkt = on_pkt;
	reader->ctx = ctx;
	reader->is_stopped = false;
	reader->need = 0;
	reader->have = 0;
}

bool git_pkt_is_between(const struct git_pkt_reader *reader)
{
	return !reader->need && !reader->have;
}

static bool parse_head(const char *head, size_t *length, struct err *err)
{
	unsigned char raw[2];

	if (!git_hex_bytes(head, raw, sizeof(raw)))
		return err_set(err, ERR_INVALID,
			       "the server does not speak git's protocol (a packet has no length)");
	*length = (size_t)raw[0] << 8 | raw[1];
	if (*length == 3 || *length > GIT_PKT_MAX)
		return err_set(err, ERR_INVALID,
			       "the server sent a git packet of impossible length %zu", *length);
	return true;
}

/* Takes the four digits; a mark is complete with them. */
static bool take_head(struct git_pkt_reader *reader, struct err *err)
{
	static const enum git_pkt_kind marks[] = { GIT_PKT_FLUSH, GIT_PKT_DELIM, GIT_PKT_END };
	size_t length = 0;

	if (!parse_head(reader->bytes, &length, err))
		return false;
	reader->have = 0;
	if (length < COUNTOF(marks))
		return reader->on_pkt(reader->ctx, marks[length], "", 0, err);
	if (length == 4)
		return reader->on_pkt(reader->ctx, GIT_PKT_DATA, "", 0, err);
	reader->need = length - 4;
	return true;
}

static bool take_data(struct git_pkt_reader *reader, const char *bytes, struct err *err)
{
	size_t n = reader->need;

	reader->need = 0;
	reader->have = 0;
	return reader->on_pkt(reader->ctx, GIT_PKT_DATA, bytes, n, err);
}

bool git_pkt_feed(struct git_pkt_reader *reader, const char *bytes, size_t n, struct err *err)
{
	while (n && !reader->is_stopped) {
		size_t want = (reader->need ? reader->need : 4) - reader->have;
		size_t part = n < want ? n : want;

		memcpy(reader->bytes + reader->have, bytes, part);
		reader->have += part;
		bytes += part;
		n -= part;
		if (part < want)
			return true;
		if (reader->need ? !take_data(reader, reader->bytes, err) : !take_head(reader, err))
			return false;
	}
	return true;
}

void git_pkt_add(struct buf *out, const void *bytes, size_t n)
{
	char head[5];

	if (n > GIT_PKT_DATA_MAX)
		BUG("a git packet of %zu bytes", n);
	snprintf(head, sizeof(head), "%04x", (unsigned)(n + 4) & 0xffffu);
	buf_add(out, head, 4);
	buf_add(out, bytes, n);
}

void git_pkt_printf(struct buf *out, const char *fmt, ...)
{
	AUTO_BUF line = BUF_INIT(GIT_PKT_DATA_MAX);
	va_list args;

	va_start(args, fmt);
	buf_vprintf(&line, fmt, args);
	va_end(args);
	if (line.is_over)
		out->is_over = true;
	else
		git_pkt_add(out, line.data, line.len);
}

void git_pkt_flush(struct buf *out)
{
	buf_add(out, "0000", 4);
}

void git_pkt_delim(struct buf *out)
{
	buf_add(out, "0001", 4);
}

bool git_band_split(struct git_band *band, const char *bytes, size_t n, struct err *err)
{
	band->data = NULL;
	band->n = 0;
	if (!n)
		return true;
	switch (bytes[0]) {
	case 1:
		band->data = bytes + 1;
		band->n = n - 1;
		return true;
	case 2:
		if (band->progress)
			buf_add(band->progress, bytes + 1, n - 1);
		return true;
	case 3:
		while (n > 1 && (bytes[n - 1] == '\n' || bytes[n - 1] == '\r'))
			n--;
		return err_set(err, ERR_INVALID, "the server failed: %.*s", (int)(n - 1),
			       bytes + 1);
	}
	return err_set(err, ERR_INVALID,
		       "the server sent data on side band %d, which does not exist",
		       (unsigned char)bytes[0]);
}

const char *git_pkt_after(const char *bytes, size_t *n, const char *prefix)
{
	size_t length = strlen(prefix);

	if (*n && bytes[*n - 1] == '\n')
		--*n;
	if (*n < length || memcmp(bytes, prefix, length) != 0)
		return NULL;
	*n -= length;
	return bytes + length;
}
