#!/bin/sh
# Every public header compiles alone as C11 and as C++17, without a warning.
# The last line is "N passed, N failed".
set -u
cd "$(dirname "$0")/../.." || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0
failed=0
includes="-Icore/include -Itransforms/include -Ibackends/include -Ibindings/c/include"

# check NAME COMMAND...: counts it; what it prints is shown when it fails.
check() {
  name=$1
  shift
  if "$@" >"$work/log" 2>&1; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "$name:"
    sed 's/^/  /' "$work/log"
  fi
}

for header in secant.h $(cd core/include && ls secant/*.h) $(cd transforms/include && ls secant/*.h) \
  $(cd backends/include && ls secant/*.h) $(cd bindings/c/include && ls secant/*.h); do
  printf '#include <%s>\nint used;\n' "$header" >"$work/header.c"
  cp "$work/header.c" "$work/header.cc"
  # The include options are meant to be split.
  # shellcheck disable=SC2086
  check "$header as C11" ${CC:-cc} -std=c11 -Wall -Wextra -Wpedantic -Werror $includes -fsyntax-only "$work/header.c"
  # shellcheck disable=SC2086
  check "$header as C++17" ${CXX:-c++} -std=c++17 -Wall -Wextra -Wpedantic -Werror $includes -fsyntax-only "$work/header.cc"
done

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
