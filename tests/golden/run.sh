#!/bin/sh
# Golden jaxprs: each *.jaxpr here says on its first line which command runs on it; what that prints, errors
# included, must be what stands after "# OUTPUT".  SECANT_UPDATE_GOLDEN=1 writes the outputs instead.
# Then commands whose output is written here.
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

# expect NAME TEXT COMMAND...: what the command prints, with $work written as WORK.
expect() {
  name=$1
  printf '%s\n' "$2" >expected
  shift 2
  "$@" 2>&1 | sed "s|$work|WORK|; s/^....-..-.. ..:..  ............  /TIME  KEY  /" >given
  if cmp -s expected given; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "golden $name: $*"
    diff -u expected given | sed 's/^/  /'
  fi
}

# The cache on disk: two programs, one of them twice.
SECANT_CACHE_DIR=$work/cache
SECANT_CACHE_LIMIT=3M
export SECANT_CACHE_DIR SECANT_CACHE_LIMIT
echo '{ lambda ; a:f32[4]. let b:f32[4] = mul a a in (b,) }' >first
echo '{ lambda ; a:f32[4]. let b:f32[4] = add a a; c:f32[] = reduce_sum[axes=(0,)] b in (c,) }' >second
for program in first second first; do
  "$secant" run --input 2 "$program" >/dev/null
  sleep 0.1 # files' times come in ticks
done
expect "cache ls" "TIME  KEY  group [4]: mul*
TIME  KEY  group [4]: add reduce_sum*" "$secant" cache ls
"$secant" cache stats >stats
sed -i "/^size: /d" stats
expect "cache stats" "directory: WORK/cache
kernels: 2 in 2 files
limit: 3.0 MB
writable: yes" cat stats
expect "cache clear" "2 kernels deleted" "$secant" cache clear
expect "cache ls, empty" "" sh -c '"$0" cache ls; echo' "$secant"
SECANT_CACHE_DIR=
expect "cache off" "directory: none, the cache is off (SECANT_CACHE_DIR says so)" "$secant" cache stats

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
