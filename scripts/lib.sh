# Shared by the scripts beside this file: find a Python, make the environment once, use it afterwards.
# POSIX shell; $root is the repository, $venv the environment.

root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
venv="$root/.venv"

say() { printf '%s\n' "casemate: $*" >&2; }
die() { say "$*"; exit 3; }

find_python() {
    for candidate in "${CASEMATE_PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11; do
        [ -n "$candidate" ] && command -v "$candidate" >/dev/null 2>&1 || continue
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
        found="$("$candidate" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)"
    done
    if [ -n "${found:-}" ]; then
        die "Python 3.11 or newer is needed; this machine has $found. Install a newer one, or name it: CASEMATE_PYTHON=/path/to/python3"
    fi
    die "Python 3.11 or newer is needed and none was found. On Debian or Ubuntu: apt-get install python3 python3-venv"
}

create() { # create PYTHON: an empty environment
    if command -v uv >/dev/null 2>&1; then
        uv venv --quiet --allow-existing --no-project --python "$1" "$venv"
    elif "$1" -c 'import ensurepip, venv' 2>/dev/null; then
        "$1" -m venv "$venv"
    else
        die "this Python has no venv module. On Debian or Ubuntu: apt-get install python3-venv (or install uv)"
    fi
}

install() { # install FILE: the pinned packages of that requirements file
    if command -v uv >/dev/null 2>&1; then
        uv pip install --quiet --python "$venv/bin/python" --require-hashes --requirement "$1"
    else
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --require-hashes --requirement "$1"
    fi
}

# ensure NAME: the environment holds what requirements/NAME.txt pins. The stamp holds that file's checksum, so that a
# half-finished or outdated environment is completed, and a finished one costs a comparison.
ensure() {
    pins="$root/requirements/$1.txt"
    stamp="$venv/casemate-$1.stamp"
    wanted=$(cksum <"$pins")
    [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && [ -x "$venv/bin/python" ] && return
    if [ -e "$venv" ] && [ ! -w "$venv" ]; then
        die "$venv is not complete and belongs to another user; remove it, or clone the repository to a folder of your own"
    fi
    python=$(find_python) || exit 3
    if command -v flock >/dev/null 2>&1; then
        exec 9>"$root/.venv.lock"
        flock 9
        [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && return
    fi
    say "setting up $venv with $python (once; about a minute)"
    create "$python" || die "the environment could not be made in $venv"
    install "$pins" || die "the packages of requirements/$1.txt could not be installed; the lines above say why. Run the command again once that is mended."
    "$venv/bin/python" -c 'import sys, sysconfig, pathlib
pathlib.Path(sysconfig.get_path("purelib"), "casemate.pth").write_text(sys.argv[1] + "\n")' "$root/src" || exit 3
    printf '%s\n' "$wanted" >"$stamp"
    say "ready"
}
