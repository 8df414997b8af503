# Shared by the scripts beside this file: find a Python, make the environment once, use it afterwards.
# POSIX shell; $root is the repository, $venv the environment. Python gets -P, and uv another folder: where the command is
# called there may be others' work, such as a venv.py or a uv.toml, and nothing of it is to take part.

root=$(CDPATH= cd -- "$(dirname -- "$(readlink -f -- "$0")")/.." && pwd)
venv="$root/.venv"
lock="$root/.venv.lock" # held while an environment is made; its content says that one is being made

say() { printf '%s\n' "casemate: $*" >&2; }
die() { say "$*"; exit 3; }

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
version_of() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || echo "not a Python"; }

absolute() { case $1 in /*) echo "$1" ;; *) echo "$PWD/$1" ;; esac }

find_python() {
    if [ -n "${CASEMATE_PYTHON:-}" ]; then
        new_enough "$CASEMATE_PYTHON" && found=$(command -v "$CASEMATE_PYTHON") && absolute "$found" && return
        die "CASEMATE_PYTHON names $CASEMATE_PYTHON, which is $(version_of "$CASEMATE_PYTHON"). Python 3.11 or newer is needed."
    fi
    found=
    for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
        command -v "$candidate" >/dev/null 2>&1 || continue
        new_enough "$candidate" && command -v "$candidate" && return
        found="$found $candidate is $(version_of "$candidate")."
    done
    if [ -n "$found" ]; then
        die "Python 3.11 or newer is needed;$found Install a newer one, or name it: CASEMATE_PYTHON=/path/to/python3"
    fi
    die "Python 3.11 or newer is needed and none was found. On Debian or Ubuntu: apt-get install python3 python3-venv"
}

create() { # create PYTHON: an empty environment, whatever was there before
    if command -v uv >/dev/null 2>&1; then
        uv --directory "$root" venv --quiet --clear --no-project --python "$1" "$venv"
    elif "$1" -P -c 'import ensurepip, venv' 2>/dev/null; then
        "$1" -P -m venv --clear "$venv"
    else
        die "$1 has no venv module. On Debian or Ubuntu: apt-get install python3-venv (or install uv)"
    fi
}

install() { # install FILE: the pinned packages of that requirements file
    if command -v uv >/dev/null 2>&1; then
        # As pip does: trust whom this machine trusts, such as a company's proxy. Older uv knows the second name.
        UV_SYSTEM_CERTS=${UV_SYSTEM_CERTS:-1} UV_NATIVE_TLS=${UV_NATIVE_TLS:-1} \
            uv --directory "$root" pip install --quiet --python "$venv/bin/python" --require-hashes --requirement "$1"
        return
    fi
    "$venv/bin/python" -P -m pip --version >/dev/null 2>&1 || "$venv/bin/python" -P -m ensurepip >/dev/null || return
    {
        "$venv/bin/python" -P -m pip install --disable-pip-version-check --no-input --progress-bar off \
            --require-hashes --requirement "$1"
        echo "status $?"
    } | progress "$(grep -c == "$1")"
}

progress() { # progress TOTAL: what pip says, as a count; its status is pip's
    fetched=0
    while read -r word rest; do
        case $word in
            Collecting)
                fetched=$((fetched + 1))
                if [ -t 2 ]; then
                    printf '\r\033[Kcasemate: package %d of %d: %s' "$fetched" "$1" "${rest%%=*}" >&2
                elif [ $((fetched % 10)) = 0 ]; then
                    say "package $fetched of $1"
                fi ;;
            Installing)
                [ -t 2 ] && printf '\r\033[K' >&2
                say "installing them" ;;
            status)
                [ -t 2 ] && printf '\r\033[K' >&2
                return "$rest" ;;
        esac
    done
}

wanted() { # wanted NAME: what the stamp of a finished environment says: these pins, this folder, this Python
    echo "$(cksum <"$root/requirements/$1.txt") $root $(readlink -f "$venv/bin/python")"
}

finished() { # finished NAME: the environment holds what requirements/NAME.txt pins
    [ -x "$venv/bin/python" ] && [ -f "$venv/casemate-$1.stamp" ] && [ "$(cat "$venv/casemate-$1.stamp")" = "$(wanted "$1")" ]
}

hold() { # hold PYTHON: be the only one who sets up; others wait. The lock is the descriptor's, and goes with it.
    exec 9>>"$lock"
    "$1" -P -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX | fcntl.LOCK_NB)' 2>/dev/null && return
    say "another set-up of $venv is under way; waiting for its end"
    "$1" -P -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX)'
}

# ensure NAME: the environment holds what requirements/NAME.txt pins. A set-up that was interrupted is begun anew, one whose
# pins, folder or Python have changed is completed, and a finished one costs a comparison.
ensure() {
    finished "$1" && return
    if [ ! -w "$root" ] || { [ -e "$venv" ] && [ ! -w "$venv" ]; }; then
        die "$venv is not complete, and you may not write there. Clone the repository to a folder of your own, or have its owner run scripts/$(basename -- "$0") once"
    fi
    python=$(find_python) || exit 3
    hold "$python" || die "$lock cannot be locked"
    finished "$1" || set_up "$1"
    # Whatever is started from here must not keep the lock for as long as it runs.
    exec 9>&-
}

set_up() {
    pins="$root/requirements/$1.txt"
    if [ -s "$lock" ] || ! new_enough "$venv/bin/python"; then
        say "setting up $venv with $python (once; a minute or two)"
        echo unfinished >"$lock"
        create "$python" || die "the environment could not be made in $venv; the lines above say why"
    else
        say "completing $venv"
        echo unfinished >"$lock"
    fi
    if ! install "$pins"; then
        : >"$lock"
        die "the packages of requirements/$1.txt could not be installed; the lines above say why. They come from the package index of pip (or uv): is there a network? Then run the command again."
    fi
    "$venv/bin/python" -P -c 'import sys, sysconfig, pathlib
pathlib.Path(sysconfig.get_path("purelib"), "casemate.pth").write_text(sys.argv[1] + "\n")' "$root/src" || exit 3
    # The pins of the tests are those of the product and more.
    for name in run "$1"; do wanted "$name" >"$venv/casemate-$name.stamp"; done
    : >"$lock"
    say "ready"
}
