/*
 * from_cxx - a program of C++17 that uses troupe, and an actor written in C
 *
 * Each test returns by CHECK, which says what did not hold and ends the program.
 * What must abort does so in a child process.
 */
#include "shared.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            std::fprintf(stderr, "%s:%d: %s: not so: %s\n", __FILE__, __LINE__, __func__, #condition); \
            std::exit(1);                                                                          \
        }                                                                                          \
    } while (0)

static int points_dropped;

namespace geometry {
struct point {
    int x, y;
    point *next;
};
static void point_drop(point *)
{
    points_dropped++;
}
TR_TYPE(point, .drop = point_drop)
} // namespace geometry

namespace {

void test_box_of_cxx_drops_once()
{
    using namespace geometry;
    points_dropped = 0;
    {
        TR_AUTO(point) p = tr_box(point, .x = 1, .y = 2);
        TR_AUTO(point) q = TR_MOVE(p);
        CHECK(p == nullptr && q->x == 1 && q->y == 2 && q->next == nullptr);
    }
    CHECK(points_dropped == 1);
    point *r = tr_box(point, 3);
    tr_drop(r);
    CHECK(r == nullptr && points_dropped == 2);
    bool *yes = tr_box(bool, true);
    CHECK(*yes);
    tr_drop(yes);
}

void test_cxx_exception_drops_autos()
{
    using namespace geometry;
    points_dropped = 0;
    try {
        TR_AUTO(point) p = tr_box(point, .x = 1);
        throw p->x;
    } catch (int x) {
        CHECK(x == 1 && points_dropped == 1);
    }
}

void test_arc_and_weak_cross_the_languages()
{
    const int before = shared_persons_dropped();
    person *made_in_c = shared_person("Ada");
    person *clone = tr_arc_clone(made_in_c);
    tr_weak weak = tr_downgrade(made_in_c);
    CHECK(std::strcmp(clone->name, "Ada") == 0 && tr_strong_count(clone) == 2);
    person *upgraded = tr_upgrade(person, weak); /* compares the descriptor of C with ours */
    CHECK(upgraded == made_in_c);
    tr_drop(upgraded);
    tr_drop(made_in_c);

    person *made_here = tr_arc(person, strdup("Grace"), 42);
    tr_weak other = tr_downgrade(made_here);
    CHECK(shared_can_upgrade(other));
    tr_drop(made_here);
    CHECK(!shared_can_upgrade(other) && shared_persons_dropped() == before + 1);
    tr_drop(clone);
    CHECK(tr_upgrade(person, weak) == nullptr && shared_persons_dropped() == before + 2);
    tr_weak_drop(&weak);
    tr_weak_drop(&other);
}

void test_descriptors_have_one_address()
{
    CHECK(tr_type_of(person) == shared_type_of_person());
    CHECK(tr_type_of(int) == shared_type_of_int());
    CHECK(tr_type_of(bool) == shared_type_of_bool());
    CHECK(&counter_message_read_.type == shared_type_of_read());
    CHECK(shared_type_of_read()->size == 0); /* although struct nothing has a byte here */
}

void test_channels_and_select()
{
    numbers_sender tx;
    numbers_receiver rx;
    TR_MUST(numbers_bounded(2, &tx, &rx));
    int n = 7;
    TR_MUST(numbers_send(tx, &n));
    n = 0;
    tr_select_op ops[] = { numbers_select_recv(rx, &n) };
    size_t which = 1;
    TR_MUST(tr_select_until(ops, 1, TR_FOREVER, &which));
    CHECK(which == 0 && ops[0].status == TR_OK && n == 7);
    numbers_sender_drop(&tx);
    CHECK(numbers_recv(rx, &n) == TR_DISCONNECTED);
    numbers_receiver_drop(&rx);

    answer_sender once;
    answer_receiver reader;
    TR_MUST(answer_oneshot(&once, &reader));
    TR_MUST(answer_send(&once, &n));
    TR_MUST(answer_recv(reader, &n));
    answer_receiver_drop(&reader);
}

/* -- actors ---------------------------------------------------------------------- */

} // namespace

struct more {
    int by;
};
struct level {
    int n;
};
#define TANK(P, TELL, ASK)                                                                         \
    TELL(P, more, struct more)                                                                     \
    ASK(P, look, struct nothing, struct level)
TR_PROTOCOL(tank, TANK)

struct tank {
    int n;
};
static void tank_on_more(tr_ctx *, struct tank *self, struct more *m)
{
    self->n += m->by;
}
static void tank_on_look(tr_ctx *, struct tank *self, struct nothing *, tank_look_reply reply)
{
    tank_look_answer(reply, level{ self->n });
}
TR_ACTOR(tank, TANK)

namespace {

void test_actor_of_c_answers_cxx()
{
    tr_system *system = tr_system_start(nullptr);
    counter_ref counter = counter_spawn(system, nullptr);
    for (int i = 0; i < 100; i++) {
        CHECK(counter_add(system, counter, add{ 5 }) == TR_OK);
        CHECK(counter_tick(system, counter, nothing{}) == TR_OK);
    }
    chunk bytes = { strdup("four") };
    CHECK(counter_try_chunk(system, counter, &bytes) == TR_OK);
    total sum = { 0 };
    TR_MUST(counter_read_wait(system, counter, nothing{}, TR_SECONDS(60), &sum));
    CHECK(sum.n == 604);

    tank_ref tank = tank_spawn(system, nullptr); /* an actor of C++ */
    CHECK(tank_more(system, tank, more{ 3 }) == TR_OK);
    level now = { 0 };
    TR_MUST(tank_look_wait(system, tank, nothing{}, TR_SECONDS(60), &now));
    CHECK(now.n == 3);
    TR_MUST(tr_system_stop(system, TR_SECONDS(60)));
    CHECK(shared_chunks_dropped() == 1);
}

/* -- panics and exceptions --------------------------------------------------------- */

void be_silent(const tr_panic_info *) {}

int destroyed;
struct witness {
    ~witness() { destroyed++; }
};

void panic(void *)
{
    witness w;
    tr_panic("wanted");
}

void panic_in_c_frame(void *)
{
    witness w;
    shared_call(panic, nullptr);
}

void test_panic_destroys_objects_of_cxx_and_cleans_c()
{
    tr_panic_info info;
    destroyed = 0;
    CHECK(tr_catch(panic_in_c_frame, nullptr, &info) == TR_PANICKED);
    CHECK(std::strcmp(info.message, "wanted") == 0);
    CHECK(destroyed == 2 && shared_cleanups() == 1);
}

void panic_through_noexcept() noexcept
{
    panic(nullptr);
}

void call_noexcept(void *)
{
    panic_through_noexcept();
}

void swallow(void *)
{
    try {
        panic(nullptr);
    } catch (...) { /* must be thrown on, as every forced unwinding */
    }
}

void throw_it(void *)
{
    throw 1;
}

bool aborts(void (*f)(void *))
{
    const pid_t child = fork();
    if (child == 0) {
        const rlimit no_core = { 0, 0 };
        (void)setrlimit(RLIMIT_CORE, &no_core);
        (void)signal(SIGABRT, SIG_DFL);
        (void)!freopen("/dev/null", "w", stderr);
        (void)!tr_catch(f, nullptr, nullptr);
        _exit(0);
    }
    int status = 0;
    return child > 0 && waitpid(child, &status, 0) == child && WIFSIGNALED(status) &&
           WTERMSIG(status) == SIGABRT;
}

/* An exception may pass tr_catch to a catch around it: its frames are cleaned. */
void test_exception_passes_a_boundary()
{
    bool caught = false;
    try {
        (void)!tr_catch(throw_it, nullptr, nullptr);
    } catch (int) {
        caught = true;
    }
    CHECK(caught && tr_catch(panic, nullptr, nullptr) == TR_PANICKED && !tr_panicking());
}

void throw_on(void *)
{
    try {
        panic(nullptr);
    } catch (...) {
        destroyed = 100;
        throw;
    }
}

void test_panic_that_is_thrown_on_lands()
{
    CHECK(tr_catch(throw_on, nullptr, nullptr) == TR_PANICKED && destroyed == 100);
}

void test_what_must_not_cross_the_border_aborts()
{
    CHECK(aborts(call_noexcept)); /* a panic into a noexcept function */
    CHECK(aborts(swallow));       /* a panic that catch (...) would end */
    CHECK(aborts(throw_it));      /* an exception that nobody catches */
}

} // namespace

int main()
{
    tr_set_panic_hook(be_silent);
    test_what_must_not_cross_the_border_aborts(); /* forks: before there are threads */
    test_box_of_cxx_drops_once();
    test_cxx_exception_drops_autos();
    test_arc_and_weak_cross_the_languages();
    test_descriptors_have_one_address();
    test_channels_and_select();
    test_panic_destroys_objects_of_cxx_and_cleans_c();
    test_exception_passes_a_boundary();
    test_panic_that_is_thrown_on_lands();
    test_actor_of_c_answers_cxx();
    std::puts("from_cxx: ok");
    return 0;
}
