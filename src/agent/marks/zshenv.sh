# Read by zsh in the place of the person's .zshenv, which it reads in turn: see agent/marks.rs.
if [[ -n ${STEADING_ZDOTDIR+set} ]]; then
  export ZDOTDIR=$STEADING_ZDOTDIR
  unset STEADING_ZDOTDIR
else
  unset ZDOTDIR
fi
typeset -g __steading_secret=$STEADING_MARKS
unset STEADING_MARKS
[[ -r ${ZDOTDIR:-$HOME}/.zshenv ]] && source ${ZDOTDIR:-$HOME}/.zshenv
if [[ -o interactive && -n $__steading_secret ]]; then
  __steading_before() {
    emulate -L zsh
    local text=${1[1,4096]}
    text=${text//\\/\\\\}
    text=${text//;/\\x3b}
    text=${text//$'\n'/\\x0a}
    text=${text//$'\t'/\\x09}
    text=${text//[[:cntrl:]]/?}
    builtin print -rn -- $'\e]633;E;'"$text;$__steading_secret"$'\a\e]133;C;steading='"$__steading_secret"$'\a'
  }
  __steading_prompt() {
    local code=$?
    emulate -L zsh
    local directory=${PWD//\%/%25}
    directory=${directory//[[:cntrl:]]/?}
    builtin print -rn -- $'\e]133;D;'"$code;steading=$__steading_secret"$'\a\e]7;file://'"$HOST$directory"$'\a\e]133;A\a'
    return $code
  }
  typeset -ga precmd_functions preexec_functions
  precmd_functions+=(__steading_prompt)
  preexec_functions+=(__steading_before)
fi
