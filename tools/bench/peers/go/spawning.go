// Making actors: fork, skynet, idle.
package main

import (
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// Fewer are alive at once if they get to run now and then: four times as fast as without.
const forksATurn = 128

// Spawn, send one message, end.
func fork(n uint64) outcome {
	var sum atomic.Uint64
	var ended sync.WaitGroup
	ended.Add(int(n))
	start := time.Now()
	for i := uint64(0); i < n; i++ {
		mailbox := make(chan uint64, 1)
		go func() {
			sum.Add(<-mailbox)
			ended.Done()
		}()
		mailbox <- i
		if i%forksATurn == forksATurn-1 {
			runtime.Gosched()
		}
	}
	ended.Wait()
	return done(n, start, sum.Load() == sumBelow(n))
}

func node(parent chan<- uint64, number, leaves uint64) {
	if leaves == 1 {
		parent <- number
		return
	}
	mailbox := make(chan uint64, 10)
	share := leaves / 10
	for i := uint64(0); i < 10; i++ {
		go node(mailbox, number+i*share, share)
	}
	sum := uint64(0)
	for i := 0; i < 10; i++ {
		sum += <-mailbox
	}
	parent <- sum
}

// A tree of ten children a node; the leaves' numbers are summed up to the root.
func skynet(n uint64) outcome {
	leaves := uint64(1)
	for leaves*10 <= n {
		leaves *= 10
	}
	result := make(chan uint64)
	start := time.Now()
	go node(result, 0, leaves)
	sum := <-result
	return done((leaves*10-1)/9, start, sum == sumBelow(leaves))
}

// Actors that have got one message and wait for the next: what does each keep resident?
func idle(n uint64) outcome {
	var sum atomic.Uint64
	var seen sync.WaitGroup
	seen.Add(int(n))
	actors := make([]chan uint64, n) // who else would be able to reach them?
	debug.FreeOSMemory()
	before := memory("VmRSS")
	start := time.Now()
	for i := range actors {
		mailbox := make(chan uint64, 1)
		go func() {
			for v := range mailbox {
				sum.Add(v)
				seen.Done()
			}
		}()
		mailbox <- uint64(i)
		actors[i] = mailbox
	}
	seen.Wait()
	o := done(n, start, sum.Load() == sumBelow(n))
	debug.FreeOSMemory() // what the collector has not given back yet is not the actors'
	o.bytesPerActor = float64(memory("VmRSS")-before) / float64(n)
	runtime.KeepAlive(actors)
	return o
}
