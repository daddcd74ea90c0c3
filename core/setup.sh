# Set-up shared by tests/run and benchmarks/run (POSIX sh, sourced from the root of the tree).
#
#   setup_packages   the system packages are there, or get installed, or the line to type is printed (exit 3)
#   setup_build      the tree is configured and built in build/
#   setup_python     build/venv has NumPy, pytest and the peers; sets PYTHON, SECANT_PEERS and PYTHONPATH
#
# Each looks first whether there is anything to do, so that a second run is quick and needs no network.

PACKAGES="llvm-22-dev libmlir-22-dev mlir-22-tools cmake ninja-build pkg-config gcc g++ libc6-dev libffi-dev zlib1g-dev libzstd-dev
libcmocka-dev libopenblas0-pthread liblapack3 python3 python3-venv python3-pip"

# Only where PyPI cannot be reached.
PACKAGES_WITHOUT_PYPI="python3-numpy python3-pytest"

LOG=build/setup.log

# step TITLE COMMAND...: runs the command with its output in the log; prints one line with the time it took.
step() {
  step_title=$1
  shift
  step_start=$(date +%s)
  printf '  %-44s' "$step_title"
  printf '\n== %s: %s\n' "$step_title" "$*" >>"$LOG"
  step_code=0
  "$@" >>"$LOG" 2>&1 </dev/null || step_code=$?
  printf '%5d s%s\n' "$(($(date +%s) - step_start))" "$([ "$step_code" = 0 ] || echo '  FAILED')"
  return "$step_code"
}

# fail_with_log: ends the script with the log's last lines and its place.
fail_with_log() {
  tail -n 30 "$LOG" >&2
  echo "The whole log: $(pwd)/$LOG" >&2
  exit 1
}

# missing_packages NAME...: those of them that are not installed.
missing_packages() {
  for package in "$@"; do
    dpkg-query -W -f='${db:Status-Abbrev}\n' "$package" 2>/dev/null | grep -q '^ii' || printf '%s ' "$package"
  done
}

# install_packages NAME...: by apt-get, as root or by sudo; else prints the line to type and ends with status 3.
install_packages() {
  apt="env DEBIAN_FRONTEND=noninteractive apt-get"
  if [ "$(id -u)" != 0 ]; then
    if sudo -n true 2>/dev/null; then
      apt="sudo -n $apt"
    else
      echo "Packages are missing, and this user may not install them. Type this, then run again:" >&2
      echo "  sudo apt-get update && sudo apt-get install -y --no-install-recommends $*" >&2
      exit 3
    fi
  fi
  step "package lists" $apt update || true
  step "install $# packages" $apt install -y --no-install-recommends "$@"
}

# explain_needs: for systems without dpkg.
explain_needs() {
  cat >&2 <<'END'
This is not a Debian system, and LLVM 22 with MLIR was not found. Secant needs:
  LLVM and MLIR 22     headers and libraries; set LLVM_ROOT to their prefix, or have llvm-config-22 on PATH
  CMake >= 3.25, ninja, a C11 and a C++17 compiler
  libffi, zlib, zstd, cmocka    with headers
  OpenBLAS or another BLAS, and LAPACK    loaded at run time
  Python >= 3.11 with venv
END
  exit 3
}

setup_packages() {
  mkdir -p build
  : >"$LOG"
  if ! command -v dpkg-query >/dev/null 2>&1; then
    LLVM_ROOT=${LLVM_ROOT:-$(llvm-config-22 --prefix 2>/dev/null || true)}
    [ -n "$LLVM_ROOT" ] && [ -e "$LLVM_ROOT/include/mlir-c/IR.h" ] || explain_needs
    return 0
  fi
  missing=$(missing_packages $PACKAGES)
  [ -z "$missing" ] || install_packages $missing || fail_with_log
}

setup_build() {
  if [ ! -e build/build.ninja ]; then
    step "configure" cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release \
      ${LLVM_ROOT:+"-DSECANT_LLVM_ROOT=$LLVM_ROOT"} || fail_with_log
  fi
  step "build" cmake --build build || fail_with_log
}

# find_python: the first Python that is new enough and can make an environment.
find_python() {
  for python in python3 /usr/bin/python3; do
    if "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "$python"
      return
    fi
  done
  echo "Secant needs Python >= 3.11 with the modules venv and ensurepip." >&2
  exit 3
}

# make_environment PYTHON: build/venv with everything that the requirements name.
make_environment() {
  "$1" -m venv --clear build/venv &&
    build/venv/bin/python -m pip install --quiet --disable-pip-version-check --retries 1 \
      -r tests/requirements.txt -r benchmarks/requirements.txt
}

# make_environment_offline: build/venv over Debian's NumPy and pytest.
make_environment_offline() {
  /usr/bin/python3 -m venv --clear --system-site-packages build/venv &&
    build/venv/bin/python -c 'import numpy, pytest'
}

setup_python() {
  python=$(find_python) || exit $?
  wanted=$(cat tests/requirements.txt benchmarks/requirements.txt | cksum)
  stamp=build/venv/requirements.stamp
  if [ "$(sed -n 1p "$stamp" 2>/dev/null)" != "$wanted" ] || ! build/venv/bin/python -c '' 2>/dev/null; then
    peers=1
    if ! step "Python packages" make_environment "$python"; then
      peers=0
      echo "  no packages from PyPI (why: $LOG), so no JAX to compare with; remove build/venv to try again"
      missing=$(missing_packages $PACKAGES_WITHOUT_PYPI)
      [ -z "$missing" ] || install_packages $missing || fail_with_log
      step "Python environment without peers" make_environment_offline || fail_with_log
    fi
    printf '%s\n%s\n' "$wanted" "$peers" >"$stamp"
  fi
  PYTHON=$(pwd)/build/venv/bin/python
  SECANT_PEERS=${SECANT_PEERS:-$(sed -n 2p "$stamp")}
  PYTHONPATH=$(pwd)/bindings/python${PYTHONPATH:+:$PYTHONPATH}
  export SECANT_PEERS PYTHONPATH
}
