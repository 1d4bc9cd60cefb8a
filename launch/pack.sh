#!/usr/bin/env bash
# Makes one archive that runs without installation on any x86-64 Linux with glibc 2.28 or newer and libtorch 2.11, and
# prints its path as the last line of standard output; all else goes to standard error.
#
#   launch/pack.sh [release|cuda]
#
# In it: the program with a relative RUNPATH, the libraries that it needs but libtorch's and NVIDIA's, a C library with
# its loader for older hosts, Open MPI with launcher and plugins, the demo, and gpu_check.sh.
# Environment: AUTODIDACT_JOBS, AUTODIDACT_LIBTORCH, AUTODIDACT_PYTHON: see launch/build.sh and launch/setup.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

max_mib=40
variant=${1:-release}
case $variant in
  release) targets=(autodidact) ;;
  cuda) targets=(autodidact gpu_check gpu_tests) ;;
  *) echo "pack: unknown variant '$variant': release or cuda" >&2; exit 2 ;;
esac
say() { echo "pack: $*" >&2; }
die() { say "$*"; exit 1; }

launch/setup.sh --packages launch/pack/packages.txt
binary=$(launch/build.sh "$variant" "${targets[@]}" | tail -n 1)
version=$("$binary" --version)
name=autodidact-$version-$variant-linux-x86_64
out=build/pack
root=$out/$name
mkdir -p "$out"
rm -rf "$root" "$out/$name.tar.gz"
mkdir -p "$root"/{bin,lib/openmpi,lib/pmix,libexec,glibc,etc,share,launch,configs}

multiarch=$(gcc -print-multiarch)
system_libraries=/usr/lib/$multiarch
# Parts of the C library must all be of one build.
glibc_names='^(ld-linux-x86-64|lib(c|m|mvec|dl|pthread|rt|resolv|util|anl|nsl|nss_[a-z]+|thread_db|BrokenLocale))\.so'

# program NAME FILE: libexec/NAME with a wrapper in bin/.
program() {
  install -m 755 "$2" "$root/libexec/$1"
  strip --strip-unneeded "$root/libexec/$1"
  patchelf --set-rpath '$ORIGIN/../lib' "$root/libexec/$1"
  install -m 755 launch/pack/program.sh "$root/bin/$1"
}

# Copies the libraries that the files need, those of libtorch and NVIDIA excepted.
copy_libraries() {
  local library name
  ldd "$@" | awk '$2 == "=>" && $3 ~ /^\// {print $3}' | sort -u | while read -r library; do
    name=$(basename "$library")
    case $(readlink -f "$library") in
      "$system_libraries"/* | /lib/* | /usr/lib/*) ;;
      *) continue ;;
    esac
    case $name in libcuda.so* | libnvidia* | libcudart* | libgomp.so*) continue ;; esac
    if [[ $name =~ $glibc_names ]]; then
      install -m 755 "$library" "$root/glibc/$name"
    elif [ ! -e "$root/lib/$name" ]; then
      install -m 755 "$library" "$root/lib/$name"
      patchelf --set-rpath '$ORIGIN' "$root/lib/$name"
    fi
  done
}

copy_programs() {
  program autodidact "$binary"
  program mpirun "$(readlink -f "$(command -v orterun)")"
  program orted "$(readlink -f "$(command -v orted)")"
  if [ "$variant" = cuda ]; then
    program gpu_check build/cuda/tests/gpu/check/gpu_check
    program gpu_tests build/cuda/tests/gpu_tests
  fi
}

# The plugins but those for fabrics whose own libraries are large and bound to a driver (UCX, libfabric, PSM, verbs), for
# OpenSHMEM and for checkpoints.
copy_mpi() {
  local plugin needs
  for plugin in "$system_libraries"/openmpi/lib/openmpi3/*.so; do
    needs=$(ldd "$plugin")
    if [[ $needs =~ libuc[ptsm]\.|libfabric|libpsm|libinfinipath|libibverbs|liboshmem|not\ found ]]; then continue; fi
    install -m 755 "$plugin" "$root/lib/openmpi/"
    patchelf --set-rpath '$ORIGIN/..' "$root/lib/openmpi/$(basename "$plugin")"
  done
  for plugin in "$system_libraries"/pmix2/lib/pmix/*.so; do
    install -m 755 "$plugin" "$root/lib/pmix/"
    patchelf --set-rpath '$ORIGIN/..' "$root/lib/pmix/$(basename "$plugin")"
  done
  cp -r /usr/share/openmpi "$root/share/openmpi"
  cp -r "$system_libraries/pmix2/share/pmix" "$root/share/pmix"
  mkdir -p "$root/etc/openmpi"
  printf '%s\n' '# A plugin whose library is not there is no fault.' 'mca_base_component_show_load_errors = 0' \
    'btl = ^openib' > "$root/etc/openmpi/openmpi-mca-params.conf"
  touch "$root/etc/openmpi/openmpi-default-hostfile"
}

# OpenMP's runtime must be the one of libtorch; this one is for a libtorch that brings none of that name.
copy_fallback() {
  mkdir -p "$root/lib/fallback"
  install -m 755 "$(gcc -print-file-name=libgomp.so.1)" "$root/lib/fallback/libgomp.so.1"
}

# What dlopen finds by name: the C library's own parts too.
copy_glibc() {
  local part
  install -m 755 "$system_libraries/ld-linux-x86-64.so.2" "$root/glibc/"
  for part in libc.so.6 libm.so.6 libmvec.so.1 libdl.so.2 libpthread.so.0 librt.so.1 libresolv.so.2 libutil.so.1 libanl.so.1 \
    libnss_files.so.2 libnss_dns.so.2; do
    install -m 755 "$system_libraries/$part" "$root/glibc/"
  done
}

copy_texts() {
  local glibc_minor text
  glibc_minor=$(getconf GNU_LIBC_VERSION | sed 's/.*2\.//')
  for text in README environment.sh demo.sh gpu_check.sh; do
    sed -e "s/@VERSION@/$version/g; s/@VARIANT@/$variant/g; s/@GLIBC_MINOR@/$glibc_minor/g" "launch/pack/$text" > "$root/$text"
  done
  mv "$root/environment.sh" "$root/libexec/"
  chmod 755 "$root/demo.sh" "$root/gpu_check.sh"
  install -m 755 launch/demo.sh "$root/launch/"
  cp -r configs/demo configs/paper configs/rubric "$root/configs/"
  rm "$root"/configs/demo/*.sh  # they build the program
  [ ! -d launch/pack/share ] || cp -r launch/pack/share/. "$root/share/"
  if [ "$variant" = cuda ]; then install -m 644 tests/gpu/check/transformers_generate.py "$root/share/"; fi
}

say "collecting into $root"
copy_programs
copy_mpi
copy_glibc
copy_fallback
copy_libraries "$root"/libexec/{autodidact,mpirun,orted} "$root"/lib/openmpi/*.so "$root"/lib/pmix/*.so
strip --strip-unneeded "$root"/lib/*.so* "$root"/lib/openmpi/*.so "$root"/lib/pmix/*.so
copy_texts

say "compressing"
tar -C "$out" --owner=0 --group=0 --numeric-owner --sort=name -cf - "$name" | gzip -9 > "$out/$name.tar.gz"
size=$(stat -c %s "$out/$name.tar.gz")
[ "$size" -le $((max_mib << 20)) ] || die "$out/$name.tar.gz has $((size >> 20)) MiB, more than $max_mib"
say "$((size >> 20)) MiB"
echo "$PWD/$out/$name.tar.gz"
