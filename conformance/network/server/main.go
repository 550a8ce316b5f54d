// Command server is an HTTP server: it says where it listens on its standard output, and ends when
// it is asked to. It is compiled for WebAssembly and for the machine itself, to be compared.
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"os"

	"example.com/network/site"
)

func main() {
	address := flag.String("listen", "127.0.0.1:0", "the `address` to listen at")
	fd := flag.Uint("fd", 0, "the `descriptor` of a listener that is there already, instead")
	flag.Parse()
	ln, err := listen(*address, uintptr(*fd))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(ln.Addr())
	if _, err := site.Serve(ln); err != nil {
		log.Fatal(err)
	}
}

func listen(address string, fd uintptr) (net.Listener, error) {
	if fd == 0 {
		return net.Listen("tcp", address)
	}
	file := os.NewFile(fd, "listener")
	defer file.Close()
	return net.FileListener(file)
}
