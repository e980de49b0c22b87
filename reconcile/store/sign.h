/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sign.h — signatures of commits, by the programs that git itself uses: ssh-keygen -Y sign (namespace "git"), or gpg. What
 * is run and with which key comes from a trusted place only; the caller sees to that. A program that asks for a passphrase
 * finds no terminal and fails: use an agent, or a key without one.
 */
#ifndef RECONCILE_STORE_SIGN_H
#define RECONCILE_STORE_SIGN_H

#include "reconcile/store/store.h"

enum sign_method { SIGN_SSH, SIGN_GPG };
struct signer {
	enum sign_method method;
	const char *
		key; /* ssh: file of the private key, or of the public one with an agent; gpg: name, address or id */
};
/* For struct store_commit; `ctx` is a struct signer. ERR_DENIED with what the program said. */
bool commit_sign(const void *ctx, const char *bytes, size_t n, struct arena *arena,
		 const char **signature, struct err *err);

#endif
