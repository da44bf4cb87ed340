# SPDX-License-Identifier: MIT
# bash completion for ptrace and bt. tests/tools/options.py compares the words
# with --help.

_inquest_words()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local options=$1 name value

	COMPREPLY=()
	# "--name=value" arrives as three words because of COMP_WORDBREAKS.
	if [[ $cur == "=" ]]; then
		name=$prev value=
	elif [[ $prev == "=" ]]; then
		name=${COMP_WORDS[COMP_CWORD - 2]} value=$cur
	else
		name=$prev value=$cur
	fi
	case $name in
	-L)
		COMPREPLY=($(compgen -W "debug info warning error" -- "$value"))
		return
		;;
	--format)
		COMPREPLY=($(compgen -W "text json" -- "$value"))
		return
		;;
	--color)
		COMPREPLY=($(compgen -W "auto always never" -- "$value"))
		return
		;;
	--sysroot | --debug-path | --cache)
		COMPREPLY=($(compgen -d -- "$value"))
		return
		;;
	esac
	if [[ $cur == -* ]]; then
		COMPREPLY=($(compgen -W "$options" -- "$cur"))
	else
		COMPREPLY=($(compgen -f -- "$value"))
	fi
}

_inquest_ptrace()
{
	_inquest_words "--core --output -o -O --overwrite --kv --application
	    --classifier --thread --fault-thread --faulted --load --global
	    --stale-pointer --security --module-load --modules-path --module
	    --module-timeout --modules-timeout
	    --sandbox-whitelist --no-sandbox --as-user --scrub --no-scrub
	    --no-pretty-print
	    --resource --config --max-size --max-pause --fork --watch --count --timeout --sysroot --debug-path
	    --cache --cache-size --force --stats -L -b --format --json --module-check --help -h --version"
}

_inquest_bt()
{
	_inquest_words "--core --no-variables --no-pretty-print --json --details --color
	    --load --sysroot --debug-path --cache --cache-size --force --max-pause --fork
	    --timeout --no-sandbox --stats
	    --help -h --version"
}

complete -o filenames -F _inquest_ptrace ptrace
complete -o filenames -F _inquest_bt bt
