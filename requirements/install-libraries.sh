#!/bin/sh
# Install the Debian packages of a list that are missing; as root or through sudo, else say which they are.
set -u
list=$1

if ! command -v dpkg-query >/dev/null 2>&1; then
    echo "==> This is no Debian or Ubuntu: install the counterparts of these packages if Qt does not start:"
    grep -v '^#' "$list" | tr '\n' ' '; echo
    exit 0
fi

missing=
for package in $(grep -v '^#' "$list"); do
    # "install ok installed", also for a name that a transitional package provides (libglib2.0-0t64)
    if ! dpkg-query -W -f='${Status} ${Package} ${Provides}\n' "$package" "${package}t64" 2>/dev/null |
        grep -q '^install ok installed'; then
        missing="$missing $package"
    fi
done
if [ -z "$missing" ]; then exit 0; fi

if [ "$(id -u)" = 0 ]; then
    sudo=
elif command -v sudo >/dev/null 2>&1; then
    sudo=sudo
else
    echo "==> These Debian packages are missing, and neither root nor sudo is here to install them:" >&2
    echo "    apt-get install -y --no-install-recommends$missing" >&2
    exit 1
fi
echo "==> Installing Debian packages:$missing"
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -qq && $sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null || {
    echo "==> apt-get could not install:$missing" >&2
    exit 1
}
