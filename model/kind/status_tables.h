/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status_tables.h — tables of the parts of statuses, for state files, build records and the worker
 * protocol.
 */
#ifndef MODEL_KIND_STATUS_TABLES_H
#define MODEL_KIND_STATUS_TABLES_H

#include "model/kind/status.h"

extern const struct table condition_table, buildpack_id_table, buildpack_stack_table;
extern const struct table buildpack_target_table, store_buildpack_table, lifecycle_apis_table;
extern const struct table history_entry_table, step_state_table;
/* Parts of struct attempt. */
extern const struct table attempt_resolved_table, attempt_failure_table;

/* What a text read back must be. Absent ones pass. */
enum text_form {
	TEXT_END,    /* of a list of rules */
	TEXT_REF,    /* an image reference */
	TEXT_PINNED, /* …@sha256:…         */
	TEXT_DIGEST, /* sha256:…           */
};
struct text_rule {
	enum text_form form;
	size_t offset; /* of the const char * */
	const char *field;
};
MUST_CHECK bool texts_hold(const struct text_rule *rules, const void *base, struct arena *arena,
			   struct err *err);

/* What is recorded of a kind: one row per kind, all zero for those without state. */
struct status_info {
	const struct table *table;
	/* of a status that was read: texts that must have a form, and what a list of texts cannot say; either may be NULL */
	const struct text_rule *rules;
	bool (*holds)(const void *status, struct arena *arena, struct err *err);
	size_t image_at; /* of the image it stands for now, a const char *; 0: no such field */
};
const struct status_info *status_info(enum kind kind);
struct stream_status;
MUST_CHECK bool stream_holds(const struct stream_status *status, struct arena *arena,
			     struct err *err);
MUST_CHECK bool attempt_holds(const struct attempt *attempt, struct arena *arena, struct err *err);
/* The file's apiVersion is of the group, whatever the version, the kind is right, and it has a name. */
struct file_type {
	const char *group, *kind;
};
MUST_CHECK bool file_is_of(const struct node *document, const struct file_type *type,
			   struct err *err);
/* {name} of metadataRef and secretRef into the bindings. */
void bindings_name(const struct list *bindings);

#endif
