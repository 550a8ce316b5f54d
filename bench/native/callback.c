/* A C library that calls a function of its user n times: a host function without a sandbox. */
#include <string.h>

typedef const char *(*upper_fn)(const char *);

long long call_host(upper_fn upper, int n) {
    long long length = 0;
    for (int i = 0; i < n; i++) {
        length += (long long)strlen(upper("hello world"));
    }
    return length;
}
