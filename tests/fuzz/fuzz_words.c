/* links: reconcile_cli */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_words.c — any bytes as each of the short texts that have a grammar of their own: times, durations, quantities, base64,
 * os-release, lines of subordinate ids, tags and sources of `tag`; and both halves as texts to compare. What is read prints and
 * reads the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buildexec/cnb/target.h"
#include "buildexec/engine/subids.h"
#include "model/base/base64.h"
#include "model/base/time.h"
#include "model/doc/text_diff.h"
#include "model/kind/image.h"
#include "model/kind/settings.h"
#include "reconcile/tag_source.h"

enum { TEXT_MAX = 8 << 10 };
#define YEAR_0_S     (-INT64_C(62167219200))
#define YEAR_10000_S INT64_C(253402300800)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_numbers(const char *text)
{
	int64_t moment, again, number;
	char printed[TIME_TEXT];

	/* What an offset moves out of the years 0 to 9999 is printed as their last or first second. */
	if (time_parse(text, &moment) && moment >= YEAR_0_S && moment < YEAR_10000_S) {
		time_format(moment, printed);
		if (!time_parse(printed, &again) || again != moment)
			BUG("%s is %s", text, printed);
	}
	if (duration_parse(text, &number) && number < 0)
		BUG("a duration below zero: %s", text);
	(void)quantity_parse(text, &number);
}

static void try_base64(const char *text, size_t n, struct arena *arena)
{
	struct base64 decoded, again;
	const char *encoded;

	if (!base64_decode(text, n, arena, &decoded)) {
		if (decoded.bad_at > n)
			BUG("byte %zu of %zu is bad", decoded.bad_at, n);
		return;
	}
	encoded = base64_encode(decoded.bytes, decoded.n, arena);
	if (!base64_decode(encoded, strlen(encoded), arena, &again) || again.n != decoded.n ||
	    memcmp(again.bytes, decoded.bytes, again.n) != 0)
		BUG("%s decodes to something else", encoded);
}

static void try_ids(const char *text)
{
	unsigned long first, n;

	if (subids_parse(text, "root", 0, &first, &n) && n == 0)
		BUG("a range of none: %s", text);
}

static void try_tags(const char *text, struct arena *arena)
{
	struct tag_source source;
	struct tag_target target;
	struct err err = { 0 };

	if (tag_source_parse(text, NULL, arena, &source, &err) && !source.kind)
		BUG("a source of no kind: %s", text);
	if (tag_target_parse(text, "ns", arena, &target, &err) &&
	    (!*target.ns || !*target.stream || strchr(target.stream, ':')))
		BUG("'%s' is no stream", target.stream);
}

static void try_diff(const char *text, size_t n)
{
	const char *cut = memchr(text, '\0', n);
	size_t left = cut ? (size_t)(cut - text) : n / 2;
	const struct diff_side before = { "a", text, left };
	const struct diff_side after = { "b", text + left + (cut != NULL),
					 n - left - (cut != NULL) };
	AUTO_BUF out = BUF_INIT(1 << 20), same = BUF_INIT(1 << 20);

	text_diff(&before, &after, 3, &out);
	text_diff(&before, &before, 3, &same);
	if (same.len ||
	    (!out.len && !out.is_over) !=
		    (before.len == after.len && memcmp(before.text, after.text, after.len) == 0))
		BUG("a difference where there is none, or none where there is one");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	const char *id, *version, *text;

	size = size < TEXT_MAX ? size : TEXT_MAX;
	text = arena_copy(arena, data, size);
	try_numbers(text);
	try_base64(text, size, arena);
	try_ids(text);
	try_tags(text, arena);
	try_diff(text, size);
	(void)os_release_parse(text, arena, &id, &version);
	arena_free(arena);
	return 0;
}
