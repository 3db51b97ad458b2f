# Read by fish beside the person's own files: see agent/marks.rs.
if set -q STEADING_MARKS
    set -g __steading_secret $STEADING_MARKS
    set -e STEADING_MARKS
    if set -q STEADING_DATA_DIRS
        set -gx XDG_DATA_DIRS $STEADING_DATA_DIRS
        set -e STEADING_DATA_DIRS
    else
        set -e XDG_DATA_DIRS
    end
    if status is-interactive
        function __steading_before --on-event fish_preexec
            set -l text (string sub -l 4096 -- "$argv[1]" | string collect)
            set text (string replace -a \\ \\\\ -- $text | string collect)
            set text (string replace -a ';' '\\x3b' -- $text | string collect)
            set text (string replace -a \n '\\x0a' -- $text | string collect)
            set text (string replace -a \t '\\x09' -- $text | string collect)
            set text (string replace -ar '[[:cntrl:]]' '?' -- $text | string collect)
            builtin printf '\e]633;E;%s;%s\a\e]133;C;steading=%s\a' $text $__steading_secret $__steading_secret
        end
        function __steading_after --on-event fish_postexec
            builtin printf '\e]133;D;%s;steading=%s\a' $status $__steading_secret
        end
        function __steading_place --on-event fish_prompt
            set -l directory (string replace -a '%' '%25' -- $PWD | string replace -ar '[[:cntrl:]]' '?')
            builtin printf '\e]7;file://%s%s\a' "$hostname" "$directory"
        end
    end
end
