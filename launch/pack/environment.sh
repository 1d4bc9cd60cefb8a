# Read by the programs in bin/ (POSIX sh), with $root being the archive's folder: finds libtorch and chooses the dynamic
# loader, then `run NAME ARGUMENT...` becomes the program libexec/NAME. The libraries' path is given to the loader alone,
# so that programs started from it (python3, bwrap) see none of it.

fail() {
  echo "autodidact: $*" >&2
  exit 2
}

# Prints the folder of libtorch's libraries.
find_torch() {
  folder=${AUTODIDACT_LIBTORCH:-}
  if [ -z "$folder" ]; then
    command -v python3 > /dev/null ||
      fail "libtorch was not found: there is no python3; set AUTODIDACT_LIBTORCH to a libtorch (2.11, with lib/ in it)"
    folder=$(python3 -c 'import importlib.util as u
spec = u.find_spec("torch")
print(spec.submodule_search_locations[0] if spec else "")' 2> /dev/null) || folder=
    [ -n "$folder" ] ||
      fail "libtorch was not found: $(command -v python3) has no package torch (pip install torch==2.11.0); or set AUTODIDACT_LIBTORCH"
  fi
  [ -e "$folder/lib/libtorch_cpu.so" ] || fail "AUTODIDACT_LIBTORCH or torch's folder is $folder, which has no lib/libtorch_cpu.so"
  version=
  if [ -f "$folder/version.py" ]; then
    version=$(sed -n "s/^__version__ = ['\"]\([^'\"]*\)['\"].*/\1/p" "$folder/version.py")
  elif [ -f "$folder/build-version" ]; then
    version=$(cat "$folder/build-version")
  fi
  case $version in
    2.11.*) ;;
    *) fail "libtorch in $folder is of version ${version:-unknown}, expected 2.11" ;;
  esac
  if [ "@VARIANT@" = cuda ] && [ ! -e "$folder/lib/libtorch_cuda.so" ]; then
    fail "libtorch in $folder is without CUDA, and this is the CUDA build"
  fi
  (cd "$folder" && pwd)
}

# The libraries of NVIDIA's wheels lie beside torch's package.
nvidia_libraries() {
  for folder in "$1"/../nvidia/*/lib; do
    [ ! -d "$folder" ] || printf ':%s' "$folder"
  done
}

# The host's loader where its C library is as new as the one that the program was built with, else ours with its own.
choose_loader() {
  path=$root/lib:$torch/lib$(nvidia_libraries "$torch")
  loader=/lib64/ld-linux-x86-64.so.2
  # Loaders before 2.33 do not know --version.
  version=$("$loader" --version 2> /dev/null | sed -n '1s/.*version 2\.\([0-9]*\).*/\1/p') || version=
  if [ -z "$version" ] || [ "$version" -lt @GLIBC_MINOR@ ]; then
    loader=$root/glibc/ld-linux-x86-64.so.2
    path=$root/glibc:$path
    system=:/usr/lib64:/usr/lib/x86_64-linux-gnu
  fi
  # Where a container or a site has put the driver's libraries.
  path=$path:$root/lib/fallback${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}${system:-}
}

# Open MPI and PMIx look for their parts where they were built, unless told.
place_mpi() {
  export OPAL_PREFIX="$root" OPAL_BINDIR="$root/bin" OPAL_LIBDIR="$root/lib" OPAL_PKGLIBDIR="$root/lib/openmpi"
  export OPAL_SYSCONFDIR="$root/etc/openmpi" OPAL_DATADIR="$root/share" OPAL_PKGDATADIR="$root/share/openmpi"
  export PMIX_INSTALL_PREFIX="$root" PMIX_LIBDIR="$root/lib" PMIX_PKGLIBDIR="$root/lib/pmix"
  export PMIX_SYSCONFDIR="$root/etc" PMIX_DATADIR="$root/share" PMIX_PKGDATADIR="$root/share/pmix"
  export OMPI_MCA_orte_launch_agent="$root/bin/orted"
  # Without a way to other hosts Open MPI does not start on this one either, unless told that it is alone.
  if [ -z "${SLURM_JOB_ID:-}" ] && ! command -v ssh > /dev/null && ! command -v rsh > /dev/null; then
    export OMPI_MCA_plm=isolated
  fi
}

run() {
  name=$1
  shift
  torch=$(find_torch) || exit $?
  export AUTODIDACT_LIBTORCH="$torch"
  choose_loader
  place_mpi
  exec "$loader" --argv0 "$root/bin/$name" --library-path "$path" "$root/libexec/$name" "$@"
}
