#!/bin/sh
# cmake --install into a folder that is moved afterwards; then a small program is built against it by CMake, by pkg-config
# and by a plain cc line.  usage: install_test.sh [BUILD]; a line "[  PASSED  ] N test(s)." counts for tests/run.
set -u
source=$(cd "$(dirname "$0")/../.." && pwd)
build=$(realpath "${1:-$source/build}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prefix="$work/moved"
passed=0
failed=0
expected="0.1.0 3 12"
sanitize=$(sed -n 's/^SECANT_SANITIZE:STRING=\(..*\)/-fsanitize=\1/p' "$build/CMakeCache.txt")

# check NAME COMMAND...: counts it; what it prints is shown when it fails.
check() {
  name=$1
  shift
  if "$@" >"$work/log" 2>&1; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "$name: error:"
    sed 's/^/  /' "$work/log"
  fi
}

# runs PROGRAM: it says what it should.
runs() {
  said=$("$1" 2>&1)
  [ "$said" = "$expected" ] || { echo "said: $said"; return 1; }
}

install() {
  cmake --install "$build" --prefix "$work/first" && mv "$work/first" "$prefix"
}

by_cmake() {
  cmake -G Ninja -S "$source/tests/api/consumer" -B "$work/cmake" "-DCMAKE_PREFIX_PATH=$prefix" "-DCMAKE_C_FLAGS=$sanitize" &&
    cmake --build "$work/cmake" && runs "$work/cmake/consumer"
}

by_pkg_config() {
  PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name secant.pc)")
  export PKG_CONFIG_PATH
  # The flags are meant to be split.
  # shellcheck disable=SC2046,SC2086
  ${CC:-cc} $sanitize "$source/tests/api/consumer/main.c" $(pkg-config --cflags --libs secant) \
    "-Wl,-rpath,$(pkg-config --variable=libdir secant)" -o "$work/by_pkg_config" && runs "$work/by_pkg_config"
}

by_cc() {
  libraries=$(dirname "$(find "$prefix" -name libsecant.so)")
  # shellcheck disable=SC2086
  ${CC:-cc} -std=c11 -Wall -Wextra -Werror $sanitize "$source/tests/api/consumer/main.c" "-I$prefix/include" "-L$libraries" -lsecant \
    "-Wl,-rpath,$libraries" -o "$work/by_cc" && runs "$work/by_cc"
}

other_minor_version_is_refused() {
  ! cmake -G Ninja -S "$source/tests/api/consumer" -B "$work/refused" "-DCMAKE_PREFIX_PATH=$prefix" -DWANTED=0.2
}

by_add_subdirectory() {
  cmake -G Ninja -S "$source/tests/api/consumer" -B "$work/sub" "-DSECANT_SOURCE=$source"
}

# Nothing of LLVM, of the build or of compile flags reaches a consumer.
clean_interface() {
  found=$(find "$prefix" \( -name 'SecantTargets*.cmake' -o -name secant.pc \) \
    -exec grep -E "[Ll][Ll][Vv][Mm]|[Mm][Ll][Ii][Rr]|$build/|$source/core|COMPILE_OPTIONS|COMPILE_DEFINITIONS" {} +)
  [ -z "$found" ] || { echo "$found"; return 1; }
}

only_sec_symbols() {
  nm -D --defined-only "$(find "$prefix" -name libsecant.so)" | awk '$3 !~ /^sec_/ { print; bad = 1 } END { exit bad }'
}

check "install" install
check "CMake package" by_cmake
check "pkg-config" by_pkg_config
check "plain cc" by_cc
check "another minor version" other_minor_version_is_refused
check "add_subdirectory" by_add_subdirectory
check "exported interface" clean_interface
check "exported symbols" only_sec_symbols
check "the tool" "$prefix/bin/secant" version

echo "[  PASSED  ] $passed test(s)."
[ "$failed" = 0 ] || echo " $failed FAILED TEST(S)"
[ "$failed" = 0 ]
