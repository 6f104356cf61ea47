// What Go's runtime needs for the benchmarks of core-bench.
package main

import (
	"runtime"
	"sync"
	"time"
)

var benchmarks = []benchmark{
	{"ping-pong", 1, pingPong, nothing, nothing},
	{"spawn-join", 1, spawnJoin, nothing, nothing},
	{"spawn", 1000, spawn, nothing, nothing},
	{"yield", 2, yield, nothing, nothing},
	{"call-later-cancel", 100000, callLaterCancel, makePending, cancelPending},
	{"call-later-turn-cancel", 100000, callLaterTurnCancel, makePending, cancelPending},
	{"timer-wake", 1000, timerWake, nothing, nothing},
}

func pingPong(count int) {
	ping, pong := make(chan int), make(chan int)
	var both sync.WaitGroup
	both.Add(2)
	go func() {
		for i := 0; i < count; i++ {
			pong <- <-ping
		}
		both.Done()
	}()
	go func() {
		for i := 0; i < count; i++ {
			ping <- i
			<-pong
		}
		both.Done()
	}()
	both.Wait()
}

func spawnJoin(count int) {
	value := make(chan int)
	for i := 0; i < count; i++ {
		go func(number int) { value <- number }(i)
		<-value
	}
}

func spawn(count int) {
	ended := 0
	for i := 0; i < count/1000; i++ {
		for j := 0; j < 1000; j++ {
			go func() { ended++ }() // one processor and no preemption point: no lock needed
		}
		for ended < 1000 {
			runtime.Gosched()
		}
		ended = 0
	}
}

func yield(count int) {
	var both sync.WaitGroup
	both.Add(2)
	for i := 0; i < 2; i++ {
		go func() {
			for j := 0; j < count/2; j++ {
				runtime.Gosched()
			}
			both.Done()
		}()
	}
	both.Wait()
}

var pending []*time.Timer

func makePending() {
	for i := 0; i < 100000; i++ {
		pending = append(pending, time.AfterFunc(time.Duration(1000+i%997)*time.Second, nothing))
	}
}

func cancelPending() {
	for _, timer := range pending {
		timer.Stop()
	}
	pending = nil
}

func callLaterCancel(count int) {
	for turn := 0; turn < count/100; turn++ {
		for number := 0; number < 100; number++ {
			time.AfterFunc(time.Duration(10+(turn+number)%91)*time.Second, nothing).Stop()
		}
		runtime.Gosched()
	}
}

func callLaterTurnCancel(count int) {
	var made []*time.Timer
	for turn := 0; turn < count/100; turn++ {
		for _, timer := range made {
			timer.Stop()
		}
		made = made[:0]
		for number := 0; number < 100; number++ {
			made = append(made, time.AfterFunc(time.Duration(10+(turn+number)%91)*time.Second, nothing))
		}
		runtime.Gosched()
	}
	for _, timer := range made {
		timer.Stop()
	}
}

func timerWake(count int) {
	var all sync.WaitGroup
	all.Add(1000)
	for i := 0; i < 1000; i++ {
		go func(number int) {
			for j := 0; j < count/1000; j++ {
				time.Sleep(time.Duration(1000+number) * time.Microsecond)
			}
			all.Done()
		}(i)
	}
	all.Wait()
}
