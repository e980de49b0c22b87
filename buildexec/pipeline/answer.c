/* SPDX-License-Identifier: Apache-2.0 */
/* answer.c — see answer.h: field tables over the few fields that are asked for (tree=…). */
#include "buildexec/pipeline/answer.h"

#include <ctype.h>
#include <string.h>

#include "buildexec/sys/header.h"
#include "model/doc/field.h"
#include "model/doc/json.h"
#include "model/doc/utf8.h"

enum { MS_PER_S = 1000, HEADER_BYTES = 4096 };
/* The end of the year 9999, the last that a record can name. */
#define LAST_S 253402300799

static const struct field crumb_fields[] = {
	{ "crumbRequestField", FIELD_STRING, AT(struct crumb, field), .is_required = true },
	{ "crumb", FIELD_STRING, AT(struct crumb, value), .is_required = true },
	{ 0 },
};
static const struct table crumb_table = { "crumb", sizeof(struct crumb), crumb_fields };

static const struct field executable_fields[] = {
	{ "number", FIELD_INT, AT(struct queue_executable, number), .min = 1, .max = INT32_MAX,
	  .is_required = true },
	{ 0 },
};
static const struct table executable_table = { "executable", sizeof(struct queue_executable),
					       executable_fields };

static const struct field item_fields[] = {
	{ "id", FIELD_INT, AT(struct queue_item, id), .min = 0, .max = INT64_MAX },
	{ "cancelled", FIELD_BOOL, AT(struct queue_item, is_cancelled) },
	{ "why", FIELD_STRING, AT(struct queue_item, why) },
	{ "executable", FIELD_STRUCT_PTR, AT(struct queue_item, executable), &executable_table },
	{ "actions", FIELD_NODE, AT(struct queue_item, actions) },
	{ 0 },
};
static const struct table item_table = { "queue item", sizeof(struct queue_item), item_fields };

struct queue {
	struct list items;
};
static const struct field queue_fields[] = {
	{ "items", FIELD_STRUCTS, AT(struct queue, items), &item_table, .is_required = true },
	{ 0 },
};
static const struct table queue_table = { "queue", sizeof(struct queue), queue_fields };

static const struct field run_fields[] = {
	{ "number", FIELD_INT, AT(struct pipeline_run, number), .min = 1, .max = INT32_MAX,
	  .is_required = true },
	{ "queueId", FIELD_INT, AT(struct pipeline_run, queue_id), .min = -1, .max = INT64_MAX },
	{ "building", FIELD_BOOL, AT(struct pipeline_run, is_building) },
	{ "result", FIELD_STRING, AT(struct pipeline_run, result) },
	{ "actions", FIELD_NODE, AT(struct pipeline_run, actions) },
	{ 0 },
};
static const struct table run_table = { "run", sizeof(struct pipeline_run), run_fields };

struct job_answer {
	const char *type; /* _class */
	struct list runs;
};
static const struct field job_fields[] = {
	{ "_class", FIELD_STRING, AT(struct job_answer, type) },
	{ "builds", FIELD_STRUCTS, AT(struct job_answer, runs), &run_table },
	{ 0 },
};
static const struct table job_table = { "job", sizeof(struct job_answer), job_fields };

struct stage_answer {
	const char *name;
	int64_t started_ms, ms;
};
static const struct field stage_fields[] = {
	{ "name", FIELD_TEXT, AT(struct stage_answer, name) },
	{ "startTimeMillis", FIELD_INT, AT(struct stage_answer, started_ms) },
	{ "durationMillis", FIELD_INT, AT(struct stage_answer, ms) },
	{ 0 },
};
static const struct table stage_table = { "stage", sizeof(struct stage_answer), stage_fields };

struct stages_answer {
	struct list stages;
};
static const struct field stages_fields[] = {
	{ "stages", FIELD_STRUCTS, AT(struct stages_answer, stages), &stage_table },
	{ 0 },
};
static const struct table stages_table = { "stages", sizeof(struct stages_answer), stages_fields };

static bool read_answer(const char *json, size_t n, const struct table *table, void *out,
			struct arena *arena, struct err *err)
{
	struct node *tree;

	if (json_parse(json, n, arena, &tree, err) && fields_read(table, tree, out, arena, err))
		return true;
	return err_prefix(err, "the answer is no %s", table->name);
}

/* What may stand in a header of a request: no line end above all. */
static bool is_header_text(const char *text)
{
	size_t n = strlen(text);

	if (n == 0 || n > HEADER_BYTES)
		return false;
	for (size_t i = 0; i < n; i++)
		if (text[i] < ' ' || text[i] > '~')
			return false;
	return true;
}

static bool is_header_name(const char *text)
{
	for (size_t i = 0; text[i]; i++)
		if (!isalnum((unsigned char)text[i]) && !strchr("-_.", text[i]))
			return false;
	return text[0] != '\0';
}

bool answer_crumb(const char *json, size_t n, struct arena *arena, struct crumb *out,
		  struct err *err)
{
	struct crumb crumb = { 0 };

	*out = crumb;
	if (!read_answer(json, n, &crumb_table, &crumb, arena, err))
		return false;
	if (!is_header_text(crumb.field) || !is_header_name(crumb.field) ||
	    !is_header_text(crumb.value))
		return err_set(err, ERR_INVALID, "the answer's crumb cannot stand in a header");
	*out = crumb;
	return true;
}

bool answer_queue_item(const char *json, size_t n, struct arena *arena, struct queue_item *out,
		       struct err *err)
{
	*out = (struct queue_item){ 0 };
	return read_answer(json, n, &item_table, out, arena, err);
}

bool answer_queue(const char *json, size_t n, struct arena *arena, struct list *out,
		  struct err *err)
{
	struct queue queue = { 0 };

	*out = (struct list){ 0 };
	if (!read_answer(json, n, &queue_table, &queue, arena, err))
		return false;
	*out = queue.items;
	return true;
}

bool answer_run(const char *json, size_t n, struct arena *arena, struct pipeline_run *out,
		struct err *err)
{
	*out = (struct pipeline_run){ 0 };
	return read_answer(json, n, &run_table, out, arena, err);
}

bool answer_runs(const char *json, size_t n, struct arena *arena, struct list *out, struct err *err)
{
	struct job_answer job = { 0 };

	*out = (struct list){ 0 };
	if (!read_answer(json, n, &job_table, &job, arena, err))
		return false;
	*out = job.runs;
	return true;
}

bool answer_is_folder(const char *json, size_t n, struct arena *arena, bool *out, struct err *err)
{
	struct job_answer job = { 0 };

	*out = false;
	if (!read_answer(json, n, &job_table, &job, arena, err))
		return false;
	*out = job.type && strcmp(job.type, "com.cloudbees.hudson.plugins.folder.Folder") == 0;
	return true;
}

/* Controls and marks that turn text around become '?': names are shown in tables. */
static const char *shown_name(const char *name, struct arena *arena)
{
	AUTO_BUF out = BUF_INIT(ANSWER_STAGE_NAME);
	size_t len = name ? strlen(name) : 0;
	uint32_t c;

	for (size_t at = 0; at < len;) {
		size_t n = utf8_get(name + at, len - at, &c);

		if (out.len + (n ? n : 1) > ANSWER_STAGE_NAME)
			break;
		if (n == 0 || utf8_is_control(c))
			buf_byte(&out, '?');
		else
			buf_add(&out, name + at, n);
		at += n ? n : 1;
	}
	return buf_copy(&out, arena);
}

bool answer_stages(const char *json, size_t n, struct arena *arena, struct list *out,
		   struct err *err)
{
	struct stages_answer answer = { 0 };
	VEC(struct build_stage) stages = { 0 };

	*out = (struct list){ 0 };
	if (!read_answer(json, n, &stages_table, &answer, arena, err))
		return false;
	for (size_t i = 0; i < answer.stages.n && i < ANSWER_STAGES; i++) {
		const struct stage_answer *in = LIST_AT(answer.stages, struct stage_answer, i);
		int64_t started_s = in->started_ms / MS_PER_S;

		vec_push(arena, &stages,
			 (struct build_stage){ .name = shown_name(in->name, arena),
					       .started_s = started_s < 0        ? 0
							    : started_s > LAST_S ? LAST_S
										 : started_s,
					       .ms = in->ms < 0        ? 0
						     : in->ms > LAST_S ? LAST_S
								       : in->ms });
	}
	*out = (struct list){ stages.v, stages.n };
	return true;
}

static const struct node *first_of(const struct node *seq)
{
	return seq && seq->kind == NODE_SEQ ? seq->first : NULL;
}

const char *answer_parameter(const struct node *actions, const char *name)
{
	for (const struct node *action = first_of(actions); action; action = action->next)
		for (const struct node *one = first_of(node_get(action, "parameters")); one;
		     one = one->next) {
			const char *key = node_text(one, "name");

			if (key && strcmp(key, name) == 0)
				return node_text(one, "value");
		}
	return NULL;
}

int64_t answer_queue_id(const char *location)
{
	static const char marker[] = "/queue/item/";
	const char *at = location ? strstr(location, marker) : NULL;
	char digits[20];
	int64_t id;
	size_t n;

	if (!at)
		return 0;
	at += strlen(marker);
	n = strspn(at, "0123456789");
	if (n == 0 || n >= sizeof(digits) || (at[n] != '/' && at[n] != '\0'))
		return 0;
	memcpy(digits, at, n);
	digits[n] = '\0';
	return header_number(digits, &id) ? id : 0;
}

char *answer_cookie(const char *set_cookie, struct arena *arena)
{
	size_t n = strcspn(set_cookie, ";");
	char *pair = arena_copy(arena, set_cookie, n);
	const char *equals = strchr(pair, '=');

	return equals && equals != pair && is_header_text(pair) ? pair : NULL;
}
