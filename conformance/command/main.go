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
//	temp          write a temporary file, and print its folder
//	chance        print what depends on clocks and random numbers
//	dial ADDRESS  connect, and print what comes
//	answer        say hello to who connects to the listener that it is given
package main

import (
	"crypto/rand"
	"fmt"
	"io"
	mathrand "math/rand"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage:", os.Args[0], "show|exit|print|panic|spin|sleep|read|temp|chance|dial|answer")
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
		check(err)
		os.Stdout.Write(content)
	case "temp":
		file, err := os.CreateTemp("", "x")
		check(err)
		_, err = file.WriteString("content")
		check(err)
		fmt.Print(filepath.Dir(file.Name()))
	case "chance":
		chance()
	case "dial":
		check(dial(args[0]))
	case "answer":
		check(answer())
	}
}

// check ends the program with code 1 when there is an error, and says which.
func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func chance() {
	begin := time.Now()
	fmt.Println("now", begin.UTC().Format(time.RFC3339Nano))
	time.Sleep(time.Hour)
	fmt.Println("slept", time.Since(begin))
	key := make([]byte, 16)
	rand.Read(key)
	fmt.Printf("key %x\n", key)
	fmt.Println("number", mathrand.Int63())
	keys := make(map[int]bool)
	for n := range 20 {
		keys[n] = true
	}
	fmt.Print("keys")
	for n := range keys {
		fmt.Print(" ", n)
	}
	// Which of them is taken is a matter of chance.
	ready := make(chan string, 20)
	a, b := make(chan bool, 20), make(chan bool, 20)
	for range 20 {
		a <- true
		b <- true
		select {
		case <-a:
			ready <- "a"
			<-b
		case <-b:
			ready <- "b"
			<-a
		}
	}
	close(ready)
	fmt.Print("\nchosen ")
	for one := range ready {
		fmt.Print(one)
	}
	fmt.Println()
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
