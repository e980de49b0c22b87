/* SPDX-License-Identifier: Apache-2.0 */
/*
 * settings.c — the field table of Settings, its rules and its defaults. Durations are written as Go
 * and people do ("90s", "1h30m") or as plain seconds. Which fields only a trusted place may set is
 * one table here (design §7).
 */
#include "model/kind/settings.h"

#include <string.h>

#include "model/kind/check.h"
#include "model/kind/rules.h"

enum { JOBS_MAX = 1024, RETRIES_MAX = 100, LEASE_MIN_S = 30, LEASE_MAX_S = 7 * 24 * 3600 };

static const struct field author_fields[] = {
	{ "name", FIELD_STRING, AT(struct settings, author_name), .deflt = "reconcile",
	  .doc = "Of commits to the state." },
	{ "email", FIELD_STRING, AT(struct settings, author_email), .deflt = "reconcile@localhost",
	  .doc = "Of commits to the state." },
	{ 0 },
};
static const struct table author_table = { "author", sizeof(struct settings), author_fields };

static const struct field state_fields[] = {
	{ "repository", FIELD_STRING, AT(struct settings, state_repo), .alias = "repo",
	  .doc = "URL or path. Default: the repository that holds the manifests, or its origin." },
	{ "branch", FIELD_STRING, AT(struct settings, state_branch), .deflt = "reconcile/state",
	  .doc = "The state branch." },
	{ "author", FIELD_STRUCT, 0, .table = &author_table, .doc = "Who commits." },
	{ "lease", FIELD_TEXT, AT(struct settings, lease), .deflt = "15m",
	  .doc = "How long a claim on a build holds: 90s, 15m, 1h." },
	{ "pushRetries", FIELD_INT, AT(struct settings, push_retries), .deflt = "10", .min = 0,
	  .max = RETRIES_MAX, .doc = "Attempts when the branch moves under us." },
	{ 0 },
};
static const struct table state_table = { "state settings", sizeof(struct settings), state_fields };

static const struct field registry_fields[] = {
	{ "prefix", FIELD_STRING, AT(struct settings_registry, prefix), .is_required = true,
	  .doc = "References that begin so: host[:port][/path], or *.host." },
	{ "layout", FIELD_STRING, AT(struct settings_registry, layout),
	  .doc = "They live in OCI image layouts below this folder." },
	{ "location", FIELD_STRING, AT(struct settings_registry, location),
	  .doc = "They live below host[:port][/path]." },
	{ "mirror", FIELD_STRING, AT(struct settings_registry, mirror),
	  .doc = "Asked first when reading." },
	{ "caFile", FIELD_STRING, AT(struct settings_registry, ca_file),
	  .doc = "Further certificate authorities, PEM." },
	{ "certFile", FIELD_STRING, AT(struct settings_registry, cert_file),
	  .doc = "Client certificate, PEM." },
	{ "keyFile", FIELD_STRING, AT(struct settings_registry, key_file),
	  .doc = "Key of the client certificate, PEM." },
	{ "insecure", FIELD_BOOL, AT(struct settings_registry, is_insecure),
	  .doc = "Plain HTTP, or TLS without checks." },
	{ "blocked", FIELD_BOOL, AT(struct settings_registry, is_blocked), .doc = "Never asked." },
	{ 0 },
};
const struct table settings_registry_table = { "registry settings",
					       sizeof(struct settings_registry), registry_fields,
					       POS(struct settings_registry, pos) };

static const struct field git_fields[] = {
	{ "host", FIELD_STRING, AT(struct settings_git, host), .is_required = true,
	  .doc = "host[:port]" },
	{ "caFile", FIELD_STRING, AT(struct settings_git, ca_file),
	  .doc = "Further certificate authorities, PEM." },
	{ "knownHosts", FIELD_STRING, AT(struct settings_git, known_hosts),
	  .doc = "File of ssh host keys." },
	{ "insecure", FIELD_BOOL, AT(struct settings_git, is_insecure),
	  .doc = "TLS and host keys without checks." },
	{ 0 },
};
const struct table settings_git_table = { "git settings", sizeof(struct settings_git), git_fields };

static const struct field secret_fields[] = {
	{ "from", FIELD_STRING, AT(struct settings_secret, from), .is_required = true,
	  .doc = "The variable or file that a Secret's annotation names." },
	{ "servers", FIELD_STRINGS, AT(struct settings_secret, servers), .is_required = true,
	  .doc = "[scheme://]host[:port] that it may be sent to as a login; *: any." },
	{ 0 },
};
static const struct table settings_secret_table = { "settings of secrets",
						    sizeof(struct settings_secret), secret_fields,
						    POS(struct settings_secret, pos) };

static const char *const networks[] = { "host", "none", NULL };
static const char *const compressions[] = { "fast", "small", NULL };

static const struct field settings_fields[] = {
	{ "apiVersion", FIELD_IGNORED },
	{ "kind", FIELD_IGNORED },
	{ "metadata", FIELD_IGNORED },
	{ "state", FIELD_STRUCT, 0, .table = &state_table, .doc = "Where results are recorded." },
	{ "logs", FIELD_STRING, AT(struct settings, logs), .deflt = "branch",
	  .doc = "branch, none, or a folder." },
	{ "registries", FIELD_STRUCTS, AT(struct settings, registries),
	  .table = &settings_registry_table,
	  .doc = "How registries are reached; the longest prefix counts." },
	{ "git", FIELD_STRUCTS, AT(struct settings, git), .table = &settings_git_table,
	  .doc = "How git servers are reached." },
	{ "secrets", FIELD_STRUCTS, AT(struct settings, secrets), .table = &settings_secret_table,
	  .doc = "Where values from variables and files may go. Only from a trusted place." },
	{ "jobs", FIELD_INT, AT(struct settings, jobs), .deflt = "0", .min = 0, .max = JOBS_MAX,
	  .doc = "Builds at once; 0: one per core." },
	{ "retries", FIELD_INT, AT(struct settings, retries), .deflt = "3", .min = 0,
	  .max = RETRIES_MAX,
	  .doc = "Further attempts of a build that failed for reasons not its own." },
	{ "runtime", FIELD_STRING, AT(struct settings, runtime), .deflt = "crun",
	  .doc = "The OCI runtime program. Only from a trusted place." },
	{ "network", FIELD_ENUM, AT(struct settings, network), .values = networks, .deflt = "host",
	  .doc = "What builds may reach." },
	{ "cacheDir", FIELD_STRING, AT(struct settings, cache_dir),
	  .doc = "Layers and build caches. Only from a trusted place." },
	{ "compression", FIELD_ENUM, AT(struct settings, compression), .values = compressions,
	  .deflt = "fast", .doc = "Of layers." },
	{ "executor", FIELD_STRINGS, AT(struct settings, executor),
	  .doc = "Command that runs a worker elsewhere. Only from a trusted place." },
	{ "credentialHelpers", FIELD_BOOL, AT(struct settings, allow_helpers),
	  .doc = "Docker's credential helpers may be run. Only from a trusted place." },
	{ "prune", FIELD_BOOL, AT(struct settings, with_prune), .deflt = "true",
	  .doc = "The records of objects whose manifests are gone are deleted." },
	{ "streams", FIELD_STRUCT, AT(struct settings, streams), .table = &settings_streams_table,
	  .doc = "Of image streams." },
	{ "updates", FIELD_STRUCT, AT(struct settings, updates), .table = &settings_updates_table,
	  .doc = "How edits of manifests are written." },
	{ "builds", FIELD_STRUCT, AT(struct settings, builds), .table = &settings_builds_table,
	  .doc = "Of build configs." },
	{ "jenkins", FIELD_STRUCT, AT(struct settings, jenkins), .table = &settings_jenkins_table,
	  .doc = "The server that runs pipelines. Only from a trusted place." },
	{ "defaultBuilder", FIELD_STRING, AT(struct settings, default_builder), .deflt = "default",
	  .doc = "The ClusterBuilder of new images." },
	{ 0 },
};
const struct table settings_table = { "Settings", sizeof(struct settings), settings_fields };

/* What can run a program, write outside the folder or say who is sent a login: the field as written, and where it lies. */
enum trusted_type { TRUSTED_TEXT, TRUSTED_BOOL, TRUSTED_STRINGS, TRUSTED_STRUCTS };
static const size_t trusted_sizes[] = { [TRUSTED_TEXT] = sizeof(char *),
					[TRUSTED_BOOL] = sizeof(bool),
					[TRUSTED_STRINGS] = sizeof(struct strings),
					[TRUSTED_STRUCTS] = sizeof(struct list) };
static const struct {
	const char *path;
	enum trusted_type type;
	size_t offset;
} trusted[] = {
	{ "runtime", TRUSTED_TEXT, AT(struct settings, runtime) },
	{ "cacheDir", TRUSTED_TEXT, AT(struct settings, cache_dir) },
	{ "executor", TRUSTED_STRINGS, AT(struct settings, executor) },
	{ "secrets", TRUSTED_STRUCTS, AT(struct settings, secrets) },
	{ "credentialHelpers", TRUSTED_BOOL, AT(struct settings, allow_helpers) },
	{ "updates.sign.method", TRUSTED_TEXT, AT(struct settings, updates.sign_method) },
	{ "updates.sign.key", TRUSTED_TEXT, AT(struct settings, updates.sign_key) },
	{ "builds.custom", TRUSTED_BOOL, AT(struct settings, builds.allow_custom) },
	{ "builds.dockerSocket", TRUSTED_TEXT, AT(struct settings, builds.docker_socket) },
	{ "builds.engine", TRUSTED_TEXT, AT(struct settings, builds.engine) },
	{ "builds.isolation", TRUSTED_TEXT, AT(struct settings, builds.isolation) },
	{ "jenkins.url", TRUSTED_TEXT, AT(struct settings, jenkins.url) },
	{ "jenkins.credentials", TRUSTED_TEXT, AT(struct settings, jenkins.credentials) },
	{ "jenkins.caFile", TRUSTED_TEXT, AT(struct settings, jenkins.ca_file) },
	{ "jenkins.insecure", TRUSTED_BOOL, AT(struct settings, jenkins.is_insecure) },
};

static const struct {
	char unit;
	int64_t seconds;
} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };

/* A hundred thousand years: sums stay far from what an int64_t holds. */
#define DURATION_MAX_S ((int64_t)100000 * 366 * 86400)

bool duration_parse(const char *text, int64_t *seconds)
{
	int64_t total = 0;
	const char *p = text;

	do {
		int64_t number = 0, scale = 0;
		const char *start = p;

		for (; *p >= '0' && *p <= '9' && number < INT32_MAX; p++)
			number = number * 10 + (*p - '0');
		if (p == start)
			return false;
		if (!*p && start == text)
			scale = 1; /* plain seconds */
		for (size_t i = 0; *p && i < COUNTOF(units); i++)
			if (units[i].unit == *p)
				scale = units[i].seconds;
		if (!scale)
			return false;
		if (number > DURATION_MAX_S / scale || total > DURATION_MAX_S - number * scale)
			return false;
		total += number * scale;
		p += *p != '\0';
	} while (*p);
	*seconds = total;
	return true;
}

void settings_adapt(void *out, const struct object *object, struct arena *arena,
		    struct diags *diags)
{
	const struct checker c = { object, arena, diags };
	struct settings *settings = out;

	settings->file = object->file;
	settings_streams_adapt(&settings->streams, &c);
	if (!settings->lease) /* it was no text, which has been said */
		return;
	if (!duration_parse(settings->lease, &settings->lease_s))
		check_invalid(&c, "state.lease", settings->lease,
			      "must be a duration such as 90s, 15m or 1h30m");
	else if (settings->lease_s < LEASE_MIN_S || settings->lease_s > LEASE_MAX_S)
		check_invalid(&c, "state.lease", settings->lease, "must be between 30s and 7d");
}

/* host[:port][/path] without scheme, tag, digest or a slash at the end; "*." may stand for
 * subdomains. */
static const char *location_mistake(const char *text, bool may_be_wild)
{
	const char *host = may_be_wild && strncmp(text, "*.", 2) == 0 ? text + 2 : text;
	size_t n_host = strcspn(host, "/:"), n = strlen(text);
	const char *rest = host + n_host;

	if (strstr(text, "://"))
		return "must have no scheme: write host[:port][/path]";
	if (!n_host ||
	    strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") <
		    n_host)
		return "must begin with a host name";
	if (*rest == ':') {
		size_t digits = strspn(rest + 1, "0123456789");

		if (!digits || digits > 5)
			return "has no port number behind ':'";
		rest += 1 + digits;
	}
	if (*rest && *rest != '/')
		return "must be of the form host[:port][/path]";
	if (text[n - 1] == '/')
		return "must not end with '/'";
	if (strpbrk(rest, ":@"))
		return "must have no tag and no digest";
	if (strspn(rest, "abcdefghijklmnopqrstuvwxyz0123456789._-/") < strlen(rest) ||
	    strstr(rest, "//"))
		return "has a path that no repository can have";
	return NULL;
}

void check_location(const struct checker *c, const char *path, const char *text, bool may_be_wild)
{
	const char *mistake = text && *text ? location_mistake(text, may_be_wild) : NULL;

	check_filled(c, path, text);
	if (mistake)
		check_invalid(c, path, text, mistake);
}

static void check_registry(const struct checker *c, const struct settings *settings, size_t i)
{
	const struct settings_registry *registry =
		LIST_AT(settings->registries, struct settings_registry, i);
	const char *at = arena_printf(c->arena, "registries[%zu]", i);

	check_location(c, arena_printf(c->arena, "%s.prefix", at), registry->prefix, true);
	check_location(c, arena_printf(c->arena, "%s.location", at), registry->location, false);
	check_location(c, arena_printf(c->arena, "%s.mirror", at), registry->mirror, false);
	if (registry->layout && (registry->location || registry->mirror))
		check_fail(c, at, "expected exactly one, got both: %s.layout, %s.%s", at, at,
			   registry->location ? "location" : "mirror");
	if (!registry->cert_file != !registry->key_file)
		check_fail(c, at, "missing field(s): %s.%s", at,
			   registry->cert_file ? "keyFile" : "certFile");
	for (size_t k = 0; k < i && registry->prefix; k++) {
		const struct settings_registry *before =
			LIST_AT(settings->registries, struct settings_registry, k);

		if (before->prefix && strcmp(before->prefix, registry->prefix) == 0)
			check_fail(c, arena_printf(c->arena, "%s.prefix", at),
				   "duplicate prefix \"%s\": registries[%zu].prefix, %s.prefix",
				   registry->prefix, k, at);
	}
}

bool branch_is_valid(const char *name)
{
	size_t n = strlen(name);

	return n && n < 200 && name[0] != '/' && name[0] != '-' && name[0] != '.' &&
	       name[n - 1] != '/' && name[n - 1] != '.' && !strpbrk(name, " ~^:?*[\\\t\n\r\177") &&
	       !strstr(name, "..") && !strstr(name, "//") && !strstr(name, "@{") &&
	       !strstr(name, "/.") && (n < 5 || strcmp(name + n - 5, ".lock") != 0);
}

void settings_check(const struct object *object, struct arena *arena, struct diags *diags)
{
	const struct checker c = { object, arena, diags };
	const struct settings *settings = object->spec;

	if (settings->state_branch && !branch_is_valid(settings->state_branch))
		check_invalid(&c, "state.branch", settings->state_branch,
			      "must be the name of a branch");
	settings_updates_check(&c, &settings->updates);
	settings_jenkins_check(&c, &settings->jenkins);
	for (size_t i = 0; i < settings->registries.n; i++)
		check_registry(&c, settings, i);
	for (size_t i = 0; i < settings->git.n; i++) {
		const struct settings_git *git = LIST_AT(settings->git, struct settings_git, i);
		const char *path = arena_printf(arena, "git[%zu].host", i);

		check_location(&c, path, git->host, false);
		if (git->host && strchr(git->host, '/') && !strstr(git->host, "://"))
			check_invalid(&c, path, git->host, "must be host[:port]");
	}
	settings_streams_check(&settings->streams, &c);
}

const struct settings *settings_default(struct arena *arena)
{
	struct settings *settings = ARENA_NEW(arena, struct settings);
	struct node *nothing = node_new(arena, NODE_MAP);
	struct err err = { 0 };

	if (!fields_read(&settings_table, nothing, settings, arena, &err) ||
	    !duration_parse(settings->lease, &settings->lease_s) ||
	    !duration_parse(settings->streams.interval, &settings->streams.interval_s))
		BUG("the default settings do not hold: %s", err.text);
	return settings;
}

const struct settings *settings_distrust(const struct settings *from, struct arena *arena,
					 const char **dropped)
{
	const struct settings *deflt = settings_default(arena);
	struct settings *safe = ARENA_NEW(arena, struct settings);
	const char *names = "";

	*safe = *from;
	for (size_t i = 0; i < COUNTOF(trusted); i++) {
		size_t n = trusted_sizes[trusted[i].type];
		char *at = (char *)safe + trusted[i].offset;
		const char *clean = (const char *)deflt + trusted[i].offset;
		const char *const *text = (const void *)at, *const *clean_text =
								    (const void *)clean;
		bool is_same = memcmp(at, clean, n) == 0;

		if (trusted[i].type == TRUSTED_TEXT && *text && *clean_text)
			is_same = strcmp(*text, *clean_text) == 0;
		if (is_same)
			continue;
		memcpy(at, clean, n);
		names = arena_printf(arena, "%s%s%s", names, *names ? ", " : "", trusted[i].path);
	}
	*dropped = *names ? names : NULL;
	return safe;
}

const struct settings *settings_trust(const struct settings *from, const struct settings *source,
				      struct arena *arena)
{
	struct settings *merged = ARENA_NEW(arena, struct settings);

	*merged = *from;
	for (size_t i = 0; i < COUNTOF(trusted); i++)
		memcpy((char *)merged + trusted[i].offset, (const char *)source + trusted[i].offset,
		       trusted_sizes[trusted[i].type]);
	return merged;
}
