/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_cases.c — runs the golden cases of tests/plan/ (*.case): manifests, state and answers in, the plan out; then what a
 * run makes of it, recorded as bytes and read back, and the plan after that. See tests/plan/README.md for the format.
 * Besides what a case says, every plan is made twice, the second time from the manifests in reverse order, and must be
 * the same; and after a run in which everything succeeded there must be nothing left to do.
 * RECONCILE_UPDATE_CASES=1 writes what came out into the files instead; read the difference before committing it.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dirent.h>

#include <cmocka.h>

#include "model/base/digest.h"
#include "model/base/time.h"
#include "model/doc/edit_scalars.h"
#include "model/doc/json.h"
#include "model/doc/yaml.h"
#include "model/kind/policy.h"
#include "model/kind/settings.h"
#include "reconcile/plan/plan.h"

#define TEXT_MAX (16u << 20)
#define CASE_DIR TEST_SOURCE_DIR "/tests/plan/"

struct answer {
	enum query_kind kind;
	const char *a, *b;  /* url and revision, image, folder and path */
	const char *value;  /* commit or digest; NULL: a failure        */
	const char *detail; /* "branch app=tree…", JSON, or failure text */
	enum err_kind failure;
};
struct world {
	struct arena *arena;
	VEC(struct source_file) manifests;
	VEC(struct answer) answers;
	struct state state;
	struct map recorded; /* path → text, as last written */
	struct map words;    /* what D(…) and C(…) stood for, back to the word */
	/* options */
	int64_t now_s;
	const char *run_id;
	struct strings triggers, only;
	bool retry_failed, prune, prune_all, no_prune, offline;
	struct scope scope;
	VEC(struct build_start) starts;
	struct list start_list;
	struct map checks;  /* ns/stream:tag → int64_t */
	struct map records; /* digests of image records that runs have written */
	/* of the last plan */
	struct model model;
	struct queries queries, follow;
	struct facts facts;
	struct plan plan;
	const char *questions;
	bool is_clean;
};

static const char *current; /* the case, for messages */

static void broken(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
static void broken(const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", current);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	fail();
	abort();
}

static char *file_read(const char *path, struct arena *arena)
{
	AUTO_BUF text = BUF_INIT(TEXT_MAX);
	FILE *f = fopen(path, "r");
	char block[4096];
	size_t n;

	if (!f)
		broken("cannot open '%s'", path);
	while ((n = fread(block, 1, sizeof(block), f)) > 0)
		buf_add(&text, block, n);
	fclose(f);
	return buf_copy(&text, arena);
}

/* D(word) is a digest, C(word) a commit, by the word; what comes out is shown by its word again. */
static char *expand(struct world *w, const char *text)
{
	AUTO_BUF out = BUF_INIT(TEXT_MAX);

	for (const char *at = text; *at; at++) {
		const char *end =
			(at[0] == 'D' || at[0] == 'C') && at[1] == '(' ? strchr(at, ')') : NULL;
		struct digest digest;
		char *value;

		if (!end || (at > text && strchr("abcdefghijklmnopqrstuvwxyzABCD", at[-1]))) {
			buf_byte(&out, *at);
			continue;
		}
		digest = digest_of(at, (size_t)(end - at));
		value = arena_strdup(w->arena,
				     at[0] == 'D' ? digest.text : digest_hex(digest.text));
		if (at[0] == 'C')
			value[40] = '\0';
		map_set(w->arena, &w->words, value,
			arena_copy(w->arena, at, (size_t)(end - at) + 1));
		buf_puts(&out, value);
		at = end;
	}
	return buf_copy(&out, w->arena);
}

/* Also the shortened forms. Other digests (keys) are shown as such. */
static char *contract(struct world *w, const char *text)
{
	AUTO_BUF out = BUF_INIT(TEXT_MAX);

	while (*text) {
		bool is_start = strncmp(text, "sha256:", 7) == 0;
		const struct map_item *found = NULL;

		for (size_t i = 0; i < w->words.n && !found; i++) {
			if (strncmp(text, w->words.items[i].key, strlen(w->words.items[i].key)) ==
			    0)
				found = &w->words.items[i];
		}
		if (found) {
			buf_puts(&out, found->value);
			text += strlen(found->key);
		} else if (is_start && strspn(text + 7, "0123456789abcdef") == 64) {
			buf_puts(&out, "<digest>");
			text += 71;
		} else {
			buf_byte(&out, *text++);
		}
	}
	return buf_copy(&out, w->arena);
}

static char *next_word(char **at)
{
	char *start = *at + strspn(*at, " "), *end = start + strcspn(start, " ");

	*at = *end ? end + 1 : end;
	*end = '\0';
	return start;
}

static enum err_kind err_kind_of(const char *word)
{
	for (enum err_kind k = ERR_NONE; k < ERR_KINDS; k++) {
		if (strcmp(err_kind_name(k), word) == 0)
			return k;
	}
	broken("no kind of error: '%s'", word);
}

static enum query_kind query_kind_of(const char *word)
{
	static const char *const words[QUERY_KINDS] = {
		[QUERY_GIT] = "git",   [QUERY_IMAGE] = "image",   [QUERY_LOCAL] = "local",
		[QUERY_BLOB] = "blob", [QUERY_IMPORT] = "import", [QUERY_TAGS] = "tags",
	};

	for (enum query_kind kind = 0; kind < QUERY_KINDS; kind++) {
		if (strcmp(words[kind], word) == 0)
			return kind;
	}
	broken("no kind of answer: '%s'", word);
}

/* KIND A [B] -> VALUE DETAIL, or fail KIND A [B] -> ERROR TEXT */
static void answer_add(struct world *w, char *line)
{
	struct answer answer = { 0 };
	char *arrow = strstr(line, " -> "), *rest;
	const char *kind;
	bool is_failure;

	if (!arrow)
		broken("no answer: '%s'", line);
	*arrow = '\0';
	rest = arrow + 4;
	kind = next_word(&line);
	is_failure = strcmp(kind, "fail") == 0;
	if (is_failure)
		kind = next_word(&line);
	answer.kind = query_kind_of(kind);
	answer.a = next_word(&line);
	answer.b = next_word(&line);
	if (is_failure)
		answer.failure = err_kind_of(next_word(&rest));
	else
		answer.value = next_word(&rest);
	answer.detail = rest;
	vec_push(w->arena, &w->answers, answer);
}

static void each_line(struct world *w, const char *text, void (*fn)(struct world *, char *))
{
	while (*text) {
		size_t n = strcspn(text, "\n");
		char *line = arena_copy(w->arena, text, n);

		if (line[0] && line[0] != '#')
			fn(w, line);
		text += n + (text[n] == '\n');
	}
}

static struct list variable(struct world *w, char *text)
{
	struct env_var *var = ARENA_NEW(w->arena, struct env_var);
	char *equals = strchr(text, '=');

	*equals = '\0';
	var->name = text;
	var->value = equals + 1;
	return (struct list){ var, 1 };
}

static struct node *yaml_one(struct world *w, const char *text);

/* "ID [commit=…] [env=K=V] [arg=K=V] [incremental] [no-cache] [clone=PATH] [binary=DIGEST]" */
static void start_add(struct world *w, char *line)
{
	struct build_start start = { .id = next_word(&line) };
	struct request_binary *binary = ARENA_NEW(w->arena, struct request_binary);
	struct bc_build *clone = ARENA_NEW(w->arena, struct bc_build);
	struct err err = { 0 };
	char *word;

	while (*(word = next_word(&line))) {
		if (strncmp(word, "commit=", 7) == 0)
			start.commit = word + 7;
		else if (strncmp(word, "env=", 4) == 0)
			start.env = variable(w, word + 4);
		else if (strncmp(word, "arg=", 4) == 0)
			start.build_args = variable(w, word + 4);
		else if (strcmp(word, "incremental") == 0)
			start.is_incremental = start.has_incremental = true;
		else if (strcmp(word, "no-cache") == 0)
			start.is_uncached = start.has_uncached = true;
		else if (strncmp(word, "binary=", 7) == 0)
			*binary = (struct request_binary){ "/sent", word + 7, NULL };
		else if (strncmp(word, "clone=", 6) != 0)
			broken("no part of a start: '%s'", word);
		else if (!bc_build_read(yaml_one(w, map_get(&w->recorded, word + 6)), w->arena,
					clone, &err))
			broken("%s: %s", word, err.text);
	}
	start.binary = binary->content ? binary : NULL;
	start.clone = clone->name ? clone : NULL;
	vec_push(w->arena, &w->starts, start);
}

static void option_add(struct world *w, char *line)
{
	const char *name = next_word(&line);

	if (strcmp(name, "now") == 0) {
		if (!time_parse(line, &w->now_s))
			broken("no time: '%s'", line);
	} else if (strcmp(name, "run") == 0) {
		w->run_id = line;
	} else if (strcmp(name, "trigger") == 0) {
		vec_push(w->arena, &w->triggers, line);
	} else if (strcmp(name, "start") == 0) {
		start_add(w, line);
	} else if (strcmp(name, "only") == 0) {
		vec_push(w->arena, &w->only, line);
	} else if (strcmp(name, "checked") == 0) {
		const char *tag = next_word(&line);
		int64_t *when = ARENA_NEW(w->arena, int64_t);

		if (!time_parse(line, when))
			broken("no time: '%s'", line);
		map_set(w->arena, &w->checks, tag, when);
	} else if (strcmp(name, "retry-failed") == 0) {
		w->retry_failed = true;
	} else if (strcmp(name, "prune") == 0) {
		w->prune = true;
		w->prune_all = strcmp(line, "all") == 0;
	} else if (strcmp(name, "no-prune") == 0) {
		w->no_prune = true;
	} else if (strcmp(name, "scope") == 0) {
		const char *folder = next_word(&line);

		w->scope.folder = w->scope.shown = strcmp(folder, ".") == 0 ? "" : folder;
		w->scope.repo = *line ? line : NULL;
	} else if (strcmp(name, "partial") == 0) {
		w->scope.is_partial = true;
	} else if (strcmp(name, "elsewhere") == 0) {
		const char *id = next_word(&line);

		map_set(w->arena, &w->scope.elsewhere, id, line);
	} else if (strcmp(name, "offline") == 0) {
		w->offline = true;
	} else {
		broken("no option: '%s'", name);
	}
}

static struct node *yaml_one(struct world *w, const char *text)
{
	struct source_file *file = ARENA_NEW(w->arena, struct source_file);
	struct documents documents = { 0 };
	struct diags diags;

	if (!text)
		broken("no such file on the state branch");
	*file = (struct source_file){ "state", text, strlen(text) };
	diags_init(&diags, w->arena);
	yaml_parse(file, w->arena, &documents, &diags);
	if (diags.n_errors > 0 || documents.n != 1)
		broken("state is no YAML document: %s",
		       diags.list.n > 0 ? diags.list.v[0].text : "");
	return documents.v[0];
}

static size_t slashes(const char *path)
{
	size_t n = 0;

	for (; *path; path++)
		n += *path == '/';
	return n;
}

/* As the store does: bytes in, checked status out. */
static void state_put(struct world *w, const char *path, const char *text)
{
	struct node *document = yaml_one(w, text);
	enum kind kind = kind_find(node_text(document, "apiVersion"), node_text(document, "kind"));
	const struct node *metadata = node_get(document, "metadata");
	struct state_entry *entry = ARENA_NEW(w->arena, struct state_entry);
	struct err err = { 0 };
	void *status;

	map_set(w->arena, &w->recorded, arena_strdup(w->arena, path), arena_strdup(w->arena, text));
	if (slashes(path) > 2) /* a record */
		return;
	if (!status_read(kind, document, w->arena, &status, &err))
		broken("%s: %s\n%s", path, err.text, text);
	entry->kind = kind;
	entry->ns = kind_info(kind)->is_cluster ? "" : node_text(metadata, "namespace");
	entry->name = node_text(metadata, "name");
	entry->id = object_id(kind, entry->ns, entry->name, w->arena);
	entry->path = path;
	entry->status = status;
	entry->origin = origin_read(document);
	map_set(w->arena, &w->state.by_id, entry->id, entry);
}

static void model_load(struct world *w, bool is_reversed, struct model *out)
{
	struct documents all = { 0 };
	VEC(const struct source_file *) files = { 0 };
	struct markers markers = { 0 };
	struct diags diags;

	*out = (struct model){ .arena = w->arena, .settings = settings_default(w->arena) };
	diags_init(&diags, w->arena);
	for (size_t i = 0; i < w->manifests.n; i++) {
		const struct source_file *file = &w->manifests.v[i];
		struct documents documents = { 0 };

		yaml_parse(file, w->arena, &documents, &diags);
		markers_find(file, w->arena, &markers, &diags);
		for (size_t k = 0; k < documents.n; k++) {
			vec_push(w->arena, &all, documents.v[k]);
			vec_push(w->arena, &files, file);
		}
	}
	out->markers = (struct list){ markers.v, markers.n };
	for (size_t i = 0; i < all.n; i++) {
		size_t at = is_reversed ? all.n - 1 - i : i;
		struct object *object = object_decode(all.v[at], files.v[at], w->arena, &diags);
		struct object *old = object ? map_get(&out->by_id, object->id) : NULL;

		if (old) { /* a later section replaces a document; both ways round */
			if (!is_reversed)
				*old = *object;
			continue;
		}
		if (object)
			model_add(out, object, &diags);
	}
	model_link(out, &diags);
	for (size_t i = 0; i < diags.list.n; i++) {
		if (diags.list.v[i].severity == SEVERITY_ERROR)
			broken("manifests: line %u: %s", diags.list.v[i].pos.line,
			       diags.list.v[i].text);
	}
}

static const struct answer *answer_find(const struct world *w, const struct query *q)
{
	const char *a = q->url ? q->url : q->image ? q->image : q->manifest_dir;
	const char *b = q->kind == QUERY_GIT ? q->revision : q->path;

	if (!b)
		b = "";
	for (size_t i = w->answers.n; i-- > 0;) {
		const struct answer *answer = &w->answers.v[i];

		if (answer->kind == q->kind && strcmp(answer->a, a) == 0 &&
		    strcmp(answer->b, b) == 0)
			return answer;
	}
	return NULL;
}

static void config_fill(struct world *w, const char *json, struct fact *fact)
{
	struct image_config *config = ARENA_NEW(w->arena, struct image_config);
	struct manifest *manifest = ARENA_NEW(w->arena, struct manifest);
	const struct node *labels, *env, *layers;
	struct node *tree = NULL;
	struct err err = { 0 };

	if (!json_parse(json[0] ? json : "{}", json[0] ? strlen(json) : 2, w->arena, &tree, &err))
		broken("config of an answer: %s", err.text);
	labels = node_get(tree, "labels");
	env = node_get(tree, "env");
	layers = node_get(tree, "layers");
	config->platform.os = node_text(tree, "os") ? node_text(tree, "os") : "linux";
	config->platform.arch = "amd64";
	for (const struct node *at = env ? env->first : NULL; at; at = at->next)
		vec_push(w->arena, &config->env, at->text);
	for (const struct node *at = labels ? labels->first : NULL; at; at = at->next) {
		AUTO_BUF value = BUF_INIT(TEXT_MAX);

		if (at->kind == NODE_STRING)
			buf_puts(&value, at->text);
		else
			json_print(at, JSON_COMPACT, &value);
		vec_push(w->arena, &config->labels,
			 (struct pair){ at->key, buf_copy(&value, w->arena), { 0 } });
	}
	manifest->layers = arena_array(w->arena, layers ? layers->n : 0, sizeof(struct descriptor));
	for (const struct node *at = layers ? layers->first : NULL; at; at = at->next) {
		vec_push(w->arena, &config->diff_ids, at->text);
		manifest->layers[manifest->n_layers].digest = at->text;
		manifest->layers[manifest->n_layers].size_bytes = 100 + (int64_t)manifest->n_layers;
		manifest->n_layers++;
	}
	fact->config = config;
	fact->manifest = manifest;
	fact->image_digest =
		node_text(tree, "imageDigest") ? node_text(tree, "imageDigest") : fact->digest;
}

/* "path=DIGEST …", and for blobs "validator=TEXT", in any order. */
static void parts_add(struct world *w, const struct query *q, const char *text, struct fact *fact)
{
	const char *content = fact->content ? fact->content : fact->digest;
	bool are_known = q->known_parts && strcmp(q->known_parts, content) == 0;
	char *detail = arena_strdup(w->arena, text), *word;

	while (*(word = next_word(&detail))) {
		char *equals = strchr(word, '=');

		if (!equals)
			broken("no part: '%s'", word);
		*equals = '\0';
		if (strcmp(word, "validator") == 0)
			fact->validator = equals + 1;
		else if (!are_known && strings_has(&q->sub_paths, word))
			vec_push(w->arena, &fact->trees, (struct pair){ word, equals + 1, { 0 } });
	}
}

/* "DIGEST [image=DIGEST]": of an index, and of its image. */
static void import_fill(struct world *w, const struct answer *answer, struct fact *fact)
{
	const struct query *q = fact->query;
	char *detail = arena_strdup(w->arena, answer->detail), *word = next_word(&detail);
	struct image_record *record = ARENA_NEW(w->arena, struct image_record);

	fact->digest = fact->image_digest = answer->value;
	if (strncmp(word, "image=", 6) == 0 && !q->is_whole)
		fact->image_digest = word + 6;
	if (q->known_digest && strcmp(q->known_digest, fact->digest) == 0)
		return;
	*record = (struct image_record){ .name = fact->image_digest,
					 .reference = arena_printf(w->arena, "%s@%s", q->image,
								   fact->image_digest) };
	fact->record = record;
}

/* "TAG TAG …" */
static void tags_fill(struct world *w, const struct answer *answer, struct fact *fact)
{
	char *detail = arena_strdup(w->arena, answer->detail), *word;

	vec_push(w->arena, &fact->tags, answer->value);
	while (*(word = next_word(&detail)))
		vec_push(w->arena, &fact->tags, word);
}

/* As reconcile/observe does: metadata and trees only where they are not recorded. */
static void fact_add(struct world *w, const struct query *q)
{
	const struct answer *answer = answer_find(w, q);
	struct fact *fact = ARENA_NEW(w->arena, struct fact);
	char *detail, *word;

	if (!answer)
		broken("nobody answers '%s'", q->key);
	fact->query = q;
	map_set(w->arena, &w->facts.by_key, q->key, fact);
	if (!answer->value) {
		err_set(&fact->err, answer->failure, "%s", answer->detail);
		fact->reason = q->kind == QUERY_IMPORT && answer->failure == ERR_ABSENT ? "NotFound"
											: NULL;
		return;
	}
	fact->is_known = true;
	if (q->kind == QUERY_LOCAL || q->kind == QUERY_BLOB) {
		fact->content = answer->value;
		parts_add(w, q, answer->detail, fact);
	}
	if (q->kind == QUERY_IMAGE) {
		fact->digest = answer->value;
		if (q->wants_metadata &&
		    !(q->known_digest && strcmp(q->known_digest, fact->digest) == 0))
			config_fill(w, answer->detail, fact);
		if (!q->wants_metadata)
			parts_add(w, q, answer->detail, fact);
	}
	if (q->kind == QUERY_IMPORT)
		import_fill(w, answer, fact);
	if (q->kind == QUERY_TAGS)
		tags_fill(w, answer, fact);
	if (q->kind != QUERY_GIT)
		return;
	fact->commit = answer->value;
	detail = arena_strdup(w->arena, answer->detail);
	word = next_word(&detail);
	fact->ref_type = strcmp(word, "branch") == 0 ? GIT_BRANCH
			 : strcmp(word, "tag") == 0  ? GIT_TAG
						     : GIT_COMMIT;
	fact->ref_name = fact->ref_type == GIT_BRANCH
				 ? arena_printf(w->arena, "refs/heads/%s",
						q->revision ? q->revision : "main")
				 : NULL;
	if (q->known_commit && strcmp(q->known_commit, fact->commit) == 0)
		return;
	while (*(word = next_word(&detail))) {
		char *equals = strchr(word, '=');

		*equals = '\0';
		if (strings_has(&q->sub_paths, word))
			vec_push(w->arena, &fact->trees, (struct pair){ word, equals + 1, { 0 } });
	}
}

static void questions_print(const struct queries *queries, const char *mark, struct buf *out)
{
	for (size_t i = 0; i < queries->list.n; i++) {
		const struct query *q = queries->list.v[i];

		buf_printf(out, "%s%s%s", mark, q->key,
			   q->wants_metadata && q->kind == QUERY_IMAGE ? " +metadata" : "");
		if (q->known_digest)
			buf_printf(out, " known=%s", q->known_digest);
		for (size_t k = 0; k < q->sub_paths.n; k++)
			buf_printf(out, " path=%s", q->sub_paths.v[k]);
		if (q->known_commit)
			buf_printf(out, " known=%s", q->known_commit);
		if (q->known_parts)
			buf_printf(out, " parts of %s", q->known_parts);
		if (q->known_content)
			buf_printf(out, " known=%s (%s)", q->known_content, q->known_validator);
		if (q->is_doubted)
			buf_puts(out, " doubted");
		buf_byte(out, '\n');
	}
}

static void value_print(const struct node *node, struct buf *out)
{
	if (node)
		json_print(node, JSON_COMPACT, out);
	else
		buf_puts(out, "null");
}

static void conditions_print(const struct step *step, struct buf *out)
{
	/* every status begins with its conditions, but a stream's */
	const struct list *list = step->kind == KIND_IMAGE_STREAM ? NULL : step->status;

	for (size_t i = 0; list && i < list->n; i++) {
		const struct condition *c = LIST_AT(*list, struct condition, i);
		char when[TIME_TEXT];

		time_format(c->changed_s, when);
		buf_printf(out, "    %s=%s %s%s%s (%s)\n", c->type, c->status,
			   c->reason ? c->reason : "-", c->message ? ": " : "",
			   c->message ? c->message : "", when);
	}
}

static void stream_print(const struct step *step, struct buf *out)
{
	for (size_t i = 0; i < step->moves.n; i++) {
		const struct tag_move *move = LIST_AT(step->moves, struct tag_move, i);

		buf_printf(out, "    %s %s: %s → %s%s%s%s%s%s\n", move->verb, move->tag,
			   move->old_image ? move->old_image : "-",
			   move->new_image ? move->new_image : "-", move->source ? " (" : "",
			   move->source ? move->source : "", move->source ? ")" : "",
			   move->failure ? " failed: " : "", move->failure ? move->failure : "");
	}
	for (size_t i = 0; i < step->mirrors.n; i++) {
		const struct mirror *mirror = LIST_AT(step->mirrors, struct mirror, i);

		buf_printf(out, "    mirror %s → %s%s\n", mirror->from, mirror->to,
			   mirror->is_insecure ? " insecure" : "");
	}
	for (size_t i = 0; i < step->records.n; i++)
		buf_printf(out, "    record %s\n",
			   (*LIST_AT(step->records, const struct image_record *, i))->name);
}

static void build_print(const struct step *step, struct buf *out)
{
	const struct list *causes = step->build ? &step->build->spec.triggered_by : NULL;

	if (step->git && strcmp(step->git->uri, step->build->spec.common.source.git->uri) != 0)
		buf_printf(out, "    from %s\n", step->git->uri);
	for (size_t i = 0; causes && i < causes->n; i++) {
		const struct build_cause *cause = LIST_AT(*causes, struct build_cause, i);

		buf_printf(out, "    cause %s", cause->message);
		if (cause->image)
			buf_printf(out, ": %s %s", cause->image->from->name, cause->image->image);
		buf_byte(out, '\n');
	}
}

static void step_print(const struct step *step, struct buf *out)
{
	buf_printf(out, "%s: %s", step->id, action_name(step->action));
	if (step->number)
		buf_printf(out, " #%" PRId64, step->number);
	if (step->rule)
		buf_printf(out, " [%s]", step->rule);
	if (step->is_status_changed)
		buf_puts(out, " changed");
	for (size_t i = 0; i < step->marks.n; i++) {
		const struct build_mark *mark = LIST_AT(step->marks, struct build_mark, i);

		buf_printf(out, " %s=%" PRId64,
			   mark->end == END_INTERRUPTED ? "interrupted" : "cancelled",
			   mark->number);
	}
	buf_byte(out, '\n');
	if (step->summary)
		buf_printf(out, "    %s%s%s%s%s\n", step->summary, step->new_value ? ": " : "",
			   step->old_value ? step->old_value : "", step->new_value ? " → " : "",
			   step->new_value ? step->new_value : "");
	if (step->blocked)
		buf_printf(out, "    blocked (%s%s): %s\n", err_kind_name(step->blocked_kind),
			   step->is_failure ? ", failure" : "", step->blocked);
	for (size_t i = 0; i < step->changes.list.n; i++) {
		const struct change *change = &step->changes.list.v[i];

		buf_printf(out, "    %s %s\n        ", reason_name(change->reason),
			   change->text ? change->text : "");
		value_print(change->old_value, out);
		buf_puts(out, " → ");
		value_print(change->new_value, out);
		buf_byte(out, '\n');
	}
	for (size_t i = 0; i < step->tags.n; i++)
		buf_printf(out, "    tag %s\n", step->tags.v[i]);
	for (size_t i = 0; i < step->unknown.n; i++)
		buf_printf(out, "    unknown %s\n", step->unknown.v[i]);
	for (size_t i = 0; i < step->edits.n; i++) {
		const struct image_edit *edit = LIST_AT(step->edits, struct image_edit, i);

		buf_printf(out, "    edit %s:%u:%u %s: '%s' → '%s'\n", edit->file, edit->pos.line,
			   edit->pos.column, edit->what, edit->old_text, edit->new_text);
	}
	for (size_t i = 0; i < step->n_after; i++)
		buf_printf(out, "    after %s\n", step->after[i]->id);
	if (step->action == ACTION_BUILD || step->action == ACTION_REBASE)
		buf_printf(out, "    key %s, tries %" PRId64 "\n",
			   step->build_key ? "known" : "unknown",
			   step->inputs ? step->inputs->tries : step->build->tries);
	build_print(step, out);
	stream_print(step, out);
	if (step->is_status_changed || step->blocked)
		conditions_print(step, out);
}

static char *plan_print(struct world *w, const struct plan *plan)
{
	AUTO_BUF out = BUF_INIT(TEXT_MAX);

	for (size_t i = 0; i < plan->steps.n; i++) {
		const struct step *step = plan->steps.v[i];

		if (step->action != ACTION_NONE || step->blocked || step->is_status_changed ||
		    step->unknown.n > 0)
			step_print(step, &out);
		if (step->moved)
			buf_printf(&out, "%s: declared in %s\n", step->id, step->origin.manifest);
	}
	for (size_t i = 0; i < plan->notices.n; i++)
		buf_printf(&out, "notice: %s\n", plan->notices.v[i]);
	buf_printf(&out, "%zu unchanged, %zu blocked\n", plan->n_unchanged, plan->n_blocked);
	return contract(w, buf_text(&out));
}

static bool is_only(const struct object *object, void *ctx)
{
	const struct world *w = ctx;

	return strings_has(&w->only, object->id);
}

static struct plan_options options_of(struct world *w)
{
	w->start_list = (struct list){ w->starts.v, w->starts.n };
	return (struct plan_options){
		.now_s = w->now_s,
		.run_id = w->run_id,
		.triggers = &w->triggers,
		.starts = &w->start_list,
		.checks = &w->checks,
		.retry_failed = w->retry_failed,
		.with_prune = w->prune,
		.prune_all = w->prune_all,
		.without_prune = w->no_prune,
		.scope = w->scope,
		.is_selected = w->only.n > 0 ? is_only : NULL,
		.select_ctx = w,
	};
}

static void make_plan(struct world *w, bool is_reversed)
{
	struct plan_options options = options_of(w);
	AUTO_BUF questions = BUF_INIT(TEXT_MAX);

	model_load(w, is_reversed, &w->model);
	w->facts = (struct facts){ .is_offline = w->offline };
	queries_make(&w->model, &w->state, &options, w->arena, &w->queries);
	for (size_t i = 0; !w->offline && i < w->queries.list.n; i++)
		fact_add(w, w->queries.list.v[i]);
	queries_follow(&w->model, &w->state, &w->facts, w->arena, &w->follow);
	for (size_t i = 0; !w->offline && i < w->follow.list.n; i++)
		fact_add(w, w->follow.list.v[i]);
	questions_print(&w->queries, "", &questions);
	questions_print(&w->follow, "then ", &questions);
	w->questions = contract(w, buf_text(&questions));
	plan_make(&w->model, &w->state, &w->facts, &options, w->arena, &w->plan);
}

static char *plan_both_ways(struct world *w)
{
	char *reversed;
	char *text;

	make_plan(w, true);
	reversed = plan_print(w, &w->plan);
	make_plan(w, false);
	text = plan_print(w, &w->plan);
	if (strcmp(text, reversed) != 0)
		broken("the order of the manifests shows in the plan:\n%s\n--- reversed\n%s", text,
		       reversed);
	return text;
}

static void put_node(struct world *w, const char *path, const struct node *node)
{
	AUTO_BUF text = BUF_INIT(TEXT_MAX);

	yaml_print(node, &text);
	state_put(w, path, buf_text(&text));
}

static void put_status(struct world *w, const struct step *step, const void *status)
{
	struct numbers old;

	plan_expire(step->object, (void *)(uintptr_t)status, w->arena, &old);
	for (size_t i = 0; i < old.n; i++)
		map_set(w->arena, &w->recorded, plan_record_path(step, old.v[i], w->arena), NULL);
	put_node(w, status_path(step->kind, step->ns, step->name, w->arena),
		 status_encode(step->object, &step->origin, status, w->arena));
}

/* Builds that ended otherwise, as their records say then. */
static void put_marks(struct world *w, const struct step *step)
{
	for (size_t i = 0; i < step->marks.n; i++) {
		const struct build_mark *mark = LIST_AT(step->marks, struct build_mark, i);
		const char *path = plan_record_path(step, mark->number, w->arena);
		const char *text = map_get(&w->recorded, path);
		struct node *marked = NULL;
		struct err err = { 0 };

		if (!text)
			continue;
		if (!plan_mark(step, mark, yaml_one(w, text), w->now_s, w->arena, &marked, &err))
			broken("%s: %s", path, err.text);
		put_node(w, path, marked);
	}
}

static void put_plain(struct world *w, const struct step *step)
{
	struct plan_options options = options_of(w);
	struct build_file file = { 0 };

	put_marks(w, step);
	plan_waiting(step, &options, w->arena, &file);
	if (file.path)
		put_node(w, file.path, file.document);
	if (step->is_status_changed)
		put_status(w, step, step->status);
	else if (step->moved)
		put_status(w, step, step->moved);
}

/* Of a stream: what is known of images that were not known before. */
static void put_images(struct world *w, const struct step *step)
{
	for (size_t i = 0; i < step->records.n; i++)
		map_set(w->arena, &w->records,
			(*LIST_AT(step->records, const struct image_record *, i))->name, w);
}

static void put_record(struct world *w, const struct build_file *file)
{
	if (file->path)
		put_node(w, file->path, file->document);
}

static struct list ids_parse(struct world *w, char *text)
{
	VEC(struct buildpack_id) ids = { 0 };

	while (text && *text) {
		char *comma = strchr(text, ','), *at;

		if (comma)
			*comma = '\0';
		at = strchr(text, '@');
		*at = '\0';
		vec_push(w->arena, &ids, (struct buildpack_id){ .id = text, .version = at + 1 });
		text = comma ? comma + 1 : NULL;
	}
	return (struct list){ ids.v, ids.n };
}

/* The image gets a manifest and a config, and the digest that follows from them. */
static void describe(struct world *w, struct build_event *event)
{
	struct digest digest;

	event->config = "{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{},"
			"\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}";
	digest = digest_of(event->config, strlen(event->config));
	event->manifest = arena_printf(
		w->arena,
		"{\"schemaVersion\":2,\"mediaType\":\"%s\",\"config\":{\"mediaType\":\"%s\","
		"\"size\":%zu,\"digest\":\"%s\"},\"layers\":[]}",
		MEDIA_OCI_MANIFEST, MEDIA_OCI_CONFIG, strlen(event->config), digest.text);
	digest = digest_of(event->manifest, strlen(event->manifest));
	event->image = arena_printf(w->arena, "%.*s@%s", (int)strcspn(event->image, "@"),
				    event->image, digest.text);
}

/* "[reason=…] [oom] [timeout] [tail=…] TEXT" */
static const char *fail_details(struct world *w, struct build_event *event, struct outcome *outcome,
				char *line)
{
	for (;;) {
		size_t n = strcspn(line, " ");
		char *word = arena_copy(w->arena, line, n);

		if (strncmp(word, "reason=", 7) == 0)
			event->reason = word + 7;
		else if (strcmp(word, "oom") == 0)
			event->is_oom = true;
		else if (strcmp(word, "timeout") == 0)
			event->is_timeout = true;
		else if (strncmp(word, "tail=", 5) == 0)
			vec_push(w->arena, &outcome->tail, word + 5);
		else
			return line;
		line += n + (line[n] == ' ');
	}
}

/* A commit with its author, as workers tell of what they fetched. */
static struct source_revision *fetched(struct world *w, const char *commit)
{
	struct source_revision *revision = ARENA_NEW(w->arena, struct source_revision);

	revision->type = "Git";
	revision->git = ARENA_NEW(w->arena, struct commit_revision);
	*revision->git = (struct commit_revision){ .commit = commit,
						   .message = "say hello",
						   .author = { "A", "a@example.com" },
						   .committer = { "C", "c@example.com" } };
	return revision;
}

/* "NAME=MS" of a phase. */
static void phase_add(struct world *w, struct outcome *outcome, char *text)
{
	struct step_state *all = arena_array(w->arena, outcome->steps.n + 1, sizeof(*all));
	char *equals = strchr(text, '=');

	for (size_t i = 0; i < outcome->steps.n; i++)
		all[i] = *LIST_AT(outcome->steps, struct step_state, i);
	*equals = '\0';
	all[outcome->steps.n] = (struct step_state){ .name = text, .ms = atoll(equals + 1) };
	outcome->steps = (struct list){ all, outcome->steps.n + 1 };
}

/* "ok image=… bp=a@1,b@2 stack=… adopted not-rebasable run=… chosen=… described", "fail KIND TEXT", "crash LEASE", "unstarted KIND" */
static struct outcome outcome_parse(struct world *w, const struct step *step, char *line)
{
	struct build_event *event = ARENA_NEW(w->arena, struct build_event);
	struct outcome outcome = { .is_started = true,
				   .is_claimed = true,
				   .started_s = w->now_s + 1,
				   .finished_s = w->now_s + 61 };
	const char *how = next_word(&line);
	struct digest digest = digest_of(step->id, strlen(step->id));
	char *word;

	if (strcmp(how, "fail") == 0) {
		event->type = EVENT_FAILURE;
		event->failure = next_word(&line);
		event->text = fail_details(w, event, &outcome, line);
		outcome.event = event;
		return outcome;
	}
	if (strcmp(how, "unstarted") == 0) {
		outcome.is_started = false;
		word = next_word(&line);
		err_set(&outcome.err, err_kind_of(word), "%s", line);
		return outcome;
	}
	event->type = EVENT_RESULT;
	event->image = arena_printf(w->arena, "reg.local/out@%s", digest.text);
	event->lifecycle_version = "0.1.0";
	while (*(word = next_word(&line))) {
		if (strncmp(word, "image=", 6) == 0)
			event->image = word + 6;
		else if (strncmp(word, "bp=", 3) == 0)
			event->buildpacks = ids_parse(w, word + 3);
		else if (strncmp(word, "stack=", 6) == 0)
			event->stack_id = word + 6;
		else if (strcmp(word, "described") == 0)
			describe(w, event);
		else if (strcmp(word, "adopted") == 0)
			event->is_adopted = true;
		else if (strcmp(word, "not-rebasable") == 0)
			event->is_not_rebasable = true;
		else if (strncmp(word, "run=", 4) == 0)
			event->run_image = word + 4;
		else if (strncmp(word, "chosen=", 7) == 0)
			event->chosen_run = word + 7;
		else if (strcmp(word, "no-image") == 0)
			event->image = NULL;
		else if (strncmp(word, "engine=", 7) == 0)
			event->engine = word + 7;
		else if (strncmp(word, "url=", 4) == 0)
			event->url = word + 4;
		else if (strncmp(word, "commit=", 7) == 0)
			event->revision = fetched(w, word + 7);
		else if (strncmp(word, "phase=", 6) == 0)
			phase_add(w, &outcome, word + 6);
		else
			broken("no part of a result: '%s'", word);
	}
	outcome.is_done = true;
	outcome.event = event;
	return outcome;
}

static char *line_for(struct world *w, const char *script, const char *id)
{
	size_t n = strlen(id);

	while (*script) {
		size_t len = strcspn(script, "\n");

		if (strncmp(script, id, n) == 0 && script[n] == ' ')
			return arena_copy(w->arena, script + n + 1, len - n - 1);
		script += len + (script[len] == '\n');
	}
	return arena_strdup(w->arena, "ok");
}

/* Behind a run: what the plan changes in the manifests. All edits of a file at once. */
static void edit_manifests(struct world *w)
{
	for (size_t i = 0; i < w->manifests.n; i++) {
		struct source_file *file = &w->manifests.v[i];
		VEC(struct scalar_edit) edits = { 0 };
		const char *text;
		struct err err = { 0 };
		size_t len;

		for (size_t k = 0; k < w->plan.steps.n; k++) {
			const struct step *step = w->plan.steps.v[k];

			for (size_t e = 0; !step->blocked && e < step->edits.n; e++) {
				const struct image_edit *edit =
					LIST_AT(step->edits, struct image_edit, e);

				if (strcmp(edit->file, file->path) == 0)
					vec_push(w->arena, &edits,
						 (struct scalar_edit){ edit->pos, edit->old_text,
								       edit->new_text });
			}
		}
		if (!edits.n)
			continue;
		if (!edit_scalars(file, edits.v, edits.n, w->arena, &text, &len, &err))
			broken("%s", err.text);
		file->text = text;
		file->len = len;
	}
}

/* One step of a run: bound, claimed, folded and recorded. */
static void perform(struct world *w, struct step *step, const char *script)
{
	struct plan_options options = options_of(w);
	struct build_file file = { 0 };
	struct outcome outcome;
	struct err err = { 0 };
	char *line = line_for(w, script, step->id);
	bool is_bound = plan_bind(step, &w->plan, w->arena, &err);
	bool is_build = step->action == ACTION_BUILD || step->action == ACTION_REBASE;

	if (is_bound && (step->action == ACTION_NONE || step->action == ACTION_RESOLVE ||
			 step->action == ACTION_IMPORT || step->action == ACTION_EDIT)) {
		put_plain(w, step);
		put_images(w, step);
		if (step->is_failure)
			w->is_clean = false;
		step->is_folded = true;
		return;
	}
	if (is_bound && is_build) {
		put_marks(w, step);
		put_status(w, step, plan_claim(step, w->now_s + 3600, &options, w->arena, &file));
		put_record(w, &file);
	}
	if (strcmp(line, "crash") == 0) {
		w->is_clean = false;
		return;
	}
	outcome = outcome_parse(w, step, line);
	if (!is_bound)
		outcome = (struct outcome){ .err = err };
	if (plan_fold(step, &outcome, &options, w->arena, &file))
		put_status(w, step, step->status);
	put_record(w, &file);
	put_images(w, step);
	if (step->has_failed)
		w->is_clean = false;
}

static void perform_all(struct world *w, const char *script)
{
	w->is_clean = true;
	for (size_t i = 0; i < w->plan.steps.n; i++) {
		struct step *step = w->plan.steps.v[i];

		if (step->blocked || step->is_failure)
			w->is_clean = false;
		if (step->action == ACTION_DELETE)
			map_set(w->arena, &w->state.by_id, step->id, NULL);
		else if (step->blocked || step->action == ACTION_NONE ||
			 step->action == ACTION_RESOLVE ||
			 ((step->action == ACTION_IMPORT || step->action == ACTION_EDIT) &&
			  step->n_after == 0)) {
			put_images(w, step);
			put_plain(w, step);
		} else {
			perform(w, step, script);
		}
	}
	edit_manifests(w);
	w->triggers.n = 0;
	w->starts.n = 0;
	w->now_s += 120;
	if (!w->is_clean || w->offline)
		return;
	plan_both_ways(w);
	for (size_t i = 0; i < w->plan.steps.n; i++) {
		const struct step *step = w->plan.steps.v[i];

		if (step->action != ACTION_NONE || step->is_status_changed || step->moved)
			broken("after a run that succeeded there is something left to do:\n%s",
			       plan_print(w, &w->plan));
	}
}

static void manifests_add(struct world *w, const char *path, const char *text)
{
	if (!*path)
		path = w->manifests.n ? arena_printf(w->arena, "shop/%zu.yaml", w->manifests.n + 1)
				      : "shop/all.yaml";
	vec_push(w->arena, &w->manifests, (struct source_file){ path, text, strlen(text) });
}

static bool is_section(const char *header, const char *name)
{
	return strcmp(header, name) == 0;
}

static void run_text(struct world *w, const char *text, struct buf *out);

/* What the section should be after the run; the same text when it is an input. */
static const char *run_section(struct world *w, char *header, const char *raw)
{
	const char *body = expand(w, raw);
	char *argument = header;
	const char *name = next_word(&argument);

	if (is_section(name, "use")) {
		AUTO_BUF ignored = BUF_INIT(TEXT_MAX);

		run_text(w, file_read(arena_printf(w->arena, CASE_DIR "%s", argument), w->arena),
			 &ignored);
	} else if (is_section(name, "manifests")) {
		manifests_add(w, argument, body);
	} else if (is_section(name, "only-manifests")) {
		w->manifests.n = 0;
		manifests_add(w, argument, body);
	} else if (is_section(name, "state")) {
		state_put(w, arena_strdup(w->arena, argument), body);
	} else if (is_section(name, "answers")) {
		each_line(w, body, answer_add);
	} else if (is_section(name, "options")) {
		w->offline = w->retry_failed = w->prune = w->prune_all = w->no_prune = false;
		w->scope = (struct scope){ 0 };
		w->only.n = w->triggers.n = w->starts.n = 0;
		w->checks = (struct map){ 0 };
		each_line(w, body, option_add);
	} else if (is_section(name, "plan")) {
		return plan_both_ways(w);
	} else if (is_section(name, "questions")) {
		return w->questions;
	} else if (is_section(name, "perform")) {
		plan_both_ways(w);
		perform_all(w, body);
	} else if (is_section(name, "recorded")) {
		const char *found = map_get(&w->recorded, argument);

		return found ? contract(w, found) : "nothing\n";
	} else if (is_section(name, "records")) {
		AUTO_BUF names = BUF_INIT(TEXT_MAX);

		for (size_t i = 0; i < w->records.n; i++)
			buf_printf(&names, "%s\n", w->records.items[i].key);
		return contract(w, buf_text(&names));
	} else if (!is_section(name, "about")) {
		broken("no section: '%s'", name);
	}
	return NULL;
}

static void run_text(struct world *w, const char *text, struct buf *out)
{
	while (*text) {
		const char *line_end = strchrnul(text, '\n');
		const char *body = *line_end ? line_end + 1 : line_end,
			   *end = strstr(body, "\n--- ");
		const char *shown;
		char *header, *raw;

		if (strncmp(text, "--- ", 4) != 0)
			broken("a case begins with a section: '%.20s'", text);
		if (strncmp(body, "--- ", 4) == 0)
			end = body;
		else
			end = end ? end + 1 : body + strlen(body);
		header = arena_copy(w->arena, text + 4, (size_t)(line_end - text - 4));
		raw = arena_copy(w->arena, body, (size_t)(end - body));
		buf_printf(out, "--- %s\n", header);
		shown = run_section(w, header, raw);
		buf_puts(out, shown ? shown : raw);
		text = end;
	}
}

static void run_case(const char *name)
{
	struct world w = { .arena = arena_new(), .run_id = "run-1" };
	const char *path = arena_printf(w.arena, CASE_DIR "%s", name);
	const char *text = file_read(path, w.arena);
	AUTO_BUF out = BUF_INIT(TEXT_MAX);

	current = name;
	w.state.arena = w.arena;
	if (!time_parse("2026-11-22T03:14:55Z", &w.now_s))
		broken("no clock");
	run_text(&w, text, &out);
	if (strcmp(buf_text(&out), text) != 0) {
		if (getenv("RECONCILE_UPDATE_CASES")) {
			FILE *f = fopen(path, "w");

			assert_non_null(f);
			assert_int_equal(fwrite(out.data, 1, out.len, f), out.len);
			assert_int_equal(fclose(f), 0);
		} else {
			fprintf(stderr, "%s: came out as:\n%s\n", name, buf_text(&out));
			arena_free(w.arena);
			fail();
		}
	}
	arena_free(w.arena);
}

static void test_case(void **state)
{
	run_case(*state);
}

static int is_case(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot && strcmp(dot, ".case") == 0;
}

int main(void)
{
	struct dirent **entries = NULL;
	int n = scandir(CASE_DIR, &entries, is_case, alphasort), rc;
	struct CMUnitTest *tests;

	if (n < 40) {
		fprintf(stderr, "%d cases in " CASE_DIR ": they were not found\n", n);
		if (!getenv("RECONCILE_UPDATE_CASES"))
			return 1;
	}
	tests = calloc((size_t)n, sizeof(*tests));
	for (int i = 0; i < n; i++)
		tests[i] = (struct CMUnitTest){ .name = entries[i]->d_name,
						.test_func = test_case,
						.initial_state = entries[i]->d_name };
	rc = _cmocka_run_group_tests("plan cases", tests, (size_t)n, NULL, NULL);
	for (int i = 0; i < n; i++)
		free(entries[i]);
	free(entries);
	free(tests);
	return rc;
}
