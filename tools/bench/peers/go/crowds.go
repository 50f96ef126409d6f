// Many actors that talk to many: big, chameneos, fanout.
package main

import "time"

func random(state *uint64) uint64 {
	*state ^= *state << 13
	*state ^= *state >> 7
	*state ^= *state << 17
	return *state
}

const (
	talkGo = iota
	talkPing
	talkPong
	talkStop
)

type talk struct {
	kind uint32
	from uint32
}

type report struct{ received, strays uint64 }

func talker(id uint32, pings uint64, all []chan talk, results chan<- report) {
	var r report
	var sent uint64
	var to uint32
	state := 0x9E3779B97F4A7C15 * (uint64(id) + 1)
	for m := range all[id] {
		switch m.kind {
		case talkPing:
			r.received++
			all[m.from] <- talk{talkPong, id}
			continue
		case talkStop:
			results <- r
			return
		case talkPong:
			if m.from != to {
				r.strays++
			}
		}
		if sent == pings {
			results <- report{}
			continue
		}
		to = uint32(random(&state) % uint64(len(all)))
		sent++
		all[to] <- talk{talkPing, id}
	}
}

// Each of the actors pings random others, one after the other, and answers theirs. A mailbox has
// room for all that can be under way, so that nobody blocks.
func big(actors, pings uint64) outcome {
	all, results := make([]chan talk, actors), make(chan report, actors)
	for i := range all {
		all[i] = make(chan talk, actors+3)
	}
	for i := range all {
		go talker(uint32(i), pings, all, results)
	}
	start := time.Now()
	for _, a := range all {
		a <- talk{kind: talkGo}
	}
	for range all {
		<-results
	}
	o := done(2*actors*pings, start, false)
	var sum report
	for _, a := range all {
		a <- talk{kind: talkStop}
	}
	for range all {
		r := <-results
		sum.received += r.received
		sum.strays += r.strays
	}
	o.right = sum == report{received: actors * pings}
	return o
}

type visitor struct {
	who    chan change
	colour int32
	met    uint64 // said on leaving, when who is nil
}

type change struct {
	kind   int32
	colour int32
	other  chan change // for meet: who waits for the new colour
}

const (
	changeMeet = iota
	changeTo
	changeClosed
)

func complement(a, b int32) int32 {
	if a == b {
		return a
	}
	return 3 - a - b
}

func mall(visitors <-chan visitor, creatures, meetings uint64) (sum uint64) {
	var waiting chan change
	for gone := uint64(0); gone < creatures; {
		v := <-visitors
		switch {
		case v.who == nil:
			sum += v.met
			gone++
		case meetings == 0:
			v.who <- change{kind: changeClosed}
		case waiting == nil:
			waiting = v.who
		default:
			meetings--
			waiting <- change{changeMeet, v.colour, v.who}
			waiting = nil
		}
	}
	return sum
}

func creature(mall chan<- visitor, colour int32) {
	me := make(chan change, 1)
	for met := uint64(0); ; met++ {
		mall <- visitor{who: me, colour: colour}
		m := <-me
		switch m.kind {
		case changeMeet:
			colour = complement(colour, m.colour)
			m.other <- change{kind: changeTo, colour: colour}
		case changeTo:
			colour = m.colour
		case changeClosed:
			mall <- visitor{met: met}
			return
		}
	}
}

// Creatures meet in pairs at one mall and agree on a colour.
func chameneos(creatures, meetings uint64) outcome {
	visitors, result := make(chan visitor, creatures), make(chan uint64)
	start := time.Now()
	go func() { result <- mall(visitors, creatures, meetings) }()
	for i := uint64(0); i < creatures; i++ {
		go creature(visitors, int32(i%3))
	}
	sum := <-result
	return done(meetings, start, sum == 2*meetings)
}

const (
	blockSize = 4096
	fanoutCap = 128
)

// A pointer to 4 KiB to each subscriber, a fresh block each round.
func fanout(subscribers, rounds uint64) outcome {
	mailboxes, sums := make([]chan *[blockSize]byte, subscribers), make(chan uint64, subscribers)
	for i := range mailboxes {
		mailbox := make(chan *[blockSize]byte, fanoutCap)
		mailboxes[i] = mailbox
		go func() {
			sum := uint64(0)
			for r := uint64(0); r < rounds; r++ {
				sum += uint64((<-mailbox)[r%blockSize])
			}
			sums <- sum
		}()
	}
	start := time.Now()
	go func() {
		for r := uint64(0); r < rounds; r++ {
			block := new([blockSize]byte)
			for i := range block {
				block[i] = byte(r)
			}
			for _, m := range mailboxes {
				m <- block
			}
		}
	}()
	sum, expected := uint64(0), uint64(0)
	for range mailboxes {
		sum += <-sums
	}
	o := done(subscribers*rounds, start, false)
	for r := uint64(0); r < rounds; r++ {
		expected += r & 255
	}
	o.right = sum == subscribers*expected
	return o
}
