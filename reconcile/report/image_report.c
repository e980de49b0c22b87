/* SPDX-License-Identifier: Apache-2.0 */
/* image_report.c — `oc describe istag` and `isimage`: one image, out of its record. */
#include <stdlib.h>
#include <string.h>

#include "model/base/time.h"
#include "reconcile/report/describe.h"
#include "reconcile/report/human.h"
#include "reconcile/report/stream_report.h"

struct image_describer {
	const struct described_image *view;
	struct describe to;
	struct image_facts facts;
};

/* "251.2 MB (first layer 2.898 MB, last binary layer 72.26 MB)" */
static const char *size_text(const struct image_describer *d)
{
	const struct list *layers = &d->view->record->layers;
	struct arena *arena = d->to.arena;
	const char *whole = human_size(d->facts.size_bytes, arena);
	const char *first = NULL, *last = NULL;

	if (layers->n < 2)
		return whole;
	if (LIST_AT(*layers, struct image_layer, 0)->size_bytes > 0)
		first = human_size(LIST_AT(*layers, struct image_layer, 0)->size_bytes, arena);
	for (size_t i = layers->n - 1; i > 0 && !last; i--)
		if (LIST_AT(*layers, struct image_layer, i)->size_bytes > 0)
			last = human_size(LIST_AT(*layers, struct image_layer, i)->size_bytes,
					  arena);
	if (!first && !last)
		return whole;
	return arena_printf(arena, "%s (%s%s%s%s%s)", whole, first ? "first layer " : "",
			    first ? first : "", first && last ? ", " : "",
			    last ? "last binary layer " : "", last ? last : "");
}

static void put_layers(struct image_describer *d)
{
	const struct list *layers = &d->view->record->layers;

	for (size_t i = 0; d->view->is_verbose && i < layers->n; i++) {
		const struct image_layer *layer = LIST_AT(*layers, struct image_layer, i);

		describe_put(&d->to, "%s\t%s\t%s\n",
			     i ? "" : "Layers:", human_size(layer->size_bytes, d->to.arena),
			     describe_clean(&d->to, layer->name));
	}
}

static void put_manifests(struct image_describer *d)
{
	const struct list *manifests = &d->view->record->manifests;

	for (size_t i = 0; i < manifests->n; i++) {
		const struct image_submanifest *manifest =
			LIST_AT(*manifests, struct image_submanifest, i);
		bool has_variant = manifest->variant && *manifest->variant;
		const char *platform =
			arena_printf(d->to.arena, "%s/%s%s%s", manifest->os ? manifest->os : "",
				     manifest->arch ? manifest->arch : "", has_variant ? "/" : "",
				     has_variant ? manifest->variant : "");

		describe_put(&d->to, "%s\t%s\t%s\n",
			     i ? "" : "Manifests:", describe_clean(&d->to, platform),
			     describe_clean(&d->to, manifest->digest));
	}
}

static const char *joined(const struct image_describer *d, const struct strings *words,
			  const char *between)
{
	AUTO_BUF out = BUF_INIT(1 << 20);

	for (size_t i = 0; i < words->n; i++)
		buf_printf(&out, "%s%s", i ? between : "", words->v[i]);
	return buf_copy(&out, d->to.arena);
}

static struct strings sorted(const struct image_describer *d, const struct strings *from)
{
	struct strings copy = { 0 };

	for (size_t i = 0; i < from->n; i++)
		vec_push(d->to.arena, &copy, from->v[i]);
	if (copy.n)
		qsort(copy.v, copy.n, sizeof(*copy.v), strings_compare);
	return copy;
}

static void put_config(struct image_describer *d)
{
	const struct image_facts *facts = &d->facts;
	struct strings ports = sorted(d, &facts->exposed_ports);
	struct strings volumes = sorted(d, &facts->volumes);

	if (facts->entrypoint.n)
		describe_field(&d->to, "Entrypoint", joined(d, &facts->entrypoint, " "));
	if (facts->cmd.n || !facts->entrypoint.n)
		describe_field(&d->to, "Command", joined(d, &facts->cmd, " "));
	describe_field(&d->to, "Working Dir", facts->working_dir);
	describe_field(&d->to, "User", facts->user);
	describe_field(&d->to, "Exposes Ports", joined(d, &ports, ", "));
	describe_pairs(&d->to, "Docker Labels", &facts->labels);
	describe_lines(&d->to, "Environment", &facts->env);
	describe_lines(&d->to, "Volumes", &volumes);
}

static void put_names(struct image_describer *d)
{
	const struct described_image *view = d->view;
	struct pairs annotations = { 0 };

	describe_field(&d->to, "Image Name", view->name);
	describe_field(&d->to, "Docker Image", view->record->reference);
	describe_field(&d->to, "Name", view->record->name);
	if (view->event && view->event->created_s)
		describe_field(&d->to, "Created",
			       human_ago(view->event->created_s, view->now_s, d->to.arena));
	for (size_t i = 0; i < view->record->annotations.n; i++)
		vec_push(d->to.arena, &annotations, view->record->annotations.v[i]);
	for (size_t i = 0; view->annotations && i < view->annotations->n; i++)
		vec_push(d->to.arena, &annotations, view->annotations->v[i]);
	if (annotations.n)
		describe_annotations(&d->to, &annotations);
}

void image_describe(const struct described_image *view, struct arena *arena, struct buf *out)
{
	struct image_describer d = { .view = view };
	int64_t created_s = 0;

	describe_init(&d.to, arena);
	image_facts_read(view->record, arena, &d.facts);
	put_names(&d);
	if (view->record->metadata) {
		describe_field(&d.to, "Image Size", size_text(&d));
		put_layers(&d);
		if (d.facts.created && time_parse(d.facts.created, &created_s))
			describe_field(&d.to, "Image Created",
				       human_ago(created_s, view->now_s, arena));
		else
			describe_field(&d.to, "Image Created", NULL);
		describe_field(&d.to, "Author", d.facts.author);
		describe_field(&d.to, "Arch", d.facts.arch);
	}
	put_manifests(&d);
	if (view->record->metadata)
		put_config(&d);
	describe_finish(&d.to, out);
}
