/* SPDX-License-Identifier: Apache-2.0 */
/*
 * settings_streams.c — `streams` of Settings: where the integrated registry is, how often and how much is imported, and from
 * where. Source of the rules: OpenShift's imagePolicyConfig (openshift.md §2.3, §2.7).
 */
#include <string.h>

#include "model/kind/check.h"
#include "model/kind/rules.h"
#include "model/kind/settings.h"
#include "model/kind/stream.h"

enum {
	INTERVAL_MAX_S = 365 * 24 * 3600,
	HISTORY_MAX = 10000,
	TAGS_MAX = 10000,
};

static const char *const import_modes[] = { IMPORT_LEGACY, IMPORT_PRESERVE, NULL };

static const struct field platform_fields[] = {
	{ "os", FIELD_STRING, AT(struct settings_streams, os), .deflt = "linux",
	  .doc = "The operating system that is preferred." },
	{ "architecture", FIELD_STRING, AT(struct settings_streams, arch), .deflt = "amd64",
	  .doc = "The architecture that is preferred." },
	{ 0 },
};
static const struct table platform_table = { "platform", sizeof(struct settings_streams),
					     platform_fields };

static const struct field allowed_fields[] = {
	{ "domainName", FIELD_STRING, AT(struct settings_allowed, domain), .is_required = true,
	  .doc = "host[:port]; * stands for any characters." },
	{ "insecure", FIELD_BOOL, AT(struct settings_allowed, is_insecure),
	  .doc = "Without a port, 80 is meant and not 443." },
	{ 0 },
};
static const struct table allowed_table = { "allowed registry", sizeof(struct settings_allowed),
					    allowed_fields };

static const struct field streams_fields[] = {
	{ "registry", FIELD_STRING, AT(struct settings_streams, registry),
	  .doc = "host[:port][/path] of the integrated registry: a stream's repository is below "
		 "it, "
		 "namespace/name." },
	{ "publicRegistry", FIELD_STRING, AT(struct settings_streams, public_registry),
	  .doc = "The same registry as it is reached from outside." },
	{ "interval", FIELD_TEXT, AT(struct settings_streams, interval), .deflt = "15m",
	  .doc = "Between two imports of a scheduled tag: 90s, 15m, 1h." },
	{ "historyLimit", FIELD_INT, AT(struct settings_streams, history_limit), .deflt = "0",
	  .min = 0, .max = HISTORY_MAX, .doc = "Images kept of every tag; 0: all." },
	{ "maxTags", FIELD_INT, AT(struct settings_streams, max_tags), .deflt = "50", .min = -1,
	  .max = TAGS_MAX, .doc = "Tags that the import of a repository takes in; -1: all." },
	{ "importMode", FIELD_ENUM, AT(struct settings_streams, import_mode),
	  .values = import_modes, .deflt = IMPORT_LEGACY,
	  .doc = "Of tags that say none. Legacy: one image of an index. PreserveOriginal: the "
		 "index." },
	{ "platform", FIELD_STRUCT, 0, .table = &platform_table,
	  .doc = "Which image of an index is imported." },
	{ "allowedRegistries", FIELD_STRUCTS, AT(struct settings_streams, allowed),
	  .table = &allowed_table, .has_given = true,
	  .given_offset = AT(struct settings_streams, has_allowed),
	  .doc = "Where images may be imported from. Absent: from everywhere; empty: from "
		 "nowhere." },
	{ 0 },
};
const struct table settings_streams_table = { "stream settings", sizeof(struct settings_streams),
					      streams_fields };

void settings_streams_adapt(struct settings_streams *streams, const struct checker *c)
{
	if (!streams->interval) /* it was no text, which has been said */
		return;
	if (!duration_parse(streams->interval, &streams->interval_s))
		check_invalid(c, "streams.interval", streams->interval,
			      "must be a duration such as 90s, 15m or 1h30m");
	else if (streams->interval_s < 1 || streams->interval_s > INTERVAL_MAX_S)
		check_invalid(c, "streams.interval", streams->interval,
			      "must be between 1s and 365d");
}

static const char *domain_mistake(const char *domain)
{
	const char *colon = strchr(domain, ':');

	if (strstr(domain, "://"))
		return "must have no scheme: write host[:port]";
	if (strchr(domain, '/'))
		return "must be host[:port], without a path";
	if (colon && strchr(colon + 1, ':'))
		return "has too many colons: write host[:port]";
	if (colon == domain || (colon && !colon[1]))
		return "must be of the form host[:port]";
	if (colon && strspn(colon + 1, "0123456789*?") < strlen(colon + 1))
		return "has no port number behind ':'";
	return NULL;
}

void settings_streams_check(const struct settings_streams *streams, const struct checker *c)
{
	check_location(c, "streams.registry", streams->registry, false);
	check_location(c, "streams.publicRegistry", streams->public_registry, false);
	if (streams->public_registry && !streams->registry)
		check_fail(c, "streams.publicRegistry",
			   "missing field(s): streams.registry, which streams.publicRegistry is "
			   "another name of");
	check_filled(c, "streams.platform.os", streams->os);
	check_filled(c, "streams.platform.architecture", streams->arch);
	for (size_t i = 0; i < streams->allowed.n; i++) {
		const char *domain = LIST_AT(streams->allowed, struct settings_allowed, i)->domain;
		const char *path =
			arena_printf(c->arena, "streams.allowedRegistries[%zu].domainName", i);
		const char *mistake = domain && *domain ? domain_mistake(domain) : NULL;

		check_filled(c, path, domain);
		if (mistake)
			check_invalid(c, path, domain, mistake);
	}
}
