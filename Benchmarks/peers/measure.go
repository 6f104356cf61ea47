// What the peers' programs in Go share: options, the size of a batch, the median of five; one name and its nanoseconds a
// line.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"sort"
	"strings"
	"syscall"
	"time"
)

type benchmark struct {
	name         string
	minimumCount int
	body         func(count int)
	setUp        func()
	tearDown     func()
}

// processorTime is what the process has spent on processors.
func processorTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func nothing() {}

// measure doubles the count until a batch can be timed, then takes the median of five, or of one when batches
// take seconds.
func measure(b benchmark, enough time.Duration) float64 {
	b.setUp()
	defer b.tearDown()
	batch := func(count int) time.Duration {
		before := processorTime()
		b.body(count)
		return processorTime() - before
	}
	count := b.minimumCount
	for batch(count) < enough {
		count *= 2
	}
	var batches []float64
	for i := 0; i < 5; i++ {
		time := batch(count)
		batches = append(batches, float64(time.Nanoseconds())/float64(count))
		if time > 2e9 {
			break
		}
	}
	sort.Float64s(batches)
	return batches[len(batches)/2]
}

func main() {
	only := flag.String("only", "", "measure these, divided by commas; all otherwise")
	quick := flag.Bool("quick", false, "take shorter batches")
	idle := flag.Bool("idle", false, "do nothing, with a timer an hour away")
	flag.Parse()
	runtime.GOMAXPROCS(1)
	if *idle {
		time.Sleep(time.Hour)
		return
	}
	enough := 100 * time.Millisecond
	if *quick {
		enough /= 5
	}
	found := false
	for _, b := range benchmarks {
		if *only == "" || strings.Contains(","+*only+",", ","+b.name+",") {
			fmt.Println(b.name, measure(b, enough))
			found = true
		}
	}
	if !found {
		fmt.Fprintln(os.Stderr, "no benchmark is called", *only)
		os.Exit(2)
	}
}
