#!/bin/sh
# entrypoint.sh [ROLE | health [ROLE] | COMMAND …]: the entry point of the image.
#
# A role is all, web, worker or scheduler, with arguments of its own behind it; any other command is
# run as it is. Started as root, it gives the folders that the server writes to to the image's user,
# as a folder of the host is often root's, and becomes that user. It ends by becoming the command, so
# that nothing of root's goes on. `health` says whether what was started here works.
set -eu

user=10001 # as the Dockerfile makes it, and the group likewise
started=${TMPDIR:-/tmp}/tinyimage-started

fail() {
    echo "tinyimage: $1" >&2
    exit 1
}

mount_of() { findmnt --noheadings --output TARGET --target "$1"; }

as_user() { setpriv --reuid=$user --regid=$user --clear-groups --no-new-privs "$@"; }

# give FOLDER [NAME…]: has the folder, and what of these names is in it or else all of it, belong to
# the user. One that the user can write to is left as it is. Links are never followed, and a file with
# a second name stays whose it is: whoever can write here could have put them there. The folder itself
# comes last, so that what was cut off is done again.
give() (
    folder=$1
    shift
    mkdir -p -- "$folder" && cd -P -- "$folder" || exit 1
    if [ -L "$folder" ]; then echo "it is a link"; exit 1; fi
    if as_user sh -c '[ -r . ] && [ -w . ] && [ -x . ]'; then exit 0; fi
    for name in "${@:-.}"; do
        [ ! -e "$name" ] || find -P "./$name" \( -type d -o -type f -links 1 \) ! -path ./. \
            -execdir chown -h "$user:$user" {} + || exit 1
    done
    chown "$user:$user" . && chmod u+rwx .
)

role=${1:-all}
case $role in
    all | web | worker | scheduler | health) [ $# -eq 0 ] || shift ;;
    *) role='' ;;
esac

# --config and --queues as variables, so that the health check can be told of them.
left=$#
[ -n "$role" ] || left=0
while [ "$left" -gt 0 ]; do
    argument=$1
    shift
    left=$((left - 1))
    case $argument in
        --config | --queues)
            [ "$left" -gt 0 ] || { set -- "$@" "$argument"; continue; } # which the role says
            argument=$argument=$1
            shift
            left=$((left - 1))
            ;;
    esac
    case $role$argument in
        *--config=*) export TINYIMAGE_CONFIG="${argument#*=}" ;;
        worker--queues=*) export TINYIMAGE_WORKERS__QUEUES="${argument#*=}" ;;
        *) set -- "$@" "$argument" ;;
    esac
done
# Where the older server had its configuration.
if [ -z "${TINYIMAGE_CONFIG:-}" ] && [ -f /config/config.yaml ]; then
    export TINYIMAGE_CONFIG=/config/config.yaml
fi

# What the role writes to, a kind and a folder a line. Without Python where nobody asks.
folders=''
if [ "$role" = all ] || { [ "$(id -u)" = 0 ] && [ -n "${role%health}" ]; }; then
    folders=$(python -m app.run.folders "$role") || exit $?
fi

if [ "$(id -u)" = 0 ]; then
    as_user true 2>/dev/null || fail "started as root, and may not become the user $user: start the \
container with the user \"$user:$user\""
    printf '%s\n' "$folders" | while read -r kind folder; do
        case $kind in
            pictures) reason=$(give "$folder" originals results 2>&1) ;;
            queue) reason=$(give "$folder" 2>&1) ;;
        esac || echo "tinyimage: $folder cannot be given to the user $user: $reason" >&2
    done
    # The user gets a copy of a file that root alone may read.
    config=${TINYIMAGE_CONFIG:-}
    if [ "$role" != health ] && [ -f "$config" ] && ! as_user test -r "$config"; then
        TINYIMAGE_CONFIG=$(mktemp "${TMPDIR:-/tmp}/tinyimage-XXXXXX.yaml")
        install -m 400 -o $user -g $user -- "$config" "$TINYIMAGE_CONFIG"
        export TINYIMAGE_CONFIG
    fi
    exec setpriv --reuid=$user --regid=$user --clear-groups --no-new-privs "$0" ${role:+"$role"} "$@"
fi

if [ "$role" = health ]; then
    role=all
    if [ -f "$started" ]; then
        { read -r role; read -r config; read -r queues; } <"$started"
        [ -z "$config" ] || export TINYIMAGE_CONFIG="$config"
        [ -z "$queues" ] || export TINYIMAGE_WORKERS__QUEUES="$queues"
    fi
    role=${1:-$role}
    [ "$role" != none ] || exit 0 # a command of the operator's own, of which we know nothing
    exec python -m app.run.health "$role"
fi

# For the health check, which sees the environment of the container alone.
printf '%s\n' "${role:-none}" "${TINYIMAGE_CONFIG:-}" "${TINYIMAGE_WORKERS__QUEUES:-}" \
    2>/dev/null >"$started" || true
printf '%s\n' "$folders" | while read -r kind folder; do
    if [ "$kind" = queue ] && [ "$(mount_of "$folder")" = "$(mount_of "$0")" ]; then
        echo "tinyimage: $folder is no volume: the pictures that wait are kept as long as this \
container" >&2
    fi
done

case $role in
    all | web) set -- python -m app "$role" "$@" ;;
    worker) set -- python -m workers "$@" ;;
    scheduler) set -- python -m workers.scheduler "$@" ;;
esac
command -v "$1" >/dev/null || fail "$1 cannot be run: No such file or directory"
# The first process of a container must take in orphans, and gets no signal that it does not ask for.
# tini is made for it.
if [ $$ = 1 ] && command -v tini >/dev/null; then set -- tini -- "$@"; fi
exec "$@"
