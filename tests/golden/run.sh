#!/bin/sh
# Golden jaxprs: each *.jaxpr here says on its first line which command runs on it; what that prints, errors
# included, must be what stands after "# OUTPUT".  SECANT_UPDATE_GOLDEN=1 writes the outputs instead.
# usage: run.sh [PATH/TO/secant]; the last line is "N passed, N failed".
set -u
here=$(cd "$(dirname "$0")" && pwd)
secant=$(realpath "${1:-$here/../../build/secant}")
passed=0
failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

for file in "$here"/*.jaxpr; do
  name=$(basename "$file" .jaxpr)
  sed '/^# OUTPUT$/,$d' "$file" >"$name.jaxpr"
  sed '1,/^# OUTPUT$/d' "$file" >expected
  command=$(sed -n "1s|^# RUN: secant \(.*\)%s\$|\1$name.jaxpr|p" "$file")
  # The words of the command are meant to be split.
  # shellcheck disable=SC2086
  "$secant" $command >given 2>&1
  if [ -n "${SECANT_UPDATE_GOLDEN:-}" ]; then
    { cat "$name.jaxpr" && echo "# OUTPUT" && cat given; } >"$file"
  fi
  if [ -n "${SECANT_UPDATE_GOLDEN:-}" ] || cmp -s expected given; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "golden $name: secant $command"
    diff -u expected given | sed 's/^/  /'
  fi
done

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
