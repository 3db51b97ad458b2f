# Read by a login bash in the place of its own files, which it reads in turn: see agent/marks.rs.
set +o posix
unset ENV
__steading_secret=${STEADING_MARKS-}
unset STEADING_MARKS
# What POSIX mode chose for the history; files of the person's may choose again.
[ "${HISTFILE-}" = "${HOME-}/.sh_history" ] && HISTFILE=${HOME-}/.bash_history
[ -r /etc/profile ] && . /etc/profile
if [ -r "${HOME-}/.bash_profile" ]; then
  . "${HOME-}/.bash_profile"
elif [ -r "${HOME-}/.bash_login" ]; then
  . "${HOME-}/.bash_login"
elif [ -r "${HOME-}/.profile" ]; then
  . "${HOME-}/.profile"
fi
# Before a command is run, in a shell of its own: what was typed is the last entry of the history. What
# the history does not keep, as the person chose, is listed without its text.
__steading_before() {
  local line= text=
  if [[ -o history ]]; then
    line=$(HISTTIMEFORMAT= builtin history 1)
    if [[ $line != "${__steading_last-}" ]]; then
      # Behind the number, a star for what was changed, and two spaces.
      text=${line#"${line%%[![:space:]]*}"}
      text=${text#"${text%%[!0-9]*}"}
      text=${text#\*}
      text=${text#  }
    fi
  fi
  text=${text:0:4096}
  text=${text//\\/\\\\}
  text=${text//;/\\x3b}
  text=${text//$'\n'/\\x0a}
  text=${text//$'\t'/\\x09}
  text=${text//[[:cntrl:]]/?}
  builtin printf '\e]633;E;%s;%s\a\e]133;C;steading=%s\a' "$text" "${__steading_secret-}" "${__steading_secret-}"
}
__steading_prompt() {
  local code=$? directory=${PWD-}
  directory=${directory//%/%25}
  builtin printf '\e]133;D;%s;steading=%s\a\e]7;file://%s%s\a\e]133;A\a' \
    "$code" "${__steading_secret-}" "${HOSTNAME-}" "${directory//[[:cntrl:]]/?}"
  if [[ -o history ]]; then
    __steading_last=$(HISTTIMEFORMAT= builtin history 1)
  fi
  return "$code"
}
case ${PROMPT_COMMAND-} in
  *__steading_prompt*) ;;
  *) PROMPT_COMMAND="__steading_prompt${PROMPT_COMMAND:+; ${PROMPT_COMMAND}}" ;;
esac
PS0='$(__steading_before)'${PS0-}
