//go:build cgo

package main

/*
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

extern int32_t goNumber(int32_t n);
extern char *goText(char *text, int length);

static int64_t numbers(int32_t times) {
	int64_t sum = 0;
	for (int32_t i = 0; i < times; i++) sum += goNumber(i);
	return sum;
}

static int64_t texts(int32_t times) {
	int64_t length = 0;
	for (int32_t i = 0; i < times; i++) {
		char *text = goText("hello world", 11);
		length += strlen(text);
		free(text);
	}
	return length;
}
*/
import "C"

const hasCgo = true

// cgoNumbers has C call a Go function so many times.
func cgoNumbers(times int32) int64 { return int64(C.numbers(C.int32_t(times))) }

func cgoTexts(times int32) int64 { return int64(C.texts(C.int32_t(times))) }
