/* SPDX-License-Identifier: Apache-2.0 */
/* git_parse.c — commits, tags and trees as bytes: what they point at, and which names may become
 * files. Pure. */
#include <string.h>

#include "buildexec/sys/git_objects.h"

/* "<word> <40 hex>\n" at *at, which moves behind it. */
static bool take_id_line(const char **at, const char *end, const char *word, struct git_id *out)
{
	size_t n = strlen(word);

	if ((size_t)(end - *at) < n + 1 + GIT_ID_HEX + 1 || memcmp(*at, word, n) != 0 ||
	    (*at)[n] != ' ' || (*at)[n + 1 + GIT_ID_HEX] != '\n' ||
	    !git_id_parse(*at + n + 1, GIT_ID_HEX, out))
		return false;
	*at += n + 1 + GIT_ID_HEX + 1;
	return true;
}

bool git_commit_parse(const struct git_data *commit, struct git_id *tree, struct git_id *parent,
		      struct err *err)
{
	const char *at = commit->bytes, *end = at + commit->n;

	*parent = (struct git_id){ 0 };
	if (commit->type != GIT_TYPE_COMMIT || !take_id_line(&at, end, "tree", tree))
		return err_set(err, ERR_INVALID, "a git commit names no tree");
	take_id_line(&at, end, "parent", parent);
	return true;
}

bool git_tag_parse(const struct git_data *tag, struct git_id *target, enum git_type *type,
		   struct err *err)
{
	const char *at = tag->bytes, *end = at + tag->n;

	if (tag->type != GIT_TYPE_TAG || !take_id_line(&at, end, "object", target) ||
	    end - at < 6 || memcmp(at, "type ", 5) != 0)
		return err_set(err, ERR_INVALID, "a git tag names no object");
	at += 5;
	*type = git_type_parse(at, strcspn(at, "\n"));
	return *type != GIT_TYPE_NONE || err_set(err, ERR_INVALID, "a git tag names no type");
}

bool git_entry_next(const char *tree, size_t n, size_t *pos, struct git_entry *out)
{
	const char *at = tree + *pos, *end = tree + n, *nul;
	unsigned mode = 0;

	while (at < end && *at >= '0' && *at <= '7' && mode < 01000000)
		mode = mode * 8 + (unsigned)(*at++ - '0');
	if (at == tree + *pos || at == end || *at++ != ' ')
		return false;
	nul = memchr(at, '\0', (size_t)(end - at));
	if (!nul || nul == at || end - nul < 1 + GIT_ID_RAW)
		return false;
	*out = (struct git_entry){ mode, at, (size_t)(nul - at), (const unsigned char *)nul + 1 };
	*pos = (size_t)(nul - tree) + 1 + GIT_ID_RAW;
	return true;
}

/* Length of a code point at p that HFS+ ignores in names (zero-width and direction marks), else 0.
 */
static size_t ignorable(const unsigned char *p, size_t n)
{
	if (n < 3)
		return 0;
	if (p[0] == 0xef && p[1] == 0xbb && p[2] == 0xbf)
		return 3; /* U+FEFF */
	if (p[0] != 0xe2)
		return 0;
	if (p[1] == 0x80 && ((p[2] >= 0x8c && p[2] <= 0x8f) || (p[2] >= 0xaa && p[2] <= 0xae)))
		return 3; /* U+200C–200F, U+202A–202E */
	if (p[1] == 0x81 && p[2] >= 0xaa && p[2] <= 0xaf)
		return 3; /* U+206A–206F */
	return 0;
}

/* `out` holds n. What a name is to a file system that folds case, ignores marks and cuts trailing
 * dots: enough to compare with ".git". */
static size_t fold_name(const unsigned char *name, size_t n, char *out)
{
	size_t length = 0;

	for (size_t i = 0; i < n && name[i] != ':';) {
		size_t skip = ignorable(name + i, n - i);

		if (skip) {
			i += skip;
			continue;
		}
		out[length++] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] + 32 : name[i]);
		i++;
	}
	while (length && (out[length - 1] == '.' || out[length - 1] == ' '))
		length--;
	return length;
}

bool git_entry_name_is_safe(const char *name, size_t n)
{
	char folded[256];
	size_t length;

	if (!n || n > 255 || (n == 1 && name[0] == '.') ||
	    (n == 2 && name[0] == '.' && name[1] == '.'))
		return false;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f || name[i] == '/')
			return false;
	length = fold_name((const unsigned char *)name, n, folded);
	return !(length == 4 && !memcmp(folded, ".git", 4)) &&
	       !(length == 5 && !memcmp(folded, "git~1", 5));
}
