# Types `decant copy --inde`, Tab, in an interactive zsh, and prints the line as it is then.
zmodload zsh/zpty
zpty shell 'TERM=dumb zsh -f -i'
zpty -w shell "PS1='ready> '; autoload -Uz compinit; compinit -u -D"
zpty -r -m shell shown '*ready> *ready> *'
zpty -w -n shell $'decant copy --inde\t'
zpty -r -m shell shown '*--index*'
print -r -- "$shown"
zpty -d shell
