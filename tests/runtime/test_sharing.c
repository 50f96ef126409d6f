/*
 * test_sharing - what must stay on its thread is refused by every way to another one
 */
#include "tests/runtime/probe.h"

#include <troupe/mem/rc.h>

#include "tests/mem/canary.h"
#include "tests/mem/panics.h"

TR_RC_TYPE(canary_rc, canary)

/* A struct that holds a share says so itself. */
typedef struct holder {
    canary_rc share;
} holder;

static void holder_drop(holder *h)
{
    tr_drop(h->share);
}
TR_TYPE(holder, .drop = holder_drop, .flags = TR_RC_FLAGS)

static void parcel_drop(struct holder *parcel)
{
    holder_drop(parcel);
}

#define HERMIT(P, TELL, ASK)                                                                       \
    TELL(P, parcel, struct holder, .drop = parcel_drop, .flags = TR_RC_FLAGS)                      \
    ASK(P, met, struct nothing, struct count)
TR_PROTOCOL(hermit, HERMIT)

struct hermit {
    uint64_t met;
};

static void hermit_on_parcel(tr_ctx *ctx, struct hermit *self, struct holder *m)
{
    (void)ctx, (void)m;
    self->met++;
}

static void hermit_on_met(tr_ctx *ctx, struct hermit *self, struct nothing *m, hermit_met_reply reply)
{
    (void)ctx, (void)m;
    hermit_met_answer(reply, (struct count){ self->met });
}

TR_ACTOR(hermit, HERMIT)

static int setup(void **state)
{
    canary_reset();
    return test_setup(state);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, test_teardown)

static void test_snd_02_send_of_what_must_stay_is_handed_back(void **state)
{
    (void)state;
    tr_system *system = start_system(2);
    const hermit_ref hermit = hermit_spawn(system, NULL);
    struct holder parcel = { tr_rc(canary, .value = 5) };
    canary *mine = tr_rc_clone(parcel.share);

    assert_int_equal(tr_try_tell(system, hermit.pid, MESSAGE(hermit, parcel), &parcel), TR_INVALID);
    assert_int_equal(hermit_try_parcel(system, hermit, &parcel), TR_INVALID);
    assert_ptr_equal(parcel.share, mine); /* as it was, and still ours */
    assert_int_equal(tr_strong_count(mine), 2);
    assert_int_equal(canary_dropped(), 0);

    /* The form that consumes gives the share up here, on the thread that made it. */
    assert_int_equal(hermit_parcel(system, hermit, parcel), TR_INVALID);
    assert_int_equal(tr_strong_count(mine), 1);

    struct count met = { 99 };
    assert_int_equal(hermit_met_wait(system, hermit, (struct nothing){}, PATIENCE, &met), TR_OK);
    assert_int_equal(met.n, 0);
    assert_int_equal(canary_dropped(), 0);
    tr_drop(mine);
    assert_int_equal(canary_dropped(), 1);
    stop_system(system);
}

static void make_channel(void *type)
{
    tr_channel *channel = NULL;
    if (tr_channel_create(type, 4, &channel) == TR_OK)
        tr_panic("it was made");
}

static void test_snd_02_channels_of_what_must_stay_are_not_made(void **state)
{
    (void)state;
    const tr_type *const types[] = { tr_type_of(canary_rc), tr_type_of(tr_rc_weak), tr_type_of(holder) };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        tr_type copy = *types[i];
        assert_false(tr_type_is_send(&copy));
        assert_panics(make_channel, &copy, "must not cross threads");
    }
    assert_int_equal(test_live_blocks(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_snd_02_send_of_what_must_stay_is_handed_back),
        CASE(test_snd_02_channels_of_what_must_stay_are_not_made),
    };
    return TEST_RUN(tests);
}
