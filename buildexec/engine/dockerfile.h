/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dockerfile.h — finds the instructions of a Dockerfile. Pure. Whether they make sense is for the engine to say.
 * Spec: Dockerfile reference (continuations, escape directive, comments, here-documents).
 */
#ifndef BUILDEXEC_ENGINE_DOCKERFILE_H
#define BUILDEXEC_ENGINE_DOCKERFILE_H

#include "model/base/buf.h"
#include "model/doc/field.h"

/* What is read, and what is written out of it with changes. */
enum { DOCKERFILE_MAX_BYTES = 4 << 20, DOCKERFILE_OUT_MAX_BYTES = 64 << 20 };

/* Bytes of the text; `value` is what they say with continuations taken out. NULL value: absent. */
struct docker_span {
	size_t start, end;
	const char *value;
};

struct docker_instruction {
	const char *name;         /* upper case: "FROM" */
	size_t start, end;        /* with the line break behind it, and with its here-documents */
	uint32_t line;            /* from 1 */
	struct docker_span image; /* FROM: the image; COPY: the value of --from */
	struct docker_span stage; /* FROM: the name after AS */
	struct docker_span platform; /* FROM: the value of --platform */
	bool has_here;               /* here-documents belong to it */
	const char *args;            /* behind the name, without continuations and here-documents */
};

struct dockerfile {
	const char *text;
	size_t len;
	char escape;   /* '\\', or '`' by directive */
	bool has_crlf; /* its first line ends so */
	/* The text ends in a continuation: from here on it has blanks, escapes and comments only; len: it does not. */
	size_t dangling;
	struct docker_instruction *v;
	size_t n, cap;
	size_t n_stages;
};

/*
 * `text` is lent. ERR_INVALID names the line: a text of more than DOCKERFILE_MAX_BYTES or with NUL bytes, an escape directive
 * with another character, a FROM without image, a here-document without end.
 */
MUST_CHECK bool dockerfile_parse(const char *text, size_t len, struct arena *arena,
				 struct dockerfile *out, struct err *err);

#endif
