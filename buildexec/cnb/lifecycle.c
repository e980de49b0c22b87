/* SPDX-License-Identifier: Apache-2.0 */
/* lifecycle.c — see lifecycle.h: what the phases share. */
#include "buildexec/cnb/lifecycle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buildexec/cnb/app_config.h"
#include "buildexec/sys/build_log.h"
#include "buildexec/sys/fs.h"
#include "model/base/limits.h"
#include "model/doc/toml.h"

static const char *const phase_names[] = {
	[PHASE_PREPARE] = "PREPARE", [PHASE_ANALYZE] = "ANALYZE",       [PHASE_DETECT] = "DETECT",
	[PHASE_RESTORE] = "RESTORE", [PHASE_EXTEND] = "EXTEND",         [PHASE_BUILD] = "BUILD",
	[PHASE_EXPORT] = "EXPORT",   [PHASE_COMPLETION] = "COMPLETION", [PHASE_REBASE] = "REBASE",
};
_Static_assert(COUNTOF(phase_names) == LIFECYCLE_PHASES, "a name for each phase");

const char *lifecycle_phase_name(enum lifecycle_phase phase)
{
	return phase_names[phase];
}

bool lifecycle_fail(struct lifecycle *life, int exit_code)
{
	life->exit_code = exit_code;
	return false;
}

void lifecycle_begin(struct lifecycle *life, enum lifecycle_phase phase)
{
	life->phase = phase;
	if (life->on_phase)
		life->on_phase(life->phase_ctx, phase);
	build_log_say("===> %s", lifecycle_phase_name(phase));
}

bool lifecycle_check(struct lifecycle *life, struct err *err)
{
	if (cnb_platform_api_is_supported(life->options.platform_api))
		return true;
	err_set(err, ERR_INVALID, "platform API version '%s' is not supported",
		life->options.platform_api);
	return lifecycle_fail(life, CNB_EXIT_PLATFORM_API);
}

bool lifecycle_create(struct lifecycle *life, struct err *err)
{
	static const struct {
		enum lifecycle_phase phase;
		bool (*run)(struct lifecycle *life, struct err *err);
		bool (*is_due)(const struct lifecycle *life); /* NULL: always */
	} phases[] = {
		{ PHASE_ANALYZE, lifecycle_analyze },
		{ PHASE_DETECT, lifecycle_detect },
		{ PHASE_RESTORE, lifecycle_restore },
		{ PHASE_EXTEND, lifecycle_extend, lifecycle_is_extended },
		{ PHASE_BUILD, lifecycle_build },
		{ PHASE_EXPORT, lifecycle_export },
	};

	if (!lifecycle_check(life, err))
		return false;
	for (size_t i = 0; i < COUNTOF(phases); i++) {
		if (phases[i].is_due && !phases[i].is_due(life))
			continue;
		lifecycle_begin(life, phases[i].phase);
		if (!phases[i].run(life, err))
			return false;
	}
	return true;
}

int64_t lifecycle_created_s(const struct lifecycle *life)
{
	const char *text = life->options.created;
	char *end;
	long long value;

	if (!text || text[0] == '\0' || !cnb_api_at_least(life->options.platform_api, 9))
		return CNB_CREATED_S;
	errno = 0;
	value = strtoll(text, &end, 10);
	if (errno != 0 || *end != '\0' || text[0] == ' ') {
		build_log_warn("Ignoring invalid SOURCE_DATE_EPOCH");
		return CNB_CREATED_S;
	}
	return value;
}

bool lifecycle_write_report(struct lifecycle *life, struct err *err)
{
	struct node *report, *image, *tags;
	AUTO_BUF text = BUF_INIT(LIMIT_TOML_BYTES);

	if (!life->options.report)
		return true;
	report = node_new(life->arena, NODE_MAP);
	image = node_new(life->arena, NODE_MAP);
	tags = node_new(life->arena, NODE_SEQ);
	node_push(tags, node_string(life->arena, life->options.image));
	for (size_t i = 0; i < life->options.tags.n; i++)
		node_push(tags, node_string(life->arena, life->options.tags.v[i]));
	node_set(life->arena, image, "tags", tags);
	node_set_text(life->arena, image, "digest", life->digest.text);
	node_set(life->arena, image, "manifest-size",
		 node_int(life->arena, (int64_t)life->manifest_bytes));
	node_set(life->arena, report, "image", image);
	toml_print(report, &text);
	return fs_write_atomic(AT_FDCWD, life->options.report, buf_text(&text), text.len, 0644,
			       false, err);
}

bool lifecycle_push(struct lifecycle *life, const struct image_draft *draft, struct err *err)
{
	size_t n = 1 + life->options.tags.n;
	const struct ref **refs = arena_array(life->arena, n, sizeof(*refs));
	struct image_push push = { .draft = draft, .access = life->access, .n_tags = n };
	struct image_bytes bytes;

	for (size_t i = 0; i < n; i++) {
		const char *text = i == 0 ? life->options.image : life->options.tags.v[i - 1];
		struct ref *ref = ARENA_NEW(life->arena, struct ref);

		if (!ref_parse(text, life->arena, ref, err))
			return false;
		refs[i] = ref;
	}
	push.tags = refs;
	if (!image_push(&push, life->arena, &bytes, err))
		return err_prefix(err, "cannot save '%s'", life->options.image);
	memcpy(life->digest.text, bytes.manifest_desc.digest, sizeof(life->digest.text));
	life->manifest_bytes = bytes.manifest_len;
	for (size_t i = 0; i < draft->layers.n; i++)
		vec_push(life->arena, &life->pushed, draft->layers.v[i].desc.digest);
	build_log_say("*** Images (%s):", life->digest.text);
	build_log_say("      %s", life->options.image);
	for (size_t i = 0; i < life->options.tags.n; i++)
		build_log_say("      %s", life->options.tags.v[i]);
	return true;
}
