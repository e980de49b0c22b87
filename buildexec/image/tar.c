/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tar.c — headers. An entry is USTAR when every field fits, the name split at a '/' where that
 * helps; else a PAX header with the records of the fields that do not fit comes first, named after
 * the entry, and the main header holds what is left of them without non-ASCII bytes. The choice and
 * the names are those of Go's archive/tar, which diff ids rest on.
 */
#include "buildexec/image/tar.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "model/base/buf.h"
#include "model/base/limits.h"

enum { BLOCK = 512, NAME_MAX_USTAR = 100, PREFIX_MAX_USTAR = 155, RECORDS_MAX = TAR_RECORDS_MAX };

struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type;
	char linkname[100], magic[6], version[2], uname[32], gname[32], major[8], minor[8];
	char prefix[155], rest[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a header is one block");

static const char types[] = {
	[TAR_FILE] = '0', [TAR_DIR] = '5',  [TAR_SYMLINK] = '2', [TAR_HARDLINK] = '1',
	[TAR_FIFO] = '6', [TAR_CHAR] = '3', [TAR_BLOCK] = '4',
};
_Static_assert(COUNTOF(types) == TAR_TYPES, "every type has a flag");

static const char zeros[2 * BLOCK];

static bool put(struct tar *tar, const void *bytes, size_t n, struct err *err)
{
	tar->total_bytes += n;
	return tar->sink(tar->ctx, bytes, n, err);
}

/* cap - 1 octal digits hold `value`? */
static bool fits_octal(size_t cap, uint64_t value)
{
	return value < (uint64_t)1 << (3 * (cap - 1));
}

/* Zero-padded digits and a NUL; 0 for what does not fit, which a PAX record then says. */
static void put_octal(char *field, size_t cap, uint64_t value)
{
	if (!fits_octal(cap, value))
		value = 0;
	for (size_t i = cap - 1; i-- > 0; value >>= 3)
		field[i] = (char)('0' + (value & 7));
}

/* A cut name must not look like a folder's: slashes at its end go away. */
static void put_text(char *field, size_t cap, const char *text)
{
	size_t len = strlen(text);

	memcpy(field, text, len < cap ? len : cap);
	if (len <= cap || field[cap - 1] != '/')
		return;
	for (size_t i = cap; i-- > 0 && field[i] == '/';)
		field[i] = '\0';
}

static bool is_ascii(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text >= 0x80)
			return false;
	return true;
}

static void put_ascii_only(char *field, size_t cap, const char *text)
{
	char clean[RECORDS_MAX];
	size_t n = 0;

	for (; *text && n < sizeof(clean) - 1; text++)
		if ((unsigned char)*text < 0x80)
			clean[n++] = *text;
	clean[n] = '\0';
	put_text(field, cap, clean);
}

/* Index of the '/' that separates prefix from name, 0 when the name cannot be split so that both
 * fit. */
static size_t split_at(const char *name)
{
	size_t len = strlen(name), end = len, at;

	if (len <= NAME_MAX_USTAR || !is_ascii(name))
		return 0;
	if (end > PREFIX_MAX_USTAR + 1)
		end = PREFIX_MAX_USTAR + 1;
	else if (name[end - 1] == '/')
		end--;
	for (at = end; at > 0 && name[at - 1] != '/';)
		at--;
	if (at <= 1 || len - at > NAME_MAX_USTAR || len == at)
		return 0;
	return at - 1;
}

static void seal(struct header *header)
{
	const unsigned char *bytes = (const unsigned char *)header;
	unsigned sum = 0;

	memcpy(header->magic, "ustar", 6);
	memcpy(header->version, "00", 2);
	memset(header->checksum, ' ', sizeof(header->checksum));
	for (size_t i = 0; i < BLOCK; i++)
		sum += bytes[i];
	put_octal(header->checksum, 7, sum);
	header->checksum[6] = '\0';
}

/* "<length> <prefix><key>=<value>\n", where the length counts its own digits. */
static void add_bytes(struct buf *out, const char *prefix, const char *key, const char *value,
		      size_t n)
{
	size_t body = strlen(prefix) + strlen(key) + n + 3, size = body, before;
	char digits[24];

	do {
		before = size;
		size = body + (size_t)snprintf(digits, sizeof(digits), "%zu", before);
	} while (size != before);
	buf_printf(out, "%zu %s%s=", size, prefix, key);
	buf_add(out, value, n);
	buf_byte(out, '\n');
}

static void add_record(struct buf *out, const char *key, const char *value)
{
	add_bytes(out, "", key, value, strlen(value));
}

static void add_number(struct buf *out, const char *key, uint64_t value, size_t cap)
{
	char digits[24];

	if (fits_octal(cap, value))
		return;
	snprintf(digits, sizeof(digits), "%" PRIu64, value);
	add_record(out, key, digits);
}

static bool is_long(const char *text)
{
	return strlen(text) > NAME_MAX_USTAR || !is_ascii(text);
}

bool tar_keeps_xattr(const char *name)
{
	if (strcmp(name, "security.capability") == 0)
		return true;
	return strncmp(name, "user.", 5) == 0 && strncmp(name, "user.overlay.", 13) != 0 &&
	       !strchr(name, '=');
}

/* The records in order of their keys; none when USTAR is enough. */
static void collect_records(const struct tar_entry *entry, const char *linkname, struct buf *out)
{
	bool is_plain = !is_long(entry->name) || split_at(entry->name);

	for (size_t i = 0; i < entry->n_xattrs; i++)
		add_bytes(out, "SCHILY.xattr.", entry->xattrs[i].name, entry->xattrs[i].value,
			  entry->xattrs[i].n);
	if (is_plain && !is_long(linkname) && fits_octal(8, entry->uid) &&
	    fits_octal(8, entry->gid) && fits_octal(12, entry->size_bytes))
		return;
	add_number(out, "gid", entry->gid, 8);
	if (is_long(linkname))
		add_record(out, "linkpath", linkname);
	if (is_long(entry->name))
		add_record(out, "path", entry->name);
	add_number(out, "size", entry->size_bytes, 12);
	add_number(out, "uid", entry->uid, 8);
}

/* "<dir>/PaxHeaders.0/<file>", cut to what fits. */
static void put_pax_name(struct header *header, const char *name)
{
	char full[RECORDS_MAX + 32];
	const char *slash = strrchr(name, '/');
	int dir = slash ? (int)(slash - name) + 1 : 0;
	size_t n = 0;

	snprintf(full, sizeof(full), "%.*sPaxHeaders.0/%s", dir, name, name + dir);
	for (const char *at = full; *at && n < sizeof(header->name); at++)
		if ((unsigned char)*at < 0x80)
			header->name[n++] = *at;
	while (n > 0 && header->name[n - 1] == '/')
		header->name[--n] = '\0';
}

static bool put_padding(struct tar *tar, size_t n, struct err *err)
{
	return n == 0 || put(tar, zeros, n, err);
}

static size_t padding_of(uint64_t n)
{
	return (size_t)(-n & (BLOCK - 1));
}

static bool put_pax(struct tar *tar, const struct tar_entry *entry, const struct buf *records,
		    struct err *err)
{
	struct header header = { .type = 'x' };

	put_pax_name(&header, entry->name);
	put_octal(header.mode, sizeof(header.mode), 0);
	put_octal(header.uid, sizeof(header.uid), 0);
	put_octal(header.gid, sizeof(header.gid), 0);
	put_octal(header.size, sizeof(header.size), records->len);
	put_octal(header.mtime, sizeof(header.mtime), 0);
	seal(&header);
	return put(tar, &header, sizeof(header), err) &&
	       put(tar, records->data, records->len, err) &&
	       put_padding(tar, padding_of(records->len), err);
}

static void put_names(struct header *header, const struct tar_entry *entry, const char *linkname,
		      bool is_pax)
{
	size_t at = is_pax ? 0 : split_at(entry->name);

	if (is_pax) {
		put_ascii_only(header->name, sizeof(header->name), entry->name);
		put_ascii_only(header->linkname, sizeof(header->linkname), linkname);
		return;
	}
	memcpy(header->prefix, entry->name, at);
	put_text(header->name, sizeof(header->name), entry->name + (at ? at + 1 : 0));
	put_text(header->linkname, sizeof(header->linkname), linkname);
}

bool tar_begin(struct tar *tar, const struct tar_entry *entry, struct err *err)
{
	const char *linkname = entry->linkname ? entry->linkname : "";
	AUTO_BUF records = BUF_INIT(RECORDS_MAX);
	struct header header = { .type = types[entry->type] };

	if (tar->left)
		BUG("an entry begins before the one before it is complete");
	if (!*entry->name || strlen(entry->name) > RECORDS_MAX / 4 ||
	    strlen(linkname) > RECORDS_MAX / 4)
		return err_set(err, ERR_INVALID, "cannot archive '%s': its name cannot be stored",
			       entry->name);
	if (entry->size_bytes > LIMIT_UNPACK_BYTES - tar->total_bytes ||
	    tar->total_bytes > LIMIT_UNPACK_BYTES)
		return err_set(err, ERR_INVALID,
			       "cannot archive '%s' of %" PRIu64
			       " bytes: all would be larger than %llu",
			       entry->name, entry->size_bytes, LIMIT_UNPACK_BYTES);
	if (entry->mtime_s < 0 || !fits_octal(12, (uint64_t)entry->mtime_s))
		return err_set(err, ERR_INVALID, "cannot archive '%s': its time cannot be stored",
			       entry->name);
	for (size_t i = 0; i < entry->n_xattrs; i++)
		if (strchr(entry->xattrs[i].name, '='))
			return err_set(err, ERR_INVALID,
				       "cannot archive '%s': no attribute can be called '%s'",
				       entry->name, entry->xattrs[i].name);
	collect_records(entry, linkname, &records);
	if (records.is_over)
		return err_set(
			err, ERR_INVALID,
			"cannot archive '%s': its extended attributes have more than %d bytes",
			entry->name, RECORDS_MAX);
	if (records.len && !put_pax(tar, entry, &records, err))
		return false;
	put_names(&header, entry, linkname, records.len > 0);
	put_octal(header.mode, sizeof(header.mode), entry->mode & 07777);
	put_octal(header.uid, sizeof(header.uid), entry->uid);
	put_octal(header.gid, sizeof(header.gid), entry->gid);
	put_octal(header.size, sizeof(header.size), entry->size_bytes);
	put_octal(header.mtime, sizeof(header.mtime), (uint64_t)entry->mtime_s);
	put_octal(header.major, sizeof(header.major), 0);
	put_octal(header.minor, sizeof(header.minor), 0);
	seal(&header);
	tar->left = entry->size_bytes;
	tar->padding = (unsigned)padding_of(entry->size_bytes);
	return put(tar, &header, sizeof(header), err);
}

bool tar_data(struct tar *tar, const void *bytes, size_t n, struct err *err)
{
	unsigned padding;

	if (n > tar->left)
		BUG("more data than the entry's size");
	if (n == 0)
		return true;
	if (!put(tar, bytes, n, err))
		return false;
	tar->left -= n;
	if (tar->left)
		return true;
	padding = tar->padding;
	tar->padding = 0;
	return put_padding(tar, padding, err);
}

bool tar_finish(struct tar *tar, struct err *err)
{
	if (tar->left)
		BUG("the archive ends before its last entry is complete");
	return put(tar, zeros, sizeof(zeros), err);
}

bool tar_add(struct tar *tar, const struct tar_entry *entry, const void *bytes, size_t n,
	     struct err *err)
{
	struct tar_entry sized = *entry;

	sized.size_bytes = n;
	return tar_begin(tar, &sized, err) && tar_data(tar, bytes, n, err);
}

bool tar_hash_sink(void *ctx, const void *bytes, size_t n, struct err *err)
{
	(void)err;
	sha256_update(ctx, bytes, n);
	return true;
}
