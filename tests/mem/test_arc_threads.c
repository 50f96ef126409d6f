/*
 * test_arc_threads - owners and Weaks of one Arc on several threads at once
 *
 * Each race starts from a barrier and counts how often each outcome happened;
 * what must hold is asserted on the main thread after the join.
 */
#include "tests/support/test.h"

#include <troupe/mem/arc.h>
#include <troupe/mem/scalars.h>

#include "tests/mem/canary.h"

static int setup(void **state)
{
    canary_reset();
    return test_setup(state);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, test_teardown)

typedef TR_ATOMIC(uint64_t) counter;

static uint64_t value_of(counter *c)
{
    return tr_load_relaxed(c); /* relaxed: read after a join or a barrier */
}

static void bump(counter *c)
{
    tr_fetch_add_relaxed(c, 1); /* relaxed: read after a join or a barrier */
}

/* -- ARC-01, ARC-09 -------------------------------------------------------- */

struct readers {
    int *shares[10];
    counter fives;
};

static void read_share(unsigned index, void *arg)
{
    struct readers *readers = arg;
    if (*readers->shares[index] == 5)
        bump(&readers->fives);
    tr_drop(readers->shares[index]);
}

static void test_arc_01_ten_threads_read_one_value(void **state)
{
    (void)state;
    struct readers readers = { 0 };
    int *five = tr_arc(int, 5);
    for (unsigned i = 0; i < 10; i++)
        readers.shares[i] = tr_arc_clone(five);
    test_threads_run(10, read_share, &readers);
    assert_int_equal(value_of(&readers.fives), 10);
    assert_int_equal(tr_strong_count(five), 1);
    assert_int_equal(*five, 5);
    tr_drop(five);
}

struct storm {
    canary *arc;
    size_t rounds;
};

static void clone_and_drop(unsigned index, void *arg)
{
    (void)index;
    const struct storm *storm = arg;
    for (size_t i = 0; i < storm->rounds; i++) {
        canary *share = tr_arc_clone(storm->arc);
        tr_drop(share);
    }
}

static void test_arc_09_clone_drop_storm_leaves_one_owner(void **state)
{
    (void)state;
    struct storm storm = { .arc = tr_arc(canary), .rounds = test_scale(20000) };
    test_threads_run(8, clone_and_drop, &storm);
    assert_int_equal(tr_strong_count(storm.arc), 1);
    assert_int_equal(canary_dropped(), 0);
    tr_drop(storm.arc);
    assert_int_equal(canary_dropped(), 1);
}

/* -- rounds: each side has a share of the round's Arc ---------------------- */

#define SIDES 3

typedef struct rounds rounds;
struct rounds {
    size_t count;
    void (*play)(rounds *r, unsigned side);
    test_barrier gate; /* opens twice a round: begin and end */
    canary *shares[SIDES];
    tr_weak weaks[SIDES];
    counter wins;   /* in this round */
    counter wrong;  /* in all rounds */
    uint64_t rare, usual; /* how often each outcome happened; main's */
};

static void play_side(unsigned side, void *arg)
{
    rounds *r = arg;
    for (size_t i = 0; i < r->count; i++) {
        test_barrier_wait(&r->gate);
        r->play(r, side);
        test_barrier_wait(&r->gate);
    }
}

/* prepare and check run on the main thread, while the sides wait. */
static void run_rounds(rounds *r, void (*prepare)(rounds *r), void (*check)(rounds *r))
{
    test_threads group;
    r->count = test_scale(2000);
    test_barrier_init(&r->gate, SIDES + 1);
    test_threads_start(&group, SIDES, play_side, r);
    for (size_t i = 0; i < r->count; i++) {
        tr_store_relaxed(&r->wins, 0); /* relaxed: before the barrier */
        prepare(r);
        test_barrier_wait(&r->gate);
        test_barrier_wait(&r->gate);
        check(r);
    }
    test_threads_join(&group);
    test_barrier_fini(&r->gate);
}

static void share_among_all(rounds *r)
{
    canary *arc = tr_arc(canary, .value = 7);
    for (unsigned i = 1; i < SIDES; i++)
        r->shares[i] = tr_arc_clone(arc);
    r->shares[0] = arc;
}

/* -- into_box: exactly one of those that give up gets the value ------------ */

static void play_into_box(rounds *r, unsigned side)
{
    canary *box = tr_arc_into_box(r->shares[side]);
    if (box == NULL)
        return;
    bump(&r->wins);
    if (box->value != 7)
        bump(&r->wrong);
    tr_drop(box);
}

static void check_one_winner(rounds *r)
{
    assert_int_equal(value_of(&r->wins), 1);
}

static void test_arc_into_box_race_has_exactly_one_winner(void **state)
{
    (void)state;
    rounds r = { .play = play_into_box };
    run_rounds(&r, share_among_all, check_one_winner);
    assert_int_equal(value_of(&r.wrong), 0);
    assert_int_equal(canary_dropped(), r.count);
}

/* try_unwrap may be refused to all; who is refused drops. Never two winners. */
static void play_try_unwrap(rounds *r, unsigned side)
{
    canary *box = tr_arc_try_unwrap(r->shares[side]);
    if (box != NULL)
        bump(&r->wins);
    tr_drop(box);
    tr_drop(r->shares[side]);
}

static void check_at_most_one_winner(rounds *r)
{
    assert_true(value_of(&r->wins) <= 1);
    *(value_of(&r->wins) == 1 ? &r->usual : &r->rare) += 1;
}

static void test_arc_try_unwrap_race_has_at_most_one_winner(void **state)
{
    (void)state;
    rounds r = { .play = play_try_unwrap };
    run_rounds(&r, share_among_all, check_at_most_one_winner);
    assert_int_equal(canary_dropped(), r.count);
    print_message("           one winner: %llu, none: %llu\n", (unsigned long long)r.usual,
                  (unsigned long long)r.rare);
}

/* -- upgrade against the last drop ----------------------------------------- */

static void one_owner_two_weaks(rounds *r)
{
    canary *arc = tr_arc(canary, .value = 7);
    for (unsigned i = 1; i < SIDES; i++)
        r->weaks[i] = tr_downgrade(arc);
    r->shares[0] = arc;
}

static void play_upgrade(rounds *r, unsigned side)
{
    if (side == 0) {
        tr_drop(r->shares[0]);
        return;
    }
    canary *up = tr_upgrade(canary, r->weaks[side]);
    tr_weak_drop(&r->weaks[side]);
    if (up == NULL)
        return;
    bump(&r->wins);
    if (up->value != 7)
        bump(&r->wrong);
    tr_drop(up);
}

static void check_dropped_once_a_round(rounds *r)
{
    r->usual += value_of(&r->wins);
    r->rare += SIDES - 1 - value_of(&r->wins);
    assert_int_equal(canary_dropped(), 1);
    assert_int_equal(test_live_blocks(), 0);
    canary_reset();
}

static void test_arc_upgrade_race_with_last_drop_drops_once(void **state)
{
    (void)state;
    rounds r = { .play = play_upgrade };
    run_rounds(&r, one_owner_two_weaks, check_dropped_once_a_round);
    assert_int_equal(value_of(&r.wrong), 0);
    print_message("           upgraded: %llu, too late: %llu\n", (unsigned long long)r.usual,
                  (unsigned long long)r.rare);
}

/* -- into_box against the last Weak ------------------------------------------ */

/* In place or moved, the Box is written to and freed while the Weaks look. */
static void play_into_box_under_weaks(rounds *r, unsigned side)
{
    if (side != 0) {
        canary *up = tr_upgrade(canary, r->weaks[side]);
        if (up != NULL && up->value != 7)
            bump(&r->wrong);
        tr_drop(up);
        tr_weak_drop(&r->weaks[side]);
        return;
    }
    canary *box = NULL;
    for (int i = 0; i < 200 && box == NULL; i++)
        box = tr_arc_try_unwrap(r->shares[0]);
    if (box != NULL) {
        bump(&r->wins);
        box->value = 8;
    }
    tr_drop(box);
    tr_drop(r->shares[0]);
}

static void check_unwrapped_or_not(rounds *r)
{
    *(value_of(&r->wins) == 1 ? &r->usual : &r->rare) += 1;
    assert_int_equal(canary_dropped(), 1);
    assert_int_equal(test_live_blocks(), 0);
    canary_reset();
}

static void test_arc_unwrap_race_with_weaks_gives_a_box_of_its_own(void **state)
{
    (void)state;
    rounds r = { .play = play_into_box_under_weaks };
    run_rounds(&r, one_owner_two_weaks, check_unwrapped_or_not);
    assert_int_equal(value_of(&r.wrong), 0);
    print_message("           unwrapped: %llu, not: %llu\n", (unsigned long long)r.usual,
                  (unsigned long long)r.rare);
}

/* -- get_mut against downgrade ---------------------------------------------- */

/* Side 1 always has a share or a Weak, so side 0 is never alone. A get_mut that
 * looks at the two counts one after the other, without the lock, finds it so. */
static void play_get_mut(rounds *r, unsigned side)
{
    if (side == 0) {
        for (int i = 0; i < 8; i++)
            if (tr_arc_get_mut(r->shares[0]) != NULL)
                bump(&r->wrong);
    } else if (side == 1) {
        r->weaks[1] = tr_downgrade(r->shares[1]);
        tr_drop(r->shares[1]);
    } else {
        tr_drop(r->shares[2]);
    }
}

static void check_reached_by_weak(rounds *r)
{
    assert_null(tr_arc_get_mut(r->shares[0]));
    tr_weak_drop(&r->weaks[1]);
    assert_non_null(tr_arc_get_mut(r->shares[0]));
    tr_drop(r->shares[0]);
}

static void test_arc_get_mut_race_with_downgrade_never_succeeds(void **state)
{
    (void)state;
    rounds r = { .play = play_get_mut };
    run_rounds(&r, share_among_all, check_reached_by_weak);
    assert_int_equal(value_of(&r.wrong), 0);
}

/* The others drop their shares after a look; side 0 writes once it is alone. */
static void play_write_when_alone(rounds *r, unsigned side)
{
    if (side != 0) {
        if (r->shares[side]->value != 7)
            bump(&r->wrong);
        tr_drop(r->shares[side]);
        return;
    }
    canary *alone = NULL;
    for (int i = 0; i < 200 && alone == NULL; i++) /* nothing but get_mut orders the two */
        alone = tr_arc_get_mut(r->shares[0]);
    if (alone != NULL) {
        bump(&r->wins);
        alone->value = 8;
    }
}

static void check_written_if_alone(rounds *r)
{
    const bool won = value_of(&r->wins) == 1;
    assert_int_equal(r->shares[0]->value, won ? 8 : 7);
    *(won ? &r->rare : &r->usual) += 1;
    tr_drop(r->shares[0]);
}

static void test_arc_get_mut_write_follows_the_others_reads(void **state)
{
    (void)state;
    rounds r = { .play = play_write_when_alone };
    run_rounds(&r, share_among_all, check_written_if_alone);
    assert_int_equal(value_of(&r.wrong), 0);
    print_message("           alone: %llu, not yet: %llu\n", (unsigned long long)r.rare,
                  (unsigned long long)r.usual);
}

/* -- make_mut ---------------------------------------------------------------- */

/* Weaks come and go too, so that moving away from them is met as well. */
static void play_make_mut(rounds *r, unsigned side)
{
    tr_weak weak = TR_WEAK_NEW;
    if (side == 1)
        weak = tr_downgrade(r->shares[side]);
    canary *mine = tr_arc_make_mut(r->shares[side]);
    if (mine->value != 7)
        bump(&r->wrong);
    mine->value = (int)side;
    canary *up = tr_upgrade(canary, weak);
    if (up != NULL && up->value == 1)
        bump(&r->wrong); /* side 1 moved away from it */
    tr_drop(up);
    tr_weak_drop(&weak);
}

static void check_each_has_its_own(rounds *r)
{
    for (unsigned i = 0; i < SIDES; i++) {
        assert_int_equal(r->shares[i]->value, i);
        assert_int_equal(tr_strong_count(r->shares[i]), 1);
        tr_drop(r->shares[i]);
    }
    assert_int_equal(canary_dropped(), 1 + canary_cloned());
    *(canary_cloned() == SIDES - 1 ? &r->usual : &r->rare) += 1;
    canary_reset();
}

static void test_arc_make_mut_race_gives_each_a_value_of_its_own(void **state)
{
    (void)state;
    rounds r = { .play = play_make_mut };
    run_rounds(&r, share_among_all, check_each_has_its_own);
    assert_int_equal(value_of(&r.wrong), 0);
    print_message("           one kept the original: %llu, all cloned: %llu\n",
                  (unsigned long long)r.usual, (unsigned long long)r.rare);
}

/* -- the destructor sees all -------------------------------------------------- */

typedef struct ledger {
    int entries[SIDES]; /* plain: each side writes its own, the destructor reads all */
    int *sum;
} ledger;
static void ledger_drop(ledger *l)
{
    *l->sum = 0;
    for (unsigned i = 0; i < SIDES; i++)
        *l->sum += l->entries[i];
}
TR_TYPE(ledger, .drop = ledger_drop)

struct ledgers {
    ledger *shares[SIDES];
};

static void write_and_drop(unsigned side, void *arg)
{
    struct ledgers *ledgers = arg;
    ledgers->shares[side]->entries[side] = 1 << side;
    tr_drop(ledgers->shares[side]);
}

static void test_arc_destructor_sees_what_every_owner_did(void **state)
{
    (void)state;
    const size_t rounds_to_play = test_scale(200);
    for (size_t i = 0; i < rounds_to_play; i++) {
        int sum = -1;
        struct ledgers ledgers;
        ledgers.shares[0] = tr_arc(ledger, .sum = &sum);
        for (unsigned side = 1; side < SIDES; side++)
            ledgers.shares[side] = tr_arc_clone(ledgers.shares[0]);
        test_threads_run(SIDES, write_and_drop, &ledgers);
        assert_int_equal(sum, (1 << SIDES) - 1);
    }
}

/* -- Weaks in a storm ---------------------------------------------------------- */

static void clone_weaks_and_upgrade(unsigned index, void *arg)
{
    const struct storm *storm = arg;
    tr_weak mine = tr_downgrade(storm->arc);
    for (size_t i = 0; i < storm->rounds; i++) {
        tr_weak other = index % 2 == 0 ? tr_weak_clone(mine) : tr_downgrade(storm->arc);
        canary *up = tr_upgrade(canary, other);
        tr_weak_drop(&mine);
        mine = other;
        tr_drop(up);
        (void)tr_arc_get_mut(storm->arc);
    }
    tr_weak_drop(&mine);
}

static void test_arc_weak_storm_leaves_no_weak(void **state)
{
    (void)state;
    struct storm storm = { .arc = tr_arc(canary), .rounds = test_scale(5000) };
    test_threads_run(4, clone_weaks_and_upgrade, &storm);
    assert_int_equal(tr_strong_count(storm.arc), 1);
    assert_int_equal(tr_weak_count(storm.arc), 0);
    assert_int_equal(canary_dropped(), 0);
    assert_non_null(tr_arc_get_mut(storm.arc));
    tr_drop(storm.arc);
    assert_int_equal(canary_dropped(), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_arc_01_ten_threads_read_one_value),
        CASE(test_arc_09_clone_drop_storm_leaves_one_owner),
        CASE(test_arc_into_box_race_has_exactly_one_winner),
        CASE(test_arc_try_unwrap_race_has_at_most_one_winner),
        CASE(test_arc_upgrade_race_with_last_drop_drops_once),
        CASE(test_arc_unwrap_race_with_weaks_gives_a_box_of_its_own),
        CASE(test_arc_get_mut_race_with_downgrade_never_succeeds),
        CASE(test_arc_get_mut_write_follows_the_others_reads),
        CASE(test_arc_make_mut_race_gives_each_a_value_of_its_own),
        CASE(test_arc_destructor_sees_what_every_owner_did),
        CASE(test_arc_weak_storm_leaves_no_weak),
    };
    /* From libc, so that ThreadSanitizer knows of each free. The fixture's counting
     * allocator goes in front of it. */
    tr_set_global_allocator(tr_libc_allocator());
    return TEST_RUN(tests);
}
