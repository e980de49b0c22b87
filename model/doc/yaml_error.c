/* SPDX-License-Identifier: Apache-2.0 */
/* yaml_error.c — a table from libyaml's problems to sentences, and exact places for characters it
 * refuses. */
#include "model/doc/yaml_error.h"

#include <string.h>

#include "model/doc/utf8.h"

static const struct {
	const char *problem, *text;
} sentences[] = {
	{ "mapping values are not allowed in this context",
	  "a ':' that starts no value; check the indentation, or quote the text" },
	{ "mapping keys are not allowed in this context", "a key cannot stand here" },
	{ "block sequence entries are not allowed in this context",
	  "a '-' item cannot stand here; check the indentation" },
	{ "could not find expected ':'", "a ':' is missing after this key" },
	{ "did not find expected key",
	  "expected a key of the mapping; check the indentation and quotes" },
	{ "did not find expected '-' indicator",
	  "expected a '-' item of the sequence; check the indentation" },
	{ "did not find expected ',' or ']'", "expected ',' or ']' in the sequence" },
	{ "did not find expected ',' or '}'", "expected ',' or '}' in the mapping" },
	{ "did not find expected node content", "a value is missing here" },
	{ "did not find expected <document start>",
	  "text after the end of the document; is a '---' missing?" },
	{ "found unexpected end of stream", "the quoted text is not closed" },
	{ "found unexpected document indicator", "the quoted text is not closed" },
	{ "found unknown escape character", "unknown escape in the quoted text" },
	{ "did not find expected hexdecimal number", "the escape needs hexadecimal digits" },
	{ "found invalid Unicode character escape code",
	  "the escape names no character (halves of surrogate pairs are not allowed)" },
	{ "found character that cannot start any token",
	  "a plain text cannot start with this character; put it in quotes" },
	{ "found a tab character where an indentation space is expected",
	  "a tab in the indentation; YAML wants blanks" },
	{ "found a tab character that violates indentation",
	  "a tab in the indentation; YAML wants blanks" },
	{ "found undefined tag handle", "the tag has an unknown prefix" },
	{ "found incompatible YAML document", "only YAML 1.1 and 1.2 are supported" },
	{ "found an indentation indicator equal to 0", "the indentation of a block starts at 1" },
};

static const char *sentence_of(const char *problem)
{
	for (size_t i = 0; i < COUNTOF(sentences); i++)
		if (strcmp(sentences[i].problem, problem) == 0)
			return sentences[i].text;
	return problem;
}

struct place {
	size_t at; /* byte */
	struct pos pos;
};

/* One character on; CRLF counts as one line end. */
static void step(const struct source_file *file, struct place *place, size_t n)
{
	char c = file->text[place->at];
	bool is_crlf = c == '\r' && place->at + 1 < file->len && file->text[place->at + 1] == '\n';

	place->at += n;
	if (c == '\n' || (c == '\r' && !is_crlf)) {
		place->pos.line++;
		place->pos.column = 1;
	} else {
		place->pos.column++;
	}
}

static struct place start_of(const struct source_file *file)
{
	bool has_mark = file->len >= 3 && memcmp(file->text, "\xEF\xBB\xBF", 3) == 0;

	return (struct place){ has_mark ? 3 : 0, { 1, 1 } };
}

static bool is_refused(uint32_t c)
{
	return (c < 0x20 && c != '\n' && c != '\r' && c != '\t') || (c >= 0x7F && c < 0xA0) ||
	       c == 0xFEFF || c == 0xFFFE || c == 0xFFFF;
}

static void report_character(const yaml_parser_t *parser, const struct source_file *file,
			     struct diags *diags)
{
	struct place place = start_of(file);

	while (place.at < file->len) {
		uint32_t c;
		size_t n = utf8_get(file->text + place.at, file->len - place.at, &c);

		if (!n) {
			diag_add(diags, SEVERITY_ERROR, "encoding", file, place.pos, 1,
				 "not valid UTF-8 (byte 0x%02x)",
				 (unsigned char)file->text[place.at]);
			return;
		}
		if (is_refused(c)) {
			diag_add(diags, SEVERITY_ERROR, "encoding", file, place.pos, 1,
				 "control character U+%04X in the text; write it as an escape in "
				 "double quotes",
				 c);
			return;
		}
		step(file, &place, n);
	}
	diag_add(diags, SEVERITY_ERROR, "encoding", file, (struct pos){ 0 }, 1,
		 "cannot read the text: %s", parser->problem);
}

/* The byte that a mark of libyaml stands for. */
static size_t offset_of(const struct source_file *file, yaml_mark_t mark)
{
	struct place place = start_of(file);

	while (place.at < file->len &&
	       (place.pos.line <= mark.line ||
		(place.pos.line == mark.line + 1 && place.pos.column <= mark.column))) {
		uint32_t c;
		size_t n = utf8_get(file->text + place.at, file->len - place.at, &c);

		step(file, &place, n ? n : 1);
	}
	return place.at;
}

static struct pos pos_of(yaml_mark_t mark)
{
	return (struct pos){ (uint32_t)mark.line + 1, (uint32_t)mark.column + 1 };
}

/* "… (it starts in line 3)": where the mapping, sequence or quote began that could not be finished.
 */
static void add_syntax_error(const yaml_parser_t *parser, const struct source_file *file,
			     struct diags *diags, const char *text)
{
	struct pos pos = pos_of(parser->problem_mark);
	bool has_start = parser->context && parser->context_mark.line != parser->problem_mark.line;

	if (has_start)
		diag_add(diags, SEVERITY_ERROR, "syntax", file, pos, 1, "%s (it starts in line %u)",
			 text, pos_of(parser->context_mark).line);
	else
		diag_add(diags, SEVERITY_ERROR, "syntax", file, pos, 1, "%s", text);
}

void yaml_report(const yaml_parser_t *parser, const struct source_file *file, struct diags *diags)
{
	const char *text;
	size_t at;

	if (parser->error == YAML_READER_ERROR) {
		report_character(parser, file, diags);
		return;
	}
	if (parser->error == YAML_MEMORY_ERROR)
		BUG("libyaml is out of memory");
	text = parser->problem ? sentence_of(parser->problem) : "this is no YAML";
	at = offset_of(file, parser->problem_mark);
	if (at < file->len && file->text[at] == '\t')
		diag_add(diags, SEVERITY_ERROR, "syntax", file, pos_of(parser->problem_mark), 1,
			 "a tab in the indentation; YAML wants blanks");
	else
		add_syntax_error(parser, file, diags, text);
}

/* NEL, LS and PS end lines in YAML 1.1 and are ordinary characters in 1.2 and JSON. */
static bool is_old_line_end(const char *at, size_t n)
{
	return (n >= 2 && memcmp(at, "\xC2\x85", 2) == 0) ||
	       (n >= 3 &&
		(memcmp(at, "\xE2\x80\xA8", 3) == 0 || memcmp(at, "\xE2\x80\xA9", 3) == 0));
}

static bool find_old_line_end(const struct source_file *file, char lead, size_t *found)
{
	const char *end = file->text + file->len, *at = file->text;

	while ((at = memchr(at, lead, (size_t)(end - at)))) {
		if (is_old_line_end(at, (size_t)(end - at))) {
			*found = (size_t)(at - file->text);
			return true;
		}
		at++;
	}
	return false;
}

bool yaml_check_encoding(const struct source_file *file, struct diags *diags)
{
	struct place place = start_of(file);
	size_t found;

	if (file->len >= 2 &&
	    (memcmp(file->text, "\xFF\xFE", 2) == 0 || memcmp(file->text, "\xFE\xFF", 2) == 0)) {
		diag_add(diags, SEVERITY_ERROR, "encoding", file, (struct pos){ 0 }, 1,
			 "the file is UTF-16; save it as UTF-8");
		return false;
	}
	if (!find_old_line_end(file, '\xC2', &found) && !find_old_line_end(file, '\xE2', &found))
		return true;
	while (place.at < found) {
		uint32_t c;
		size_t n = utf8_get(file->text + place.at, file->len - place.at, &c);

		step(file, &place, n ? n : 1);
	}
	diag_add(diags, SEVERITY_ERROR, "encoding", file, place.pos, 1,
		 "a line end that not all YAML readers know (U+0085, U+2028 or U+2029); write it "
		 "as an "
		 "escape in double quotes");
	return false;
}
