// A command that all hosts run. Its first argument says what it does.
//
//	show ARG...   print the name it runs under, the other arguments, the
//	              environment and the standard input
//	exit CODE     end with that exit code, after a word on each stream
//	print N       print N bytes
//	panic         panic
//	spin          never end, computing
//	sleep         never end, sleeping
//	read PATH     print a file
package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage:", os.Args[0], "show|exit|print|panic|spin|sleep|read")
		os.Exit(64)
	}
	args := os.Args[2:]
	switch os.Args[1] {
	case "show":
		show(args)
	case "exit":
		fmt.Println("out")
		fmt.Fprintln(os.Stderr, "err")
		os.Exit(number(args))
	case "print":
		fmt.Print(strings.Repeat("x", number(args)))
	case "panic":
		panic("oh dear")
	case "spin":
		for n := 0; ; n++ {
			if n < 0 {
				n = 0
			}
		}
	case "sleep":
		time.Sleep(time.Hour)
	case "read":
		content, err := os.ReadFile(args[0])
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Stdout.Write(content)
	}
}

func show(args []string) {
	fmt.Println("name", os.Args[0])
	for _, arg := range args {
		fmt.Println("arg", arg)
	}
	env := os.Environ()
	slices.Sort(env)
	for _, one := range env {
		fmt.Println("env", one)
	}
	input, err := io.ReadAll(os.Stdin)
	if err != nil {
		panic(err)
	}
	fmt.Printf("stdin %q\n", input)
}

func number(args []string) int {
	n, err := strconv.Atoi(args[0])
	if err != nil {
		panic(err)
	}
	return n
}
