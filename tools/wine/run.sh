#!/bin/sh
# Runs a program by Wine, whose Node can write to files, but not to pipes.
output=$(mktemp) && errors=$(mktemp) || exit
"$@" >"$output" 2>"$errors" </dev/null
code=$?
cat "$output"
cat "$errors" >&2
rm -f "$output" "$errors"
exit "$code"
