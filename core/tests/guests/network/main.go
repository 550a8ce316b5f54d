// A program that uses the network by github.com/stealthrocket/net as it is. Its first argument says
// what it does.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	_ "github.com/stealthrocket/net/http"
	"github.com/stealthrocket/net/wasip1"
)

func main() {
	if err := run(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(what string, args []string) error {
	switch what {
	case "streams":
		return streams(args[0], args[1])
	case "datagrams":
		return datagrams(args[0], args[1])
	case "serve":
		return serve(args[0])
	case "get":
		return get(args[0])
	}
	return fmt.Errorf("what is %s?", what)
}

// streams sends bytes through a connection to itself, and back.
func streams(network, address string) error {
	listener, err := wasip1.Listen(network, address)
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() {
		conn, err := listener.Accept()
		if err == nil {
			_, err = io.Copy(conn, conn)
			conn.Close()
		}
		done <- err
	}()
	conn, err := wasip1.Dial(network, listener.Addr().String())
	if err != nil {
		return err
	}
	sent := make([]byte, 1<<20)
	for i := range sent {
		sent[i] = byte(i * i)
	}
	go func() {
		conn.Write(sent)
		conn.(interface{ CloseWrite() error }).CloseWrite()
	}()
	received, err := io.ReadAll(conn)
	if err != nil {
		return err
	}
	if err := <-done; err != nil {
		return err
	}
	fmt.Println(string(received) == string(sent), conn.RemoteAddr())
	return nil
}

// datagrams sends some from one socket to another, and back.
func datagrams(network, address string) error {
	server, err := wasip1.ListenPacket(network, address)
	if err != nil {
		return err
	}
	client, err := wasip1.Dial(network, server.LocalAddr().String())
	if err != nil {
		return err
	}
	buffer := make([]byte, 2000)
	for i := range 100 {
		text := fmt.Sprint("datagram ", i)
		if _, err := client.Write([]byte(text)); err != nil {
			return err
		}
		n, from, err := server.ReadFrom(buffer)
		if err != nil {
			return err
		}
		if string(buffer[:n]) != text || from.String() != client.LocalAddr().String() {
			return fmt.Errorf("%q from %s", buffer[:n], from)
		}
		if _, err := server.WriteTo(buffer[:n], from); err != nil {
			return err
		}
		if n, err = client.Read(buffer); err != nil || string(buffer[:n]) != text {
			return fmt.Errorf("%q back, %v", buffer[:n], err)
		}
	}
	fmt.Println("all there")
	return nil
}

// serve is a web server. It says where it is, and waits a little with each answer.
func serve(address string) error {
	listener, err := wasip1.Listen("tcp", address)
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	return http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/exit" {
			os.Exit(7)
		}
		time.Sleep(5 * time.Millisecond)
		fmt.Fprintf(w, "you asked for %s", r.URL.Path)
	}))
}

// get is a web client.
func get(url string) error {
	client := http.Client{Timeout: 30 * time.Second}
	response, err := client.Get(url)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	fmt.Println(response.StatusCode, len(body))
	return nil
}
