# Counting tests (POSIX sh, sourced by the scripts beside it).

# ctest_counts: from the output of ctest -V on standard input, "PASSED FAILED".  A cmocka program counts as many tests
# as it says it ran, a script as many as its line `N passed, N failed` says; any other program, and one that died, as one.
ctest_counts() {
  awk '
    /^[0-9]+: \[  PASSED  \] [0-9]+ test/     { id = $1 + 0; good[id] += $5 }
    /^[0-9]+: [0-9]+ passed, [0-9]+ failed$/  { id = $1 + 0; good[id] += $2; bad[id] += $4 }
    /^[0-9]+: +[0-9]+ FAILED TEST\(S\)/       { id = $1 + 0; bad[id] += $2 }
    /^ *[0-9]+\/[0-9]+ Test +#[0-9]+:/ {
      id = $0
      sub(/^[^#]*#/, "", id)
      id += 0
      seen[id] = 1
      ended_well[id] = /   Passed /
    }
    END {
      for (id in seen) {
        if (!ended_well[id] && !bad[id]) bad[id] = 1
        if (ended_well[id] && !good[id]) good[id] = 1
        passed += good[id]
        failed += bad[id]
      }
      print passed + 0, failed + 0
    }'
}
