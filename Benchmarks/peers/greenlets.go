// What Go's runtime needs for the benchmarks of greenlet-bench.
package main

import (
	"net"
	"os"
	"sync"
	"syscall"
)

var benchmarks = []benchmark{
	{"spawn-join", 1, spawnJoin, nothing, nothing},
	{"park-wake", 2, parkWake, nothing, nothing},
	{"sockets", 1000000, sockets, nothing, nothing},
}

func spawnJoin(count int) {
	value := make(chan int)
	for i := 0; i < count; i++ {
		go func(number int) { value <- number }(i)
		<-value
	}
}

func parkWake(count int) {
	ping, pong := make(chan struct{}), make(chan struct{})
	go func() {
		for i := 0; i < count/2; i++ {
			<-ping
			pong <- struct{}{}
		}
	}()
	for i := 0; i < count/2; i++ {
		ping <- struct{}{}
		<-pong
	}
}

func connection(fd int) net.Conn {
	file := os.NewFile(uintptr(fd), "socketpair")
	defer file.Close()
	connection, err := net.FileConn(file)
	if err != nil {
		panic(err)
	}
	return connection
}

func sockets(count int) {
	trips := count / 10000
	var all sync.WaitGroup
	for i := 0; i < 5000; i++ {
		ends, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
		if err != nil {
			panic(err)
		}
		one, other := connection(ends[0]), connection(ends[1])
		all.Add(2)
		go func() {
			play(one, trips, true)
			all.Done()
		}()
		go func() {
			play(other, trips, false)
			all.Done()
		}()
	}
	all.Wait()
}

func play(end net.Conn, trips int, begins bool) {
	defer end.Close()
	one := make([]byte, 1)
	for i := 0; i < trips; i++ {
		if begins {
			send(end, one)
		}
		if _, err := end.Read(one); err != nil {
			panic(err)
		}
		if !begins {
			send(end, one)
		}
	}
}

func send(end net.Conn, one []byte) {
	if _, err := end.Write(one); err != nil {
		panic(err)
	}
}
