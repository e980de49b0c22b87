# The two programs that run inside container images: cnb-guest (detection and build) and the launcher. Both are linked
# statically, small, without sanitizers, and their bytes become part of the host's library (guest_bytes.h).
# musl gives programs of a tenth of the size; without it the host's compiler links glibc statically.
find_program(MUSL_GCC musl-gcc)
set(GUEST_CC ${MUSL_GCC})
if(NOT MUSL_GCC)
	set(GUEST_CC ${CMAKE_C_COMPILER})
endif()

set(guest_shared
	model/base/arena.c model/base/buf.c model/base/err.c model/base/map.c model/base/vec.c
	model/doc/keys.c model/doc/node.c model/doc/toml.c model/doc/toml_lex.c model/doc/toml_print.c model/doc/toml_scalar.c
	model/doc/utf8.c model/doc/number.c model/doc/json_print.c
	buildexec/cnb/api.c buildexec/cnb/descriptor.c buildexec/cnb/env.c buildexec/cnb/process.c
	buildexec/cnb/build_plan.c buildexec/cnb/legacy_bom.c
	buildexec/cnb/value.c buildexec/cnb/guest/env_dir.c buildexec/cnb/guest/io.c buildexec/cnb/guest/spawn.c)
set(guest_sources ${guest_shared}
	buildexec/cnb/build_plan_resolve.c buildexec/cnb/detect.c buildexec/cnb/layer_file.c
	buildexec/cnb/guest/build_output.c buildexec/cnb/guest/build_phase.c buildexec/cnb/guest/detect_phase.c
	buildexec/cnb/guest/generate_phase.c buildexec/cnb/guest/guest.c
	buildexec/cnb/guest/main.c buildexec/cnb/guest/say.c)
set(launcher_sources ${guest_shared}
	buildexec/cnb/guest/launch_choose.c buildexec/cnb/guest/launch_env.c buildexec/cnb/guest/launcher_main.c)
file(GLOB guest_headers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/model/base/*.h ${CMAKE_SOURCE_DIR}/model/doc/*.h
	${CMAKE_SOURCE_DIR}/buildexec/cnb/*.h ${CMAKE_SOURCE_DIR}/buildexec/cnb/guest/*.h)

set(guest_flags -std=c17 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -Os -Wall -Wextra -Wno-missing-field-initializers
	-fstack-protector-strong -ffunction-sections -fdata-sections -static -s -Wl,--gc-sections -Wl,--build-id=none
	-I${CMAKE_SOURCE_DIR} -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
if(WERROR)
	list(APPEND guest_flags -Werror)
endif()

foreach(program guest launcher)
	list(TRANSFORM ${program}_sources PREPEND ${CMAKE_SOURCE_DIR}/ OUTPUT_VARIABLE ${program}_paths)
	add_custom_command(OUTPUT ${CMAKE_BINARY_DIR}/cnb-${program}
		COMMAND ${GUEST_CC} ${guest_flags} -o ${CMAKE_BINARY_DIR}/cnb-${program} ${${program}_paths}
		DEPENDS ${${program}_paths} ${guest_headers}
		COMMENT "Linking static cnb-${program}" VERBATIM)
	# The same sources by the host's compiler with all its warnings and sanitizers: what the tests run.
	add_executable(cnb-${program}-checked ${${program}_sources})
	target_link_libraries(cnb-${program}-checked PRIVATE project_options project_sanitize)
	set_target_properties(cnb-${program}-checked PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
endforeach()

get_target_property(exec_cnb_type exec_cnb TYPE)
if(NOT exec_cnb_type STREQUAL INTERFACE_LIBRARY)
	target_sources(exec_cnb PRIVATE ${CMAKE_CURRENT_LIST_DIR}/guest_bytes.c)
	set_source_files_properties(${CMAKE_CURRENT_LIST_DIR}/guest_bytes.c PROPERTIES
		COMPILE_DEFINITIONS "GUEST_FILE=\"${CMAKE_BINARY_DIR}/cnb-guest\";LAUNCHER_FILE=\"${CMAKE_BINARY_DIR}/cnb-launcher\""
		OBJECT_DEPENDS "${CMAKE_BINARY_DIR}/cnb-guest;${CMAKE_BINARY_DIR}/cnb-launcher")
endif()
