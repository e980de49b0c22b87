/* SPDX-License-Identifier: Apache-2.0 */
/* reason.c — see reason.h. */
#include "buildexec/s2i/reason.h"

#include "model/base/err.h"

enum error_class {
	CLASS_NONE = 0,
	CLASS_INSPECT = 1,
	CLASS_PULL = 2,
	CLASS_ASSEMBLE = 4,
	CLASS_WORK_DIR = 5,
	CLASS_BUILD = 6,
	CLASS_DOWNLOAD = 8,
	CLASS_INSTALL = 11,
	CLASS_CONTAINER = 13,
	CLASS_SOURCE = 14,
	CLASS_USER = 15,
};

/* clang-format off */
static const struct {
	const char *name, *message;
	enum error_class error_class;
} reasons[] = {
	[S2I_COMPLETED]                  = { "", "", CLASS_NONE },
	[S2I_GENERIC]                    = { "GenericS2IBuildFailed", "Generic S2I Build failure - check S2I logs for details.", CLASS_BUILD },
	[S2I_PULL_BUILDER_FAILED]        = { "PullBuilderImageFailed", "Failed pulling builder image.", CLASS_PULL },
	[S2I_PULL_RUNTIME_FAILED]        = { "PullRuntimeImageFailed", "Failed to pull runtime image.", CLASS_PULL },
	[S2I_ON_BUILD_FORBIDDEN]         = { "OnBuildForbidden", "ONBUILD instructions not allowed in this context.", CLASS_BUILD },
	[S2I_USER_FORBIDDEN]             = { "AssembleUserForbidden", "Assemble user for S2I build is forbidden.", CLASS_USER },
	[S2I_INVALID_CONTEXT_DIR]        = { "InvalidContextDirectory", "The supplied context directory does not exist.", CLASS_SOURCE },
	[S2I_FETCH_SOURCE_FAILED]        = { "FetchSourceFailed", "Failed to fetch the input source.", CLASS_SOURCE },
	[S2I_FETCH_IMAGE_CONTENT_FAILED] = { "FetchImageContentFailed", "Failed to extract image content.", CLASS_INSPECT },
	[S2I_FETCH_SCRIPTS_FAILED]       = { "FetchScriptsFailed", "Failed to fetch specified scripts.", CLASS_DOWNLOAD },
	[S2I_INSTALL_SCRIPTS_FAILED]     = { "InstallScriptsFailed", "Failed to install specified scripts.", CLASS_INSTALL },
	[S2I_FILE_SYSTEM_FAILED]         = { "FileSystemOperationFailed", "Failed to perform filesystem operation.", CLASS_WORK_DIR },
	[S2I_ASSEMBLE_FAILED]            = { "AssembleFailed", "Assemble script failed.", CLASS_ASSEMBLE },
	[S2I_OUT_OF_MEMORY]              = { "OutOfMemoryKilled", "The build pod was killed due to an out of memory condition.", CLASS_CONTAINER },
	[S2I_CANCELLED]                  = { "CancelledBuild", "The build was cancelled by the user.", CLASS_NONE },
	[S2I_INVALID_ARTIFACTS]          = { "InvalidArtifactsMapping", "Invalid artifacts mapping specified.", CLASS_BUILD },
	[S2I_FETCH_ARTIFACTS_FAILED]     = { "FetchRuntimeArtifactsFailed", "Failed to fetch runtime artifacts.", CLASS_BUILD },
	[S2I_COMMIT_FAILED]              = { "ContainerCommitFailed", "Failed to commit container.", CLASS_BUILD },
	[S2I_PUSH_FAILED]                = { "PushImageToRegistryFailed", "Failed to push the image to the registry.", CLASS_NONE },
};
/* clang-format on */
_Static_assert(COUNTOF(reasons) == S2I_REASONS, "a row for each reason");

const char *s2i_reason_name(enum s2i_reason reason)
{
	return reasons[reason].name;
}

const char *s2i_reason_message(enum s2i_reason reason)
{
	return reasons[reason].message;
}

int s2i_reason_class(enum s2i_reason reason)
{
	return (int)reasons[reason].error_class;
}
