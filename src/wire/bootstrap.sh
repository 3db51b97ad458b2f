#!/usr/bin/env sh
# Brings this workspace's agent: fetches it from the server, checks that it is the server's and runs
# here, and runs it. With `install` as argument it becomes a service of this machine instead.
# Needs a POSIX shell and one of curl, wget or busybox.
set -eu

access_url="${ACCESS_URL}"
binary_url="${ACCESS_URL}bin/coder-@OS@-@ARCH@"
# Seconds since the epoch, by the server's clock; empty in a script that was kept for later.
served_at="${SERVER_TIME:-}"
directory="${CODER_AGENT_BINARY_DIR:-}"
task="${1:-}"

say() {
	echo "$*" >&2
}

has() {
	command -v "$1" >/dev/null 2>&1
}

# A failed agent is looked at by a person. Where none sits at a terminal, its log stays readable for a
# day.
keep_log_readable() {
	status=$?
	if [ "$status" -ne 0 ] && [ "$task" != install ] && [ ! -t 2 ]; then
		say "The agent could not be started (exit code $status). This log is kept for 24 hours."
		sleep 86400
	fi
}
trap keep_log_readable EXIT

# fetch URL FILE; what went wrong is in $code and in the file "said".
fetch() {
	code=0
	if has curl; then
		# A curl without zlib refuses --compressed.
		curl -fsSL --compressed --connect-timeout 15 -o "$2" "$1" 2>/dev/null && return 0
		curl -fsSL --connect-timeout 15 -o "$2" "$1" 2>"$directory/said" || code="curl $?"
	elif has wget; then
		wget -q -O "$2" "$1" 2>"$directory/said" || code="wget $?"
	elif has busybox; then
		busybox wget -q -O "$2" "$1" 2>"$directory/said" || code="busybox $?"
	else
		say "This machine has none of curl, wget and busybox; the agent cannot be fetched."
		exit 127
	fi
	[ "$code" = 0 ]
}

# Whether the server has addresses of IPv6 only and this machine has none.
lacks_ipv6() {
	case "$host" in
	\[*) ;;
	*)
		has getent || return 1
		[ -z "$(getent ahostsv4 "$host" 2>/dev/null)" ] || return 1
		[ -n "$(getent ahostsv6 "$host" 2>/dev/null)" ] || return 1
		;;
	esac
	[ -r /proc/net/if_inet6 ] || [ -d /proc/net ] || return 1
	while read -r _ _ _ scope _; do
		if [ "$scope" = 00 ]; then return 1; fi
	done 2>/dev/null </proc/net/if_inet6
	return 0
}

# Why a fetch failed, and what to do about it.
explain() {
	read -r said <"$directory/said" || true
	host="${access_url#*://}"
	host="${host%%/*}"
	case "$host" in
	\[*) ;;
	*) host="${host%:*}" ;;
	esac
	case "$access_url" in
	https:*) proxy_name=https_proxy proxy="${https_proxy:-${HTTPS_PROXY:-}}" ;;
	*) proxy_name=http_proxy proxy="${http_proxy:-}" ;;
	esac
	case "$code" in
	"curl 35" | "curl 51" | "curl 58" | "curl 60" | "curl 77" | "curl 83" | "curl 91" | "wget 5")
		why="The certificate of $host is not accepted. The clock of this machine says $(date): when that is wrong, set it. A certificate of your own has to be in this machine's list. A network that wants a sign-in first answers so, too."
		;;
	"curl 22" | "wget 8")
		why="$host answers, but does not give the agent for @OS@ @ARCH@."
		;;
	*)
		if [ -n "$proxy" ]; then
			# Without the name and the password that may stand in it.
			shown="${proxy#*://}"
			why="$host cannot be reached through the proxy of $proxy_name, ${shown##*@}."
		elif lacks_ipv6; then
			why="$host has only IPv6 addresses, and this machine has no IPv6. Give one of them the other."
		else
			why="$host cannot be reached from this machine. Where the way out leads through a proxy, set $proxy_name and run this again."
		fi
		;;
	esac
	if [ -n "$said" ]; then why="$why ($said)"; fi
}

hash_of() {
	if has sha256sum; then
		sha256sum "$1"
	elif has shasum; then
		shasum -a 256 "$1"
	elif has openssl; then
		openssl dgst -sha256 -r "$1"
	elif has busybox; then
		busybox sha256sum "$1"
	fi
}

# Fetches the program to "$binary.new" and checks it. What kept it from that is in $why, and in $news
# in a word.
bring() {
	news=sum
	if ! fetch "$binary_url.sha256" "$binary.sum"; then
		news="$code"
		explain
		return 1
	fi
	read -r expected _ <"$binary.sum" || true
	case "$expected" in
	"" | *[!0-9a-f]*)
		why="What answers at $access_url is not the server but some page: of a network that wants a sign-in first, or of a proxy. Sign in there with a browser, or set https_proxy."
		return 1
		;;
	esac
	if ! fetch "$binary_url" "$binary.new"; then
		news="$code"
		explain
		return 1
	fi
	news=program
	found="$(hash_of "$binary.new")"
	found="${found%% *}"
	if [ -z "$found" ]; then
		say "This machine has nothing to check a download with (sha256sum, shasum, openssl)."
	elif [ "$found" != "$expected" ]; then
		why="What came from $binary_url is not what the server has: it was cut short or changed on its way."
		return 1
	fi
	news=platform
	chmod 755 "$binary.new"
	if ! "$binary.new" version >/dev/null 2>&1; then
		why="The program for @OS@ @ARCH@ does not run on this machine ($(uname -sm 2>/dev/null)). Is that what the workspace was made for?"
		return 1
	fi
}

# A clock that is wrong spoils certificates and the times in every log.
check_clock() {
	case "$served_at" in
	"" | *[!0-9]*) return 0 ;;
	esac
	now="$(date +%s 2>/dev/null)" || return 0
	off=$((now - served_at))
	which="ahead of"
	if [ "$off" -lt 0 ]; then
		off=$((-off))
		which=behind
	fi
	if [ "$off" -gt 300 ]; then
		say "The clock of this machine is $off s $which the server's. Set it, with \`sudo timedatectl set-ntp true\` for example."
	fi
}

made=
if [ -n "$directory" ]; then
	mkdir -p "$directory"
else
	directory=$(mktemp -d "${TMPDIR:-/tmp}/coder.XXXXXX")
	made=yes
fi
chmod 700 "$directory" 2>/dev/null || true
binary="$directory/coder"
: >"$directory/said"

check_clock
pause=2
told=
news=
why=
until bring; do
	# The same news is told once.
	if [ "$news" != "$told" ]; then
		say "$why"
		say "It is tried again until it works."
		told="$news"
	fi
	sleep "$pause"
	pause=$((pause * 2))
	if [ "$pause" -gt 30 ]; then pause=30; fi
done
mv -f "$binary.new" "$binary"
rm -f "$binary.sum" "$directory/said" 2>/dev/null || true

export CODER_AGENT_AUTH="${AUTH_TYPE}"
export CODER_AGENT_URL="$access_url"

if [ -z "${CODER_AGENT_TOKEN:-}${CODER_AGENT_TOKEN_FILE:-}" ] && [ "$CODER_AGENT_AUTH" = token ]; then
	say "CODER_AGENT_TOKEN is not set: the agent has nothing to sign in with."
	exit 1
fi
if [ "$task" = install ]; then
	status=0
	"$binary" agent "$@" || status=$?
	if [ -n "$made" ]; then rm -rf "$directory"; fi
	exit "$status"
fi
# An agent that ends by itself with success was told to stop; anything else is shown.
exec "$binary" agent "$@"
