/* SPDX-License-Identifier: Apache-2.0 */
/*
 * docker_ref.c — splits a reference at its first '@', its last ':' behind the last '/', and its first '/', and checks each
 * part by its own rule. Spec: openshift library-go pkg/image/reference and its internal/reference (openshift.md §2.2).
 */
#include "model/oci/docker_ref.h"

#include <string.h>

enum { NAME_MAX_BYTES = 255, TAG_MAX = 128, DIGEST_HEX_MIN = 32, TEXT_MAX_BYTES = 1024 };

#define HUB       "docker.io"
#define HUB_INDEX "index.docker.io"
#define HUB_V2    "registry-1.docker.io"

static bool is_lower_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* [a-z0-9]+(([._]|__|-*)[a-z0-9]+)* */
static const char *component_problem(const char *part, size_t n)
{
	if (!n)
		return "it has an empty part between slashes";
	for (size_t i = 0; i < n; i++) {
		if (part[i] >= 'A' && part[i] <= 'Z')
			return "the repository's name must be lower case";
		if (!is_lower_alnum(part[i]) && !strchr("._-", part[i]))
			return "it has a character outside a-z, 0-9, '.', '_', '-' and '/'";
	}
	if (!is_lower_alnum(part[0]) || !is_lower_alnum(part[n - 1]))
		return "every part must begin and end with a letter or a digit";
	for (size_t i = 1; i < n; i++) {
		bool is_pair = !is_lower_alnum(part[i]) && !is_lower_alnum(part[i - 1]);
		bool is_two = is_pair && part[i] == '_' && part[i - 1] == '_' && part[i - 2] != '_';

		if (is_pair && !is_two && (part[i] != '-' || part[i - 1] != '-'))
			return "it has doubled separators";
	}
	return NULL;
}

/* Labels of letters, digits and inner dashes between dots, and a port. */
static bool is_host(const char *host, size_t n)
{
	size_t start = 0, i = 0;

	for (; i <= n; i++) {
		if (i < n && host[i] != '.' && host[i] != ':') {
			if (!is_letter(host[i]) && !is_digit(host[i]) && host[i] != '-')
				return false;
			continue;
		}
		if (i == start || host[start] == '-' || host[i - 1] == '-')
			return false;
		start = i + 1;
		if (i < n && host[i] == ':')
			break;
	}
	if (i >= n)
		return true;
	for (i++; i < n; i++)
		if (!is_digit(host[i]))
			return false;
	return start < n;
}

static const char *name_problem(const char *name, size_t n)
{
	const char *slash = memchr(name, '/', n);
	size_t start = 0;

	if (!n)
		return "it has no name";
	if (n > NAME_MAX_BYTES)
		return "the repository's name is longer than 255 characters";
	if (slash && is_host(name, (size_t)(slash - name)))
		start = (size_t)(slash - name) + 1;
	for (size_t i = start; i <= n; i++) {
		const char *problem;

		if (i < n && name[i] != '/')
			continue;
		problem = component_problem(name + start, i - start);
		if (problem)
			return problem;
		start = i + 1;
	}
	return NULL;
}

static const char *tag_problem(const char *tag)
{
	size_t n = strlen(tag);

	if (!n)
		return "the tag behind ':' is empty";
	if (n > TAG_MAX)
		return "the tag is longer than 128 characters";
	for (size_t i = 0; i < n; i++)
		if (!is_letter(tag[i]) && !is_digit(tag[i]) && tag[i] != '_' &&
		    !(i && strchr(".-", tag[i])))
			return "the tag has a character that a tag cannot have there";
	return NULL;
}

/* [A-Za-z][A-Za-z0-9]*([-_+.][A-Za-z][A-Za-z0-9]*)* */
static bool is_algorithm(const char *text, size_t n)
{
	bool at_start = true;

	for (size_t i = 0; i < n; i++) {
		if (at_start
			    ? !is_letter(text[i])
			    : !is_letter(text[i]) && !is_digit(text[i]) && !strchr("-_+.", text[i]))
			return false;
		at_start = !is_letter(text[i]) && !is_digit(text[i]);
	}
	return n && !at_start;
}

static const char *id_problem(const char *id)
{
	static const struct {
		const char *algorithm;
		size_t n_hex;
	} known[] = { { "sha256:", 64 }, { "sha384:", 96 }, { "sha512:", 128 } };
	const char *colon = strchr(id, ':');
	size_t n_hex = colon ? strspn(colon + 1, "0123456789abcdefABCDEF") : 0;

	if (!colon || !is_algorithm(id, (size_t)(colon - id)))
		return "what is behind '@' is no digest";
	if (colon[1 + n_hex] || n_hex < DIGEST_HEX_MIN)
		return "the digest has too few digits, or others than hexadecimal ones";
	for (size_t i = 0; i < COUNTOF(known); i++)
		if (strncmp(id, known[i].algorithm, strlen(known[i].algorithm)) == 0 &&
		    n_hex != known[i].n_hex)
			return "the digest has the wrong length";
	return NULL;
}

/* A first part is a registry when it looks like a host; a name alone that does is one as well, with its port. */
static void split_name(const char *name, struct arena *arena, struct docker_ref *ref)
{
	const char *slash = strchr(name, '/');
	size_t n_first = slash ? (size_t)(slash - name) : 0;

	if (!slash) {
		if (!strchr(name, '.') && strncmp(name, "localhost", strlen("localhost")) != 0) {
			ref->name = name;
			return;
		}
		ref->registry = *ref->tag ? arena_printf(arena, "%s:%s", name, ref->tag) : name;
		ref->tag = "";
		return;
	}
	if (memchr(name, '.', n_first) || memchr(name, ':', n_first) ||
	    (n_first == strlen("localhost") && strncmp(name, "localhost", n_first) == 0)) {
		ref->registry = arena_copy(arena, name, n_first);
		name = slash + 1;
		slash = strchr(name, '/');
	}
	if (slash) {
		ref->ns = arena_copy(arena, name, (size_t)(slash - name));
		name = slash + 1;
	}
	ref->name = name;
}

bool docker_ref_parse(const char *text, struct arena *arena, struct docker_ref *out,
		      struct err *err)
{
	size_t n_text = strlen(text), n = strcspn(text, "@");
	const char *tag = NULL, *problem;

	*out = (struct docker_ref){ "", "", "", "", "" };
	if (!n_text)
		return err_set(err, ERR_INVALID, "invalid reference format: it is empty");
	if (n_text > TEXT_MAX_BYTES)
		return err_set(err, ERR_INVALID, "invalid reference format: '%.40s…' is too long",
			       text);
	for (size_t i = n; i && text[i - 1] != '/' && !tag; i--)
		if (text[i - 1] == ':')
			tag = arena_copy(arena, text + i, n - i);
	problem = name_problem(text, tag ? n - strlen(tag) - 1 : n);
	if (!problem && tag)
		problem = tag_problem(tag);
	if (!problem && text[n])
		problem = id_problem(text + n + 1);
	if (problem)
		return err_set(err, ERR_INVALID, "invalid reference format: '%s': %s", text,
			       strstr(text, "://") ? "it must have no scheme" : problem);
	out->tag = tag ? tag : "";
	out->id = text[n] ? arena_strdup(arena, text + n + 1) : "";
	split_name(arena_copy(arena, text, tag ? n - strlen(tag) - 1 : n), arena, out);
	return true;
}

static bool is_hub(const char *registry)
{
	return strcmp(registry, HUB) == 0 || strcmp(registry, HUB_INDEX) == 0 ||
	       strcmp(registry, HUB_V2) == 0;
}

struct docker_ref docker_ref_defaults(struct docker_ref ref)
{
	if (!*ref.registry)
		ref.registry = HUB;
	if (!*ref.ns && is_hub(ref.registry))
		ref.ns = "library";
	if (!*ref.tag && !*ref.id)
		ref.tag = "latest";
	return ref;
}

struct docker_ref docker_ref_minimal(struct docker_ref ref)
{
	if (strcmp(ref.tag, "latest") == 0)
		ref.tag = "";
	return ref;
}

struct docker_ref docker_ref_daemon_minimal(struct docker_ref ref)
{
	if (is_hub(ref.registry)) {
		ref.registry = HUB;
		if (strcmp(ref.ns, "library") == 0)
			ref.ns = "";
	}
	return docker_ref_minimal(ref);
}

struct docker_ref docker_ref_repository(struct docker_ref ref)
{
	ref.tag = ref.id = "";
	return ref;
}

struct docker_ref docker_ref_most_specific(struct docker_ref ref)
{
	if (!*ref.id)
		return ref;
	if (!id_problem(ref.id)) {
		ref.tag = "";
	} else if (!*ref.tag) { /* the id of a registry of version 1 is used like a tag */
		ref.tag = ref.id;
		ref.id = "";
	}
	return ref;
}

struct docker_ref docker_ref_v2(struct docker_ref ref)
{
	ref = docker_ref_defaults(ref);
	if (is_hub(ref.registry))
		ref.registry = HUB_V2;
	return ref;
}

char *docker_ref_format(const struct docker_ref *ref, struct arena *arena)
{
	bool has_name = *ref->name;

	return arena_printf(arena, "%s%s%s%s%s%s%s%s%s", ref->registry,
			    *ref->registry && has_name ? "/" : "", ref->ns, *ref->ns ? "/" : "",
			    ref->name, *ref->tag && has_name ? ":" : "", has_name ? ref->tag : "",
			    *ref->id ? "@" : "", ref->id);
}

char *docker_ref_name_string(const struct docker_ref *ref, struct arena *arena)
{
	if (*ref->id)
		return arena_printf(arena, "%s%s%s", ref->name, id_problem(ref->id) ? ":" : "@",
				    ref->id);
	return arena_printf(arena, "%s:%s", ref->name, *ref->tag ? ref->tag : "latest");
}

bool docker_ref_equal(struct docker_ref a, struct docker_ref b)
{
	a = docker_ref_defaults(a);
	b = docker_ref_defaults(b);
	return strcmp(a.registry, b.registry) == 0 && strcmp(a.ns, b.ns) == 0 &&
	       strcmp(a.name, b.name) == 0 && strcmp(a.id, b.id) == 0 &&
	       strcmp(*a.tag ? a.tag : "latest", *b.tag ? b.tag : "latest") == 0;
}
