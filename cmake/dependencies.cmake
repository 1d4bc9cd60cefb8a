# Foreign libraries, found once. Each is linked by its one room (see the rooms' CMakeLists.txt).
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(CapnProto REQUIRED)
find_package(spdlog REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(MPI REQUIRED COMPONENTS C)
pkg_check_modules(ZeroMQ REQUIRED IMPORTED_TARGET libzmq)
pkg_check_modules(PCRE2 REQUIRED IMPORTED_TARGET libpcre2-8)
pkg_check_modules(UTF8PROC REQUIRED IMPORTED_TARGET libutf8proc)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl)
# FLINT, the GMP that its inline functions call, and Arb come without a package file; Debian gives Arb's library a name of its own.
find_library(AUTODIDACT_FLINT flint REQUIRED)
find_library(AUTODIDACT_GMP gmp REQUIRED)
find_library(AUTODIDACT_ARB NAMES flint-arb arb REQUIRED)
find_path(AUTODIDACT_JSON_INCLUDE nlohmann/json.hpp REQUIRED)
find_path(AUTODIDACT_CLI11_INCLUDE CLI/CLI.hpp REQUIRED)

# libtorch: the wheel in the project's own environment, or a user's own through CMAKE_PREFIX_PATH. TorchConfig.cmake of
# the wheel insists on CUDA, so the CPU variant names the two libraries it needs itself.
if(AUTODIDACT_CUDA)
  set(autodidact_env ${CMAKE_SOURCE_DIR}/.venv-cuda)
else()
  set(autodidact_env ${CMAKE_SOURCE_DIR}/.venv)
endif()
file(GLOB autodidact_torch_dirs ${autodidact_env}/lib/python3*/site-packages/torch)
find_path(AUTODIDACT_TORCH_INCLUDE ATen/ATen.h HINTS ${CMAKE_PREFIX_PATH} PATHS ${autodidact_torch_dirs}
          PATH_SUFFIXES include NO_DEFAULT_PATH)
find_library(AUTODIDACT_TORCH_CPU torch_cpu HINTS ${CMAKE_PREFIX_PATH} PATHS ${autodidact_torch_dirs}
             PATH_SUFFIXES lib NO_DEFAULT_PATH)
find_library(AUTODIDACT_C10 c10 HINTS ${CMAKE_PREFIX_PATH} PATHS ${autodidact_torch_dirs} PATH_SUFFIXES lib
             NO_DEFAULT_PATH)
if(NOT AUTODIDACT_TORCH_INCLUDE OR NOT AUTODIDACT_TORCH_CPU OR NOT AUTODIDACT_C10)
  message(FATAL_ERROR "libtorch was found neither in ${autodidact_env} (launch/setup.sh makes it) nor through "
                      "CMAKE_PREFIX_PATH.")
endif()
# libtorch's folder holds headers of another fmt, without its library: spdlog's fmt must be found before them.
find_path(AUTODIDACT_FMT_INCLUDE fmt/core.h REQUIRED)
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/fmt_first)
file(CREATE_LINK ${AUTODIDACT_FMT_INCLUDE}/fmt ${CMAKE_BINARY_DIR}/fmt_first/fmt SYMBOLIC)
# The OpenMP runtime that libtorch brings, so that a program has one; the compiler's where it brings none.
find_package(OpenMP REQUIRED)
get_filename_component(autodidact_torch_lib ${AUTODIDACT_TORCH_CPU} DIRECTORY)
find_library(AUTODIDACT_GOMP NAMES libgomp.so.1 PATHS ${autodidact_torch_lib} NO_DEFAULT_PATH)
if(NOT AUTODIDACT_GOMP)
  set(AUTODIDACT_GOMP ${OpenMP_gomp_LIBRARY})
endif()
add_library(autodidact_torch INTERFACE)
target_include_directories(autodidact_torch SYSTEM INTERFACE ${CMAKE_BINARY_DIR}/fmt_first ${AUTODIDACT_TORCH_INCLUDE}
                           ${AUTODIDACT_TORCH_INCLUDE}/torch/csrc/api/include)
target_link_libraries(autodidact_torch INTERFACE ${AUTODIDACT_TORCH_CPU} ${AUTODIDACT_C10} Threads::Threads)
if(AUTODIDACT_SANITIZE MATCHES "undefined")
  # A check at every pointer of libtorch's inline code trebles the time to compile; AddressSanitizer sees most of these.
  target_compile_options(autodidact_torch INTERFACE -fno-sanitize=null,alignment,vptr)
endif()

if(AUTODIDACT_CUDA)
  enable_language(CUDA)
  find_package(CUDAToolkit REQUIRED)
  get_filename_component(autodidact_site ${autodidact_torch_lib}/../.. ABSOLUTE)
  find_path(AUTODIDACT_NCCL_INCLUDE nccl.h HINTS ${autodidact_site}/nvidia/nccl/include REQUIRED)
  find_library(AUTODIDACT_NCCL NAMES nccl libnccl.so.2 HINTS ${autodidact_site}/nvidia/nccl/lib REQUIRED)
  # --no-as-needed: nothing refers to torch_cuda by name; it registers the CUDA kernels when it is loaded.
  target_link_libraries(autodidact_torch INTERFACE -Wl,--no-as-needed ${autodidact_torch_lib}/libtorch_cuda.so
                        ${autodidact_torch_lib}/libc10_cuda.so -Wl,--as-needed CUDA::cudart)
endif()
