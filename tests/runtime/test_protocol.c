/*
 * test_protocol - what TR_PROTOCOL and TR_ACTOR make, by their documentation
 */
#include "tests/runtime/probe.h"

#include <string.h>

/* The example of protocol.h, as it stands there. */
struct add   { uint64_t by; };
struct read  {};
struct total { uint64_t n; };

#define COUNTER(P, TELL, ASK)            \
    TELL(P, add,  struct add)            \
    ASK (P, read, struct read, struct total)
TR_PROTOCOL(counter, COUNTER)

struct counter { uint64_t n; };
static void counter_on_add(tr_ctx *ctx, struct counter *self, struct add *m)
{
    (void)ctx;
    self->n += m->by;
}
static void counter_on_read(tr_ctx *ctx, struct counter *self, struct read *m,
                            counter_read_reply reply)
{
    (void)ctx, (void)m;
    counter_read_answer(reply, (struct total){ .n = self->n });
}
TR_ACTOR(counter, COUNTER)

static void test_protocol_example_of_the_header_works(void **state)
{
    (void)state;
    tr_system *system = tr_system_start(NULL);
    counter_ref c = counter_spawn(system, NULL);
    assert_int_equal(counter_add(system, c, (struct add){ .by = 2 }), TR_OK);
    struct add three = { .by = 3 };
    assert_int_equal(counter_try_add(system, c, &three), TR_OK);
    struct total t;
    assert_int_equal(counter_read_wait(system, c, (struct read){}, TR_SECONDS(60), &t), TR_OK);
    assert_int_equal(t.n, 5);
    assert_int_equal(counter_stop(system, c), TR_OK);
    const tr_status joined = counter_join(system, c, PATIENCE, NULL);
    assert_true(joined == TR_OK || joined == TR_DEAD);
    stop_system(system);
}

static void test_protocol_descriptors_say_what_the_list_says(void **state)
{
    (void)state;
    assert_string_equal(counter_protocol.name, "counter");
    assert_int_equal(counter_protocol.message_count, 2);
    const tr_message_type *add = counter_protocol.messages[0];
    const tr_message_type *read = counter_protocol.messages[1];
    assert_ptr_equal(add, MESSAGE(counter, add));
    assert_ptr_equal(read, MESSAGE(counter, read));
    assert_string_equal(add->name, "add");
    assert_int_equal(add->size, sizeof(struct add));
    assert_int_equal(add->align, _Alignof(struct add));
    assert_int_equal(add->tag, 0);
    assert_null(add->drop);
    assert_null(add->answer_name);
    assert_ptr_equal(add->protocol, &counter_protocol);
    assert_string_equal(read->name, "read");
    assert_int_equal(read->size, 0);
    assert_int_equal(read->tag, 1);
    assert_string_equal(read->answer_name, "struct total");
    assert_int_equal(read->answer_size, sizeof(struct total));
    assert_int_equal(read->answer_align, _Alignof(struct total));
    assert_null(read->answer_drop);
    assert_string_equal(counter_behaviour.type.name, "counter");
    assert_int_equal(counter_behaviour.type.state_size, sizeof(struct counter));
    assert_int_equal(counter_behaviour.type.state_align, _Alignof(struct counter));
    assert_ptr_equal(counter_behaviour.type.protocol, &counter_protocol);
    assert_null(counter_behaviour.type.start);
    assert_null(counter_behaviour.type.stop);
    assert_null(counter_behaviour.type.drop);
}

/* -- an actor that is used by its untyped parts only --------------------------------------- */

static void untyped_add(tr_ctx *ctx, void *self, void *payload, tr_reply reply)
{
    (void)ctx, (void)reply;
    *(uint64_t *)self += *(uint64_t *)payload;
}
static void untyped_read(tr_ctx *ctx, void *self, void *payload, tr_reply reply)
{
    (void)ctx, (void)payload;
    struct total total = { *(uint64_t *)self };
    tr_reply_answer(reply, MESSAGE(counter, read), &total);
}

/* Two kinds of actor may speak one protocol. */
static void test_protocol_untyped_behaviour_of_a_typed_protocol_works(void **state)
{
    (void)state;
    static const tr_handler handlers[] = { untyped_add, untyped_read };
    static const tr_behaviour behaviour = {
        .name = "adder", .protocol = &counter_protocol, .state_size = sizeof(uint64_t),
        .state_align = _Alignof(uint64_t), .handlers = handlers,
    };
    tr_system *system = start_system(2);
    uint64_t initial = 40;
    counter_ref ref;
    assert_int_equal(tr_spawn(system, &behaviour, &initial, NULL, &ref.pid), TR_OK);
    assert_int_equal(counter_add(system, ref, (struct add){ 1 }), TR_OK);
    uint64_t one = 1;
    assert_int_equal(tr_tell(system, ref.pid, MESSAGE(counter, add), &one), TR_OK);
    struct read question;
    struct total total;
    assert_int_equal(tr_ask_wait(system, ref.pid, MESSAGE(counter, read), &question, PATIENCE, &total),
                     TR_OK);
    assert_int_equal(total.n, 42);
    tr_kind_stats kind;
    assert_int_equal(tr_system_get_kind_stats(system, &kind, 1), 1);
    assert_string_equal(kind.name, "adder");
    stop_system(system);
}

/* -- words that are easily taken ------------------------------------------------------------ */

/* Messages may be called as the parts that the macros make inside. */
struct words {
    unsigned heard;
};
#define WORDS(P, TELL, ASK)                                                                        \
    TELL(P, message, struct nothing)                                                               \
    TELL(P, type, struct nothing)                                                                  \
    TELL(P, self_, struct nothing)                                                                 \
    TELL(P, from, struct nothing)                                                                  \
    ASK(P, answer, struct nothing, struct words)                                                   \
    ASK(P, reply, struct nothing, struct words)
TR_PROTOCOL(words, WORDS)
#define HEAR(m_)                                                                                   \
    static void words_on_##m_(tr_ctx *ctx, struct words *self, struct nothing *m)                  \
    {                                                                                              \
        (void)ctx, (void)m;                                                                        \
        self->heard++;                                                                             \
    }
HEAR(message)
HEAR(type)
HEAR(self_)
HEAR(from)
static void words_on_answer(tr_ctx *ctx, struct words *self, struct nothing *m, words_answer_reply r)
{
    (void)ctx, (void)m;
    words_answer_answer(r, *self);
}
static void words_on_reply(tr_ctx *ctx, struct words *self, struct nothing *m, words_reply_reply r)
{
    (void)ctx, (void)m;
    words_reply_answer(words_reply_keep(r), *self);
}
TR_ACTOR(words, WORDS)

static void test_protocol_message_names_do_not_clash(void **state)
{
    (void)state;
    tr_system *system = start_system(2);
    const words_ref ref = words_spawn(system, NULL);
    assert_int_equal(words_message(system, ref, (struct nothing){}), TR_OK);
    assert_int_equal(words_type(system, ref, (struct nothing){}), TR_OK);
    assert_int_equal(words_self_(system, ref, (struct nothing){}), TR_OK);
    assert_int_equal(words_from(system, ref, (struct nothing){}), TR_OK);
    struct words heard;
    assert_int_equal(words_answer_wait(system, ref, (struct nothing){}, PATIENCE, &heard), TR_OK);
    assert_int_equal(heard.heard, 4);
    assert_int_equal(words_reply_wait(system, ref, (struct nothing){}, PATIENCE, &heard), TR_OK);
    assert_int_equal(heard.heard, 4);
    stop_system(system);
}

/* -- who am I ----------------------------------------------------------------------------------- */

struct identity {
    tr_pid self;
    tr_system *system;
    probe_ref typed;
};

static void tell_identity(tr_ctx *ctx, void *arg)
{
    struct identity *identity = arg;
    *identity = (struct identity){ tr_self(ctx), tr_ctx_system(ctx), probe_self(ctx) };
}

static void test_protocol_self_and_system_are_known_in_a_handler(void **state)
{
    (void)state;
    tr_system *system = start_system(2);
    for (unsigned i = 0; i < 20; i++) {
        struct identity identity;
        const probe_ref ref = spawn_probe(system, NULL);
        assert_int_equal(probe_run(system, ref, (struct run){ tell_identity, &identity }), TR_OK);
        assert_int_equal(count_of(system, ref), 0);
        assert_true(tr_pid_eq(identity.self, ref.pid));
        assert_true(tr_pid_eq(identity.typed.pid, ref.pid));
        assert_ptr_equal(identity.system, system);
    }
    stop_system(system);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_protocol_example_of_the_header_works),
        TEST(test_protocol_descriptors_say_what_the_list_says),
        TEST(test_protocol_untyped_behaviour_of_a_typed_protocol_works),
        TEST(test_protocol_message_names_do_not_clash),
        TEST(test_protocol_self_and_system_are_known_in_a_handler),
    };
    return TEST_RUN(tests);
}
