# Language level, warnings, sanitizers, and the tools that keep the edit-to-test loop short.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

find_program(AUTODIDACT_CCACHE ccache)
if(AUTODIDACT_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # A precompiled header is cached only when ccache may ignore its time stamp. Clones and worktrees share their entries.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${AUTODIDACT_CCACHE})
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fpch-preprocess>)
endif()
find_program(AUTODIDACT_MOLD mold)
if(AUTODIDACT_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

# Warnings for our own targets only: linked in by autodidact_room and the tests.
add_library(autodidact_warnings INTERFACE)
target_compile_options(autodidact_warnings INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wno-unused-parameter
                                                     -Wno-missing-field-initializers -Wnon-virtual-dtor
                                                     -Woverloaded-virtual>)
if(CMAKE_UNITY_BUILD)  # a class of a file that another file includes may well use that file's own names
  target_compile_options(autodidact_warnings INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wno-subobject-linkage>)
endif()
if(AUTODIDACT_WERROR)
  target_compile_options(autodidact_warnings INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Werror>)
endif()

if(AUTODIDACT_SANITIZE)
  add_compile_options(-fsanitize=${AUTODIDACT_SANITIZE} -fno-omit-frame-pointer -g1)
  add_link_options(-fsanitize=${AUTODIDACT_SANITIZE})
endif()
