/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules_stream.h — a stream's status in the making, for the files that each know one way in which a tag moves. Internal to
 * reconcile/plan; the rules are told in stream.h.
 */
#ifndef RECONCILE_PLAN_RULES_STREAM_H
#define RECONCILE_PLAN_RULES_STREAM_H

#include "reconcile/plan/stream_generation.h"

struct tag_note { /* why a tag moved */
	const char *verb, *source;
};
struct making {
	struct planner *p;
	struct step *step;
	struct draft d;
	struct map notes;                 /* tag → struct tag_note: why it moved last */
	struct map moved;                 /* tags that their followers have not been told of */
	VEC(struct tag_move) moves, told; /* told: failures, and what is known only later */
	VEC(const struct image_record *) records;
	VEC(struct mirror) mirrors, rewrites; /* rewrites: a copy that an event already names */
	struct strings rewritten;             /* their tags */
	struct strings pending, unmirrored, answered;
	size_t n_failed, n_moved;
	enum err_kind failure_kind;
	bool has_tried;             /* an import was answered */
	bool is_listed;             /* spec.dockerImageRepository was listed */
	bool has_repository_failed; /* … or could not be */
};
/* What plan_fold needs of a step with mirrors. */
struct stream_result {
	const struct stream_status *done;
	struct draft failed; /* all but the tags of `unmirrored`, which get their condition */
	struct strings unmirrored;
};

/* False: nothing changed. */
bool put_event(struct making *m, const char *tag, struct tag_event event, struct tag_note note);
void put_failure(struct making *m, const char *tag, struct tag_note note, const char *why);
void put_pending(struct making *m, const char *tag, struct tag_note note);
/* Once per digest, and only when it is not recorded. */
void put_record(struct making *m, const struct image_record *record);

void take_imports(struct making *m); /* rules_stream_import.c */
void take_sources(struct making *m); /* rules_stream_source.c: references, images, copies */
/* The same: tracking, of what moved since the last call. What was pushed to a follower afterwards stays on top. */
void follow_tags(struct making *m);
void take_pushes(struct making *m); /* rules_stream_push.c: also mappings */
/* Images that must lie in the stream's repository and do not; fills mirrors and unmirrored. */
void find_mirrors(struct making *m);

#endif
