#!/bin/sh
# What `./run test --all` needs beyond Python, on Debian and Ubuntu: second opinions (net-snmp,
# Mosquitto, VictoriaMetrics, snmp_exporter), the honest lab's daemons, a browser with Chinese
# letters, tools for network namespaces and for a file system that can be cut from power, two
# pingers. Installs what is missing and says what could not be had; the tests that need it then
# skip, and say so too.
set -eu

wanted="mosquitto mosquitto-clients snmpd snmp lldpd openssh-server ethtool iproute2 nftables chromium fonts-noto-cjk \
victoria-metrics prometheus prometheus-snmp-exporter xfsprogs fping iputils-ping \
poppler-utils poppler-data"

say() { printf '%s\n' "$*" >&2; }

is_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# The version apt would install; empty if it knows none.
candidate() {
    LC_ALL=C apt-cache policy "$1" | sed -n 's/^  Candidate: \((none)\)\{0,1\}//p'
}

if ! command -v dpkg-query >/dev/null 2>&1 || ! command -v apt-get >/dev/null 2>&1; then
    say "This is neither Debian nor Ubuntu: the tests that need other programs skip where these are missing: $wanted"
    exit 0
fi

missing=''
for package in $wanted; do
    is_installed "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

as_root=''
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null 2>&1; then
        say "Not installed, and neither root nor sudo is at hand:$missing. The tests that need them skip."
        exit 0
    fi
    as_root=sudo
fi

say "looking for:$missing"
$as_root apt-get update -qq || say "apt-get update failed; going on with what apt knows already"

found=''
refused=''
for package in $missing; do
    case "$(candidate "$package")" in
    '') refused="$refused $package(unknown-to-apt)" ;;
    *snap*) refused="$refused $package(only-a-snap-here)" ;;
    *) found="$found $package" ;;
    esac
done

# Packages start their services when they are installed; ours are started by the tests, on ports
# of their own. policy-rc.d is Debian's way to say no, with systemd and in containers alike.
policy=/usr/sbin/policy-rc.d
made_policy=no
end() {
    [ "$made_policy" = no ] || $as_root rm -f "$policy"
}
trap end EXIT
trap 'exit 130' INT TERM
if [ -n "$found" ]; then
    if [ ! -e "$policy" ]; then
        made_policy=yes
        printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
        $as_root chmod 755 "$policy"
    fi
    for package in $found; do # one by one: one that cannot be had must not keep the others away
        say "installing $package"
        $as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y -qq --no-install-recommends "$package" >/dev/null 2>&1 ||
            refused="$refused $package(apt-get-failed)"
    done
    # A unit that is enabled would start at the next boot.
    if [ "$made_policy" = yes ] && [ -d /run/systemd/system ]; then
        for unit in mosquitto snmpd lldpd ssh victoria-metrics prometheus-snmp-exporter; do
            package=$unit
            [ "$unit" != ssh ] || package=openssh-server
            case "$found " in
            *" $package "*) $as_root systemctl disable --now "$unit" >/dev/null 2>&1 || say "could not disable $unit.service: look at it yourself" ;;
            esac
        done
    fi
fi

[ -z "$refused" ] || say "could not be had:$refused. The tests that need them skip."
