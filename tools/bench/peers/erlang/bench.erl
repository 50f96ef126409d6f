%% bench WORKLOAD THREADS SCALE (the script beside this file starts the machine)
%%
%% An actor is a process. What was chosen, and why:
%%  - +S THREADS:THREADS; dirty schedulers and async threads are not used and cut to one.
%%  - Processes are spawned with defaults but for the receivers of floods (?FLOODED), whose
%%    messages stay off-heap so that the collector does not copy them.
%%  - Who knows its partner sends bare integers, which are not copied; no process dictionary,
%%    no ETS, no gen_server between.
%%  - ask does by hand what gen_server:call does (a monitor with an alias), without its layers.
-module(bench).
-export([main/0]).
-export([node/3, child/1, idler/1]).

-define(FLOODED, [{message_queue_data, off_heap}]).

main() ->
    [Name, Threads, Scale] = init:get_plain_arguments(),
    N = fun(Full) -> max(1, round(Full * number(Scale))) end,
    Me = self(),
    %% A fresh process: this one has the heap of the one that started the machine.
    spawn_link(fun() -> Me ! {outcome, run(Name, N)} end),
    receive {outcome, Outcome} -> print(Name, Threads, Outcome) end.

number(Text) ->
    try list_to_float(Text) catch error:badarg -> list_to_integer(Text) end.

run("pingpong", N) -> pingpong(N(2000000));
run("crossping", N) -> crossping(N(100000));
run("ring1", N) -> ring(1000, 1, N(5000000));
run("ring100", N) -> ring(1000, 100, N(50000));
run("count", N) -> count(1, N(10000000));
run("mpsc", N) -> count(100, N(100000));
run("ask", N) -> ask(N(100000));
run("fork", N) -> fork(N(1000000));
run("skynet", N) -> skynet(N(1000000));
run("idle", N) -> idle(N(1000000));
run("big", N) -> big(200, N(20000));
run("chameneos", N) -> chameneos(100, N(1000000));
run("fanout", N) -> fanout(1000, N(1000));
run(Name, _) ->
    io:format(standard_error, "bench.erl: no workload ~s~n", [Name]),
    halt(2).

%% {Ops, Took, Right} or {Ops, Took, Right, BytesPerActor}
print(Name, Threads, {Ops, Took, Right}) ->
    print_line(Name, Threads, Ops, Took, Right, "");
print(Name, Threads, {Ops, Took, Right, Bytes}) ->
    More = io_lib:format("\"bytes_per_actor\":~.1f,", [Bytes]),
    print_line(Name, Threads, Ops, Took, Right, More).

print_line(Name, Threads, Ops, Took, Right, More) ->
    Check = case Right of true -> "ok"; false -> "wrong" end,
    io:format("{\"name\":\"~s\",\"ns_per_op\":~.3f,~s\"ops\":~b,\"workers\":~s,"
              "\"peak_rss_bytes\":~b,\"check\":\"~s\"}~n",
              [Name, Took / Ops, More, Ops, Threads, memory("VmHWM"), Check]),
    halt(case Right of true -> 0; false -> 1 end).

%% A line of /proc/self/status, in bytes.
memory(Field) ->
    {ok, Status} = file:read_file("/proc/self/status"),
    {match, [Kib]} = re:run(Status, Field ++ ":\\s+(\\d+)", [{capture, all_but_first, list}]),
    list_to_integer(Kib) * 1024.

now_ns() -> erlang:monotonic_time(nanosecond).
sum_below(N) -> N * (N - 1) div 2.
receive_sum(0, Sum) -> Sum;
receive_sum(N, Sum) -> receive {result, V} -> receive_sum(N - 1, Sum + V) end.

%% -- messages between few actors --------------------------------------------------

%% Round trips; each message carries the number of messages so far.
pingpong(Rounds) ->
    Me = self(),
    Pong = spawn(fun() -> receive Ping -> pong(Ping) end end),
    Start = now_ns(),
    spawn(fun() -> Pong ! self(), Me ! {result, ping(Pong, Rounds, 0)} end),
    V = receive_sum(1, 0),
    {2 * Rounds, now_ns() - Start, V =:= 2 * Rounds}.

ping(_, 0, V) -> V;
ping(Pong, Left, V) ->
    Pong ! V + 1,
    receive Next -> ping(Pong, Left - 1, Next) end.

pong(Ping) -> receive V -> Ping ! V + 1, pong(Ping) end.

%% The same between two processes that stay on a scheduler each. The option is not in the manual,
%% so where they are is checked, too.
crossping(Trips) ->
    Me = self(),
    Seat = fun(Scheduler, Play) ->
        spawn_opt(fun() ->
            Me ! {result, erlang:system_info(scheduler_id)},
            receive Other -> Play(Other) end
        end, [{scheduler, Scheduler}])
    end,
    Pong = Seat(1, fun pong/1),
    Ping = Seat(2, fun(Other) -> Me ! {result, ping(Other, Trips, 0)} end),
    Seats = receive_sum(2, 0),
    Pong ! Ping,
    Start = now_ns(),
    Ping ! Pong,
    V = receive_sum(1, 0),
    {Trips, now_ns() - Start, V =:= 2 * Trips andalso Seats =:= 1 + 2}.

%% A token counts its hops down; where it ends is known, and summed.
ring(Actors, Tokens, Hops) ->
    Me = self(),
    First = spawn(fun() -> receive {next, Next} -> hop(Next, 0, Me) end end),
    Others = [First | make_ring(Actors - 1, First, Me, [])],
    Ring = list_to_tuple(Others),
    First ! {next, element(2, Ring)},
    Ats = [T * (Actors div Tokens) || T <- lists:seq(0, Tokens - 1)],
    Start = now_ns(),
    [element(At + 1, Ring) ! Hops || At <- Ats],
    Sum = receive_sum(Tokens, 0),
    {Hops * Tokens, now_ns() - Start, Sum =:= lists:sum([(At + Hops) rem Actors || At <- Ats])}.

%% Actors Index .. 1; each knows the one after it, the last one the first.
make_ring(0, _, _, Made) -> Made;
make_ring(Index, Next, Main, Made) ->
    Pid = spawn(fun() -> hop(Next, Index, Main) end),
    make_ring(Index - 1, Pid, Main, [Pid | Made]).

hop(Next, Index, Main) ->
    receive
        0 -> Main ! {result, Index}, hop(Next, Index, Main);
        Left -> Next ! Left - 1, hop(Next, Index, Main)
    end.

%% Senders that flood one counter.
count(Senders, Each) ->
    Me = self(),
    Total = Senders * Each,
    Counter = spawn_opt(fun() -> Me ! {result, counter(Total, 0)} end, ?FLOODED),
    Start = now_ns(),
    [spawn(fun() -> sender(Counter, 0, Each) end) || _ <- lists:seq(1, Senders)],
    Sum = receive_sum(1, 0),
    {Total, now_ns() - Start, Sum =:= Senders * sum_below(Each)}.

counter(0, Sum) -> Sum;
counter(Left, Sum) -> receive V -> counter(Left - 1, Sum + V) end.

sender(_, End, End) -> ok;
sender(To, I, End) -> To ! I, sender(To, I + 1, End).

%% Erlang has no outside: who asks is a process, too.
ask(Asks) ->
    Adder = spawn(fun() -> adder(0) end),
    Start = now_ns(),
    Sum = asker(Adder, 0, Asks, 0),
    {Asks, now_ns() - Start, Sum =:= sum_below(Asks)}.

asker(_, Asks, Asks, Sum) -> Sum;
asker(Adder, I, Asks, _) ->
    Ref = monitor(process, Adder, [{alias, reply_demonitor}]),
    Adder ! {Ref, I},
    receive
        {Ref, Sum} -> asker(Adder, I + 1, Asks, Sum);
        {'DOWN', Ref, process, _, Why} -> exit(Why)
    end.

adder(Sum) -> receive {From, N} -> From ! {From, Sum + N}, adder(Sum + N) end.

%% -- making actors -----------------------------------------------------------------

%% Spawn, send one message, end; the last one tells.
fork(N) ->
    Sum = counters:new(1, [atomics]),
    Left = atomics:new(1, []),
    atomics:put(Left, 1, N),
    Shared = {Sum, Left, self()},
    Start = now_ns(),
    forker(0, N, Shared),
    receive ended -> ok end,
    {N, now_ns() - Start, counters:get(Sum, 1) =:= sum_below(N)}.

forker(N, N, _) -> ok;
forker(I, N, Shared) -> spawn(?MODULE, child, [Shared]) ! I, forker(I + 1, N, Shared).

child({Sum, Left, Main}) ->
    receive I -> counters:add(Sum, 1, I) end,
    case atomics:sub_get(Left, 1, 1) of 0 -> Main ! ended; _ -> ok end.

%% A tree of ten children a node; the leaves' numbers are summed up to the root.
skynet(N) ->
    Leaves = power_of_ten(1, N),
    Start = now_ns(),
    spawn(?MODULE, node, [self(), 0, Leaves]),
    receive Sum -> {(Leaves * 10 - 1) div 9, now_ns() - Start, Sum =:= sum_below(Leaves)} end.

power_of_ten(P, N) when P * 10 =< N -> power_of_ten(P * 10, N);
power_of_ten(P, _) -> P.

node(Parent, Number, 1) -> Parent ! Number;
node(Parent, Number, Leaves) ->
    Share = Leaves div 10,
    children(10, Number, Share),
    Parent ! counter(10, 0).

children(0, _, _) -> ok;
children(Left, Number, Share) ->
    spawn(?MODULE, node, [self(), Number, Share]),
    children(Left - 1, Number + Share, Share).

%% Processes that have got one message and wait for the next: what does each keep resident?
%% They hibernate, as those do that have nothing to do for long: a third of the memory.
idle(N) ->
    Sum = counters:new(1, [atomics]),
    Left = atomics:new(1, []),
    atomics:put(Left, 1, N),
    Shared = {Sum, Left, self()},
    erlang:garbage_collect(),
    Before = memory("VmRSS"),
    Start = now_ns(),
    idlers(0, N, Shared),
    receive ended -> ok end,
    Took = now_ns() - Start,
    receive after 500 -> ok end, % the last ones are still on their way to sleep
    {N, Took, counters:get(Sum, 1) =:= sum_below(N), (memory("VmRSS") - Before) / N}.

idlers(N, N, _) -> ok;
idlers(I, N, Shared) -> spawn(?MODULE, idler, [Shared]) ! I, idlers(I + 1, N, Shared).

idler(Shared) ->
    child(Shared),
    erlang:hibernate(?MODULE, idler, [Shared]).

%% -- many actors that talk to many ------------------------------------------------------

%% Each actor pings random others, one after the other, and answers theirs.
big(Actors, Pings) ->
    Me = self(),
    Talker = fun(Id) ->
        receive {all, List} -> talk(List, Id, Me, random_seed(Id), none, Pings, 0) end
    end,
    Pids = [spawn(fun() -> Talker(Id) end) || Id <- lists:seq(1, Actors)],
    All = list_to_tuple(Pids),
    [Pid ! {all, All} || Pid <- Pids],
    Start = now_ns(),
    [Pid ! go || Pid <- Pids],
    0 = receive_sum(Actors, 0),
    Took = now_ns() - Start,
    [Pid ! stop || Pid <- Pids],
    Received = receive_sum(Actors, 0),
    {2 * Actors * Pings, Took, Received =:= Actors * Pings}.

%% A linear congruence: a xorshift of 64 bits would make bignums.
random_seed(Id) -> Id * 7919.
random(State) -> (State * 1103515245 + 12345) band 16#7fffffff.

talk(All, Id, Main, Random, To, Left, Received) ->
    receive
        {ping, From} ->
            element(From, All) ! {pong, Id},
            talk(All, Id, Main, Random, To, Left, Received + 1);
        {pong, To} ->
            next(All, Id, Main, Random, Left, Received);
        go ->
            next(All, Id, Main, Random, Left, Received);
        stop ->
            Main ! {result, Received};
        {pong, Stray} ->
            exit({stray, Stray})
    end.

next(All, Id, Main, Random, 0, Received) ->
    Main ! {result, 0},
    talk(All, Id, Main, Random, none, 0, Received);
next(All, Id, Main, Random, Left, Received) ->
    Next = random(Random),
    To = (Next bsr 8) rem tuple_size(All) + 1,
    element(To, All) ! {ping, Id},
    talk(All, Id, Main, Next, To, Left - 1, Received).

%% Creatures meet in pairs at one mall and agree on a colour.
chameneos(Creatures, Meetings) ->
    Me = self(),
    Start = now_ns(),
    Mall = spawn(fun() -> Me ! {result, mall(Meetings, none, Creatures, 0)} end),
    [spawn(fun() -> creature(Mall, I rem 3, 0) end) || I <- lists:seq(0, Creatures - 1)],
    Sum = receive_sum(1, 0),
    {Meetings, now_ns() - Start, Sum =:= 2 * Meetings}.

mall(_, _, 0, Sum) -> Sum;
mall(Left, Waiting, Creatures, Sum) ->
    receive
        {meet, Who, _} when Left =:= 0 -> Who ! closed, mall(0, none, Creatures, Sum);
        {meet, Who, _} when Waiting =:= none -> mall(Left, Who, Creatures, Sum);
        Meet = {meet, _, _} -> Waiting ! Meet, mall(Left - 1, none, Creatures, Sum);
        {met, Met} -> mall(Left, Waiting, Creatures - 1, Sum + Met)
    end.

creature(Mall, Colour, Met) ->
    Mall ! {meet, self(), Colour},
    receive
        {meet, Other, Theirs} ->
            Ours = complement(Colour, Theirs),
            Other ! {change, Ours},
            creature(Mall, Ours, Met + 1);
        {change, Ours} ->
            creature(Mall, Ours, Met + 1);
        closed ->
            Mall ! {met, Met}
    end.

complement(A, A) -> A;
complement(A, B) -> 3 - A - B.

%% A binary of 4 KiB, which processes share, to each subscriber; a fresh one each round.
fanout(Subscribers, Rounds) ->
    Me = self(),
    Pids = [spawn(fun() -> Me ! {result, subscriber(0, Rounds, 0)} end)
            || _ <- lists:seq(1, Subscribers)],
    Start = now_ns(),
    spawn(fun() -> publisher(Pids, 0, Rounds) end),
    Sum = receive_sum(Subscribers, 0),
    Took = now_ns() - Start,
    Expected = lists:sum([R band 255 || R <- lists:seq(0, Rounds - 1)]),
    {Subscribers * Rounds, Took, Sum =:= Subscribers * Expected}.

subscriber(Rounds, Rounds, Sum) -> Sum;
subscriber(R, Rounds, Sum) ->
    receive Block -> subscriber(R + 1, Rounds, Sum + binary:at(Block, R band 4095)) end.

publisher(_, Rounds, Rounds) -> ok;
publisher(Pids, R, Rounds) ->
    publish(Pids, binary:copy(<<R>>, 4096)),
    publisher(Pids, R + 1, Rounds).

publish([], _) -> ok;
publish([Pid | Pids], Block) -> Pid ! Block, publish(Pids, Block).
