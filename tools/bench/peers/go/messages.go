// Messages between few actors: pingpong, crossping, ring, count, mpsc, ask.
package main

import (
	"runtime"
	"time"
)

const (
	turnCap  = 0    // who sends waits for what comes back
	askCap   = 1    // a fifth faster than 0, where a struct is sent
	ringCap  = 1    // a token can be put down before the next actor runs
	floodCap = 1024 // from 64 on the difference is small
)

// Round trips; each message carries the number of messages so far.
func pingpong(rounds uint64) outcome {
	toA, toB, result := make(chan uint64, turnCap), make(chan uint64, turnCap), make(chan uint64)
	start := time.Now()
	go func() {
		for v := range toB {
			toA <- v + 1
		}
	}()
	go func() {
		v := uint64(0)
		for i := uint64(0); i < rounds; i++ {
			toB <- v + 1
			v = <-toA
		}
		result <- v
	}()
	v := <-result
	return done(2*rounds, start, v == 2*rounds)
}

// The same between two goroutines that stay on a thread each. The clock starts when both have
// theirs. A capacity of 1 makes no difference.
func crossping(trips uint64) outcome {
	toA, toB := make(chan uint64, turnCap), make(chan uint64, turnCap)
	ready, result := make(chan struct{}), make(chan outcome)
	go func() {
		runtime.LockOSThread()
		close(ready)
		for v := range toB {
			toA <- v + 1
		}
	}()
	go func() {
		runtime.LockOSThread()
		<-ready
		start, v := time.Now(), uint64(0)
		for i := uint64(0); i < trips; i++ {
			toB <- v + 1
			v = <-toA
		}
		result <- done(trips, start, v == 2*trips)
	}()
	return <-result
}

// A token counts its hops down; where it ends is known, and summed.
func ring(actors, tokens, hops uint64) outcome {
	mailboxes := make([]chan uint64, actors)
	for i := range mailboxes {
		mailboxes[i] = make(chan uint64, ringCap)
	}
	ends := make(chan uint64, tokens)
	for i := uint64(0); i < actors; i++ {
		go func(i uint64, in <-chan uint64, out chan<- uint64) {
			for left := range in {
				if left > 0 {
					out <- left - 1
				} else {
					ends <- i
				}
			}
		}(i, mailboxes[i], mailboxes[(i+1)%actors])
	}
	expected, sum := uint64(0), uint64(0)
	start := time.Now()
	for t := uint64(0); t < tokens; t++ {
		at := t * (actors / tokens)
		mailboxes[at] <- hops
		expected += (at + hops) % actors
	}
	for t := uint64(0); t < tokens; t++ {
		sum += <-ends
	}
	return done(hops*tokens, start, sum == expected)
}

// Senders that flood one counter.
func count(senders, each uint64) outcome {
	mailbox, result := make(chan uint64, floodCap), make(chan uint64)
	go func() {
		sum := uint64(0)
		for i := uint64(0); i < senders*each; i++ {
			sum += <-mailbox
		}
		result <- sum
	}()
	start := time.Now()
	for s := uint64(0); s < senders; s++ {
		go func() {
			for i := uint64(0); i < each; i++ {
				mailbox <- i
			}
		}()
	}
	sum := <-result
	return done(senders*each, start, sum == senders*sumBelow(each))
}

type question struct {
	n      uint64
	answer chan<- uint64
}

// Go has no outside: who asks is a goroutine, too.
func ask(asks uint64) outcome {
	mailbox, answer := make(chan question, askCap), make(chan uint64, askCap)
	go func() {
		sum := uint64(0)
		for q := range mailbox {
			sum += q.n
			q.answer <- sum
		}
	}()
	start := time.Now()
	sum := uint64(0)
	for i := uint64(0); i < asks; i++ {
		mailbox <- question{i, answer}
		sum = <-answer
	}
	return done(asks, start, sum == sumBelow(asks))
}
