# SPDX-License-Identifier: MIT
# bash completion for invoker. tests/tools/options.py compares the words with
# --help.

_inquest_invoker()
{
	local options="-p --target -P --pid-file -t --tracer -w --wait -n
	    --no-ats-compatibility -d --debug --host --user -s --syslog -v
	    --version -h --help"

	if [[ ${COMP_WORDS[COMP_CWORD]} == -* ]]; then
		COMPREPLY=($(compgen -W "$options" -- "${COMP_WORDS[COMP_CWORD]}"))
	else
		COMPREPLY=($(compgen -f -- "${COMP_WORDS[COMP_CWORD]}"))
	fi
}

complete -o filenames -F _inquest_invoker invoker
