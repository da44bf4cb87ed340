# SPDX-License-Identifier: MIT
# bash completion for coresnapd. tests/tools/options.py compares the words with
# --help.

_inquest_coresnapd()
{
	local options="-c --config -P --pid-file --once -d --debug -h --help
	    --version"

	if [[ ${COMP_WORDS[COMP_CWORD]} == -* ]]; then
		COMPREPLY=($(compgen -W "$options" -- "${COMP_WORDS[COMP_CWORD]}"))
	else
		COMPREPLY=($(compgen -f -- "${COMP_WORDS[COMP_CWORD]}"))
	fi
}

complete -o filenames -F _inquest_coresnapd coresnapd
