#!/bin/sh
# The first C example of README.md compiles with one cc line, without a warning, and runs.
# usage: readme_test.sh [BUILD]; the last line is "N passed, N failed".
set -u
cd "$(dirname "$0")/../.." || exit 1
build=$(realpath "${1:-build}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

sed -n '/^```c$/,/^```$/p' README.md | sed -n '2,/^```$/p' | sed '/^```$/d' >"$work/ex.c"
if [ -s "$work/ex.c" ] &&
  ${CC:-cc} -std=c11 -Wall -Wextra -Wpedantic -Werror "$work/ex.c" -Icore/include -Itransforms/include -Ibackends/include \
    -Ibindings/c/include -L"$build" -lsecant -lm -Wl,-rpath,"$build" -o "$work/ex" &&
  "$work/ex" >"$work/output"; then
  echo "1 passed, 0 failed"
else
  echo "The first C example of README.md does not compile and run:"
  sed 's/^/  /' "$work/ex.c"
  echo "0 passed, 1 failed"
  exit 1
fi
