# SPDX-License-Identifier: MIT
# bash completion for coresnap. tests/tools/options.py compares the words with
# --help.

_inquest_coresnap()
{
	local options="-c --config --json --age --all --socket --force --debugger
	    --sysctl -d --debug -h --help --version"
	local commands="list info retry rm purge status install uninstall debug
	    import"
	local cur=${COMP_WORDS[COMP_CWORD]} word

	if [[ $cur == -* ]]; then
		COMPREPLY=($(compgen -W "$options" -- "$cur"))
		return
	fi
	for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		case $word in
		info | retry | rm | debug)
			COMPREPLY=($(compgen -W "$(coresnap list 2>/dev/null |
			    sed -n 's/^ *\([a-z]*\/[0-9a-f-]*\)\.\.\. .*/\1/p')" \
			    -- "$cur"))
			return
			;;
		import)
			COMPREPLY=($(compgen -f -- "$cur"))
			return
			;;
		esac
	done
	COMPREPLY=($(compgen -W "$commands" -- "$cur"))
}

complete -o filenames -F _inquest_coresnap coresnap
