"""The workloads that all programs know, and what one operation of each is."""
import collections

# bytes: the numbers are memory, not time. unlike: programs that do something else for want of
# the like, so that a ratio to them would say nothing. workers: the one number of workers that it
# is about; None: any.
Workload = collections.namedtuple("Workload", "name op what note bytes unlike workers")


def workload(name, op, what, note="", in_bytes=False, unlike=(), workers=None):
    return Workload(name, op, what, note, in_bytes, unlike, workers)


ALL = [
    workload("pingpong", "message", "two actors, 2,000,000 round trips"),
    workload("ring1", "hop", "a ring of 1000 actors, one token, 5,000,000 hops"),
    workload("ring100", "hop", "a ring of 1000 actors, 100 tokens, 50,000 hops each"),
    workload("count", "message", "one sender, one counter, 10,000,000 messages"),
    workload("mpsc", "message", "100 senders, one counter, 100,000 messages each"),
    workload("fork", "actor", "1,000,000 actors: spawned, one message, ended"),
    workload("skynet", "actor", "a tree of tens with 1,000,000 leaves: 1,111,111 actors"),
    workload("big", "message", "200 actors, each sends 20,000 pings to random others"),
    workload("chameneos", "meeting", "100 creatures meet in pairs at one mall, 1,000,000 times"),
    workload("fanout", "delivery", "4 KiB, shared, to 1000 subscribers, 1000 rounds",
             "How far the publisher may run ahead is what was fastest: 16 rounds in tokio, 128 "
             "in Go, 8 in CAF."),
    workload("ask", "request", "somebody outside asks an actor, 100,000 times",
             "In troupe, tokio and CAF the asker is a thread outside of the runtime, which sleeps "
             "until its answer is there: most of the time goes into waking it. Go and Erlang have "
             "no outside. There the asker is a goroutine or process like the asked, nobody is "
             "woken, and their numbers (marked *) are not in the ratio. Nobody outside can ask "
             "on tokio's current_thread runtime.", unlike=("go", "erlang")),
    workload("crossping", "round trip",
             "two actors that stay on two threads, 100,000 round trips",
             "Each message goes to another thread, and wakes it unless it still looks out for "
             "one; there is no form with one worker. The actors are pinned to a worker each in "
             "troupe and bound to a scheduler each in Erlang (an option of spawn_opt that is not "
             "in the manual), detached in CAF, goroutines locked to their threads in Go, and in "
             "tokio what two current_thread runtimes run, on a thread each.", workers=2),
    workload("idle", "actor", "1,000,000 actors that have got one message and wait",
             "Growth of the resident memory of the process, divided by the actors, with whatever "
             "is needed to reach them. Erlang's processes hibernate; Go returns free memory to "
             "the system before it is asked.", in_bytes=True),
]
NAMES = [w.name for w in ALL]
BY_NAME = {w.name: w for w in ALL}


def exists(name, workers):
    """Is there a form of the workload for so many workers?"""
    return BY_NAME[name].workers in (None, workers)
