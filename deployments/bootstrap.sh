#!/usr/bin/env bash
# Makes .venv from requirements.lock, every hash checked, on a machine that has only Python 3.12 or newer.
#
#   deployments/bootstrap.sh              install; says nothing and does nothing when all is as the lock wants it
#   deployments/bootstrap.sh install dev  ... with what tests and checks need besides (requirements-dev.lock)
#   deployments/bootstrap.sh lock         resolve pyproject.toml again (add --upgrade for newer versions)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

unset PYTHONDONTWRITEBYTECODE        # Prefect imports four times slower without bytecode
export UV_PYTHON_DOWNLOADS=never     # only a Python that is already here
export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-1}"  # trust what the machine trusts, like pip and git
readonly stamp=.venv/installed
readonly python=.venv/bin/python

say() { # Korean unless the owner asked for English.
  if [[ ${MAEMAE_LANGUAGE:-ko} == en ]]; then echo "maemae: $2" >&2; else echo "maemae: $1" >&2; fi
}

refuse() {
  say "$@"
  exit 2
}

find_python() { # The first that runs and is new enough: the pinned one, then what PATH offers, then pyenv's others.
  local candidate path
  for candidate in "python$(<.python-version)" python3 python python3.12 python3.14 /usr/bin/python3 \
    "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.1[2-9].*/bin/python; do
    path=$("$candidate" -c 'import sys; print(sys.executable if sys.version_info >= (3, 12) else "")' 2>/dev/null) || continue
    if [[ -n $path ]]; then
      echo "$path"
      return
    fi
  done
  refuse "파이썬 3.12 이상을 찾지 못했습니다. 설치한 뒤 다시 실행하세요 (예: apt-get install python3.12 python3.12-venv)." \
    "found no Python 3.12 or newer; install one and run this again (for example apt-get install python3.12 python3.12-venv)."
}

find_uv() { # uv of the machine, else the one pinned in deployments/uv.lock, in the local folder .uv.
  if command -v uv; then return; fi
  if [[ ! -x .uv/bin/uv ]]; then
    local get=("$1" -m pip install --target .uv --upgrade)
    if ! "$1" -m pip --version &>/dev/null; then
      "$1" -m venv --clear .uv &>/dev/null ||
        refuse "$1에 pip도 venv도 없습니다. 시스템의 python3-venv 패키지나 uv를 설치한 뒤 다시 실행하세요." \
          "$1 has neither pip nor venv; install the system package python3-venv, or uv, and run this again."
      get=(.uv/bin/python -m pip install)
    fi
    "${get[@]}" -qq --no-cache-dir --no-deps --require-hashes -r deployments/uv.lock >&2 || unreachable
  fi
  echo "$PWD/.uv/bin/uv"
}

unreachable() {
  refuse "패키지를 받지 못했습니다. 위의 오류를 보고 네트워크와 패키지 색인 설정을 확인한 뒤 다시 실행하세요." \
    "the packages could not be had; see the error above, check the network and the package index, and run this again."
}

wanted() { # What the stamp says when nothing is to be done: this place, this lock, these entry points and loops.
  echo "$PWD"
  cat "$1" pyproject.toml backtest/{compiling,crosses,kernels}.py 2>/dev/null | cksum
}

is_installed() { # By this lock, or by the one that holds more.
  [[ -x $python && -f $stamp ]] || return 1
  local lock
  for lock in "$1" requirements-dev.lock; do
    if [[ $(<"$stamp") == "$(wanted "$lock")" ]]; then return; fi
  done
  return 1
}

install() {
  local lock=requirements${1:+-$1}.lock found uv
  if is_installed "$lock"; then return; fi
  found=$(find_python)
  say "필요한 패키지를 .venv에 설치합니다 (처음에는 1~2분)." "installing what is needed into .venv (a minute or two the first time)."
  uv=$(find_uv "$found")
  if ! grep -qsxF "$PWD" "$stamp" || ! "$python" -c '' 2>/dev/null; then
    "$uv" venv --quiet --clear --python "$found" .venv
  fi
  "$uv" pip sync --quiet --python "$python" --require-hashes "$lock" || unreachable
  # The project itself, editable: its build backend is in the lock, so this asks no index.
  "$uv" pip install --quiet --python "$python" --offline --no-deps --no-build-isolation --editable .
  compile
  wanted "$lock" >"$stamp"
  say "설치 완료: ${SECONDS}초, .venv $(du -sm .venv | cut -f1) MB." \
    "installed in ${SECONDS} s, .venv is $(du -sm .venv | cut -f1) MB."
}

compile() { # Bytecode of all that is imported (the packages' own tests and the compiled mypy are not), and the backtests' loops.
  "$python" -m compileall -q -j 0 -x 'site-packages/(.*/tests|mypy|mypyc)/' .venv/lib >/dev/null || true
  "$python" -c 'from backtest.engine import compile_kernels; compile_kernels()' || true  # else the first backtest does
}

lock() { # One resolution for 3.12 and newer on all platforms: hashes, no address.
  local uv
  uv=$(find_uv "$(find_python)")
  export UV_CUSTOM_COMPILE_COMMAND="make lock"
  local options=(--quiet --universal --python-version 3.12 --generate-hashes --no-emit-index-url)
  "$uv" pip compile "${options[@]}" "$@" --group build --output-file requirements.lock pyproject.toml
  "$uv" pip compile "${options[@]}" "$@" --group dev --constraint requirements.lock --output-file requirements-dev.lock pyproject.toml
  echo uv | "$uv" pip compile "${options[@]}" "$@" --no-annotate --output-file deployments/uv.lock -
}

"${@:-install}"
