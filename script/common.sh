# Sourced by the other scripts: makes .venv, and again when the requirements or Python change.

# ensure_venv FOLDER REQUIREMENTS...
ensure_venv() {
    local venv=$1 python stamp wanted
    shift
    python=$(find_python) || return 1
    wanted="$("$python" -c 'import sys; print(sys.version, sys.prefix)') $(cat "$@" | cksum)"
    stamp="$venv/.installed"
    if [ -x "$venv/bin/python" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
        return 0
    fi
    echo "Setting up $venv …" >&2
    rm -rf "$venv"
    "$python" -m venv "$venv" || return 1
    local arguments=()
    for file in "$@"; do arguments+=(-r "$file"); done
    # No libvips of this machine: pip would build pyvips's module for it, in place of the wheel's.
    # Wheels alone, but for two that come only as source and need no compiler: pyvips, whose libvips
    # is the wheel pyvips-binary, and crontab, one module that rq-scheduler needs.
    PKG_CONFIG_PATH='' PKG_CONFIG_LIBDIR=/nonexistent \
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
        --only-binary :all: --no-binary pyvips,crontab "${arguments[@]}" || return 1
    # Written last: a set-up that was cut off is done again.
    echo "$wanted" > "$stamp"
}

# installed PYTHON REQUIREMENTS...: what the stamp of an environment says.
installed() {
    local python=$1
    shift
    echo "$("$python" -c 'import sys; print(sys.version, sys.prefix)') $(cat "$@" | cksum)"
}

# The first Python of version 3.11 or newer, by its path: $PYTHON, python3, python3.14 … python3.11.
# Asked from the root folder: pyenv would take .python-version, which is for platforms, as an order.
find_python() {
    local candidate path
    for candidate in ${PYTHON:+"$PYTHON"} python3 python3.14 python3.13 python3.12 python3.11; do
        path=$(cd / && "$candidate" -c 'import sys; print(sys.version_info >= (3, 11) and sys.executable or "")' 2>/dev/null)
        if [ -n "$path" ]; then
            echo "$path"
            return 0
        fi
    done
    echo "tinyimage: Python 3.11 or newer is needed" >&2
    return 1
}
