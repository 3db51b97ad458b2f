#!/usr/bin/env sh
# Brings this workspace's agent: fetches it from the server, checks that it runs, and runs it.
# Needs a POSIX shell and one of curl, wget or busybox.
set -eu

access_url="${ACCESS_URL}"
binary_url="${ACCESS_URL}bin/coder-@OS@-@ARCH@"
directory="${CODER_AGENT_BINARY_DIR:-}"

# A failed agent is looked at by a person: its log stays readable for a day.
keep_log_readable() {
	status=$?
	if [ "$status" -ne 0 ]; then
		echo "The agent could not be started (exit code $status). This log is kept for 24 hours." >&2
		sleep 86400
	fi
}
trap keep_log_readable EXIT

fetch() {
	if command -v curl >/dev/null 2>&1; then
		# A curl without zlib refuses --compressed.
		curl -fsSL --compressed --connect-timeout 15 -o "$2" "$1" ||
			curl -fsSL --connect-timeout 15 -o "$2" "$1"
	elif command -v wget >/dev/null 2>&1; then
		wget -q -O "$2" "$1"
	elif command -v busybox >/dev/null 2>&1; then
		busybox wget -q -O "$2" "$1"
	else
		echo "This machine has none of curl, wget and busybox; the agent cannot be fetched." >&2
		exit 127
	fi
}

if [ -n "$directory" ]; then
	mkdir -p "$directory"
else
	directory=$(mktemp -d "${TMPDIR:-/tmp}/coder.XXXXXX")
fi
chmod 700 "$directory" 2>/dev/null || true
binary="$directory/coder"

pause=2
until fetch "$binary_url" "$binary.new" && chmod 755 "$binary.new" &&
	"$binary.new" version >/dev/null; do
	echo "Fetching the agent from $binary_url failed; again in $pause s." >&2
	sleep "$pause"
	pause=$((pause * 2))
	if [ "$pause" -gt 30 ]; then pause=30; fi
done
mv -f "$binary.new" "$binary"

export CODER_AGENT_AUTH="${AUTH_TYPE}"
export CODER_AGENT_URL="$access_url"

# An agent that ends by itself with success was told to stop; anything else is shown.
if [ -n "${CODER_AGENT_TOKEN:-}${CODER_AGENT_TOKEN_FILE:-}" ] || [ "$CODER_AGENT_AUTH" != token ]; then
	exec "$binary" agent
fi
echo "CODER_AGENT_TOKEN is not set: the agent has nothing to sign in with." >&2
exit 1
