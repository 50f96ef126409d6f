// bench_go WORKLOAD THREADS SCALE
//
// An actor is a goroutine that owns one channel. What was chosen, and why:
//   - GOMAXPROCS is THREADS; the collector is left as Go sets it. Only crossping's goroutines are
//     locked to threads.
//   - Channels have the capacity that was fastest; the constants say which. They are always
//     bounded, so each workload is arranged so that no two goroutines block each other for ever.
//   - An answer comes on a channel that the asker makes once and uses again.
package main

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// What a workload did. The clock stops in done().
type outcome struct {
	ops           uint64
	took          time.Duration
	right         bool
	bytesPerActor float64
}

func done(ops uint64, start time.Time, right bool) outcome {
	return outcome{ops: ops, took: time.Since(start), right: right}
}

// memory reads a line of /proc/self/status ("VmRSS", "VmHWM"), in bytes.
func memory(field string) uint64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		panic(err)
	}
	for _, line := range strings.Split(string(status), "\n") {
		if words := strings.Fields(line); len(words) > 1 && words[0] == field+":" {
			kib, err := strconv.ParseUint(words[1], 10, 64)
			if err == nil {
				return kib * 1024
			}
		}
	}
	panic("no " + field)
}

func sumBelow(n uint64) uint64 { return n * (n - 1) / 2 }

func run(workload string, scale float64) (outcome, bool) {
	n := func(full float64) uint64 { return uint64(math.Max(1, math.Round(full*scale))) }
	switch workload {
	case "pingpong":
		return pingpong(n(2e6)), true
	case "crossping":
		return crossping(n(1e5)), true
	case "ring1":
		return ring(1000, 1, n(5e6)), true
	case "ring100":
		return ring(1000, 100, n(5e4)), true
	case "count":
		return count(1, n(1e7)), true
	case "mpsc":
		return count(100, n(1e5)), true
	case "ask":
		return ask(n(1e5)), true
	case "fork":
		return fork(n(1e6)), true
	case "skynet":
		return skynet(n(1e6)), true
	case "idle":
		return idle(n(1e6)), true
	case "big":
		return big(200, n(2e4)), true
	case "chameneos":
		return chameneos(100, n(1e6)), true
	case "fanout":
		return fanout(1000, n(1000)), true
	}
	return outcome{}, false
}

func usage(what string) {
	fmt.Fprintln(os.Stderr, what)
	os.Exit(2)
}

func main() {
	if len(os.Args) != 4 {
		usage("usage: bench_go WORKLOAD THREADS SCALE")
	}
	threads, err := strconv.Atoi(os.Args[2])
	scale, err2 := strconv.ParseFloat(os.Args[3], 64)
	if err != nil || err2 != nil || threads < 1 || scale <= 0 {
		usage("usage: bench_go WORKLOAD THREADS SCALE")
	}
	if os.Args[1] == "crossping" && threads != 2 {
		usage("bench_go: crossping has 2 threads")
	}
	runtime.GOMAXPROCS(threads)
	o, known := run(os.Args[1], scale)
	if !known {
		usage("bench_go: no workload " + os.Args[1])
	}
	bytes, check := "", "ok"
	if o.bytesPerActor > 0 {
		bytes = fmt.Sprintf(`"bytes_per_actor":%.1f,`, o.bytesPerActor)
	}
	if !o.right {
		check = "wrong"
	}
	fmt.Printf(`{"name":"%s","ns_per_op":%.3f,%s"ops":%d,`, os.Args[1],
		float64(o.took.Nanoseconds())/float64(o.ops), bytes, o.ops)
	fmt.Printf(`"workers":%d,"peak_rss_bytes":%d,"check":"%s"}`+"\n", threads, memory("VmHWM"), check)
	if !o.right {
		os.Exit(1)
	}
}
