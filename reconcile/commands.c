/* SPDX-License-Identifier: Apache-2.0 */
/* commands.c — the command table: help, completion and man pages are printed from it. */
#include "reconcile/commands.h"

#define LOOK (FOR_STATE | FOR_TABLE | FOR_NS)
/* Commands that --wait makes build what they wrote. */
#define PUT (FOR_EDIT | FOR_STATE | FOR_WAIT)

/* clang-format off */
const struct command commands[] = {
	{ "", "[DIR]", 0, 1, FOR_RUN, cmd_run,
	  "build what the manifests in DIR declare and record it",
	  "Loads the manifests in DIR (default: the current folder; a file, or - for standard input), compares them with the "
	  "state in git and with the world, runs exactly the builds that are needed, and commits the new state. "
	  "With --dry-run the plan is printed and nothing is changed.",
	  "reconcile manifests/                        # converge\n"
	  "reconcile --dry-run manifests/              # what would be done, and why\n"
	  "reconcile --dry-run=offline -o json .       # without asking any server, for a program\n"
	  "reconcile --trigger shop/cart manifests/    # build it although nothing changed\n"
	  "reconcile --only Image/shop/cart manifests/ # this image and what it is made of", false },
	{ "validate", "[DIR]", 0, 1, FOR_LOAD, cmd_validate,
	  "check manifests and settings; exit 3 when something is wrong", NULL,
	  "reconcile validate manifests/", false },
	{ "schema", "[KIND]", 0, 1, 0, cmd_schema,
	  "print the JSON Schema of a kind, or of all kinds",
	  "Prints JSON Schema (draft-07), made from the same tables that validate. Editors take it by a first line such as "
	  "'# yaml-language-server: $schema=schemas/reconcile.json'.",
	  "reconcile schema Image", false },
	{ "graph", "[DIR]", 0, 1, FOR_LOAD | FOR_TABLE, cmd_graph,
	  "show what is made of what: text, dot, mermaid or json", NULL,
	  "reconcile graph -o dot manifests/ | dot -Tsvg >graph.svg", false, "text|json|dot|mermaid" },
	{ "why", "[KIND/[NS/]]NAME [DIR]", 1, 2, FOR_LOAD | FOR_STATE | FOR_TABLE, cmd_why,
	  "explain an object: what its last result was made of, what differs now, through which objects",
	  "Works from the manifests in DIR (default: the current folder) and the recorded state alone; nobody is asked. A name without a kind is an "
	  "image.",
	  "reconcile why shop/cart manifests/\nreconcile why ClusterBuilder/default", false },
	{ "image list", "", 0, 0, LOOK | FOR_FILTER, cmd_image_list, "list images", NULL,
	  "reconcile image list -A", false },
	{ "image status", "NAME", 1, 1, LOOK, cmd_image_status, "show an image and its last builds", NULL,
	  "reconcile image status cart -n shop", false },
	{ "image create", "NAME [TAG]", 1, 2, PUT | FOR_IMAGE, cmd_object_create,
	  "write the manifest of a new image",
	  "Writes <NAME>.yaml (with -n <NAMESPACE>-<NAME>.yaml) into the folder of the manifests. The next run builds the image; "
	  "--wait does it at once. Takes exactly one of --git, --blob and --local-path; with --upload what lies at --local-path goes to "
	  "the registry, and the manifest names its digest.",
	  "reconcile image create cart registry.example.com/shop/cart --git https://git.example.com/shop/cart.git\n"
	  "reconcile image create cart --tag registry.example.com/shop/cart --local-path ./cart -b tiny -n shop\n"
	  "reconcile image create cart registry.example.com/shop/cart --local-path ./cart.zip --upload --wait", false },
	{ "image patch", "NAME", 1, 1, PUT | FOR_IMAGE, cmd_object_patch,
	  "change the manifest of an image in place",
	  "Changes what the options say, where it stands; comments, order, quotes and line ends stay as they are.",
	  "reconcile image patch cart -n shop --git-revision v1.2 -e BP_JVM_VERSION=17 -d DEBUG", false },
	{ "image save", "NAME [TAG]", 1, 2, PUT | FOR_IMAGE, cmd_object_save,
	  "create the manifest of an image, or change it when it is there", NULL,
	  "reconcile image save cart registry.example.com/shop/cart --blob https://example.com/cart.zip", false },
	{ "image delete", "NAME", 1, 1, FOR_EDIT, cmd_object_delete,
	  "delete the manifest of an image; images that were built stay",
	  "Takes the document out of its file; a file that holds nothing else goes too. The records of its builds go with the next "
	  "run of the folder.",
	  "reconcile image delete cart -n shop", false },
	{ "image trigger", "NAME", 1, 1, PUT, cmd_image_trigger,
	  "ask for a build although nothing changed",
	  "Gives the manifest's annotation reconcile.dev/trigger a new value; the run that sees it builds once, for reason TRIGGER; "
	  "--wait is that run.",
	  "reconcile image trigger cart -n shop --wait", false },
	{ "build list", "[IMAGE|bc/NAME]", 0, 1, LOOK | FOR_BUILD_LIST, cmd_build_list,
	  "list the builds of an image, of a build config, or of all",
	  "Builds of an image have kp's columns, those of a build config (bc/NAME, or --build-config NAME) oc's; without a name those of "
	  "all images and build configs are listed. A name that an image and a build config share is given as image/NAME or bc/NAME.",
	  "reconcile build list cart -n shop\nreconcile build list bc/cart -n shop\nreconcile build list -A", false },
	{ "build status", "NAME", 1, 1, LOOK | FOR_BUILD | FOR_BOM, cmd_build_status,
	  "show one build: reasons, inputs, buildpacks; with --bom what its image holds",
	  "NAME is an image or a build config (image/NAME, bc/NAME where both have the name), of which the latest build is shown, or that of "
	  "-b; or a build by its own name: cart-12, cart-build-3. Builds of build configs are shown as oc describes them.\n"
	  "--bom reads the bill of materials that the buildpacks wrote, out of the image in its registry: the table of components, "
	  "or with -o json the files themselves (CycloneDX, Syft, SPDX). Credentials are those of the image's service account in "
	  "the manifests, and the user's own.",
	  "reconcile build status cart -b 12\n"
	  "reconcile build status cart -b 12 --bom -o json", false },
	{ "build describe", "NAME", 1, 1, LOOK | FOR_BUILD | FOR_BOM, cmd_build_status,
	  "the same as build status: one build, of a build config as oc describes it",
	  "NAME as with build status. With -v also what made the build: its key, the run, the engine, the base images.",
	  "reconcile build describe cart-12 -n shop\nreconcile build describe bc/cart -n shop -o yaml", false },
	{ "build logs", "NAME", 1, 1, FOR_STATE | FOR_NS | FOR_BUILD, cmd_build_logs,
	  "print the log of a build; follows one that is running on this machine",
	  "NAME as with build status.",
	  "reconcile build logs cart -n shop -b 12\nreconcile build logs cart-12 -n shop", false },
	{ "build cancel", "NAME...", 1, 64, FOR_STATE | FOR_NS | FOR_CANCEL, cmd_build_cancel,
	  "cancel builds of build configs that have not ended",
	  "NAME is a build (cart-12), or bc/NAME: all builds of it that have not ended. A build that nobody runs ends at once; one that runs "
	  "is marked in the state, and the run that builds it ends it: that is waited for, unless --no-wait.",
	  "reconcile build cancel cart-12 -n shop\nreconcile build cancel bc/cart -n shop --state new,pending", false },
	{ "cancel-build", "NAME...", 1, 64, FOR_STATE | FOR_NS | FOR_CANCEL, cmd_build_cancel, "the same as build cancel", NULL, NULL, true },
	{ "buildconfig list", "", 0, 0, LOOK | FOR_MANIFESTS, cmd_buildconfig_list, "list build configs",
	  "Those that are recorded, and those of the manifests where they are at hand (--manifests, or the current folder).",
	  "reconcile buildconfig list -A\nreconcile bc list -n shop -o yaml", false, .outputs = "text|json|yaml|name" },
	{ "buildconfig describe", "NAME", 1, 1, LOOK | FOR_MANIFESTS, cmd_buildconfig_describe,
	  "show a build config and its last builds",
	  "From the recorded state and, where it is at hand (--manifests, or the current folder), the manifest; nobody is asked. Without the "
	  "manifest strategy and source are those of the newest build.",
	  "reconcile buildconfig describe cart -n shop", false, .outputs = "text|json|yaml|name" },
	{ "start-build", "[NAME] [DIR]", 0, 2, FOR_LOAD | FOR_STATE | FOR_START, cmd_start_build,
	  "run a build of a build config now",
	  "Runs the build in this process, records it, and lets the streams and workloads that follow its image take it; nothing else is built. "
	  "DIR is the folder of the manifests (default: the current folder). With --from-dir, --from-archive, --from-file or --from-repo what is "
	  "given is the source of this one build; --from-build=BUILD, without NAME, runs a recorded build again. "
	  "The command ends when the build has ended: exit 0 when it is complete, 4 when it is not.",
	  "reconcile start-build cart -n shop manifests/               # now, whatever changed\n"
	  "reconcile start-build cart --from-dir . --follow manifests/ # what lies here, with its log\n"
	  "reconcile start-build cart --commit v1.2 -e DEBUG=1         # another commit, a variable\n"
	  "reconcile start-build --from-build cart-3                   # once more, as it was\n"
	  "reconcile start-build cart --list-webhooks                  # what CI has to serve", false, "text|name" },
	{ "builder list", "", 0, 0, LOOK, cmd_part_list, "list builders", NULL, NULL, false },
	{ "builder status", "NAME", 1, 1, LOOK, cmd_part_status, "show a builder", NULL, NULL, false },
	{ "builder create", "NAME", 1, 1, PUT | FOR_BUILDER | FOR_ACCOUNT, cmd_object_create,
	  "write the manifest of a new builder",
	  "Writes builder-<NAME>.yaml (with -n builder-<NAMESPACE>-<NAME>.yaml) into the folder of the manifests. The next run composes the builder. "
	  "Without --tag it is pushed to the default repository (reconcile config default-repository).",
	  "reconcile builder create tiny -n shop --tag registry.example.com/builders/tiny --stack tiny --order order.yaml\n"
	  "reconcile builder create go -n shop -b acme/go@1.2.0 -b acme/procfile", false },
	{ "builder patch", "NAME", 1, 1, PUT | FOR_BUILDER | FOR_ACCOUNT, cmd_object_patch,
	  "change the manifest of a builder in place", NULL,
	  "reconcile builder patch tiny -n shop --stack base", false },
	{ "builder save", "NAME", 1, 1, PUT | FOR_BUILDER | FOR_ACCOUNT, cmd_object_save,
	  "create the manifest of a builder, or change it when it is there", NULL,
	  "reconcile builder save tiny -n shop --order order.yaml", false },
	{ "builder delete", "NAME", 1, 1, FOR_EDIT, cmd_object_delete,
	  "delete the manifest of a builder", NULL, "reconcile builder delete tiny -n shop", false },
	{ "clusterbuilder list", "", 0, 0, LOOK, cmd_part_list, "list cluster builders", NULL, NULL, false },
	{ "clusterbuilder status", "NAME", 1, 1, LOOK, cmd_part_status, "show a cluster builder", NULL, NULL, false },
	{ "clusterbuilder create", "NAME", 1, 1, PUT | FOR_BUILDER | FOR_ACCOUNT, cmd_object_create,
	  "write the manifest of a new cluster builder",
	  "Writes clusterbuilder-<NAME>.yaml into the folder of the manifests. The next run composes the builder. "
	  "Without --tag it is pushed to the default repository (reconcile config default-repository).",
	  "reconcile clusterbuilder create tiny --tag registry.example.com/builders/tiny --stack tiny --order order.yaml\n"
	  "reconcile clusterbuilder create go -b acme/go@1.2.0 -b acme/procfile", false },
	{ "clusterbuilder patch", "NAME", 1, 1, PUT | FOR_BUILDER | FOR_ACCOUNT, cmd_object_patch,
	  "change the manifest of a cluster builder in place", NULL,
	  "reconcile clusterbuilder patch tiny --stack base", false },
	{ "clusterbuilder save", "NAME", 1, 1, PUT | FOR_BUILDER | FOR_ACCOUNT, cmd_object_save,
	  "create the manifest of a cluster builder, or change it when it is there", NULL,
	  "reconcile clusterbuilder save tiny --order order.yaml", false },
	{ "clusterbuilder delete", "NAME", 1, 1, FOR_EDIT, cmd_object_delete,
	  "delete the manifest of a cluster builder", NULL, "reconcile clusterbuilder delete tiny", false },
	{ "clusterstack list", "", 0, 0, LOOK, cmd_part_list, "list stacks", NULL, NULL, false },
	{ "clusterstack status", "NAME", 1, 1, LOOK, cmd_part_status, "show a stack", NULL, NULL, false },
	{ "clusterstack create", "NAME", 1, 1, PUT | FOR_STACK, cmd_object_create,
	  "write the manifest of a new stack",
	  "The stack's id is read from the images. With a default repository (reconcile config default-repository) the images are "
	  "copied there and named by digest; without one they are named as given.",
	  "reconcile clusterstack create tiny --build-image registry.example.com/tiny:build -r registry.example.com/tiny:run", false },
	{ "clusterstack patch", "NAME", 1, 1, PUT | FOR_STACK, cmd_object_patch,
	  "change the images of a stack in place", NULL,
	  "reconcile clusterstack patch tiny --run-image registry.example.com/tiny:run-2", false },
	{ "clusterstack update", "NAME", 1, 1, PUT | FOR_STACK, cmd_object_patch, "the same as patch", NULL, NULL, true },
	{ "clusterstack save", "NAME", 1, 1, PUT | FOR_STACK, cmd_object_save,
	  "create the manifest of a stack, or change it when it is there", NULL,
	  "reconcile clusterstack save tiny -b registry.example.com/tiny:build -r registry.example.com/tiny:run", false },
	{ "clusterstack delete", "NAME", 1, 1, FOR_EDIT, cmd_object_delete, "delete the manifest of a stack", NULL,
	  "reconcile clusterstack delete tiny", false },
	{ "clusterstore list", "", 0, 0, LOOK, cmd_part_list, "list stores", NULL, NULL, false },
	{ "clusterstore status", "NAME", 1, 1, LOOK, cmd_part_status, "show a store and its buildpacks", NULL, NULL, false },
	{ "clusterstore create", "NAME", 1, 1, PUT | FOR_STORE, cmd_object_create,
	  "write the manifest of a new store",
	  "With a default repository (reconcile config default-repository) the images are copied there and named by digest; without "
	  "one they are named as given.",
	  "reconcile clusterstore create main -b registry.example.com/bp/go:1.2.0 -b registry.example.com/bp/java", false },
	{ "clusterstore add", "NAME", 1, 1, PUT | FOR_STORE, cmd_object_patch,
	  "add images of buildpacks to a store", NULL,
	  "reconcile clusterstore add main -b registry.example.com/buildpacks/node:3", false },
	{ "clusterstore remove", "NAME", 1, 1, PUT | FOR_STORE, cmd_store_remove,
	  "take images of buildpacks out of a store",
	  "Takes ID@VERSION, which is looked up in the recorded state, or the image as the manifest names it.",
	  "reconcile clusterstore remove main -b acme/go@1.2.0", false },
	{ "clusterstore save", "NAME", 1, 1, PUT | FOR_STORE, cmd_object_save,
	  "create the manifest of a store, or add to it when it is there", NULL,
	  "reconcile clusterstore save main -b registry.example.com/buildpacks/go:1.2.0", false },
	{ "clusterstore delete", "NAME", 1, 1, FOR_EDIT, cmd_object_delete, "delete the manifest of a store", NULL,
	  "reconcile clusterstore delete main", false },
	{ "clusterlifecycle list", "", 0, 0, LOOK, cmd_part_list, "list lifecycles", NULL, NULL, false },
	{ "clusterlifecycle status", "NAME", 1, 1, LOOK, cmd_part_status, "show a lifecycle", NULL, NULL, false },
	{ "clusterlifecycle create", "NAME", 1, 1, PUT | FOR_PART, cmd_object_create,
	  "write the manifest of a new lifecycle",
	  "With a default repository (reconcile config default-repository) the image is copied there and named by digest; without "
	  "one it is named as given.",
	  "reconcile clusterlifecycle create main --image registry.example.com/clusterlifecycle:1.2.0", false },
	{ "clusterlifecycle patch", "[NAME]", 0, 1, PUT | FOR_PART, cmd_object_patch,
	  "change the image of a lifecycle in place", "Without NAME it is the one that kpack composes with by default: default-lifecycle.",
	  "reconcile clusterlifecycle patch main --image registry.example.com/clusterlifecycle:1.3.0", false },
	{ "clusterlifecycle update", "[NAME]", 0, 1, PUT | FOR_PART, cmd_object_patch, "the same as patch", NULL, NULL, true },
	{ "clusterlifecycle save", "NAME", 1, 1, PUT | FOR_PART, cmd_object_save,
	  "create the manifest of a lifecycle, or change it when it is there", NULL,
	  "reconcile clusterlifecycle save main --image registry.example.com/clusterlifecycle:1.3.0", false },
	{ "clusterlifecycle delete", "NAME", 1, 1, FOR_EDIT, cmd_object_delete, "delete the manifest of a lifecycle", NULL,
	  "reconcile clusterlifecycle delete main", false },
	{ "buildpack list", "", 0, 0, LOOK, cmd_part_list, "list buildpacks", NULL, NULL, false },
	{ "buildpack status", "NAME", 1, 1, LOOK, cmd_part_status, "show a buildpack", NULL, NULL, false },
	{ "buildpack create", "NAME", 1, 1, PUT | FOR_PART | FOR_ACCOUNT, cmd_object_create,
	  "write the manifest of a new buildpack",
	  "With a default repository (reconcile config default-repository) the image is copied there and named by digest; without "
	  "one it is named as given.",
	  "reconcile buildpack create main -n shop --image registry.example.com/buildpack:1.2.0", false },
	{ "buildpack patch", "NAME", 1, 1, PUT | FOR_PART | FOR_ACCOUNT, cmd_object_patch,
	  "change the image of a buildpack in place", NULL,
	  "reconcile buildpack patch main -n shop --image registry.example.com/buildpack:1.3.0", false },
	{ "buildpack save", "NAME", 1, 1, PUT | FOR_PART | FOR_ACCOUNT, cmd_object_save,
	  "create the manifest of a buildpack, or change it when it is there", NULL,
	  "reconcile buildpack save main -n shop --image registry.example.com/buildpack:1.3.0", false },
	{ "buildpack delete", "NAME", 1, 1, FOR_EDIT, cmd_object_delete, "delete the manifest of a buildpack", NULL,
	  "reconcile buildpack delete main -n shop", false },
	{ "clusterbuildpack list", "", 0, 0, LOOK, cmd_part_list, "list cluster buildpacks", NULL, NULL, false },
	{ "clusterbuildpack status", "NAME", 1, 1, LOOK, cmd_part_status, "show a cluster buildpack", NULL, NULL, false },
	{ "clusterbuildpack create", "NAME", 1, 1, PUT | FOR_PART, cmd_object_create,
	  "write the manifest of a new cluster buildpack",
	  "With a default repository (reconcile config default-repository) the image is copied there and named by digest; without "
	  "one it is named as given.",
	  "reconcile clusterbuildpack create main --image registry.example.com/clusterbuildpack:1.2.0", false },
	{ "clusterbuildpack patch", "NAME", 1, 1, PUT | FOR_PART, cmd_object_patch,
	  "change the image of a cluster buildpack in place", NULL,
	  "reconcile clusterbuildpack patch main --image registry.example.com/clusterbuildpack:1.3.0", false },
	{ "clusterbuildpack save", "NAME", 1, 1, PUT | FOR_PART, cmd_object_save,
	  "create the manifest of a cluster buildpack, or change it when it is there", NULL,
	  "reconcile clusterbuildpack save main --image registry.example.com/clusterbuildpack:1.3.0", false },
	{ "clusterbuildpack delete", "NAME", 1, 1, FOR_EDIT, cmd_object_delete, "delete the manifest of a cluster buildpack", NULL,
	  "reconcile clusterbuildpack delete main", false },
	{ "secret create", "NAME", 1, 1, FOR_EDIT | FOR_SECRET | FOR_ACCOUNT, cmd_secret_create,
	  "write the manifest of a login, without its password",
	  "Writes a Secret whose password or key comes from a variable or a file when reconcile runs, and adds it to the service account "
	  "(default: default). No value is read or written here; which variable or file has to be there is said.",
	  "reconcile secret create hub --dockerhub jane\n"
	  "reconcile secret create registry -n shop --registry registry.example.com --registry-user ci\n"
	  "reconcile secret create gcr --gcr /run/secrets/gcr.json\n"
	  "reconcile secret create git --git-url https://git.example.com --git-user ci\n"
	  "reconcile secret create key --git-url git@git.example.com --git-ssh-key /run/secrets/id_ed25519", false },
	{ "secret delete", "NAME", 1, 1, FOR_EDIT | FOR_ACCOUNT, cmd_secret_delete,
	  "delete the manifest of a login and take it from the service account", NULL,
	  "reconcile secret delete hub", false },
	{ "secret list", "", 0, 0, FOR_EDIT | FOR_ACCOUNT, cmd_secret_list,
	  "list the logins of the service account and what they are for", NULL, "reconcile secret list -n shop", false },
	{ "config default-repository", "[REPOSITORY]", 0, 1, FOR_EDIT, cmd_config_repository,
	  "show or set the repository that images of builders and their parts are pushed to",
	  "Stands in the ConfigMap kp-config of namespace kpack, as with kp.",
	  "reconcile config default-repository registry.example.com/build", false },
	{ "config default-service-account", "[NAME]", 0, 1, FOR_EDIT | FOR_CONFIG, cmd_config_account,
	  "show or set the service account of new cluster builders and their parts", NULL,
	  "reconcile config default-service-account builder --service-account-namespace shop", false },
	{ "stream list", "", 0, 0, LOOK, cmd_stream_list, "list image streams", NULL,
	  "reconcile stream list -A\nreconcile stream list -n shop -o name", false, .outputs = "text|json|yaml|wide|name" },
	{ "stream describe", "NAME|NAME:TAG|NAME@ID", 1, 1, LOOK | FOR_MANIFESTS, cmd_stream_describe,
	  "show an image stream and its tags, or the image of one",
	  "A name shows the stream, a tag or an image id what is known of the image. From recorded state alone: nobody is asked. "
	  "Labels and annotations are those of the manifest, where it is at hand (--manifests, or the current folder). "
	  "With -v: when scheduled tags are due, and the layers of an image.",
	  "reconcile stream describe python -n shop\nreconcile stream describe python:latest\n"
	  "reconcile stream describe python@sha256:49c1", false },
	{ "stream lookup", "NAME", 1, 1, FOR_EDIT | FOR_LOOKUP, cmd_stream_lookup,
	  "let short names of workloads mean an image stream",
	  "Sets spec.lookupPolicy.local in the manifest of the stream: 'php:latest' in a workload of its namespace is then the stream's tag.",
	  "reconcile stream lookup php -n shop\nreconcile stream lookup php -n shop --enabled=false", false },
	{ "describe", "KIND/NAME", 1, 2, LOOK | FOR_MANIFESTS, cmd_describe,
	  "describe an image stream (is/NAME), its tag (istag/NAME:TAG) or image (isimage/NAME@ID), a build config (bc/NAME) or a build", NULL,
	  "reconcile describe is/python\nreconcile describe istag/python:latest -n shop\nreconcile describe bc/cart\n"
	  "reconcile describe build/cart-12", false },
	{ "get", "KIND [NAME]", 1, 2, LOOK | FOR_MANIFESTS, cmd_get, "list image streams (is), build configs (bc) or their builds, as oc does", NULL,
	  "reconcile get is -A\nreconcile get bc -n shop\nreconcile get builds -n shop", false, .outputs = "text|json|yaml|wide|name" },
	{ "tag", "[SOURCE] DEST...", 1, 64, FOR_EDIT | FOR_STATE | FOR_TAG | FOR_TAG_FLAGS, cmd_tag,
	  "point tags of image streams at an image, at another tag, or delete them",
	  "Edits the manifests; the next run acts on them. SOURCE is an image of a registry (docker.io/python:3.6), the tag of a stream "
	  "([NAMESPACE/]NAME:TAG: what it points at now is taken, or with --alias followed) or an image of a stream (NAME@ID). A stream "
	  "that is not there is created.",
	  "reconcile tag docker.io/python:3.6.0 python:3.6             # import an image\n"
	  "reconcile tag docker.io/python:3.6.0 python:3.6 --scheduled # again and again\n"
	  "reconcile tag python:3.6 python:latest                      # what 3.6 points at now\n"
	  "reconcile tag --alias python:3.6 python:latest              # whatever 3.6 will point at\n"
	  "reconcile tag python@sha256:49c1... python:latest           # roll back\n"
	  "reconcile tag -d python:3.5                                 # delete a tag", false },
	{ "import", "[NAME[:TAG]]", 0, 1, FOR_EDIT | FOR_STATE | FOR_IMPORT | FOR_STREAM_IMPORT | FOR_TAG_FLAGS, cmd_import_any,
	  "import tags of an image stream again; with -f: what a dependency descriptor says",
	  "NAME[:TAG] marks the tag (default: latest), or with --all every tag, in the manifest of the stream, and the next run imports it; "
	  "with --wait it is imported at once. --from with --confirm creates stream or tag.\n"
	  "-f reads a DependencyDescriptor (kp.kpack.io v1alpha1, v1alpha3 or v1), copies all its images to the default repository and edits "
	  "the manifests of stores, stacks and builders. What is there already as it should be is not touched.",
	  "reconcile import python:3.6 --wait\n"
	  "reconcile import python --from docker.io/python --confirm --all\n"
	  "reconcile import -f descriptor.yaml --show-changes\n"
	  "reconcile import -f - --dry-run <descriptor.yaml", false },
	{ "import-image", "NAME[:TAG]", 1, 1, FOR_EDIT | FOR_STATE | FOR_STREAM_IMPORT | FOR_TAG_FLAGS, cmd_stream_import,
	  "the same as import NAME[:TAG]", NULL, NULL, true },
	{ "prune builds", "[DIR]", 0, 1, FOR_LOAD | FOR_STATE | FOR_PRUNE | FOR_PRUNE_BUILDS | FOR_TABLE, cmd_prune_builds,
	  "remove records and logs of old builds",
	  "Shows what would go; with --confirm it goes. Builds that run are never pruned. Images that were built stay.",
	  "reconcile prune builds manifests/ --keep-complete 3 --confirm", false, .outputs = "text|json|yaml" },
	{ "prune images", "[DIR]", 0, 1, FOR_LOAD | FOR_STATE | FOR_PRUNE | FOR_PRUNE_IMAGES | FOR_TABLE, cmd_prune_images,
	  "remove old items of image streams' histories and records of images that nothing uses",
	  "Shows what would go; with --confirm it goes. What the manifests in DIR and recorded builds use stays. Registries are not touched.",
	  "reconcile prune images manifests/ --keep-tag-revisions 5 --confirm", false },
	{ "state push", "FILE", 1, 1, FOR_STATE, cmd_state_push,
	  "record what a run could not record",
	  "A run whose results the state branch does not take writes them to a file and exits with 5. This puts them on the branch as it "
	  "is now, object by object: what another run has recorded since stays, and is said (exit 4). Twice is as good as once.",
	  "reconcile state push reconcile-01JD7ZK3V8.state", false },
	{ "help", "[COMMAND...]", 0, 3, 0, cmd_help, "show help of a command", NULL, "reconcile help image list", false },
	{ "completion", "bash|zsh|fish", 1, 1, 0, cmd_completion, "print a completion script for a shell", NULL,
	  "reconcile completion bash >/etc/bash_completion.d/reconcile", false },
	{ "man", "", 0, 0, 0, cmd_man, "print the man page", NULL, "reconcile man | man -l -", false },
	{ "version", "", 0, 0, 0, cmd_version, "show the version", NULL, NULL, false },
	{ "worker", "", 0, 0, 0, cmd_worker, "build what one request on standard input says (design: worker protocol)", NULL, NULL, true },
};
/* clang-format on */
const size_t n_commands = COUNTOF(commands);
