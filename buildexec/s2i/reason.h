/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reason.h — why a source-to-image build failed, in the words of a Build's status, with the class that the s2i program would
 * have as its exit code. Spec: openshift.md §3.6, §4.1 "Error classes".
 */
#ifndef BUILDEXEC_S2I_REASON_H
#define BUILDEXEC_S2I_REASON_H

enum s2i_reason {
	S2I_COMPLETED,
	S2I_GENERIC,
	S2I_PULL_BUILDER_FAILED,
	S2I_PULL_RUNTIME_FAILED,
	S2I_ON_BUILD_FORBIDDEN,
	S2I_USER_FORBIDDEN,
	S2I_INVALID_CONTEXT_DIR,
	S2I_FETCH_SOURCE_FAILED,
	S2I_FETCH_IMAGE_CONTENT_FAILED,
	S2I_FETCH_SCRIPTS_FAILED,
	S2I_INSTALL_SCRIPTS_FAILED,
	S2I_FILE_SYSTEM_FAILED,
	S2I_ASSEMBLE_FAILED,
	S2I_OUT_OF_MEMORY,
	S2I_CANCELLED,
	S2I_INVALID_ARTIFACTS,
	S2I_FETCH_ARTIFACTS_FAILED,
	S2I_COMMIT_FAILED,
	S2I_PUSH_FAILED,
	S2I_REASONS
};

const char *s2i_reason_name(enum s2i_reason reason);    /* "AssembleFailed"; "" for S2I_COMPLETED */
const char *s2i_reason_message(enum s2i_reason reason); /* "Assemble script failed." */
int s2i_reason_class(enum s2i_reason reason);           /* 4; 0: none */

#endif
